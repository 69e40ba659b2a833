package assistants_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An id is one element of the path, whatever is in it, or it is refused.
func TestIDs(t *testing.T) {
	t.Parallel()
	for id, path := range map[string]string{
		"asst_1":    "/v1/assistants/asst_1",
		"a/b":       "/v1/assistants/a%2Fb",
		"../x":      "/v1/assistants/..%2Fx",
		"a?b=c#d":   "/v1/assistants/a%3Fb=c%23d",
		"a b\n\x00": "/v1/assistants/a%20b%0A%00",
		"%2e%2e":    "/v1/assistants/%252e%252e",
		"…":         "/v1/assistants/%E2%80%A6",
		"...":       "/v1/assistants/...",
		"":          "",
		".":         "",
		"..":        "",
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, assistantJSON))
			_, err := newClient(t, tr).Assistants.Retrieve(t.Context(), id)
			if path == "" {
				require.ErrorContains(t, err, "GET /assistants: ")
				assert.Empty(t, tr.requests())
				return
			}
			require.NoError(t, err)
			assert.Equal(t, path, tr.last().URL.EscapedPath())
			assert.Empty(t, tr.last().URL.RawQuery)
		})
	}
}

func FuzzID(f *testing.F) {
	for _, id := range []string{"asst_1", "", ".", "..", "a/../b", "a?b", "%2e", "\x00", "\xff", "a\r\nHost: b"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		tr := newTransport(t, answer(200, assistantJSON))
		_, err := newClient(t, tr).Assistants.Retrieve(t.Context(), id)
		if id == "" || id == "." || id == ".." {
			require.Error(t, err)
			require.Empty(t, tr.requests())
			return
		}
		require.NoError(t, err)
		u := tr.last().URL
		last, ok := strings.CutPrefix(u.EscapedPath(), "/v1/assistants/")
		require.True(t, ok, u)
		require.NotContains(t, last, "/")
		back, err := url.PathUnescape(last)
		require.NoError(t, err)
		require.Equal(t, id, back)
		require.Equal(t, "host.example", u.Host)
		require.Empty(t, u.RawQuery+u.Fragment)
	})
}
