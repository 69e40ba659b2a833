package server_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

const prose = `The lighthouse stood at the end of a narrow spit of land, where the river met the sea. For more than
eighty years its keepers had written down the weather twice a day, in small neat letters, and nobody had ever thought
of throwing these books away. When the last of them retired, his daughter carried forty heavy volumes into the
kitchen and began to read. She found storms and calms, ships that were late, and a winter in which the harbour had
frozen over; but also recipes, quarrels about money, and the names of children who had been born on the island.

"You should print it," said her neighbour, who came every Thursday with a newspaper and stayed until noon.
"Nobody would believe a word of it," she answered, "and those who would have been there themselves."
`

// checkChunks checks what chunk promises. How much spans overlap depends on the longest word.
func checkChunks(t *testing.T, text string, size, overlap int) {
	t.Helper()
	spans := server.Chunk(text, size, overlap)
	if text == "" {
		require.Empty(t, spans)
		return
	}
	require.NotEmpty(t, spans)
	require.Zero(t, spans[0].Start)
	require.Equal(t, len(text), spans[len(spans)-1].End)
	longest := longestWord(text)
	for i, span := range spans {
		part := text[span.Start:span.End]
		require.NotEmpty(t, part)
		require.LessOrEqual(t, server.CountTokens(part), size)
		for _, place := range []int{span.Start, span.End} {
			require.True(t, place == len(text) || utf8.RuneStart(text[place]), "a character is cut at %d", place)
			require.False(t, longest <= size && cutsWord(text, place), "a word is cut at %d", place)
		}
		if i == 0 {
			continue
		}
		before := spans[i-1]
		require.Greater(t, span.Start, before.Start)
		require.LessOrEqual(t, span.Start, before.End, "a gap")
		require.Greater(t, span.End, before.End, "a span has nothing new")
		shared := server.CountTokens(text[span.Start:before.End])
		require.LessOrEqual(t, shared, overlap)
		if longest <= size/2 {
			require.GreaterOrEqual(t, shared, overlap-overlap/8-longest, "too little in common")
			require.Greater(t, server.CountTokens(text[before.Start:before.End]), size-size/8-longest-1, "a small span")
		}
	}
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) ||
		unicode.IsNumber(r) || unicode.IsMark(r)
}

func cutsWord(text string, place int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:place])
	after, _ := utf8.DecodeRuneInString(text[place:])
	return inWord(before) && inWord(after)
}

// longestWord is how many tokens the longest word has, or the longest row of emojis.
func longestWord(text string) int {
	longest := 0
	for _, word := range strings.FieldsFunc(text, func(r rune) bool {
		return !inWord(r) && !unicode.In(r, unicode.So, unicode.Sk) && r != '\u200d' && r != '\u200c'
	}) {
		longest = max(longest, server.CountTokens(word))
	}
	return longest
}

// Texts of several scripts, of code and of nothing that makes sense are cut as promised.
func TestChunksHoldTheirPromises(t *testing.T) {
	t.Parallel()
	alphabets := map[string][]string{
		"english":  strings.Fields(prose),
		"german":   strings.Fields("Straße Überwachungskameraverordnung über Äpfel, und ein Donaudampfschiff! so."),
		"russian":  strings.Fields("Маяк стоял на конце узкой косы, где река встречалась с морем. достопримечательность"),
		"hindi":    strings.Fields("प्रकाशस्तंभ नदी के मुहाने पर खड़ा था। क्षत्रिय"),
		"arabic":   strings.Fields("كانت المنارة في نهاية الشاطئ، حيث يلتقي النهر بالبحر."),
		"chinese":  {"灯塔", "矗立在", "狭长的", "海岬", "尽头。", "河流", "在那里", "入海，", "1987", "年"},
		"japanese": {"灯台は", "カタカナ", "ひらがな", "です。", "が\u3099"},
		"korean":   {"등대는", "강이", "바다와", "만나는"},
		"emoji":    {"👩‍👩‍👧‍👦", "👍🏽", "🇵🇹", "❤️", "ok", "1️⃣"},
		"code":     {"func", "main() {", "\tx[i]++", "return;", "a_b.c", "0x7fff", "//", "}\n", "\n\n"},
		"rubbish":  {"\x00", "\xff\xfe", "\u200d", "\u0301", "\r\n", "\n", "\u00a0", "a", "9", "🏽", "\U0010ffff", "-----------"},
		"long":     {strings.Repeat("donaudampf", 30), strings.Repeat("7", 700), "a", strings.Repeat("é", 400), "b.", strings.Repeat("👩\u200d", 300)},
	}
	gaps := []string{" ", " ", " ", " ", " ", " ", "\n", "\n\n", "", "   ", strings.Repeat(" ", 100), ", "}
	for name, words := range alphabets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			for range 20 {
				var text strings.Builder
				for range random.IntN(1000) {
					if text.Len() > 20_000 {
						break
					}
					text.WriteString(words[random.IntN(len(words))])
					text.WriteString(gaps[random.IntN(len(gaps))])
				}
				size := 100 + random.IntN(400)
				checkChunks(t, text.String(), size, random.IntN(size/2+1))
				checkChunks(t, text.String(), size, size/2)
				checkChunks(t, text.String(), size, 0)
			}
		})
	}
}

