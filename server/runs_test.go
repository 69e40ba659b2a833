package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// freshRun is the body of a new run on thread_1 that takes all from an assistant with nothing but a model.
var freshRun = at(`{"id":"run_1","object":"thread.run","created_at":NOW,"assistant_id":"asst_1","thread_id":"thread_1","status":"queued",` +
	`"started_at":null,"expires_at":1700000600,"cancelled_at":null,"failed_at":null,"completed_at":null,"required_action":null,` +
	`"last_error":null,"model":"m","instructions":null,"tools":[],"tool_resources":{},"metadata":{},"temperature":1.0,"top_p":1.0,` +
	`"reasoning_effort":null,"max_completion_tokens":null,"max_prompt_tokens":null,` +
	`"truncation_strategy":{"type":"auto","last_messages":null},"incomplete_details":null,"usage":null,"response_format":"auto",` +
	`"tool_choice":"auto","parallel_tool_calls":true}`)

// changed replaces the values of keys in a document: pairs of what is there and what is to be there.
func changed(t *testing.T, document string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		require.Equal(t, 1, strings.Count(document, pairs[i]), pairs[i])
		document = strings.Replace(document, pairs[i], pairs[i+1], 1)
	}
	return document
}

func TestRunDocument(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, server.WithModel(server.NewScripted(server.Otherwise(
			server.Wait(5*time.Second), server.Yield(server.Usage{PromptTokens: 7, CompletionTokens: 3, CachedTokens: 2, ReasoningTokens: 1})))))
		a.create(`{"model":"m"}`)
		thread := a.thread("Hello")
		assert.Equal(t, freshRun, a.ok("POST", thread+"/runs", `{"assistant_id":"asst_1"}`))
		synctest.Wait()
		a.clock.move(3 * time.Second)
		working := changed(t, freshRun, `"queued"`, `"in_progress"`, `"started_at":null`, at(`"started_at":NOW`))
		assert.Equal(t, working, a.ok("GET", run1, ""))
		assert.Equal(t, `{"object":"list","data":[`+working+`],"first_id":"run_1","last_id":"run_1","has_more":false}`, a.ok("GET", runs, ""))
		<-time.After(5 * time.Second)
		synctest.Wait()
		done := changed(t, working, `"in_progress"`, `"completed"`, `"expires_at":1700000600`, `"expires_at":null`, `"completed_at":null`, `"completed_at":1700000003`,
			`"usage":null`, `"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,"prompt_token_details":{"cached_tokens":2},`+
				`"completion_tokens_details":{"reasoning_tokens":1}}`)
		assert.Equal(t, done, a.ok("GET", run1, ""))
		labelled := changed(t, done, `"metadata":{}`, `"metadata":{"k":"v"}`)
		assert.Equal(t, labelled, a.ok("POST", run1, `{"metadata":{"k":"v"}}`))
		assert.Equal(t, labelled, a.ok("POST", run1, ``))
		assert.Equal(t, done, a.ok("POST", run1, `{"metadata":null}`))
		assert.Equal(t, done, a.ok("GET", run1, ""))
	})
}

// fullAssistant says something about everything that a run can take from it.
const fullAssistant = `{"model":"m","name":"n","instructions":"Be kind.","tools":[{"type":"function","function":{"name":"f"}},{"type":"code_interpreter"}],
	"tool_resources":{"code_interpreter":{"file_ids":["file-1"]}},"metadata":{"of":"assistant"},"temperature":0.5,"top_p":0.25,
	"reasoning_effort":"low","response_format":{"type":"json_object"}}`

// inherited is what a run then is.
func inherited(t *testing.T) string {
	t.Helper()
	return changed(t, freshRun, `"instructions":null`, `"instructions":"Be kind."`, `"temperature":1.0`, `"temperature":0.5`, `"top_p":1.0`, `"top_p":0.25`,
		`"tools":[]`, `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}},"strict":false}},{"type":"code_interpreter"}]`,
		`"reasoning_effort":null`, `"reasoning_effort":"low"`, `"response_format":"auto"`, `"response_format":{"type":"json_object"}`)
}

