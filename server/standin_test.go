package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// spoken is what a model yields, put together.
type spoken struct {
	text, code, logs string
	calls            []string // name and arguments
	searches         int
	usage            server.Usage
	finish           server.Finish
}

// hear has a model answer a call, as an engine would.
func hear(t testing.TB, model server.Model, call *server.ModelCall) spoken {
	t.Helper()
	var s spoken
	for event, err := range model.Respond(context.Background(), call) {
		require.NoError(t, err)
		switch e := event.(type) {
		case server.Text:
			s.text += string(e)
		case server.FunctionCall:
			s.calls = append(s.calls, e.Name+" "+e.Arguments)
		case server.Arguments:
			s.calls[len(s.calls)-1] += string(e)
		case server.CodeInput:
			s.code += string(e)
		case server.CodeLogs:
			s.logs += string(e)
		case server.SearchCall:
			s.searches++
		case server.Usage:
			s.usage = e
		case server.Finish:
			s.finish = e
		}
	}
	return s
}

// asked is a turn in which the user says something.
func asked(text string) server.Turn {
	return server.Turn{Message: &assistants.Message{
		Role: assistants.RoleUser, CreatedAt: epoch,
		Content: []assistants.ContentPart{{Type: assistants.ContentText, Text: &assistants.Text{Value: text}}},
	}}
}

// answered is a turn in which functions were called and have answered: name, output, …
func answered(pairs ...string) server.Turn {
	var turn server.Turn
	for i := 0; i+1 < len(pairs); i += 2 {
		turn.ToolCalls = append(turn.ToolCalls, assistants.ToolCall{
			ID: fmt.Sprint("call_", i), Type: assistants.ToolFunction,
			Function: &assistants.FunctionCall{Name: pairs[i], Arguments: "{}", Output: pairs[i+1]},
		})
	}
	return turn
}

func functionTool(name, description, parameters string) assistants.Tool {
	f := &assistants.FunctionDefinition{Name: name, Description: description}
	if parameters != "" {
		f.Parameters = json.RawMessage(parameters)
	}
	return assistants.Tool{Type: assistants.ToolFunction, Function: f}
}

const weatherParameters = `{"type": "object", "required": ["city"], "properties": {
	"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}, "days": {"type": "integer"}}}`

// toolbox are tools to choose from.
var toolbox = []assistants.Tool{
	functionTool("get_weather", "The weather in a city.", weatherParameters),
	functionTool("bookFlight", "", `{"properties":{"from":{"type":"string"},"to":{"type":"string"},"class":{"enum":["first","second"]}},
		"required":["from","to","class"]}`),
	functionTool("ping", "", ""),
}

func TestStandInFunctions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		question string
		choice   assistants.ToolChoice
		single   bool
		want     []string
	}{
		"about the weather": {question: "What's the weather in Lisbon, Portugal?", want: []string{`get_weather {"city":"Lisbon, Portugal"}`}},
		"all that is said":  {question: "Is the weather of Oslo 30 Fahrenheit in 3 days?", want: []string{`get_weather {"city":"Oslo","unit":"fahrenheit","days":30}`}},
		"in quotation marks": {
			question: `Weather at "the north pole" please`, want: []string{`get_weather {"city":"the north pole"}`},
		},
		"no names":          {question: "how is the weather?", want: []string{`get_weather {"city":"how is the weather"}`}},
		"two names":         {question: "Book flights from Oslo to Rome, second class", want: []string{`bookFlight {"from":"Oslo","to":"Rome","class":"second"}`}},
		"no parameters":     {question: "Pings, please!", want: []string{"ping {}"}},
		"two functions":     {question: "Ping me about the weather in Rome", want: []string{`get_weather {"city":"Rome"}`, "ping {}"}},
		"one at a time":     {question: "Ping the city of Rome about weather", single: true, want: []string{`get_weather {"city":"Rome"}`}},
		"about none":        {question: "Who are you?"},
		"a value of a list": {question: "I want the first one", want: []string{`bookFlight {"from":"I want the first one","to":"I want the first one","class":"first"}`}},

		"forced":       {question: "Who are you?", choice: assistants.ToolChoice{Type: "function", Function: &assistants.FunctionChoice{Name: "ping"}}, want: []string{"ping {}"}},
		"forced, gone": {question: "Weather?", choice: assistants.ToolChoice{Type: "function", Function: &assistants.FunctionChoice{Name: "pong"}}},
		"required":     {question: "Who am I?", choice: assistants.ToolChoice{Type: "required"}, want: []string{`get_weather {"city":"Who am I"}`}},
		"none":         {question: "Weather in Rome?", choice: assistants.ToolChoice{Type: "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := hear(t, server.StandIn(), &server.ModelCall{
				History: []server.Turn{asked(test.question)}, Tools: toolbox, ToolChoice: test.choice, ParallelToolCalls: !test.single,
			})
			assert.Equal(t, test.want, got.calls)
			assert.Equal(t, len(test.want) == 0, got.text != "")
		})
	}
}

