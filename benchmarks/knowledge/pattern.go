package main

import (
	"bytes"
	"fmt"
	"io"
)

// patternLength is odd, so that it fits into no buffer.
const patternLength = 1<<18 + 1

// A pattern is a large file that is nowhere: some bytes that repeat. What it gives costs a copy.
type pattern struct{ bytes []byte }

func newPattern() pattern {
	return pattern{bytes.Repeat([]byte("All that is in here is a line of text.\n"), patternLength/39+1)[:patternLength]}
}

func (p pattern) ReadAt(b []byte, offset int64) (n int, err error) {
	at := int(offset % patternLength)
	for n < len(b) {
		n += copy(b[n:], p.bytes[at:])
		at = 0
	}
	return n, nil
}

// file returns a reader that can do what that of a file can.
func (p pattern) file(size int64) *io.SectionReader { return io.NewSectionReader(p, 0, size) }

// stream returns a reader that can do nothing but read.
func (p pattern) stream(size int64) io.Reader { return struct{ io.Reader }{p.file(size)} }

// A counter counts the bytes that are written to it, a buffer of io.Copy at a time.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// copied reads a reader to its end, which is to be after so many bytes.
func copied(r io.Reader, size int64) error {
	var c counter
	if _, err := io.Copy(&c, r); err != nil {
		return err
	}
	return whole(c.n, size)
}

func whole(got, want int64) error {
	if got != want {
		return fmt.Errorf("%d bytes of %d have arrived", got, want)
	}
	return nil
}
