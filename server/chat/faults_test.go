package chat_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
)

// A provider that fails makes runs fail that say why, and never with a credential.
func TestFailures(t *testing.T) {
	t.Parallel()
	const brokeOff = "The model's answer broke off."
	for _, test := range []struct {
		name    string
		answer  http.HandlerFunc
		code    string
		message string
	}{
		{"400", says(400, `{"error":{"message":"No such thing as `+key+`.","code":"context_length_exceeded"}}`), "invalid_prompt", "No such thing as [redacted]."},
		{"400 about the request", says(400, `{"error":{"message":"Unknown field.","code":"unknown_parameter"}}`), "server_error", "Unknown field."},
		{"401", says(401, `{"error":{"message":"Incorrect API key provided: `+key+`."}}`), "server_error", "The model's provider did not accept the key of this server."},
		{"404", says(404, `{"error":{"message":"The model 'm' does not exist."}}`), "server_error", "The model 'm' does not exist."},
		{"429", says(429, `{"error":{"message":"Slow down."}}`, "Retry-After", "1"), "rate_limit_exceeded", "Slow down."},
		{"500", says(500, `{"error":{"message":"Oops."}}`), "server_error", "Oops."},
		{"502", says(502, "<html><body>Bad gateway, "+key+"</body></html>"), "server_error", "Bad Gateway"},
		{"a page", says(200, "<html><body>Sign in</body></html>"), "server_error", "The model's provider answered with a page instead of a model's answer."},
		{"reset", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "server_error", "The model's provider could not be reached."},
		{"nothing", says(200, ""), "server_error", brokeOff},
		{"no choices", says(200, `{}`), "server_error", brokeOff},
		{"nothing but the end", streams(done), "server_error", brokeOff},
		{"usage first, then cut", streams(`{"choices":[],"usage":{}}`, word("Hi")), "server_error", brokeOff},
		{"usage in every piece, then cut", streams(`{"choices":[{"delta":{"content":"H"}}],"usage":{}}`, `{"choices":[{"delta":{"content":"i"}}],"usage":{}}`), "server_error", brokeOff},
		{"an odd part", streams(delta(`"content":[{"type":"text","text":{"value":"Hi"}}]`), done), "server_error", brokeOff},
		{"aborted", streams(word("Hi"), finish("abort"), done), "server_error", "The model's provider reported an error."},
		{"no JSON", streams("hello "+key, done), "server_error", brokeOff},
		{"text that is a number", streams(delta(`"content":1`), done), "server_error", brokeOff},
		{"choices that are none", streams(`{"choices":"a"}`, done), "server_error", brokeOff},
		{"reset behind text", func(w http.ResponseWriter, r *http.Request) {
			streams(word("Hi"))(w, r)
			panic(http.ErrAbortHandler)
		}, "server_error", brokeOff},
		{"error in the stream", streams(word("Hi"), `{"error":{"message":"Bad `+key+`.","type":"server_error","code":null}}`), "server_error", "Bad [redacted]."},
		{"error that is a word", streams(`{"error":"Bad."}`, done), "server_error", "Bad."},
		{"error with a number", streams(`{"error":{"message":"Slow down.","code":429}}`), "rate_limit_exceeded", "Slow down."},
		{"error of a type", streams(`{"error":{"message":"Too long.","type":"context_length_exceeded","code":400}}`), "invalid_prompt", "Too long."},
		{"error without a message", streams(`{"error":{"code":"x"}}`), "server_error", "The model's provider reported an error."},
		{"error that is odd", streams(`{"error":[1]}`), "server_error", "[1]"},
		{"error at the top", streams(`{"object":"error","message":"Bad.","code":500}`), "server_error", "Bad."},
		{"error without its name", streams(`{"message":"Bad."}`), "server_error", "Bad."},
		{"error in detail", says(200, `{"detail":"Bad."}`), "server_error", "Bad."},
		{"error behind the end", streams(word("Hi"), finish("stop"), `{"error":{"message":"Bad."}}`), "server_error", "Bad."},
		{"error whole", says(200, `{"error":{"message":"Bad `+key+`."}}`), "server_error", "Bad [redacted]."},
		{"too many calls", streams(strings.Repeat(delta(`"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]`)+"\n\ndata: ", 513) + done), "server_error", "Sorry, something went wrong."},
		{"too long arguments", streams(calls("0", "a", "f", strings.Repeat("x", 17<<20)), done), "server_error", "Sorry, something went wrong."},
		{"too long text", streams(word(strings.Repeat("x", 17<<20)), done), "server_error", "Sorry, something went wrong."},
		{"too large event", streams(strings.Repeat("x", 33<<20)), "server_error", brokeOff},
		{"more of a call that has ended", streams(calls("0", "a", "f", "{}"), calls("1", "b", "f", "{}"), delta(`"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]`), done), "server_error", brokeOff},
		{"a call without a name", streams(calls("0", "a", "", `{"x":1}`), done), "server_error", brokeOff},
		{"another call without a name", streams(calls("0", "a", "f", "{}"), calls("1", "b", "", "{}"), finish("tool_calls"), done), "server_error", brokeOff},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f")}}, nil, test.answer)
			s := k.hello()
			require.Equal(t, assistants.RunFailed, s.run.Status)
			assert.Equal(t, test.code, s.run.LastError.Code)
			assert.Contains(t, s.run.LastError.Message, test.message)
			assert.NotContains(t, s.run.LastError.Message, key)
			assert.NotContains(t, k.log.String(), key)
			assert.Contains(t, k.log.String(), "cause=")
		})
	}
}

