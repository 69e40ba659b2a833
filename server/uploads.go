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

// partCollection holds the parts of an upload, as long as it is pending. Their contents are in the Blobs, under their ids.
func partCollection(uploadID string) Collection {
	return Collection{Kind: "upload.part", Parent: uploadID}
}

// partField is the field of a form that holds a part.
const partField = "data"

// Limits of an upload. How many parts there may be is inferred.
const (
	uploadLifetime = 3600 // seconds
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
	all := &insertions{store: s.store}
	err = all.insert(ctx, expiryCollection, expiry(uploadCollection, doc.ID, doc.ExpiresAt))
	data := encode(doc)
	if err == nil {
		err = all.insert(ctx, uploadCollection, Record{ID: doc.ID, CreatedAt: now, Data: data, State: encode(state)})
	}
	if err != nil {
		return reply{}, all.undo(ctx, err)
	}
	return ok(data)
}

// pending is an upload that can be gone on with, and is its user's alone until done.
type pending struct {
	doc   uploadDocument
	state uploadState
	done  func()
}

// pendingUpload returns the upload that a request is about, if it is pending. The verb is for the error.
func (s *Server) pendingUpload(ctx context.Context, id, verb string) (*pending, error) {
	t := s.engine.lock(id)
	p, err := s.readUpload(ctx, id)
	switch {
	case err != nil:
	case p.doc.Status == statusPending && s.now().Unix() >= p.doc.ExpiresAt:
		err = errUploadStatus(verb, statusExpired) // which the next sweep makes it
	case p.doc.Status != statusPending:
		err = errUploadStatus(verb, p.doc.Status)
	}
	if err != nil {
		s.engine.unlock(t)
		return nil, missing(err, "upload", id)
	}
	p.done = func() { s.engine.unlock(t) }
	return p, nil
}

func (s *Server) readUpload(ctx context.Context, id string) (*pending, error) {
	record, err := s.store.Get(ctx, uploadCollection, id)
	if err != nil {
		return nil, err
	}
	p := &pending{}
	if p.doc, err = decode[uploadDocument](record.Data); err == nil {
		p.state, err = decode[uploadState](record.State)
	}
	return p, err
}

