package server_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// again sends a request twice with a key and expects the same answer, which it returns.
func (a *api) again(method, target, body, key string) answer {
	a.t.Helper()
	first := a.do(method, target, body, "Idempotency-Key: "+key)
	second := a.do(method, target, body, "Idempotency-Key: "+key)
	require.Equal(a.t, 200, first.status, first.body)
	assert.Equal(a.t, first.status, second.status)
	assert.Equal(a.t, first.body, second.body)
	assert.Equal(a.t, first.header.Get("Content-Type"), second.header.Get("Content-Type"))
	assert.Equal(a.t, "true", second.header.Get("Idempotent-Replayed"))
	assert.NotEqual(a.t, first.header.Get("X-Request-Id"), second.header.Get("X-Request-Id"))
	return first
}

func TestRepeatedConversation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newLedger()
		model := overhear(server.When(server.Asked("call"), server.CallFunction("f", "{}")))
		a := newAPI(t, server.WithStore(store), server.WithModel(model))
		a.create(`{"model":"m"}`)
		a.again("POST", threads, `{"messages":[{"role":"user","content":"call"}]}`, "1")
		a.again("POST", messages, `{"role":"user","content":"call"}`, "2")
		a.again("POST", runs, `{"assistant_id":"asst_1"}`, "3")
		synctest.Wait()
		a.again("POST", submit, `{"tool_outputs":[{"tool_call_id":"call_1"}]}`, "4")
		synctest.Wait()
		a.again("POST", direct, `{"assistant_id":"asst_1","thread":{"messages":[{"role":"user","content":"call"}]}}`, "5")
		synctest.Wait()
		assert.Equal(t, map[string]int{"assistant": 1, "thread": 2, "thread.message": 4, "thread.run": 2, "thread.run.step": 3}, store.counts())
		assert.Len(t, model.calls, 3)
		a.again("POST", "/v1/threads/thread_2/runs/run_2/cancel", "", "6")
		a.again("DELETE", message1, "", "7")
		a.again("DELETE", thread1, "", "8")

		got := a.do("POST", "/v1/threads/thread_2/messages", `{"role":"user","content":"other"}`, "Idempotency-Key: 2")
		assert.Equal(t, 422, got.status, "another request")
	})
}

// A repeated stream is the same to the last byte, and while it lasts there is no second one.
func TestRepeatedStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		more := make(chan struct{})
		model := overhear(server.Otherwise(server.Say("Half an"), server.Until(more), server.Say(" answer.")))
		a := newAPI(t, server.WithModel(model))
		a.create(`{"model":"m"}`)
		a.thread("Hello")
		for i, target := range []string{runs, direct} {
			body := `{"assistant_id":"asst_1","stream":true}`
			if target == direct {
				body = `{"assistant_id":"asst_1","stream":true,"thread":{"messages":[{"role":"user","content":"Hello"}]}}`
			}
			first := a.later(t.Context(), target, body, "Idempotency-Key: "+target)
			synctest.Wait()
			busy := a.do("POST", target, body, "Idempotency-Key: "+target)
			assert.Equal(t, 409, busy.status)
			assert.Equal(t, envelope(underWay, "idempotency_error", "", ""), busy.body)
			more <- struct{}{}
			streamed := whole(t, first)
			assert.Contains(t, streamed.body, "event: done\ndata: [DONE]\n\n")

			got := a.do("POST", target, body, "Idempotency-Key: "+target)
			assert.Equal(t, 200, got.status)
			assert.Equal(t, "text/event-stream; charset=utf-8", got.header.Get("Content-Type"))
			assert.Equal(t, "true", got.header.Get("Idempotent-Replayed"))
			assert.Equal(t, streamed.body, got.body)
			assert.Len(t, model.calls, i+1)
		}
	})
}

// Whoever loses the connection gets all of the stream the next time, as soon as it is whole.
func TestRepeatedStreamOfAVanishedReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		more := make(chan struct{})
		model := overhear(server.Otherwise(server.Say("Half an"), server.Until(more), server.Say(" answer."), server.CallFunction("f", "{}")))
		a := newAPI(t, server.WithModel(model))
		a.create(`{"model":"m"}`)
		a.thread("Hello")
		const body = `{"assistant_id":"asst_1","stream":true}`
		ctx, vanish := context.WithCancel(t.Context())
		first := a.later(ctx, runs, body, "Idempotency-Key: 1")
		synctest.Wait()
		vanish()
		synctest.Wait()
		assert.Equal(t, 409, a.do("POST", runs, body, "Idempotency-Key: 1").status)
		assert.Equal(t, "in_progress", a.status(run1), "the run goes on")
		close(more)
		cut := whole(t, first)
		assert.NotContains(t, cut.body, "[DONE]")

		got := a.do("POST", runs, body, "Idempotency-Key: 1")
		assert.Equal(t, 200, got.status)
		require.True(t, strings.HasPrefix(got.body, cut.body), got.body)
		names := events(got.body)
		assert.Equal(t, []string{"thread.run.requires_action", "done"}, names[len(names)-2:])
		assert.Len(t, model.calls, 1)
		assert.Equal(t, "requires_action", a.status(run1))
	})
}

// A refused stream keeps no key.
func TestRefusedStreamKeepsNoKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.create(`{"model":"m"}`)
	thread := a.thread()
	const body = `{"assistant_id":"asst_1","stream":true}`
	assert.Equal(t, 400, a.do("POST", thread+"/runs", body, sameKey).status)
	a.ok("POST", thread+"/messages", `{"role":"user","content":"x"}`)
	got := a.do("POST", thread+"/runs", body, sameKey)
	assert.Equal(t, 200, got.status)
	assert.Empty(t, got.header.Get("Idempotent-Replayed"))
}
