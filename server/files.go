package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Files: section 15 of docs/protocol.md.

// fileCollection holds all files. Their contents are in the Blobs, under the same ids.
var fileCollection = Collection{Kind: "file"}

// fileDocument is a file.
type fileDocument struct {
	Object        string  `json:"object"`
	ID            string  `json:"id"`
	Purpose       string  `json:"purpose"`
	Filename      string  `json:"filename"`
	Bytes         int64   `json:"bytes"`
	CreatedAt     int64   `json:"created_at"`
	ExpiresAt     moment  `json:"expires_at"`
	Status        string  `json:"status"`
	StatusDetails *string `json:"status_details"`
}

// newFile is what a file is made of, besides its content.
type newFile struct {
	name, purpose string
	expiresAfter  int64 // seconds; 0: never
}

// filePurposes are what callers may upload files for.
var filePurposes = []string{"fine-tune", "assistants", "batch", "user_data", "vision", "evals"}

// filePurpose is the rule of a file's purpose.
type filePurpose struct{}

func (filePurpose) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	value, err := text{}.check(path, raw)
	if err != nil {
		return nil, err
	}
	if purpose := decodeString(value); !slices.Contains(filePurposes, purpose) {
		return nil, errPurpose(path, purpose)
	}
	return value, nil
}

// expiresAfter is the rule of when a file expires; its seconds are a number, or a text of digits in a form.
func expiresAfter(seconds rule) closed {
	return closed{properties: []property{
		{key: "anchor", rule: enum{"created_at"}, required: true},
		{key: "seconds", rule: seconds, required: true},
	}}
}

// expirySeconds is when a file may expire: after an hour to 30 days.
var expirySeconds = integer{3600, 2_592_000}

// writtenInteger is an integer in a form, where all there is are texts.
type writtenInteger struct{ integer }

func (w writtenInteger) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	digits := decodeString(raw)
	if got := kindOfParameter(digits); got != kindInteger {
		return nil, errType(path, string(kindInteger), string(got))
	}
	return raw, w.within(path, digits)
}

var uploadFileRule = closed{properties: []property{
	{key: "purpose", rule: filePurpose{}, required: true},
	{key: "expires_after", rule: expiresAfter(writtenInteger{expirySeconds})},
}}

// uploadFile is POST /files. The content is there already, and the record makes it a file.
func (s *Server) uploadFile(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, uploadFileRule)
	if err != nil {
		return reply{}, err
	}
	if c.file == nil {
		return reply{}, errMissingParameter("file")
	}
	name, refused := fileName{}.check("file", quote(validText(c.file.name)))
	if refused != nil {
		return reply{}, refused
	}
	if err := checkFileSize("file", c.file.size); err != nil {
		return reply{}, err
	}
	f := newFile{name: decodeString(name), purpose: decodeString(given.get("purpose"))}
	f.expiresAfter = secondsOf(given.get("expires_after"))
	record, err := s.insertFile(ctx, c.file.ID, c.file.size, f)
	if err != nil {
		return reply{}, err
	}
	return ok(record.Data)
}

// secondsOf returns the seconds of a checked expires_after; 0 if there is none.
func secondsOf(expiresAfter json.RawMessage) int64 {
	seconds := membersOf(expiresAfter).get("seconds")
	if seconds != nil && kindOf(seconds) == kindString {
		seconds = json.RawMessage(decodeString(seconds))
	}
	n, _ := strconv.ParseInt(string(seconds), 10, 64)
	return n
}

// createFile makes a file of content.
func (s *Server) createFile(ctx context.Context, f newFile, content io.Reader) (Record, error) {
	m, err := s.startMaking(ctx, due{Kind: fileCollection.Kind, ID: s.newID(prefixFile)})
	if err != nil {
		return Record{}, err
	}
	defer s.endMaking(ctx, m)
	return s.fillFile(ctx, m, f, content)
}

// fillFile makes a file that was begun of content.
func (s *Server) fillFile(ctx context.Context, m *making, f newFile, content io.Reader) (Record, error) {
	size, err := s.putBlob(ctx, m, content)
	if err != nil {
		return Record{}, err
	}
	return s.insertFile(ctx, m.ID, size, f)
}

// putBlob keeps the content of a thing that was begun. Under an id that was made twice there is somebody else's.
func (s *Server) putBlob(ctx context.Context, m *making, content io.Reader) (size int64, err error) {
	size, err = s.blobs.Put(ctx, m.ID, content)
	m.idle = errors.Is(err, ErrExists)
	return size, err
}

// insertFile makes a file that was begun of its blob.
func (s *Server) insertFile(ctx context.Context, id string, size int64, f newFile) (Record, error) {
	now := s.now().Unix()
	doc := fileDocument{
		Object: "file", ID: id, Purpose: f.purpose, Filename: f.name, Bytes: size, CreatedAt: now, Status: "processed",
	}
	if f.expiresAfter > 0 {
		doc.ExpiresAt = moment(now + f.expiresAfter)
		if err := s.schedule(ctx, id, int64(doc.ExpiresAt), due{Kind: fileCollection.Kind, ID: id}); err != nil {
			return Record{}, err
		}
	}
	record := Record{ID: id, CreatedAt: now, Data: encode(doc)}
	return record, s.store.Insert(ctx, fileCollection, record)
}

// expired tells whether a file's time is over.
func (f fileDocument) expired(now int64) bool {
	return f.ExpiresAt != 0 && now >= int64(f.ExpiresAt)
}

// file returns a file, or ErrNotFound if there is none or if it has expired: what is left of that goes with the next
// sweep.
func (s *Server) file(ctx context.Context, id string) (Record, error) {
	record, _, err := s.findFile(ctx, id)
	return record, err
}

