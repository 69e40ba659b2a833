package upstream

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// object is a JSON object.
type object = map[string]any

// pieceRunes is how long the pieces of a text are, in characters.
const pieceRunes = 7

// Stream takes a Response of the Responses API apart into the events that a stream of it has: those of one item after
// the other, in the order that was recorded or is documented. The last event has the Response as it is, by its
// status.
func Stream(response string) (string, error) {
	return stream(response, func(items [][]object) []object { return slices.Concat(items...) })
}

// Interleaved is like [Stream], with the events of all items taking turns.
func Interleaved(response string) (string, error) {
	return stream(response, func(items [][]object) []object {
		var all []object
		for more := true; more; {
			more = false
			for i := range items {
				if len(items[i]) > 0 {
					all = append(all, items[i][0])
					items[i] = items[i][1:]
					more = true
				}
			}
		}
		return all
	})
}

func stream(response string, join func([][]object) []object) (string, error) {
	var whole object
	if err := json.Unmarshal([]byte(response), &whole); err != nil {
		return "", err
	}
	output, ok := whole["output"].([]any)
	if !ok {
		return "", fmt.Errorf("upstream: a response without output: %s", response)
	}
	begun := with(whole, "status", "in_progress", "output", []any{}, "usage", nil, "error", nil, "incomplete_details", nil)
	items := make([][]object, len(output))
	for i, item := range output {
		c := composer{index: i}
		c.item(item.(object))
		items[i] = c.events
	}
	events := []object{{"type": "response.created", "response": begun}, {"type": "response.in_progress", "response": begun}}
	events = append(events, join(items)...)
	events = append(events, object{"type": "response." + whole["status"].(string), "response": whole})
	return Frames(events...)
}

// Frames writes events of the Responses API as a stream, each with its number.
func Frames(events ...object) (string, error) {
	var b strings.Builder
	for i, e := range events {
		data, err := json.Marshal(with(e, "sequence_number", i))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", e["type"], data)
	}
	return b.String(), nil
}

// with is a copy of an object with other values of some keys.
func with(o object, pairs ...any) object {
	out := make(object, len(o)+len(pairs)/2)
	for key, value := range o {
		out[key] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

// A composer makes the events of one item.
type composer struct {
	index  int // of the item
	id     any // of the item
	events []object
}

// event adds an event about the item; of the item itself if what it is about has no place of its own.
func (c *composer) event(kind string, pairs ...any) {
	c.events = append(c.events, with(object{"type": "response." + kind, "output_index": c.index, "item_id": c.id}, pairs...))
}

func (c *composer) item(item object) {
	c.id = item["id"]
	begun, body := c.begin(item)
	c.events = append(c.events, object{"type": "response.output_item.added", "output_index": c.index, "item": begun})
	body()
	c.events = append(c.events, object{"type": "response.output_item.done", "output_index": c.index, "item": item})
}

// begin is what an item is at its beginning, and what adds the events between that and its end. An item of a kind
// that is not known has none.
func (c *composer) begin(item object) (begun object, body func()) {
	kind, _ := item["type"].(string)
	switch kind {
	case "message":
		return with(item, "status", "in_progress", "content", []any{}), func() { c.content(item["content"].([]any)) }
	case "function_call":
		return with(item, "status", "in_progress", "arguments", ""), func() {
			c.pieces("function_call_arguments", "arguments", text(item["arguments"]))
		}
	case "reasoning":
		return with(item, "summary", []any{}), func() { c.summary(item["summary"].([]any)) }
	case "file_search_call":
		return with(item, "status", "in_progress", "queries", []any{}, "results", nil), c.states(kind, "in_progress", "searching", "completed")
	case "web_search_call":
		return with(item, "status", "in_progress"), c.states(kind, "in_progress", "searching", "completed")
	case "mcp_list_tools":
		return with(item, "tools", []any{}), c.states(kind, "in_progress", "completed")
	case "mcp_call":
		return with(item, "arguments", "", "output", nil), func() {
			c.event("mcp_call.in_progress")
			c.pieces("mcp_call_arguments", "arguments", text(item["arguments"]))
			c.event("mcp_call.completed")
		}
	case "code_interpreter_call":
		return with(item, "status", "in_progress", "code", "", "outputs", nil), func() {
			c.event("code_interpreter_call.in_progress")
			c.pieces("code_interpreter_call_code", "code", text(item["code"]))
			c.event("code_interpreter_call.interpreting")
			c.event("code_interpreter_call.completed")
		}
	}
	return item, func() {}
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// states adds events that say how far a call is.
func (c *composer) states(kind string, states ...string) func() {
	return func() {
		for _, s := range states {
			c.event(kind + "." + s)
		}
	}
}

// pieces adds a text in pieces, and then all of it under its name.
func (c *composer) pieces(kind, name, whole string, pairs ...any) {
	for _, piece := range cut(whole) {
		c.event(kind+".delta", append(slices.Clone(pairs), "delta", piece)...)
	}
	c.event(kind+".done", append(slices.Clone(pairs), name, whole)...)
}

// cut cuts a text into pieces.
func cut(whole string) []string {
	var pieces []string
	for whole != "" {
		n := 0
		for range pieceRunes {
			_, size := utf8.DecodeRuneInString(whole[n:])
			n += size
		}
		pieces, whole = append(pieces, whole[:n]), whole[n:]
	}
	return pieces
}

// content adds the parts of a message.
func (c *composer) content(parts []any) {
	for i, p := range parts {
		part := p.(object)
		at := []any{"content_index", i}
		if part["type"] == "refusal" {
			c.event("content_part.added", append(at, "part", with(part, "refusal", ""))...)
			c.pieces("refusal", "refusal", text(part["refusal"]), at...)
		} else {
			c.event("content_part.added", append(at, "part", with(part, "text", "", "annotations", []any{}))...)
			c.annotated(part, at)
		}
		c.event("content_part.done", append(at, "part", part)...)
	}
}

// annotated adds a text with annotations, each at its place: one of a file at its index, one of a range behind it,
// and one without either at the end.
func (c *composer) annotated(part object, at []any) {
	at = append(at, "logprobs", []any{})
	runes := []rune(text(part["text"]))
	done := 0
	write := func(to int) {
		for _, piece := range cut(string(runes[done:max(done, to)])) {
			c.event("output_text.delta", append(slices.Clone(at), "delta", piece)...)
		}
		done = max(done, to)
	}
	annotations, _ := part["annotations"].([]any)
	for i, a := range annotations {
		annotation := a.(object)
		place := len(runes)
		for _, name := range []string{"end_index", "index"} {
			if n, ok := annotation[name].(float64); ok && n > 0 && int(n) <= len(runes) {
				place = int(n)
			}
		}
		write(place)
		c.event("output_text.annotation.added", "content_index", at[1], "annotation_index", i, "annotation", annotation)
	}
	write(len(runes))
	c.event("output_text.done", append(slices.Clone(at), "text", string(runes))...)
}

// summary adds the parts of a summary of reasoning.
func (c *composer) summary(parts []any) {
	for i, p := range parts {
		part := p.(object)
		c.event("reasoning_summary_part.added", "summary_index", i, "part", with(part, "text", ""))
		c.pieces("reasoning_summary_text", "text", text(part["text"]), "summary_index", i)
		c.event("reasoning_summary_part.done", "summary_index", i, "part", part)
	}
}
