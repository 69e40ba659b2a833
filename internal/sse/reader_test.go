package sse_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/internal/sse"
)

const plenty = 64 << 20

// An event is an sse.Event to keep and compare.
type event struct{ name, data string }

// An outcome is all that a stream gives.
type outcome struct {
	events []event
	rest   event // came with err
	err    error
}

func readAll(r *sse.Reader) (o outcome) {
	for {
		e, err := r.Next()
		got := event{string(e.Name), string(e.Data)}
		if err != nil {
			o.rest, o.err = got, err
			return o
		}
		o.events = append(o.events, got)
	}
}

// The ways in which the same bytes can arrive.
var arrivals = []struct {
	name string
	from func(io.Reader) io.Reader
}{
	{"at once", func(r io.Reader) io.Reader { return r }},
	{"byte by byte", iotest.OneByteReader},
	{"in halves", iotest.HalfReader},
	{"with the error", iotest.DataErrReader},
	{"byte by byte with the error", func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) }},
}

func TestNext(t *testing.T) {
	t.Parallel()
	cut := io.ErrUnexpectedEOF
	for _, c := range []struct {
		name, stream string
		events       []event
		rest         event
		err          error // nil: io.EOF
	}{
		{name: "nothing", stream: ""},
		{name: "an event", stream: "event: a\ndata: 1\n\n", events: []event{{"a", "1"}}},
		{name: "name after data", stream: "data: 1\nevent: a\ndata: 2\n\n", events: []event{{"a", "1\n2"}}},
		{name: "two events", stream: "event: a\ndata: 1\n\ndata: 2\n\n", events: []event{{"a", "1"}, {"", "2"}}},

		{name: "CRLF", stream: "event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", events: []event{{"a", "1"}, {"", "2"}}},
		{name: "CR", stream: "event: a\rdata: 1\r\rdata: 2\r\r", events: []event{{"a", "1"}, {"", "2"}}},
		{name: "mixed", stream: "event: a\rdata: 1\ndata: 2\r\ndata: 3\r\ndata: 4\n\r\ndata: 5\n\rdata: 6\r\n\n",
			events: []event{{"a", "1\n2\n3\n4"}, {"", "5"}, {"", "6"}}},
		{name: "many ends", stream: "\n\r\n\r\r\n\ndata: 1\n\n\n\r\n\r\r", events: []event{{"", "1"}}},

		{name: "BOM", stream: "\ufeffdata: 1\n\n", events: []event{{"", "1"}}},
		{name: "BOM alone", stream: "\ufeff"},
		{name: "two BOMs", stream: "\ufeff\ufeffdata: 1\ndata: 2\n\n", events: []event{{"", "2"}}},
		{name: "BOM later", stream: "data: 1\n\n\ufeffdata: 2\n\n", events: []event{{"", "1"}}},
		{name: "part of a BOM", stream: "\xef\xbbdata: 1\n\ndata: 2\n\n", events: []event{{"", "2"}}},
		{name: "part of a BOM alone", stream: "\xef\xbb", err: cut},

		{name: "comments", stream: ": ping\n\n:\n\ndata: 1\n:data: 2\n: \ndata: 3\n\n: end\n", events: []event{{"", "1\n3"}}},
		{name: "a comment unfinished", stream: "data: 1\n\n: en", events: []event{{"", "1"}}},
		{name: "other fields", stream: "id: 7\nretry: 10\nother: x\nDATA: no\ndata : no\n data: no\ndata: 1\n\n",
			events: []event{{"", "1"}}},
		{name: "other fields alone", stream: "id: 7\nretry: 10\n\n"},

		{name: "no space", stream: "event:a\ndata:1\n\n", events: []event{{"a", "1"}}},
		{name: "two spaces", stream: "event:  a\ndata:  1 \n\n", events: []event{{" a", " 1 "}}},
		{name: "a tab", stream: "data:\t1\n\n", events: []event{{"", "\t1"}}},
		{name: "colons", stream: "event::a:\ndata: 1:2\n\n", events: []event{{":a:", "1:2"}}},
		{name: "no colon", stream: "data\n\ndata\ndata\n\n", events: []event{{"", ""}, {"", "\n"}}},
		{name: "empty data", stream: "data:\n\ndata: \n\ndata:\ndata:\ndata: 1\ndata\n\n",
			events: []event{{"", ""}, {"", ""}, {"", "\n\n1\n"}}},
		{name: "any bytes", stream: "event: \x00\xff\ndata: \x00\xff\xfe\u2028\n\n",
			events: []event{{"\x00\xff", "\x00\xff\xfe\u2028"}}},

		{name: "the last name", stream: "event: long\nevent: b\ndata: 1\n\n", events: []event{{"b", "1"}}},
		{name: "the last name is empty", stream: "event: a\nevent\ndata: 1\n\n", events: []event{{"", "1"}}},
		{name: "no data", stream: "event: a\n\ndata: 1\n\nevent: b\nid: 7\n\n", events: []event{{"", "1"}}},

		{name: "no blank line", stream: "event: a\ndata: 1\n", rest: event{"a", "1"}, err: cut},
		{name: "no line end", stream: "event: a\ndata: 1\r\ndata: 2", rest: event{"a", "1\n2"}, err: cut},
		{name: "a name only", stream: "data: 1\n\nevent: a", events: []event{{"", "1"}}, rest: event{"a", ""}, err: cut},
		{name: "a field's name only", stream: "data: 1\ndat", rest: event{"", "1"}, err: cut},
		{name: "half a line end", stream: "data: 1\r\n\r", events: []event{{"", "1"}}},
		{name: "another field at the end", stream: "data: 1\n\nid: 7\n", events: []event{{"", "1"}}},
		{name: "another field unfinished", stream: "data: 1\n\nid: 7", events: []event{{"", "1"}}, err: cut},
	} {
		for _, a := range arrivals {
			t.Run(c.name+" "+a.name, func(t *testing.T) {
				t.Parallel()
				r := sse.NewReader(a.from(strings.NewReader(c.stream)), plenty)
				require.Equal(t, outcome{c.events, c.rest, cmp.Or(c.err, io.EOF)}, readAll(r))
			})
		}
	}
}

