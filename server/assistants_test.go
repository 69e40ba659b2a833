package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

func TestCreateFillsInDefaults(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.do("POST", "/v1/assistants", `{"model":"gpt-4o"}`)
	want := `{"id":"asst_1","object":"assistant","created_at":1700000000,"name":null,"description":null,"model":"gpt-4o",` +
		`"instructions":null,"tools":[],"top_p":1.0,"temperature":1.0,"reasoning_effort":null,"tool_resources":{},"metadata":{},` +
		`"response_format":"auto"}`
	assert.Equal(t, 200, got.status)
	assert.Equal(t, want, got.body)
	assert.Equal(t, want, a.do("GET", "/v1/assistants/asst_1", "").body)

	nulls := a.do("POST", "/v1/assistants", `{"name":null,"description":null,"instructions":null,"reasoning_effort":null,`+
		`"tool_resources":null,"metadata":null,"temperature":null,"top_p":null,"response_format":null,"model":"gpt-4o"}`)
	assert.Equal(t, strings.Replace(want, "asst_1", "asst_2", 1), nulls.body)
}

func TestCreateKeepsEverything(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.do("POST", "/v1/assistants", ` { "response_format" : {"json_schema":{"schema":{"b":1,"a":[1.50,1E3,{"a":1,"a":2}]},`+
		`"strict":false,"name":"s","description":"d"},"type":"json_schema"}, "metadata":{"z":"1","a":"\u0000\u2028<&>","z":"2"},`+
		`"top_p":0.1, "temperature":0.00001, "reasoning_effort":"low", "instructions":"it's \"so\" \ud83d\ude00 \ud800", "description":"d", "name":"", "model":"x",`+
		`"model":"m" } `)
	require.Equal(t, 200, got.status, got.body)
	assert.Equal(t, `{"id":"asst_1","object":"assistant","created_at":1700000000,"name":"","description":"d","model":"m",`+
		`"instructions":"it's \"so\" 😀 �","tools":[],"top_p":0.1,"temperature":1e-05,"reasoning_effort":"low","tool_resources":{},`+
		`"metadata":{"z":"2","a":"\u0000\u2028<&>"},"response_format":{"type":"json_schema","json_schema":{"name":"s","description":"d",`+
		`"schema":{"b":1,"a":[1.50,1E3,{"a":1,"a":2}]},"strict":false}}}`, got.body)
}

