package transport

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// MaxErrorBytes bounds what is kept of the body of an answer that is an error.
const MaxErrorBytes = 1 << 20

// A TooLargeError says that a successful answer is larger than the caller allows.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the answer is larger than %d bytes", e.Limit)
}

// readAnswer reads and closes the body. A successful answer is read whole or refused; of an error what comes and fits
// is kept: the status says more than a connection that breaks behind it.
func readAnswer(resp *http.Response, req *Request) ([]byte, error) {
	defer resp.Body.Close()
	if !succeeded(resp.StatusCode) {
		body, _ := readAll(resp.Body, resp.ContentLength, MaxErrorBytes+Overlap)
		return body, nil
	}
	if resp.ContentLength > req.MaxBytes && req.Method != http.MethodHead {
		return nil, &TooLargeError{Limit: req.MaxBytes}
	}
	body, err := readAll(resp.Body, resp.ContentLength, req.MaxBytes+1)
	if int64(len(body)) > req.MaxBytes {
		return nil, &TooLargeError{Limit: req.MaxBytes}
	}
	return body, err
}

// readAll is io.ReadAll up to a limit, with room for what was announced, as far as an announcement can be trusted.
func readAll(r io.Reader, announced, limit int64) ([]byte, error) {
	const trusted = 1 << 20
	if announced < 0 {
		return io.ReadAll(io.LimitReader(r, limit))
	}
	buf := make([]byte, 0, min(announced, trusted)+1)
	for int64(len(buf)) < limit {
		n, err := r.Read(buf[len(buf):min(int64(cap(buf)), limit)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
	return buf, nil
}

// A Body is a successful answer that is still arriving. Close ends the exchange; it may be called at any time, by
// any goroutine, more than once.
type Body struct {
	source  io.ReadCloser
	attempt *attempt
	idle    time.Duration
	timer   *time.Timer // nil: silence may last
}

func newBody(source io.ReadCloser, a *attempt, idle time.Duration) *Body {
	b := &Body{source: source, attempt: a, idle: idle}
	if idle > 0 {
		b.timer = time.AfterFunc(idle, func() {
			a.cancel(&TimeoutError{After: idle, Waiting: "for the next bytes of the answer"})
		})
		b.timer.Stop() // until somebody reads
	}
	return b
}

// Read reads what has arrived and puts the time limit off.
func (b *Body) Read(p []byte) (int, error) {
	if b.timer != nil {
		b.timer.Reset(b.idle)
	}
	n, err := b.source.Read(p)
	if b.timer != nil {
		b.timer.Stop() // the reader's own time does not count
	}
	if err != nil && err != io.EOF {
		err = b.attempt.explain(err)
	}
	return n, err
}

// Close ends the exchange; a connection that was read to its end can serve another.
func (b *Body) Close() error {
	if b.timer != nil {
		b.timer.Stop()
	}
	err := b.source.Close()
	b.attempt.release()
	return err
}
