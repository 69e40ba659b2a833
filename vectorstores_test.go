package assistants_test

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const fullVectorStore = `{"id":"vs_1","object":"vector_store","created_at":1714488086,"name":"Books","description":"All of them",
	"usage_bytes":8533,"file_counts":{"in_progress":1,"completed":2,"failed":3,"cancelled":4,"total":10},"status":"in_progress",
	"expires_after":{"anchor":"last_active_at","days":7},"expires_at":1715092888,"last_active_at":1714488088,"metadata":{"k":"v"}}`

// idIn is what calls return that answer with an object.
func idIn[T any](object *T, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return reflect.ValueOf(object).Elem().FieldByName("ID").String(), nil
}

// idsIn is what calls return that answer with a page.
func idsIn[T any](page *assistants.Page[T], err error) (string, error) {
	if err != nil {
		return "", err
	}
	ids := page.FirstID + ".." + page.LastID + fmt.Sprint(" ", page.HasMore, ":")
	for _, item := range page.Data {
		id, _ := idIn(item, nil)
		ids += " " + id
	}
	return ids, nil
}

func TestVectorStoresRequests(t *testing.T) {
	t.Parallel()
	type ctx = context.Context
	type client = *assistants.Client
	create := func(params assistants.VectorStoreCreateParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idIn(c.VectorStores.Create(ctx, params)) }
	}
	modify := func(params assistants.VectorStoreModifyParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idIn(c.VectorStores.Modify(ctx, "vs_1", params)) }
	}
	const all, one = "/vector_stores", "/vector_stores/vs_1"
	const page = `{"object":"list","data":[` + fullVectorStore + `],"first_id":"vs_1","last_id":"vs_1","has_more":true}`
	checkExchanges(t, []exchange{
		{"create with nothing", "POST", all, `{}`, fullVectorStore, "vs_1", create(assistants.VectorStoreCreateParams{})},
		{"create with everything", "POST", all, `{"file_ids":["file-1","file-2"],"name":"n","description":"d",
			"expires_after":{"anchor":"last_active_at","days":3},"metadata":{"k":"v"},
			"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":400,"chunk_overlap_tokens":0}}}`,
			fullVectorStore, "vs_1", create(assistants.VectorStoreCreateParams{
				FileIDs: []string{"file-1", "file-2"}, Name: "n", Description: "d",
				ExpiresAfter:     &assistants.VectorStoreExpiration{Days: 3},
				ChunkingStrategy: &assistants.ChunkingStrategy{Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 400}},
				Metadata:         assistants.Metadata{"k": "v"},
			})},
		{"create with what is empty", "POST", all, `{"file_ids":[],"metadata":{},"chunking_strategy":{"type":"auto"}}`,
			fullVectorStore, "vs_1", create(assistants.VectorStoreCreateParams{
				FileIDs: []string{}, Metadata: assistants.Metadata{},
				ChunkingStrategy: &assistants.ChunkingStrategy{Type: assistants.ChunkingAuto},
			})},
		{"create that counts from elsewhere", "POST", all, `{"expires_after":{"anchor":"created_at","days":0}}`, fullVectorStore, "vs_1",
			create(assistants.VectorStoreCreateParams{ExpiresAfter: &assistants.VectorStoreExpiration{Anchor: assistants.AnchorCreatedAt}})},
		{"retrieve", "GET", one, "", fullVectorStore, "vs_1", func(ctx ctx, c client) (string, error) {
			return idIn(c.VectorStores.Retrieve(ctx, "vs_1"))
		}},
		{"retrieve by an odd id", "GET", "/vector_stores/a%2Fb%3Fc", "", fullVectorStore, "vs_1", func(ctx ctx, c client) (string, error) {
			return idIn(c.VectorStores.Retrieve(ctx, "a/b?c"))
		}},
		{"modify nothing", "POST", one, `{}`, fullVectorStore, "vs_1", modify(assistants.VectorStoreModifyParams{})},
		{"modify everything", "POST", one, `{"name":"n","expires_after":{"anchor":"last_active_at","days":1},"metadata":{"k":"v"}}`,
			fullVectorStore, "vs_1", modify(assistants.VectorStoreModifyParams{
				Name: assistants.Set("n"), ExpiresAfter: assistants.Set(assistants.VectorStoreExpiration{Days: 1}),
				Metadata: assistants.Set(assistants.Metadata{"k": "v"}),
			})},
		{"modify to what is empty", "POST", one, `{"name":"","metadata":{}}`, fullVectorStore, "vs_1",
			modify(assistants.VectorStoreModifyParams{Name: assistants.Set(""), Metadata: assistants.Set(assistants.Metadata{})})},
		{"clear", "POST", one, `{"name":null,"expires_after":null,"metadata":null}`, fullVectorStore, "vs_1",
			modify(assistants.VectorStoreModifyParams{
				Name: assistants.Null[string](), ExpiresAfter: assistants.Null[assistants.VectorStoreExpiration](),
				Metadata: assistants.Null[assistants.Metadata](),
			})},
		{"delete", "DELETE", one, "", `{"id":"vs_1","object":"vector_store.deleted","deleted":true}`, "vs_1 vector_store.deleted true",
			func(ctx ctx, c client) (string, error) { return deletedOf(c.VectorStores.Delete(ctx, "vs_1")) }},
		{"list", "GET", all, "", page, "vs_1..vs_1 true: vs_1", func(ctx ctx, c client) (string, error) {
			return idsIn(c.VectorStores.List(ctx, assistants.ListParams{}))
		}},
		{"list a part", "GET", all + "?after=vs_0&before=vs_9&limit=2&order=asc", "", page, "vs_1..vs_1 true: vs_1",
			func(ctx ctx, c client) (string, error) {
				return idsIn(c.VectorStores.List(ctx, assistants.ListParams{Limit: 2, Order: assistants.OrderAsc, After: "vs_0", Before: "vs_9"}))
			}},
	})
}

