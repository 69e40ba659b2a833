package server

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
)

// What handlers have in common: taking a request apart, in the order of section 3 of docs/protocol.md, and answering it.

// parse checks a body against its rule, and then the ids of the address, and returns the members that were given.
func (s *Server) parse(c *call, r closed) (object, error) {
	raw, err := parseBody(c.body)
	if err != nil {
		return nil, err
	}
	given, err := r.members("", raw)
	if err != nil {
		return nil, err
	}
	if model := given.get("model"); model != nil && kindOf(model) == kindString {
		if err := s.checkModel(decodeString(model)); err != nil {
			return nil, err
		}
	}
	if err := checkStrictSchemas(raw); err != nil {
		return nil, err
	}
	if err := checkSchemaSizes(given); err != nil {
		return nil, err
	}
	return given, c.checkIDs()
}

// maxSchemaSize is how large the tools, or the response format, of an assistant or a run may be together, in bytes: every run
// keeps a copy.
const maxSchemaSize = 2 << 20

// checkSchemaSizes is inferred: what is larger is refused.
func checkSchemaSizes(given object) error {
	for _, key := range []string{"tools", "response_format"} {
		if size := len(given.get(key)); size > maxSchemaSize {
			return invalid("", key, "Invalid '%s': too large. Expected at most %d bytes, but got %d bytes instead.", key, maxSchemaSize, size)
		}
	}
	return nil
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

// unlessGone is for what is removed or changed if it is there: that it is not
// there is no error.
func unlessGone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
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

// idPrefixes are what the ids of an address must begin with, by their place in the table of routes. The ids of files may be
// anything.
var idPrefixes = map[string]string{
	"assistant_id":    prefixAssistant,
	"thread_id":       prefixThread,
	"message_id":      prefixMessage,
	"run_id":          prefixRun,
	"step_id":         prefixStep,
	"upload_id":       prefixUpload,
	"vector_store_id": prefixVectorStore,
	"batch_id":        prefixFileBatch,
}

// checkIDs returns the error for an id in the address that cannot be one of its kind.
func (c *call) checkIDs() error {
	place := 0
	for _, element := range c.path {
		name, variable := strings.CutPrefix(element, "{")
		if !variable {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		if prefix := idPrefixes[name]; !strings.HasPrefix(c.ids[place], prefix) {
			return errIDPrefix(name, c.ids[place], prefix)
		}
		place++
	}
	return nil
}

// withIDs returns a handler for requests without a body, which looks at the ids first.
func withIDs(handle handler) handler {
	return func(ctx context.Context, c *call) (reply, error) {
		if err := c.checkIDs(); err != nil {
			return reply{}, err
		}
		return handle(ctx, c)
	}
}

// include returns whether a request wants the contents of search results.
func include(c *call) (content bool, err error) {
	query := c.request.URL.Query()
	for i, value := range append(query["include[]"], query["include"]...) {
		if value != includeContent {
			return false, errEnum(element("include", i), value, []string{includeContent})
		}
		content = true
	}
	return content, nil
}

const includeContent = "step_details.tool_calls[*].file_search.results[*].content"

// changedDocument returns a document with the given keys replaced.
func changedDocument(data json.RawMessage, given object) json.RawMessage {
	doc := splitObject(data)
	for _, m := range given {
		value := m.value
		if m.key == "tool_resources" {
			value = mergeToolResources(doc.get(m.key), value)
		}
		doc.set(m.key, value)
	}
	return doc.render()
}