func TestStandInRepeatsOutputs(t *testing.T) {
	t.Parallel()
	got := hear(t, server.StandIn(), &server.ModelCall{
		Round: 1, Tools: toolbox, History: []server.Turn{asked("The weather in Rome?"), answered("get_weather", "21 °C", "ping", "pong")},
	})
	assert.Empty(t, got.calls)
	assert.Equal(t, "get_weather says: 21 °C\nping says: pong\nI am a stand-in, not a model; server.WithModel plugs in a real one.", got.text)
}

func TestStandInMaths(t *testing.T) {
	t.Parallel()
	for question, want := range map[string]string{
		"I need to solve the equation `3x + 11 = 14`. Can you help me?": "x = 1",
		"7 - 2y = y/2":                   "y = 14/5",
		"Solve 2(x - 3) = -(4 - x)!":     "x = 2",
		"And 0.5 x = 3?":                 "x = 6",
		"What is 17 to the power of 5?":  "1419857",
		"What is 2 + 2 =":                "4",
		"123456789 × 987654321":          "121932631112635269",
		"-2^2 + 2**3**2":                 "508",
		"10 divided by 4, please":        "5/2",
		"(1 + 2)(3 + 4) minus 1":         "20",
		"How much is 3 plus 4 times 5?":  "23",
		"0.1 + 0.2":                      "3/10",
		"2^4096":                         "",
		"9^9^9^9^9":                      "",
		"1 / 0":                          "",
		"1 / (x - x) = 2":                "",
		"x^2 = 4":                        "",
		"x + y = 4":                      "",
		"x = x":                          "",
		"On 2026-03-06, at 7":            "",
		"It is (((":                      "",
		"(1 + 2":                         "",
		"1.2.3 + 4":                      "",
		"What is a sum?":                 "",
		"":                               "",
		strings.Repeat("1+", 500) + "1":  "",
		strings.Repeat("(", 190) + "1+1": "",
	} {
		got := hear(t, server.StandIn(), &server.ModelCall{
			History: []server.Turn{asked(question)}, Tools: []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
		})
		assert.Equal(t, want, strings.TrimSpace(got.logs), question)
		assert.Equal(t, want != "", strings.Contains(got.code, "print("), question)
		assert.Contains(t, got.text, "server.WithModel", question)
		if want != "" {
			assert.Contains(t, got.text, " "+want, question)
		}
	}
	without := hear(t, server.StandIn(), &server.ModelCall{History: []server.Turn{asked("What is 2 + 2?")}})
	assert.Empty(t, without.code)
	assert.NotContains(t, without.text, "4")
}

