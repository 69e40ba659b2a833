// Package transport carries the client's requests: it puts credentials on them attempt by attempt, refuses to
// follow them to another server, repeats what may be repeated, bounds what it reads and says what happened.
// It knows HTTP and nothing of the resources.
package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// A Transport sends requests. It is immutable and safe for concurrent use.
type Transport struct {
	client     *http.Client
	credential Credential
	log        *slog.Logger // nil: no logging
}

// New returns a Transport that sends through a copy of client, with the redirect rules of this package in front of
// the client's own. A nil credential authorizes nothing; a nil log is silent.
func New(client *http.Client, credential Credential, log *slog.Logger) *Transport {
	guarded := *client
	guarded.CheckRedirect = refuseForeign(client.CheckRedirect)
	return &Transport{client: &guarded, credential: credential, log: log}
}

// A Request is one call, ready to be sent as often as its policy allows.
type Request struct {
	Method string
	URL    string      // absolute, escaped
	Path   string      // what logs and errors call it: no host, no query
	Header http.Header // without credentials; not modified
	Body   []byte      // nil: none

	Content Content // in place of Body; nil: none

	Secrets    Secrets // that Header holds
	Authorized bool    // Header carries credentials of the caller's; the client's are not added

	MaxRetries int           // attempts after the first
	Replayable bool          // may be sent again although it may have arrived
	Timeout    time.Duration // of one attempt, and with a Content of silence within it; 0: none
	MaxBytes   int64         // of a successful answer's body
}

// An Answer is what the last attempt brought: of any status, its body read and closed.
type Answer struct {
	StatusCode int
	Header     http.Header
	Body       []byte // what was read of it, also where reading failed
	Attempts   int
	Secrets    Secrets // what the attempts were authorized with, to be kept out of every text
}

// OK reports whether the server did what it was asked to do.
func (a *Answer) OK() bool { return succeeded(a.StatusCode) }

func succeeded(status int) bool { return status >= 200 && status < 300 }

// Do sends req until an answer is final. The Answer is never nil, but its StatusCode is 0 if none arrived; it comes
// with an error where the connection failed, the body could not be read, or waiting for the next attempt was cut
// short.
func (t *Transport) Do(ctx context.Context, req *Request) (*Answer, error) {
	answer, _, err := t.repeat(ctx, req, func(resp *http.Response, a *attempt) ([]byte, error) {
		defer a.release()
		return readAnswer(resp, req)
	})
	return answer, err
}

// Open sends req like Do, and leaves the body of a successful answer whose header is accepted to the caller, who must
// close it. Silence of more than idle ends it with a [TimeoutError]; 0 waits for ever. The request's Timeout covers the
// time until the header has arrived, or all of another answer, which has no Body.
func (t *Transport) Open(ctx context.Context, req *Request, idle time.Duration, accept func(http.Header) bool) (*Answer, *Body, error) {
	return t.repeat(ctx, req, func(resp *http.Response, a *attempt) ([]byte, error) {
		if !succeeded(resp.StatusCode) || !accept(resp.Header) {
			defer a.release()
			return readAnswer(resp, req)
		}
		a.answered()
		a.body = newBody(resp.Body, a, idle)
		return nil, nil
	})
}

// repeat is the loop of attempts. consume takes what it wants of a response's body.
func (t *Transport) repeat(ctx context.Context, req *Request, consume func(*http.Response, *attempt) ([]byte, error)) (*Answer, *Body, error) {
	answer := &Answer{Secrets: req.Secrets}
	if err := ctx.Err(); err != nil {
		return answer, nil, err
	}
	var before Answer
	var failed error // of the attempt before
	for {
		before = *answer
		answer.Attempts++
		answer.StatusCode, answer.Header, answer.Body = 0, nil, nil
		a, err := t.send(ctx, req, answer, consume)
		if err == nil && answer.OK() {
			return answer, a.body, nil
		}
		if answer.Attempts > 1 && errors.Is(err, ErrSpent) { // nothing was sent: what came of the attempt before is the end
			*answer = before
			return answer, nil, failed
		}
		failed = err
		wait, again := nextAttempt(req, answer, err)
		if !again || err != nil && ctx.Err() != nil {
			return answer, nil, err
		}
		if interrupted := pause(ctx, wait); interrupted != nil {
			interrupted = fmt.Errorf("no attempt after %d: %w", answer.Attempts, interrupted)
			if err != nil {
				interrupted = fmt.Errorf("%w; %w", err, interrupted)
			}
			return answer, nil, interrupted
		}
	}
}

