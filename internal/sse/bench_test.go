package sse_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/internal/sse"
)

// deltas is a stream of n events of some 180 bytes each, as the words of a model come.
func deltas(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "event: thread.message.delta\ndata: {\"id\":\"msg_abc123\",\"object\":\"thread.message.delta\","+
			"\"delta\":{\"content\":[{\"index\":0,\"type\":\"text\",\"text\":{\"value\":\" word%04d\"}}]}}\n\n", i)
	}
	return b.Bytes()
}

func BenchmarkReader(b *testing.B) {
	lf := deltas(1000)
	for _, c := range []struct {
		name   string
		stream []byte
	}{
		{"LF", lf},
		{"CRLF", bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))},
		{"CR", bytes.ReplaceAll(lf, []byte("\n"), []byte("\r"))},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.stream)))
			for b.Loop() {
				r := sse.NewReader(bytes.NewReader(c.stream), plenty)
				events := 0
				_, err := r.Next()
				for ; err == nil; _, err = r.Next() {
					events++
				}
				require.Equal(b, io.EOF, err)
				require.Equal(b, 1000, events)
			}
		})
	}
}

// BenchmarkReadSlice is what to compare with: a loop that knows this stream, with its one line end and one data line.
func BenchmarkReadSlice(b *testing.B) {
	stream := deltas(1000)
	b.ReportAllocs()
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		r := bufio.NewReader(bytes.NewReader(stream))
		var name, data []byte
		events := 0
		line, err := r.ReadSlice('\n')
		for ; err == nil; line, err = r.ReadSlice('\n') {
			field, value, _ := bytes.Cut(line[:len(line)-1], []byte(": "))
			switch string(field) {
			case "event":
				name = append(name[:0], value...)
			case "data":
				data = append(data[:0], value...)
			case "":
				events++
			}
		}
		require.Equal(b, io.EOF, err)
		require.Equal(b, 1000, events)
		require.NotEmpty(b, name)
		require.NotEmpty(b, data)
	}
}

func BenchmarkWriter(b *testing.B) {
	data := []byte(strings.Repeat("x", 180))
	w := sse.NewWriter(io.Discard)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Event("thread.message.delta", data); err != nil {
			b.Fatal(err)
		}
	}
}
