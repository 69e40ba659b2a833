package typed_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/typed"
)

func TestResponseFormat(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(typed.ResponseFormat[Stay]("stay", typed.Description("where to sleep"), typed.Strict()))
	require.NoError(t, err)
	assert.Equal(t, `{"type":"json_schema","json_schema":{"name":"stay","description":"where to sleep","schema":{"type":"object",`+
		`"properties":{"city":{"type":"string"},"nights":{"type":["integer","null"]}},"required":["city","nights"],"additionalProperties":false},"strict":true}}`,
		string(got))

	got, err = json.Marshal(typed.ResponseFormat[struct{}]("nothing"))
	require.NoError(t, err)
	assert.Equal(t, `{"type":"json_schema","json_schema":{"name":"nothing","schema":{"type":"object","properties":{},"additionalProperties":false}}}`, string(got))
}

func TestDecode(t *testing.T) {
	t.Parallel()
	stay, err := typed.Decode[Stay](text(" {\"city\":\"Oslo\",\"nights\":2.0}\n"))
	require.NoError(t, err)
	assert.Equal(t, Stay{"Oslo", 2}, stay)

	// What is optional may be null or left out, whichever form was asked for.
	for _, answer := range []string{`{"city":"Oslo","nights":null}`, `{"city":"Oslo"}`} {
		for _, opts := range [][]typed.Option{nil, {typed.Strict()}, {typed.Description("where to sleep")}} {
			stay, err := typed.Decode[Stay](text(answer), opts...)
			require.NoError(t, err)
			assert.Equal(t, Stay{City: "Oslo"}, stay)
		}
	}

	list, err := typed.Decode[[]Unit](text(`["c","f"]`), unitSchema)
	require.NoError(t, err)
	assert.Equal(t, []Unit{"c", "f"}, list)

	pointer, err := typed.Decode[*Stay](text(`null`))
	require.NoError(t, err)
	assert.Nil(t, pointer)

	// Other parts do not count.
	message := text(`{"city":"Oslo"}`)
	message.Status = assistants.MessageCompleted
	message.Content = append(message.Content, assistants.ContentPart{Type: assistants.ContentImageFile, ImageFile: &assistants.ImageFile{FileID: "file-1"}})
	stay, err = typed.Decode[Stay](message)
	require.NoError(t, err)
	assert.Equal(t, "Oslo", stay.City)
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	incomplete := text(`{"city":"Os`)
	incomplete.Status = assistants.MessageIncomplete
	because := text(`{"city":"Os`)
	because.IncompleteDetails = &assistants.MessageIncompleteDetails{Reason: "max_tokens"}
	const other = "typed: the text of the message is not what was asked for: "
	tests := map[string]struct {
		message *assistants.Message
		want    string
	}{
		"nil":        {nil, "typed: the message is nil"},
		"empty":      {new(assistants.Message), "typed: the message has no text"},
		"incomplete": {incomplete, "typed: the message is incomplete: no reason is given"},
		"because":    {because, "typed: the message is incomplete: max_tokens"},
		"no JSON":    {text("Sure! Oslo."), other + `not JSON: invalid character 'S' looking for beginning of value, near byte …; it is "Sure! Oslo."`},
		"long": {text("{" + strings.Repeat("x", 500)), other + "not JSON: invalid character 'x' looking for beginning of object key string, near byte …; " +
			`it is "{` + strings.Repeat("x", 199) + `…"`},
		"trailing": {text(`{"city":"Oslo"} or so`), other + `not JSON: invalid character 'o' after top-level value, near byte …; it is "{\"city\":\"Oslo\"} or so"`},
		"missing":  {text(`{}`), other + `city is missing; it is "{}"`},
		"unknown":  {text(`{"city":"Oslo","City":"Rome"}`), other + `City is unknown; known are ["city","nights"]; it is "{\"city\":\"Oslo\",\"City\":\"Rome\"}"`},
		"null":     {text(`{"city":null}`), other + `city must be of type string, and is of type null; it is "{\"city\":null}"`},
		"bounds":   {text(`{"city":"","nights":1000}`), other + `nights must be at most 127; it is "{\"city\":\"\",\"nights\":1000}"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stay, err := typed.Decode[Stay](test.message)
			require.Error(t, err)
			got := regexp.MustCompile(`near byte \d+`).ReplaceAllString(err.Error(), "near byte …") // which Go counts differently from version to version
			assert.Equal(t, test.want, got)
			assert.Zero(t, stay)
		})
	}

	_, err := typed.Decode[Node](text(`{}`))
	assert.EqualError(t, err, "typed: field Next: typed_test.Node contains itself, so that its schema cannot be inferred; give it one with TypeSchema")
	_, err = typed.Decode[Stay](text(`{}`), nil)
	assert.EqualError(t, err, "typed: option 0 is nil")
}

// What was decoded before an error is not returned.
func TestDecodeAllOrNothing(t *testing.T) {
	t.Parallel()
	value, err := typed.Decode[struct {
		A string
		B int64
	}](text(`{"A":"set","B":9223372036854775808}`))
	require.Error(t, err)
	assert.Zero(t, value)
}

func TestDecodeRefusal(t *testing.T) {
	t.Parallel()
	message := &assistants.Message{Status: assistants.MessageIncomplete, Content: []assistants.ContentPart{
		{Type: assistants.ContentRefusal, Refusal: "I can't help with that."},
	}}
	_, err := typed.Decode[Stay](message)
	refusal, ok := errors.AsType[*typed.RefusalError](err)
	require.True(t, ok, err)
	assert.Equal(t, "I can't help with that.", refusal.Refusal)
	assert.EqualError(t, err, "typed: the model refused: I can't help with that.")
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{``, `null`, `{"city":"Oslo"}`, `{"city":"a","nights":1.0}`, "```json\n{}\n```", `[[[[`, "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		stay, err := typed.Decode[Stay](text(answer))
		if err != nil {
			assert.Zero(t, stay)
			return
		}
		encoded, err := json.Marshal(stay)
		require.NoError(t, err)
		again, err := typed.Decode[Stay](text(string(encoded)))
		require.NoError(t, err)
		assert.Equal(t, stay, again)
	})
}
