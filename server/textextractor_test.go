package server_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

func extract(t testing.TB, name, content string) (string, error) {
	t.Helper()
	return server.TextExtractor().Extract(t.Context(), name, strings.NewReader(content))
}

// checkExtract checks the text of a file, however its bytes arrive.
func checkExtract(t *testing.T, name, content, want string) {
	t.Helper()
	for _, reader := range []io.Reader{
		strings.NewReader(content), iotest.OneByteReader(strings.NewReader(content)), iotest.DataErrReader(strings.NewReader(content)),
	} {
		text, err := server.TextExtractor().Extract(t.Context(), name, reader)
		require.NoError(t, err)
		assert.Equal(t, want, text)
	}
}

// extraction is a file and the text that it becomes.
type extraction struct{ name, content, want string }

func checkExtracts(t *testing.T, all map[string]extraction) {
	t.Helper()
	for what, e := range all {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			checkExtract(t, e.name, e.content, e.want)
		})
	}
}

func inUTF16(order binary.AppendByteOrder, text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

// Plain text, Markdown and source code stay as they are.
func TestExtractText(t *testing.T) {
	t.Parallel()
	const markdown = "# Title\n\nSome *text*  with <b>tags</b>.\n\n```go\nfunc main() {\n\tprintln(\"&amp;\")\n}\n```\n\n| a | b |\n"
	checkExtracts(t, map[string]extraction{
		"nothing":            {"a.txt", "", ""},
		"only a BOM":         {"a.txt", "\ufeff", ""},
		"no ending":          {"README", "hello", "hello"},
		"a BOM":              {"a.txt", "\ufeffhello\ufeff", "hello\ufeff"},
		"Markdown":           {"a.md", markdown, markdown},
		"Markdown, CR LF":    {"a.md", strings.ReplaceAll(markdown, "\n", "\r\n"), markdown},
		"source code":        {"a.go", "package a\r\n\r\nvar s = \"<html>\"\r\n", "package a\n\nvar s = \"<html>\"\n"},
		"CR alone":           {"a.txt", "a\rb", "a\rb"},
		"UTF-16, big":        {"a.txt", inUTF16(binary.BigEndian, "Grüße 灯 👍\r\n"), "Grüße 灯 👍\n"},
		"UTF-16, little":     {"a.txt", inUTF16(binary.LittleEndian, "Grüße 灯 👍\r\n"), "Grüße 灯 👍\n"},
		"UTF-16, nothing":    {"a.txt", "\xff\xfe", ""},
		"UTF-16, cut":        {"a.txt", inUTF16(binary.LittleEndian, "hello")[:11], "hell"},
		"UTF-16, half pairs": {"a.txt", inUTF16(binary.BigEndian, "many words") + "\xd8\x3d\x00!\xdc\x4d\xd8\x3d", "many words\ufffd!\ufffd\ufffd"},
		"UTF-16, HTML":       {"a", inUTF16(binary.BigEndian, "<html><p>a<p>b"), "a\n\nb"},
		"some are invalid":   {"a.txt", "caf\xe9 au lait, cr\xeape", "caf\ufffd au lait, cr\ufffdpe"},
		"escape sequences":   {"a.log", "\x1b[1mbold\x1b[0m\f\b", "\x1b[1mbold\x1b[0m\f\b"},
		"no JSON":            {"a.json", "{\"a\": 1,}", "{\"a\": 1,}"},
		"two BOMs of UTF-16": {"a.txt", "\xfe\xff\xfe\xff\x00a", "\ufeffa"},
		"less than":          {"a.txt", "<h1>", "<h1>"},
	})
}

// A text may end anywhere inside of a character.
func TestExtractTruncated(t *testing.T) {
	t.Parallel()
	const text = "a é 灯 👍 \ufffd e\u0301"
	for n := range len(text) {
		want := text[:n]
		for !utf8.ValidString(want) {
			want = want[:len(want)-1]
		}
		checkExtract(t, "a.txt", text[:n], want)
	}
}

// What is no text is refused by its content, whatever its name is.
func TestExtractUnsupported(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	rubbish := make([]byte, 4096)
	for i := range rubbish {
		rubbish[i] = byte(1 + random.IntN(255)) // no NUL
	}
	for name, content := range map[string]string{
		"PDF": "%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", "zip": "PK\x03\x04 and more text", "an empty zip": "PK\x05\x06",
		"gzip": "\x1f\x8b\x08 and more text", "ELF": "\x7fELF and more text", "PNG": "\x89PNG\r\n\x1a\n and more text", "GIF": "GIF89a and more text",
		"JPEG": "\xff\xd8\xff\xe0 and more text", "NUL": "hello\x00", "NUL, late": strings.Repeat("hello\n", 50000) + "\x00",
		"rubbish": string(rubbish), "one byte": "\xff", "controls": "\x01\x02\x03", "KOI8-R": "\xed\xc1\xd1\xcb \xd3\xd4\xcf\xd1\xcc",
		"NUL in UTF-16": inUTF16(binary.LittleEndian, "hello\x00"), "UTF-32": "\xff\xfe\x00\x00h\x00\x00\x00i\x00\x00\x00",
		"UTF-16 without a mark": inUTF16(binary.LittleEndian, "hello")[2:], "halves of pairs": "\xfe\xff" + strings.Repeat("\xd8\x3d", 50),
	} {
		for _, ending := range []string{".txt", ".html", ".json", ".csv", ""} {
			text, err := extract(t, "a"+ending, content)
			assert.ErrorIs(t, err, server.ErrUnsupportedFile, name)
			assert.Empty(t, text)
		}
	}
}

// Errors of the content are handed on, and the context ends the work.
func TestExtractEnds(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, want := range []error{broken, io.ErrUnexpectedEOF} {
		for _, begin := range []string{"", "hello", strings.Repeat("hello", 50000)} {
			_, err := server.TextExtractor().Extract(t.Context(), "a.txt", io.MultiReader(strings.NewReader(begin), iotest.ErrReader(want)))
			assert.ErrorIs(t, err, want)
		}
	}
	for _, name := range []string{"a.txt", "a.html", "a.json", "a.csv"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := server.TextExtractor().Extract(ctx, name, ending{strings.NewReader("[1,2]"), cancel})
		assert.ErrorIs(t, err, context.Canceled, name)
		_, err = server.TextExtractor().Extract(ctx, name, iotest.ErrReader(broken))
		assert.ErrorIs(t, err, context.Canceled, "nothing is read")
	}
}

// ending is a reader that ends a context together with its content.
type ending struct {
	io.Reader
	cancel context.CancelFunc
}

func (e ending) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err != nil {
		e.cancel()
	}
	return n, err
}

