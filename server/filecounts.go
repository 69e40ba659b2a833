package server

import (
	"context"
	"errors"
)

// fileCounts are the files of a vector store, or of a batch, by their status.
type fileCounts struct {
	InProgress int `json:"in_progress"`
	Completed  int `json:"completed"`
	Failed     int `json:"failed"`
	Cancelled  int `json:"cancelled"`
	Total      int `json:"total"`
}

// add counts n more files of a status; "" is that of files which are not there.
func (c *fileCounts) add(status string, n int) {
	switch status {
	case statusInProgress:
		c.InProgress += n
	case statusCompleted:
		c.Completed += n
	case statusFailed:
		c.Failed += n
	case statusCancelled:
		c.Cancelled += n
	default:
		return
	}
	c.Total += n
}

func (c *fileCounts) plus(more fileCounts, sign int) {
	c.InProgress += sign * more.InProgress
	c.Completed += sign * more.Completed
	c.Failed += sign * more.Failed
	c.Cancelled += sign * more.Cancelled
	c.Total += sign * more.Total
}

// status is that of a store or a batch with these files. Failed ones do not make it fail.
func (c *fileCounts) status() string {
	if c.InProgress > 0 {
		return statusInProgress
	}
	return statusCompleted
}

// tally is what changes of files mean for the counts of their vector store, and of the batches that wait for them.
type tally struct {
	counts  fileCounts                   // differences
	usage   int64                        // of bytes
	batches map[string]map[string]string // what each has waited for: the status by file
}

// move counts a file that goes from one status to another, "" being that of files which are not there.
func (t *tally) move(from, to string, usage int64) {
	t.counts.add(from, -1)
	t.counts.add(to, 1)
	t.usage += usage
}

// tell has batches know what has become of a file that they have waited for.
func (t *tally) tell(batches []string, fileID, status string) {
	for _, id := range batches {
		if t.batches == nil {
			t.batches = make(map[string]map[string]string)
		}
		if t.batches[id] == nil {
			t.batches[id] = make(map[string]string)
		}
		t.batches[id][fileID] = status
	}
}

// count writes a tally down, or with sign -1 takes one back that tells nobody anything. If that fails, the store is
// counted anew when somebody looks at it next. The caller has the store's lock.
func (s *Server) count(ctx context.Context, sh *shelf, t tally, sign int) error {
	if t.counts == (fileCounts{}) && t.usage == 0 && t.batches == nil {
		return nil
	}
	_, err := s.store.Update(ctx, vectorStoreCollection, sh.id, func(r Record) (Record, error) {
		doc, err := decode[vectorStoreDocument](r.Data)
		if err != nil {
			return r, err
		}
		doc.FileCounts.plus(t.counts, sign)
		doc.UsageBytes += int64(sign) * t.usage
		doc.Status = doc.FileCounts.status()
		r.Data = encode(doc)
		return r, nil
	})
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	for id, ended := range t.batches {
		if err == nil {
			err = s.endInBatch(ctx, sh.id, id, ended)
		}
	}
	if err != nil {
		s.ingest.doubt(sh)
	}
	return err
}

// meet has a vector store looked after by this process, unless it is: its files are counted, and those in progress
// are read that an earlier process has left so, or that a failure of the store has left without a job. It returns
// ErrNotFound if there is no such store. Whoever looks at a store, or adds to it, meets it first.
func (s *Server) meet(ctx context.Context, storeID string) error {
	if s.ingest.knows(storeID) {
		return nil
	}
	if _, err := s.store.Get(ctx, vectorStoreCollection, storeID); err != nil {
		return err
	}
	sh := s.ingest.lock(storeID)
	defer s.ingest.unlock(sh)
	return s.recount(ctx, sh)
}

// recount is meet for a caller who has the store's lock.
func (s *Server) recount(ctx context.Context, sh *shelf) error {
	if s.ingest.knows(sh.id) {
		return nil
	}
	record, err := s.store.Get(ctx, vectorStoreCollection, sh.id)
	if err != nil {
		return err
	}
	doc, err := decode[vectorStoreDocument](record.Data)
	if err != nil {
		return err
	}
	var t tally
	var open []string
	for r, err := range s.records(ctx, vectorStoreFiles(sh.id), Ascending) {
		if err != nil {
			return err
		}
		file, err := decode[storeFileDocument](r.Data)
		if err != nil {
			return err
		}
		t.move("", file.Status, file.UsageBytes)
		if file.Status == statusInProgress {
			open = append(open, r.ID)
		}
	}
	t.counts.plus(doc.FileCounts, -1)
	t.usage -= doc.UsageBytes
	if err := s.count(ctx, sh, t, 1); err != nil {
		return err
	}
	if err := s.recountBatches(ctx, sh.id); err != nil {
		return err
	}
	s.ingest.know(sh)
	s.ingest.add(sh.id, open...)
	return nil
}
