package sse_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/internal/sse"
)

func TestWriter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, event, data, out string }{
		{"an event", "a", `{"x":1}`, "event: a\ndata: {\"x\":1}\n\n"},
		{"no name", "", "1", "data: 1\n\n"},
		{"no data", "a", "", "event: a\ndata: \n\n"},
		{"spaces", " a", " 1 ", "event:  a\ndata:  1 \n\n"},
		{"LF", "a", "1\n2\n\n3", "event: a\ndata: 1\ndata: 2\ndata: \ndata: 3\n\n"},
		{"CRLF", "a", "1\r\n2\r\n\r\n3", "event: a\ndata: 1\ndata: 2\ndata: \ndata: 3\n\n"},
		{"CR", "a", "1\r2\r\r3", "event: a\ndata: 1\ndata: 2\ndata: \ndata: 3\n\n"},
		{"mixed", "a", "1\n\r2\r\r\n3\r\n\n4", "event: a\ndata: 1\ndata: \ndata: 2\ndata: \ndata: 3\ndata: \ndata: 4\n\n"},
		{"LF at the end", "a", "1\n", "event: a\ndata: 1\ndata: \n\n"},
		{"CR at the end", "a", "1\r", "event: a\ndata: 1\ndata: \n\n"},
		{"CRLF alone", "a", "\r\n", "event: a\ndata: \ndata: \n\n"},
		{"any bytes", "a:\xff", "\x00:\xff", "event: a:\xff\ndata: \x00:\xff\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out writes
			require.NoError(t, sse.NewWriter(&out).Event(c.event, []byte(c.data)))
			require.Equal(t, writes{c.out}, out) // in one call

			text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(c.data)
			got := readAll(sse.NewReader(strings.NewReader(c.out), plenty))
			require.Equal(t, outcome{events: []event{{c.event, text}}, err: io.EOF}, got)
		})
	}
}

// A name that would end its line is refused, and does not harm the events after it.
func TestWriterRefusesNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"\n", "a\r", "a\r\nb", "a\ndata: forged\n\n", "\x00"} {
		var out writes
		w := sse.NewWriter(&out)
		require.ErrorContains(t, w.Event(name, nil), "cannot be the name of an event")
		require.Empty(t, out)
		require.NoError(t, w.Event("a", []byte("1")))
		require.Equal(t, writes{"event: a\ndata: 1\n\n"}, out)
	}
}

func TestWriterError(t *testing.T) {
	t.Parallel()
	r, dst := io.Pipe()
	r.CloseWithError(io.ErrClosedPipe)
	require.Equal(t, io.ErrClosedPipe, sse.NewWriter(dst).Event("a", nil))
}

// A capacity is that of what was last written.
type capacity int

func (c *capacity) Write(p []byte) (int, error) {
	*c = capacity(cap(p))
	return len(p), nil
}

func TestWriterReleasesMemory(t *testing.T) {
	t.Parallel()
	var c capacity
	w := sse.NewWriter(&c)
	require.NoError(t, w.Event("a", make([]byte, 1<<20)))
	require.Greater(t, int(c), 1<<20)
	require.NoError(t, w.Event("a", nil))
	require.LessOrEqual(t, int(c), 64<<10)
}

func TestWriterAllocations(t *testing.T) {
	// Not parallel: it counts the allocations of the process.
	w := sse.NewWriter(io.Discard)
	data := []byte("{\"some\":\r\n\"thing\"}\r")
	require.Zero(t, testing.AllocsPerRun(1000, func() { _ = w.Event("thread.message.delta", data) }))
}
