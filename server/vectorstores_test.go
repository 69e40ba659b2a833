package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

const (
	stores     = "/v1/vector_stores"
	day        = 24 * time.Hour
	autoChunks = `{"type":"static","static":{"max_chunk_size_tokens":800,"chunk_overlap_tokens":400}}`
)

// storeSeen is what tests look at of a vector store or a batch.
type storeSeen struct {
	ID           string
	Status       string
	UsageBytes   int  `json:"usage_bytes"`
	ExpiresAt    *int `json:"expires_at"`
	LastActiveAt int  `json:"last_active_at"`
	FileCounts   struct {
		InProgress int `json:"in_progress"`
		Completed  int
		Failed     int
		Cancelled  int
		Total      int
	} `json:"file_counts"`
}

// counts are in progress, completed, failed, cancelled, total.
func (s storeSeen) counts() [5]int {
	c := s.FileCounts
	return [5]int{c.InProgress, c.Completed, c.Failed, c.Cancelled, c.Total}
}

// storeFileSeen is what tests look at of a file in a vector store.
type storeFileSeen struct {
	ID         string
	Status     string
	UsageBytes int        `json:"usage_bytes"`
	LastError  *errorSeen `json:"last_error"`
	Attributes json.RawMessage
	Chunking   json.RawMessage `json:"chunking_strategy"`
}

// newStore makes a vector store of these files and returns its address.
func (a *api) newStore(files ...string) string {
	a.t.Helper()
	return stores + "/" + a.made(stores, `{"file_ids":`+list(files...)+`}`)
}

// list is an array of strings.
func list(all ...string) string {
	quotedAll := make([]string, len(all))
	for i, s := range all {
		quotedAll[i] = quoted(s)
	}
	return "[" + strings.Join(quotedAll, ",") + "]"
}

func (a *api) seeStore(store string) storeSeen {
	a.t.Helper()
	return decoded[storeSeen](a.t, a.ok("GET", store, ""))
}

func (a *api) seeFile(store, file string) storeFileSeen {
	a.t.Helper()
	return decoded[storeFileSeen](a.t, a.ok("GET", store+"/files/"+file, ""))
}

func noSuch(kind, id string) string {
	return envelope("No "+kind+" found with id '"+id+"'.", requestError, "", "")
}

// storeDocument is a vector store as it is answered, with some of its keys.
func storeDocument(id, name, description, counts, status, expiresAfter, expiresAt, labels string) string {
	return `{"id":"` + id + `","object":"vector_store","created_at":1700000000,"name":` + name + `,"description":` + description +
		`,"usage_bytes":0,"file_counts":` + counts + `,"status":"` + status + `","expires_after":` + expiresAfter +
		`,"expires_at":` + expiresAt + `,"last_active_at":1700000000,"metadata":` + labels + `}`
}

const noFiles = `{"in_progress":0,"completed":0,"failed":0,"cancelled":0,"total":0}`

func TestCreateVectorStore(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithExtractor(blocking()))
	a.uploads(2)
	for i, test := range []struct{ given, want string }{
		{``, storeDocument("vs_1", "null", "null", noFiles, "completed", "null", "null", "{}")},
		{`{"name":null,"description":null,"file_ids":null,"expires_after":null,"chunking_strategy":null,"metadata":null}`,
			storeDocument("vs_2", "null", "null", noFiles, "completed", "null", "null", "{}")},
		{`{"name":"n","description":"d","metadata":{"k":"v"},"expires_after":{"days":7,"anchor":"last_active_at"},"file_ids":["file_1","file_2","file_1"]}`,
			storeDocument("vs_3", `"n"`, `"d"`, `{"in_progress":2,"completed":0,"failed":0,"cancelled":0,"total":2}`, "in_progress",
				`{"anchor":"last_active_at","days":7}`, "1700604800", `{"k":"v"}`)},
	} {
		got := a.ok("POST", stores, test.given)
		assert.Equal(t, test.want, got)
		assert.Equal(t, got, a.ok("GET", fmt.Sprintf("%s/vs_%d", stores, i+1), ""))
	}
	assert.Equal(t, []string{"vs_3", "vs_2", "vs_1"}, a.ids(stores))
	assert.Equal(t, []string{"vs_2"}, a.ids(stores+"?limit=1&after=vs_3"))
	assert.Equal(t, []string{"vs_2", "vs_3"}, a.ids(stores+"?order=asc&after=vs_1"))
	a.refuses("GET", stores+"?after=vs_9", "", 404, noSuch("vector store", "vs_9"))
}

