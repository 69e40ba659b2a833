package replay

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/assistants-go/assistants"
)

// A summation holds an accumulator against the objects that the service itself sent.
type summation struct {
	passed      Passed
	accumulator assistants.Accumulator
	thread, run json.RawMessage // as they were last sent; nil: not at all
	messages    lastSent
	steps       lastSent
	last        *assistants.Run
}

// lastSent is how each object of a kind was last sent, in the order in which they came.
type lastSent struct {
	ids  []string
	sent map[string]json.RawMessage
}

func (l *lastSent) set(id string, data json.RawMessage) {
	if l.sent == nil {
		l.sent = make(map[string]json.RawMessage)
	}
	if l.sent[id] == nil {
		l.ids = append(l.ids, id)
	}
	l.sent[id] = data
}

// add adds an event. Before an object is replaced by its final form it is compared with that: then it is what deltas
// alone made of it.
func (s *summation) add(event *assistants.Event) []string {
	var found []string
	switch {
	case event.Thread != nil:
		s.thread = event.Data
	case event.Run != nil:
		s.run, s.last = event.Data, event.Run
	case event.Message != nil:
		if event.Type == assistants.EventMessageCompleted || event.Type == assistants.EventMessageIncomplete {
			if built := s.message(event.Message.ID); built != nil {
				found = prefixed("built from deltas: ", s.passed.checkValue(event.Data, built, builtMessageRules))
			}
		}
		s.messages.set(event.Message.ID, event.Data)
	case event.RunStep != nil:
		if event.RunStep.Status != assistants.RunStepInProgress {
			if built := s.step(event.RunStep.ID); built != nil {
				found = prefixed("built from deltas: ", s.passed.checkValue(event.Data, built, builtStepRules))
			}
		}
		s.steps.set(event.RunStep.ID, event.Data)
	}
	if err := s.accumulator.Add(event); err != nil {
		found = append(found, err.Error())
	}
	return found
}

func (s *summation) message(id string) *assistants.Message {
	for _, m := range s.accumulator.Messages() {
		if m.ID == id {
			return m
		}
	}
	return nil
}

func (s *summation) step(id string) *assistants.RunStep {
	for _, step := range s.accumulator.Steps() {
		if step.ID == id {
			return step
		}
	}
	return nil
}

// check is about the end: everything that was sent is there as it was last sent, but for what deltas added since, and
// the stream has added up the same.
func (s *summation) check(stream *assistants.Stream) []string {
	var found []string
	expect := func(what string, sent json.RawMessage, got any) {
		found = append(found, prefixed(what+": ", s.passed.checkValue(sent, got, rulesFor(got)))...)
	}
	if s.thread != nil {
		expect("thread", s.thread, s.accumulator.Thread())
	}
	if s.run != nil {
		expect("run", s.run, s.accumulator.Run())
		expect("run of the stream", s.run, stream.Run())
	}
	messages, steps := s.accumulator.Messages(), s.accumulator.Steps()
	for i, m := range messages {
		if i >= len(s.messages.ids) || m.ID != s.messages.ids[i] {
			found = append(found, fmt.Sprintf("message %d is %s", i, m.ID))
		} else if m.Status != assistants.MessageInProgress {
			expect("message "+m.ID, s.messages.sent[m.ID], m)
		}
	}
	for i, step := range steps {
		if i >= len(s.steps.ids) || step.ID != s.steps.ids[i] {
			found = append(found, fmt.Sprintf("step %d is %s", i, step.ID))
		} else if step.Status != assistants.RunStepInProgress {
			expect("step "+step.ID, s.steps.sent[step.ID], step)
		} else if step.Type == assistants.RunStepToolCalls {
			found = append(found, checkAsked(s.last, step)...)
		}
	}
	if len(messages) != len(s.messages.ids) || len(steps) != len(s.steps.ids) {
		found = append(found, fmt.Sprintf("got %d messages and %d steps, want %d and %d",
			len(messages), len(steps), len(s.messages.ids), len(s.steps.ids)))
	}
	return append(append(found, same("messages", stream.Messages(), messages)...), same("steps", stream.Steps(), steps)...)
}

// checkAsked compares the calls of a step that has not ended, which deltas alone made, with those that the run asks
// its caller for.
func checkAsked(run *assistants.Run, step *assistants.RunStep) []string {
	if run == nil || run.Status != assistants.RunRequiresAction {
		return nil
	}
	asked := run.FunctionCalls()
	return same("calls of step "+step.ID, step.StepDetails.ToolCalls, asked)
}

// same compares two values as JSON.
func same(what string, got, want any) []string {
	wanted, err := json.Marshal(want)
	if err != nil {
		return []string{err.Error()}
	}
	return prefixed(what+": ", Passed(nil).compareValue(wanted, got, nil))
}

func prefixed(prefix string, lines []string) []string {
	lines = slices.Clone(lines)
	for i := range lines {
		lines[i] = prefix + lines[i]
	}
	return lines
}
