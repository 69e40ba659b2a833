package assistants

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/assistants-go/assistants/internal/transport"
)

// This file brings files from where they are into vector stores.

// VectorStoreFileUploadParams describe a file that is to be uploaded and added to a vector store.
type VectorStoreFileUploadParams struct {
	// File is what to upload.
	File FileUploadParams
	// ChunkingStrategy is how it is cut; automatic if nil.
	ChunkingStrategy *ChunkingStrategy
	// Attributes are information of yours, by which searches can be filtered. nil and empty are none.
	Attributes Attributes
}

// check says what would keep the file from being added, before it is uploaded in vain.
func (p *VectorStoreFileUploadParams) check() error {
	_, err := json.Marshal(p.addition(""))
	return withoutMarshaler(err)
}

// addition is what adds the file when it has been uploaded.
func (p *VectorStoreFileUploadParams) addition(fileID string) VectorStoreFileCreateParams {
	return VectorStoreFileCreateParams{FileID: fileID, ChunkingStrategy: p.ChunkingStrategy, Attributes: p.Attributes}
}

// UploadAndPoll uploads a file, adds it to a vector store and waits until it has been read, as [FilesService.Upload] and
// [VectorStoreFilesService.CreateAndPoll] do. If it cannot be searched in the end, the error is a [FileFailures] of one, which
// has the id of the file if it was uploaded; the file is returned along with it if it was added. Options apply to each of the
// calls; those that belong to one, such as [WithIdempotencyKey] and [WithResponse], are errors.
//
// POST /files: https://platform.openai.com/docs/api-reference/files/create
func (s *VectorStoreFilesService) UploadAndPoll(ctx context.Context, vectorStoreID string, params VectorStoreFileUploadParams, opts ...RequestOption) (*VectorStoreFile, error) {
	o := &outgoing{method: http.MethodPost, to: route{"vector_stores", vectorStoreID, "files"}, able: settles}
	if err := s.core.severally(ctx, o, opts); err != nil {
		return nil, err
	}
	if err := params.check(); err != nil {
		return nil, o.failed(err)
	}
	failure := FileFailure{Name: params.File.name()}
	file, err := s.core.upload(ctx, &params.File, opts)
	if err != nil {
		failure.Err = err
		return nil, FileFailures{failure}
	}
	o.in = params.addition(file.ID)
	added, err := s.settle(ctx, vectorStoreID, o, opts)
	if err == nil {
		err = added.Err()
	}
	if err != nil {
		failure.FileID, failure.Err = file.ID, err
		return added, FileFailures{failure}
	}
	return added, nil
}

// upload is Files.Upload for methods that wait as well, whose options may be about that.
func (c *core) upload(ctx context.Context, params *FileUploadParams, opts []RequestOption) (*File, error) {
	return call[File](ctx, c, http.MethodPost, route{"files"}, params, opts, settles)
}

var errSeveral = errors.New("it belongs to one request, and this method sends several")

// severally checks the options of a method that sends requests of different kinds, and the path of its last one.
func (c *core) severally(ctx context.Context, o *outgoing, opts []RequestOption) error {
	cfg, err := c.configure(o, opts)
	if err != nil {
		return err
	}
	_, wrong := transport.Join(o.to...)
	switch {
	case ctx == nil:
		return o.failed(errNilContext)
	case wrong != nil:
		return o.failed(wrong)
	case cfg.idempotencyKey != "":
		return o.failed(fmt.Errorf("WithIdempotencyKey: %w", errSeveral))
	case cfg.header["Idempotency-Key"].Reveal() != "":
		return o.failed(fmt.Errorf("WithHeader: Idempotency-Key: %w", errSeveral))
	case len(cfg.fields) > 0:
		return o.failed(fmt.Errorf("WithBodyField: %w", errSeveral))
	case cfg.response != nil:
		return o.failed(fmt.Errorf("WithResponse: %w", errSeveral))
	}
	return nil
}

// FileBatchUploadParams describe files that are to be uploaded and added to a vector store together.
type FileBatchUploadParams struct {
	// Files are what to upload. With FileIDs they are up to 2000.
	Files []VectorStoreFileUploadParams
	// FileIDs are files that were uploaded already, and are added as well.
	FileIDs []string
	// Concurrency is how many files are uploaded at once. 0 is 8.
	Concurrency int
	// Uploaded is called with each file that has been uploaded and its place in Files, one call after the other: to note
	// which id stands for which document, say. It must not block. nil: nobody wants to know.
	Uploaded func(index int, file *File)
}