func TestVectorStoreNeedsNoBetaHeader(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	require.Equal(t, 200, a.do("POST", stores, `{}`, "OpenAI-Beta:").status)
	require.Equal(t, 200, a.do("GET", "/openai/vector_stores?api-version=1", "", "OpenAI-Beta:").status)
}

func TestModifyVectorStore(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ok("POST", stores, `{"name":"n","metadata":{"k":"v"},"expires_after":{"anchor":"last_active_at","days":1}}`)
	a.clock.move(10 * time.Second)
	const store = stores + "/vs_1"
	for _, test := range []struct{ given, key, want string }{
		{`{}`, "name", `"n"`},
		{`{}`, "expires_at", "1700086410"}, // a change is a use
		{`{"name":null}`, "name", "null"},
		{`{"name":"m","expires_after":{"anchor":"last_active_at","days":2}}`, "name", `"m"`},
		{`{}`, "expires_at", "1700172810"},
		{`{"expires_after":null}`, "expires_at", "null"},
		{`{}`, "expires_after", "null"},
		{`{}`, "metadata", `{"k":"v"}`},
		{`{"metadata":null}`, "metadata", `{}`},
		{`{}`, "last_active_at", "1700000010"},
	} {
		got := a.ok("POST", store, test.given)
		assert.Equal(t, test.want, string(field[json.RawMessage](t, got, test.key)), test.given)
		assert.Equal(t, got, a.ok("GET", store, ""))
	}
	a.refuses("POST", stores+"/vs_2", `{}`, 404, noSuch("vector store", "vs_2"))
	unknownKey("description", `{"description":"x"}`).check(t, a, store)
}

func TestDeleteVectorStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory := server.NewMemoryStore()
		a := newAPI(t, server.WithStore(memory))
		a.uploads(3)
		a.newStore() // so that there is the collection of stores
		before := memory.Collections()
		store := a.newStore("file_1", "file_2")
		a.ok("POST", store+"/file_batches", `{"file_ids":["file_3"]}`)
		assistant := a.create(`{"model":"m","tools":[{"type":"file_search"}],"tool_resources":{"file_search":{"vector_store_ids":["vs_2"]}}}`)
		synctest.Wait()
		require.Equal(t, `{"id":"vs_2","object":"vector_store.deleted","deleted":true}`, a.ok("DELETE", store, ""))
		for _, target := range []string{store, store + "/files", store + "/files/file_1", store + "/file_batches/vsfb_1", store + "/files/file_1/content"} {
			a.refuses("GET", target, "", 404, noSuch("vector store", "vs_2"))
		}
		for target, body := range map[string]string{
			store + "/files": `{"file_id":"file_1"}`, store + "/file_batches": `{"file_ids":["file_1"]}`, store + "/search": `{"query":"x"}`,
		} {
			a.refuses("POST", target, body, 404, noSuch("vector store", "vs_2"))
		}
		a.refuses("DELETE", store, "", 404, noSuch("vector store", "vs_2"))
		assert.Contains(t, a.ok("GET", "/v1/assistants/"+assistant, ""), `{"vector_store_ids":["vs_2"]}`, "what names it stays")
		a.ok("GET", "/v1/files/file_1", "")
		a.ok("DELETE", "/v1/files/file_1", "")
		assert.LessOrEqual(t, memory.Collections(), before+3, "assistants and uses of files")
	})
}

// A store that has expired shows it, and takes no part in anything any more.
func TestExpiredVectorStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.uploads(2)
		store := stores + "/" + a.made(stores, `{"file_ids":["file_1"],"expires_after":{"anchor":"last_active_at","days":1}}`)
		synctest.Wait()
		a.clock.move(day - time.Second)
		assert.Equal(t, "completed", a.seeStore(store).Status)
		a.ok("POST", store+"/search", `{"query":"content"}`) // which is a use
		a.clock.move(day - time.Second)
		assert.Equal(t, "completed", a.seeStore(store).Status)
		a.clock.move(time.Second)
		assert.Equal(t, "expired", a.seeStore(store).Status)
		assert.Equal(t, "expired", field[[]storeSeen](t, a.ok("GET", stores, ""), "data")[0].Status)

		expired := envelope("Vector store 'vs_1' has expired", requestError, "", "")
		for target, body := range map[string]string{
			"":                `{"name":"x"}`,
			"/search":         `{"query":"x"}`,
			"/files":          `{"file_id":"file_2"}`,
			"/files/file_1":   `{"attributes":{}}`,
			"/file_batches":   `{"file_ids":["file_2"]}`,
			"/file_batches/x": "",
		} {
			if body != "" {
				a.refuses("POST", store+target, body, 400, expired)
			}
		}
		assert.Equal(t, []string{"file_1"}, a.ids(store+"/files"))
		a.ok("DELETE", store+"/files/file_1", "")
		a.ok("DELETE", store, "")
	})
}

