package server_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// atOnce does all of these things at the same time and waits for the last of them.
func atOnce(things ...func()) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for _, do := range things {
		all.Go(func() {
			<-start
			do()
		})
	}
	close(start)
	all.Wait()
}

// Of many runs that are created on a thread at once, one is, and no message lands in the thread while it is active.
func TestRaceForAThread(t *testing.T) {
	t.Parallel()
	for range 10 {
		read, on := make(chan int, 1), make(chan struct{})
		c := newConvo(t, server.ModelFunc(func(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
			return func(yield func(server.ModelEvent, error) bool) {
				read <- len(call.History)
				<-on
				yield(server.Text("Hello"), nil)
			}
		}))
		var mu sync.Mutex
		won, said := 0, 0
		var things []func()
		for i := range 24 {
			things = append(things, func() {
				status, counted := 0, &said
				if i%2 == 0 {
					status = c.say(c.thread)
				} else {
					status = c.do("POST", c.runsOf(c.thread), `{"assistant_id":"`+c.assistant+`"}`).status
					counted = &won
				}
				mu.Lock()
				defer mu.Unlock()
				if assert.Contains(t, []int{200, 400}, status); status == 200 {
					*counted++
				}
			})
		}
		atOnce(things...)
		require.Equal(t, 1, won)
		require.Len(t, c.messages(c.thread), 1+said)
		require.Equal(t, 1+said, <-read, "what the run has read")
		close(on)
	}
}

// duel has two things happen to a run at the same moment, many times over, each time in a thread of its own. Then
// nobody is at work any more, and the run is looked at.
func duel(t *testing.T, model server.Model, ready func(c *convo) (run string, stream *reading), duellists [2]func(c *convo, run string) answer,
	check func(t *testing.T, answers [2]answer, run runSeen),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, model)
		for range 50 {
			c.thread = c.newThread()
			id, stream := ready(c)
			var answers [2]answer
			atOnce(func() { answers[0] = duellists[0](c, id) }, func() { answers[1] = duellists[1](c, id) })
			synctest.Wait()
			if stream != nil {
				stream.all()
			}
			run := c.run(c.thread, id)
			checkRun(t, run, c.steps(c.thread, id))
			check(t, answers, run)
			if run.Status != "requires_action" {
				require.Equal(t, 200, c.say(c.thread))
			}
		}
	})
}

// waiting is a run that waits for the outputs of [asking].
func waiting(c *convo) (string, *reading) {
	id := c.begin(c.thread)
	synctest.Wait()
	return id, nil
}

// streamed is a run at work.
func streamed(c *convo) (string, *reading) {
	r := c.open(c.thread)
	synctest.Wait()
	return runID(c.t, r.soFar()), r
}

func submitting(c *convo, run string) answer  { return c.submit(c.thread, run, outputs("x", "call_a")) }
func cancelling(c *convo, run string) answer  { return c.cancel(c.thread, run) }
func lookingAt(c *convo, run string) answer   { return c.do("GET", c.runsOf(c.thread)+"/"+run, "") }
func deletingIt(c *convo, run string) answer  { return c.do("DELETE", "/v1/threads/"+c.thread, "") }
func statuses(answers [2]answer) (both []int) { return []int{answers[0].status, answers[1].status} }

func TestRaceOfCancelAndCompletion(t *testing.T) {
	t.Parallel()
	duel(t, server.NewScripted(server.Otherwise(server.Say("Hel"), server.Wait(time.Second), server.Say("lo"))), streamed,
		[2]func(*convo, string) answer{func(c *convo, run string) answer {
			pass(time.Second) // when the model goes on
			return c.cancel(c.thread, run)
		}, lookingAt},
		func(t *testing.T, answers [2]answer, run runSeen) {
			want := map[int]string{200: "cancelled", 400: "completed"}
			require.Equal(t, want[answers[0].status], run.Status)
		})
}

