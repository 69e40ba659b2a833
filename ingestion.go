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

// This file waits for the service to read the files of vector stores.

// Poll looks at a file in a vector store until it is no longer in progress. A file that failed is no error of the call;
// [VectorStoreFile.Err] says it.
//
// Between two looks it pauses for as long as the server asks, else half a second, growing to five; see [WithPollInterval].
// It ends at once when the context does. An error comes with the file as it was last seen, nil if it never was.
//
// GET /vector_stores/{vector_store_id}/files/{file_id}: https://platform.openai.com/docs/api-reference/vector-stores-files/getFile
func (s *VectorStoreFilesService) Poll(ctx context.Context, vectorStoreID, fileID string, opts ...RequestOption) (*VectorStoreFile, error) {
	return s.settle(ctx, vectorStoreID, &outgoing{method: http.MethodGet, to: route{"vector_stores", vectorStoreID, "files", fileID}}, opts)
}

// CreateAndPoll adds a file to a vector store and waits until it has been read, as [VectorStoreFilesService.Create] and
// [VectorStoreFilesService.Poll] do.
//
// POST /vector_stores/{vector_store_id}/files: https://platform.openai.com/docs/api-reference/vector-stores-files/createFile
func (s *VectorStoreFilesService) CreateAndPoll(ctx context.Context, vectorStoreID string, params VectorStoreFileCreateParams, opts ...RequestOption) (*VectorStoreFile, error) {
	return s.settle(ctx, vectorStoreID, &outgoing{method: http.MethodPost, to: route{"vector_stores", vectorStoreID, "files"}, in: params}, opts)
}

func (s *VectorStoreFilesService) settle(ctx context.Context, vectorStoreID string, o *outgoing, opts []RequestOption) (*VectorStoreFile, error) {
	return settle(ctx, s.core, o, opts, func(f *VectorStoreFile) (route, bool) {
		return route{"vector_stores", vectorStoreID, "files", f.ID}, f.Status == VectorStoreFileInProgress
	})
}

// Poll looks at a batch until it is no longer in progress. That files failed is no error of the call; FileCounts say it,
// and [FileBatchesService.ListFiles] has them.
//
// It pauses, ends and fails as [VectorStoreFilesService.Poll] does.
//
// GET /vector_stores/{vector_store_id}/file_batches/{batch_id}: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/getBatch
func (s *FileBatchesService) Poll(ctx context.Context, vectorStoreID, batchID string, opts ...RequestOption) (*FileBatch, error) {
	return s.settle(ctx, vectorStoreID, &outgoing{method: http.MethodGet, to: route{"vector_stores", vectorStoreID, "file_batches", batchID}}, opts)
}

// CreateAndPoll adds files to a vector store and waits until they have been read, as [FileBatchesService.Create] and
// [FileBatchesService.Poll] do.
//
// POST /vector_stores/{vector_store_id}/file_batches: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/createBatch
func (s *FileBatchesService) CreateAndPoll(ctx context.Context, vectorStoreID string, params FileBatchCreateParams, opts ...RequestOption) (*FileBatch, error) {
	return s.settle(ctx, vectorStoreID, &outgoing{method: http.MethodPost, to: route{"vector_stores", vectorStoreID, "file_batches"}, in: params}, opts)
}

func (s *FileBatchesService) settle(ctx context.Context, vectorStoreID string, o *outgoing, opts []RequestOption) (*FileBatch, error) {
	return settle(ctx, s.core, o, opts, func(b *FileBatch) (route, bool) {
		return route{"vector_stores", vectorStoreID, "file_batches", b.ID}, b.Status == VectorStoreFileInProgress
	})
}

