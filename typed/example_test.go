package typed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/typed"
)

type Weather struct {
	City    string  `json:"city"`
	Celsius float64 `json:"celsius"`
}

func ExampleNewFunction() {
	weather := typed.NewFunction("get_weather", "Current weather of a city", func(ctx context.Context, in struct {
		City string `json:"city" jsonschema:"city and country"`
		Unit string `json:"unit,omitempty" jsonschema:"c or f"`
	}) (Weather, error) {
		if in.City == "Atlantis" {
			return Weather{}, errors.New("no such city")
		}
		return Weather{City: in.City, Celsius: 21.5}, nil
	})
	fmt.Println(string(weather.Tool().Function.Parameters))
	// Output: {"type":"object","properties":{"city":{"type":"string","description":"city and country"},"unit":{"type":"string","description":"c or f"}},"required":["city"],"additionalProperties":false}
}

func ExampleFunction_Name() {
	now := typed.NewFunction("now", "The time", func(context.Context, struct{}) (string, error) { return "noon", nil })
	fmt.Println(now.Name())
	// Output: now
}

func ExampleFunction_Tool() {
	now := typed.NewFunction("now", "The time", func(context.Context, struct{}) (string, error) { return "noon", nil })
	params := assistants.AssistantCreateParams{Model: "gpt-4o", Tools: []assistants.Tool{now.Tool()}}
	body, err := json.Marshal(params.Tools)
	fmt.Println(string(body), err)
	// Output: [{"type":"function","function":{"name":"now","description":"The time","parameters":{"type":"object","properties":{},"additionalProperties":false}}}] <nil>
}

func ExampleFunction_Call() {
	add := typed.NewFunction("add", "Adds numbers", func(ctx context.Context, in struct {
		Numbers []int `json:"numbers"`
	}) (map[string]int, error) {
		sum := 0
		for _, n := range in.Numbers {
			sum += n
		}
		return map[string]int{"sum": sum}, nil
	})
	ctx := context.Background()
	fmt.Println(add.Call(ctx, `{"numbers": [1, 2.0, 3]}`))

	_, err := add.Call(ctx, `{"numbers": [1, "two"], "Numbers": []}`)
	fmt.Println(err)
	// Output:
	// {"sum":6} <nil>
	// add: invalid arguments: Numbers is unknown; known are ["numbers"]; numbers[1] must be of type integer, and is of type string
}

func ExampleHandleCalls() {
	weather := typed.NewFunction("get_weather", "Current weather of a city", func(ctx context.Context, in struct {
		City string `json:"city" jsonschema:"city and country"`
	}) (Weather, error) {
		return Weather{City: in.City, Celsius: 21.5}, nil
	})

	// A server whose run asks for the weather, and is completed when it knows it.
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		status := `"requires_action","required_action":{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[` +
			`{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo, Norway\"}"}}]}}`
		if strings.HasSuffix(r.URL.Path, "/submit_tool_outputs") {
			body, _ := io.ReadAll(r.Body)
			fmt.Println(string(body))
			status = `"completed"`
		}
		fmt.Fprintf(w, `{"id":"run_1","object":"thread.run","thread_id":"thread_1","status":%s}`, status)
	})
	client, err := assistants.NewClient(assistants.WithHandler(server))
	if err != nil {
		log.Fatal(err)
	}
	run, err := client.Runs.CreateAndPoll(context.Background(), "thread_1",
		assistants.RunCreateParams{AssistantID: "asst_1"}, typed.HandleCalls(weather))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output:
	// {"tool_outputs":[{"tool_call_id":"call_1","output":"{\"city\":\"Oslo, Norway\",\"celsius\":21.5}"}]}
	// completed
}

type Recipe struct {
	Title string   `json:"title"`
	Steps []string `json:"steps"`
	Notes string   `json:"notes,omitempty" jsonschema:"what may go wrong"`
}

func ExampleResponseFormat() {
	format := typed.ResponseFormat[Recipe]("recipe", typed.Strict())
	params := assistants.AssistantCreateParams{Model: "gpt-4o", ResponseFormat: format}
	fmt.Println(params.ResponseFormat.Type, params.ResponseFormat.JSONSchema.Name)
	// Output: json_schema recipe
}

func ExampleDecode() {
	message := &assistants.Message{Content: []assistants.ContentPart{{
		Type: assistants.ContentText,
		Text: &assistants.Text{Value: `{"title":"Tea","steps":["Boil water.","Wait."],"notes":null}`},
	}}}
	recipe, err := typed.Decode[Recipe](message)
	fmt.Println(recipe.Title, len(recipe.Steps), err)
	// Output: Tea 2 <nil>
}

func ExampleRefusalError() {
	message := &assistants.Message{Content: []assistants.ContentPart{{
		Type:    assistants.ContentRefusal,
		Refusal: "That would not be safe.",
	}}}
	_, err := typed.Decode[Recipe](message)
	if refusal, ok := errors.AsType[*typed.RefusalError](err); ok {
		fmt.Println("refused:", refusal.Refusal)
	}
	// Output: refused: That would not be safe.
}

func ExampleStrict() {
	format := typed.ResponseFormat[Recipe]("recipe", typed.Strict())
	fmt.Println(string(format.JSONSchema.Schema))
	// Output: {"type":"object","properties":{"title":{"type":"string"},"steps":{"type":"array","items":{"type":"string"}},"notes":{"type":["string","null"],"description":"what may go wrong"}},"required":["title","steps","notes"],"additionalProperties":false}
}

func ExampleDescription() {
	format := typed.ResponseFormat[Recipe]("recipe", typed.Description("a recipe for beginners"))
	fmt.Println(format.JSONSchema.Description)
	// Output: a recipe for beginners
}

func ExampleTypeSchema() {
	type Scale string
	type Reading struct {
		Degrees float64 `json:"degrees"`
		Scale   Scale   `json:"scale"`
	}
	scale := typed.TypeSchema[Scale](json.RawMessage(`{"type": "string", "enum": ["c", "f"]}`))
	format := typed.ResponseFormat[Reading]("reading", scale)
	fmt.Println(string(format.JSONSchema.Schema))
	// Output: {"type":"object","properties":{"degrees":{"type":"number"},"scale":{"type":"string","enum":["c","f"]}},"required":["degrees","scale"],"additionalProperties":false}
}
