package assistants

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	o := post(nil, "vector_stores", vectorStoreID, "files").able(settles)
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
	return call(ctx, c, post(params, "files").able(settles), new(File), opts)
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
	o := post(nil, "vector_stores", vectorStoreID, "file_batches").able(settles)
	if err := s.core.severally(ctx, o, opts); err != nil {
		return nil, err
	}
	if err := params.check(); err != nil {
		return nil, o.failed(err)
	}
	u := newBatchUpload(s, vectorStoreID, params, opts)
	batch, err := u.run(ctx, o)
	failures := u.failures()
	switch {
	case failures == nil:
		return batch, err
	case batch == nil || err == nil: // else err is of the batch as a whole
		return batch, failures
	}
	return batch, fmt.Errorf("%w; %w", err, failures)
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

	files []FileFailure // what is known of each, those of params.FileIDs behind the others; without Err unless it failed
}

func newBatchUpload(s *FileBatchesService, storeID string, params FileBatchUploadParams, opts []RequestOption) *batchUpload {
	u := &batchUpload{service: s, storeID: storeID, params: params, opts: opts}
	for i := range params.Files {
		u.files = append(u.files, FileFailure{Index: i, Name: params.Files[i].File.name()})
	}
	for i, id := range params.FileIDs {
		u.files = append(u.files, FileFailure{Index: len(params.Files) + i, FileID: id})
	}
	return u
}

// run uploads the files and adds them with o. An error without a batch is that of each file that might have been added.
func (u *batchUpload) run(ctx context.Context, o *outgoing) (*FileBatch, error) {
	u.uploadAll(ctx)
	additions := u.additions()
	if additions == nil {
		return nil, nil // they all failed
	}
	o.in = *additions
	batch, err := u.service.settle(ctx, u.storeID, o, u.opts)
	switch {
	case batch == nil:
		for i := range u.files {
			u.files[i].Err = cmp.Or(u.files[i].Err, err)
		}
	case err == nil:
		err = u.findUnread(ctx, batch)
	}
	return batch, err
}

// failures are the files that failed.
func (u *batchUpload) failures() (failed FileFailures) {
	for _, file := range u.files {
		if file.Err != nil {
			failed = append(failed, file)
		}
	}
	return failed
}

// uploadAll uploads the files.
func (u *batchUpload) uploadAll(ctx context.Context) {
	var mu sync.Mutex // of what follows
	var refused error
	n := len(u.params.Files)
	inParallel(n, cmp.Or(u.params.Concurrency, defaultUploadConcurrency), func(i int) bool {
		file, err := u.service.core.upload(ctx, &u.params.Files[i].File, u.opts)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			u.files[i].FileID = file.ID
			if u.params.Uploaded != nil {
				u.params.Uploaded(i, file)
			}
		case ctx.Err() != nil || errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrPermission):
			refused = err // and so would the others be
		}
		u.files[i].Err = err
		return refused == nil
	})
	for i := range u.files[:n] {
		if u.files[i].FileID == "" {
			u.files[i].Err = cmp.Or(u.files[i].Err, refused)
		}
	}
}

// additions are what adds the files that are uploaded; nil if there is nothing to add.
func (u *batchUpload) additions() *FileBatchCreateParams {
	batch := &FileBatchCreateParams{}
	plain := true
	for i, file := range u.files {
		if file.Err != nil {
			continue
		}
		addition := VectorStoreFileCreateParams{FileID: file.FileID}
		if i < len(u.params.Files) {
			addition = u.params.Files[i].addition(file.FileID)
		}
		plain = plain && addition.ChunkingStrategy == nil && len(addition.Attributes) == 0
		batch.Files = append(batch.Files, addition)
		batch.FileIDs = append(batch.FileIDs, file.FileID)
	}
	switch {
	case len(batch.Files) == 0:
		return nil
	case plain: // which every server understands
		batch.Files = nil
	default:
		batch.FileIDs = nil
	}
	return batch
}

// findUnread notes which files of a batch the service could not read. An error is what is wrong with the batch as a whole.
func (u *batchUpload) findUnread(ctx context.Context, batch *FileBatch) error {
	places := map[string]int{} // of the files that were added
	for i, file := range u.files {
		if file.Err == nil {
			places[file.FileID] = i
		}
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
			i, ours := places[file.ID]
			if !ours || file.Status != of.status { // of a server that does not know the filter
				continue
			}
			delete(places, file.ID) // a server may tell it again
			u.files[i].Err = file.Err()
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
