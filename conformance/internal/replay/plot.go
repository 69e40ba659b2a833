package replay

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A plot is what a recorded run does, for a model to do it again.
type plot struct {
	id, threadID string
	rounds       []round
}

// A round is what one call of the model yields: everything up to outputs that the run waits for, or to its end.
type round struct {
	streamed bool  // its events were recorded one by one
	starts   int64 // when the run was taken up; 0: not known
	items    []item
	ends     int64               // when the run ended; 0: not known
	last     []server.ModelEvent // behind all items
	fails    *server.ModelError  // the error that it ends with, or nil
	breaks   bool                // the run cannot be written down any more at its end
}

// An item is what happens in one step.
type item struct {
	stepID, messageID string // "" if nobody saw them
	starts            int64
	events            []server.ModelEvent
	closes            []int64 // when its message and its step ended, as the server asks for the time; 0: not known
}

// unseen is what a run says of which nobody looked at the messages.
const unseen = server.Text("Nobody looked at what was said here.")

// plotOf makes a plot of what was seen of a run.
func plotOf(r *observedRun) (*plot, error) {
	p := &plot{id: r.id, threadID: r.threadID}
	if len(r.streams) == 0 {
		p.rounds = polledRounds(r)
	}
	for _, e := range r.streams {
		streamed, err := streamedRound(r, e)
		if err != nil {
			return nil, err
		}
		p.rounds = append(p.rounds, streamed)
	}
	p.addTimes(r)
	p.addCosts(r)
	p.addEnd(r)
	return p, nil
}

// addEnd has the last round end as the run did.
func (p *plot) addEnd(r *observedRun) {
	last, end := &p.rounds[len(p.rounds)-1], r.end()
	last.ends = int64(max(end.CompletedAt, end.FailedAt))
	switch {
	case end.LastError != nil:
		last.fails = &server.ModelError{Code: end.LastError.Code, Message: end.LastError.Message}
	case end.IncompleteDetails == nil:
	case r.cut:
		last.last = append(last.last, server.FinishLength)
	default:
		last.last = append(last.last, server.FinishPromptLength)
	}
}

// end is the run as it was seen last.
func (r *observedRun) end() *assistants.Run { return &r.states[len(r.states)-1] }

// addTimes sets when rounds began, and when messages and steps ended.
func (p *plot) addTimes(r *observedRun) {
	for i := range p.rounds {
		for j := range p.rounds[i].items {
			p.rounds[i].items[j].closes = r.closing(&p.rounds[i].items[j])
		}
	}
	i := -1
	var before assistants.Timestamp
	for _, state := range r.states {
		if state.StartedAt != before && state.StartedAt != 0 && i < len(p.rounds)-1 {
			i++
			p.rounds[i].starts, before = int64(state.StartedAt), state.StartedAt
		}
	}
}

// closing are the times at which an item ended, but for one that waits for outputs.
func (r *observedRun) closing(it *item) []int64 {
	var times []int64
	if m := r.message(it.messageID); m != nil {
		times = append(times, int64(m.CompletedAt))
	}
	step := r.step(it.stepID)
	switch {
	case step == nil:
		return append(times, 0)
	case waits(step.StepDetails.ToolCalls):
		return nil
	}
	return append(times, int64(step.CompletedAt))
}

// addCosts has every step say what it cost, and the last one what is left of the run's.
func (p *plot) addCosts(r *observedRun) {
	left := server.Usage{}
	if total := r.end().Usage; total != nil {
		left = costs(total)
	}
	for i := range p.rounds {
		for j := range p.rounds[i].items {
			it := &p.rounds[i].items[j]
			if step := r.step(it.stepID); step != nil && step.Usage != nil {
				cost := costs(step.Usage)
				it.events = append(it.events, cost)
				left = minus(left, cost)
			}
		}
	}
	last := &p.rounds[len(p.rounds)-1]
	if left.PromptTokens > 0 || left.CompletionTokens > 0 {
		last.last = append(last.last, left)
	}
}

func costs(u *assistants.Usage) server.Usage {
	cost := server.Usage{PromptTokens: u.PromptTokens, CompletionTokens: u.CompletionTokens}
	if u.PromptTokenDetails != nil {
		cost.CachedTokens = u.PromptTokenDetails.CachedTokens
	}
	if u.CompletionTokensDetails != nil {
		cost.ReasoningTokens = u.CompletionTokensDetails.ReasoningTokens
	}
	return cost
}

