package responses

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
)

// What copying is made of: several at once, one of each at a time, and files that can be sent again.

// each calls f for 0 to n-1, for some of them at once. The first error ends it, and so does a panic: what is under
// way is finished, the rest not begun.
func each(n int, f func(i int) error) (err error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for i := range n {
		places <- struct{}{} // comes free, since f ends
		mu.Lock()
		failed := err != nil
		mu.Unlock()
		if failed {
			break
		}
		group.Go(func() {
			defer func() { <-places }()
			if failure := safely(func() error { return f(i) }); failure != nil {
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

// safely calls f. A panic of what the server was given, such as its store, is an error: in a goroutine that is not
// the run's nobody else would keep it from ending the process.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
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
	failed error // why it could not be read
}

// Read is called by the transport, in a goroutine of its own.
func (c *content) Read(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, io.ErrClosedPipe
	}
	err = safely(func() (err error) {
		if c.place != c.next {
			if err := c.move(); err != nil {
				return err
			}
		}
		n, err = c.body.Read(p)
		c.place += int64(n)
		c.next = c.place
		return err
	})
	if err != nil && err != io.EOF {
		c.failed = err
	}
	return n, err
}

// failure is why the file could not be read, which is not the provider's fault; nil if it could.
func (c *content) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
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
	c.next, c.failed = offset, nil
	return offset, nil
}

func (c *content) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.body.Close()
}
