package assistants

import (
	"context"
	"fmt"
	"iter"
	"strings"
)

// A VectorStoreFile is a file in a vector store. It can be searched when it is [VectorStoreFileCompleted].
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/vector-stores-files/file-object
type VectorStoreFile struct {
	// ID is that of the [File].
	ID string `json:"id"`
	// Object is "vector_store.file".
	Object        string                `json:"object"`
	UsageBytes    int64                 `json:"usage_bytes"`     // that it takes up in the vector store, which is not its size
	CreatedAt     Timestamp             `json:"created_at"`      // when it was added to the vector store
	VectorStoreID string                `json:"vector_store_id"` // of the vector store
	Status        VectorStoreFileStatus `json:"status"`          // how far it is
	// LastError is why it is [VectorStoreFileFailed]; nil otherwise.
	LastError *VectorStoreFileError `json:"last_error"`
	// ChunkingStrategy is how it was cut: what was automatic is told in numbers. nil where a server does not say.
	ChunkingStrategy *ChunkingStrategy `json:"chunking_strategy"`
	Attributes       Attributes        `json:"attributes"` // by which searches can be filtered
}

func (f *VectorStoreFile) check() error   { return checkObject(f.Object, "vector_store.file", f.ID) }
func (f *VectorStoreFile) cursor() string { return f.ID }

func (f *VectorStoreFile) redact(text func(string) string) {
	f.ID, f.VectorStoreID = text(f.ID), text(f.VectorStoreID) // which Err tells too
	if f.LastError != nil {
		f.LastError.Code, f.LastError.Message = text(f.LastError.Code), text(f.LastError.Message)
	}
}

// Err is why the file cannot be searched: its LastError, or that it was cancelled. nil if it can be, or will be.
func (f *VectorStoreFile) Err() error {
	switch {
	case f.LastError != nil:
		return f.LastError
	case f.Status == VectorStoreFileFailed || f.Status == VectorStoreFileCancelled:
		return fmt.Errorf("assistants: file %s in vector store %s: %s", f.ID, f.VectorStoreID, f.Status)
	}
	return nil
}

// A VectorStoreFileStatus is how far a file in a vector store is.
type VectorStoreFileStatus string

// Statuses of files in vector stores.
const (
	VectorStoreFileInProgress VectorStoreFileStatus = "in_progress" // being read
	VectorStoreFileCompleted  VectorStoreFileStatus = "completed"   // can be searched
	VectorStoreFileFailed     VectorStoreFileStatus = "failed"      // see LastError
	VectorStoreFileCancelled  VectorStoreFileStatus = "cancelled"   // given up by the caller
)

// A VectorStoreFileError is why a file could not be added.
type VectorStoreFileError struct {
	// Code is "server_error", "unsupported_file" or "invalid_file".
	Code    string `json:"code"`
	Message string `json:"message"` // for people
}

// Error is code and message.
func (e *VectorStoreFileError) Error() string { return e.Code + ": " + e.Message }

// VectorStoreFileCreateParams name a file that is to be added to a vector store.
type VectorStoreFileCreateParams struct {
	// FileID is that of a file that was uploaded.
	FileID string `json:"file_id"`
	// ChunkingStrategy is how it is cut; automatic if nil.
	ChunkingStrategy *ChunkingStrategy `json:"chunking_strategy,omitzero"`
	// Attributes are information of yours, by which searches can be filtered. nil and empty are none.
	Attributes Attributes `json:"attributes,omitzero"`
}

// VectorStoreFileModifyParams describe a change of a file in a vector store.
type VectorStoreFileModifyParams struct {
	// Attributes replace all there are. nil: none.
	Attributes Attributes `json:"attributes"`
}

// VectorStoreFileListParams choose a part of the files in a vector store or a batch. The zero value is the newest page.
type VectorStoreFileListParams struct {
	// Filter chooses the files of one status. Empty: all.
	Filter VectorStoreFileStatus `url:"filter,omitempty"`
	// Limit, Order, After and Before are those of [ListParams].
	Limit  int    `url:"limit,omitempty"`
	Order  Order  `url:"order,omitempty"`
	After  string `url:"after,omitempty"`  // the id of a file
	Before string `url:"before,omitempty"` // the id of a file
}

// part is the part of the list that p chooses.
func (p *VectorStoreFileListParams) part() ListParams {
	return ListParams{p.Limit, p.Order, p.After, p.Before}
}

// at is p for another part of the list.
func (p *VectorStoreFileListParams) at(q ListParams) VectorStoreFileListParams {
	return VectorStoreFileListParams{p.Filter, q.Limit, q.Order, q.After, q.Before}
}

