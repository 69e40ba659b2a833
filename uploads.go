package assistants

import (
	"context"
	"errors"
	"io"
)

// An Upload is a file on its way to the service in parts, in any order. When it is completed the parts are put together;
// an hour after it was created it expires.
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/uploads/object
type Upload struct {
	// ID begins with "upload_".
	ID string `json:"id"`
	// Object is "upload".
	Object    string       `json:"object"`
	Bytes     int64        `json:"bytes"`      // that the file is to have
	CreatedAt Timestamp    `json:"created_at"` // when it was begun
	ExpiresAt Timestamp    `json:"expires_at"` // when it will be too late to complete it
	Filename  string       `json:"filename"`   // of the file
	Purpose   FilePurpose  `json:"purpose"`    // of the file
	Status    UploadStatus `json:"status"`     // how far it is
	// File is what became of it once it is completed; nil before.
	File *File `json:"file,omitzero"`
}

func (u *Upload) check() error   { return checkObject(u.Object, "upload", u.ID) }
func (u *Upload) cursor() string { return u.ID }

// An UploadStatus is how far an upload is.
type UploadStatus string

// Statuses of uploads.
const (
	UploadPending   UploadStatus = "pending"   // it takes parts
	UploadCompleted UploadStatus = "completed" // it is a file
	UploadCancelled UploadStatus = "cancelled" // by the caller
	UploadExpired   UploadStatus = "expired"   // an hour went by
)

// An UploadPart is one part of an upload.
//
// Reference: https://platform.openai.com/docs/api-reference/uploads/part-object
type UploadPart struct {
	// ID begins with "part_".
	ID string `json:"id"`
	// Object is "upload.part".
	Object    string    `json:"object"`
	CreatedAt Timestamp `json:"created_at"` // when it was added
	UploadID  string    `json:"upload_id"`  // of the upload that it belongs to
}

func (p *UploadPart) check() error   { return checkObject(p.Object, "upload.part", p.ID) }
func (p *UploadPart) cursor() string { return p.ID }

// UploadCreateParams describe the file that an upload is to become.
type UploadCreateParams struct {
	// Filename is what the file is called.
	Filename string `json:"filename"`
	// Purpose is what the file is for.
	Purpose FilePurpose `json:"purpose"`
	// Bytes is how many bytes all parts have together, up to 8 GB.
	Bytes int64 `json:"bytes"`
	// MIMEType is the file's media type, one that the service takes for the purpose, such as "text/plain".
	MIMEType string `json:"mime_type"`
	// ExpiresAfter has the file deleted some day. nil: not by itself.
	ExpiresAfter *FileExpiration `json:"expires_after,omitzero"`
}

// UploadPartParams are the bytes of one part: at most 64 MB.
type UploadPartParams struct {
	// Data is read to its end, and read again if the call has to be sent again, in the way of [FileUploadParams].File.
	Data io.Reader
	// Size is how many bytes there are, if Data cannot tell. 0 is not known.
	Size int64
	// Progress is that of [FileUploadParams]. nil: nobody wants to know.
	Progress func(sent, total int64)
}

func (p *UploadPartParams) form() (*form, error) {
	if p.Data == nil {
		return nil, errors.New("there is no part: Data is nil")
	}
	data, err := newSource(p.Data, "", "part", p.Size)
	if err != nil {
		return nil, err
	}
	return partForm(data, p.Progress)
}

// partForm is the request that adds a part.
func partForm(data *source, progress func(sent, total int64)) (*form, error) {
	f, err := newForm(nil, "data", data, "application/octet-stream")
	if err != nil {
		return nil, err
	}
	f.progress = progress
	return f, nil
}

// UploadCompleteParams say how the parts are put together.
type UploadCompleteParams struct {
	// PartIDs are the ids of the parts, in the order of the file.
	PartIDs []string `json:"part_ids"`
	// MD5 is the checksum of the whole file in hexadecimal digits, for the service to compare. Empty: it does not.
	MD5 string `json:"md5,omitzero"`
}

// UploadsService is the uploads of a [Client].
type UploadsService service

// Create begins an upload.
//
// POST /uploads: https://platform.openai.com/docs/api-reference/uploads/create
func (s *UploadsService) Create(ctx context.Context, params UploadCreateParams, opts ...RequestOption) (*Upload, error) {
	return call(ctx, s.core, post(params, "uploads"), new(Upload), opts)
}

// AddPart adds a part. Parts may be added in any order and several at once.
//
// POST /uploads/{upload_id}/parts: https://platform.openai.com/docs/api-reference/uploads/add-part
func (s *UploadsService) AddPart(ctx context.Context, uploadID string, params UploadPartParams, opts ...RequestOption) (*UploadPart, error) {
	return call(ctx, s.core, post(&params, "uploads", uploadID, "parts"), new(UploadPart), opts)
}

// Complete puts the parts together; the answer's File is the result.
//
// POST /uploads/{upload_id}/complete: https://platform.openai.com/docs/api-reference/uploads/complete
func (s *UploadsService) Complete(ctx context.Context, uploadID string, params UploadCompleteParams, opts ...RequestOption) (*Upload, error) {
	return call(ctx, s.core, post(params, "uploads", uploadID, "complete"), new(Upload), opts)
}

// Cancel gives an upload up, with all of its parts.
//
// POST /uploads/{upload_id}/cancel: https://platform.openai.com/docs/api-reference/uploads/cancel
func (s *UploadsService) Cancel(ctx context.Context, uploadID string, opts ...RequestOption) (*Upload, error) {
	return call(ctx, s.core, post(nil, "uploads", uploadID, "cancel"), new(Upload), opts)
}
