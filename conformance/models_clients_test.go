//lint:file-ignore SA1019 what is deprecated there is what this module serves

package conformance

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	popularopenai "github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/conformance/internal/upstream"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
	"github.com/assistants-go/assistants/server/responses"
)

// The Go clients of others hold the conversations of [conversations] with assistants that speak through the APIs of
// models.

// An actor is a provider whose model says what the script of the other tests says: its answers, by the question.
// Behind the first are those to outputs and results.
type actor map[string][]upstream.Answer

// answer is the one to the last question of a request, by how many rounds there have been since.
func (a actor) answer(r *upstream.Request) (upstream.Answer, bool) {
	var request struct {
		Input    []json.RawMessage // of the one API
		Messages []json.RawMessage // of the other
	}
	if json.Unmarshal(r.Body, &request) != nil {
		return upstream.Answer{}, false
	}
	rounds := 0
	for _, item := range slices.Backward(append(request.Input, request.Messages...)) {
		var head struct {
			Type, Role string
			Calls      []any `json:"tool_calls"`
		}
		_ = json.Unmarshal(item, &head)
		if head.Type == "function_call" || len(head.Calls) > 0 {
			rounds = 1
		}
		if head.Role != "user" {
			continue
		}
		for question, answers := range a {
			if strings.Contains(string(item), question) && rounds < len(answers) {
				return answers[rounds], true
			}
		}
	}
	return upstream.Answer{}, false
}

const (
	bothCities = `{\"city\":\"Paris\"} has 18°, {\"city\":\"Rome\"} has 24°`
	plotText   = "Das wär's, see sandbox:/mnt/data/plot.csv"
	essay      = "word word word word word word word word"
)

func responsesActor(t *testing.T) actor {
	one := func(a upstream.Answer) []upstream.Answer { return []upstream.Answer{a} }
	incomplete := func(reason, text string) []upstream.Answer {
		return one(streamed(t, responseOf("incomplete", `,"incomplete_details":{"reason":"`+reason+`"}`, textItem(text))))
	}
	failed := func(code, message string, items ...string) []upstream.Answer {
		return one(streamed(t, responseOf("failed", `,"error":{"code":"`+code+`","message":"`+message+`"},"usage":null`, items...)))
	}
	return actor{
		askCapital: one(composed(t, textItem("Paris, of course."))),
		askWeather: {composed(t, textItem("Let me look."), callItem("call_a", "get_weather", `{"city":"Paris"}`),
			callItem("call_b", "get_weather", `{"city":"Rome"}`)), composed(t, textItem(bothCities))},
		askPlot: one(composed(t, `{"type":"code_interpreter_call","id":"ci_1","status":"completed","code":"plot(sales)",`+
			`"container_id":"cntr_7","outputs":[{"type":"logs","logs":"2 bars\n"}]}`, messageItem(`{"type":"output_text","text":"`+plotText+`","annotations":[`+
			`{"type":"container_file_citation","container_id":"cntr_7","file_id":"cfile_8","filename":"plot.csv","start_index":15,"end_index":41},`+
			`{"type":"container_file_citation","container_id":"cntr_7","file_id":"cfile_9","filename":"plot.png","start_index":0,"end_index":0}]}`))),
		askHandbook: one(composed(t, strings.ReplaceAll(searchItem, "Leave is thirty days.", "Leave: thirty days."), messageItem(
			`{"type":"output_text","text":"Thirty days – a year.","annotations":[{"type":"file_citation","file_id":"file_101","filename":"handbook.md","index":20}]}`))),
		askSecret:   one(composed(t, messageItem(`{"type":"refusal","refusal":"I can't tell."}`))),
		askColours:  one(composed(t, textItem(`{\"as\":\"json_schema\"}`))),
		askEssay:    incomplete("max_output_tokens", essay),
		askHack:     incomplete("content_filter", "First you"),
		askBroken:   failed("rate_limit_exceeded", "Slow down."),
		askBreaking: failed("server_error", "Broken.", textItem("I was")),
	}
}

