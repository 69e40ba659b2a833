// Package assistantstest is for tests of programs that use the Assistants API: [New] gives a client of a server that
// is part of the test, and a script in place of a model. There is no network, no key and nothing to wait for.
//
//	api := assistantstest.New(t, assistantstest.WithRules(
//		server.When(server.Asked("refund"), server.CallFunction("find_order", `{"id":"4711"}`)),
//		server.When(server.Submitted("find_order"), server.Say("Your money is on its way.")),
//	))
//	desk := NewDesk(api.Client)
//
// The server is that of package server, so what the program is told is what it is told elsewhere: ids, states,
// errors, streams. What the test did not prepare for fails it, with a text that says what to add: a call of the model
// that no rule answers, an address that the API does not have, a failure that no [Fault] asked for.
//
// [API.Requests] says what the program sent, and [API.ModelCalls] what the model was asked. [WithFaults] has requests
// go wrong: answered with errors, late, in part or not at all.
//
// The example named Application is a program with its test.
//
// [StreamChecker] and [CheckStream] are for those who write a server: they hold a stream against the protocol.
//
// # Time
//
// The client sends no call again, so that a fault is seen where it happens: [WithClient] changes that. With retries
// the errors of a [Fault] ask for no pause, unless it says otherwise; after a broken connection the client pauses as
// usual, half a second and more.
//
// Whoever polls a run, or files that are being read, is asked to come back after a tenth of the time since they were first
// looked at, which is not noticed in real time, and keeps the requests few where time costs nothing: at least a
// millisecond, at most 5 seconds. [assistants.WithPollInterval] in WithClient takes precedence.
//
// All of it works in the bubbles of package testing/synctest, where no time passes for pauses, delays, and models
// that wait. New may be called in the bubble or before it. In the bubble, what is still under way at its end is ended
// with the test; before it, all of it has to come to its end in the bubble. [API.URL] is not for bubbles, being a
// network.
//
// A stream on which nothing comes for 5 minutes is given up by the client, here as elsewhere. A test of a model that
// is silent for longer, until its run expires, needs [assistants.WithStreamIdleTimeout] of 0 in WithClient.
package assistantstest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/internal/crew"
	"github.com/assistants-go/assistants/server"
)

// API is the Assistants API for one test: a server, a client of it, and a record of what both were asked. Make one
// with [New]. It is an [http.Handler] too, for clients of other kinds: see also [API.URL]. It is safe for concurrent
// use.
type API struct {
	// Client is what the program under test is given. It needs no network and no key.
	*assistants.Client

	t       testing.TB
	server  *server.Server
	scratch *server.Server // which is only asked what the API has
	active  crew.Crew      // requests that are being answered

	mu         sync.Mutex
	requests   []*request
	calls      []*server.ModelCall
	faults     []*fault
	expected   []*expectation
	unexpected map[string]bool      // kinds of requests that the test was told about
	looks      map[string]time.Time // when each run was first looked at, by its address
	web        *httptest.Server     // nil unless somebody wants a URL
	closed     bool                 // no more requests are recorded
	ended      bool                 // the test must not be told anything any more
}

var _ http.Handler = (*API)(nil)

// New returns the API for a test. It ends with the test: the server is closed, everything that is under way comes to
// its end, and what the options asked for and never happened fails the test. Options that cannot be right are fatal to
// it.
//
// With no options there is an empty server whose model is [server.StandIn], without keys or limits. Ids count up,
// such as "thread_1"; [WithServer] changes that like everything else.
func New(t testing.TB, opts ...Option) *API {
	t.Helper()
	a := &API{t: t, scratch: server.New(), unexpected: make(map[string]bool), looks: make(map[string]time.Time)}
	var c config
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	err := a.expect(c.expected)
	if err == nil {
		err = a.prepare(c.faults)
	}
	var model server.Model
	if err == nil {
		model, err = a.model(&c)
	}
	if err != nil {
		t.Fatalf("assistantstest: %v", err)
	}
	a.server = server.New(append([]server.Option{
		server.WithModel(recorder{a, model}),
		server.WithIDSource(counter()),
		server.WithLogger(slog.New(logger{a})),
	}, c.server...)...)
	t.Cleanup(a.close)

	defaults := []assistants.Option{assistants.WithMaxRetries(0)}
	a.Client, err = assistants.NewClient(append(append(defaults, c.client...), assistants.WithHandler(a))...)
	if err != nil {
		t.Fatalf("assistantstest: the options of WithClient: %v", err)
	}
	return a
}