func TestRaceOfTwoSubmissions(t *testing.T) {
	t.Parallel()
	duel(t, asking(), waiting, [2]func(*convo, string) answer{submitting, submitting}, func(t *testing.T, answers [2]answer, run runSeen) {
		require.ElementsMatch(t, []int{200, 400}, statuses(answers))
		require.Equal(t, "completed", run.Status)
		require.Equal(t, "30+5", run.Usage.String())
	})
}

func TestRaceOfOutputsAndCancel(t *testing.T) {
	t.Parallel()
	duel(t, asking(), waiting, [2]func(*convo, string) answer{submitting, cancelling}, func(t *testing.T, answers [2]answer, run runSeen) {
		require.Contains(t, statuses(answers), 200)
		if answers[1].status == 200 {
			require.Equal(t, "cancelled", run.Status)
		} else {
			require.Equal(t, "completed", run.Status)
		}
	})
}

func TestRaceOfOutputsAndExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := &clock{now: time.Unix(epoch, 0)}
		c := newConvo(t, asking(), server.WithClock(clock.Now))
		for range 50 {
			c.thread = c.newThread()
			id, _ := waiting(c)
			var got answer
			atOnce(func() { got = submitting(c, id) }, func() { clock.move(lifetime) })
			synctest.Wait()
			run := c.run(c.thread, id)
			checkRun(t, run, c.steps(c.thread, id))
			if got.status == 200 {
				require.Contains(t, []string{"completed", "expired"}, run.Status)
			} else {
				require.Equal(t, "expired", run.Status)
			}
			require.Equal(t, 200, c.say(c.thread))
		}
	})
}

// A thread that is deleted takes its run with it, whatever the run is doing.
func TestRaceOfDeletionAndRun(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(*convo, string) answer{
		"cancel": cancelling, "submit": submitting, "look": lookingAt, "delete": deletingIt,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := server.NewMemoryStore()
				c := newConvo(t, asking(), server.WithStore(store))
				for range 30 {
					c.thread = c.newThread()
					r := c.open(c.thread)
					for id := ""; id == ""; {
						synctest.Wait()
						id = runID(t, r.soFar())
						atOnce(func() { deletingIt(c, id) }, func() { other(c, id) })
						synctest.Wait()
						for _, collection := range []server.Collection{
							{Kind: "thread.run", Parent: c.thread}, {Kind: "thread.message", Parent: c.thread}, {Kind: "thread.run.step", Parent: id},
						} {
							page, err := store.List(t.Context(), collection, server.Query{Limit: 1})
							require.NoError(t, err)
							require.Empty(t, page.Records, "%+v", collection)
						}
						require.Equal(t, 404, c.do("GET", c.runsOf(c.thread)+"/"+id, "").status)
					}
					r.all()
				}
			})
		})
	}
}

// The same while the model is writing as fast as it can.
func TestDeletionWhileTheModelWrites(t *testing.T) {
	t.Parallel()
	c := newConvo(t, server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			for yield(server.Text("x"), nil) && yield(server.CodeCall{}, nil) {
			}
		}
	}))
	for range 4 {
		thread := c.newThread()
		r := &sensor{reading: reading{t: t}, event: "thread.message.delta", do: func() { c.ok("DELETE", "/v1/threads/"+thread, "") }}
		c.serve(r, &r.reading, c.runsOf(thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
		events := r.all()
		require.Equal(t, "thread.run.cancelled", events[len(events)-2].name)
	}
}

// A clock that jumps back and forth makes no run illegal: what happens later is never said to have happened before.
func TestClockThatJumps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := &clock{now: time.Unix(epoch, 0)}
		jump := func(d time.Duration) server.Action {
			return func(context.Context, *server.ModelCall, func(server.ModelEvent, error) bool) bool {
				clock.move(d)
				return true
			}
		}
		c := newConvo(t, server.NewScripted(
			server.When(server.Submitted(""), jump(3*time.Minute), server.Say("c"), jump(-time.Hour), server.RunCode("1", "1"), server.Say("d")),
			server.Otherwise(jump(-time.Hour), server.Say("a"), jump(time.Hour+5*time.Minute), server.RunCode("1", "1"), jump(-time.Minute),
				server.Say("b"), jump(2*time.Minute), server.CallFunction("f", "{}"), jump(-4*time.Minute)),
		), server.WithClock(clock.Now))
		for range 5 {
			id, _ := waiting(c)
			clock.move(-time.Minute)
			run := c.run(c.thread, id)
			require.Equal(t, 200, c.submit(c.thread, id, outputs("", run.waitsFor()...)).status)
			synctest.Wait()
			run, steps := c.run(c.thread, id), c.steps(c.thread, id)
			require.Equal(t, "completed", run.Status)
			checkRun(t, run, steps)
		}
	})
}

