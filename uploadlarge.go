package assistants

import (
	"cmp"
	"context"
	"crypto/fips140"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/assistants-go/assistants/internal/transport"
)

// Sizes of parts, and how many of them are sent at once.
const (
	maxPartBytes            = 64 << 20
	maxParts                = 1 << 20 // of which each is a request
	defaultLargeConcurrency = 4
)

// UploadLargeParams describe a file that is to be uploaded in parts.
type UploadLargeParams struct {
	// File is what to upload. Its size must be known: a path and a reader that can seek know it, another reader needs
	// File.Size. Progress counts the bytes of all parts together.
	File FileUploadParams
	// PartSize is how many bytes a part has, but for the last one; at most 64 MiB, which is also what 0 stands for.
	PartSize int64
	// Concurrency is how many parts are sent at once. 0 is 4. A reader that is no [io.ReaderAt] is read from its beginning
	// to its end, so that its parts are sent one after the other whatever Concurrency says.
	Concurrency int
	// Checkpoint is called when the upload has been created and with each part that is there, one call after the other, for
	// whoever wants to go on though the process comes to a sudden end. It gets a copy, and must not block: parts wait for it.
	// nil: the error of the call is enough.
	Checkpoint func(UploadProgress)
	// Resume goes on with an upload that was interrupted; its PartSize counts. nil: a new one.
	Resume *UploadProgress
}

// UploadProgress is how far an upload has come: what it takes to go on with it. It can be kept as JSON.
type UploadProgress struct {
	// UploadID is that of the upload.
	UploadID string `json:"upload_id"`
	// PartSize is how many bytes a part has.
	PartSize int64 `json:"part_size"`
	// PartIDs are the ids of the parts, in the order of the file; "" for those that are missing.
	PartIDs []string `json:"part_ids"`
}

// An UploadInterruptedError says that an upload has not come to its end, and how far it has come. Going on may help once what
// Err says has been mended. What cannot be gone on with, because the service has refused it, is another error.
type UploadInterruptedError struct {
	Progress UploadProgress // to go on with: see [UploadLargeParams].Resume
	Err      error          // why
}

// Error is the reason and how many parts are there.
func (e *UploadInterruptedError) Error() string {
	there := 0
	for _, id := range e.Progress.PartIDs {
		if id != "" {
			there++
		}
	}
	return fmt.Sprintf("upload %s was interrupted with %d of %d parts there: %v", e.Progress.UploadID, there, len(e.Progress.PartIDs), e.Err)
}

// Unwrap gives the reason.
func (e *UploadInterruptedError) Unwrap() error { return e.Err }

// UploadLarge uploads a file in parts, several at once, and completes the upload with the checksum of all of it, so that
// a file which changed meanwhile is an error. Where FIPS 140 is enforced there is no checksum, which is MD5. Nothing but what
// is being sent is held in memory.
//
// A part is sent again as every call is: not if its connection broke, unless nothing was sent. When a part fails, or the
// context ends, the parts that are being sent are finished, as far as the context lets them, and the error is an
// [UploadInterruptedError], with which a later call goes on from there, for an hour after the upload was begun. If it was the
// answer to the last request that got lost, the file may be there: see [FilesService.List]. Options apply to each of the calls;
// those that belong to one, such as [WithIdempotencyKey] and [WithResponse], are errors.
//
// POST /uploads: https://platform.openai.com/docs/api-reference/uploads/create
func (s *UploadsService) UploadLarge(ctx context.Context, params UploadLargeParams, opts ...RequestOption) (*File, error) {
	o := post(nil, "uploads")
	if err := s.core.severally(ctx, o, opts); err != nil {
		return nil, err
	}
	u, err := s.newLargeUpload(params, opts)
	if err != nil {
		return nil, o.failed(err)
	}
	defer u.report.end()
	if params.Resume == nil {
		upload, err := s.Create(ctx, u.create, opts...)
		if err != nil {
			return nil, err
		}
		u.note(func() { u.progress.UploadID = upload.ID })
	}
	sum, err := u.send(ctx)
	if err != nil {
		return nil, u.interrupted(err)
	}
	done, err := s.Complete(ctx, u.progress.UploadID, UploadCompleteParams{PartIDs: u.progress.PartIDs, MD5: sum}, opts...)
	switch {
	case err != nil:
		return nil, u.interrupted(err)
	case done.File == nil || done.File.check() != nil:
		return nil, o.failed(fmt.Errorf("the answer to completing upload %s has no file", u.progress.UploadID))
	}
	return done.File, nil
}