// What a request does not say, or says to be null, is taken from the assistant or is the default.
func TestRunInherits(t *testing.T) {
	t.Parallel()
	const null = `"model":null,"instructions":null,"tools":null,"temperature":null,"top_p":null,"response_format":null,"metadata":null,"stream":null,
		"max_prompt_tokens":null,"max_completion_tokens":null,"truncation_strategy":null,"tool_choice":null,"parallel_tool_calls":null`
	for target, bodies := range map[string][]string{
		runs:   {`{"assistant_id":"asst_1"}`, `{"assistant_id":"asst_1",` + null + `,"reasoning_effort":null,"additional_instructions":null,"additional_messages":null}`},
		direct: {`{"assistant_id":"asst_1","thread":{"messages":[{"role":"user","content":"x"}]}}`, `{"assistant_id":"asst_1","thread":null,"tool_resources":null,` + null + `}`},
	} {
		for _, body := range bodies {
			a := newAPI(t, server.WithModelNames("m"), server.WithStore(holding(t, "file-1")))
			a.create(fullAssistant)
			if target == runs {
				a.thread("Hello")
			}
			assert.Equal(t, inherited(t), a.ok("POST", target, body), body)
		}
	}
}

func TestRunOverrides(t *testing.T) {
	t.Parallel()
	for given, change := range map[string][]string{
		`"model":"other"`:                       {`"model":"m"`, `"model":"other"`},
		`"instructions":"Be brief."`:            {`"Be kind."`, `"Be brief."`},
		`"instructions":""`:                     {`"Be kind."`, `""`},
		`"tools":[]`:                            {`"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}},"strict":false}},{"type":"code_interpreter"}]`, `"tools":[]`},
		`"temperature":0,"top_p":1`:             {`"temperature":0.5`, `"temperature":0.0`, `"top_p":0.25`, `"top_p":1.0`},
		`"response_format":"auto"`:              {`"response_format":{"type":"json_object"}`, `"response_format":"auto"`},
		`"metadata":{"of":"run"}`:               {`"metadata":{}`, `"metadata":{"of":"run"}`},
		`"max_prompt_tokens":300`:               {`"max_prompt_tokens":null`, `"max_prompt_tokens":300`},
		`"max_completion_tokens":16`:            {`"max_completion_tokens":null`, `"max_completion_tokens":16`},
		`"tool_choice":"required"`:              {`"tool_choice":"auto"`, `"tool_choice":"required"`},
		`"tool_choice":{"type":"file_search"}`:  {`"tool_choice":"auto"`, `"tool_choice":{"type":"file_search"}`},
		`"parallel_tool_calls":false`:           {`"parallel_tool_calls":true`, `"parallel_tool_calls":false`},
		`"truncation_strategy":{"type":"auto"}`: {},
		`"truncation_strategy":{"last_messages":3,"type":"last_messages"}`: {`{"type":"auto","last_messages":null}`, `{"type":"last_messages","last_messages":3}`},
		`"tool_choice":{"function":{"name":"f"},"type":"function"}`:        {`"tool_choice":"auto"`, `"tool_choice":{"type":"function","function":{"name":"f"}}`},
		`"tools":[{"type":"file_search"}]`: {`[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}},"strict":false}},{"type":"code_interpreter"}]`,
			`[{"type":"file_search","file_search":{"ranking_options":{"ranker":"default_2024_08_21","score_threshold":0.0,"hybrid_search":null}}}]`},
	} {
		a := newAPI(t, server.WithStore(holding(t, "file-1")))
		a.create(fullAssistant)
		a.thread("Hello")
		want := changed(t, inherited(t), change...)
		assert.Equal(t, want, a.ok("POST", runs, `{"assistant_id":"asst_1",`+given+`}`))
		got := a.ok("POST", direct, `{"assistant_id":"asst_1",`+given+`,"thread":{"messages":[{"role":"user","content":"x"}]}}`)
		assert.Equal(t, changed(t, want, `"run_1"`, `"run_2"`, `"thread_1"`, `"thread_2"`), got)
	}
}

