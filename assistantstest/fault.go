package assistantstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Fault has requests go wrong: see [WithFaults]. Of Status, CutAfter, CutBytes, Reset and Lost it has one at most,
// and Delay goes with each of them or alone. If several faults are due, the first one counts.
type Fault struct {
	// On are the requests that it is for: a kind, as [API.Requests] takes them; "" is all.
	On string
	// Nth is which of these it is for, counted from 1 in the order in which they arrive; 0 is every one.
	Nth int

	// Delay is how long the request is on its way to the server. A client that gives up meanwhile was never heard. It
	// ends with the test.
	Delay time.Duration

	// Status, from 400 to 599, is that of an answer which is given in place of the server's. Code and Message are of
	// the error in it: null and a text that says whose it is, unless set.
	Status        int
	Code, Message string
	// RetryAfter is the pause that the answer with Status asks for before the request is sent again.
	RetryAfter time.Duration

	// CutAfter is the number of events after which a stream breaks off. The first 7 come before the first word, also
	// behind outputs that were submitted; 8 if the request makes the thread too. Other answers are left alone, as is a
	// stream of which that is the end.
	CutAfter int
	// CutBytes is the number of bytes after which an answer of any kind breaks off, if it has more.
	CutBytes int

	// Reset breaks the connection before the request has arrived: the server does not act.
	Reset bool
	// Lost breaks the connection before the answer has arrived: the server has acted.
	Lost bool
}

// fault is a Fault and what became of it.
type fault struct {
	Fault
	on       kind
	matched  int
	happened bool
	missed   string // why it did not happen when it was due; "": it is not known
}

// prepare checks the faults of a test.
func (a *API) prepare(faults []Fault) error {
	for i, f := range faults {
		if err := f.check(); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
		prepared := &fault{Fault: f}
		if f.On != "" {
			var err error
			if prepared.on, err = a.parseKind(f.On); err != nil {
				return fmt.Errorf("fault %d: On: %w", i+1, err)
			}
		}
		a.faults = append(a.faults, prepared)
	}
	return nil
}

// check returns an error if the fault cannot be what somebody wants.
func (f *Fault) check() error {
	ways := 0
	for _, one := range []bool{f.Status != 0, f.CutAfter != 0, f.CutBytes != 0, f.Reset, f.Lost} {
		if one {
			ways++
		}
	}
	switch {
	case f.Nth < 0 || f.CutAfter < 0 || f.CutBytes < 0 || f.Delay < 0 || f.RetryAfter < 0:
		return errors.New("a number is negative")
	case ways > 1:
		return errors.New("it has more than one of Status, CutAfter, CutBytes, Reset and Lost")
	case f.Status == 0 && (f.Code != "" || f.Message != "" || f.RetryAfter != 0):
		return errors.New("it has a Code, a Message or RetryAfter, and no Status")
	case ways == 0 && f.Delay == 0:
		return errors.New("it does nothing")
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("status %d is no error", f.Status)
	}
	return nil
}

// String says what goes wrong with which requests.
func (f Fault) String() string {
	var b strings.Builder
	if f.Delay != 0 {
		fmt.Fprintf(&b, "delay of %v, ", f.Delay)
	}
	switch {
	case f.Status != 0:
		fmt.Fprintf(&b, "status %d, ", f.Status)
	case f.CutAfter != 0:
		fmt.Fprintf(&b, "cut after %d events, ", f.CutAfter)
	case f.CutBytes != 0:
		fmt.Fprintf(&b, "cut after %d bytes, ", f.CutBytes)
	case f.Reset:
		b.WriteString("reset, ")
	case f.Lost:
		b.WriteString("lost answer, ")
	}
	if f.Nth == 0 {
		b.WriteString("every request")
	} else {
		fmt.Fprintf(&b, "request %d", f.Nth)
	}
	if f.On != "" {
		b.WriteString(" of " + f.On)
	}
	return b.String()
}

// why is why the fault did not happen.
func (f *fault) why() string {
	switch {
	case f.matched == 0:
		return "there was no such request"
	case f.matched < f.Nth:
		return fmt.Sprintf("the last such request was number %d", f.matched)
	case f.missed != "":
		return f.missed
	default:
		return "the client gave up before"
	}
}

// due counts a request, and returns the fault that is for it. The lock is held.
func (a *API) due(r *request) *fault {
	var first *fault
	for _, f := range a.faults {
		if f.On != "" && !f.on.matches(r.Method, r.Path) {
			continue
		}
		f.matched++
		switch {
		case f.Nth != 0 && f.Nth != f.matched:
		case first == nil:
			first = f
		default:
			f.missed = "an earlier fault took its place"
		}
	}
	return first
}

