package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// foundPassage is what tests look at of a search result.
type foundPassage struct {
	FileID   string `json:"file_id"`
	Filename string
	Score    float64
	Content  []struct{ Type, Text string }
}

// find searches a store.
func (a *api) find(store, body string) []foundPassage {
	a.t.Helper()
	return field[[]foundPassage](a.t, a.ok("POST", store+"/search", body), "data")
}

// doIn sends a request with a context.
func (a *api) doIn(ctx context.Context, method, target, body string) answer {
	r := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return answer{status: w.Code, header: http.Header{}, body: w.Body.String()}
}

// retrieverFunc is a retriever that finds what a function says.
type retrieverFunc func(store string, q server.IndexQuery) ([]server.Passage, error)

func (retrieverFunc) Index(context.Context, string, server.IndexedFile) error { return nil }
func (retrieverFunc) Describe(context.Context, string, string, assistants.Attributes) error {
	return nil
}
func (retrieverFunc) Has(context.Context, string, string) (bool, error) { return true, nil }
func (retrieverFunc) Remove(context.Context, string, string) error      { return nil }
func (retrieverFunc) Drop(context.Context, string) error                { return nil }
func (f retrieverFunc) Search(_ context.Context, store string, q server.IndexQuery) ([]server.Passage, error) {
	return f(store, q)
}

// passagesOf are passages of file_1 and file_2.
func passagesOf(string, server.IndexQuery) ([]server.Passage, error) {
	return []server.Passage{
		{FileID: "file_1", FileName: "a.txt", Text: "one", Score: 0.9, Attributes: assistants.Attributes{"k": assistants.AttributeOf(1.50)}},
		{FileID: "file_2", FileName: "b.txt", Text: "two", Score: 1},
	}, nil
}

func TestSearchVectorStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, server.WithRetriever(retrieverFunc(passagesOf)))
		a.uploads(2)
		store := a.newStore("file_1", "file_2")
		synctest.Wait()
		assert.Equal(t, `{"object":"vector_store.search_results.page","search_query":["x"],"data":[`+
			`{"file_id":"file_2","filename":"b.txt","score":1.0,"attributes":{},"content":[{"type":"text","text":"two"}]},`+
			`{"file_id":"file_1","filename":"a.txt","score":0.9,"attributes":{"k":1.5},"content":[{"type":"text","text":"one"}]}],`+
			`"has_more":false,"next_page":null}`, a.ok("POST", store+"/search", `{"query":"x"}`))
		empty := a.newStore()
		assert.Equal(t, `{"object":"vector_store.search_results.page","search_query":["x","y"],"data":[],"has_more":false,"next_page":null}`,
			a.ok("POST", empty+"/search", `{"query":["x","y"],"rewrite_query":true}`), "passages of files that have left are left out")
	})
}

// What a retriever is asked is what the request says.
func TestWhatARetrieverIsAsked(t *testing.T) {
	t.Parallel()
	asked := make(chan server.IndexQuery, 1)
	a := newAPI(t, server.WithRetriever(retrieverFunc(func(_ string, q server.IndexQuery) ([]server.Passage, error) {
		asked <- q
		return nil, nil
	})))
	store := a.newStore()
	in := assistants.FilterIn("k", "a", "b")
	in.Values = append(in.Values, assistants.AttributeOf(3))
	nested := assistants.FilterOr(assistants.FilterAnd(assistants.FilterGte("n", 1.5), assistants.FilterNe("b", true)), in)
	for body, want := range map[string]server.IndexQuery{
		`{"query":"x"}`: {Queries: []string{"x"}, MaxResults: 10},
		`{"query":["x","é"],"max_num_results":50,"ranking_options":{"ranker":"none","score_threshold":0.25}}`: {
			Queries: []string{"x", "é"}, MaxResults: 50, ScoreThreshold: 0.25},
		`{"query":"x","max_num_results":null,"filters":null,"ranking_options":null,"rewrite_query":null}`:            {Queries: []string{"x"}, MaxResults: 10},
		`{"query":"x","ranking_options":{"ranker":"default-2024-11-15","score_threshold":null},"max_num_results":1}`: {Queries: []string{"x"}, MaxResults: 1},
		`{"query":"x","filters":{"type":"eq","key":"k","value":"v"}}`: {
			Queries: []string{"x"}, MaxResults: 10, Filter: new(assistants.FilterEq("k", "v"))},
		`{"query":"x","filters":{"type":"or","filters":[{"type":"and","filters":[{"type":"gte","key":"n","value":1.5},
			{"value":true,"type":"ne","key":"b"}]},{"type":"in","key":"k","value":["a","b",3]}]}}`: {
			Queries: []string{"x"}, MaxResults: 10, Filter: &nested},
	} {
		a.ok("POST", store+"/search", body)
		assert.Equal(t, want, <-asked, body)
	}
}

