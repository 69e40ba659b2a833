package replay

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// These tests hold the replay of conversations against a conversation with a server, recorded as the service's were: it
// must be replayed without a difference, and every change to the recording must be found.

// A recorder records exchanges with a server of its own.
type recorder struct {
	t         *testing.T
	handler   http.Handler
	exchanges []*recording.Exchange

	mu   sync.Mutex
	now  int64
	last map[string]int // ids, by prefix
}

func newRecorder(t *testing.T, model server.Model) *recorder {
	r := &recorder{t: t, now: 1700000000, last: make(map[string]int)}
	srv := server.New(
		server.WithModel(model),
		server.WithClock(func() time.Time {
			r.mu.Lock()
			defer r.mu.Unlock()
			return time.Unix(r.now, 0)
		}),
		server.WithIDSource(func(prefix string) string {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.last[prefix]++
			return prefix + "_" + strings.Repeat(string('a'+rune(r.last[prefix]%26)), 4)
		}),
	)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	r.handler = srv
	return r
}

// send makes a request, a few seconds after the one before.
func (r *recorder) send(method, path, query, body string) *recording.Exchange {
	r.mu.Lock()
	r.now += 3
	r.mu.Unlock()
	return r.repeat(method, path, query, body)
}

func (r *recorder) repeat(method, path, query, body string) *recording.Exchange {
	request := httptest.NewRequest(method, "http://service.invalid/v1"+path+"?"+query, strings.NewReader(body))
	request.Header.Set("OpenAI-Beta", "assistants=v2")
	answer := httptest.NewRecorder()
	r.handler.ServeHTTP(answer, request)
	e := exchange(method, "", query, body, answer.Code, answer.Body.String())
	e.Path = "/v1" + path
	e.ResponseHeaders = map[string]string{"Content-Type": answer.Header().Get("Content-Type"), "X-Request-Id": answer.Header().Get("X-Request-Id")}
	return e
}

// record is an exchange that is kept.
func (r *recorder) record(method, path, query, body string) *recording.Exchange {
	e := r.send(method, path, query, body)
	e.Seq = len(r.exchanges)
	r.exchanges = append(r.exchanges, e)
	return e
}

// awaited records how a run is once it is in a status.
func (r *recorder) awaited(path string, status assistants.RunStatus) {
	for e := r.repeat("GET", path, "", ""); lastRun(e).Status != status; e = r.repeat("GET", path, "", "") {
		require.Equal(r.t, http.StatusOK, e.Status)
		runtime.Gosched()
	}
	r.record("GET", path, "", "")
}

// script is a model of which every run does something else, and the channel that the first one waits for.
func script() (server.Model, chan struct{}) {
	release := make(chan struct{})
	result := assistants.FileSearchResult{FileID: "file-1", FileName: "a.txt", Score: 0.5, Content: []assistants.FileSearchContent{{Type: "text", Text: "t"}}}
	logs := []server.ModelEvent{server.CodeCall{}, server.CodeInput("print("), server.CodeInput("1)"), server.CodeLogs("1\n"), server.CodeImage{FileID: "file-2"}}
	return server.NewScripted(
		server.When(server.Submitted("now"), server.Say("It is noon.")),
		server.When(server.Asked("time"), server.Until(release), server.CallFunction("now", `{"zone":1}`), server.CallFunction("now", `{"zone":2}`)),
		server.When(server.Asked("everything"),
			server.Search(result), server.Say("I know "), server.Yield(server.Usage{PromptTokens: 7, CompletionTokens: 2, CachedTokens: 1}), server.Yield(logs...),
			server.Yield(server.Image{FileID: "file-2"}), server.Say("as you see"), server.Cite("file-1", "a.txt"), server.Say(" – really."),
			server.Yield(server.Usage{PromptTokens: 9, CompletionTokens: 5, ReasoningTokens: 3})),
		server.When(server.Asked("long"), server.Say("This is too long"), server.Yield(server.FinishLength)),
		server.When(server.Asked("fail"), server.Say("I "), server.Fail("rate_limit_exceeded", "Slow down.")),
		server.When(server.Asked("wait"), server.Until(nil)),
	), release
}

