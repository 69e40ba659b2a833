package server

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"strings"
)

// Uploads, which become files when all of their parts are there: section 16 of docs/protocol.md.

// uploadCollection holds all uploads.
var uploadCollection = Collection{Kind: "upload"}

// partCollection holds the parts of an upload, as long as it is pending. Their contents are in the Blobs, under their
// ids.
func partCollection(uploadID string) Collection {
	return Collection{Kind: "upload.part", Parent: uploadID}
}

// partField is the field of a form that holds a part.
const partField = "data"

// Limits of an upload. How many parts there may be is inferred, and how long it is kept.
const (
	uploadLifetime = 3600          // seconds
	keepUploads    = secondsPerDay // behind that
	maxUploadBytes = 8 << 30
	maxPartBytes   = 64 << 20
	maxUploadParts = 10_000
)

const statusPending = "pending"

// uploadDocument is an upload.
type uploadDocument struct {
	ID        string          `json:"id"`
	Object    string          `json:"object"`
	Bytes     int64           `json:"bytes"`
	CreatedAt int64           `json:"created_at"`
	Filename  string          `json:"filename"`
	Purpose   string          `json:"purpose"`
	Status    string          `json:"status"`
	ExpiresAt int64           `json:"expires_at"`
	File      json.RawMessage `json:"file,omitempty"` // of a completed one
}

// uploadState is what is kept with an upload.
type uploadState struct {
	ExpiresAfter int64 `json:"expires_after,omitempty"` // of the file, in seconds
	Parts        int   `json:"parts,omitempty"`
	Bytes        int64 `json:"bytes,omitempty"` // of all parts

	Completion string `json:"completion,omitempty"` // a hash of what it was completed with
}

// partDocument is a part.
type partDocument struct {
	ID        string `json:"id"`
	Object    string `json:"object"`
	CreatedAt int64  `json:"created_at"`
	UploadID  string `json:"upload_id"`
}

// partState is what is kept with a part.
type partState struct {
	Bytes int64 `json:"bytes"`
}

var createUploadRule = closed{properties: []property{
	{key: "filename", rule: fileName{}, required: true},
	{key: "purpose", rule: filePurpose{}, required: true},
	{key: "bytes", rule: integer{1, maxUploadBytes}, required: true},
	{key: "mime_type", rule: text{min: 1, max: 256}, required: true},
	{key: "expires_after", rule: expiresAfter(expirySeconds)},
}}

// createUpload is POST /uploads. What type the content is of is checked and not kept: nothing depends on it.
func (s *Server) createUpload(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, createUploadRule)
	if err != nil {
		return reply{}, err
	}
	now := s.now().Unix()
	size, _ := decode[int64](given.get("bytes"))
	doc := uploadDocument{
		ID: s.newID(prefixUpload), Object: "upload", Bytes: size, CreatedAt: now,
		Filename: decodeString(given.get("filename")), Purpose: decodeString(given.get("purpose")),
		Status: statusPending, ExpiresAt: now + uploadLifetime,
	}
	state := uploadState{ExpiresAfter: secondsOf(given.get("expires_after"))}
	if err := s.schedule(ctx, doc.ID, doc.ExpiresAt, due{Kind: uploadCollection.Kind, ID: doc.ID}); err != nil {
		return reply{}, err
	}
	record := Record{ID: doc.ID, CreatedAt: now, Data: encode(doc), State: encode(state)}
	if err := s.store.Insert(ctx, uploadCollection, record); err != nil {
		return reply{}, err
	}
	return ok(record.Data)
}

// openUpload is an upload that is its user's alone until done.
type openUpload struct {
	doc   uploadDocument
	state uploadState
	done  func()
}

// upload returns the upload that a request is about.
func (s *Server) upload(ctx context.Context, id string) (*openUpload, error) {
	t := s.engine.lock(id)
	u, err := s.readUpload(ctx, id)
	if err != nil {
		s.engine.unlock(t)
		return nil, missing(err, "upload", id)
	}
	u.done = func() { s.engine.unlock(t) }
	return u, nil
}

