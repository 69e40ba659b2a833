package sse

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// A Writer writes the events of a stream. It is not safe for concurrent use.
type Writer struct {
	dst io.Writer
	buf []byte
}

// NewWriter returns a Writer to dst.
func NewWriter(dst io.Writer) *Writer { return &Writer{dst: dst} }

// Event writes one event, with one call of Write: whoever buffers behind it flushes after it. An empty name writes no
// event field; a name that holds a line break or NUL is an error, and nothing is written. Data of several lines is
// written as such; their ends arrive as line feeds, whichever they were: the format cannot carry a carriage return.
func (w *Writer) Event(name string, data []byte) error {
	if strings.ContainsAny(name, "\r\n\x00") {
		return fmt.Errorf("%q cannot be the name of an event", name)
	}
	w.buf = w.buf[:0]
	if name != "" {
		w.line("event", []byte(name))
	}
	w.data(data)
	w.buf = append(w.buf, '\n')
	_, err := w.dst.Write(w.buf)
	if cap(w.buf) > keptBuffer {
		w.buf = nil
	}
	return err
}

// data adds a field for each line of data, at least one.
func (w *Writer) data(data []byte) {
	for more := true; more; {
		var line []byte
		line, data, more = bytes.Cut(data, []byte{'\n'})
		if more {
			line = bytes.TrimSuffix(line, []byte{'\r'})
		}
		for part := range bytes.SplitSeq(line, []byte{'\r'}) {
			w.line("data", part)
		}
	}
}

func (w *Writer) line(field string, value []byte) {
	w.buf = append(w.buf, field...)
	w.buf = append(w.buf, ": "...)
	w.buf = append(w.buf, value...)
	w.buf = append(w.buf, '\n')
}