// interrupted is the error of an upload that was begun.
func (u *largeUpload) interrupted(err error) error {
	if errors.Is(err, ErrBadRequest) || errors.Is(err, ErrNotFound) {
		return err // it has expired or was cancelled, or the file is another one
	}
	return &UploadInterruptedError{u.progress, err}
}

// note writes progress down.
func (u *largeUpload) note(progress func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	progress()
	if u.checkpoint != nil {
		u.checkpoint(UploadProgress{u.progress.UploadID, u.progress.PartSize, slices.Clone(u.progress.PartIDs)})
	}
}

// A largeUpload is a file that is being uploaded in parts.
type largeUpload struct {
	service     *UploadsService
	opts        []RequestOption
	create      UploadCreateParams
	file        *source
	concurrency int
	report      *tally
	checkpoint  func(UploadProgress)

	mu       sync.Mutex
	progress UploadProgress
	err      error // the first
}

// newLargeUpload checks what can be wrong without a server.
func (s *UploadsService) newLargeUpload(params UploadLargeParams, opts []RequestOption) (*largeUpload, error) {
	file, err := params.File.source()
	if err != nil {
		return nil, err
	}
	mimeType, err := mediaType(params.File.ContentType, file.name)
	if err != nil {
		return nil, err
	}
	partSize := cmp.Or(params.PartSize, maxPartBytes)
	switch {
	case file.size < 0:
		return nil, errors.New("the size of the file is not known: Size is 0")
	case file.size == 0:
		return nil, errors.New("the file is empty")
	case partSize < 0 || partSize > maxPartBytes:
		return nil, fmt.Errorf("parts of %d bytes: they have 1 to %d", params.PartSize, maxPartBytes)
	case params.Concurrency < 0:
		return nil, fmt.Errorf("the concurrency %d is negative", params.Concurrency)
	}
	progress, err := partsOf(file.size, partSize, params.Resume)
	if err != nil {
		return nil, err
	}
	u := &largeUpload{
		service: s, opts: opts, file: file, progress: progress, checkpoint: params.Checkpoint,
		concurrency: cmp.Or(params.Concurrency, defaultLargeConcurrency),
		create: UploadCreateParams{
			Filename: file.name, Purpose: params.File.purpose(), Bytes: file.size,
			MIMEType: mimeType, ExpiresAfter: params.File.ExpiresAfter,
		},
	}
	if params.File.Progress != nil {
		u.report = &tally{total: file.size, report: params.File.Progress, parts: make([]int64, len(progress.PartIDs))}
		for i, id := range progress.PartIDs {
			if id != "" {
				_, u.report.parts[i] = u.part(i)
				u.report.sent += u.report.parts[i]
			}
		}
	}
	return u, nil
}

// partsOf are the parts of a file of that size: all of them missing, or those of an upload to go on with.
func partsOf(size, partSize int64, r *UploadProgress) (UploadProgress, error) {
	if r != nil {
		if r.UploadID == "" || r.PartSize <= 0 || int64(len(r.PartIDs)) != (size-1)/r.PartSize+1 {
			return UploadProgress{}, fmt.Errorf("the upload %q cannot go on with a file of %d bytes: it has %d parts of %d bytes",
				r.UploadID, size, len(r.PartIDs), r.PartSize)
		}
		return UploadProgress{UploadID: r.UploadID, PartSize: r.PartSize, PartIDs: slices.Clone(r.PartIDs)}, nil
	}
	n := (size-1)/partSize + 1
	if n > maxParts {
		return UploadProgress{}, fmt.Errorf("%d parts of %d bytes are more than %d", n, partSize, maxParts)
	}
	return UploadProgress{PartSize: partSize, PartIDs: make([]string, n)}, nil
}

// part is where a part of the file is.
func (u *largeUpload) part(i int) (offset, size int64) {
	offset = int64(i) * u.progress.PartSize
	return offset, min(u.progress.PartSize, u.file.size-offset)
}