// pendingUpload returns the upload that a request is about, if it is pending. The verb is for the error.
func (s *Server) pendingUpload(ctx context.Context, id, verb string) (*openUpload, error) {
	u, err := s.upload(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := u.check(verb, s.now().Unix()); err != nil {
		u.done()
		return nil, err
	}
	return u, nil
}

// check returns an error unless the upload is pending.
func (u *openUpload) check(verb string, now int64) error {
	switch {
	case u.doc.Status != statusPending:
		return errUploadStatus(verb, u.doc.Status)
	case now >= u.doc.ExpiresAt:
		return errUploadStatus(verb, statusExpired) // which the next sweep makes it
	}
	return nil
}

func (s *Server) readUpload(ctx context.Context, id string) (*openUpload, error) {
	record, err := s.store.Get(ctx, uploadCollection, id)
	if err != nil {
		return nil, err
	}
	u := &openUpload{}
	if u.doc, err = decode[uploadDocument](record.Data); err == nil {
		u.state, err = decode[uploadState](record.State)
	}
	return u, err
}

// saveUpload writes an upload down as it is now.
func (s *Server) saveUpload(ctx context.Context, u *openUpload) (json.RawMessage, error) {
	r, err := s.store.Update(ctx, uploadCollection, u.doc.ID, func(r Record) (Record, error) {
		r.Data, r.State = encode(u.doc), encode(u.state)
		return r, nil
	})
	return r.Data, err
}

// addPart is POST /uploads/{upload_id}/parts. The content is there already.
func (s *Server) addPart(ctx context.Context, c *call) (reply, error) {
	if _, err := s.parse(c, closed{}); err != nil {
		return reply{}, err
	}
	if c.file == nil {
		return reply{}, errMissingParameter(partField)
	}
	if err := checkFileSize(partField, c.file.size); err != nil {
		return reply{}, err
	}
	u, err := s.pendingUpload(ctx, c.ids[0], "add part to")
	if err != nil {
		return reply{}, err
	}
	defer u.done()
	u.state.Parts++
	u.state.Bytes += c.file.size
	switch {
	case u.state.Parts > maxUploadParts:
		return reply{}, errUploadFull("parts", maxUploadParts)
	case u.state.Bytes > maxUploadBytes:
		return reply{}, errUploadFull("bytes", maxUploadBytes)
	}
	now := s.now().Unix()
	data := encode(partDocument{ID: c.file.ID, Object: "upload.part", CreatedAt: now, UploadID: u.doc.ID})
	record := Record{ID: c.file.ID, CreatedAt: now, Data: data, State: encode(partState{c.file.size})}
	all := &insertions{store: s.store}
	if err := all.insert(ctx, partCollection(u.doc.ID), record); err != nil {
		return reply{}, err
	}
	if _, err := s.saveUpload(ctx, u); err != nil {
		return reply{}, all.undo(ctx, err)
	}
	return ok(data)
}

var completeUploadRule = closed{properties: []property{
	{key: "part_ids", rule: array{plural: "strings", min: 1, max: maxUploadParts, item: text{min: 1}}, required: true},
	{key: "md5", rule: text{}},
}}

// completeUpload is POST /uploads/{upload_id}/complete. It is inferred that the same can be said again, by somebody
// whom the answer has not reached.
func (s *Server) completeUpload(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, completeUploadRule)
	if err != nil {
		return reply{}, err
	}
	u, err := s.upload(ctx, c.ids[0])
	if err != nil {
		return reply{}, err
	}
	defer u.done()
	parts, err := decode[[]string](given.get("part_ids"))
	if err != nil {
		return reply{}, err
	}
	checksum := strings.ToLower(decodeString(orElse(given.get("md5"), `""`)))
	completion := completionOf(parts, checksum)
	if u.doc.Status == statusCompleted && u.state.Completion == completion {
		return ok(encode(u.doc))
	}
	if err := u.check("complete", s.now().Unix()); err != nil {
		return reply{}, err
	}
	u.state.Completion = completion
	data, err := s.assemble(ctx, u, parts, checksum)
	if err != nil {
		return reply{}, err
	}
	s.report(ctx, "upload", u.doc.ID, s.removeParts(context.WithoutCancel(ctx), u.doc.ID)) // or when it expires
	return ok(data)
}

// completionOf returns what tells one completion from another.
func completionOf(partIDs []string, checksum string) string {
	sum := digest(encode(partIDs), []byte(checksum))
	return hex.EncodeToString(sum[:])
}

// assemble makes the file of a pending upload and returns the upload, which is completed with that.
func (s *Server) assemble(ctx context.Context, u *openUpload, partIDs []string, checksum string) (json.RawMessage, error) {
	if err := s.checkParts(ctx, u, partIDs); err != nil {
		return nil, err
	}
	m, err := s.startMaking(ctx, due{Kind: fileCollection.Kind, ID: s.newID(prefixFile), Upload: u.doc.ID})
	if err != nil {
		return nil, err
	}
	defer s.endMaking(ctx, m)
	content := &partsReader{ctx: ctx, blobs: s.blobs, ids: partIDs, sum: md5.New(), want: checksum}
	defer content.close()
	f := newFile{name: u.doc.Filename, purpose: u.doc.Purpose, expiresAfter: u.state.ExpiresAfter}
	file, err := s.fillFile(ctx, m, f, content)
	if err != nil {
		return nil, err
	}
	u.doc.Status, u.doc.File = statusCompleted, file.Data
	return s.saveUpload(ctx, u)
}

