package conformance

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/conformance/internal/given"

	"github.com/assistants-go/assistants/conformance/internal/replay"
)

// An inventory lists what the descriptions have, flat.
type inventory struct {
	V2 version `json:"v2"`
	V1 version `json:"v1"`
}

type version struct {
	Operations []struct {
		ID       string     `json:"id"`
		Method   string     `json:"method"`
		Path     string     `json:"path"`
		Query    []property `json:"query"`
		Request  string     `json:"request"`
		Response string     `json:"response"`
	} `json:"operations"`
	Schemas map[string]struct {
		Type       string     `json:"type"`
		Properties []property `json:"properties"`
	} `json:"schemas"`
	StreamEvents []struct {
		Event string `json:"event"`
		Data  string `json:"data"`
	} `json:"stream_events"`
}

type property struct {
	Name     string `json:"name"` // with the way to it: tool_resources.file_search
	Type     string `json:"type"` // of schemas and basic types: array<AssistantToolsCode|string>
	Nullable bool   `json:"nullable"`
}

func loadInventory(t *testing.T) inventory {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(given.Folder(t, given.Description), "inventory.json"))
	require.NoError(t, err)
	var all inventory
	require.NoError(t, json.Unmarshal(data, &all))
	require.NotEmpty(t, all.V2.Operations)
	require.NotEmpty(t, all.V1.Operations)
	return all
}

var schemaName = regexp.MustCompile(`[A-Z]\w+`)

// properties are those of a schema and of all schemas inside it.
func (v version) properties(schema string) []property {
	return v.expand(v.Schemas[schema].Properties, "", nil)
}

// expand returns properties with what is inside them. within are the schemas on the way, which may contain
// themselves.
func (v version) expand(properties []property, path string, within []string) []property {
	var out []property
	for _, p := range properties {
		p.Name = path + p.Name
		out = append(out, p)
		inside := p.Name + "."
		if strings.Contains(p.Type, "array<") { // also where a word will do
			inside = p.Name + "[]."
		}
		out = append(out, v.inside(p.Type, inside, within)...)
	}
	return out
}

// inside returns the properties of the schemas that a type is made of.
func (v version) inside(typ, path string, within []string) []property {
	var out []property
	for _, name := range schemaName.FindAllString(typ, -1) {
		schema := v.Schemas[name]
		if slices.Contains(within, name) {
			continue
		}
		deeper := append(slices.Clip(within), name)
		out = append(out, v.expand(schema.Properties, path, deeper)...)
		if len(schema.Properties) == 0 {
			out = append(out, v.inside(schema.Type, path, deeper)...)
		}
	}
	return out
}

// TestEveryOperationIsThere wants a row in the table of operations for every operation, in both descriptions.
func TestEveryOperationIsThere(t *testing.T) {
	t.Parallel()
	all := loadInventory(t)
	for name, v := range map[string]version{"v1": all.V1, "v2": all.V2} {
		for _, op := range v.Operations {
			if notOurs[op.ID] {
				continue
			}
			found, _ := replay.Find(op.Method, "/v1"+op.Path)
			if assert.NotNil(t, found, "no operation for %s %s %s %s", name, op.ID, op.Method, op.Path) {
				assert.Equal(t, op.ID, found.ID)
			}
		}
	}
}

// TestEveryPropertyHasAField wants a field for every property of requests and answers, down to the innermost.
func TestEveryPropertyHasAField(t *testing.T) {
	t.Parallel()
	all := loadInventory(t)
	for name, v := range map[string]version{"v1": all.V1, "v2": all.V2} {
		for _, op := range v.Operations {
			for _, schema := range []string{op.Request, op.Response} {
				if notOurs[op.ID] || schema == "" || schema == contentType {
					continue
				}
				if form := formTypes[schema]; form != nil {
					v.checkFields(t, name, schema, form)
					continue
				}
				require.Contains(t, goTypes, schema, "%s %s: name its type in goTypes", name, op.ID)
				v.checkFields(t, name, schema, goTypes[schema])
			}
		}
	}
}

// TestEveryParameterHasAField wants a field for every parameter of a list.
func TestEveryParameterHasAField(t *testing.T) {
	t.Parallel()
	all := loadInventory(t)
	for name, v := range map[string]version{"v1": all.V1, "v2": all.V2} {
		for _, op := range v.Operations {
			for _, p := range op.Query {
				if p.Name == "include[]" { // which is an option of the call
					continue
				}
				if typ := queryTypes[op.ID]; assert.NotNil(t, typ, "%s %s: name its type in queryTypes", name, op.ID) {
					is := func(f reflect.StructField) bool { return strings.Split(f.Tag.Get("url"), ",")[0] == p.Name }
					assert.True(t, slices.ContainsFunc(reflect.VisibleFields(typ), is), "%s %s: %v has no field for %s", name, op.ID, typ, p.Name)
				}
			}
		}
	}
}