// These can be said of a run on a thread that is there, and not of one with a new thread.
func TestRunAdditions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ assistant, given, instructions string }{
		{`"Be kind."`, `"additional_instructions":"Be brief."`, `"Be kind.\nBe brief."`},
		{`"Be kind."`, `"instructions":"Be rude.","additional_instructions":"Be brief."`, `"Be rude.\nBe brief."`},
		{`null`, `"additional_instructions":"Be brief."`, `"Be brief."`},
		{`"Be kind."`, `"additional_instructions":""`, `"Be kind."`},
		{`null`, `"additional_instructions":null`, `null`},
		{`null`, `"instructions":"Be <kind> & \u00e9.","additional_instructions":"\"\u2028"`, `"Be <kind> & é.\n\"\u2028"`},
		{`null`, `"reasoning_effort":"high"`, `null`},
	} {
		a := newAPI(t)
		a.create(`{"model":"m","instructions":` + tc.assistant + `}`)
		a.thread("Hello")
		got := a.ok("POST", runs, `{"assistant_id":"asst_1",`+tc.given+`}`)
		assert.Equal(t, tc.instructions, string(field[json.RawMessage](t, got, "instructions")))
		effort := field[json.RawMessage](t, got, "reasoning_effort")
		assert.Equal(t, strings.Contains(tc.given, "high"), string(effort) == `"high"`)
	}
	a := newAPI(t)
	a.create(`{"model":"m"}`)
	thread := a.thread("one")
	a.ok("POST", runs, `{"assistant_id":"asst_1","stream":true,"additional_messages":[{"role":"assistant","content":"two","metadata":{"k":"v"}},{"role":"user","content":"three"}]}`)
	assert.Equal(t, []string{"msg_4", "msg_3", "msg_2", "msg_1"}, a.ids(thread+"/messages"))
	assert.Equal(t, []string{"msg_4"}, a.ids(thread+"/messages?run_id=run_1"), "additional messages are not the run's")
	a.ok("POST", runs, `{"assistant_id":"asst_1","additional_messages":[]}`)
}

// What happens to an assistant later does not reach its runs.
func TestRunIsASnapshot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := overhear(server.When(server.Submitted("f"), server.Say("Done.")), server.Otherwise(server.CallFunction("f", "{}")))
		a := newAPI(t, server.WithModel(model), server.WithStore(holding(t, "file-1")))
		a.create(fullAssistant)
		run := a.begin(a.thread("Hello"), `{"assistant_id":"asst_1"}`)
		before := a.ok("GET", run, "")
		a.ok("POST", "/v1/assistants/asst_1", `{"model":"other","instructions":"Be rude.","tools":[],"tool_resources":null}`)
		assert.Equal(t, before, a.ok("GET", run, ""))
		a.ok("DELETE", "/v1/assistants/asst_1", "")
		assert.Equal(t, before, a.ok("GET", run, ""))
		a.ok("POST", run+"/submit_tool_outputs", `{"tool_outputs":[{"tool_call_id":"call_1","output":"x"}]}`)
		synctest.Wait()
		assert.Equal(t, "completed", a.status(run))
		call := model.last(t)
		assert.Equal(t, "m Be kind. 2 asst_1", fmt.Sprint(call.Model, " ", call.Instructions, " ", len(call.Tools), " ", call.AssistantID))
		assert.Equal(t, []string{"file-1"}, call.ToolResources.CodeInterpreter.FileIDs)
		a.refuses("POST", run[:strings.LastIndex(run, "/")], `{"assistant_id":"asst_1"}`, 404, envelope("No assistant found with id 'asst_1'.", requestError, "", ""))
	})
}

