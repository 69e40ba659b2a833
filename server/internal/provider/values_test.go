package provider_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// Values are read in whatever form they come.
func TestValues(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]provider.Number{
		`0`: 0, `7`: 7, `10`: 10, `10.0`: 10, `1.9`: 1, `"12"`: 12, `1e3`: 1000, `-1`: 0, `"x"`: 0, `{}`: 0, `[1]`: 0, `true`: 0, `"NaN"`: 0, `1e300`: 1 << 53, `null`: 5,
	} {
		n := provider.Number(5)
		require.NoError(t, json.Unmarshal([]byte(in), &n), in)
		assert.Equal(t, want, n, in)
	}
	assert.Equal(t, 1<<31-1, provider.Number(1<<53).Int())
	for in, want := range map[string]provider.Word{
		`"a"`: "a", `""`: "", `null`: "", `7`: "7", `{"a":1}`: `{"a":1}`, `"\ud83d\ude00"`: "😀", `"\ud83d"`: "\uFFFD", "\"\xff\"": "\uFFFD", `"\"\\\/\b\f\n\r\t\u00e4"`: "\"\\/\b\f\n\r\tä",
	} {
		var w provider.Word
		require.NoError(t, json.Unmarshal([]byte(in), &w), in)
		assert.Equal(t, want, w, in)
	}
	for in, want := range map[string]string{`"{}"`: "{}", `{"x":1}`: `{"x":1}`, `null`: "", `"\ude00"`: "\uFFFD"} {
		var a provider.Arguments
		require.NoError(t, json.Unmarshal([]byte(in), &a), in)
		assert.Equal(t, want, a.Whole(), in)
	}
	for in, want := range map[string]string{
		`"a"`: "a", `null`: "", `["a",{"type":"text","text":"b"},{"type":"thought","text":7},{"text":"c"},null,1]`: "abc", `{"text":"a"}`: "a", `{"text":null}`: "",
		`7`: "?", `[{"text":{}}]`: "?",
	} {
		var text provider.Text
		if err := json.Unmarshal([]byte(in), &text); want == "?" {
			assert.Error(t, err, in)
		} else {
			require.NoError(t, err, in)
			assert.Equal(t, want, text.Whole(), in)
		}
	}
}

// A text is the same wherever it is cut.
func TestSeam(t *testing.T) {
	t.Parallel()
	whole := `a\ud83d\ude00ä\ude00\ud83d\ud83d\ude00.\ud83d`
	var units []string
	for rest := whole; rest != ""; {
		n := 1
		switch rest[0] {
		case '\\':
			n = 6
		case 0xC3:
			n = 2
		}
		units, rest = append(units, rest[:n]), rest[n:]
	}
	for cut := range len(units) + 1 {
		var seam provider.Seam
		got := ""
		for _, piece := range [][]string{units[:cut], units[cut:]} {
			in := ""
			for _, u := range piece {
				in += u
			}
			var text provider.Text
			require.NoError(t, json.Unmarshal([]byte(`"`+in+`"`), &text))
			got += seam.Join(string(text))
		}
		assert.True(t, seam.Open())
		got += seam.End()
		assert.False(t, seam.Open())
		assert.Equal(t, "a😀ä\uFFFD\uFFFD😀.\uFFFD", got, cut)
	}
}

// Models are listed once, by name.
func TestModels(t *testing.T) {
	t.Parallel()
	client, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("OpenAI-Beta"))
		_, _ = w.Write([]byte(`{"data":[{"id":"b","created":1},"a",{"id":"b","created":2},{},{"name":"c"}]}`))
	})))
	require.NoError(t, err)
	list, err := provider.Models(t.Context(), client)
	require.NoError(t, err)
	assert.Equal(t, []server.ModelInfo{{ID: "a"}, {ID: "b", CreatedAt: 1}, {ID: "c"}}, list)
}

// Members are left out but for those that are always sent, and what is not changed is not touched.
func TestFields(t *testing.T) {
	t.Parallel()
	request := struct{ A, B, C int }{1, 2, 3}
	fields := provider.Fields{}
	same, err := fields.Without(&request)
	require.NoError(t, err)
	assert.Same(t, &request, same)
	fields.Add([]string{"A", "B", "X"}, "A")
	other, err := fields.Without(&request)
	require.NoError(t, err)
	out, err := json.Marshal(other)
	require.NoError(t, err)
	assert.JSONEq(t, `{"A":1,"C":3}`, string(out))
	_, err = fields.Without(func() {})
	require.Error(t, err)
	_, err = fields.Without(7)
	require.Error(t, err)
}

// The turns of a run begin with the first that has its id, or has called something.
func TestOwnTurns(t *testing.T) {
	t.Parallel()
	user, other, own := &assistants.Message{}, &assistants.Message{RunID: "run_1"}, &assistants.Message{RunID: "run_2"}
	for want, history := range [][]server.Turn{{{Message: own}}, {{Message: user}}, {{Message: user}, {Message: other}, {}}, {{Message: user}, {Message: other}, {Message: other}, {Message: own}, {}}} {
		assert.Equal(t, want, provider.OwnTurns(&server.ModelCall{RunID: "run_2", History: history}))
	}
	assert.Equal(t, 2, provider.OwnTurns(&server.ModelCall{History: []server.Turn{{Message: user}, {Message: other}}}))
}