// saveUpload writes an upload down as it is now.
func (s *Server) saveUpload(ctx context.Context, p *pending) (json.RawMessage, error) {
	r, err := s.store.Update(ctx, uploadCollection, p.doc.ID, func(r Record) (Record, error) {
		r.Data, r.State = encode(p.doc), encode(p.state)
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
	p, err := s.pendingUpload(ctx, c.ids[0], "add part to")
	if err != nil {
		return reply{}, err
	}
	defer p.done()
	p.state.Parts++
	p.state.Bytes += c.file.size
	switch {
	case p.state.Parts > maxUploadParts:
		return reply{}, errUploadFull("parts", maxUploadParts)
	case p.state.Bytes > maxUploadBytes:
		return reply{}, errUploadFull("bytes", maxUploadBytes)
	}
	now := s.now().Unix()
	data := encode(partDocument{ID: c.file.id, Object: "upload.part", CreatedAt: now, UploadID: p.doc.ID})
	record := Record{ID: c.file.id, CreatedAt: now, Data: data, State: encode(partState{c.file.size})}
	all := &insertions{store: s.store}
	if err := all.insert(ctx, partCollection(p.doc.ID), record); err != nil {
		return reply{}, err
	}
	if _, err := s.saveUpload(ctx, p); err != nil {
		return reply{}, all.undo(ctx, err)
	}
	c.file.kept = true
	return ok(data)
}

var completeUploadRule = closed{properties: []property{
	{key: "part_ids", rule: array{plural: "strings", min: 1, max: maxUploadParts, item: text{min: 1}}, required: true},
	{key: "md5", rule: text{}},
}}

// completeUpload is POST /uploads/{upload_id}/complete.
func (s *Server) completeUpload(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, completeUploadRule)
	if err != nil {
		return reply{}, err
	}
	p, err := s.pendingUpload(ctx, c.ids[0], "complete")
	if err != nil {
		return reply{}, err
	}
	defer p.done()
	parts, err := s.partsOf(ctx, p, itemsOf(given.get("part_ids")))
	if err != nil {
		return reply{}, err
	}
	content := &partsReader{ctx: ctx, blobs: s.blobs, ids: parts, sum: md5.New()}
	if want := given.get("md5"); want != nil {
		content.want = decodeString(want)
	}
	defer content.close()
	f := newFile{name: p.doc.Filename, purpose: p.doc.Purpose, expiresAfter: p.state.ExpiresAfter}
	file, err := s.createFile(ctx, f, content)
	if err != nil {
		return reply{}, err
	}
	p.doc.Status, p.doc.File = statusCompleted, file.Data
	data, err := s.saveUpload(ctx, p)
	if err != nil {
		return reply{}, errors.Join(err, s.dropFile(context.WithoutCancel(ctx), file.ID))
	}
	s.dropParts(ctx, p.doc.ID)
	return ok(data)
}

// partsOf returns the ids of the parts that an upload is completed with, if that can be.
func (s *Server) partsOf(ctx context.Context, p *pending, given []json.RawMessage) ([]string, error) {
	ids, known, size := make([]string, 0, len(given)), make(map[string]bool, len(given)), int64(0)
	for _, raw := range given {
		id := decodeString(raw)
		if known[id] {
			return nil, errPartTwice(id)
		}
		record, err := s.store.Get(ctx, partCollection(p.doc.ID), id)
		if err != nil {
			return nil, missing(err, "part", id)
		}
		state, err := decode[partState](record.State)
		if err != nil {
			return nil, err
		}
		ids, known[id], size = append(ids, id), true, size+state.Bytes
	}
	if size != p.doc.Bytes {
		return nil, errUploadSize(p.doc.Bytes, size)
	}
	return ids, nil
}

// partsReader reads one part behind the other. Its end is an error if it is not what the caller has announced.
type partsReader struct {
	ctx   context.Context
	blobs Blobs
	ids   []string      // of the parts that are not open yet
	part  io.ReadCloser // nil: none is open
	want  string        // the checksum; "": any
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
	if r.want != "" && !strings.EqualFold(r.want, got) {
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

// dropParts removes the parts of an upload that needs them no more. That it fails is for the log.
func (s *Server) dropParts(ctx context.Context, id string) {
	s.report(ctx, "upload", id, s.removeParts(context.WithoutCancel(ctx), id))
}

func (s *Server) removeParts(ctx context.Context, id string) error {
	for r, err := range s.records(ctx, partCollection(id), Ascending) {
		if err != nil {
			return err
		}
		if err := s.blobs.Delete(ctx, r.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if err := s.store.Drop(ctx, partCollection(id)); err != nil {
		return err
	}
	return s.forgetExpiry(ctx, id)
}

// cancelUpload is POST /uploads/{upload_id}/cancel.
func (s *Server) cancelUpload(ctx context.Context, c *call) (reply, error) {
	if _, err := s.parse(c, closed{}); err != nil {
		return reply{}, err
	}
	p, err := s.pendingUpload(ctx, c.ids[0], "cancel")
	if err != nil {
		return reply{}, err
	}
	defer p.done()
	p.doc.Status = statusCancelled
	data, err := s.saveUpload(ctx, p)
	if err != nil {
		return reply{}, err
	}
	s.dropParts(ctx, p.doc.ID)
	return ok(data)
}

// expireUpload ends an upload that was not completed in time, or removes the parts that another end has left.
func (s *Server) expireUpload(ctx context.Context, id string) error {
	t := s.engine.lock(id)
	defer s.engine.unlock(t)
	p, err := s.readUpload(ctx, id)
	if err == nil && p.doc.Status == statusPending {
		p.doc.Status = statusExpired
		_, err = s.saveUpload(ctx, p)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return s.removeParts(context.WithoutCancel(ctx), id)
}
