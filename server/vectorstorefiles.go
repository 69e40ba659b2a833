package server

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/assistants-go/assistants"
)

// Files of vector stores: section 17 of docs/protocol.md.

func vectorStoreFiles(storeID string) Collection {
	return Collection{Kind: "vector_store.file", Parent: storeID}
}

// maxStoreFiles is how many files a vector store may have. It also bounds what
// one request can make the server insert.
const maxStoreFiles = 10_000

// storeFileDocument is a file in a vector store.
type storeFileDocument struct {
	ID               string          `json:"id"`
	Object           string          `json:"object"`
	UsageBytes       int64           `json:"usage_bytes"`
	CreatedAt        int64           `json:"created_at"`
	VectorStoreID    string          `json:"vector_store_id"`
	Status           string          `json:"status"`
	LastError        *failureDetails `json:"last_error"`
	ChunkingStrategy json.RawMessage `json:"chunking_strategy"`
	Attributes       json.RawMessage `json:"attributes"`
}

// storeFileState is what is kept with a file in a vector store.
type storeFileState struct {
	Batches []string `json:"batches,omitempty"` // that wait for it, as long as it is in progress
}

// newStoreFile is a file to be added to a vector store.
type newStoreFile struct {
	id         string
	chunking   json.RawMessage // as it is answered
	attributes json.RawMessage // nil: none were given
}

// newStoreFiles returns files to be added, each once, that have a strategy and attributes in common.
func newStoreFiles(ids, chunking, attributes json.RawMessage) []newStoreFile {
	var files []newStoreFile
	for _, id := range itemsOf(joinIDs(nil, textsOf(ids))) {
		files = append(files, newStoreFile{decodeString(id), answeredChunking(chunking), unlessNull(attributes)})
	}
	return files
}

// unlessNull returns a value, or nil for null.
func unlessNull(value json.RawMessage) json.RawMessage {
	if value != nil && kindOf(value) == kindNull {
		return nil
	}
	return value
}

func textsOf(array json.RawMessage) []string {
	var texts []string
	for _, item := range itemsOf(array) {
		texts = append(texts, decodeString(item))
	}
	return texts
}

func idsOf(files []newStoreFile) []string {
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = f.id
	}
	return ids
}

// record returns a file that is yet to be read, for a batch that waits for it or for none.
func (f newStoreFile) record(storeID string, created int64, batch string) Record {
	doc := storeFileDocument{
		ID: f.id, Object: "vector_store.file", CreatedAt: created, VectorStoreID: storeID, Status: statusInProgress,
		ChunkingStrategy: f.chunking, Attributes: orElse(f.attributes, "{}"),
	}
	r := Record{ID: f.id, CreatedAt: created, Data: encode(doc)}
	if batch != "" {
		r.State = encode(storeFileState{Batches: []string{batch}})
	}
	return r
}

// fileAttributes are a rule of their own beside metadata: values may be numbers and booleans too.
type fileAttributes struct{}

func (fileAttributes) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	labels, err := splitLabels(path, raw)
	if err != nil {
		return nil, err
	}
	for i, m := range labels {
		value, err := scalar{maxMetadataValue}.check(member(path, m.key), m.value)
		if err != nil {
			return nil, err
		}
		labels[i].value = value
	}
	return labels.render(), nil
}

// scalar is a string of at most max code points, a number or a boolean.
type scalar struct{ max int }

func (v scalar) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	switch got := kindOf(raw); got {
	case kindString:
		return text{max: v.max}.check(path, raw)
	case kindBoolean:
		return raw, nil
	case kindInteger, kindDecimal:
		return raw, checkNumber(path, raw)
	default:
		return nil, errScalar(path, string(got))
	}
}

// maxNumberLength is how many characters a number may have that is only passed on. It is inferred.
const maxNumberLength = 64

