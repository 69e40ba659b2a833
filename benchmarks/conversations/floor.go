package main

import (
	"io"
	"maps"
	"net/http"
	"sync"
)

// A recording holds the answers of a handler, in the order of the requests. To record costs a copy of the bytes, into
// memory that is used again in the next round.
type recording struct {
	busy    sync.WaitGroup // requests that are being recorded
	mu      sync.Mutex
	answers []*answer
	next    int
}

// An answer is what a handler did to answer a request.
type answer struct {
	header http.Header
	status int
	bytes  []byte
	writes []int // how many bytes each wrote; 0 is a flush
}

// rewind goes back to the first answer: to record anew, or to play.
func (rec *recording) rewind() {
	rec.busy.Wait()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.next = 0
}

// step returns the answer for the next request.
func (rec *recording) step() *answer {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.next == len(rec.answers) {
		rec.answers = append(rec.answers, new(answer))
	}
	rec.next++
	return rec.answers[rec.next-1]
}

// record returns a handler whose answers are recorded. begun, if it is not nil, is called with each request and returns
// what is called behind every write.
func (rec *recording) record(h http.Handler, begun func(*http.Request) (written func())) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec.busy.Add(1)
		defer rec.busy.Done()
		a := rec.step()
		a.bytes, a.writes = a.bytes[:0], a.writes[:0]
		recorder := &recorder{ResponseWriter: w, answer: a}
		if begun != nil {
			recorder.written = begun(r)
		}
		h.ServeHTTP(recorder, r)
	})
}

// play returns the floor: a handler that answers the requests in their order with what is recorded.
func (rec *recording) play() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		rec.step().write(w, func([]byte) {})
	})
}

// write answers as was recorded. before is called with what is about to be written.
func (a *answer) write(w http.ResponseWriter, before func([]byte)) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	connection := http.NewResponseController(w)
	rest := a.bytes
	for _, n := range a.writes {
		if n == 0 {
			_ = connection.Flush()
			continue
		}
		before(rest[:n])
		_, _ = w.Write(rest[:n]) // whoever misses it finds out
		rest = rest[n:]
	}
}

// A recorder writes an answer and records it.
type recorder struct {
	http.ResponseWriter
	answer  *answer
	written func() // nil: nobody wants to know
}

func (r *recorder) WriteHeader(status int) {
	r.answer.status, r.answer.header = status, r.Header()
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if len(p) > 0 {
		r.answer.bytes = append(r.answer.bytes, p...)
		r.answer.writes = append(r.answer.writes, len(p))
	}
	n, err := r.ResponseWriter.Write(p)
	if r.written != nil {
		r.written()
	}
	return n, err
}

func (r *recorder) FlushError() error {
	r.answer.writes = append(r.answer.writes, 0)
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap is for deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
