package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// asksForWeather is what a model does that knows of a function get_temperature: it asks it about two cities at once,
// and puts into words what it was told.
var asksForWeather = []server.Rule{
	server.When(server.Submitted("get_temperature"), server.Reply(func(call *server.ModelCall) string {
		var told []string
		for _, c := range call.Outputs() {
			told = append(told, c.Function.Output)
		}
		return "I was told: " + strings.Join(told, ", ")
	})),
	server.Otherwise(
		server.CallFunction("get_temperature", `{"city":"Oslo"}`),
		server.CallFunction("get_temperature", `{"city":"Rome"}`),
	),
}

// temperature is the function.
func temperature(arguments string) (string, error) {
	var in struct {
		City string `json:"city"`
	}
	if err := json.Unmarshal([]byte(arguments), &in); err != nil {
		return "", err
	}
	switch in.City {
	case "Oslo":
		return "-3 °C", nil
	case "Rome":
		return "14 °C", nil
	}
	return "", fmt.Errorf("no temperature is known of %s", in.City)
}

// runsUntilCalls creates a run and waits until it wants something of its caller.
func runsUntilCalls(client *assistants.Client) *assistants.Run {
	run, err := client.Runs.CreateAndPoll(context.Background(), "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
	if err != nil {
		log.Fatal(err)
	}
	return run
}

func ExampleRunsService_SubmitToolOutputs() {
	ctx, client := context.Background(), newConversation(asksForWeather...)
	run := runsUntilCalls(client)
	fmt.Println(run.Status)

	var outputs []assistants.ToolOutput // one for every call, all in one request
	for _, call := range run.FunctionCalls() {
		fmt.Println(call.Function.Name, call.Function.Arguments)
		output, err := temperature(call.Function.Arguments)
		if err != nil {
			output = err.Error() // for the model to know
		}
		outputs = append(outputs, assistants.ToolOutput{ToolCallID: call.ID, Output: output})
	}
	run, err := client.Runs.SubmitToolOutputs(ctx, "thread_1", run.ID, assistants.RunSubmitToolOutputsParams{ToolOutputs: outputs})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output:
	// requires_action
	// get_temperature {"city":"Oslo"}
	// get_temperature {"city":"Rome"}
	// queued
}

func ExampleRunsService_SubmitToolOutputsAndPoll() {
	ctx, client := context.Background(), newConversation(asksForWeather...)
	run := runsUntilCalls(client)

	run, err := client.Runs.SubmitToolOutputsAndPoll(ctx, "thread_1", run.ID, assistants.RunSubmitToolOutputsParams{
		ToolOutputs: []assistants.ToolOutput{
			{ToolCallID: "call_1", Output: "-3 °C"},
			{ToolCallID: "call_2", Output: "14 °C"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status) // or once more requires_action
	// Output: completed
}

func ExampleRunsService_SubmitToolOutputsStream() {
	ctx, client := context.Background(), newConversation(asksForWeather...)
	run := runsUntilCalls(client)

	stream, err := client.Runs.SubmitToolOutputsStream(ctx, "thread_1", run.ID, assistants.RunSubmitToolOutputsParams{
		ToolOutputs: []assistants.ToolOutput{
			{ToolCallID: "call_1", Output: "-3 °C"},
			{ToolCallID: "call_2", Output: "14 °C"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for text, err := range stream.Text() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(text)
	}
	// Output: I was told: -3 °C, 14 °C
}

// Calls are answered while the stream goes on. Package typed makes such a handler of Go functions.
func ExampleWithToolHandler() {
	ctx, client := context.Background(), newConversation(asksForWeather...)

	stream, err := client.Runs.Stream(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"},
		assistants.WithToolHandler(func(ctx context.Context, call assistants.ToolCall) (string, error) {
			switch call.Function.Name {
			case "get_temperature":
				return temperature(call.Function.Arguments)
			}
			return "", fmt.Errorf("there is no function %s", call.Function.Name) // the model is told
		}))
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for text, err := range stream.Text() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(text)
	}
	fmt.Printf("\n%s\n", stream.Run().Status)
	// Output:
	// I was told: -3 °C, 14 °C
	// completed
}

func ExampleWithToolConcurrency() {
	ctx, client := context.Background(), newConversation(asksForWeather...)

	var asked []string // not safe for several goroutines
	run, err := client.Runs.CreateAndPoll(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"},
		assistants.WithToolConcurrency(1), // one after the other
		assistants.WithToolHandler(func(ctx context.Context, call assistants.ToolCall) (string, error) {
			asked = append(asked, call.Function.Arguments)
			return temperature(call.Function.Arguments)
		}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status, asked)
	// Output: completed [{"city":"Oslo"} {"city":"Rome"}]
}

func ExampleWithMaxToolRounds() {
	again := server.Otherwise(server.CallFunction("get_temperature", `{"city":"Atlantis"}`))
	ctx, client := context.Background(), newConversation(again)

	run, err := client.Runs.CreateAndPoll(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"},
		assistants.WithMaxToolRounds(2),
		assistants.WithToolHandler(func(ctx context.Context, call assistants.ToolCall) (string, error) {
			fmt.Println(call.Function.Arguments)
			return temperature(call.Function.Arguments)
		}))
	fmt.Println(errors.Is(err, assistants.ErrToolRounds))

	run, err = client.Runs.Poll(ctx, "thread_1", run.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status)
	// Output:
	// {"city":"Atlantis"}
	// {"city":"Atlantis"}
	// true
	// cancelled
}

// foundRules is a handler that has the step of a search, with what it found if that is asked for.
var foundRules = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	content := ""
	if r.URL.Query().Get("include[]") == string(assistants.IncludeFileSearchContent) {
		content = `,"content":[{"type":"text","text":"Books can be kept for four weeks."}]`
	}
	fmt.Fprint(w, `{"id":"step_1","object":"thread.run.step","type":"tool_calls","status":"completed",`+
		`"step_details":{"type":"tool_calls","tool_calls":[{"id":"call_1","type":"file_search","file_search":`+
		`{"results":[{"file_id":"file-rules","file_name":"rules.pdf","score":0.91`+content+`}]}}]}}`)
})

func ExampleWithInclude() {
	client, err := assistants.NewClient(assistants.WithHandler(foundRules))
	if err != nil {
		log.Fatal(err)
	}
	step, err := client.RunSteps.Retrieve(context.Background(), "thread_1", "run_1", "step_1",
		assistants.WithInclude(assistants.IncludeFileSearchContent))
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range step.StepDetails.ToolCalls[0].FileSearch.Results {
		fmt.Println(result.FileName, result.Score)
		for _, content := range result.Content {
			fmt.Println(content.Text)
		}
	}
	// Output:
	// rules.pdf 0.91
	// Books can be kept for four weeks.
}

func ExampleToolChoice() {
	for _, choice := range []assistants.ToolChoice{
		{Type: assistants.ToolChoiceRequired},
		{Function: &assistants.FunctionChoice{Name: "get_temperature"}}, // this one and no other
	} {
		sent, err := json.Marshal(choice)
		fmt.Println(string(sent), err)
	}
	// Output:
	// "required" <nil>
	// {"type":"function","function":{"name":"get_temperature"}} <nil>
}

func ExampleTruncationStrategy() {
	sent, err := json.Marshal(assistants.TruncationStrategy{LastMessages: 10}) // the type is inferred
	fmt.Println(string(sent), err)
	// Output: {"type":"last_messages","last_messages":10} <nil>
}
