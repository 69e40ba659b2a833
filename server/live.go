package server

import "encoding/json"

// live is what a run is making at a moment, for those who look at it: documents in the store show it as it was begun.
type live struct {
	messageID, stepID     string
	messageData, stepData json.RawMessage
}

// peek returns what is being made in a thread. What the store says afterwards is newer, unless it says that it is still
// being made.
func (e *engine) peek(threadID string) live {
	t := e.lock(threadID)
	defer e.unlock(t)
	var l live
	if t.run != nil {
		t.run.look()
	}
	if t.run == nil || t.run.step == nil {
		return l
	}
	s := t.run.step
	l.stepID, l.stepData = s.doc.ID, s.live()
	if m := s.message; m != nil {
		l.messageID, l.messageData = m.doc.ID, m.render()
	}
	return l
}

func (l live) message(r Record) Record {
	if l.messageID != "" && r.ID == l.messageID && inProgress(r.Data) {
		r.Data = l.messageData
	}
	return r
}

func (l live) step(r Record) Record {
	if l.stepID != "" && r.ID == l.stepID && inProgress(r.Data) {
		r.Data = l.stepData
	}
	return r
}

func inProgress(data json.RawMessage) bool {
	return string(splitObject(data).get("status")) == `"`+statusInProgress+`"`
}

// writing returns the message that a run is writing, or nil.
func (r *run) writing() *message {
	if r == nil || r.step == nil {
		return nil
	}
	return r.step.message
}
