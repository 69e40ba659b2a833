package provider_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// An answer that is whole may come to its end, which is behind its last event: only then can its connection serve another.
func TestCloseAwaitsTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan bool, 1)
		s, err := post(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "data: {\"type\":\"response.completed\"}\n\n")
			select {
			case <-time.After(10 * time.Millisecond):
				ended <- true
			case <-r.Context().Done():
				ended <- false
			}
		})
		require.NoError(t, err)
		_, err = s.Next()
		require.NoError(t, err)
		require.NoError(t, s.Close())
		assert.True(t, <-ended, "the connection was closed")
	})
}

// A provider that does not come to an end keeps nobody waiting for long, and not at all if the run has ended.
func TestCloseDoesNotWait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		endless  bool // the provider goes on writing
		canceled bool
		most     time.Duration
	}{
		{"silent", false, false, 50 * time.Millisecond},
		{"endless", true, false, 0},
		{"canceled", false, true, 0},
		{"canceled while it is written", true, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gone := make(chan struct{})
				client, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(
					func(w http.ResponseWriter, r *http.Request) {
						defer close(gone)
						_, err := io.WriteString(w, "data: [DONE]\n\n")
						for c.endless && err == nil {
							_, err = io.WriteString(w, "data: {}\n\n")
						}
						<-r.Context().Done()
					})))
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s, err := provider.Post(ctx, client, "/responses", nil)
				require.NoError(t, err)
				_, err = s.Next()
				require.Equal(t, io.EOF, err)
				if c.canceled {
					cancel()
				}
				begun := time.Now()
				require.NoError(t, s.Close())
				assert.Equal(t, c.most, time.Since(begun))
				<-gone // its connection is closed
			})
		})
	}
}