// conversationServed is a recorded conversation.
func conversationServed(t *testing.T) []*recording.Exchange {
	t.Helper()
	model, release := script()
	r := newRecorder(t, model)
	ask := func(question string) {
		r.record("POST", "/threads/thread_bbbb/messages", "", `{"role":"user","content":"`+question+`"}`)
	}
	const runs = "/threads/thread_bbbb/runs"
	r.record("POST", "/assistants", "", `{"model":"gpt-4o","instructions":"Be kind.","tools":[{"type":"function","function":{"name":"now"}}]}`)
	r.record("POST", "/threads", "", `{"messages":[{"role":"user","content":"What time is it?"}],"metadata":{"a":"b"}}`)
	r.record("POST", runs, "", `{"assistant_id":"asst_bbbb"}`)
	r.awaited(runs+"/run_bbbb", assistants.RunInProgress)
	r.record("POST", "/threads/thread_bbbb/messages", "", `{"role":"user","content":"Well?"}`) // is refused
	close(release)
	r.awaited(runs+"/run_bbbb", assistants.RunRequiresAction)
	r.record("GET", runs+"/run_bbbb/steps", "", "")
	r.record("POST", runs+"/run_bbbb/submit_tool_outputs", "", `{"tool_outputs":[{"tool_call_id":"call_bbbb","output":"noon"},{"tool_call_id":"call_cccc","output":"one"}]}`)
	r.awaited(runs+"/run_bbbb", assistants.RunCompleted)
	r.record("GET", runs+"/run_bbbb/steps", "order=asc", "")
	ask("Tell me everything.")
	r.record("POST", runs, content, `{"assistant_id":"asst_bbbb","stream":true}`)
	r.record("GET", runs+"/run_cccc/steps", content, "")
	ask("Be long.")
	r.record("POST", runs, "", `{"assistant_id":"asst_bbbb","stream":true,"max_completion_tokens":16}`)
	r.record("POST", "/threads/runs", "", `{"assistant_id":"asst_bbbb","stream":true,"thread":{"messages":[{"role":"user","content":"Please fail."}]}}`)
	ask("Now wait.")
	r.record("POST", runs, "", `{"assistant_id":"asst_bbbb"}`)
	r.awaited(runs+"/run_ffff", assistants.RunInProgress)
	r.record("POST", runs+"/run_ffff/cancel", "", "")
	r.awaited(runs+"/run_ffff", assistants.RunCancelled)
	r.record("GET", runs, "limit=3", "")
	r.record("GET", "/threads/thread_bbbb/messages", "order=asc", "")
	r.record("DELETE", "/threads/thread_bbbb", "", "")
	return r.exchanges
}

func TestConversationsAreReplayed(t *testing.T) {
	t.Parallel()
	exchanges := conversationServed(t)
	verdicts := checkServer(exchanges, nil, make(Passed))
	for _, e := range exchanges {
		assert.True(t, verdicts[e].compared, "%v", e)
		assert.Empty(t, verdicts[e].found, "%v", e)
	}
}

