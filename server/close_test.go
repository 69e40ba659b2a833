package server_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// moody is a model that does something else in each call, by turns.
func moody() server.Model {
	moods := []server.Model{
		hanging(), hangingInCode(), asking(), yielding(saying(server.Text("Hello"))), yielding(saying(server.FunctionCall{})),
		stubborn(time.Second, server.Text("late"), time.Second, server.Text("later")),
		server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
			return func(yield func(server.ModelEvent, error) bool) {
				for yield(server.Text("x"), nil) {
					pass(time.Millisecond)
				}
			}
		}),
	}
	calls := make(chan int, 1)
	calls <- 0
	return server.ModelFunc(func(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		n := <-calls
		calls <- n + 1
		return moods[n%len(moods)].Respond(ctx, call)
	})
}

// A server that is closed under load: nothing hangs, every stream ends as it must, and no run is left at work.
func TestCloseUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const runs = 200
		store := server.NewMemoryStore()
		c := newConvo(t, moody(), server.WithStore(store), server.WithMaxConcurrentCalls(120))
		threads := make([]string, runs+20)
		for i := range threads {
			threads[i] = c.newThread()
		}
		var streams []*reading
		for i := range runs {
			if i%2 == 0 {
				streams = append(streams, c.open(threads[i]))
			} else {
				c.begin(threads[i])
			}
		}
		pass(100 * time.Millisecond)
		for i := 0; i < runs; i += 9 {
			for _, run := range field[[]runSeen](t, c.ok("GET", c.runsOf(threads[i]), ""), "data") {
				c.cancel(threads[i], run.ID)
			}
		}
		things := []func(){func() { require.NoError(t, c.server.Close()) }, func() { require.NoError(t, c.server.Close()) }}
		late := make([]*reading, 20)
		for i := range late {
			things = append(things, func() { late[i] = c.open(threads[runs+i]) })
		}
		begun := time.Now()
		atOnce(things...)
		require.LessOrEqual(t, time.Since(begun), 5*time.Second)
		for _, r := range streams {
			r.all()
		}
		for _, r := range late {
			status, _ := r.answered()
			require.Contains(t, []int{200, 503}, status)
		}
		require.Equal(t, 503, c.do("GET", "/v1/threads/"+c.thread, "").status)

		after := c.restarted(asking(), server.WithStore(store))
		ends := map[string]int{}
		for _, thread := range threads {
			after.thread = thread
			for _, run := range after.allRuns() {
				ends[run.Status]++
				checkRun(t, run, after.steps(thread, run.ID))
			}
		}
		for _, status := range []string{"queued", "in_progress", "cancelling", "expired"} {
			require.Zero(t, ends[status], "%v", ends)
		}
		for _, status := range []string{"completed", "requires_action", "failed", "cancelled"} {
			require.NotZero(t, ends[status], "%v", ends)
		}
	})
}

// A run that waits for outputs outlives its server; all others have ended when Close returns.
func TestCloseEndsRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := server.NewMemoryStore()
		c := newConvo(t, server.NewScripted(
			server.When(server.Asked("wait"), server.CallFunction("f", "{}")),
			server.Otherwise(server.Say("Hel"), server.Wait(time.Hour)),
		), server.WithStore(store), server.WithMaxConcurrentCalls(2))
		waits := c.newThread()
		c.ok("POST", "/v1/threads/"+waits+"/messages", `{"role":"user","content":"wait"}`)
		waiting := c.begin(waits)
		synctest.Wait()
		var threads, ids []string
		for range 3 {
			threads = append(threads, c.newThread())
			ids = append(ids, c.begin(threads[len(threads)-1]))
			synctest.Wait()
		}
		require.Equal(t, 200, c.cancel(threads[0], ids[0]).status)
		require.NoError(t, c.server.Close())

		after := c.restarted(asking(), server.WithStore(store))
		require.Equal(t, "requires_action", after.run(waits, waiting).Status)
		for i, want := range []string{"cancelled", "failed", "failed"} {
			run := after.run(threads[i], ids[i])
			require.Equal(t, want, run.Status)
			checkRun(t, run, after.steps(threads[i], ids[i]))
			if want == "failed" {
				require.Equal(t, "server_error: The server was shut down.", run.LastError.String())
			}
			require.Equal(t, 200, after.say(threads[i]))
		}
		require.Zero(t, after.run(threads[2], ids[2]).StartedAt, "it was in the queue")
	})
}
