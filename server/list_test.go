package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

const emptyList = `{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}`

// page asks for a page and returns its ids and has_more; the rest of the
// envelope is checked on the way.
func (a *api) page(query string) ([]string, bool) {
	a.t.Helper()
	got := a.do("GET", "/v1/assistants?"+query, "")
	require.Equal(a.t, 200, got.status, got.body)
	var list struct {
		Object  string
		Data    []struct{ ID string }
		FirstID *string `json:"first_id"`
		LastID  *string `json:"last_id"`
		HasMore bool    `json:"has_more"`
	}
	require.NoError(a.t, json.Unmarshal([]byte(got.body), &list))
	ids := []string{}
	for _, item := range list.Data {
		ids = append(ids, item.ID)
	}
	assert.Equal(a.t, "list", list.Object)
	if len(ids) == 0 {
		assert.Nil(a.t, list.FirstID)
		assert.Nil(a.t, list.LastID)
	} else {
		assert.Equal(a.t, ids[0], *list.FirstID)
		assert.Equal(a.t, ids[len(ids)-1], *list.LastID)
	}
	return ids, list.HasMore
}

func (a *api) wantPage(query string, more bool, numbers ...int) {
	a.t.Helper()
	want := []string{}
	for _, n := range numbers {
		want = append(want, fmt.Sprintf("asst_%d", n))
	}
	ids, hasMore := a.page(query)
	assert.Equal(a.t, want, ids, query)
	assert.Equal(a.t, more, hasMore, query)
}

func TestEmptyList(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	assert.Equal(t, emptyList, a.do("GET", "/v1/assistants", "").body)
}

func TestListHoldsTheDocuments(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first, second := a.create(`{"model":"m"}`), a.create(`{"model":"n"}`)
	want := fmt.Sprintf(`{"object":"list","data":[%s,%s],"first_id":"asst_2","last_id":"asst_1","has_more":false}`,
		a.do("GET", "/v1/assistants/"+second, "").body, a.do("GET", "/v1/assistants/"+first, "").body)
	assert.Equal(t, want, a.do("GET", "/v1/assistants", "").body)
}

// All are created in the same second, so only the order of insertion tells them
// apart.
func TestPages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.createMany(7)

	a.wantPage("", false, 7, 6, 5, 4, 3, 2, 1)
	a.wantPage("order=asc", false, 1, 2, 3, 4, 5, 6, 7)
	a.wantPage("limit=3", true, 7, 6, 5)
	a.wantPage("limit=3&order=asc", true, 1, 2, 3)
	a.wantPage("limit=7", false, 7, 6, 5, 4, 3, 2, 1)

	a.wantPage("limit=3&after=asst_5", true, 4, 3, 2)
	a.wantPage("limit=4&after=asst_5", false, 4, 3, 2, 1)
	a.wantPage("limit=3&after=asst_3&order=asc", true, 4, 5, 6)
	a.wantPage("after=asst_1", false)
	a.wantPage("after=asst_7&order=asc", false)

	a.wantPage("limit=2&before=asst_4", true, 6, 5)
	a.wantPage("limit=3&before=asst_4", false, 7, 6, 5)
	a.wantPage("limit=2&before=asst_4&order=asc", true, 2, 3)
	a.wantPage("before=asst_4&order=asc", false, 1, 2, 3)
	a.wantPage("before=asst_7", false)

	a.wantPage("after=asst_6&before=asst_2", false, 5, 4, 3)
	a.wantPage("limit=2&after=asst_6&before=asst_2", true, 5, 4)
	a.wantPage("limit=3&after=asst_6&before=asst_2", false, 5, 4, 3)
	a.wantPage("after=asst_2&before=asst_6&order=asc", false, 3, 4, 5)
	a.wantPage("after=asst_2&before=asst_6", false)
	a.wantPage("after=asst_3&before=asst_3", false)

	a.wantPage("limit=1&unknown=x&run_id=y&after=&before=&order=", true, 7)
	a.wantPage("limit=&order=desc", false, 7, 6, 5, 4, 3, 2, 1)
}

func TestDefaultAndLargestLimit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ids := a.createMany(101)
	slices.Reverse(ids)
	got, more := a.page("")
	assert.Equal(t, ids[:20], got)
	assert.True(t, more)
	got, more = a.page("limit=100")
	assert.Equal(t, ids[:100], got)
	assert.True(t, more)
}

// Pages end where their documents become more than 32 MiB, at the end that is
// farther from where they begin, but none is empty.
func TestPagesAreBoundedInBytes(t *testing.T) {
	t.Parallel()
	const most = 32 << 20
	store := server.NewMemoryStore()
	a := newAPI(t, server.WithStore(store))
	for i, size := range []int{1, most - 1, most + 1, most, 1} {
		id := fmt.Sprintf("asst_%d", i+1)
		data := make([]byte, size)
		copy(data, `{"id":"`+id+`"`)
		record := server.Record{ID: id, CreatedAt: int64(i), Data: data}
		require.NoError(t, store.Insert(t.Context(), server.Collection{Kind: "assistant"}, record))
	}
	for query, want := range map[string]struct {
		size        int // of the documents with the commas between them
		first, last string
		more        bool
	}{
		"order=asc":                  {most + 1, "asst_1", "asst_2", true},
		"order=asc&limit=2":          {most + 1, "asst_1", "asst_2", true},
		"order=asc&after=asst_2":     {most + 1, "asst_3", "asst_3", true},
		"order=asc&before=asst_3":    {most + 1, "asst_1", "asst_2", false},
		"order=asc&before=asst_5":    {most, "asst_4", "asst_4", true},
		"":                           {1, "asst_5", "asst_5", true},
		"before=asst_3":              {most, "asst_4", "asst_4", true},
		"after=asst_5&before=asst_1": {most, "asst_4", "asst_4", true},
		"after=asst_3&before=asst_1": {most - 1, "asst_2", "asst_2", false},
	} {
		got := a.do("GET", "/v1/assistants?"+query, "")
		require.Equal(t, 200, got.status)
		end := fmt.Sprintf(`],"first_id":"%s","last_id":"%s","has_more":%t}`, want.first, want.last, want.more)
		assert.Equal(t, end, got.body[len(got.body)-len(end):], query)
		assert.Equal(t, len(`{"object":"list","data":[`)+want.size+len(end), len(got.body), query)
	}
}