// checkNumber is inferred: what no float64 can hold, or is written in very many digits, is refused.
func checkNumber(path string, raw json.RawMessage) *apiError {
	if _, err := strconv.ParseFloat(string(raw), 64); err != nil || len(raw) > maxNumberLength {
		return invalid("invalid_value", path, "Invalid '%s': number out of range: %s.", echo(path), shortNumber(string(raw)))
	}
	return nil
}

// errScalar is inferred: the text for a value that may be of several types.
func errScalar(path, got string) *apiError {
	return errType(path, "one of a string, a number, or a boolean", got)
}

var addFileRule = closed{properties: []property{
	{key: "file_id", rule: text{min: 1}, required: true},
	{key: "attributes", rule: nullable{fileAttributes{}, "null"}},
	{key: "chunking_strategy", rule: nullable{chunkingStrategies, autoChunking}},
}}

var modifyStoreFileRule = closed{properties: []property{
	{key: "attributes", rule: nullable{fileAttributes{}, "{}"}, required: true},
}}

// addStoreFile is POST /vector_stores/{vector_store_id}/files.
func (s *Server) addStoreFile(ctx context.Context, c *call) (reply, error) {
	fields, err := s.parse(c, addFileRule)
	if err != nil {
		return reply{}, err
	}
	id := c.ids[0]
	all := &insertions{store: s.store}
	records, err := s.addFiles(ctx, all, id, []newStoreFile{storeFileOf(fields)}, addition{})
	if err != nil {
		return reply{}, all.undo(ctx, missing(err, "vector store", id))
	}
	all.finish()
	return ok(records[0].Data)
}

func storeFileOf(fields object) newStoreFile {
	return newStoreFile{
		decodeString(fields.get("file_id")), answeredChunking(fields.get("chunking_strategy")), unlessNull(fields.get("attributes")),
	}
}

// addition is what else there is to know of files that are added to a vector store.
type addition struct {
	batch *fileBatchDocument    // that they are in; nil: none
	full  func(files int) error // refuses a store of so many files; nil: as requests about the store are refused
}

// addFiles adds files to a vector store and returns them as they are then, or ErrNotFound if there is no such store. Requests
// that are not done cannot get into each other's way: until finish nobody works on the files.
func (s *Server) addFiles(
	ctx context.Context, all *insertions, storeID string, files []newStoreFile, add addition,
) ([]Record, error) {
	if err := s.meet(ctx, storeID); err != nil { // an id that is made up takes no lock
		return nil, err
	}
	sh := s.ingest.lock(storeID)
	defer s.ingest.unlock(sh)
	if err := s.recount(ctx, sh); err != nil {
		return nil, err
	}
	if err := s.touchStore(ctx, storeID); err != nil {
		return nil, err
	}
	old, err := s.roomFor(ctx, storeID, files, add.full)
	if err != nil {
		return nil, err
	}
	if err := s.use(ctx, all, storeUser(storeID), idsOf(files)); err != nil {
		return nil, err
	}
	var t tally
	var open []string
	records := make([]Record, len(files))
	for i, f := range files {
		if records[i], err = s.addFile(ctx, all, storeID, f, old[i], add.batch, &t); err != nil {
			return nil, err
		}
		if inProgress(records[i].Data) {
			open = append(open, f.id)
		}
	}
	if add.batch != nil {
		if err := s.insertBatch(ctx, all, add.batch, records); err != nil {
			return nil, err
		}
	}
	all.then = append(all.then, func() { s.ingest.add(storeID, open...) })
	if t.counts == (fileCounts{}) {
		return records, nil
	}
	if err := s.count(ctx, sh, t, 1); err != nil {
		return nil, err
	}
	all.done = append(all.done, func(ctx context.Context) error {
		sh := s.ingest.lock(storeID)
		defer s.ingest.unlock(sh)
		defer s.ingest.doubt(sh) // for another request may have gone on from here
		return s.count(ctx, sh, t, -1)
	})
	return records, nil
}

