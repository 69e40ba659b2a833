package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
	"github.com/assistants-go/assistants/server/responses"
)

// An api is one that a model may be behind: how a stream of it looks, and how it is read.
type api struct {
	name string // in the tables
	path string // of its requests
	body string // of the floor's request
	// model returns what has the embedded server ask it.
	model func(*assistants.Client) server.Model

	begin string                            // what is sent at once
	open  string                            // what is sent together with the first piece of text
	delta func(n int, text string) string   // a piece of text, counted from 0
	end   func(n int, text string) string   // what is sent behind n pieces
	text  func(data []byte) (string, error) // what an event adds to the text
}

func apis() []*api { return []*api{responsesAPI(), chatAPI()} }

// responsesAPI is POST /responses. The last events repeat the text, as those of the service do.
func responsesAPI() *api {
	event := func(name, rest string) string {
		return "event: " + name + "\ndata: {\"type\":\"" + name + "\"," + rest + "}\n\n"
	}
	const (
		item  = `"item_id":"msg_1","output_index":0,"content_index":0`
		state = `"id":"resp_1","object":"response","created_at":1786000000,"model":"m","error":null,` +
			`"incomplete_details":null,"instructions":"Answer briefly.","tools":[],"store":false`
	)
	part := func(text string) string {
		return `{"type":"output_text","annotations":[],"logprobs":[],"text":"` + text + `"}`
	}
	message := func(status, content string) string {
		return `{"id":"msg_1","type":"message","status":"` + status + `","content":[` + content + `],"role":"assistant"}`
	}
	begun := `"response":{` + state + `,"status":"in_progress","output":[],"usage":null}`
	return &api{
		name: "Responses",
		path: "/responses",
		body: `{"model":"m","instructions":"Answer briefly.","input":[{"type":"message","role":"user",` +
			`"content":[{"type":"input_text","text":"How are you?"}]}],"stream":true,"store":false}`,
		model: func(c *assistants.Client) server.Model { return responses.New(c) },
		begin: event("response.created", `"sequence_number":0,`+begun) + event("response.in_progress", `"sequence_number":1,`+begun),
		open: event("response.output_item.added", `"sequence_number":2,"output_index":0,"item":`+message("in_progress", "")) +
			event("response.content_part.added", `"sequence_number":3,`+item+`,"part":`+part("")),
		delta: func(n int, text string) string {
			return event("response.output_text.delta", fmt.Sprintf(`"sequence_number":%d,%s,"delta":"%s","logprobs":[]`, 4+n, item, text))
		},
		end: func(n int, text string) string {
			number := func(i int) string { return fmt.Sprintf(`"sequence_number":%d,`, 4+n+i) }
			done := message("completed", part(text))
			return event("response.output_text.done", number(0)+item+`,"text":"`+text+`","logprobs":[]`) +
				event("response.content_part.done", number(1)+item+`,"part":`+part(text)) +
				event("response.output_item.done", number(2)+`"output_index":0,"item":`+done) +
				event("response.completed", number(3)+`"response":{`+state+`,"status":"completed","output":[`+done+`],`+
					`"usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":0},"output_tokens":10,`+
					`"output_tokens_details":{"reasoning_tokens":0},"total_tokens":30}}`)
		},
		text: func(data []byte) (string, error) {
			var event struct{ Type, Delta string }
			err := json.Unmarshal(data, &event)
			return event.Delta, err
		},
	}
}

// chatAPI is POST /chat/completions.
func chatAPI() *api {
	chunk := func(choices, usage string) string {
		return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1786000000,"model":"m",` +
			`"system_fingerprint":"fp_1","choices":[` + choices + `],"usage":` + usage + "}\n\n"
	}
	choice := func(delta, finish string) string {
		return chunk(`{"index":0,"delta":`+delta+`,"logprobs":null,"finish_reason":`+finish+`}`, "null")
	}
	return &api{
		name: "Chat",
		path: "/chat/completions",
		body: `{"model":"m","messages":[{"role":"system","content":"Answer briefly."},` +
			`{"role":"user","content":"How are you?"}],"stream":true,"stream_options":{"include_usage":true}}`,
		model: func(c *assistants.Client) server.Model { return chat.New(c) },
		begin: choice(`{"role":"assistant","content":""}`, "null"),
		delta: func(_ int, text string) string { return choice(`{"content":"`+text+`"}`, "null") },
		end: func(int, string) string {
			return choice("{}", `"stop"`) + chunk("", `{"prompt_tokens":20,"completion_tokens":10,"total_tokens":30}`) + "data: [DONE]\n\n"
		},
		text: func(data []byte) (string, error) {
			if string(data) == "[DONE]" {
				return "", nil
			}
			var event struct {
				Choices []struct{ Delta struct{ Content string } }
			}
			err := json.Unmarshal(data, &event)
			var text strings.Builder
			for _, c := range event.Choices {
				text.WriteString(c.Delta.Content)
			}
			return text.String(), err
		},
	}
}
