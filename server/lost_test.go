package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// A run whose end cannot be written down when somebody looks at it is not worked on, and ends when it can.
func TestRunLostWhileItIsLookedUp(t *testing.T) {
	t.Parallel()
	acts := map[string]func(c *convo, run string) answer{
		"submit": func(c *convo, run string) answer { return c.submit(c.thread, run, outputs("x", "call_a")) },
		"cancel": func(c *convo, run string) answer { return c.cancel(c.thread, run) },
		"get":    func(c *convo, run string) answer { return c.do("GET", c.runsOf(c.thread)+"/"+run, "") },
		"modify": func(c *convo, run string) answer { return c.do("POST", c.runsOf(c.thread)+"/"+run, `{"metadata":{}}`) },
	}
	for name, act := range acts {
		for at := range 8 {
			for _, panics := range []bool{false, true} {
				t.Run(fmt.Sprint(name, at, panics), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						store := &brittleStore{Store: server.NewMemoryStore()}
						c := newConvo(t, asking(), server.WithStore(store))
						run := c.begin(c.thread)
						synctest.Wait()
						require.Equal(t, "requires_action", c.run(c.thread, run).Status)
						pass(lifetime)
						store.fail(fault{from: at, to: at + 1, panics: panics})
						got := act(c, run)
						store.fail(fault{})
						synctest.Wait()
						if name == "get" && got.status == 200 {
							require.Equal(t, "expired", field[string](t, got.body, "status"))
						}
						require.Equal(t, "expired", c.run(c.thread, run).Status)
						require.Equal(t, "expired", c.steps(c.thread, run)[0].Status)
						require.Equal(t, 200, c.say(c.thread))
					})
				})
			}
		}
	}
}

// A step that was completed, in a run that did not go on behind it, has one end when the run ends.
func TestCompletedStepOfACancelledRun(t *testing.T) {
	t.Parallel()
	seen := 0
	for at := range 12 {
		synctest.Test(t, func(t *testing.T) {
			store := &brittleStore{Store: server.NewMemoryStore()}
			c := newConvo(t, asking(), server.WithStore(store))
			run := c.begin(c.thread)
			synctest.Wait()
			pass(time.Second)
			store.fail(fault{from: at, to: at + 1})
			got := c.submit(c.thread, run, outputs("x", "call_a"))
			store.fail(fault{})
			synctest.Wait()
			if got.status != 500 || c.steps(c.thread, run)[0].Status != "completed" {
				return
			}
			seen++
			pass(time.Second)
			require.Equal(t, 200, c.cancel(c.thread, run).status)
			step := c.steps(c.thread, run)[0]
			require.Equal(t, "cancelled", step.Status)
			require.Zero(t, step.CompletedAt)
			require.NotZero(t, step.CancelledAt)
		})
	}
	require.NotZero(t, seen)
}

// An id that is made twice costs the request, and not the object that has it.
func TestIDThatIsMadeTwice(t *testing.T) {
	t.Parallel()
	store := server.NewMemoryStore()
	first := newAPI(t, server.WithStore(store))
	first.uploads(1)
	body := `{"messages":[{"role":"user","content":"precious"}],"tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file_1"]}]}}}`
	id := field[string](t, first.do("POST", "/v1/threads", body).body, "id")
	messages := first.do("GET", "/v1/threads/"+id+"/messages", "").body

	count := counter()
	second := newAPI(t, server.WithStore(store), server.WithIDSource(func(prefix string) string {
		if prefix == "msg" {
			return count(prefix) + "_of_the_second"
		}
		return count(prefix)
	}))
	require.Equal(t, 500, second.do("POST", "/v1/threads", body).status)
	require.Equal(t, messages, second.do("GET", "/v1/threads/"+id+"/messages", "").body)
	_, err := store.Get(t.Context(), server.Collection{Kind: "vector_store.file", Parent: "vs_1"}, "file_1")
	require.NoError(t, err)
}