// roomFor returns what a vector store has of files that are to be added to it, nil for new ones, or an error if these are too
// many.
func (s *Server) roomFor(
	ctx context.Context, storeID string, files []newStoreFile, full func(int) error,
) ([]*Record, error) {
	old, added := make([]*Record, len(files)), 0
	for i, f := range files {
		record, err := s.store.Get(ctx, vectorStoreFiles(storeID), f.id)
		switch {
		case err == nil:
			old[i] = &record
		case errors.Is(err, ErrNotFound):
			added++
		default:
			return nil, err
		}
	}
	record, err := s.store.Get(ctx, vectorStoreCollection, storeID)
	if err != nil {
		return nil, err
	}
	doc, err := decode[vectorStoreDocument](record.Data)
	if err != nil {
		return nil, err
	}
	total := doc.FileCounts.Total + added
	switch {
	case added == 0:
		return old, nil
	case full != nil:
		return old, full(total)
	case total > maxStoreFiles:
		return nil, errStoreFull(storeID)
	}
	return old, nil
}

// addFile is inferred as far as a file is concerned that the store has already: one that has failed or was cancelled is read
// anew, with what was said this time; any other stays as it is, but for attributes that are given.
func (s *Server) addFile(
	ctx context.Context, all *insertions, storeID string, f newStoreFile, old *Record, batch *fileBatchDocument, t *tally,
) (Record, error) {
	batchID := ""
	if batch != nil {
		batchID = batch.ID
	}
	if old == nil {
		record := f.record(storeID, s.now().Unix(), batchID)
		t.move("", statusInProgress, 0, nil)
		return record, all.insert(ctx, vectorStoreFiles(storeID), record)
	}
	doc, err := decode[storeFileDocument](old.Data)
	if err != nil {
		return *old, err
	}
	state, err := decode[storeFileState](old.State)
	if err != nil {
		return *old, err
	}
	switch doc.Status {
	case statusFailed, statusCancelled:
		record := f.record(storeID, doc.CreatedAt, batchID)
		t.move(doc.Status, statusInProgress, 0, nil)
		return all.rewrite(ctx, vectorStoreFiles(storeID), *old, record)
	case statusInProgress:
		if batchID != "" {
			state.Batches = append(slices.Clip(state.Batches), batchID)
		}
	}
	if len(state.Batches) > maxWaitingBatches {
		return *old, errBusyFile(f.id)
	}
	if f.attributes != nil {
		doc.Attributes = f.attributes
	}
	changed, err := all.rewrite(ctx, vectorStoreFiles(storeID), *old, Record{Data: encode(doc), State: encode(state)})
	if err != nil || f.attributes == nil {
		return changed, err
	}
	attributes, err := decode[assistants.Attributes](doc.Attributes)
	if err != nil {
		return changed, err
	}
	all.then = append(all.then, func() {
		if err := s.retriever.Describe(context.WithoutCancel(ctx), storeID, f.id, attributes); err != nil {
			s.ingest.report(storeID, f.id, err)
		}
	})
	return changed, nil
}

// modifyStoreFile is POST /vector_stores/{vector_store_id}/files/{file_id}: attributes alone can be changed.
func (s *Server) modifyStoreFile(ctx context.Context, c *call) (reply, error) {
	fields, err := s.parse(c, modifyStoreFileRule)
	if err != nil {
		return reply{}, err
	}
	attributes, err := decode[assistants.Attributes](fields.get("attributes"))
	if err != nil {
		return reply{}, err
	}
	storeID, id := c.ids[0], c.ids[1]
	if _, err := s.vectorStore(ctx, storeID); err != nil {
		return reply{}, err
	}
	sh := s.ingest.lock(storeID)
	defer s.ingest.unlock(sh)
	if err := s.touchStore(ctx, storeID); err != nil {
		return reply{}, missing(err, "vector store", storeID)
	}
	record, err := s.store.Update(ctx, vectorStoreFiles(storeID), id, func(r Record) (Record, error) {
		r.Data = changedDocument(r.Data, fields)
		return r, nil
	})
	if err != nil {
		return reply{}, missing(err, "file", id)
	}
	if err := s.retriever.Describe(ctx, storeID, id, attributes); err != nil {
		return reply{}, err
	}
	return ok(record.Data)
}

