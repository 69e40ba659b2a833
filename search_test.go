package assistants_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const fullResults = `{"object":"vector_store.search_results.page","search_query":["who sails"],"data":[
	{"file_id":"file-1","filename":"lighthouse.txt","score":0.75,"attributes":{"year":1927},
		"content":[{"type":"text","text":"Mr Ramsay"},{"type":"text","text":"sails."}]},
	{"file_id":"file-2","filename":"waves.txt","score":0,"attributes":null,"content":[]}],"has_more":true,"next_page":"p2"}`

func jsonOf(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// trimmed is a key of a table without the spaces that make it different from another.
func trimmed(key string) string { return strings.TrimRight(key, " ") }

func TestSearchRequests(t *testing.T) {
	t.Parallel()
	search := func(params assistants.VectorStoreSearchParams) func(context.Context, *assistants.Client) (string, error) {
		return func(ctx context.Context, c *assistants.Client) (string, error) {
			results, err := c.VectorStores.Search(ctx, "vs_1", params)
			if err != nil {
				return "", err
			}
			return results.Data[0].Text(), nil
		}
	}
	year := assistants.FilterAnd(assistants.FilterGte("year", 1920), assistants.FilterNin("author", "Joyce", "Eliot"))
	const path = "/vector_stores/vs_1/search"
	checkExchanges(t, []exchange{
		{"a query", "POST", path, `{"query":"q"}`, fullResults, "Mr Ramsay\nsails.", search(assistants.VectorStoreSearchParams{Query: "q"})},
		{"queries", "POST", path, `{"query":["p","q"]}`, fullResults, "Mr Ramsay\nsails.", search(assistants.VectorStoreSearchParams{Queries: []string{"p", "q"}})},
		{"one of several", "POST", path, `{"query":["q"]}`, fullResults, "Mr Ramsay\nsails.", search(assistants.VectorStoreSearchParams{Queries: []string{"q"}})},
		{"none of several", "POST", path, `{"query":[]}`, fullResults, "Mr Ramsay\nsails.", search(assistants.VectorStoreSearchParams{Queries: []string{}})},
		{"everything", "POST", path, `{"query":"q","rewrite_query":true,"max_num_results":5,"filters":{"type":"and","filters":[
			{"type":"gte","key":"year","value":1920},{"type":"nin","key":"author","value":["Joyce","Eliot"]}]},
			"ranking_options":{"ranker":"none","score_threshold":0}}`, fullResults, "Mr Ramsay\nsails.", search(assistants.VectorStoreSearchParams{
			Query: "q", RewriteQuery: true, MaxNumResults: 5, Filters: &year,
			RankingOptions: &assistants.SearchRankingOptions{Ranker: "none", ScoreThreshold: new(0.0)},
		})},
		{"everything of several", "POST", path, `{"query":["q"],"rewrite_query":true,"max_num_results":5,
			"filters":{"type":"eq","key":"year","value":1927},"ranking_options":{}}`, fullResults, "Mr Ramsay\nsails.",
			search(assistants.VectorStoreSearchParams{
				Queries: []string{"q"}, RewriteQuery: true, MaxNumResults: 5, Filters: new(assistants.FilterEq("year", 1927)),
				RankingOptions: &assistants.SearchRankingOptions{},
			})},
	})
}

// What contradicts itself is an error, and nothing is sent.
func TestSearchContradictions(t *testing.T) {
	t.Parallel()
	for want, params := range map[string]assistants.VectorStoreSearchParams{
		"search has no query":                   {MaxNumResults: 3},
		"search has Query and Queries at once":  {Query: "q", Queries: []string{"q"}},
		"search has Query and Queries at once ": {Query: "q", Queries: []string{}},
		"filter has no type":                    {Query: "q", Filters: &assistants.Filter{}},
		"filter has no type ":                   {Queries: []string{"q"}, Filters: new(assistants.FilterOr(assistants.Filter{Key: "k"}))},
		`filter of type "and" compares at once`: {Query: "q", Filters: &assistants.Filter{Type: assistants.FilterTypeAnd, Key: "k"}},
		`filter of type "eq" combines at once`:  {Query: "q", Filters: &assistants.Filter{Type: assistants.FilterTypeEq, Filters: []assistants.Filter{}}},
		`filter of type "in" has Value and Values at once`: {Query: "q", Filters: &assistants.Filter{Type: assistants.FilterTypeIn, Key: "k",
			Value: assistants.AttributeOf(1), Values: []assistants.Attribute{assistants.AttributeOf(1)}}},
	} {
		tr := newTransport(t, answer(http.StatusOK, fullResults))
		_, err := newClient(t, tr).VectorStores.Search(t.Context(), "vs_1", params)
		require.EqualError(t, err, "assistants: POST /vector_stores/vs_1/search: "+trimmed(want))
		assert.Empty(t, tr.requests())
	}
}

func TestSearchDecode(t *testing.T) {
	t.Parallel()
	search := func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreSearchResults, error) {
		return c.VectorStores.Search(ctx, "vs_1", assistants.VectorStoreSearchParams{Query: "q"})
	}
	const object = "vector_store.search_results.page"
	for name, test := range map[string]struct {
		body string
		want assistants.VectorStoreSearchResults
	}{
		"every field": {fullResults, assistants.VectorStoreSearchResults{
			Object: object, SearchQuery: assistants.SearchQuery{"who sails"}, HasMore: true, NextPage: "p2",
			Data: []assistants.VectorStoreSearchResult{
				{FileID: "file-1", Filename: "lighthouse.txt", Score: 0.75, Attributes: assistants.Attributes{"year": assistants.AttributeOf(1927)},
					Content: []assistants.FileSearchContent{{Type: "text", Text: "Mr Ramsay"}, {Type: "text", Text: "sails."}}},
				{FileID: "file-2", Filename: "waves.txt", Content: []assistants.FileSearchContent{}},
			},
		}},
		"a query that is a string": {`{"object":"` + object + `","search_query": "who \"sails\"","data":[]}`, assistants.VectorStoreSearchResults{
			Object: object, SearchQuery: assistants.SearchQuery{`who "sails"`}, Data: []assistants.VectorStoreSearchResult{}}},
		"several queries": {`{"object":"` + object + `","search_query":["a","b"],"data":[],"next_page":null}`, assistants.VectorStoreSearchResults{
			Object: object, SearchQuery: assistants.SearchQuery{"a", "b"}, Data: []assistants.VectorStoreSearchResult{}}},
		"null everywhere": {`{"object":"` + object + `","search_query":null,"data":null,"has_more":null,"next_page":null}`,
			assistants.VectorStoreSearchResults{Object: object}},
		"null within": {`{"object":"` + object + `","data":[{"file_id":null,"filename":null,"score":null,"attributes":null,"content":null}]}`,
			assistants.VectorStoreSearchResults{Object: object, Data: []assistants.VectorStoreSearchResult{{}}}},
		"without its type": {`{"data":[],"new":1}`, assistants.VectorStoreSearchResults{Data: []assistants.VectorStoreSearchResult{}}},
		"content that is unknown": {`{"data":[{"file_id":"file-1","content":[{"type":"table","text":{"rows":2}},{"type":"text","text":"t"}]}]}`,
			assistants.VectorStoreSearchResults{Data: []assistants.VectorStoreSearchResult{{FileID: "file-1",
				Content: []assistants.FileSearchContent{{Type: "table"}, {Type: "text", Text: "t"}}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results := decodedBy(t, test.body, search)
			assert.Equal(t, &test.want, results)
			checkStored(t, results, true, search)
		})
	}
	for _, query := range []string{`7`, `{"text":"q"}`, `[7]`} {
		_, err := search(t.Context(), newClient(t, newTransport(t, answer(200, `{"data":[],"search_query":`+query+`}`))))
		_, ok := assistantsError(err)
		assert.True(t, ok, query)
	}
}

func TestSearchText(t *testing.T) {
	t.Parallel()
	assert.Empty(t, new(assistants.VectorStoreSearchResult).Text())
	part := func(text string) assistants.FileSearchContent { return assistants.FileSearchContent{Text: text} }
	one := assistants.VectorStoreSearchResult{Content: []assistants.FileSearchContent{part("a")}}
	assert.Equal(t, "a", one.Text())
	one.Content = append(one.Content, part(""), part("c"))
	assert.Equal(t, "a\n\nc", one.Text())
}
