package assistants_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// Every filter that can be made is sent as the API has it, and read back as it was.
func TestFilterJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		filter assistants.Filter
		want   string
	}{
		{assistants.FilterEq("team", "blue"), `{"type":"eq","key":"team","value":"blue"}`},
		{assistants.FilterEq("team", ""), `{"type":"eq","key":"team","value":""}`},
		{assistants.FilterEq("draft", false), `{"type":"eq","key":"draft","value":false}`},
		{assistants.FilterEq("year", 0), `{"type":"eq","key":"year","value":0}`},
		{assistants.FilterEq("ratio", 0.5), `{"type":"eq","key":"ratio","value":0.5}`},
		{assistants.FilterNe("id", int64(math.MaxInt64)), `{"type":"ne","key":"id","value":9223372036854775807}`},
		{assistants.FilterGt("year", 2024), `{"type":"gt","key":"year","value":2024}`},
		{assistants.FilterGte("year", 2024), `{"type":"gte","key":"year","value":2024}`},
		{assistants.FilterLt("year", int64(2024)), `{"type":"lt","key":"year","value":2024}`},
		{assistants.FilterLte("year", 20.5), `{"type":"lte","key":"year","value":20.5}`},
		{assistants.FilterIn("team", "blue", "red"), `{"type":"in","key":"team","value":["blue","red"]}`},
		{assistants.FilterIn("year", 2024), `{"type":"in","key":"year","value":[2024]}`},
		{assistants.FilterIn[string]("team"), `{"type":"in","key":"team","value":[]}`},
		{assistants.FilterNin("ratio", 0.5, 1), `{"type":"nin","key":"ratio","value":[0.5,1]}`},
		{assistants.FilterAnd(assistants.FilterEq("a", 1), assistants.FilterOr(assistants.FilterNe("b", true), assistants.FilterIn("c", "d"))),
			`{"type":"and","filters":[{"type":"eq","key":"a","value":1},{"type":"or","filters":[` +
				`{"type":"ne","key":"b","value":true},{"type":"in","key":"c","value":["d"]}]}]}`},
		{assistants.Filter{Type: "or", Filters: []assistants.Filter{}}, `{"type":"or","filters":[]}`},
		{assistants.Filter{Type: "like", Key: "name", Value: assistants.AttributeOf("a%")}, `{"type":"like","key":"name","value":"a%"}`},
	} {
		sent, err := json.Marshal(test.filter)
		require.NoError(t, err)
		assert.Equal(t, test.want, string(sent))
		var read assistants.Filter
		require.NoError(t, json.Unmarshal(sent, &read))
		assert.Equal(t, test.filter, read)
	}
	none, err := json.Marshal(assistants.FilterAnd())
	require.NoError(t, err)
	assert.JSONEq(t, `{"type":"and","filters":[]}`, string(none))
}

// A filter that contradicts itself is not sent, however deep it is.
func TestFilterContradictions(t *testing.T) {
	t.Parallel()
	one, none := assistants.AttributeOf(1), []assistants.Attribute{}
	for want, wrong := range map[string]assistants.Filter{
		"filter has no type":                                 {},
		"no type":                                            {Key: "a", Value: one},
		`filter of type "and" compares at once`:              {Type: "and", Key: "a"},
		`filter of type "or" compares at once`:               {Type: "or", Value: one},
		`"or" compares`:                                      {Type: "or", Values: none},
		`filter of type "eq" combines at once`:               {Type: "eq", Key: "a", Value: one, Filters: []assistants.Filter{}},
		`filter of type "in" has Value and Values at once`:   {Type: "in", Key: "a", Value: one, Values: none},
		`filter of type "like" has Value and Values at once`: {Type: "like", Key: "a", Value: one, Values: none},
		`filter of type "like" combines at once`:             {Type: "like", Filters: []assistants.Filter{}},
		`filter of type "nin" has Value and Values at once`:  {Type: "nin", Key: "a", Value: one, Values: none},
		`filter of type "gt" has Value and Values at once`:   {Type: "gt", Key: "a", Value: one, Values: none},
		`filter of type "eq" has no key`:                     {Type: "eq", Value: one},
		`filter of type "nin" has no key`:                    assistants.FilterNin("", 1),
		`filter of type "eq" has nothing to compare "a"`:     {Type: "eq", Key: "a"},
		`filter of type "in" has nothing to compare "a"`:     {Type: "in", Key: "a"},
		`filter of type "gt" has nothing to compare "price"`: assistants.FilterGt("price", math.NaN()),
		`filter of type "lte" combines at once`:              {Type: "lte", Filters: []assistants.Filter{{}}},
	} {
		for _, filter := range []assistants.Filter{wrong, assistants.FilterOr(assistants.FilterAnd(wrong))} {
			_, err := json.Marshal(filter)
			require.ErrorContains(t, err, want)
		}
	}
	for _, wrong := range []string{`7`, `"eq"`, `[]`, `{"type":1}`, `{"type":"and","filters":{}}`, `{"type":"and","filters":[7]}`} {
		var f assistants.Filter
		require.Error(t, json.Unmarshal([]byte(wrong), &f), wrong)
	}
}

