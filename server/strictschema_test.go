package server_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/server"
)

const schemaTooLarge = "The schema is nested deeper than 64 levels, larger than 131072 bytes, or larger than 1048576 bytes " +
	"together with the schemas before it."

// strictFunctions is a body with a strict function for each schema.
func strictFunctions(schemas ...string) string {
	tools := make([]string, len(schemas))
	for i, schema := range schemas {
		tools[i] = `{"type":"function","function":{"name":"f","strict":true,"parameters":` + schema + `}}`
	}
	return `{"model":"m","tools":[` + strings.Join(tools, ",") + `]}`
}

func strictFormat(schema string) string {
	return `{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":` + schema + `}}}`
}

// nested is a schema with itself inside, so many levels in all.
func nested(levels int) string {
	return strings.Repeat(`{"items":`, levels-1) + `{}` + strings.Repeat(`}`, levels-1)
}

// sized is a schema of so many bytes.
func sized(bytes int) string {
	return `{"description":"` + strings.Repeat("x", bytes-len(`{"description":""}`)) + `"}`
}

func TestStrictSchemas(t *testing.T) {
	t.Parallel()
	const closed = "'additionalProperties' is required to be supplied and to be false."
	const required = "'required' is required to be supplied and to be an array including every key in properties. "
	a := newAPI(t)
	var refusals []invalidBody
	for schema, reason := range map[string]string{
		`{"type":"object"}`:                                                                 "In context=(), " + closed,
		`{"type":"ob\u006aect"}`:                                                            "In context=(), " + closed,
		`{"type":"object","additionalProperties":true}`:                                     "In context=(), " + closed,
		`{"type":"object","additionalProperties":{}}`:                                       "In context=(), " + closed,
		`{"type":"object","properties":{}}`:                                                 "In context=(), " + closed,
		`{"type":["object","null"]}`:                                                        "In context=(), " + closed,
		`{"properties":{}}`:                                                                 "In context=(), " + closed,
		`{"items":{"type":"object"}}`:                                                       "In context=('items',), " + closed,
		`{"anyOf":[{"type":"null"},{"type":"object"}]}`:                                     "In context=('anyOf', '1'), " + closed,
		`{"definitions":{"a":{"items":{"type":"object"}},"b":{"type":"object"}}}`:           "In context=('definitions', 'a', 'items'), " + closed,
		`{"$defs":{"x":{"items":{}},"it's":{"type":"object"}}}`:                             `In context=('$defs', "it's"), ` + closed,
		`{"properties":{"b":{},"a":{}},"additionalProperties":false}`:                       "In context=(), " + required + "Missing 'b'.",
		`{"properties":{"b":{},"a":{}},"required":["b"],"additionalProperties":false}`:      "In context=(), " + required + "Missing 'a'.",
		`{"properties":{"b":1,"a":1,"b":{}},"required":["a"],"additionalProperties":false}`: "In context=(), " + required + "Missing 'b'.",
		`{"properties":{"a":{}},"required":["a","c"],"additionalProperties":false}`:         "In context=(), " + required + "Extra required key 'c' supplied.",
		`{"properties":{"a":{"type":"object","properties":{"b":{}},"additionalProperties":false}},"required":["a"],"additionalProperties":false}`: "In context=('properties', 'a'), " +
			required + "Missing 'b'.",
		nested(65):         schemaTooLarge,
		sized(128<<10 + 1): schemaTooLarge,
	} {
		function, format := strictFunctions(schema), strictFormat(schema)
		refusals = append(refusals,
			invalidBody{function, "Invalid schema for function 'f': " + reason, "tools[0].function.parameters", "invalid_function_parameters"},
			invalidBody{format, "Invalid schema for response_format 's': " + reason, "response_format", ""})
		a.create(strings.ReplaceAll(function, `"strict":true`, `"strict":false`))
		a.create(strings.ReplaceAll(format, `"strict":true`, `"strict":null`))
	}
	checkBoth(t, a, refusals)
}

func TestGoodStrictSchemas(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, schema := range []string{
		`{}`,
		`{"type":"string"}`,
		`{"type":"object","properties":{},"additionalProperties":false}`,
		`{"type":"object","additionalProperties":true,"additionalProperties":false}`, // the last one counts
		`{"properties":{"a":true,"b":{"enum":[1,-2.5,null,{"type":"object"}]}},"required":["b","a"],"additionalProperties":false}`,
		`{"properties":{"a":{"type":"object"},"b":{},"a":{}},"required":["a","b"],"additionalProperties":false}`,
		`{"properties":1,"required":2,"items":3,"anyOf":{"x":4},"$defs":[5],"additionalProperties":false}`,
		`{"oneOf":[{"type":"object"}],"allOf":[{"type":"object"}],"not":{"type":"object"}}`, // not looked at
		`{"default":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
		nested(64),
		sized(128 << 10),
	} {
		a.create(strictFunctions(schema))
		a.create(strictFormat(schema))
	}
	a.create(`{"model":"m","tools":[{"type":"function","function":{"name":"f","strict":true}}]}`)
	a.create(`{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true}}}`)
}

// All schemas of a body have a limit together, because each costs time to judge.
func TestStrictSchemasTogether(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	eight := make([]string, 8, 9)
	for i := range eight {
		eight[i] = sized(128 << 10)
	}
	a.create(strictFunctions(eight...))
	const tooLarge = "Invalid schema for function 'f': " + schemaTooLarge
	format := strings.TrimPrefix(strictFormat(`{}`), `{"model":"m"`)
	checkBoth(t, a, []invalidBody{
		{strictFunctions(append(eight, "{}")...), tooLarge, "tools[8].function.parameters", "invalid_function_parameters"},
		{strings.TrimSuffix(strictFunctions(eight...), "}") + format, "Invalid schema for response_format 's': " + schemaTooLarge, "response_format", ""},
	})
}

// An error shows the way to a schema, but no more than so much of it.
func TestLongWayToSchema(t *testing.T) {
	t.Parallel()
	step := strings.Repeat("x", 600)
	body := strictFunctions(strings.Repeat(`{"$defs":{"`+step+`":`, 50) + `{"type":"object"}` + strings.Repeat(`}}`, 50))
	got := newAPI(t).do("POST", "/v1/assistants", body)
	assert.Equal(t, 400, got.status)
	assert.Less(t, len(got.body), 1000)
}

// BenchmarkStrictSchemas judges as much as a body may have, nested as deeply as it
// may be and small at the innermost level.
func BenchmarkStrictSchemas(b *testing.B) {
	const around = `{"anyOf":[`
	schema := strings.Repeat(around, 62) + `{"anyOf":[` + strings.TrimSuffix(strings.Repeat(`{},`, 43_000), ",") + `]}` + strings.Repeat(`]}`, 62)
	eight := make([]string, 8)
	for i := range eight {
		eight[i] = schema
	}
	a := newAPI(b, server.WithMaxBodyBytes(64<<20))
	body := strictFunctions(eight...)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if got := a.do("POST", "/v1/assistants/asst_none", body); got.status != 404 {
			b.Fatal(got.status, got.body[:200])
		}
	}
}
