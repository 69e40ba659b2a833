package server

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// assistantCollection holds all assistants.
var assistantCollection = Collection{Kind: "assistant"}

// assistantFields are the keys of an assistant behind id, object and created_at,
// in the order in which they are answered, and what they are unless given. The
// model is always given.
var assistantFields = []struct{ key, initial string }{
	{"name", "null"},
	{"description", "null"},
	{"model", "null"},
	{"instructions", "null"},
	{"tools", "[]"},
	{"top_p", "1.0"},
	{"temperature", "1.0"},
	{"reasoning_effort", "null"},
	{"tool_resources", "{}"},
	{"metadata", "{}"},
	{"response_format", `"auto"`},
}

var createAssistantRule = closed{properties: []property{
	{key: "model", rule: text{min: 1}, required: true},
	{key: "name", rule: nullable{text{max: 256}, "null"}},
	{key: "description", rule: nullable{text{max: 512}, "null"}},
	{key: "instructions", rule: nullable{text{max: 256_000}, "null"}},
	{key: "reasoning_effort", rule: nullable{reasoningEffort, "null"}},
	{key: "tools", rule: assistantTools},
	{key: "tool_resources", rule: nullable{createToolResources, "{}"}},
	{key: "metadata", rule: nullable{metadata{}, "{}"}},
	{key: "temperature", rule: nullable{decimal{0, 2}, "1.0"}},
	{key: "top_p", rule: nullable{decimal{0, 1}, "1.0"}},
	{key: "response_format", rule: nullable{responseFormat{}, `"auto"`}},
}}

var modifyAssistantRule = closed{properties: []property{
	{key: "model", rule: text{min: 1}},
	{key: "reasoning_effort", rule: nullable{reasoningEffort, "null"}},
	{key: "name", rule: nullable{text{max: 256}, "null"}},
	{key: "description", rule: nullable{text{max: 512}, "null"}},
	{key: "instructions", rule: nullable{text{max: 256_000}, "null"}},
	{key: "tools", rule: assistantTools},
	{key: "tool_resources", rule: nullable{modifyToolResources, "null"}},
	{key: "metadata", rule: nullable{metadata{}, "{}"}},
	{key: "temperature", rule: nullable{decimal{0, 2}, "1.0"}},
	{key: "top_p", rule: nullable{decimal{0, 1}, "1.0"}},
	{key: "response_format", rule: nullable{responseFormat{}, `"auto"`}},
}}

var reasoningEffort = enum{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// createAssistant is POST /assistants; see section 5 of docs/protocol.md.
func (s *Server) createAssistant(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c.body, createAssistantRule)
	if err != nil {
		return reply{}, err
	}
	if resources := given.get("tool_resources"); resources != nil {
		resources, err := s.createHelperStores(ctx, resources)
		if err != nil {
			return reply{}, err
		}
		given.set("tool_resources", resources)
	}
	id, created := s.newID(prefixAssistant), s.now().Unix()
	data := newAssistant(id, created, given)
	if err := s.store.Insert(ctx, assistantCollection, Record{ID: id, CreatedAt: created, Data: data}); err != nil {
		return reply{}, err
	}
	return ok(data)
}

// newAssistant returns the document of a new assistant.
func newAssistant(id string, created int64, given object) json.RawMessage {
	doc := make(object, 0, 3+len(assistantFields))
	doc = append(doc,
		keyValue{"id", quote(id)},
		keyValue{"object", json.RawMessage(`"assistant"`)},
		keyValue{"created_at", strconv.AppendInt(nil, created, 10)},
	)
	for _, f := range assistantFields {
		value := given.get(f.key)
		if value == nil {
			value = json.RawMessage(f.initial)
		}
		doc = append(doc, keyValue{f.key, value})
	}
	doc.set("tool_resources", mirrorTools(doc.get("tools"), doc.get("tool_resources")))
	return doc.render()
}

// retrieveAssistant is GET /assistants/{assistant_id}.
func (s *Server) retrieveAssistant(ctx context.Context, c *call) (reply, error) {
	id, err := assistantID(c)
	if err != nil {
		return reply{}, err
	}
	record, err := s.store.Get(ctx, assistantCollection, id)
	if err != nil {
		return reply{}, missing(err, "assistant", id)
	}
	return ok(record.Data)
}

// modifyAssistant is POST /assistants/{assistant_id}; see section 6 of
// docs/protocol.md.
func (s *Server) modifyAssistant(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c.body, modifyAssistantRule)
	if err != nil {
		return reply{}, err
	}
	id, err := assistantID(c)
	if err != nil {
		return reply{}, err
	}
	record, err := s.store.Update(ctx, assistantCollection, id, func(r Record) (Record, error) {
		r.Data = changedAssistant(r.Data, given)
		return r, nil
	})
	if err != nil {
		return reply{}, missing(err, "assistant", id)
	}
	return ok(record.Data)
}

// changedAssistant returns a document with the given keys replaced.
func changedAssistant(data json.RawMessage, given object) json.RawMessage {
	doc := splitObject(data)
	for _, m := range given {
		value := m.value
		if m.key == "tool_resources" {
			value = mergeToolResources(doc.get(m.key), value)
		}
		doc.set(m.key, value)
	}
	doc.set("tool_resources", mirrorTools(doc.get("tools"), doc.get("tool_resources")))
	return doc.render()
}

// deleteAssistant is DELETE /assistants/{assistant_id}.
func (s *Server) deleteAssistant(ctx context.Context, c *call) (reply, error) {
	id, err := assistantID(c)
	if err != nil {
		return reply{}, err
	}
	if err := s.store.Delete(ctx, assistantCollection, id); err != nil {
		return reply{}, missing(err, "assistant", id)
	}
	return ok(deleted(id, "assistant.deleted"))
}

// listAssistants is GET /assistants; see section 7 of docs/protocol.md.
func (s *Server) listAssistants(ctx context.Context, c *call) (reply, error) {
	return s.list(ctx, c, assistantCollection, "assistant")
}

// assistantID returns the id that the address names.
func assistantID(c *call) (string, error) {
	id := c.ids[0]
	if !strings.HasPrefix(id, prefixAssistant) {
		return "", errIDPrefix("assistant_id", id, prefixAssistant)
	}
	return id, nil
}

// parse checks a body against its rule and returns the members that were given.
func (s *Server) parse(body []byte, r closed) (object, error) {
	raw, err := parseBody(body)
	if err != nil {
		return nil, err
	}
	given, err := r.members("", raw)
	if err != nil {
		return nil, err
	}
	if model := given.get("model"); model != nil {
		if err := s.checkModel(decodeString(model)); err != nil {
			return nil, err
		}
	}
	return given, nil
}

// checkModel refuses the models that the operator has excluded.
func (s *Server) checkModel(name string) *apiError {
	switch {
	case s.unsupported[name]:
		return errUnsupportedModel(name)
	case len(s.models) > 0 && !s.models[name]:
		return errUnknownModel(name)
	}
	return nil
}

// missing turns the error of a store for a missing record into the one that the
// caller gets, and leaves others as they are.
func missing(err error, kind, id string) error {
	if errors.Is(err, ErrNotFound) {
		return errNotFound(kind, id)
	}
	return err
}

// deleted is the answer to a deletion.
func deleted(id, object string) []byte {
	b := []byte(`{"id":`)
	b = appendString(b, id)
	b = append(b, `,"object":`...)
	b = appendString(b, object)
	return append(b, `,"deleted":true}`...)
}
