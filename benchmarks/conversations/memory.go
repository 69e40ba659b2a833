package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
)

// A blackHole is a connection whose reader takes everything at once, and keeps nothing.
type blackHole struct {
	header    http.Header
	status    int
	completed bool // a run was streamed that was
}

func (b *blackHole) Header() http.Header {
	if b.header == nil {
		b.header = http.Header{}
	}
	return b.header
}

func (b *blackHole) WriteHeader(status int) { b.status = status }

func (b *blackHole) Write(p []byte) (int, error) {
	b.completed = b.completed || bytes.HasPrefix(p, []byte("event: thread.run.completed\n"))
	return len(p), nil
}

func (b *blackHole) Flush() {}

// send has a handler answer a request to w.
func send(h http.Handler, w *blackHole, r *http.Request) error {
	if h.ServeHTTP(w, r); w.status != http.StatusOK {
		return fmt.Errorf("%s %s: %d", r.Method, r.URL.Path, w.status)
	}
	return nil
}

// create sends a request to a handler and returns the id of what it has made.
func create(h http.Handler, path, body string) (id string, err error) {
	var made struct{ ID string }
	err = exchange(h, newRequest(http.MethodPost, path, body), &made)
	return made.ID, err
}

func get(h http.Handler, path string, into any) error {
	return exchange(h, newRequest(http.MethodGet, path, ""), into)
}

func exchange(h http.Handler, r *http.Request, into any) error {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return fmt.Errorf("%s %s: %d %s", r.Method, r.URL.Path, w.Code, w.Body)
	}
	return json.Unmarshal(w.Body.Bytes(), into)
}

func newRequest(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("OpenAI-Beta", "assistants=v2")
	return r
}
