package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An upstream is a provider of models, of both APIs. The base URL says what it answers; see [script]. The text of a delta is
// the time at which it was sent.
type upstream struct {
	arrived atomic.Int64 // when the newest request did
	held    atomic.Int64 // streams that wait for their release

	mu          sync.Mutex
	release     chan struct{}
	connections map[string]bool // that streams went over, by the address of the other side
}

// A script is what an upstream answers.
type script struct {
	deltas int
	pause  time.Duration // before each
	held   int           // before which delta, counted from 0, all streams wait for their release; -1: they never do
}

// baseURL is that of an upstream at url which follows the script.
func (s script) baseURL(url string) string {
	return fmt.Sprintf("%s/%d/%d/%d/v1", url, s.deltas, s.pause.Microseconds(), s.held)
}

func scriptOf(r *http.Request) script {
	number := func(name string) int {
		n, _ := strconv.Atoi(r.PathValue(name)) // which baseURL has written
		return n
	}
	return script{number("deltas"), time.Duration(number("pause")) * time.Microsecond, number("held")}
}

func newUpstream() http.Handler {
	u := &upstream{release: make(chan struct{}), connections: make(map[string]bool)}
	mux := http.NewServeMux()
	for _, a := range apis() {
		mux.HandleFunc("POST /{deltas}/{pause}/{held}/v1"+a.path, func(w http.ResponseWriter, r *http.Request) { u.answer(w, r, a) })
	}
	mux.HandleFunc("GET /arrived", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, u.arrived.Load()) })
	mux.HandleFunc("GET /held", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, u.held.Load()) })
	mux.HandleFunc("GET /connections", func(w http.ResponseWriter, _ *http.Request) {
		u.mu.Lock()
		defer u.mu.Unlock()
		fmt.Fprint(w, len(u.connections))
	})
	mux.HandleFunc("GET /release", func(w http.ResponseWriter, _ *http.Request) {
		u.mu.Lock()
		defer u.mu.Unlock()
		close(u.release)
		u.release = make(chan struct{})
		fmt.Fprint(w, u.held.Load())
	})
	return mux
}

func (u *upstream) answer(w http.ResponseWriter, r *http.Request, a *api) {
	_, _ = io.Copy(io.Discard, r.Body)
	u.arrived.Store(time.Now().UnixNano())
	u.mu.Lock()
	u.connections[r.RemoteAddr] = true
	u.mu.Unlock()
	s := scriptOf(r)
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(events string) {
		_, _ = io.WriteString(w, events) // whoever misses it finds out
		_ = http.NewResponseController(w).Flush()
	}
	send(a.begin)
	var text strings.Builder
	open := a.open
	for n := range s.deltas {
		if n == s.held {
			u.hold(r)
			time.Sleep(rand.N(10*s.pause + 1)) // or all would go on, and end, at once
		}
		time.Sleep(s.pause)
		piece := stamp(time.Now())
		text.WriteString(piece)
		send(open + a.delta(n, piece))
		open = ""
	}
	send(a.end(s.deltas, text.String()))
}

// hold waits for the release, or for the reader to go away.
func (u *upstream) hold(r *http.Request) {
	u.mu.Lock()
	release := u.release
	u.mu.Unlock()
	u.held.Add(1)
	defer u.held.Add(-1)
	select {
	case <-release:
	case <-r.Context().Done():
	}
}

// ask returns a number that the upstream at url knows.
func ask(url, path string) (n int64, err error) {
	res, err := http.Get(url + path)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = fmt.Fscan(res.Body, &n)
	return n, err
}

// serveUpstream is an upstream until its input ends.
func serveUpstream(in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, listener.Addr())
	ended := make(chan error, 1)
	go func() { ended <- http.Serve(listener, newUpstream()) }()
	go func() {
		_, err := io.Copy(io.Discard, in)
		ended <- err
	}()
	return <-ended
}
