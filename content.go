package assistants

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// A ContentPart is a part of what a message says. Type says which kind, and the field of that name holds it.
//
// Reference: https://platform.openai.com/docs/api-reference/messages/object
type ContentPart struct {
	Type      ContentType `json:"type"`
	Text      *Text       `json:"text,omitzero"`       // of ContentText
	ImageFile *ImageFile  `json:"image_file,omitzero"` // of ContentImageFile
	ImageURL  *ImageURL   `json:"image_url,omitzero"`  // of ContentImageURL
	Refusal   string      `json:"refusal,omitzero"`    // of ContentRefusal: why the model does not answer
}

// A ContentType names a kind of content.
type ContentType string

// Kinds of content.
const (
	ContentText      ContentType = "text"       // text, with annotations
	ContentImageFile ContentType = "image_file" // an image among the files
	ContentImageURL  ContentType = "image_url"  // an image elsewhere
	ContentRefusal   ContentType = "refusal"    // the model's refusal, instead of an answer
)

func (t ContentType) known() bool {
	switch t {
	case ContentText, ContentImageFile, ContentImageURL, ContentRefusal:
		return true
	}
	return false
}

// A Text is text and what it refers to.
type Text struct {
	Value string `json:"value"` // all of it
	// Annotations are places in Value that stand for something else, in the order in which they came.
	Annotations []Annotation `json:"annotations"`
}

// ReplaceAnnotations returns the text with something else in the place of each annotation: a footnote in the place of a mark, a
// link in the place of a path. The function is called in the order of the text. An annotation is found by its indices, or by its
// Text behind the one before it, should the indices be wrong; one that is nowhere, or that overlaps another, is left alone.
func (t *Text) ReplaceAnnotations(with func(a Annotation) string) string {
	inOrder := slices.Clone(t.Annotations)
	sort.SliceStable(inOrder, func(i, j int) bool { return inOrder[i].StartIndex < inOrder[j].StartIndex })
	characters := []rune(t.Value)
	var b strings.Builder
	copied := 0
	for _, a := range inOrder {
		start, end, found := a.within(characters, copied)
		if !found {
			continue
		}
		b.WriteString(string(characters[copied:start]))
		b.WriteString(with(a))
		copied = end
	}
	b.WriteString(string(characters[copied:]))
	return b.String()
}

// within is where an annotation is in a text, from a place on.
func (a Annotation) within(text []rune, from int) (start, end int, found bool) {
	start, end = a.StartIndex, a.EndIndex
	if start >= 0 && end >= start && end <= len(text) && (a.Text == "" || string(text[start:end]) == a.Text) {
		return start, end, start >= from // else it overlaps, and its text further on is that of another
	}
	rest := string(text[from:])
	i := strings.Index(rest, a.Text)
	if a.Text == "" || i < 0 {
		return 0, 0, false
	}
	start = from + utf8.RuneCountInString(rest[:i])
	return start, start + utf8.RuneCountInString(a.Text), true
}

// An Annotation is a place in a text that refers to a file: a citation, or the path of a file that code made.
type Annotation struct {
	Type AnnotationType `json:"type"`
	// Text is the place as it stands in the text: a mark such as "【4:0†notes.txt】", or a path that begins with
	// "sandbox:".
	Text string `json:"text"`
	// StartIndex and EndIndex are where it begins and ends, in characters and not in bytes.
	StartIndex   int           `json:"start_index"`
	EndIndex     int           `json:"end_index"`
	FileCitation *FileCitation `json:"file_citation,omitzero"` // of AnnotationFileCitation
	FilePath     *FilePath     `json:"file_path,omitzero"`     // of AnnotationFilePath
	URLCitation  *URLCitation  `json:"url_citation,omitzero"`  // of AnnotationURLCitation
}

// FileID is the id of the file that the annotation refers to, "" if it refers to none.
func (a Annotation) FileID() string {
	switch {
	case a.FileCitation != nil:
		return a.FileCitation.FileID
	case a.FilePath != nil:
		return a.FilePath.FileID
	}
	return ""
}

