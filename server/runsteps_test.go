package server_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

const includeContent = "step_details.tool_calls[*].file_search.results[*].content"

// stepDocument is a finished step of run_1 on thread_1.
func stepDocument(id, kind, details, usage string) string {
	return at(`{"id":"` + id + `","object":"thread.run.step","created_at":NOW,"run_id":"run_1","assistant_id":"asst_1","thread_id":"thread_1",` +
		`"type":"` + kind + `","status":"completed","cancelled_at":null,"completed_at":NOW,"expires_at":null,"expired_at":null,"failed_at":null,` +
		`"last_error":null,"step_details":` + details + `,"metadata":{},"usage":` + usage + `}`)
}

func tokens(prompt, completion, total string) string {
	return `{"prompt_tokens":` + prompt + `,"completion_tokens":` + completion + `,"total_tokens":` + total +
		`,"prompt_token_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}`
}

// searchDetails are the details of a step that searched, with what its result holds behind the attributes.
func searchDetails(content string) string {
	return `{"type":"tool_calls","tool_calls":[{"id":"call_1","type":"file_search","file_search":{"ranking_options":{"ranker":"default_2024_08_21",` +
		`"score_threshold":0.0},"results":[{"file_id":"file-1","file_name":"a.txt","score":0.5,"attributes":{}` + content + `}]}}]}`
}

// worked has a run do everything that a run can do.
func worked(t *testing.T) (a *api, run string) {
	t.Helper()
	a = newAPI(t, server.WithModel(server.NewScripted(
		server.When(server.Submitted(""), server.Say("Done."), server.Yield(server.Usage{PromptTokens: 5, CompletionTokens: 1})),
		server.Otherwise(
			server.Search(assistants.FileSearchResult{FileID: "file-1", FileName: "a.txt", Score: 0.5,
				Content: []assistants.FileSearchContent{{Text: "found"}}}),
			server.RunCode("print(1)", "1\n"), server.Say("Well."), server.Yield(server.Usage{PromptTokens: 9, CompletionTokens: 4}),
			server.CallFunction("f", `{"a":1}`), server.CallFunction("g", "{}"), server.Yield(server.Usage{PromptTokens: 2, CompletionTokens: 2}),
		))))
	a.create(`{"model":"m"}`)
	run = a.begin(a.thread("Hello"), `{"assistant_id":"asst_1"}`)
	return a, run
}

func TestRunSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, run := worked(t)
		waiting := a.ok("GET", run+"/steps/step_4", "")
		const calls = `{"type":"tool_calls","tool_calls":[{"id":"call_3","type":"function","function":{"name":"f","arguments":"{\"a\":1}","output":null}},` +
			`{"id":"call_4","type":"function","function":{"name":"g","arguments":"{}","output":null}}]}`
		assert.Equal(t, changed(t, stepDocument("step_4", "tool_calls", calls, "null"), `"completed"`, `"in_progress"`,
			at(`"completed_at":NOW`), `"completed_at":null`, `"expires_at":null`, `"expires_at":1700000600`), waiting)

		a.ok("POST", run+"/submit_tool_outputs", `{"tool_outputs":[{"tool_call_id":"call_4","output":null},{"tool_call_id":"call_3","output":"\u00e9\n"}]}`)
		synctest.Wait()
		done := strings.Replace(strings.Replace(calls, `\"a\":1}","output":null`, `\"a\":1}","output":"é\n"`, 1), `"{}","output":null`, `"{}","output":""`, 1)
		want := []string{
			stepDocument("step_1", "tool_calls", searchDetails(""), tokens("0", "0", "0")),
			stepDocument("step_2", "tool_calls", `{"type":"tool_calls","tool_calls":[{"id":"call_2","type":"code_interpreter","code_interpreter":`+
				`{"input":"print(1)","outputs":[{"type":"logs","logs":"1\n"}]}}]}`, tokens("0", "0", "0")),
			stepDocument("step_3", "message_creation", `{"type":"message_creation","message_creation":{"message_id":"msg_2"}}`, tokens("9", "4", "13")),
			stepDocument("step_4", "tool_calls", done, tokens("2", "2", "4")),
			stepDocument("step_5", "message_creation", `{"type":"message_creation","message_creation":{"message_id":"msg_3"}}`, tokens("5", "1", "6")),
		}
		assert.Equal(t, `{"object":"list","data":[`+strings.Join(want, ",")+`],"first_id":"step_1","last_id":"step_5","has_more":false}`,
			a.ok("GET", run+"/steps?order=asc", ""))
		for i, id := range []string{"step_1", "step_2", "step_3", "step_4", "step_5"} {
			assert.Equal(t, want[i], a.ok("GET", run+"/steps/"+id, ""))
		}
		assert.Equal(t, tokens("16", "7", "23"), string(field[json.RawMessage](t, a.ok("GET", run, ""), "usage")), "the sum of the steps")
		for query, page := range map[string]string{
			"":                       "[step_5 step_4 step_3 step_2 step_1] false",
			"limit=2&after=step_4":   "[step_3 step_2] true",
			"limit=2&before=step_2":  "[step_4 step_3] true",
			"order=asc&after=step_4": "[step_5] false",
		} {
			assert.Equal(t, page, a.pageOf(run+"/steps?"+query), query)
		}
	})
}

