package assistants

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// An Accumulator adds up the events of a run to the objects that they tell of: the run, its messages and its steps.
// A [Stream] has one; one's own serves those who get events in another way, such as from a queue. The zero value is
// ready to use. It is not safe for concurrent use.
//
// Objects replace what is there; deltas add to it by index: strings are appended, lists grow. What the accumulator
// gives out does not change with later events. Adding up takes time in proportion to what is added.
type Accumulator struct {
	thread   *Thread
	run      *Run
	messages growingList[*growingMessage]
	steps    growingList[*growingStep]
	held     heldBytes
}

// Add adds an event. Events of unknown types change nothing. An error is a delta of what was not created or has
// ended, an object that is created twice, an index that is negative, far beyond the end of its list or above 8191, a
// delta of another type than its part; and more than 64 MiB altogether, or what [WithMaxResponseBytes] allows a stream.
func (a *Accumulator) Add(event *Event) error {
	if err := a.add(event); err != nil {
		return fmt.Errorf("assistants: %w", err)
	}
	return nil
}

func (a *Accumulator) add(event *Event) error {
	switch {
	case event == nil:
		return errors.New("the event is nil")
	case event.MessageDelta != nil:
		return a.addMessageDelta(event)
	case event.RunStepDelta != nil:
		return a.addRunStepDelta(event)
	case event.Message != nil:
		return a.addMessage(event)
	case event.RunStep != nil:
		return a.addRunStep(event)
	case event.Run != nil:
		a.run = event.Run
	case event.Thread != nil:
		a.thread = event.Thread
	}
	return nil
}

// Thread is the thread, nil unless it was created with the run.
func (a *Accumulator) Thread() *Thread { return a.thread }

// Run is the run as it was last seen, nil if it was not.
func (a *Accumulator) Run() *Run { return a.run }

// Messages are the messages that the run wrote, in order, as far as they are.
func (a *Accumulator) Messages() []*Message {
	var messages []*Message
	for _, g := range a.messages.inOrder {
		messages = append(messages, g.snapshot())
	}
	return messages
}

// Steps are the steps of the run, in order, as far as they are.
func (a *Accumulator) Steps() []*RunStep {
	var steps []*RunStep
	for _, g := range a.steps.inOrder {
		steps = append(steps, g.snapshot())
	}
	return steps
}

func (a *Accumulator) addMessage(event *Event) error {
	m := event.Message
	g, known := a.messages.byID[m.ID]
	switch {
	case event.Type == EventMessageCreated && known:
		return fmt.Errorf("message %q was created twice", m.ID)
	case event.Type == EventMessageInProgress && known && len(m.Content) == 0:
		return nil // all that it says is known, and what was added since is more
	case !known:
		g = new(growingMessage)
		a.messages.add(m.ID, g)
	}
	g.message, g.parts = *m, nil
	g.message.Content = slices.Clone(m.Content) // which belongs to the event
	g.ended = event.Type == EventMessageCompleted || event.Type == EventMessageIncomplete
	return a.held.add(event.size())
}

func (a *Accumulator) addMessageDelta(event *Event) error {
	d := event.MessageDelta
	g, known := a.messages.byID[d.ID]
	if !known || g.ended {
		return fmt.Errorf("a delta of message %q, which is not being written", d.ID)
	}
	if d.Delta.Role != "" {
		g.message.Role = d.Delta.Role
	}
	if d.Delta.FileIDs != nil {
		g.message.FileIDs = d.Delta.FileIDs
	}
	for i := range d.Delta.Content {
		if err := g.add(&d.Delta.Content[i], &a.held); err != nil {
			return fmt.Errorf("a delta of message %q: %w", d.ID, err)
		}
	}
	return a.held.add(event.size())
}

