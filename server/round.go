package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// This file turns what a model yields into messages and steps.

// maxRunBytes is what the calls of a run may yield together, as their events weigh.
const maxRunBytes = 16 << 20

// accept takes an event into the run. An error is the model's fault, and the run's end.
func (r *run) accept(e ModelEvent, weight int) error {
	if r.state.Weight += weight; r.state.Weight > maxRunBytes {
		return fmt.Errorf("the model yielded more than %d bytes", maxRunBytes)
	}
	switch e := e.(type) {
	case Usage:
		cost := counted(e)
		r.stepUsage.add(cost)
		r.state.Usage.add(cost)
		return nil
	case State:
		r.state.Weight -= len(r.state.Model) // whose place it takes
		r.state.Model = append([]byte(nil), e...)
		return nil
	}
	if r.finish != "" {
		return nil
	}
	switch e := e.(type) {
	case Finish:
		return r.acceptFinish(e)
	case NewMessage:
		if m := r.writing(); m != nil {
			r.completeStep()
		}
		return nil
	case Text, Refusal, Citation, FilePath, Image:
		return r.acceptWriting(e)
	default:
		return r.acceptCalling(e)
	}
}

func (r *run) acceptFinish(e Finish) error {
	switch e {
	case FinishStop, FinishLength, FinishPromptLength, FinishContentFilter:
		r.finish = e
		return nil
	}
	return fmt.Errorf("the model finished for an unknown reason: %q", echo(string(e)))
}

// acceptWriting takes what belongs to a message. One that is open goes on; behind hosted tools another begins.
func (r *run) acceptWriting(e ModelEvent) error {
	if e == Text("") || e == Refusal("") {
		return nil
	}
	if r.step.kind() == toolFunction {
		if text, ok := e.(Text); ok && strings.TrimSpace(string(text)) == "" {
			return nil
		}
		return errors.New("the model wrote text behind calls of functions")
	}
	if r.step == nil || r.step.message == nil {
		if !r.completeStep() || !r.openMessage() {
			return nil // collapsed
		}
	}
	m := r.step.message
	known := len(m.parts)
	switch e := e.(type) {
	case Text:
		m.write(string(e), r.feed)
	case Refusal:
		m.refuse(string(e), r.feed)
	case Citation:
		m.cite(e, r.feed)
	case FilePath:
		m.point(e, r.feed)
	case Image:
		m.show(e.FileID, r.feed)
	}
	r.state.Weight += perStep * (len(m.parts) - known)
	return nil
}

// acceptCalling takes what belongs to calls of tools. Functions that are called one after the other share a step, a
// hosted tool has one of its own.
func (r *run) acceptCalling(e ModelEvent) error {
	kind := r.step.kind()
	switch e := e.(type) {
	case FunctionCall:
		if e.Name == "" {
			return errors.New("the model called a function without a name")
		}
		return r.begin(&toolCall{id: e.ID, kind: toolFunction, name: e.Name}, e.Arguments)
	case CodeCall:
		return r.begin(&toolCall{id: e.ID, kind: toolCode}, e.Input)
	case SearchCall:
		return r.begin(&toolCall{id: e.ID, kind: toolSearch, ranking: ranking(e), results: slices.Clone(e.Results)}, "")
	case Arguments:
		if kind != toolFunction {
			return errors.New("the model yielded arguments of no function")
		}
		r.step.grow(string(e), r.feed)
	case CodeInput, CodeLogs, CodeImage:
		if kind != toolCode {
			return errors.New("the model yielded code or outputs of no call of the code interpreter")
		}
		r.acceptCode(e)
	case SearchResults:
		if kind != toolSearch {
			return errors.New("the model yielded results of no search")
		}
		c := r.step.calls[len(r.step.calls)-1]
		c.results = append(c.results[:len(c.results):len(c.results)], e...)
	default:
		return fmt.Errorf("the model yielded a %T, which is no event", e)
	}
	return nil
}

func (r *run) acceptCode(e ModelEvent) {
	switch e := e.(type) {
	case CodeInput:
		r.step.grow(string(e), r.feed)
	case CodeLogs:
		r.step.print("logs", quote(string(e)), r.feed)
	case CodeImage:
		r.step.print("image", json.RawMessage(`{"file_id":`+string(quote(e.FileID))+`}`), r.feed)
	}
}

// begin begins a call with the first of its text, in a step for it.
func (r *run) begin(c *toolCall, text string) error {
	open := r.step.kind()
	switch {
	case open == toolFunction && c.kind != toolFunction:
		return errors.New("the model used another tool behind calls of functions")
	case open == toolFunction:
		r.step.finishRune(r.feed)
	default:
		if !r.completeStep() || !r.openStep(nil) {
			return nil // collapsed
		}
	}
	if c.id = strings.ToValidUTF8(c.id, "\uFFFD"); c.id == "" {
		c.id = r.engine.server.newID(prefixCall)
	}
	if len(r.step.calls) == maxOutputs {
		return fmt.Errorf("the model called more than %d functions at once", maxOutputs)
	}
	for _, other := range r.step.calls {
		if other.id == c.id {
			return fmt.Errorf("the model made two calls with the id %q", echo(c.id))
		}
	}
	r.step.call(c, r.feed)
	if text != "" {
		r.step.grow(text, r.feed)
	}
	return nil
}

func ranking(e SearchCall) json.RawMessage {
	ranker := e.Ranker
	if ranker == "" {
		ranker = "default_2024_08_21"
	}
	return json.RawMessage(`{"ranker":` + string(quote(ranker)) + `,"score_threshold":` + string(score(e.ScoreThreshold)) + `}`)
}
