package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
)

// InProcessURL is how an in-process server is addressed: by a name that cannot be resolved, should a request ever
// leave the process.
const InProcessURL = "http://in-process.invalid"

// InProcess returns a RoundTripper that hands requests to a handler in this process, as net/http's server would:
// answers stream as they are written and flushed, closing a body or ending a context reaches the handler's
// request context, and a panic is a broken connection.
func InProcess(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	reader, writer := io.Pipe()
	w := &pipeWriter{header: http.Header{}, body: writer, started: make(chan struct{}), bodiless: req.Method == http.MethodHead}
	in := arrived(req.WithContext(ctx))
	go func() {
		defer in.Body.Close()
		w.finish(serve(t.handler, w, in))
	}()
	select {
	case <-w.started:
	case <-ctx.Done():
		cancel()
		reader.CloseWithError(ctx.Err())
		return nil, ctx.Err()
	}
	if w.failed != nil {
		cancel()
		return nil, w.failed
	}
	stop := context.AfterFunc(ctx, func() { reader.CloseWithError(context.Cause(ctx)) })
	return &http.Response{
		Status:        strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.sent,
		ContentLength: contentLength(w.sent),
		Request:       req,
		Body: &pipeBody{PipeReader: reader, ctx: req.Context(), end: func() {
			stop()
			cancel()
		}},
	}, nil
}

// serve runs the handler and turns a panic into an error: in a server it would end the connection, not the process.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = errors.New("the handler aborted the connection")
		default:
			err = fmt.Errorf("the handler panicked: %v", p)
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// arrived is the request as a server sees it.
func arrived(out *http.Request) *http.Request {
	in := out.Clone(out.Context())
	in.URL = &url.URL{Path: out.URL.Path, RawPath: out.URL.RawPath, RawQuery: out.URL.RawQuery}
	in.RequestURI = out.URL.RequestURI()
	if in.Host == "" {
		in.Host = out.URL.Host
	}
	in.RemoteAddr = "127.0.0.1:0"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.GetBody, in.Response = nil, nil
	return in
}

func contentLength(h http.Header) int64 {
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

// A pipeWriter is the handler's side. The mutex orders the handler's goroutines, if it has several; the reader's
// side is told by the channel that the header stands.
type pipeWriter struct {
	mu       sync.Mutex
	header   http.Header
	body     *io.PipeWriter
	bodiless bool

	started chan struct{}
	status  int // 0: not started
	sent    http.Header
	failed  error
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start(status, nil)
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	w.start(http.StatusOK, p)
	w.mu.Unlock()
	if w.bodiless || w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return len(p), nil
	}
	return w.body.Write(p)
}

// Flush sends the header; what is written is with the reader already.
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }

// start fixes status and header once, at the first occasion.
func (w *pipeWriter) start(status int, first []byte) {
	if w.status != 0 || status < 200 { // 1xx announces, it does not answer
		return
	}
	w.status = status
	w.sent = w.header.Clone()
	if len(first) > 0 && w.sent.Get("Content-Type") == "" {
		w.sent.Set("Content-Type", http.DetectContentType(first))
	}
	close(w.started)
}

// finish ends the answer, with err if the handler did not come to its end.
func (w *pipeWriter) finish(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err == nil:
		w.start(http.StatusOK, nil)
		w.body.Close()
	case w.status == 0:
		w.failed = err
		close(w.started)
	default:
		w.body.CloseWithError(fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err))
	}
}

// A pipeBody is the client's side.
type pipeBody struct {
	*io.PipeReader
	ctx context.Context // of the request: its end is an error, also if the handler, seeing it, ended in good order
	end func()
}

func (b *pipeBody) Read(p []byte) (int, error) {
	n, err := b.PipeReader.Read(p)
	if err == io.EOF && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

func (b *pipeBody) Close() error {
	b.end()
	return b.PipeReader.Close()
}
