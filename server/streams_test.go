package server_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

var (
	runBegins     = []string{"run.created", "run.queued", "run.in_progress"}
	messageBegins = []string{"step.created message_creation", "step.in_progress message_creation", "message.created []", "message.in_progress []"}
	toolsBegin    = []string{"step.created tool_calls []", "step.in_progress tool_calls []"}
)

// firstText is the first event of a text, textDelta a later one, and fullText the finished part.
func firstText(s string) string {
	return `message.delta [{"index":0,"type":"text","text":{"value":` + quoted(s) + `,"annotations":[]}}]`
}

func textDelta(s string) string {
	return `message.delta [{"index":0,"type":"text","text":{"value":` + quoted(s) + `}}]`
}

func fullText(s string) string {
	return `{"type":"text","text":{"value":` + quoted(s) + `,"annotations":[]}}`
}

func functionCall(id, name, arguments, output string) string {
	return `{"id":"` + id + `","type":"function","function":` +
		`{"name":"` + name + `","arguments":` + quoted(arguments) + `,"output":` + output + `}}`
}

func functionHead(index, id, name string) string {
	return `step.delta [{"index":` + index + `,"id":"` + id + `","type":"function","function":` +
		`{"name":"` + name + `","arguments":"","output":null}}]`
}

func functionArguments(index, piece string) string {
	return `step.delta [{"index":` + index + `,"type":"function","function":{"arguments":` + quoted(piece) + `}}]`
}

const citation = `"type":"file_citation","text":"【4:0†a.txt】","start_index":6,"end_index":17,"file_citation":{"file_id":"file-a"`

var spent = server.Usage{PromptTokens: 10, CompletionTokens: 2, CachedTokens: 3, ReasoningTokens: 1}