func TestRefusedVectorStores(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ok("POST", stores, `{}`)
	static := func(sizes string) string { return `{"chunking_strategy":{"type":"static","static":{` + sizes + `}}}` }
	for _, test := range []invalidBody{
		unknownKey("files", `{"files":[]}`),
		wrongType("file_ids", "an array of strings", "a string").in(`{"file_ids":"file_1"}`),
		tooMany("file_ids", 500, 501, `{"file_ids":[`+items(501, `"f"`)+`]}`),
		empty("file_ids[0]", `{"file_ids":[""]}`),
		wrongType("name", "a string", "an integer").in(`{"name":1}`),
		missingKey("expires_after.days", `{"expires_after":{"anchor":"last_active_at"}}`),
		missingKey("expires_after.anchor", `{"expires_after":{"days":1}}`),
		missingKey("chunking_strategy.static.chunk_overlap_tokens", static(`"max_chunk_size_tokens":800`)),
		{static(`"max_chunk_size_tokens":100,"chunk_overlap_tokens":51`), "Invalid 'chunking_strategy.static.chunk_overlap_tokens': " +
			"integer above maximum value. Expected a value <= 50, but got 51 instead.", "chunking_strategy.static.chunk_overlap_tokens", "integer_above_max_value"},
		{`{"expires_after":{"anchor":"created_at","days":1}}`, "Invalid value: 'created_at'. Value must be 'last_active_at'.",
			"expires_after.anchor", "invalid_value"},
		{`{"expires_after":{"anchor":"last_active_at","days":366}}`, "Invalid 'expires_after.days': integer above maximum value. " +
			"Expected a value <= 365, but got 366 instead.", "expires_after.days", "integer_above_max_value"},
		{`{"expires_after":{"anchor":"last_active_at","days":0}}`, "Invalid 'expires_after.days': integer below minimum value. " +
			"Expected a value >= 1, but got 0 instead.", "expires_after.days", "integer_below_min_value"},
	} {
		test.check(t, a, stores)
	}
	a.refuses("POST", stores, `{"file_ids":["file_9"]}`, 404, noSuch("file", "file_9"))
	a.refuses("GET", stores+"/thread_1", "", 400, envelope("Invalid 'vector_store_id': 'thread_1'. Expected an ID that begins with 'vs'.",
		requestError, "vector_store_id", "invalid_value"))
	a.refuses("GET", stores+"/vs_1/file_batches/file_1", "", 400, envelope("Invalid 'batch_id': 'file_1'. Expected an ID that begins with 'vsfb'.",
		requestError, "batch_id", "invalid_value"))
	require.Equal(t, []string{"vs_1"}, a.ids(stores))
}

// Stores that are named must be there, wherever tool resources are given. One that is kept may be gone.
func TestNamedVectorStoresMustExist(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const named = `"tool_resources":{"file_search":{"vector_store_ids":["vs_9"]}}`
	gone := noSuch("vector store", "vs_9")
	assistant, thread := a.create(`{"model":"m","instructions":"x"}`), a.thread()
	a.refuses("POST", "/v1/assistants", `{"model":"m",`+named+`}`, 404, gone)
	a.refuses("POST", "/v1/assistants/"+assistant, `{`+named+`}`, 404, gone)
	a.refuses("POST", "/v1/threads", `{`+named+`}`, 404, gone)
	a.refuses("POST", thread, `{`+named+`}`, 404, gone)
	a.refuses("POST", direct, `{"assistant_id":"`+assistant+`",`+named+`}`, 404, gone)
	a.refuses("POST", direct, `{"assistant_id":"`+assistant+`","thread":{`+named+`}}`, 404, gone)

	store := a.newStore()
	given := strings.Replace(named, "vs_9", strings.TrimPrefix(store, stores+"/"), 1)
	a.ok("POST", thread, `{`+given+`}`)
	a.ok("DELETE", store, "")
	a.ok("POST", thread, `{"metadata":{"a":"b"},`+given+`}`)
	assert.Contains(t, a.ok("GET", thread, ""), `"vector_store_ids":["vs_1"]`)
}

