package assistants_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const fullBatch = `{"id":"vsfb_1","object":"vector_store.file_batch","created_at":1714598090,"status":"completed","vector_store_id":"vs_1",
	"file_counts":{"in_progress":1,"completed":2,"failed":3,"cancelled":4,"total":10}}`

// aBatch is a batch; counts are of its files that are in progress, completed, failed and cancelled.
func aBatch(status string, counts ...int) string {
	all := [5]int{}
	for i, n := range counts {
		all[i] = n
		all[4] += n
	}
	return `{"id":"vsfb_1","object":"vector_store.file_batch","created_at":1714598090,"status":"` + status + `","vector_store_id":"vs_1",` +
		`"file_counts":` + jsonOf(map[string]int{"in_progress": all[0], "completed": all[1], "failed": all[2], "cancelled": all[3], "total": all[4]}) + `}`
}

func TestFileBatchesRequests(t *testing.T) {
	t.Parallel()
	type ctx = context.Context
	type client = *assistants.Client
	create := func(params assistants.FileBatchCreateParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idIn(c.FileBatches.Create(ctx, "vs_1", params)) }
	}
	list := func(params assistants.VectorStoreFileListParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) {
			return idsIn(c.FileBatches.ListFiles(ctx, "vs_1", "vsfb_1", params))
		}
	}
	sizes := &assistants.ChunkingStrategy{Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 100, ChunkOverlapTokens: 50}}
	const sent = `"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":100,"chunk_overlap_tokens":50}}`
	attributes := assistants.Attributes{"year": assistants.AttributeOf(1927)}
	const all, one = "/vector_stores/vs_1/file_batches", "/vector_stores/vs_1/file_batches/vsfb_1"
	checkExchanges(t, []exchange{
		{"create of ids", "POST", all, `{"file_ids":["file-1","file-2"]}`, fullBatch, "vsfb_1",
			create(assistants.FileBatchCreateParams{FileIDs: []string{"file-1", "file-2"}})},
		{"create of ids with everything", "POST", all, `{"file_ids":["file-1"],"attributes":{"year":1927},` + sent + `}`, fullBatch, "vsfb_1",
			create(assistants.FileBatchCreateParams{FileIDs: []string{"file-1"}, Attributes: attributes, ChunkingStrategy: sizes})},
		{"create of no ids", "POST", all, `{"file_ids":[]}`, fullBatch, "vsfb_1", create(assistants.FileBatchCreateParams{FileIDs: []string{}})},
		{"create of files", "POST", all, `{"files":[{"file_id":"file-1","attributes":{"year":1927},` + sent + `},{"file_id":"file-2"}]}`,
			fullBatch, "vsfb_1", create(assistants.FileBatchCreateParams{Files: []assistants.VectorStoreFileCreateParams{
				{FileID: "file-1", Attributes: attributes, ChunkingStrategy: sizes}, {FileID: "file-2"}}})},
		{"create of no files", "POST", all, `{"files":[]}`, fullBatch, "vsfb_1",
			create(assistants.FileBatchCreateParams{Files: []assistants.VectorStoreFileCreateParams{}})},
		{"create and poll", "POST", all, `{"file_ids":["file-1"]}`, fullBatch, "vsfb_1", func(ctx ctx, c client) (string, error) {
			return idIn(c.FileBatches.CreateAndPoll(ctx, "vs_1", assistants.FileBatchCreateParams{FileIDs: []string{"file-1"}}))
		}},
		{"retrieve", "GET", one, "", fullBatch, "vsfb_1", func(ctx ctx, c client) (string, error) {
			return idIn(c.FileBatches.Retrieve(ctx, "vs_1", "vsfb_1"))
		}},
		{"poll", "GET", one, "", fullBatch, "vsfb_1", func(ctx ctx, c client) (string, error) {
			return idIn(c.FileBatches.Poll(ctx, "vs_1", "vsfb_1"))
		}},
		{"cancel", "POST", one + "/cancel", "", fullBatch, "vsfb_1", func(ctx ctx, c client) (string, error) {
			return idIn(c.FileBatches.Cancel(ctx, "vs_1", "vsfb_1"))
		}},
		{"list", "GET", one + "/files", "", pageOf(fullStoreFile, "file-1"), "file-1..file-1 true: file-1", list(assistants.VectorStoreFileListParams{})},
		{"list a part", "GET", one + "/files?after=file-0&before=file-9&filter=cancelled&limit=100&order=desc", "", pageOf(fullStoreFile, "file-1"),
			"file-1..file-1 true: file-1", list(assistants.VectorStoreFileListParams{Filter: assistants.VectorStoreFileCancelled,
				Limit: 100, Order: assistants.OrderDesc, After: "file-0", Before: "file-9"})},
	})
}