// Every comparison, through the default retriever.
func TestSearchFilters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.uploads(4)
		store := a.newStore()
		for file, attributes := range map[string]string{
			"file_1": `{"n":1,"s":"a","b":true}`, "file_2": `{"n":2,"s":"b","b":false}`, "file_3": `{"n":2.5,"s":"c"}`, "file_4": `null`,
		} {
			a.ok("POST", store+"/files", `{"file_id":"`+file+`","attributes":`+attributes+`}`)
		}
		synctest.Wait()
		compare := func(kind, key, value string) string {
			return `{"type":"` + kind + `","key":"` + key + `","value":` + value + `}`
		}
		combine := func(kind string, filters ...string) string {
			return `{"type":"` + kind + `","filters":[` + strings.Join(filters, ",") + `]}`
		}
		for filter, want := range map[string]string{
			compare("eq", "s", `"a"`):            "1",
			compare("eq", "n", `2.0`):            "2",
			compare("eq", "b", `true`):           "1",
			compare("eq", "n", `"2"`):            "",
			compare("ne", "s", `"a"`):            "2 3 4",
			compare("gt", "n", `2`):              "3",
			compare("gte", "n", `2`):             "2 3",
			compare("lt", "n", `2`):              "1",
			compare("lte", "n", `2`):             "1 2",
			compare("in", "s", `["a","c","x"]`):  "1 3",
			compare("in", "n", `[1,2.5,"a"]`):    "1 3",
			compare("nin", "s", `["a","c","x"]`): "2 4",
			compare("in", "s", `[]`):             "",
			combine("and", compare("gte", "n", "2"), compare("ne", "s", `"c"`)):                                          "2",
			combine("or", compare("eq", "n", "1"), compare("eq", "s", `"c"`)):                                            "1 3",
			combine("and", combine("or", compare("eq", "n", "1"), compare("eq", "n", "2")), compare("eq", "b", "false")): "2",
			combine("and"): "1 2 3 4",
			combine("or"):  "",
		} {
			found := map[string]bool{}
			for _, p := range a.find(store, `{"query":"content","filters":`+filter+`}`) {
				found[p.FileID] = true
			}
			var ids []string
			for n := 1; n <= 4; n++ {
				if found[fmt.Sprintf("file_%d", n)] {
					ids = append(ids, fmt.Sprint(n))
				}
			}
			assert.Equal(t, want, strings.Join(ids, " "), filter)
		}
	})
}

func TestRefusedSearches(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	search := a.newStore() + "/search"
	filters := func(filter string) string { return `{"query":"x","filters":` + filter + `}` }
	deep := strings.Repeat(`{"type":"and","filters":[`, 17) + strings.Repeat(`]}`, 17)
	path := "filters" + strings.Repeat(".filters[0]", 16)
	many := `{"type":"or","filters":[` + items(255, `{"type":"eq","key":"k","value":1}`) + `]}`
	for _, test := range []invalidBody{
		missingKey("query", `{}`),
		unknownKey("limit", `{"query":"x","limit":1}`),
		wrongType("query", "one of a string or an array of strings", "an integer").in(`{"query":1}`),
		wrongType("query[1]", "a string", "null").in(`{"query":["x",null]}`),
		empty("query", `{"query":""}`),
		empty("query[0]", `{"query":[""]}`),
		{`{"query":[]}`, "Invalid 'query': empty array. Expected an array with minimum length 1, but got an empty array instead.", "query", "empty_array"},
		tooMany("query", 64, 65, `{"query":[`+items(65, `"x"`)+`]}`),
		{`{"query":"x","max_num_results":51}`, "Invalid 'max_num_results': integer above maximum value. Expected a value <= 50, but got 51 instead.",
			"max_num_results", "integer_above_max_value"},
		{`{"query":"x","max_num_results":0}`, "Invalid 'max_num_results': integer below minimum value. Expected a value >= 1, but got 0 instead.",
			"max_num_results", "integer_below_min_value"},
		{`{"query":"x","ranking_options":{"score_threshold":1.5}}`, "Invalid 'ranking_options.score_threshold': decimal above maximum value. " +
			"Expected a value <= 1, but got 1.5 instead.", "ranking_options.score_threshold", "decimal_above_max_value"},
		{`{"query":"x","ranking_options":{"ranker":"best"}}`, "Invalid value: 'best'. Supported values are: 'none', 'auto', and 'default-2024-11-15'.",
			"ranking_options.ranker", "invalid_value"},
		wrongType("filters", "an object", "an array").in(filters(`[]`)),
		missingKey("filters.type", filters(`{"key":"k","value":1}`)),
		{filters(`{"type":"like","key":"k","value":1}`), "Invalid value: 'like'. Supported values are: 'eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'and', and 'or'.",
			"filters.type", "invalid_value"},
		missingKey("filters.key", filters(`{"type":"eq","value":1}`)),
		missingKey("filters.value", filters(`{"type":"eq","key":"k"}`)),
		missingKey("filters.filters", filters(`{"type":"and"}`)),
		unknownKey("filters.filters", filters(`{"type":"eq","key":"k","value":1,"filters":[]}`)),
		unknownKey("filters.key", filters(`{"type":"or","key":"k","filters":[]}`)),
		wrongType("filters.value", "one of a string, a number, or a boolean", "null").in(filters(`{"type":"eq","key":"k","value":null}`)),
		wrongType("filters.value", "one of a string, a number, or a boolean", "an array").in(filters(`{"type":"gt","key":"k","value":[1]}`)),
		wrongType("filters.value", "an array of strings or numbers", "a string").in(filters(`{"type":"in","key":"k","value":"x"}`)),
		wrongType("filters.value[0]", "one of a string or a number", "a boolean").in(filters(`{"type":"nin","key":"k","value":[true]}`)),
		wrongType("filters.filters[0].filters[0]", "an object", "a string").in(filters(`{"type":"and","filters":[{"type":"or","filters":["x"]}]}`)),
		{filters(`{"type":"eq","key":"k","value":1e999}`), "Invalid 'filters.value': number out of range: 1e999.", "filters.value", "invalid_value"},
		{filters(deep), "Invalid '" + path + "': filters may be nested 16 deep, and be 256 in all.", path, "invalid_value"},
		{filters(`{"type":"and","filters":[` + many + `,` + many + `]}`), "Invalid 'filters.filters[0].filters[254]': " +
			"filters may be nested 16 deep, and be 256 in all.", "filters.filters[0].filters[254]", "invalid_value"},
	} {
		test.check(t, a, search)
	}
	a.ok("POST", search, filters(many))
}