func (a *Accumulator) addRunStep(event *Event) error {
	s := event.RunStep
	g, known := a.steps.byID[s.ID]
	switch {
	case event.Type == EventRunStepCreated && known:
		return fmt.Errorf("step %q was created twice", s.ID)
	case event.Type == EventRunStepInProgress && known && len(s.StepDetails.ToolCalls) == 0:
		return nil
	case !known:
		g = new(growingStep)
		a.steps.add(s.ID, g)
	}
	g.step, g.calls = *s, nil
	g.step.StepDetails.ToolCalls = slices.Clone(s.StepDetails.ToolCalls) // which belong to the event
	g.ended = event.Type != EventRunStepCreated && event.Type != EventRunStepInProgress
	return a.held.add(event.size())
}

func (a *Accumulator) addRunStepDelta(event *Event) error {
	d := event.RunStepDelta
	g, known := a.steps.byID[d.ID]
	if !known || g.ended {
		return fmt.Errorf("a delta of step %q, which is not at work", d.ID)
	}
	details := &d.Delta.StepDetails
	if details.Type != "" {
		g.step.StepDetails.Type = details.Type
	}
	if details.MessageCreation != nil {
		g.step.StepDetails.MessageCreation = details.MessageCreation
	}
	for i := range details.ToolCalls {
		if err := g.add(&details.ToolCalls[i], &a.held); err != nil {
			return fmt.Errorf("a delta of step %q: %w", d.ID, err)
		}
	}
	return a.held.add(event.size())
}

// A growingList finds what is growing by its id.
type growingList[T any] struct {
	byID    map[string]T
	inOrder []T
}

func (l *growingList[T]) add(id string, item T) {
	if l.byID == nil {
		l.byID = map[string]T{}
	}
	l.byID[id] = item
	l.inOrder = append(l.inOrder, item)
}

// size is about what an event holds.
func (e *Event) size() int {
	if e.Data != nil {
		return len(e.Data)
	}
	held := Event{Message: e.Message, MessageDelta: e.MessageDelta, RunStep: e.RunStep, RunStepDelta: e.RunStepDelta}
	data, _ := json.Marshal(held) // of an event that is not from a stream
	return len(data)
}

// heldBytes bound what an accumulator holds.
type heldBytes struct{ n, limit int64 }

func (h *heldBytes) add(n int) error {
	limit := h.limit
	if limit == 0 {
		limit = defaultMaxBytes
	}
	if h.n += int64(n); h.n > limit {
		return fmt.Errorf("the stream adds up to more than %d bytes", limit)
	}
	return nil
}

const (
	maxIndexGap  = 1024 // how far beyond the end of a list an index may be
	maxElements  = 8192 // of a list: snapshots copy them
	elementBytes = 128  // about what an element of a list takes
)

// extended is list, long enough for index.
func extended[T any](list []T, index int, held *heldBytes) ([]T, error) {
	missing, err := held.room(len(list), index)
	if missing > 0 {
		list = append(list, make([]T, missing)...)
	}
	return list, err
}

// room takes what a list needs to have an element at index, and says how many elements that are more than it has.
func (h *heldBytes) room(length, index int) (missing int, err error) {
	switch {
	case index < 0 || index > length+maxIndexGap || index >= maxElements:
		return 0, fmt.Errorf("index %d in a list of %d", index, length)
	case index < length:
		return 0, nil
	}
	missing = index + 1 - length
	return missing, h.add(missing * elementBytes)
}

// grown is what list has at an index; if that is nothing, what begin has begun. P is a pointer.
func grown[P comparable](list *[]P, index int, begin func() P) P {
	if missing := index + 1 - len(*list); missing > 0 {
		*list = append(*list, make([]P, missing)...)
	}
	var nothing P
	if (*list)[index] == nothing {
		(*list)[index] = begin()
	}
	return (*list)[index]
}

// sameType holds that a delta is of the type of what it adds to.
func sameType[T ~string](is *T, delta T) error {
	if *is != "" && delta != "" && *is != delta {
		return fmt.Errorf("something of type %q for what is of type %q", delta, *is)
	}
	if delta != "" {
		*is = delta
	}
	return nil
}

// A growingMessage is a message that deltas add to. What grows by them is in parts, where appending is cheap.
type growingMessage struct {
	message Message
	parts   []*growingPart // by index; nil where nothing grows
	ended   bool
}

type growingPart struct {
	text, refusal strings.Builder
	annotations   []Annotation
	isText        bool
}

