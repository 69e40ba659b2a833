package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

func TestExitStatus(t *testing.T) {
	const deleted = `{"scenario":"s","beta":"v2","method":"DELETE","path":"/v1/assistants/asst_1",` +
		`"request_headers":{"openai-beta":"assistants=v2"},"status":200,"response_text":`
	for name, c := range map[string]struct {
		recorded string
		want     int
	}{
		"equal":               {deleted + `"{\"id\":\"asst_1\",\"object\":\"assistant.deleted\",\"deleted\":true}"}`, 0},
		"different":           {deleted + `"{\"id\":\"asst_2\",\"object\":\"assistant.deleted\",\"deleted\":true}"}`, 1},
		"nothing supported":   {`{"scenario":"s","method":"GET","path":"/v1/engines","status":200,"response_text":"{}"}`, 2},
		"no exchange at all":  {``, 2},
		"no form of recorded": {`[`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(folder, "a.jsonl"), []byte(c.recorded), 0o600))
			t.Setenv(recording.FolderVariable, folder)
			assert.Equal(t, c.want, run())
		})
	}
	t.Run("no folder", func(t *testing.T) {
		t.Setenv(recording.FolderVariable, "")
		assert.Equal(t, 2, run())
	})
}