// After an error there is nothing but that error.
func TestNextAfterAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		r    *sse.Reader
	}{
		{"io.EOF", sse.NewReader(strings.NewReader("data: 1\n\n"), plenty)},
		{"io.ErrUnexpectedEOF", sse.NewReader(strings.NewReader("event: a\ndata: 1\nda"), plenty)},
		{"the source's", sse.NewReader(io.MultiReader(strings.NewReader("data: 1\nda"), iotest.ErrReader(broken)), plenty)},
		{"too large", sse.NewReader(strings.NewReader("data: 12345\n\ndata: 1\n\n"), 10)},
		{"no limit that makes sense", sse.NewReader(strings.NewReader("data: 12345\n\ndata: 1\n\n"), -1)},
		{"no progress", sse.NewReader(stuck{}, plenty)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			first := readAll(c.r).err
			for range 3 {
				e, err := c.r.Next()
				require.Same(t, first, err)
				require.Zero(t, e)
			}
			_, err := c.r.Peek()
			require.Same(t, first, err)
		})
	}
}

// The source's errors come as they are, with what had arrived, whether alone or with the last bytes.
func TestReadError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		name, stream string
		rest         event
	}{
		{"between events", "data: 1\n\n", event{}},
		{"within an event", "data: 1\n\nevent: a\ndata: 2\n", event{"a", "2"}},
		{"within a line", "data: 1\n\nevent: a\ndata: 2\ndata: 3", event{"a", "2\n3"}},
		{"within a comment", "data: 1\n\nevent: a\n: pi", event{"a", ""}},
	} {
		for _, a := range arrivals {
			t.Run(c.name+" "+a.name, func(t *testing.T) {
				t.Parallel()
				src := a.from(io.MultiReader(strings.NewReader(c.stream), iotest.ErrReader(broken)))
				require.Equal(t, outcome{[]event{{"", "1"}}, c.rest, broken}, readAll(sse.NewReader(src, plenty)))
			})
		}
	}
}

