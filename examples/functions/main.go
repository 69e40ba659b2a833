// Functions asks for the weather of a city, which a model can only know from the functions of this program: it asks for
// two at once, they are answered while the stream goes on, and then it puts what they said into words.
//
// It runs on the embedded server, where a stand-in takes the place of a model unless OPENAI_API_KEY,
// AZURE_OPENAI_ENDPOINT or CHAT_BASE_URL names one, or on the server that OPENAI_BASE_URL names: see package endpoint.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
	"github.com/assistants-go/assistants/typed"
)

func main() { endpoint.Main(run) }

// A Place is what the functions are asked about. Models are given its schema, and no other arguments reach them.
type Place struct {
	City string `json:"city" jsonschema:"city and country, such as Lisbon, Portugal"`
}

// A Forecast is of a real service of course, in a real program.
type Forecast struct {
	Celsius float64 `json:"celsius"`
	Sky     string  `json:"sky"`
}

var (
	forecast = typed.NewFunction("get_forecast", "Today's weather in a city.",
		func(ctx context.Context, at Place) (Forecast, error) {
			if at.City == "" {
				return Forecast{}, errors.New("which city?") // the model is told, and can try again
			}
			return Forecast{Celsius: 21.5, Sky: "cloudy"}, nil
		}, typed.Strict())

	rain = typed.NewFunction("get_rain_probability", "How likely rain is today in a city, in percent.",
		func(ctx context.Context, at Place) (int, error) { return 30, nil }, typed.Strict())
)

func run(ctx context.Context, client *assistants.Client, out io.Writer) (err error) {
	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:        endpoint.Model(),
		Instructions: "You are a weather bot. Use the functions to answer, and be brief.",
		Tools:        []assistants.Tool{forecast.Tool(), rain.Tool()},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Assistants.Delete, assistant.ID, &err)

	question := "What is the weather in Lisbon today, and shall I take an umbrella?"
	fmt.Fprintln(out, question)
	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{
		Messages: []assistants.MessageCreateParams{assistants.UserMessage(question)},
	})
	if err != nil {
		return err
	}
	defer endpoint.Remove(ctx, client.Threads.Delete, thread.ID, &err)

	stream, err := client.Runs.Stream(ctx, thread.ID, assistants.RunCreateParams{AssistantID: assistant.ID},
		typed.HandleCalls(forecast, rain))
	if err != nil {
		return err
	}
	defer stream.Close()

	finished, err := stream.Handle(assistants.Handler{
		OnToolCallDone: func(call *assistants.ToolCall) {
			fmt.Fprintf(out, "asks for  %s %s\n", call.Function.Name, call.Function.Arguments)
		},
		OnRunStepDone: func(step *assistants.RunStep) {
			for _, call := range step.StepDetails.ToolCalls {
				fmt.Fprintf(out, "is told   %s\n", call.Function.Output)
			}
		},
		OnText:     func(delta, _ string) { fmt.Fprint(out, delta) },
		OnTextDone: func(*assistants.Text) { fmt.Fprintln(out) },
	})
	if err != nil {
		return err
	}
	return finished.Err()
}
