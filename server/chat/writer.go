package chat

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/assistants-go/assistants/server"
)

// writer writes a message: text as it comes, but for marks, which become citations, and paths of files that code has
// made, which are linked. What may be the beginning of a mark is held back until it is clear.
type writer struct {
	emit  func(server.ModelEvent) error
	marks *marks
	files map[string]string // their ids by path

	held  string          // what may become a mark
	blank string          // white space that came before all else
	begun bool            // something else has come
	text  strings.Builder // that was written, to find paths in; empty without files
}

func (a *answer) newWriter() *writer { return &writer{emit: a.emit, marks: &a.marks, files: a.files} }

// write writes more text.
func (w *writer) write(s string) error {
	if len(w.marks.known) == 0 {
		return w.put(s)
	}
	w.held += s
	for w.held != "" {
		start := strings.Index(w.held, markOpen)
		if start < 0 {
			start = len(w.held) - cutOpen(w.held)
		}
		if err := w.take(start); err != nil {
			return err
		}
		more, err := w.mark()
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// cutOpen returns how many bytes at the end of s may be the beginning of the sign that opens a mark.
func cutOpen(s string) int {
	for n := min(len(markOpen)-1, len(s)); n > 0; n-- {
		if strings.HasPrefix(markOpen, s[len(s)-n:]) {
			return n
		}
	}
	return 0
}

// mark writes the mark that the held text begins with, if it is known, and as text if it is not. It reports whether
// it could: the rest of the mark may be still to come.
func (w *writer) mark() (more bool, err error) {
	inside, opened := strings.CutPrefix(w.held, markOpen)
	if !opened {
		return false, nil
	}
	longest := w.marks.longest + markSlack
	inside = inside[:min(len(inside), longest)] // however much has come
	end := strings.Index(inside, markClose)
	if wrong := strings.IndexAny(inside, markOpen+"\n"); wrong >= 0 && (end < 0 || wrong < end) {
		return true, w.take(len(markOpen) + wrong)
	}
	switch {
	case end < 0 && len(w.held) > longest:
		return true, w.take(len(markOpen))
	case end < 0:
		return false, nil
	}
	size := len(markOpen) + end + len(markClose)
	c, known := w.marks.find(inside[:end])
	if !known {
		return true, w.take(size)
	}
	w.held = w.held[size:]
	if err := w.begin(); err != nil {
		return false, err
	}
	if len(w.files) > 0 {
		w.text.WriteString(c.Mark)
	}
	return true, w.emit(c)
}

// take writes the first bytes of the held text.
func (w *writer) take(n int) error {
	s := w.held[:n]
	w.held = w.held[n:]
	return w.put(s)
}

// maxBlank bounds the white space that is held back, in bytes.
const maxBlank = 256

func (w *writer) put(s string) error {
	if s == "" {
		return nil
	}
	if !w.begun && len(w.blank)+len(s) <= maxBlank && strings.TrimSpace(s) == "" {
		w.blank += s
		return nil
	}
	if err := w.begin(); err != nil {
		return err
	}
	if len(w.files) > 0 {
		w.text.WriteString(s)
	}
	return w.emit(server.Text(s))
}

// begin writes the white space in front of a text.
func (w *writer) begin() error {
	s := w.blank
	w.begun, w.blank = true, ""
	if s == "" {
		return nil
	}
	if len(w.files) > 0 {
		w.text.WriteString(s)
	}
	return w.emit(server.Text(s))
}

// refuse writes more of a refusal, which is a part of its own.
func (w *writer) refuse(s string) error {
	if err := w.close(); err != nil {
		return err
	}
	return w.emit(server.Refusal(s))
}

// end ends the message. One of white space is none if functions are called instead: some models write it in front of
// calls.
func (w *writer) end(called bool) error {
	if err := w.close(); err != nil || called {
		return err
	}
	return w.begin()
}

// close ends the text: what was held back is text, and the paths in it are linked.
func (w *writer) close() error {
	if err := w.take(len(w.held)); err != nil {
		return err
	}
	text := w.text.String()
	w.text.Reset()
	linked := map[int]bool{}
	paths := slices.SortedFunc(maps.Keys(w.files), func(p, q string) int { // the longest first: others may begin like it
		return cmp.Or(cmp.Compare(len(q), len(p)), cmp.Compare(p, q))
	})
	for _, path := range paths {
		for start := range places(text, path) {
			if linked[start] {
				continue
			}
			linked[start] = true
			if err := w.emit(server.FilePath{Path: path, FileID: w.files[path]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// places yields where a path stands in a text, but not where it is the beginning of a longer word.
func places(text, path string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for from := 0; ; {
			at := strings.Index(text[from:], path)
			if at < 0 {
				return
			}
			at += from
			from = at + len(path)
			next, _ := utf8.DecodeRuneInString(text[from:])
			if !unicode.IsLetter(next) && !unicode.IsDigit(next) && !yield(at) {
				return
			}
		}
	}
}
