package server_test

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// How runs go on, and come to their end, when something went wrong on the way.

// rounds is a model that is another one in each round.
func rounds(models ...server.Model) server.Model {
	return server.ModelFunc(func(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return models[call.Round].Respond(ctx, call)
	})
}

// runStore is a store in which runs cannot be changed as long as it is broken. It fails, or panics.
type runStore struct {
	server.Store
	broken, panics atomic.Bool
}

func (s *runStore) Update(
	ctx context.Context, c server.Collection, id string, change func(server.Record) (server.Record, error),
) (server.Record, error) {
	switch {
	case s.broken.Load() && c.Kind == "thread.run" && s.panics.Load():
		panic(errDisk)
	case s.broken.Load() && c.Kind == "thread.run":
		return server.Record{}, errDisk
	}
	return s.Store.Update(ctx, c, id, change)
}

// Outputs whose step is written down and whose run is not were not taken: they can be submitted again, and those
// count.
func TestSubmissionIsRepeated(t *testing.T) {
	t.Parallel()
	for name, panics := range map[string]bool{"error": false, "panic": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store, model := &runStore{Store: server.NewMemoryStore()}, overhear()
				c := newConvo(t, rounds(asking(), model), server.WithStore(store))
				id := c.begin(c.thread)
				synctest.Wait()
				store.broken.Store(true)
				store.panics.Store(panics)
				for _, output := range []string{"first", "second"} {
					require.Equal(t, 500, c.submit(c.thread, id, outputs(output, "call_a")).status)
					synctest.Wait()
				}
				store.broken.Store(false)
				require.Equal(t, []string{"call_a"}, c.run(c.thread, id).waitsFor())
				other := c.submit(c.thread, id, outputs("", "call_b"))
				require.Equal(t, 400, other.status)
				require.Contains(t, other.body, "Expected tool outputs for call_ids ['call_a'], got ['call_b']")

				require.Equal(t, 200, c.submit(c.thread, id, outputs("third", "call_a")).status)
				synctest.Wait()
				run, steps := c.run(c.thread, id), c.steps(c.thread, id)
				require.Equal(t, "completed", run.Status)
				checkRun(t, run, steps)
				require.Len(t, steps, 2)
				require.Equal(t, "10+2", steps[0].Usage.String(), "it has cost that once")
				require.Equal(t, `[`+functionCall("call_a", "f", "{}", `"third"`)+`]`, string(steps[0].StepDetails.ToolCalls))
				require.Equal(t, []string{"user: Hello", "f({}) = third"}, said(model.last(t)))
			})
		})
	}
}

// Whichever call of the store panics or fails when somebody looks at a run whose time is up: at most that look fails,
// and the next one sees the run expired, with all that was open in it.
func TestStoreThatFailsAtALook(t *testing.T) {
	t.Parallel()
	for _, look := range []string{"/runs/run_1", "/runs", "/messages", "/runs/run_1/steps"} {
		for _, panics := range []bool{false, true} {
			failures := 0
			for at := range 12 {
				synctest.Test(t, func(t *testing.T) {
					store := &brittleStore{Store: server.NewMemoryStore()}
					a := newAPI(t, server.WithStore(store), server.WithModel(hanging()))
					assistant, thread := a.create(`{"model":"m"}`), a.thread("x")
					run := a.begin(thread, `{"assistant_id":"`+assistant+`"}`)
					a.clock.move(lifetime)
					store.fail(fault{from: at, to: at + 1, panics: panics})
					status := a.do("GET", thread+look, "").status
					store.fail(fault{})
					require.Contains(t, []int{200, 500}, status)
					if status == 500 {
						failures++
					}

					seen := decoded[runSeen](t, a.ok("GET", run, ""))
					assert.Equal(t, "expired", seen.Status, "%s, call %d, panics %t", look, at, panics)
					steps := field[[]stepSeen](t, a.ok("GET", run+"/steps", ""), "data")
					require.Len(t, steps, 1)
					assert.Equal(t, "expired", steps[0].Status, "%s, call %d, panics %t", look, at, panics)
					m := field[[]messageSeen](t, a.ok("GET", thread+"/messages", ""), "data")[0]
					assert.Equal(t, "incomplete", m.Status, "%s, call %d, panics %t", look, at, panics)
					assert.Equal(t, "run_expired", m.IncompleteDetails.String())
					require.Empty(t, a.server.Leftovers())
				})
			}
			require.NotZero(t, failures, look)
		}
	}
}

// A run that goes on with outputs expires when it would have done so without: 600 seconds behind its creation. Nobody
// needs to look.
func TestResumedRunExpiresInTime(t *testing.T) {
	t.Parallel()
	for name, streamed := range map[string]bool{"stream": true, "no stream": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := server.NewMemoryStore()
				c := newConvo(t, rounds(asking(), yielding(saying(calling("call_b"))), hanging()), server.WithStore(store))
				created := time.Now()
				id := c.begin(c.thread)
				synctest.Wait()
				pass(100 * time.Second)
				require.Equal(t, 200, c.submit(c.thread, id, outputs("", "call_a")).status)
				synctest.Wait()
				require.Equal(t, []string{"call_b"}, c.run(c.thread, id).waitsFor())
				pass(150 * time.Second)
				if streamed {
					events := c.openSubmit(c.thread, id, outputs("", "call_b")).all()
					require.Equal(t, lifetime, time.Since(created))
					require.Equal(t, "thread.run.expired", events[len(events)-2].name)
				} else {
					require.Equal(t, 200, c.submit(c.thread, id, outputs("", "call_b")).status)
				}
				pass(lifetime - time.Since(created))
				synctest.Wait()
				require.Empty(t, c.server.Leftovers())
				record, err := store.Get(t.Context(), server.Collection{Kind: "thread.run", Parent: c.thread}, id)
				require.NoError(t, err)
				require.Equal(t, "expired", decoded[runSeen](t, string(record.Data)).Status)
			})
		})
	}
}
