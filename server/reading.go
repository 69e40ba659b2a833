package server

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
)

// This file reads the files of vector stores, and is the only place where the status of one changes that is in
// progress.

// Limits of what is read of a file, and of its text: no token has more than spaceBytes.
const (
	maxReadBytes  = 128 << 20
	maxFileTokens = 5_000_000
	maxTextBytes  = maxFileTokens * spaceBytes
)

// Errors of files. Their texts are inferred.
var (
	errUnsupported = &FileError{"unsupported_file", "The file type is not supported."}
	errNoText      = &FileError{"invalid_file", "The file could not be parsed because it is empty."}
	errTooMuchText = &FileError{"invalid_file", fmt.Sprintf("The file has more than %d tokens.", maxFileTokens)}
	errTooLarge    = &FileError{"invalid_file", fmt.Sprintf("The file has more than %d bytes.", maxReadBytes)}
)

// outcome is what becomes of a file that was in progress.
type outcome struct {
	fileID  string
	status  string
	usage   int64
	failure *failureDetails
	batch   string // that alone gives the file up; "": it is so for all who wait for it
}

// of returns a file with its outcome, the batches that are told, and whether it has ended with that. It is inferred
// that a file which one batch gives up stays in progress as long as others want it.
func (o outcome) of(r Record) (changed Record, told []string, ended bool, err error) {
	doc, err := decode[storeFileDocument](r.Data)
	if err != nil {
		return r, nil, false, err
	}
	state, err := decode[storeFileState](r.State)
	if err != nil {
		return r, nil, false, err
	}
	if doc.Status != statusInProgress || o.batch != "" && !slices.Contains(state.Batches, o.batch) {
		return r, nil, false, errSettled
	}
	if o.batch != "" && len(state.Batches)+state.Alone > 1 {
		state.Batches = except(state.Batches, []string{o.batch})
		r.State = encode(state)
		return r, []string{o.batch}, false, nil
	}
	doc.Status, doc.UsageBytes, doc.LastError = o.status, o.usage, o.failure
	r.Data, r.State = encode(doc), nil
	return r, state.Batches, true, nil
}

// errSettled says that a file is not in progress any more.
var errSettled = errors.New("the file is not in progress")

// conclude gives files their outcomes that are in progress in a store, and returns those that have ended with that:
// no others change. The caller has the store's lock.
func (s *Server) conclude(ctx context.Context, sh *shelf, outcomes ...outcome) (ended []string, err error) {
	var t tally
	for _, o := range outcomes {
		var told []string
		ends := false
		_, err = s.store.Update(ctx, vectorStoreFiles(sh.id), o.fileID, func(r Record) (changed Record, err error) {
			changed, told, ends, err = o.of(r)
			return changed, err
		})
		if errors.Is(err, ErrNotFound) || errors.Is(err, errSettled) {
			err = nil
			continue
		}
		if err != nil {
			break
		}
		if ends {
			ended = append(ended, o.fileID)
			t.move(statusInProgress, o.status, o.usage)
		}
		t.tell(told, o.fileID, o.status)
	}
	if err = errors.Join(err, s.count(ctx, sh, t, 1)); err != nil {
		s.ingest.doubt(sh)
	}
	return ended, err
}

// ingestFile does a job.
func (s *Server) ingestFile(j *job) {
	err := errors.New("the extractor or the retriever ended its goroutine") // unless they return
	var usage int64
	defer func() {
		if err := s.endReading(j, usage, err); err != nil {
			s.ingest.report(j.shelf.id, j.fileID, err)
		}
	}()
	usage, err = s.indexFile(j.ctx, j.shelf.id, j.fileID)
}

// endReading writes down what has become of a file. What was cancelled while it was read is taken out of the index
// again; what was interrupted because the server is closed stays in progress.
func (s *Server) endReading(j *job, usage int64, cause error) error {
	ctx, storeID := context.Background(), j.shelf.id
	sh := s.ingest.lock(storeID)
	defer s.ingest.unlock(sh)
	defer s.ingest.returned(j) // while nobody else can add the file anew
	if cause == nil {
		cause = s.describe(ctx, sh, j.fileID) // as it is now: that may have changed while the file was read
	}
	var ended []string
	var err error
	if !s.ingest.stopped(j) {
		o := outcome{fileID: j.fileID, status: statusCompleted, usage: usage}
		if cause != nil {
			o.status, o.usage, o.failure = statusFailed, 0, s.explainFile(storeID, j.fileID, cause)
		}
		ended, err = s.conclude(ctx, sh, o)
	}
	if len(ended) == 0 || cause != nil {
		err = errors.Join(err, s.retriever.Remove(ctx, storeID, j.fileID))
	}
	return err
}

// describe tells the retriever the attributes that a file of a store has, or to forget a file that has left. The
// caller has the store's lock, or what is told last might not be what is so.
func (s *Server) describe(ctx context.Context, sh *shelf, fileID string) error {
	record, err := s.store.Get(ctx, vectorStoreFiles(sh.id), fileID)
	if errors.Is(err, ErrNotFound) {
		return s.retriever.Remove(ctx, sh.id, fileID)
	}
	if err != nil {
		return err
	}
	doc, err := decode[storeFileDocument](record.Data)
	if err != nil {
		return err
	}
	attributes, err := decode[assistants.Attributes](doc.Attributes)
	if err != nil {
		return err
	}
	return s.retriever.Describe(ctx, sh.id, fileID, attributes)
}

