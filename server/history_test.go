package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// listening starts a server with a model that is overheard and an assistant. The caller is in a bubble.
func listening(t *testing.T, assistant string, rules ...server.Rule) (*api, *overheard) {
	t.Helper()
	model := overhear(rules...)
	files := []string{"file-1", "file-2", "file-3", "file-4", "file-5"}
	a := newAPI(t, server.WithModel(model), server.WithStore(holding(t, append(files, "vs_a")...)))
	a.create(assistant)
	return a, model
}

func TestModelIsAskedInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, model := listening(t, `{"model":"m","instructions":"Be kind."}`)
		thread := a.thread("one", "two")
		a.ok("POST", thread+"/messages", `{"role":"assistant","content":[{"type":"text","text":"thr"},{"type":"text","text":"ee"}]}`)
		a.begin(thread, `{"assistant_id":"asst_1","additional_messages":[{"role":"user","content":"four"}]}`)
		call := model.last(t)
		assert.Equal(t, []string{"user: one", "user: two", "assistant: thr\nee", "user: four"}, said(call))
		assert.Equal(t, "thread_1 run_1 asst_1 0 m Be kind.", fmt.Sprint(call.ThreadID, " ", call.RunID, " ", call.AssistantID, " ", call.Round, " ", call.Model, " ", call.Instructions))
		assert.Equal(t, "1 1  true 0 0", fmt.Sprint(call.Temperature, " ", call.TopP, " ", call.ReasoningEffort, " ", call.ParallelToolCalls, " ",
			call.MaxPromptTokens, " ", call.MaxCompletionTokens))
		assert.Equal(t, assistants.ToolChoiceAuto, call.ToolChoice.Type)
		assert.Nil(t, call.State)
		assert.Nil(t, call.ToolResources.CodeInterpreter)
		assert.Nil(t, call.ToolResources.FileSearch)

		a.begin(thread, `{"assistant_id":"asst_1"}`)
		assert.Equal(t, []string{"user: one", "user: two", "assistant: thr\nee", "user: four", "assistant: Hi."}, said(model.last(t)))
		a.ok("DELETE", thread+"/messages/msg_2", "")
		a.begin(thread, `{"assistant_id":"asst_1"}`)
		assert.Equal(t, []string{"user: one", "assistant: thr\nee", "user: four", "assistant: Hi.", "assistant: Hi."}, said(model.last(t)))
	})
}

// All that a run can be given reaches the model.
func TestModelIsAskedForWhatTheRunIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, model := listening(t, fullAssistant)
		thread := a.thread("Hello")
		a.begin(thread, `{"assistant_id":"asst_1"}`)
		call := model.last(t)
		assert.Equal(t, "0.5 0.25 low json_object", fmt.Sprint(call.Temperature, " ", call.TopP, " ", call.ReasoningEffort, " ", call.ResponseFormat.Type))
		require.Len(t, call.Tools, 2)
		assert.Equal(t, "f", call.Tools[0].Function.Name)
		assert.Equal(t, assistants.ToolCodeInterpreter, call.Tools[1].Type)
		a.begin(thread, `{"assistant_id":"asst_1","temperature":1.5,"top_p":1,"reasoning_effort":"high","parallel_tool_calls":false,"tools":[],"model":"other",
			"instructions":"Be brief.","additional_instructions":"Be quick.","max_prompt_tokens":500,"max_completion_tokens":40,"tool_choice":"none",
			"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"b":1,"a":2}}}}`)
		call = model.last(t)
		assert.Equal(t, "1.5 1 high json_schema", fmt.Sprint(call.Temperature, " ", call.TopP, " ", call.ReasoningEffort, " ", call.ResponseFormat.Type))
		schema, err := json.Marshal(call.ResponseFormat)
		require.NoError(t, err)
		assert.JSONEq(t, `{"type":"json_schema","json_schema":{"name":"s","schema":{"b":1,"a":2}}}`, string(schema))
		assert.Empty(t, call.Tools)
		assert.Equal(t, "other Be brief.\nBe quick. false none 500 40", fmt.Sprint(call.Model, " ", call.Instructions, " ", call.ParallelToolCalls, " ",
			call.ToolChoice.Type, " ", call.MaxPromptTokens, " ", call.MaxCompletionTokens))
	})
}

// The tools work on what assistant and thread have together, the thread's own first.
func TestModelGetsAllResources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, model := listening(t, `{"model":"m","tool_resources":{"code_interpreter":{"file_ids":["file-1","file-2"]},"file_search":{"vector_store_ids":["vs_a"]}}}`)
		thread := "/v1/threads/" + a.made("/v1/threads", `{"tool_resources":{"code_interpreter":{"file_ids":["file-2","file-3"]}}}`)
		a.begin(thread, `{"assistant_id":"asst_1","additional_messages":[`+
			attaching(`[{"file_id":"file-4","tools":`+toCode+`},{"file_id":"file-5","tools":`+toSearch+`}]`)+`]}`)
		call := model.last(t)
		assert.Equal(t, []string{"file-2", "file-3", "file-4", "file-1"}, call.ToolResources.CodeInterpreter.FileIDs)
		assert.Equal(t, []string{"vs_1", "vs_a"}, call.ToolResources.FileSearch.VectorStoreIDs)
	})
}