func TestNormalisation(t *testing.T) {
	t.Parallel()
	const ranking = `"ranking_options":{"ranker":"default_2024_08_21","score_threshold":0.0,"hybrid_search":null}`
	for _, tc := range []struct{ key, given, answered, resources string }{
		{"tools", `[{"type":"code_interpreter"}]`, `[{"type":"code_interpreter"}]`, `{"code_interpreter":{"file_ids":[]}}`},
		{"tools", `[{"type":"file_search"}]`, `[{"type":"file_search","file_search":{` + ranking + `}}]`, `{"file_search":{"vector_store_ids":[]}}`},
		{"tools", `[{"type":"file_search","file_search":{}}]`, `[{"type":"file_search","file_search":{` + ranking + `}}]`, `{"file_search":{"vector_store_ids":[]}}`},
		{"tools", `[{"file_search":{"max_num_results":2},"type":"file_search"}]`,
			`[{"type":"file_search","file_search":{"max_num_results":2,` + ranking + `}}]`, `{"file_search":{"vector_store_ids":[]}}`},
		{"tools", `[{"type":"file_search","file_search":{"ranking_options":{"score_threshold":1,"ranker":"auto","hybrid_search":{"text_weight":1,"embedding_weight":0.5}}}}]`,
			`[{"type":"file_search","file_search":{"ranking_options":{"ranker":"auto","score_threshold":1.0,"hybrid_search":{"embedding_weight":0.5,"text_weight":1.0}}}}]`,
			`{"file_search":{"vector_store_ids":[]}}`},
		{"tools", `[{"type":"function","function":{"name":"f"}}]`,
			`[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}},"strict":false}}]`, `{}`},
		{"tools", `[{"type":"function","function":{"strict":null,"parameters":{"z":1, "a":2},"description":"d","name":"f"}}]`,
			`[{"type":"function","function":{"name":"f","description":"d","parameters":{"z":1,"a":2},"strict":false}}]`, `{}`},
		{"tools", `[{"type":"file_search"},{"type":"code_interpreter"},{"type":"code_interpreter"}]`,
			`[{"type":"file_search","file_search":{` + ranking + `}},{"type":"code_interpreter"},{"type":"code_interpreter"}]`,
			`{"code_interpreter":{"file_ids":[]},"file_search":{"vector_store_ids":[]}}`},
		{"temperature", `0`, `0.0`, `{}`},
		{"temperature", `-0.0`, `0.0`, `{}`},
		{"temperature", `2e0`, `2.0`, `{}`},
		{"top_p", `0.25`, `0.25`, `{}`},
		{"response_format", `"auto"`, `"auto"`, `{}`},
		{"response_format", `{"type":"text"}`, `{"type":"text"}`, `{}`},
		{"response_format", `{"type":"json_object"}`, `{"type":"json_object"}`, `{}`},
		{"tool_resources", `{}`, `{}`, `{}`},
		{"tool_resources", `{"file_search":{},"code_interpreter":{}}`, `{}`, `{}`},
		{"tool_resources", `{"file_search":{"vector_store_ids":["vs_1"]},"code_interpreter":{"file_ids":["file-1"]}}`,
			`{"code_interpreter":{"file_ids":["file-1"]},"file_search":{"vector_store_ids":["vs_1"]}}`,
			`{"code_interpreter":{"file_ids":["file-1"]},"file_search":{"vector_store_ids":["vs_1"]}}`},
	} {
		a := newAPI(t, server.WithStore(holding(t, "file-1", "vs_1")))
		got := a.do("POST", "/v1/assistants", `{"model":"m","`+tc.key+`":`+tc.given+`}`)
		assert.Equal(t, 200, got.status, got.body)
		assert.Equal(t, tc.answered, string(field[json.RawMessage](t, got.body, tc.key)), tc.given)
		assert.Equal(t, tc.resources, string(field[json.RawMessage](t, got.body, "tool_resources")), tc.given)

		modified := newAPI(t, server.WithStore(holding(t, "file-1", "vs_1")))
		id := modified.create(`{"model":"m"}`)
		again := modified.do("POST", "/v1/assistants/"+id, `{"`+tc.key+`":`+tc.given+`}`)
		assert.Equal(t, got.body, again.body, "modify must normalise as create does")
	}
}

func TestNullBringsBackTheDefault(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithStore(holding(t, "f")))
	fresh := a.do("POST", "/v1/assistants", `{"model":"m"}`).body
	id := a.create(`{"model":"m","name":"n","description":"d","instructions":"i","reasoning_effort":"low","metadata":{"k":"v"},` +
		`"temperature":0.5,"top_p":0.5,"response_format":{"type":"text"},"tool_resources":{"code_interpreter":{"file_ids":["f"]}}}`)
	got := a.do("POST", "/v1/assistants/"+id, `{"name":null,"description":null,"instructions":null,"reasoning_effort":null,"metadata":null,`+
		`"temperature":null,"top_p":null,"response_format":null,"tool_resources":null}`)
	assert.Equal(t, strings.Replace(fresh, "asst_1", id, 1), got.body)
}