// The code is code that prints what it is said to print.
func TestStandInCode(t *testing.T) {
	t.Parallel()
	for question, want := range map[string]string{
		"3x + 11 = 14":   "from fractions import Fraction\n\n# 3x + 11 = 14 is 3*x = 3\nx = Fraction(\"3\") / Fraction(\"3\")\nprint(\"x =\", x)\n",
		"2(3 + 4)^2 - 1": "print(2 * (3 + 4)**2 - 1)\n",
		"7 / 2 * -1.5":   "from fractions import Fraction\n\nprint(Fraction(\"7\") / Fraction(\"2\") * -Fraction(\"1.5\"))\n",
	} {
		got := hear(t, server.StandIn(), &server.ModelCall{
			History: []server.Turn{asked(question)}, Tools: []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
		})
		assert.Equal(t, want, got.code, question)
	}
}

func TestStandInHostedTools(t *testing.T) {
	t.Parallel()
	code, search := assistants.Tool{Type: assistants.ToolCodeInterpreter}, assistants.Tool{Type: assistants.ToolFileSearch}
	for name, test := range map[string]struct {
		tools    []assistants.Tool
		choice   assistants.ToolChoiceType
		code     string
		searches int
		text     string
	}{
		"code that is not needed": {tools: []assistants.Tool{code}, text: "Thank you for your message: “Hello?” Alas, I am a stand-in, not a model;"},
		"code that is forced":     {tools: []assistants.Tool{code}, choice: "code_interpreter", code: "print(\"Hello!\")", text: "Thank you"},
		"code, required":          {tools: []assistants.Tool{code}, choice: "required", code: "print(\"Hello!\")", text: "Thank you"},
		"search":                  {tools: []assistants.Tool{search}, text: "I have not searched any files."},
		"search, forced":          {tools: []assistants.Tool{code, search}, choice: "file_search", searches: 1, text: "I have found nothing"},
		"no search":               {tools: []assistants.Tool{search}, choice: "none", text: "Thank you"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := hear(t, server.StandIn(), &server.ModelCall{
				History: []server.Turn{asked("Hello?")}, Tools: test.tools, ToolChoice: assistants.ToolChoice{Type: test.choice},
			})
			assert.Equal(t, test.code, got.code)
			assert.Equal(t, test.searches, got.searches)
			assert.Contains(t, got.text, test.text)
		})
	}
}

// schemas, with what the stand-in writes to “Is it 30 °C, or warm?” after a function has said {"city":"Oslo","celsius":21.5}.
var standInSchemas = map[string]string{
	`{"type":"object","properties":{"city":{"type":"string"},"celsius":{"type":"number"}},"required":["city","celsius"]}`:      `{"city":"Oslo","celsius":21.5}`,
	`{"type":"object","properties":{"city":{"type":"integer"},"note":{"type":["string","null"]}},"required":["city"]}`:         `{"city":30,"note":null}`,
	`{"properties":{"feel":{"enum":["cold","warm"]},"day":{"type":"string","format":"date"}}}`:                                 `{"feel":"warm","day":"2023-11-14"}`,
	`{"properties":{"city":{"enum":["Rome","Oslo"],"type":"string"},"celsius":{"anyOf":[{"type":"null"},{"type":"number"}]}}}`: `{"city":"Oslo","celsius":21.5}`,
	`{"type":"array","items":{"type":"string","maxLength":4},"minItems":3}`:                                                    `["made","made","made"]`,
	`{"type":"array","items":{"$ref":"#/$defs/n"},"$defs":{"n":{"type":"integer","minimum":7,"multipleOf":5}}}`:                `[30]`,
	`{"type":"array","prefixItems":[{"const":"a"},{"type":"boolean"}],"minItems":2,"maxItems":2}`:                              `["a",false]`,
	`{"type":"integer","exclusiveMinimum":40,"maximum":41}`:                                                                    `41`,
	`{"type":"number","minimum":0.25,"exclusiveMaximum":0.5}`:                                                                  `0.25`,
	`{"type":"integer","minimum":100,"multipleOf":7}`:                                                                          `105`,
	`{"type":"integer","maximum":-5}`:  `-5`,
	`{"type":"string","minLength":40}`: `"made up by a stand-in for a model......."`,
	`{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["next"]}`: `{"next":null}`,
	`{"type":"object","properties":{"k":{"default":"v"}},"required":["k","l"]}`:                            `{"k":"v","l":"made up by a stand-in for a model"}`,
	`{"const":{"a":[1,null]}}`: `{"a":[1,null]}`,
	`{"type":"object","properties":{"u":{"type":"string","format":"ipv4"},"t":{"type":"string","format":"date-time"},
		"h":{"type":"string","format":"time"},"d":{"type":"string","description":"as YYYY-MM-DD"},"b":{"type":"boolean"},"n":{"type":"null"}}}`: `{"u":"192.0.2.1","t":"2023-11-14T22:13:20Z","h":"22:13:20Z","d":"2023-11-14","b":false,"n":null}`,
	`{"anyOf":[{"type":"object","properties":{"city":{"enum":[1,"Rome"]}},"required":["city"]},{"type":"null"}],"type":["object"]}`: `{"city":1}`,
	`{"type":["null","integer"],"minimum":31}`: `31`,
	`true`: `"made up by a stand-in for a model"`,
}

