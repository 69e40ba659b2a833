package responses

import (
	"context"
	"errors"
	"io"
	"sync"
)

// What copying is made of: several at once, one of each at a time, and files that can be sent again.

// each calls f for items, for some of them at once. The first error ends it: what is under way is finished, the rest
// not begun.
func each[T any](items []T, f func(T) error) (err error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, item := range items {
		places <- struct{}{} // comes free, since f ends
		mu.Lock()
		failed := err != nil
		mu.Unlock()
		if failed {
			break
		}
		group.Go(func() {
			defer func() { <-places }()
			if failure := f(item); failure != nil {
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					err = failure
				}
			}
		})
	}
	group.Wait()
	return err
}

// locks are locks by id. The zero value has none, and one that nobody holds or waits for leaves nothing behind.
type locks struct {
	mu   sync.Mutex
	byID map[string]*lock
}

type lock struct {
	held  chan struct{} // full while it is
	users int           // who hold it or wait for it
}

// acquire waits for a lock until ctx ends.
func (l *locks) acquire(ctx context.Context, id string) (release func(), err error) {
	l.mu.Lock()
	k := l.byID[id]
	if k == nil {
		if l.byID == nil {
			l.byID = make(map[string]*lock)
		}
		k = &lock{held: make(chan struct{}, 1)}
		l.byID[id] = k
	}
	k.users++
	l.mu.Unlock()
	select {
	case k.held <- struct{}{}:
		return func() {
			<-k.held
			l.leave(id, k)
		}, nil
	case <-ctx.Done():
		l.leave(id, k)
		return nil, ctx.Err()
	}
}

func (l *locks) leave(id string, k *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(l.byID, id)
	}
}

// content is a file of the server as it is uploaded. It is opened again if the upload has to begin again.
type content struct {
	reopen func() (io.ReadCloser, error)
	size   int64

	mu     sync.Mutex // an upload that was given up may still be reading
	body   io.ReadCloser
	place  int64 // of body
	next   int64 // what is to be read
	closed bool
}

func (c *content) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, io.ErrClosedPipe
	}
	if c.place != c.next {
		if err := c.move(); err != nil {
			return 0, err
		}
	}
	n, err := c.body.Read(p)
	c.place += int64(n)
	c.next = c.place
	return n, err
}

// move brings body to where it is to be read next.
func (c *content) move() error {
	body, err := c.reopen()
	if err != nil {
		return err
	}
	c.body.Close()
	c.body = body
	c.place, err = io.CopyN(io.Discard, body, c.next)
	return err
}

func (c *content) Seek(offset int64, whence int) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += c.next
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return 0, errors.New("responses: a place in front of the file")
	}
	c.next = offset
	return offset, nil
}

func (c *content) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.body.Close()
}
