package conformance

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
)

// checkedStream is a stream as it comes over the socket.
type checkedStream struct {
	name    string
	options string          // more of the body that creates the run
	model   []server.Action // what the model does
	submit  bool            // the stream of outputs is looked at, too
	stop    func(h *host)   // what happens when the model has written something
	last    string          // the event before "done"
	parts   []string        // what must be found in the stream, in this order
}

// twoCalls are two calls of functions with known ids.
func twoCalls() server.Action {
	return server.Yield(
		server.FunctionCall{ID: "call_1", Name: "f", Arguments: `{"a":`}, server.Arguments(`"é`), server.Arguments(`"}`),
		server.FunctionCall{ID: "call_2", Name: "g"}, server.Arguments(`{}`),
	)
}

const submission = `{"stream":true,"tool_outputs":[{"tool_call_id":"call_2","output":"2"},{"tool_call_id":"call_1","output":"1"}]}`

func checkedStreams() []checkedStream {
	waiting := []server.Action{server.Say("One"), server.Until(nil)}
	return []checkedStream{
		{name: "text", model: []server.Action{server.Say("One two\nthree \u2028 \"four\".")}, last: "thread.run.completed"},
		{name: "empty answer", last: "thread.run.completed"},
		{name: "characters in pieces", model: []server.Action{server.Yield(server.Text("\xe2\x82"), server.Text("\xac5\xff"), server.Text("\xf0\x9f"))},
			last: "thread.run.completed", parts: []string{"€5\uFFFD", "\uFFFD"}},
		{name: "parallel functions", model: []server.Action{twoCalls()}, submit: true, last: "thread.run.completed",
			parts: []string{`"required_action":{"type":"submit_tool_outputs"`, "event: thread.run.step.completed\n", `"output":"1"`, `"output":"2"`}},
		{name: "functions behind text", model: []server.Action{server.Say("Let me see."), twoCalls()}, submit: true, last: "thread.run.completed"},
		{name: "code interpreter", model: []server.Action{
			server.RunCode("a = 1\nprint(a)", "1\n"), server.Yield(server.CodeImage{FileID: "file-1"}), server.Say("There."), server.RunCode("b", ""),
		}, last: "thread.run.completed", parts: []string{`"type":"logs","logs":"1\n"`, `"type":"image","image":{"file_id":"file-1"}`}},
		{name: "file search", model: []server.Action{
			server.Search(assistants.FileSearchResult{FileID: "file-1", FileName: "a.md", Score: 1}),
			server.Say("See"), server.Cite("file-1", "a.md"), server.Say("."),
		}, last: "thread.run.completed", parts: []string{`"file_name":"a.md"`, `"type":"file_citation"`}},
		{name: "image and path", model: []server.Action{
			server.Say("See sandbox:/a.csv"), server.Yield(
				server.FilePath{Path: "sandbox:/a.csv", FileID: "file-1"}, server.Image{FileID: "file-2"}, server.Image{FileID: "file-3"},
			), server.Say("Done."),
		}, last: "thread.run.completed",
			parts: []string{`"type":"file_path"`, `"index":1,"type":"image_file"`, `"index":2,"type":"image_file"`, `"index":3,"type":"text"`}},
		{name: "refusal", model: []server.Action{server.Yield(server.Refusal("No"), server.Refusal("."))},
			last: "thread.run.completed", parts: []string{`"refusal":"No."`}},
		{name: "length", options: `,"max_completion_tokens":16`, model: []server.Action{server.Say(strings.Repeat("word ", 50))},
			last: "thread.run.incomplete", parts: []string{`"max_tokens"`, `"max_completion_tokens"}`}},
		{name: "length, said by the model", model: []server.Action{server.Say("One"), server.Yield(server.FinishLength)}, last: "thread.run.incomplete"},
		{name: "prompt length", model: []server.Action{server.Say("One"), server.Yield(server.FinishPromptLength)},
			last: "thread.run.incomplete", parts: []string{"event: thread.message.completed\n", `{"reason":"max_prompt_tokens"}`}},
		{name: "prompt length before all", options: `,"max_prompt_tokens":16,"instructions":"` + strings.Repeat("word ", 50) + `"`,
			last: "thread.run.incomplete", parts: []string{`{"reason":"max_prompt_tokens"}`}},
		{name: "content filter", model: []server.Action{server.Say("One"), server.Yield(server.FinishContentFilter)}, last: "thread.run.incomplete"},
		{name: "failure", model: []server.Action{server.Fail("invalid_prompt", "No.")},
			last: "thread.run.failed", parts: []string{`{"code":"invalid_prompt","message":"No."}`}},
		{name: "failure behind text", model: []server.Action{server.Say("One"), server.Fail("server_error", "No.")},
			last: "thread.run.failed", parts: []string{"event: thread.message.incomplete\n", "event: thread.run.step.failed\n"}},
		{name: "failure behind a call", model: []server.Action{twoCalls(), server.Fail("server_error", "No.")},
			last: "thread.run.failed", parts: []string{"event: thread.run.step.failed\n"}},
		{name: "cancelled", model: waiting, stop: func(h *host) { h.send("POST", "/threads/"+h.threadID+"/runs/"+h.runID+"/cancel", "") },
			last:  "thread.run.cancelled",
			parts: []string{"event: thread.run.cancelling\n", "event: thread.message.incomplete\n", "event: thread.run.step.cancelled\n"}},
		{name: "expired", model: waiting, stop: func(h *host) {
			h.clock.move(11 * time.Minute)
			h.send("GET", "/threads/"+h.threadID+"/runs/"+h.runID, "")
		}, last: "thread.run.expired", parts: []string{"event: thread.message.incomplete\n", "event: thread.run.step.expired\n"}},
		{name: "thread deleted", model: waiting, stop: func(h *host) { h.send("DELETE", "/threads/"+h.threadID, "") }, last: "thread.run.cancelled"},
		{name: "server closed", model: waiting, stop: func(h *host) { require.NoError(h.t, h.server.Close()) },
			last: "thread.run.failed", parts: []string{"event: thread.run.step.failed\n", "The server was shut down."}},
	}
}

