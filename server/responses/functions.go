package responses

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"

	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// This file is about calls of functions, behind which a run waits, and about what comes behind them all the same.

var errNameless = errors.New("responses: a call of a function without a name")

// callOf returns the beginning of a call. Its id is the provider's, unless it has none, one that is too long to be sent back, or
// one that another call has.
func (a *answer) callOf(o *output) server.FunctionCall {
	if a.ids == nil {
		a.ids = make(map[string]bool)
	}
	if o.callID == "" || len(o.callID) > maxCallID || a.ids[o.callID] {
		o.callID = "call_" + rand.Text()[:24]
	}
	a.ids[o.callID] = true
	return server.FunctionCall{ID: o.callID, Name: o.name}
}

// finishCall begins a call that has not begun, for it had no id, or nothing else: more will not come.
func (a *answer) finishCall(o *output) error {
	if o.begun {
		return nil
	}
	if o.name == "" {
		return provider.Broken(errNameless)
	}
	o.begun = true
	call := a.callOf(o)
	call.Arguments = string(o.text)
	if o.raw != nil {
		o.raw = renamed(o.raw, o.callID)
	}
	return a.say(o, call)
}

// late returns the items that came behind calls of functions and could not go out. They are told when the run goes on: nothing
// can stand between the calls and their outputs.
func (a *answer) late() (items []json.RawMessage, err error) {
	for _, o := range a.sorted() {
		if len(o.waiting) == 0 {
			continue
		}
		if o.raw == nil {
			return nil, provider.Broken(errors.New("responses: an item behind calls of functions without an end"))
		}
		items = append(items, o.raw)
	}
	return items, nil
}

// tellLate tells what came behind the calls that have been answered now.
func (a *answer) tellLate(items []json.RawMessage) error {
	for index, raw := range items {
		var it item
		if err := decode(raw, &it); err != nil {
			return err
		}
		o, err := a.place(index, it.Type)
		if err != nil {
			return err
		}
		if err := a.complete(o, &it, raw); err != nil {
			return err
		}
	}
	return nil
}

// answers are the items of an answer as they came whole.
func (a *answer) answers() (items []json.RawMessage) {
	for _, o := range a.sorted() {
		if o.raw != nil {
			items = append(items, o.raw)
		}
	}
	return slices.Clip(items)
}
