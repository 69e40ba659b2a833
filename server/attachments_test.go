package server_test

import (
	"context"
	"encoding/json"
	"math"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// attaching is a user's message with these attachments.
func attaching(attachments string) string {
	return `{"role":"user","content":"x","attachments":` + attachments + `}`
}

const (
	toCode   = `[{"type":"code_interpreter"}]`
	toSearch = `[{"type":"file_search"}]`
)

func TestAttachmentsAreEchoed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.uploads(9)
	thread := a.thread()
	for given, answered := range map[string]string{
		`null`:                              `[]`,
		`[]`:                                `[]`,
		`[{"file_id":"file_1"}]`:            `[{"file_id":"file_1"}]`,
		`[{"tools":[],"file_id":"file_1"}]`: `[{"file_id":"file_1","tools":[]}]`,
		`[{"file_id":"file_1","tools":` + toCode + `},{"file_id":"file_1","tools":` + toSearch + `},{"file_id":"file_1","tools":` + toCode + `}]`: `[{"file_id":"file_1","tools":` +
			toCode + `},{"file_id":"file_1","tools":` + toSearch + `},{"file_id":"file_1","tools":` + toCode + `}]`,
		`[{"file_id":"file_1","tools":[{"type":"file_search"},{"type":"code_interpreter"}]}]`: `[{"file_id":"file_1","tools":[{"type":"file_search"},{"type":"code_interpreter"}]}]`,
	} {
		body := a.ok("POST", thread+"/messages", attaching(given))
		assert.Equal(t, answered, string(field[json.RawMessage](t, body, "attachments")))
		again := a.ok("GET", thread+"/messages/"+field[string](t, body, "id"), "")
		assert.Equal(t, body, again)
	}
}

// resourcesAfter returns the resources of a thread and the files of its vector stores.
func resourcesAfter(t *testing.T, a *api, store server.Store, thread string) (resources string, files map[string][]string) {
	t.Helper()
	raw := field[json.RawMessage](t, a.ok("GET", thread, ""), "tool_resources")
	var parsed struct {
		Search struct {
			IDs []string `json:"vector_store_ids"`
		} `json:"file_search"`
	}
	require.NoError(t, json.Unmarshal(raw, &parsed))
	files = map[string][]string{}
	for _, id := range parsed.Search.IDs {
		page, err := store.List(context.Background(), server.Collection{Kind: "vector_store.file", Parent: id}, server.Query{Limit: 100, Order: server.Ascending})
		require.NoError(t, err)
		for _, r := range page.Records {
			files[id] = append(files[id], r.ID)
		}
	}
	return string(raw), files
}

// However a message comes into a thread, its files join those of the tools.
func TestAttachmentsTakeEffect(t *testing.T) {
	t.Parallel()
	const attachments = `[{"file_id":"file_1","tools":` + toCode + `},{"file_id":"file_2","tools":` + toSearch + `},
		{"file_id":"file_3","tools":[{"type":"file_search"},{"type":"code_interpreter"}]},{"file_id":"file_1","tools":` + toCode + `},
		{"file_id":"file_4","tools":[]},{"file_id":"file_5"}]`
	for name, send := range map[string]func(a *api, assistant string) string{
		"a new thread": func(a *api, _ string) string {
			return "/v1/threads/" + a.made("/v1/threads", `{"messages":[`+attaching(attachments)+`]}`)
		},
		"a message": func(a *api, _ string) string {
			thread := a.thread()
			a.ok("POST", thread+"/messages", attaching(attachments))
			return thread
		},
		"a run": func(a *api, assistant string) string {
			thread := a.thread()
			a.ok("POST", thread+"/runs", `{"assistant_id":"`+assistant+`","additional_messages":[`+attaching(attachments)+`]}`)
			return thread
		},
		"a thread and run": func(a *api, assistant string) string {
			body := a.ok("POST", direct, `{"assistant_id":"`+assistant+`","thread":{"messages":[`+attaching(attachments)+`]}}`)
			return "/v1/threads/" + field[string](a.t, body, "thread_id")
		},
	} {
		store := server.NewMemoryStore()
		a := newAPI(t, server.WithStore(store), server.WithExtractor(blocking()))
		a.uploads(9)
		thread := send(a, a.create(`{"model":"m"}`))
		resources, files := resourcesAfter(t, a, store, thread)
		assert.Equal(t, `{"code_interpreter":{"file_ids":["file_1","file_3"]},"file_search":{"vector_store_ids":["vs_1"]}}`, resources, name)
		assert.Equal(t, map[string][]string{"vs_1": {"file_2", "file_3"}}, files, name)
	}
}

