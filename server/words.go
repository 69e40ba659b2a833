package server

import (
	"bytes"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file cuts text into the words by which a [LexicalRetriever] finds it: questions and passages alike.

// maxWord is how many bytes of a word count. What is longer is data rather than a word, and not cut into parts.
const maxWord = 128

// wordsOf returns the words of a text in their order, each with the byte at which it begins. The slice of a word is
// used again for the next one.
//
// A word is a run of letters and digits, in lower case, without accents and English endings. An identifier, as in
// getUserName or user_name, is its parts and then the whole of them. Where words are not told apart by spaces, every
// character is a word, and every two that follow each other are another one.
func wordsOf(text string) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		r := wordReader{yield: yield}
		for i, more := 0, true; i < len(text) && more; {
			if end := plainEnd(text, i); end > i {
				more = r.plain(i, text[i:end])
				i = end
				continue
			}
			first, size := utf8.DecodeRuneInString(text[i:])
			if !unicode.IsLetter(first) && !unicode.IsDigit(first) {
				i += size
				continue
			}
			end := runEnd(text, i)
			if isUnspaced(first) {
				more = r.unspaced(i, text[i:end])
			} else {
				more = r.identifier(i, text[i:end])
			}
			i = end
		}
	}
}

// plainEnd returns the end of the word that begins at text[i], if it is of ASCII and has no capital but its first
// letter; else i. Most words of most texts are.
func plainEnd(text string, i int) int {
	if !isPlain(text[i]) && !isCapital(text[i]) {
		return i
	}
	end := i + 1
	for end < len(text) && isPlain(text[end]) {
		end++
	}
	if end < len(text) && (text[end] >= utf8.RuneSelf || text[end] == '_' || isCapital(text[end])) {
		return i
	}
	return end
}

// isPlain tells small letters and digits.
func isPlain(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

func isCapital(c byte) bool { return 'A' <= c && c <= 'Z' }

// runEnd returns the end of the run of letters, digits and what joins them that begins at text[i]. A change between
// scripts with and without spaces ends it as well.
func runEnd(text string, i int) int {
	first, size := utf8.DecodeRuneInString(text[i:])
	unspaced := isUnspaced(first)
	for end := i + size; ; end += size {
		var c rune
		c, size = utf8.DecodeRuneInString(text[end:])
		joins := unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) || c == '_' || c == softHyphen
		if !joins || isUnspaced(c) != unspaced {
			return end
		}
	}
}

// softHyphen is where a line may break inside a word.
const softHyphen = '\u00ad'

// isUnspaced tells characters of scripts that put no spaces between words, and those of Korean, which glues particles
// to them.
func isUnspaced(c rune) bool {
	const thai, longVowel = '\u0e00', 'ー'
	return c >= thai && (c == longVowel || unicode.In(c, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar))
}

// A wordReader yields words. Its methods return what yield did: whether it wants more.
type wordReader struct {
	yield       func(start int, word []byte) bool
	word, whole []byte // buffers
}

// plain yields a word that plainEnd has found.
func (r *wordReader) plain(start int, word string) bool {
	r.word = append(r.word[:0], word[:min(len(word), maxWord)]...)
	r.word[0] |= 'a' - 'A' // which digits have as well
	return r.yield(start, stem(r.word))
}

// unspaced yields the characters of a run, and every two that follow each other.
func (r *wordReader) unspaced(start int, run string) bool {
	before := -1 // where the character before begins
	for i, c := range run {
		end := i + utf8.RuneLen(c)
		r.word = append(r.word[:0], run[i:end]...)
		if !r.yield(start+i, r.word) {
			return false
		}
		if before >= 0 {
			r.word = append(r.word[:0], run[before:end]...)
			if !r.yield(start+before, r.word) {
				return false
			}
		}
		before = i
	}
	return true
}

// identifier yields the parts of a run and, if there are several, the whole of them. All begin where the run does.
func (r *wordReader) identifier(start int, run string) bool {
	if len(run) > maxWord {
		end := maxWord
		for !utf8.RuneStart(run[end]) {
			end--
		}
		r.word = appendFolded(r.word[:0], run[:end])
		return r.yield(start, stem(r.word))
	}
	r.whole = r.whole[:0]
	parts := 0
	for rest := run; rest != ""; {
		end := partEnd(rest)
		r.word = appendFolded(r.word[:0], rest[:end])
		rest = strings.TrimLeft(rest[end:], "_")
		if len(r.word) == 0 { // marks alone
			continue
		}
		parts++
		r.whole = append(r.whole, r.word...)
		if !r.yield(start, stem(r.word)) {
			return false
		}
	}
	return parts < 2 || r.yield(start, stem(r.whole))
}

