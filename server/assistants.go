package server

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
)

// assistantCollection holds all assistants.
var assistantCollection = Collection{Kind: "assistant"}

// assistantFields are the keys of an assistant behind id, object and created_at,
// in the order in which they are answered: what they are unless given, which is
// also what null stands for, and what they may be. Model and tools take no null,
// and a model is always given. The rule of tool_resources is the request's.
var assistantFields = []assistantField{
	{"name", "null", text{max: 256}},
	{"description", "null", text{max: 512}},
	{"model", "", text{min: 1}},
	{"instructions", "null", text{max: 256_000}},
	{"tools", "[]", assistantTools},
	{"top_p", "1.0", decimal{0, 1}},
	{"temperature", "1.0", decimal{0, 2}},
	{"reasoning_effort", "null", reasoningEffort},
	{"tool_resources", "{}", nil},
	{"metadata", "{}", metadata{}},
	{"response_format", `"auto"`, responseFormat{}},
}

type assistantField struct {
	key     string
	initial string
	rule    rule
}

var createAssistantRule = assistantRule(nullable{createToolResources, "{}"}, "model",
	"model", "name", "description", "instructions", "reasoning_effort",
	"tools", "tool_resources", "metadata", "temperature", "top_p", "response_format")

// Modifying, null takes all resources away while {} changes nothing; see
// mergeToolResources.
var modifyAssistantRule = assistantRule(nullable{modifyToolResources, "null"}, "",
	"model", "reasoning_effort", "name", "description", "instructions",
	"tools", "tool_resources", "metadata", "temperature", "top_p", "response_format")

// assistantRule returns the rule of a request: the fields in the order in which
// they are checked.
func assistantRule(resources rule, required string, order ...string) closed {
	var properties []property
	for _, key := range order {
		i := slices.IndexFunc(assistantFields, func(f assistantField) bool { return f.key == key })
		p := property{key: key, rule: assistantFields[i].rule, required: key == required}
		switch key {
		case "model", "tools":
		case "tool_resources":
			p.rule = resources
		default:
			p.rule = nullable{p.rule, assistantFields[i].initial}
		}
		properties = append(properties, p)
	}
	return closed{properties: properties}
}

var reasoningEffort = enum{"none", "minimal", "low", "medium", "high", "xhigh", "max"}

// createAssistant is POST /assistants; see section 5 of docs/protocol.md.
func (s *Server) createAssistant(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, createAssistantRule)
	if err != nil {
		return reply{}, err
	}
	id := s.newID(prefixAssistant)
	t := s.engine.lock(id) // for what is used belongs to it from now on
	defer s.engine.unlock(t)
	all := &insertions{store: s.store}
	data, err := s.insertAssistant(ctx, all, id, given)
	if err != nil {
		return reply{}, all.undo(ctx, err)
	}
	all.finish()
	return ok(data)
}

// insertAssistant adds an assistant and what is made along with it.
func (s *Server) insertAssistant(ctx context.Context, all *insertions, id string, given object) (json.RawMessage, error) {
	if err := s.checkCapable(given.get("model"), given.get("tools")); err != nil {
		return nil, err
	}
	if resources := given.get("tool_resources"); resources != nil {
		resources, err := s.createHelperStores(ctx, all, resources, 0)
		if err != nil {
			return nil, err
		}
		given.set("tool_resources", resources)
	}
	if err := s.use(ctx, all, assistantUser(id), codeFilesOf(given.get("tool_resources"))); err != nil {
		return nil, err
	}
	created := s.now().Unix()
	data := newAssistant(id, created, given)
	return data, all.insert(ctx, assistantCollection, Record{ID: id, CreatedAt: created, Data: data})
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
	id := c.ids[0]
	record, err := s.store.Get(ctx, assistantCollection, id)
	if err != nil {
		return reply{}, missing(err, "assistant", id)
	}
	return ok(record.Data)
}

// modifyAssistant is POST /assistants/{assistant_id}; see section 6 of
// docs/protocol.md.
func (s *Server) modifyAssistant(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, modifyAssistantRule)
	if err != nil {
		return reply{}, err
	}
	id := c.ids[0]
	record, err := s.modifyUser(ctx, assistantUser(id), assistantCollection, func(data json.RawMessage) (json.RawMessage, error) {
		changed := changedAssistant(data, given)
		doc := splitObject(changed)
		return changed, s.checkCapable(doc.get("model"), doc.get("tools"))
	})
	if err != nil {
		return reply{}, missing(err, "assistant", id)
	}
	return ok(record.Data)
}

// changedAssistant returns a document with the given keys replaced.
func changedAssistant(data json.RawMessage, given object) json.RawMessage {
	doc := splitObject(changedDocument(data, given))
	doc.set("tool_resources", mirrorTools(doc.get("tools"), doc.get("tool_resources")))
	return doc.render()
}

// deleteAssistant is DELETE /assistants/{assistant_id}.
func (s *Server) deleteAssistant(ctx context.Context, c *call) (reply, error) {
	id := c.ids[0]
	t := s.engine.lock(id)
	defer s.engine.unlock(t)
	if err := s.deleteUser(ctx, assistantUser(id), assistantCollection); err != nil {
		return reply{}, missing(err, "assistant", id)
	}
	return ok(deleted(id, "assistant.deleted"))
}

// listAssistants is GET /assistants; see section 7 of docs/protocol.md.
func (s *Server) listAssistants(ctx context.Context, c *call) (reply, error) {
	q, err := listQuery(c)
	if err != nil {
		return reply{}, err
	}
	return s.list(ctx, q, assistantCollection, listed{kind: "assistant"})
}
