//lint:file-ignore SA1019 what is deprecated there is what this module serves

package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// Programs that were written for the Assistants API: a desk that knows the weather and a handbook. They know an
// address and nothing else of the server.

// officialDesk is such a program, with openai-go: it polls the first run, and streams the second.
func officialDesk(ctx context.Context, baseURL string) (answers []string, err error) {
	client := openai.NewClient(option.WithBaseURL(baseURL), option.WithAPIKey("sk-desk"))
	store, err := client.VectorStores.New(ctx, openai.VectorStoreNewParams{Name: openai.String("Handbooks")})
	if err != nil {
		return nil, err
	}
	handbook := openai.FileNewParams{
		File: openai.File(strings.NewReader("Leave: thirty days."), "handbook.md", "text/markdown"), Purpose: openai.FilePurposeAssistants,
	}
	if _, err = client.VectorStores.Files.UploadAndPoll(ctx, store.ID, handbook, 1); err != nil {
		return nil, err
	}
	desk, err := client.Beta.Assistants.New(ctx, openai.BetaAssistantNewParams{
		Model: "gpt-4o", Instructions: openai.String("Answer the staff."),
		Tools: []openai.AssistantToolUnionParam{
			{OfFileSearch: &openai.FileSearchToolParam{}},
			openai.AssistantToolParamOfFunction(shared.FunctionDefinitionParam{
				Name: "get_weather", Parameters: shared.FunctionParameters{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}},
			}),
		},
		ToolResources: openai.BetaAssistantNewParamsToolResources{
			FileSearch: openai.BetaAssistantNewParamsToolResourcesFileSearch{VectorStoreIDs: []string{store.ID}},
		},
	})
	if err != nil {
		return nil, err
	}
	thread, err := client.Beta.Threads.New(ctx, openai.BetaThreadNewParams{})
	if err != nil {
		return nil, err
	}
	first, err := officialPolled(ctx, client, thread.ID, desk.ID, askWeather)
	if err != nil {
		return nil, err
	}
	second, err := officialStreamed(ctx, client, thread.ID, desk.ID, askHandbook)
	return []string{first, second}, err
}

func officialPolled(ctx context.Context, client openai.Client, threadID, assistantID, question string) (string, error) {
	threads := client.Beta.Threads
	if _, err := threads.Messages.New(ctx, threadID, userMessage(question)); err != nil {
		return "", err
	}
	run, err := threads.Runs.New(ctx, threadID, openai.BetaThreadRunNewParams{AssistantID: assistantID})
	for ; err == nil && run.Status != openai.RunStatusCompleted; time.Sleep(time.Millisecond) {
		switch run.Status {
		case openai.RunStatusQueued, openai.RunStatusInProgress:
			run, err = threads.Runs.Get(ctx, threadID, run.ID)
		case openai.RunStatusRequiresAction:
			var outputs openai.BetaThreadRunSubmitToolOutputsParams
			for _, call := range run.RequiredAction.SubmitToolOutputs.ToolCalls {
				outputs.ToolOutputs = append(outputs.ToolOutputs, openai.BetaThreadRunSubmitToolOutputsParamsToolOutput{
					ToolCallID: openai.String(call.ID), Output: openai.String(weatherIn(call.Function.Arguments)),
				})
			}
			run, err = threads.Runs.SubmitToolOutputs(ctx, threadID, run.ID, outputs)
		default:
			return "", fmt.Errorf("the run is %s: %s", run.Status, run.LastError.Message)
		}
	}
	if err != nil {
		return "", err
	}
	page, err := threads.Messages.List(ctx, threadID, openai.BetaThreadMessageListParams{RunID: openai.String(run.ID), Limit: openai.Int(1)})
	if err != nil {
		return "", err
	}
	return page.Data[0].Content[0].Text.Value, nil
}

func officialStreamed(ctx context.Context, client openai.Client, threadID, assistantID, question string) (string, error) {
	if _, err := client.Beta.Threads.Messages.New(ctx, threadID, userMessage(question)); err != nil {
		return "", err
	}
	stream := client.Beta.Threads.Runs.NewStreaming(ctx, threadID, openai.BetaThreadRunNewParams{AssistantID: assistantID})
	var text strings.Builder
	for stream.Next() {
		if delta, ok := stream.Current().AsAny().(openai.AssistantStreamEventThreadMessageDelta); ok {
			for _, part := range delta.Data.Delta.Content {
				text.WriteString(part.Text.Value)
			}
		}
	}
	return text.String(), stream.Err()
}

