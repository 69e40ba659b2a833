package server_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

const lifetime = 600 * time.Second

// A run is followed from its creation to its end, with seconds that pass in each state.
func TestTimestampsOfARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		place := make(chan struct{})
		c := newConvo(t, server.NewScripted(
			server.When(server.Asked("block"), server.Until(place)),
			server.When(server.Submitted(""), server.Wait(5*time.Second), server.Say("Done."),
				server.Yield(server.Usage{PromptTokens: 3, CompletionTokens: 4})),
			server.Otherwise(server.Wait(3*time.Second), server.CallFunction("f", "{}"),
				server.Yield(server.Usage{PromptTokens: 1, CompletionTokens: 2})),
		), server.WithMaxConcurrentCalls(1))
		blocked := c.newThread()
		c.ok("POST", "/v1/threads/"+blocked+"/messages", `{"role":"user","content":"block"}`)
		c.begin(blocked)
		synctest.Wait()

		t0 := time.Now().Unix()
		id := c.begin(c.thread)
		synctest.Wait()
		pass(2 * time.Second)
		run := c.run(c.thread, id)
		require.Equal(t, runSeen{ID: id, Status: "queued", CreatedAt: t0, ExpiresAt: t0 + 600}, run)

		close(place)
		synctest.Wait()
		run = c.run(c.thread, id)
		require.Equal(t, runSeen{ID: id, Status: "in_progress", CreatedAt: t0, StartedAt: t0 + 2, ExpiresAt: t0 + 600}, run)

		pass(4 * time.Second)
		run = c.run(c.thread, id)
		require.Equal(t, "requires_action", run.Status)
		require.Len(t, run.waitsFor(), 1)
		require.Equal(t, t0+2, run.StartedAt)
		require.Nil(t, run.Usage)
		step := c.steps(c.thread, id)[0]
		require.Equal(t, "in_progress", step.Status)
		require.Nil(t, step.Usage)
		require.Equal(t, t0+600, step.ExpiresAt)

		got := c.submit(c.thread, id, outputs("x", run.waitsFor()...))
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, runSeen{ID: id, Status: "queued", CreatedAt: t0, StartedAt: t0 + 2, ExpiresAt: t0 + 600}, decoded[runSeen](t, got.body))
		step = c.steps(c.thread, id)[0]
		require.Equal(t, "completed", step.Status)
		require.Equal(t, t0+6, step.CompletedAt)
		require.Equal(t, "1+2", step.Usage.String())
		require.Zero(t, step.ExpiresAt)

		synctest.Wait()
		run = c.run(c.thread, id)
		require.Equal(t, runSeen{ID: id, Status: "in_progress", CreatedAt: t0, StartedAt: t0 + 6, ExpiresAt: t0 + 600}, run)

		pass(5 * time.Second)
		synctest.Wait()
		run = c.run(c.thread, id)
		require.Equal(t, runSeen{
			ID: id, Status: "completed", CreatedAt: t0, StartedAt: t0 + 6, CompletedAt: t0 + 11,
			Usage: &usageSeen{PromptTokens: 4, CompletionTokens: 6, TotalTokens: 10},
		}, run)
	})
}

// Each way to end, with its one timestamp.
func TestTimestampsOfEndings(t *testing.T) {
	t.Parallel()
	hanging := server.NewScripted(server.Otherwise(server.Say("Hel"), server.Wait(time.Hour)))
	for status, test := range map[string]struct {
		model server.Model
		end   func(c *convo, run string)
		want  func(now int64) runSeen
	}{
		"failed": {yielding(saying(&server.ModelError{Code: "invalid_prompt", Message: "No."})), nil, func(now int64) runSeen {
			return runSeen{FailedAt: now, LastError: &errorSeen{"invalid_prompt", "No."}}
		}},
		"incomplete": {yielding(saying(server.FinishLength)), nil, func(now int64) runSeen {
			return runSeen{CompletedAt: now, IncompleteDetails: &reasonSeen{"max_completion_tokens"}}
		}},
		"cancelled": {hanging, func(c *convo, run string) { c.cancel(c.thread, run) }, func(now int64) runSeen {
			return runSeen{CancelledAt: now}
		}},
		"expired": {hanging, func(*convo, string) { pass(lifetime) }, func(now int64) runSeen {
			return runSeen{ExpiresAt: now}
		}},
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConvo(t, test.model)
				now := time.Now().Unix()
				id := c.begin(c.thread)
				synctest.Wait()
				if test.end != nil {
					test.end(c, id)
					synctest.Wait()
				}
				want := test.want(time.Now().Unix())
				want.ID, want.Status, want.CreatedAt, want.StartedAt, want.Usage = id, status, now, now, &usageSeen{}
				require.Equal(t, want, c.run(c.thread, id))
				require.Equal(t, 200, c.say(c.thread), "the thread is free")
			})
		})
	}
}