// Wherever a stream is cut, the events before it are those of the whole, and the rest is what there was of the next.
func TestCut(t *testing.T) {
	t.Parallel()
	const whole = "\ufeff: hi\n\nevent: a\ndata: 1\ndata: 22\n\ndata:3\r\n\r\nevent: b\rdata: 4\r\rid: 1\nretry\n\n" +
		": ping\r\n\r\nevent: nothing\n\nevent: done\ndata: [DONE]\n\n"
	all := []event{{"a", "1\n22"}, {"", "3"}, {"b", "4"}, {"done", "[DONE]"}}
	require.Equal(t, outcome{events: all, err: io.EOF}, readAll(sse.NewReader(strings.NewReader(whole), plenty)))
	for at := range len(whole) {
		for _, a := range arrivals {
			t.Run(fmt.Sprint(at, " ", a.name), func(t *testing.T) {
				t.Parallel()
				got := readAll(sse.NewReader(a.from(strings.NewReader(whole[:at])), plenty))
				require.Equal(t, parse(whole[:at], plenty), got)
				for i, e := range got.events {
					require.Equal(t, all[i], e)
				}
			})
		}
	}
}

// Streams that are longer than any buffer, of pieces that fit each other or not.
func TestLongStreams(t *testing.T) {
	t.Parallel()
	pieces := []string{"\n", "\n", "\r", "\r", "\r\n", "\r\n", "data", "event", "id", ":", ": ", "a", "b c",
		"data: 1\n\n", "event: a\r\n", "\rdata:\r", "\ufeff", strings.Repeat("x", 500), strings.Repeat("y", 5000)}
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 0))
		var b strings.Builder
		for range 5000 {
			b.WriteString(pieces[random.IntN(len(pieces)-int(seed%3))]) // with long lines, or without
		}
		want := parse(b.String(), plenty)
		for _, a := range arrivals {
			t.Run(fmt.Sprint(seed, " ", a.name), func(t *testing.T) {
				t.Parallel()
				require.Equal(t, want, readAll(sse.NewReader(a.from(strings.NewReader(b.String())), plenty)))
			})
		}
	}
}

// An eager source fails the test when it is read again although it has delivered its last event.
type eager struct {
	t       *testing.T
	pieces  []string
	allowed bool
}

func (s *eager) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		require.True(s.t, s.allowed, "read again after the last byte of the event")
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	require.Equal(s.t, len(s.pieces[0]), n)
	s.pieces = s.pieces[1:]
	return n, nil
}

// An event is there with its last byte: nothing is waited for, be it the LF of a CRLF or a full buffer.
func TestPromptness(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, stream string }{
		{"LF", "event: a\ndata: 1\n\n"},
		{"CR", "event: a\rdata: 1\r\r"},
		{"CRLF", "event: a\r\ndata: 1\r\n\r\n"},
		{"half a CRLF", "event: a\r\ndata: 1\r\n\r"},
		{"mixed", "event: a\ndata: 1\r\n\r"},
		{"BOM", "\ufeffevent: a\ndata: 1\n\n"},
		{"the second", "event: a\ndata: 1\n\nevent: a\ndata: 1\n\n"},
		{"the second with CR", "event: a\rdata: 1\r\revent: a\rdata: 1\r\r"},
		{"the second with CRLF", "event: a\r\ndata: 1\r\n\r\nevent: a\r\ndata: 1\r\n\r\n"},
	} {
		for name, pieces := range map[string][]string{"at once": {c.stream}, "byte by byte": strings.Split(c.stream, "")} {
			t.Run(c.name+" "+name, func(t *testing.T) {
				t.Parallel()
				src := &eager{t: t, pieces: pieces}
				r := sse.NewReader(src, plenty)
				for range strings.Count(c.stream, "event") {
					e, err := r.Next()
					require.NoError(t, err)
					require.Equal(t, event{"a", "1"}, event{string(e.Name), string(e.Data)})
				}
				src.allowed = true
				_, err := r.Next()
				require.Equal(t, io.EOF, err)
			})
		}
	}
}

