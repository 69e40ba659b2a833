package server_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// What a model can say about its text: where a message ends, and what stands for which file.

// A model may write several messages in a row. Without something between them, they are one.
func TestSeveralMessages(t *testing.T) {
	t.Parallel()
	var next server.NewMessage
	for name, test := range map[string]struct {
		round []any
		texts []string // of the messages
		types []string // of the steps
	}{
		"two":              {saying(server.Text("a"), next, server.Text("b")), []string{"a", "b"}, []string{"m", "m"}},
		"one":              {saying(server.Text("a"), server.Text("b")), []string{"ab"}, []string{"m"}},
		"nothing before":   {saying(next, server.Text("a")), []string{"a"}, []string{"m"}},
		"nothing behind":   {saying(server.Text("a"), next), []string{"a"}, []string{"m"}},
		"nothing between":  {saying(server.Text("a"), next, next, server.Text(""), server.Text("b")), []string{"a", "b"}, []string{"m", "m"}},
		"cut character":    {saying(server.Text("a\xc3"), next, server.Text("\xa4b")), []string{"a\uFFFD", "\uFFFDb"}, []string{"m", "m"}},
		"around a tool":    {saying(server.Text("a"), next, server.CodeCall{}, next, server.CodeLogs("1"), server.Text("b")), []string{"a", "b"}, []string{"m", "t", "m"}},
		"behind functions": {saying(server.Text("a"), server.FunctionCall{Name: "f"}, next, server.FunctionCall{Name: "g"}), []string{"a"}, []string{"m", "t"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, yielding(test.round))
			events := c.open(c.thread).all() // a legal stream
			var texts, types []string
			for _, m := range c.messages(c.thread)[1:] {
				assert.Equal(t, "completed", m.Status)
				texts = append(texts, m.text(t))
			}
			for _, s := range c.steps(c.thread, runID(t, events)) {
				types = append(types, s.Type[:1])
			}
			require.Equal(t, test.texts, texts)
			require.Equal(t, test.types, types)
		})
	}
}

// White space behind calls of functions, with which models often end, is nothing. Other text fails the run.
func TestWhiteSpaceBehindFunctions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"\n": "requires_action", " \t\r\n\u00a0": "requires_action", "x": "failed", "\n.\n": "failed", "\x00": "failed",
	} {
		c := newConvo(t, yielding(saying(server.Text("a"), server.FunctionCall{ID: "call_a", Name: "f", Arguments: "{"},
			server.Text(text), server.Arguments("}"), server.Text(text))))
		events := c.open(c.thread).all()
		run := c.run(c.thread, runID(t, events))
		require.Equal(t, want, run.Status, "%q", text)
		require.Len(t, c.messages(c.thread), 2)
		if want == "requires_action" {
			require.Equal(t, "{}", run.RequiredAction.SubmitToolOutputs.ToolCalls[0].Function.Arguments, "they go on behind it")
		}
	}
}

// place is where an annotation is, in which part of the content.
type place struct {
	Part         int
	Text, FileID string
	Start, End   int
}

// placesOf returns the annotations of a message, part by part.
func placesOf(t *testing.T, m messageSeen) (places []place) {
	t.Helper()
	type annotations []struct {
		Text       string
		StartIndex int `json:"start_index"`
		EndIndex   int `json:"end_index"`
		FilePath   struct {
			FileID string `json:"file_id"`
		} `json:"file_path"`
	}
	parts := decoded[[]struct {
		Text struct{ Annotations annotations }
	}](t, string(m.Content))
	for i, part := range parts {
		for _, a := range part.Text.Annotations {
			places = append(places, place{i, a.Text, a.FilePath.FileID, a.StartIndex, a.EndIndex})
		}
	}
	return places
}

