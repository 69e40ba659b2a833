package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// A Content is a body that is read while it is sent, such as a file's.
type Content interface {
	// Open returns the content from its beginning, for one attempt, or [ErrSpent].
	Open() (io.ReadCloser, error)
	// Spent reports whether Open would fail with ErrSpent.
	Spent() bool
	// Size is how many bytes that is; -1: nobody knows.
	Size() int64
}

// ErrSpent says that a content was read, in part at least, and cannot be read again.
var ErrSpent = errors.New("the content cannot be read again")

// A ContentError says that the content could not be read: the server got none of it, or not all.
type ContentError struct{ Err error }

func (e *ContentError) Error() string { return e.Err.Error() }
func (e *ContentError) Unwrap() error { return e.Err }

// attach gives the attempt's request its content.
func (a *attempt) attach(hr *http.Request, c Content) error {
	body, err := a.open(c)
	if err != nil {
		return err
	}
	hr.Body, hr.ContentLength = body, c.Size()
	hr.GetBody = func() (io.ReadCloser, error) { // for a redirect within the server
		_ = a.sending.Close()
		return a.open(c)
	}
	return nil
}

func (a *attempt) open(c Content) (*sending, error) {
	source, err := c.Open()
	if err != nil {
		return nil, err
	}
	s := &sending{Reader: Interruptible(a.ctx, source), source: source, attempt: a}
	a.sending = s
	return s, nil
}

// A sending is a content on its way. The attempt's time limit is on the server: what the source takes to be read does not
// count, and every piece that the connection has taken puts the limit off.
type sending struct {
	io.Reader // the source, as long as the attempt lasts: net/http waits for what it is reading from
	source    io.Closer
	attempt   *attempt

	mu     sync.Mutex
	closed bool
	err    error
}

func (s *sending) Read(p []byte) (int, error) {
	if s.ended() {
		return 0, http.ErrBodyReadAfterClose
	}
	s.attempt.answered()
	n, err := s.Reader.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.attempt.ctx.Err() != nil { // the connection needs no more of it
		return n, err
	}
	s.attempt.rearm()
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (s *sending) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close has nothing more read from the source, but for what is being read.
func (s *sending) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.source.Close()
}

// failed is the error of the source; nil if it has had none.
func (s *sending) failed() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return nil
	}
	return &ContentError{Err: s.err}
}

// Interruptible reads from r until ctx ends: a Read of r that blocks is left to itself then, and its bytes are lost. A
// reader that gives nothing, time and again, is io.ErrNoProgress, and one that panics is an error, because it does so where
// its owner could not recover.
func Interruptible(ctx context.Context, r io.Reader) io.Reader {
	return &interruptible{ctx: ctx, r: r, size: leastInterruptible}
}

type interruptible struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte // that r writes to, who knows for how long
	size int    // that buf is to have
	rest []byte // of buf, that has not been given out
	err  error  // behind the rest
}

// Sizes of what is read at once. A small content needs no large buffer, and a large one few goroutines.
const (
	leastInterruptible = 4 << 10
	mostInterruptible  = 64 << 10
)

func (i *interruptible) Read(p []byte) (int, error) {
	if i.ctx.Err() != nil {
		return 0, context.Cause(i.ctx)
	}
	if len(i.rest) == 0 && i.err == nil {
		if err := i.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, i.rest)
	if i.rest = i.rest[n:]; len(i.rest) > 0 {
		return n, nil
	}
	return n, i.err
}

// fill reads as much as there is room for, however little is asked for.
func (i *interruptible) fill() error {
	if len(i.buf) < i.size {
		i.buf = make([]byte, i.size)
	}
	n, err := 0, errEnded
	done := make(chan struct{})
	go func() {
		defer close(done)
		n, err = read(i.r, i.buf)
	}()
	select {
	case <-done:
	case <-i.ctx.Done():
		return context.Cause(i.ctx)
	}
	if n == len(i.buf) {
		i.size = min(2*n, mostInterruptible)
	}
	i.rest, i.err = i.buf[:n], err
	return nil
}

// errEnded is for what a failing test brings about.
var errEnded = errors.New("reading ended its goroutine")

// read reads once, from whatever reader.
func read(r io.Reader, p []byte) (n int, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			n, err = 0, fmt.Errorf("reading panicked: %v", reason)
		}
	}()
	for range 100 { // as many times as bufio tries
		if n, err = r.Read(p); n != 0 || err != nil || len(p) == 0 {
			break
		}
	}
	switch {
	case n < 0 || n > len(p):
		return 0, fmt.Errorf("the reader says that it has read %d of %d bytes", n, len(p))
	case n == 0 && err == nil && len(p) > 0:
		return 0, io.ErrNoProgress
	}
	return n, err
}