// A stuck source delivers nothing and does not say why.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestNoProgress(t *testing.T) {
	t.Parallel()
	r := sse.NewReader(io.MultiReader(strings.NewReader("data: 1\n\ndata: 2"), stuck{}), plenty)
	require.Equal(t, outcome{[]event{{"", "1"}}, event{"", "2"}, io.ErrNoProgress}, readAll(r))

	_, err := sse.NewReader(stuck{}, plenty).Peek()
	require.Equal(t, io.ErrNoProgress, err)
}

func TestPeek(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	blank := strings.Repeat(" \r\n\t", 1<<9)
	for _, c := range []struct {
		name, body string
		first      byte
		err        error
		events     []event
	}{
		{name: "a stream", body: "data: 1\n\n", first: 'd', events: []event{{"", "1"}}},
		{name: "lines before it", body: "\r\n\n\rdata: 1\n\n", first: 'd', events: []event{{"", "1"}}},
		{name: "BOM", body: "\ufeff\r\ndata: 1\n\n", first: 'd', events: []event{{"", "1"}}},
		{name: "two BOMs", body: "\ufeff\ufeff{\n", first: 0xef},
		{name: "part of a BOM", body: "\xef\xbb{\n", first: 0xef},
		{name: "JSON", body: "\ufeff \t\r\n{\n", first: '{'},
		{name: "HTML", body: "<html>\n", first: '<'},
		{name: "nothing", body: "", err: broken},
		{name: "BOM alone", body: "\ufeff", err: broken},
		{name: "blank lines alone", body: "\n\r\n\r", err: broken},
		{name: "much white space", body: blank[1:len(blank)-1] + "\ndata: 1\n\n", first: 'd', events: []event{{"", "1"}}},
		{name: "too much white space", body: "\n" + blank[2:] + "\ndata: 1\n\n", first: '\n', events: []event{{"", "1"}}},
	} {
		for _, a := range arrivals {
			t.Run(c.name+" "+a.name, func(t *testing.T) {
				t.Parallel()
				r := sse.NewReader(a.from(io.MultiReader(strings.NewReader(c.body), iotest.ErrReader(broken))), plenty)
				for range 2 { // it consumes nothing
					first, err := r.Peek()
					require.Equal(t, c.err, err)
					require.Equal(t, c.first, first)
				}
				got := readAll(r)
				require.Equal(t, c.events, got.events)
				require.Same(t, broken, got.err)
			})
		}
	}
}

// Rest is all of a body that was looked at, and nothing of one that was read.
func TestRest(t *testing.T) {
	t.Parallel()
	const body = "  <html>\n\n</html>"
	r := sse.NewReader(iotest.OneByteReader(strings.NewReader(body)), plenty)
	first, err := r.Peek()
	require.NoError(t, err)
	require.Equal(t, byte('<'), first)
	rest, err := io.ReadAll(r.Rest())
	require.NoError(t, err)
	require.Equal(t, body, string(rest))

	r = sse.NewReader(strings.NewReader("data: 1\n\n"), plenty)
	for err == nil {
		_, err = r.Next()
	}
	rest, err = io.ReadAll(r.Rest())
	require.NoError(t, err)
	require.Empty(t, rest)
}