// Contents of results are for those who ask for them.
func TestIncludeOfSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, run := worked(t)
		const with = `,"content":[{"type":"text","text":"found"}]`
		for query, content := range map[string]string{
			"": "", "?include[]=" + includeContent: with, "?include=" + includeContent: with,
			"?include%5B%5D=step_details.tool_calls%5B%2A%5D.file_search.results%5B%2A%5D.content": with,
			"?include=" + includeContent + "&include=" + includeContent:                            with,
		} {
			step := stepDocument("step_1", "tool_calls", searchDetails(content), tokens("0", "0", "0"))
			assert.Equal(t, step, a.ok("GET", run+"/steps/step_1"+query, ""))
			assert.Contains(t, a.ok("GET", run+"/steps"+query, ""), step)
		}
	})
}

// What a tool is doing can be seen while it does it.
func TestStepThatIsBeingMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		more := make(chan struct{})
		a := newAPI(t, server.WithModel(server.NewScripted(server.Otherwise(
			server.Yield(server.CodeCall{}, server.CodeInput("print(")), server.Until(more), server.Yield(server.CodeInput("1)"), server.CodeLogs("1")), server.Until(more),
			server.Say("Half"), server.Until(more)))))
		a.create(`{"model":"m"}`)
		run := a.begin(a.thread("Hello"), `{"assistant_id":"asst_1"}`)
		for _, tc := range []struct{ step, kind, details string }{
			{"step_1", "tool_calls", `{"type":"tool_calls","tool_calls":[{"id":"call_1","type":"code_interpreter","code_interpreter":{"input":"print(","outputs":[]}}]}`},
			{"step_1", "tool_calls", `{"type":"tool_calls","tool_calls":[{"id":"call_1","type":"code_interpreter","code_interpreter":` +
				`{"input":"print(1)","outputs":[{"type":"logs","logs":"1"}]}}]}`},
			{"step_2", "message_creation", `{"type":"message_creation","message_creation":{"message_id":"msg_2"}}`},
		} {
			want := changed(t, stepDocument(tc.step, tc.kind, tc.details, "null"), `"status":"completed"`, `"status":"in_progress"`,
				at(`"completed_at":NOW`), `"completed_at":null`, `"expires_at":null`, `"expires_at":1700000600`)
			assert.Equal(t, want, a.ok("GET", run+"/steps/"+tc.step, ""))
			assert.Contains(t, a.ok("GET", run+"/steps", ""), want)
			more <- struct{}{}
			synctest.Wait()
		}
		assert.Equal(t, "completed", a.status(run))
		assert.Equal(t, []string{"step_2", "step_1"}, a.ids(run+"/steps"))
	})
}