// completedWith returns ErrNotFound for a file that an upload has begun to become, and did not. Of an upload that is
// forgotten the file was there for long.
func (s *Server) completedWith(ctx context.Context, uploadID, fileID string) error {
	u, err := s.readUpload(ctx, uploadID)
	if err != nil {
		return unlessGone(err)
	}
	if u.doc.Status == statusCompleted && decodeString(membersOf(u.doc.File).get("id")) == fileID {
		return nil
	}
	return ErrNotFound
}

// checkParts returns an error if an upload cannot be completed with these parts.
func (s *Server) checkParts(ctx context.Context, u *openUpload, ids []string) error {
	known, size := make(map[string]bool, len(ids)), int64(0)
	for _, id := range ids {
		if known[id] {
			return errPartTwice(id)
		}
		record, err := s.store.Get(ctx, partCollection(u.doc.ID), id)
		if err != nil {
			return missing(err, "part", id)
		}
		state, err := decode[partState](record.State)
		if err != nil {
			return err
		}
		known[id], size = true, size+state.Bytes
	}
	if size != u.doc.Bytes {
		return errUploadSize(u.doc.Bytes, size)
	}
	return nil
}

// partsReader reads one part behind the other. Its end is an error if it is not what the caller has announced.
type partsReader struct {
	ctx   context.Context
	blobs Blobs
	ids   []string      // of the parts that are not open yet
	part  io.ReadCloser // nil: none is open
	want  string        // the checksum, in small letters; "": any
	sum   hash.Hash
}

func (r *partsReader) Read(p []byte) (int, error) {
	if r.part == nil {
		if len(r.ids) == 0 {
			return 0, r.end()
		}
		part, err := r.blobs.Open(r.ctx, r.ids[0])
		if err != nil {
			return 0, err
		}
		r.part, r.ids = part, r.ids[1:]
	}
	n, err := r.part.Read(p)
	r.sum.Write(p[:n])
	if err == io.EOF {
		err = r.close()
	}
	return n, err
}

func (r *partsReader) end() error {
	got := hex.EncodeToString(r.sum.Sum(nil))
	if r.want != "" && r.want != got {
		return errUploadSum(r.want, got)
	}
	return io.EOF
}

func (r *partsReader) close() error {
	if r.part == nil {
		return nil
	}
	part := r.part
	r.part = nil
	return part.Close()
}

// cancelUpload is POST /uploads/{upload_id}/cancel.
func (s *Server) cancelUpload(ctx context.Context, c *call) (reply, error) {
	if _, err := s.parse(c, closed{}); err != nil {
		return reply{}, err
	}
	u, err := s.pendingUpload(ctx, c.ids[0], "cancel")
	if err != nil {
		return reply{}, err
	}
	defer u.done()
	u.doc.Status = statusCancelled
	data, err := s.saveUpload(ctx, u)
	if err != nil {
		return reply{}, err
	}
	s.report(ctx, "upload", u.doc.ID, s.removeParts(context.WithoutCancel(ctx), u.doc.ID)) // or when it expires
	return ok(data)
}

// removeParts removes the parts of an upload that needs them no more.
func (s *Server) removeParts(ctx context.Context, id string) error {
	for r, err := range s.records(ctx, partCollection(id), Ascending) {
		if err == nil {
			err = unlessGone(s.blobs.Delete(ctx, r.ID))
		}
		if err != nil {
			return err
		}
	}
	return s.store.Drop(ctx, partCollection(id))
}

// settlePart removes the content of a part that is not one.
func (s *Server) settlePart(ctx context.Context, d due) error {
	_, err := s.store.Get(ctx, d.collection(), d.ID)
	if errors.Is(err, ErrNotFound) {
		err = unlessGone(s.blobs.Delete(ctx, d.ID))
	}
	return err
}

// settleUpload ends an upload whose time is over, if nobody else has, and removes it a day later.
func (s *Server) settleUpload(ctx context.Context, id string) error {
	u, err := s.readUpload(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return s.removeParts(ctx, id)
	}
	if err != nil {
		return err
	}
	if u.doc.Status == statusPending {
		u.doc.Status = statusExpired
		if _, err := s.saveUpload(ctx, u); err != nil {
			return err
		}
	}
	if err := s.removeParts(ctx, id); err != nil {
		return err
	}
	forgotten := u.doc.ExpiresAt + keepUploads
	if s.now().Unix() >= forgotten {
		return unlessGone(s.store.Delete(ctx, uploadCollection, id))
	}
	return s.schedule(ctx, "ended-"+id, forgotten, due{Kind: uploadCollection.Kind, ID: id})
}