// disturb answers a request as a fault wants it.
func (a *API) disturb(f *fault, w *watched, r *http.Request, abandoned <-chan struct{}) {
	if f.CutAfter == 0 && f.CutBytes == 0 && !f.Lost {
		a.note(f)
	}
	if f.Delay > 0 && !delayed(f.Delay, r, abandoned) || f.Reset {
		panic(http.ErrAbortHandler)
	}
	switch {
	case f.Status != 0:
		f.answer(w)
	case f.CutAfter != 0 || f.CutBytes != 0 || f.Lost:
		a.cut(f, w, r)
	default:
		a.server.ServeHTTP(w, r)
	}
}

// note says that a fault has happened.
func (a *API) note(f *fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f.happened = true
}

// miss says why a fault has not happened.
func (a *API) miss(f *fault, why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f.missed = why
}

// delayed waits, and reports whether the request is still wanted.
func delayed(d time.Duration, r *http.Request, abandoned <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	case <-abandoned:
		return false
	}
}

// answer is the error that the fault has in place of an answer.
func (f *Fault) answer(w http.ResponseWriter) {
	kind, code := "invalid_request_error", (*string)(nil)
	switch {
	case f.Status == http.StatusTooManyRequests:
		kind = "requests"
	case f.Status >= 500:
		kind = "server_error"
	}
	if f.Code != "" {
		code = &f.Code
	}
	message := f.Message
	if message == "" {
		message = "The test wants this error: " + http.StatusText(f.Status) + "."
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Retry-After-Ms", strconv.FormatInt(f.RetryAfter.Milliseconds(), 10))
	h.Set("Retry-After", strconv.FormatFloat(math.Ceil(f.RetryAfter.Seconds()), 'f', 0, 64))
	w.WriteHeader(f.Status)
	_ = json.NewEncoder(w).Encode(map[string]map[string]*string{ // fails if the client has gone, which is no news
		"error": {"message": &message, "type": &kind, "param": nil, "code": code},
	})
}

// cut passes the request on, and the answer up to where the fault cuts it. The connection breaks at once; what the
// server still does about the request goes on without it.
func (a *API) cut(f *fault, w *watched, r *http.Request) {
	c := &cutter{ResponseWriter: w, to: http.NewResponseController(w), fault: &f.Fault, cut: make(chan struct{})}
	ended := make(chan any, 1) // holds what the server panicked with
	a.active.Go(func() {
		failure := any(http.ErrAbortHandler) // also of a goroutine that a test's own code ends
		defer func() {
			if p := recover(); p != nil {
				failure = p
			}
			ended <- failure
		}()
		a.server.ServeHTTP(c, r)
		failure = nil
	})
	var failure any
	select {
	case failure = <-ended:
	case <-c.cut:
	}
	select {
	case <-c.cut:
		a.note(f)
		failure = http.ErrAbortHandler
	default: // it has ended, and what it was may be read
		if f.CutAfter != 0 && !c.stream {
			a.miss(f, "the answer was no stream")
		} else {
			a.miss(f, "the answer ended before")
		}
	}
	if failure != nil {
		panic(failure)
	}
}

// A cutter passes on the beginning of an answer. It has no Unwrap: behind the cut nobody may touch the connection.
type cutter struct {
	http.ResponseWriter
	to     *http.ResponseController
	fault  *Fault
	cut    chan struct{}
	over   bool // it is cut
	stream bool
	seen   int // bytes, or events
}

var errCut = errors.New("the answer is cut here")

// end cuts the answer, behind what was written.
func (c *cutter) end() error {
	if !c.over {
		c.over = true
		close(c.cut)
	}
	return errCut
}

// WriteHeader begins the answer, unless it is to be lost.
func (c *cutter) WriteHeader(status int) {
	if c.over || c.fault.Lost {
		_ = c.end()
		return
	}
	c.stream = strings.HasPrefix(c.Header().Get("Content-Type"), "text/event-stream")
	c.ResponseWriter.WriteHeader(status)
}

// Write writes as much as may arrive.
func (c *cutter) Write(p []byte) (int, error) {
	if c.over {
		return 0, errCut
	}
	at := c.place(p)
	if at < 0 {
		return c.ResponseWriter.Write(p)
	}
	n, err := c.ResponseWriter.Write(p[:at])
	if err == nil {
		err = c.to.Flush()
	}
	return n, errors.Join(c.end(), err)
}

// FlushError flushes what may arrive.
func (c *cutter) FlushError() error {
	if c.over {
		return errCut
	}
	return c.to.Flush()
}

// place is where in p the answer is cut; -1 if it goes on behind it.
func (c *cutter) place(p []byte) int {
	if limit := c.fault.CutBytes; limit > 0 {
		left := limit - c.seen
		c.seen += len(p)
		if len(p) > left {
			return left
		}
		return -1
	}
	if !c.stream {
		return -1
	}
	const eventEnd = "\n\n"
	for at := 0; ; {
		i := bytes.Index(p[at:], []byte(eventEnd))
		if i < 0 {
			return -1
		}
		at += i + len(eventEnd)
		c.seen++
		if c.seen == c.fault.CutAfter && !bytes.HasSuffix(p[:at], []byte("data: [DONE]"+eventEnd)) {
			return at
		}
	}
}