const (
	maxBatchFiles            = 2000
	defaultUploadConcurrency = 8
)

// UploadAndPoll uploads files, several at once, adds them to a vector store as one batch and waits until they have been
// read. Files that cannot be uploaded are left out of the batch, and the others go on, unless the credentials are refused or
// the context ends.
//
// The error is a [FileFailures] that has each file which cannot be searched: not uploaded, not added, or not read by the
// service. Nothing is lost: the batch, if there is one, is returned along with the error, and files that were uploaded and not
// added are in the error with their ids. If the batch is [FileBatchCompleted], all files but those can be searched; if it is
// not, the error says why as well. Options apply to each of the calls; those that belong to one, such as
// [WithIdempotencyKey] and [WithResponse], are errors.
//
// POST /vector_stores/{vector_store_id}/file_batches: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/createBatch
func (s *FileBatchesService) UploadAndPoll(ctx context.Context, vectorStoreID string, params FileBatchUploadParams, opts ...RequestOption) (*FileBatch, error) {
	o := &outgoing{method: http.MethodPost, to: route{"vector_stores", vectorStoreID, "file_batches"}, able: settles}
	if err := s.core.severally(ctx, o, opts); err != nil {
		return nil, err
	}
	if err := params.check(); err != nil {
		return nil, o.failed(err)
	}
	u := &batchUpload{service: s, storeID: vectorStoreID, params: params, opts: opts}
	u.uploadAll(ctx)
	additions := u.additions()
	if additions == nil {
		return nil, u.failures
	}
	o.in = *additions
	batch, err := s.settle(ctx, vectorStoreID, o, opts)
	if batch == nil {
		u.failures = append(u.failures, u.places(err)...)
		return nil, u.failures.inOrder()
	}
	if err == nil {
		err = u.findUnread(ctx, batch)
	}
	switch {
	case err != nil && len(u.failures) > 0:
		return batch, fmt.Errorf("%w; %w", err, u.failures.inOrder())
	case len(u.failures) > 0:
		return batch, u.failures.inOrder()
	}
	return batch, err
}

// check says what would keep files from being added, before they are uploaded in vain.
func (p *FileBatchUploadParams) check() error {
	switch n := len(p.Files) + len(p.FileIDs); {
	case n == 0:
		return errors.New("file batch has no files")
	case n > maxBatchFiles:
		return fmt.Errorf("file batch has %d files, more than %d", n, maxBatchFiles)
	case p.Concurrency < 0:
		return fmt.Errorf("the concurrency %d is negative", p.Concurrency)
	}
	for i := range p.Files {
		if err := p.Files[i].check(); err != nil {
			return fmt.Errorf("file %d: %w", i, err)
		}
	}
	return nil
}

// A batchUpload brings files into a vector store.
type batchUpload struct {
	service *FileBatchesService
	storeID string
	params  FileBatchUploadParams
	opts    []RequestOption

	uploaded []*File // in the order of params.Files; nil where that failed
	failures FileFailures
}

// uploadAll uploads the files.
func (u *batchUpload) uploadAll(ctx context.Context) {
	files := u.params.Files
	u.uploaded = make([]*File, len(files))
	errs := make([]error, len(files))
	var mu sync.Mutex // of what follows
	var refused error
	inParallel(len(files), cmp.Or(u.params.Concurrency, defaultUploadConcurrency), func(i int) bool {
		file, err := u.service.core.upload(ctx, &files[i].File, u.opts)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			u.uploaded[i] = file
			if u.params.Uploaded != nil {
				u.params.Uploaded(i, file)
			}
		case ctx.Err() != nil || errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrPermission):
			refused = err // and so would the others be
		}
		errs[i] = err
		return refused == nil
	})
	for i, err := range errs {
		if u.uploaded[i] == nil {
			u.failures = append(u.failures, FileFailure{Index: i, Name: files[i].File.name(), Err: cmp.Or(err, refused)})
		}
	}
}

// additions are what adds the files that were uploaded; nil if there is nothing to add.
func (u *batchUpload) additions() *FileBatchCreateParams {
	batch := &FileBatchCreateParams{}
	plain := true
	for i, file := range u.uploaded {
		if file != nil {
			addition := u.params.Files[i].addition(file.ID)
			plain = plain && addition.ChunkingStrategy == nil && len(addition.Attributes) == 0
			batch.Files = append(batch.Files, addition)
		}
	}
	for _, id := range u.params.FileIDs {
		batch.Files = append(batch.Files, VectorStoreFileCreateParams{FileID: id})
	}
	if len(batch.Files) == 0 {
		return nil
	}
	if plain { // which every server understands
		for _, file := range batch.Files {
			batch.FileIDs = append(batch.FileIDs, file.FileID)
		}
		batch.Files = nil
	}
	return batch
}

