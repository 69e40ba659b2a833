package transport

import (
	"errors"
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
	first, err := a.open(c)
	if err != nil {
		return err
	}
	hr.Body, hr.ContentLength = first, c.Size()
	hr.GetBody = func() (io.ReadCloser, error) { // for a redirect within the server
		_ = first.Close()
		return a.open(c)
	}
	return nil
}

func (a *attempt) open(c Content) (*sending, error) {
	source, err := c.Open()
	if err != nil {
		return nil, err
	}
	s := &sending{source: source, attempt: a}
	a.sending = s
	return s, nil
}

// A sending is a content on its way. The attempt's time limit is on the server: what the source takes to be read does not
// count, and every piece that the connection has taken puts the limit off.
type sending struct {
	source  io.ReadCloser
	attempt *attempt

	mu     sync.Mutex
	closed bool
	err    error
}

func (s *sending) Read(p []byte) (int, error) {
	s.attempt.answered()
	n, err := s.source.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed { // by the connection, which needs no more of it
		return n, err
	}
	s.attempt.rearm()
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (s *sending) Close() error {
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
