package workload

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A Wire answers requests from memory, as a server would that takes no time.
type Wire struct {
	// Request, if not nil, is given each request and its body.
	Request func(*http.Request, []byte)
}

// RoundTrip answers with an assistant, or a list of them. It announces the length as the service does, unless the
// assistant is the one whose length is to be unknown, as it is where a proxy sends chunks.
func (w *Wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := w.receive(req); err != nil {
		return nil, err
	}
	body := assistantJSON
	length := int64(len(body))
	switch {
	case strings.HasSuffix(req.URL.Path, UnannouncedID):
		body, length = unannouncedJSON, -1
	case req.Method == http.MethodGet && req.URL.RawQuery != "":
		body, length = listJSON, int64(len(listJSON))
	}
	return &http.Response{
		Status:     "200 OK",
		StatusCode: http.StatusOK,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header: http.Header{
			"Content-Type": {"application/json"},
			"X-Request-Id": {"req_benchmark"},
		},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: length,
		Request:       req,
	}, nil
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