func TestStandInJSON(t *testing.T) {
	t.Parallel()
	call := func(format assistants.ResponseFormat) *server.ModelCall {
		return &server.ModelCall{ResponseFormat: format, Round: 1, History: []server.Turn{
			asked("Is it 30 °C, or warm?"), answered("get_weather", `{"city":"Oslo","celsius":21.5,"sky":null}`, "ping", "pong"),
		}}
	}
	for schema, want := range standInSchemas {
		got := hear(t, server.StandIn(), call(assistants.ResponseFormat{
			Type: assistants.ResponseFormatJSONSchema, JSONSchema: &assistants.JSONSchema{Name: "s", Schema: json.RawMessage(schema)},
		}))
		assert.Equal(t, want, got.text, schema)
		requireFits(t, schema, got.text)
	}
	got := hear(t, server.StandIn(), call(assistants.ResponseFormat{Type: assistants.ResponseFormatJSONSchema}))
	assert.True(t, json.Valid([]byte(got.text)), got.text)
	got = hear(t, server.StandIn(), call(assistants.ResponseFormat{Type: assistants.ResponseFormatJSONObject}))
	assert.Contains(t, field[string](t, got.text, "answer"), "get_weather says: ")
}

func requireFits(t *testing.T, schema, value string) {
	t.Helper()
	var s jsonschema.Schema
	require.NoError(t, json.Unmarshal([]byte(schema), &s), schema)
	resolved, err := s.Resolve(nil)
	require.NoError(t, err, schema)
	var v any
	require.NoError(t, json.Unmarshal([]byte(value), &v), value)
	require.NoError(t, resolved.Validate(v), "%s does not fit %s", value, schema)
}

