// Package sse reads and writes event streams (server-sent events), for client and server alike. It follows
// https://html.spec.whatwg.org/multipage/server-sent-events.html, but for what needs no answer here: ids and
// reconnection times are ignored, and text is passed on as the bytes it is.
package sse

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
)

const (
	firstBuffer = 4 << 10  // what every stream costs, so it is small: a process may hold a thousand of them
	keptBuffer  = 64 << 10 // a larger one is given back when it has served its event
	maxSpace    = 2 << 10  // white space Peek looks behind
	maxEmpty    = 100      // empty reads in a row before the source is given up
)

var bom = []byte("\xef\xbb\xbf")

// An Event is what one dispatch of a stream carries. Both fields are valid until the next call of [Reader.Next].
type Event struct {
	Name []byte // the event field; empty if there was none
	Data []byte // the data lines, joined by line feeds
}

// A TooLargeError says that an event, or a line, is larger than the reader allows.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("an event of the stream is larger than %d bytes", e.Limit)
}

// A Reader reads the events of a stream, each at the moment its last byte arrives. It is not safe for concurrent use.
type Reader struct {
	src io.Reader
	max int64 // bytes of one event
	err error // why there is nothing behind what is in the buffer

	buf      []byte
	pos, end int  // buf[pos:end] is still to be read
	lf, cr   int  // where the next of each is, or how far there is none: nothing is searched twice
	afterCR  bool // an LF would be the second half of a line end that was seen
	begun    bool // the byte order mark was looked for

	// The event so far.
	size int64 // of its lines
	name []byte
	data []byte // lies in buf, before pos; nil if there was no data line
}

// NewReader returns a Reader of the stream src. An event of more than maxEvent bytes is an error, as is such a line
// outside of events: the lines count, their ends do not, and a comment counts only while it is read. This bounds the
// memory too.
func NewReader(src io.Reader, maxEvent int64) *Reader {
	return &Reader{src: src, max: maxEvent, buf: make([]byte, firstBuffer)}
}

// Next returns the next event, as soon as the line that ends it is there.
//
// At the end of the stream the error is [io.EOF], or [io.ErrUnexpectedEOF] if an event, or a line that is no comment,
// was not finished. Errors of the source are returned as they are. Both come with what had arrived of the event, the
// unfinished line taken for a line. An event beyond the limit is a [*TooLargeError]. After an error every call returns
// that error, and no event.
func (r *Reader) Next() (Event, error) {
	if !r.begun {
		r.skipBOM()
	}
	r.forget()
	for {
		line, whole := r.line()
		switch {
		case r.size+int64(len(line)) > r.max:
			return Event{}, r.stop(&TooLargeError{Limit: r.max})
		case !whole && !r.fill():
			return r.last()
		case !whole:
			// there is more of it now
		case len(line) > 0:
			r.field(line)
		case r.data != nil:
			return r.event(), nil
		default:
			r.forget()
		}
	}
}

func (r *Reader) event() Event {
	return Event{Name: r.name, Data: slices.Clip(r.data)} // what lies behind the data is not the caller's
}

// last ends the stream with what there is of an event.
func (r *Reader) last() (Event, error) {
	line, _ := r.line()
	unfinished := len(line) > 0 && line[0] != ':'
	if unfinished {
		r.field(line)
	}
	event, err := r.event(), r.err
	if err == io.EOF && (unfinished || r.data != nil || len(r.name) > 0) {
		err = io.ErrUnexpectedEOF
	}
	return event, r.stop(err)
}

// stop leaves err as the only thing there is to read, and returns it.
func (r *Reader) stop(err error) error {
	*r = Reader{err: err, begun: true}
	return err
}

// Peek returns the first byte of the stream that is neither white space nor of the byte order mark, and leaves it to
// be read: it tells a stream from a body of another kind. It waits for that byte, but of a body that begins with 2 KiB
// of white space it returns white space. Peek is for use before the first Next.
func (r *Reader) Peek() (byte, error) {
	if !r.begun {
		r.skipBOM()
	}
	for {
		head := r.buf[r.pos:min(r.end, r.pos+maxSpace)]
		text := bytes.TrimLeft(head, " \t\r\n")
		switch {
		case len(text) > 0:
			return text[0], nil
		case len(head) == maxSpace:
			return head[0], nil
		case !r.fill():
			return 0, r.err
		}
	}
}

