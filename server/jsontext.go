package server

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
)

// beginsJSON tells whether a text may be JSON that is worth to be taken apart: an object or an array.
func beginsJSON(text string) bool {
	text = strings.TrimLeft(text, " \t\r\n")
	return text != "" && (text[0] == '{' || text[0] == '[')
}

// jsonText returns a JSON text as lines to read: "key: value" for the members of objects, "- value" for the elements
// of arrays, and what is inside of another value behind or below it, further to the right. Strings are unescaped, the
// order is kept, numbers are as they were written, and those that follow one another in an array share a line. Several
// values in lines of their own are JSON Lines. It reports false for what is no JSON, or whose text would be too long.
func jsonText(ctx context.Context, text string) (string, bool) {
	measured := jsonLines{ctx: ctx, rest: text, limit: longestText(text)}
	if measured.all() != nil || measured.size == 0 {
		return "", false
	}
	var out strings.Builder
	out.Grow(measured.size) // which is known now, for nested values may make much of it
	written := jsonLines{ctx: ctx, rest: text, limit: measured.limit, out: &out}
	err := written.all()
	return out.String(), err == nil
}

const (
	maxNesting = 10_000 // of values, as in encoding/json
	maxIndent  = 12     // spaces; deeper values are not further to the right, which would make too much of nothing
)

var errNoJSON = errors.New("no JSON, or too long as text")

// jsonLines writes values as lines while it reads them. Package encoding/json reads what is inside of quotes and what
// numbers look like; to read everything with its Decoder takes several times as long.
type jsonLines struct {
	ctx   context.Context
	rest  string           // what has not been read
	out   *strings.Builder // nil: it is only measured what would be written
	size  int              // of what was written
	limit int              // of that
	begun bool             // there is a line that a value may begin in
}

// all writes the values that there are, each of which ends with its line.
func (l *jsonLines) all() error {
	for l.next() != 0 {
		if l.size > 0 {
			l.write("\n\n")
		}
		l.begun = true
		if err := l.value(0); err != nil {
			return err
		}
		l.rest = strings.TrimLeft(l.rest, " \t\r")
		if l.rest != "" && l.rest[0] != '\n' {
			return errNoJSON
		}
	}
	if l.size > 0 {
		l.write("\n")
	}
	if l.size > l.limit {
		return errNoJSON
	}
	return nil
}

func (l *jsonLines) write(text string) {
	if l.size += len(text); l.out != nil {
		l.out.WriteString(text)
	}
}

// next is the first character behind white space, which is skipped, or 0 at the end.
func (l *jsonLines) next() byte {
	if l.rest = strings.TrimLeft(l.rest, " \t\r\n"); l.rest == "" {
		return 0
	}
	return l.rest[0]
}

// line begins a line for what is nested so deep, unless there is one.
func (l *jsonLines) line(depth int) {
	if !l.begun {
		l.write("\n")
		for range min(2*depth, maxIndent) {
			l.write(" ")
		}
	}
	l.begun = false
}

// value writes the value that is next, behind what is in the line. Its members and elements are nested at depth.
func (l *jsonLines) value(depth int) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	switch c := l.next(); {
	case depth >= maxNesting && (c == '{' || c == '['), l.size > l.limit:
		return errNoJSON
	case c == '{':
		return l.each('}', func() error { return l.member(depth) })
	case c == '[':
		inRow := false // the last element was a number or the like
		return l.each(']', func() error { return l.element(depth, &inRow) })
	case c == '"':
		return l.text()
	default:
		return l.word()
	}
}

// each reads what is in an object or array that is next, up to its end.
func (l *jsonLines) each(end byte, read func() error) error {
	l.rest = l.rest[1:]
	if l.next() == end {
		l.rest = l.rest[1:]
		return nil
	}
	for {
		if err := read(); err != nil {
			return err
		}
		c := l.next()
		if c != ',' && c != end {
			return errNoJSON
		}
		l.rest = l.rest[1:]
		if c == end {
			return nil
		}
	}
}

func (l *jsonLines) member(depth int) error {
	if l.next() != '"' {
		return errNoJSON
	}
	l.line(depth)
	if err := l.text(); err != nil {
		return err
	}
	if l.next() != ':' {
		return errNoJSON
	}
	l.rest = l.rest[1:]
	l.write(":")
	if c := l.next(); c != '{' && c != '[' {
		l.write(" ")
	}
	return l.value(depth + 1)
}

func (l *jsonLines) element(depth int, inRow *bool) error {
	c := l.next()
	nested := c == '{' || c == '['
	short := !nested && c != '"'
	if short && *inRow {
		l.write(", ")
	} else {
		l.line(depth)
		l.write("- ")
		l.begun = nested
	}
	*inRow = short
	err := l.value(depth + 1)
	l.begun = false
	return err
}

// text writes the string that is next.
func (l *jsonLines) text() error {
	end, escaped := 1, false
	for ; end < len(l.rest) && l.rest[end] != '"'; end++ {
		if l.rest[end] < ' ' {
			return errNoJSON
		}
		if l.rest[end] == '\\' {
			escaped = true
			end++
		}
	}
	if end >= len(l.rest) || l.size+end > l.limit {
		return errNoJSON
	}
	value := l.rest[1:end]
	if escaped {
		if err := json.Unmarshal([]byte(l.rest[:end+1]), &value); err != nil {
			return err
		}
		value = strings.ReplaceAll(value, "\x00", "\ufffd")
	}
	l.write(value)
	l.rest = l.rest[end+1:]
	return nil
}

// word writes what is next, which is a number, true, false or null.
func (l *jsonLines) word() error {
	word, rest := cutAny(l.rest, " \t\r\n,:]}")
	if !json.Valid([]byte(word)) {
		return errNoJSON
	}
	l.write(word)
	l.rest = rest
	return nil
}
