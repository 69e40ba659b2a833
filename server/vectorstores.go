package server

import (
	"context"
	"encoding/json"
	"errors"
)

// Vector stores: section 17 of docs/protocol.md.

// vectorStoreCollection holds all vector stores. The files of a store are in a
// collection of their own, with the store as its parent.
var vectorStoreCollection = Collection{Kind: "vector_store"}

func storeUser(id string) fileUser { return fileUser{vectorStoreCollection.Kind, id} }

// vectorStoreDocument is a vector store. Its status is stored as it follows from the counts: that a store has expired
// shows when somebody looks.
type vectorStoreDocument struct {
	ID           string          `json:"id"`
	Object       string          `json:"object"`
	CreatedAt    int64           `json:"created_at"`
	Name         json.RawMessage `json:"name"`
	Description  json.RawMessage `json:"description"`
	UsageBytes   int64           `json:"usage_bytes"`
	FileCounts   fileCounts      `json:"file_counts"`
	Status       string          `json:"status"`
	ExpiresAfter *storeExpiry    `json:"expires_after"`
	ExpiresAt    moment          `json:"expires_at"`
	LastActiveAt int64           `json:"last_active_at"`
	Metadata     json.RawMessage `json:"metadata"`
}

// storeExpiry is how long a vector store lives without being used.
type storeExpiry struct {
	Anchor string `json:"anchor"`
	Days   int64  `json:"days"`
}

const secondsPerDay = 24 * 60 * 60

// expireAfter returns the expiry after so many days, nil for 0.
func expireAfter(days int64) *storeExpiry {
	if days == 0 {
		return nil
	}
	return &storeExpiry{Anchor: "last_active_at", Days: days}
}

// use moves the time when the store was last used, and that of its expiry. A clock that goes back moves nothing.
func (d *vectorStoreDocument) use(now int64) {
	d.LastActiveAt, d.ExpiresAt = max(d.LastActiveAt, now), 0
	if d.ExpiresAfter != nil {
		d.ExpiresAt = moment(d.LastActiveAt + d.ExpiresAfter.Days*secondsPerDay)
	}
}

func (d *vectorStoreDocument) expired(now int64) bool {
	return d.ExpiresAt != 0 && now >= int64(d.ExpiresAt)
}

// The limits of names and descriptions are inferred: those of assistants.
var (
	storeName        = nullable{text{max: 256}, "null"}
	storeDescription = nullable{text{max: 512}, "null"}
	storeMetadata    = nullable{metadata{}, "{}"}
	storeExpiryRule  = nullable{closed{properties: []property{
		{key: "anchor", rule: enum{"last_active_at"}, required: true},
		{key: "days", rule: integer{1, 365}, required: true},
	}}, "null"}
)

// maxFirstFiles is how many files a vector store may be made with.
const maxFirstFiles = 500

var createStoreRule = closed{properties: []property{
	{key: "file_ids", rule: nullable{array{plural: "strings", max: maxFirstFiles, item: text{min: 1}}, "[]"}},
	{key: "name", rule: storeName, fill: "null"},
	{key: "description", rule: storeDescription, fill: "null"},
	{key: "expires_after", rule: storeExpiryRule, fill: "null"},
	{key: "chunking_strategy", rule: nullable{chunkingStrategies, autoChunking}},
	{key: "metadata", rule: storeMetadata, fill: "{}"},
}}

var modifyStoreRule = closed{properties: []property{
	{key: "name", rule: storeName},
	{key: "expires_after", rule: storeExpiryRule},
	{key: "metadata", rule: storeMetadata},
}}

// createVectorStore is POST /vector_stores.
func (s *Server) createVectorStore(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, createStoreRule)
	if err != nil {
		return reply{}, err
	}
	doc := vectorStoreDocument{
		Name: given.get("name"), Description: given.get("description"), Metadata: given.get("metadata"),
	}
	if doc.ExpiresAfter, err = decode[*storeExpiry](given.get("expires_after")); err != nil {
		return reply{}, err
	}
	all := &insertions{store: s.store}
	files := newStoreFiles(textsOf(given.get("file_ids")), given.get("chunking_strategy"), nil)
	record, err := s.insertVectorStore(ctx, all, doc, files)
	if err != nil {
		return reply{}, all.undo(ctx, err)
	}
	all.finish()
	return ok(record.Data)
}

