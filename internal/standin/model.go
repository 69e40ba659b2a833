package standin

import (
	"maps"
	"strings"
	"unicode/utf8"
)

// call calls the model: what it does is the next turn.
func (s *service) call(r *run) {
	if len(s.turns) == 0 {
		r.then("thread.run.failed", r.object, object{"status": "failed", "failed_at": now, "expires_at": nil, "last_error": object{
			"code": "server_error", "message": "The stand-in for a model has no more to say.",
		}})
		return
	}
	turn := s.turns[0]
	s.turns = s.turns[1:]
	if turn.Code != nil {
		s.runCode(r, turn.Code)
	}
	text := turn.Text
	if turn.Reply != nil {
		text = turn.Reply(r.outputs)
	}
	if text != "" {
		s.write(r, text, turn.Cites)
	}
	if len(turn.Calls) > 0 {
		s.askFor(r, turn.Calls)
		return
	}
	r.then("thread.run.completed", r.object, object{
		"status": "completed", "completed_at": now, "expires_at": nil, "usage": usage(r.calls, r.tokens),
	})
}

// openStep begins a step.
func (s *service) openStep(r *run, details object) object {
	step := object{
		"id": s.newID("step"), "object": "thread.run.step", "created_at": now, "run_id": r.id(),
		"assistant_id": r.object["assistant_id"], "thread_id": r.thread.id(), "type": details["type"], "status": "in_progress",
		"cancelled_at": nil, "completed_at": nil, "expires_at": r.object["expires_at"], "expired_at": nil, "failed_at": nil,
		"last_error": nil, "step_details": details, "usage": nil,
	}
	r.do("thread.run.step.created", func() any { r.steps = append(r.steps, step); return step })
	r.then("thread.run.step.in_progress", step, nil)
	return step
}

// closeStep ends a step, for which the model wrote some tokens.
func (r *run) closeStep(step object, tokens int) {
	r.calls++
	r.tokens += tokens
	r.then("thread.run.step.completed", step, object{"status": "completed", "completed_at": now, "usage": usage(1, tokens)})
}

func usage(calls, tokens int) object {
	return object{
		"prompt_tokens": 20 * calls, "completion_tokens": tokens, "total_tokens": 20*calls + tokens,
		"prompt_token_details": object{"cached_tokens": 0}, "completion_tokens_details": object{"reasoning_tokens": 0},
	}
}

func delta(o object, added object) object {
	return object{"id": o["id"], "object": o["object"].(string) + ".delta", "delta": added}
}

// write has the model write a message.
func (s *service) write(r *run, said string, cites *File) {
	m := s.newMessage(r.thread, object{"role": "assistant"})
	m["assistant_id"], m["run_id"] = r.object["assistant_id"], r.id()
	step := s.openStep(r, object{"type": "message_creation", "message_creation": object{"message_id": m["id"]}})
	r.do("thread.message.created", func() any { r.thread.messages = append(r.thread.messages, m); return m })
	r.then("thread.message.in_progress", m, nil)
	text := object{"value": "", "annotations": []any{}}
	add := func(added object, annotations ...any) {
		r.do("thread.message.delta", func() any {
			m["content"] = []any{object{"type": "text", "text": text}}
			text["value"] = text["value"].(string) + added["value"].(string)
			text["annotations"] = append(text["annotations"].([]any), annotations...)
			return delta(m, object{"content": []any{object{"index": 0, "type": "text", "text": added}}})
		})
	}
	words := strings.Split(said, " ")
	add(object{"value": words[0], "annotations": []any{}}) // which only the first delta has
	for _, word := range words[1:] {
		add(object{"value": " " + word})
	}
	if cites != nil {
		mark, start := "【4:0†"+cites.Name+"】", utf8.RuneCountInString(said)
		annotation := object{
			"type": "file_citation", "text": mark, "start_index": start, "end_index": start + utf8.RuneCountInString(mark),
			"file_citation": object{"file_id": cites.ID},
		}
		numbered := maps.Clone(annotation) // as deltas are
		numbered["index"] = 0
		add(object{"value": mark, "annotations": []any{numbered}}, annotation)
	}
	r.then("thread.message.completed", m, object{"status": "completed", "completed_at": now})
	r.closeStep(step, len(words))
}

// tools has the model call tools of a kind in one step. Each call is begun by the first of its additions and grows by
// the others, one delta each.
func (s *service) tools(r *run, kind string, calls ...[]addition) (step object, ids []string) {
	details := object{"type": "tool_calls", "tool_calls": []any{}}
	step = s.openStep(r, details)
	for i, additions := range calls {
		call := object{"id": s.newID("call"), "type": kind}
		ids = append(ids, call.id())
		for j, a := range additions {
			r.do("thread.run.step.delta", func() any {
				shown := object{"index": i, "type": kind, kind: a.delta}
				if j == 0 {
					shown["id"], call[kind] = call["id"], object{}
					details["tool_calls"] = append(details["tool_calls"].([]any), call)
				}
				maps.Copy(call[kind].(object), a.then)
				return delta(step, object{"step_details": object{"type": "tool_calls", "tool_calls": []any{shown}}})
			})
		}
	}
	return step, ids
}

// An addition is what a delta says of a call, and what the call then has.
type addition struct{ delta, then object }

// growing are the additions by which a field of a call comes to be text, piece by piece.
func growing(field, text, end string) (additions []addition) {
	soFar := ""
	for piece := range strings.SplitAfterSeq(text, end) {
		soFar += piece
		additions = append(additions, addition{object{field: piece}, object{field: soFar}})
	}
	return additions
}

// runCode has the model use the code interpreter.
func (s *service) runCode(r *run, code *Code) {
	empty := object{"input": "", "outputs": []any{}}
	call := append([]addition{{empty, empty}}, growing("input", code.Input, "\n")...)
	if code.Logs != "" {
		logs := object{"type": "logs", "logs": code.Logs}
		numbered := object{"index": 0, "type": "logs", "logs": code.Logs}
		call = append(call, addition{object{"outputs": []any{numbered}}, object{"outputs": []any{logs}}})
	}
	step, _ := s.tools(r, "code_interpreter", call)
	r.closeStep(step, len(call))
}

// askFor has the model ask for functions, whose outputs the run then waits for.
func (s *service) askFor(r *run, functions []Call) {
	var calls [][]addition
	for _, f := range functions {
		header := object{"name": f.Name, "arguments": "", "output": nil}
		calls = append(calls, append([]addition{{header, header}}, growing("arguments", f.Arguments, ":")...))
	}
	_, ids := s.tools(r, "function", calls...)
	var required []any
	for i, f := range functions {
		required = append(required, object{"id": ids[i], "type": "function", "function": object{"name": f.Name, "arguments": f.Arguments}})
	}
	r.then("thread.run.requires_action", r.object, object{"status": "requires_action", "required_action": object{
		"type": "submit_tool_outputs", "submit_tool_outputs": object{"tool_calls": required},
	}})
}
