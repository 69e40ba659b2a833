package typed_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/typed"
)

// schemaOf is the schema that is sent for T.
func schemaOf[T any](opts ...typed.Option) string {
	return string(typed.ResponseFormat[T]("format", opts...).JSONSchema.Schema)
}

// panicOf is what f panics with.
func panicOf(t *testing.T, f func()) (text string) {
	t.Helper()
	defer func() {
		t.Helper()
		var ok bool
		text, ok = recover().(string)
		require.True(t, ok, "no panic, or not one with a string")
	}()
	f()
	return ""
}

// text is a message with one text.
func text(value string) *assistants.Message {
	return &assistants.Message{Content: []assistants.ContentPart{{
		Type: assistants.ContentText,
		Text: &assistants.Text{Value: value},
	}}}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }
