package server_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

const (
	sameKey  = "Idempotency-Key: k"
	mismatch = "This Idempotency-Key was used for a different request. Use a new key, or send the same request again."
	underWay = "A request with this Idempotency-Key is still being processed. Try again later."
)

func (a *api) count() int {
	a.t.Helper()
	ids, _ := a.page("limit=100")
	return len(ids)
}

func TestIdempotentReplay(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first := a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey)
	again := a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey)
	assert.Equal(t, 200, again.status)
	assert.Equal(t, first.body, again.body)
	assert.Empty(t, first.header.Get("Idempotent-Replayed"))
	assert.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	assert.NotEqual(t, first.header.Get("x-request-id"), again.header.Get("x-request-id"))
	assert.Equal(t, 1, a.count())

	// A refusal is an answer like any other.
	refused := a.do("POST", "/v1/assistants", `{}`, "Idempotency-Key: other")
	repeated := a.do("POST", "/v1/assistants", `{}`, "Idempotency-Key: other")
	assert.Equal(t, 400, repeated.status)
	assert.Equal(t, refused.body, repeated.body)
	assert.Equal(t, "true", repeated.header.Get("Idempotent-Replayed"))
}

func TestIdempotencyKeyIsOnlyForPost(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.createMany(1)
	for range 2 {
		assert.Empty(t, a.do("GET", "/v1/assistants", "", sameKey).header.Get("Idempotent-Replayed"))
	}
}

func TestIdempotencyScope(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithAPIKeys("one", "two"))
	one, two := "Authorization: Bearer one", "Authorization: Bearer two"
	first := a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey, one)
	assert.Equal(t, 200, first.status)
	assert.NotEqual(t, first.body, a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey, two).body)
	assert.Equal(t, first.body, a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey, "api-key: one").body)

	for target, body := range map[string]string{
		"/v1/assistants":        `{"model":"other"}`,
		"/v1/assistants?x=1":    `{"model":"m"}`,
		"/v1/assistants/asst_1": `{"model":"m"}`,
	} {
		got := a.do("POST", target, body, sameKey, one)
		assert.Equal(t, 422, got.status, target)
		assert.Equal(t, envelope(mismatch, "idempotency_error", "", ""), got.body)
	}
}

func TestIdempotencyKeyLength(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	assert.Equal(t, 200, a.do("POST", "/v1/assistants", `{"model":"m"}`, "Idempotency-Key: "+strings.Repeat("k", 255)).status)
	got := a.do("POST", "/v1/assistants", `{"model":"m"}`, "Idempotency-Key: "+strings.Repeat("k", 256))
	assert.Equal(t, 400, got.status)
	assert.Equal(t, envelope("Invalid 'Idempotency-Key': string too long. Expected a string with maximum length 255, but got a string with "+
		"length 256 instead.", requestError, "Idempotency-Key", "string_above_max_length"), got.body)
}

func TestIdempotencyWhileUnderWay(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	store := &hookStore{Store: server.NewMemoryStore(), insert: func(server.Collection) error {
		entered <- struct{}{}
		<-leave
		return nil
	}}
	a := newAPI(t, server.WithStore(store))
	done := make(chan answer)
	go func() { done <- a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey) }()
	<-entered

	got := a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey)
	assert.Equal(t, 409, got.status)
	assert.Equal(t, envelope(underWay, "idempotency_error", "", ""), got.body)
	assert.Equal(t, 422, a.do("POST", "/v1/assistants", `{"model":"n"}`, sameKey).status)

	close(leave)
	first := <-done
	assert.Equal(t, 200, first.status)
	assert.Equal(t, first.body, a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey).body)
}

func TestIdempotencyKeyIsReleasedByFailures(t *testing.T) {
	t.Parallel()
	var fail func() error
	store := &hookStore{Store: server.NewMemoryStore(), insert: func(server.Collection) error { return fail() }}
	a := newAPI(t, server.WithStore(store))
	for _, failure := range []func() error{
		func() error { return errors.New("no") },
		func() error { panic("no") },
	} {
		fail = failure
		assert.Equal(t, 500, a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey).status)
	}
	fail = func() error { return nil }
	got := a.do("POST", "/v1/assistants", `{"model":"changed"}`, sameKey)
	assert.Equal(t, 200, got.status, got.body)
}

func TestIdempotencyExpires(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey)
	a.clock.move(24*time.Hour - time.Second)
	a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey)
	assert.Equal(t, 1, a.count())
	a.clock.move(time.Second)
	a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey)
	assert.Equal(t, 2, a.count())
}

func TestKeptAnswersAreBounded(t *testing.T) {
	t.Parallel()
	replayed := func(a *api, key int) bool {
		got := a.do("POST", "/v1/assistants", `{"model":"m"}`, fmt.Sprintf("Idempotency-Key: %d", key))
		require.Equal(t, 200, got.status)
		return got.header.Get("Idempotent-Replayed") == "true"
	}
	size := len(newAPI(t).do("POST", "/v1/assistants", `{"model":"m"}`).body)
	for name, limit := range map[string]struct{ answers, bytes int }{
		"number": {3, 1 << 20},
		"bytes":  {100, 4*size - 1},
	} {
		a := newAPI(t)
		a.server.LimitKeptAnswers(limit.answers, limit.bytes)
		for key := range 3 {
			assert.False(t, replayed(a, key), name)
		}
		assert.True(t, replayed(a, 0), name)
		assert.False(t, replayed(a, 3), name) // pushes out 0, the oldest, though it was used last
		assert.True(t, replayed(a, 1), name)
		assert.True(t, replayed(a, 2), name)
		assert.False(t, replayed(a, 0), name)
	}
	a := newAPI(t)
	a.server.LimitKeptAnswers(100, size-1)
	assert.False(t, replayed(a, 0))
	assert.False(t, replayed(a, 0), "an answer larger than the bound is not kept")
}