// servedChanges are to one exchange of the conversation each, the first that has the path and the old text, with a part
// of what has to be found.
var servedChanges = []struct{ name, path, old, new, found string }{
	{"status of a run that is polled", "/runs/run_bbbb", `"status":"in_progress"`, `"status":"queued"`, `status: got "in_progress", want "queued"`},
	{"status of a run that waits", "/runs/run_bbbb", `"status":"requires_action"`, `"status":"cancelled"`, `status: got "requires_action", want "cancelled"`},
	{"call that is wanted", "/runs/run_bbbb", `"id":"call_cccc"`, `"id":"call_dddd"`, "required_action"},
	{"order of calls", "/runs/run_bbbb/steps", `"id":"call_bbbb"`, `"id":"call_cccc"`, "step_details.tool_calls[0].id"},
	{"time of a run", "/runs/run_bbbb", `"expires_at":17`, `"expires_at":18`, "expires_at: got 17"},
	{"cost of a run", "/runs/run_bbbb", `"total_tokens":`, `"total_tokens":1`, "usage.total_tokens"},
	{"end of a run", "/runs/run_bbbb", `"expires_at":null`, `"expires_at":1`, "expires_at: got null, want 1"},
	{"output of a call", "/runs/run_bbbb/steps", `"output":"noon"`, `"output":"nine"`, `output: got "noon", want "nine"`},
	{"refused message", "/messages", "Can't add", "Cannot add", "error.message: got"},
	{"refused message, status", "/messages", "Can't add", "Can't now add", "error.message: got"},
	{"text of a stream", "/runs", `{"value":" know"}`, `{"value":" knew"}`, `text.value: got "I knew`},
	{"annotations of a stream", "/runs", `"value":"as","annotations":[]`, `"value":"as"`, "got [], want nothing"},
	{"place of a citation", "/runs", `"start_index":`, `"start_index":1`, "start_index"},
	{"result of a search", "/runs", `"score":0.5`, `"score":0.25`, "score"},
	{"content of a result", "/runs", `,"content":[{"type":"text","text":"t"}]`, ``, "content: got"},
	{"logs of code", "/runs", `"logs":"1\n"`, `"logs":"2\n"`, `logs: got`},
	{"resources in a stream", "/runs", `"tool_resources":{"code_interpreter":{"file_ids":[]}}`, `"tool_resources":{}`, "data.tool_resources"},
	{"event left out", "/runs", "event: thread.run.queued\n", "event: thread.run.created\n", `event: got "thread.run.queued"`},
	{"end of a stream", "/runs", "event: done\ndata: [DONE]\n\n", "", "got 39 events, want 38"},
	{"key of an event", "/runs", `"object":"thread.run.step.delta"`, `"object":"thread.run.step.delta","more":1`, "data.more: got nothing, want 1"},
	{"why a message is incomplete", "/runs", `{"reason":"max_tokens"}`, `{"reason":"max_prompt_tokens"}`, "incomplete_details.reason"},
	{"why a run is incomplete", "/runs", `{"reason":"max_completion_tokens"}`, `{"reason":"max_prompt_tokens"}`, "incomplete_details.reason"},
	{"why a run failed", "/threads/runs", `"code":"rate_limit_exceeded"`, `"code":"server_error"`, "last_error.code"},
	{"text of a failed message", "/threads/runs", `"status":"incomplete"`, `"status":"completed"`, "status: got"},
	{"thread of a run", "/threads/runs", `"object":"thread",`, `"object":"threads",`, "data.object"},
	{"cancelling", "/cancel", `"cancelling"`, `"cancelled"`, "status: got 400, want 200"},
	{"cancelled", "/runs/run_ffff", `"status":"cancelled"`, `"status":"completed"`, `status: got "cancelled", want "completed"`},
	{"runs of a list", "/runs", `"has_more":true`, `"has_more":false`, "has_more: got true, want false"},
	{"message of a list", "/messages", `"value":"It is noon."`, `"value":"It is one."`, ""}, // nothing else shows what was said
	{"citation of a list", "/messages", `"file_citation":{"file_id":"file-1"}`, `"file_citation":{"file_id":"file-2"}`, "file_citation.file_id"},
	{"role of a list", "/messages", `"role":"assistant"`, `"role":"user"`, "role: got"},
	{"deletion", "/threads/thread_bbbb", `"thread.deleted"`, `"thread"`, "object: got"},
}