func TestFileBatchDecode(t *testing.T) {
	t.Parallel()
	get := func(ctx context.Context, c *assistants.Client) (*assistants.FileBatch, error) {
		return c.FileBatches.Retrieve(ctx, "vs_1", "vsfb_1")
	}
	for name, test := range map[string]struct {
		body string
		want assistants.FileBatch
	}{
		"every field": {fullBatch, assistants.FileBatch{
			ID: "vsfb_1", Object: "vector_store.file_batch", CreatedAt: 1714598090, VectorStoreID: "vs_1",
			Status:     assistants.FileBatchCompleted,
			FileCounts: assistants.FileCounts{InProgress: 1, Completed: 2, Failed: 3, Cancelled: 4, Total: 10},
		}},
		"as the description has it": {`{"id":"vsfb_1","object":"vector_store.files_batch","status":"in_progress"}`, assistants.FileBatch{
			ID: "vsfb_1", Object: "vector_store.files_batch", Status: assistants.FileBatchInProgress}},
		"null everywhere": {`{"id":"vsfb_1","object":null,"created_at":null,"status":null,"vector_store_id":null,"file_counts":null}`,
			assistants.FileBatch{ID: "vsfb_1"}},
		"nothing but an id":        {`{"id":"vsfb_1"}`, assistants.FileBatch{ID: "vsfb_1"}},
		"a status that is unknown": {`{"id":"vsfb_1","status":"paused","new":{}}`, assistants.FileBatch{ID: "vsfb_1", Status: "paused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			batch := decodedBy(t, test.body, get)
			assert.Equal(t, &test.want, batch)
			checkStored(t, batch, true, get)
		})
	}
}

// Params that contradict each other are errors, and nothing is sent.
func TestFileBatchContradictions(t *testing.T) {
	t.Parallel()
	ids, files := []string{"file-1"}, []assistants.VectorStoreFileCreateParams{{FileID: "file-1"}}
	auto := &assistants.ChunkingStrategy{Type: assistants.ChunkingAuto}
	for want, params := range map[string]assistants.FileBatchCreateParams{
		"file batch has no files":                                                    {},
		"file batch has no files ":                                                   {ChunkingStrategy: auto},
		"file batch has FileIDs and Files at once":                                   {FileIDs: ids, Files: files},
		"file batch has settings for FileIDs, and Files have settings of their own":  {Files: files, ChunkingStrategy: auto},
		"file batch has settings for FileIDs, and Files have settings of their own ": {Files: files, Attributes: assistants.Attributes{"k": {}}},
		"chunking strategy has no type":                                              {FileIDs: ids, ChunkingStrategy: &assistants.ChunkingStrategy{}},
		`chunking strategy of type "static" has no sizes`:                            {Files: []assistants.VectorStoreFileCreateParams{{ChunkingStrategy: &assistants.ChunkingStrategy{Type: "static"}}}},
	} {
		tr := newTransport(t, answer(200, fullBatch))
		c := newClient(t, tr)
		_, err := c.FileBatches.Create(t.Context(), "vs_1", params)
		require.EqualError(t, err, "assistants: POST /vector_stores/vs_1/file_batches: "+trimmed(want))
		batch, err := c.FileBatches.CreateAndPoll(t.Context(), "vs_1", params)
		require.ErrorContains(t, err, trimmed(want))
		assert.Nil(t, batch)
		assert.Empty(t, tr.requests())
	}
}
