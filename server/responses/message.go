package responses

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// This file is about the text of messages.

// A growing text is one that comes in pieces.
type growing struct {
	come []byte
	seam provider.Seam
}

// next returns what of a text has come with its next piece: half a character waits for the other half.
func (g *growing) next(piece provider.Text) string { return g.seam.Join(string(piece)) }

// rest returns what of a whole text has not come yet. What was said is said: one that goes otherwise
// has nothing left but half a character.
func (g *growing) rest(whole string) string {
	half := g.seam.End()
	if n := len(g.come); len(whole) >= n && whole[:n] == string(g.come) {
		return whole[n:]
	}
	return half
}

// A textPart is a part of a message's content, as far as it has come. The places of annotations are in its text, which
// has none of our marks. Parts of one message go out as they come: that they are mixed is not to be expected.
type textPart struct {
	text    growing
	refusal growing
	length  int   // of the text, in characters
	stops   []int // where every stride-th character begins, in bytes
	seen    []int // annotations that have come, by their index
}

// stride is how many characters are between places in a text that are kept, so that others are found from there.
const stride = 1024

// add adds text, of which a character may be in two pieces.
func (p *textPart) add(text string) {
	for i := range len(text) {
		if utf8.RuneStart(text[i]) {
			if p.length%stride == 0 {
				p.stops = append(p.stops, len(p.text.come)+i)
			}
			p.length++
		}
	}
	p.text.come = append(p.text.come, text...)
}

// at returns where a character begins, in bytes; behind the last one is the text's end.
func (p *textPart) at(character int) int {
	if character >= p.length {
		return len(p.text.come)
	}
	at := p.stops[character/stride]
	for range character % stride {
		for at++; !utf8.RuneStart(p.text.come[at]); at++ {
		}
	}
	return at
}

// part returns a part of a message; nil if what comes of the message does not count.
func (a *answer) part(e *event) (*output, *textPart, error) {
	o, err := a.itemOf(e, itemMessage)
	if err != nil || o == nil {
		return nil, nil, err
	}
	p, err := a.partAt(o, int(e.ContentIndex))
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
	if err != nil || o == nil {
		return err
	}
	return a.writeText(o, p, p.text.next(e.Delta))
}

func (a *answer) writeText(o *output, p *textPart, text string) error {
	if text == "" {
		return nil
	}
	p.add(text)
	if err := a.hold(len(text)); err != nil {
		return err
	}
	return a.say(o, server.Text(text))
}

func (a *answer) addRefusal(e *event) error {
	o, p, err := a.part(e)
	if err != nil || o == nil {
		return err
	}
	return a.writeRefusal(o, p, p.refusal.next(e.Delta))
}

func (a *answer) writeRefusal(o *output, p *textPart, text string) error {
	if text == "" {
		return nil
	}
	p.refusal.come = append(p.refusal.come, text...)
	if err := a.hold(len(text)); err != nil {
		return err
	}
	return a.say(o, server.Refusal(text))
}

// addAnnotation takes an annotation. One whose place has not come yet comes again when the message is done.
func (a *answer) addAnnotation(e *event) error {
	o, p, err := a.part(e)
	if err != nil || o == nil || e.Annotation == nil {
		return err
	}
	if e.Annotation.Type == annotationMade && int(e.Annotation.End) > p.length {
		return nil
	}
	return a.annotate(o, p, int(e.AnnotationIndex), e.Annotation)
}

// completeMessage takes what of a message's content has not come yet.
func (a *answer) completeMessage(o *output, content []part) error {
	for i := range content {
		c := &content[i]
		if c.Type != partText && c.Type != partRefusal {
			continue
		}
		p, err := a.partAt(o, i)
		if err != nil {
			return err
		}
		if err := a.writeRefusal(o, p, p.refusal.rest(c.Refusal.Whole())); err != nil {
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
	left := p.text.rest(c.Text.Whole())
	for i := range c.Annotations {
		n := &c.Annotations[i]
		if slices.Contains(p.seen, i) {
			continue
		}
		place := n.Index
		if n.Type == annotationMade {
			place = n.End
		}
		before := upTo(left, int(place)-p.length)
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

// endParts writes what is left of characters that were cut in two, of a message whose whole text has not come.
func (a *answer) endParts(o *output) error {
	for _, index := range slices.Sorted(maps.Keys(o.parts)) {
		p := o.parts[index]
		if err := a.writeText(o, p, p.text.seam.End()); err != nil {
			return err
		}
		if err := a.writeRefusal(o, p, p.refusal.seam.End()); err != nil {
			return err
		}
	}
	return nil
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

// addMade adds a file that code has made: it is fetched now, for the provider does not keep it for long. What stands
// for it is a path in the text, or an image that the code has shown.
func (a *answer) addMade(o *output, p *textPart, n *annotation) error {
	fileID, err := a.fetch(n)
	if err != nil {
		return err
	}
	name := string(n.Filename)
	if n.Start == 0 && n.End == 0 && isImage(name) {
		return a.say(o, server.Image{FileID: fileID})
	}
	path := pathIn(p.covered(int(n.Start), int(n.End)), name)
	if path == "" {
		path = "sandbox:/mnt/data/" + name
	}
	return a.say(o, server.FilePath{Path: path, FileID: fileID})
}

// pathIn is inferred: the path of a file in what an annotation covers, which is the path, or a link to it. "" is none.
// A path in a link ends with the file's name, or where a path without white space does.
func pathIn(covered, name string) string {
	const scheme, ends = "sandbox:", ")\"'<> \t\r\n"
	i := strings.Index(covered, scheme)
	if i <= 0 {
		return strings.TrimSpace(covered)
	}
	path := covered[i:]
	if before, after, ok := strings.Cut(path, "/"+name); ok && (after == "" || strings.IndexAny(after, ends) == 0) {
		return before + "/" + name
	}
	if end := strings.IndexAny(path, ends); end >= 0 {
		path = path[:end]
	}
	return path
}

// fetch makes a file of one that an annotation is about, once.
func (a *answer) fetch(n *annotation) (fileID string, err error) {
	made := madeFile{string(n.ContainerID), string(n.FileID)}
	if fileID, known := a.fetched[made]; known {
		return fileID, nil
	}
	fileID, err = a.model.copies.fetch(a.ctx, a.call, made.containerID, made.fileID, string(n.Filename))
	if err != nil {
		return "", err
	}
	if a.fetched == nil {
		a.fetched = make(map[madeFile]string)
	}
	a.fetched[made] = fileID
	return fileID, nil
}

// maxCovered bounds what stands for a file in a text, in characters. More is not about the file alone.
const maxCovered = 4096

// covered is what an annotation covers: its places are in characters.
func (p *textPart) covered(start, end int) string {
	if end <= start || end-start > maxCovered {
		return ""
	}
	return string(p.text.come[p.at(start):p.at(end)])
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
