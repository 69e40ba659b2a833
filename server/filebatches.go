package server

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
)

// Batches of files that are added to a vector store: section 17 of docs/protocol.md.

// fileBatches holds the batches of a vector store.
func fileBatches(storeID string) Collection {
	return Collection{Kind: "vector_store.file_batch", Parent: storeID}
}

// batchFiles holds the ids of a batch's files, and as the State of each what has become of it for the batch: its
// status, nothing while it is in progress. What else there is to know of it is with the store's files.
func batchFiles(batchID string) Collection {
	return Collection{Kind: "vector_store.file_batch.file", Parent: batchID}
}

// Limits of batches. That no more than 64 wait for the same file is inferred.
const (
	maxBatchFiles     = 2000
	maxWaitingBatches = 64
)

// fileBatchDocument is a batch. It tells what has become of the files that it was asked to add, whatever becomes of
// them later.
type fileBatchDocument struct {
	ID            string     `json:"id"`
	Object        string     `json:"object"`
	CreatedAt     int64      `json:"created_at"`
	Status        string     `json:"status"`
	VectorStoreID string     `json:"vector_store_id"`
	FileCounts    fileCounts `json:"file_counts"`
}

var createBatchRule = closed{properties: []property{
	{key: "file_ids", rule: nullable{array{plural: "strings", min: 1, max: maxBatchFiles, item: text{min: 1}}, "null"}},
	{key: "files", rule: nullable{array{plural: "objects", min: 1, max: maxBatchFiles, item: addFileRule}, "null"}},
	{key: "attributes", rule: nullable{fileAttributes{}, "null"}},
	{key: "chunking_strategy", rule: nullable{chunkingStrategies, autoChunking}},
}, final: checkBatchFiles}

// checkBatchFiles is inferred: the texts of other parameters of which there must be one, and may not be two.
func checkBatchFiles(path string, o object) *apiError {
	ids, files := unlessNull(o.get("file_ids")), unlessNull(o.get("files"))
	switch {
	case ids == nil && files == nil:
		return errMissingParameter(member(path, "file_ids"))
	case ids != nil && files != nil:
		return errExclusive(member(path, "file_ids"), "file_ids", "files")
	}
	return nil
}

// createFileBatch is POST /vector_stores/{vector_store_id}/file_batches.
func (s *Server) createFileBatch(ctx context.Context, c *call) (reply, error) {
	fields, err := s.parse(c, createBatchRule)
	if err != nil {
		return reply{}, err
	}
	storeID := c.ids[0]
	doc := &fileBatchDocument{
		ID: s.newID(prefixFileBatch), Object: "vector_store.file_batch", CreatedAt: s.now().Unix(), VectorStoreID: storeID,
	}
	all := &insertions{store: s.store}
	if _, err := s.addFiles(ctx, all, storeID, filesOfBatch(fields), addition{batch: doc}); err != nil {
		return reply{}, all.undo(ctx, missing(err, "vector store", storeID))
	}
	all.finish()
	return ok(encode(doc))
}

// filesOfBatch returns the files of a batch, each once: of what is said twice the first counts.
func filesOfBatch(fields object) []newStoreFile {
	if ids := unlessNull(fields.get("file_ids")); ids != nil {
		return newStoreFiles(textsOf(ids), fields.get("chunking_strategy"), fields.get("attributes"))
	}
	var files []newStoreFile
	known := make(map[string]bool)
	for _, item := range itemsOf(fields.get("files")) {
		f := storeFileOf(splitObject(item))
		if !known[f.id] {
			known[f.id] = true
			files = append(files, f)
		}
	}
	return files
}

// insertBatch writes a batch down whose files are in the store.
func (s *Server) insertBatch(ctx context.Context, all *insertions, doc *fileBatchDocument, files []Record) error {
	if err := all.own(ctx, batchFiles(doc.ID)); err != nil {
		return err
	}
	for _, f := range files {
		file, err := decode[storeFileDocument](f.Data)
		if err != nil {
			return err
		}
		doc.FileCounts.add(file.Status, 1)
		member := Record{ID: f.ID, CreatedAt: doc.CreatedAt}
		if file.Status != statusInProgress {
			member.State = []byte(file.Status)
		}
		if err := all.insert(ctx, batchFiles(doc.ID), member); err != nil {
			return err
		}
	}
	doc.Status = doc.FileCounts.status()
	return all.insert(ctx, fileBatches(doc.VectorStoreID), Record{ID: doc.ID, CreatedAt: doc.CreatedAt, Data: encode(doc)})
}

// changeBatch changes the counts of a batch, if it is there; its status follows. One that was cancelled stays so.
func (s *Server) changeBatch(ctx context.Context, storeID, id string, change func(*fileBatchDocument)) error {
	_, err := s.store.Update(ctx, fileBatches(storeID), id, func(r Record) (Record, error) {
		doc, err := decode[fileBatchDocument](r.Data)
		if err != nil {
			return r, err
		}
		change(&doc)
		if doc.Status != statusCancelled {
			doc.Status = doc.FileCounts.status()
		}
		r.Data = encode(doc)
		return r, nil
	})
	return unlessGone(err)
}

// endInBatch writes down what has become of files that a batch has waited for, if it is there.
func (s *Server) endInBatch(ctx context.Context, storeID, id string, ended map[string]string) error {
	var change fileCounts
	for fileID, status := range ended {
		if err := s.setOutcome(ctx, id, fileID, status); err != nil {
			return err
		}
		change.add(statusInProgress, -1)
		change.add(status, 1)
	}
	return s.changeBatch(ctx, storeID, id, func(doc *fileBatchDocument) { doc.FileCounts.plus(change, 1) })
}

