// Package upstream is a provider of models for tests: it answers POST /responses and POST /chat/completions, below
// any base path, with what a test has chosen, to the byte, and takes down what it is asked. Answers are recorded ones
// ([Read]), or are composed ([Stream], [Chunks]) where nothing was recorded.
package upstream

import (
	"io"
	"net/http"
	"strings"
	"sync"
)

// An Answer is what a provider answers.
type Answer struct {
	Status int    // 0 is 200
	Type   string // of the content; "" is that of a stream of events if the body begins like one, else that of JSON
	Body   string // sent to the byte
	Piece  int    // how many bytes are sent at a time; 0 is all
}

// Streamed reports whether the answer is a stream of events.
func (a Answer) Streamed() bool {
	return strings.HasPrefix(a.Body, "event:") || strings.HasPrefix(a.Body, "data: ")
}

// A Request is what a provider was sent.
type Request struct {
	Method, Path string // the path without the query
	Query        string // raw
	Header       http.Header
	Body         []byte
}

// Asks reports whether a model was asked something, by one of the two APIs.
func (r *Request) Asks() bool {
	return r.Method == http.MethodPost &&
		(strings.HasSuffix(r.Path, "/responses") || strings.HasSuffix(r.Path, "/chat/completions"))
}

// A Provider is an [http.Handler] that stands for a provider of models. It is safe for concurrent use.
type Provider struct {
	// Others answers all other requests, those for files for instance; nil answers them with status 404. It is set
	// before the first request.
	Others http.Handler

	choose func(*Request) (Answer, bool)

	mu       sync.Mutex
	requests []*Request
}

// New returns a Provider that gives answers one after the other. Who asks once more than there are answers is refused.
func New(answers ...Answer) *Provider {
	var mu sync.Mutex
	return Choosing(func(*Request) (Answer, bool) {
		mu.Lock()
		defer mu.Unlock()
		if len(answers) == 0 {
			return Answer{}, false
		}
		next := answers[0]
		answers = answers[1:]
		return next, true
	})
}

// Choosing returns a Provider that answers what choose returns. Requests for which that returns false are refused. It
// is called by many goroutines at once.
func Choosing(choose func(*Request) (Answer, bool)) *Provider { return &Provider{choose: choose} }

// Requests are all requests so far, in the order in which they came.
func (p *Provider) Requests() []*Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Request(nil), p.requests...)
}

// Asked are the requests so far that asked a model something.
func (p *Provider) Asked() []*Request {
	var asked []*Request
	for _, r := range p.Requests() {
		if r.Asks() {
			asked = append(asked, r)
		}
	}
	return asked
}

// ServeHTTP answers one request.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request := &Request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body}
	p.mu.Lock()
	p.requests = append(p.requests, request)
	p.mu.Unlock()
	switch {
	case request.Asks():
		answer, ok := p.choose(request)
		if !ok {
			answer = Answer{Status: http.StatusBadRequest, Body: `{"error":{"message":"upstream: there is no answer to this.",` +
				`"type":"invalid_request_error","param":null,"code":null}}`}
		}
		answer.write(w)
	case p.Others != nil:
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(strings.NewReader(string(body)))
		p.Others.ServeHTTP(w, again)
	default:
		http.NotFound(w, r)
	}
}

func (a Answer) write(w http.ResponseWriter) {
	switch {
	case a.Type != "":
		w.Header().Set("Content-Type", a.Type)
	case a.Streamed():
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	default:
		w.Header().Set("Content-Type", "application/json")
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	piece := a.Piece
	if piece == 0 {
		piece = len(a.Body)
	}
	for rest := a.Body; rest != ""; {
		n := min(piece, len(rest))
		if _, err := io.WriteString(w, rest[:n]); err != nil { // who asked has gone
			return
		}
		_ = http.NewResponseController(w).Flush()
		rest = rest[n:]
	}
}
