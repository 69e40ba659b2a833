package server

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
)

// What can be done about a run that is there.

// activeRun returns the run that locks a thread, or "". One whose time is up is ended first. The caller has the thread's
// lock.
func (s *Server) activeRun(ctx context.Context, t *thread, record Record) (string, error) {
	state, err := decode[threadState](record.State)
	if err != nil || state.Run == "" {
		return "", err
	}
	r, err := s.findRun(ctx, t, state.Run)
	if errors.As(err, new(*apiError)) {
		return "", nil // there is none: a creation that failed has left its lock behind
	}
	if err != nil {
		return "", err
	}
	if r.over || !active(r.doc.Status) {
		return "", nil
	}
	return state.Run, nil
}

// checkUnlocked returns the error made of the ids of a thread and the run that has locked it, or nil if none has.
func (s *Server) checkUnlocked(ctx context.Context, t *thread, record Record, locked func(threadID, runID string) *apiError) error {
	active, err := s.activeRun(ctx, t, record)
	if err == nil && active != "" {
		return locked(t.id, active)
	}
	return err
}

// findRun returns a run of a thread as it is now: the one at work, or one brought back from the store, ended if its time
// is up. The caller has the thread's lock.
func (s *Server) findRun(ctx context.Context, t *thread, id string) (*run, error) {
	if t.run != nil && t.run.doc.ID == id {
		r := t.run // which the look may take away
		r.look()
		return r, nil
	}
	record, err := s.store.Get(ctx, runCollection(t.id), id)
	if err != nil {
		return nil, missing(err, "run", id)
	}
	r := &run{engine: s.engine, thread: t}
	if r.doc, err = decode[runDocument](record.Data); err != nil {
		return nil, err
	}
	if !active(r.doc.Status) {
		r.over, r.ended = true, record.Data
		return r, nil
	}
	if r.state, err = decode[runState](record.State); err != nil {
		return nil, err
	}
	r.stepUsage = r.state.StepUsage
	if err := s.restoreStep(ctx, r); err != nil {
		return nil, err
	}
	r.settle()
	return r, nil
}

