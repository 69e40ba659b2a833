package recording

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// A FormField is a field of a form that was sent.
type FormField struct {
	Name string `json:"name"`
	// Filename is "" if the field is no file.
	Filename string `json:"filename"`
	// ContentType is "" if it was not recorded, or if there was none.
	ContentType string `json:"content_type"`
	// Text or Raw is what was in it; neither if that was not recorded.
	Text *string `json:"text"`
	Raw  []byte  `json:"raw_base64"`
	// Size and SHA256 are of what was in it; zero if they were not recorded.
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

// Content is what was in the field. ok is false if that was not recorded; content then has only the size of it.
func (f *FormField) Content() (content []byte, ok bool) {
	switch {
	case f.Text != nil:
		return []byte(*f.Text), true
	case f.Raw != nil:
		return f.Raw, true
	}
	return bytes.Repeat([]byte("x"), f.Size), false
}

// Differs says in what content is not what was in the field; "" if nothing is known to differ.
func (f *FormField) Differs(content []byte) string {
	recorded, known := f.Content()
	sum := sha256.Sum256(content)
	switch digest := hex.EncodeToString(sum[:]); {
	case len(content) != len(recorded):
		return fmt.Sprintf("got %d bytes, want %d", len(content), len(recorded))
	case !known:
		return ""
	case string(content) != string(recorded):
		return fmt.Sprintf("got %q, want %q", content, recorded)
	case f.SHA256 != "" && digest != f.SHA256:
		return fmt.Sprintf("got the checksum %s, want %s", digest, f.SHA256)
	}
	return ""
}

// Form is the form that was sent; nil if the body was none, or was not recorded.
func (e *Exchange) Form() []FormField {
	var body struct {
		Fields []FormField `json:"multipart_fields"`
	}
	if json.Unmarshal(e.RequestBody, &body) != nil { // a body that is no object
		return nil
	}
	return body.Fields
}

// KnowsFiles reports whether the files of the form, if it was one, are known to the byte.
func (e *Exchange) KnowsFiles() bool {
	fields := e.Form()
	for i := range fields {
		if _, ok := fields[i].Content(); !ok {
			return false
		}
	}
	return true
}

// Answer is the body of the answer.
func (e *Exchange) Answer() []byte {
	if e.ResponseBinary != nil {
		return e.ResponseBinary.Raw
	}
	return []byte(e.ResponseText)
}
