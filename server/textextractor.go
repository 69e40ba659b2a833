package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"path"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// TextExtractor returns the [Extractor] that a server has by default. What a file is, its content says first and the
// ending of its name second:
//
//   - HTML becomes its readable text, with its title and the alternative texts of its images.
//   - JSON and JSON Lines become lines of "key: value" and "- element" in their order, with strings unescaped.
//   - CSV and TSV, which have a name with that ending and a header, become a block of "header: value" lines for every
//     record.
//   - Other text stays as it is: plain text, Markdown, source code; and so does JSON or CSV with mistakes in it.
//
// Text is UTF-8, or UTF-16 with a byte order mark. The mark is taken off, CR LF becomes LF, a character that the end
// of the file cuts is dropped, and other invalid bytes become U+FFFD. [ErrUnsupportedFile] are known binary formats,
// text with NUL in it, and text of which more than a fifth is invalid or control characters.
//
// A file is held in memory as a whole, together with its text. The text of JSON and tables is at most four times as long
// as the file, or a megabyte, and never longer than 64 MiB: where it would be, the file is read as other text. So
// extracting takes about five times the length of a file at most, and less of a large one.
func TextExtractor() Extractor { return textExtractor{} }

type textExtractor struct{}

// longestText is how long the text may be that is made of a table or of JSON: four times as long as that, but between 1 and
// 64 MiB. What would be longer stays as it is.
func longestText(text string) int { return min(max(4*len(text), 1<<20), 64<<20) }

// Extract reads a file to its end and makes text of it.
func (textExtractor) Extract(ctx context.Context, name string, content io.Reader) (string, error) {
	raw, err := readText(ctx, content)
	if err != nil {
		return "", err
	}
	text, err := decodeText(raw)
	if err != nil {
		return "", err
	}
	text = readable(ctx, strings.ToLower(path.Ext(name)), text)
	return text, ctx.Err()
}

// readable is what there is to read in a text, as far as it came before ctx ended.
func readable(ctx context.Context, ending, text string) string {
	if beginsHTML(text) {
		return htmlText(ctx, text)
	}
	isJSON := ending == ".json" || ending == ".jsonl" || ending == ".ndjson"
	if isJSON || beginsJSON(text) {
		if lines, ok := jsonText(ctx, text); ok {
			return lines
		}
	}
	switch ending {
	case ".html", ".htm", ".xhtml":
		return htmlText(ctx, text)
	case ".csv", ".tsv":
		if blocks, ok := csvText(ctx, ending, text); ok {
			return blocks
		}
	}
	return text
}

// readText reads all of a content that may be text. What is none is noticed as early as possible.
func readText(ctx context.Context, content io.Reader) (string, error) {
	block := 64 << 10
	var sink textSink
	if sized, ok := content.(interface{ Len() int }); ok { // or the text would be moved again and again while it grows
		sink.Grow(min(max(sized.Len(), 0), maxReadBytes))
		block = min(block, max(512, sized.Len()+1)) // that of a note sees its end as well
	}
	in := bufio.NewReaderSize(contextReader{ctx, content}, block)
	head, _ := in.Peek(16) // the error comes again
	if isBinary(head) {
		return "", ErrUnsupportedFile
	}
	sink.zeros = byteOrder(head) != nil
	_, err := io.Copy(&sink, in)
	return sink.String(), err
}

// A textSink collects text, and refuses what is none.
type textSink struct {
	strings.Builder
	zeros bool // are allowed
}

func (s *textSink) Write(p []byte) (int, error) {
	if !s.zeros && bytes.IndexByte(p, 0) >= 0 {
		return 0, ErrUnsupportedFile
	}
	return s.Builder.Write(p)
}

// isBinary tells whether a file begins like one of a format that is no text. Formats that cannot do without NUL need
// no mention.
func isBinary(head []byte) bool {
	for _, magic := range [...]string{
		"%PDF-", "PK\x03\x04", "PK\x05\x06", "\x1f\x8b", "\x7fELF", "\x89PNG", "\xff\xd8\xff", "GIF87a", "GIF89a",
		"BZh91AY&SY", "\xfd7zXZ", "7z\xbc\xaf\x27\x1c", "\x28\xb5\x2f\xfd", "Rar!\x1a\x07", "\xd0\xcf\x11\xe0",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// byteOrder is the byte order of UTF-16 that begins with its mark, or nil.
func byteOrder(head []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return binary.LittleEndian
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return binary.BigEndian
	default:
		return nil
	}
}

// decodeText returns a text in UTF-8, without a byte order mark, or [ErrUnsupportedFile].
func decodeText(raw string) (string, error) {
	text, bad := strings.TrimPrefix(raw, "\ufeff"), 0
	if order := byteOrder([]byte(raw[:min(len(raw), 2)])); order != nil {
		text, bad = decodeUTF16(raw[2:], order)
	}
	text = text[:len(text)-cutEnd(text)]
	invalid, controls := countBad(text)
	if (bad+invalid+controls)*5 > len(text) || strings.IndexByte(text, 0) >= 0 {
		return "", ErrUnsupportedFile
	}
	if invalid > 0 {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	return strings.ReplaceAll(text, "\r\n", "\n"), nil
}

// decodeUTF16 also says how many halves of surrogate pairs were alone, and became U+FFFD. Half a unit at the end is
// dropped.
func decodeUTF16(raw string, order binary.ByteOrder) (text string, bad int) {
	var out strings.Builder
	out.Grow(len(raw) / 2)
	unit := func(i int) rune {
		if i+2 > len(raw) {
			return 0
		}
		return rune(order.Uint16([]byte{raw[i], raw[i+1]}))
	}
	for i := 0; i+2 <= len(raw); i += 2 {
		r := unit(i)
		if utf16.IsSurrogate(r) {
			if r = utf16.DecodeRune(r, unit(i+2)); r != utf8.RuneError {
				i += 2
			} else {
				bad++
			}
		}
		out.WriteRune(r)
	}
	return out.String(), bad
}

// cutEnd is how many bytes at the end of a text are the beginning of a character.
func cutEnd(text string) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if end := text[len(text)-n:]; utf8.RuneStart(end[0]) {
			if utf8.FullRuneInString(end) {
				return 0
			}
			return n
		}
	}
	return 0
}

// countBad counts the bytes of a text that are no UTF-8, and its control characters. Those that texts have for their
// form are none: backspace to carriage return, and escape.
func countBad(text string) (invalid, controls int) {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if c == 0x7f || c < ' ' && (c < '\b' || c > '\r') && c != 0x1b {
				controls++
			}
			i++
			continue
		}
		r, width := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && width == 1 {
			invalid++
		}
		i += width
	}
	return invalid, controls
}
