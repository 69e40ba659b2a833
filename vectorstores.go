package assistants

import (
	"context"
	"encoding/json"
	"iter"
)

// A VectorStore is a collection of files that can be searched: cut into chunks, and found by what they say.
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/vector-stores/object
type VectorStore struct {
	// ID begins with "vs_".
	ID string `json:"id"`
	// Object is "vector_store".
	Object    string    `json:"object"`
	CreatedAt Timestamp `json:"created_at"` // when it was made
	// Name and Description are "" if there is none.
	Name        string            `json:"name"`
	Description string            `json:"description"`
	UsageBytes  int64             `json:"usage_bytes"` // that its files take up, ready to be searched
	FileCounts  FileCounts        `json:"file_counts"` // its files by their status
	Status      VectorStoreStatus `json:"status"`      // how far it is
	// ExpiresAfter is nil if it does not expire.
	ExpiresAfter *VectorStoreExpiration `json:"expires_after"`
	ExpiresAt    Timestamp              `json:"expires_at"`     // when it will expire unless it is used; zero: never
	LastActiveAt Timestamp              `json:"last_active_at"` // when it was last used
	Metadata     Metadata               `json:"metadata"`       // empty if there is none
}

func (v *VectorStore) check() error   { return checkObject(v.Object, "vector_store", v.ID) }
func (v *VectorStore) cursor() string { return v.ID }

// A VectorStoreStatus is how far a vector store is.
type VectorStoreStatus string

// Statuses of vector stores.
const (
	VectorStoreInProgress VectorStoreStatus = "in_progress" // files are being added
	VectorStoreCompleted  VectorStoreStatus = "completed"   // it is ready, though files may have failed
	VectorStoreExpired    VectorStoreStatus = "expired"     // nobody used it, and it cannot be used any more
)

// FileCounts are numbers of files by their status.
type FileCounts struct {
	InProgress int `json:"in_progress"` // being added
	Completed  int `json:"completed"`   // that can be searched
	Failed     int `json:"failed"`      // that could not be added
	Cancelled  int `json:"cancelled"`   // given up by the caller
	Total      int `json:"total"`       // all of them
}

// A VectorStoreExpiration says for how long a vector store lives without being used.
type VectorStoreExpiration struct {
	// Anchor is the moment from which time is counted. Empty is [AnchorLastActiveAt].
	Anchor ExpirationAnchor `json:"anchor"`
	// Days are 1 to 365.
	Days int `json:"days"`
}

// MarshalJSON writes the expiration with its anchor.
func (e VectorStoreExpiration) MarshalJSON() ([]byte, error) {
	type wire VectorStoreExpiration // without this method
	if e.Anchor == "" {
		e.Anchor = AnchorLastActiveAt
	}
	return json.Marshal(wire(e))
}

// VectorStoreCreateParams describe a new vector store. The zero value is an empty one without a name.
type VectorStoreCreateParams struct {
	// FileIDs are up to 500 files to be added. nil and empty are none.
	FileIDs []string `json:"file_ids,omitzero"`
	// Name and Description are yours to choose. Empty: none.
	Name        string `json:"name,omitzero"`
	Description string `json:"description,omitzero"`
	// ExpiresAfter has it expire when it is not used. nil: never.
	ExpiresAfter *VectorStoreExpiration `json:"expires_after,omitzero"`
	// ChunkingStrategy is for FileIDs; automatic if nil.
	ChunkingStrategy *ChunkingStrategy `json:"chunking_strategy,omitzero"`
	// Metadata is information of yours. nil and empty are none.
	Metadata Metadata `json:"metadata,omitzero"`
}

// VectorStoreModifyParams describe a change of a vector store. What is left zero stays as it is.
type VectorStoreModifyParams struct {
	// Name is replaced. Null: none.
	Name Optional[string] `json:"name,omitzero"`
	// ExpiresAfter is replaced. Null: it does not expire any more.
	ExpiresAfter Optional[VectorStoreExpiration] `json:"expires_after,omitzero"`
	// Metadata replaces all pairs. Null: none.
	Metadata Optional[Metadata] `json:"metadata,omitzero"`
}

// VectorStoresService is the vector stores of a [Client].
type VectorStoresService service

// Create makes a vector store. Its FileIDs are added afterwards: see [VectorStore].Status.
//
// POST /vector_stores: https://platform.openai.com/docs/api-reference/vector-stores/create
func (s *VectorStoresService) Create(ctx context.Context, params VectorStoreCreateParams, opts ...RequestOption) (*VectorStore, error) {
	return call(ctx, s.core, post(params, "vector_stores"), new(VectorStore), opts)
}

// Retrieve returns a vector store, or an error that is [ErrNotFound].
//
// GET /vector_stores/{vector_store_id}: https://platform.openai.com/docs/api-reference/vector-stores/retrieve
func (s *VectorStoresService) Retrieve(ctx context.Context, vectorStoreID string, opts ...RequestOption) (*VectorStore, error) {
	return call(ctx, s.core, get("vector_stores", vectorStoreID), new(VectorStore), opts)
}

// Modify changes what params name and returns the vector store as it then is.
//
// POST /vector_stores/{vector_store_id}: https://platform.openai.com/docs/api-reference/vector-stores/modify
func (s *VectorStoresService) Modify(ctx context.Context, vectorStoreID string, params VectorStoreModifyParams, opts ...RequestOption) (*VectorStore, error) {
	return call(ctx, s.core, post(params, "vector_stores", vectorStoreID), new(VectorStore), opts)
}

// Delete deletes a vector store. Its files stay.
//
// DELETE /vector_stores/{vector_store_id}: https://platform.openai.com/docs/api-reference/vector-stores/delete
func (s *VectorStoresService) Delete(ctx context.Context, vectorStoreID string, opts ...RequestOption) (*Deleted, error) {
	return remove(ctx, s.core, "vector_store.deleted", opts, "vector_stores", vectorStoreID)
}

// List returns a page of vector stores; the newest 20 if params is zero.
//
// GET /vector_stores: https://platform.openai.com/docs/api-reference/vector-stores/list
func (s *VectorStoresService) List(ctx context.Context, params ListParams, opts ...RequestOption) (*Page[VectorStore], error) {
	return list[VectorStore](ctx, s.core, get("vector_stores"), params, opts)
}

// All iterates over vector stores, in the way of [AssistantsService.All].
//
// GET /vector_stores: https://platform.openai.com/docs/api-reference/vector-stores/list
func (s *VectorStoresService) All(ctx context.Context, params ListParams, opts ...RequestOption) iter.Seq2[*VectorStore, error] {
	return all[*VectorStore](params, func(p ListParams) (any, error) { return s.List(ctx, p, opts...) })
}
