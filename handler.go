package assistants

// A Handler has functions that [Stream.Handle] calls when things happen, one after the other; those that are nil are
// left out. What they are given does not change afterwards.
type Handler struct {
	// OnEvent is called for every event, before the others.
	OnEvent func(event *Event)

	OnMessageCreated func(message *Message)                       // a message is begun
	OnMessageDelta   func(delta *MessageDelta, snapshot *Message) // something was added to it
	OnMessageDone    func(message *Message)                       // it is whole, or broke off: its Status says which

	OnTextCreated func(text *Text)             // a text is begun
	OnText        func(delta, snapshot string) // something was added to it; snapshot is what there is so far
	OnTextDone    func(text *Text)             // something else follows, or the message has ended; with its annotations

	OnImageFile func(image *ImageFile) // there is an image in a message

	OnToolCall      func(call *ToolCall)                           // a call of a tool is begun, whatever the tool
	OnToolCallDelta func(delta *ToolCallDelta, snapshot *ToolCall) // something was added to it, from the first on
	// OnToolCallDone is called when a call is whole: the arguments of a function, the outputs of code, the results of a
	// search.
	OnToolCallDone func(call *ToolCall)

	OnRunStepCreated func(step *RunStep)                          // a step is begun
	OnRunStepDelta   func(delta *RunStepDelta, snapshot *RunStep) // something was added to it
	OnRunStepDone    func(step *RunStep)                          // it has ended: its Status says how

	// OnEnd is called last, when the stream is done; OnError in its place, if an error ended it.
	OnEnd   func()
	OnError func(err error)
}

// Handle reads the stream to its end, calls the functions of h, and returns what [Stream.Wait] does.
func (s *Stream) Handle(h Handler) (*Run, error) {
	d := dispatcher{Handler: h, stream: s, begun: map[place]bool{}, done: map[place]bool{},
		whole: map[string]int{}, steps: map[string]bool{}}
	var passing *passingEvent
	if h.OnEvent == nil && h.OnMessageDelta == nil { // who are given what they may keep
		passing = new(passingEvent)
	}
	for event, err := range s.events(passing) {
		if err != nil {
			if h.OnError != nil {
				h.OnError(err)
			}
			return s.Run(), err
		}
		d.dispatch(event)
	}
	if h.OnEnd != nil {
		h.OnEnd()
	}
	return s.Run(), nil
}

// A dispatcher remembers what its handler was told.
type dispatcher struct {
	Handler
	stream *Stream
	text   place           // that is being written; zero: none
	begun  map[place]bool  // parts and calls that the handler knows of
	done   map[place]bool  // and knows to be whole
	call   place           // that was begun last
	whole  map[string]int  // of a step, how many calls of functions have been looked at for being whole
	steps  map[string]bool // that were created in this stream
}

// A place is that of a part in a message, or of a call in a step.
type place struct {
	id    string
	index int
}

// first reports whether something happens at p for the first time.
func first(seen map[place]bool, p place) bool {
	if seen[p] {
		return false
	}
	seen[p] = true
	return true
}

func (d *dispatcher) dispatch(event *Event) {
	if d.OnEvent != nil {
		d.OnEvent(event)
	}
	switch {
	case event.MessageDelta != nil:
		d.messageDelta(event.MessageDelta)
	case event.RunStepDelta != nil:
		d.stepDelta(event.RunStepDelta)
	case event.Type == EventMessageCreated:
		if d.OnMessageCreated != nil {
			d.OnMessageCreated(event.Message)
		}
	case event.Type == EventMessageCompleted || event.Type == EventMessageIncomplete:
		d.messageDone(event.Message)
	case event.Type == EventRunStepCreated:
		d.steps[event.RunStep.ID] = true
		if d.OnRunStepCreated != nil {
			d.OnRunStepCreated(event.RunStep)
		}
	case event.RunStep != nil && event.Type != EventRunStepInProgress:
		d.stepDone(event.RunStep)
	case event.Type == EventRunRequiresAction:
		d.functionsDone(place{d.call.id, d.call.index + 1})
	}
}

