package responses_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/responses"
)

// rich is a stream with something of everything.
func rich() []string {
	asks := code("ci_1", "print(1)", `[{"type":"logs","logs":"1"}]`)
	found := search("fs_1", `[{"file_id":"file-p","filename":"a.txt","score":0.5,"text":"A"}]`)
	cited := `{"type":"file_citation","file_id":"file-p","filename":"a.txt","index":5}`
	says := message("msg_1", "Hello.", cited)
	call := function("fc_1", "call_a", `{"x":1}`)
	return []string{
		created(), added(0, thought), done(0, thought),
		added(1, code("ci_1", "", "null")), delta2("code_interpreter_call_code", 1, "print("), delta2("code_interpreter_call_code", 1, "1)"),
		`{"type":"response.code_interpreter_call_code.done","output_index":1,"code":"print(1)"}`, done(1, asks),
		added(2, search("fs_1", "null")), `{"type":"response.file_search_call.searching","output_index":2}`, done(2, found),
		added(3, opened("msg_1")), text(3, "Hel"), text(3, "lo"), annotated(3, 0, cited), text(3, "."), done(3, says),
		added(4, function("fc_1", "call_a", "")), delta2("function_call_arguments", 4, `{"x":`), delta2("function_call_arguments", 4, "1}"),
		done(4, call), completed(thought, asks, found, says, call),
	}
}

// A stream that is cut anywhere, by its end or by the connection's, is a run that fails.
func TestCut(t *testing.T) {
	t.Parallel()
	h := build(t, stream(rich()...))
	require.Equal(t, []string{"code: print(1) > 1", "search default_2024_08_21 0: file-p a.txt 0.5 A",
		"message: Hello【4:0†a.txt】. [file_citation 【4:0†a.txt】 5-16]", `function f({"x":1}) call_a`, "requires_action"}, told(t, h, h.ask(functionTool)))
	all := rich()
	for n := range all {
		for name, end := range map[string]func(http.ResponseWriter){
			"end": func(http.ResponseWriter) {}, "reset": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
			"done":           func(w http.ResponseWriter) { _, _ = io.WriteString(w, "data: [DONE]\n\n") },
			"half":           func(w http.ResponseWriter) { _, _ = io.WriteString(w, "data: "+all[n][:len(all[n])-1]) },
			"half an object": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "data: "+all[n][:len(all[n])-1]+"\n\n") },
		} {
			t.Run(fmt.Sprintf("%s behind %d", name, n), func(t *testing.T) {
				t.Parallel()
				h := build(t, func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, frames(all[:n]))
					w.(http.Flusher).Flush()
					end(w)
				})
				run := h.ask(functionTool).Run()
				require.Equal(t, assistants.RunFailed, run.Status)
				assert.EqualValues(t, "server_error", run.LastError.Code)
			})
		}
	}
}

// An error of the provider is the run's, as far as it may be shown.
func TestProviderErrors(t *testing.T) {
	t.Parallel()
	body := func(code string) string {
		return `{"error":{"message":"It is so, ` + providerKey + `.","type":"x","code":"` + code + `","param":null}}`
	}
	const told1 = "It is so, [redacted]."
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"400":                {status(400, body("unknown_parameter")), "server_error: " + told1},
		"400 for the prompt": {status(400, body("invalid_image_url")), "invalid_prompt: " + told1},
		"401":                {status(401, body("invalid_api_key")), "server_error: The model's provider did not accept the key of this server."},
		"404":                {status(404, body("model_not_found")), "server_error: " + told1},
		"429":                {status(429, body("rate_limit_exceeded"), "Retry-After", "3600"), "rate_limit_exceeded: " + told1},
		"500":                {status(500, body("server_error")), "server_error: " + told1},
		"event":              {stream(created(), `{"type":"error","code":"rate_limit_exceeded","message":"It is so, `+providerKey+`.","param":null}`), "rate_limit_exceeded: " + told1},
		"event with an error": {
			stream(created(), `{"type":"error","error":{"type":"x","code":"invalid_prompt","message":"It is so, `+providerKey+`."}}`), "invalid_prompt: " + told1,
		},
		"only an error":           {stream(body("server_error")), "server_error: " + told1},
		"an error with a number":  {stream(`{"error":{"code":503,"message":"It is so."}}`), "server_error: It is so."},
		"an error that is a word": {stream(`{"error":"It is so."}`), "server_error: It is so."},
		"an error without words":  {stream(`{"type":"error"}`), "server_error: The model's provider reported an error."},
		"failed": {
			stream(text(0, "Hel"), `{"type":"response.failed","response":{"status":"failed","error":{"code":"bio_policy","message":"It is so, `+providerKey+`."}}}`),
			"invalid_prompt: " + told1,
		},
		"failed, no error":          {stream(`{"type":"response.failed","response":{"status":"failed"}}`), "server_error: The model's answer is not complete."},
		"no response":               {stream(`{"type":"response.completed"}`), "server_error: The model's answer broke off."},
		"another form":              {stream(`{"type":"response.output_text.delta","output_index":0,"delta":{"text":"x"}}`), "server_error: The model's answer broke off."},
		"no item":                   {stream(`{"type":"response.output_item.added","output_index":0}`), "server_error: The model's answer broke off."},
		"no JSON":                   {stream(`Hello!`), "server_error: The model's answer broke off."},
		"no event":                  {status(200, "\n\n"), "server_error: The model's answer broke off."},
		"a function without a name": {stream(completed(`{"type":"function_call","call_id":"c","arguments":"{}"}`)), "server_error: The model's answer broke off."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, test.answer)
			run := h.ask(functionTool).Run()
			require.Equal(t, assistants.RunFailed, run.Status)
			assert.Contains(t, string(run.LastError.Code)+": "+run.LastError.Message, test.want)
			assert.NotContains(t, run.LastError.Message, providerKey)
		})
	}
	for _, page := range []http.HandlerFunc{status(200, "<html>Sign in</html>"), status(502, "<html>Bad gateway</html>", "Content-Type", "text/html")} {
		h := build(t, page)
		run := h.ask().Run()
		require.Equal(t, assistants.RunFailed, run.Status)
		assert.NotContains(t, run.LastError.Message, "<")
	}
}

