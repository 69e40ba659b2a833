// Package exampletest helps to test examples.
package exampletest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
	"github.com/assistants-go/assistants/server"
)

// Output is what a program prints on the embedded server with a model, nil for the stand-in. Whether the program
// succeeds, fails because its model has nothing to say, or is interrupted by any of its calls, it must delete all that
// it creates.
func Output(t *testing.T, program endpoint.Program, model server.Model) string {
	t.Helper()
	out, calls, err := play(t, program, model, -1)
	require.NoError(t, err)

	_, _, err = play(t, program, server.NewScripted(), -1)
	require.ErrorContains(t, err, "No rule of the script applies")
	for i, method := range calls {
		if method == http.MethodDelete {
			continue // the end of something is not interrupted
		}
		_, _, err := play(t, program, model, i)
		require.ErrorIs(t, err, context.Canceled, "call %d was interrupted", i)
	}
	return out
}

// Run runs a program on the embedded server with a model, nil for the stand-in. No time passes while it waits.
func Run(t *testing.T, program endpoint.Program, model server.Model) (printed string, err error) {
	t.Helper()
	printed, _, err = play(t, program, model, -1)
	return printed, err
}

// play runs a program, and interrupts it at a call unless that is -1. It returns what was printed, and the methods of the
// calls.
func play(t *testing.T, program endpoint.Program, model server.Model, interrupted int) (printed string, calls []string, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		api := server.New(server.WithModel(model))
		counted := &counter{handler: api, interrupted: interrupted, interrupt: interrupt}
		client, failed := assistants.NewClient(assistants.WithHandler(counted))
		require.NoError(t, failed)
		var out strings.Builder
		err = program(ctx, client, &out)
		printed, calls = out.String(), counted.calls
		assert.Zero(t, counted.created-counted.deleted, "left behind by a program that was interrupted at call %d", interrupted)
		require.NoError(t, api.Close())
	})
	return printed, calls, err
}

// A counter counts calls, and the objects that are created and deleted. It interrupts a program at one
// of the calls, which it does not answer.
type counter struct {
	handler     http.Handler
	interrupted int
	interrupt   func()

	mu               sync.Mutex
	calls            []string // their methods
	created, deleted int
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.count(r) == c.interrupted {
		c.interrupt()
		return
	}
	c.handler.ServeHTTP(w, r)
}

// creations are where something is created that stays.
var creations = []string{"/assistants", "/threads", "/threads/runs", "/files", "/vector_stores"}

func (c *counter) count(r *http.Request) (call int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	call = len(c.calls)
	c.calls = append(c.calls, r.Method)
	switch {
	case call == c.interrupted:
	case r.Method == http.MethodDelete:
		c.deleted++
	case r.Method == http.MethodPost && slices.Contains(creations, strings.TrimPrefix(r.URL.Path, "/v1")):
		c.created++
	}
	return call
}
