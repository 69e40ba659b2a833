package server

import (
	"bytes"
	"encoding/json"
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
	connection := http.NewResponseController(w)
	var copied bytes.Buffer
	events := sse.NewWriter(w)
	copies := sse.NewWriter(&copied)
	reading, copying := true, answer.keep != nil
	write := func(e event) {
		data := e.render()
		if copying {
			_ = copies.Event(e.name, data) // to memory
			copying = copied.Len() <= maxStreamCopy
		}
		if reading {
			reading = events.Event(e.name, data) == nil
		}
	}
	for ended := false; !ended && (reading || copying); {
		select {
		case <-answer.events.wake:
		case <-gone(c.request, reading):
			reading = false
			continue
		}
		var batch []event
		batch, ended = answer.events.take()
		_ = connection.SetWriteDeadline(time.Now().Add(readerPatience)) // not all connections can
		for _, e := range batch {
			write(e)
		}
		if reading {
			reading = connection.Flush() == nil
		}
	}
	_ = connection.SetWriteDeadline(time.Time{})
	if answer.keep != nil {
		answer.keep(copied.Bytes(), copying)
	}
}

// gone tells that the reader went away, which counts once.
func gone(r *http.Request, reading bool) <-chan struct{} {
	if !reading {
		return nil
	}
	return r.Context().Done()
}

var doneData = json.RawMessage("[DONE]")
