package server

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// message is a message that a run is writing.
type message struct {
	doc   messageDocument
	parts []*part
}

// part is one part of its content.
type part struct {
	kind        string
	text        runes
	annotations []annotation
	linked      map[int]bool // where paths stand that stand for files, in bytes
	fileID      string       // of an image
	head        string       // of the events that add text
}

const (
	partText    = "text"
	partRefusal = "refusal"
	partImage   = "image_file"
)

// runes is text that comes in pieces which may cut characters in two. Only whole characters count.
type runes struct {
	strings.Builder
	count int
	cut   string // the beginning of a character
}

// add appends a piece and returns what that makes visible. Bytes that are no UTF-8 become U+FFFD.
func (t *runes) add(piece string) string {
	piece = t.cut + piece
	end := len(piece)
	for i := 1; i < utf8.UTFMax && i <= len(piece); i++ {
		if c := piece[len(piece)-i]; utf8.RuneStart(c) {
			if !utf8.FullRuneInString(piece[len(piece)-i:]) {
				end = len(piece) - i
			}
			break
		}
	}
	t.cut = piece[end:]
	return t.append(strings.ToValidUTF8(piece[:end], "\uFFFD"))
}

// flush makes visible what is left of a character whose rest never came.
func (t *runes) flush() string {
	if t.cut == "" {
		return ""
	}
	t.cut = ""
	return t.append("\uFFFD")
}

func (t *runes) append(whole string) string {
	t.WriteString(whole)
	t.count += utf8.RuneCountInString(whole)
	return whole
}

// part returns the newest part if it is of that kind, else a new one. Images are never continued.
func (m *message) part(kind string, f *feed) (p *part, index int) {
	index = len(m.parts) - 1
	if index >= 0 && m.parts[index].kind == kind && kind != partImage {
		return m.parts[index], index
	}
	m.finishRune(f)
	index++
	p = &part{kind: kind}
	m.parts = append(m.parts, p)
	return p, index
}

// delta begins the data of an event that adds to a part.
func (m *message) delta(kind string, index int) string {
	return `{"id":` + string(quote(m.doc.ID)) + `,"object":"thread.message.delta","delta":{"content":[{"index":` +
		strconv.Itoa(index) + `,"type":"` + kind + `","` + kind + `":`
}

const deltaEnd = `}]}}`

// write adds text to the message.
func (m *message) write(piece string, f *feed) {
	p, index := m.part(partText, f)
	m.grow(p, index, p.text.add(piece), f)
}

// refuse adds to the refusal.
func (m *message) refuse(piece string, f *feed) {
	p, index := m.part(partRefusal, f)
	m.grow(p, index, p.text.add(piece), f)
}

const eventMessageDelta = "thread.message.delta"

// grow reports what has become visible of a text or a refusal.
func (m *message) grow(p *part, index int, whole string, f *feed) {
	if whole == "" {
		return
	}
	if p.head == "" {
		p.head = m.delta(p.kind, index)
		if p.kind == partText {
			p.head += `{"value":`
		}
	}
	tail := deltaEnd
	switch first := p.text.Len() == len(whole); {
	case p.kind == partText && first: // which alone has annotations
		tail = `,"annotations":[]}` + deltaEnd
	case p.kind == partText:
		tail = `}` + deltaEnd
	}
	f.add(event{name: eventMessageDelta, growth: growth{head: p.head, tail: tail, text: whole}})
}

// show adds an image.
func (m *message) show(fileID string, f *feed) {
	p, index := m.part(partImage, f)
	p.fileID = fileID
	f.add(event{name: eventMessageDelta, data: []byte(m.delta(partImage, index) + p.image() + deltaEnd)})
}

func (p *part) image() string {
	return `{"file_id":` + string(quote(p.fileID)) + `,"detail":"auto"}`
}

// cite writes a mark that stands for a place in a file.
func (m *message) cite(c Citation, f *feed) {
	m.finishRune(f)
	p, index := m.part(partText, f)
	start := p.text.count
	mark := p.text.add(c.Mark) + p.text.flush()
	m.annotate(p, index, mark, annotation{"file_citation", mark, start, p.text.count, c.FileID}, f)
}

