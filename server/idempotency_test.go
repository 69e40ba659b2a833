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

	modify := func() answer { return a.do("POST", "/v1/assistants/asst_1", `{"name":"n"}`, "Idempotency-Key: l") }
	assert.Equal(t, modify().body, modify().body)
	assert.Equal(t, "true", modify().header.Get("Idempotent-Replayed"))
}

func TestIdempotentDelete(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.createMany(2)
	first := a.do("DELETE", "/v1/assistants/asst_1", "", sameKey)
	again := a.do("DELETE", "/v1/assistants/asst_1", "", sameKey)
	assert.Equal(t, 200, again.status)
	assert.Equal(t, first.body, again.body)
	assert.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
	assert.Equal(t, 422, a.do("DELETE", "/v1/assistants/asst_2", "", sameKey).status)
	assert.Equal(t, 422, a.do("POST", "/v1/assistants/asst_1", "", sameKey).status)
	assert.Equal(t, 404, a.do("DELETE", "/v1/assistants/asst_1", "").status)
	assert.Equal(t, 1, a.count())
}

func TestReadingTakesNoIdempotencyKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.createMany(1)
	for range 2 {
		assert.Empty(t, a.do("GET", "/v1/assistants", "", sameKey).header.Get("Idempotent-Replayed"))
	}
	assert.Equal(t, 200, a.do("GET", "/v1/assistants/asst_1", "", sameKey).status)
}

// A key whose request was refused is free, even for another request.
func TestRefusalsAreNotKept(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.server.LimitKeptAnswers(1, 1<<20)
	kept := a.do("POST", "/v1/assistants", `{"model":"m"}`, "Idempotency-Key: kept")
	for range 2 {
		refused := a.do("POST", "/v1/assistants", `{}`, sameKey)
		assert.Equal(t, 400, refused.status)
		assert.Empty(t, refused.header.Get("Idempotent-Replayed"))
		assert.Equal(t, 404, a.do("DELETE", "/v1/assistants/asst_none", "", sameKey).status)
	}
	assert.Equal(t, kept.body, a.do("POST", "/v1/assistants", `{"model":"m"}`, "Idempotency-Key: kept").body)
	assert.Equal(t, 200, a.do("POST", "/v1/assistants", `{"model":"other"}`, sameKey).status)
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

// A token may be renewed between a request and its repetition. Where callers need
// no key it says nothing about who they are.
func TestIdempotencyOfRenewedTokens(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first := a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey, "Authorization: Bearer old")
	assert.Equal(t, first.body, a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey, "Authorization: Bearer new").body)
	assert.Equal(t, first.body, a.do("POST", "/v1/assistants", `{"model":"m"}`, sameKey).body)
	assert.Equal(t, 1, a.count())
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

// An answer behind one from the future is no younger for that.
func TestIdempotencyExpiresThoughTheClockWentBack(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	create := func(key string) string {
		return a.do("POST", "/v1/assistants", `{"model":"m"}`, "Idempotency-Key: "+key).body
	}
	a.clock.move(100 * time.Hour)
	future := create("future")
	a.clock.move(-100 * time.Hour)
	past := create("past")
	a.clock.move(24*time.Hour - time.Second)
	assert.Equal(t, past, create("past"))
	a.clock.move(time.Second)
	assert.NotEqual(t, past, create("past"))
	assert.Equal(t, future, create("future"))
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
	a.server.LimitKeptAnswers(100, size)
	assert.False(t, replayed(a, 0))
	for range 2 {
		large := a.do("POST", "/v1/assistants", `{"model":"longer"}`, sameKey)
		assert.Equal(t, 200, large.status)
		assert.Empty(t, large.header.Get("Idempotent-Replayed"), "an answer larger than the bound is not kept")
	}
	assert.True(t, replayed(a, 0), "nor does it push out others")
}
