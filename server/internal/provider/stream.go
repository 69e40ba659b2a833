// Package provider is what models behind an HTTP API have in common: the stream of an answer, errors as a run shows them, and
// images as they are sent along.
package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/internal/sse"
)

// maxEvent bounds one event of an answer, and an answer that is no stream: the last event of the Responses API repeats all
// that a run may yield, and what it was asked.
const maxEvent = 32 << 20

// A Stream is an answer that is on its way. It is not safe for concurrent use.
type Stream struct {
	body   io.ReadCloser
	events *sse.Reader
	done   bool // [DONE] has come
}

// Options are those of every request to a provider: it is no server of the Assistants API.
func Options(more ...assistants.RequestOption) []assistants.RequestOption {
	return append([]assistants.RequestOption{assistants.WithHeader("OpenAI-Beta", "")}, more...)
}

// Post sends body as JSON and returns the answer, whatever its form. Errors are those of [Failure].
func Post(ctx context.Context, client *assistants.Client, path string, body any) (*Stream, error) {
	in, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	s := new(Stream)
	s.body, err = client.Open(ctx, http.MethodPost, path, in,
		Options(assistants.WithHeader("Accept", "text/event-stream"))...)
	if err != nil {
		return nil, Failure(err)
	}
	s.events = sse.NewReader(s.body, maxEvent)
	return s, nil
}

// Whole returns the answer of a server that does not stream: one JSON object. Nil: it is a stream. It is for use before Next.
func (s *Stream) Whole() ([]byte, error) {
	first, err := s.events.Peek()
	switch {
	case err == io.EOF:
		return nil, Broken(io.ErrUnexpectedEOF)
	case err != nil:
		return nil, Broken(err)
	case first == '<':
		return nil, failed("The model's provider answered with a page instead of a model's answer.", errPage)
	case first != '{':
		return nil, nil
	}
	whole, err := io.ReadAll(io.LimitReader(s.events.Rest(), maxEvent+1))
	switch {
	case err != nil:
		return nil, Broken(err)
	case len(whole) > maxEvent:
		return nil, Broken(&sse.TooLargeError{Limit: maxEvent})
	}
	return whole, nil
}

var errPage = errors.New("provider: the answer is HTML")

// Next returns the data of the next event, which is valid until the call after it. io.EOF is the end of the stream, cut or not:
// that is for the caller to know by what has come. A literal [DONE] is io.EOF too.
func (s *Stream) Next() ([]byte, error) {
	event, err := s.events.Next()
	switch {
	case err == io.EOF:
		return nil, io.EOF
	case err != nil:
		return nil, Broken(err)
	case bytes.HasPrefix(event.Data, []byte("[DONE]")):
		s.done = true
		return nil, io.EOF
	}
	return event.Data, nil
}

// Done tells whether the stream has ended with [DONE].
func (s *Stream) Done() bool { return s.done }

// Redact takes the provider's credentials out of text that a provider has sent.
func (s *Stream) Redact(text string) string {
	return s.body.(interface{ Redact(string) string }).Redact(text)
}

// The end of an answer comes behind its last event: how long it may take, and how long it may be, in bytes.
const (
	endPatience = 50 * time.Millisecond
	maxEnd      = 4 << 10
)

// Close ends the exchange. It gives the answer a moment to come to its end, or its connection could serve no other; a provider
// that is still writing then finds it closed, and at once if the context of the request has ended.
func (s *Stream) Close() error {
	late := time.AfterFunc(endPatience, func() { s.body.Close() })
	_, _ = io.CopyN(io.Discard, s.events.Rest(), maxEnd) // whatever it is
	late.Stop()
	return s.body.Close()
}