// hostile are files of about n bytes that cost much where one is careless.
func hostile(n int) map[string][2]string {
	deep := func(begin, end string) string {
		n := n / len(begin+end)
		return strings.Repeat(begin, n) + strings.Repeat(end, n)
	}
	repeated := func(s string) string { return strings.Repeat(s, n/len(s)) }
	page := func(s string) [2]string { return [2]string{"a.html", "<html>" + s} }
	return map[string][2]string{
		"less than":               page(repeated("<")),
		"entities":                page(repeated("&amp;")),
		"numeric entities":        page(repeated("&#x10FFFF;")),
		"ampersands":              page(repeated("&")),
		"an entity without end":   page("&" + repeated("a")),
		"a number without end":    page("&#" + repeated("1")),
		"wide entities":           page(repeated("&nGt;")),
		"deep":                    page(deep("<div>", "</div>")),
		"open":                    page(repeated("<b>")),
		"comments begin":          page(repeated("<!--")),
		"scripts begin":           page(repeated("<script>")),
		"no end of a script":      page("<script>" + repeated("</")),
		"tags begin":              page(repeated("<a ")),
		"end tags begin":          page(repeated("</a ")),
		"quotes begin":            page(repeated("<a b=\"'>x")),
		"single quotes":           page(repeated("<a b='>x")),
		"attributes":              page("<a " + repeated("b=c ") + ">x"),
		"equals signs":            page("<a " + repeated("=") + ">x"),
		"breaks":                  page(repeated("x<hr>")),
		"spaces":                  page("a" + repeated(" ") + "b"),
		"lines in pre":            page("<pre>a" + repeated("\n<p>") + "b"),
		"declarations":            page(repeated("<!")),
		"alternatives":            page(repeated("<img alt=\"x&amp;y\">")),
		"comments before a page":  {"a", repeated("<!---->") + "<html>a"},
		"arrays":                  {"a.json", repeated("[")},
		"deep arrays":             {"a.json", deep("[", "]")},
		"wide arrays":             {"a.json", "[" + repeated("[[[[[[]]]]]],") + "1]"},
		"empty strings":           {"a.json", `[[[[[["",` + repeated(`1,"",`) + `1]]]]]]`},
		"a long string":           {"a.json", `["` + repeated(`\u0000`) + `"]`},
		"JSON Lines":              {"a.jsonl", repeated("1\n")},
		"objects":                 {"a.json", repeated(`{"a":`)},
		"a long header":           {"a.csv", repeated("header") + "\n" + repeated("1\n")},
		"a wide table":            {"a.csv", repeated("a,") + "a\n" + repeated("1,") + "1\n"},
		"a quote without an end":  {"a.csv", "a,b\n\"" + repeated("1,2\n")},
		"quotes":                  {"a.csv", "a\n" + repeated("\"\"\"\"\n")},
		"invalid bytes, not many": {"a.txt", repeated("\xffhello")},
	}
}

