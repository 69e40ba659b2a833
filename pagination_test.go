package assistants_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// pages answers with the page behind each cursor: "a b|more" is a page of two with more to come.
func pages(byCursor map[string]string) step {
	return func(r *http.Request) (*http.Response, error) {
		cursor := r.URL.Query().Get("after")
		if before := r.URL.Query().Get("before"); before != "" && cursor == "" {
			cursor = "before " + before
		}
		ids, more, _ := strings.Cut(byCursor[cursor], "|")
		if strings.HasPrefix(ids, "!") {
			return response(200, ids[1:]), nil
		}
		var data []string
		for id := range strings.FieldsSeq(ids) {
			data = append(data, fmt.Sprintf(`{"id":%q,"object":"assistant"}`, id))
		}
		return response(200, fmt.Sprintf(`{"object":"list","data":[%s],"has_more":%t}`, strings.Join(data, ","), more == "more")), nil
	}
}

func collect(ctx context.Context, c *assistants.Client, params assistants.ListParams, opts ...assistants.RequestOption) (string, error) {
	var ids []string
	for a, err := range c.Assistants.All(ctx, params, opts...) {
		if err != nil {
			return strings.Join(ids, " "), err
		}
		ids = append(ids, a.ID)
	}
	return strings.Join(ids, " "), nil
}

func TestAll(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pages  map[string]string
		params assistants.ListParams
		want   string
		says   string // an error after what was wanted
	}{
		"three pages":          {map[string]string{"": "a b|more", "b": "c d|more", "d": "e|"}, assistants.ListParams{}, "a b c d e", ""},
		"empty":                {map[string]string{"": "|"}, assistants.ListParams{}, "", ""},
		"from a cursor":        {map[string]string{"b": "c d|"}, assistants.ListParams{After: "b"}, "c d", ""},
		"an empty last page":   {map[string]string{"": "a b|more", "b": "|"}, assistants.ListParams{}, "a b", ""},
		"backwards":            {map[string]string{"before e": "c d|more", "before c": "a b|"}, assistants.ListParams{Before: "e"}, "d c b a", ""},
		"a window":             {map[string]string{"a": "b c|more", "c": "d|"}, assistants.ListParams{After: "a", Before: "e"}, "b c d", ""},
		"stuck":                {map[string]string{"": "a b|more", "b": "a b|more"}, assistants.ListParams{}, "a b", "does not move"},
		"stuck at once":        {map[string]string{"b": "a b|"}, assistants.ListParams{After: "b"}, "", "does not move"},
		"stuck backwards":      {map[string]string{"before b": "a b|more", "before a": "a b|more"}, assistants.ListParams{Before: "b"}, "b a", "does not move"},
		"in a circle of two":   {map[string]string{"": "a|more", "a": "b|more", "b": "a|more"}, assistants.ListParams{}, "*", "does not move"},
		"in a circle of many":  {map[string]string{"": "a|more", "a": "b|more", "b": "c|more", "c": "d|more", "d": "b|more"}, assistants.ListParams{}, "*", "does not move"},
		"empty but more":       {map[string]string{"": "|more"}, assistants.ListParams{}, "", "does not move"},
		"later empty but more": {map[string]string{"": "a|more", "a": "|more"}, assistants.ListParams{}, "a", "does not move"},
		"a page turns null":    {map[string]string{"": "a|more", "a": "!null"}, assistants.ListParams{}, "a", "instead of"},
		"a page turns {}":      {map[string]string{"": "a|more", "a": "!{}"}, assistants.ListParams{}, "a", "instead of"},
		"null data":            {map[string]string{"": `!{"object":"list","data":null,"has_more":false}`}, assistants.ListParams{}, "", ""},
		"no object type":       {map[string]string{"": `!{"data":[{"id":"a"}]}`}, assistants.ListParams{}, "a", ""},
		"only the page's ids":  {map[string]string{"": "a|more", "a": "b|"}, assistants.ListParams{}, "a b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, pages(test.pages))
			ids, err := collect(t.Context(), newClient(t, tr), test.params)
			if test.want != "*" {
				assert.Equal(t, test.want, ids)
			}
			if test.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.says)
			}
			assert.Less(t, len(tr.requests()), 20)
		})
	}
}

// An iterator fetches what the loop needs, keeps to the caller's params, and can be used again.
func TestAllIsLazyAndReusable(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, pages(map[string]string{"": "a b|more", "b": "c d|more", "d": "e|"}))
	params := assistants.ListParams{Limit: 2, Order: assistants.OrderAsc}
	var resp assistants.Response
	all := newClient(t, tr).Assistants.All(t.Context(), params, assistants.WithResponse(&resp))
	assert.Empty(t, tr.requests())
	for a, err := range all {
		require.NoError(t, err)
		if a.ID == "b" {
			break
		}
	}
	assert.Len(t, tr.requests(), 1)
	for range 2 {
		var ids []string
		for a, err := range all {
			require.NoError(t, err)
			ids = append(ids, a.ID)
		}
		assert.Equal(t, []string{"a", "b", "c", "d", "e"}, ids)
	}
	require.Len(t, tr.requests(), 7)
	assert.Equal(t, "after=d&limit=2&order=asc", tr.last().URL.RawQuery)
	assert.Equal(t, assistants.ListParams{Limit: 2, Order: assistants.OrderAsc}, params)
	assert.Equal(t, 200, resp.StatusCode)
}