// The shortest texts, and texts about as long as a span.
func TestChunksOfFewTokens(t *testing.T) {
	t.Parallel()
	assert.Empty(t, server.Chunk("", 800, 400))
	assert.Equal(t, []server.Span{{End: 2}}, server.Chunk("hi", 800, 400))
	for n := 90; n < 220; n++ {
		checkChunks(t, strings.Repeat(" a", n), 100, 50)
		checkChunks(t, strings.Repeat("a\n", n), 100, 50)
		checkChunks(t, strings.Repeat("字", n), 100, 0)
	}
	assert.Len(t, server.Chunk(strings.Repeat(" a", 100), 100, 50), 1)
	assert.Equal(t, []server.Span{{0, 200}, {100, 202}}, server.Chunk(strings.Repeat(" a", 101), 100, 50))
	checkChunks(t, strings.Repeat(prose, 100), 4096, 2048)
}

// Spans end behind paragraphs and lines, where these are not far.
func TestChunksEndWhereTextsDo(t *testing.T) {
	t.Parallel()
	word := func(n int) string { return strings.Repeat(" a", n) }
	for name, test := range map[string]struct{ text, first string }{
		"a paragraph near the end":   {word(92) + "\n\n" + word(4) + "\n" + word(90), word(92) + "\n\n"},
		"a line near the end":        {word(92) + "\n" + word(90), word(92) + "\n"},
		"the last line of several":   {word(90) + "\n" + word(4) + "\n" + word(90), word(90) + "\n" + word(4) + "\n"},
		"a paragraph far away":       {word(70) + "\n\n" + word(90), word(70) + "\n\n" + word(29)},
		"no full stop begins a span": {word(98) + " b.c.d" + word(90), word(98)},
		"a word is not cut":          {word(95) + " " + strings.Repeat("b", 120) + word(90), word(95)},
		"nor are digits":             {word(95) + " " + strings.Repeat("1", 30) + word(90), word(95)},
		"nor is a word with marks":   {word(95) + " " + strings.Repeat("e\u0301", 40) + word(90), word(95)},
		"a word that is too long is": {word(95) + " " + strings.Repeat("b", 6000), word(95) + " " + strings.Repeat("b", 60)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			span := server.Chunk(test.text, 100, 50)[0]
			assert.Equal(t, test.first, test.text[span.Start:span.End])
			checkChunks(t, test.text, 100, 50)
		})
	}
}

// How many tokens a text has.
func TestTokens(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, " ": 1, "a": 1, " a": 1, "  a": 2, "a b": 2, "harbourmaster": 2, " harbour": 1, "(a": 1, "(1": 2, "((a": 2, " (a": 2, "1": 1, "2024": 2, "a.": 2, "don't": 2,
		"\n": 1, "\n\n\n": 1, "a\n    b": 4, "a\n b": 3, "灯塔": 2, "👍": 2, "👍🏽": 3, "...": 1, "--------": 2, "город": 1, "здравствуйте": 2,
		"\xff": 1, "é": 1, "e\u0301": 1, strings.Repeat(" ", 64): 2,
	} {
		assert.Equal(t, want, server.CountTokens(text), "%q", text)
	}
	assert.InDelta(t, 4.5, float64(len(prose))/float64(server.CountTokens(prose)), 0.4, "bytes a token, in English")
}

func FuzzChunk(f *testing.F) {
	f.Add(prose, uint16(0), uint16(50))
	f.Add(strings.Repeat("字👍🏽\u0301 \n\n", 40), uint16(7), uint16(0))
	f.Add(strings.Repeat("x", 2000)+"\xff\xf0\x9f", uint16(1), uint16(9))
	f.Fuzz(func(t *testing.T, text string, size, overlap uint16) {
		width := 100 + int(size)%3997
		text = strings.ToValidUTF8(text, "\ufffd")
		checkChunks(t, text, width, int(overlap)%(width/2+1))
		checkChunks(t, strings.Repeat(text, 1+400/(len(text)+1)), 100, 50)
	})
}

// What is kept while a text is cut is a span's tokens and the spans, however long the text is.
func TestChunksAllocateLittle(t *testing.T) {
	text := strings.Repeat(prose, 500)
	assert.Less(t, testing.AllocsPerRun(3, func() { server.Chunk(text, 800, 400) }), 40.0)
}

func BenchmarkChunk(b *testing.B) {
	for name, text := range map[string]string{
		"English": prose, "Russian": "Маяк стоял на конце узкой косы, где река встречалась с морем.\n", "Chinese": "灯塔矗立在狭长的海岬尽头。",
	} {
		text = strings.Repeat(text, 1<<20/len(text))
		for _, size := range []int{100, 800, 4096} {
			b.Run(fmt.Sprint(name, size), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					server.Chunk(text, size, size/2)
				}
			})
		}
	}
}