// The thread's own files stay, and a store that it has is used, whoever made it.
func TestAttachmentsJoinWhatIsThere(t *testing.T) {
	t.Parallel()
	store := server.NewMemoryStore()
	a := newAPI(t, server.WithStore(store), server.WithExtractor(blocking()))
	a.uploads(9)
	thread := "/v1/threads/" + a.made("/v1/threads", `{"tool_resources":{"code_interpreter":{"file_ids":["file_6","file_1"]},
		"file_search":{"vector_stores":[{"file_ids":["file_8","file_9"]}]}}}`)
	for range 2 {
		a.ok("POST", thread+"/messages", attaching(`[{"file_id":"file_1","tools":`+toCode+`},{"file_id":"file_2","tools":`+toCode+`},
			{"file_id":"file_9","tools":`+toSearch+`},{"file_id":"file_7","tools":`+toSearch+`}]`))
		resources, files := resourcesAfter(t, a, store, thread)
		assert.Equal(t, `{"code_interpreter":{"file_ids":["file_6","file_1","file_2"]},"file_search":{"vector_store_ids":["vs_1"]}}`, resources)
		assert.Equal(t, map[string][]string{"vs_1": {"file_8", "file_9", "file_7"}}, files)
		made, err := store.Get(t.Context(), server.Collection{Kind: "vector_store"}, "vs_1")
		require.NoError(t, err)
		assert.JSONEq(t, `{"in_progress":3,"completed":0,"failed":0,"cancelled":0,"total":3}`, string(field[json.RawMessage](t, string(made.Data), "file_counts")))
		assert.JSONEq(t, `{"anchor":"last_active_at","days":7}`, string(field[json.RawMessage](t, string(made.Data), "expires_after")))
		assert.Equal(t, epoch+7*24*60*60, field[int](t, string(made.Data), "expires_at"))
	}
	a.newStore("file_1")
	named := "/v1/threads/" + a.made("/v1/threads", `{"tool_resources":{"file_search":{"vector_store_ids":["vs_2"]}}}`)
	a.ok("POST", named+"/messages", attaching(`[{"file_id":"file_2","tools":`+toSearch+`}]`))
	resources, files := resourcesAfter(t, a, store, named)
	assert.Equal(t, `{"file_search":{"vector_store_ids":["vs_2"]}}`, resources)
	assert.Equal(t, map[string][]string{"vs_2": {"file_1", "file_2"}}, files)
	a.ok("DELETE", stores+"/vs_2", "")
	a.ok("POST", named+"/messages", attaching(`[{"file_id":"file_3","tools":`+toSearch+`}]`))
	resources, files = resourcesAfter(t, a, store, named)
	assert.Equal(t, `{"file_search":{"vector_store_ids":["vs_3"]}}`, resources, "in the place of one that was deleted")
	assert.Equal(t, map[string][]string{"vs_3": {"file_3"}}, files)
}

// A file that is attached again is no new one: a store that has read it stays as it is, but for having been used.
func TestAttachingAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.uploads(1)
		thread := a.thread()
		message := attaching(`[{"file_id":"file_1","tools":` + toSearch + `}]`)
		a.ok("POST", thread+"/messages", message)
		synctest.Wait()
		file, store := a.ok("GET", stores+"/vs_1/files/file_1", ""), a.ok("GET", stores+"/vs_1", "")
		require.Equal(t, "completed", field[string](t, file, "status"))
		a.ok("POST", thread+"/messages", message)
		synctest.Wait()
		assert.Equal(t, file, a.ok("GET", stores+"/vs_1/files/file_1", ""))
		assert.Equal(t, store, a.ok("GET", stores+"/vs_1", ""))
	})
}

// Files that are attached must be there, and then nothing has changed.
func TestAttachedFilesMustExist(t *testing.T) {
	t.Parallel()
	held := newLedger()
	a := newAPI(t, server.WithStore(held))
	a.uploads(1)
	thread := a.thread("x")
	before := held.counts()
	for _, tools := range []string{toSearch, toCode, `[]`} {
		a.refuses("POST", thread+"/messages", attaching(`[{"file_id":"file_1","tools":`+tools+`},{"file_id":"file_9","tools":`+tools+`}]`), 404,
			noSuch("file", "file_9"))
		assert.Equal(t, before, held.counts())
	}
}

// A message that fails takes its files out of the store again that the thread has.
func TestFailedMessageLeavesTheStoreAsItWas(t *testing.T) {
	t.Parallel()
	store := &stuckStore{Store: server.NewMemoryStore(), left: math.MaxInt}
	a := newAPI(t, server.WithStore(store), server.WithExtractor(blocking()))
	a.uploads(2)
	thread := a.thread("x")
	a.ok("POST", thread+"/messages", attaching(`[{"file_id":"file_1","tools":`+toSearch+`}]`))
	before, files := a.ok("GET", stores, ""), a.ok("GET", stores+"/vs_1/files", "")
	store.left = 0
	require.Equal(t, 500, a.do("POST", thread+"/messages", attaching(`[{"file_id":"file_2","tools":`+toSearch+`}]`)).status)
	require.Equal(t, before, a.ok("GET", stores, ""))
	require.Equal(t, files, a.ok("GET", stores+"/vs_1/files", ""))
	require.Equal(t, before, a.ok("GET", stores, ""))
}
