package server_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// noting is a model that has something done with its call, and says nothing.
func noting(do func(ctx context.Context, call *server.ModelCall)) server.Model {
	return server.ModelFunc(func(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(func(server.ModelEvent, error) bool) { do(ctx, call) }
	})
}

// A note is found by later runs, of other threads and of the next server, and goes with what it is about.
func TestNotes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var do func(ctx context.Context, call *server.ModelCall)
		model := noting(func(ctx context.Context, call *server.ModelCall) { do(ctx, call) })
		store := server.NewMemoryStore()
		c := newConvo(t, model, server.WithStore(store))
		file := c.upload("a.txt", "x")
		vectors := strings.TrimPrefix(c.newStore(), stores+"/")
		synctest.Wait()
		about := []string{file, vectors, c.thread}

		do = func(ctx context.Context, call *server.ModelCall) {
			for _, id := range about {
				got, err := call.Recall(ctx, id, "copy")
				assert.NoError(t, err)
				assert.Nil(t, got)
				assert.NoError(t, call.Remember(ctx, id, "copy", []byte("first")))
				assert.NoError(t, call.Remember(ctx, id, "copy", []byte("of "+id)))
				assert.NoError(t, call.Remember(ctx, id, "other", []byte("x")))
				assert.NoError(t, call.Remember(ctx, id, "other", nil))
				assert.NoError(t, call.Remember(ctx, id, "other", nil), "what is not there can be taken away")
			}
			assert.ErrorIs(t, call.Remember(ctx, "file_gone", "copy", []byte("x")), server.ErrNotFound)
			assert.ErrorIs(t, call.Remember(ctx, call.AssistantID, "copy", []byte("x")), server.ErrNotFound)
		}
		require.Equal(t, "completed", c.finished("").Status)

		again := newConvo(t, model, server.WithStore(store), server.WithIDSource(c.freshID))
		do = func(ctx context.Context, call *server.ModelCall) {
			for _, id := range about {
				got, err := call.Recall(ctx, id, "copy")
				assert.NoError(t, err)
				assert.Equal(t, "of "+id, string(got))
				got, err = call.Recall(ctx, id, "other")
				assert.NoError(t, err)
				assert.Nil(t, got)
			}
		}
		require.Equal(t, "completed", again.finished("").Status)

		again.ok("DELETE", "/v1/files/"+file, "")
		again.ok("DELETE", stores+"/"+vectors, "")
		again.ok("DELETE", "/v1/threads/"+c.thread, "")
		for _, id := range about {
			left, err := store.List(t.Context(), server.Collection{Kind: "model.note", Parent: id}, server.Query{Limit: 9})
			require.NoError(t, err)
			assert.Empty(t, left.Records, id)
		}
	})
}

// A call that is not of a server has nowhere to write.
func TestNotesOfNoServer(t *testing.T) {
	t.Parallel()
	call := new(server.ModelCall)
	require.Error(t, call.Remember(t.Context(), "thread_1", "a", nil))
	_, err := call.Recall(t.Context(), "thread_1", "a")
	require.Error(t, err)
	for _, err := range call.VectorStoreFiles(t.Context(), "vs_1") {
		require.Error(t, err)
	}
}

// A model sees the files of a store that can be searched, with what was said about them.
func TestVectorStoreFilesOfACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		var failed error
		id := ""
		c := newConvo(t, noting(func(ctx context.Context, call *server.ModelCall) {
			seen, failed = nil, nil
			for file, err := range call.VectorStoreFiles(ctx, id) {
				if failed = err; err != nil {
					return
				}
				seen = append(seen, file.ID+" "+file.Attributes["k"].String())
			}
		}))
		target := c.newStore()
		id = strings.TrimPrefix(target, stores+"/")
		one, two, empty := c.upload("a.txt", "x"), c.upload("b.txt", "y"), c.upload("c.bin", "\x00\x01")
		for _, file := range []string{one, two, empty} {
			c.ok("POST", target+"/files", `{"file_id":"`+file+`","attributes":{"k":"v"}}`)
		}
		synctest.Wait()
		c.finished("")
		require.NoError(t, failed)
		assert.Equal(t, []string{one + " v", two + " v"}, seen)
		c.ok("DELETE", target, "")
		c.finished("")
		require.ErrorIs(t, failed, server.ErrNotFound)
	})
}

// A state takes the place of the one before, also in what a run may yield.
func TestStateIsCountedOnce(t *testing.T) {
	t.Parallel()
	large := server.State(strings.Repeat("x", 5<<20))
	c := newConvo(t, yielding(saying(large, large, large, large, server.Text("Done."))))
	events := c.open(c.thread).all()
	require.Equal(t, "completed", c.run(c.thread, runID(t, events)).Status, c.log)
}
