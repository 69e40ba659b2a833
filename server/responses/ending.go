package responses

import (
	"cmp"
	"encoding/json"

	"github.com/assistants-go/assistants/server"
)

// This file ends an answer.

// end takes an answer at its end, or one that is no stream. What has come already does not count again. Status is what the
// answer is if it does not say so itself.
func (a *answer) end(raw json.RawMessage, status string) error {
	var r response
	if err := decode(raw, &r); err != nil {
		return err
	}
	reason := r.IncompleteDetails.Reason
	var finish server.Finish
	switch status = cmp.Or(r.Status, status); {
	case r.Error != nil:
		return a.reported(r.Error)
	case status == "completed":
	case status == "incomplete" && reason == "max_output_tokens":
		finish = server.FinishLength
	case status == "incomplete" && reason == "content_filter":
		finish = server.FinishContentFilter
	case status == "incomplete" && reason != "":
		return a.reported(&reported{message: "The model's answer is incomplete: " + reason})
	default:
		return a.reported(&reported{message: "The model's answer is not complete."})
	}
	if err := a.reconcile(r.Output); err != nil {
		return err
	}
	return a.close(&r, finish)
}

// reconcile takes what is in the output and has not come yet. Items are found again by their kind: the first message is the
// first message, whatever servers leave out between them.
func (a *answer) reconcile(all []json.RawMessage) error {
	come := make(map[string][]*output)
	for _, o := range a.sorted() {
		come[o.kind] = append(come[o.kind], o)
	}
	for index, raw := range all {
		var it item
		if err := decode(raw, &it); err != nil {
			return err
		}
		var o *output
		if same := come[it.Type]; len(same) > 0 {
			o, come[it.Type] = same[0], same[1:]
		} else {
			var err error
			if o, err = a.place(index, it.Type); err != nil {
				return err
			}
		}
		if err := a.complete(o, &it, raw); err != nil {
			return err
		}
	}
	for _, o := range a.sorted() {
		if o.done = true; o.kind == itemFunction {
			if err := a.finishCall(o); err != nil {
				return err
			}
		}
	}
	return a.advance()
}

// close ends the answer. What it has cost is booked on its last step.
func (a *answer) close(r *response, finish server.Finish) error {
	events := []server.ModelEvent{usageOf(r)}
	if a.calling && finish == "" {
		late, err := a.late()
		if err != nil {
			return err
		}
		state, err := json.Marshal(a.done.with(a.call.Model, a.answers(), late))
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
		PromptTokens: u.InputTokens, CompletionTokens: u.OutputTokens,
		CachedTokens: u.InputTokensDetails.CachedTokens, ReasoningTokens: u.OutputTokensDetails.ReasoningTokens,
	}
}