// insertVectorStore adds a vector store. The files come first: a store that can be found has all of its files.
func (s *Server) insertVectorStore(
	ctx context.Context, all *insertions, doc vectorStoreDocument, files []newStoreFile,
) (Record, error) {
	now := s.now().Unix()
	doc.ID, doc.Object, doc.CreatedAt = s.newID(prefixVectorStore), "vector_store", now
	doc.use(now)
	d := due{Kind: vectorStoreCollection.Kind, ID: doc.ID}
	m, err := s.startMaking(ctx, d)
	if err != nil {
		return Record{}, err
	}
	defer s.endMaking(ctx, m)
	sh := s.ingest.lock(doc.ID)
	defer s.ingest.unlock(sh)
	for _, f := range files {
		if err := s.store.Insert(ctx, vectorStoreFiles(doc.ID), f.record(doc.ID, now, "")); err != nil {
			return Record{}, err
		}
		if err := s.use(ctx, all, storeUser(doc.ID), []string{f.id}); err != nil {
			return Record{}, err
		}
		doc.FileCounts.add(statusInProgress, 1)
	}
	doc.Status = doc.FileCounts.status()
	record := Record{ID: doc.ID, CreatedAt: now, Data: encode(doc)}
	if err := s.store.Insert(ctx, vectorStoreCollection, record); err != nil {
		return Record{}, err
	}
	all.done = append(all.done, func(ctx context.Context) error { return s.takeBack(ctx, d) })
	all.then = append(all.then, func() { s.ingest.add(doc.ID, idsOf(files)...) })
	return record, nil
}

// vectorStore returns a vector store for a request that names it.
func (s *Server) vectorStore(ctx context.Context, id string) (Record, error) {
	record, err := s.liveStore(ctx, id)
	return record, missing(err, "vector store", id)
}

// ofVectorStore returns what belongs to a vector store, for a request that names both. kind is the API's word for it.
func (s *Server) ofVectorStore(ctx context.Context, storeID string, in Collection, kind, id string) (Record, error) {
	if _, err := s.vectorStore(ctx, storeID); err != nil {
		return Record{}, err
	}
	record, err := s.store.Get(ctx, in, id)
	return record, missing(err, kind, id)
}

// liveStore returns a vector store as it is shown, or ErrNotFound. It is looked after from then on, if it was not
// before.
func (s *Server) liveStore(ctx context.Context, id string) (Record, error) {
	if err := s.meet(ctx, id); err != nil {
		return Record{}, err
	}
	record, err := s.store.Get(ctx, vectorStoreCollection, id)
	return s.shownStore(record), err
}

// shownStore is a vector store as it is answered: one whose time is over has expired.
func (s *Server) shownStore(r Record) Record {
	if doc, err := decode[vectorStoreDocument](r.Data); err == nil && doc.expired(s.now().Unix()) {
		doc.Status = statusExpired
		r.Data = encode(doc)
	}
	return r
}

// storeExpired tells whether a vector store, as it is shown, has expired.
func storeExpired(r Record) bool {
	return statusOf(r) == statusExpired
}

// changeStore changes a vector store, which counts as its use. One that has expired cannot be changed any more, which
// is inferred.
func (s *Server) changeStore(ctx context.Context, id string, change func(*vectorStoreDocument)) (Record, error) {
	now := s.now().Unix()
	return s.store.Update(ctx, vectorStoreCollection, id, func(r Record) (Record, error) {
		doc, err := decode[vectorStoreDocument](r.Data)
		if err != nil {
			return r, err
		}
		if doc.expired(now) {
			return r, errStoreExpired(id)
		}
		change(&doc)
		doc.use(now)
		r.Data = encode(doc)
		return r, nil
	})
}

// touchStore writes down that a vector store is used.
func (s *Server) touchStore(ctx context.Context, id string) error {
	_, err := s.changeStore(ctx, id, func(*vectorStoreDocument) {})
	return err
}

