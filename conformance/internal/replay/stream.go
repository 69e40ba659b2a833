package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A frame is an event as the service wrote it.
type frame struct{ name, data string }

// The frames that are no events of a run.
const (
	doneFrame  = "done"
	errorFrame = "error"
)

// frames takes a recorded stream apart. The service wrote one form only, so anything else is an error; the client's
// own reader takes more.
func frames(text string) ([]frame, error) {
	var out []frame
	for text != "" {
		block, rest, whole := strings.Cut(text, "\n\n")
		name, data, _ := strings.Cut(block, "\n")
		name, named := strings.CutPrefix(name, "event: ")
		data, filled := strings.CutPrefix(data, "data: ")
		if !whole || !named || !filled || strings.Contains(data, "\n") {
			return nil, fmt.Errorf("event %d of the recorded stream has another form: %q", len(out)+1, block)
		}
		out = append(out, frame{name, data})
		text = rest
	}
	return out, nil
}

// checkStream reads a stream to its end and returns what is not as it was recorded: the events, how it ended, and what
// the events add up to.
func (p Passed) checkStream(e *recording.Exchange, stream *assistants.Stream) []string {
	defer stream.Close()
	recorded, err := frames(e.ResponseText)
	if err != nil {
		return []string{err.Error()}
	}
	var end frame
	if last := len(recorded) - 1; last >= 0 && (recorded[last].name == doneFrame || recorded[last].name == errorFrame) {
		end, recorded = recorded[last], recorded[:last]
	}
	var found []string
	sum := summation{passed: p}
	events := 0
	for event, err := range stream.Events() {
		if err != nil {
			found = append(found, checkEnd(e, end, err)...)
			end.name = "reported"
			break
		}
		if events == len(recorded) {
			return append(found, fmt.Sprintf("event %d is %s, and nothing was recorded", events+1, event.Type))
		}
		for _, line := range append(p.checkEvent(recorded[events], event), sum.add(event)...) {
			found = append(found, fmt.Sprintf("event %d, %s: %s", events+1, event.Type, line))
		}
		events++
	}
	if events < len(recorded) {
		found = append(found, fmt.Sprintf("the stream ended after %d of %d events", events, len(recorded)))
	}
	if end.name == errorFrame || end.name == "" {
		found = append(found, "the stream ended without an error, and it was not done")
	}
	return append(found, sum.check(stream)...)
}

// checkText reads a stream for its text and then waits for its run: the text is that of all deltas, and the run, or the
// error, is the one that the events ended with.
func (p Passed) checkText(e *recording.Exchange, value any, err error) []string {
	stream, ok := value.(*assistants.Stream)
	if !ok || err != nil {
		return []string{fmt.Sprintf("asked again: %T, %v", value, err)}
	}
	defer stream.Close()
	var text strings.Builder
	var broken error
	for piece, err := range stream.Text() {
		text.WriteString(piece)
		broken = err
	}
	var found []string
	if want := recordedText(e); text.String() != want {
		found = append(found, fmt.Sprintf("text: got %q, want %q", text.String(), want))
	}
	run, err := stream.Wait()
	if err != broken {
		found = append(found, fmt.Sprintf("the text ended with the error %v, the wait with %v", broken, err))
	}
	if recorded := lastRunJSON(e); recorded != nil {
		found = append(found, prefixed("run that was waited for: ", p.checkValue(recorded, run, rulesFor(run)))...)
	}
	return found
}

// recordedText is the text of all deltas.
func recordedText(e *recording.Exchange) string {
	var text strings.Builder
	events, _ := frames(e.ResponseText) // checkStream says what is wrong with them
	for _, f := range events {
		if f.name != "thread.message.delta" {
			continue
		}
		var delta struct {
			Delta struct {
				Content []struct{ Text struct{ Value string } }
			}
		}
		_ = json.Unmarshal([]byte(f.data), &delta)
		for _, part := range delta.Delta.Content {
			text.WriteString(part.Text.Value)
		}
	}
	return text.String()
}

// checkEnd is about the error that a stream ended with.
func checkEnd(e *recording.Exchange, end frame, err error) []string {
	switch end.name {
	case doneFrame:
		return []string{fmt.Sprintf("the stream was done and ended with the error: %v", err)}
	case "":
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			return []string{fmt.Sprintf("the stream broke off and ended with the error: %v", err)}
		}
		return nil
	}
	got, ok := errors.AsType[*assistants.StreamError](err)
	if !ok {
		return []string{fmt.Sprintf("the error in the stream became %v, want a *StreamError", err)}
	}
	var recorded struct {
		Error struct{ Message, Type, Code, Param string }
	}
	if err := json.Unmarshal([]byte(end.data), &recorded); err != nil {
		return []string{err.Error()}
	}
	want := assistants.StreamError{
		Code: recorded.Error.Code, Type: recorded.Error.Type, Param: recorded.Error.Param, Message: recorded.Error.Message,
		RequestID: e.ResponseHeader("X-Request-Id"), Method: e.Method, Path: strings.TrimPrefix(e.Path, "/v1"),
		Data: []byte(end.data),
	}
	if fmt.Sprintf("%q", *got) != fmt.Sprintf("%q", want) {
		return []string{fmt.Sprintf("StreamError: got %q, want %q", *got, want)}
	}
	return nil
}

// checkEvent compares an event with the recorded one: its name, its data, and the one object that it holds.
func (p Passed) checkEvent(want frame, got *assistants.Event) []string {
	if string(got.Type) != want.name {
		return []string{fmt.Sprintf("want %s", want.name)}
	}
	if string(got.Data) != want.data {
		return []string{fmt.Sprintf("data: got %s, want %s", got.Data, want.data)}
	}
	objects := objects(got)
	if len(objects) != 1 {
		return []string{fmt.Sprintf("it holds %d objects", len(objects))}
	}
	return p.checkValue(got.Data, objects[0], rulesFor(objects[0]))
}

// objects are what an event holds, which is one.
func objects(e *assistants.Event) []any {
	var out []any
	add := func(object any, there bool) {
		if there {
			out = append(out, object)
		}
	}
	add(e.Thread, e.Thread != nil)
	add(e.Run, e.Run != nil)
	add(e.RunStep, e.RunStep != nil)
	add(e.RunStepDelta, e.RunStepDelta != nil)
	add(e.Message, e.Message != nil)
	add(e.MessageDelta, e.MessageDelta != nil)
	return out
}
