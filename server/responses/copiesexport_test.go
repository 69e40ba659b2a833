package responses

import (
	"context"
	"io"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// Copies are what a Model has with its provider.
type Copies struct{ *copies }

// NewCopies returns those of a new Model.
func NewCopies(provider *assistants.Client) Copies { return Copies{newCopies(provider)} }

// Files copies files.
func (c Copies) Files(ctx context.Context, call *server.ModelCall, ids ...string) ([]string, error) {
	return c.files(ctx, call, ids)
}

// Stores copies vector stores, and returns the provider's ids and the files that files of it are copies of.
func (c Copies) Stores(ctx context.Context, call *server.ModelCall, ids ...string) ([]string, map[string]string, error) {
	s, err := c.stores(ctx, call, ids)
	if err != nil {
		return nil, nil, err
	}
	for made, id := range s.originals {
		if found, ok := s.original(made); !ok || found != id {
			panic("original")
		}
	}
	if _, ok := s.original("file-strange"); ok {
		panic("original of nothing")
	}
	return s.ids, s.originals, nil
}

// Doubt has copies looked at again.
func (c Copies) Doubt(ctx context.Context, call *server.ModelCall, files, stores []string) error {
	return c.doubt(ctx, call, files, stores)
}

// Session returns the container of the thread, or the provider's files for a new one.
func (c Copies) Session(ctx context.Context, call *server.ModelCall, ids ...string) (
	container string, files []string, keep func(container string) error, err error,
) {
	s, err := c.session(ctx, call, ids)
	if err != nil {
		return "", nil, nil, err
	}
	return s.ID, s.files, func(id string) error { return c.keep(ctx, call, id, s) }, nil
}

// Drop forgets the container of the thread.
func (c Copies) Drop(ctx context.Context, call *server.ModelCall) error { return c.drop(ctx, call) }

// Fetch makes a file of one in a container.
func (c Copies) Fetch(ctx context.Context, call *server.ModelCall, container, file, name string) (string, error) {
	return c.fetch(ctx, call, container, file, name)
}

// Image makes a file of an image in a URL, or says why not.
func (c Copies) Image(ctx context.Context, call *server.ModelCall, url string) (server.ModelEvent, error) {
	return c.image(ctx, call, url)
}

// Locks counts the locks that somebody holds or waits for.
func (c Copies) Locks() int {
	c.locks.mu.Lock()
	defer c.locks.mu.Unlock()
	return len(c.locks.byID)
}

// Of returns those of another Model.
func (c Copies) Of(provider *assistants.Client) Copies { return NewCopies(provider) }

// NewContent returns a file as it is uploaded.
func NewContent(size int64, open func() io.ReadCloser) io.ReadSeekCloser {
	return &content{size: size, body: open(), reopen: func() (io.ReadCloser, error) { return open(), nil }}
}