func chatActor(t *testing.T) actor {
	one := func(message, finish string) []upstream.Answer {
		return []upstream.Answer{composedChat(t, message, finish)}
	}
	says := func(text string) string { return `{"content":"` + text + `"}` }
	broken := func(begun, code, message string) []upstream.Answer {
		return []upstream.Answer{{Body: begun + `data: {"error":{"code":"` + code + `","message":"` + message + `"}}` + "\n\n"}}
	}
	return actor{
		askCapital: one(says("Paris, of course."), "stop"),
		askWeather: append(one(`{"content":"Let me look.","tool_calls":[`+chatCall("call_a", "get_weather", `{"city":"Paris"}`)+`,`+
			chatCall("call_b", "get_weather", `{"city":"Rome"}`)+`]}`, "tool_calls"), one(says(bothCities), "stop")...),
		askPlot: append(one(`{"content":null,"tool_calls":[`+chatCall("call_c", "code_interpreter", `{"code":"plot(sales)"}`)+`]}`, "tool_calls"),
			one(says(plotText), "stop")...),
		askHandbook: append(one(`{"content":null,"tool_calls":[`+chatCall("call_d", "file_search", `{"queries":["leave days"]}`)+`]}`, "tool_calls"),
			one(says("Thirty days – a year【4:0†handbook.md】."), "stop")...),
		askSecret:  one(`{"content":null,"refusal":"I can't tell."}`, "stop"),
		askColours: one(says(`{\"as\":\"json_schema\"}`), "stop"),
		askEssay:   one(says(essay), "length"),
		askHack:    one(says("First you"), "content_filter"),
		askBroken:  broken("", "rate_limit_exceeded", "Slow down."),
		askBreaking: broken(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"I was"}}]}`+"\n\n",
			"server_error", "Broken."),
	}
}

// plotter runs the code of the chat model: it plots, whatever the code is.
type plotter struct{}

func (plotter) RunCode(context.Context, chat.Code) (chat.CodeResult, error) {
	return chat.CodeResult{
		Logs:   "2 bars\n",
		Images: []chat.CodeOutput{{Name: "plot.png", Content: strings.NewReader(string(pixel))}},
		Files:  []chat.CodeOutput{{Name: "plot.csv", Content: strings.NewReader("1,2\n")}},
	}, nil
}

// serveModel starts a server that is stocked as others are, and whose vector store has file-1, a handbook, and
// returns its address. The model asks the actor, over a socket too.
func serveModel(t *testing.T, api string) (address string, provider *upstream.Provider) {
	t.Helper()
	answers := responsesActor
	if api == chatAPI {
		answers = chatActor
	}
	provider = upstream.Choosing(answers(t).answer)
	files := server.New(server.WithIDSource(elsewhere()))
	provider.Others = &upstream.Containers{Content: pixel, Next: files}
	listening := httptest.NewServer(provider)
	asking, err := assistants.NewClient(assistants.WithBaseURL(listening.URL+"/v1"), assistants.WithAPIKey(providerKey), assistants.WithMaxRetries(0))
	require.NoError(t, err)
	t.Cleanup(func() {
		asking.CloseIdleConnections()
		listening.Close()
		require.NoError(t, files.Close())
		requireFlawless(t, api, provider.Asked())
	})
	var model server.Model = responses.New(asking)
	if api == chatAPI {
		model = chat.New(asking, chat.WithCodeRunner(plotter{}))
	}
	store, blobs := stocked(t), server.NewMemoryBlobs()
	for i, content := range []string{"Leave: thirty days.", "text", "text", "text"} {
		_, err = blobs.Put(t.Context(), "file-"+string(rune('1'+i)), strings.NewReader(content))
		require.NoError(t, err)
	}
	_, err = store.Update(t.Context(), server.Collection{Kind: "file"}, "file-1", func(r server.Record) (server.Record, error) {
		r.Data = []byte(strings.NewReplacer("a.txt", "handbook.md", `"bytes":4`, `"bytes":19`).Replace(string(r.Data)))
		return r, nil
	})
	require.NoError(t, err)
	_, address = serve(t, server.WithStore(store), server.WithBlobs(blobs), server.WithModel(model))
	client, err := assistants.NewClient(assistants.WithBaseURL(address+"/v1"), assistants.WithAPIKey("none-at-all"))
	require.NoError(t, err)
	_, err = client.VectorStoreFiles.CreateAndPoll(t.Context(), "vs_1", assistants.VectorStoreFileCreateParams{FileID: "file-1"})
	require.NoError(t, err)
	return address, provider
}

// fileIDs and scores are what a model cannot foresee, in outcomes.
var fileIDs, scores = regexp.MustCompile(`file-\w+`), regexp.MustCompile(` 0\.\d+ \[`)

// foreseen is an outcome without that.
func foreseen(o outcome) outcome {
	for _, list := range [][]string{o.Parts, o.Marks, o.Details} {
		for i := range list {
			list[i] = scores.ReplaceAllString(fileIDs.ReplaceAllString(list[i], "file-x"), " score [")
		}
	}
	return o
}

// modelConversations are those that models hold, with what they do otherwise than the script: searches are made as
// the assistant says, and images of code are shown in the message where the Responses API has them, and in the step
// where a code runner has.
func modelConversations(api string) []conversation {
	talks := conversations()
	for i := range talks {
		want := &talks[i].want
		switch talks[i].name {
		case "file search":
			want.Details[0] = "auto 0.25"
		case "code interpreter":
			if api == chatAPI {
				want.Parts = want.Parts[:1]
			} else {
				want.Details = want.Details[:2]
			}
		}
		talks[i].want = foreseen(*want)
	}
	return talks
}

func TestOfficialClientTalksToModels(t *testing.T) {
	t.Parallel()
	for _, api := range []string{responsesAPI, chatAPI} {
		for _, talk := range modelConversations(api) {
			t.Run(api+" "+talk.name, func(t *testing.T) {
				t.Parallel()
				address, provider := serveModel(t, api)
				c := newOfficial(t, address)
				assistant := c.assistant().ID
				run := c.settled(c.start(c.thread(talk.question).ID, talk.params(assistant)))
				calls := requiredCalls(run)
				if talk.outputs != nil {
					require.Equal(t, openai.RunStatusRequiresAction, run.Status)
					run = c.settled(take(c.Beta.Threads.Runs.SubmitToolOutputs(t.Context(), run.ThreadID, run.ID, talk.outputsFor(run))).intact(c))
					for _, output := range talk.outputs {
						asked := provider.Asked()
						require.Contains(t, string(asked[len(asked)-1].Body), output)
					}
				}
				require.Equal(t, talk.want, foreseen(c.outcome(run, calls)), "polled")

				l := &listener{t: t}
				params := talk.params(assistant)
				params.Include = withContent
				want := streamsOf[talk.name]
				if want == nil {
					want = []string{begun + wrote + "run.completed"}
				}
				thread := c.thread(talk.question).ID
				stream := c.Beta.Threads.Runs.NewStreaming(t.Context(), thread, params)
				require.Equal(t, want[0], l.listen(stream, ""))
				require.NoError(t, stream.Err())
				calls = requiredCalls(&l.run)
				if talk.outputs != nil {
					stream = c.Beta.Threads.Runs.SubmitToolOutputsStreaming(t.Context(), thread, l.run.ID, talk.outputsFor(&l.run))
					require.Equal(t, want[1], l.listen(stream, ""))
					require.NoError(t, stream.Err())
				}
				require.Equal(t, talk.want, foreseen(l.outcome(calls)), "streamed")
			})
		}
	}
}

func TestPopularClientTalksToModels(t *testing.T) {
	t.Parallel()
	for _, api := range []string{responsesAPI, chatAPI} {
		for _, talk := range modelConversations(api) {
			t.Run(api+" "+talk.name, func(t *testing.T) {
				t.Parallel()
				address, _ := serveModel(t, api)
				c := newPopular(t, popularConfig(address, "sk-popular"))
				thread := c.thread(talk.question).ID
				run := c.settled(take(c.CreateRun(t.Context(), thread, talk.popularRun(c.assistant().ID))).intact(c))
				var calls []string
				if talk.outputs != nil {
					require.Equal(t, popularopenai.RunStatusRequiresAction, run.Status)
					var request popularopenai.SubmitToolOutputsRequest
					for _, call := range run.RequiredAction.SubmitToolOutputs.ToolCalls {
						calls = append(calls, call.Function.Name+" "+call.Function.Arguments)
						request.ToolOutputs = append(request.ToolOutputs,
							popularopenai.ToolOutput{ToolCallID: call.ID, Output: talk.outputs[call.Function.Arguments]})
					}
					run = c.settled(take(c.SubmitToolOutputs(t.Context(), thread, run.ID, request)).intact(c))
				}
				assert.Equal(t, knownToPopular(talk.want), foreseen(c.outcome(run, calls)))
			})
		}
	}
}
