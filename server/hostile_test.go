package server_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/server"
)

func FuzzCreateAssistant(f *testing.F) {
	for _, seed := range []string{
		`{"model":"m"}`, ``, `{}`, `[]`, `{"model":"m","tools":[{"type":"file_search","file_search":{"max_num_results":1}}]}`,
		`{"model":"m","tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"properties":{"a":{"items":{}}},"anyOf":[{}]}}}]}`,
		`{"model":"m","tool_resources":{"file_search":{"vector_stores":[{"file_ids":["a"],"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":800,"chunk_overlap_tokens":400}},"metadata":{}}]}}}`,
		`{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":["object"]}}}}`,
		`{"model":"\ud800\u0000","metadata":{"\"":"\\","\"":"x"},"temperature":1e-400,"top_p":-0}`,
		"{\"model\":\"\xff\"}", `{"a":1,"a":{"b":[{}]}}`, `{"model":"m","tools":[[[[[[`, `{"model":"m"}}`,
	} {
		f.Add([]byte(seed))
	}
	s := server.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		a := &api{t: t, handler: s}
		got := a.do("POST", "/v1/assistants", string(body))
		assert.True(t, json.Valid([]byte(got.body)), got.body)
		assert.True(t, utf8.ValidString(got.body))
		switch got.status {
		case 200:
			// What is answered is valid as a request too, and changes nothing.
			id := field[string](t, got.body, "id")
			again := a.do("POST", "/v1/assistants/"+id, `{"name":null}`)
			assert.Equal(t, 200, again.status)
			assert.Equal(t, 200, a.do("DELETE", "/v1/assistants/"+id, "").status)
		case 400, 404: // it may name files that are not there
			assert.Equal(t, requestError, *field[map[string]*string](t, got.body, "error")["type"])
		default:
			t.Errorf("status %d: %s", got.status, got.body)
		}
	})
}

// Bodies that are small on the wire must not take long, or much memory, to
// refuse; a wrong complexity makes this test hang.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const size = 1 << 20
	for name, body := range map[string]string{
		"many keys":     `{` + strings.Repeat(`"a":1,`, size/6) + `"b":1}`,
		"many labels":   `{"model":"m","metadata":{` + pairs(size/12) + `}}`,
		"many items":    `{"model":"m","tools":[` + strings.Repeat(`{},`, size/3) + `{}]}`,
		"many numbers":  `{"model":"m","tools":` + strings.Repeat("1", size) + `}`,
		"deep":          `{"model":"m","tools":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`,
		"open brackets": strings.Repeat(`{"a":`, size/5),
		"strict":        `{"model":"m","tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"anyOf":[` + strings.Repeat(`{},`, 300_000) + `{"type":"object"}]}}}]}`,
		"long value":    `{"model":"m","reasoning_effort":"` + strings.Repeat("\u2028", size/3) + `"}`,
	} {
		got := a.do("POST", "/v1/assistants", body)
		assert.Equal(t, 400, got.status, name)
		assert.Less(t, len(got.body), 4096, name)
		assert.True(t, json.Valid([]byte(got.body)), name)
	}
}

func TestOddRequests(t *testing.T) {
	t.Parallel()
	s := server.New()
	for _, tc := range []struct {
		request http.Request
		status  int
	}{
		{http.Request{Method: "OPTIONS", URL: &url.URL{Path: "*"}}, 404},
		{http.Request{Method: "CONNECT", URL: &url.URL{}}, 404},
		{http.Request{Method: "", URL: &url.URL{Path: "/v1/assistants"}}, 405},
		{http.Request{Method: "\xff\x00", URL: &url.URL{Path: "/v1/assistants"}}, 405},
		{http.Request{Method: "HEAD", URL: &url.URL{Path: "/v1/assistants/"}}, 307},
		{http.Request{Method: "DELETE", URL: &url.URL{Path: "//"}}, 404},
		{http.Request{Method: "GET", URL: &url.URL{Path: "/openai"}}, 404},
		{http.Request{Method: "GET", URL: &url.URL{Path: "/openai/v1"}}, 404},
		{http.Request{Method: "POST", URL: &url.URL{Path: "/openai/assistants"}}, 400},
		{http.Request{Method: "POST", URL: &url.URL{Path: "/openai/assistants"}, Body: brokenBody{}}, 400},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, &tc.request)
		assert.Equal(t, tc.status, w.Code, "%s %s", tc.request.Method, tc.request.URL)
		assert.True(t, w.Body.Len() == 0 || json.Valid(w.Body.Bytes()), w.Body.String())
	}
}

type brokenBody struct{ io.Closer }

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("connection lost") }
