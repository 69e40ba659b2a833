package server

import (
	"context"
	"encoding/json"
)

// step is a step that is being made: a message is written, or tools are called.
type step struct {
	doc     stepDocument
	message *message    // of a step that writes one; else nil
	calls   []*toolCall // of one that calls tools
}

// kind returns which tool the step calls, or "".
func (s *step) kind() string {
	if s == nil || len(s.calls) == 0 {
		return ""
	}
	return s.calls[0].kind
}

// openStep begins a step. Calls follow; a message is there from the start.
func (r *run) openStep(m *message) bool {
	s := &step{message: m, doc: stepDocument{
		ID: r.engine.server.newID(prefixStep), Object: "thread.run.step", CreatedAt: int64(r.now()),
		RunID: r.doc.ID, AssistantID: r.doc.AssistantID, ThreadID: r.doc.ThreadID,
		Type: "tool_calls", Status: statusInProgress, ExpiresAt: r.doc.ExpiresAt,
		StepDetails: json.RawMessage(`{"type":"tool_calls","tool_calls":[]}`), Metadata: emptyObject(),
	}}
	if m != nil {
		s.doc.Type = "message_creation"
		s.doc.StepDetails = json.RawMessage(`{"type":"message_creation","message_creation":{"message_id":` + string(quote(m.doc.ID)) + `}}`)
	}
	data := encode(s.doc)
	if !r.insert(stepCollection(r.doc.ID), Record{ID: s.doc.ID, CreatedAt: s.doc.CreatedAt, Data: data}) {
		return false
	}
	r.step = s
	r.feed.add(event{name: "thread.run.step.created", data: data})
	r.feed.add(event{name: "thread.run.step.in_progress", data: data})
	return true
}

// insert writes a new document of the run down.
func (r *run) insert(c Collection, record Record) bool {
	if err := r.engine.server.store.Insert(context.Background(), c, record); err != nil {
		r.collapse(err)
		return false
	}
	return true
}

// openMessage begins a message and the step that writes it.
func (r *run) openMessage() bool {
	now := r.now()
	m := &message{doc: messageDocument{
		ID: r.engine.server.newID(prefixMessage), Object: "thread.message", CreatedAt: int64(now),
		AssistantID: &r.doc.AssistantID, ThreadID: r.doc.ThreadID, RunID: &r.doc.ID,
		Status: statusInProgress, Role: "assistant",
		Content: emptyArray(), Attachments: emptyArray(), Metadata: emptyObject(),
	}}
	if !r.openStep(m) {
		return false
	}
	data := encode(m.doc)
	err := r.engine.server.insertMessage(context.Background(), r.doc.ThreadID, Record{ID: m.doc.ID, CreatedAt: m.doc.CreatedAt, Data: data})
	if err != nil {
		r.collapse(err)
		return false
	}
	r.feed.add(event{name: "thread.message.created", data: data})
	r.feed.add(event{name: "thread.message.in_progress", data: data})
	return true
}

// closeStep ends the open step, and its message before it.
func (r *run) closeStep(e ending) bool {
	s := r.step
	s.finishRune(r.feed)
	if s.message != nil {
		s.message.close(e, r.now(), r.feed)
		data := s.message.render()
		if !r.write(messageCollection(r.doc.ThreadID), s.message.doc.ID, data, nil) {
			return false
		}
		r.emitMessageEnd(s.message, data)
	}
	s.close(e, r.now(), r.stepUsage)
	ended := s.doc
	ended.ExpiresAt = 0 // which events still show
	if !r.saveStep(s, ended) {
		return false
	}
	r.step, r.stepUsage = nil, usage{}
	r.emitStep(e.step, s)
	return true
}

// completeStep ends the open step, if there is one, because something else begins.
func (r *run) completeStep() bool { return r.step == nil || r.closeStep(endCompleted) }

// close sets what an ended step says.
func (s *step) close(e ending, now moment, cost usage) {
	s.doc.Status, s.doc.LastError, s.doc.Usage = e.step, e.failure, &cost
	switch e.step {
	case statusCompleted:
		s.doc.CompletedAt = now
	case statusFailed:
		s.doc.FailedAt = now
	case statusCancelled:
		s.doc.CancelledAt = now
	case statusExpired:
		s.doc.ExpiredAt = now
	}
}

// emitClosed reports the end of a step that cannot be written down any more.
func (r *run) emitClosed(s *step, e ending) {
	s.finishRune(r.feed)
	if s.message != nil {
		s.message.close(e, r.now(), r.feed)
		r.emitMessageEnd(s.message, s.message.render())
	}
	s.close(e, r.now(), r.stepUsage)
	r.emitStep(e.step, s)
}

func (r *run) emitMessageEnd(m *message, data json.RawMessage) {
	r.feed.add(event{name: "thread.message." + m.doc.Status, data: data})
}

func (r *run) emitStep(what string, s *step) {
	if r.feed != nil {
		shown := s.doc
		shown.StepDetails = s.details(r.feed.withContent)
		r.feed.add(event{name: "thread.run.step." + what, data: encode(shown)})
	}
}

// saveStep writes a step down as the document has it, with all that it did.
func (r *run) saveStep(s *step, doc stepDocument) bool {
	doc.StepDetails = s.details(true)
	return r.write(stepCollection(r.doc.ID), doc.ID, encode(doc), nil)
}

// details renders what a step has done so far. Contents of search results are part of it or not.
func (s *step) details(withContent bool) json.RawMessage {
	if s.doc.Type == "message_creation" {
		return s.doc.StepDetails
	}
	b := []byte(`{"type":"tool_calls","tool_calls":[`)
	for i, c := range s.calls {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.append(b, withContent)
	}
	return append(b, "]}"...)
}

// required are the function calls of a step, for the run to wait for.
func (s *step) required() []requiredCall {
	calls := make([]requiredCall, len(s.calls))
	for i, c := range s.calls {
		calls[i] = requiredCall{ID: c.id, Type: c.kind, Function: requiredFunction{Name: c.name, Arguments: c.text.String()}}
	}
	return calls
}

// live returns the step as whoever looks at it now shall see it.
func (s *step) live() json.RawMessage {
	shown := s.doc
	shown.StepDetails = s.details(true)
	return encode(shown)
}

// withoutContent returns a step's document without the contents of search results, which are only shown to those who ask.
func withoutContent(data json.RawMessage) json.RawMessage {
	doc := splitObject(data)
	details := membersOf(doc.get("step_details"))
	calls := itemsOf(details.get("tool_calls"))
	changed := false
	for i, raw := range calls {
		c := splitObject(raw)
		search := membersOf(c.get("file_search"))
		results := itemsOf(search.get("results"))
		for j, result := range results {
			results[j] = splitObject(result).without("content").render()
		}
		if len(results) > 0 {
			search.set("results", renderArray(results))
			c.set("file_search", search.render())
			calls[i], changed = c.render(), true
		}
	}
	if !changed {
		return data
	}
	details.set("tool_calls", renderArray(calls))
	doc.set("step_details", details.render())
	return doc.render()
}