// However large a thing a schema asks for, and however often it refers to itself, what is made is small.
func TestStandInIsBounded(t *testing.T) {
	t.Parallel()
	wide := `{"anyOf":[` + strings.Repeat(`{"type":"null"},`, 5000) + `{"type":"string"}]}`
	for name, schema := range map[string]string{
		"many items":       `{"type":"array","minItems":1000000000,"items":{"type":"array","minItems":1e9}}`,
		"long text":        `{"type":"string","minLength":1e300}`,
		"a tree":           `{"required":["l","r"],"properties":{"l":{"$ref":"#"},"r":{"$ref":"#"}}}`,
		"a ring":           `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}`,
		"nowhere":          `{"$ref":"#/$defs/nobody"}`,
		"elsewhere":        `{"$ref":"https://host.example/schema"}`,
		"wide":             `{"type":"array","minItems":1e9,"items":` + wide + `}`,
		"wide ring":        `{"type":"array","minItems":1e9,"items":{"anyOf":[{"$ref":"#/items"}` + strings.Repeat(`,{}`, 5000) + `]}}`,
		"long words":       `{"type":"array","minItems":1e9,"items":{"const":"` + strings.Repeat("x", 10000) + `"}}`,
		"many words":       `{"type":"array","minItems":1e9,"items":{"enum":[` + strings.Repeat(`"x",`, 20000) + `"it"]}}`,
		"an item at last":  `{"type":"array","items":{"enum":["warm"]}}`,
		"nothing":          `{"type":[],"enum":[],"anyOf":[],"properties":[],"required":{},"items":3,"minItems":"x"}`,
		"only null":        `{"type":["null"]}`,
		"unknown type":     `{"type":"tuple"}`,
		"no number":        `{"type":"number","minimum":5,"maximum":3,"multipleOf":0}`,
		"numbers too long": `{"type":"number","minimum":1e999,"maximum":-1e999}`,
		"negative size":    `{"type":"string","maxLength":-1,"minLength":-1}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkMade(t, schema, "Is it warm in Oslo, 30 °C?")
		})
	}
}

// checkMade has the stand-in make an answer and arguments for a schema: JSON, and not too much of it.
func checkMade(t *testing.T, schema, question string) {
	t.Helper()
	got := hear(t, server.StandIn(), &server.ModelCall{
		History: []server.Turn{asked(question)},
		ResponseFormat: assistants.ResponseFormat{
			Type: assistants.ResponseFormatJSONSchema, JSONSchema: &assistants.JSONSchema{Schema: json.RawMessage(schema)},
		},
	})
	assert.True(t, json.Valid([]byte(got.text)), "%.100s", got.text)
	assert.Less(t, len(got.text), 256<<10)

	got = hear(t, server.StandIn(), &server.ModelCall{
		History: []server.Turn{asked(question)}, Tools: []assistants.Tool{functionTool("f", "", schema)},
		ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceRequired},
	})
	require.Len(t, got.calls, 1)
	arguments := strings.TrimPrefix(got.calls[0], "f ")
	assert.True(t, json.Valid([]byte(arguments)), "%.100s", arguments)
	assert.Less(t, len(arguments), 256<<10)
}

func FuzzStandInJSON(f *testing.F) {
	for schema := range standInSchemas {
		f.Add(schema, "Is it 30 °C in Oslo?")
	}
	f.Add(weatherParameters, `The “weather”, Ana's and "`)
	f.Add(`{`, "")
	f.Fuzz(func(t *testing.T, schema, question string) { checkMade(t, schema, question) })
}

func FuzzStandInMaths(f *testing.F) {
	f.Add("solve 3x + 11 = 14, or 2(3-4)/5^2")
	f.Fuzz(func(t *testing.T, question string) {
		got := hear(t, server.StandIn(), &server.ModelCall{
			History: []server.Turn{asked(question)}, Tools: []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
		})
		assert.Equal(t, got.code != "", got.logs != "")
		assert.NotEmpty(t, got.text)
	})
}

// Nothing at all is something to answer, too.
func TestStandInOfNothing(t *testing.T) {
	t.Parallel()
	got := hear(t, server.StandIn(), &server.ModelCall{})
	assert.Equal(t, "Hello! I am a stand-in, not a model; server.WithModel plugs in a real one.", got.text)
	assert.Positive(t, got.usage.CompletionTokens)

	got = hear(t, server.StandIn(), &server.ModelCall{History: []server.Turn{asked(strings.Repeat("Ø", 1<<20))}})
	assert.Less(t, len(got.text), 2048)
}

func TestStandInKeepsToItsBudget(t *testing.T) {
	t.Parallel()
	got := hear(t, server.StandIn(), &server.ModelCall{History: []server.Turn{asked("Hello?")}, MaxCompletionTokens: 3})
	assert.Equal(t, "Thank you", got.text)
	assert.Equal(t, server.FinishLength, got.finish)
	assert.LessOrEqual(t, got.usage.CompletionTokens, 3)
}
