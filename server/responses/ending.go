package responses

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/assistants-go/assistants/server"
)

// This file ends an answer.

// end takes an answer at its end, or one that is no stream. What has come already does not count again. Status is what
// the answer is if it does not say so itself. What one that has failed has cost is booked too.
func (a *answer) end(raw json.RawMessage, status string) error {
	var r response
	if err := decode(raw, &r); err != nil {
		return err
	}
	finish, err := a.outcome(&r, cmp.Or(string(r.Status), status))
	if err != nil {
		if r.Usage != nil {
			err = cmp.Or(a.emit(usageOf(&r)), err)
		}
		return err
	}
	if err := a.reconcile(r.Output); err != nil {
		return err
	}
	return a.close(&r, finish)
}

// outcome is how an answer has ended; "" is the usual end.
func (a *answer) outcome(r *response, status string) (server.Finish, error) {
	reason := string(r.IncompleteDetails.Reason)
	switch {
	case r.Error != nil:
		return "", a.reported(r.Error)
	case status == "completed":
		return "", nil
	case status == "incomplete" && reason == "max_output_tokens":
		return server.FinishLength, nil
	case status == "incomplete" && reason == "content_filter":
		return server.FinishContentFilter, nil
	case status == "incomplete" && reason != "":
		return "", a.reported(&reported{message: "The model's answer is incomplete: " + reason})
	}
	return "", a.reported(&reported{message: "The model's answer is not complete."})
}

// reconcile takes what is in the output and has not come yet.
func (a *answer) reconcile(all []json.RawMessage) error {
	items := make([]item, len(all))
	for i, raw := range all {
		var err error
		if items[i], err = decodeItem(raw); err != nil {
			return err
		}
	}
	for i, o := range a.match(items) {
		if o == nil {
			var err error
			if o, err = a.place(i, string(items[i].Type)); err != nil {
				return err
			}
		}
		a.settle(o, i)
		if err := a.complete(o, &items[i], all[i]); err != nil {
			return err
		}
	}
	for _, o := range a.sorted() {
		if err := a.endItem(o); err != nil {
			return err
		}
	}
	return a.advance()
}

// match finds items of the output among those that have come; nil is one that has not. Ids tell, and for what they do
// not, the kinds: the first message is the first message, whatever servers leave out between them.
func (a *answer) match(items []item) []*output {
	type name struct{ kind, id string }
	byName, left := make(map[name]*output), make(map[string][]*output)
	for _, o := range slices.Backward(a.sorted()) {
		byName[name{o.kind, o.id}] = o
	}
	found := make([]*output, len(items))
	known := make(map[*output]bool)
	for i := range items {
		if o := byName[name{string(items[i].Type), string(items[i].ID)}]; o != nil && o.id != "" && !known[o] {
			found[i], known[o] = o, true
		}
	}
	for _, o := range a.sorted() {
		if !known[o] {
			left[o.kind] = append(left[o.kind], o)
		}
	}
	for i := range items {
		kind := string(items[i].Type)
		if same := left[kind]; found[i] == nil && len(same) > 0 {
			found[i], left[kind] = same[0], same[1:]
		}
	}
	return found
}

// endItem ends an item of which no more will come.
func (a *answer) endItem(o *output) (err error) {
	if o.done || o.late {
		return nil
	}
	switch o.done = true; o.kind {
	case itemFunction:
		if err = a.write(o, o.text.seam.End()); err == nil {
			err = a.finishCall(o)
		}
	case itemCode:
		err = a.write(o, o.text.seam.End())
	case itemMessage:
		err = a.endParts(o)
	}
	return err
}

// close ends the answer. What it has cost is booked on its last step.
func (a *answer) close(r *response, finish server.Finish) error {
	events := []server.ModelEvent{usageOf(r)}
	if a.calling && finish == "" {
		items, late, err := a.answers()
		if err != nil {
			return err
		}
		state, err := json.Marshal(a.done.with(a.call.Model, items, late))
		if err != nil {
			return err
		}
		events = append(events, server.State(state))
	}
	if finish != "" {
		events = append(events, finish)
	}
	for _, e := range events {
		if err := a.emit(e); err != nil {
			return err
		}
	}
	return nil
}

func usageOf(r *response) server.Usage {
	u := r.Usage
	if u == nil {
		return server.Usage{}
	}
	return server.Usage{
		PromptTokens: u.InputTokens.Int(), CompletionTokens: u.OutputTokens.Int(),
		CachedTokens: u.InputTokensDetails.CachedTokens.Int(), ReasoningTokens: u.OutputTokensDetails.ReasoningTokens.Int(),
	}
}