func TestEveryChangeOfAConversationIsFound(t *testing.T) {
	t.Parallel()
	recorded, err := json.Marshal(conversationServed(t))
	require.NoError(t, err)
	for _, c := range servedChanges {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var exchanges []*recording.Exchange
			require.NoError(t, json.Unmarshal(recorded, &exchanges))
			i := slices.IndexFunc(exchanges, func(e *recording.Exchange) bool {
				return strings.HasSuffix(e.Path, c.path) && strings.Contains(e.ResponseText, c.old)
			})
			require.GreaterOrEqual(t, i, 0, "nothing to change")
			answer(c.old, c.new)(exchanges[i])
			var found []string
			for _, v := range checkServer(exchanges, nil, make(Passed)) {
				found = append(found, v.found...)
			}
			if c.found == "" {
				assert.Empty(t, found)
				return
			}
			assert.Contains(t, strings.Join(found, "\n"), c.found)
		})
	}
}

// everything is the exchange with the stream in which everything happens, as if only the answer were known.
func everything(t *testing.T) *recording.Exchange {
	t.Helper()
	all := conversationServed(t)
	i := slices.IndexFunc(all, func(e *recording.Exchange) bool { return e.Streamed() })
	require.GreaterOrEqual(t, i, 0)
	e := all[i]
	e.RequestNotRecorded, e.RequestBody = true, nil
	return e
}

// A stream tells what must have been asked for.
func TestStreamsAreReplayedWithoutTheirRequests(t *testing.T) {
	t.Parallel()
	e := everything(t)
	got := checkServer([]*recording.Exchange{e}, nil, make(Passed))[e]
	assert.True(t, got.compared)
	assert.Empty(t, got.found)

	e.ResponseHeaders["Content-Type"] = "application/json"
	assert.Empty(t, checkServer([]*recording.Exchange{e}, nil, make(Passed)), "a POST without its body")
}

func TestStreamsThatBreakAreReplayed(t *testing.T) {
	t.Parallel()
	const apology = "The server had an error processing your request. Sorry about that! You can retry."
	for message, found := range map[string]string{apology: "", "It failed.": "data.error.message: got"} {
		e := everything(t)
		end := strings.LastIndex(e.ResponseText, "event: thread.message.completed")
		require.Positive(t, end)
		e.ResponseText = e.ResponseText[:end] +
			eventOf("error", `{"error":{"message":"`+message+`","type":"server_error","param":null,"code":null}}`)
		got := strings.Join(checkServer([]*recording.Exchange{e}, nil, make(Passed))[e].found, "\n")
		if found == "" {
			assert.Empty(t, got)
		} else {
			assert.Contains(t, got, found)
		}
	}
}

func TestNoTwoRulesHaveTheSameReason(t *testing.T) {
	t.Parallel()
	for _, rules := range allRules {
		reasons := make(map[string]bool)
		for _, r := range rules {
			assert.False(t, reasons[r.reason], r.reason)
			reasons[r.reason] = true
		}
	}
}

// What the server keeps to itself is no difference to v1; what means something else is.
func TestV1IsReplayedAsV2WhereItMeansTheSame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, body, answer string
		same               bool
	}{
		"thread":                {"", `{}`, `{"id":"thread_1","object":"thread","created_at":1,"metadata":{}}`, true},
		"metadata of no string": {"/thread_1", `{"metadata":{"a":true}}`, `{"id":"thread_1","object":"thread","created_at":1,"metadata":{"a":"True"}}`, false},
		"run with files": {"/thread_1/runs", `{"assistant_id":"asst_1"}`,
			strings.Replace(runStatus("queued"), `"tool_resources":{}`, `"file_ids":["file-1"]`, 1), false},
		"run with nothing to go by":        {"/thread_1/runs", `{"assistant_id":"asst_1"}`, runStatus("queued"), true},
		"thread and run with less than it": {"/runs", `{"assistant_id":"asst_1"}`, runStatus("queued"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := threadExchange("POST", c.path, "", c.body, c.answer)
			e.Beta = "v1"
			got := checkServer([]*recording.Exchange{e}, nil, make(Passed))[e]
			assert.Equal(t, c.same, got.compared)
			assert.Empty(t, got.found)
		})
	}
}
