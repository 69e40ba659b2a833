package server_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// What ends leaves nothing behind. That nobody has to do with any run in the end is looked at by newAPI, for all
// tests.

// Refusals of a thread with a run, by what makes them; each would have made something before it was refused.
var wholeThreads = map[string]string{
	"nothing to go by": `{"metadata":{"a":"b"}}`,
	"no user":          `{"messages":[` + strings.Repeat(`{"role":"assistant","content":"x"},`, 20) + `{"role":"assistant","content":"y"}]}`,
	"messages":         `{"messages":[{"role":"user","content":"x"},{"role":"user","content":"y"}]}`,
	"helper stores": `{"tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file_1","file_2"]}]}},
		"messages":[{"role":"user","content":"x"}]}`,
	"attachments": `{"messages":[{"role":"user","content":"x","attachments":[{"file_id":"file_1","tools":[{"type":"file_search"}]}]}]}`,
}

// beginThere is a request for a run on a thread that is yet to be made.
func beginThere(assistant, thread string) string {
	return `{"assistant_id":"` + assistant + `","thread":` + thread + `}`
}

func TestRefusedRunsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, thread string
		prepare      func(*api)
		status       int
	}{
		{"nothing to go by", "nothing to go by", func(*api) {}, 400},
		{"nothing to go by", "no user", func(*api) {}, 400},
		{"too many runs", "messages", func(a *api) { a.server.LimitLiveRuns(0) }, 429},
		{"too many runs", "helper stores", func(a *api) { a.server.LimitLiveRuns(0) }, 429},
		{"too many runs", "attachments", func(a *api) { a.server.LimitLiveRuns(0) }, 429},
		{"closed", "messages", func(a *api) { require.NoError(a.t, a.server.Close()) }, 503},
		{"closed", "helper stores", func(a *api) { require.NoError(a.t, a.server.Close()) }, 503},
	} {
		t.Run(test.name+", "+test.thread, func(t *testing.T) {
			t.Parallel()
			store := server.NewMemoryStore()
			a := newAPI(t, server.WithStore(store))
			a.uploads(2)
			body := beginThere(a.create(`{"model":"m"}`), wholeThreads[test.thread])
			test.prepare(a)
			before := store.Collections()
			for range 20 {
				got := a.do("POST", "/v1/threads/runs", body)
				require.Equal(t, test.status, got.status, got.body)
			}
			require.Equal(t, before, store.Collections())
		})
	}
}

// A request that fails at any call of the store takes back what it has made before, with the collections that it has
// begun.
func TestFailedRunsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	for name, thread := range wholeThreads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				memory := server.NewMemoryStore()
				held := newLedger()
				held.Store = memory
				store := &brittleStore{Store: held}
				a := newAPI(t, server.WithStore(store))
				a.uploads(2)
				body := beginThere(a.create(`{"model":"m","instructions":"x"}`), thread)
				a.ok("POST", "/v1/threads/runs", body) // now there are the collections that all threads share
				synctest.Wait()
				collections, records := memory.Collections(), held.counts()
				for at := 0; ; at++ {
					for _, panics := range []bool{false, true} {
						store.fail(fault{from: at, to: at + 1, panics: panics})
						got := a.do("POST", "/v1/threads/runs", body)
						if store.fail(fault{}); got.status == 200 {
							require.Greater(t, at, 1)
							return
						}
						require.Equal(t, 500, got.status)
						require.Equal(t, collections, memory.Collections(), "call %d", at)
						require.Equal(t, records, held.counts(), "call %d", at)
					}
				}
			})
		})
	}
}

// The 100,000 runs that a server works at are a bound, here a lower one. A run that rests takes no room, and one that
// has ended makes room.
func TestTooManyRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, asking())
		waiting := c.begin(c.thread)
		synctest.Wait()
		c.server.LimitLiveRuns(0)
		full := envelope("There are too many active runs. Try again later.", "requests", "", "rate_limit_exceeded")
		body := `{"assistant_id":"` + c.assistant + `"}`
		other := c.newThread()
		c.refuses("POST", c.runsOf(other), body, 429, full)
		c.refuses("POST", c.runsOf(c.thread)+"/"+waiting+"/submit_tool_outputs", outputs("", "call_a"), 429, full)
		require.Equal(t, []string{"call_a"}, c.run(c.thread, waiting).waitsFor())
		require.Equal(t, 200, c.say(other), "nothing is locked")

		c.server.LimitLiveRuns(1)
		require.Equal(t, 200, c.submit(c.thread, waiting, outputs("", "call_a")).status)
		synctest.Wait()
		require.Equal(t, "completed", c.run(c.thread, waiting).Status)
		for range 3 {
			id := c.begin(other)
			synctest.Wait()
			require.Equal(t, 200, c.cancel(other, id).status)
		}
	})
}