// retrieveVectorStore is GET /vector_stores/{vector_store_id}.
func (s *Server) retrieveVectorStore(ctx context.Context, c *call) (reply, error) {
	record, err := s.vectorStore(ctx, c.ids[0])
	if err != nil {
		return reply{}, err
	}
	return ok(record.Data)
}

// modifyVectorStore is POST /vector_stores/{vector_store_id}.
func (s *Server) modifyVectorStore(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, modifyStoreRule)
	if err != nil {
		return reply{}, err
	}
	expiry, err := decode[*storeExpiry](given.get("expires_after"))
	if err != nil {
		return reply{}, err
	}
	id := c.ids[0]
	if _, err := s.vectorStore(ctx, id); err != nil {
		return reply{}, err
	}
	record, err := s.changeStore(ctx, id, func(doc *vectorStoreDocument) {
		for _, m := range given {
			switch m.key {
			case "name":
				doc.Name = m.value
			case "expires_after":
				doc.ExpiresAfter = expiry
			case "metadata":
				doc.Metadata = m.value
			}
		}
	})
	if err != nil {
		return reply{}, missing(err, "vector store", id)
	}
	return ok(record.Data)
}

// deleteVectorStore is DELETE /vector_stores/{vector_store_id}. Its files leave it and stay files; tool resources
// that name it stay as they are.
func (s *Server) deleteVectorStore(ctx context.Context, c *call) (reply, error) {
	id := c.ids[0]
	if err := s.remove(ctx, due{Kind: vectorStoreCollection.Kind, ID: id}, s.storedVectorStore); err != nil {
		return reply{}, missing(err, "vector store", id)
	}
	return ok(deleted(id, "vector_store.deleted"))
}

func (s *Server) storedVectorStore(ctx context.Context, id string) (Record, error) {
	return s.store.Get(ctx, vectorStoreCollection, id)
}

// settleVectorStore removes what belongs to a vector store that is not there.
func (s *Server) settleVectorStore(ctx context.Context, id string) error {
	sh := s.ingest.lock(id)
	defer s.ingest.unlock(sh)
	if _, err := s.storedVectorStore(ctx, id); !errors.Is(err, ErrNotFound) {
		return err
	}
	s.ingest.forget(sh)
	for r, err := range s.records(ctx, vectorStoreFiles(id), Descending) {
		if err == nil {
			err = s.unuse(ctx, storeUser(id), []string{r.ID})
		}
		if err != nil {
			return err
		}
	}
	for r, err := range s.records(ctx, fileBatches(id), Descending) {
		if err == nil {
			err = s.store.Drop(ctx, batchFiles(r.ID))
		}
		if err != nil {
			return err
		}
	}
	for _, c := range []Collection{fileBatches(id), vectorStoreFiles(id), notes(id)} {
		if err := s.store.Drop(ctx, c); err != nil {
			return err
		}
	}
	return s.retriever.Drop(ctx, id)
}

// listVectorStores is GET /vector_stores.
func (s *Server) listVectorStores(ctx context.Context, c *call) (reply, error) {
	q, err := listQuery(c)
	if err != nil {
		return reply{}, err
	}
	return s.list(ctx, q, vectorStoreCollection, listed{kind: "vector store", show: s.shownStore})
}

// checkStores returns the error for a vector store that tool resources name and that is not there.
func (s *Server) checkStores(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if _, err := s.store.Get(ctx, vectorStoreCollection, id); err != nil {
			return missing(err, "vector store", id)
		}
	}
	return nil
}

// storesOf returns the vector stores that an assistant or a thread names, by its document.
func storesOf(document json.RawMessage) []string {
	return storesIn(splitObject(document).get("tool_resources"))
}

// storesIn returns the vector stores that tool resources name.
func storesIn(resources json.RawMessage) []string {
	var ids []string
	for _, id := range itemsOf(membersOf(membersOf(resources).get(toolSearch)).get("vector_store_ids")) {
		ids = append(ids, decodeString(id))
	}
	return ids
}
