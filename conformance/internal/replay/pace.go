package replay

import (
	"bytes"
	"context"
	"net/http/httptest"
)

// ahead is how many events the model may be ahead of the reader of a stream. The server puts text together that is read
// late, which was not recorded.
const ahead = 64

// pace waits until the reader of a stream has come near, and counts one more event that he is to read.
func (c *cast) pace(ctx context.Context) bool {
	return c.until(ctx, func() bool {
		if c.said-c.read >= ahead {
			return false
		}
		c.said++
		return true
	})
}

// A reader is who reads an answer, and tells the cast how far he is with a stream.
type reader struct {
	*httptest.ResponseRecorder
	cast *cast
}

// Flush is called when everything so far has been written.
func (r *reader) Flush() {
	r.ResponseRecorder.Flush()
	r.cast.mu.Lock()
	defer r.cast.mu.Unlock()
	r.cast.read = bytes.Count(r.Body.Bytes(), []byte("\n\n"))
	r.cast.changed.Broadcast()
}

// newReader begins to read another answer.
func (c *cast) newReader() *reader {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said, c.read = 0, 0
	return &reader{httptest.NewRecorder(), c}
}
