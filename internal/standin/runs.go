package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// A run is a list of what is yet to happen to it. Whoever looks makes it happen.
type run struct {
	object
	thread  *thread
	steps   []object
	todo    []happening
	reader  context.Context // of the stream that shows the run, nil if there was none
	outputs []string        // of the functions that were called last
	calls   int             // of the model
	tokens  int             // that it wrote
}

// A happening is an event and what it reports, which comes about as do returns it.
type happening struct {
	event string
	do    func() any
}

// A streamed run is to be answered as a stream.
type streamed struct{ run *run }

func (r *run) move() (event string, data []byte) {
	next := r.todo[0]
	r.todo = r.todo[1:]
	data, _ = json.Marshal(next.do()) // which is of our own making
	return next.event, data
}

func (r *run) do(event string, do func() any) { r.todo = append(r.todo, happening{event, do}) }

// then has o change and reports it.
func (r *run) then(event string, o, changes object) {
	r.do(event, func() any { maps.Copy(o, changes); return o })
}

func (r *run) active() bool {
	switch r.object["status"] {
	case "completed", "failed", "cancelled":
		return false
	}
	return true
}

func (t *thread) activeRun() *run {
	if n := len(t.runs); n > 0 && t.runs[n-1].active() {
		return t.runs[n-1]
	}
	return nil
}

func (s *service) createThreadAndRun(r *request) (any, error) {
	fields, _ := r.in["thread"].(map[string]any)
	r.thread = s.newThread(fields)
	return s.begin(r, happening{"thread.created", func() any { return r.thread }})
}

func (s *service) createRun(r *request) (any, error) {
	if active := r.thread.activeRun(); active != nil {
		return nil, refused("Thread %s already has an active run %s.", r.thread.id(), active.id())
	}
	return s.begin(r)
}

func (s *service) begin(r *request, todo ...happening) (any, error) {
	id, _ := r.in["assistant_id"].(string)
	settings, err := s.assistant(r, id)
	if err != nil {
		return nil, err
	}
	s.addMessages(r.thread, r.in["additional_messages"])
	run := &run{thread: r.thread, todo: todo, object: object{
		"id": s.newID("run"), "object": "thread.run", "created_at": now, "thread_id": r.thread.id(), "assistant_id": id,
		"status": "queued", "started_at": nil, "expires_at": now + 600, "cancelled_at": nil, "failed_at": nil,
		"completed_at": nil, "required_action": nil, "last_error": nil, "incomplete_details": nil, "usage": nil,
		"tool_resources": object{}, "metadata": orElse(r.in["metadata"], object{}),
	}}
	settings["max_prompt_tokens"], settings["max_completion_tokens"] = nil, nil
	settings["truncation_strategy"] = object{"type": "auto", "last_messages": nil}
	settings["tool_choice"], settings["parallel_tool_calls"] = "auto", true
	for _, name := range []string{"model", "instructions", "tools", "temperature", "top_p", "reasoning_effort", "response_format",
		"max_prompt_tokens", "max_completion_tokens", "truncation_strategy", "tool_choice", "parallel_tool_calls"} {
		run.object[name] = orElse(r.in[name], settings[name])
	}
	if more, ok := r.in["additional_instructions"].(string); ok {
		run.object["instructions"] = fmt.Sprint(orElse(run.object["instructions"], ""), "\n", more)
	}
	r.thread.runs = append(r.thread.runs, run)
	run.then("thread.run.created", run.object, nil)
	return s.goOn(r, run)
}

// goOn puts a run in the queue, for its model to be called.
func (s *service) goOn(r *request, run *run) (any, error) {
	run.then("thread.run.queued", run.object, object{"status": "queued", "required_action": nil})
	run.do("thread.run.in_progress", func() any {
		maps.Copy(run.object, object{"status": "in_progress", "started_at": now})
		s.call(run)
		return run
	})
	if r.in["stream"] == true {
		run.reader = r.Context()
		return streamed{run}, nil
	}
	for run.todo[0].event != "thread.run.in_progress" {
		run.move()
	}
	return run, nil
}

func (s *service) retrieveRun(r *request) (any, error) {
	if r.run.reader == nil || r.run.reader.Err() != nil { // nobody else looks
		for len(r.run.todo) > 0 {
			r.run.move()
		}
	}
	return r.run, nil
}

func (s *service) listRuns(r *request) (any, error) { return page(r, r.thread.runs), nil }

func (s *service) modifyRun(r *request) (any, error) {
	modify(r.run.object, r.in, "metadata")
	return r.run, nil
}

func (s *service) listSteps(r *request) (any, error) { return page(r, r.run.steps), nil }

func (s *service) retrieveStep(r *request) (any, error) {
	return find("run step", r.PathValue("step"), r.run.steps)
}

// atWork is the step that a run is at, nil if it is at none.
func (r *run) atWork() object {
	if n := len(r.steps); n > 0 && r.steps[n-1]["status"] == "in_progress" {
		return r.steps[n-1]
	}
	return nil
}

func (s *service) cancelRun(r *request) (any, error) {
	run := r.run
	if status := run.object["status"]; status == "cancelling" || !run.active() {
		return nil, refused("Cannot cancel run with status '%s'.", status)
	}
	maps.Copy(run.object, object{"status": "cancelling", "required_action": nil})
	run.todo = nil // what would have happened
	run.then("thread.run.cancelling", run.object, nil)
	for _, m := range r.thread.messages {
		if m["status"] == "in_progress" {
			run.then("thread.message.incomplete", m, object{
				"status": "incomplete", "incomplete_at": now, "incomplete_details": object{"reason": "run_cancelled"},
			})
		}
	}
	if step := run.atWork(); step != nil {
		run.then("thread.run.step.cancelled", step, object{"status": "cancelled", "cancelled_at": now})
	}
	run.then("thread.run.cancelled", run.object, object{"status": "cancelled", "cancelled_at": now, "expires_at": nil})
	return run, nil
}

func (s *service) submitToolOutputs(r *request) (any, error) {
	run := r.run
	if status := run.object["status"]; status != "requires_action" {
		return nil, refused("Runs in status %q do not accept tool outputs.", status)
	}
	step := run.atWork()
	calls := step["step_details"].(object)["tool_calls"].([]any)
	submitted, _ := r.in["tool_outputs"].([]any)
	outputs := map[string]string{}
	for _, entry := range submitted {
		fields, _ := entry.(map[string]any)
		id, _ := fields["tool_call_id"].(string)
		outputs[id], _ = fields["output"].(string)
	}
	var wanted []string
	for _, call := range calls {
		wanted = append(wanted, call.(object).id())
	}
	got := slices.Collect(maps.Keys(outputs))
	if slices.Sort(got); !slices.Equal(slices.Sorted(slices.Values(wanted)), got) {
		return nil, refused("Expected tool outputs for call_ids %q, got %q", wanted, got)
	}
	run.outputs = nil
	for i, call := range calls {
		call.(object)["function"].(object)["output"] = outputs[wanted[i]]
		run.outputs = append(run.outputs, outputs[wanted[i]])
	}
	run.closeStep(step, len(calls))
	return s.goOn(r, run)
}