// Rest returns what Next has not read: the text of a body that is no stream.
func (r *Reader) Rest() io.Reader {
	if r.src == nil {
		return bytes.NewReader(nil) // Next has come to the end
	}
	return io.MultiReader(bytes.NewReader(r.buf[r.pos:r.end]), r.src)
}

// skipBOM skips the byte order mark a stream may begin with. It waits only while what has arrived may become one.
func (r *Reader) skipBOM() {
	r.begun = true
	for r.end < len(bom) && bytes.HasPrefix(bom, r.buf[:r.end]) {
		if !r.fill() {
			return
		}
	}
	if bytes.HasPrefix(r.buf[:r.end], bom) {
		r.pos = len(bom)
	}
}

// forget begins a new event.
func (r *Reader) forget() {
	if cap(r.name) > keptBuffer {
		r.name = nil
	}
	r.size, r.name, r.data = 0, r.name[:0], nil
}

// line returns the next line without its end. If the end has not arrived, it returns what has, and leaves it there.
func (r *Reader) line() (line []byte, whole bool) {
	if r.afterCR && r.pos < r.end {
		r.afterCR = false
		if r.buf[r.pos] == '\n' {
			r.pos++
		}
	}
	r.lf = r.find('\n', r.lf)
	r.cr = r.find('\r', r.cr)
	end := min(r.lf, r.cr)
	line = r.buf[r.pos:end]
	if end == r.end {
		return line, false
	}
	r.afterCR = end == r.cr
	r.pos = end + 1
	return line, true
}

// find returns where the next c is, or the end if there is none yet. Before from there is none.
func (r *Reader) find(c byte, from int) int {
	if from = max(from, r.pos); from < r.end {
		if i := bytes.IndexByte(r.buf[from:r.end], c); i >= 0 {
			return from + i
		}
	}
	return r.end
}

// field adds a line that is not empty to the event. Comments and fields that are none of its own add nothing.
func (r *Reader) field(line []byte) {
	name, value := line, line[len(line):]
	if i := bytes.IndexByte(line, ':'); i >= 0 {
		name, value = line[:i], line[i+1:]
	}
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	if len(name) > 0 {
		r.size += int64(len(line))
	}
	switch {
	case string(name) == "event":
		r.name = append(r.name[:0], value...)
	case string(name) != "data":
	case r.data == nil:
		r.data = value
	default:
		// In place: the value has its field's name before it, and moves to the front of that.
		r.data = append(append(r.data, '\n'), value...)
	}
}

// fill waits until something arrives. It returns false if nothing will; r.err says why.
func (r *Reader) fill() bool {
	if r.err != nil {
		return false
	}
	r.makeRoom()
	for range maxEmpty {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		r.err = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	r.err = io.ErrNoProgress
	return false
}

// makeRoom moves what must be kept to the front of the buffer: the event's data, and behind it what is unread. If it
// takes more than half of the buffer, the buffer doubles, up to the limit; if little, a large buffer becomes small.
func (r *Reader) makeRoom() {
	unread := r.buf[r.pos:r.end]
	kept := len(r.data) + len(unread)
	limit := int(min(r.max, math.MaxInt-firstBuffer)) + firstBuffer
	buf := r.buf
	switch {
	case kept > len(buf)/2 && len(buf) < limit:
		buf = make([]byte, min(2*len(buf), limit))
	case kept < firstBuffer/2 && len(buf) > keptBuffer:
		buf = make([]byte, firstBuffer)
	}
	if r.data != nil {
		r.data = buf[:move(buf, r.data)]
	}
	shift := r.pos - len(r.data)
	move(buf[len(r.data):], unread)
	r.buf, r.pos, r.end = buf, r.pos-shift, r.end-shift
	r.lf, r.cr = r.lf-shift, r.cr-shift
}

// move is copy, but for free if from is where it should be. Else a line that arrives byte by byte would be copied for
// each of them.
func move(to, from []byte) int {
	if len(from) == 0 || &to[0] == &from[0] {
		return len(from)
	}
	return copy(to, from)
}