// holding returns a store that has files with these ids, without contents, and vector stores, whose ids begin with
// "vs".
func holding(t testing.TB, ids ...string) *server.MemoryStore {
	t.Helper()
	store := server.NewMemoryStore()
	for _, id := range ids {
		kind, data := "file", `{"object":"file","id":"`+id+`","purpose":"assistants","filename":"x.txt","bytes":1,"created_at":1,"status":"processed"}`
		if strings.HasPrefix(id, "vs") {
			kind, data = "vector_store", storeDocument(id, "null", "null", noFiles, "completed", "null", "null", "{}")
		}
		require.NoError(t, store.Insert(t.Context(), server.Collection{Kind: kind}, server.Record{ID: id, CreatedAt: 1, Data: []byte(data)}))
	}
	return store
}

// A store that was deleted is one that never was, whatever is asked of it.
func TestDeletedVectorStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.uploads(2)
		store := a.newStore("file_1")
		batch := a.made(store+"/file_batches", `{"file_ids":["file_1"]}`)
		synctest.Wait()
		assistant := a.create(`{"model":"m","tools":[` + searchTool + `],"tool_resources":` + searchResources(store) + `}`)
		require.Equal(t, deletedStore("vs_1"), a.ok("DELETE", store, ""))
		gone := noSuch("vector store", "vs_1")
		for target, body := range map[string]string{
			"":                                   `{"name":"x"}`,
			"/search":                            `{"query":"x"}`,
			"/files":                             `{"file_id":"file_2"}`,
			"/files/file_1":                      `{"attributes":{}}`,
			"/file_batches":                      `{"file_ids":["file_2"]}`,
			"/file_batches/" + batch + "/cancel": "",
			"/file_batches/" + batch + "/files":  "GET",
			"/files/file_1/content":              "GET",
			"/files?limit=1":                     "GET",
			"/file_batches/" + batch:             "GET",
		} {
			method := "POST"
			if body == "GET" {
				method, body = body, ""
			}
			a.refuses(method, store+target, body, 404, gone)
		}
		a.refuses("DELETE", store+"/files/file_1", "", 404, gone)
		a.refuses("DELETE", store, "", 404, gone)
		require.Contains(t, a.ok("GET", "/v1/assistants/"+assistant, ""), `"vector_store_ids":["vs_1"]`)
		a.ok("DELETE", "/v1/files/file_1", "")
	})
}

func deletedStore(id string) string {
	return `{"id":"` + id + `","object":"vector_store.deleted","deleted":true}`
}

// forgetful is a retriever that cannot drop stores, at first.
type forgetful struct {
	server.Retriever
	failures int
}

func (r *forgetful) Drop(ctx context.Context, storeID string) error {
	if r.failures--; r.failures >= 0 {
		return errDisk
	}
	return r.Retriever.Drop(ctx, storeID)
}

// A store whose deletion failed half way is not there any more, and the deletion can be repeated, or is finished
// without that.
func TestVectorStoreThatIsHardToDelete(t *testing.T) {
	t.Parallel()
	for _, repeated := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r, memory := &forgetful{Retriever: server.NewLexicalRetriever(), failures: 1}, server.NewMemoryStore()
			a := newAPI(t, server.WithRetriever(r), server.WithStore(memory))
			a.uploads(1)
			store := a.newStore("file_1")
			synctest.Wait()
			require.Equal(t, 500, a.do("DELETE", store, "").status)
			a.refuses("GET", store, "", 404, noSuch("vector store", "vs_1"))
			if repeated {
				require.Equal(t, deletedStore("vs_1"), a.ok("DELETE", store, ""))
			}
			a.clock.move(time.Minute)
			a.refuses("DELETE", store, "", 404, noSuch("vector store", "vs_1"))
			require.Negative(t, r.failures)
			require.Empty(t, dueIn(t, memory))
		})
	}
}
