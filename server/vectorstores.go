package server

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
)

// vectorStoreCollection holds all vector stores. The files of a store are in a
// collection of their own, with the store as its parent.
var vectorStoreCollection = Collection{Kind: "vector_store"}

func vectorStoreFiles(storeID string) Collection {
	return Collection{Kind: "vector_store.file", Parent: storeID}
}

// maxStoreFiles is how many files a vector store may have. It also bounds what
// one request can make the server insert.
const maxStoreFiles = 10_000

// helperStore is a vector store that is made along with what uses it; see
// section 5.5 of docs/protocol.md.
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

var chunkingStrategies = variants{
	{"auto", closed{properties: []property{typeKey}}},
	{"static", closed{properties: []property{
		typeKey,
		{key: "static", required: true, rule: closed{
			properties: []property{
				{key: "max_chunk_size_tokens", rule: integer{100, 4096}, required: true},
				{key: "chunk_overlap_tokens", rule: integer{0, 2048}, required: true},
			},
			final: checkChunkOverlap,
		}},
	}}},
}

// autoChunking is how the strategy "auto" is answered.
const autoChunking = `{"type":"static","static":{"max_chunk_size_tokens":800,"chunk_overlap_tokens":400}}`

// checkChunkOverlap refuses an overlap of more than half a chunk. The text is
// inferred.
func checkChunkOverlap(path string, o object) *apiError {
	size, _ := strconv.ParseInt(string(o.get("max_chunk_size_tokens")), 10, 64)
	return integer{0, size / 2}.within(member(path, "chunk_overlap_tokens"), string(o.get("chunk_overlap_tokens")))
}

// threadStoreDays is how long a vector store that was made along with a thread or
// for its messages lives without being used.
const threadStoreDays = 7

const secondsPerDay = 24 * 60 * 60

// createHelperStores makes the vector stores that resources ask for and returns
// the resources with the ids in their place. The stores expire after so many days
// without use, or never if days is 0.
func (s *Server) createHelperStores(ctx context.Context, all *insertions, resources json.RawMessage, days int64) (json.RawMessage, error) {
	out := splitObject(resources)
	search := out.get("file_search")
	if search == nil {
		return resources, nil
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

// createHelperStore makes one store and returns its id. The files come first: a
// store that can be found has all of its files.
func (s *Server) createHelperStore(ctx context.Context, all *insertions, spec object, days int64) (string, error) {
	id, created := s.newID(prefixVectorStore), s.now().Unix()
	strategy := spec.get("chunking_strategy")
	if decodeString(splitObject(strategy).get("type")) == "auto" {
		strategy = json.RawMessage(autoChunking)
	}
	files := 0
	if err := all.own(ctx, vectorStoreFiles(id)); err != nil {
		return "", err
	}
	for file := range eachItem(spec.get("file_ids")) {
		fileID := decodeString(file)
		data := newVectorStoreFile(fileID, id, created, strategy)
		err := all.insert(ctx, vectorStoreFiles(id), Record{ID: fileID, CreatedAt: created, Data: data})
		if errors.Is(err, ErrExists) {
			continue // named twice
		}
		if err != nil {
			return "", err
		}
		files++
	}
	data := newVectorStore(id, created, files, days, spec.get("metadata"))
	err := all.insert(ctx, vectorStoreCollection, Record{ID: id, CreatedAt: created, Data: data})
	return id, err
}

// newVectorStore returns the document of a store whose files are yet to be read.
func newVectorStore(id string, created int64, files int, days int64, metadata json.RawMessage) json.RawMessage {
	at := strconv.AppendInt(nil, created, 10)
	count := strconv.AppendInt(nil, int64(files), 10)
	none, null := json.RawMessage("0"), json.RawMessage("null")
	expiresAfter, expiresAt := null, null
	if days > 0 {
		expiresAfter = object{{"anchor", quote("last_active_at")}, {"days", strconv.AppendInt(nil, days, 10)}}.render()
		expiresAt = strconv.AppendInt(nil, created+days*secondsPerDay, 10)
	}
	return object{
		{"id", quote(id)},
		{"object", json.RawMessage(`"vector_store"`)},
		{"created_at", at},
		{"name", null},
		{"description", null},
		{"usage_bytes", none},
		{"file_counts", object{
			{"in_progress", count}, {"completed", none}, {"failed", none}, {"cancelled", none}, {"total", count},
		}.render()},
		{"status", json.RawMessage(`"in_progress"`)},
		{"expires_after", expiresAfter},
		{"expires_at", expiresAt},
		{"last_active_at", at},
		{"metadata", metadata},
	}.render()
}

// newVectorStoreFile returns the document of a file that is yet to be read into a
// store.
func newVectorStoreFile(id, storeID string, created int64, strategy json.RawMessage) json.RawMessage {
	return object{
		{"id", quote(id)},
		{"object", json.RawMessage(`"vector_store.file"`)},
		{"usage_bytes", json.RawMessage("0")},
		{"created_at", strconv.AppendInt(nil, created, 10)},
		{"vector_store_id", quote(storeID)},
		{"status", json.RawMessage(`"in_progress"`)},
		{"last_error", json.RawMessage("null")},
		{"chunking_strategy", strategy},
		{"attributes", json.RawMessage("{}")},
	}.render()
}

// extendStore adds files to a vector store, if it is one of this server's.
func (s *Server) extendStore(ctx context.Context, all *insertions, id string, files []string) error {
	record, err := s.store.Get(ctx, vectorStoreCollection, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
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
	total, _ := strconv.Atoi(string(membersOf(splitObject(record.Data).get("file_counts")).get("total")))
	if err := checkAttached(maxStoreFiles, total+added); err != nil {
		return err
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
