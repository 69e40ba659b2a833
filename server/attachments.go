package server

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
)

// attachments are files for the tools of a thread; see section 9.2 of docs/protocol.md.
var attachments = array{plural: "objects", max: maxStoreFiles, item: closed{properties: []property{
	{key: "file_id", rule: text{min: 1}, required: true},
	{key: "tools", rule: array{plural: "objects", max: 128, item: variants{
		{toolCode, closed{properties: []property{typeKey}}},
		{toolSearch, closed{properties: []property{typeKey}}},
	}}},
}}}

// attachedFor returns the files that messages attach for a tool, each once.
func attachedFor(tool string, messages []messageDocument) []string {
	var files []string
	for i := range messages {
		for _, attachment := range itemsOf(messages[i].Attachments) {
			fields := splitObject(attachment)
			file := decodeString(fields.get("file_id"))
			if slices.Contains(toolTypes(orElse(fields.get("tools"), "[]")), tool) && !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	return files
}

// attach returns the resources of a thread to which messages have been added: their files join those of the code
// interpreter, and the vector store of the thread, which is made if there is none.
func (s *Server) attach(ctx context.Context, all *insertions, resources json.RawMessage, messages []messageDocument) (json.RawMessage, error) {
	out := splitObject(resources)
	if files := attachedFor(toolCode, messages); len(files) > 0 {
		out.set(toolCode, object{{"file_ids", joinIDs(membersOf(out.get(toolCode)).get("file_ids"), files)}}.render())
	}
	files := attachedFor(toolSearch, messages)
	if len(files) == 0 {
		return out.render(), nil
	}
	if stores := itemsOf(membersOf(out.get(toolSearch)).get("vector_store_ids")); len(stores) > 0 {
		return out.render(), s.extendStore(ctx, all, decodeString(stores[0]), files)
	}
	id, err := s.createHelperStore(ctx, all, object{
		{"file_ids", joinIDs(nil, files)},
		{"chunking_strategy", json.RawMessage(`{"type":"auto"}`)},
		{"metadata", emptyObject()},
	}, threadStoreDays)
	out.set(toolSearch, object{{"vector_store_ids", joinIDs(nil, []string{id})}}.render())
	return out.render(), err
}

// joinIDs returns an array of ids with further ones, each once.
func joinIDs(array json.RawMessage, more []string) json.RawMessage {
	ids := itemsOf(array)
	for _, id := range more {
		if quoted := quote(id); !slices.ContainsFunc(ids, func(old json.RawMessage) bool { return string(old) == string(quoted) }) {
			ids = append(ids, quoted)
		}
	}
	return renderArray(ids)
}

// extendStore adds files to a vector store, if it is one of this server's.
func (s *Server) extendStore(ctx context.Context, all *insertions, id string, files []string) error {
	if _, err := s.store.Get(ctx, vectorStoreCollection, id); err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	added, created := 0, s.now().Unix()
	for _, file := range files {
		data := newVectorStoreFile(file, id, created, json.RawMessage(autoChunking))
		err := all.insert(ctx, vectorStoreFiles(id), Record{ID: file, CreatedAt: created, Data: data})
		if err != nil && !errors.Is(err, ErrExists) {
			return err
		}
		if err == nil {
			added++
		}
	}
	if added == 0 {
		return nil
	}
	if err := s.countFiles(ctx, id, added); err != nil {
		return err
	}
	all.done = append(all.done, func(ctx context.Context) error { return s.countFiles(ctx, id, -added) })
	return nil
}

// countFiles adds to the number of files that a vector store has yet to read.
func (s *Server) countFiles(ctx context.Context, id string, added int) error {
	_, err := s.store.Update(ctx, vectorStoreCollection, id, func(r Record) (Record, error) {
		doc := splitObject(r.Data)
		counts := splitObject(doc.get("file_counts"))
		for _, key := range []string{"in_progress", "total"} {
			n, _ := strconv.Atoi(string(counts.get(key)))
			counts.set(key, strconv.AppendInt(nil, int64(n+added), 10))
		}
		doc.set("file_counts", counts.render())
		doc.set("status", json.RawMessage(`"in_progress"`))
		if string(counts.get("in_progress")) == "0" {
			doc.set("status", json.RawMessage(`"completed"`))
		}
		r.Data = doc.render()
		return r, nil
	})
	return err
}

// attachToThread has the attachments of new messages take effect on their thread, and returns it as it is then.
func (s *Server) attachToThread(ctx context.Context, all *insertions, thread Record, messages []messageDocument) (Record, error) {
	doc, err := decode[threadDocument](thread.Data)
	if err != nil {
		return thread, err
	}
	resources, err := s.attach(ctx, all, doc.ToolResources, messages)
	if err != nil || string(resources) == string(doc.ToolResources) {
		return thread, err
	}
	return all.replace(ctx, threadCollection, thread, changedDocument(thread.Data, object{{"tool_resources", resources}}))
}
