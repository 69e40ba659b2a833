package server_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Section 14 of docs/protocol.md names the function or table that decides
// each inferred behaviour; one that is renamed must be renamed there too. In
// the other direction, sections that comments refer to must exist.
func TestProtocolDocument(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../docs/protocol.md")
	require.NoError(t, err)
	var files []string
	for _, pattern := range []string{"*.go", "responses/*.go", "chat/*.go"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	var source strings.Builder
	for _, name := range files {
		if !strings.HasSuffix(name, "_test.go") {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			source.Write(text)
		}
	}

	_, inferred, found := strings.Cut(string(document), "\n## 14. What is inferred\n")
	require.True(t, found)
	inferred, _, _ = strings.Cut(inferred, "\n## ")
	var names [][]string
	for row := range strings.Lines(inferred) {
		columns := strings.Split(row, "|")
		names = append(names, regexp.MustCompile("`([A-Za-z.]+)`").FindAllStringSubmatch(columns[max(len(columns)-2, 0)], -1)...)
	}
	require.NotEmpty(t, names)
	for _, name := range names {
		declaration := `\n(func |var |const |\t)` + name[1] + `\b`
		if receiver, method, ok := strings.Cut(name[1], "."); ok {
			declaration = `\nfunc \((\w+ )?\*?` + receiver + `\) ` + method + `\(`
		}
		assert.Regexp(t, declaration, source.String())
	}

	prose := strings.ReplaceAll(source.String(), "\n// ", " ")
	for _, reference := range regexp.MustCompile(`[Ss]ection ([0-9.]*[0-9])( |\) )of docs/protocol.md`).FindAllStringSubmatch(prose, -1) {
		assert.Regexp(t, `\n#+ `+regexp.QuoteMeta(reference[1])+`\.? `, string(document))
	}
}