func TestCursorOfDeletedRecord(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, id := range a.createMany(6) {
		if id == "asst_3" || id == "asst_4" {
			require.Equal(t, 200, a.do("DELETE", "/v1/assistants/"+id, "").status)
		}
	}
	a.wantPage("after=asst_4", false, 2, 1)
	a.wantPage("after=asst_3&order=asc", false, 5, 6)
	a.wantPage("before=asst_3&limit=1", true, 5)
	a.wantPage("after=asst_5&before=asst_3", false)
	for _, id := range []string{"asst_1", "asst_2", "asst_5", "asst_6"} {
		require.Equal(t, 200, a.do("DELETE", "/v1/assistants/"+id, "").status)
	}
	a.wantPage("after=asst_4", false)
}

func TestOrderIsByTimeThenInsertion(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.createMany(2) // 1, 2 at the epoch
	a.clock.move(-time.Hour)
	a.createMany(2) // 3, 4 an hour before
	a.clock.move(time.Hour)
	a.createMany(1) // 5 at the epoch again
	a.clock.move(time.Second)
	a.createMany(1)
	a.wantPage("order=asc", false, 3, 4, 1, 2, 5, 6)
	a.wantPage("", false, 6, 5, 2, 1, 4, 3)
	a.wantPage("after=asst_1&limit=1", true, 4)
}

func TestModificationDoesNotMove(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.createMany(3)
	a.clock.move(time.Hour)
	require.Equal(t, 200, a.do("POST", "/v1/assistants/asst_2", `{"name":"n"}`).status)
	a.wantPage("", false, 3, 2, 1)
}

func TestBadListQueries(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.createMany(1)
	type want struct {
		status               int
		message, param, code string
	}
	limitType := func(got string) want {
		return want{400, "Invalid type for 'limit': expected an integer, but got " + got + " instead.", "limit", "invalid_type"}
	}
	for query, w := range map[string]want{
		"limit=101":                   {400, "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.", "limit", "integer_above_max_value"},
		"limit=0":                     {400, "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.", "limit", "integer_below_min_value"},
		"limit=-99999999999999999999": {400, "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got -99999999999999999999 instead.", "limit", "integer_below_min_value"},
		"limit=ten":                   limitType("a string"),
		"limit=true":                  limitType("a string"),
		"limit=%2B5":                  limitType("a string"),
		"limit=+5":                    limitType("a string"),
		"limit=5+":                    limitType("a string"),
		"limit=5%0a":                  limitType("a string"),
		"limit=+":                     limitType("a string"),
		"limit=-":                     limitType("a string"),
		"limit=--5":                   limitType("a string"),
		"limit=5-":                    limitType("a string"),
		"limit=1.5":                   limitType("a string"),
		"limit=1e1":                   limitType("a string"),
		"limit=%D9%A5":                limitType("a string"),
		"limit=-1":                    {400, "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got -1 instead.", "limit", "integer_below_min_value"},
		"limit=0&order=up":            {400, "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.", "limit", "integer_below_min_value"},
		"order=up&after=asst_x":       {400, "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.", "order", "invalid_value"},
		"order=ASC":                   {400, "Invalid value: 'ASC'. Supported values are: 'asc' and 'desc'.", "order", "invalid_value"},
		"after=asst_x&before=asst_y":  {404, "No assistant found with id 'asst_x'.", "", ""},
		"after=asst_1&before=asst_y":  {404, "No assistant found with id 'asst_y'.", "", ""},
		"before=thread_1":             {404, "No assistant found with id 'thread_1'.", "", ""},
		"after=%00":                   {404, "No assistant found with id '\x00'.", "", ""},
	} {
		got := a.do("GET", "/v1/assistants?"+query, "")
		assert.Equal(t, w.status, got.status, query)
		assert.Equal(t, envelope(w.message, requestError, w.param, w.code), got.body, query)
	}
	empty := newAPI(t)
	assert.Equal(t, 404, empty.do("GET", "/v1/assistants?before=asst_x", "").status)
}

func FuzzListQuery(f *testing.F) {
	for _, seed := range []string{"", "limit=3&order=asc", "after=asst_2", "before=asst_3&limit=1", "after=asst_3&before=asst_1",
		"limit=1e2", "limit=%zz", "order[]=asc", "limit=;", "after=%00"} {
		f.Add(seed)
	}
	a := newAPI(f)
	a.createMany(5)
	f.Fuzz(func(t *testing.T, query string) {
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, &http.Request{
			Method: "GET",
			URL:    &url.URL{Path: "/v1/assistants", RawQuery: query},
			Header: http.Header{"Openai-Beta": {"assistants=v2"}},
		})
		assert.Contains(t, []int{200, 400, 404}, w.Code)
		assert.True(t, json.Valid(w.Body.Bytes()), w.Body.String())
	})
}