func TestThreadAndRunResources(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := overhear()
		a := newAPI(t, server.WithModel(model), server.WithStore(holding(t, "file-a", "file-s", "file-t", "vs_a", "vs_r")))
		a.create(`{"model":"m","tools":[{"type":"code_interpreter"},{"type":"file_search"}],
			"tool_resources":{"code_interpreter":{"file_ids":["file-a"]},"file_search":{"vector_store_ids":["vs_a"]}}}`)
		got := a.ok("POST", direct, `{"assistant_id":"asst_1","tool_resources":{"file_search":{"vector_store_ids":["vs_r"]}},"metadata":{"of":"run"},
			"thread":{"metadata":{"of":"thread"},"messages":[{"role":"user","content":"x"}],"tool_resources":{"code_interpreter":{"file_ids":["file-t"]},
			"file_search":{"vector_stores":[{"file_ids":["file-s"]}]}}}}`)
		assert.Equal(t, `{"file_search":{"vector_store_ids":["vs_r"]}}`, string(field[json.RawMessage](t, got, "tool_resources")))
		assert.Equal(t, `{"of":"run"}`, string(field[json.RawMessage](t, got, "metadata")))
		thread := a.ok("GET", thread1, "")
		assert.Equal(t, `{"of":"thread"}`, string(field[json.RawMessage](t, thread, "metadata")))
		assert.Equal(t, `{"code_interpreter":{"file_ids":["file-t"]},"file_search":{"vector_store_ids":["vs_1"]}}`,
			string(field[json.RawMessage](t, thread, "tool_resources")))
		synctest.Wait()
		call := model.last(t)
		assert.Equal(t, []string{"file-t", "file-a"}, call.ToolResources.CodeInterpreter.FileIDs)
		assert.Equal(t, []string{"vs_1", "vs_r"}, call.ToolResources.FileSearch.VectorStoreIDs)
	})
}

func TestPagesOfRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.create(`{"model":"m"}`)
		thread := a.thread("Hello")
		assert.Equal(t, emptyList, a.ok("GET", thread+"/runs", ""))
		for range 4 {
			a.begin(thread, `{"assistant_id":"asst_1"}`)
		}
		a.begin(a.thread("Elsewhere"), `{"assistant_id":"asst_1"}`)
		for query, want := range map[string]string{
			"":                              "[run_4 run_3 run_2 run_1] false",
			"limit=2":                       "[run_4 run_3] true",
			"limit=2&after=run_3":           "[run_2 run_1] false",
			"limit=1&before=run_2":          "[run_3] true",
			"order=asc&limit=3":             "[run_1 run_2 run_3] true",
			"order=asc&after=run_4":         "[] false",
			"order=asc&before=run_3":        "[run_1 run_2] false",
			"order=asc&after=run_1&limit=1": "[run_2] true",
		} {
			assert.Equal(t, want, a.pageOf(thread+"/runs?"+query), query)
		}
	})
}

func TestRunsBelongToTheirThread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.create(`{"model":"m"}`)
		a.begin(a.thread("Hello"), `{"assistant_id":"asst_1"}`)
		other := a.thread("Elsewhere")
		none := envelope("No run found with id 'run_1'.", requestError, "", "")
		for _, request := range []string{"GET ", "POST ", "POST /cancel", "GET /steps", "GET /steps/step_1"} {
			method, path, _ := strings.Cut(request, " ")
			a.refuses(method, other+"/runs/run_1"+path, "", 404, none)
		}
		a.refuses("POST", other+"/runs/run_1/submit_tool_outputs", `{"tool_outputs":[]}`, 404, none)
	})
}

// Each of the active statuses can be cancelled, and the answer is the same for all.
func TestCancelByStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, on := inEveryStatus(t)
		for _, status := range []string{"queued", "in_progress", "requires_action"} {
			before := a.ok("GET", on[status], "")
			got := a.ok("POST", on[status]+"/cancel", "")
			assert.Equal(t, "cancelling", field[string](t, got, "status"), status)
			assert.Equal(t, field[int](t, before, "expires_at"), field[int](t, got, "expires_at"), status)
			for _, key := range []string{"cancelled_at", "required_action", "completed_at", "usage"} {
				assert.Equal(t, "null", string(field[json.RawMessage](t, got, key)), status)
			}
			synctest.Wait()
			after := a.ok("GET", on[status], "")
			assert.Equal(t, "cancelled", field[string](t, after, "status"), status)
			assert.Equal(t, 1_700_000_600, field[int](t, after, "cancelled_at"), status)
			assert.Equal(t, "null", string(field[json.RawMessage](t, after, "expires_at")), status)
			thread, _, _ := strings.Cut(on[status], "/runs/")
			a.ok("POST", thread+"/messages", `{"role":"user","content":"The thread is free again."}`)
		}
	})
}