// Usage is booked on the step that is being made, and the run's is that of all its steps.
func TestUsageOfStepsAndRun(t *testing.T) {
	t.Parallel()
	c := newConvo(t, yielding(
		saying(server.Usage{PromptTokens: 1}, server.Text("a"), server.Usage{CompletionTokens: 2}, server.CodeCall{}, server.Usage{PromptTokens: 4},
			server.FunctionCall{ID: "call_a", Name: "f"}, server.Usage{CompletionTokens: 8}),
		saying(server.Text("b"), server.Usage{PromptTokens: 16, CompletionTokens: -5}, server.FinishStop, server.Usage{PromptTokens: 1 << 62})))
	id := runID(t, c.open(c.thread).all())
	require.Nil(t, c.run(c.thread, id).Usage)
	c.openSubmit(c.thread, id, outputs("", "call_a")).all()
	var costs []string
	for _, s := range c.steps(c.thread, id) {
		costs = append(costs, s.Usage.String())
	}
	require.Equal(t, []string{"1+2", "4+0", "0+8", "1073741840+0"}, costs)
	require.Equal(t, "1073741845+10", c.run(c.thread, id).Usage.String())
	require.Equal(t, 1073741855, c.run(c.thread, id).Usage.TotalTokens)
}

// Whoever sees the end of a run in a stream finds its thread free, and the run as the stream has shown it.
func TestThreadIsFreeWhenTheEndIsSeen(t *testing.T) {
	t.Parallel()
	c := newConvo(t, yielding(saying(server.Text("Hello"))))
	for range 100 {
		status := 0
		r := &sensor{reading: reading{t: t}, event: "thread.run.completed", do: func() { status = c.say(c.thread) }}
		c.serve(r, &r.reading, c.runsOf(c.thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
		r.all()
		require.Equal(t, 200, status)
	}
}

// The same by polling: a thread is free as soon as its run says that it has ended.
func TestThreadIsFreeWhenTheRunSaysSo(t *testing.T) {
	t.Parallel()
	c := newConvo(t, yielding(saying(server.Text("Hello"))))
	for range 100 {
		id := c.begin(c.thread)
		for c.run(c.thread, id).Status != "completed" {
			runtime.Gosched()
		}
		require.Equal(t, 200, c.say(c.thread))
	}
}

// A run goes on when the reader of its stream has gone away.
func TestRunOutlivesItsReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, server.NewScripted(server.Otherwise(server.Say("Hello"), server.Wait(time.Minute), server.Say(", you"))))
		r := c.open(c.thread)
		synctest.Wait()
		events := r.soFar()
		require.Equal(t, "thread.message.delta", events[len(events)-1].name)
		r.leave()
		<-r.ended
		id := runID(t, events)
		require.Equal(t, "in_progress", c.run(c.thread, id).Status)
		require.Equal(t, "Hello", c.messages(c.thread)[1].text(t))
		pass(2 * time.Minute)
		require.Equal(t, "completed", c.run(c.thread, id).Status)
		require.Equal(t, "Hello, you", c.messages(c.thread)[1].text(t))
	})
}

