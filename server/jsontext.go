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
// values in lines of their own are JSON Lines. It reports false for what is no JSON.
func jsonText(ctx context.Context, text string) (string, bool) {
	l := jsonLines{ctx: ctx, rest: text}
	for l.next() != 0 {
		if l.out.Len() > 0 {
			l.out.WriteString("\n\n")
		}
		l.begun = true
		if l.value(0) != nil {
			return "", false
		}
		l.rest = strings.TrimLeft(l.rest, " \t\r")
		if l.rest != "" && l.rest[0] != '\n' {
			return "", false
		}
	}
	if l.out.Len() == 0 {
		return "", false
	}
	l.out.WriteByte('\n')
	return l.out.String(), true
}

const (
	maxNesting = 10_000 // of values, as in encoding/json
	maxIndent  = 12     // spaces; deeper values are not further to the right, which would make too much of nothing
)

var errNoJSON = errors.New("no JSON")

// jsonLines writes values as lines while it reads them. Package encoding/json reads what is inside of quotes and what
// numbers look like; to read everything with its Decoder takes several times as long.
type jsonLines struct {
	ctx   context.Context
	rest  string // what has not been read
	out   strings.Builder
	begun bool // there is a line that a value may begin in
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
		l.out.WriteByte('\n')
		for range min(2*depth, maxIndent) {
			l.out.WriteByte(' ')
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
	case depth >= maxNesting && (c == '{' || c == '['):
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
	l.out.WriteByte(':')
	if c := l.next(); c != '{' && c != '[' {
		l.out.WriteByte(' ')
	}
	return l.value(depth + 1)
}

func (l *jsonLines) element(depth int, inRow *bool) error {
	c := l.next()
	nested := c == '{' || c == '['
	short := !nested && c != '"'
	if short && *inRow {
		l.out.WriteString(", ")
	} else {
		l.line(depth)
		l.out.WriteString("- ")
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
	if end >= len(l.rest) {
		return errNoJSON
	}
	value := l.rest[1:end]
	if escaped {
		if err := json.Unmarshal([]byte(l.rest[:end+1]), &value); err != nil {
			return err
		}
		value = strings.ReplaceAll(value, "\x00", "\ufffd")
	}
	l.out.WriteString(value)
	l.rest = l.rest[end+1:]
	return nil
}

// word writes what is next, which is a number, true, false or null.
func (l *jsonLines) word() error {
	word, rest := cutAny(l.rest, " \t\r\n,:]}")
	if !json.Valid([]byte(word)) {
		return errNoJSON
	}
	l.out.WriteString(word)
	l.rest = rest
	return nil
}
