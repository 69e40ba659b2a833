package server

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/assistants-go/assistants"
)

// toolCall is a call of a tool in a step that is being made.
type toolCall struct {
	id, kind string

	name string // of a function
	text runes  // its arguments, or code
	head string // of the events that add to text

	output  json.RawMessage   // of a function; nil: none yet
	outputs []json.RawMessage // of code

	ranking json.RawMessage // of a search
	results []assistants.FileSearchResult
}

// Kinds of tools that a step calls.
const (
	toolFunction = "function"
	toolCode     = "code_interpreter"
	toolSearch   = "file_search"
)

// append renders the call.
func (c *toolCall) append(b []byte, withContent bool) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, c.id)
	b = append(b, `,"type":"`+c.kind+`","`+c.kind+`":`...)
	switch c.kind {
	case toolFunction:
		b = append(b, `{"name":`...)
		b = appendString(b, c.name)
		b = append(b, `,"arguments":`...)
		b = appendString(b, c.text.String())
		b = append(b, `,"output":`...)
		if c.output == nil {
			b = append(b, "null"...)
		}
		b = append(b, c.output...)
	case toolCode:
		b = append(b, `{"input":`...)
		b = appendString(b, c.text.String())
		b = append(b, `,"outputs":`...)
		b = append(b, renderArray(c.outputs)...)
	case toolSearch:
		b = append(b, `{"ranking_options":`...)
		b = append(b, c.ranking...)
		b = append(b, `,"results":[`...)
		for i := range c.results {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendResult(b, &c.results[i], withContent)
		}
		b = append(b, ']')
	}
	return append(b, "}}"...)
}

func appendResult(b []byte, r *assistants.FileSearchResult, withContent bool) []byte {
	b = append(b, `{"file_id":`...)
	b = appendString(b, r.FileID)
	b = append(b, `,"file_name":`...)
	b = appendString(b, r.FileName)
	b = append(b, `,"score":`...)
	b = append(b, score(r.Score)...)
	b = append(b, `,"attributes":`...)
	if r.Attributes == nil {
		b = append(b, "{}"...)
	} else {
		b = append(b, encode(r.Attributes)...)
	}
	if withContent {
		b = append(b, `,"content":[`...)
		for i := range r.Content {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"type":"text","text":`...)
			b = appendString(b, r.Content[i].Text)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// score renders a number that should be one.
func score(f float64) json.RawMessage {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 0
	}
	return formatDecimal(f)
}

// delta begins the data of an event that adds to a call, in front of what the tool's key holds.
func (s *step) delta(kind string, index int, id string) string {
	head := `{"id":` + string(quote(s.doc.ID)) +
		`,"object":"thread.run.step.delta","delta":{"step_details":{"type":"tool_calls","tool_calls":[{"index":` + strconv.Itoa(index)
	if id != "" {
		head += `,"id":` + string(quote(id))
	}
	return head + `,"type":"` + kind + `","` + kind + `":`
}

const stepDeltaEnd = `}]}}}`

const eventStepDelta = "thread.run.step.delta"

// call begins a call.
func (s *step) call(c *toolCall, f *feed) {
	index := len(s.calls)
	s.calls = append(s.calls, c)
	var begun string
	switch c.kind {
	case toolFunction:
		begun = `{"name":` + string(quote(c.name)) + `,"arguments":"","output":null}`
		c.head = s.delta(c.kind, index, "") + `{"arguments":`
	case toolCode:
		begun = `{"input":"","outputs":[]}`
		c.head = s.delta(c.kind, index, "") + `{"input":`
	case toolSearch:
		begun = `{"ranking_options":` + string(c.ranking) + `,"results":[]}`
	}
	f.add(event{name: eventStepDelta, data: []byte(s.delta(c.kind, index, c.id) + begun + stepDeltaEnd)})
}

// grow adds to the arguments or the code of the newest call.
func (s *step) grow(piece string, f *feed) {
	c := s.calls[len(s.calls)-1]
	c.show(c.text.add(piece), f)
}

// finishRune shows what is left of a character of the newest call, before something else comes.
func (s *step) finishRune(f *feed) {
	if n := len(s.calls); n > 0 {
		c := s.calls[n-1]
		c.show(c.text.flush(), f)
	}
}

func (c *toolCall) show(whole string, f *feed) {
	if whole != "" {
		f.add(event{name: eventStepDelta, growth: growth{head: c.head, tail: "}" + stepDeltaEnd, text: whole}})
	}
}

// print adds an output to the newest call, which has run code. What the output is comes behind its type.
func (s *step) print(kind string, value json.RawMessage, f *feed) {
	s.finishRune(f)
	index := len(s.calls) - 1
	c := s.calls[index]
	output := `"type":"` + kind + `","` + kind + `":` + string(value) + `}`
	number := strconv.Itoa(len(c.outputs))
	c.outputs = append(c.outputs, json.RawMessage("{"+output))
	f.add(event{name: eventStepDelta, data: []byte(
		s.delta(c.kind, index, "") + `{"outputs":[{"index":` + number + `,` + output + `]}` + stepDeltaEnd)})
}