func minus(a, b server.Usage) server.Usage {
	return server.Usage{
		PromptTokens: a.PromptTokens - b.PromptTokens, CompletionTokens: a.CompletionTokens - b.CompletionTokens,
		CachedTokens: a.CachedTokens - b.CachedTokens, ReasoningTokens: a.ReasoningTokens - b.ReasoningTokens,
	}
}

// step is a step of the run, nil if nobody saw it.
func (r *observedRun) step(id string) *assistants.RunStep {
	for i := range r.steps {
		if r.steps[i].ID == id {
			return &r.steps[i]
		}
	}
	return nil
}

func (r *observedRun) message(id string) *assistants.Message {
	for i := range r.messages {
		if r.messages[i].ID == id {
			return &r.messages[i]
		}
	}
	return nil
}

// polledRounds are the rounds of a run that was looked at now and then: from its steps if somebody listed them, else
// from what it waited for and from its messages.
func polledRounds(r *observedRun) []round {
	rounds := []round{{}}
	add := func(it item, waits bool) {
		last := &rounds[len(rounds)-1]
		last.items = append(last.items, it)
		if waits {
			rounds = append(rounds, round{})
		}
	}
	for i := range r.steps {
		step := &r.steps[i]
		it := item{stepID: step.ID, starts: int64(step.CreatedAt)}
		if creation := step.StepDetails.MessageCreation; creation != nil {
			it.messageID, it.events = creation.MessageID, said(r.message(creation.MessageID))
		}
		it.events = append(it.events, wholeCalls(step.StepDetails.ToolCalls)...)
		add(it, waits(step.StepDetails.ToolCalls))
	}
	if len(r.steps) == 0 {
		var before string
		for i := range r.states {
			calls := r.states[i].FunctionCalls()
			if len(calls) > 0 && calls[0].ID != before {
				before = calls[0].ID
				add(item{events: wholeCalls(calls)}, true)
			}
		}
		for i := range r.messages {
			m := &r.messages[i]
			add(item{messageID: m.ID, starts: int64(m.CreatedAt), events: said(m)}, false)
			// Something came between two messages, or they would be one.
			if i < len(r.messages)-1 {
				add(item{events: []server.ModelEvent{server.CodeCall{}}}, false)
			}
		}
	}
	if last := rounds[len(rounds)-1]; len(last.items) == 0 {
		add(item{events: []server.ModelEvent{unseen}}, false)
	}
	return rounds
}

func waits(calls []assistants.ToolCall) bool { return len(calls) > 0 && calls[0].Function != nil }

// said is what makes a message: nil is one that nobody looked at.
func said(m *assistants.Message) []server.ModelEvent {
	if m == nil {
		return []server.ModelEvent{unseen}
	}
	var out []server.ModelEvent
	for _, part := range m.Content {
		switch {
		case part.ImageFile != nil:
			out = append(out, server.Image{FileID: part.ImageFile.FileID})
		case part.Text != nil:
			out = append(out, cited(part.Text)...)
		}
	}
	return out
}

// cited is a text with its citations in their places.
func cited(text *assistants.Text) []server.ModelEvent {
	var out []server.ModelEvent
	all, at := []rune(text.Value), 0
	for _, a := range text.Annotations {
		if a.StartIndex < at || a.EndIndex > len(all) {
			continue // no place in this text; the comparison will say so
		}
		if before := string(all[at:a.StartIndex]); before != "" {
			out = append(out, server.Text(before))
		}
		out, at = append(out, server.Citation{Mark: a.Text, FileID: a.FileID()}), a.EndIndex
	}
	if rest := string(all[at:]); rest != "" {
		out = append(out, server.Text(rest))
	}
	return out
}

// wholeCalls makes whole calls.
func wholeCalls(calls []assistants.ToolCall) []server.ModelEvent {
	var out []server.ModelEvent
	for _, c := range calls {
		switch {
		case c.Function != nil:
			out = append(out, server.FunctionCall{ID: c.ID, Name: c.Function.Name, Arguments: c.Function.Arguments})
		case c.CodeInterpreter != nil:
			out = append(out, server.CodeCall{ID: c.ID, Input: c.CodeInterpreter.Input})
			for _, output := range c.CodeInterpreter.Outputs {
				out = append(out, printed(output.Type, output.Logs, output.Image))
			}
		case c.FileSearch != nil:
			out = append(out, searched(c.ID, c.FileSearch), server.SearchResults(c.FileSearch.Results))
		}
	}
	return out
}