// Messages reach the model with everything that they hold.
func TestModelSeesPartsAndAttachments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, model := listening(t, `{"model":"m"}`)
		thread := a.thread()
		a.ok("POST", thread+"/messages", `{"role":"user","content":[{"type":"text","text":"Look:"},{"type":"image_url","image_url":{"url":"https://x/y.png"}},
			{"type":"image_file","image_file":{"file_id":"file-1","detail":"low"}}],"attachments":[{"file_id":"file-2","tools":[]}],"metadata":{"k":"v"}}`)
		a.begin(thread, `{"assistant_id":"asst_1"}`)
		m := model.last(t).History[0].Message
		require.Len(t, m.Content, 3)
		assert.Equal(t, "https://x/y.png auto", fmt.Sprint(m.Content[1].ImageURL.URL, " ", m.Content[1].ImageURL.Detail))
		assert.Equal(t, "file-1 low", fmt.Sprint(m.Content[2].ImageFile.FileID, " ", m.Content[2].ImageFile.Detail))
		assert.Equal(t, "file-2", m.Attachments[0].FileID)
		assert.Equal(t, "v", m.Metadata["k"])
	})
}

func TestTruncation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, model := listening(t, `{"model":"m"}`)
		// Each of these is 4 tokens, and 4 for being a message.
		var all []string
		for i := range 150 {
			all = append(all, fmt.Sprintf("message no. %04d", i+1))
		}
		thread := a.thread(all...)
		number := func(call *server.ModelCall) string {
			var numbers []string
			for _, line := range said(call) {
				numbers = append(numbers, strings.TrimLeft(strings.TrimPrefix(line, "user: message no. "), "0"))
			}
			return strings.Join(numbers, " ")
		}
		for options, want := range map[string]string{
			`"truncation_strategy":{"type":"last_messages","last_messages":1}`: "150",
			`"truncation_strategy":{"type":"last_messages","last_messages":3}`: "148 149 150",
			`"max_prompt_tokens":16`:                                   "1 150", // exactly two
			`"max_prompt_tokens":23`:                                   "1 150",
			`"max_prompt_tokens":24`:                                   "1 149 150",
			`"max_prompt_tokens":24,"instructions":"four tokens here"`: "1 150",
			`"max_prompt_tokens":40,"truncation_strategy":{"type":"last_messages","last_messages":2}`: "149 150",
			`"max_prompt_tokens":16,"truncation_strategy":{"type":"last_messages","last_messages":3}`: "149 150",
		} {
			run := a.begin(thread, `{"assistant_id":"asst_1",`+options+`}`)
			require.Equal(t, want, number(model.last(t)), options)
			a.ok("DELETE", thread+"/messages/"+a.ids(thread + "/messages?limit=1")[0], "")
			assert.NotEmpty(t, a.status(run))
		}
		a.begin(thread, `{"assistant_id":"asst_1","truncation_strategy":{"type":"last_messages","last_messages":120}}`)
		assert.Len(t, model.last(t).History, 120, "more than a page")
		a.begin(thread, `{"assistant_id":"asst_1"}`)
		assert.Len(t, model.last(t).History, 151, "all, with the answer before")
	})
}

// A budget that has no room for the newest message is used up before the model is asked.
func TestNoRoomForTheNewestMessage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, model := listening(t, `{"model":"m"}`)
		run := a.begin(a.thread("short", strings.Repeat("long ", 20)), `{"assistant_id":"asst_1","max_prompt_tokens":16}`)
		assert.Equal(t, `{"reason":"max_prompt_tokens"}`, string(field[json.RawMessage](t, a.ok("GET", run, ""), "incomplete_details")))
		assert.Empty(t, model.calls)
	})
}

