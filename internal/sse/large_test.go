package sse_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/internal/sse"
)

// A gauge sees by what it is asked for how much memory its reader has.
type gauge struct {
	src   io.Reader
	piece int // bytes of a read at most; 0: as asked for
	last  int // bytes asked for
	most  int
}

func (g *gauge) Read(p []byte) (int, error) {
	g.last = len(p)
	g.most = max(g.most, len(p))
	if g.piece > 0 {
		p = p[:min(len(p), g.piece)]
	}
	return g.src.Read(p)
}

// Large events arrive whole, in time that grows with their size and no faster, however small the pieces: with the
// square of it, this test would take minutes.
func TestLargeEvents(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, c := range []struct {
		name        string
		line, count int
		piece       int
	}{
		{"1 MiB", mib, 1, 0},
		{"1 MiB byte by byte", mib, 1, 1},
		{"32 MiB", 32 * mib, 1, 0},
		{"32 MiB in small pieces", 32 * mib, 1, 1 << 10},
		{"many lines", 1, mib, 0},
		{"many lines byte by byte", 1, mib / 4, 1},
		{"lines of 1 MiB in small pieces", mib, 8, 1 << 10},
	} {
		for _, end := range []string{"\n", "\r", "\r\n"} {
			t.Run(c.name+strings.NewReplacer("\r", " CR", "\n", " LF").Replace(end), func(t *testing.T) {
				t.Parallel()
				line := strings.Repeat("x", c.line)
				stream := "event: a" + end + strings.Repeat("data: "+line+end, c.count) + end
				g := &gauge{src: strings.NewReader(stream + "data: 1" + end + end), piece: c.piece}
				r := sse.NewReader(g, int64(len(stream)))
				e, err := r.Next()
				require.NoError(t, err)
				want := strings.Repeat(line+"\n", c.count)
				require.True(t, string(e.Data) == want[:len(want)-1], "other data") // too long to print
				e, err = r.Next()
				require.NoError(t, err)
				require.Equal(t, "1", string(e.Data))
				require.LessOrEqual(t, g.most, len(stream)+4<<10)
			})
		}
	}
}

// Small events that arrive together with a large one do not each cost what the large one did.
func TestSmallAfterLarge(t *testing.T) {
	t.Parallel()
	const n = 1 << 19
	for name, end := range map[string]string{"LF": "\n\n", "CR": "\r\r"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			large := "data: " + strings.Repeat("x", 8<<20) + end
			got := readAll(sse.NewReader(strings.NewReader(large+strings.Repeat("data"+end, n)), plenty))
			require.Equal(t, io.EOF, got.err)
			require.Len(t, got.events, n+1)
		})
	}
}

// What a large event needed is given back before the next is waited for.
func TestMemoryIsReleased(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 1<<20)
	for _, c := range []struct{ name, stream string }{
		{"a line", "data: " + large + "\n\n"},
		{"lines", strings.Repeat("data: "+large[:1000]+"\n", 1000) + "\n"},
		{"a comment", ":" + large + "\ndata\n\n"},
		{"a name", "event: " + large + "\ndata\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := &gauge{src: iotest.OneByteReader(strings.NewReader(c.stream + "event: a\ndata: 1\n\n"))}
			r := sse.NewReader(g, plenty)
			_, err := r.Next()
			require.NoError(t, err)
			require.Greater(t, g.most, 64<<10)
			e, err := r.Next()
			require.NoError(t, err)
			require.Equal(t, event{"a", "1"}, event{string(e.Name), string(e.Data)})
			require.LessOrEqual(t, g.last, 4<<10)
			require.LessOrEqual(t, cap(e.Name), 4<<10)
		})
	}
}

// What is read and dropped takes no memory: comments and blank lines, within events and between them.
func TestNothingAccumulates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, before, many string }{
		{"comments", "", ": ping\n"},
		{"comments between events", "", ": ping\n\n"},
		{"comments within an event", "event: a\ndata: 1\n", ": ping\n"},
		{"comments in half the buffer", "data: " + strings.Repeat("x", 2000) + "\n", ": ping\r\n"},
		{"blank lines", "", "\r\n"},
		{"names", "", "event: a\n\n"},
	} {
		for _, piece := range []int{0, 1, 1000} {
			t.Run(fmt.Sprint(c.name, " by ", piece), func(t *testing.T) {
				t.Parallel()
				g := &gauge{src: strings.NewReader(c.before + strings.Repeat(c.many, 100_000) + "data: 2\n\n"), piece: piece}
				got := readAll(sse.NewReader(g, plenty))
				require.Equal(t, io.EOF, got.err)
				require.Len(t, got.events, 1)
				require.True(t, strings.HasSuffix(got.events[0].data, "2"))
				require.LessOrEqual(t, g.most, 4<<10)
			})
		}
	}
}

// No stream makes the reader take more than the limit, and what goes beyond it is not read to its end.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	for _, c := range []struct{ name, head, more string }{
		{"a line", "", "data: xxxxx "},
		{"a comment", "", ": xxxxx "},
		{"data lines", "", "data: xxxxx\n"},
		{"empty data lines", "", "data\n"},
		{"names", "", "event: a\r"},
		{"other fields", "", "id: 7\r\n"},
		{"a line in an event", "data: " + strings.Repeat("x", limit/2) + "\n", "data"},
		{"a comment in an event", "data: " + strings.Repeat("x", limit/2) + "\n", ": xxxx "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src := strings.NewReader(c.head + strings.Repeat(c.more, 3*limit/len(c.more)))
			g := &gauge{src: src}
			_, err := sse.NewReader(g, limit).Next()
			require.Equal(t, &sse.TooLargeError{Limit: limit}, err)
			require.LessOrEqual(t, g.most, limit+4<<10)
			require.Greater(t, src.Len(), limit/2)
		})
	}
}
