package server

import (
	"context"
	"io"
)

// Blobs keeps the contents of files, which are too large for a [Store]. [MemoryBlobs] and [DirectoryBlobs] are there;
// [WithBlobs] plugs one in.
//
// The contract, which the server relies on:
//
//   - Methods are safe for concurrent use.
//   - What Put has reported as done is whole, and every later Open finds it; after an error of Put nothing is there.
//   - A blob that is being read stays readable until its reader is closed, though it is deleted meanwhile.
//   - An id may hold any character. It names a blob and nothing else: no path.
type Blobs interface {
	// Put keeps everything that content has under an id, and returns how many bytes that is. An error of content is
	// returned as it is, or wrapped. An id that is taken is [ErrExists].
	Put(ctx context.Context, id string, content io.Reader) (size int64, err error)

	// Open returns a reader of a blob, from its beginning, or [ErrNotFound]. The caller closes it.
	Open(ctx context.Context, id string) (io.ReadCloser, error)

	// Delete removes a blob, or returns [ErrNotFound].
	Delete(ctx context.Context, id string) error
}
