package responses

import (
	"encoding/json"
	"slices"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// This file keeps the provider's own words about a run: with the outputs of functions it wants to see again all that
// it has said, its reasoning above all.

// rounds are the items that a run's calls of the model have had as answers. It is the [server.State].
type rounds struct {
	Model string              `json:"model"`          // that gave the answers; no other one can read its reasoning
	Items [][]json.RawMessage `json:"items"`          // by round, in order
	Late  []int               `json:"late,omitempty"` // which of those of the last round nobody was told of yet
}

// recall returns the rounds of the run, and whether they are all there: each with the turn of the calls that ended it.
func recall(call *server.ModelCall, own []server.Turn) (rounds, bool) {
	kept := rounds{}
	if call.State != nil && json.Unmarshal(call.State, &kept) != nil {
		return rounds{}, call.Round == 0
	}
	turns := 0
	for i := range own {
		if isFunctions(own[i].ToolCalls) {
			turns++
		}
	}
	whole := len(kept.Items) == call.Round && turns == call.Round && (call.Round == 0 || kept.Model == call.Model)
	return kept, whole
}

func isFunctions(calls []assistants.ToolCall) bool { return len(calls) > 0 && calls[0].Function != nil }

// with returns the rounds with another one.
func (r rounds) with(model string, items []json.RawMessage, late []int) rounds {
	return rounds{model, append(r.Items[:len(r.Items):len(r.Items)], items), late}
}

// late returns what nobody was told of yet.
func (r rounds) late() (items []json.RawMessage) {
	if len(r.Items) == 0 {
		return nil
	}
	last := r.Items[len(r.Items)-1]
	for _, i := range r.Late {
		if 0 <= i && i < len(last) {
			items = append(items, last[i])
		}
	}
	return items
}

// marks are those of an answer, which may cite what earlier rounds of the run have found and told.
func (q *question) marks() (m marks, err error) {
	own, turn := q.call.History[q.own:], 0
	for round, items := range q.done.Items {
		m.turns, m.searches = q.own+turn, 0
		for i, raw := range items {
			if round == len(q.done.Items)-1 && slices.Contains(q.done.Late, i) {
				continue
			}
			it, err := decodeItem(raw)
			if err != nil {
				return marks{}, err
			}
			if it.Type == itemSearch {
				m.searches++
				m.add(it.Results)
			}
		}
		for !isFunctions(own[turn].ToolCalls) {
			turn++
		}
		turn++
	}
	m.turns, m.searches = len(q.call.History), 0
	return m, nil
}

// itemHead is what is to be known about an item that is sent back.
type itemHead struct {
	Type             string `json:"type"`
	CallID           string `json:"call_id"`
	EncryptedContent string `json:"encrypted_content"`
}

// addRounds adds the items of all rounds, behind those of each the outputs of its calls.
func (q *question) addRounds(done rounds, own []server.Turn) error {
	turn := 0
	for _, items := range done.Items {
		for !isFunctions(own[turn].ToolCalls) {
			turn++
		}
		if err := q.addRound(items, own[turn].ToolCalls); err != nil {
			return err
		}
		turn++
	}
	return q.addOpening()
}

func (q *question) addRound(items []json.RawMessage, calls []assistants.ToolCall) error {
	outputs := make(map[string]string, len(calls))
	for i := range calls {
		if f := calls[i].Function; f != nil {
			outputs[calls[i].ID] = f.Output
		}
	}
	var answered []string
	forgotten := false // some reasoning, so that nothing may refer to it
	for _, raw := range items {
		var head itemHead
		if err := json.Unmarshal(raw, &head); err != nil {
			return err
		}
		switch {
		case head.Type == "reasoning" && head.EncryptedContent == "":
			forgotten = true
			continue
		case head.Type == "function_call":
			answered = append(answered, head.CallID)
		}
		if forgotten {
			raw = nameless(raw)
		}
		q.body.Input = append(q.body.Input, raw)
	}
	for _, id := range answered {
		if err := q.add(outputItem{"function_call_output", id, outputs[id]}); err != nil {
			return err
		}
	}
	return nil
}

// nameless is inferred: a call or a message without its id. The provider, which has kept nothing, would look by that
// id for the reasoning that led to it, and refuse the item without.
func nameless(raw json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return raw
	}
	if kind := string(members["type"]); kind != `"function_call"` && kind != `"message"` {
		return raw
	}
	delete(members, "id")
	if short, err := json.Marshal(members); err == nil {
		return short
	}
	return raw
}

// renamed returns the item of a call with another call_id.
func renamed(raw json.RawMessage, callID string) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return raw
	}
	members["call_id"], _ = json.Marshal(callID)
	other, err := json.Marshal(members)
	if err != nil {
		return raw
	}
	return other
}
