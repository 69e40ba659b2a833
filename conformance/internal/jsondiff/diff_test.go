package jsondiff

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, text string) any {
	t.Helper()
	value, err := Parse([]byte(text))
	require.NoError(t, err)
	return value
}

func TestDiffFindsEveryKindOfDifference(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want, got string
		found           []string
	}{
		{"nothing", `{"a":[1,"x",null,true,{}]}`, `{"a":[1,"x",null,true,{}]}`, nil},
		{"value", `{"a":{"b":"x"}}`, `{"a":{"b":"y"}}`, []string{`a.b: got "y", want "x"`}},
		{"type", `{"a":1}`, `{"a":"1"}`, []string{`a: got "1", want 1`}},
		{"null is a value", `{"a":null}`, `{"a":false}`, []string{`a: got false, want null`}},
		{"key missing", `{"a":null,"b":2}`, `{"b":2}`, []string{`a: got nothing, want null`}},
		{"key too many", `{}`, `{"a":{"b":1}}`, []string{`a: got {"b":1}, want nothing`}},
		{"spelling of a number", `[1.0]`, `[1]`, []string{`[0]: got 1, want 1.0`}},
		{"length", `{"a":[1]}`, `{"a":[1,2]}`, []string{`a: got [1,2], want [1]`}},
		{"empty object and empty array", `{"a":{}}`, `{"a":[]}`, []string{`a: got [], want {}`}},
		{"scalar for an object", `{"a":null}`, `{"a":{}}`, []string{`a: got {}, want null`}},
		{"item", `[{"a":1},{"a":2}]`, `[{"a":1},{"a":3}]`, []string{`[1].a: got 3, want 2`}},
		{"document", `1`, `2`, []string{`(document): got 2, want 1`}},
		{
			"order", `{"a":1,"b":2,"c":3}`, `{"c":3,"a":1}`,
			[]string{`b: got nothing, want 2`, `(document): keys in the order c a, want a c`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var found []string
			for _, d := range Diff(parse(t, c.want), parse(t, c.got), nil) {
				found = append(found, d.String())
			}
			assert.Equal(t, c.found, found)
		})
	}
}

func TestDiffLeavesOutWhatIsTolerated(t *testing.T) {
	t.Parallel()
	want, got := parse(t, `{"a":1,"b":2}`), parse(t, `{"b":3,"a":0}`)
	found := Diff(want, got, func(d Difference) bool { return d.Order || d.Path == "a" })
	require.Len(t, found, 1)
	assert.Equal(t, "b", found[0].Path)
}

func TestParseRefusesWhatIsNoDocument(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `{`, `{"a":}`, `[1`, `1 2`, `{} x`, `<html>`} {
		_, err := Parse([]byte(text))
		assert.Error(t, err, text)
	}
}

func TestObjectsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	const text = `{"z":1.0,"a":{"y":[null,"é"],"b":{}}}`
	written, err := parse(t, text).(*Object).MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, text, string(written))
}
