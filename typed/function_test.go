package typed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/typed"
)

type Trip struct {
	City  string         `json:"city"`
	Days  int            `json:"days,omitempty"`
	Seats uint8          `json:"seats,omitempty"`
	Stops []Stop         `json:"stops,omitempty"`
	Unit  Unit           `json:"unit,omitempty"`
	Start time.Time      `json:"start,omitzero"`
	Notes map[string]int `json:"notes,omitempty"`
	Any   any            `json:"any,omitempty"`
}

type Stop struct {
	City string   `json:"city"`
	Long *float64 `json:"long"`
}

// A Stay can be strict.
type Stay struct {
	City   string `json:"city"`
	Nights int8   `json:"nights,omitempty"`
}

// echo is a function that returns how its arguments were decoded, as Go prints them.
func echo[In any](opts ...typed.Option) *typed.Function {
	return typed.NewFunction("echo", "", func(_ context.Context, in In) (string, error) {
		encoded, err := json.Marshal(in)
		return string(encoded), err
	}, opts...)
}

func TestArguments(t *testing.T) {
	t.Parallel()
	trip := echo[Trip](unitSchema)
	tests := []struct {
		name      string
		function  *typed.Function
		arguments string
		want      string
	}{
		{"all", trip, `{"city":"Oslo","days":3,"stops":[{"city":"<b>","long":1.5},{"city":"c","long":null}],"unit":"c","notes":{"a":1}}`,
			`{"city":"Oslo","days":3,"stops":[{"city":"\u003cb\u003e","long":1.5},{"city":"c","long":null}],"unit":"c","notes":{"a":1}}`},
		{"optional left out", trip, ` {"city":""} `, `{"city":""}`},
		{"optional null", trip, `{"city":"Oslo","days":null,"stops":null,"unit":null,"start":null,"notes":null}`, `{"city":"Oslo"}`},
		{"nothing", echo[struct{}](), "", `{}`},
		{"nothing but space", echo[struct{}](), " \n", `{}`},
		{"nothing, all optional", echo[struct {
			A int `json:"a,omitempty"`
		}](), "", `{}`},
		{"whole numbers", trip, `{"city":"Oslo","days":1.0,"seats":2e1,"any":[1.0,1.5,-3e2]}`, `{"city":"Oslo","days":1,"seats":20,"any":[1,1.5,-300]}`},
		{"big numbers", echo[struct {
			I int64
			U uint64
			N json.Number
			R json.RawMessage
		}](), `{"I":-9223372036854775807,"U":18446744073709551615,"N":123456789012345678901234567890,"R":[9007199254740993]}`,
			`{"I":-9223372036854775807,"U":18446744073709551615,"N":123456789012345678901234567890,"R":[9007199254740993]}`},
		{"keys twice", trip, `{"city":"Oslo","notes":{"a":1},"notes":{"b":2},"city":"Rome"}`, `{"city":"Rome","notes":{"b":2}}`},
		{"map", echo[map[string]int](), `{"a":1,"A":2}`, `{"A":2,"a":1}`},
		{"moment", trip, `{"city":"","start":"2026-01-02T03:04:05Z"}`, `{"city":"","start":"2026-01-02T03:04:05Z"}`},
		{"raw", echo[struct{ R *json.RawMessage }](), `{"R":{"b":"<","a":1}}`, `{"R":{"a":1,"b":"\u003c"}}`},
		{"strict left out", echo[Stay](typed.Strict()), `{"city":"Oslo"}`, `{"city":"Oslo"}`},
		{"strict null", echo[Stay](typed.Strict()), `{"city":"Oslo","nights":null}`, `{"city":"Oslo"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.function.Call(t.Context(), test.arguments)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestArgumentsRefused(t *testing.T) {
	t.Parallel()
	trip := echo[Trip](unitSchema)
	tests := []struct {
		name      string
		function  *typed.Function
		arguments string
		want      string
	}{
		{"no JSON", trip, `city: Oslo`, "…not JSON: invalid character 'c' looking for beginning of value, near byte "},
		{"cut", trip, `{"city":"Os`, "not JSON: unexpected end of JSON input, near byte 11"},
		{"trailing", trip, `{"city":"Oslo"} {}`, "…not JSON: invalid character '{' after top-level value, near byte 1"},
		{"null", trip, `null`, "the whole must be of type object, and is of type null"},
		{"array", trip, `[{}]`, "the whole must be of type object, and is of type array"},
		{"missing", trip, ``, "city is missing"},
		{"missing inside", trip, `{"city":"","stops":[{"city":"a","long":1},{"long":2}]}`, "stops[1].city is missing"},
		{"unknown", trip, `{"city":"","planet":"Mars"}`, `planet is unknown; known are ["city","days","seats","stops","unit","start","notes","any"]`},
		{"many in a list", trip, `{"city":"","stops":[1,1,1,1,1,1,1,1]}`, "…stops[4] must be of type object, and is of type integer; and more"},
		{"case", echo[Stay](), `{"CITY":""}`, `city is missing; CITY is unknown; known are ["city","nights"]`},
		{"case beside", echo[Stay](), `{"city":"Oslo","City":"Rome"}`, `City is unknown; known are ["city","nights"]`},
		{"none known", echo[struct{}](), `{"x":1}`, "x is unknown; known are []"},
		{"custom object", echo[struct{ S Shape }](typed.TypeSchema[Shape](raw(aSchema))), `{"S":{"b":1}}`,
			`S.a is missing; S.b is unknown; known are ["a"]`},
		{"type", trip, `{"city":5}`, "city must be of type string, and is of type integer"},
		{"type with fraction", trip, `{"city":"","days":1.5}`, "days must be of type integer or null, and is of type number"},
		{"type in a map", trip, `{"city":"","notes":{"a":true}}`, "notes.a must be of type integer, and is of type boolean"},
		{"null where not allowed", trip, `{"city":null,"stops":[null]}`,
			"city must be of type string, and is of type null; stops[0] must be of type object, and is of type null"},
		{"enum", trip, `{"city":"","unit":"k"}`, `unit must be one of ["c","f",null]`},
		{"bounds", trip, `{"city":"","seats":256}`, "seats must be at most 255"},
		{"bounds", trip, `{"city":"","seats":-1}`, "seats must be at least 0"},
		{"bounds strict", echo[Stay](typed.Strict()), `{"city":"","nights":-129}`, "nights must be at least -128"},
		{"too large", trip, `{"city":"","days":9223372036854775808}`, "number 9223372036854775808 does not fit into days"},
		{"digits that would be lost", trip, `{"city":"","days":9007199254740993.0}`, "number 9007199254740993.0 does not fit into days"},
		{"far too large", trip, `{"city":"","days":1e999}`, "…number 1e999 does not fit into "},
		{"moment", trip, `{"city":"","start":"soon"}`, `…parsing time "soon" as`},
		{"array length", echo[struct{ P [2]int }](), `{"P":[1]}`, "…validating /properties/P: minItems: array length 1 is less than 2"},
		{"custom", echo[struct{ U Unit }](typed.TypeSchema[Unit](raw(`{"type":"string","pattern":"^[a-z]$"}`))), `{"U":"xy"}`,
			`…pattern: "xy" does not match regular expression "^[a-z]$"`},
		{"many", trip, `{"a":1,"b":1,"c":1,"d":1,"e":1}`, "…; and more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.function.Call(t.Context(), test.arguments)
			require.Error(t, err)
			assert.Empty(t, got)
			problem, found := strings.CutPrefix(err.Error(), "echo: invalid arguments: ")
			assert.True(t, found, err)
			if part, found := strings.CutPrefix(test.want, "…"); found {
				assert.Contains(t, problem, part)
			} else {
				assert.Equal(t, test.want, problem)
			}
		})
	}
}

// However large the arguments, the model is not told more than it needs.
func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	long := "x" + strings.Repeat("ü", 1000)
	for _, arguments := range []string{
		`{"` + long + `":1}`,
		`{"city":"","days":` + strings.Repeat("9", 1000) + `}`,
		`{"city":"","start":"` + long + `"}`,
		`{"city":"","stops":[` + strings.TrimSuffix(strings.Repeat(`{"`+long+`":1},`, 1000), ",") + `]}`,
	} {
		_, err := echo[Trip]().Call(t.Context(), arguments)
		require.Error(t, err)
		assert.Less(t, len(err.Error()), 1300)
		assert.True(t, utf8.ValidString(err.Error()), err)
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	failed := errors.New("no such city")
	call := func(f *typed.Function) (string, error) { return f.Call(t.Context(), "") }
	tests := []struct {
		name string
		call func() (string, error)
		want string
	}{
		{"string", func() (string, error) { return call(returns("<plain> text")) }, "<plain> text"},
		{"empty string", func() (string, error) { return call(returns("")) }, ""},
		{"bytes", func() (string, error) { return call(returns([]byte("bytes"))) }, "bytes"},
		{"raw", func() (string, error) { return call(returns(raw(`{ "a": 1 }`))) }, `{ "a": 1 }`},
		{"any string", func() (string, error) { return call(returns(any("text"))) }, "text"},
		{"named string", func() (string, error) { return call(returns(Unit("c"))) }, `"c"`},
		{"struct", func() (string, error) { return call(returns(Stay{City: "<&>"})) }, `{"city":"<&>"}`},
		{"nothing", func() (string, error) { return call(returns(struct{}{})) }, `{}`},
		{"nil", func() (string, error) { return call(returns[*Stay](nil)) }, `null`},
	}
	for _, test := range tests {
		got, err := test.call()
		require.NoError(t, err, test.name)
		assert.Equal(t, test.want, got, test.name)
	}

	_, err := call(returns(math.NaN()))
	assert.EqualError(t, err, "returns: the result cannot be encoded: json: unsupported value: NaN")

	_, err = call(typed.NewFunction("fail", "", func(context.Context, struct{}) (string, error) { return "ignored", failed }))
	assert.Same(t, failed, err) // as it is
}

// returns is a function that returns out.
func returns[Out any](out Out) *typed.Function {
	return typed.NewFunction("returns", "", func(context.Context, struct{}) (Out, error) { return out, nil })
}

func TestCallPassesContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	f := typed.NewFunction("f", "", func(ctx context.Context, _ struct{}) (string, error) { return ctx.Value(key{}).(string), nil })
	got, err := f.Call(context.WithValue(t.Context(), key{}, "here"), "")
	require.NoError(t, err)
	assert.Equal(t, "here", got)
}