// send makes one attempt and writes what came of it into answer.
func (t *Transport) send(ctx context.Context, req *Request, answer *Answer, consume func(*http.Response, *attempt) ([]byte, error)) (*attempt, error) {
	var start time.Time
	if t.log != nil {
		start = time.Now()
	}
	a := newAttempt(ctx, req.Timeout)
	err := a.explain(t.exchange(a, req, answer, consume))
	if err != nil {
		a.release()
	}
	t.record(ctx, req, answer, start, err)
	return a, err
}

func (t *Transport) exchange(a *attempt, req *Request, answer *Answer, consume func(*http.Response, *attempt) ([]byte, error)) error {
	hr, err := t.build(a, req, answer)
	if err != nil {
		return &UnsentError{Err: err}
	}
	resp, err := t.client.Do(hr)
	if broken := a.sending.failed(); broken != nil {
		if err == nil {
			resp.Body.Close() // it answers half a content
		}
		return broken
	}
	if err != nil {
		return err
	}
	answer.StatusCode, answer.Header = resp.StatusCode, resp.Header
	answer.Body, err = consume(resp, a)
	return err
}

// build makes the attempt's own request: a header of its own, and a credential asked for now.
func (t *Transport) build(a *attempt, req *Request, answer *Answer) (*http.Request, error) {
	var hr *http.Request
	var err error
	if req.Body == nil {
		hr, err = http.NewRequestWithContext(a.ctx, req.Method, req.URL, nil)
	} else {
		hr, err = http.NewRequestWithContext(a.ctx, req.Method, req.URL, bytes.NewReader(req.Body))
	}
	if err != nil {
		return nil, err
	}
	hr.Header = req.Header.Clone()
	if t.credential != nil && !req.Authorized {
		name, value, secret, err := t.credential(a.ctx)
		if err != nil {
			return nil, fmt.Errorf("no credential: %w", err)
		}
		answer.Secrets = answer.Secrets.With(secret)
		hr.Header.Set(name, value)
	}
	if req.Content != nil {
		return hr, a.attach(hr, req.Content)
	}
	return hr, nil
}

// record writes one line an attempt: what happened, never a header or a body.
func (t *Transport) record(ctx context.Context, req *Request, answer *Answer, start time.Time, err error) {
	if t.log == nil {
		return
	}
	level, message := slog.LevelDebug, "assistants: answered"
	if err != nil || !answer.OK() {
		level, message = slog.LevelWarn, "assistants: attempt failed"
	}
	if !t.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", req.Method),
		slog.String("path", answer.Secrets.Redact(req.Path)),
		slog.Int("status", answer.StatusCode),
		slog.Int("attempt", answer.Attempts),
		slog.Duration("duration", time.Since(start)),
		slog.String("request_id", answer.Secrets.Redact(RequestID(answer.Header))),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", answer.Secrets.Redact(err.Error())))
	}
	t.log.LogAttrs(ctx, level, message, attrs...)
}

// RequestID is the server's name for a request, by which its operators find it: OpenAI's header or Azure's.
func RequestID(h http.Header) string {
	for _, name := range [...]string{"X-Request-Id", "Apim-Request-Id"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// withoutURL takes off the layer in which net/http repeats method and URL; the caller names the request itself. Only
// the outermost: below it may be the error of another request, such as one for a token.
func withoutURL(err error) error {
	if wrapped, ok := err.(*url.Error); ok {
		return wrapped.Err
	}
	return err
}