// storeFile returns a file of a vector store, for a request that names both.
func (s *Server) storeFile(ctx context.Context, storeID, id string) (Record, error) {
	if _, err := s.vectorStore(ctx, storeID); err != nil {
		return Record{}, err
	}
	record, err := s.store.Get(ctx, vectorStoreFiles(storeID), id)
	return record, missing(err, "file", id)
}

// retrieveStoreFile is GET /vector_stores/{vector_store_id}/files/{file_id}.
func (s *Server) retrieveStoreFile(ctx context.Context, c *call) (reply, error) {
	record, err := s.storeFile(ctx, c.ids[0], c.ids[1])
	if err != nil {
		return reply{}, err
	}
	return ok(record.Data)
}

// deleteStoreFile is DELETE /vector_stores/{vector_store_id}/files/{file_id}. The file stays.
func (s *Server) deleteStoreFile(ctx context.Context, c *call) (reply, error) {
	storeID, id := c.ids[0], c.ids[1]
	if _, err := s.vectorStore(ctx, storeID); err != nil {
		return reply{}, err
	}
	if err := s.removeStoreFile(ctx, storeID, id); err != nil {
		return reply{}, missing(err, "file", id)
	}
	return ok(deleted(id, "vector_store.file.deleted"))
}

// detachFile takes a file out of a vector store, if it is there.
func (s *Server) detachFile(ctx context.Context, storeID, fileID string) error {
	err := s.removeStoreFile(ctx, storeID, fileID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// removeStoreFile takes a file out of a vector store, or returns ErrNotFound. Work on it ends.
func (s *Server) removeStoreFile(ctx context.Context, storeID, id string) error {
	sh := s.ingest.lock(storeID)
	defer s.ingest.unlock(sh)
	record, err := s.store.Get(ctx, vectorStoreFiles(storeID), id)
	if err != nil {
		return err
	}
	doc, err := decode[storeFileDocument](record.Data)
	if err != nil {
		return err
	}
	state, err := decode[storeFileState](record.State)
	if err != nil {
		return err
	}
	if err := s.store.Delete(ctx, vectorStoreFiles(storeID), id); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	s.ingest.cancel(storeID, id)
	var t tally
	t.move(doc.Status, "", -doc.UsageBytes, state.Batches)
	return errors.Join(s.count(ctx, sh, t, 1), s.retriever.Remove(ctx, storeID, id), s.unuse(ctx, storeUser(storeID), []string{id}))
}

// listStoreFiles is GET /vector_stores/{vector_store_id}/files, those of one status if the query says so.
func (s *Server) listStoreFiles(ctx context.Context, c *call) (reply, error) {
	q, err := listQuery(c)
	if err != nil {
		return reply{}, err
	}
	status, err := statusFilter(c)
	if err != nil {
		return reply{}, err
	}
	if _, err := s.vectorStore(ctx, c.ids[0]); err != nil {
		return reply{}, err
	}
	files := listed{kind: "file"}
	if status != "" {
		files.keep = func(r Record) bool { return statusOf(r) == status }
	}
	return s.list(ctx, q, vectorStoreFiles(c.ids[0]), files)
}

// statusFilter returns the status that a list of files is limited to, "" for all.
func statusFilter(c *call) (string, error) {
	statuses := []string{statusInProgress, statusCompleted, statusFailed, statusCancelled}
	filter := c.request.URL.Query().Get("filter")
	if filter != "" && !slices.Contains(statuses, filter) {
		return "", errEnum("filter", filter, statuses)
	}
	return filter, nil
}

func statusOf(r Record) string { return decodeString(splitObject(r.Data).get("status")) }
