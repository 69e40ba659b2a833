package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode"
)

// Forms: bodies of type multipart/form-data, of which one field is a file; see section 15 of docs/protocol.md. A form
// is read as a stream: its file goes into the Blobs at once, and its other fields become the JSON object that another
// request would have had as its body. So rules, ids and repetitions are looked at as ever, when all has been read.

// Limits of a form, besides that of its file.
const (
	maxFormFields = 16
	maxFormField  = 64 << 10 // bytes
	maxFormExtra  = 4 << 20  // bytes, of everything that is not the file
)

// staged is the file of a form, whose content is there and which is nobody's yet.
type staged struct {
	*making        // of the file, or the part, that it becomes
	name    string // as it was sent
	size    int64
	sum     hash.Hash // of the content, if the request may be a repetition
}

// digest returns what tells one file from another, for repetitions.
func (f *staged) digest() []byte {
	if f == nil || f.sum == nil {
		return nil
	}
	d := digest([]byte(f.name), f.sum.Sum(nil))
	return d[:]
}

// unstage removes the content of a file that has become nobody's.
func (s *Server) unstage(ctx context.Context, f *staged) {
	if f != nil {
		s.endMaking(ctx, f.making)
	}
}

// report logs an error that nobody is told of.
func (s *Server) report(ctx context.Context, about, id string, err error) {
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelError, about, slog.String("id", id), slog.String("cause", err.Error()))
	}
}

// formReader reads one form.
type formReader struct {
	server *Server
	call   *call
	file   string // the field with the file
	known  map[string]bool
	fields object
}

// readForm reads the body of a request that is a form with a file in one field.
func (s *Server) readForm(w http.ResponseWriter, c *call, file string) error {
	r := c.request
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" || r.Body == nil {
		return errNotForm()
	}
	most := s.fileLimit(file) + maxFormExtra
	if r.ContentLength > most {
		return errFileTooLarge(file, s.fileLimit(file)) // before it is read in vain
	}
	body := http.MaxBytesReader(w, r.Body, most)
	// Without its end, a form that breaks off between the lines of a head looks complete to multipart.
	whole := io.MultiReader(body, strings.NewReader("\r\n"), cutOff{})
	parts := multipart.NewReader(whole, params["boundary"])
	f := formReader{server: s, call: c, file: file, known: make(map[string]bool)}
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return s.badForm(err, file)
		}
		if err := f.add(part); err != nil {
			return err
		}
	}
	c.body = f.fields.render()
	return nil
}

// cutOff is what comes behind the end of a body: nobody who has seen the end of the form reads it.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// fileLimit returns how large the file in a field may be.
func (s *Server) fileLimit(field string) int64 {
	if field == partField {
		return maxPartBytes
	}
	return s.maxFile
}

// badForm returns what is told of a form that could not be read on.
func (s *Server) badForm(err error, file string) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return errFileTooLarge(file, s.fileLimit(file))
	}
	return errBrokenForm()
}

// add reads one field.
func (f *formReader) add(part *multipart.Part) error {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name := validText(params["name"])
	switch {
	case err != nil || name == "":
		return errBrokenForm()
	case f.known[name]:
		return errRepeated(name)
	case len(f.known) == maxFormFields:
		return errTooManyFields(maxFormFields)
	}
	f.known[name] = true
	if name == f.file {
		return f.stage(part, params["filename"])
	}
	value, err := io.ReadAll(io.LimitReader(part, maxFormField+1))
	switch {
	case err != nil:
		return f.server.badForm(err, f.file)
	case len(value) > maxFormField:
		return errFieldTooLarge(name, maxFormField)
	}
	return f.set(name, quote(validText(string(value))))
}

// set makes a field a member of the body: "purpose", or "expires_after[seconds]" of an object.
func (f *formReader) set(name string, value json.RawMessage) error {
	outer, inner, nested := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	if !nested || !strings.HasSuffix(name, "]") {
		f.fields.set(name, value)
		return nil
	}
	within := membersOf(f.fields.get(outer))
	if within == nil && f.fields.get(outer) != nil {
		return errRepeated(outer)
	}
	within.set(inner, value)
	f.fields.set(outer, within.render())
	return nil
}

// stage puts the file into the Blobs, under the id that it will have.
func (f *formReader) stage(part io.Reader, name string) error {
	s, ctx := f.server, f.call.request.Context()
	d := due{Kind: fileCollection.Kind}
	if f.file == partField {
		d.Upload = f.call.ids[0]
		d.Kind, d.ID = partCollection(d.Upload).Kind, s.newID(prefixPart)
	} else {
		d.ID = s.newID(prefixFile)
	}
	m, err := s.startMaking(ctx, d)
	if err != nil {
		return err
	}
	file := &staged{making: m, name: name}
	f.call.file = file // which ends with the request, whatever Put does
	limit := s.fileLimit(f.file)
	content := &fileReader{from: &limitedReader{part, limit, errFileTooLarge(f.file, limit)}, server: s, field: f.file}
	if f.call.request.Header.Get("Idempotency-Key") != "" {
		file.sum = sha256.New()
		content.sum = file.sum
	}
	file.size, err = s.putBlob(ctx, m, content)
	if content.failed != nil {
		return content.failed // whatever Put makes of it
	}
	return err
}

// fileReader reads a file out of a form, as far as it may go, and remembers why it could not.
type fileReader struct {
	from   *limitedReader
	sum    hash.Hash // nil: not wanted
	server *Server
	field  string
	failed error // what the caller of the API is told
}

func (r *fileReader) Read(p []byte) (int, error) {
	if r.failed != nil {
		return 0, r.failed
	}
	n, err := r.from.Read(p)
	if r.sum != nil {
		r.sum.Write(p[:n])
	}
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case err == r.from.tooMany:
		r.failed = err
	default:
		r.failed = r.server.badForm(err, r.field)
	}
	return n, r.failed
}

func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// maxNameLength is how long the name of a file may be, in characters.
const maxNameLength = 512

// fileName is the rule of a file's name. Of a path, the last element counts, whatever system it is from; control
// characters do not.
type fileName struct{}

func (fileName) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	value, err := text{}.check(path, raw)
	if err != nil {
		return nil, err
	}
	name := decodeString(value)
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, name)
	if name == "." || name == ".." {
		name = "" // a place, which whoever saves the file could be led astray by
	}
	return text{min: 1, max: maxNameLength}.check(path, quote(name))
}
