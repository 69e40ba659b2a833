package server

import (
	"bytes"
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
func (s *Server) stream(w http.ResponseWriter, c *call, answer reply) {
	out := &streamWriter{events: sse.NewWriter(w), connection: http.NewResponseController(w), reading: true}
	if answer.keep != nil {
		out.copies, out.copying = sse.NewWriter(&out.copied), true
	}
	whole := false
	defer func() { // also if the connection is given up by a panic
		answer.events.leave()
		if answer.keep != nil {
			answer.keep(out.copied.Bytes(), whole && out.copying)
		}
	}()
	for ended := false; !ended && (out.reading || out.copying); {
		select {
		case <-answer.events.wake:
			var batch []event
			batch, ended = answer.events.take()
			out.write(batch)
		case <-out.gone(c.request):
			out.reading = false
		}
	}
	whole = true
	_ = out.connection.SetWriteDeadline(time.Time{})
}

// streamWriter writes events to a reader, and to a copy of the stream.
type streamWriter struct {
	events     *sse.Writer
	connection *http.ResponseController
	reading    bool // the reader is there

	copies  *sse.Writer
	copied  bytes.Buffer
	copying bool // the copy is whole so far
}

// write writes what has happened since the last time, and has it sent.
func (w *streamWriter) write(batch []event) {
	_ = w.connection.SetWriteDeadline(time.Now().Add(readerPatience)) // not all connections can
	for i := range batch {
		data := batch[i].render()
		if w.copying {
			_ = w.copies.Event(batch[i].name, data) // to memory
			w.copying = w.copied.Len() <= maxStreamCopy
		}
		if w.reading {
			w.reading = w.events.Event(batch[i].name, data) == nil
		}
	}
	if w.reading {
		w.reading = w.connection.Flush() == nil
	}
}

// gone tells that the reader went away, which counts once.
func (w *streamWriter) gone(r *http.Request) <-chan struct{} {
	if !w.reading {
		return nil
	}
	return r.Context().Done()
}