// rich is an answer with a bit of everything.
var rich = []string{
	delta(`"role":"assistant","content":""`), delta(`"reasoning_content":"hm"`), word("So"), word(": "),
	delta(`"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]`),
	delta(`"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]`), delta(`"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]`),
	calls("1", "b", "f", `{"y":2}`), finish("tool_calls"), spent("1", "2"), done,
}

// An answer that ends before the provider has said so is not taken for a whole one, wherever it is cut.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	for n := range rich {
		for _, aborted := range []bool{false, true} {
			k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f")}}, nil,
				func(w http.ResponseWriter, r *http.Request) {
					streams(rich[:n]...)(w, r)
					_ = http.NewResponseController(w).Flush()
					if aborted {
						panic(http.ErrAbortHandler)
					}
				}, answers("."))
			s := k.hello()
			if n < 9 {
				require.Equal(t, assistants.RunFailed, s.run.Status, n)
				assert.Len(t, k.upstream.requests(), 1, "nothing that was called is made")
				for i, shown := range s.called() {
					assert.True(t, strings.HasPrefix([]string{`f{"x":1}`, `f{"y":2}`}[i], shown), shown)
				}
				if s.called() != nil {
					assert.Equal(t, assistants.RunStepFailed, s.steps[len(s.steps)-1].Status)
				}
				continue
			}
			require.Equal(t, assistants.RunCompleted, s.run.Status, "%d %v", n, s.run.LastError)
			assert.Equal(t, []string{`f{"x":1}`, `f{"y":2}`}, s.called())
		}
	}
}

// hangs is a provider that begins to answer, and then only says that it is there, for as long as it is listened to.
func hangs(w http.ResponseWriter, r *http.Request) {
	streams(word("Well"))(w, r)
	for r.Context().Err() == nil {
		_, _ = io.WriteString(w, ": there\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	}
}

// A run that is waiting for its provider can be cancelled, expires, and ends with its server.
func TestHangingProvider(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status assistants.RunStatus
		end    func(t *testing.T, k *talk, threadID, runID string)
	}{
		{assistants.RunCancelled, func(t *testing.T, k *talk, threadID, runID string) {
			_, err := k.client.Runs.Cancel(t.Context(), threadID, runID)
			require.NoError(t, err)
		}},
		{assistants.RunExpired, func(*testing.T, *talk, string, string) { <-time.After(11 * time.Minute) }},
	} {
		t.Run(string(test.status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				released := false
				k := newTalk(t, assistants.AssistantCreateParams{}, nil, func(w http.ResponseWriter, r *http.Request) {
					defer func() { released = true }()
					hangs(w, r)
				})
				run, err := k.client.Threads.CreateAndRun(t.Context(), assistants.ThreadCreateAndRunParams{AssistantID: k.assistant,
					Thread: assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage("?")}}})
				require.NoError(t, err)
				synctest.Wait()
				test.end(t, k, run.ThreadID, run.ID)
				synctest.Wait()
				run, err = k.client.Runs.Retrieve(t.Context(), run.ThreadID, run.ID)
				require.NoError(t, err)
				assert.Equal(t, test.status, run.Status)
				assert.True(t, released, "the provider is not listened to any more")
			})
		})
	}
}

