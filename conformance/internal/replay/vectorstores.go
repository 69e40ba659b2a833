package replay

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/assistants-go/assistants"
)

var vectorStoreOperations = []Operation{
	{
		ID: "createVectorStore", Method: http.MethodPost, Path: "/vector_stores", Served: true, Creates: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.VectorStoreCreateParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.VectorStores.Create(ctx, p, r.Options...)
		},
	},
	{
		ID: "listVectorStores", Method: http.MethodGet, Path: "/vector_stores", Served: true,
		Presupposes: listedStores,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := listParams(r.Query)
			if err != nil {
				return nil, err
			}
			return c.VectorStores.List(ctx, p, r.Options...)
		},
	},
	{
		ID: "getVectorStore", Method: http.MethodGet, Path: "/vector_stores/{vector_store_id}", Served: true,
		Presupposes: retrievedStore,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.VectorStores.Retrieve(ctx, r.IDs[0], r.Options...)
		},
	},
	{
		ID: "modifyVectorStore", Method: http.MethodPost, Path: "/vector_stores/{vector_store_id}", Served: true,
		Presupposes: modifiedStore,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.VectorStoreModifyParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.VectorStores.Modify(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "deleteVectorStore", Method: http.MethodDelete, Path: "/vector_stores/{vector_store_id}", Served: true,
		Presupposes: namedStore,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.VectorStores.Delete(ctx, r.IDs[0], r.Options...)
		},
	},
	{
		ID: "searchVectorStore", Method: http.MethodPost, Path: "/vector_stores/{vector_store_id}/search", Served: true,
		Presupposes: namedStore,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			body, err := params[searchBody](r.Body)
			if err != nil {
				return nil, err
			}
			p, err := body.params()
			if err != nil {
				return nil, err
			}
			return c.VectorStores.Search(ctx, r.IDs[0], p, r.Options...)
		},
	},
}

var storeFileOperations = []Operation{
	{
		ID: "createVectorStoreFile", Method: http.MethodPost, Path: "/vector_stores/{vector_store_id}/files", Served: true,
		Presupposes: namedStore,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.VectorStoreFileCreateParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.VectorStoreFiles.Create(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "listVectorStoreFiles", Method: http.MethodGet, Path: "/vector_stores/{vector_store_id}/files", Served: true,
		Presupposes: listedStoreFiles,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := storeFileParams(r.Query)
			if err != nil {
				return nil, err
			}
			return c.VectorStoreFiles.List(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "getVectorStoreFile", Method: http.MethodGet, Path: "/vector_stores/{vector_store_id}/files/{file_id}", Served: true,
		Presupposes: retrievedStoreFile,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.VectorStoreFiles.Retrieve(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
	{
		ID: "updateVectorStoreFileAttributes", Method: http.MethodPost,
		Path: "/vector_stores/{vector_store_id}/files/{file_id}", Served: true,
		Presupposes: retrievedStoreFile,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.VectorStoreFileModifyParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.VectorStoreFiles.Modify(ctx, r.IDs[0], r.IDs[1], p, r.Options...)
		},
	},
	{
		ID: "deleteVectorStoreFile", Method: http.MethodDelete, Path: "/vector_stores/{vector_store_id}/files/{file_id}", Served: true,
		Presupposes: deletedStoreFile,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.VectorStoreFiles.Delete(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
	{
		ID: "retrieveVectorStoreFileContent", Method: http.MethodGet,
		Path: "/vector_stores/{vector_store_id}/files/{file_id}/content", Served: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.VectorStoreFiles.Content(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
}

var fileBatchOperations = []Operation{
	{
		ID: "createVectorStoreFileBatch", Method: http.MethodPost, Path: "/vector_stores/{vector_store_id}/file_batches", Served: true,
		Creates: true, Presupposes: namedStore,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := batchParams(r.Body)
			if err != nil {
				return nil, err
			}
			return c.FileBatches.Create(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "getVectorStoreFileBatch", Method: http.MethodGet,
		Path: "/vector_stores/{vector_store_id}/file_batches/{batch_id}", Served: true,
		Presupposes: retrievedBatch,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.FileBatches.Retrieve(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
	{
		ID: "cancelVectorStoreFileBatch", Method: http.MethodPost,
		Path: "/vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel", Served: true,
		Presupposes: retrievedBatch,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.FileBatches.Cancel(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
	{
		ID: "listFilesInVectorStoreBatch", Method: http.MethodGet,
		Path: "/vector_stores/{vector_store_id}/file_batches/{batch_id}/files", Served: true,
		Presupposes: listedBatchFiles,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := storeFileParams(r.Query)
			if err != nil {
				return nil, err
			}
			return c.FileBatches.ListFiles(ctx, r.IDs[0], r.IDs[1], p, r.Options...)
		},
	},
}

// batchParams are those of a recorded body, or of any batch if it was not recorded: the client refuses to send one
// without files.
func batchParams(body []byte) (assistants.FileBatchCreateParams, error) {
	if body == nil {
		return assistants.FileBatchCreateParams{FileIDs: []string{"file-unrecorded"}}, nil
	}
	return params[assistants.FileBatchCreateParams](body)
}

// searchBody is a search as it is sent: its query is a string or a list.
type searchBody struct {
	assistants.VectorStoreSearchParams
	Query json.RawMessage `json:"query"`
}

func (b searchBody) params() (p assistants.VectorStoreSearchParams, err error) {
	p = b.VectorStoreSearchParams
	if json.Unmarshal(b.Query, &p.Queries) == nil {
		return p, nil
	}
	p.Query, err = params[string](b.Query)
	return p, err
}