func (g *growingMessage) add(d *ContentPartDelta, held *heldBytes) (err error) {
	if g.message.Content, err = extended(g.message.Content, d.Index, held); err != nil {
		return err
	}
	content := &g.message.Content[d.Index]
	if err := sameType(&content.Type, d.Type); err != nil {
		return err
	}
	if d.ImageFile != nil {
		content.ImageFile = d.ImageFile
	}
	if d.ImageURL != nil {
		content.ImageURL = d.ImageURL
	}
	if d.Text == nil && d.Refusal == "" {
		return nil
	}
	part := g.part(d.Index)
	part.refusal.WriteString(d.Refusal)
	if d.Text == nil {
		return nil
	}
	part.isText = true
	part.text.WriteString(d.Text.Value)
	for i := range d.Text.Annotations {
		annotation := &d.Text.Annotations[i]
		if part.annotations, err = extended(part.annotations, annotation.Index, held); err != nil {
			return err
		}
		part.annotations[annotation.Index] = annotation.Annotation
	}
	return nil
}

// part is what grows at an index, beginning with what is there.
func (g *growingMessage) part(index int) *growingPart {
	return grown(&g.parts, index, func() *growingPart {
		part := new(growingPart)
		content := &g.message.Content[index]
		part.refusal.WriteString(content.Refusal)
		if content.Text != nil {
			part.isText = true
			part.text.WriteString(content.Text.Value)
			part.annotations = slices.Clone(content.Text.Annotations)
		}
		return part
	})
}

// snapshot is the message as far as it is.
func (g *growingMessage) snapshot() *Message {
	m := g.message
	m.Content = slices.Clone(m.Content)
	for i := range m.Content {
		m.Content[i].Text, m.Content[i].Refusal = g.text(i), g.refusal(i)
	}
	return &m
}

// text is that of a part as far as it is, nil if it has none.
func (g *growingMessage) text(index int) *Text {
	switch {
	case index < len(g.parts) && g.parts[index] != nil && g.parts[index].isText:
		part := g.parts[index]
		return &Text{part.text.String(), append([]Annotation{}, part.annotations...)}
	case index < len(g.message.Content):
		return g.message.Content[index].Text
	}
	return nil
}

// value is what text says, without what it refers to.
func (g *growingMessage) value(index int) string {
	switch {
	case index < len(g.parts) && g.parts[index] != nil && g.parts[index].isText:
		return g.parts[index].text.String()
	case index < len(g.message.Content) && g.message.Content[index].Text != nil:
		return g.message.Content[index].Text.Value
	}
	return ""
}

func (g *growingMessage) refusal(index int) string {
	if index < len(g.parts) && g.parts[index] != nil {
		return g.parts[index].refusal.String()
	}
	return g.message.Content[index].Refusal
}

// A growingStep is a step that deltas add to. What grows by them is in calls, where appending is cheap.
type growingStep struct {
	step  RunStep
	calls []*growingCall // by index; nil where nothing grows
	ended bool
}

type growingCall struct {
	arguments, output, input strings.Builder
	logs                     []*strings.Builder // by index; nil where nothing grows
}

func (g *growingStep) add(d *ToolCallDelta, held *heldBytes) (err error) {
	details := &g.step.StepDetails
	if details.ToolCalls, err = extended(details.ToolCalls, d.Index, held); err != nil {
		return err
	}
	call := &details.ToolCalls[d.Index]
	if err := sameType(&call.Type, d.Type); err != nil {
		return err
	}
	overwrite(&call.ID, d.ID)
	overwrite(&call.Name, d.Name)
	overwrite(&call.ServerLabel, d.ServerLabel)
	growing := g.call(d.Index)
	growing.arguments.WriteString(d.Arguments)
	growing.output.WriteString(d.Output)
	if d.FileSearch != nil {
		call.FileSearch = d.FileSearch.onto(call.FileSearch)
	}
	if d.Retrieval != nil {
		call.Retrieval = d.Retrieval
	}
	if f := d.Function; f != nil {
		if call.Function == nil {
			call.Function = new(FunctionCall)
		}
		overwrite(&call.Function.Name, f.Name)
		growing.arguments.WriteString(f.Arguments)
		growing.output.WriteString(f.Output)
	}
	if d.CodeInterpreter != nil {
		return growing.addCode(call, d.CodeInterpreter, held)
	}
	return nil
}

