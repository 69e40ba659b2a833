package assistantstest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
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
	over bool
}

// Requests returns the requests so far, in the order in which they arrived: those of a kind, each named by method and
// path, such as "POST /threads/{thread_id}/runs", or all if none is named. They are copies.
func (a *API) Requests(on ...string) []Request {
	a.t.Helper()
	var patterns []pattern
	for _, text := range on {
		p, err := parsePattern(text)
		if err != nil {
			a.errorf("Requests: %v", err)
			return nil
		}
		patterns = append(patterns, p)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []Request
	for _, r := range a.requests {
		if len(patterns) > 0 && !slices.ContainsFunc(patterns, func(p pattern) bool { return p.matches(r.Method, r.Path) }) {
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
	answer := &watched{ResponseWriter: w, begun: func(status int) { a.answered(record, status) }}
	if due != nil {
		a.disturb(due, answer, r)
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
	}}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, nil, false
	}
	a.active.Add(1)
	a.requests = append(a.requests, record)
	if !a.isExpected(record) && !a.ended {
		a.t.Errorf("assistantstest: unexpected request: %s %s; name it in Expect if it is right", record.Method, record.Path)
	}
	return record, a.due(record), true
}

// isExpected reports whether a request is one of those that are to be sent, if they are named. The lock is held.
func (a *API) isExpected(r *request) bool {
	expected := len(a.expected) == 0
	for _, e := range a.expected {
		if e.matches(r.Method, r.Path) {
			expected, e.met = true, true
		}
	}
	return expected
}

func (a *API) answered(r *request, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.Status = status
}

// leave is called when the request has been answered, or never will be.
func (a *API) leave(r *request) {
	a.mu.Lock()
	r.over = true
	a.mu.Unlock()
	a.active.Done()
}

// judge fails the test for an answer that no test can want.
func (a *API) judge(r *request, answer *watched) {
	switch {
	case answer.status == http.StatusNotFound && strings.Contains(answer.start.String(), `"Invalid URL (`):
		a.errorf("%s %s was asked for, and the API has no such address", r.Method, r.Path)
	case answer.status == http.StatusMethodNotAllowed:
		a.errorf("%s %s was asked for, and the API has this address without the method", r.Method, r.Path)
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

// A pattern is a kind of requests.
type pattern struct {
	text     string
	method   string
	elements []string // of the path; those in braces stand for any one
}

var patternForm = regexp.MustCompile(`^([A-Z]+) (/[^ ?#]*)$`)

func parsePattern(text string) (pattern, error) {
	m := patternForm.FindStringSubmatch(text)
	if m == nil {
		return pattern{}, fmt.Errorf(`%q is not a method and a path, such as "POST /threads/{thread_id}/runs"`, text)
	}
	elements := strings.Split(withoutDialect(m[2]), "/")
	for _, e := range elements {
		if strings.HasPrefix(e, "{") != strings.HasSuffix(e, "}") {
			return pattern{}, errors.New("the braces do not match in " + text)
		}
	}
	return pattern{text: text, method: m[1], elements: elements}, nil
}

func (p pattern) matches(method, path string) bool {
	elements := strings.Split(path, "/")
	if method != p.method || len(elements) != len(p.elements) {
		return false
	}
	for i, want := range p.elements {
		if strings.HasPrefix(want, "{") {
			// An id is never empty, and /threads/runs is an address of its own.
			if elements[i] == "" || path == "/threads/runs" {
				return false
			}
		} else if elements[i] != want {
			return false
		}
	}
	return true
}

// dialect is what vendors put in front of an address: section 2 of docs/protocol.md.
var dialect = regexp.MustCompile(`^/(v1|openai/v1|openai|api/projects/[^/]+)(/|$)`)

func withoutDialect(path string) string {
	if at := dialect.FindStringIndex(path); at != nil {
		return "/" + path[at[1]:]
	}
	return path
}