// A reader who takes nothing holds nobody up, and gets everything once it does.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	const pieces = 100_000
	c := newConvo(t, server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			for i := range pieces {
				if !yield(server.Text(fmt.Sprintf("%06d,", i)), nil) {
					return
				}
			}
		}
	}))
	slow := &reading{t: t, gate: make(chan struct{})}
	c.requestTo(slow, c.runsOf(c.thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
	other := c.newThread()
	c.open(other).all() // goes on meanwhile
	for len(c.messages(c.thread)) < 2 || c.messages(c.thread)[1].Status != "completed" {
		runtime.Gosched()
	}
	require.Empty(t, slow.soFar())

	close(slow.gate)
	events := slow.all()
	assert.Less(t, len(events), 1000, "text that nobody has read grows together")
	want := c.messages(c.thread)[1].text(t)
	require.Len(t, want, 7*pieces)
	require.Equal(t, want, textOfDeltas(t, events))
}

// textOfDeltas is the text that a reader of the deltas has put together.
func textOfDeltas(t testing.TB, events []frame) string {
	t.Helper()
	var b strings.Builder
	for _, e := range events {
		if e.name == "thread.message.delta" {
			b.WriteString(messageSeen{Content: decoded[deltaSeen](t, e.data).Delta.Content}.text(t))
		}
	}
	return b.String()
}

// Runs beyond the bound wait, and start in the order in which they were created.
func TestConcurrentCallsAreBoundedAndInOrder(t *testing.T) {
	t.Parallel()
	for _, bound := range []int{1, 2, 7} {
		t.Run(fmt.Sprint(bound), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &attendance{}
				c := newConvo(t, m, server.WithMaxConcurrentCalls(bound))
				var created []string
				for range 50 {
					created = append(created, c.begin(c.newThread()))
				}
				pass(time.Minute)
				require.Equal(t, bound, m.most)
				require.Len(t, m.order, len(created))
				for i := range created { // within a batch that starts at once, any order
					require.Contains(t, created[i/bound*bound:min((i/bound+1)*bound, len(created))], m.order[i])
				}
			})
		})
	}
}

// attendance is a model that writes down who calls it.
type attendance struct {
	mu    sync.Mutex
	order []string
	here  int
	most  int
}

func (a *attendance) Respond(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	return func(func(server.ModelEvent, error) bool) {
		a.mu.Lock()
		a.order = append(a.order, call.RunID)
		a.here++
		a.most = max(a.most, a.here)
		a.mu.Unlock()
		pass(time.Second)
		a.mu.Lock()
		a.here--
		a.mu.Unlock()
	}
}

// What waits in the queue can be cancelled and expires, and takes no place then.
func TestQueueIsLeftByCancelAndExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		place := make(chan struct{})
		var asked sync.Map
		c := newConvo(t, server.ModelFunc(func(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
			return func(func(server.ModelEvent, error) bool) {
				asked.Store(call.RunID, true)
				<-place // whatever the context says
			}
		}), server.WithMaxConcurrentCalls(1))
		holder := c.begin(c.thread)
		synctest.Wait()
		cancelled, expired, later := c.open(c.newThread()), c.newThread(), c.newThread()
		expires := c.open(expired)
		synctest.Wait()
		id := runID(t, cancelled.soFar())
		got := c.do("POST", "/v1/threads/"+field[string](t, cancelled.soFar()[0].data, "thread_id")+"/runs/"+id+"/cancel", "")
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, "cancelling", field[string](t, got.body, "status"))
		require.Equal(t, []string{"run.created", "run.queued", "run.cancelling", "run.cancelled 0+0", "done"}, told(t, cancelled.all()))

		pass(lifetime - time.Nanosecond)
		synctest.Wait()
		require.Len(t, expires.soFar(), 2)
		pass(time.Nanosecond)
		require.Equal(t, []string{"run.created", "run.queued", "run.expired 0+0", "done"}, told(t, expires.all()))
		require.Equal(t, "expired", c.run(c.thread, holder).Status)

		last := c.begin(later)
		synctest.Wait()
		require.Equal(t, "queued", c.run(later, last).Status, "a model that does not stop keeps its place")
		close(place)
		synctest.Wait()
		require.Equal(t, "completed", c.run(later, last).Status)
		for _, absent := range []string{id, runID(t, expires.all())} {
			_, was := asked.Load(absent)
			require.False(t, was)
		}
	})
}

