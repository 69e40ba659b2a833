package conformance

import (
	"fmt"
	"os"
	"sync"
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

// folder returns the folder that an environment variable names, and skips the test if it names none.
func folder(t *testing.T, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		t.Skipf("%s is not set: nothing to compare with", variable)
	}
	return value
}