func TestAllErrors(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tr := newTransport(t, pages(map[string]string{"": "a b|more", "b": "c|"}))
	var ids []string
	var last error
	for a, err := range newClient(t, tr).Assistants.All(ctx, assistants.ListParams{}) {
		if last = err; err != nil {
			assert.Nil(t, a)
			continue // the error is the last pair, whatever the loop does
		}
		ids = append(ids, a.ID)
		cancel()
	}
	assert.Equal(t, []string{"a", "b"}, ids)
	require.ErrorIs(t, last, context.Canceled)

	tr = newTransport(t, pages(map[string]string{"": "a|more"}), answer(404, ""))
	got, err := collect(t.Context(), newClient(t, tr), assistants.ListParams{})
	assert.Equal(t, "a", got)
	require.True(t, errors.Is(err, assistants.ErrNotFound))
}

// Whatever pages a server sends, a loop over them ends, and yields nothing nil.
func FuzzAll(f *testing.F) {
	f.Add("a b|more", "c|more", "a|more")
	f.Add("!null", "", "")
	f.Add(`!{"object":"list","data":[null],"has_more":true}`, "|more", "!{")
	f.Fuzz(func(t *testing.T, first, second, third string) {
		script := []string{first, second, third}
		n := 0
		tr := newTransport(t, func(r *http.Request) (*http.Response, error) {
			n++
			return pages(map[string]string{"": script[(n-1)%3]})(mustRequest(t))
		})
		for a, err := range newClient(t, tr).Assistants.All(t.Context(), assistants.ListParams{}) {
			if (a == nil) == (err == nil) {
				t.Fatalf("%v and %v", a, err)
			}
		}
		if n > 1000 {
			t.Fatalf("%d pages", n)
		}
	})
}

func mustRequest(t *testing.T) *http.Request {
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://host.example", nil)
	require.NoError(t, err)
	return r
}

func TestPageOfUnknownTools(t *testing.T) {
	t.Parallel()
	tools := func(p *assistants.Page[assistants.Assistant]) (types []string) {
		for _, a := range p.Data {
			for _, tool := range a.Tools {
				types = append(types, string(tool.Type)+string(tool.RawJSON()))
			}
		}
		return types
	}
	tr := newTransport(t, answer(200, `{"object":"list","data":[{"id":"a","tools":[{"type":"x","n":1}]},{"id":"b","tools":[{"type":"function",
		"function":{"name":"f"}}]},{"id":"c","tools":[{"type":"y"}]}]}`))
	p, err := newClient(t, tr).Assistants.List(t.Context(), assistants.ListParams{})
	require.NoError(t, err)
	assert.True(t, slices.Equal([]string{`x{"type":"x","n":1}`, "function", `y{"type":"y"}`}, tools(p)))
}

// What Call decodes into a Page, or into what embeds one, is held to what a List method's is.
func TestCallIntoAPage(t *testing.T) {
	t.Parallel()
	type counted[T any] struct {
		assistants.Page[T]
		Total int `json:"total"`
	}
	type pointed struct {
		*assistants.Page[assistants.Assistant]
	}
	for name, test := range map[string]struct {
		answer string
		says   string
	}{
		"no list":       {`{}`, `of type "" instead of "list"`},
		"another type":  {`{"object":"assistant","data":[]}`, `of type "assistant" instead of "list"`},
		"null":          {`{"object":"list","data":[{"id":"asst_1","object":"assistant"},null]}`, "null at position 1"},
		"other objects": {`{"object":"list","data":[{"id":"thread_1","object":"thread"}]}`, "at position 0 of the list"},
		"an error":      {`{"object":"list","data":[],"error":{"message":"no more of them"}}`, "no more of them"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, out := range []any{new(assistants.Page[assistants.Assistant]), new(counted[assistants.Assistant]), new(pointed)} {
				err := newClient(t, newTransport(t, answer(200, test.answer))).Call(t.Context(), "GET", "/x", nil, out)
				require.ErrorContains(t, err, test.says, "into %T", out)
			}
		})
	}
	t.Run("unknown tools are kept", func(t *testing.T) {
		t.Parallel()
		const tool = `{"type":"computer","screen":7}`
		tr := newTransport(t, answer(200, `{"object":"list","data":[{"id":"asst_1","object":"assistant","tools":[`+tool+`]}],"total":9}`))
		var page counted[assistants.Assistant]
		require.NoError(t, newClient(t, tr).Call(t.Context(), "GET", "/x", nil, &page))
		assert.Equal(t, 9, page.Total)
		assert.JSONEq(t, tool, string(page.Data[0].Tools[0].RawJSON()))
	})
	t.Run("credentials are taken out of errors", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, `{"object":"list","data":[{"id":"run_1","object":"thread.run","status":"failed",`+
			`"last_error":{"code":"server_error","message":"the key `+testKey+` is bad"}}]}`))
		var page assistants.Page[assistants.Run]
		require.NoError(t, newClient(t, tr).Call(t.Context(), "GET", "/x", nil, &page))
		assert.Equal(t, "the key [redacted] is bad", page.Data[0].LastError.Message)
	})
}

// While a page is fetched, the page before it is not kept.
func TestAllForgetsPages(t *testing.T) {
	t.Parallel()
	var first weak.Pointer[assistants.Assistant]
	kept := false
	tr := newTransport(t,
		answer(200, `{"object":"list","data":[{"id":"a","object":"assistant"}],"has_more":true}`),
		func(*http.Request) (*http.Response, error) {
			runtime.GC()
			kept = first.Value() != nil
			return response(200, `{"object":"list","data":[{"id":"b","object":"assistant"}]}`), nil
		})
	for a, err := range newClient(t, tr).Assistants.All(t.Context(), assistants.ListParams{}) {
		require.NoError(t, err)
		if a.ID == "a" {
			first = weak.Make(a)
		}
	}
	require.Len(t, tr.requests(), 2)
	assert.False(t, kept)
}