// An AnnotationType names a kind of annotation.
type AnnotationType string

// Kinds of annotations.
const (
	AnnotationFileCitation AnnotationType = "file_citation" // file search found it
	AnnotationFilePath     AnnotationType = "file_path"     // the code interpreter made it
	AnnotationURLCitation  AnnotationType = "url_citation"  // a search of the web found it, on Foundry
)

func (t AnnotationType) known() bool {
	switch t {
	case AnnotationFileCitation, AnnotationFilePath, AnnotationURLCitation:
		return true
	}
	return false
}

// A FileCitation is what a text quotes.
type FileCitation struct {
	FileID string `json:"file_id"`        // of the file
	Quote  string `json:"quote,omitzero"` // of v1, and empty in streams
}

// A FilePath is a file that a text offers.
type FilePath struct {
	FileID string `json:"file_id"` // of the file
}

// A URLCitation is a page that a text quotes.
type URLCitation struct {
	URL   string `json:"url"`            // of the page
	Title string `json:"title,omitzero"` // its title
}

// An ImageFile is an image among the files.
type ImageFile struct {
	FileID string      `json:"file_id"`         // a file of purpose "vision", or one that code made
	Detail ImageDetail `json:"detail,omitzero"` // empty: the service takes [ImageDetailAuto]
}

// An ImageURL is an image elsewhere.
type ImageURL struct {
	URL    string      `json:"url"`             // of a JPEG, PNG, GIF or WebP
	Detail ImageDetail `json:"detail,omitzero"` // empty: the service takes [ImageDetailAuto]
}

// An ImageDetail is how closely the model looks at an image, which costs tokens.
type ImageDetail string

// Details of images.
const (
	ImageDetailAuto ImageDetail = "auto" // the service's choice
	ImageDetailLow  ImageDetail = "low"  // a small copy of the image
	ImageDetailHigh ImageDetail = "high" // the image in tiles
)

// A ContentPartParam is a part of a message to be sent. Type says which kind; when it is empty it is inferred from the
// field that is set. [TextPart], [ImageFilePart] and [ImageURLPart] make one.
type ContentPartParam struct {
	Type      ContentType `json:"type"`
	Text      string      `json:"text,omitzero"`       // of ContentText
	ImageFile *ImageFile  `json:"image_file,omitzero"` // of ContentImageFile
	ImageURL  *ImageURL   `json:"image_url,omitzero"`  // of ContentImageURL
}

// TextPart is text in a message to be sent.
func TextPart(text string) ContentPartParam { return ContentPartParam{Type: ContentText, Text: text} }

// ImageFilePart is an image in a message to be sent: a file of purpose "vision".
func ImageFilePart(fileID string) ContentPartParam {
	return ContentPartParam{Type: ContentImageFile, ImageFile: &ImageFile{FileID: fileID}}
}

// ImageURLPart is an image in a message to be sent, which the service fetches from url.
func ImageURLPart(url string) ContentPartParam {
	return ContentPartParam{Type: ContentImageURL, ImageURL: &ImageURL{URL: url}}
}

// MarshalJSON writes the part with its type.
func (p ContentPartParam) MarshalJSON() ([]byte, error) {
	typ, err := resolve("content part", p.Type,
		variant[ContentType]{ContentText, p.Text != ""},
		variant[ContentType]{ContentImageFile, p.ImageFile != nil},
		variant[ContentType]{ContentImageURL, p.ImageURL != nil})
	if err != nil {
		return nil, err
	}
	if typ == ContentText { // also one that is empty, for the service to judge
		return json.Marshal(struct {
			Type ContentType `json:"type"`
			Text string      `json:"text"`
		}{typ, p.Text})
	}
	if p.ImageFile == nil && p.ImageURL == nil {
		return nil, fmt.Errorf("content part of type %q holds nothing to send", typ)
	}
	type wire ContentPartParam // without this method
	p.Type = typ
	return json.Marshal(wire(p))
}