// A new server on the same store: what waited can go on, and what was at work locks its thread until its time is up.
func TestRestart(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(c *convo, waiting string) (status string){
		"answered": func(c *convo, waiting string) string {
			require.Equal(c.t, []string{"step.completed tool_calls 10+2 [" + functionCall("call_a", "f", "{}", `"x"`) + "]", "run.queued", "run.in_progress"},
				told(c.t, c.openSubmit(c.thread, waiting, outputs("x", "call_a")).all())[:3])
			return "completed"
		},
		"cancelled": func(c *convo, waiting string) string {
			require.Equal(c.t, 200, c.cancel(c.thread, waiting).status)
			return "cancelled"
		},
		"expired": func(c *convo, waiting string) string {
			pass(lifetime)
			require.Equal(c.t, 400, c.submit(c.thread, waiting, outputs("x", "call_a")).status)
			return "expired"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := server.NewMemoryStore()
				before := newConvo(t, asking(), server.WithStore(store))
				waiting := runID(t, before.open(before.thread).all())
				require.NoError(t, before.server.Close())

				after := before.restarted(asking(), server.WithStore(store))
				require.Equal(t, "requires_action", after.run(after.thread, waiting).Status)
				require.Equal(t, 400, after.say(after.thread))
				status := act(after, waiting)
				run := after.run(after.thread, waiting)
				require.Equal(t, status, run.Status)
				if status == "completed" {
					require.Equal(t, "30+5", run.Usage.String())
				} else {
					require.Equal(t, "10+2", run.Usage.String())
					require.Equal(t, status, after.steps(after.thread, waiting)[0].Status)
				}
				require.Equal(t, 200, after.say(after.thread))
			})
		})
	}
}

func TestRestartBesidesRunAtWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := server.NewMemoryStore()
		before := newConvo(t, server.NewScripted(server.Otherwise(server.Say("Hel"), server.Wait(time.Hour))), server.WithStore(store))
		id := before.begin(before.thread)
		synctest.Wait()
		after := before.restarted(asking(), server.WithStore(store)) // the first one was killed, which a store cannot tell
		require.Equal(t, "in_progress", after.run(after.thread, id).Status)
		require.Equal(t, 400, after.say(after.thread))
		pass(lifetime)
		require.Equal(t, 200, after.say(after.thread))
		require.Equal(t, "expired", after.run(after.thread, id).Status)
		require.Equal(t, "expired", after.steps(after.thread, id)[0].Status)
		require.Equal(t, "run_expired", after.messages(after.thread)[1].IncompleteDetails.Reason)
		after.open(after.thread).all()
	})
}

// restarted is another server for the same conversation.
func (c *convo) restarted(model server.Model, opts ...server.Option) *convo {
	again := *c
	again.api = newAPI(c.t, append([]server.Option{
		server.WithClock(time.Now), server.WithModel(model), server.WithIDSource(c.freshID),
	}, opts...)...)
	return &again
}

// A model sees the state that it has left, whatever it does to what it is given.
func TestModelOwnsItsCall(t *testing.T) {
	t.Parallel()
	var states []string
	c := newConvo(t, server.ModelFunc(func(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			states = append(states, string(call.State))
			for i := range call.State {
				call.State[i] = '!'
			}
			call.Tools, call.History = append(call.Tools, assistants.Tool{}), nil
			if call.Round == 0 && !yield(server.State("kept"), nil) {
				return
			}
			if call.Round < 2 {
				yield(server.FunctionCall{ID: "call_a", Name: "f"}, nil)
			}
		}
	}))
	id := runID(t, c.open(c.thread).all())
	c.openSubmit(c.thread, id, outputs("", "call_a")).all()
	c.openSubmit(c.thread, id, outputs("", "call_a")).all()
	require.Equal(t, []string{"", "kept", "kept"}, states)
}
