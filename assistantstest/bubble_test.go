package assistantstest_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
)

// An API may be made in the bubble that it is used in, before it, or in it for a test around it.
func TestBubbles(t *testing.T) {
	t.Parallel()
	options := []assistantstest.Option{
		assistantstest.WithRules(
			server.When(server.Asked("slow"), server.Say("Let me see."), server.Wait(5*time.Minute), server.Say(" At last.")),
			server.When(server.Asked("call"), server.CallFunction("f", "{}"))),
		assistantstest.WithFaults(assistantstest.Fault{On: createThread, Nth: 1, Delay: time.Minute / 2},
			assistantstest.Fault{On: "POST /threads/runs", Nth: 2, CutAfter: 9}),
	}
	// use leaves nothing behind that is under way.
	use := func(t *testing.T, api *assistantstest.API) {
		began := time.Now()
		run := finished(t, api, startRun(t, api, "slow"))
		assert.Equal(t, "Let me see. At last.", newestText(t, api, run.ThreadID))
		assert.InDelta(t, 5*time.Minute, time.Since(began), float64(6*time.Second))

		began = time.Now()
		require.NoError(t, thread(t, api))
		assert.Equal(t, time.Minute/2, time.Since(began))

		stream, err := api.Threads.CreateAndRunStream(t.Context(), asking(run.AssistantID, "slow"))
		require.NoError(t, err)
		_, err = stream.Wait()
		require.Error(t, err)
		require.NoError(t, stream.Close())
		assert.Equal(t, assistants.RunCompleted, finished(t, api, stream.Run()).Status)

		run = finished(t, api, startRun(t, api, "call"))
		assert.Equal(t, assistants.RunRequiresAction, run.Status)
	}
	t.Run("in the bubble", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { use(t, assistantstest.New(t, options...)) })
	})
	t.Run("before the bubble", func(t *testing.T) {
		t.Parallel()
		api := assistantstest.New(t, options...)
		synctest.Test(t, func(t *testing.T) { use(t, api) })
		_, err := api.Threads.Retrieve(t.Context(), "thread_1")
		require.NoError(t, err, "it is of use behind the bubble as well")
	})
	t.Run("for the test around", func(t *testing.T) {
		t.Parallel()
		outer := t
		synctest.Test(t, func(t *testing.T) { use(t, assistantstest.New(outer, options...)) })
	})
}

// Runs are looked at often while they are young, and seldom later.
func TestPolling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const looks = "GET /threads/{thread_id}/runs/{run_id}"
		for _, c := range []struct {
			wait, late time.Duration // how late the end is seen
			looks      int
			opts       []assistants.Option
		}{
			{0, 2 * time.Millisecond, 3, nil},
			{20 * time.Millisecond, 4 * time.Millisecond, 30, nil},
			{9 * time.Minute, 5 * time.Second, 250, nil},
			{50 * time.Second, 10 * time.Second, 3, []assistants.Option{assistants.WithPollInterval(30 * time.Second)}},
		} {
			api := assistantstest.New(t, assistantstest.WithRules(server.Otherwise(server.Wait(c.wait))), assistantstest.WithClient(c.opts...))
			began := time.Now()
			run := finished(t, api, startRun(t, api, "Hi"))
			assert.Equal(t, assistants.RunCompleted, run.Status)
			took := time.Since(began)
			assert.True(t, took >= c.wait && took <= c.wait+c.late, "%v: took %v", c.wait, took)
			assert.LessOrEqual(t, len(api.Requests(looks)), c.looks)

			began = time.Now()
			_, err := api.Runs.CreateAndPoll(t.Context(), run.ThreadID, assistants.RunCreateParams{AssistantID: run.AssistantID})
			require.NoError(t, err)
			took = time.Since(began)
			assert.True(t, took >= c.wait && took <= c.wait+c.late, "%v: took %v", c.wait, took)
		}
	})
}

// Only what answers with a run says when to look again.
func TestPollHeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := assistantstest.New(t)
		run := startRun(t, api, "Hi")
		after := func(method, path string) string {
			var response assistants.Response
			_ = api.Call(t.Context(), method, path, nil, nil, assistants.WithResponse(&response))
			return response.Header.Get("Openai-Poll-After-Ms")
		}
		at := "/threads/" + run.ThreadID + "/runs/" + run.ID
		assert.Equal(t, "1", after(http.MethodGet, at))
		<-time.After(time.Second)
		assert.Equal(t, "100", after(http.MethodGet, at))
		<-time.After(time.Hour)
		assert.Equal(t, "5000", after(http.MethodGet, at))
		for _, other := range []string{"/assistants", "/threads/" + run.ThreadID, at + "/steps", "/threads/" + run.ThreadID + "/runs", at + "0"} {
			assert.Empty(t, after(http.MethodGet, other), other)
		}
	})
}

// A model may take longer than its run may.
func TestExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := assistantstest.WithRules(server.Otherwise(server.Wait(time.Hour)))
		api := assistantstest.New(t, silent)
		run := finished(t, api, startRun(t, api, "Hi"))
		assert.Equal(t, assistants.RunExpired, run.Status)
		assert.Less(t, len(api.Requests()), 300)

		api = assistantstest.New(t, silent, assistantstest.WithClient(assistants.WithStreamIdleTimeout(0)))
		run = startRun(t, api, "Hi")
		began := time.Now()
		stream, err := api.Threads.CreateAndRunStream(t.Context(), asking(run.AssistantID, "Hi"))
		require.NoError(t, err)
		defer stream.Close()
		run, err = stream.Wait()
		require.NoError(t, err)
		assert.Equal(t, assistants.RunExpired, run.Status)
		assert.InDelta(t, 10*time.Minute, time.Since(began), float64(time.Second)) // expires_at is in whole seconds
	})
}
