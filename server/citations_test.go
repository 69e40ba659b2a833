package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// mark is a citation in a text.
type mark struct {
	Text       string
	Start, End int
	FileID     string
}

// marksIn returns the citations of a message or of its deltas, in their order, each of which must stand where it says.
func marksIn(t *testing.T, text string, contents ...json.RawMessage) (marks []mark) {
	t.Helper()
	characters := []rune(text)
	for _, content := range contents {
		for _, part := range decoded[[]assistants.ContentPart](t, string(content)) {
			if part.Text == nil {
				continue
			}
			for _, a := range part.Text.Annotations {
				require.Equal(t, assistants.AnnotationFileCitation, a.Type)
				require.Equal(t, a.Text, string(characters[a.StartIndex:a.EndIndex]))
				marks = append(marks, mark{a.Text, a.StartIndex, a.EndIndex, a.FileID()})
			}
		}
	}
	return marks
}

// contentsOf are the contents of a stream's deltas.
func contentsOf(t *testing.T, events []frame) (contents []json.RawMessage) {
	t.Helper()
	for _, e := range events {
		if e.name == "thread.message.delta" {
			contents = append(contents, decoded[deltaSeen](t, e.data).Delta.Content)
		}
	}
	return contents
}

// Citations are counted in characters, whatever these are made of.
func TestPlacesOfCitations(t *testing.T) {
	t.Parallel()
	retriever := pagesOf(map[string][]server.Passage{"vs_1": {
		{FileID: "file_1", FileName: "a.txt", Text: "one", Score: 1},
		{FileID: "file_2", FileName: "手册 📚é.md", Text: "two", Score: 0.5},
	}})
	for name, before := range map[string]string{
		"nothing": "", "letters": "Thirty days ", "emoji": "👩‍👩‍👧🏽 ok 🎉", "characters": "三十天內退款。", "combining": "Cafe\u0301 n\u0303o\u0302",
		"lines": "a\r\n\tb\u2028", "a cut character": "é\xc3", "no characters": "\xff\xfe", "many": strings.Repeat("ß", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, server.NewScripted(server.Otherwise(
				server.SearchFiles(), server.Yield(server.Text(before)), server.CiteResult(0),
				server.Say(" and 🎉 "), server.CiteResult(1), server.CiteResult(0), server.Say("."))), server.WithRetriever(retriever))
			c.uploads(2)
			c.hasStore(c.newStore("file_1", "file_2"))
			events := c.open(c.thread).all()
			m := c.messages(c.thread)[1]

			const first, second = "【4:0†a.txt】", "【4:1†手册 📚é.md】"
			start := len([]rune(strings.ToValidUTF8(before, "\uFFFD")))
			if name == "no characters" {
				start = 1 // a run of bytes that are none
			}
			behind := start + 11 + 7
			want := []mark{{first, start, start + 11, "file_1"}, {second, behind, behind + 14, "file_2"}, {first, behind + 14, behind + 25, "file_1"}}
			assert.Equal(t, want, marksIn(t, m.text(t), m.Content))
			assert.Equal(t, want, marksIn(t, textOfDeltas(t, events), contentsOf(t, events)...))
			assert.Equal(t, m.text(t), textOfDeltas(t, events))
			assert.True(t, strings.HasSuffix(m.text(t), first+" and 🎉 "+second+first+"."))

			var shown []string // each comes with its annotation, in one piece
			for _, content := range contentsOf(t, events) {
				if strings.Contains(string(content), "file_citation") {
					shown = append(shown, string(content))
				}
			}
			require.Len(t, shown, 3)
			assert.Equal(t, fmt.Sprintf(`[{"index":0,"type":"text","text":{"value":"%s","annotations":[{"index":1,"type":"file_citation","text":"%s",`+
				`"start_index":%d,"end_index":%d,"file_citation":{"file_id":"file_2","quote":""}}]}}]`, second, second, behind, behind+14), shown[1])
			assert.Contains(t, string(m.Content), fmt.Sprintf(`{"type":"file_citation","text":"%s","start_index":%d,"end_index":%d,"file_citation":{"file_id":"file_2"}}`,
				second, behind, behind+14))
		})
	}
}

// The first number of a mark goes on: with each search of a call, and with the conversation.
func TestNumbersOfCitations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, server.NewScripted(
			server.When(server.Submitted(""), server.SearchFiles("c"), server.CiteResult(0)),
			server.Otherwise(
				server.SearchFiles("a"), server.CiteResult(0), server.SearchFiles("b"), server.CiteResult(0), server.CallFunction("f", "{}"))),
			server.WithRetriever(pagesOf(map[string][]server.Passage{"vs_1": {{FileID: "file_1", FileName: "a", Text: "x", Score: 1}}})))
		c.hasStore(c.newStore(c.upload("a", "x")))
		synctest.Wait()
		all := func() (marks []string) {
			run := c.finished("")
			require.Equal(t, 200, c.submit(c.thread, run.ID, outputs("1", run.waitsFor()...)).status)
			synctest.Wait()
			for _, m := range c.messages(c.thread) {
				if m.RunID == run.ID {
					marks = append(marks, m.text(t))
				}
			}
			return marks
		}
		// Behind the message are two searches, two messages and the function.
		assert.Equal(t, []string{"【4:0†a】", "【5:0†a】", "【9:0†a】"}, all())
		require.Equal(t, 200, c.say(c.thread))
		assert.Equal(t, []string{"【8:0†a】", "【9:0†a】", "【13:0†a】"}, all(), "behind five messages")
	})
}