func TestModifyMerges(t *testing.T) {
	t.Parallel()
	const ci = `{"type":"code_interpreter"}`
	for _, tc := range []struct{ name, before, change, key, want string }{
		{"leave", `"name":"n"`, `{"description":"d"}`, "name", `"n"`},
		{"set", `"name":"n"`, `{"name":"o"}`, "name", `"o"`},
		{"null", `"name":"n"`, `{"name":null}`, "name", `null`},
		{"nothing", `"temperature":0.5`, ``, "temperature", `0.5`},
		{"null number", `"temperature":0.5`, `{"temperature":null}`, "temperature", `1.0`},
		{"null format", `"response_format":{"type":"text"}`, `{"response_format":null}`, "response_format", `"auto"`},
		{"null effort", `"reasoning_effort":"low"`, `{"reasoning_effort":null}`, "reasoning_effort", `null`},
		{"null metadata", `"metadata":{"a":"1"}`, `{"metadata":null}`, "metadata", `{}`},
		{"metadata is replaced", `"metadata":{"a":"1"}`, `{"metadata":{"b":"2"}}`, "metadata", `{"b":"2"}`},
		{"tools are replaced", `"tools":[` + ci + `]`, `{"tools":[]}`, "tools", `[]`},
		{"tools go, empty resources go", `"tools":[` + ci + `]`, `{"tools":[]}`, "tool_resources", `{}`},
		{"tools go, files stay", `"tools":[` + ci + `],"tool_resources":{"code_interpreter":{"file_ids":["f"]}}`, `{"tools":[]}`,
			"tool_resources", `{"code_interpreter":{"file_ids":["f"]}}`},
		{"tools come", `"name":"n"`, `{"tools":[` + ci + `]}`, "tool_resources", `{"code_interpreter":{"file_ids":[]}}`},
		{"resources of one tool", `"tool_resources":{"code_interpreter":{"file_ids":["f"]},"file_search":{"vector_store_ids":["vs_1"]}}`,
			`{"tool_resources":{"file_search":{"vector_store_ids":["vs_2"]}}}`, "tool_resources",
			`{"code_interpreter":{"file_ids":["f"]},"file_search":{"vector_store_ids":["vs_2"]}}`},
		{"resources of no tool", `"tool_resources":{"code_interpreter":{"file_ids":["f"]}}`, `{"tool_resources":{}}`, "tool_resources",
			`{"code_interpreter":{"file_ids":["f"]}}`},
		{"null resources", `"tools":[` + ci + `],"tool_resources":{"code_interpreter":{"file_ids":["f"]}}`, `{"tool_resources":null}`,
			"tool_resources", `{"code_interpreter":{"file_ids":[]}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, server.WithStore(holding(t, "f", "vs_1", "vs_2")))
			id := a.create(`{"model":"m",` + tc.before + `}`)
			a.clock.move(time.Hour)
			got := a.do("POST", "/v1/assistants/"+id, tc.change)
			require.Equal(t, 200, got.status, got.body)
			assert.Equal(t, tc.want, string(field[json.RawMessage](t, got.body, tc.key)))
			assert.EqualValues(t, epoch, field[int64](t, got.body, "created_at"))
			assert.Equal(t, got.body, a.do("GET", "/v1/assistants/"+id, "").body)
		})
	}
}

func TestRefusedModificationChangesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.create(`{"model":"m"}`)
	before := a.do("GET", "/v1/assistants/"+id, "").body
	assert.Equal(t, 400, a.do("POST", "/v1/assistants/"+id, `{"name":"n","temperature":3}`).status)
	assert.Equal(t, before, a.do("GET", "/v1/assistants/"+id, "").body)
}

func TestDelete(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.create(`{"model":"m"}`)
	got := a.do("DELETE", "/v1/assistants/"+id, "")
	assert.Equal(t, 200, got.status)
	assert.Equal(t, `{"id":"asst_1","object":"assistant.deleted","deleted":true}`, got.body)
	for _, method := range []string{"GET", "POST", "DELETE"} {
		assert.Equal(t, 404, a.do(method, "/v1/assistants/"+id, "").status)
	}
	assert.Equal(t, emptyList, a.do("GET", "/v1/assistants", "").body)
}

func TestVectorStoresHelper(t *testing.T) {
	t.Parallel()
	store := server.NewMemoryStore()
	a := newAPI(t, server.WithStore(store), server.WithExtractor(blocking()))
	a.uploads(3)
	got := a.do("POST", "/v1/assistants", `{"model":"m","tools":[{"type":"file_search"}],"tool_resources":{"file_search":{"vector_stores":`+
		`[{"file_ids":["file_2","file_1","file_2"],"metadata":{"k":"v"},"chunking_strategy":{"type":"auto"}}]}}}`)
	assert.Equal(t, `{"file_search":{"vector_store_ids":["vs_1"]}}`, string(field[json.RawMessage](t, got.body, "tool_resources")))
	made, err := store.Get(t.Context(), server.Collection{Kind: "vector_store"}, "vs_1")
	require.NoError(t, err)
	assert.Equal(t, `{"id":"vs_1","object":"vector_store","created_at":1700000000,"name":null,"description":null,"usage_bytes":0,`+
		`"file_counts":{"in_progress":2,"completed":0,"failed":0,"cancelled":0,"total":2},"status":"in_progress","expires_after":null,`+
		`"expires_at":null,"last_active_at":1700000000,"metadata":{"k":"v"}}`, string(made.Data))
	files, err := store.List(t.Context(), server.Collection{Kind: "vector_store.file", Parent: "vs_1"}, server.Query{Limit: 9, Order: server.Ascending})
	require.NoError(t, err)
	require.Len(t, files.Records, 2)
	assert.Equal(t, `{"id":"file_2","object":"vector_store.file","usage_bytes":0,"created_at":1700000000,"vector_store_id":"vs_1",`+
		`"status":"in_progress","last_error":null,"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":800,`+
		`"chunk_overlap_tokens":400}},"attributes":{}}`, string(files.Records[0].Data))

	a.create(`{"model":"m","tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file_3"],"chunking_strategy":` +
		`{"static":{"chunk_overlap_tokens":1,"max_chunk_size_tokens":100},"type":"static"}}]}}}`)
	file, err := store.Get(t.Context(), server.Collection{Kind: "vector_store.file", Parent: "vs_2"}, "file_3")
	require.NoError(t, err)
	assert.Contains(t, string(file.Data), `"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":100,"chunk_overlap_tokens":1}}`)

	for _, store := range []string{`{}`, `{"file_ids":[]}`, `{"metadata":{"k":"v"}}`} {
		invalidBody{body: `{"model":"m","tool_resources":{"file_search":{"vector_stores":[` + store + `]}}}`,
			message: "file_search tool configuration is invalid. file_ids must be non-empty"}.check(t, a, "/v1/assistants")
	}
}

// What was inserted before a failure is taken out again, though the caller has
// gone in the meantime.
func TestFailedInsertLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind string
		nth  int // the insertion of this kind that fails
	}{
		{"vector_store.file", 1}, {"vector_store.file", 3}, {"vector_store", 1}, {"assistant", 1},
	} {
		ctx, gone := context.WithCancel(t.Context())
		inserted, seen := []server.Collection{}, 0
		store := &hookStore{Store: server.NewMemoryStore()}
		a := newAPI(t, server.WithStore(store))
		a.uploads(3)
		store.insert = func(c server.Collection) error {
			if c.Kind != "due" { // where taking things out is written down too
				inserted = append(inserted, c)
			}
			if c.Kind == tc.kind {
				seen++
			}
			if seen == tc.nth {
				gone()
				return errors.New("no room")
			}
			return nil
		}
		r := httptest.NewRequestWithContext(ctx, "POST", "/openai/assistants", strings.NewReader(
			`{"model":"m","tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file_1","file_2","file_3"]}]}}}`))
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		assert.Equal(t, 500, w.Code)
		assert.Equal(t, tc.kind, inserted[len(inserted)-1].Kind)
		for _, c := range inserted {
			left, err := store.List(t.Context(), c, server.Query{Limit: 9})
			require.NoError(t, err)
			assert.Empty(t, left.Records, "%s %d left %s", tc.kind, tc.nth, c.Kind)
		}
		assert.Empty(t, dueIn(t, store))
	}
}

// What cannot be taken out again is at least logged.
func TestFailedUndoIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := &hookStore{Store: holding(t, "file-1"), delete: func() error { return errors.New("stuck") }}
	store.insert = func(c server.Collection) error {
		if c.Kind == "assistant" {
			return errors.New("no room")
		}
		return nil
	}
	a := newAPI(t, server.WithStore(store), server.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	assert.Equal(t, 500, a.do("POST", "/v1/assistants", helperStore(`"file_ids":["file-1"]`)).status)
	assert.Contains(t, log.String(), "no room")
	assert.Contains(t, log.String(), "stuck")
}

// An id that is taken belongs to somebody else, whose object must stay.
func TestTakenID(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithIDSource(func(prefix string) string { return prefix + "_same" }))
	a.create(`{"model":"m"}`)
	assert.Equal(t, 500, a.do("POST", "/v1/assistants", `{"model":"m"}`).status)
	assert.Equal(t, 200, a.do("GET", "/v1/assistants/asst_same", "").status)
}
