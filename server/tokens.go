package server

import (
	"context"
	"unicode"
	"unicode/utf8"
)

// An edge is what is between two tokens, from what should stay together to what may best be divided.
type edge uint8

const (
	edgeNone      edge = iota // they are of one word
	edgeTight                 // nothing, as between a word and a full stop, or between two ideographs
	edgeSpace                 // white space
	edgeLine                  // a line's end
	edgeParagraph             // an empty line
)

// How much one token has at most.
const (
	wordBytes   = 12
	digitBytes  = 3
	symbolBytes = 4
	spaceBytes  = 32

	maxPieceTokens = 2 // an emoji
)

// A tokenScanner cuts a text into tokens. Which they would be for a model is not known here, since that takes its
// vocabulary; how many they are is inferred from the way in which byte-pair encodings divide texts before they look
// up anything:
//
//   - a word has a token for every twelve bytes, and a space or a sign before it is a part of the first one. Letters of
//     two or three bytes cost more, as they do with vocabularies that are mostly English;
//   - three digits are one token, and so is every ideograph, kana or syllable of Hangul;
//   - four bytes of punctuation are one, an emoji is two;
//   - white space up to the last line's end in it is one, and what indents the line after that another one.
//
// English prose comes to about four and a half bytes a token, as it does with the encodings of the original's models, and
// the one large file whose room the original told is cut into as many chunks.
//
// Tokens begin and end with whole characters. Those of a part of a text that begins and ends with tokens of the text
// are the same ones.
type tokenScanner struct {
	text string
	pos  int  // the end of what was read
	edge edge // there
}

// next reads a token, or a character that is two. It returns how many it has read, 0 at the end.
func (s *tokenScanner) next() int {
	if s.pos == len(s.text) {
		return 0
	}
	class, r, width := s.at(s.pos)
	switch {
	case class == classSpace && !s.leads(width):
		s.space()
		return 1
	case class == classSpace, class == classSymbol && s.before(width, classWord):
		s.pos += width
		class, r, width = s.at(s.pos)
	}
	s.pos += width
	switch class {
	case classWord:
		s.run(class, wordBytes-width)
	case classDigit:
		s.run(class, digitBytes-width)
	case classSymbol:
		s.run(class, symbolBytes-width)
	}
	s.edge = s.edgeAfter(class, r)
	if class == classEmoji {
		return maxPieceTokens
	}
	return 1
}

// countTokens is how many tokens a text has, or a few more than limit if there are more. It stops when ctx ends.
func countTokens(ctx context.Context, text string, limit int) int {
	source, total := tokenScanner{text: text}, 0
	for total <= limit && source.pos < len(text) && ctx.Err() == nil {
		for goal := source.pos + maxPiece; source.pos < min(goal, len(text)) && total <= limit; {
			total += source.next()
		}
	}
	return total
}

// before tells whether a character of so many bytes that is next stands before one of a class.
func (s *tokenScanner) before(width int, class class) bool {
	if s.pos+width == len(s.text) {
		return false
	}
	next, _, _ := s.at(s.pos + width)
	return next == class
}

// leads tells whether the white space of one character that is next is a space that belongs to what is behind it.
func (s *tokenScanner) leads(width int) bool {
	if s.text[s.pos] != ' ' || s.pos+width == len(s.text) {
		return false
	}
	class, _, _ := s.at(s.pos + width)
	return class != classSpace
}

// run reads on within a class, for as many bytes.
func (s *tokenScanner) run(class class, room int) {
	for s.pos < len(s.text) {
		next, _, width := s.at(s.pos)
		if next != class && (class != classWord || next != classMark) || width > room {
			return
		}
		s.pos += width
		room -= width
	}
}

// space reads white space: up to the last line's end in it, or all of it if there is none.
func (s *tokenScanner) space() {
	end, lines, behind := s.pos, 0, 0
	for end < len(s.text) {
		class, r, width := s.at(end)
		if class != classSpace || end+width-s.pos > spaceBytes {
			break
		}
		end += width
		if r == '\n' {
			lines++
			behind = end
		}
	}
	switch {
	case lines > 1, lines > 0 && s.edge >= edgeLine:
		s.pos, s.edge = behind, edgeParagraph
	case lines > 0:
		s.pos, s.edge = behind, edgeLine
	default:
		s.pos, s.edge = end, edgeSpace
	}
}

// edgeAfter is the edge behind a token of a class that ends here. R is its first character.
func (s *tokenScanner) edgeAfter(class class, r rune) edge {
	if s.pos == len(s.text) {
		return edgeParagraph
	}
	next, _, _ := s.at(s.pos)
	inWord := class == classWord || class == classDigit || class == classMark
	switch {
	case next == classSpace:
		return edgeSpace
	case next == classMark, inWord && (next == classWord || next == classDigit), r == zeroWidthJoiner && next == classEmoji:
		return edgeNone
	default:
		return edgeTight
	}
}

// A class is of characters that tokens treat alike.
type class uint8

const (
	classSpace class = iota
	classWord
	classDigit
	classSymbol
	classIdeograph
	classEmoji
	classMark // changes the character before it
)

const zeroWidthJoiner = '\u200d'

// at is the character at a place in the text.
func (s *tokenScanner) at(i int) (c class, r rune, width int) {
	b := s.text[i]
	switch {
	case 'a' <= b|0x20 && b|0x20 <= 'z':
		return classWord, rune(b), 1
	case b == ' ' || '\t' <= b && b <= '\r':
		return classSpace, rune(b), 1
	case '0' <= b && b <= '9':
		return classDigit, rune(b), 1
	case b < utf8.RuneSelf:
		return classSymbol, rune(b), 1
	}
	r, width = utf8.DecodeRuneInString(s.text[i:])
	return classOf(r), r, width
}

// classOf is the class of a character that is not in ASCII.
func classOf(r rune) class {
	switch {
	case '\u3040' <= r && r <= '\u9fff', '\uac00' <= r && r <= '\ud7a3', '\uf900' <= r && r <= '\ufaff',
		'\U00020000' <= r && r <= '\U0003ffff':
		return classIdeograph
	case unicode.IsLetter(r):
		return classWord
	case unicode.IsSpace(r):
		return classSpace
	case unicode.IsNumber(r):
		return classDigit
	case unicode.IsMark(r), r == zeroWidthJoiner, r == '\u200c', '\U0001f3fb' <= r && r <= '\U0001f3ff':
		return classMark
	case r >= '\U0001f000', '\u2600' <= r && r < '\u2e80':
		return classEmoji
	default:
		return classSymbol
	}
}