func TestCallDoesNotRecover(t *testing.T) {
	t.Parallel()
	f := typed.NewFunction("f", "", func(context.Context, struct{}) (string, error) { panic("mine") })
	assert.PanicsWithValue(t, "mine", func() { f.Call(t.Context(), "") })
}

func TestTool(t *testing.T) {
	t.Parallel()
	f := typed.NewFunction("stay-1_A", "Books.", func(context.Context, Stay) (string, error) { return "", nil })
	const want = `{"type":"function","function":{"name":"stay-1_A","description":"Books.","parameters":{"type":"object",` +
		`"properties":{"city":{"type":"string"},"nights":{"type":"integer","minimum":-128,"maximum":127}},"required":["city"],"additionalProperties":false}}}`
	for range 2 { // the second as the first, whatever happens to that
		tool := f.Tool()
		got, err := json.Marshal(tool)
		require.NoError(t, err)
		assert.Equal(t, want, string(got))
		tool.Function.Name = "other"
		tool.Function.Parameters[0] = '!'
	}
	assert.Equal(t, "stay-1_A", f.Name())

	tool := echo[Stay](typed.Strict()).Tool()
	assert.True(t, tool.Function.Strict)
	assert.Equal(t, schemaOf[Stay](typed.Strict()), string(tool.Function.Parameters))
}