// Work and text are in proportion to a file, also to those that are made to be none.
func TestExtractHostile(t *testing.T) {
	t.Parallel()
	for name, small := range hostile(100_000) {
		t.Run(name, func(t *testing.T) {
			text, err := extract(t, small[0], small[1])
			require.NoError(t, err)
			assert.True(t, utf8.ValidString(text))
			assert.LessOrEqual(t, len(text), max(4*len(small[1]), 1<<20))
		})
	}
}

// Four times the file takes about four times the time: three times for twice the file is the most.
func TestExtractTakesLinearTime(t *testing.T) {
	const n = 1 << 16
	fastest := func(file [2]string) time.Duration {
		least := time.Hour
		for range 2 {
			begun := time.Now()
			_, err := extract(t, file[0], file[1])
			least = min(least, time.Since(begun))
			require.NoError(t, err)
		}
		return least
	}
	large := hostile(4 * n)
	for name, small := range hostile(n) {
		assert.Less(t, fastest(large[name]), 9*fastest(small)+50*time.Millisecond, name)
	}
}

// Ten megabytes of entities are text like any other.
func TestExtractEntities(t *testing.T) {
	t.Parallel()
	const n = 10 << 20 / 5
	begun := time.Now()
	text, err := extract(t, "a.html", strings.Repeat("&amp;", n))
	require.NoError(t, err)
	assert.Less(t, time.Since(begun), 20*time.Second)
	assert.True(t, text == strings.Repeat("&", n))
}

func FuzzExtract(f *testing.F) {
	for _, file := range hostile(200) {
		f.Add(file[0], []byte(file[1]))
	}
	f.Add("a.html", []byte(smallPage))
	f.Add("a.txt", []byte("\xff\xfea\x00\x3d\xd8"))
	f.Add("a.csv", []byte("a;b\n\"x\"\"\ny\";2\n"))
	f.Add("a.jsonl", []byte("{\"a\":[1,{\"b\":\"\\ud800\"}]}\n\n[null]"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		for _, name := range []string{name, "a.html", "a.json", "a.csv"} {
			begun := time.Now()
			text, err := server.TextExtractor().Extract(t.Context(), name, bytes.NewReader(content))
			assert.Less(t, time.Since(begun), time.Second+time.Duration(len(content))*time.Microsecond)
			if err != nil {
				assert.ErrorIs(t, err, server.ErrUnsupportedFile)
			}
			assert.True(t, utf8.ValidString(text))
			assert.NotContains(t, text, "\x00")
			assert.LessOrEqual(t, len(text), max(4*len(content), 1<<20))
		}
	})
}

func BenchmarkExtract(b *testing.B) {
	for name, file := range map[string][2]string{
		"text": {"a.txt", prose}, "HTML": {"a.html", smallPage}, "JSON": {"a.jsonl", "{\"name\":\"Anna\",\"age\":30,\"tags\":[\"a\",\"b\"]}\n"},
		"CSV": {"a.csv", "name,age,town\nAnna,30,Lisbon\n"},
	} {
		content := strings.Repeat(file[1], 1<<20/len(file[1]))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				_, err := extract(b, file[0], content)
				require.NoError(b, err)
			}
		})
	}
}