// settle sends o and looks at what it is answered until that is settled. look says where it is to be looked at, and whether
// it has to be.
func settle[T any](ctx context.Context, c *core, o *outgoing, opts []RequestOption, look func(*T) (at route, moving bool)) (*T, error) {
	o.able |= settles
	cfg, err := c.configure(o, opts)
	if err != nil {
		return nil, err
	}
	out := new(T)
	header, err := c.send(ctx, o, out, &cfg)
	if err != nil {
		return nil, err
	}
	cfg = cfg.further()
	interval := firstPollInterval
	for {
		at, moving := look(out)
		if !moving {
			return out, nil
		}
		again := &outgoing{method: http.MethodGet, to: at}
		if err := cfg.pause(ctx, header, &interval); err != nil {
			return out, again.failed(err)
		}
		seen := new(T)
		if header, err = c.send(ctx, again, seen, &cfg); err != nil {
			return out, err
		}
		out = seen
	}
}

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
// [VectorStoreFilesService.CreateAndPoll] do. Should it not come that far, the error is a [FileFailures] of one, which has
// the id of the file if it was uploaded. Options apply to each of the calls; those that belong to one, such as
// [WithIdempotencyKey] and [WithResponse], are errors.
//
// POST /files: https://platform.openai.com/docs/api-reference/files/create
func (s *VectorStoreFilesService) UploadAndPoll(ctx context.Context, vectorStoreID string, params VectorStoreFileUploadParams, opts ...RequestOption) (*VectorStoreFile, error) {
	o := &outgoing{method: http.MethodPost, to: route{"vector_stores", vectorStoreID, "files"}, able: settles}
	if err := s.core.severally(o, opts); err != nil {
		return nil, err
	}
	if err := params.check(); err != nil {
		return nil, o.failed(err)
	}
	file, err := s.core.upload(ctx, &params.File, opts)
	if err != nil {
		return nil, FileFailures{{Name: params.File.name(), Err: err}}
	}
	o.in = params.addition(file.ID)
	added, err := s.settle(ctx, vectorStoreID, o, opts)
	if err != nil {
		err = FileFailures{{Name: cmp.Or(file.Filename, params.File.name()), FileID: file.ID, Err: err}}
	}
	return added, err
}

// upload is Files.Upload for methods that wait as well, whose options may be about that.
func (c *core) upload(ctx context.Context, params *FileUploadParams, opts []RequestOption) (*File, error) {
	return call[File](ctx, c, http.MethodPost, route{"files"}, params, opts, settles)
}

var errSeveral = errors.New("it belongs to one request, and this method sends several")

