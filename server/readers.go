package server

import (
	"context"
	"io"
)

// A contextReader reads until its context ends.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// A limitedReader fails with an error behind a number of bytes.
type limitedReader struct {
	io.Reader
	left    int64
	tooMany error
}

func (r *limitedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, r.tooMany
	}
	return n, err
}

// A sizedReader says how much there is likely to be read.
type sizedReader struct {
	io.Reader
	size int
}

func (r sizedReader) Len() int { return r.size }