// Messages of a request that failed are not counted, and nothing falls away for them.
func TestFailedMessagesAreNotCounted(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/messages", "/runs"} {
		synctest.Test(t, func(t *testing.T) {
			store := &brittleStore{Store: server.NewMemoryStore()}
			c := newConvo(t, silent(), server.WithStore(store))
			c.server.LimitThreadMessages(len(c.messages(c.thread)) + 1)
			body := `{"role":"user","content":"x"}`
			if target == "/runs" {
				body = `{"assistant_id":"` + c.assistant + `","additional_messages":[` + body + `]}`
			}
			before := c.messages(c.thread)
			refused := 0
			for at := 0; ; at++ {
				store.fail(fault{from: at, to: at + 1})
				got := c.do("POST", "/v1/threads/"+c.thread+target, body)
				store.fail(fault{})
				synctest.Wait()
				if got.status == 200 {
					break
				}
				refused++
				require.Equal(t, before, c.messages(c.thread), "%s at %d", target, at)
				pass(lifetime)
			}
			require.Greater(t, refused, 2)
			require.Len(t, c.messages(c.thread), len(before)+1)
		})
	}
}

func silent() server.Model { return server.NewScripted(server.Otherwise()) }

// A logger that panics hurts itself alone.
func TestLoggerThatPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := server.NewScripted(server.Otherwise(server.Fail("server_error", "No.")))
		c := newConvo(t, broken, server.WithLogger(slog.New(panickyLog{})))
		run := c.begin(c.thread)
		synctest.Wait()
		require.Equal(t, "failed", c.run(c.thread, run).Status)
	})
}

// panickyLog panics at what is reported of runs.
type panickyLog struct{ slog.Handler }

func (panickyLog) Enabled(context.Context, slog.Level) bool { return true }
func (panickyLog) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "run" {
		panic("no room for words")
	}
	return nil
}

// A connection has no deadline while the model is silent: over HTTP/2 it would end the stream.
func TestDeadlineOfASilentStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := make(chan struct{})
		c := newConvo(t, server.NewScripted(server.Otherwise(server.Say("Hel"), server.Until(on), server.Say("lo"))))
		w := &timedWriter{reading: reading{t: t}}
		c.serve(w, &w.reading, c.runsOf(c.thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
		synctest.Wait()
		require.NotZero(t, w.set)
		require.True(t, w.deadline.IsZero())
		close(on)
		require.Equal(t, "done", w.all()[len(w.all())-1].name)
		require.True(t, w.deadline.IsZero())
	})
}

// timedWriter knows deadlines.
type timedWriter struct {
	reading
	set      int
	deadline time.Time
}

func (w *timedWriter) SetWriteDeadline(deadline time.Time) error {
	w.set++
	w.deadline = deadline
	return nil
}

// A writer that was wrapped and cannot flush is written to all the same.
func TestStreamWithoutFlush(t *testing.T) {
	t.Parallel()
	c := newConvo(t, server.NewScripted(server.Otherwise(server.Say("One two three four."))))
	inner := c.handler
	c.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(plainWriter{w}, r) })
	got := c.do("POST", c.runsOf(c.thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
	require.Equal(t, 200, got.status)
	assert.True(t, strings.HasSuffix(got.body, "event: done\ndata: [DONE]\n\n"))
}

type plainWriter struct{ to http.ResponseWriter }

func (w plainWriter) Header() http.Header         { return w.to.Header() }
func (w plainWriter) Write(p []byte) (int, error) { return w.to.Write(p) }
func (w plainWriter) WriteHeader(status int)      { w.to.WriteHeader(status) }

// A stream that ends with an error is no success to be kept: the request can be sent again.
func TestFailedStreamIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &brittleStore{Store: server.NewMemoryStore()}
		on := make(chan struct{})
		c := newConvo(t, server.NewScripted(server.Otherwise(server.Say("Hel"), server.Until(on), server.Say("lo"))), server.WithStore(store))
		key := "Idempotency-Key: once"
		request := func() answer {
			return c.do("POST", c.runsOf(c.thread), streaming(`{"assistant_id":"`+c.assistant+`"}`), key)
		}
		done := make(chan answer, 1)
		go func() { done <- request() }()
		synctest.Wait()
		store.fail(fault{from: 0, to: 1 << 30})
		close(on)
		require.Contains(t, (<-done).body, "event: error\n")
		store.fail(fault{})
		pass(lifetime)
		again := request()
		require.Empty(t, again.header.Get("Idempotent-Replayed"))
		require.Contains(t, again.body, "event: done\n")
	})
}