func TestFunctionsRefused(t *testing.T) {
	t.Parallel()
	fn := func(context.Context, struct{}) (string, error) { return "", nil }
	const names = ": a name has 1 to 64 letters, digits, underscores and dashes"
	for _, name := range []string{"", "two words", "dot.ted", "größe", strings.Repeat("x", 65)} {
		got := panicOf(t, func() { typed.NewFunction(name, "", fn) })
		assert.Equal(t, fmt.Sprintf("typed: NewFunction(%q)", name)+names, got)
		got = panicOf(t, func() { typed.ResponseFormat[struct{}](name) })
		assert.Equal(t, fmt.Sprintf("typed: ResponseFormat(%q)", name)+names, got)
	}
	assert.Equal(t, `typed: NewFunction("f"): the func is nil`,
		panicOf(t, func() { typed.NewFunction[struct{}, string]("f", "", nil) }))
	assert.Equal(t, `typed: NewFunction("f"): string is no JSON object; take a struct`,
		panicOf(t, func() {
			typed.NewFunction("f", "", func(context.Context, string) (string, error) { return "", nil })
		}))
	assert.Equal(t, `typed: NewFunction("f"): the option Description belongs to response formats; functions have an argument for it`,
		panicOf(t, func() { typed.NewFunction("f", "", fn, typed.Description("what")) }))
	assert.Contains(t, panicOf(t, func() { typed.NewFunction("f", "", fn, nil) }), "option 0 is nil")
	assert.NotNil(t, typed.NewFunction(strings.Repeat("x", 64), "", fn))
}

func TestHandleCallsRefused(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "typed: HandleCalls: no functions", panicOf(t, func() { typed.HandleCalls() }))
	assert.Equal(t, "typed: HandleCalls: function 1 was not made by NewFunction", panicOf(t, func() { typed.HandleCalls(returns(""), nil) }))
	assert.Equal(t, "typed: HandleCalls: function 0 was not made by NewFunction", panicOf(t, func() { typed.HandleCalls(new(typed.Function)) }))
	assert.Equal(t, `typed: HandleCalls: two functions of the name "returns"`, panicOf(t, func() { typed.HandleCalls(returns(""), returns(1)) }))
}