// A server that is closed in the middle of a run ends it, and with it the request to the provider.
func TestClosedServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		released := false
		store := server.NewMemoryStore()
		u := &upstream{t: t, answers: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			defer func() { released = true }()
			hangs(w, r)
		}}}
		s := server.New(server.WithModel(chat.New(newClient(t, u))), server.WithStore(store))
		client := newClient(t, s)
		a, err := client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m"})
		require.NoError(t, err)
		run, err := client.Threads.CreateAndRun(t.Context(), assistants.ThreadCreateAndRunParams{AssistantID: a.ID,
			Thread: assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage("?")}}})
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, s.Close())
		synctest.Wait()
		assert.True(t, released)
		run, err = newClient(t, server.New(server.WithStore(store))).Runs.Retrieve(t.Context(), run.ThreadID, run.ID)
		require.NoError(t, err)
		assert.Equal(t, assistants.RunFailed, run.Status)
	})
}

// An answer that has ended, and says what it has cost, is not waited for any longer.
func TestEndWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t, assistants.AssistantCreateParams{}, nil, func(w http.ResponseWriter, r *http.Request) {
			streams(word("Hi"), finish("stop"), spent("1", "2"))(w, r)
			hangs(w, r)
		})
		begun := time.Now()
		s := k.hello()
		require.Equal(t, assistants.RunCompleted, s.run.Status, s.run.LastError)
		assert.Equal(t, "Hi", s.text())
		assert.Equal(t, 2, s.run.Usage.CompletionTokens)
		assert.Less(t, time.Since(begun), time.Second)
	})
}

// A provider that is silent is not waited for longer than the client of the provider says.
func TestSilentProvider(t *testing.T) {
	t.Parallel()
	silent := func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	for _, test := range []struct {
		name    string
		answer  http.HandlerFunc
		message string // "": the answer counts
		waited  time.Duration
	}{
		{"before the header", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "The model's provider could not be reached.", 20 * time.Second},
		{"behind the header", silent, "The model's answer broke off.", 90 * time.Second},
		{"in the answer", func(w http.ResponseWriter, r *http.Request) {
			streams(word("Hi"))(w, r)
			silent(w, r)
		}, "The model's answer broke off.", 90 * time.Second},
		{"behind the end", func(w http.ResponseWriter, r *http.Request) {
			streams(word("Hi"), finish("stop"))(w, r)
			silent(w, r)
		}, "", 90 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				provider, err := assistants.NewClient(assistants.WithHandler(test.answer), assistants.WithMaxRetries(0),
					assistants.WithTimeout(20*time.Second), assistants.WithStreamIdleTimeout(90*time.Second))
				require.NoError(t, err)
				begun := time.Now()
				s := newTalkWith(t, provider).hello()
				assert.InDelta(t, test.waited.Seconds(), time.Since(begun).Seconds(), 1)
				if test.message == "" {
					assert.Equal(t, "Hi", s.text())
					return
				}
				require.Equal(t, assistants.RunFailed, s.run.Status)
				assert.Equal(t, test.message, s.run.LastError.Message)
			})
		})
	}
}

// A provider that asks for a pause gets it, and is asked again.
func TestRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := says(429, `{"error":{"message":"Slow down."}}`, "Retry-After", "7")
		u := &upstream{t: t, answers: []http.HandlerFunc{slow, slow, answers("So.")}}
		provider, err := assistants.NewClient(assistants.WithHandler(u), assistants.WithAPIKey(key), assistants.WithMaxRetries(2))
		require.NoError(t, err)
		begun := time.Now()
		s := newTalkWith(t, provider).hello()
		require.Equal(t, assistants.RunCompleted, s.run.Status, s.run.LastError)
		assert.Equal(t, "So.", s.text())
		assert.GreaterOrEqual(t, time.Since(begun), 14*time.Second)
		sent := u.requests()
		require.Len(t, sent, 3)
		assert.Equal(t, sent[0], sent[2])
	})
}

