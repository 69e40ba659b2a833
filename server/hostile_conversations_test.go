package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// postTargets are all addresses about conversations that take a body.
var postTargets = []string{
	threads, thread1, messages, message1, runs, run1, direct, submit, run1 + "/cancel", "/v1/threads/thread_2/runs/run_2/submit_tool_outputs",
}

// Small or large, what a body cannot be is refused in few words.
func TestHostileBodiesOfConversations(t *testing.T) {
	t.Parallel()
	const size = 1 << 18
	a := newAPI(t, server.WithMaxBodyBytes(2<<20))
	a.create(`{"model":"m"}`)
	a.ok("POST", a.thread("Hello")+"/runs", `{"assistant_id":"asst_1","stream":true}`)
	for name, body := range map[string]string{
		"too large":      `{"metadata":{"k":"` + strings.Repeat("x", 2<<20) + `"}}`,
		"deep":           `{"messages":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`,
		"deeper":         `{"messages":` + strings.Repeat(`[{"content":`, 20_000),
		"open":           strings.Repeat(`{"thread":`, size/10),
		"not UTF-8":      "{\"role\":\"user\",\"content\":\"\xc3\x28\"}",
		"zero byte":      "{\"role\":\"user\",\"content\":\"\x00\"}",
		"many keys":      `{` + strings.Repeat(`"role":"user",`, size/14) + `"x":1}`,
		"many messages":  `{"messages":[` + strings.Repeat(`{},`, size/3) + `{}]}`,
		"many outputs":   `{"tool_outputs":[` + strings.Repeat(`{},`, size/3) + `{}]}`,
		"many labels":    `{"metadata":{` + pairs(size/12) + `}}`,
		"a long number":  `{"max_prompt_tokens":` + strings.Repeat("9", size) + `}`,
		"a long word":    `{"role":"` + strings.Repeat("\u2028", size/3) + `"}`,
		"a long unknown": `{"` + strings.Repeat(`\u0000`, size/6) + `":1}`,
	} {
		for _, target := range postTargets {
			got := a.do("POST", target, body)
			assert.GreaterOrEqual(t, got.status, 400, "%s at %s", name, target)
			assert.Less(t, got.status, 500, "%s at %s", name, target)
			assert.Less(t, len(got.body), 8192, "%s at %s", name, target)
			assert.True(t, json.Valid([]byte(got.body)), "%s at %s", name, target)
		}
	}
	assert.Equal(t, 413, a.do("POST", messages, `{"role":"user","content":"`+strings.Repeat("x", 2<<20)+`"}`).status)
}

// Text comes back as it was sent, and what is no text as U+FFFD, wherever it is shown.
func TestOddTextInConversations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := overhear(server.Otherwise(server.Reply(func(c *server.ModelCall) string { return c.LastUserMessage().Text() })))
		a := newAPI(t, server.WithModel(model))
		a.create(`{"model":"m"}`)
		for sent, text := range map[string]string{
			`"\u0000"`: "\x00", `"\ud83d"`: "\uFFFD", `"\ude00\ud83d"`: "\uFFFD\uFFFD", `"\ud83d\ude00"`: "😀", `"</script>\u2028"`: "</script>\u2028",
			`"event: done\n\ndata: [DONE]\n\n"`: "event: done\n\ndata: [DONE]\n\n", `"\r\n\u0085"`: "\r\n\u0085", "\"\uFEFF\"": "\uFEFF",
		} {
			thread := "/v1/threads/" + a.made("/v1/threads", `{"messages":[{"role":"user","content":`+sent+`}],"metadata":{`+sent+`:`+sent+`}}`)
			assert.Equal(t, map[string]string{text: text}, field[map[string]string](t, a.ok("GET", thread, ""), "metadata"))
			stream := a.ok("POST", thread+"/runs", `{"assistant_id":"asst_1","stream":true}`)
			names := events(stream)
			require.Equal(t, []string{"thread.run.completed", "done"}, names[len(names)-2:], sent)
			assert.Len(t, names, strings.Count(stream, "\n\n"), "a text must not break the frames")
			assert.Equal(t, []string{"user: " + text}, said(model.last(t)))
			var list struct {
				Data []struct {
					Content []struct{ Text struct{ Value string } }
				}
			}
			require.NoError(t, json.Unmarshal([]byte(a.ok("GET", thread+"/messages", "")), &list))
			for _, m := range list.Data {
				assert.Equal(t, text, m.Content[0].Text.Value)
			}
		}
	})
}

