package assistants

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/assistants-go/assistants/internal/sse"
	"github.com/assistants-go/assistants/internal/transport"
)

// A feed is the events of one request.
type feed struct {
	core   *core
	req    *transport.Request
	got    *transport.Answer
	body   *transport.Body
	events *sse.Reader
	begun  bool
	done   bool
}

// openFeed sends o, which asks for a stream.
func (c *core) openFeed(ctx context.Context, o *outgoing, cfg *callConfig) (*feed, error) {
	req, err := c.prepare(ctx, o, cfg)
	if err != nil {
		return nil, o.failed(err)
	}
	got, body, err := c.transport.Open(ctx, req, cfg.idleTimeout, isStream)
	cfg.report(got)
	if err != nil || !got.OK() {
		return nil, c.failure(req, got, err)
	}
	f := &feed{core: c, req: req, got: got, body: body}
	if body == nil {
		return nil, f.noStream(got.Header.Get("Content-Type"), got.Body)
	}
	f.events = sse.NewReader(body, c.maxBytes)
	return f, nil
}

// isStream reports whether a header announces a stream, or nothing.
func isStream(header http.Header) bool {
	kind := header.Get("Content-Type")
	return kind == "" || strings.HasPrefix(strings.ToLower(kind), "text/event-stream")
}

// next is the next event; io.EOF after the last one. One that passes is valid until the next.
func (f *feed) next(passing *passingEvent) (*Event, error) {
	if f.done {
		return nil, io.EOF
	}
	if !f.begun {
		if err := f.begin(); err != nil {
			return nil, err
		}
	}
	raw, err := f.events.Next()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // without its last event
	}
	if err != nil {
		return nil, f.core.failure(f.req, f.got, err)
	}
	switch {
	case string(raw.Name) == eventDone || bytes.HasPrefix(raw.Data, []byte("[DONE]")):
		f.finish()
		return nil, io.EOF
	case string(raw.Name) == eventError || !bytes.HasPrefix(raw.Name, []byte("thread.")) && topLevelError(raw.Data) != nil:
		return nil, newStreamError(f.req, f.got, raw.Data)
	}
	if passing == nil {
		raw.Data = bytes.Clone(raw.Data)
	}
	event, err := decodeEvent(raw.Name, raw.Data, passing)
	if err != nil {
		at := *f.got
		at.Body = bytes.Clone(raw.Data)
		return nil, f.core.unusable(f.req, &at, fmt.Errorf("event %s: %w", raw.Name, err))
	}
	switch {
	case event.Run != nil:
		redactErrors(event.Run, f.got)
	case event.RunStep != nil:
		redactErrors(event.RunStep, f.got)
	}
	return event, nil
}

// begin looks at what arrives first: some servers and proxies announce a stream and send something else.
func (f *feed) begin() error {
	f.begun = true
	first, err := f.events.Peek()
	switch {
	case err == io.EOF:
		return f.failed(fmt.Errorf("the stream is empty: %w", io.ErrUnexpectedEOF))
	case err != nil:
		return f.core.failure(f.req, f.got, err)
	case bytes.IndexByte([]byte(`{["<`), first) >= 0:
		late := time.AfterFunc(lateTime, f.close)
		defer late.Stop()
		body, _ := io.ReadAll(io.LimitReader(f.events.Rest(), transport.MaxErrorBytes)) // what comes of it
		return f.noStream(f.got.Header.Get("Content-Type")+" in name only", body)
	}
	return nil
}

// noStream is the error of an answer that is not what was asked for.
func (f *feed) noStream(kind string, body []byte) error {
	answer := *f.got
	answer.Body = body
	if err := topLevelError(body); err != nil {
		return f.core.unusable(f.req, &answer, err)
	}
	return f.core.unusable(f.req, &answer, fmt.Errorf("the answer is no stream but %s", kind))
}

// lateTime is how long the rest of an answer is awaited that is not needed: behind the last event, to use the connection
// again, and of what is no stream, to show it.
const lateTime = 100 * time.Millisecond

// finish ends the feed behind its last event.
func (f *feed) finish() {
	f.done = true
	late := time.AfterFunc(lateTime, f.close)
	defer late.Stop()
	_, _ = io.CopyN(io.Discard, f.body, 4<<10)
	f.close()
}

// close ends the exchange. It may be called at any time, more than once.
func (f *feed) close() { f.body.Close() }

// failed is an error of the stream that is not the server's.
func (f *feed) failed(err error) error { return f.core.unusable(f.req, f.got, err) }
