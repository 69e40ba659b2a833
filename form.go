package assistants

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A form is a request that carries a file: a body of type multipart/form-data, which is put together while it is sent.
type form struct {
	head, tail  []byte // around the file
	contentType string
	file        *source
	progress    func(sent, total int64) // nil: nobody wants to know
	reporting   sync.Mutex              // held while progress is called
}

// A formField is a text beside the file.
type formField struct{ name, value string }

// newForm puts a form together. contentType is that of the file, "" for what its name says.
func newForm(fields []formField, key string, file *source, contentType string) (*form, error) {
	contentType, err := mediaType(contentType, file.name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		if err := w.WriteField(f.name, f.value); err != nil {
			return nil, err
		}
	}
	_, err = w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="` + key + `"; filename="` + quoteName(file.name) + `"`},
		"Content-Type":        {contentType},
	})
	if err != nil {
		return nil, err
	}
	head := b.Len()
	if err := w.Close(); err != nil {
		return nil, err
	}
	body := b.Bytes()
	return &form{head: body[:head:head], tail: body[head:], contentType: w.FormDataContentType(), file: file}, nil
}

// mediaType is what a file is said to be, else what the ending of its name stands for.
func mediaType(said, name string) (string, error) {
	if said == "" { // the name does not say of which character set the file is
		said, _, _ = strings.Cut(mime.TypeByExtension(path.Ext(name)), ";")
	}
	if said == "" {
		return "application/octet-stream", nil
	}
	if _, _, err := mime.ParseMediaType(said); err != nil || checkHeader("Content-Type", said) != nil {
		return "", fmt.Errorf("the content type %q is none", said)
	}
	return said, nil
}

// quoteName escapes a name for a header, in which it may hold anything but line breaks.
func quoteName(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, `\`, `\\`), `"`, `\"`)
}

// expirationFields are how a form says when a file expires.
func expirationFields(e *FileExpiration) []formField {
	if e == nil {
		return nil
	}
	return []formField{
		{"expires_after[anchor]", string(e.anchor())},
		{"expires_after[seconds]", strconv.FormatInt(e.Seconds, 10)},
	}
}

// Open, Spent and Size make it a transport.Content.
func (f *form) Open() (io.ReadCloser, error) {
	content, err := f.file.open()
	if err != nil {
		return nil, err
	}
	if f.progress != nil {
		content = &watched{ReadCloser: content, total: f.file.size, report: f.progress, reporting: &f.reporting}
	}
	return readCloser{io.MultiReader(bytes.NewReader(f.head), content, bytes.NewReader(f.tail)), content}, nil
}

// Spent reports whether the file cannot be read again.
func (f *form) Spent() bool { return f.file.spent != nil && f.file.spent() }

// Size is that of the whole body; -1: nobody knows.
func (f *form) Size() int64 {
	if f.file.size < 0 {
		return -1
	}
	return int64(len(f.head)) + f.file.size + int64(len(f.tail))
}

// A watched reader reports how much of it was read, until it is closed: neither during the next attempt nor after the call.
type watched struct {
	io.ReadCloser
	total     int64
	report    func(sent, total int64)
	reporting *sync.Mutex // that of all attempts: one that is over may still be reporting
	sent      int64
	closed    atomic.Bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if n > 0 {
		w.reporting.Lock()
		defer w.reporting.Unlock()
		if !w.closed.Load() {
			w.sent += int64(n)
			w.report(w.sent, w.total)
		}
	}
	return n, err
}

// Close does not wait for a report that is being made: it may be waiting for whoever closes.
func (w *watched) Close() error {
	w.closed.Store(true)
	return w.ReadCloser.Close()
}
