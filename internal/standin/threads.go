package standin

import "slices"

type thread struct {
	object
	messages []object
	runs     []*run
}

func (s *service) createThread(r *request) (any, error) { return s.newThread(r.in), nil }

func (s *service) newThread(in object) *thread {
	t := &thread{object: object{
		"id": s.newID("thread"), "object": "thread", "created_at": now,
		"metadata": orElse(in["metadata"], object{}), "tool_resources": orElse(in["tool_resources"], object{}),
	}}
	s.threads[t.id()] = t
	s.addMessages(t, in["messages"])
	return t
}

func (s *service) retrieveThread(r *request) (any, error) { return r.thread, nil }

func (s *service) modifyThread(r *request) (any, error) {
	modify(r.thread.object, r.in, "metadata", "tool_resources")
	return r.thread, nil
}

func (s *service) deleteThread(r *request) (any, error) {
	delete(s.threads, r.thread.id())
	return deletion(r.thread.object), nil
}

// addMessages adds a list of messages to a thread, as it was sent.
func (s *service) addMessages(t *thread, list any) {
	messages, _ := list.([]any)
	for _, in := range messages {
		fields, _ := in.(map[string]any)
		s.addMessage(t, fields)
	}
}

func (s *service) addMessage(t *thread, in object) object {
	m := s.newMessage(t, in)
	m["status"], m["completed_at"] = "completed", now
	t.messages = append(t.messages, m)
	return m
}

// newMessage is a message that is begun.
func (s *service) newMessage(t *thread, in object) object {
	return object{
		"id": s.newID("msg"), "object": "thread.message", "created_at": now,
		"assistant_id": nil, "thread_id": t.id(), "run_id": nil,
		"status": "in_progress", "incomplete_details": nil, "incomplete_at": nil, "completed_at": nil,
		"role": in["role"], "content": content(in["content"]),
		"attachments": orElse(in["attachments"], []any{}), "metadata": orElse(in["metadata"], object{}),
	}
}

// content is the content of a message as it is answered, from what was sent: nothing, a text, or parts.
func content(sent any) any {
	if text, ok := sent.(string); ok {
		sent = []any{map[string]any{"type": "text", "text": text}}
	}
	parts, _ := sent.([]any)
	for _, p := range parts {
		part, _ := p.(map[string]any)
		if text, ok := part["text"].(string); ok {
			part["text"] = object{"value": text, "annotations": []any{}}
		}
		for _, kind := range []string{"image_file", "image_url"} {
			if image, ok := part[kind].(map[string]any); ok {
				image["detail"] = orElse(image["detail"], "auto")
			}
		}
	}
	return append([]any{}, parts...)
}

func (s *service) createMessage(r *request) (any, error) {
	if active := r.thread.activeRun(); active != nil {
		return nil, refused("Can't add messages to %s while a run %s is active.", r.thread.id(), active.id())
	}
	return s.addMessage(r.thread, r.in), nil
}

func (s *service) listMessages(r *request) (any, error) {
	run := r.URL.Query().Get("run_id")
	return page(r, slices.DeleteFunc(slices.Clone(r.thread.messages), func(m object) bool {
		return run != "" && m["run_id"] != run
	})), nil
}

func (s *service) retrieveMessage(r *request) (any, error) {
	return find("message", r.PathValue("message"), r.thread.messages)
}

func (s *service) modifyMessage(r *request) (any, error) {
	m, err := find("message", r.PathValue("message"), r.thread.messages)
	modify(m, r.in, "metadata")
	return m, err
}

func (s *service) deleteMessage(r *request) (any, error) {
	m, err := find("message", r.PathValue("message"), r.thread.messages)
	if err != nil {
		return nil, err
	}
	i := position(m.id(), r.thread.messages)
	r.thread.messages = slices.Delete(r.thread.messages, i, i+1)
	return deletion(m), nil
}

// modify replaces those of the fields of o that were sent.
func modify(o, in object, fields ...string) {
	for _, field := range fields {
		if value, sent := in[field]; sent && o != nil {
			o[field] = orElse(value, object{})
		}
	}
}

func deletion(o object) any {
	return object{"id": o["id"], "object": o["object"].(string) + ".deleted", "deleted": true}
}

// orElse is value, or other if that is null.
func orElse(value, other any) any {
	if value == nil {
		return other
	}
	return value
}