// streamKinds are the kinds of streams that end with the run, by what the model yields.
var streamKinds = map[string]struct {
	said []any
	want [][]string
}{
	"a plain answer": {saying(server.Text("Hello"), server.Text(""), server.Text("!"), spent), [][]string{messageBegins, {
		firstText("Hello"), textDelta("!"),
		"message.completed [" + fullText("Hello!") + "]", "step.completed message_creation 10+2", "run.completed 10+2",
	}}},
	"an empty answer": {saying(spent), [][]string{{"run.completed 10+2"}}},
	"a refusal": {saying(server.Refusal("No"), server.Refusal(".")), [][]string{messageBegins, {
		`message.delta [{"index":0,"type":"refusal","refusal":"No"}]`, `message.delta [{"index":0,"type":"refusal","refusal":"."}]`,
		`message.completed [{"type":"refusal","refusal":"No."}]`, "step.completed message_creation 0+0", "run.completed 0+0",
	}}},
	"images around a text": {saying(server.Image{FileID: "file-i"}, server.Text("x"), server.Image{FileID: "file-j"}), [][]string{messageBegins, {
		`message.delta [{"index":0,"type":"image_file","image_file":{"file_id":"file-i","detail":"auto"}}]`,
		`message.delta [{"index":1,"type":"text","text":{"value":"x","annotations":[]}}]`,
		`message.delta [{"index":2,"type":"image_file","image_file":{"file_id":"file-j","detail":"auto"}}]`,
		`message.completed [{"type":"image_file","image_file":{"file_id":"file-i","detail":"auto"}},` + fullText("x") +
			`,{"type":"image_file","image_file":{"file_id":"file-j","detail":"auto"}}]`,
		"step.completed message_creation 0+0", "run.completed 0+0",
	}}},
	"file search and a citation": {
		saying(server.SearchCall{}, server.SearchResults{{FileID: "file-a", FileName: "a.txt", Score: 0.5,
			Content: []assistants.FileSearchContent{{Type: assistants.ContentText, Text: "hidden"}}}}, spent,
			server.Text("Äpfel "), server.Citation{Mark: "【4:0†a.txt】", FileID: "file-a"}, server.Text("."), spent),
		[][]string{toolsBegin, {
			`step.delta [{"index":0,"id":"call_1","type":"file_search","file_search":{"ranking_options":` +
				`{"ranker":"default_2024_08_21","score_threshold":0.0},"results":[]}}]`,
			`step.completed tool_calls 10+2 [{"id":"call_1","type":"file_search","file_search":{"ranking_options":` +
				`{"ranker":"default_2024_08_21","score_threshold":0.0},"results":[{"file_id":"file-a","file_name":"a.txt","score":0.5,"attributes":{}}]}}]`,
		}, messageBegins, {
			firstText("Äpfel "),
			`message.delta [{"index":0,"type":"text","text":{"value":"【4:0†a.txt】","annotations":[{"index":0,` + citation + `,"quote":""}}]}}]`,
			textDelta("."),
			`message.completed [{"type":"text","text":{"value":"Äpfel 【4:0†a.txt】.","annotations":[{` + citation + `}}]}}]`,
			"step.completed message_creation 10+2", "run.completed 20+4",
		}}},
	"code with logs and an image": {
		saying(server.CodeCall{ID: "call_x"}, server.CodeInput("print"), server.CodeInput("(1)"), server.CodeLogs("1\n"), server.CodeImage{FileID: "file-i"},
			server.Text("See sandbox:/mnt/data/p.csv"), server.FilePath{Path: "sandbox:/mnt/data/p.csv", FileID: "file-p"}),
		[][]string{toolsBegin, {
			`step.delta [{"index":0,"id":"call_x","type":"code_interpreter","code_interpreter":{"input":"","outputs":[]}}]`,
			`step.delta [{"index":0,"type":"code_interpreter","code_interpreter":{"input":"print"}}]`,
			`step.delta [{"index":0,"type":"code_interpreter","code_interpreter":{"input":"(1)"}}]`,
			`step.delta [{"index":0,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":0,"type":"logs","logs":"1\n"}]}}]`,
			`step.delta [{"index":0,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":1,"type":"image","image":{"file_id":"file-i"}}]}}]`,
			`step.completed tool_calls 0+0 [{"id":"call_x","type":"code_interpreter","code_interpreter":{"input":"print(1)","outputs":` +
				`[{"type":"logs","logs":"1\n"},{"type":"image","image":{"file_id":"file-i"}}]}}]`,
		}, messageBegins, {
			firstText("See sandbox:/mnt/data/p.csv"),
			`message.delta [{"index":0,"type":"text","text":{"value":"","annotations":[{"index":0,"type":"file_path",` +
				`"text":"sandbox:/mnt/data/p.csv","start_index":4,"end_index":27,"file_path":{"file_id":"file-p"}}]}}]`,
			`message.completed [{"type":"text","text":{"value":"See sandbox:/mnt/data/p.csv","annotations":[{"type":"file_path",` +
				`"text":"sandbox:/mnt/data/p.csv","start_index":4,"end_index":27,"file_path":{"file_id":"file-p"}}]}}]`,
			"step.completed message_creation 0+0", "run.completed 0+0",
		}}},
	"text, code, text": {saying(server.Text("a"), spent, server.CodeCall{ID: "call_x", Input: "1"}, server.Text("b"), spent), [][]string{messageBegins, {
		firstText("a"), "message.completed [" + fullText("a") + "]", "step.completed message_creation 10+2",
	}, toolsBegin, {
		`step.delta [{"index":0,"id":"call_x","type":"code_interpreter","code_interpreter":{"input":"","outputs":[]}}]`,
		`step.delta [{"index":0,"type":"code_interpreter","code_interpreter":{"input":"1"}}]`,
		`step.completed tool_calls 0+0 [{"id":"call_x","type":"code_interpreter","code_interpreter":{"input":"1","outputs":[]}}]`,
	}, messageBegins, {
		firstText("b"), "message.completed [" + fullText("b") + "]", "step.completed message_creation 10+2", "run.completed 20+4",
	}}},
	"the token limit": {saying(server.Text("Hel"), server.FinishLength, spent, server.Text("lo")), [][]string{messageBegins, {
		firstText("Hel"), "message.incomplete max_tokens [" + fullText("Hel") + "]", "step.completed message_creation 10+2",
		"run.incomplete 10+2 max_completion_tokens",
	}}},
	"the prompt limit": {saying(server.Text("Hello"), server.FinishPromptLength, spent), [][]string{messageBegins, {
		firstText("Hello"), "message.completed [" + fullText("Hello") + "]", "step.completed message_creation 10+2",
		"run.incomplete 10+2 max_prompt_tokens",
	}}},
	"the content filter": {saying(server.Text("Hel"), server.FinishContentFilter), [][]string{messageBegins, {
		firstText("Hel"), "message.incomplete content_filter [" + fullText("Hel") + "]", "step.completed message_creation 0+0",
		"run.incomplete 0+0 content_filter",
	}}},
	"the content filter before any text": {saying(server.FinishContentFilter), [][]string{{"run.incomplete 0+0 content_filter"}}},
	"a failure before text": {saying(&server.ModelError{Code: "rate_limit_exceeded", Message: "Slow down."}), [][]string{{
		"run.failed 0+0 rate_limit_exceeded: Slow down.",
	}}},
	"a failure behind text": {saying(server.Text("Hel"), spent, errors.New("secret")), [][]string{messageBegins, {
		firstText("Hel"), "message.incomplete run_failed [" + fullText("Hel") + "]",
		"step.failed message_creation 10+2 server_error: Sorry, something went wrong.",
		"run.failed 10+2 server_error: Sorry, something went wrong.",
	}}},
	"a failure in a tool step": {saying(server.CodeCall{ID: "call_x"}, &server.ModelError{Code: "else", Message: "Broken."}), [][]string{toolsBegin, {
		`step.delta [{"index":0,"id":"call_x","type":"code_interpreter","code_interpreter":{"input":"","outputs":[]}}]`,
		`step.failed tool_calls 0+0 server_error: Broken. [{"id":"call_x","type":"code_interpreter","code_interpreter":{"input":"","outputs":[]}}]`,
		"run.failed 0+0 server_error: Broken.",
	}}},
}

