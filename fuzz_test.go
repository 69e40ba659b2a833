package assistants_test

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// Whatever an error's body is, the error has a status and a message of bounded length.
func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{``, `null`, `"x"`, `{"error":{"message":"m","code":1}}`, `{"detail":[{"loc":["a"],"msg":"b"}]}`,
		`{"error":{"error":[[]]}}`, `<html>`, "\xff\x00", `[[[`, `{"message":{"message":{}}}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		err := create(t.Context(), newClient(t, newTransport(t, answer(400, body))))
		var e *assistants.APIError
		require.ErrorAs(t, err, &e)
		require.Equal(t, 400, e.StatusCode)
		require.NotEmpty(t, e.Message)
		require.LessOrEqual(t, len(e.Message), 512)
		require.Equal(t, body, string(e.Body))
		if utf8.ValidString(body) {
			require.True(t, utf8.ValidString(e.Message))
		}
	})
}

// Whatever an answer is, it is an assistant with an id or an error; and an assistant can be sent back.
func FuzzAssistant(f *testing.F) {
	for _, body := range []string{assistantJSON, `null`, `{}`, `{"id":"a","tools":[null,{"type":"x","y":1}],"response_format":"none"}`,
		`{"id":"a","response_format":{"type":"json_schema"}}`, `{"id":"a","response_format":7}`, `{"id":"a","error":1}`,
		`{"id":"a","tools":[{"type":"function"}]}`, `{"id":"a","tools":[{"type":"x","function":1},null,7]}`, `{"id":"a","tool_resources":{"file_search":{"vector_stores":[{}]}}}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		client := newClient(t, newTransport(t, answer(200, body)))
		a, err := client.Assistants.Retrieve(t.Context(), "asst_1")
		if err != nil {
			require.Nil(t, a)
			var e *assistants.APIError
			require.ErrorAs(t, err, &e)
			return
		}
		require.NotEmpty(t, a.ID)
		for _, tool := range a.Tools {
			requireSendable(t, tool)
		}
		if a.ResponseFormat != nil && *a.ResponseFormat != (assistants.ResponseFormat{}) {
			requireSendable(t, *a.ResponseFormat)
		}
	})
}

// requireSendable holds that v is JSON again that decodes, or that it says why it cannot be sent.
func requireSendable(t *testing.T, v json.Marshaler) {
	t.Helper()
	encoded, err := v.MarshalJSON()
	if err != nil {
		require.NotEmpty(t, err.Error())
		require.False(t, errors.As(err, new(*json.SyntaxError)))
		return
	}
	require.True(t, json.Valid(encoded))
}

// The decoders of unions take any JSON of the right kind, and what they do not know they keep.
func FuzzUnions(f *testing.F) {
	for _, body := range []string{`"auto"`, `{"type":"text"}`, `{"type":"json_schema","json_schema":{"name":"n","schema":{}}}`, `null`, `"x"`,
		`{"type":"static","static":{"max_chunk_size_tokens":1,"chunk_overlap_tokens":2}}`, `{"type":"function","function":{"name":"f"}}`, `{"type":7}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var format assistants.ResponseFormat
		if json.Unmarshal(body, &format) == nil && format != (assistants.ResponseFormat{}) {
			requireSendable(t, format)
		}
		var chunking assistants.ChunkingStrategy
		if json.Unmarshal(body, &chunking) == nil {
			requireSendable(t, chunking)
		}
		var tool assistants.Tool
		if json.Unmarshal(body, &tool) == nil {
			requireSendable(t, tool)
		}
		requireSendable(t, assistants.RawTool(body))
	})
}