// checkRun fails the test if a run cannot be as it is, or does not fit its steps.
func checkRun(t testing.TB, run runSeen, steps []stepSeen) {
	t.Helper()
	ends := map[string]int64{"completed_at": run.CompletedAt, "failed_at": run.FailedAt, "cancelled_at": run.CancelledAt}
	own := map[string]string{"completed": "completed_at", "incomplete": "completed_at", "failed": "failed_at", "cancelled": "cancelled_at"}[run.Status]
	ended := own != "" || run.Status == "expired"
	for name, at := range ends {
		assert.Equal(t, name == own, at != 0, "%s of %+v", name, run)
		assert.True(t, at == 0 || at >= max(run.CreatedAt, run.StartedAt), "%s of %+v", name, run)
	}
	assert.True(t, run.StartedAt == 0 || run.StartedAt >= run.CreatedAt, "%+v", run)
	wantExpiry := run.CreatedAt + 600
	if own != "" {
		wantExpiry = 0
	}
	assert.Equal(t, wantExpiry, run.ExpiresAt, "%+v", run)
	assert.Equal(t, ended, run.Usage != nil, "%+v", run)
	assert.Equal(t, run.Status == "failed", run.LastError != nil, "%+v", run)
	assert.Equal(t, run.Status == "incomplete", run.IncompleteDetails != nil, "%+v", run)
	assert.Equal(t, run.Status == "requires_action", run.RequiredAction != nil, "%+v", run)

	total, open := usageSeen{}, 0
	for _, s := range steps {
		if checkStep(t, run, s); s.Usage == nil {
			open++
			continue
		}
		total.PromptTokens += s.Usage.PromptTokens
		total.CompletionTokens += s.Usage.CompletionTokens
		total.TotalTokens += s.Usage.TotalTokens
	}
	assert.LessOrEqual(t, open, 1, "%+v", steps)
	if ended {
		assert.Zero(t, open, "%+v", steps)
		assert.Equal(t, total, *run.Usage, "%+v", run)
	}
}

func checkStep(t testing.TB, run runSeen, s stepSeen) {
	t.Helper()
	said := fmt.Sprintf("%+v of %+v", s, run)
	ends := map[string]int64{"completed": s.CompletedAt, "failed": s.FailedAt, "cancelled": s.CancelledAt, "expired": s.ExpiredAt}
	for status, at := range ends {
		assert.Equal(t, status == s.Status, at != 0, said)
		assert.True(t, at == 0 || at >= s.CreatedAt, said)
		assert.True(t, at == 0 || run.CompletedAt == 0 || at <= run.CompletedAt, said)
	}
	assert.GreaterOrEqual(t, s.CreatedAt, run.CreatedAt, said)
	if s.Status == "in_progress" {
		assert.Nil(t, s.Usage, said)
		assert.Equal(t, run.ExpiresAt, s.ExpiresAt, said)
		return
	}
	assert.NotNil(t, s.Usage, said)
	assert.Zero(t, s.ExpiresAt, said)
	assert.Contains(t, "completed "+run.Status, s.Status, said)
	assert.Equal(t, s.Status == "failed", s.LastError != nil, said)
	if s.Type == "tool_calls" {
		assert.True(t, strings.HasPrefix(string(s.StepDetails.ToolCalls), `[{"id":"`), said)
	}
}