func printed(kind assistants.CodeInterpreterOutputType, logs string, image *assistants.ImageFile) server.ModelEvent {
	if kind == assistants.CodeInterpreterImage && image != nil {
		return server.CodeImage{FileID: image.FileID}
	}
	return server.CodeLogs(logs)
}

func searched(id string, search *assistants.FileSearchCall) server.ModelEvent {
	call := server.SearchCall{ID: id}
	if o := search.RankingOptions; o != nil {
		call.Ranker, call.ScoreThreshold = o.Ranker, o.ScoreThreshold
	}
	return call
}

// streamedRound is a round of which every event was recorded.
func streamedRound(r *observedRun, e *recording.Exchange) (round, error) {
	out := round{streamed: true}
	events, err := frames(e.ResponseText)
	if err != nil {
		return out, err
	}
	add := func(more ...server.ModelEvent) {
		if last := len(out.items) - 1; last >= 0 {
			out.items[last].events = append(out.items[last].events, more...)
		}
	}
	for _, f := range events {
		switch {
		case f.name == "thread.run.step.created":
			var step assistants.RunStep
			err = json.Unmarshal([]byte(f.data), &step)
			it := item{stepID: step.ID, starts: int64(step.CreatedAt)}
			if creation := step.StepDetails.MessageCreation; creation != nil {
				it.messageID = creation.MessageID
			}
			out.items = append(out.items, it)
		case f.name == "thread.message.delta":
			var delta assistants.MessageDelta
			err = json.Unmarshal([]byte(f.data), &delta)
			add(saidMore(&delta)...)
		case f.name == "thread.run.step.delta":
			var delta assistants.RunStepDelta
			err = json.Unmarshal([]byte(f.data), &delta)
			add(calledMore(&delta)...)
		case f.name == "thread.run.step.completed":
			if last := len(out.items) - 1; last >= 0 {
				add(results(r.step(out.items[last].stepID))...)
			}
		case f.name == errorFrame:
			out.breaks = true
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// results are the results of searches, which come with the end of their step.
func results(step *assistants.RunStep) []server.ModelEvent {
	var out []server.ModelEvent
	for _, c := range step.StepDetails.ToolCalls {
		if c.FileSearch != nil {
			out = append(out, server.SearchResults(c.FileSearch.Results))
		}
	}
	return out
}

func saidMore(delta *assistants.MessageDelta) []server.ModelEvent {
	var out []server.ModelEvent
	for _, part := range delta.Delta.Content {
		switch {
		case part.ImageFile != nil:
			out = append(out, server.Image{FileID: part.ImageFile.FileID})
		case part.Text != nil && len(part.Text.Annotations) > 0:
			out = append(out, server.Citation{Mark: part.Text.Value, FileID: part.Text.Annotations[0].FileID()})
		case part.Text != nil:
			out = append(out, server.Text(part.Text.Value))
		}
	}
	return out
}

func calledMore(delta *assistants.RunStepDelta) []server.ModelEvent {
	var out []server.ModelEvent
	for _, c := range delta.Delta.StepDetails.ToolCalls {
		switch {
		case c.Function != nil && c.ID != "":
			out = append(out, server.FunctionCall{ID: c.ID, Name: c.Function.Name, Arguments: c.Function.Arguments})
		case c.Function != nil:
			out = append(out, server.Arguments(c.Function.Arguments))
		case c.FileSearch != nil && c.ID != "":
			out = append(out, searched(c.ID, c.FileSearch))
		case c.CodeInterpreter != nil && c.ID != "":
			out = append(out, server.CodeCall{ID: c.ID, Input: c.CodeInterpreter.Input})
		case c.CodeInterpreter != nil:
			if c.CodeInterpreter.Input != "" {
				out = append(out, server.CodeInput(c.CodeInterpreter.Input))
			}
			for _, output := range c.CodeInterpreter.Outputs {
				out = append(out, printed(output.Type, output.Logs, output.Image))
			}
		}
	}
	return out
}

// place is which item of a round a message or a step is; -1 if it is none of them.
func (r *round) place(id string) int {
	for i := range r.items {
		if id != "" && (r.items[i].stepID == id || r.items[i].messageID == id) {
			return i
		}
	}
	return -1
}

// closing are the times at which an item ends.
func (r *round) closing(item int) []int64 {
	if item < 0 || item >= len(r.items) {
		return nil
	}
	return slices.Clone(r.items[item].closes)
}

// mentionedBy reports whether an exchange is about the run or its thread.
func (p *plot) mentionedBy(e *recording.Exchange) bool {
	return mentions(e, p.id) || strings.Contains(e.Path, p.threadID)
}
