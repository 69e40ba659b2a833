package assistants

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
)

// A FileBatch is several files that are added to a vector store together.
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/batch-object
type FileBatch struct {
	// ID begins with "vsfb_".
	ID string `json:"id"`
	// Object is "vector_store.file_batch".
	Object        string    `json:"object"`
	CreatedAt     Timestamp `json:"created_at"`      // when it was begun
	VectorStoreID string    `json:"vector_store_id"` // of the vector store
	// Status is how far it is.
	Status     FileBatchStatus `json:"status"`
	FileCounts FileCounts      `json:"file_counts"` // its files by their status
}

func (b *FileBatch) check() error {
	if b.Object == "vector_store.files_batch" { // as the description has it
		return checkObject("", "vector_store.file_batch", b.ID)
	}
	return checkObject(b.Object, "vector_store.file_batch", b.ID)
}
func (b *FileBatch) cursor() string { return b.ID }

// A FileBatchStatus is how far a batch is.
type FileBatchStatus string

// Statuses of batches.
const (
	FileBatchInProgress FileBatchStatus = "in_progress" // files are being read
	FileBatchCompleted  FileBatchStatus = "completed"   // all files have been looked at, whatever came of each
	FileBatchCancelled  FileBatchStatus = "cancelled"   // given up by the caller
	FileBatchFailed     FileBatchStatus = "failed"      // given up by the service
)

// word is the status for a text that must hold nothing else that a server sends.
func (s FileBatchStatus) word() string {
	switch s {
	case FileBatchInProgress, FileBatchCompleted, FileBatchCancelled, FileBatchFailed:
		return string(s)
	}
	return "in a status that is unknown here"
}

// FileBatchCreateParams name the files that are to be added to a vector store, 1 to 2000: either FileIDs, all in the same
// way, or Files, each in its own. Both at once are an error of the call.
type FileBatchCreateParams struct {
	// FileIDs are files that were uploaded.
	FileIDs []string `json:"file_ids,omitzero"`
	// Files are files with settings of their own.
	Files []VectorStoreFileCreateParams `json:"files,omitzero"`
	// ChunkingStrategy is how FileIDs are cut; automatic if nil.
	ChunkingStrategy *ChunkingStrategy `json:"chunking_strategy,omitzero"`
	// Attributes are given to each of FileIDs. nil and empty are none.
	Attributes Attributes `json:"attributes,omitzero"`
}

// MarshalJSON writes FileIDs or Files.
func (p FileBatchCreateParams) MarshalJSON() ([]byte, error) {
	switch {
	case p.FileIDs == nil && p.Files == nil:
		return nil, errors.New("file batch has no files")
	case p.FileIDs != nil && p.Files != nil:
		return nil, errors.New("file batch has FileIDs and Files at once")
	case p.Files != nil && (p.ChunkingStrategy != nil || len(p.Attributes) > 0):
		return nil, errors.New("file batch has settings for FileIDs, and Files have settings of their own")
	}
	type wire FileBatchCreateParams // without this method
	return json.Marshal(wire(p))
}

// FileBatchesService is the batches of files of a [Client].
type FileBatchesService service

// Create adds files to a vector store. They are read afterwards: see [FileBatchesService.CreateAndPoll].
//
// POST /vector_stores/{vector_store_id}/file_batches: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/createBatch
func (s *FileBatchesService) Create(ctx context.Context, vectorStoreID string, params FileBatchCreateParams, opts ...RequestOption) (*FileBatch, error) {
	return call(ctx, s.core, post(params, "vector_stores", vectorStoreID, "file_batches"), new(FileBatch), opts)
}

// Retrieve returns a batch, or an error that is [ErrNotFound].
//
// GET /vector_stores/{vector_store_id}/file_batches/{batch_id}: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/getBatch
func (s *FileBatchesService) Retrieve(ctx context.Context, vectorStoreID, batchID string, opts ...RequestOption) (*FileBatch, error) {
	return call(ctx, s.core, get("vector_stores", vectorStoreID, "file_batches", batchID), new(FileBatch), opts)
}

// Cancel gives up the files of a batch that have not been read yet. A batch that is completed stays so, without an error.
//
// POST /vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/cancelBatch
func (s *FileBatchesService) Cancel(ctx context.Context, vectorStoreID, batchID string, opts ...RequestOption) (*FileBatch, error) {
	return call(ctx, s.core, post(nil, "vector_stores", vectorStoreID, "file_batches", batchID, "cancel"), new(FileBatch), opts)
}

// ListFiles returns a page of the files of a batch; the newest 20 if params is zero.
//
// GET /vector_stores/{vector_store_id}/file_batches/{batch_id}/files: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/listBatchFiles
func (s *FileBatchesService) ListFiles(ctx context.Context, vectorStoreID, batchID string, params VectorStoreFileListParams, opts ...RequestOption) (*Page[VectorStoreFile], error) {
	return s.list(ctx, vectorStoreID, batchID, params, opts, 0)
}

func (s *FileBatchesService) list(ctx context.Context, vectorStoreID, batchID string, params VectorStoreFileListParams, opts []RequestOption, can ability) (*Page[VectorStoreFile], error) {
	return list[VectorStoreFile](ctx, s.core, get("vector_stores", vectorStoreID, "file_batches", batchID, "files").able(can), params, opts)
}

// AllFiles iterates over the files of a batch, in the way of [AssistantsService.All].
//
// GET /vector_stores/{vector_store_id}/file_batches/{batch_id}/files: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/listBatchFiles
func (s *FileBatchesService) AllFiles(ctx context.Context, vectorStoreID, batchID string, params VectorStoreFileListParams, opts ...RequestOption) iter.Seq2[*VectorStoreFile, error] {
	return s.all(ctx, vectorStoreID, batchID, params, opts, 0)
}

func (s *FileBatchesService) all(ctx context.Context, vectorStoreID, batchID string, params VectorStoreFileListParams, opts []RequestOption, can ability) iter.Seq2[*VectorStoreFile, error] {
	return all[*VectorStoreFile](params.part(), func(p ListParams) (any, error) {
		return s.list(ctx, vectorStoreID, batchID, params.at(p), opts, can)
	})
}
