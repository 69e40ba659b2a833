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
		serve(t.handler, w, in)
	}()
	select {
	case <-w.started:
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil { // which may be what the handler has answered to
		cancel()
		reader.CloseWithError(err)
		return nil, err
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

// serve runs the handler to its end, whichever it is. A panic becomes an error, as does the end of the goroutine that
// a failing test brings about: in a server both would end the connection, not the process.
func serve(h http.Handler, w *pipeWriter, r *http.Request) {
	err := errors.New("the handler ended its goroutine")
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = fmt.Errorf("the handler aborted the connection: %w", io.EOF) // which is what a client of net/http sees
		default:
			err = fmt.Errorf("the handler panicked: %v", p)
		}
		w.finish(err)
	}()
	h.ServeHTTP(w, r)
	err = nil
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
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
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
	bodiless bool // a HEAD request

	started chan struct{}
	status  int // 0: not started
	sent    http.Header
	left    int64 // what Content-Length still promises; -1: it promises nothing
	failed  error
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid status %d", status)) // as in net/http
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start(status, nil)
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	pass, err := w.admit(p)
	switch {
	case err != nil:
		return 0, err
	case !pass:
		return len(p), nil
	}
	return w.body.Write(p)
}

// admit reports whether p is part of the answer's body.
func (w *pipeWriter) admit(p []byte) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start(http.StatusOK, p)
	switch {
	case w.status == http.StatusNoContent || w.status == http.StatusNotModified:
		return false, http.ErrBodyNotAllowed
	case w.left >= 0 && int64(len(p)) > w.left:
		return false, http.ErrContentLength
	case w.left >= 0:
		w.left -= int64(len(p))
	}
	return !w.bodiless, nil
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
	w.left = contentLength(w.sent)
	if len(first) > 0 && w.sent.Get("Content-Type") == "" {
		w.sent.Set("Content-Type", http.DetectContentType(first))
	}
	close(w.started)
}

// finish ends the answer, with err if the handler did not come to its end.
func (w *pipeWriter) finish(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.start(http.StatusOK, nil)
	}
	hasBody := !w.bodiless && w.status != http.StatusNoContent && w.status != http.StatusNotModified
	switch {
	case err != nil && w.status == 0:
		w.failed = err
		close(w.started)
	case err != nil:
		w.body.CloseWithError(fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err))
	case hasBody && w.left > 0:
		w.body.CloseWithError(io.ErrUnexpectedEOF)
	default:
		w.body.Close()
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
	if err != nil && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

func (b *pipeBody) Close() error {
	b.end()
	return b.PipeReader.Close()
}