// setOutcome writes down what has become of a file for a batch.
func (s *Server) setOutcome(ctx context.Context, batchID, fileID, status string) error {
	_, err := s.store.Update(ctx, batchFiles(batchID), fileID, func(r Record) (Record, error) {
		r.State = []byte(status)
		return r, nil
	})
	return unlessGone(err)
}

// recountBatches counts the files of batches anew that wait for some. The caller has the store's lock.
func (s *Server) recountBatches(ctx context.Context, storeID string) error {
	for r, err := range s.records(ctx, fileBatches(storeID), Ascending) {
		if err != nil {
			return err
		}
		doc, err := decode[fileBatchDocument](r.Data)
		if err != nil {
			return err
		}
		if doc.FileCounts.InProgress == 0 {
			continue
		}
		var counts fileCounts
		for member, err := range s.records(ctx, batchFiles(r.ID), Ascending) {
			if err != nil {
				return err
			}
			status, err := s.outcomeInBatch(ctx, storeID, r.ID, member)
			if err != nil {
				return err
			}
			counts.add(status, 1)
		}
		if err := s.changeBatch(ctx, storeID, r.ID, func(doc *fileBatchDocument) { doc.FileCounts = counts }); err != nil {
			return err
		}
	}
	return nil
}

// outcomeInBatch returns what has become of a file for a batch, and writes that down if an earlier process has not
// come to it.
func (s *Server) outcomeInBatch(ctx context.Context, storeID, batchID string, member Record) (status string, err error) {
	if len(member.State) > 0 {
		return string(member.State), nil
	}
	file, err := s.store.Get(ctx, vectorStoreFiles(storeID), member.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		status = statusCancelled
	case err != nil:
		return "", err
	default:
		state, err := decode[storeFileState](file.State)
		if err != nil {
			return "", err
		}
		if status = statusOf(file); status == statusInProgress {
			if slices.Contains(state.Batches, batchID) {
				return status, nil
			}
			status = statusCancelled // it is others who want the file
		}
	}
	return status, s.setOutcome(ctx, batchID, member.ID, status)
}

// fileBatch returns a batch, for a request that names it and its store.
func (s *Server) fileBatch(ctx context.Context, storeID, id string) (Record, error) {
	return s.ofVectorStore(ctx, storeID, fileBatches(storeID), "file batch", id)
}

// retrieveFileBatch is GET /vector_stores/{vector_store_id}/file_batches/{batch_id}.
func (s *Server) retrieveFileBatch(ctx context.Context, c *call) (reply, error) {
	record, err := s.fileBatch(ctx, c.ids[0], c.ids[1])
	if err != nil {
		return reply{}, err
	}
	return ok(record.Data)
}

// cancelFileBatch is POST /vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel. Files that have been read
// stay in the store, and those that others want as well are read. A batch that is done is answered as it is.
func (s *Server) cancelFileBatch(ctx context.Context, c *call) (reply, error) {
	if _, err := s.parse(c, closed{}); err != nil {
		return reply{}, err
	}
	storeID, id := c.ids[0], c.ids[1]
	if _, err := s.fileBatch(ctx, storeID, id); err != nil {
		return reply{}, err
	}
	if err := s.cancelFilesOf(ctx, storeID, id); err != nil {
		return reply{}, err
	}
	record, err := s.store.Get(ctx, fileBatches(storeID), id)
	if err != nil {
		return reply{}, missing(err, "file batch", id)
	}
	return ok(record.Data)
}

// cancelFilesOf cancels what is in progress of a batch. The batch itself is first: nobody shall see it completed.
func (s *Server) cancelFilesOf(ctx context.Context, storeID, id string) error {
	sh := s.ingest.lock(storeID)
	defer s.ingest.unlock(sh)
	record, err := s.store.Get(ctx, fileBatches(storeID), id)
	if err != nil {
		return missing(err, "file batch", id)
	}
	batch, err := decode[fileBatchDocument](record.Data)
	if err != nil || batch.FileCounts.InProgress == 0 {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	var outcomes []outcome
	for r, err := range s.records(ctx, batchFiles(id), Ascending) {
		if err != nil {
			return err
		}
		if len(r.State) == 0 {
			outcomes = append(outcomes, outcome{fileID: r.ID, status: statusCancelled, batch: id})
		}
	}
	err = s.changeBatch(ctx, storeID, id, func(doc *fileBatchDocument) { doc.Status = statusCancelled })
	if err != nil {
		return err
	}
	ended, err := s.conclude(ctx, sh, outcomes...)
	s.ingest.cancel(storeID, ended...)
	return err
}

// listBatchFiles is GET /vector_stores/{vector_store_id}/file_batches/{batch_id}/files: those that are still in the
// store, of one status if the query says so.
func (s *Server) listBatchFiles(ctx context.Context, c *call) (reply, error) {
	q, err := listQuery(c)
	if err != nil {
		return reply{}, err
	}
	status, err := statusFilter(c)
	if err != nil {
		return reply{}, err
	}
	storeID, id := c.ids[0], c.ids[1]
	if _, err := s.fileBatch(ctx, storeID, id); err != nil {
		return reply{}, err
	}
	var failure error
	data := make(map[string]json.RawMessage) // of the files that are kept
	answer, err := s.list(ctx, q, batchFiles(id), listed{
		kind: "file",
		keep: func(r Record) bool {
			file, err := s.store.Get(ctx, vectorStoreFiles(storeID), r.ID)
			if err != nil {
				if !errors.Is(err, ErrNotFound) {
					failure = err
				}
				return false
			}
			data[r.ID] = file.Data
			return status == "" || statusOf(file) == status
		},
		show: func(r Record) Record {
			r.Data = data[r.ID]
			return r
		},
	})
	if failure != nil {
		return reply{}, failure
	}
	return answer, err
}