// severally checks the options of a method that sends requests of different kinds, and the path of its last one.
func (c *core) severally(o *outgoing, opts []RequestOption) error {
	o.able |= settles
	cfg, err := c.configure(o, opts)
	if err != nil {
		return err
	}
	_, wrong := transport.Join(o.to...)
	switch {
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
}

const (
	maxBatchFiles            = 2000
	defaultUploadConcurrency = 8
)

// UploadAndPoll uploads files, several at once, adds them to a vector store as one batch and waits until they have been
// read. Files that cannot be uploaded are left out of the batch, and the others go on: the error, a [FileFailures], has
// each of them, and each that the service could not read. Nothing is lost then: the batch is returned along with the error,
// nil if there is none, and files that were uploaded and not added are in the error with their ids. Options apply to each
// of the calls; those that belong to one, such as [WithIdempotencyKey] and [WithResponse], are errors.
//
// POST /vector_stores/{vector_store_id}/file_batches: https://platform.openai.com/docs/api-reference/vector-stores-file-batches/createBatch
func (s *FileBatchesService) UploadAndPoll(ctx context.Context, vectorStoreID string, params FileBatchUploadParams, opts ...RequestOption) (*FileBatch, error) {
	o := &outgoing{method: http.MethodPost, to: route{"vector_stores", vectorStoreID, "file_batches"}, able: settles}
	if err := s.core.severally(o, opts); err != nil {
		return nil, err
	}
	switch n := len(params.Files) + len(params.FileIDs); {
	case n == 0:
		return nil, o.failed(errors.New("file batch has no files"))
	case n > maxBatchFiles:
		return nil, o.failed(fmt.Errorf("file batch has %d files, more than %d", n, maxBatchFiles))
	case params.Concurrency < 0:
		return nil, o.failed(fmt.Errorf("the concurrency %d is negative", params.Concurrency))
	}
	for i := range params.Files {
		if err := params.Files[i].check(); err != nil {
			return nil, o.failed(fmt.Errorf("file %d: %w", i, err))
		}
	}
	uploaded, failures := s.uploadAll(ctx, params, opts)
	additions := params.additions(uploaded)
	if additions == nil {
		return nil, failures
	}
	o.in = *additions
	batch, err := s.settle(ctx, vectorStoreID, o, opts)
	if batch == nil {
		return nil, append(failures, params.failures(uploaded, err)...).inOrder()
	}
	if err == nil {
		var unread FileFailures
		unread, err = s.unread(ctx, vectorStoreID, batch, params, uploaded, opts)
		failures = append(failures, unread...)
	}
	switch {
	case err != nil && len(failures) > 0:
		return batch, fmt.Errorf("%w; %w", err, failures.inOrder())
	case len(failures) > 0:
		return batch, failures.inOrder()
	}
	return batch, err
}

// uploadAll uploads the files and returns them in their order, nil where that failed.
func (s *FileBatchesService) uploadAll(ctx context.Context, params FileBatchUploadParams, opts []RequestOption) ([]*File, FileFailures) {
	concurrency := params.Concurrency
	if concurrency == 0 {
		concurrency = defaultUploadConcurrency
	}
	uploaded, errs := make([]*File, len(params.Files)), make([]error, len(params.Files))
	inParallel(len(params.Files), concurrency, func(i int) bool {
		file, err := s.core.upload(ctx, &params.Files[i].File, opts)
		if errs[i] = err; err == nil {
			uploaded[i] = file
		}
		return true
	})
	var failures FileFailures
	for i, err := range errs {
		if err != nil {
			failures = append(failures, FileFailure{Index: i, Name: params.Files[i].File.name(), Err: err})
		}
	}
	return uploaded, failures
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

// additions are what adds the files that were uploaded; nil if there is nothing to add.
func (p *FileBatchUploadParams) additions(uploaded []*File) *FileBatchCreateParams {
	batch := &FileBatchCreateParams{}
	plain := true
	for i, file := range uploaded {
		if file != nil {
			addition := p.Files[i].addition(file.ID)
			plain = plain && addition.ChunkingStrategy == nil && len(addition.Attributes) == 0
			batch.Files = append(batch.Files, addition)
		}
	}
	for _, id := range p.FileIDs {
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

// failures are one for each file that was uploaded and could not be added.
func (p *FileBatchUploadParams) failures(uploaded []*File, err error) FileFailures {
	var all FileFailures
	for i, file := range uploaded {
		if file != nil {
			all = append(all, FileFailure{Index: i, Name: cmp.Or(file.Filename, p.Files[i].File.name()), FileID: file.ID, Err: err})
		}
	}
	for i, id := range p.FileIDs {
		all = append(all, FileFailure{Index: len(p.Files) + i, FileID: id, Err: err})
	}
	return all
}

// unread are the files of a batch that the service could not read.
func (s *FileBatchesService) unread(
	ctx context.Context, vectorStoreID string, batch *FileBatch, params FileBatchUploadParams, uploaded []*File, opts []RequestOption,
) (FileFailures, error) {
	places := map[string]FileFailure{}
	for _, place := range params.failures(uploaded, nil) {
		places[place.FileID] = place
	}
	var failures FileFailures
	counts := batch.FileCounts
	for _, of := range []struct {
		status VectorStoreFileStatus
		count  int
	}{{VectorStoreFileFailed, counts.Failed}, {VectorStoreFileCancelled, counts.Cancelled}} {
		if of.count == 0 {
			continue
		}
		list := VectorStoreFileListParams{Filter: of.status, Limit: 100, Order: OrderAsc}
		for file, err := range s.all(ctx, vectorStoreID, batch.ID, list, opts, settles) {
			if err != nil {
				return failures, err
			}
			if file.Status != of.status { // of a server that does not know the filter
				continue
			}
			failure := places[file.ID]
			failure.FileID, failure.Err = file.ID, file.Err()
			failures = append(failures, failure)
		}
	}
	return failures, nil
}

// A FileFailure is why one of several files is not where it was to go.
type FileFailure struct {
	Index  int    // of the file among those that were given, FileIDs behind Files
	Name   string // of the file; "" if only its id is known
	FileID string // "" if it was not uploaded
	Err    error  // what went wrong
}

// Error is the name of the file and what went wrong.
func (f FileFailure) Error() string {
	switch {
	case f.FileID == "":
		return fmt.Sprintf("file %q was not uploaded: %v", f.Name, f.Err)
	case f.Name == "":
		return fmt.Sprintf("file %s was not added: %v", f.FileID, f.Err)
	}
	return fmt.Sprintf("file %q was uploaded as %s and not added: %v", f.Name, f.FileID, f.Err)
}

// Unwrap gives what went wrong.
func (f FileFailure) Unwrap() error { return f.Err }

// FileFailures are the files that are not where they were to go, in the order in which they were given. errors.As finds
// them in the error of a call.
type FileFailures []FileFailure

// Error tells the first of them, and how many there are.
func (f FileFailures) Error() string {
	const shown = 3
	var b strings.Builder
	b.WriteString("assistants: ")
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
	slices.SortStableFunc(f, func(a, b FileFailure) int { return a.Index - b.Index })
	return f
}