func (s *Server) findFile(ctx context.Context, id string) (Record, fileDocument, error) {
	record, err := s.store.Get(ctx, fileCollection, id)
	if err != nil {
		return record, fileDocument{}, err
	}
	doc, err := decode[fileDocument](record.Data)
	if err == nil && doc.expired(s.now().Unix()) {
		err = ErrNotFound
	}
	return record, doc, err
}

// openFile returns a file with its content, which the caller closes, or ErrNotFound.
func (s *Server) openFile(ctx context.Context, id string) (fileDocument, io.ReadCloser, error) {
	_, doc, err := s.findFile(ctx, id)
	if err != nil {
		return fileDocument{}, nil, err
	}
	content, err := s.blobs.Open(ctx, id)
	return doc, content, err
}

// settleFile removes what there is of a file without its record, of one that has expired, and of one that an upload
// was not completed with after all: its content, and its id wherever it is used.
func (s *Server) settleFile(ctx context.Context, d due) error {
	_, err := s.file(ctx, d.ID)
	if err == nil && d.Upload != "" {
		err = s.completedWith(ctx, d.Upload, d.ID)
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := unlessGone(s.store.Delete(ctx, fileCollection, d.ID)); err != nil {
		return err
	}
	// Nobody has it any more, whatever is left of it.
	err = errors.Join(s.releaseFile(ctx, d.ID), unlessGone(s.blobs.Delete(ctx, d.ID)), s.store.Drop(ctx, notes(d.ID)))
	if err != nil {
		return err
	}
	return s.unschedule(ctx, d.ID)
}

// retrieveFile is GET /files/{file_id}.
func (s *Server) retrieveFile(ctx context.Context, c *call) (reply, error) {
	record, err := s.file(ctx, c.ids[0])
	if err != nil {
		return reply{}, missingFile(err, c.ids[0])
	}
	return ok(record.Data)
}

// deleteFile is DELETE /files/{file_id}.
func (s *Server) deleteFile(ctx context.Context, c *call) (reply, error) {
	id := c.ids[0]
	if err := s.remove(ctx, due{Kind: fileCollection.Kind, ID: id}, s.file); err != nil {
		return reply{}, missingFile(err, id)
	}
	return ok(object{
		{"object", json.RawMessage(`"file"`)}, {"deleted", json.RawMessage("true")}, {"id", quote(id)},
	}.render())
}

// missingFile is missing for requests that are about a file.
func missingFile(err error, id string) error {
	if errors.Is(err, ErrNotFound) {
		return errNoSuchFile(id)
	}
	return err
}

// maxFilePage is how many files are listed at once, and by default.
const maxFilePage = 10_000

// listFiles is GET /files, of one purpose if the query says so.
func (s *Server) listFiles(ctx context.Context, c *call) (reply, error) {
	q, err := listQueryWithin(c, maxFilePage, maxFilePage)
	if err != nil {
		return reply{}, err
	}
	q.Before = "" // which these lists do not have
	purpose, now := c.request.URL.Query().Get("purpose"), s.now().Unix()
	listing, err := s.listKept(ctx, fileCollection, q, func(r Record) bool {
		doc, err := decode[fileDocument](r.Data)
		return err == nil && (purpose == "" || doc.Purpose == purpose) && !doc.expired(now)
	})
	var unknown UnknownCursorError
	if errors.As(err, &unknown) {
		return reply{}, errUnknownCursor("file", unknown.ID)
	}
	if err != nil {
		return reply{}, err
	}
	return ok(filePage(shorten(listing, false)))
}

// filePage is a page with its keys in the order that this list has alone.
func filePage(listing Listing) []byte {
	o := splitObject(page(listing))
	return object{
		{"object", o.get("object")}, {"data", o.get("data")}, {"has_more", o.get("has_more")},
		{"first_id", o.get("first_id")}, {"last_id", o.get("last_id")},
	}.render()
}

// fileContent is GET /files/{file_id}/content.
func (s *Server) fileContent(ctx context.Context, c *call) (reply, error) {
	doc, blob, err := s.openFile(ctx, c.ids[0])
	if err != nil {
		return reply{}, missingFile(err, c.ids[0])
	}
	return reply{status: http.StatusOK, content: &content{name: doc.Filename, size: doc.Bytes, blob: blob}}, nil
}

// content is that of a file, on its way to the caller.
type content struct {
	name string
	size int64
	blob io.ReadCloser
}

// describe sets the headers. A name that is not ASCII is encoded.
func (c *content) describe(h http.Header) {
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(c.size, 10))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": c.name}))
}

// maxEmptyReads is how many times in a row a reader may return nothing, without an error.
const maxEmptyReads = 100

// send sends the content, and returns an error if not all of it could be read. A caller who has gone, or who takes
// nothing for too long, is none.
func (c *content) send(w http.ResponseWriter) error {
	defer c.blob.Close()
	connection, piece := http.NewResponseController(w), make([]byte, min(c.size, 64<<10))
	empty := 0
	for left := c.size; left > 0; {
		n, err := c.blob.Read(piece[:min(left, int64(len(piece)))])
		_ = connection.SetWriteDeadline(time.Now().Add(readerPatience)) // not all connections can
		if _, err := w.Write(piece[:n]); err != nil {
			return nil
		}
		if empty++; n > 0 {
			empty = 0
		}
		switch left -= int64(n); {
		case left == 0: // whatever comes with the last bytes
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case empty == maxEmptyReads:
			return io.ErrNoProgress
		}
	}
	_ = connection.SetWriteDeadline(time.Time{}) // HTTP/2 counts it while nothing is written, too
	return nil
}
