package assistants_test

import (
	"context"
	"fmt"
	"log"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/typed"
)

// The functions and types of this file are Go code of README.md, which TestDocumentsCompile holds to them.

func ask(ctx context.Context, client *assistants.Client) error {
	tutor, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:        "gpt-4o",
		Name:         "Math Tutor",
		Instructions: "You are a personal math tutor. Write and run code to answer math questions.",
		Tools:        []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
	})
	if err != nil {
		return err
	}
	thread, err := client.Threads.Create(ctx, assistants.ThreadCreateParams{})
	if err != nil {
		return err
	}
	question := assistants.UserMessage("I need to solve the equation `3x + 11 = 14`. Can you help me?")
	if _, err := client.Messages.Create(ctx, thread.ID, question); err != nil {
		return err
	}
	run := assistants.RunCreateParams{AssistantID: tutor.ID, Instructions: "Please address the user as Jane Doe."}
	stream, err := client.Runs.Stream(ctx, thread.ID, run)
	if err != nil {
		return err
	}
	defer stream.Close()
	_, err = stream.Handle(assistants.Handler{
		OnTextCreated: func(*assistants.Text) { fmt.Print("assistant > ") },
		OnText:        func(delta, _ string) { fmt.Print(delta) },
		OnTextDone:    func(*assistants.Text) { fmt.Println() },
		OnToolCall:    func(call *assistants.ToolCall) { fmt.Println("assistant >", call.Type) },
		OnToolCallDone: func(call *assistants.ToolCall) {
			if code := call.CodeInterpreter; code != nil {
				fmt.Println(code.Input)
				for _, output := range code.Outputs {
					fmt.Println("output >", output.Logs)
				}
			}
		},
	})
	return err
}

func askAndWait(ctx context.Context, client *assistants.Client, threadID, assistantID string) error {
	run, err := client.Runs.CreateAndPoll(ctx, threadID, assistants.RunCreateParams{AssistantID: assistantID})
	if err != nil {
		return err
	}
	if err := run.Err(); err != nil { // it failed, say
		return err
	}
	oldestFirst := assistants.MessageListParams{RunID: run.ID, Order: assistants.OrderAsc}
	for message, err := range client.Messages.All(ctx, threadID, oldestFirst) {
		if err != nil {
			return err
		}
		fmt.Println(message.Text())
	}
	return nil
}

type Weather struct {
	City    string  `json:"city"`
	Celsius float64 `json:"celsius"`
}

type Place struct {
	City string `json:"city" jsonschema:"city and country"`
}

func forecast(ctx context.Context, client *assistants.Client, assistantID, threadID string) error {
	weather := typed.NewFunction("get_weather", "Current weather of a city", func(ctx context.Context, in Place) (Weather, error) {
		return Weather{City: in.City, Celsius: 21.5}, nil
	})
	run, err := client.Runs.CreateAndPoll(ctx, threadID, assistants.RunCreateParams{
		AssistantID:    assistantID,
		Tools:          []assistants.Tool{weather.Tool()},
		ResponseFormat: typed.ResponseFormat[Weather]("weather", typed.Strict()),
	}, typed.HandleCalls(weather))
	if err != nil {
		return err
	}
	newest, err := client.Messages.List(ctx, threadID, assistants.MessageListParams{RunID: run.ID, Limit: 1})
	if err != nil {
		return err
	}
	for _, message := range newest.Data {
		answer, err := typed.Decode[Weather](message)
		if err != nil {
			return err
		}
		fmt.Println(answer.City, answer.Celsius)
	}
	return nil
}

// A script takes the place of the model; everything else is as it would be.
func Example_readmeConversation() {
	ctx := context.Background()
	client, err := assistants.NewClient(assistants.WithHandler(polledOften(server.New(
		server.WithIDSource(countedIDs()),
		server.WithModel(server.NewScripted(
			server.When(server.Submitted("get_weather"), server.Reply(func(call *server.ModelCall) string {
				return call.Outputs()[0].Function.Output
			})),
			server.When(server.Offered(assistants.ToolFunction), server.CallFunction("get_weather", `{"city":"Oslo, Norway"}`)),
			server.When(server.Asked("3x + 11 = 14"), server.RunCode("print((14 - 11) / 3)", "1.0"), server.Say("The solution is x = 1, Jane Doe.")).Once(),
			server.Otherwise(server.Say("As I said, x = 1.")),
		)),
	))))
	if err != nil {
		log.Fatal(err)
	}
	if err := ask(ctx, client); err != nil {
		log.Fatal(err)
	}
	if err := askAndWait(ctx, client, "thread_1", "asst_1"); err != nil {
		log.Fatal(err)
	}
	if err := forecast(ctx, client, "asst_1", "thread_1"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// assistant > code_interpreter
	// print((14 - 11) / 3)
	// output > 1.0
	// assistant > The solution is x = 1, Jane Doe.
	// As I said, x = 1.
	// Oslo, Norway 21.5
}
