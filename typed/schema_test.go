package typed_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/typed"
)

type (
	// Everything has a field of each kind that schemas know.
	Everything struct {
		Text    string             `json:"text" jsonschema:"some text"`
		Flag    bool               `json:"flag,omitempty"`
		Int     int                `json:"int"`
		Small   int8               `json:"small"`
		Count   uint               `json:"count"`
		Byte    byte               `json:"byte,omitzero"`
		Half    float32            `json:"half"`
		Maybe   *string            `json:"maybe" jsonschema:"or not"`
		Twice   **int              `json:"twice,omitempty"`
		List    []string           `json:"list"`
		Pair    [2]float64         `json:"pair"`
		Data    []byte             `json:"data"`
		When    time.Time          `json:"when"`
		Big     *big.Int           `json:"big"`
		Number  json.Number        `json:"number"`
		Address netip.Addr         `json:"address"`
		Nested  struct{ Z, A int } `json:"nested,omitempty"`
		NoTag   string
		Hidden  string `json:"-"`
	}

	Open struct {
		Any  any             `json:"any"`
		Raw  json.RawMessage `json:"raw" jsonschema:"what you like"`
		Ptr  *any            `json:"ptr,omitempty"`
		Map  map[string]int  `json:"map"`
		Wild map[string]any  `json:"wild"`
	}

	base     struct{ ID, Name string }
	Base     struct{ ID, Name string }
	Embedded struct {
		First int
		base
		Name string // hides that of base
		Last int
	}
	Named struct {
		Base `json:"base"`
		*Twin
		Inner `json:"-"`
	}
	Twin  struct{ T int }
	Inner struct{ I int }
	Other struct{ T int }
	Word  string
	Words struct{ Word }

	Level uint8
	Unit  string
	Shape struct{ Kind string }
	Style struct {
		Unit     Unit   `json:"unit"`
		Other    Unit   `json:"other,omitempty" jsonschema:"the other"`
		Pointer  *Unit  `json:"pointer"`
		Shape    *Shape `json:"shape" jsonschema:"round or not"`
		Required Shape  `json:"required"`
	}
)

var (
	unitSchema  = typed.TypeSchema[Unit](raw(`{"type":"string","enum":["c","f"]}`))
	shapeSchema = typed.TypeSchema[Shape](raw(`{"anyOf":[
		{"type":"object","properties":{"Kind":{"const":"round"}},"required":["Kind"],"additionalProperties":false},
		{"type":"object","properties":{"Kind":{"const":"square"}},"required":["Kind"],"additionalProperties":false}]}`))
)