func TestStreams(t *testing.T) {
	t.Parallel()
	for name, kind := range streamKinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, yielding(kind.said))
			want := slices.Concat(runBegins, slices.Concat(kind.want...), []string{"done"})
			require.Equal(t, want, told(t, c.open(c.thread).all()))

			both := c.request("/v1/threads/runs", `{"assistant_id":"`+c.assistant+`","stream":true,"thread":{"messages":[{"role":"user","content":"Hi"}]}}`)
			got := told(t, both.all())
			require.Equal(t, "created", got[0])
			require.Len(t, got, len(want)+1)
		})
	}
}

func TestThreadAndRunStream(t *testing.T) {
	t.Parallel()
	c := newConvo(t, yielding(saying(server.Text("Hello"))))
	events := c.request("/v1/threads/runs", `{"assistant_id":"`+c.assistant+`","stream":true,"thread":{"messages":[{"role":"user","content":"Hi"}]}}`).all()
	require.Equal(t, slices.Concat([]string{"created"}, runBegins, messageBegins, []string{
		firstText("Hello"), "message.completed [" + fullText("Hello") + "]", "step.completed message_creation 0+0", "run.completed 0+0", "done",
	}), told(t, events))
	require.Equal(t, "thread.created", events[0].name)
	require.Equal(t, field[string](t, events[0].data, "id"), field[string](t, events[1].data, "thread_id"))
	require.JSONEq(t, `{"code_interpreter":{"file_ids":[]}}`, string(field[jsonText](t, events[0].data, "tool_resources")))
	require.JSONEq(t, `{"code_interpreter":{"file_ids":[]}}`, string(field[jsonText](t, events[1].data, "tool_resources")))
	require.Equal(t, "[DONE]", events[len(events)-1].data)
}

type jsonText []byte

func (j *jsonText) UnmarshalJSON(data []byte) error {
	*j = slices.Clone(data)
	return nil
}