func TestVectorStoreDecode(t *testing.T) {
	t.Parallel()
	get := func(ctx context.Context, c *assistants.Client) (*assistants.VectorStore, error) {
		return c.VectorStores.Retrieve(ctx, "vs_1")
	}
	for name, test := range map[string]struct {
		body string
		want assistants.VectorStore
	}{
		"every field": {fullVectorStore, assistants.VectorStore{
			ID: "vs_1", Object: "vector_store", CreatedAt: 1714488086, Name: "Books", Description: "All of them", UsageBytes: 8533,
			FileCounts: assistants.FileCounts{InProgress: 1, Completed: 2, Failed: 3, Cancelled: 4, Total: 10},
			Status:     assistants.VectorStoreInProgress, ExpiresAt: 1715092888, LastActiveAt: 1714488088,
			ExpiresAfter: &assistants.VectorStoreExpiration{Anchor: assistants.AnchorLastActiveAt, Days: 7},
			Metadata:     assistants.Metadata{"k": "v"},
		}},
		"as it is made": {`{"id":"vs_1","object":"vector_store","name":null,"status":"completed","usage_bytes":0,"created_at":1714495294,
			"file_counts":{"in_progress":0,"completed":0,"failed":0,"cancelled":0,"total":0},"metadata":{},"expires_after":null,
			"expires_at":null,"last_active_at":1714495294}`, assistants.VectorStore{
			ID: "vs_1", Object: "vector_store", CreatedAt: 1714495294, Status: assistants.VectorStoreCompleted,
			LastActiveAt: 1714495294, Metadata: assistants.Metadata{},
		}},
		"null everywhere": {`{"id":"vs_1","object":null,"created_at":null,"name":null,"description":null,"usage_bytes":null,
			"file_counts":null,"status":null,"expires_after":null,"expires_at":null,"last_active_at":null,"metadata":null}`,
			assistants.VectorStore{ID: "vs_1"}},
		"null within": {`{"id":"vs_1","file_counts":{"total":null},"expires_after":{"anchor":"last_active_at","days":null}}`,
			assistants.VectorStore{ID: "vs_1", ExpiresAfter: &assistants.VectorStoreExpiration{Anchor: assistants.AnchorLastActiveAt}}},
		"nothing but an id":                 {`{"id":"vs_1"}`, assistants.VectorStore{ID: "vs_1"}},
		"a status that is unknown":          {`{"id":"vs_1","status":"frozen"}`, assistants.VectorStore{ID: "vs_1", Status: "frozen"}},
		"expired":                           {`{"id":"vs_1","status":"expired"}`, assistants.VectorStore{ID: "vs_1", Status: assistants.VectorStoreExpired}},
		"keys that are unknown":             {`{"id":"vs_1","new":[1],"file_counts":{"new":1}}`, assistants.VectorStore{ID: "vs_1"}},
		"more than two gigabytes":           {`{"id":"vs_1","usage_bytes":107374182400}`, assistants.VectorStore{ID: "vs_1", UsageBytes: 100 << 30}},
		"expiration that counts from where": {`{"id":"vs_1","expires_after":{"anchor":"noon","days":1}}`, assistants.VectorStore{ID: "vs_1", ExpiresAfter: &assistants.VectorStoreExpiration{Anchor: "noon", Days: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := decodedBy(t, test.body, get)
			assert.Equal(t, &test.want, store)
			checkStored(t, store, true, get)
		})
	}
}

// Answers that are none are errors of every call, whatever the status says.
func TestVectorStoresStrictness(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `null`, `{}`, `[]`, `{"id":"x","object":"thread.run"}`, `{"object":"vector_store"}`,
		`{"object":"vector_store.file"}`, `{"object":"vector_store.file_batch"}`, `{"object":"vector_store.files_batch"}`, `{"error":{"message":"no"}}`,
		`{"object":"list","data":[null]}`, `{"object":"list","data":[{}]}`, `{"id":"x","object":"x.deleted","deleted":true}`} {
		c := newClient(t, newTransport(t, answer(http.StatusOK, body)))
		ctx, every := t.Context(), assistants.VectorStoreFileListParams{}
		for name, call := range map[string]func() error{
			"retrieve": func() error { _, err := c.VectorStores.Retrieve(ctx, "vs_1"); return err },
			"delete":   func() error { _, err := c.VectorStores.Delete(ctx, "vs_1"); return err },
			"search": func() error {
				_, err := c.VectorStores.Search(ctx, "vs_1", assistants.VectorStoreSearchParams{Query: "q"})
				return err
			},
			"file":        func() error { _, err := c.VectorStoreFiles.Retrieve(ctx, "vs_1", "file-1"); return err },
			"delete file": func() error { _, err := c.VectorStoreFiles.Delete(ctx, "vs_1", "file-1"); return err },
			"content":     func() error { _, err := c.VectorStoreFiles.Content(ctx, "vs_1", "file-1"); return err },
			"poll file":   func() error { _, err := c.VectorStoreFiles.Poll(ctx, "vs_1", "file-1"); return err },
			"batch":       func() error { _, err := c.FileBatches.Retrieve(ctx, "vs_1", "vsfb_1"); return err },
			"poll batch":  func() error { _, err := c.FileBatches.Poll(ctx, "vs_1", "vsfb_1"); return err },
			"list":        func() error { _, err := c.VectorStores.List(ctx, assistants.ListParams{}); return err },
			"list files":  func() error { _, err := c.VectorStoreFiles.List(ctx, "vs_1", every); return err },
			"batch files": func() error { _, err := c.FileBatches.ListFiles(ctx, "vs_1", "vsfb_1", every); return err },
		} {
			_, ok := assistantsError(call())
			assert.True(t, ok, "%s of %s", name, body)
		}
	}
	store := newClient(t, newTransport(t, answer(http.StatusOK, fullVectorStore)))
	_, err := store.FileBatches.Retrieve(t.Context(), "vs_1", "vsfb_1")
	require.ErrorContains(t, err, `of type "vector_store" instead of "vector_store.file_batch"`)
	_, err = store.VectorStoreFiles.Delete(t.Context(), "vs_1", "file-1")
	require.ErrorContains(t, err, "does not say that the object was deleted")
}