// send sends the parts that are missing and returns the checksum of the file.
func (u *largeUpload) send(ctx context.Context) (sum string, err error) {
	if fips140.Enforced() { // which does not let MD5 be used for anything
		u.sendAll(ctx, io.Discard)
		return "", u.err
	}
	digest := md5.New()
	if u.sendAll(ctx, digest); u.err != nil {
		return "", u.err // with the file perhaps still being read
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// sendAll sends the parts that are missing, and has digest read the file in order.
func (u *largeUpload) sendAll(ctx context.Context, digest io.Writer) {
	if u.file.parts == nil {
		u.sendInOrder(ctx, digest)
	} else {
		u.sendAtOnce(ctx, digest)
	}
}

// sendAtOnce sends parts in any order, and reads the file once more for the checksum, which needs it in order.
func (u *largeUpload) sendAtOnce(ctx context.Context, digest io.Writer) {
	needed, stop := context.WithCancel(ctx)
	defer stop()
	var reading sync.WaitGroup
	reading.Go(func() {
		all, err := u.file.open()
		if err != nil {
			u.failed(err)
			return
		}
		defer all.Close()
		_, err = io.Copy(digest, transport.Interruptible(needed, all))
		u.failed(err)
	})
	inParallel(len(u.progress.PartIDs), u.concurrency, func(i int) bool {
		offset, size := u.part(i)
		u.sendPart(ctx, i, &source{
			name: "part", size: size,
			open: func() (io.ReadCloser, error) { return u.file.parts(offset, size) },
		})
		if u.failure() != nil {
			stop()
			return false
		}
		return true
	})
	reading.Wait()
}

// sendInOrder sends a file that can only be read from its beginning to its end.
func (u *largeUpload) sendInOrder(ctx context.Context, digest io.Writer) {
	all, err := u.file.open()
	if err != nil {
		u.failed(err)
		return
	}
	defer all.Close()
	for i := range u.progress.PartIDs {
		_, size := u.part(i)
		piece := &piece{r: io.TeeReader(io.LimitReader(all, size), digest), left: size}
		if u.progress.PartIDs[i] != "" {
			_, err := io.Copy(io.Discard, transport.Interruptible(ctx, piece))
			u.failed(err)
		}
		once := &rememberer{r: piece}
		u.sendPart(ctx, i, &source{name: "part", size: size, open: once.open, spent: once.spent})
		if !piece.end() {
			u.failed(fmt.Errorf("part %d was answered before it was sent", i))
		}
		if u.failure() != nil {
			return
		}
	}
	_, err = io.Copy(io.Discard, transport.Interruptible(ctx, all)) // which finds out whether there is more of it
	u.failed(err)
}

// A piece is a part of what can only be read from its beginning to its end. Behind its end() it does not read any more,
// which would be from the next part.
type piece struct {
	mu    sync.Mutex // held while reading
	r     io.Reader
	left  int64
	ended bool
}

func (p *piece) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return 0, os.ErrClosed
	}
	n, err := p.r.Read(b)
	p.left -= int64(n)
	return n, err
}

// end reports whether all of the piece was read.
func (p *piece) end() bool {
	if !p.mu.TryLock() {
		return false
	}
	defer p.mu.Unlock()
	p.ended = true
	return p.left <= 0
}

// sendPart sends a part unless it is there.
func (u *largeUpload) sendPart(ctx context.Context, i int, data *source) {
	if u.progress.PartIDs[i] != "" {
		return
	}
	in := &addedPart{data, func(sent, _ int64) { u.report.set(i, sent) }}
	part, err := call(ctx, u.service.core, post(in, "uploads", u.progress.UploadID, "parts"), new(UploadPart), u.opts)
	if err != nil {
		u.failed(err)
		return
	}
	u.note(func() { u.progress.PartIDs[i] = part.ID })
}

// An addedPart is the request that adds a part.
type addedPart struct {
	data     *source
	progress func(sent, total int64)
}

func (p *addedPart) form() (*form, error) { return partForm(p.data, p.progress) }

func (u *largeUpload) failed(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err == nil {
		u.err = err
	}
}

func (u *largeUpload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// A tally adds up what was sent of several parts. A nil tally does nothing.
type tally struct {
	total  int64
	report func(sent, total int64)
	over   atomic.Bool // nothing is reported any more

	mu    sync.Mutex // held while reporting
	parts []int64
	sent  int64
}

// end does not wait for a report that is being made, for which others may be waiting.
func (t *tally) end() {
	if t != nil {
		t.over.Store(true)
	}
}

func (t *tally) set(i int, sent int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over.Load() {
		return
	}
	t.sent += sent - t.parts[i]
	t.parts[i] = sent
	t.report(t.sent, t.total)
}