// weatherIn is a function that both programs have.
func weatherIn(arguments string) string {
	if strings.Contains(arguments, "Rome") {
		return "24°"
	}
	return "18°"
}

func tellWeather(_ context.Context, call assistants.ToolCall) (string, error) {
	return weatherIn(call.Function.Arguments), nil
}

// ownDesk is the same program, with this module's client.
func ownDesk(ctx context.Context, baseURL string) (answers []string, err error) {
	client, err := assistants.NewClient(assistants.WithBaseURL(baseURL), assistants.WithAPIKey("sk-desk"))
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	file, err := client.Files.Upload(ctx, assistants.FileUploadParams{
		File: strings.NewReader("Leave: thirty days."), Filename: "handbook.md", Purpose: assistants.PurposeAssistants,
	})
	if err != nil {
		return nil, err
	}
	store, err := client.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{Name: "Handbooks"})
	if err != nil {
		return nil, err
	}
	add := assistants.VectorStoreFileCreateParams{FileID: file.ID}
	if _, err = client.VectorStoreFiles.CreateAndPoll(ctx, store.ID, add, assistants.WithPollInterval(time.Millisecond)); err != nil {
		return nil, err
	}
	weather := assistants.Tool{Type: assistants.ToolFunction, Function: &assistants.FunctionDefinition{
		Name: "get_weather", Parameters: []byte(`{"type":"object","properties":{"city":{"type":"string"}}}`),
	}}
	desk, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model: "gpt-4o", Instructions: "Answer the staff.", Tools: []assistants.Tool{{Type: assistants.ToolFileSearch}, weather},
		ToolResources: assistants.ToolResources{FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{store.ID}}},
	})
	if err != nil {
		return nil, err
	}
	run, err := client.Threads.CreateAndRunPoll(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: desk.ID, Thread: assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage(askWeather)}},
	}, assistants.WithToolHandler(tellWeather), assistants.WithPollInterval(time.Millisecond))
	if err != nil {
		return nil, err
	}
	newest, err := client.Messages.List(ctx, run.ThreadID, assistants.MessageListParams{RunID: run.ID, Limit: 1})
	if err != nil {
		return nil, err
	}
	answers = append(answers, newest.Data[0].Text())
	if _, err = client.Messages.Create(ctx, run.ThreadID, assistants.UserMessage(askHandbook)); err != nil {
		return nil, err
	}
	stream, err := client.Runs.Stream(ctx, run.ThreadID, assistants.RunCreateParams{AssistantID: desk.ID})
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var text strings.Builder
	_, err = stream.Handle(assistants.Handler{OnText: func(delta, _ string) { text.WriteString(delta) }})
	return append(answers, text.String()), err
}

// TestProgramsMoveToModels runs both programs against the server, with a script and with the models. Only the address
// differs.
func TestProgramsMoveToModels(t *testing.T) {
	t.Parallel()
	servers := map[string]func(*testing.T) string{
		"script": func(t *testing.T) string {
			_, address := serve(t, server.WithModel(script()))
			return address
		},
		responsesAPI: func(t *testing.T) string { address, _ := serveModel(t, responsesAPI); return address },
		chatAPI:      func(t *testing.T) string { address, _ := serveModel(t, chatAPI); return address },
	}
	programs := map[string]func(context.Context, string) ([]string, error){"openai-go": officialDesk, "this client": ownDesk}
	for name, address := range servers {
		for program, run := range programs {
			t.Run(program+" "+name, func(t *testing.T) {
				t.Parallel()
				answers, err := run(t.Context(), address(t)+"/v1")
				require.NoError(t, err)
				require.Len(t, answers, 2)
				for _, part := range []string{`{"city":"Paris"} has `, `, {"city":"Rome"} has `, "18°", "24°"} {
					assert.Contains(t, answers[0], part)
				}
				assert.Regexp(t, `^Thirty days – a year【\d+:\d+†handbook.md】.$`, answers[1])
			})
		}
	}
}