func (d *dispatcher) messageDelta(delta *MessageDelta) {
	if d.OnMessageDelta != nil {
		d.OnMessageDelta(delta, d.stream.message(delta.ID))
	}
	for i := range delta.Delta.Content {
		part := &delta.Delta.Content[i]
		at := place{delta.ID, part.Index}
		if at != d.text {
			d.textDone()
		}
		switch {
		case part.ImageFile != nil:
			d.image(at, part.ImageFile)
		case part.Text != nil:
			d.textDelta(at, part.Text.Value)
		}
	}
}

func (d *dispatcher) image(at place, image *ImageFile) {
	if first(d.begun, at) && d.OnImageFile != nil {
		d.OnImageFile(image)
	}
}

func (d *dispatcher) textDelta(at place, delta string) {
	d.text = at
	if first(d.begun, at) && d.OnTextCreated != nil {
		d.OnTextCreated(d.stream.text(at))
	}
	if delta != "" && d.OnText != nil {
		d.OnText(delta, d.stream.textValue(at))
	}
}

// textDone is for when something else follows.
func (d *dispatcher) textDone() {
	at := d.text
	d.text = place{}
	if at != (place{}) && first(d.done, at) && d.OnTextDone != nil {
		d.OnTextDone(d.stream.text(at))
	}
}

// messageDone has the last word on all parts of a message.
func (d *dispatcher) messageDone(message *Message) {
	for i, part := range message.Content {
		at := place{message.ID, i}
		switch {
		case part.ImageFile != nil:
			d.image(at, part.ImageFile)
		case part.Text != nil:
			if first(d.begun, at) && d.OnTextCreated != nil {
				d.OnTextCreated(part.Text)
			}
			if first(d.done, at) && d.OnTextDone != nil {
				d.OnTextDone(part.Text)
			}
		}
	}
	d.text = place{}
	if d.OnMessageDone != nil {
		d.OnMessageDone(message)
	}
}

func (d *dispatcher) stepDelta(delta *RunStepDelta) {
	if d.OnRunStepDelta != nil {
		d.OnRunStepDelta(delta, d.stream.step(delta.ID))
	}
	for i := range delta.Delta.StepDetails.ToolCalls {
		call := &delta.Delta.StepDetails.ToolCalls[i]
		at := place{delta.ID, call.Index}
		fresh := first(d.begun, at)
		if fresh {
			d.functionsDone(at)
			d.call = at
		}
		if fresh && d.OnToolCall != nil {
			d.OnToolCall(d.stream.call(at))
		}
		if d.OnToolCallDelta != nil {
			d.OnToolCallDelta(call, d.stream.call(at))
		}
	}
}

// functionsDone is for the calls of functions in front of end. Those of hosted tools still wait for what comes of them,
// which the end of their step brings.
func (d *dispatcher) functionsDone(end place) {
	for i := d.whole[end.id]; i < end.index; i++ {
		call := d.stream.call(place{end.id, i})
		if call.Type == ToolFunction && first(d.done, place{end.id, i}) && d.OnToolCallDone != nil {
			d.OnToolCallDone(call)
		}
	}
	d.whole[end.id] = max(d.whole[end.id], end.index)
}

// stepDone has the last word on all calls of a step. A step of an earlier stream has no news of its calls.
func (d *dispatcher) stepDone(step *RunStep) {
	for i := range step.StepDetails.ToolCalls {
		call, at := &step.StepDetails.ToolCalls[i], place{step.ID, i}
		if !d.steps[step.ID] {
			break
		}
		if first(d.begun, at) && d.OnToolCall != nil {
			d.OnToolCall(call)
		}
		if first(d.done, at) && d.OnToolCallDone != nil {
			d.OnToolCallDone(call)
		}
	}
	if d.OnRunStepDone != nil {
		d.OnRunStepDone(step)
	}
}
