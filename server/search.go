package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/assistants-go/assistants"
)

// Searching vector stores: section 18 of docs/protocol.md.

// Limits of a search. Those of the queries are inferred.
const (
	defaultSearchResults = 10
	maxSearchResults     = 50
	maxQueries           = 64
	maxQueryLength       = 32_000
)

var searchRule = closed{properties: []property{
	{key: "query", rule: searchQuery{}, required: true},
	{key: "rewrite_query", rule: nullable{boolean{}, "false"}},
	{key: "max_num_results", rule: nullable{integer{1, maxSearchResults}, "null"}},
	{key: "filters", rule: nullable{attributeFilter{}, "null"}},
	{key: "ranking_options", rule: nullable{closed{properties: []property{
		{key: "ranker", rule: nullable{enum{"none", "auto", "default-2024-11-15"}, `"auto"`}},
		{key: "score_threshold", rule: nullable{decimal{0, 1}, "0.0"}},
	}}, "null"}},
}}

// searchQuery is a text or several. It is answered as several.
type searchQuery struct{}

var queryText = text{min: 1, max: maxQueryLength}

func (searchQuery) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	switch got := kindOf(raw); got {
	case kindString:
		value, err := queryText.check(path, raw)
		return renderArray([]json.RawMessage{value}), err
	case kindArray:
		return array{plural: "strings", min: 1, max: maxQueries, item: queryText}.check(path, raw)
	default:
		return nil, errQueryType(path, string(got))
	}
}

// errQueryType is inferred: the text for a value that may be of two types.
func errQueryType(path, got string) *apiError {
	return errType(path, "one of a string or an array of strings", got)
}

// searchVectorStore is POST /vector_stores/{vector_store_id}/search. Queries are searched for as they are, also if
// they may be rewritten.
func (s *Server) searchVectorStore(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, searchRule)
	if err != nil {
		return reply{}, err
	}
	q, err := searchQueryOf(given)
	if err != nil {
		return reply{}, err
	}
	id := c.ids[0]
	record, err := s.vectorStore(ctx, id)
	if err != nil {
		return reply{}, err
	}
	if storeExpired(record) {
		return reply{}, errStoreExpired(id)
	}
	passages, err := s.search(ctx, []string{id}, q)
	if err != nil {
		return reply{}, err
	}
	items := make([]json.RawMessage, len(passages))
	for i, p := range passages {
		items[i] = searchResult(p)
	}
	return ok(object{
		{"object", json.RawMessage(`"vector_store.search_results.page"`)},
		{"search_query", given.get("query")},
		{"data", renderArray(items)},
		{"has_more", json.RawMessage("false")},
		{"next_page", json.RawMessage("null")},
	}.render())
}

// searchQueryOf returns what a checked request asks for.
func searchQueryOf(given object) (IndexQuery, error) {
	q := IndexQuery{Queries: textsOf(given.get("query")), MaxResults: defaultSearchResults}
	if n := unlessNull(given.get("max_num_results")); n != nil {
		if err := json.Unmarshal(n, &q.MaxResults); err != nil {
			return q, err
		}
	}
	if threshold := membersOf(given.get("ranking_options")).get("score_threshold"); threshold != nil {
		if err := json.Unmarshal(threshold, &q.ScoreThreshold); err != nil {
			return q, err
		}
	}
	filters := unlessNull(given.get("filters"))
	if filters == nil {
		return q, nil
	}
	q.Filter = new(assistants.Filter)
	return q, json.Unmarshal(filters, q.Filter)
}

// searchResult is a passage as it is answered.
func searchResult(p Passage) json.RawMessage {
	attributes := emptyObject()
	if len(p.Attributes) > 0 {
		attributes = encode(p.Attributes)
	}
	return object{
		{"file_id", quote(p.FileID)},
		{"filename", quote(p.FileName)},
		{"score", formatDecimal(p.Score)},
		{"attributes", attributes},
		{"content", renderArray([]json.RawMessage{
			object{{"type", json.RawMessage(`"text"`)}, {"text", quote(p.Text)}}.render(),
		})},
	}.render()
}

// search returns the passages of several vector stores that answer a query, best first, each once. It counts as a use
// of the stores. Those that are not there any more, or have expired, have nothing to say, which is inferred.
func (s *Server) search(ctx context.Context, storeIDs []string, q IndexQuery) ([]Passage, error) {
	var found []Passage
	for _, id := range storeIDs {
		passages, err := s.searchStore(ctx, id, q)
		if errors.Is(err, ErrNotFound) || errors.As(err, new(*apiError)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, p := range passages {
			again := func(other Passage) bool { return other.FileID == p.FileID && other.Text == p.Text }
			if !slices.ContainsFunc(found, again) {
				found = append(found, p)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Passage) int { return cmp.Compare(b.Score, a.Score) })
	return found[:min(len(found), q.MaxResults)], nil
}

// searchStore searches one vector store, or returns ErrNotFound, or the error for an expired one.
func (s *Server) searchStore(ctx context.Context, id string, q IndexQuery) ([]Passage, error) {
	if err := s.meet(ctx, id); err != nil {
		return nil, err
	}
	if err := s.touchStore(ctx, id); err != nil {
		return nil, err
	}
	sh := s.ingest.enter(id)
	defer s.ingest.leave(sh)
	if err := s.refresh(ctx, sh); err != nil {
		return nil, err
	}
	passages, err := s.retriever.Search(ctx, id, q)
	if err != nil {
		return nil, err
	}
	return s.present(ctx, id, passages)
}

// present leaves out the passages of files that have left the store while they were read: their index is the last to
// go.
func (s *Server) present(ctx context.Context, storeID string, passages []Passage) ([]Passage, error) {
	there := make(map[string]bool)
	var left []Passage
	for _, p := range passages {
		if _, known := there[p.FileID]; !known {
			record, err := s.store.Get(ctx, vectorStoreFiles(storeID), p.FileID)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, err
			}
			there[p.FileID] = err == nil && statusOf(record) == statusCompleted
		}
		if there[p.FileID] {
			left = append(left, p)
		}
	}
	return left, nil
}