// restoreStep brings back the step that a run rests in, which is its newest. That of a run which waits for outputs is
// taken even if it is said to have them: then the run could not be written down behind it, and the outputs come again.
func (s *Server) restoreStep(ctx context.Context, r *run) error {
	newest, err := s.store.List(ctx, stepCollection(r.doc.ID), Query{Limit: 1})
	if err != nil || len(newest.Records) == 0 {
		return err
	}
	if !inProgress(newest.Records[0].Data) && r.doc.Status != statusRequiresAction {
		return nil
	}
	st := &step{}
	if st.doc, err = decode[stepDocument](newest.Records[0].Data); err != nil {
		return err
	}
	st.doc.Status, st.doc.Usage, st.doc.ExpiresAt = statusInProgress, nil, r.doc.ExpiresAt
	st.doc.CompletedAt, st.doc.CancelledAt, st.doc.ExpiredAt, st.doc.FailedAt = 0, 0, 0, 0
	r.latest = moment(st.doc.CreatedAt)
	details := membersOf(st.doc.StepDetails)
	if creation := membersOf(details.get("message_creation")); creation != nil {
		record, err := s.store.Get(ctx, messageCollection(r.doc.ThreadID), decodeString(creation.get("message_id")))
		if err == nil && inProgress(record.Data) {
			st.message = &message{}
			st.message.doc, err = decode[messageDocument](record.Data)
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	for _, raw := range itemsOf(details.get("tool_calls")) {
		fields := splitObject(raw)
		c := &toolCall{id: decodeString(fields.get("id")), kind: decodeString(fields.get("type"))}
		if function := membersOf(fields.get(toolFunction)); function != nil {
			c.name = decodeString(function.get("name"))
			c.text.append(decodeString(function.get("arguments")))
		}
		st.calls = append(st.calls, c)
	}
	r.step = st
	return nil
}

// runOf returns the run that the address names, with its thread locked for the caller.
func (s *Server) runOf(ctx context.Context, c *call) (*run, *thread, error) {
	if _, err := s.thread(ctx, c.ids[0]); err != nil {
		return nil, nil, err
	}
	t := s.engine.lock(c.ids[0])
	found := false
	defer func() { // also if the store panics
		if !found {
			s.engine.unlock(t)
		}
	}()
	r, err := s.findRun(ctx, t, c.ids[1])
	if err == nil && r.lost {
		err = errLost
	}
	found = err == nil
	return r, t, err
}

// retrieveRun is GET /threads/{thread_id}/runs/{run_id}.
func (s *Server) retrieveRun(ctx context.Context, c *call) (reply, error) {
	r, t, err := s.runOf(ctx, c)
	if err != nil {
		return reply{}, err
	}
	defer s.engine.unlock(t)
	if r.ended != nil {
		return ok(r.ended)
	}
	return ok(encode(r.doc))
}

// listRuns is GET /threads/{thread_id}/runs.
func (s *Server) listRuns(ctx context.Context, c *call) (reply, error) {
	q, err := listQuery(c)
	if err != nil {
		return reply{}, err
	}
	thread, err := s.thread(ctx, c.ids[0])
	if err != nil {
		return reply{}, err
	}
	t := s.engine.lock(thread.ID)
	defer s.engine.unlock(t)
	if _, err := s.activeRun(ctx, t, thread); err != nil { // one whose time is up shows it
		return reply{}, err
	}
	return s.list(ctx, q, runCollection(thread.ID), listed{kind: "run"})
}

// modifyRun is POST /threads/{thread_id}/runs/{run_id}: metadata alone can be changed, and only when the run has ended.
func (s *Server) modifyRun(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, modifyRunRule)
	if err != nil {
		return reply{}, err
	}
	r, t, err := s.runOf(ctx, c)
	if err != nil {
		return reply{}, err
	}
	defer s.engine.unlock(t)
	if active(r.doc.Status) {
		return reply{}, errCannotModify(r.doc.Status)
	}
	record, err := s.store.Update(ctx, runCollection(t.id), r.doc.ID, func(old Record) (Record, error) {
		old.Data = changedDocument(old.Data, given)
		return old, nil
	})
	if err != nil {
		return reply{}, missing(err, "run", r.doc.ID)
	}
	return ok(record.Data)
}

// cancelRun is POST /threads/{thread_id}/runs/{run_id}/cancel; see section 10.5 of docs/protocol.md.
func (s *Server) cancelRun(ctx context.Context, c *call) (reply, error) {
	if _, err := s.parse(c, closed{}); err != nil {
		return reply{}, err
	}
	r, t, err := s.runOf(ctx, c)
	if err != nil {
		return reply{}, err
	}
	defer s.engine.unlock(t)
	if !active(r.doc.Status) || r.doc.Status == statusCancelling {
		return reply{}, errCannotCancel(r.doc.Status)
	}
	var body json.RawMessage
	r.attempt(func() { body = r.cancel() })
	if r.lost {
		return reply{}, errLost
	}
	return ok(body)
}

// maxOutputs is how many functions a run can wait for at once. It is inferred.
const maxOutputs = 512

var submitToolOutputsRule = closed{properties: []property{
	{key: "tool_outputs", required: true, rule: array{plural: "objects", max: maxOutputs, item: closed{properties: []property{
		{key: "tool_call_id", rule: text{}},
		{key: "output", rule: nullable{text{}, `""`}, fill: `""`},
	}}}},
	{key: "stream", rule: nullable{boolean{}, "false"}},
}}

// submitToolOutputs is POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs; see section 10.3 of docs/protocol.md.
func (s *Server) submitToolOutputs(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, submitToolOutputsRule)
	if err != nil {
		return reply{}, err
	}
	content, err := include(c)
	if err != nil {
		return reply{}, err
	}
	r, t, err := s.runOf(ctx, c)
	if err != nil {
		return reply{}, err
	}
	defer s.engine.unlock(t)
	if r.doc.Status != statusRequiresAction || r.step == nil {
		return reply{}, errNoOutputsWanted(r.doc.Status)
	}
	if err := r.step.takeOutputs(itemsOf(given.get("tool_outputs"))); err != nil {
		return reply{}, err
	}
	r.feed = feedFor(c, given, content)
	if err := s.engine.enter(r); err != nil {
		return reply{}, err
	}
	r.attempt(func() {
		if r.resume() {
			s.engine.work(r)
		}
	})
	if r.lost {
		return reply{}, errLost
	}
	return r.answer()
}

// takeOutputs gives the calls of a step their outputs: all of them, each once. An error changes nothing.
func (s *step) takeOutputs(outputs []json.RawMessage) error {
	byID := make(map[string]json.RawMessage, len(outputs))
	var want, got []string
	twice := false
	for _, raw := range outputs {
		fields := splitObject(raw)
		id := ""
		if given := fields.get("tool_call_id"); given != nil {
			id = decodeString(given)
		}
		_, again := byID[id]
		twice = twice || again
		byID[id] = fields.get("output")
		got = append(got, id)
	}
	for _, c := range s.calls {
		want = append(want, c.id)
	}
	if twice {
		return errOutputsTwice(got)
	}
	for _, id := range want {
		if byID[id] == nil {
			return errOtherOutputsWanted(want, got)
		}
	}
	if slices.ContainsFunc(got, func(id string) bool { return !slices.Contains(want, id) }) {
		return errOtherOutputsWanted(want, got)
	}
	for _, c := range s.calls {
		c.output = byID[c.id]
	}
	return nil
}
