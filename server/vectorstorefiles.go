package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
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
	Alone   int      `json:"alone,omitempty"`   // how many requests have added it without a batch since it is in progress
}

// newStoreFile is a file to be added to a vector store.
type newStoreFile struct {
	id         string
	chunking   json.RawMessage // as it is answered
	attributes json.RawMessage // nil: none were given
}

// newStoreFiles returns files to be added, each once, that have a strategy and attributes in common.
func newStoreFiles(ids []string, chunking, attributes json.RawMessage) []newStoreFile {
	var files []newStoreFile
	known := make(map[string]bool)
	for _, id := range ids {
		if !known[id] {
			known[id] = true
			files = append(files, newStoreFile{id, answeredChunking(chunking), unlessNull(attributes)})
		}
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
	return Record{ID: f.id, CreatedAt: created, Data: encode(doc), State: encode(storeFileState{}.wantedBy(batch))}
}

// wantedBy is for a file in progress that is added for one more batch, or by itself if that is "". It always makes a
// difference, so that nobody takes a file back that others have added meanwhile.
func (s storeFileState) wantedBy(batch string) storeFileState {
	if batch == "" {
		s.Alone++
	} else {
		s.Batches = append(slices.Clip(s.Batches), batch)
	}
	return s
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

// batchID is "" without a batch.
func (a addition) batchID() string {
	if a.batch == nil {
		return ""
	}
	return a.batch.ID
}

// addFiles adds files to a vector store and returns them as they are then, or ErrNotFound if there is no such store.
// Nobody works on them for this request until it has finished. If it fails after that, it takes back what nobody else
// has added meanwhile.
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
	old, err := s.roomFor(ctx, storeID, files, add)
	if err != nil {
		return nil, err
	}
	mine := &insertions{store: s.store}
	records, err := s.putFiles(ctx, mine, sh, files, old, add)
	if err != nil {
		return nil, mine.undo(ctx, err)
	}
	var open []string
	for _, r := range records {
		if inProgress(r.Data) {
			open = append(open, r.ID)
		}
	}
	all.then = append(append(all.then, mine.then...), func() { s.ingest.add(storeID, open...) })
	all.done = append(all.done, func(ctx context.Context) error {
		sh := s.ingest.lock(storeID)
		defer s.ingest.unlock(sh)
		defer s.ingest.doubt(sh) // for another request may have gone on from here
		return mine.undo(ctx, nil)
	})
	return records, nil
}

// putFiles is the part of addFiles that is taken back if it fails, with the store's lock as well.
func (s *Server) putFiles(
	ctx context.Context, mine *insertions, sh *shelf, files []newStoreFile, old []*Record, add addition,
) ([]Record, error) {
	mine.done = append(mine.done, func(ctx context.Context) error { return s.unuseAbsent(ctx, sh.id, files) })
	err := s.use(ctx, &insertions{store: s.store}, storeUser(sh.id), idsOf(files))
	if err != nil {
		return nil, err
	}
	var t tally
	records := make([]Record, len(files))
	for i, f := range files {
		if records[i], err = s.putFile(ctx, mine, sh.id, f, old[i], add.batchID(), &t); err != nil {
			return nil, err
		}
	}
	if add.batch != nil {
		if err := s.insertBatch(ctx, mine, add.batch, records); err != nil {
			return nil, err
		}
	}
	if err := s.count(ctx, sh, t, 1); err != nil {
		return nil, err
	}
	mine.done = append(mine.done, func(ctx context.Context) error { return s.count(ctx, sh, t, -1) })
	return records, nil
}

// unuseAbsent writes down that a vector store does not use those files that it does not have.
func (s *Server) unuseAbsent(ctx context.Context, storeID string, files []newStoreFile) error {
	for _, f := range files {
		_, err := s.store.Get(ctx, vectorStoreFiles(storeID), f.id)
		if errors.Is(err, ErrNotFound) {
			err = s.unuse(ctx, storeUser(storeID), []string{f.id})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// roomFor returns what a vector store has of files that are to be added to it, nil for new ones, or an error if these
// are too many, or if too many batches wait for one of them.
func (s *Server) roomFor(ctx context.Context, storeID string, files []newStoreFile, add addition) ([]*Record, error) {
	old, added := make([]*Record, len(files)), 0
	for i, f := range files {
		record, err := s.store.Get(ctx, vectorStoreFiles(storeID), f.id)
		if errors.Is(err, ErrNotFound) {
			added++
			continue
		}
		if err != nil {
			return nil, err
		}
		state, err := decode[storeFileState](record.State)
		if err != nil {
			return nil, err
		}
		if add.batch != nil && len(state.Batches) >= maxWaitingBatches {
			return nil, errBusyFile(f.id)
		}
		old[i] = &record
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
	case add.full != nil:
		return old, add.full(total)
	case total > maxStoreFiles:
		return nil, errStoreFull(storeID)
	}
	return old, nil
}

// putFile is inferred as far as a file is concerned that the store has already: one that has failed or was cancelled
// is read anew, with what was said this time; any other stays as it is, but for attributes that are given.
func (s *Server) putFile(
	ctx context.Context, mine *insertions, storeID string, f newStoreFile, old *Record, batch string, t *tally,
) (Record, error) {
	if old == nil {
		record := f.record(storeID, s.now().Unix(), batch)
		t.move("", statusInProgress, 0)
		return record, s.insertStoreFile(ctx, mine, storeID, record)
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
		record := f.record(storeID, doc.CreatedAt, batch)
		t.move(doc.Status, statusInProgress, 0)
		return mine.rewrite(ctx, vectorStoreFiles(storeID), *old, record)
	case statusInProgress:
		state = state.wantedBy(batch)
	}
	if f.attributes != nil {
		doc.Attributes = f.attributes
		mine.then = append(mine.then, func() {
			sh := s.ingest.lock(storeID)
			defer s.ingest.unlock(sh)
			if err := s.describe(context.WithoutCancel(ctx), sh, f.id); err != nil {
				s.ingest.report(storeID, f.id, err)
			}
		})
	}
	return mine.rewrite(ctx, vectorStoreFiles(storeID), *old, Record{Data: encode(doc), State: encode(state)})
}

// insertStoreFile adds the record of a file. It is taken back unless others have added the file as well by then.
func (s *Server) insertStoreFile(ctx context.Context, mine *insertions, storeID string, r Record) error {
	if err := s.store.Insert(ctx, vectorStoreFiles(storeID), r); err != nil {
		return err
	}
	mine.done = append(mine.done, func(ctx context.Context) error {
		now, err := s.store.Get(ctx, vectorStoreFiles(storeID), r.ID)
		if err != nil || !bytes.Equal(now.Data, r.Data) || !bytes.Equal(now.State, r.State) {
			return err
		}
		return s.store.Delete(ctx, vectorStoreFiles(storeID), r.ID)
	})
	return nil
}

// modifyStoreFile is POST /vector_stores/{vector_store_id}/files/{file_id}: attributes alone can be changed.
func (s *Server) modifyStoreFile(ctx context.Context, c *call) (reply, error) {
	fields, err := s.parse(c, modifyStoreFileRule)
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
	if err := s.describe(context.WithoutCancel(ctx), sh, id); err != nil {
		return reply{}, err
	}
	return ok(record.Data)
}

// storeFile returns a file of a vector store, for a request that names both.
func (s *Server) storeFile(ctx context.Context, storeID, id string) (Record, error) {
	return s.ofVectorStore(ctx, storeID, vectorStoreFiles(storeID), "file", id)
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
	return unlessGone(s.removeStoreFile(ctx, storeID, fileID))
}

// removeStoreFile takes a file out of a vector store, or returns ErrNotFound. Work on it ends. That it has been
// cancelled for batches that wait for it is inferred: what a batch was asked to do stays its total.
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
	s.ingest.texts.drop(storeID, id)
	var t tally
	t.move(doc.Status, "", -doc.UsageBytes)
	t.tell(state.Batches, id, statusCancelled)
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