// VectorStoreFileContent is the text that was made of a file for searching.
//
// Reference: https://platform.openai.com/docs/api-reference/vector-stores-files/getContent
type VectorStoreFileContent struct {
	// Object is "vector_store.file_content.page".
	Object   string              `json:"object"`
	Data     []FileSearchContent `json:"data"`      // in the order of the file
	HasMore  bool                `json:"has_more"`  // there is more text
	NextPage string              `json:"next_page"` // "" if there is no more
}

const fileContentObject = "vector_store.file_content.page"

func (c *VectorStoreFileContent) check() error {
	if c.Object != fileContentObject && (c.Object != "" || c.Data == nil) {
		return fmt.Errorf("the answer is of type %q instead of %q", c.Object, fileContentObject)
	}
	return nil
}

// Text is the text of this page, one part below the other. There is more if HasMore says so; no call fetches it by NextPage.
func (c *VectorStoreFileContent) Text() string { return textOf(c.Data) }

func textOf(parts []FileSearchContent) string {
	texts := make([]string, len(parts))
	for i := range parts {
		texts[i] = parts[i].Text
	}
	return strings.Join(texts, "\n")
}

// VectorStoreFilesService is the files in vector stores of a [Client].
type VectorStoreFilesService service

// Create adds a file to a vector store. It is read afterwards: see [VectorStoreFilesService.CreateAndPoll].
//
// POST /vector_stores/{vector_store_id}/files: https://platform.openai.com/docs/api-reference/vector-stores-files/createFile
func (s *VectorStoreFilesService) Create(ctx context.Context, vectorStoreID string, params VectorStoreFileCreateParams, opts ...RequestOption) (*VectorStoreFile, error) {
	return call(ctx, s.core, post(params, "vector_stores", vectorStoreID, "files"), new(VectorStoreFile), opts)
}

// Retrieve returns a file in a vector store, or an error that is [ErrNotFound].
//
// GET /vector_stores/{vector_store_id}/files/{file_id}: https://platform.openai.com/docs/api-reference/vector-stores-files/getFile
func (s *VectorStoreFilesService) Retrieve(ctx context.Context, vectorStoreID, fileID string, opts ...RequestOption) (*VectorStoreFile, error) {
	return call(ctx, s.core, get("vector_stores", vectorStoreID, "files", fileID), new(VectorStoreFile), opts)
}

// Modify changes a file's attributes in a vector store and returns the file as it then is.
//
// POST /vector_stores/{vector_store_id}/files/{file_id}: https://platform.openai.com/docs/api-reference/vector-stores-files/updateAttributes
func (s *VectorStoreFilesService) Modify(ctx context.Context, vectorStoreID, fileID string, params VectorStoreFileModifyParams, opts ...RequestOption) (*VectorStoreFile, error) {
	return call(ctx, s.core, post(params, "vector_stores", vectorStoreID, "files", fileID), new(VectorStoreFile), opts)
}

// Delete takes a file out of a vector store. The file itself stays.
//
// DELETE /vector_stores/{vector_store_id}/files/{file_id}: https://platform.openai.com/docs/api-reference/vector-stores-files/deleteFile
func (s *VectorStoreFilesService) Delete(ctx context.Context, vectorStoreID, fileID string, opts ...RequestOption) (*Deleted, error) {
	return remove(ctx, s.core, "vector_store.file.deleted", opts, "vector_stores", vectorStoreID, "files", fileID)
}

// Content returns the text that was made of a file.
//
// GET /vector_stores/{vector_store_id}/files/{file_id}/content: https://platform.openai.com/docs/api-reference/vector-stores-files/getContent
func (s *VectorStoreFilesService) Content(ctx context.Context, vectorStoreID, fileID string, opts ...RequestOption) (*VectorStoreFileContent, error) {
	return call(ctx, s.core, get("vector_stores", vectorStoreID, "files", fileID, "content"), new(VectorStoreFileContent), opts)
}

// List returns a page of the files in a vector store; the newest 20 if params is zero.
//
// GET /vector_stores/{vector_store_id}/files: https://platform.openai.com/docs/api-reference/vector-stores-files/listFiles
func (s *VectorStoreFilesService) List(ctx context.Context, vectorStoreID string, params VectorStoreFileListParams, opts ...RequestOption) (*Page[VectorStoreFile], error) {
	return list[VectorStoreFile](ctx, s.core, get("vector_stores", vectorStoreID, "files"), params, opts)
}

// All iterates over the files in a vector store, in the way of [AssistantsService.All].
//
// GET /vector_stores/{vector_store_id}/files: https://platform.openai.com/docs/api-reference/vector-stores-files/listFiles
func (s *VectorStoreFilesService) All(ctx context.Context, vectorStoreID string, params VectorStoreFileListParams, opts ...RequestOption) iter.Seq2[*VectorStoreFile, error] {
	return all[*VectorStoreFile](params.part(), func(p ListParams) (any, error) {
		return s.List(ctx, vectorStoreID, params.at(p), opts...)
	})
}
