package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// This file is about values of JSON that come in more than one form.

// Text is a string, a list of parts of which those with a text count, or null. Halves of characters stay what they
// are: bytes that are no UTF-8 as they come, and half of a surrogate pair as the three bytes that UTF-8 would have
// for it. See [Seam].
type Text string

// UnmarshalJSON reads any of the forms.
func (t *Text) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		*t = Text(unquoted(data))
		return nil
	case 'n':
		return nil
	case '[':
		var parts []json.RawMessage
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
		var all strings.Builder
		for _, part := range parts {
			var said Text
			if err := said.readPart(part); err != nil {
				return err
			}
			all.WriteString(string(said))
		}
		*t = Text(all.String())
		return nil
	case '{':
		return t.readPart(data)
	}
	return errNoText
}

// readPart reads one of a list of parts. One of another type than text, such as of what the model thinks, says
// nothing.
func (t *Text) readPart(data []byte) error {
	if data[0] == '"' {
		*t = Text(unquoted(data))
	}
	if data[0] != '{' {
		return nil
	}
	var part struct {
		Type Word            `json:"type"`
		Text json.RawMessage `json:"text"`
	}
	if err := json.Unmarshal(data, &part); err != nil {
		return err
	}
	if part.Type != "" && part.Type != "text" && part.Type != "output_text" || len(part.Text) == 0 {
		return nil
	}
	switch part.Text[0] {
	case '"':
		*t = Text(unquoted(part.Text))
		return nil
	case 'n':
		return nil
	}
	return errNoText
}

var errNoText = errors.New("provider: what should be text is none")

// Whole returns a text that is not a piece of another one: half a character is U+FFFD.
func (t Text) Whole() string { return joined(string(t)) }

// Arguments are those of a function: text, or the JSON that should have been in it. Halves of characters are as in
// [Text].
type Arguments string

// UnmarshalJSON reads any value.
func (a *Arguments) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		*a = Arguments(unquoted(data))
	case 'n':
	default:
		*a = Arguments(data)
	}
	return nil
}

// Whole returns arguments that are not a piece of others: half a character is U+FFFD.
func (a Arguments) Whole() string { return joined(string(a)) }

// Word is a string, or anything else as it stands there, such as a number; null is "".
type Word string

// UnmarshalJSON reads any value.
func (w *Word) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		*w = Word(strings.ToValidUTF8(joined(unquoted(data)), "\uFFFD"))
	case 'n':
	default:
		*w = Word(data)
	}
	return nil
}

// Number is a number that should be whole and not negative, perhaps as a string. What is none is 0.
type Number int64

// UnmarshalJSON reads any value. Null leaves the number what it is.
func (n *Number) UnmarshalJSON(data []byte) error {
	if data[0] == 'n' {
		return nil
	}
	if '0' <= data[0] && data[0] <= '9' && len(data) == 1 { // as most are
		*n = Number(data[0] - '0')
		return nil
	}
	var w Word
	if err := w.UnmarshalJSON(data); err != nil {
		return err
	}
	f, err := strconv.ParseFloat(string(w), 64)
	if err != nil || math.IsNaN(f) {
		f = 0
	}
	*n = Number(min(max(f, 0), 1<<53))
	return nil
}

// Int returns a number that is small enough to be added up.
func (n Number) Int() int { return int(min(n, math.MaxInt32)) }

// unquoted returns what a JSON string says; see Text for characters that are cut in two.
func unquoted(data []byte) string {
	data = data[1 : len(data)-1]
	if bytes.IndexByte(data, '\\') < 0 {
		return string(data)
	}
	b := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			b = append(b, data[i])
			continue
		}
		i++
		switch data[i] {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			unit, _ := strconv.ParseUint(string(data[i+1:i+5]), 16, 16)
			b = appendUnit(b, rune(unit))
			i += 4
		default:
			b = append(b, data[i])
		}
	}
	return string(b)
}

// appendUnit appends a UTF-16 code unit.
func appendUnit(b []byte, unit rune) []byte {
	if utf16.IsSurrogate(unit) {
		return append(b, 0xE0|byte(unit>>12), 0x80|byte(unit>>6&0x3F), 0x80|byte(unit&0x3F))
	}
	return utf8.AppendRune(b, unit)
}

// unitAt returns the half of a surrogate pair that text begins with, as appendUnit writes it; 0 if there is none.
func unitAt(text string) rune {
	if len(text) < 3 || text[0] != 0xED || text[1]&0xE0 != 0xA0 || text[2]&0xC0 != 0x80 {
		return 0
	}
	return 0xD000 | rune(text[1]&0x3F)<<6 | rune(text[2]&0x3F)
}

// A Seam puts characters together again that were cut in two, as the halves of a surrogate pair, whether in one piece
// of a text or between two. A half without the other is U+FFFD. The zero Seam is ready.
type Seam struct {
	high rune // the first half of a character, which waits for the other; 0: none
}

// Open tells whether half a character waits for the other.
func (s *Seam) Open() bool { return s.high != 0 }

// Join returns as much of the text as is whole now.
func (s *Seam) Join(piece string) string {
	if s.high == 0 && strings.IndexByte(piece, 0xED) < 0 || piece == "" {
		return piece
	}
	b := make([]byte, 0, len(piece)+3)
	for i := 0; i < len(piece); {
		unit := unitAt(piece[i:])
		if unit == 0 {
			b = append(append(b, s.End()...), piece[i])
			i++
			continue
		}
		i += 3
		whole := utf16.DecodeRune(s.high, unit)
		switch {
		case whole != unicode.ReplacementChar:
			b, s.high = utf8.AppendRune(b, whole), 0
		case unit < 0xDC00:
			b = append(b, s.End()...)
			s.high = unit
		default:
			b = utf8.AppendRune(append(b, s.End()...), unicode.ReplacementChar)
		}
	}
	return string(b)
}

// End returns what is left over at the end of the text.
func (s *Seam) End() string {
	if s.high == 0 {
		return ""
	}
	s.high = 0
	return string(unicode.ReplacementChar)
}

// joined returns a text that is whole.
func joined(text string) string {
	var s Seam
	return s.Join(text) + s.End()
}