// Whatever ends a run from outside takes it away at once, and the model's call with it.
func TestEndedRunsAreLetGo(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(c *convo, run string){
		"cancelled": func(c *convo, run string) { require.Equal(c.t, 200, c.cancel(c.thread, run).status) },
		"expired":   func(*convo, string) { pass(lifetime) },
		"deleted":   func(c *convo, _ string) { c.ok("DELETE", "/v1/threads/"+c.thread, "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConvo(t, hanging(), server.WithMaxConcurrentCalls(2))
				r := c.open(c.thread)
				synctest.Wait()
				end(c, runID(t, r.soFar()))
				r.all()
				require.Empty(t, c.server.Leftovers())
			})
		})
	}
}

// A stream that is too large to be kept ends its claim of the key: the same request is done again.
func TestStreamTooLargeToBeKept(t *testing.T) {
	t.Parallel()
	const key = "Idempotency-Key: k"
	for name, test := range map[string]struct {
		size     int
		replayed bool
	}{"small": {1 << 10, true}, "large": {3 << 20, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// A control character is six bytes in JSON: a stream is larger than what its model has yielded.
			a := newAPI(t, server.WithModel(yielding(saying(server.Text(strings.Repeat("\x01", test.size))))))
			body := streaming(beginThere(a.create(`{"model":"m"}`), wholeThreads["messages"]))
			first := a.do("POST", "/v1/threads/runs", body, key)
			require.Equal(t, 200, first.status)
			require.True(t, strings.HasSuffix(first.body, "event: done\ndata: [DONE]\n\n"))
			require.Empty(t, a.server.Leftovers())
			second := a.do("POST", "/v1/threads/runs", body, key)
			require.Equal(t, 200, second.status)
			require.Equal(t, test.replayed, second.header.Get("Idempotent-Replayed") == "true")
			require.Equal(t, test.replayed, first.body == second.body)
		})
	}
}

// closeStore does something about the changes of one thread's records.
type closeStore struct {
	server.Store
	parent string
	before func()
}

func (s *closeStore) Update(
	ctx context.Context, c server.Collection, id string, change func(server.Record) (server.Record, error),
) (server.Record, error) {
	if s.parent != "" && c.Parent == s.parent {
		s.before()
	}
	return s.Store.Update(ctx, c, id, change)
}

// A store that fails one run when the server is closed keeps neither Close nor the other runs.
func TestCloseWithAFaultyStore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before   func(released <-chan struct{})
		patience time.Duration
	}{
		"panics": {func(<-chan struct{}) { panic(errDisk) }, 0},
		"hangs":  {func(released <-chan struct{}) { <-released }, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				released := make(chan struct{})
				memory := server.NewMemoryStore()
				store := &closeStore{Store: memory, before: func() { test.before(released) }}
				c := newConvo(t, hanging(), server.WithStore(store))
				runs := map[string]string{c.thread: c.begin(c.thread)}
				for range 5 {
					thread := c.newThread()
					runs[thread] = c.begin(thread)
				}
				synctest.Wait()
				store.parent = c.thread

				begun, err := time.Now(), c.server.Close()
				if test.patience == 0 {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, "server: calls of the model or the store have not returned 5s after they were told to")
				}
				require.NoError(t, c.server.Close(), "closing again does nothing")
				require.Equal(t, test.patience, time.Since(begun))

				after := c.restarted(hanging(), server.WithStore(memory))
				for _, thread := range slices.Sorted(maps.Keys(runs)) {
					if thread != c.thread {
						run := after.run(thread, runs[thread])
						require.Equal(t, "server_error: The server was shut down.", run.LastError.String())
					}
				}
				close(released)
				synctest.Wait()
				require.Empty(t, c.server.Leftovers())
			})
		})
	}
}

// A server that is closed while all of its store panics has let go of everything too.
func TestCloseWithABrokenStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &brittleStore{Store: server.NewMemoryStore()}
		c := newConvo(t, hanging(), server.WithStore(store))
		r := c.open(c.thread)
		synctest.Wait()
		store.fail(fault{from: 0, to: 1 << 30, panics: true})
		require.NoError(t, c.server.Close())
		events := r.all()
		require.Equal(t, "error", events[len(events)-1].name)
		require.Contains(t, c.log.String(), "panic: "+errDisk.Error())
		require.Empty(t, c.server.Leftovers())
	})
}

// A model that fails in all ways gives its place back.
func TestPlacesAreGivenBack(t *testing.T) {
	t.Parallel()
	for name, model := range map[string]server.Model{
		"error":    yielding(saying(errors.New("private"))),
		"panic":    doing(func() { panic("private") }),
		"nothing":  responding(func() iter.Seq2[server.ModelEvent, error] { return nil }),
		"function": asking(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, model, server.WithMaxConcurrentCalls(1))
			for range 3 {
				c.open(c.newThread()).all()
			}
			require.Empty(t, c.server.Leftovers())
		})
	}
}
