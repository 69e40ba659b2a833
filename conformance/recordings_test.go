package conformance

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/conformance/internal/recording"
	"github.com/assistants-go/assistants/conformance/internal/replay"
)

// TestRecordings replays all recorded exchanges. "go run ./replay" is the same without the testing package.
func TestRecordings(t *testing.T) {
	files, err := recording.ReadFolder(folder(t, recording.FolderVariable))
	require.NoError(t, err)
	var mu sync.Mutex
	var total replay.Counts
	t.Run("files", func(t *testing.T) {
		for _, f := range files {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				counts, failures := replay.File(f)
				for _, failure := range failures {
					t.Errorf("%v", failure)
				}
				mu.Lock()
				defer mu.Unlock()
				total.Add(counts)
			})
		}
	})
	fmt.Println(total)
	assert.True(t, total.Compared(), "no exchange was compared")
}

// TestRuns replays all recorded runs from their creation to their end.
func TestRuns(t *testing.T) {
	files, err := recording.ReadFolder(folder(t, recording.FolderVariable))
	require.NoError(t, err)
	var total atomic.Int64
	t.Run("files", func(t *testing.T) {
		for _, f := range files {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				followed, failures := replay.Runs(f)
				for _, failure := range failures {
					t.Errorf("%v", failure)
				}
				total.Add(int64(followed))
			})
		}
	})
	assert.NotZero(t, total.Load(), "no run was followed")
	t.Logf("%d runs", total.Load())
}

// TestBrokenStreams cuts every recorded stream off, in the middle and before its last event. The client must tell what
// came and then that the rest is missing.
func TestBrokenStreams(t *testing.T) {
	t.Parallel()
	files, err := recording.ReadFolder(folder(t, recording.FolderVariable))
	require.NoError(t, err)
	streams := 0
	for _, f := range files {
		for _, e := range f.Exchanges {
			if !e.Streamed() {
				continue
			}
			events := strings.SplitAfter(strings.TrimSuffix(e.ResponseText, "\n\n"), "\n\n")
			for _, n := range []int{1, len(events) / 2, len(events) - 1} {
				cut := *e
				cut.ResponseText = strings.Join(events[:n], "")
				counts, failures := replay.Client(recording.File{Name: f.Name, Exchanges: []*recording.Exchange{&cut}})
				for _, failure := range failures {
					t.Errorf("after %d events: %v", n, failure)
				}
				streams += counts.Streams
			}
		}
	}
	assert.NotZero(t, streams, "no stream was cut off")
}

// TestUnsupported wants what is not replayed to be what the module does not have.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	files, err := recording.ReadFolder(folder(t, recording.FolderVariable))
	require.NoError(t, err)
	for _, f := range files {
		for _, e := range f.Exchanges {
			if op, _ := replay.Find(e.Method, e.Path); op == nil {
				assert.Regexp(t, unsupported, e.Path, "%s: %v", f.Name, e)
			}
		}
	}
}

// unsupported are the addresses of files, uploads and vector stores, and in v1 of an assistant's and a message's files.
var unsupported = regexp.MustCompile(`^/v1/((files|uploads|vector_stores)(/|$)|(assistants|threads/[^/]+/messages)/[^/]+/files(/|$))`)

// folder returns the folder that an environment variable names, and skips the test if it names none.
func folder(t *testing.T, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		t.Skipf("%s is not set: nothing to compare with", variable)
	}
	return value
}
