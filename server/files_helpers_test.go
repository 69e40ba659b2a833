package server_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// countedBlobs knows which blobs there are and how many readers are open, and lets a test step in.
type countedBlobs struct {
	server.Blobs
	mu      sync.Mutex
	ids     map[string]bool
	readers int
	putting func(id string, content io.Reader) error // before a Put
	reading func(io.Reader) io.Reader
}

func newCountedBlobs() *countedBlobs {
	return &countedBlobs{Blobs: server.NewMemoryBlobs(), ids: make(map[string]bool)}
}

func (b *countedBlobs) Put(ctx context.Context, id string, content io.Reader) (int64, error) {
	if b.putting != nil {
		if err := b.putting(id, content); err != nil {
			return 0, err
		}
	}
	size, err := b.Blobs.Put(ctx, id, content)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.ids[id] = true
	}
	return size, err
}

func (b *countedBlobs) Delete(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.ids, id)
	return b.Blobs.Delete(ctx, id)
}

func (b *countedBlobs) Open(ctx context.Context, id string) (io.ReadCloser, error) {
	r, err := b.Blobs.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readers++
	counted := &countedReader{Reader: r, closed: func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.readers--
		return r.Close()
	}}
	if b.reading != nil {
		counted.Reader = b.reading(r)
	}
	return counted, nil
}

type countedReader struct {
	io.Reader
	closed func() error
}

func (r *countedReader) Close() error {
	if r.closed == nil {
		return errors.New("closed twice")
	}
	closed := r.closed
	r.closed = nil
	return closed()
}

// has requires that there are these blobs and no others, and that nobody reads.
func (b *countedBlobs) has(t testing.TB, ids ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.ElementsMatch(t, ids, slices.Collect(maps.Keys(b.ids)))
	require.Zero(t, b.readers)
}

// dueIn returns what a store has in the list of what is to be looked at, in the order in which it is due.
func dueIn(t testing.TB, store server.Store) []string {
	t.Helper()
	list, err := store.List(t.Context(), server.Collection{Kind: "due"}, server.Query{Limit: 1000, Order: server.Ascending})
	require.NoError(t, err)
	var ids []string
	for _, r := range list.Records {
		ids = append(ids, r.ID)
	}
	return ids
}
