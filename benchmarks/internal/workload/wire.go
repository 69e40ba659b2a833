package workload

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
)

// A Wire answers requests from memory, as a server would that takes no time.
type Wire struct {
	// Request, if not nil, is given each request and its body.
	Request func(*http.Request, []byte)
	// Streams, if not nil, are sent through; else they come from memory too.
	Streams http.RoundTripper
	// Recording is what a stream from memory brings; nil: that of all clients.
	Recording *Recording
}

// RoundTrip answers with an assistant, a list or a stream. It announces the length as the service does, unless the
// assistant is the one whose length is to be unknown, as it is where a proxy sends chunks.
func (w *Wire) RoundTrip(req *http.Request) (*http.Response, error) {
	streamed := strings.HasSuffix(req.URL.Path, "/runs")
	if streamed && w.Streams != nil {
		return w.Streams.RoundTrip(req)
	}
	if err := w.receive(req); err != nil {
		return nil, err
	}
	if streamed {
		return answer(req, "text/event-stream; charset=utf-8", w.stream(), -1), nil
	}
	body := assistantJSON
	length := int64(len(body))
	switch {
	case strings.HasSuffix(req.URL.Path, UnannouncedID):
		body, length = unannouncedJSON, -1
	case strings.HasSuffix(req.URL.Path, "/messages"):
		body, length = messagesJSON, int64(len(messagesJSON))
	case req.Method == http.MethodGet && req.URL.RawQuery != "":
		body, length = listJSON, int64(len(listJSON))
	}
	return answer(req, "application/json", bytes.NewReader(body), length), nil
}

func answer(req *http.Request, contentType string, body io.Reader, length int64) *http.Response {
	return &http.Response{
		Status:     "200 OK",
		StatusCode: http.StatusOK,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header: http.Header{
			"Content-Type": {contentType},
			"X-Request-Id": {"req_benchmark"},
		},
		Body:          io.NopCloser(body),
		ContentLength: length,
		Request:       req,
	}
}

// stream is a recording from its beginning.
func (w *Wire) stream() io.Reader {
	r := w.Recording
	if r == nil {
		r = recorded
	}
	deltas := net.Buffers(slices.Clone(r.Deltas)) // which reading uses up
	return io.MultiReader(bytes.NewReader(r.Begin), &deltas, bytes.NewReader(r.End))
}

// receive takes the request's body, as sending it would.
func (w *Wire) receive(req *http.Request) error {
	var body []byte
	if req.Body != nil {
		defer req.Body.Close()
		if w.Request == nil {
			_, err := io.Copy(io.Discard, req.Body)
			return err
		}
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return fmt.Errorf("reading the request: %w", err)
		}
	}
	if w.Request != nil {
		w.Request(req, body)
	}
	return nil
}
