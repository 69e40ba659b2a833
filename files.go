package assistants

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"os"
)

// A File is a document that was uploaded, or that an assistant has made. Its contents are a call of their own:
// [FilesService.Content].
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/files/object
type File struct {
	// ID begins with "file-", on Foundry with "assistant-".
	ID string `json:"id"`
	// Object is "file".
	Object    string      `json:"object"`
	Bytes     int64       `json:"bytes"`      // its size
	CreatedAt Timestamp   `json:"created_at"` // when it was uploaded or made
	ExpiresAt Timestamp   `json:"expires_at"` // when it will be deleted; zero: never
	Filename  string      `json:"filename"`   // without a path
	Purpose   FilePurpose `json:"purpose"`    // what it is for
	// Status is "uploaded", "processed" or "error". It does not say whether the file can be searched: see [VectorStoreFile].
	// Deprecated by the service, which still sends it.
	Status string `json:"status"`
	// StatusDetails are "" unless a file for fine-tuning is no good.
	StatusDetails string `json:"status_details,omitzero"`
}

func (f *File) check() error   { return checkObject(f.Object, "file", f.ID) }
func (f *File) cursor() string { return f.ID }

// A FilePurpose is what a file is for.
type FilePurpose string

// Purposes of files. Those that end in Output or Results are the service's own, and not for uploading.
const (
	PurposeAssistants       FilePurpose = "assistants"        // for tools of assistants, and in messages
	PurposeAssistantsOutput FilePurpose = "assistants_output" // made by the code interpreter
	PurposeBatch            FilePurpose = "batch"             // requests of the Batch API
	PurposeBatchOutput      FilePurpose = "batch_output"      // answers of the Batch API
	PurposeFineTune         FilePurpose = "fine-tune"         // examples to train with
	PurposeFineTuneResults  FilePurpose = "fine-tune-results" // what came of training
	PurposeVision           FilePurpose = "vision"            // images
	PurposeUserData         FilePurpose = "user_data"         // anything
	PurposeEvals            FilePurpose = "evals"             // data of evaluations
)

// A FileExpiration says when a file is to be deleted.
type FileExpiration struct {
	// Anchor is the moment from which time is counted. Empty is [AnchorCreatedAt].
	Anchor ExpirationAnchor `json:"anchor"`
	// Seconds are an hour to 30 days: 3600 to 2592000.
	Seconds int64 `json:"seconds"`
}

// An ExpirationAnchor is a moment from which an expiration counts.
type ExpirationAnchor string

// Moments from which expirations count.
const (
	AnchorCreatedAt    ExpirationAnchor = "created_at"     // of files: when they were uploaded
	AnchorLastActiveAt ExpirationAnchor = "last_active_at" // of vector stores: when they were last used
)

func (e FileExpiration) anchor() ExpirationAnchor {
	if e.Anchor == "" {
		return AnchorCreatedAt
	}
	return e.Anchor
}

// MarshalJSON writes the expiration with its anchor.
func (e FileExpiration) MarshalJSON() ([]byte, error) {
	type wire FileExpiration // without this method
	e.Anchor = e.anchor()
	return json.Marshal(wire(e))
}

// FileUploadParams describe a file to be uploaded: what a reader gives, or the file at a path.
//
// A file is sent as it is read, whatever its size, and never held in memory. Should the call have to be sent again, a
// path is opened again, and a reader that can seek is set back to where it stood. Any other reader is remembered for its
// first 64 KiB; beyond that the call is not sent again, and ends with its first error.
type FileUploadParams struct {
	// File is read to its end, from where it stands; it is not closed. One reader is for one call at a time. A call that
	// ends, as with its context, does not wait for a Read that blocks. Either File or Path is given.
	File io.Reader
	// Path is that of a regular file of this machine, in place of File. Only the name is sent, not the path.
	Path string
	// Filename is what the file is called: its ending tells the service what kind of file it is. Of a path the last
	// element counts. Empty is the name of Path, or of File if that is an *os.File. Line breaks become underscores.
	Filename string
	// ContentType is the file's media type. Empty is what the ending of the name stands for on this machine, else
	// application/octet-stream.
	ContentType string
	// Size is how many bytes there are, if File cannot tell: a reader that gives fewer or more is then an error. 0 is
	// not known, and the file is sent in chunks.
	Size int64
	// Purpose is what the file is for. Empty is [PurposeAssistants].
	Purpose FilePurpose
	// ExpiresAfter has the file deleted some day. nil: not by itself.
	ExpiresAfter *FileExpiration
	// Progress is called with how many bytes of this file were sent so far, and how many there are, -1 if that is not known:
	// whenever some were, one call after the other, while the sending waits. If the file is sent again it begins anew. No
	// call begins after the upload has returned. nil: not at all.
	Progress func(sent, total int64)
}