// closePatience is how long requests may go on when the test has ended.
const closePatience = 5 * time.Second

// counter makes ids that can be read, and are the same in every run of a test that asks for one thing at a time.
func counter() func(prefix string) string {
	var mu sync.Mutex
	last := make(map[string]int)
	return func(prefix string) string {
		mu.Lock()
		defer mu.Unlock()
		last[prefix]++
		return prefix + "_" + strconv.Itoa(last[prefix])
	}
}

// URL returns the address of the API on this machine's loopback interface, such as "http://127.0.0.1:40000/v1", for
// clients that need a network or run in another process. It is served from the first call on to the end of the test.
func (a *API) URL() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.web == nil {
		a.web = httptest.NewServer(a)
	}
	return a.web.URL + "/v1"
}

// ModelCalls returns what the model was asked so far, in order. The calls are shared by all who ask for them.
func (a *API) ModelCalls() []*server.ModelCall {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// close ends everything, and tells the test what is missing. It is called when the test has ended, and nobody tells it
// anything after that: a test that is told too late takes the process with it.
func (a *API) close() {
	if err := a.server.Close(); err != nil {
		a.errorf("%v: a model has to return when its context ends", err)
	}
	a.mu.Lock()
	a.closed = true
	for _, r := range a.requests {
		if !r.over {
			close(r.abandoned)
		}
	}
	web := a.web
	a.mu.Unlock()
	if web != nil {
		web.CloseClientConnections()
		web.Close()
	}
	a.wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.t.Failed() && !a.t.Skipped() { // or it did not come to that
		a.verify()
	}
	a.ended = true
}

// wait waits for the requests that are being answered.
func (a *API) wait() {
	patience := time.NewTimer(closePatience)
	defer patience.Stop()
	select {
	case <-a.active.Idle():
	case <-patience.C:
		a.errorf("the test has ended, and still being answered are:%s\n"+
			"A stream that is not read to its end has to be closed, or its context has to end, as t.Context() does.", a.unfinished())
	}
}

// unfinished are the requests that are being answered, one a line.
func (a *API) unfinished() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var b strings.Builder
	for _, r := range a.requests {
		if !r.over {
			fmt.Fprintf(&b, "\n\t%s %s", r.Method, r.Path)
		}
	}
	return b.String()
}

// verify tells the test what it asked for and did not get. The lock is held.
func (a *API) verify() {
	for i, f := range a.faults {
		if !f.happened {
			a.t.Errorf("assistantstest: fault %d (%v) never happened: %s", i+1, f, f.why())
		}
	}
	for _, e := range a.expected {
		if !e.met {
			a.t.Errorf("assistantstest: %s was expected and never sent", e.text)
		}
	}
}

// errorf fails the test, unless it has ended.
func (a *API) errorf(format string, args ...any) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ended {
		a.t.Errorf("assistantstest: "+format, args...)
	}
}

// logger shows with the test which errors the server logs, stacks included.
type logger struct{ *API }

// Enabled leaves out what is no error.
func (l logger) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

// Handle takes one error.
func (l logger) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString("assistantstest: the server logs: " + r.Message)
	r.Attrs(func(attr slog.Attr) bool {
		fmt.Fprintf(&b, " %v", attr)
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.t.Logf("%s", &b)
	}
	return nil
}

// WithAttrs is not used by the server.
func (l logger) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup is not used by the server.
func (l logger) WithGroup(string) slog.Handler { return l }
