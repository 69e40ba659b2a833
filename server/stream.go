package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/assistants-go/assistants/internal/sse"
)

// readerPatience is how long a stream waits for its reader to take what is written.
const readerPatience = 30 * time.Second

// maxStreamCopy is how much of a stream is kept for a repetition of its request.
const maxStreamCopy = 16 << 20

// stream writes the events of a run, each as it happens, until the last one. A reader who goes away ends it, and the run
// goes on; if the request may be repeated, the rest is collected first.
func (s *Server) stream(w http.ResponseWriter, c *call, answer reply, elapsed time.Duration) {
	out := &streamWriter{dst: w, connection: http.NewResponseController(w), reading: true, copying: answer.keep != nil}
	out.events, out.copies = sse.NewWriter(out), sse.NewWriter(&out.copied)
	whole := false
	defer func() { // also if the connection is given up by a panic
		answer.events.leave()
		if answer.keep != nil {
			answer.keep(out.copied.Bytes(), whole && out.copying)
		}
	}()
	s.write(w, c, answer, elapsed)
	for ended := false; !ended && (out.reading || out.copying); {
		select {
		case <-answer.events.wake:
			var batch []event
			batch, ended = answer.events.take()
			out.pass(batch)
		case <-out.gone(c.request):
			out.reading = false
		}
	}
	whole = out.done
}

// streamWriter writes events to a reader, and to a copy of the stream.
type streamWriter struct {
	dst        io.Writer
	connection *http.ResponseController
	patience   int // bytes that may be written before the reader's time begins anew

	events  *sse.Writer
	reading bool // the reader is there
	done    bool // the stream came to a good end

	copies  *sse.Writer
	copied  bytes.Buffer
	copying bool // the copy is whole so far
}

// pass writes what has happened since the last time, and has it sent.
func (w *streamWriter) pass(batch []event) {
	w.patience = 0
	for i := range batch {
		data := batch[i].render()
		w.done = batch[i].name == eventDone
		if w.copying {
			_ = w.copies.Event(batch[i].name, data) // to memory
		}
		if w.copied.Len() > maxStreamCopy {
			w.copied, w.copying = bytes.Buffer{}, false
		}
		if w.reading {
			w.reading = w.events.Event(batch[i].name, data) == nil
		}
	}
	if w.reading {
		err := w.connection.Flush()
		w.reading = err == nil || errors.Is(err, http.ErrNotSupported) // it may have been wrapped
	}
	// HTTP/2 counts a deadline while nothing is written, too.
	_ = w.connection.SetWriteDeadline(time.Time{})
}

// Write writes to the reader, who has readerPatience for every piece: a slow reader is not one who is gone.
func (w *streamWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 && err == nil {
		if w.patience <= 0 {
			w.patience = 64 << 10
			_ = w.connection.SetWriteDeadline(time.Now().Add(readerPatience)) // not all connections can
		}
		written := 0
		written, err = w.dst.Write(p[:min(len(p), w.patience)])
		n, p, w.patience = n+written, p[written:], w.patience-written
	}
	return n, err
}

// gone tells that the reader went away, which counts once.
func (w *streamWriter) gone(r *http.Request) <-chan struct{} {
	if !w.reading {
		return nil
	}
	return r.Context().Done()
}