// Elements of a path are what they decode to, and never lead anywhere else.
func TestOddPathsOfConversations(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.thread("Hello")
	for path, want := range map[string]string{
		"/v1/threads//messages":                                           "Invalid URL (GET /v1/threads//messages)",
		"/v1/threads/thread_1/../thread_1/messages":                       "Invalid URL (GET /v1/threads/thread_1/../thread_1/messages)",
		"/v1/threads/thread_1/./messages":                                 "Invalid URL (GET /v1/threads/thread_1/./messages)",
		"/v1/threads/thread_1%2Fmessages":                                 "No thread found with id 'thread_1/messages'.",
		"/v1/threads/thread_1%2fmessages%2Fmsg_1/messages":                "No thread found with id 'thread_1/messages/msg_1'.",
		"/v1/threads/thread_1/messages/msg_1%00":                          "No message found with id 'msg_1\x00'.",
		"/v1/threads/thread_1/messages/msg_%27%22%5C":                     `No message found with id 'msg_'"\'.`,
		"/v1/threads/thread_1/messages/msg_%FF":                           "No message found with id 'msg_\uFFFD'.",
		"/v1/threads/thread_1/runs/run_%3Cscript%3E":                      "No run found with id 'run_<script>'.",
		"/v1/threads/thread_%20/messages":                                 "No thread found with id 'thread_ '.",
		"/v1/threads/thread_1/messages?run_id=%22&after=%22":              `No message found with id '"'.`,
		"/v1/threads/" + "thread_" + strings.Repeat("a", 100_000):         "No thread found with id 'thread_" + strings.Repeat("a", 505) + "…'.",
		"/v1/threads/thread_1/messages?after=" + strings.Repeat("é", 600): "No message found with id '" + strings.Repeat("é", 256) + "…'.",
	} {
		got := a.do("GET", path, "")
		assert.Equal(t, envelope(want, requestError, "", ""), got.body)
		assert.Equal(t, 404, got.status)
	}
	assert.Contains(t, a.do("GET", "/v1/threads/../messages", "").body, "Invalid 'thread_id': '..'.", "two dots are an id like any other")
}

// As many messages at once as a run can be given in a body.
func TestThousandAdditionalMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, model := listening(t, `{"model":"m"}`)
		thread := a.thread()
		a.begin(thread, `{"assistant_id":"asst_1","additional_messages":[`+items(1000, `{"role":"user","content":"x"}`)+`]}`)
		assert.Len(t, model.last(t).History, 1000)
		assert.Equal(t, []string{"msg_1001", "msg_1000"}, a.ids(thread+"/messages?limit=2"))
	})
}

// Calls may have any id that a model makes up.
func TestOddCallIDs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const odd = "call_'\"\\\n"
		a, model := listening(t, `{"model":"m"}`, server.When(server.Submitted("f\"")),
			server.Otherwise(server.Yield(server.FunctionCall{ID: odd, Name: "f\"", Arguments: "no JSON: \xff"})))
		run := a.begin(a.thread("Hello"), `{"assistant_id":"asst_1"}`)
		a.refuses("POST", run+"/submit_tool_outputs", `{"tool_outputs":[]}`, 400,
			envelope("Expected tool outputs for call_ids ['call_\\'\"\\\\\n'], got []", requestError, "", ""))
		a.ok("POST", run+"/submit_tool_outputs", `{"tool_outputs":[{"tool_call_id":`+quoted(odd)+`,"output":"x"}]}`)
		synctest.Wait()
		assert.Equal(t, "completed", a.status(run))
		assert.Equal(t, []string{"user: Hello", "f\"(no JSON: \uFFFD) = x"}, said(model.last(t)))
	})
}

// FuzzConversation sends anything anywhere: it is refused or done, and neither breaks the server.
func FuzzConversation(f *testing.F) {
	for i, body := range []string{
		`{"messages":[{"role":"user","content":[{"type":"text","text":"\ud800"}],"attachments":[{"file_id":"f","tools":[{"type":"file_search"}]}]}]}`,
		`{"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]}},"metadata":{"":""}}`,
		`{"role":"assistant","content":"x"}`, `{"metadata":null}`,
		`{"assistant_id":"asst_1","additional_messages":[{"role":"user","content":"x"}],"max_prompt_tokens":16,"truncation_strategy":{"type":"last_messages","last_messages":1}}`,
		`{}`, `{"assistant_id":"asst_1","thread":{"messages":[{"role":"user","content":"call"}]},"stream":true}`,
		`{"tool_outputs":[{"tool_call_id":"call_1","output":"x"},{"tool_call_id":"call_1"}]}`, ``, `{"tool_outputs":[{"tool_call_id":"call_1"}],"stream":true}`,
	} {
		f.Add(uint8(i), "", []byte(body))
		f.Add(uint8(i), "?include[]=x&limit=1&before=%22", []byte(body))
		f.Add(uint8(i), "/../%2f", []byte(body))
	}
	f.Fuzz(func(t *testing.T, target uint8, more string, body []byte) {
		a := newAPI(t, server.WithModel(server.NewScripted(
			server.When(server.Asked("call"), server.CallFunction("f", "{}")), server.Otherwise(server.Say("Hi.")))))
		a.create(`{"model":"m"}`)
		a.ok("POST", a.thread("Hello")+"/runs", `{"assistant_id":"asst_1","stream":true}`)
		a.ok("POST", a.thread("call")+"/runs", `{"assistant_id":"asst_1","stream":true}`)

		path := postTargets[int(target)%len(postTargets)]
		address, err := url.Parse(path + more)
		if err != nil {
			address = &url.URL{Path: path + more}
		}
		r := &http.Request{Method: "POST", URL: address, Header: http.Header{"Openai-Beta": {"assistants=v2"}}, Body: http.NoBody}
		if len(body) > 0 {
			r = httptest.NewRequest("POST", "/", strings.NewReader(string(body)))
			r.URL, r.Header = address, http.Header{"Openai-Beta": {"assistants=v2"}}
		}
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		assert.Less(t, w.Code, 500)
		assert.True(t, utf8.Valid(w.Body.Bytes()))
		if w.Header().Get("Content-Type") == "application/json" {
			assert.True(t, w.Body.Len() == 0 || json.Valid(w.Body.Bytes()), w.Body.String())
			return
		}
		if w.Code == 200 {
			assert.True(t, strings.HasSuffix(w.Body.String(), "event: done\ndata: [DONE]\n\n"), w.Body.String())
		}
	})
}