const (
	shapeJSON = `"anyOf":[{"type":"object","properties":{"Kind":{"const":"round"}},"required":["Kind"],"additionalProperties":false},` +
		`{"type":"object","properties":{"Kind":{"const":"square"}},"required":["Kind"],"additionalProperties":false}]`
	aSchema = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`
)

func TestSchemas(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ got, want string }{
		"no fields":        {schemaOf[struct{}](), `{"type":"object","properties":{},"additionalProperties":false}`},
		"no fields strict": {schemaOf[struct{}](typed.Strict()), `{"type":"object","properties":{},"additionalProperties":false}`},
		"map":              {schemaOf[map[string]int](), `{"type":"object","additionalProperties":{"type":"integer"}}`},
		"everything": {schemaOf[Everything](), `{"type":"object","properties":{` +
			`"text":{"type":"string","description":"some text"},"flag":{"type":"boolean"},"int":{"type":"integer"},` +
			`"small":{"type":"integer","minimum":-128,"maximum":127},"count":{"type":"integer","minimum":0},` +
			`"byte":{"type":"integer","minimum":0,"maximum":255},"half":{"type":"number"},` +
			`"maybe":{"type":["string","null"],"description":"or not"},"twice":{"type":["integer","null"]},` +
			`"list":{"type":"array","items":{"type":"string"}},"pair":{"type":"array","items":{"type":"number"},"minItems":2,"maxItems":2},` +
			`"data":{"type":"string","contentEncoding":"base64"},"when":{"type":"string","format":"date-time"},` +
			`"big":{"type":["integer","null"]},"number":{"type":"number"},"address":{"type":"string"},` +
			`"nested":{"type":"object","properties":{"Z":{"type":"integer"},"A":{"type":"integer"}},"required":["Z","A"],"additionalProperties":false},` +
			`"NoTag":{"type":"string"}},` +
			`"required":["text","int","small","count","half","maybe","list","pair","data","when","big","number","address","NoTag"],` +
			`"additionalProperties":false}`},
		"everything strict": {schemaOf[Everything](typed.Strict()), `{"type":"object","properties":{` +
			`"text":{"type":"string","description":"some text"},"flag":{"type":["boolean","null"]},"int":{"type":"integer"},` +
			`"small":{"type":"integer"},"count":{"type":"integer"},"byte":{"type":["integer","null"]},"half":{"type":"number"},` +
			`"maybe":{"type":["string","null"],"description":"or not"},"twice":{"type":["integer","null"]},` +
			`"list":{"type":"array","items":{"type":"string"}},"pair":{"type":"array","items":{"type":"number"}},` +
			`"data":{"type":"string"},"when":{"type":"string"},"big":{"type":["integer","null"]},"number":{"type":"number"},"address":{"type":"string"},` +
			`"nested":{"type":["object","null"],"properties":{"Z":{"type":"integer"},"A":{"type":"integer"}},"required":["Z","A"],"additionalProperties":false},` +
			`"NoTag":{"type":"string"}},` +
			`"required":["text","flag","int","small","count","byte","half","maybe","twice","list","pair","data","when","big","number","address","nested","NoTag"],` +
			`"additionalProperties":false}`},
		"open": {schemaOf[Open](), `{"type":"object","properties":{"any":{"description":"any JSON value"},"raw":{"description":"what you like"},` +
			`"ptr":{"description":"any JSON value"},"map":{"type":"object","additionalProperties":{"type":"integer"}},` +
			`"wild":{"type":"object","additionalProperties":{"description":"any JSON value"}}},` +
			`"required":["any","raw","map","wild"],"additionalProperties":false}`},
		"embedded": {schemaOf[Embedded](), `{"type":"object","properties":{"First":{"type":"integer"},"ID":{"type":"string"},` +
			`"Name":{"type":"string"},"Last":{"type":"integer"}},"required":["First","ID","Name","Last"],"additionalProperties":false}`},
		"embedded with tags": {schemaOf[Named](), `{"type":"object","properties":{"base":{"type":"object","properties":{"ID":{"type":"string"},` +
			`"Name":{"type":"string"}},"required":["ID","Name"],"additionalProperties":false},"T":{"type":"integer"}},` +
			`"required":["base","T"],"additionalProperties":false}`},
		"embedded string": {schemaOf[Words](), `{"type":"object","properties":{"Word":{"type":"string"}},"required":["Word"],"additionalProperties":false}`},
		"custom": {schemaOf[Style](unitSchema, shapeSchema), `{"type":"object","properties":{"unit":{"type":"string","enum":["c","f"]},` +
			`"other":{"type":"string","description":"the other","enum":["c","f"]},"pointer":{"type":["string","null"],"enum":["c","f",null]},` +
			`"shape":{"description":"round or not","anyOf":[{` + shapeJSON + `},{"type":"null"}]},"required":{` + shapeJSON + `}},` +
			`"required":["unit","pointer","shape","required"],"additionalProperties":false}`},
		"custom strict": {schemaOf[Style](typed.Strict(), unitSchema, shapeSchema), `{"type":"object","properties":{"unit":{"type":"string","enum":["c","f"]},` +
			`"other":{"type":["string","null"],"description":"the other","enum":["c","f",null]},"pointer":{"type":["string","null"],"enum":["c","f",null]},` +
			`"shape":{"description":"round or not","anyOf":[{` + shapeJSON + `},{"type":"null"}]},"required":{` + shapeJSON + `}},` +
			`"required":["unit","other","pointer","shape","required"],"additionalProperties":false}`},
		"custom of two parts": {schemaOf[struct{ U *Unit }](typed.TypeSchema[Unit](raw(`{"type":"string","anyOf":[{"pattern":"a"},{"pattern":"b"}]}`))),
			`{"type":"object","properties":{"U":{"anyOf":[{"type":"string","anyOf":[{"pattern":"a"},{"pattern":"b"}]},{"type":"null"}]}},` +
				`"required":["U"],"additionalProperties":false}`},
		"bytes that are no text": {schemaOf[struct{ L []Level }](), `{"type":"object","properties":{"L":{"type":"array","items":` +
			`{"type":"integer","minimum":0,"maximum":255}}},"required":["L"],"additionalProperties":false}`},
		"custom root":        {schemaOf[Shape](typed.TypeSchema[Shape](raw(aSchema))), aSchema},
		"custom root strict": {schemaOf[Shape](typed.TypeSchema[Shape](raw(aSchema)), typed.Strict()), aSchema},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, test.got)
		})
	}
}

// What one schema adds to a custom one is not in the next.
func TestSchemasShareNothing(t *testing.T) {
	t.Parallel()
	plain := schemaOf[Style](unitSchema, shapeSchema)
	for range 3 {
		schemaOf[Style](unitSchema, shapeSchema, typed.Strict())
		require.Equal(t, plain, schemaOf[Style](unitSchema, shapeSchema))
	}
}

// Strict schemas keep the rules that services check.
func TestStrictRules(t *testing.T) {
	t.Parallel()
	type deep struct {
		List []map[string]struct{} `json:"-"`
		A    []struct {
			B *struct {
				C [][]Everything `json:"c,omitempty"`
			} `json:"b"`
		} `json:"a"`
	}
	for _, schema := range []string{
		schemaOf[Everything](typed.Strict()), schemaOf[deep](typed.Strict()), schemaOf[Embedded](typed.Strict()),
		schemaOf[Style](typed.Strict(), unitSchema, shapeSchema), schemaOf[Named](typed.Strict()),
	} {
		var root any
		require.NoError(t, json.Unmarshal([]byte(schema), &root))
		assert.Positive(t, checkStrictRules(t, root, "root"))
	}
}

// The server of this module, which checks strict schemas as the service did, takes those made here.
func TestStrictSchemasAreAccepted(t *testing.T) {
	t.Parallel()
	client, err := assistants.NewClient(assistants.WithHandler(server.New()))
	require.NoError(t, err)
	strict := typed.Strict()
	assistant, err := client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{
		Model:          "gpt-4o",
		Tools:          []assistants.Tool{echo[Everything](strict).Tool(), echo[struct{}](strict).Tool(), echo[Style](strict, unitSchema, shapeSchema).Tool()},
		ResponseFormat: typed.ResponseFormat[Everything]("everything", strict),
	})
	require.NoError(t, err)
	assert.True(t, assistant.Tools[0].Function.Strict)
}

// checkStrictRules walks a schema, and returns how many objects it has.
func checkStrictRules(t *testing.T, schema any, at string) (objects int) {
	s, ok := schema.(map[string]any)
	require.True(t, ok, "%s is %v", at, schema)
	for key := range s {
		assert.Contains(t, []string{"type", "description", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf"}, key, at)
	}
	properties, _ := s["properties"].(map[string]any)
	if strings.Contains(fmt.Sprint(s["type"]), "object") || properties != nil {
		objects++
		assert.Equal(t, false, s["additionalProperties"], at)
		required, _ := s["required"].([]any)
		assert.Len(t, required, len(properties), at)
		for name, property := range properties {
			assert.True(t, slices.Contains(required, any(name)), "%s.%s", at, name)
			objects += checkStrictRules(t, property, at+"."+name)
		}
	}
	if strings.Contains(fmt.Sprint(s["type"]), "array") {
		objects += checkStrictRules(t, s["items"], at+"[]")
	}
	either, _ := s["anyOf"].([]any)
	for i, one := range either {
		objects += checkStrictRules(t, one, fmt.Sprintf("%s|%d", at, i))
	}
	return objects
}

type (
	Node    struct{ Next *Node }
	Ring    struct{ *Ring }
	Decodes struct{ X int }
	hidden  struct{ X int }
)

func (*Decodes) UnmarshalJSON([]byte) error { return nil }

func TestTypesRefused(t *testing.T) {
	t.Parallel()
	strict := typed.Strict()
	tests := map[string]struct {
		format func()
		want   string
	}{
		"string":         {func() { schemaOf[string]() }, "string is no JSON object; take a struct"},
		"pointer":        {func() { schemaOf[*Open]() }, "*typed_test.Open is no JSON object; take a struct"},
		"any":            {func() { schemaOf[any]() }, "interface {} is no JSON object; take a struct"},
		"function":       {func() { schemaOf[struct{ F func() }]() }, "field F: no JSON Schema describes func()"},
		"channel inside": {func() { schemaOf[struct{ L []struct{ C chan int } }]() }, "field L: field C: no JSON Schema describes chan int"},
		"complex":        {func() { schemaOf[struct{ C complex128 }]() }, "field C: no JSON Schema describes complex128"},
		"interface":      {func() { schemaOf[struct{ R io.Reader }]() }, "field R: no JSON Schema describes io.Reader"},
		"map keys":       {func() { schemaOf[map[int]string]() }, "no JSON Schema describes map[int]string, whose keys are no strings"},
		"recursive":      {func() { schemaOf[Node]() }, "field Next: typed_test.Node contains itself, so that its schema cannot be inferred; give it one with TypeSchema"},
		"embeds itself":  {func() { schemaOf[Ring]() }, "typed_test.Ring is embedded in itself"},
		"decodes itself": {func() { schemaOf[struct{ D []Decodes }]() }, "field D: typed_test.Decodes decodes itself, so that its schema cannot be inferred; give it one with TypeSchema"},
		"option string": {func() {
			schemaOf[struct {
				N int `json:",string"`
			}]()
		}, `field N of struct { N int "json:\",string\"" } has the json option string, which is not supported`},
		"empty tag": {func() {
			schemaOf[struct {
				N int `jsonschema:""`
			}]()
		}, `has the jsonschema tag ""; it takes a description`},
		"foreign tag": {func() {
			schemaOf[struct {
				N int `jsonschema:"enum=1,enum=2"`
			}]()
		}, `has the jsonschema tag "enum=1,enum=2"; it takes a description`},
		"names twice": {func() {
			schemaOf[struct {
				Twin
				Other
			}]()
		}, "has two fields of the name T"},
		"hidden pointer":  {func() { schemaOf[struct{ *hidden }]() }, "embeds *typed_test.hidden, into which encoding/json does not decode; export its type"},
		"strict any":      {func() { schemaOf[struct{ L []any }](strict) }, "cannot express struct { L []interface {} }: L: any value is allowed"},
		"strict map":      {func() { schemaOf[struct{ M *map[string]int }](strict) }, "cannot express struct { M *map[string]int }: M: an object with keys of any name is allowed"},
		"strict map root": {func() { schemaOf[map[string]int](strict) }, "cannot express map[string]int: an object with keys of any name is allowed"},
		"strict custom open": {func() { schemaOf[struct{ U Unit }](strict, typed.TypeSchema[Unit](raw(`{"type":"array"}`))) },
			"U: an array of anything is allowed"},
		"strict custom optional": {func() {
			schemaOf[struct{ U Unit }](strict, typed.TypeSchema[Unit](raw(`{"anyOf":[{"type":"object","properties":{"a":{"type":"null"}},"additionalProperties":false}]}`)))
		}, "U: a is not required"},
		"strict custom definition": {func() {
			schemaOf[struct{ U Unit }](strict, typed.TypeSchema[Unit](raw(`{"type":"string","$defs":{"d":{"type":"object"}}}`)))
		}, "U: d: an object with keys of any name is allowed"},
		"strict custom keyword": {func() {
			schemaOf[struct{ U Unit }](strict, typed.TypeSchema[Unit](raw(`{"type":"string","not":{"const":""}}`)))
		},
			"U: the keyword not is not in it"},
		"custom reference": {func() { schemaOf[struct{ U Unit }](typed.TypeSchema[Unit](raw(`{"$ref":"#/$defs/unit"}`))) }, "is of no use"},
		"custom no JSON":   {func() { schemaOf[struct{ U Unit }](typed.TypeSchema[Unit](raw(`{"type"`))) }, "TypeSchema[typed_test.Unit]: this is no JSON Schema: unexpected end of JSON input"},
		"custom null":      {func() { schemaOf[struct{ U Unit }](typed.TypeSchema[Unit](raw(`null`))) }, "TypeSchema[typed_test.Unit]: null is no JSON Schema"},
		"custom pointer":   {func() { schemaOf[struct{ U Unit }](typed.TypeSchema[*Unit](raw(`{}`))) }, "TypeSchema[*typed_test.Unit]: give the schema of typed_test.Unit"},
		"custom root":      {func() { schemaOf[Unit](unitSchema) }, "typed_test.Unit is no JSON object; take a struct"},
		"nil option":       {func() { schemaOf[struct{}](strict, nil) }, "option 1 is nil"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := panicOf(t, test.format)
			assert.Contains(t, got, `typed: ResponseFormat("format"): `)
			assert.Contains(t, got, test.want)
		})
	}
}