// newTalkWith is a talk with what a client asks.
func newTalkWith(t *testing.T, provider *assistants.Client) *talk {
	t.Helper()
	k := newTalk(t, assistants.AssistantCreateParams{}, nil)
	k.server = server.New(server.WithModel(chat.New(provider)))
	t.Cleanup(func() { _ = k.server.Close() })
	k.client = newClient(t, k.server)
	a, err := k.client.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m"})
	require.NoError(t, err)
	k.assistant = a.ID
	return k
}

// What an answer has cost before it failed is known.
func TestUsageOfAnswersThatFail(t *testing.T) {
	t.Parallel()
	for _, chunks := range [][]string{
		{word("Hi"), spent("3", "4"), `{"error":{"message":"Bad."}}`},
		{word("Hi"), `{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4},"error":{"message":"Bad."}}`},
		{word("Hi"), `{"choices":[{"finish_reason":"error"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}`},
	} {
		s := newTalk(t, assistants.AssistantCreateParams{}, nil, streams(chunks...)).hello()
		require.Equal(t, assistants.RunFailed, s.run.Status)
		assert.Equal(t, 4, s.run.Usage.CompletionTokens)
	}
}

// Lists that are much larger in memory than in JSON are not taken in.
func TestLongLists(t *testing.T) {
	list := func(n int, element string) string { return "[" + strings.Repeat(element+",", n-1) + element + "]" }
	const many = 512 << 10
	for _, test := range []struct {
		name, body string
		broken     bool
	}{
		{"choices", `{"choices":` + list(many, "{}") + `}`, true},
		{"calls", `{"choices":[{"delta":{"tool_calls":` + list(many, "{}") + `}}]}`, true},
		{"calls of a message", `{"choices":[{"message":{"tool_calls":` + list(many, "{}") + `}}]}`, true},
		{"parts", `{"choices":[{"delta":{"content":` + list(many, `""`) + `}}]}`, true},
		{"other lists", `{"choices":[{"delta":{"content":"Hi"},"logprobs":{"content":` + list(many, "{}") + `}}]}`, false},
		{"long text", `{"choices":[{"delta":{"content":"` + strings.Repeat(`[,\",`, 100_000) + `"}}]}`, false},
		{"as many as there may be", `{"choices":[{"delta":{"content":` + list(1024, `{"text":"`+strings.Repeat("x", 100)+`"}`) + `}}]}`, false},
		{"one more", `{"choices":[{"delta":{"content":` + list(1025, `{"text":"`+strings.Repeat("x", 100)+`"}`) + `}}]}`, true},
	} {
		answer := streams(test.body, done)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		y := respond(t, answer, question())
		runtime.ReadMemStats(&after)
		assert.Equal(t, test.broken, y.failed != nil, "%s: %v", test.name, y.failed)
		assert.Less(t, int(after.TotalAlloc-before.TotalAlloc), 12*len(test.body)+1<<20, test.name)
	}
}

// What a provider sends is bounded, whoever asks.
func TestBoundsOfCalls(t *testing.T) {
	t.Parallel()
	half := calls("0", "a", "f", strings.Repeat("x", 9<<20))
	y := respond(t, streams(half, half, done), question())
	assert.ErrorContains(t, y.failed, "too long")
	require.Len(t, y.called, 1)
	assert.Len(t, y.called[0].Arguments, 9<<20, "what came before was told")

	late := word(strings.Repeat("x", 9<<20))
	y = respond(t, streams(calls("0", "a", "f", "{}"), late, late, done), question())
	assert.ErrorContains(t, y.failed, "too much text")
	assert.Len(t, y.called, 1)
}

// A call that is cut before anybody knows what is called is none.
func TestCallCutBeforeItsName(t *testing.T) {
	t.Parallel()
	k := newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{functionTool("f")}}, nil,
		streams(calls("0", "a", "f", "{}"), calls("1", "b", "", `{"x`), finish("length"), done))
	s := k.hello()
	assert.Equal(t, assistants.RunIncomplete, s.run.Status, s.run.LastError)
	assert.Equal(t, []string{"f{}"}, s.called())
}