// host is a server and a run on it, spoken to in plain HTTP.
type host struct {
	t               *testing.T
	server          *server.Server
	address         string
	clock           *clock
	threadID, runID string
}

func newHost(t *testing.T, model ...server.Action) *host {
	h := &host{t: t, clock: movable()}
	h.server, h.address = serve(t, server.WithClock(h.clock.Now), server.WithModel(server.NewScripted(
		server.When(server.Submitted(""), server.Say("So it is.")), server.Otherwise(model...),
	)))
	return h
}

// open sends a request and returns the body of the answer.
func (h *host) open(method, path, body string) io.ReadCloser {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.address+"/v1"+path, strings.NewReader(body))
	require.NoError(h.t, err)
	request.Header.Set("OpenAI-Beta", "assistants=v2")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(h.t, err)
	require.Equal(h.t, http.StatusOK, answer.StatusCode)
	return answer.Body
}

// send sends a request and returns the answer.
func (h *host) send(method, path, body string) string {
	h.t.Helper()
	answer := h.open(method, path, body)
	defer answer.Close()
	all, err := io.ReadAll(answer)
	require.NoError(h.t, err)
	return string(all)
}

// check checks a stream while it comes, and returns it. When the model has written something, the run is stopped.
func (h *host) check(stream io.ReadCloser, stop func(*host)) string {
	h.t.Helper()
	defer stream.Close()
	watched := &watch{Reader: stream, mark: "event: thread.message.delta\n", do: func(seen string) {
		h.threadID, h.runID = threadIDs.FindString(seen), runIDs.FindString(seen)
		if stop != nil {
			stop(h)
		}
	}}
	require.NoError(h.t, assistantstest.CheckStream(watched), watched.seen.String())
	return watched.seen.String()
}

var threadIDs, runIDs = regexp.MustCompile(`thread_\w{24}`), regexp.MustCompile(`run_\w{24}`)

// watch is a reader that does something once it has read something.
type watch struct {
	io.Reader
	seen bytes.Buffer
	mark string
	do   func(seen string)
}

func (w *watch) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.seen.Write(p[:n])
	if w.do != nil && strings.Contains(w.seen.String(), w.mark) {
		w.do(w.seen.String())
		w.do = nil
	}
	return n, err
}

func TestStreamsKeepTheRules(t *testing.T) {
	t.Parallel()
	for _, c := range checkedStreams() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, c.model...)
			assistant := regexp.MustCompile(`asst_\w+`).FindString(h.send("POST", "/assistants", `{"model":"m"}`))
			run := `{"stream":true,"assistant_id":"` + assistant + `"` + c.options
			thread := threadIDs.FindString(h.send("POST", "/threads", `{"messages":[{"role":"user","content":"Hello."}]}`))
			first := h.check(h.open("POST", "/threads/"+thread+"/runs", run+"}"), c.stop)
			requireBeginning(t, first, "thread.run.created")
			whole := first
			if c.submit {
				requireEnd(t, first, "thread.run.requires_action")
				second := h.check(h.open("POST", "/threads/"+thread+"/runs/"+runIDs.FindString(first)+"/submit_tool_outputs", submission), nil)
				requireBeginning(t, second, "thread.run.step.completed")
				whole += second
			}
			requireEnd(t, whole, c.last)
			for rest, i := whole, 0; i < len(c.parts); i++ {
				_, behind, found := strings.Cut(rest, c.parts[i])
				require.True(t, found, "%s in %s", c.parts[i], rest)
				rest = behind
			}
			if c.name == "server closed" {
				return
			}
			together := h.check(h.open("POST", "/threads/runs", run+`,"thread":{"messages":[{"role":"user","content":"Hello."}]}}`), c.stop)
			requireBeginning(t, together, "thread.created")
		})
	}
}

func requireBeginning(t *testing.T, stream, event string) {
	t.Helper()
	require.Truef(t, strings.HasPrefix(stream, "event: "+event+"\n"), "begins with %s: %s", event, stream)
}

// requireEnd requires a stream to end with an event and "done" behind it.
func requireEnd(t *testing.T, stream, event string) {
	t.Helper()
	rest, done := strings.CutSuffix(stream, "event: done\ndata: [DONE]\n\n")
	require.True(t, done, stream)
	last := rest[strings.LastIndex(rest, "event: "):]
	require.Truef(t, strings.HasPrefix(last, "event: "+event+"\n"), "ends with %s: %s", event, last)
}
