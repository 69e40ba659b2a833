package server

import (
	"context"
	"encoding/json"
	"errors"
)

// Vector stores that are made along with what uses them: sections 5.5 and 9.2 of docs/protocol.md.

// helperStore is a vector store that is made along with what uses it.
var helperStore = closed{properties: []property{
	{key: "file_ids", rule: array{plural: "strings", max: maxStoreFiles, item: text{min: 1}}},
	{key: "chunking_strategy", rule: chunkingStrategies, fill: `{"type":"auto"}`},
	{key: "metadata", rule: nullable{metadata{}, "{}"}, fill: "{}"},
}, final: checkHelperFiles}

func checkHelperFiles(_ string, o object) *apiError {
	if files := o.get("file_ids"); files == nil || string(files) == "[]" {
		return errNoHelperFiles()
	}
	return nil
}

// threadStoreDays is how long a vector store that was made along with a thread or
// for its messages lives without being used.
const threadStoreDays = 7

// createHelperStores makes the vector stores that resources ask for and returns
// the resources with the ids in their place. The stores expire after so many days
// without use, or never if days is 0. Stores that are named must be there.
func (s *Server) createHelperStores(ctx context.Context, all *insertions, resources json.RawMessage, days int64) (json.RawMessage, error) {
	out := splitObject(resources)
	search := out.get("file_search")
	if search == nil {
		return resources, nil
	}
	if err := s.checkStores(ctx, storesIn(resources)); err != nil {
		return nil, err
	}
	ids := splitObject(search).get("vector_store_ids")
	if ids == nil {
		ids = json.RawMessage("[]")
	}
	if stores := splitObject(search).get("vector_stores"); stores != nil {
		made := []byte{'['}
		for spec := range eachItem(stores) {
			id, err := s.createHelperStore(ctx, all, splitObject(spec), days)
			if err != nil {
				return nil, err
			}
			if len(made) > 1 {
				made = append(made, ',')
			}
			made = appendString(made, id)
		}
		ids = append(made, ']')
	}
	out.set("file_search", object{{"vector_store_ids", ids}}.render())
	return out.render(), nil
}

// createHelperStore makes one store and returns its id.
func (s *Server) createHelperStore(ctx context.Context, all *insertions, spec object, days int64) (string, error) {
	doc := vectorStoreDocument{
		Name: json.RawMessage("null"), Description: json.RawMessage("null"), Metadata: spec.get("metadata"),
		ExpiresAfter: expireAfter(days),
	}
	record, err := s.insertVectorStore(ctx, all, doc, newStoreFiles(textsOf(spec.get("file_ids")), spec.get("chunking_strategy"), nil))
	return record.ID, err
}

// attachToStore adds files to the vector store of a thread and returns the id of the store that has them. If the
// thread has none, or one that was deleted, another is made; the latter is inferred.
func (s *Server) attachToStore(ctx context.Context, all *insertions, stores []string, files []string) (string, error) {
	if len(stores) > 0 {
		err := s.extendStore(ctx, all, stores[0], files)
		if !errors.Is(err, ErrNotFound) {
			return stores[0], err
		}
	}
	return s.createHelperStore(ctx, all, object{
		{"file_ids", joinIDs(nil, files)},
		{"metadata", emptyObject()},
	}, threadStoreDays)
}

// extendStore adds files to a vector store, or returns ErrNotFound.
func (s *Server) extendStore(ctx context.Context, all *insertions, id string, files []string) error {
	full := func(files int) error { return checkAttached(maxStoreFiles, files) }
	_, err := s.addFiles(ctx, all, id, newStoreFiles(files, nil, nil), addition{full: full})
	return err
}
