package server

import (
	"context"
	"encoding/json"
	"slices"
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
	known := make(map[string]bool)
	for i := range messages {
		for _, attachment := range itemsOf(messages[i].Attachments) {
			fields := splitObject(attachment)
			file := decodeString(fields.get("file_id"))
			if !known[file] && slices.Contains(toolTypes(orElse(fields.get("tools"), "[]")), tool) {
				known[file] = true
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
		ids := joinIDs(membersOf(out.get(toolCode)).get("file_ids"), files)
		if err := checkAttached(maxCodeFiles, len(itemsOf(ids))); err != nil {
			return nil, err
		}
		if err := s.use(ctx, all, threadUser(messages[0].ThreadID), files); err != nil {
			return nil, err
		}
		out.set(toolCode, object{{"file_ids", ids}}.render())
	}
	files := attachedFor(toolSearch, messages)
	if err := checkAttached(maxStoreFiles, len(files)); err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return out.render(), nil
	}
	id, err := s.attachToStore(ctx, all, storesIn(resources), files)
	out.set(toolSearch, object{{"vector_store_ids", joinIDs(nil, []string{id})}}.render())
	return out.render(), err
}

// checkAttached is inferred: attachments that would give a tool of the thread more files than it may have are refused.
func checkAttached(limit, files int) error {
	if files > limit {
		return errTooManyItems("attachments", limit, files)
	}
	return nil
}

// joinIDs returns an array of ids with further ones, each once.
func joinIDs(array json.RawMessage, more []string) json.RawMessage {
	ids := itemsOf(array)
	known := make(map[string]bool, len(ids)+len(more))
	for _, id := range ids {
		known[decodeString(id)] = true
	}
	for _, id := range more {
		if !known[id] {
			known[id] = true
			ids = append(ids, quote(id))
		}
	}
	return renderArray(ids)
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
