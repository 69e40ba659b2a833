package responses

import (
	"crypto/rand"
	"encoding/json"
	"errors"

	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// This file is about calls of functions, behind which a run waits, and about what comes behind them all the same.

var errNameless = errors.New("responses: a call of a function without a name")

// callOf returns the beginning of a call, with what has come of its arguments. Its id is the provider's, unless it has
// none, one that is too long to be sent back, or one that another call has.
func (a *answer) callOf(o *output) server.FunctionCall {
	if a.ids == nil {
		a.ids = make(map[string]bool)
	}
	if o.callID == "" || len(o.callID) > maxCallID || a.ids[o.callID] {
		o.callID = "call_" + rand.Text()[:24]
	}
	a.ids[o.callID] = true
	return server.FunctionCall{ID: o.callID, Name: o.name, Arguments: string(o.text.come)}
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
	if o.raw != nil {
		o.raw = renamed(o.raw, o.callID)
	}
	return a.say(o, call)
}

// answers are the items of an answer as they came whole, and which of them are late. Those are told when the run goes
// on: nothing can stand between the calls and their outputs.
func (a *answer) answers() (items []json.RawMessage, late []int, err error) {
	for _, o := range a.sorted() {
		switch {
		case o.raw == nil && o.late:
			return nil, nil, provider.Broken(errors.New("responses: an item behind calls of functions without an end"))
		case o.raw == nil:
			continue
		case o.late:
			late = append(late, len(items))
		}
		items = append(items, o.raw)
	}
	return items, late, nil
}

// tellLate tells what came behind the calls that have been answered now.
func (a *answer) tellLate(items []json.RawMessage) error {
	for index, raw := range items {
		it, err := decodeItem(raw)
		if err != nil {
			return err
		}
		o, err := a.place(index, string(it.Type))
		if err != nil {
			return err
		}
		if err := a.complete(o, &it, raw); err != nil {
			return err
		}
	}
	return nil
}