// point says that a path stands for a file: at its last place in the message that stands for none, or else written now.
func (m *message) point(path FilePath, f *feed) {
	m.finishRune(f)
	for index, p := range slices.Backward(m.parts) {
		if start, ok := p.find(path.Path); ok {
			end := start + utf8.RuneCountInString(path.Path)
			m.annotate(p, index, "", annotation{"file_path", path.Path, start, end, path.FileID}, f)
			return
		}
	}
	p, index := m.part(partText, f)
	start := p.text.count
	p.link(p.text.Len())
	written := p.text.add(path.Path) + p.text.flush()
	m.annotate(p, index, written, annotation{"file_path", written, start, p.text.count, path.FileID}, f)
}

// find returns the last place of a path, in characters, that no annotation is about. A longer path is another.
func (p *part) find(path string) (start int, ok bool) {
	if p.kind != partText || path == "" {
		return 0, false
	}
	all := p.text.String()
	for end := len(all); ; {
		at := strings.LastIndex(all[:end], path)
		if at < 0 {
			return 0, false
		}
		next, _ := utf8.DecodeRuneInString(all[at+len(path):])
		if longer := unicode.IsLetter(next) || unicode.IsDigit(next); !p.linked[at] && !longer {
			p.link(at)
			return utf8.RuneCountInString(all[:at]), true
		}
		end = at
	}
}

// link notes that the path at a place stands for a file.
func (p *part) link(at int) {
	if p.linked == nil {
		p.linked = make(map[int]bool)
	}
	p.linked[at] = true
}

// finishRune writes what is left of a character, before something else is written.
func (m *message) finishRune(f *feed) {
	if n := len(m.parts); n > 0 {
		p := m.parts[n-1]
		m.grow(p, n-1, p.text.flush(), f)
	}
}

// annotation is a place in a text that stands for a file.
type annotation struct {
	kind       string
	text       string
	start, end int // in characters
	fileID     string
}

// annotate adds an annotation to a part, together with text that was written for it.
func (m *message) annotate(p *part, index int, written string, a annotation, f *feed) {
	number := len(p.annotations)
	p.annotations = append(p.annotations, a)
	quoteKey := ""
	if a.kind == "file_citation" {
		quoteKey = `,"quote":""` // which only events have, always empty
	}
	shown := a.render(`{"index":`+strconv.Itoa(number)+`,`, quoteKey)
	f.add(event{name: eventMessageDelta, data: []byte(
		m.delta(partText, index) + `{"value":` + string(quote(written)) + `,"annotations":[` + string(shown) + `]}` + deltaEnd)})
}

func (a annotation) render(open, more string) json.RawMessage {
	b := []byte(open + `"type":"` + a.kind + `","text":`)
	b = appendString(b, a.text)
	b = append(b, `,"start_index":`...)
	b = strconv.AppendInt(b, int64(a.start), 10)
	b = append(b, `,"end_index":`...)
	b = strconv.AppendInt(b, int64(a.end), 10)
	b = append(b, `,"`+a.kind+`":{"file_id":`...)
	b = appendString(b, a.fileID)
	return append(b, more+`}}`...)
}

// close ends the message: complete, or incomplete for a reason.
func (m *message) close(e ending, now moment, f *feed) {
	m.finishRune(f)
	m.doc.Status, m.doc.CompletedAt = statusCompleted, now
	if e.message != "" {
		m.doc.Status, m.doc.CompletedAt, m.doc.IncompleteAt = statusIncomplete, 0, now
		m.doc.IncompleteDetails = &reason{e.message}
	}
}

// render returns the message as it is now.
func (m *message) render() json.RawMessage {
	size := 0
	for _, p := range m.parts {
		size += p.text.Len() + 128
	}
	b := append(make([]byte, 0, size), '[')
	for i, p := range m.parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"type":"`+p.kind+`","`+p.kind+`":`...)
		switch p.kind {
		case partImage:
			b = append(b, p.image()...)
		case partRefusal:
			b = appendString(b, p.text.String())
		default:
			b = append(b, `{"value":`...)
			b = appendString(b, p.text.String())
			b = append(b, `,"annotations":[`...)
			for i, a := range p.annotations {
				if i > 0 {
					b = append(b, ',')
				}
				b = append(b, a.render(`{`, ``)...)
			}
			b = append(b, "]}"...)
		}
		b = append(b, '}')
	}
	m.doc.Content = append(b, ']')
	return encode(m.doc)
}
