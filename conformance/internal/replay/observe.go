package replay

import (
	"encoding/json"
	"slices"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// observed is what exchanges show of conversations, wherever they show it.
type observed struct {
	runs map[string]*observedRun
	// written are the messages of callers by their threads, oldest first.
	written map[string][]assistants.Message
}

// observedRun is what was seen of a run.
type observedRun struct {
	id, threadID string
	states       []assistants.Run      // as it was seen, one after the other
	messages     []assistants.Message  // that it wrote, oldest first, as they were seen last
	steps        []assistants.RunStep  // oldest first, as they were seen last
	streams      []*recording.Exchange // in which it was watched, one for each round
	cut          bool                  // a message of it was left incomplete
}

func observe(exchanges []*recording.Exchange) *observed {
	o := &observed{runs: make(map[string]*observedRun), written: make(map[string][]assistants.Message)}
	for _, e := range exchanges {
		if e.Status != 200 {
			continue
		}
		if run := lastRun(e); e.Streamed() && run.ID != "" {
			r := o.run(run.ID)
			r.streams = append(r.streams, e)
		}
		for _, object := range objectsIn(e) {
			o.add(object)
		}
	}
	return o
}

func (o *observed) run(id string) *observedRun {
	if o.runs[id] == nil {
		o.runs[id] = &observedRun{id: id}
	}
	return o.runs[id]
}

func (o *observed) add(object []byte) {
	var head struct{ Object string }
	if json.Unmarshal(object, &head) != nil {
		return
	}
	switch head.Object {
	case "thread.run":
		var run assistants.Run
		if json.Unmarshal(object, &run) == nil {
			r := o.run(run.ID)
			r.threadID, r.states = run.ThreadID, append(r.states, run)
		}
	case "thread.run.step":
		var step assistants.RunStep
		if json.Unmarshal(object, &step) == nil {
			r := o.run(step.RunID)
			r.steps = placed(r.steps, step, func(s assistants.RunStep) (string, assistants.Timestamp) { return s.ID, s.CreatedAt })
		}
	case "thread.message":
		var m assistants.Message
		if json.Unmarshal(object, &m) != nil {
			return
		}
		key := func(m assistants.Message) (string, assistants.Timestamp) { return m.ID, m.CreatedAt }
		if m.RunID == "" {
			o.written[m.ThreadID] = placed(o.written[m.ThreadID], m, key)
			return
		}
		r := o.run(m.RunID)
		r.messages = placed(r.messages, m, key)
		r.cut = r.cut || m.Status == assistants.MessageIncomplete
	}
}

// placed puts an object in its place by age, or in the place of what was seen of it before.
func placed[T any](all []T, one T, key func(T) (string, assistants.Timestamp)) []T {
	id, at := key(one)
	place := len(all)
	for i := range all {
		otherID, otherAt := key(all[i])
		if otherID == id {
			all[i] = one
			return all
		}
		if otherAt > at && place == len(all) {
			place = i
		}
	}
	return slices.Insert(all, place, one)
}

// objectsIn are the objects of an answer: itself, those of a list, oldest first, or those of a stream.
func objectsIn(e *recording.Exchange) []json.RawMessage {
	if e.Streamed() {
		var out []json.RawMessage
		events, _ := frames(e.ResponseText) // checkStream says what is wrong with them
		for _, f := range events {
			out = append(out, json.RawMessage(f.data))
		}
		return out
	}
	var page struct {
		Object string
		Data   []json.RawMessage
	}
	if json.Unmarshal([]byte(e.ResponseText), &page) != nil || page.Object != "list" {
		return []json.RawMessage{json.RawMessage(e.ResponseText)}
	}
	if !ascending(e.Query) {
		slices.Reverse(page.Data)
	}
	return page.Data
}
