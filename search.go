package assistants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// VectorStoreSearchParams are a question to a vector store.
type VectorStoreSearchParams struct {
	// Query is what to look for.
	Query string `json:"query"`
	// Queries are sent instead of Query, for more than one. Both at once are an error of the call.
	Queries []string `json:"-"`
	// RewriteQuery has the service put the question into words that are easier to find.
	RewriteQuery bool `json:"rewrite_query,omitzero"`
	// MaxNumResults is 1 to 50. 0 leaves it to the service, which takes 10.
	MaxNumResults int `json:"max_num_results,omitzero"`
	// Filters choose files by their attributes. nil: all of them.
	Filters *Filter `json:"filters,omitzero"`
	// RankingOptions are nil for the service's own.
	RankingOptions *SearchRankingOptions `json:"ranking_options,omitzero"`
}

// SearchRankingOptions say how the results of a search are ranked. They are not those of the file search tool, whose
// rankers have other names: see [RankingOptions].
type SearchRankingOptions struct {
	// Ranker is "auto", "none" (no second ranking, which is faster) or one by name, such as "default-2024-11-15". Empty
	// leaves it to the service, which takes "auto".
	Ranker string `json:"ranker,omitzero"`
	// ScoreThreshold leaves out results that score less; 0 to 1. nil leaves it to the service, which takes 0.
	ScoreThreshold *float64 `json:"score_threshold,omitzero"`
}

// MarshalJSON writes Query, or Queries in its place.
func (p VectorStoreSearchParams) MarshalJSON() ([]byte, error) {
	type wire VectorStoreSearchParams // without this method
	switch {
	case p.Queries == nil && p.Query == "":
		return nil, errors.New("search has no query")
	case p.Queries == nil:
		return json.Marshal(wire(p))
	case p.Query != "":
		return nil, errors.New("search has Query and Queries at once")
	}
	return json.Marshal(struct {
		wire
		Query []string `json:"query"`
	}{wire(p), p.Queries})
}

// VectorStoreSearchResults are what a search has found.
//
// Reference: https://platform.openai.com/docs/api-reference/vector-stores/search
type VectorStoreSearchResults struct {
	// Object is "vector_store.search_results.page".
	Object string `json:"object"`
	// SearchQuery is what was looked for, rewritten if that was asked for.
	SearchQuery SearchQuery               `json:"search_query"`
	Data        []VectorStoreSearchResult `json:"data"`      // best first
	HasMore     bool                      `json:"has_more"`  // there are more results
	NextPage    string                    `json:"next_page"` // "" if there are no more
}

const searchResultsObject = "vector_store.search_results.page"

func (r *VectorStoreSearchResults) check() error {
	if r.Object != searchResultsObject && (r.Object != "" || r.Data == nil) {
		return fmt.Errorf("the answer is of type %q instead of %q", r.Object, searchResultsObject)
	}
	return nil
}

// A SearchQuery is one question or several. Some servers write one as a string, and the service writes a list.
type SearchQuery []string

// UnmarshalJSON reads a list, or a string as a list of one.
func (q *SearchQuery) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); !bytes.HasPrefix(data, []byte(`"`)) {
		return json.Unmarshal(data, (*[]string)(q))
	}
	var one string
	err := json.Unmarshal(data, &one)
	*q = SearchQuery{one}
	return err
}

// A VectorStoreSearchResult is a piece of a file that was found.
type VectorStoreSearchResult struct {
	FileID     string              `json:"file_id"`    // of the file
	Filename   string              `json:"filename"`   // of the file
	Score      float64             `json:"score"`      // 0 to 1
	Attributes Attributes          `json:"attributes"` // of the file in the vector store
	Content    []FileSearchContent `json:"content"`    // what the piece says
}

// Text is what the piece says: that of its contents, one below the other.
func (r *VectorStoreSearchResult) Text() string { return textOf(r.Content) }

// Search looks for pieces of files that answer a question, best first.
//
// POST /vector_stores/{vector_store_id}/search: https://platform.openai.com/docs/api-reference/vector-stores/search
func (s *VectorStoresService) Search(ctx context.Context, vectorStoreID string, params VectorStoreSearchParams, opts ...RequestOption) (*VectorStoreSearchResults, error) {
	return call(ctx, s.core, post(params, "vector_stores", vectorStoreID, "search"), new(VectorStoreSearchResults), opts)
}