func TestVectorStoresAll(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(200, `{"object":"list","data":[{"id":"vs_3"},{"id":"vs_2"}],"first_id":"vs_3","last_id":"vs_2","has_more":true}`),
		answer(200, `{"object":"list","data":[{"id":"vs_1"}],"has_more":false}`))
	var ids []string
	for store, err := range newClient(t, tr).VectorStores.All(t.Context(), assistants.ListParams{Limit: 2}) {
		require.NoError(t, err)
		ids = append(ids, store.ID)
	}
	assert.Equal(t, "vs_3 vs_2 vs_1", strings.Join(ids, " "))
	assert.Equal(t, "GET /vector_stores?limit=2, GET /vector_stores?after=vs_2&limit=2", strings.Join(tr.uris(), ", "))

	tr = newTransport(t, answer(404, `{"error":{"message":"No vector store found with id 'vs_0'."}}`))
	for store, err := range newClient(t, tr).VectorStores.All(t.Context(), assistants.ListParams{After: "vs_0"}) {
		assert.Nil(t, store)
		require.ErrorIs(t, err, assistants.ErrNotFound)
	}
}

// What a strategy, an attachment and tool resources are on the wire they are again when they are read.
func TestChunkingStrategies(t *testing.T) {
	t.Parallel()
	sizes := &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 800, ChunkOverlapTokens: 400}
	const static = `{"type":"static","static":{"max_chunk_size_tokens":800,"chunk_overlap_tokens":400}}`
	send := func(strategy assistants.ChunkingStrategy) (string, error) {
		tr := newTransport(t, answer(200, `{"id":"file-1","chunking_strategy":`+static+`}`))
		_, err := newClient(t, tr).VectorStoreFiles.Create(t.Context(), "vs_1", assistants.VectorStoreFileCreateParams{FileID: "f", ChunkingStrategy: &strategy})
		if err != nil {
			assert.Empty(t, tr.requests())
			return "", err
		}
		return tr.last().body, nil
	}
	for want, strategy := range map[string]assistants.ChunkingStrategy{
		`{"type":"auto"}`:  {Type: assistants.ChunkingAuto},
		static:             {Static: sizes},
		static + " ":       {Type: assistants.ChunkingStatic, Static: sizes},
		`{"type":"other"}`: {Type: assistants.ChunkingOther},
		`{"type":"new"}`:   {Type: "new"},
	} {
		sent, err := send(strategy)
		require.NoError(t, err)
		assert.JSONEq(t, `{"file_id":"f","chunking_strategy":`+want+`}`, sent)
	}
	for want, strategy := range map[string]assistants.ChunkingStrategy{
		"chunking strategy has no type":                                           {},
		`chunking strategy of type "static" has no sizes`:                         {Type: assistants.ChunkingStatic},
		`chunking strategy of type "auto" has the field of type "static" set`:     {Type: assistants.ChunkingAuto, Static: sizes},
		`chunking strategy of type "whatever" has the field of type "static" set`: {Type: "whatever", Static: sizes},
	} {
		_, err := send(strategy)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "MarshalJSON")
	}
	get := func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFile, error) {
		return c.VectorStoreFiles.Retrieve(ctx, "vs_1", "file-1")
	}
	for body, want := range map[string]*assistants.ChunkingStrategy{
		static:             {Type: assistants.ChunkingStatic, Static: sizes},
		`{"type":"other"}`: {Type: assistants.ChunkingOther},
		`{"type":"auto"}`:  {Type: assistants.ChunkingAuto},
		`{"type":"by_meaning","by_meaning":{"model":"m"},"static":"none"}`: {Type: "by_meaning"},
		`null`: nil,
		`{}`:   {},
	} {
		file := decodedBy(t, `{"id":"file-1","chunking_strategy":`+body+`}`, get)
		assert.Equal(t, want, file.ChunkingStrategy, body)
	}
}

