package sse_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/internal/sse"
)

// parse reads a whole stream, in the plainest way.
func parse(stream string, limit int) (o outcome) {
	stream = strings.TrimPrefix(stream, "\ufeff")
	stream = strings.ReplaceAll(stream, "\r\n", "\n")
	stream = strings.ReplaceAll(stream, "\r", "\n")
	lines := strings.Split(stream, "\n") // the last has no end
	var (
		name string
		data []string
		size int
	)
	for i, line := range lines {
		last := i == len(lines)-1
		if size+len(line) > limit {
			o.err = &sse.TooLargeError{Limit: int64(limit)}
			return o
		}
		comment := strings.HasPrefix(line, ":")
		if !comment {
			size += len(line)
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			name = value
		case "data":
			data = append(data, value)
		}
		switch {
		case !last && line == "" && data != nil:
			o.events = append(o.events, event{name, strings.Join(data, "\n")})
			fallthrough
		case !last && line == "":
			name, data, size = "", nil, 0
		case last && (name != "" || data != nil || line != "" && !comment):
			o.rest, o.err = event{name, strings.Join(data, "\n")}, io.ErrUnexpectedEOF
			return o
		}
	}
	o.err = io.EOF
	return o
}

// However the bytes arrive, the reader gives what the plain parser gives; a peek at the first changes nothing.
func FuzzReader(f *testing.F) {
	for _, stream := range []string{
		"event: a\ndata: 1\n\nevent: b\r\ndata: 2\r\n\r\nevent: c\rdata: 3\r\r",
		"\ufeff: ping\n\ndata\ndata:\ndata:  x\nevent: e\nid: 1\nretry: 2\n\n",
		"\xef\xbb", "data: 1\n", "event: a\nevent\ndata: 1", ": ping", "\n\r\r\n", "{\"error\":{}}", "<html>\n",
	} {
		f.Add([]byte(stream), uint16(1000))
		f.Add([]byte(stream), uint16(8))
	}
	f.Fuzz(func(t *testing.T, stream []byte, limit uint16) {
		want := parse(string(stream), int(limit))
		for _, a := range arrivals {
			for _, peek := range []bool{false, true} {
				r := sse.NewReader(a.from(bytes.NewReader(stream)), int64(limit))
				if peek {
					first, err := r.Peek()
					text := bytes.TrimLeft(bytes.TrimPrefix(stream, []byte("\ufeff")), " \t\r\n")
					require.Equal(t, len(text) == 0, err != nil || strings.ContainsRune(" \t\r\n", rune(first)), a.name)
				}
				require.Equal(t, want, readAll(r), a.name)
			}
		}
	})
}

// What is written is read again, its line ends as line feeds, from one call of Write.
func FuzzWriter(f *testing.F) {
	f.Add("thread.message.delta", []byte(`{"a":1}`))
	f.Add("", []byte(nil))
	f.Add(" x", []byte(" a\r\nb\rc\n\n"))
	f.Add("a\rb", []byte("\r\r\n\n\r"))
	f.Add("a:b", []byte("\xff\x00:"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		var out writes
		w := sse.NewWriter(&out)
		if err := w.Event(name, data); err != nil {
			require.True(t, strings.ContainsAny(name, "\r\n\x00"))
			require.Empty(t, out)
			return
		}
		require.NoError(t, w.Event("end", nil))
		require.Len(t, out, 2)
		text := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
		for _, from := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader} {
			got := readAll(sse.NewReader(from(strings.NewReader(strings.Join(out, ""))), plenty))
			require.Equal(t, outcome{events: []event{{name, text}, {"end", ""}}, err: io.EOF}, got)
		}
	})
}

// writes are what was written, call by call.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}