// Queries of several texts find what answers one of them, and the threshold keeps the rest away.
func TestSearchesOfTheDefaultRetriever(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		pizza, rain := a.upload("food.txt", "She likes pizza best of all."), a.upload("weather.txt", "It will rain on Monday.")
		store := a.newStore(pizza, rain)
		synctest.Wait()
		require.Equal(t, pizza, a.find(store, `{"query":"pizza"}`)[0].FileID)
		require.Equal(t, "weather.txt", a.find(store, `{"query":"will it rain","max_num_results":1}`)[0].Filename)
		require.Len(t, a.find(store, `{"query":["pizza","rain"]}`), 2)
		require.Len(t, a.find(store, `{"query":["pizza","rain"],"max_num_results":1}`), 1)
		require.Empty(t, a.find(store, `{"query":"pizza","ranking_options":{"score_threshold":1}}`))
		a.ok("DELETE", store+"/files/"+pizza, "")
		require.Empty(t, a.find(store, `{"query":"pizza"}`))
	})
}

// A retriever that fails costs the request alone, and tells nobody why.
func TestRetrieverThatFails(t *testing.T) {
	t.Parallel()
	for name, search := range map[string]func() error{"fails": func() error { return errDisk }, "panics": func() error { panic(errDisk) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, nil, server.WithRetriever(&steppedRetriever{Retriever: server.NewLexicalRetriever(), search: search}))
			got := c.do("POST", c.newStore()+"/search", `{"query":"x"}`)
			require.Equal(t, 500, got.status)
			require.NotContains(t, got.body, errDisk.Error())
			require.Contains(t, c.log.String(), errDisk.Error())
		})
	}
}

// A run that searches files goes through all of its stores, and each passage counts once.
func TestRunsSearchSeveralStores(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := make(map[string]int)
		a := newAPI(t, server.WithRetriever(retrieverFunc(func(store string, q server.IndexQuery) ([]server.Passage, error) {
			asked[store]++
			return passagesOf(store, q)
		})))
		a.uploads(2)
		a.newStore("file_1", "file_2")
		a.newStore("file_2", "file_1")
		a.ok("DELETE", a.newStore(), "")
		synctest.Wait()
		passages, err := a.server.Search(t.Context(), []string{"vs_1", "vs_2", "vs_3"}, server.IndexQuery{Queries: []string{"x"}, MaxResults: 9})
		require.NoError(t, err)
		require.Len(t, passages, 2)
		require.Equal(t, "two", passages[0].Text)
		require.Equal(t, map[string]int{"vs_1": 1, "vs_2": 1}, asked)
		passages, err = a.server.Search(t.Context(), []string{"vs_1", "vs_2"}, server.IndexQuery{Queries: []string{"x"}, MaxResults: 1})
		require.NoError(t, err)
		require.Len(t, passages, 1)
	})
}