// Peek waits for one byte, and for more only while they may be a byte order mark.
func TestPeekPromptness(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"{", "\n{", "\ufeff{", "\xef{", "\xef\xbb{", "\ufeff\xef"} {
		for _, pieces := range [][]string{{body}, strings.Split(body, "")} {
			_, err := sse.NewReader(&eager{t: t, pieces: pieces}, plenty).Peek()
			require.NoError(t, err)
		}
	}
}

// The caller's own bytes are its own: what it appends to an event does not reach the next.
func TestAppendToEvent(t *testing.T) {
	t.Parallel()
	r := sse.NewReader(strings.NewReader("event: a\ndata: 1\n\nevent: b\ndata: 2\n\n"), plenty)
	e, err := r.Next()
	require.NoError(t, err)
	_, _ = append(e.Name, "xxxxxxxx"...), append(e.Data, "xxxxxxxx"...)
	e, err = r.Next()
	require.NoError(t, err)
	require.Equal(t, event{"b", "2"}, event{string(e.Name), string(e.Data)})
}

func TestReaderAllocations(t *testing.T) {
	// Not parallel: it counts the allocations of the process.
	const two = "event: a.b.c\ndata: {\"some\":\"thing\"}\n\n: ping\n\nevent: d\r\ndata: 1\r\ndata: 2\r\n\r\n"
	stream := bytes.Repeat([]byte(two), 2000)
	r := sse.NewReader(bytes.NewReader(stream), plenty)
	var err error
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		for range 2 {
			if err == nil {
				_, err = r.Next()
			}
		}
	}))
	require.NoError(t, err)
}

func TestTooLargeError(t *testing.T) {
	t.Parallel()
	require.EqualError(t, &sse.TooLargeError{Limit: 7}, "an event of the stream is larger than 7 bytes")
}

func TestLimit(t *testing.T) {
	t.Parallel()
	const size = int64(len("event: a") + len("data: 12") + len("id: 7") + len("data:3"))
	const stream = "event: a\ndata: 12\n: a comment\r\nid: 7\rdata:3\n\n"
	for _, c := range []struct {
		name, stream string
		max          int64
		events       int // before it is too large
		large        bool
	}{
		{name: "exactly", stream: stream + stream, max: size, events: 2},
		{name: "exactly, unfinished", stream: strings.TrimRight(stream, "\n"), max: size},
		{name: "one byte more", stream: stream + stream, max: size - 1, large: true},
		{name: "the second", stream: stream + "data: 1" + stream, max: size, events: 1, large: true},
		{name: "a line without an end", stream: stream + strings.Repeat("x", int(size)+1), max: size, events: 1, large: true},
		{name: "a comment without an end", stream: stream + ":" + strings.Repeat("x", int(size)), max: size, events: 1,
			large: true},
		{name: "many comments", stream: strings.Repeat(":"+strings.Repeat("x", 30)+"\r", 100) + stream, max: 31, events: 1},
		{name: "fields of no use", stream: strings.Repeat("id\n", int(size)), max: size, large: true},
		{name: "blank lines", stream: strings.Repeat("\n", 100) + "data\n\n", max: 4, events: 1},
		{name: "BOM", stream: "\ufeffdata\n\n", max: 4, events: 1},
		{name: "nothing", stream: "\n\n", max: 0},
		{name: "one byte", stream: "\n\n:", max: 0, large: true},
		{name: "as large as can be", stream: stream, max: math.MaxInt64, events: 1},
	} {
		for _, a := range arrivals {
			t.Run(c.name+" "+a.name, func(t *testing.T) {
				t.Parallel()
				got := readAll(sse.NewReader(a.from(strings.NewReader(c.stream)), c.max))
				require.Len(t, got.events, c.events)
				if c.large {
					require.Equal(t, &sse.TooLargeError{Limit: c.max}, got.err)
					require.Zero(t, got.rest)
					return
				}
				require.NotErrorAs(t, got.err, new(*sse.TooLargeError))
			})
		}
	}
}