// explainFile returns what the caller is told about an error of a file. The log gets all of it if it is the server's
// fault.
func (s *Server) explainFile(storeID, fileID string, cause error) *failureDetails {
	var known *FileError
	if errors.Is(cause, ErrUnsupportedFile) {
		known = errUnsupported
	} else if !errors.As(cause, &known) || known == nil {
		s.ingest.report(storeID, fileID, cause)
		return &failureDetails{Code: typeServer, Message: "An internal error occurred."}
	}
	switch known.Code {
	case "unsupported_file", "invalid_file":
		return &failureDetails{Code: known.Code, Message: known.Message}
	}
	s.ingest.report(storeID, fileID, cause)
	return &failureDetails{Code: typeServer, Message: known.Message}
}

// indexFile reads a file of a vector store and puts it into the index. It returns how much room the file takes.
func (s *Server) indexFile(ctx context.Context, storeID, id string) (usage int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	leave, err := s.ingest.place(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	record, err := s.store.Get(ctx, vectorStoreFiles(storeID), id)
	if err != nil {
		return 0, err
	}
	doc, err := decode[storeFileDocument](record.Data)
	if err != nil {
		return 0, err
	}
	file := IndexedFile{ID: id}
	if file.Attributes, err = decode[assistants.Attributes](doc.Attributes); err != nil {
		return 0, err
	}
	if file.Name, file.Text, err = s.textOf(ctx, id); err != nil {
		return 0, err
	}
	switch {
	case strings.TrimSpace(file.Text) == "":
		return 0, errNoText
	case len(file.Text) > maxFileTokens && countTokens(ctx, file.Text, maxFileTokens) > maxFileTokens: // none is shorter than a byte
		return 0, errTooMuchText
	}
	size, overlap := chunkSizes(doc.ChunkingStrategy)
	file.Chunks = chunk(ctx, file.Text, size, overlap)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return usageOf(len(file.Text), len(file.Chunks)), s.retriever.Index(ctx, storeID, file)
}

// bytesPerChunk is what a chunk takes besides its text: 256 numbers of four bytes.
const bytesPerChunk = 1024

// usageOf is inferred from recorded sizes: a text of 12 bytes took 1,036, one of 21 took 1,045, and one of 19,836
// took 30,049, which is near.
func usageOf(bytes, chunks int) int64 { return int64(bytes) + int64(chunks)*bytesPerChunk }

// textOf returns the name and the text of a file. The caller has a place to read it.
func (s *Server) textOf(ctx context.Context, fileID string) (name, text string, err error) {
	doc, content, err := s.openFile(ctx, fileID)
	if err != nil {
		return "", "", err
	}
	defer content.Close()
	if doc.Bytes > maxReadBytes {
		return "", "", errTooLarge
	}
	limited := &limitedReader{content, maxReadBytes, errTooLarge} // a blob may be longer than its file is said to be
	text, err = s.extractor.Extract(ctx, doc.Filename, sizedReader{limited, int(doc.Bytes)})
	if err == nil && len(text) > maxTextBytes {
		err = errTooMuchText
	}
	if err != nil {
		return "", "", err
	}
	return doc.Filename, strings.ToValidUTF8(text, "\uFFFD"), nil
}

// refresh has the index know all files of a store that have been read: what an earlier process has indexed may be
// forgotten. It does so once; others wait for that. A file that cannot be read any more is left out, and the log has
// the reason. What went wrong otherwise, as when a retriever could not be reached, is tried again with the next
// search.
func (s *Server) refresh(ctx context.Context, sh *shelf) error {
	select {
	case sh.index <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-sh.index }()
	if sh.indexed {
		return nil
	}
	whole := true
	for r, err := range s.records(ctx, vectorStoreFiles(sh.id), Ascending) {
		if err != nil {
			return err
		}
		if statusOf(r) != statusCompleted {
			continue
		}
		there, err := s.retriever.Has(ctx, sh.id, r.ID)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		if err := s.restore(ctx, sh.id, r.ID); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			whole = whole && isFinal(err)
			s.ingest.report(sh.id, r.ID, err)
		}
	}
	sh.indexed = whole
	return nil
}

// restore puts a file into the index that has been there before.
func (s *Server) restore(ctx context.Context, storeID, fileID string) error {
	if _, err := s.indexFile(ctx, storeID, fileID); err != nil {
		return err
	}
	sh := s.ingest.lock(storeID)
	defer s.ingest.unlock(sh)
	return s.describe(context.WithoutCancel(ctx), sh, fileID) // as it is now, or it has left while it was read
}

// isFinal tells whether a file that could not be read never will be.
func isFinal(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrUnsupportedFile) || errors.As(err, new(*FileError))
}

// awaitFiles waits until none of a vector store's files is in progress, for so long.
func (s *Server) awaitFiles(ctx context.Context, storeID string, limit time.Duration) {
	if err := s.meet(ctx, storeID); err != nil {
		return // there is nothing to be waited for
	}
	patience := time.NewTimer(limit)
	defer patience.Stop()
	select {
	case <-s.ingest.idle(storeID):
	case <-patience.C:
	case <-ctx.Done():
	}
}