// onto is what was there with what is new.
func (c *FileSearchCall) onto(before *FileSearchCall) *FileSearchCall {
	if before == nil {
		return c
	}
	merged := *before
	if c.RankingOptions != nil {
		merged.RankingOptions = c.RankingOptions
	}
	if c.Results != nil {
		merged.Results = c.Results
	}
	return &merged
}

// overwrite sets what comes once, and is sent again by some servers.
func overwrite(s *string, with string) {
	if with != "" {
		*s = with
	}
}

func (c *growingCall) addCode(call *ToolCall, d *CodeInterpreterCallDelta, held *heldBytes) (err error) {
	if call.CodeInterpreter == nil {
		call.CodeInterpreter = new(CodeInterpreterCall)
	}
	code := call.CodeInterpreter
	c.input.WriteString(d.Input)
	for i := range d.Outputs {
		delta := &d.Outputs[i]
		if code.Outputs, err = extended(code.Outputs, delta.Index, held); err != nil {
			return err
		}
		output := &code.Outputs[delta.Index]
		if err := sameType(&output.Type, delta.Type); err != nil {
			return err
		}
		if delta.Image != nil {
			output.Image = delta.Image
		}
		c.log(delta.Index, output.Logs).WriteString(delta.Logs)
	}
	return nil
}

// log is what grows at an index of the outputs, beginning with what is there.
func (c *growingCall) log(index int, logs string) *strings.Builder {
	return grown(&c.logs, index, func() *strings.Builder {
		log := new(strings.Builder)
		log.WriteString(logs)
		return log
	})
}

// call is what grows at an index, beginning with what is there.
func (g *growingStep) call(index int) *growingCall {
	return grown(&g.calls, index, func() *growingCall {
		growing := new(growingCall)
		call := &g.step.StepDetails.ToolCalls[index]
		growing.arguments.WriteString(call.Arguments)
		growing.output.WriteString(call.Output)
		if call.Function != nil {
			growing.arguments.WriteString(call.Function.Arguments)
			growing.output.WriteString(call.Function.Output)
			call.Function = &FunctionCall{Name: call.Function.Name}
		}
		if call.CodeInterpreter != nil {
			growing.input.WriteString(call.CodeInterpreter.Input)
			call.CodeInterpreter = &CodeInterpreterCall{Outputs: slices.Clone(call.CodeInterpreter.Outputs)}
		}
		return growing
	})
}

// snapshot is the step as far as it is.
func (g *growingStep) snapshot() *RunStep {
	s := g.step
	s.StepDetails.ToolCalls = slices.Clone(s.StepDetails.ToolCalls)
	for i := range s.StepDetails.ToolCalls {
		s.StepDetails.ToolCalls[i] = *g.callSnapshot(i)
	}
	return &s
}

// callSnapshot is a call as far as it is, nil if there is none.
func (g *growingStep) callSnapshot(index int) *ToolCall {
	if index >= len(g.step.StepDetails.ToolCalls) {
		return nil
	}
	call := g.step.StepDetails.ToolCalls[index]
	if index >= len(g.calls) || g.calls[index] == nil {
		return &call
	}
	growing := g.calls[index]
	if call.Function != nil {
		call.Function = &FunctionCall{call.Function.Name, growing.arguments.String(), growing.output.String()}
	} else {
		call.Arguments, call.Output = growing.arguments.String(), growing.output.String()
	}
	if call.CodeInterpreter != nil {
		outputs := append([]CodeInterpreterOutput{}, call.CodeInterpreter.Outputs...)
		for i, logs := range growing.logs {
			if logs != nil {
				outputs[i].Logs = logs.String()
			}
		}
		call.CodeInterpreter = &CodeInterpreterCall{growing.input.String(), outputs}
	}
	return &call
}
