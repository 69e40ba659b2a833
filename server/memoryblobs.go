package server

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"sync"
)

// MemoryBlobs is a [Blobs] that keeps everything in memory and nothing longer than the process. A blob takes up as many
// bytes as it has, in pieces: a large one is never copied as a whole, and reading it copies nothing that is not read.
type MemoryBlobs struct {
	mu    sync.RWMutex
	blobs map[string][][]byte
}

var _ Blobs = (*MemoryBlobs)(nil)

// NewMemoryBlobs returns a MemoryBlobs with nothing in it.
func NewMemoryBlobs() *MemoryBlobs {
	return &MemoryBlobs{blobs: make(map[string][][]byte)}
}

// Pieces of a blob are small at first and then large: there are small blobs, and many pieces cost time.
const (
	smallestPiece = 4 << 10
	largestPiece  = 1 << 20
)

// Put keeps everything that content has under an id; see [Blobs].
func (m *MemoryBlobs) Put(ctx context.Context, id string, content io.Reader) (size int64, err error) {
	if m.has(id) {
		return 0, ErrExists // before anything is read
	}
	var pieces [][]byte
	for room := smallestPiece; err == nil; room = min(2*room, largestPiece) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		piece, n := make([]byte, room), 0
		n, err = fill(piece, content)
		if n < room {
			piece = bytes.Clone(piece[:n]) // the last one, which shall take no more room than it needs
		}
		if n > 0 {
			pieces = append(pieces, piece)
		}
		size += int64(n)
	}
	if err != io.EOF {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.blobs[id]; taken {
		return 0, ErrExists
	}
	m.blobs[id] = pieces
	return size, nil
}

// fill reads until the piece is full. Unlike [io.ReadFull] it leaves the reader's error alone: content that was cut
// off is not content that has ended.
func fill(piece []byte, from io.Reader) (n int, err error) {
	for n < len(piece) && err == nil {
		var more int
		more, err = from.Read(piece[n:])
		n += more
	}
	return n, err
}

func (m *MemoryBlobs) has(id string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, taken := m.blobs[id]
	return taken
}

// Open returns a reader of a blob, or [ErrNotFound].
func (m *MemoryBlobs) Open(_ context.Context, id string) (io.ReadCloser, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	pieces, found := m.blobs[id]
	if !found {
		return nil, ErrNotFound
	}
	return &pieceReader{pieces: pieces}, nil
}

// Delete removes a blob, or returns [ErrNotFound]. Its memory is free when the last of its readers is.
func (m *MemoryBlobs) Delete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, found := m.blobs[id]; !found {
		return ErrNotFound
	}
	delete(m.blobs, id)
	return nil
}

// pieceReader reads one piece behind the other. The pieces are shared and never written to.
type pieceReader struct {
	pieces [][]byte
	at     int // in the first piece
	closed bool
}

func (r *pieceReader) Read(p []byte) (int, error) {
	switch {
	case r.closed:
		return 0, fs.ErrClosed
	case len(p) == 0:
		return 0, nil
	case len(r.pieces) == 0:
		return 0, io.EOF
	}
	n := copy(p, r.pieces[0][r.at:])
	if r.at += n; r.at == len(r.pieces[0]) {
		r.pieces, r.at = r.pieces[1:], 0
	}
	return n, nil
}

func (r *pieceReader) Close() error {
	r.closed, r.pieces = true, nil
	return nil
}