// places are a failure for each file that was to be added.
func (u *batchUpload) places(err error) FileFailures {
	var all FileFailures
	for i, file := range u.uploaded {
		if file != nil {
			all = append(all, FileFailure{Index: i, Name: u.params.Files[i].File.name(), FileID: file.ID, Err: err})
		}
	}
	for i, id := range u.params.FileIDs {
		all = append(all, FileFailure{Index: len(u.params.Files) + i, FileID: id, Err: err})
	}
	return all
}

// findUnread adds the files of a batch that the service could not read. An error is what is wrong with the batch as a whole.
func (u *batchUpload) findUnread(ctx context.Context, batch *FileBatch) error {
	places := map[string]FileFailure{}
	for _, place := range u.places(nil) {
		places[place.FileID] = place
	}
	counts, added, unread, seen := batch.FileCounts, len(places), 0, 0
	for _, of := range []struct {
		status VectorStoreFileStatus
		count  int
	}{{VectorStoreFileFailed, counts.Failed}, {VectorStoreFileCancelled, counts.Cancelled}} {
		if of.count == 0 {
			continue
		}
		list := VectorStoreFileListParams{Filter: of.status, Limit: 100, Order: OrderAsc}
		for file, err := range u.service.all(ctx, u.storeID, batch.ID, list, u.opts, settles) {
			if err != nil {
				return err
			}
			if seen++; seen > 2*maxBatchFiles { // it is no list of this batch, and may be endless
				break
			}
			failure, ours := places[file.ID]
			if !ours || file.Status != of.status { // of a server that does not know the filter
				continue
			}
			delete(places, file.ID) // a server may tell it again
			failure.Err = file.Err()
			u.failures = append(u.failures, failure)
			if unread++; unread == added {
				return nil
			}
		}
	}
	if batch.Status != FileBatchCompleted || unread < counts.Failed+counts.Cancelled || counts.Completed+unread < counts.Total {
		return fmt.Errorf("assistants: file batch %s is %s, and %d of its %d files can be searched", batch.ID, batch.Status.word(), counts.Completed, counts.Total)
	}
	return nil
}

// inParallel does something n times, some of them at once, until one of them says no.
func inParallel(n, concurrency int, do func(i int) (goOn bool)) {
	var mu sync.Mutex
	next := 0
	take := func() (i int) {
		mu.Lock()
		defer mu.Unlock()
		i = next
		next++
		return i
	}
	var workers sync.WaitGroup
	for range min(n, concurrency) {
		workers.Go(func() {
			for i := take(); i < n; i = take() {
				if !do(i) {
					mu.Lock()
					next = n
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
}

// A FileFailure is why one of several files cannot be searched.
type FileFailure struct {
	Index  int    // of the file among those that were given, FileIDs behind Files
	Name   string // of the file, without its path; "" if only its id is known
	FileID string // "" if it was not uploaded
	Err    error  // what went wrong
}

// Error is the name of the file and what went wrong.
func (f FileFailure) Error() string {
	switch {
	case f.FileID == "":
		return fmt.Sprintf("file %q was not uploaded: %v", f.Name, f.Err)
	case f.Name == "":
		return fmt.Sprintf("file %s: %v", f.FileID, f.Err)
	}
	return fmt.Sprintf("file %q, uploaded as %s: %v", f.Name, f.FileID, f.Err)
}

// Unwrap gives what went wrong.
func (f FileFailure) Unwrap() error { return f.Err }

// FileFailures are the files that cannot be searched, in the order in which they were given. errors.As finds them in the
// error of a call.
type FileFailures []FileFailure

// Error tells the first of them, and how many there are.
func (f FileFailures) Error() string {
	const shown = 3
	var b strings.Builder
	for i := range f[:min(len(f), shown)] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f[i].Error())
	}
	if len(f) > shown {
		fmt.Fprintf(&b, "; and %d more", len(f)-shown)
	}
	return b.String()
}

// Unwrap gives all of them.
func (f FileFailures) Unwrap() []error {
	errs := make([]error, len(f))
	for i := range f {
		errs[i] = f[i]
	}
	return errs
}

func (f FileFailures) inOrder() FileFailures {
	slices.SortStableFunc(f, func(a, b FileFailure) int { return cmp.Compare(a.Index, b.Index) })
	return f
}