// partEnd returns where the first part of an identifier ends: before a low line, or before a capital behind a small
// letter, or one that begins a word, as the S in HTTPServer.
func partEnd(run string) int {
	var before rune
	for i, c := range run {
		if c == '_' {
			return i
		}
		if i > 0 && unicode.IsUpper(c) && (unicode.IsLower(before) || isTail(run[i+utf8.RuneLen(c):])) {
			return i
		}
		before = c
	}
	return len(run)
}

// isTail tells whether a text goes on a word of which only the capital is known: with small letters, but not with the
// s of a plural, as in URLs.
func isTail(text string) bool {
	first, size := utf8.DecodeRuneInString(text)
	second, _ := utf8.DecodeRuneInString(text[size:])
	return unicode.IsLower(first) && (first != 's' || unicode.IsLower(second))
}

// appendFolded appends a text in lower case and without accents.
func appendFolded(b []byte, text string) []byte {
	for _, c := range text {
		if c = fold(c); c >= 0 && c != '_' {
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}

// bases are the letters of U+00E0 to U+017F without their accents; a dot is a letter that has none.
const bases = "aaaaaa.ceeeeiiii.nooooo.ouuuuy.y" +
	".a.a.a.c.c.c.c.d.d.e.e.e.e.e.g.g" +
	".g.g.h.h.i.i.i.iii...j.k..l.l.l." +
	"..l.n.n.n....o.o.o...r.r.r.s.s.s" +
	".s.t.t.t.u.u.u.u.u.u.w.y..z.z.zs"

// fold returns a character in lower case and without its accent, or -1 for one that is nothing but an accent.
func fold(c rune) rune {
	const firstBase, firstAccent, lastAccent, firstWide, lastWide = 0xe0, 0x300, 0x36f, 0xff01, 0xff5e
	c = unicode.ToLower(c)
	switch {
	case c < firstBase && c != softHyphen:
		return c
	case c == softHyphen, firstAccent <= c && c <= lastAccent:
		return -1
	case c < firstBase+rune(len(bases)):
		if base := bases[c-firstBase]; base != '.' {
			return rune(base)
		}
	case firstWide <= c && c <= lastWide: // as wide as a Chinese character
		return c - firstWide + '!'
	case c == 'ς':
		return 'σ'
	case c == 'ё':
		return 'е'
	}
	return c
}

// stem takes the endings from an English word that do not change what it is about: of the plural, ing and ed, and
// then what they may have hidden or doubled, from all words alike. What is left need not be a word. It changes the
// word in place.
func stem(word []byte) []byte {
	if len(word) < 4 {
		return word
	}
	for _, c := range word {
		if c < 'a' || c > 'z' {
			return word
		}
	}
	word = withoutTense(withoutPlural(word))
	if n := len(word); n > 3 && word[n-1] == 'e' {
		word = word[:n-1]
	}
	if n := len(word); n > 3 && word[n-1] == word[n-2] && strings.IndexByte(vowels, word[n-1]) < 0 {
		word = word[:n-1]
	}
	return word
}

func withoutPlural(word []byte) []byte {
	n := len(word)
	switch {
	case word[n-1] != 's':
		return word
	case word[n-2] == 's', word[n-2] == 'u', word[n-2] == 'i': // class, status, analysis
		return word
	case n > 4 && word[n-3] == 'i' && word[n-2] == 'e':
		return append(word[:n-3], 'y')
	}
	return word[:n-1]
}

func withoutTense(word []byte) []byte {
	n := len(word)
	var rest []byte
	switch tail := word[n-3:]; {
	case n > 4 && string(tail) == "ied":
		return append(word[:n-3], 'y')
	case string(tail) == "ing":
		rest = word[:n-3]
	case tail[0] != 'e' && string(tail[1:]) == "ed":
		rest = word[:n-2]
	}
	if len(rest) >= 3 && bytes.ContainsAny(rest, vowels) {
		return rest
	}
	return word
}

const vowels = "aeiouy"