// A path stands for a file where it was written last, unless that place stands for one already. Places are counted in
// characters.
func TestPlacesOfFilePaths(t *testing.T) {
	t.Parallel()
	const path, other = "sandbox:/ä", "sandbox:/ä/b"
	file := func(path, id string) server.FilePath { return server.FilePath{Path: path, FileID: id} }
	for name, test := range map[string]struct {
		round  []any
		places []place
		text   string
	}{
		"twice": {
			saying(server.Text("é "+path+" and "+path+"."), file(path, "file-1"), file(path, "file-2")),
			[]place{{0, path, "file-1", 17, 27}, {0, path, "file-2", 2, 12}}, "é " + path + " and " + path + ".",
		},
		"three times, with two places": {
			saying(server.Text(path+" "+path), file(path, "file-1"), file(path, "file-2"), file(path, "file-3")),
			[]place{{0, path, "file-1", 11, 21}, {0, path, "file-2", 0, 10}, {0, path, "file-3", 21, 31}}, path + " " + path + path,
		},
		"written on between": {
			saying(server.Text(path), file(path, "file-1"), server.Text(path), file(path, "file-2")),
			[]place{{0, path, "file-1", 0, 10}, {0, path, "file-2", 10, 20}}, path + path,
		},
		"in front of an image": {
			saying(server.Text(path), server.Image{FileID: "file-0"}, file(path, "file-1")),
			[]place{{0, path, "file-1", 0, 10}}, path,
		},
		"around an image": {
			saying(server.Text(path), server.Image{FileID: "file-0"}, server.Text("see "+path), file(path, "file-1"), file(path, "file-2")),
			[]place{{0, path, "file-2", 0, 10}, {2, path, "file-1", 4, 14}}, path + "see " + path,
		},
		"nowhere, behind an image": {
			saying(server.Text("x"), server.Image{FileID: "file-0"}, file(path, "file-1")),
			[]place{{2, path, "file-1", 0, 10}}, "x" + path,
		},
		"not in a longer path": {
			saying(server.Text("/a.c, /a.csv"), file("/a.c", "file-1"), file("/a.csv", "file-2")),
			[]place{{0, "/a.c", "file-1", 0, 4}, {0, "/a.csv", "file-2", 6, 12}}, "/a.c, /a.csv",
		},
		"a longer path": {
			saying(server.Text(other+" "+path), file(other, "file-1"), file(path, "file-2")),
			[]place{{0, other, "file-1", 0, 12}, {0, path, "file-2", 13, 23}}, other + " " + path,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, yielding(test.round))
			events := c.open(c.thread).all()
			m := c.messages(c.thread)[1]
			assert.Equal(t, test.places, placesOf(t, m))
			assert.Equal(t, test.text, m.text(t))
			assert.Equal(t, test.text, textOfDeltas(t, events))
		})
	}
}

// Thousands of paths are found in no time: a model may write nothing else.
func TestManyFilePaths(t *testing.T) {
	t.Parallel()
	const path, links = "sandbox:/mnt/data/ä", 2000
	round := saying(server.Text(strings.Repeat(path+" ", links)))
	for range links {
		round = append(round, server.FilePath{Path: path, FileID: "file-1"})
	}
	c := newConvo(t, yielding(round))
	began := time.Now()
	c.open(c.thread).all()
	assert.Less(t, time.Since(began), 20*time.Second, "it takes a fraction of a second, and would take a minute")
	places := placesOf(t, c.messages(c.thread)[1])
	require.Len(t, places, links)
	assert.Equal(t, place{0, path, "file-1", 0, 19}, places[links-1])
}

// A character of which the rest never comes is shown as what it is, at the end of code and arguments as of text.
func TestCutCharactersAtTheEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		round []any
		want  string // the tool calls of the last step that has some
		last  string // delta
	}{
		"code": {
			saying(server.CodeCall{ID: "call_a", Input: "a\xc3"}),
			`[{"id":"call_a","type":"code_interpreter","code_interpreter":{"input":"a�","outputs":[]}}]`,
			`[{"index":0,"type":"code_interpreter","code_interpreter":{"input":"�"}}]`,
		},
		"code in front of text": {
			saying(server.CodeCall{ID: "call_a"}, server.CodeInput("a\xf0\x9f"), server.Text("x")),
			`[{"id":"call_a","type":"code_interpreter","code_interpreter":{"input":"a�","outputs":[]}}]`,
			`[{"index":0,"type":"code_interpreter","code_interpreter":{"input":"�"}}]`,
		},
		"code in front of its output": {
			saying(server.CodeCall{ID: "call_a", Input: "a\xc3"}, server.CodeLogs("1")),
			`[{"id":"call_a","type":"code_interpreter","code_interpreter":{"input":"a�","outputs":[{"type":"logs","logs":"1"}]}}]`,
			`[{"index":0,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":0,"type":"logs","logs":"1"}]}}]`,
		},
		"arguments": {
			saying(server.FunctionCall{ID: "call_a", Name: "f", Arguments: "{\xc3"}),
			`[` + functionCall("call_a", "f", "{�", "null") + `]`,
			`[{"index":0,"type":"function","function":{"arguments":"�"}}]`,
		},
		"arguments in front of another call": {
			saying(calling("call_a"), server.Arguments("\xc3"), calling("call_b"), server.Arguments("\xe2\x82")),
			`[` + functionCall("call_a", "f", "�", "null") + `,` + functionCall("call_b", "f", "�", "null") + `]`,
			`[{"index":1,"type":"function","function":{"arguments":"�"}}]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, yielding(test.round))
			events := c.open(c.thread).all()
			var calls, last json.RawMessage
			for _, s := range c.steps(c.thread, runID(t, events)) {
				if s.Type == "tool_calls" {
					calls = s.StepDetails.ToolCalls
				}
			}
			for _, e := range events {
				if e.name == "thread.run.step.delta" {
					last = decoded[deltaSeen](t, e.data).Delta.StepDetails.ToolCalls
				}
			}
			assert.Equal(t, test.want, string(calls))
			assert.Equal(t, test.last, string(last))
		})
	}
}