func TestFilterMatches(t *testing.T) {
	t.Parallel()
	var attributes assistants.Attributes
	require.NoError(t, json.Unmarshal([]byte(`{"team":"blue","year":2024,"ratio":5e-1,"draft":true,"digits":"7","word":"true",`+
		`"empty":"","zero":0,"escaped":"\u0061\u00e9","minus":-3,"none":null,"large":9007199254740993}`), &attributes))
	type f = assistants.Filter
	for _, test := range []struct {
		name   string
		filter f
		want   bool
	}{
		{"text", assistants.FilterEq("team", "blue"), true},
		{"another text", assistants.FilterEq("team", "red"), false},
		{"case matters", assistants.FilterEq("team", "Blue"), false},
		{"escaped text", assistants.FilterEq("escaped", "aé"), true},
		{"empty text", assistants.FilterEq("empty", ""), true},
		{"number", assistants.FilterEq("year", 2024), true},
		{"number, spelled otherwise", assistants.FilterEq("year", 2024.0), true},
		{"number with an exponent", assistants.FilterEq("ratio", 0.5), true},
		{"boolean", assistants.FilterEq("draft", true), true},
		{"another boolean", assistants.FilterEq("draft", false), false},
		{"large number", assistants.FilterEq("large", int64(9007199254740993)), true},
		{"large number, one less", assistants.FilterEq("large", int64(9007199254740992)), false},
		{"none of large numbers", assistants.FilterNin("large", int64(9007199254740992), 9007199254740994), true},
		{"greater by one", assistants.FilterGt("large", int64(9007199254740992)), true},
		{"less by one", assistants.FilterLt("large", int64(9007199254740994)), true},
		{"not greater by one", assistants.FilterGte("large", int64(9007199254740994)), false},
		{"text is no number", assistants.FilterEq("digits", 7), false},
		{"number is no text", assistants.FilterEq("year", "2024"), false},
		{"text is no boolean", assistants.FilterEq("word", true), false},
		{"boolean is no text", assistants.FilterEq("draft", "true"), false},
		{"zero is not false", assistants.FilterEq("zero", false), false},
		{"zero is not empty", assistants.FilterEq("zero", ""), false},
		{"null is no text", assistants.FilterEq("none", ""), false},
		{"null is not the word", assistants.FilterEq("none", "null"), false},
		{"missing", assistants.FilterEq("other", ""), false},

		{"not the same", assistants.FilterNe("team", "blue"), false},
		{"not another", assistants.FilterNe("team", "red"), true},
		{"not of another type", assistants.FilterNe("digits", 7), true},
		{"not missing", assistants.FilterNe("other", "blue"), true},

		{"greater", assistants.FilterGt("year", 2023), true},
		{"greater than itself", assistants.FilterGt("year", 2024), false},
		{"greater or equal", assistants.FilterGte("year", 2024), true},
		{"not greater or equal", assistants.FilterGte("year", 2025), false},
		{"less", assistants.FilterLt("ratio", 0.6), true},
		{"less than itself", assistants.FilterLt("ratio", 0.5), false},
		{"less or equal", assistants.FilterLte("minus", -3), true},
		{"not less or equal", assistants.FilterLte("minus", -4), false},
		{"text is not greater", assistants.FilterGt("digits", 1), false},
		{"text is not less", assistants.FilterLt("digits", 9), false},
		{"boolean is not greater", assistants.FilterGte("draft", 0), false},
		{"null is not less", assistants.FilterLte("none", 0), false},
		{"missing is not less", assistants.FilterLt("other", 1), false},
		{"not greater than text", f{Type: "gt", Key: "year", Value: assistants.AttributeOf("1")}, false},
		{"not greater than nothing", f{Type: "gt", Key: "year", Values: []assistants.Attribute{}}, false},

		{"one of", assistants.FilterIn("team", "red", "blue"), true},
		{"one of numbers", assistants.FilterIn("year", 2023.5, 2024), true},
		{"none of", assistants.FilterIn("team", "red", "green"), false},
		{"one of another type", assistants.FilterIn("digits", 7), false},
		{"one of nothing", assistants.FilterIn[string]("team"), false},
		{"missing in", assistants.FilterIn("other", "blue"), false},
		{"not in", assistants.FilterNin("team", "red", "green"), true},
		{"not in, but it is", assistants.FilterNin("year", 2023, 2024), false},
		{"not in nothing", assistants.FilterNin[int]("team"), true},
		{"missing not in", assistants.FilterNin("other", "blue"), true},

		{"and", assistants.FilterAnd(assistants.FilterEq("team", "blue"), assistants.FilterGt("year", 2000)), true},
		{"and, but one", assistants.FilterAnd(assistants.FilterEq("team", "blue"), assistants.FilterGt("year", 3000)), false},
		{"and of nothing", assistants.FilterAnd(), true},
		{"or", assistants.FilterOr(assistants.FilterEq("team", "red"), assistants.FilterGt("year", 2000)), true},
		{"or, but none", assistants.FilterOr(assistants.FilterEq("team", "red"), assistants.FilterGt("year", 3000)), false},
		{"or of nothing", assistants.FilterOr(), false},
		{"nested", assistants.FilterAnd(assistants.FilterOr(assistants.FilterAnd(), assistants.FilterOr())), true},
		{"unknown", f{Type: "like", Key: "team", Value: assistants.AttributeOf("blue")}, false},
		{"unknown, of a number", f{Type: "like", Key: "year", Value: assistants.AttributeOf(2024)}, false},
		{"zero", f{}, false},
	} {
		assert.Equal(t, test.want, test.filter.Matches(attributes), test.name)

		// What is read of what is sent chooses the same.
		if test.filter.Type != "" {
			sent, err := json.Marshal(test.filter)
			require.NoError(t, err)
			var read f
			require.NoError(t, json.Unmarshal(sent, &read))
			assert.Equal(t, test.want, read.Matches(attributes), test.name)
		}
	}
	assert.False(t, f{Type: "gt", Key: "year"}.Matches(attributes))
	assert.True(t, assistants.FilterNe("team", "blue").Matches(nil))
	assert.False(t, assistants.FilterEq("team", "blue").Matches(nil))
}