func TestFunctionStreams(t *testing.T) {
	t.Parallel()
	c := newConvo(t, yielding(
		saying(server.FunctionCall{ID: "call_a", Name: "f"}, server.Arguments(`{"x`), server.Arguments(`":1}`),
			server.FunctionCall{ID: "call_b", Name: "g", Arguments: "{}"}, spent),
		saying(server.Text("Wait."), server.FunctionCall{ID: "call_c", Name: "h"}, spent),
		saying(server.Text("Done."), spent)))

	first := c.open(c.thread).all()
	require.Equal(t, slices.Concat(runBegins, toolsBegin, []string{
		functionHead("0", "call_a", "f"), functionArguments("0", `{"x`), functionArguments("0", `":1}`),
		functionHead("1", "call_b", "g"), functionArguments("1", `{}`),
		"run.requires_action", "done",
	}), told(t, first))
	waiting := decoded[runSeen](t, first[len(first)-2].data)
	require.Equal(t, []string{"call_a", "call_b"}, waiting.waitsFor())
	require.Equal(t, `{"x":1}`, waiting.RequiredAction.SubmitToolOutputs.ToolCalls[0].Function.Arguments)
	id := runID(t, first)

	second := c.openSubmit(c.thread, id, outputs("1", "call_b", "call_a")).all()
	require.Equal(t, slices.Concat([]string{
		"step.completed tool_calls 10+2 [" + functionCall("call_a", "f", `{"x":1}`, `"1"`) + "," +
			functionCall("call_b", "g", "{}", `"1"`) + "]",
		"run.queued", "run.in_progress",
	}, messageBegins, []string{
		firstText("Wait."), "message.completed [" + fullText("Wait.") + "]", "step.completed message_creation 0+0",
	}, toolsBegin, []string{
		functionHead("0", "call_c", "h"), "run.requires_action", "done",
	}), told(t, second))
	require.Equal(t, id, runID(t, second))
	require.Nil(t, decoded[runSeen](t, second[1].data).RequiredAction)

	third := c.openSubmit(c.thread, id, outputs("", "call_c")).all()
	require.Equal(t, slices.Concat([]string{
		"step.completed tool_calls 10+2 [" + functionCall("call_c", "h", "", `""`) + "]", "run.queued", "run.in_progress",
	}, messageBegins, []string{
		firstText("Done."), "message.completed [" + fullText("Done.") + "]", "step.completed message_creation 10+2", "run.completed 30+6", "done",
	}), told(t, third))
	require.Len(t, c.steps(c.thread, id), 4)
}

// Characters that are cut in two, and bytes that belong to none, are one text for all who look at it.
func TestStreamsOfBrokenCharacters(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		said []any
		want []string
		full string
	}{
		"cut in two": {saying(server.Text("a\xc3"), server.Text("\xa4b")), []string{firstText("a"), textDelta("äb")}, "aäb"},
		"cut in four": {saying(server.Text("\xf0"), server.Text("\x9f"), server.Text("\x98"), server.Text("\x80")),
			[]string{firstText("😀")}, "😀"},
		"no character":       {saying(server.Text("a\xff\xfeb")), []string{firstText("a\uFFFDb")}, "a\uFFFDb"},
		"cut at the end":     {saying(server.Text("a\xe2\x82")), []string{firstText("a"), textDelta("\uFFFD")}, "a\uFFFD"},
		"nothing but a half": {saying(server.Text("\xe2")), []string{firstText("\uFFFD")}, "\uFFFD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, yielding(test.said))
			got := told(t, c.open(c.thread).all())
			require.Equal(t, slices.Concat(runBegins, messageBegins, test.want,
				[]string{"message.completed [" + fullText(test.full) + "]", "step.completed message_creation 0+0", "run.completed 0+0", "done"}), got)
		})
	}

	t.Run("before a mark", func(t *testing.T) {
		t.Parallel()
		c := newConvo(t, yielding(saying(server.Text("😀\xe2"), server.Citation{Mark: "M", FileID: "file-a"}, server.Refusal("\xc3"), server.Text("z"))))
		c.open(c.thread).all()
		require.JSONEq(t, `[{"type":"text","text":{"value":"😀`+"\uFFFD"+`M","annotations":[{"type":"file_citation","text":"M",
			"start_index":2,"end_index":3,"file_citation":{"file_id":"file-a"}}]}},
			{"type":"refusal","refusal":"`+"\uFFFD"+`"},{"type":"text","text":{"value":"z","annotations":[]}}]`,
			string(c.messages(c.thread)[1].Content))
	})

	t.Run("in arguments", func(t *testing.T) {
		t.Parallel()
		c := newConvo(t, yielding(saying(server.FunctionCall{ID: "call_a", Name: "f"}, server.Arguments("\"\xc3"), server.Arguments("\xa4\xe2"),
			server.FunctionCall{ID: "call_b", Name: "g", Arguments: "\xe2"})))
		require.Equal(t, slices.Concat(runBegins, toolsBegin, []string{
			functionHead("0", "call_a", "f"), functionArguments("0", `"`), functionArguments("0", "ä"), functionArguments("0", "\uFFFD"),
			functionHead("1", "call_b", "g"), functionArguments("1", "\uFFFD"), "run.requires_action", "done",
		}), told(t, c.open(c.thread).all()))
	})
}
