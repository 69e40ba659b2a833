package upstream

import (
	"encoding/json"
	"errors"
	"strings"
)

// Chunks takes a completion of the Chat Completions API apart into the chunks that a stream of it has, with a last
// one for the usage, if it has that, and the end that says "[DONE]".
func Chunks(completion string) (string, error) {
	var whole object
	if err := json.Unmarshal([]byte(completion), &whole); err != nil {
		return "", err
	}
	choices, _ := whole["choices"].([]any)
	if len(choices) == 0 {
		return "", errors.New("upstream: a completion without choices")
	}
	choice := choices[0].(object)
	message, _ := choice["message"].(object) // none, if it was filtered
	var all []object
	add := func(delta object, finish any) {
		all = append(all, object{"choices": []any{object{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish}}})
	}
	add(object{"role": "assistant", "content": ""}, nil)
	for _, name := range []string{"content", "refusal"} {
		for _, piece := range cut(text(message[name])) {
			add(object{name: piece}, nil)
		}
	}
	if call := message["function_call"]; call != nil { // of old
		add(object{"function_call": call}, nil)
	}
	calls, _ := message["tool_calls"].([]any)
	for i, call := range calls {
		head := call.(object)
		function := head["function"].(object)
		add(object{"tool_calls": []any{with(head, "index", i, "function", with(function, "arguments", ""))}}, nil)
		for _, piece := range cut(text(function["arguments"])) {
			add(object{"tool_calls": []any{object{"index": i, "function": object{"arguments": piece}}}}, nil)
		}
	}
	add(object{}, choice["finish_reason"])
	if usage := whole["usage"]; usage != nil {
		all = append(all, object{"choices": []any{}, "usage": usage})
	}
	for _, chunk := range all {
		for _, name := range []string{"id", "created", "model"} {
			chunk[name] = whole[name]
		}
		chunk["object"] = "chat.completion.chunk"
	}
	return ChunkFrames(all...)
}

// ChunkFrames writes chunks of the Chat Completions API as a stream that is done.
func ChunkFrames(chunks ...object) (string, error) {
	var b strings.Builder
	for _, chunk := range chunks {
		data, err := json.Marshal(chunk)
		if err != nil {
			return "", err
		}
		b.WriteString("data: " + string(data) + "\n\n")
	}
	return b.String() + "data: [DONE]\n\n", nil
}
