package responses

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/assistants-go/assistants/server"
)

// This file is about the text of messages.

// A textPart is a part of a message's content, as far as it has come. The places of annotations are in its text, which has none of
// our marks.
type textPart struct {
	text    []byte
	refusal []byte
	seen    []int // annotations that have come, by their index
}

// part returns a part of a message.
func (a *answer) part(e *event) (*output, *textPart, error) {
	o, err := a.output(e.OutputIndex, itemMessage)
	if err == nil {
		err = a.start(o)
	}
	if err != nil {
		return nil, nil, err
	}
	p, err := a.partAt(o, e.ContentIndex)
	return o, p, err
}

func (a *answer) partAt(o *output, index int) (*textPart, error) {
	p := o.parts[index]
	if p == nil {
		if err := a.hold(perItem); err != nil {
			return nil, err
		}
		if o.parts == nil {
			o.parts = make(map[int]*textPart)
		}
		p = new(textPart)
		o.parts[index] = p
	}
	return p, nil
}

func (a *answer) addText(e *event) error {
	o, p, err := a.part(e)
	if err != nil || o.done {
		return err
	}
	return a.writeText(o, p, e.Delta)
}

func (a *answer) writeText(o *output, p *textPart, text string) error {
	if text == "" {
		return nil
	}
	p.text = append(p.text, text...)
	if err := a.hold(len(text)); err != nil {
		return err
	}
	return a.say(o, server.Text(text))
}

func (a *answer) addRefusal(e *event) error {
	o, p, err := a.part(e)
	if err != nil || o.done {
		return err
	}
	return a.writeRefusal(o, p, e.Delta)
}

func (a *answer) writeRefusal(o *output, p *textPart, text string) error {
	if text == "" {
		return nil
	}
	p.refusal = append(p.refusal, text...)
	if err := a.hold(len(text)); err != nil {
		return err
	}
	return a.say(o, server.Refusal(text))
}

// addAnnotation takes an annotation. One whose place has not come yet comes again when the message is done.
func (a *answer) addAnnotation(e *event) error {
	o, p, err := a.part(e)
	if err != nil || o.done || e.Annotation == nil {
		return err
	}
	if e.Annotation.Type == annotationMade && e.Annotation.End > utf8.RuneCount(p.text) {
		return nil
	}
	return a.annotate(o, p, e.AnnotationIndex, e.Annotation)
}

// completeMessage takes what of a message's content has not come yet.
func (a *answer) completeMessage(o *output, content []part) error {
	for i := range content {
		c := &content[i]
		if c.Type != "output_text" && c.Type != "refusal" {
			continue
		}
		p, err := a.partAt(o, i)
		if err != nil {
			return err
		}
		if err := a.writeRefusal(o, p, rest(p.refusal, c.Refusal)); err != nil {
			return err
		}
		if err := a.completeText(o, p, c); err != nil {
			return err
		}
	}
	return nil
}

// completeText writes what is left of a text, its annotations in their places if those have not been passed.
func (a *answer) completeText(o *output, p *textPart, c *part) error {
	left := rest(p.text, c.Text)
	for i := range c.Annotations {
		n := &c.Annotations[i]
		if slices.Contains(p.seen, i) {
			continue
		}
		place := n.Index
		if n.Type == annotationMade {
			place = n.End
		}
		before := upTo(left, place-utf8.RuneCount(p.text))
		left = left[len(before):]
		if err := a.writeText(o, p, before); err != nil {
			return err
		}
		if err := a.annotate(o, p, i, n); err != nil {
			return err
		}
	}
	return a.writeText(o, p, left)
}

// upTo returns the first characters of a text.
func upTo(text string, characters int) string {
	if characters <= 0 {
		return ""
	}
	for i := range text {
		if characters == 0 {
			return text[:i]
		}
		characters--
	}
	return text
}

// annotate takes an annotation at the end of what has come, once.
func (a *answer) annotate(o *output, p *textPart, index int, n *annotation) error {
	if slices.Contains(p.seen, index) {
		return nil
	}
	p.seen = append(p.seen, index)
	if err := a.hold(perItem); err != nil {
		return err
	}
	switch n.Type {
	case annotationCitation:
		return a.say(o, a.cite(n))
	case annotationMade:
		return a.addMade(o, p, n)
	}
	return nil // a page of the web has no counterpart
}

// addMade adds a file that code has made: it is fetched now, for the provider does not keep it for long. What stands for it is a
// path in the text, or an image that the code has shown.
func (a *answer) addMade(o *output, p *textPart, n *annotation) error {
	fileID, err := a.fetch(n)
	if err != nil {
		return err
	}
	if n.Start == 0 && n.End == 0 && isImage(n.Filename) {
		return a.say(o, server.Image{FileID: fileID})
	}
	path := covered(p.text, n.Start, n.End)
	if i := strings.Index(path, "sandbox:"); i > 0 {
		path = path[i:]
	}
	if strings.TrimSpace(path) == "" {
		path = "sandbox:/mnt/data/" + n.Filename
	}
	return a.say(o, server.FilePath{Path: path, FileID: fileID})
}

// fetch makes a file of one that an annotation is about, once.
func (a *answer) fetch(n *annotation) (fileID string, err error) {
	made := madeFile{n.ContainerID, n.FileID}
	if fileID, known := a.fetched[made]; known {
		return fileID, nil
	}
	fileID, err = a.model.copies.fetch(a.ctx, a.call, n.ContainerID, n.FileID, n.Filename)
	if err != nil {
		return "", err
	}
	if a.fetched == nil {
		a.fetched = make(map[madeFile]string)
	}
	a.fetched[made] = fileID
	return fileID, nil
}

// covered is what an annotation covers: its places are in characters.
func covered(text []byte, start, end int) string {
	if start < 0 || end <= start {
		return ""
	}
	all := string(text)
	return upTo(all, end)[len(upTo(all, start)):]
}

// isImage tells by its name whether a file is an image that a message can show.
func isImage(name string) bool {
	i := strings.LastIndexByte(name, '.')
	switch strings.ToLower(name[i+1:]) {
	case "png", "jpg", "jpeg", "gif", "webp":
		return i >= 0
	}
	return false
}
