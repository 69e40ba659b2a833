package assistantstest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Request is one request that arrived at an [API].
type Request struct {
	Method string // such as "POST"
	// Path is the address as it was sent, without what the dialects of vendors put in front of it, such as "/v1":
	// "/threads/thread_1/runs".
	Path   string
	Query  url.Values  // empty if there was none
	Header http.Header // without credentials
	Body   []byte      // empty if there was none

	// Status is that of the answer; 0 as long as there is none, and for ever if the connection broke before it came.
	Status int
}

// String says what was asked and with which status it was answered, such as "POST /threads/thread_1/runs: 200".
func (r Request) String() string { return fmt.Sprintf("%s %s: %d", r.Method, r.Path, r.Status) }

// request is the record of a request that may still be under way.
type request struct {
	Request
	over      bool
	abandoned chan struct{} // closed when the test ends before the request is over
}

// Requests returns the requests so far, in the order in which they arrived: those of some kinds, or all if none is
// named. They are copies.
//
// A kind is a method and a path, such as "POST /threads/{thread_id}/runs" or "GET /threads/thread_1": an element in
// braces stands for any, whatever its name. A kind that the API does not have fails the test.
func (a *API) Requests(kinds ...string) []Request {
	a.t.Helper()
	var wanted []kind
	for _, text := range kinds {
		k, err := a.parseKind(text)
		if err != nil {
			a.errorf("Requests: %v", err)
			return nil
		}
		wanted = append(wanted, k)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []Request
	for _, r := range a.requests {
		if len(wanted) > 0 && !slices.ContainsFunc(wanted, func(k kind) bool { return k.matches(r.Method, r.Path) }) {
			continue
		}
		c := r.Request
		c.Query, c.Header, c.Body = url.Values(http.Header(c.Query).Clone()), c.Header.Clone(), bytes.Clone(c.Body)
		found = append(found, c)
	}
	return found
}

// ServeHTTP records a request, has it go wrong if a fault is due, and else passes it on to the server.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, failed := readBody(r)
	record, due, ok := a.arrive(r, body)
	if !ok {
		a.server.ServeHTTP(w, r) // which is closed, and says so
		return
	}
	defer a.leave(record)
	if failed != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	answer := &watched{ResponseWriter: w, begun: func(status int) { a.answered(record, status, w.Header()) }}
	if due != nil {
		a.disturb(due, answer, r, record.abandoned)
	} else {
		a.server.ServeHTTP(answer, r)
	}
	if due == nil || due.Status == 0 {
		a.judge(record, answer)
	}
}

// readBody reads the body and puts it back.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}

// arrive notes a request, and returns the fault that is due. It is not ok if the test has ended.
func (a *API) arrive(r *http.Request, body []byte) (*request, *fault, bool) {
	header := r.Header.Clone()
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Api-Key", "X-Api-Key", "Cookie"} {
		header.Del(name)
	}
	record := &request{Request: Request{
		Method: r.Method, Path: withoutDialect(r.URL.EscapedPath()), Query: r.URL.Query(), Header: header, Body: body,
	}, abandoned: make(chan struct{})}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, nil, false
	}
	a.active.Begin()
	a.requests = append(a.requests, record)
	a.holdExpected(record)
	return record, a.due(record), true
}

// holdExpected holds a request against those that are to be sent, if they are named. The lock is held.
func (a *API) holdExpected(r *request) {
	expected := len(a.expected) == 0
	for _, e := range a.expected {
		if e.matches(r.Method, r.Path) {
			expected, e.met = true, true
		}
	}
	if expected {
		return
	}
	if is := a.kindOf(r.Method, r.Path); !a.unexpected[is] {
		a.unexpected[is] = true
		a.t.Errorf("assistantstest: unexpected request: %s; name it in WithExpectedRequests if it is right", is)
	}
}

// answered is called when the header of an answer is about to be sent.
func (a *API) answered(r *request, status int, header http.Header) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.Status = status
	if status != http.StatusOK {
		return
	}
	if pause := a.pause(r); pause > 0 {
		header.Set("Openai-Poll-After-Ms", strconv.FormatInt(pause.Milliseconds(), 10))
	}
}

// The pause before what somebody waits for is looked at again: see the package's documentation.
const (
	firstPause = time.Millisecond
	lastPause  = 5 * time.Second
	ageToPause = 10
)

// awaited are the places of what is waited for; it is created one element above.
var awaited = []string{
	"/threads/{thread_id}/runs/{run_id}",
	"/vector_stores/{vector_store_id}/files/{file_id}",
	"/vector_stores/{vector_store_id}/file_batches/{batch_id}",
}

// pause is how long to wait before the run, file or batch that is the answer is looked at again; 0 if it is none. The lock is
// held.
func (a *API) pause(r *request) time.Duration {
	is := template(r.Path)
	creates := slices.ContainsFunc(awaited, func(at string) bool { return path.Dir(at) == is })
	switch {
	case r.Method == http.MethodPost && (creates || strings.Contains(is, "/runs")):
		return firstPause
	case r.Method != http.MethodGet || !slices.Contains(awaited, is):
		return 0
	}
	now := time.Now()
	if _, seen := a.looks[r.Path]; !seen {
		a.looks[r.Path] = now
	}
	return min(max(now.Sub(a.looks[r.Path])/ageToPause, firstPause), lastPause)
}

// leave is called when the request has been answered, or never will be.
func (a *API) leave(r *request) {
	a.mu.Lock()
	r.over = true
	a.mu.Unlock()
	a.active.End()
}

// judge fails the test for an answer that no test can want.
func (a *API) judge(r *request, answer *watched) {
	switch {
	case answer.status >= http.StatusBadRequest && !a.known(r.Method, r.Path):
		a.errorf("%s %s was asked for, and the API has no such request", r.Method, r.Path)
	case answer.status == http.StatusInternalServerError:
		a.errorf("%s %s was answered with status 500, which no fault asked for (the log has the cause): %s", r.Method, r.Path, &answer.start)
	}
}

// watched is a ResponseWriter that tells the status and keeps the beginning of an error.
type watched struct {
	http.ResponseWriter
	begun  func(status int)
	status int
	start  bytes.Buffer
}

// maxStart is how much of an error is kept.
const maxStart = 1 << 10

// WriteHeader notes the status.
func (w *watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.begun(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the beginning.
func (w *watched) Write(p []byte) (int, error) {
	if w.status >= http.StatusBadRequest {
		w.start.Write(p[:min(len(p), max(maxStart-w.start.Len(), 0))])
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for [http.ResponseController].
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