// Attachments and tool resources with vector stores are read as they were sent.
func TestFilesOfMessagesAndTools(t *testing.T) {
	t.Parallel()
	attachments := []assistants.Attachment{
		{FileID: "file-1", Tools: []assistants.AttachmentTool{{Type: assistants.ToolFileSearch}, {Type: assistants.ToolCodeInterpreter}}},
		{FileID: "file-2"},
	}
	const wire = `[{"file_id":"file-1","tools":[{"type":"file_search"},{"type":"code_interpreter"}]},{"file_id":"file-2"}]`
	tr := newTransport(t, answer(200, `{"id":"msg_1","attachments":`+wire+`}`))
	message, err := newClient(t, tr).Messages.Create(t.Context(), "thread_1", assistants.MessageCreateParams{
		Role: assistants.RoleUser, Content: "c", Attachments: attachments})
	require.NoError(t, err)
	assert.JSONEq(t, `{"role":"user","content":"c","attachments":`+wire+`}`, tr.last().body)
	assert.Equal(t, attachments, message.Attachments)

	resources := assistants.ToolResources{
		CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{"file-1"}},
		FileSearch:      &assistants.FileSearchResources{VectorStoreIDs: []string{"vs_1"}},
	}
	const sent = `{"code_interpreter":{"file_ids":["file-1"]},"file_search":{"vector_store_ids":["vs_1"]}}`
	tr = newTransport(t, answer(200, `{"id":"thread_1","tool_resources":`+sent+`}`))
	thread, err := newClient(t, tr).Threads.Create(t.Context(), assistants.ThreadCreateParams{ToolResources: resources})
	require.NoError(t, err)
	assert.JSONEq(t, `{"tool_resources":`+sent+`}`, tr.last().body)
	assert.Equal(t, &resources, thread.ToolResources)

	tr = newTransport(t, answer(200, `{"id":"thread_1"}`))
	_, err = newClient(t, tr).Threads.Create(t.Context(), assistants.ThreadCreateParams{ToolResources: assistants.ToolResources{
		FileSearch: &assistants.FileSearchResources{VectorStores: []assistants.VectorStoreSpec{{
			FileIDs: []string{"file-1"}, Metadata: assistants.Metadata{"k": "v"},
			ChunkingStrategy: &assistants.ChunkingStrategy{Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 100}},
		}, {}}},
	}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file-1"],"metadata":{"k":"v"},
		"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":100,"chunk_overlap_tokens":0}}},{}]}}}`, tr.last().body)
}