// source is the file itself.
func (p *FileUploadParams) source() (*source, error) {
	return newSource(p.File, p.Path, p.Filename, p.Size)
}

// name is what errors call the file; "" if nobody knows.
func (p *FileUploadParams) name() string {
	for _, path := range []string{p.Filename, p.Path} {
		if name, err := fileName(path); err == nil {
			return name
		}
	}
	if f, ok := p.File.(*os.File); ok && f != nil {
		name, _ := fileName(f.Name())
		return name
	}
	return ""
}

func (p *FileUploadParams) purpose() FilePurpose {
	if p.Purpose == "" {
		return PurposeAssistants
	}
	return p.Purpose
}

// form is the request that uploads the file.
func (p *FileUploadParams) form() (*form, error) {
	file, err := p.source()
	if err != nil {
		return nil, err
	}
	fields := append([]formField{{"purpose", string(p.purpose())}}, expirationFields(p.ExpiresAfter)...)
	f, err := newForm(fields, "file", file, p.ContentType)
	if err != nil {
		return nil, err
	}
	f.progress = p.Progress
	return f, nil
}

// FileListParams choose a part of the files. The zero value is all of them, newest first, up to what the service gives
// at once.
type FileListParams struct {
	// Purpose chooses the files of one purpose. Empty: all.
	Purpose FilePurpose `url:"purpose,omitempty"`
	// Limit is how many files a page holds, 1 to 10,000. 0 leaves it to the service, which takes 10,000.
	Limit int `url:"limit,omitempty"`
	// Order is by time of creation. Empty leaves it to the service, which takes [OrderDesc].
	Order Order `url:"order,omitempty"`
	// After is the id of a file; the page begins behind it, in the list's order.
	After string `url:"after,omitempty"`
}

// FilesService is the files of a [Client].
type FilesService service

// Upload uploads a file, of up to 512 MB at the service; [UploadsService.UploadLarge] takes larger ones. [WithTimeout]
// bounds the time in which nothing moves, not the upload.
//
// POST /files: https://platform.openai.com/docs/api-reference/files/create
func (s *FilesService) Upload(ctx context.Context, params FileUploadParams, opts ...RequestOption) (*File, error) {
	return call(ctx, s.core, post(&params, "files"), new(File), opts)
}

// Retrieve returns a file, or an error that is [ErrNotFound].
//
// GET /files/{file_id}: https://platform.openai.com/docs/api-reference/files/retrieve
func (s *FilesService) Retrieve(ctx context.Context, fileID string, opts ...RequestOption) (*File, error) {
	return call(ctx, s.core, get("files", fileID), new(File), opts)
}

// Delete deletes a file: from all vector stores and assistants too.
//
// DELETE /files/{file_id}: https://platform.openai.com/docs/api-reference/files/delete
func (s *FilesService) Delete(ctx context.Context, fileID string, opts ...RequestOption) (*Deleted, error) {
	return remove(ctx, s.core, "file", opts, "files", fileID)
}

// Content returns what is in a file, as it arrives; the caller closes it. Its errors are those of calls: a connection that
// breaks is one, and silence for longer than [WithStreamIdleTimeout] allows. The service gives out what assistants have
// made, and refuses files that were uploaded for them.
//
// GET /files/{file_id}/content: https://platform.openai.com/docs/api-reference/files/retrieve-contents
func (s *FilesService) Content(ctx context.Context, fileID string, opts ...RequestOption) (io.ReadCloser, error) {
	o := get("files", fileID, "content")
	o.whole = true
	return s.core.open(ctx, o, opts)
}

// List returns a page of files; the newest 10,000 if params is zero.
//
// GET /files: https://platform.openai.com/docs/api-reference/files/list
func (s *FilesService) List(ctx context.Context, params FileListParams, opts ...RequestOption) (*Page[File], error) {
	return list[File](ctx, s.core, get("files"), params, opts)
}

// All iterates over files, in the way of [AssistantsService.All].
//
// GET /files: https://platform.openai.com/docs/api-reference/files/list
func (s *FilesService) All(ctx context.Context, params FileListParams, opts ...RequestOption) iter.Seq2[*File, error] {
	return all[*File](ListParams{Limit: params.Limit, Order: params.Order, After: params.After}, func(p ListParams) (any, error) {
		return s.List(ctx, FileListParams{params.Purpose, p.Limit, p.Order, p.After}, opts...)
	})
}
