package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
)

// This file reads the files of vector stores, and is the only place where the status of one changes that is in progress.

// Limits of what is read of a file.
const (
	maxReadBytes  = 512 << 20
	maxFileTokens = 5_000_000
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
}

// errSettled says that a file is not in progress any more.
var errSettled = errors.New("the file is not in progress")

// conclude gives files their outcomes that are in progress in a store, and returns how many of them were: no others change. The
// caller has the store's lock.
func (s *Server) conclude(ctx context.Context, sh *shelf, outcomes ...outcome) (changed int, err error) {
	var t tally
	for _, o := range outcomes {
		var state storeFileState
		_, err = s.store.Update(ctx, vectorStoreFiles(sh.id), o.fileID, func(r Record) (Record, error) {
			doc, err := decode[storeFileDocument](r.Data)
			if err != nil {
				return r, err
			}
			if doc.Status != statusInProgress {
				return r, errSettled
			}
			if state, err = decode[storeFileState](r.State); err != nil {
				return r, err
			}
			doc.Status, doc.UsageBytes, doc.LastError = o.status, o.usage, o.failure
			r.Data, r.State = encode(doc), nil
			return r, nil
		})
		if errors.Is(err, ErrNotFound) || errors.Is(err, errSettled) {
			err = nil
			continue
		}
		if err != nil {
			break
		}
		changed++
		t.move(statusInProgress, o.status, o.usage, state.Batches)
	}
	if changed > 0 {
		err = errors.Join(err, s.count(ctx, sh, t, 1))
	}
	if err != nil {
		s.ingest.doubt(sh)
	}
	return changed, err
}

// ingestFile does a job.
func (s *Server) ingestFile(j *job) {
	err := errors.New("the extractor or the retriever ended its goroutine") // unless they return
	var usage int64
	var attributes json.RawMessage
	defer func() {
		if err := s.endReading(j, usage, attributes, err); err != nil {
			s.ingest.report(j.shelf.id, j.fileID, err)
		}
	}()
	usage, attributes, err = s.indexFile(j.ctx, j.shelf.id, j.fileID)
}

// endReading writes down what has become of a file. What was cancelled while it was read is taken out of the index again; what
// was interrupted because the server is closed stays in progress.
func (s *Server) endReading(j *job, usage int64, attributes json.RawMessage, cause error) error {
	ctx, storeID := context.Background(), j.shelf.id
	sh := s.ingest.lock(storeID)
	defer s.ingest.unlock(sh)
	changed := 0
	var err error
	if !s.ingest.stopped(j) {
		o := outcome{fileID: j.fileID, status: statusCompleted, usage: usage}
		if cause != nil {
			o.status, o.usage, o.failure = statusFailed, 0, s.explainFile(storeID, j.fileID, cause)
		}
		changed, err = s.conclude(ctx, sh, o)
	}
	if changed == 0 || cause != nil {
		return errors.Join(err, s.retriever.Remove(ctx, storeID, j.fileID))
	}
	record, failure := s.store.Get(ctx, vectorStoreFiles(storeID), j.fileID)
	if failure != nil {
		return errors.Join(err, failure)
	}
	doc, failure := decode[storeFileDocument](record.Data)
	if failure == nil && string(doc.Attributes) != string(attributes) { // given while the file was read
		failure = s.describe(ctx, storeID, j.fileID, doc.Attributes)
	}
	return errors.Join(err, failure)
}

// describe tells the retriever the attributes of a file.
func (s *Server) describe(ctx context.Context, storeID, fileID string, attributes json.RawMessage) error {
	decoded, err := decode[assistants.Attributes](attributes)
	if err != nil {
		return err
	}
	return s.retriever.Describe(ctx, storeID, fileID, decoded)
}

// explainFile returns what the caller is told about an error of a file. The log gets all of it if it is the server's fault.
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

// indexFile reads a file of a vector store and puts it into the index. It returns how much room the file takes, and the
// attributes that it has been indexed with.
func (s *Server) indexFile(ctx context.Context, storeID, id string) (usage int64, attributes json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	record, err := s.store.Get(ctx, vectorStoreFiles(storeID), id)
	if err != nil {
		return 0, nil, err
	}
	doc, err := decode[storeFileDocument](record.Data)
	if err != nil {
		return 0, nil, err
	}
	file := IndexedFile{ID: id}
	if file.Attributes, err = decode[assistants.Attributes](doc.Attributes); err != nil {
		return 0, nil, err
	}
	if file.Name, file.Text, err = s.textOf(ctx, id); err != nil {
		return 0, nil, err
	}
	switch {
	case strings.TrimSpace(file.Text) == "":
		return 0, nil, errNoText
	case len(file.Text) > maxFileTokens && countTokens(file.Text) > maxFileTokens: // none is shorter than a byte
		return 0, nil, errTooMuchText
	}
	size, overlap := chunkSizes(doc.ChunkingStrategy)
	file.Chunks = chunk(file.Text, size, overlap)
	return usageOf(len(file.Text), len(file.Chunks)), doc.Attributes, s.retriever.Index(ctx, storeID, file)
}

// bytesPerChunk is what a chunk takes besides its text: 256 numbers of four bytes.
const bytesPerChunk = 1024

// usageOf is inferred from recorded sizes: a text of 12 bytes took 1,036, one of 21 took 1,045, and one of 19,836 took 30,049,
// which is near.
func usageOf(bytes, chunks int) int64 { return int64(bytes) + int64(chunks)*bytesPerChunk }

// textOf returns the name and the text of a file.
func (s *Server) textOf(ctx context.Context, fileID string) (name, text string, err error) {
	doc, content, err := s.openFile(ctx, fileID)
	if err != nil {
		return "", "", err
	}
	defer content.Close()
	if doc.Bytes > maxReadBytes {
		return "", "", errTooLarge
	}
	text, err = s.extractor.Extract(ctx, doc.Filename, &boundedReader{content, maxReadBytes})
	return doc.Filename, strings.ToValidUTF8(text, "\uFFFD"), err
}

// boundedReader fails behind a number of bytes: a blob may be longer than its file is said to be.
type boundedReader struct {
	io.Reader
	left int64
}

func (r *boundedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// refresh has the index know all files of a store that have been read: what an earlier process has indexed may be forgotten.
// It does so once; others wait for that. A file that cannot be read any more is left out, and the log has the reason.
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
	for r, err := range s.records(ctx, vectorStoreFiles(sh.id), Ascending) {
		if err != nil {
			return err
		}
		if statusOf(r) != statusCompleted {
			continue
		}
		if there, err := s.retriever.Has(ctx, sh.id, r.ID); err != nil || there {
			if err != nil {
				return err
			}
			continue
		}
		_, _, err := s.indexFile(ctx, sh.id, r.ID)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, gone := s.store.Get(ctx, vectorStoreFiles(sh.id), r.ID); errors.Is(gone, ErrNotFound) {
			err = s.retriever.Remove(ctx, sh.id, r.ID) // it left while it was read
		}
		if err != nil {
			s.ingest.report(sh.id, r.ID, err)
		}
	}
	sh.indexed = true
	return nil
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
