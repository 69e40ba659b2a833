package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A reading room keeps files of vector stores from being read until an exchange shows that they have been: what a caller
// saw of them depends on when he looked.
type readingRoom struct {
	server.Extractor

	mu      sync.Mutex
	open    map[string]bool // the names of files that may be read
	changed chan struct{}   // closed when something has
}

func newReadingRoom() *readingRoom {
	return &readingRoom{Extractor: server.TextExtractor(), open: make(map[string]bool), changed: make(chan struct{})}
}

// Extract waits until the file may be read.
func (r *readingRoom) Extract(ctx context.Context, name string, content io.Reader) (string, error) {
	for {
		r.mu.Lock()
		open, changed := r.open[name], r.changed
		r.mu.Unlock()
		if open {
			return r.Extractor.Extract(ctx, name, content)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// change lets files be read, or tells that one has been.
func (r *readingRoom) change(names ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		r.open[name] = true
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// await waits until something is so, which is looked at whenever something changes.
func (r *readingRoom) await(so func() (bool, error)) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		r.mu.Lock()
		changed := r.changed
		r.mu.Unlock()
		if is, err := so(); is || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-late.C:
			return errors.New("the server did not read the files")
		}
	}
}

// read has the files read that an exchange shows as read, and all of them before a run that may search them. Files are
// read in the order in which they came, so those before them are read as well.
func (s *stage) read(op *Operation, e *recording.Exchange) error {
	if e.Status != http.StatusOK {
		return nil
	}
	if op.startsRun() {
		return s.readAll()
	}
	for _, object := range objectsIn(e) {
		var shown struct {
			ID, Object, Status string
			VectorStoreID      string                 `json:"vector_store_id"`
			FileCounts         *assistants.FileCounts `json:"file_counts"`
		}
		if json.Unmarshal(object, &shown) != nil || shown.FileCounts != nil && shown.FileCounts.InProgress > 0 {
			continue
		}
		err := error(nil)
		switch {
		case shown.Object == "vector_store":
			err = s.readFiles(shown.ID, "")
		case shown.Object == "vector_store.file_batch":
			err = s.readFiles(shown.VectorStoreID, "")
		case shown.Object == "vector_store.file" && shown.Status != string(assistants.VectorStoreFileInProgress):
			err = s.readFiles(shown.VectorStoreID, shown.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) readAll() error {
	stores, err := s.all(server.Collection{Kind: storeForm.kind})
	for _, store := range stores {
		err = errors.Join(err, s.readFiles(store.ID, ""))
	}
	return err
}

// readFiles has the files of a vector store read, up to the last of them or up to one.
func (s *stage) readFiles(storeID, last string) error {
	files, err := s.all(server.Collection{Kind: storeFileForm.kind, Parent: storeID})
	if err != nil {
		return err
	}
	var names []string
	for i, f := range files {
		record, err := s.store.Get(context.Background(), server.Collection{Kind: fileForm.kind}, f.ID)
		if err != nil && !errors.Is(err, server.ErrNotFound) {
			return err
		}
		var file assistants.File
		if err == nil && json.Unmarshal(record.Data, &file) == nil {
			names = append(names, file.Filename)
		}
		if f.ID == last {
			files = files[:i+1]
			break
		}
	}
	s.reading.change(names...)
	return s.reading.await(func() (bool, error) { return s.haveBeenRead(storeID, len(files)) })
}

// haveBeenRead reports whether so many files of a vector store have been read, and their store and batches know it.
func (s *stage) haveBeenRead(storeID string, count int) (bool, error) {
	files, err := s.all(server.Collection{Kind: storeFileForm.kind, Parent: storeID})
	if err != nil {
		return false, err
	}
	open := 0
	for i, f := range files {
		if working(f.Data) {
			if i < count {
				return false, nil
			}
			open++
		}
	}
	if open > 0 || len(files) == 0 {
		return true, nil
	}
	batches, err := s.all(server.Collection{Kind: batchForm.kind, Parent: storeID})
	if err != nil {
		return false, err
	}
	store, err := s.store.Get(context.Background(), server.Collection{Kind: storeForm.kind}, storeID)
	if err != nil {
		return false, err
	}
	for _, r := range append(batches, store) {
		if working(r.Data) {
			return false, nil
		}
	}
	return true, nil
}

// working reports whether a file, a vector store or a batch is in progress.
func working(document []byte) bool {
	var shown struct{ Status string }
	return json.Unmarshal(document, &shown) == nil && shown.Status == string(assistants.VectorStoreFileInProgress)
}

// all are the records of a collection, oldest first.
func (s *stage) all(in server.Collection) ([]server.Record, error) {
	const most = 1000
	page, err := s.store.List(context.Background(), in, server.Query{Limit: most, Order: server.Ascending})
	if err == nil && len(page.Records) == most {
		err = fmt.Errorf("there are too many of the kind %s", in.Kind)
	}
	return page.Records, err
}