// The run's own doings follow the thread, round by round, and those of earlier runs do not.
func TestModelSeesWhatTheRunHasDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rounds := 0
		a, model := listening(t, `{"model":"m","tools":[{"type":"function","function":{"name":"f"}}]}`,
			server.When(func(c *server.ModelCall) bool { rounds++; return rounds <= 2 },
				server.RunCode("x", "y"), server.Say("Let me see."), server.CallFunction("f", `{"n":1}`), server.CallFunction("g", "{}"),
				func(_ context.Context, c *server.ModelCall, yield func(server.ModelEvent, error) bool) bool {
					return yield(server.State(fmt.Sprint("state ", c.Round)), nil)
				}))
		thread := a.thread("Hello")
		run := a.begin(thread, `{"assistant_id":"asst_1","tool_choice":"required"}`)
		first := model.last(t)
		assert.Equal(t, assistants.ToolChoiceRequired, first.ToolChoice.Type)
		assert.Nil(t, first.Outputs())

		a.ok("POST", run+"/submit_tool_outputs", `{"tool_outputs":[{"tool_call_id":"call_2","output":"one"},{"tool_call_id":"call_3"}]}`)
		synctest.Wait()
		second := model.last(t)
		done := []string{"user: Hello", "code: x", "assistant: Let me see.", `f({"n":1}) = one`, `g({}) = `}
		assert.Equal(t, done, said(second))
		assert.Equal(t, "1 state 0 auto", fmt.Sprint(second.Round, " ", string(second.State), " ", second.ToolChoice.Type))
		require.Len(t, second.Outputs(), 2)
		assert.Equal(t, "call_2 one", second.Outputs()[0].ID+" "+second.Outputs()[0].Function.Output)
		assert.Len(t, second.History, 4, "functions that were called together are one turn")

		a.ok("POST", run+"/submit_tool_outputs", `{"tool_outputs":[{"tool_call_id":"call_6","output":"two"},{"tool_call_id":"call_5","output":"three"}]}`)
		synctest.Wait()
		third := model.last(t)
		assert.Equal(t, append(done, "code: x", "assistant: Let me see.", `f({"n":1}) = three`, `g({}) = two`), said(third))
		assert.Equal(t, "2 state 1 auto", fmt.Sprint(third.Round, " ", string(third.State), " ", third.ToolChoice.Type))
		assert.Equal(t, "completed", a.status(run))

		a.begin(thread, `{"assistant_id":"asst_1"}`)
		assert.Equal(t, []string{"user: Hello", "assistant: Let me see.", "assistant: Let me see.", "assistant: Hi."}, said(model.last(t)))
		assert.Nil(t, model.last(t).State)
	})
}

// A choice of no tools counts for all rounds, one that forces a tool for the first alone.
func TestToolChoiceByRound(t *testing.T) {
	t.Parallel()
	for given, want := range map[string][2]assistants.ToolChoiceType{
		`"none"`:     {assistants.ToolChoiceNone, assistants.ToolChoiceNone},
		`"auto"`:     {assistants.ToolChoiceAuto, assistants.ToolChoiceAuto},
		`"required"`: {assistants.ToolChoiceRequired, assistants.ToolChoiceAuto},
		`{"type":"function","function":{"name":"f"}}`: {assistants.ToolChoiceFunction, assistants.ToolChoiceAuto},
		`{"type":"file_search"}`:                      {assistants.ToolChoiceFileSearch, assistants.ToolChoiceAuto},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, model := listening(t, `{"model":"m"}`, server.Otherwise(server.CallFunction("f", "{}")))
			run := a.begin(a.thread("Hello"), `{"assistant_id":"asst_1","tool_choice":`+given+`}`)
			assert.Equal(t, want[0], model.last(t).ToolChoice.Type, given)
			a.ok("POST", run+"/submit_tool_outputs", `{"tool_outputs":[{"tool_call_id":"call_1"}]}`)
			synctest.Wait()
			assert.Equal(t, want[1], model.last(t).ToolChoice.Type, given)
		})
	}
}

// A budget is for all calls of a run; a run that has used it up ends without another one.
func TestBudgetsOverRounds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ reason, options string }{
		{"max_prompt_tokens", `"max_prompt_tokens":500`}, {"max_completion_tokens", `"max_completion_tokens":500`},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, model := listening(t, `{"model":"m"}`, server.Otherwise(
				server.CallFunction("f", "{}"), server.Yield(server.Usage{PromptTokens: 200, CompletionTokens: 200})))
			run := a.begin(a.thread("Hello"), `{"assistant_id":"asst_1",`+tc.options+`}`)
			for round, left := range []int{500, 300, 100} {
				call := model.last(t)
				assert.Equal(t, left, max(call.MaxPromptTokens, call.MaxCompletionTokens))
				assert.Equal(t, 0, min(call.MaxPromptTokens, call.MaxCompletionTokens))
				a.ok("POST", run+"/submit_tool_outputs", fmt.Sprintf(`{"tool_outputs":[{"tool_call_id":"call_%d"}]}`, round+1))
				synctest.Wait()
			}
			assert.Len(t, model.calls, 3)
			body := a.ok("GET", run, "")
			assert.Equal(t, "incomplete", field[string](t, body, "status"))
			assert.Equal(t, `{"reason":"`+tc.reason+`"}`, string(field[json.RawMessage](t, body, "incomplete_details")))
			assert.Equal(t, tokens("600", "600", "1200"), string(field[json.RawMessage](t, body, "usage")))
		})
	}
}
