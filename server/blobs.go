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
//
// For one that works over a network:
//
//   - Put is called once for an id, with content that can be read once. So the server does not repeat it, and whoever
//     tries again on the way has kept what was read. After an error the server deletes the blob, should some of it be
//     there.
//   - The context of Put ends when nobody waits for the answer any more. Content comes as fast as the caller sends it,
//     which may take hours.
//   - The context of Open does not end before the reader is closed, unless nobody wants the content any more. So a
//     reader need not outlive it, and a Read that waits for the network returns when it ends. A reader has one user at
//     a time.
//   - The context of Delete does not end with the request, and has a deadline only where the server tidies up, of a few
//     seconds. Delete may be called for a blob that it has removed before: after an error the server tries again until
//     it succeeds, or returns [ErrNotFound].
type Blobs interface {
	// Put keeps everything that content has under an id, and returns how many bytes that is. An error of content is
	// returned as it is, or wrapped. An id that is taken is [ErrExists], and its blob stays as it is.
	Put(ctx context.Context, id string, content io.Reader) (size int64, err error)

	// Open returns a reader of a blob, from its beginning, or [ErrNotFound]. The caller closes it.
	Open(ctx context.Context, id string) (io.ReadCloser, error)

	// Delete removes a blob, or returns [ErrNotFound].
	Delete(ctx context.Context, id string) error
}