// A run asks for calls of each kind at once and is told of each what became of it.
func TestHandleCalls(t *testing.T) {
	t.Parallel()
	run := &scriptedRun{calls: []string{
		`{"id":"call_1","type":"function","function":{"name":"echo","arguments":"{\"city\":\"Oslo\"}"}}`,
		`{"id":"call_2","type":"function","function":{"name":"echo","arguments":"{}"}}`,
		`{"id":"call_3","type":"function","function":{"name":"returns","arguments":""}}`,
		`{"id":"call_4","type":"function","function":{"name":"forecast","arguments":""}}`,
		`{"id":"call_5","type":"function","function":{"name":"panics","arguments":""}}`,
		`{"id":"call_6","type":"browser"}`,
	}}
	panics := typed.NewFunction("panics", "", func(context.Context, struct{}) (string, error) { panic("secret") })
	got := run.poll(t, typed.HandleCalls(echo[Stay](), returns("fine"), panics))
	assert.Equal(t, []assistants.ToolOutput{
		{ToolCallID: "call_1", Output: `{"city":"Oslo"}`},
		{ToolCallID: "call_2", Output: `{"error":"echo: invalid arguments: city is missing"}`},
		{ToolCallID: "call_3", Output: `fine`},
		{ToolCallID: "call_4", Output: `{"error":"there is no function \"forecast\"; the functions are echo, returns, panics"}`},
		{ToolCallID: "call_5", Output: `{"error":"the function panicked"}`},
		{ToolCallID: "call_6", Output: `{"error":"a call of type \"browser\" is not a call of a function; the functions are echo, returns, panics"}`},
	}, got)
}

func TestFunctionsAreConcurrent(t *testing.T) {
	t.Parallel()
	f := echo[Trip](unitSchema)
	want := string(f.Tool().Function.Parameters)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			got, err := f.Call(t.Context(), fmt.Sprintf(`{"city":"%d","unit":"c"}`, i))
			assert.NoError(t, err)
			assert.Equal(t, fmt.Sprintf(`{"city":"%d","unit":"c"}`, i), got)
			_, err = f.Call(t.Context(), `{"unit":"k"}`)
			assert.ErrorContains(t, err, "city is missing")
			assert.Equal(t, want, string(f.Tool().Function.Parameters))
		})
	}
	group.Wait()
}

// A scriptedRun is a server with one run, which asks for calls and is then completed.
type scriptedRun struct {
	calls   []string
	outputs struct {
		ToolOutputs []assistants.ToolOutput `json:"tool_outputs"`
	}
}

func (s *scriptedRun) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/submit_tool_outputs") {
		if err := json.NewDecoder(r.Body).Decode(&s.outputs); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
		fmt.Fprint(w, `{"id":"run_1","object":"thread.run","thread_id":"thread_1","status":"completed"}`)
		return
	}
	fmt.Fprintf(w, `{"id":"run_1","object":"thread.run","thread_id":"thread_1","status":"requires_action","required_action":`+
		`{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[%s]}}}`, strings.Join(s.calls, ","))
}

// poll runs to the end, and returns what was submitted.
func (s *scriptedRun) poll(t *testing.T, opts ...assistants.RequestOption) []assistants.ToolOutput {
	t.Helper()
	client, err := assistants.NewClient(assistants.WithHandler(s))
	require.NoError(t, err)
	run, err := client.Runs.CreateAndPoll(t.Context(), "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"}, opts...)
	require.NoError(t, err)
	require.Equal(t, assistants.RunCompleted, run.Status)
	return s.outputs.ToolOutputs
}

// Call never panics of itself, and what it accepts follows the schema.
func FuzzCall(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `{"city":"Oslo","days":1.0}`, `{"city":"a","city":"b"}`, `{"CITY":"a"}`, `{"city":"","any":[1e5,{"a":null}]}`,
		`{"city":"","stops":[{"city":"","long":-0.0}]}`, `{"city":"","start":"2026-01-02T03:04:05Z"}`, `{"city":"\ud800"}`, `{"days":1e999}`,
	} {
		f.Add(seed)
	}
	var called Trip
	function := typed.NewFunction("f", "", func(_ context.Context, in Trip) (Trip, error) { called = in; return in, nil }, unitSchema)
	f.Fuzz(func(t *testing.T, arguments string) {
		result, err := function.Call(t.Context(), arguments)
		if err != nil {
			assert.Less(t, len(err.Error()), 1300)
			return
		}
		assert.Contains(t, []Unit{"", "c", "f"}, called.Unit)
		again, err := function.Call(t.Context(), result)
		require.NoError(t, err, "what was decoded is not what the schema allows: %s", result)
		assert.Equal(t, result, again)
	})
}
