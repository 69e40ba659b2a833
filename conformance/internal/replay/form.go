package replay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"slices"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// knowsBody reports whether it is known what a typed call has to send as the body.
func knowsBody(e *recording.Exchange) bool { return e.KnowsBody() && !misplacedForm(e) }

// knowsRequest reports whether a request is known to the last byte of its files.
func knowsRequest(e *recording.Exchange) bool { return knowsBody(e) && e.KnowsFiles() }

// misplacedForm reports whether a form was sent to where the service takes JSON. No typed call sends one there.
func misplacedForm(e *recording.Exchange) bool {
	op, _ := Find(e.Method, e.Path)
	return e.Form() != nil && op != nil && op.Form == ""
}

// A sentField is a field of a form that was sent.
type sentField struct {
	name, filename, contentType string
	content                     []byte
}

// formDifferences are between a recorded form and the one that was sent. The order of the fields is every client's own,
// and so is the boundary between them.
func formDifferences(recorded []recording.FormField, contentType string, body []byte) []string {
	sent, err := readForm(contentType, body)
	if err != nil {
		return []string{"form: " + err.Error()}
	}
	var found []string
	byName := func(a, b recording.FormField) int { return cmp.Compare(a.Name, b.Name) }
	recorded = slices.SortedStableFunc(slices.Values(recorded), byName)
	slices.SortStableFunc(sent, func(a, b sentField) int { return cmp.Compare(a.name, b.name) })
	for i := range max(len(recorded), len(sent)) {
		switch {
		case i >= len(recorded):
			found = append(found, fmt.Sprintf("form: got the field %q, which was not recorded", sent[i].name))
		case i >= len(sent) || sent[i].name != recorded[i].Name:
			return append(found, fmt.Sprintf("form: there is no field %q in its place", recorded[i].Name))
		default:
			found = append(found, prefixed("form field "+sent[i].name+": ", sent[i].differences(&recorded[i]))...)
		}
	}
	return found
}

func (f sentField) differences(recorded *recording.FormField) []string {
	var found []string
	if f.filename != recorded.Filename {
		found = append(found, fmt.Sprintf("file name: got %q, want %q", f.filename, recorded.Filename))
	}
	if recorded.ContentType != "" && f.contentType != recorded.ContentType {
		found = append(found, fmt.Sprintf("Content-Type: got %q, want %q", f.contentType, recorded.ContentType))
	}
	if difference := recorded.Differs(f.content); difference != "" {
		found = append(found, difference)
	}
	return found
}

func readForm(contentType string, body []byte) ([]sentField, error) {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return nil, fmt.Errorf("the Content-Type is %q", contentType)
	}
	var fields []sentField
	r := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		fields = append(fields, sentField{part.FormName(), part.FileName(), part.Header.Get("Content-Type"), content})
	}
}

// sameBytes compares contents that are no JSON.
func sameBytes(recorded, got []byte) []string {
	if bytes.Equal(recorded, got) {
		return nil
	}
	return []string{fmt.Sprintf("content: got %q, want %q", beginning(got), beginning(recorded))}
}

func beginning(content []byte) []byte { return content[:min(len(content), 100)] }