// checkFields wants a field of a type for every property of a schema.
func (v version) checkFields(t *testing.T, name, schema string, typ reflect.Type) {
	t.Helper()
	properties := v.properties(schema)
	require.NotEmpty(t, properties, "%s %s", name, schema)
	for _, p := range properties {
		if _, excepted := notFields[name+" "+schema+" "+p.Name]; !excepted {
			assert.True(t, hasField(typ, p.Name), "%s: %v has no field for %s", name, typ, p.Name)
		}
	}
}

// TestEveryEventIsThere wants a type of event for every event that the descriptions have, with a field for everything
// that its data has, and no other types.
func TestEveryEventIsThere(t *testing.T) {
	t.Parallel()
	all := loadInventory(t)
	described := make(map[assistants.EventType]bool)
	for name, v := range map[string]version{"v1": all.V1, "v2": all.V2} {
		require.NotEmpty(t, v.StreamEvents, name)
		for _, e := range v.StreamEvents {
			if _, excepted := notEvents[e.Event]; excepted {
				continue
			}
			described[assistants.EventType(e.Event)] = true
			typ := eventTypes[assistants.EventType(e.Event)]
			if assert.NotNil(t, typ, "%s: no type for the event %s", name, e.Event) {
				v.checkFields(t, name, e.Data, typ)
			}
		}
	}
	for event := range eventTypes {
		assert.True(t, described[event], "no description has the event %s", event)
	}
}

// TestEveryFieldExceptionIsNeeded wants every exception of a field to stand for a property that has none.
func TestEveryFieldExceptionIsNeeded(t *testing.T) {
	t.Parallel()
	all := loadInventory(t)
	types := maps.Clone(goTypes)
	for _, typ := range eventTypes {
		types[typ.Name()+"Object"] = typ
	}
	for key := range notFields {
		words := strings.Fields(key)
		v := map[string]version{"v1": all.V1, "v2": all.V2}[words[0]]
		is := func(p property) bool { return p.Name == words[2] }
		assert.True(t, slices.ContainsFunc(v.properties(words[1]), is), "%s: there is no such property", key)
		assert.False(t, hasField(types[words[1]], words[2]), "%s: there is a field", key)
	}
}

// hasField reports whether a path of JSON names leads through a type.
func hasField(t reflect.Type, path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		name, isArray := strings.CutSuffix(name, "[]")
		t = plain(t)
		if t.Kind() == reflect.Map || t == reflect.TypeFor[json.RawMessage]() {
			return true // any name
		}
		if t.Kind() != reflect.Struct {
			return false
		}
		if list, ok := listFields[t][name]; ok && isArray {
			name = list
		}
		field, ok := fieldNamed(t, name)
		if !ok {
			return false
		}
		t = plain(field.Type)
		if isArray {
			if t.Kind() != reflect.Slice {
				return false
			}
			t = t.Elem()
		}
	}
	return true
}

// fieldNamed is the field that a key goes to. Those of an embedded struct are its own.
func fieldNamed(t reflect.Type, name string) (reflect.StructField, bool) {
	for _, field := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch tag {
		case "-":
			tag = field.Name
		case "": // of a form
			tag = keyOf(field.Name)
		}
		if field.IsExported() && tag == name {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// plain is what a pointer or an Optional is about.
func plain(t reflect.Type) reflect.Type {
	for {
		get, isOptional := t.MethodByName("Get")
		switch {
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		case isOptional && strings.HasPrefix(t.Name(), "Optional["):
			t = get.Type.Out(0)
		default:
			return t
		}
	}
}

func TestHasField(t *testing.T) {
	t.Parallel()
	modify := reflect.TypeFor[assistants.AssistantModifyParams]()
	for path, want := range map[string]bool{
		"name":                            true,
		"metadata.anything":               true,
		"tools[].function.name":           true,
		"tools[].function.parameters.any": true,
		"tools.function":                  false,
		"name[]":                          false,
		"name.first":                      false,
		"tool_resources.file_search.vector_stores[].metadata": true,
		"tool_resources.file_search.nothing":                  false,
		"response_format.json_schema.strict":                  true,
		"nothing":                                             false,
	} {
		assert.Equal(t, want, hasField(modify, path), path)
	}
}