// What an answer has cost that is none is booked.
func TestUsageOfFailures(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"failed":     `{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"No."},"usage":` + someUsage + `}}`,
		"incomplete": incomplete("boredom"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, stream(text(0, "Hel"), end))
			run := h.ask().Run()
			require.Equal(t, assistants.RunFailed, run.Status)
			assert.Equal(t, 15, run.Usage.TotalTokens)
		})
	}
}

// A provider that cannot be reached has no address that a caller sees.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	provider, err := assistants.NewClient(assistants.WithBaseURL("http://secret-host.invalid/v1"), assistants.WithAPIKey(providerKey),
		assistants.WithMaxRetries(0), assistants.WithHTTPClient(&http.Client{Transport: unreachable{}}))
	require.NoError(t, err)
	h := build(t, nil)
	*h.model = *responses.New(provider)
	run := h.ask().Run()
	require.Equal(t, assistants.RunFailed, run.Status)
	assert.Equal(t, "The model's provider could not be reached.", run.LastError.Message)
}

type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection reset by secret-host")
}

// Nothing grows without bounds, whatever comes.
func TestGiants(t *testing.T) {
	t.Parallel()
	mib := strings.Repeat("x", 1<<20)
	for name, event := range map[string]string{
		"arguments": delta2("function_call_arguments", 0, mib), "text": text(0, mib), "waiting text": text(1, mib),
		"items": done(0, `{"type":"magic","content":"`+mib+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stopped := make(chan int, 1)
			h := build(t, func(w http.ResponseWriter, _ *http.Request) {
				sent := 0
				defer func() { stopped <- sent }()
				_, _ = io.WriteString(w, frames([]string{added(0, opened("a"))}))
				for ; sent < 64; sent++ {
					if _, err := io.WriteString(w, frames([]string{event})); err != nil {
						return
					}
				}
			})
			run := h.ask(functionTool).Run()
			require.Equal(t, assistants.RunFailed, run.Status)
			assert.EqualValues(t, "server_error", run.LastError.Code)
			assert.Less(t, <-stopped, 20, "MiB")
		})
	}
	t.Run("one event", func(t *testing.T) {
		t.Parallel()
		h := build(t, stream(text(0, strings.Repeat(mib, 33))))
		assert.Equal(t, assistants.RunFailed, h.ask().Run().Status)
	})
}

// hanging is an answer that begins and goes on only when its reader is gone.
func hanging(gone chan<- struct{}, events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, frames(events))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	}
}

// A run that is cancelled, or expires, or whose server is closed, lets go of its provider at once.
func TestLettingGo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(t *testing.T, h *house, run *assistants.Run)
		want assistants.RunStatus
	}{
		"cancelled": {func(t *testing.T, h *house, run *assistants.Run) {
			_, err := h.Runs.Cancel(t.Context(), run.ThreadID, run.ID)
			require.NoError(t, err)
		}, assistants.RunCancelled},
		"expired": {func(_ *testing.T, _ *house, _ *assistants.Run) { <-time.After(11 * time.Minute) }, assistants.RunExpired},
		"closed": {func(t *testing.T, h *house, _ *assistants.Run) {
			require.NoError(t, h.server.Close())
		}, assistants.RunFailed},
	} {
		for _, events := range [][]string{nil, {created(), text(0, "Hel")}} {
			t.Run(fmt.Sprintf("%s behind %d", name, len(events)), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					gone := make(chan struct{})
					h := build(t, hanging(gone, append(events, `{"type":"keepalive"}`)...))
					s := h.begin(assistants.AssistantCreateParams{}, assistants.RunCreateParams{})
					for _, err := range s.Events() {
						require.NoError(t, err)
						if run := s.Run(); run != nil && run.Status == assistants.RunInProgress && (events == nil || len(s.Messages()) > 0) {
							break
						}
					}
					run := s.Run()
					synctest.Wait()
					test.end(t, h, run)
					synctest.Wait()
					select {
					case <-gone:
					default:
						t.Error("the provider is still asked")
					}
					if name != "closed" {
						run, err := h.Runs.Retrieve(t.Context(), run.ThreadID, run.ID)
						require.NoError(t, err)
						assert.Equal(t, test.want, run.Status)
					}
					_ = s.Close()
				})
			})
		}
	}
}

// Whoever stops ranging over an answer closes its stream.
func TestStopping(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	h := build(t, hanging(gone, text(0, "Hel")))
	for e, err := range h.model.Respond(t.Context(), &server.ModelCall{Model: "gpt-4o", Temperature: 1, TopP: 1}) {
		require.NoError(t, err)
		require.Equal(t, server.NewMessage{}, e)
		break
	}
	<-gone
}
