package assistants

import (
	"context"
)

// This file waits for the service to read the files of vector stores.

// Poll looks at a file in a vector store until it is no longer in progress. A file that failed is no error of the call;
// [VectorStoreFile.Err] says it.
//
// Between two looks it pauses for as long as the server asks, else half a second, growing to five; see [WithPollInterval].
// It ends at once when the context does. An error comes with the file as it was last seen, nil if it never was.
//
// GET /vector_stores/{vector_store_id}/files/{file_id}: https://platform.openai.com/docs/api-reference/vector-stores-files/getFile
func (s *VectorStoreFilesService) Poll(ctx context.Context, vectorStoreID, fileID string, opts ...RequestOption) (*VectorStoreFile, error) {
	return s.settle(ctx, vectorStoreID, get("vector_stores", vectorStoreID, "files", fileID), opts)
}

// CreateAndPoll adds a file to a vector store and waits until it has been read, as [VectorStoreFilesService.Create] and
// [VectorStoreFilesService.Poll] do.
//
// POST /vector_stores/{vector_store_id}/files: https://platform.openai.com/docs/api-reference/vector-stores-files/createFile
func (s *VectorStoreFilesService) CreateAndPoll(ctx context.Context, vectorStoreID string, params VectorStoreFileCreateParams, opts ...RequestOption) (*VectorStoreFile, error) {
	return s.settle(ctx, vectorStoreID, post(params, "vector_stores", vectorStoreID, "files"), opts)
}

func (s *VectorStoreFilesService) settle(ctx context.Context, vectorStoreID string, o *outgoing, opts []RequestOption) (*VectorStoreFile, error) {
	return settle(ctx, s.core, o, opts, func(f *VectorStoreFile) *outgoing {
		if f.Status != VectorStoreFileInProgress {
			return nil
		}
		return get("vector_stores", vectorStoreID, "files", f.ID)
	})
}

// Poll looks at a batch until it is no longer in progress. That files failed is no error of the call; FileCounts say it,
// and [FileBatchesService.ListFiles] has them.
//
// It pauses, ends and fails as [VectorStoreFilesService.Poll] does.
//
// GET /vector_stores/{vector_store_id}/file_batches/{batch_id}: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/getBatch
func (s *FileBatchesService) Poll(ctx context.Context, vectorStoreID, batchID string, opts ...RequestOption) (*FileBatch, error) {
	return s.settle(ctx, vectorStoreID, get("vector_stores", vectorStoreID, "file_batches", batchID), opts)
}

// CreateAndPoll adds files to a vector store and waits until they have been read, as [FileBatchesService.Create] and
// [FileBatchesService.Poll] do.
//
// POST /vector_stores/{vector_store_id}/file_batches: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/createBatch
func (s *FileBatchesService) CreateAndPoll(ctx context.Context, vectorStoreID string, params FileBatchCreateParams, opts ...RequestOption) (*FileBatch, error) {
	return s.settle(ctx, vectorStoreID, post(params, "vector_stores", vectorStoreID, "file_batches"), opts)
}

func (s *FileBatchesService) settle(ctx context.Context, vectorStoreID string, o *outgoing, opts []RequestOption) (*FileBatch, error) {
	return settle(ctx, s.core, o, opts, func(b *FileBatch) *outgoing {
		if b.Status != FileBatchInProgress {
			return nil
		}
		return get("vector_stores", vectorStoreID, "file_batches", b.ID)
	})
}

// settle sends o and looks at what it is answered until that is settled. look says how to look again; nil if it is
// settled.
func settle[T any](ctx context.Context, c *core, o *outgoing, opts []RequestOption, look func(*T) *outgoing) (*T, error) {
	o.can |= settles
	cfg, err := c.configure(o, opts)
	if err != nil {
		return nil, err
	}
	out := new(T)
	header, err := c.send(ctx, o, out, &cfg)
	if err != nil {
		return nil, err
	}
	cfg = cfg.further()
	interval := firstPollInterval
	for {
		again := look(out)
		if again == nil {
			return out, nil
		}
		if err := cfg.pause(ctx, header, &interval); err != nil {
			return out, again.failed(err)
		}
		seen := new(T)
		if header, err = c.send(ctx, again, seen, &cfg); err != nil {
			return out, err
		}
		out = seen
	}
}
