package responses_test

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

var png = base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\nnot much"))

// What a provider streams becomes messages and steps.
func TestTranslation(t *testing.T) {
	t.Parallel()
	m := message("msg_1", "Hello.")
	file := `{"type":"file_citation","file_id":"file-p","filename":"a.txt","index":5}`
	found := `[{"file_id":"file-o","filename":"b.txt","score":0.9,"text":"B"},{"file_id":"file-p","filename":"a.txt","score":0.5,"text":"A","attributes":{"k":1}}]`
	shown := `{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_1","filename":"cfile_1.png","start_index":0,"end_index":0}`
	path := "Här: [it](sandbox:/mnt/data/a.csv)."
	made := `{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_2","filename":"a.csv","start_index":10,"end_index":33}`
	for name, test := range map[string]struct {
		events []string
		want   []string
	}{
		"text": {answerOf("Hel", "lo", "."), []string{"message: Hello.", "completed"}},
		"text that is only in the item": {
			[]string{added(0, opened("msg_1")), text(0, "Hel"), done(0, m), completed()}, []string{"message: Hello.", "completed"},
		},
		"text that is only in the response":    {[]string{created(), completed(m)}, []string{"message: Hello.", "completed"}},
		"text whose end is in the response":    {[]string{added(0, opened("msg_1")), text(0, "Hel"), completed(m)}, []string{"message: Hello.", "completed"}},
		"text without a beginning":             {[]string{text(0, "Hello."), completed(m)}, []string{"message: Hello.", "completed"}},
		"text and nothing in the response":     {[]string{added(0, opened("msg_1")), text(0, "Hello."), completed()}, []string{"message: Hello.", "completed"}},
		"text that the response has otherwise": {[]string{text(0, "Help!"), completed(m)}, []string{"message: Help!", "completed"}},
		"an item that comes twice":             {[]string{added(0, opened("msg_1")), text(0, "Hello."), added(0, opened("msg_1")), done(0, m), done(0, m), completed(m)}, []string{"message: Hello.", "completed"}},
		"an item whose id changes":             {[]string{added(0, opened("msg_0")), text(0, "Hello."), done(0, m), completed(message("msg_2", "Hello."))}, []string{"message: Hello.", "completed"}},
		"items that all have the same index":   {[]string{added(0, opened("a")), text(0, "One"), added(0, opened("b")), text(0, "Two"), completed(message("a", "One"), message("b", "Two"))}, []string{"message: One", "message: Two", "completed"}},
		"reasoning that the response leaves out": {
			[]string{added(0, `{"id":"rs_1","type":"reasoning","summary":[]}`), done(0, `{"id":"rs_1","type":"reasoning","summary":[]}`), added(1, opened("x")), text(1, "Hello."), done(1, m), completed(message("y", "Hello."))},
			[]string{"message: Hello.", "completed"},
		},
		"two messages": {
			[]string{added(0, opened("a")), text(0, "One"), done(0, message("a", "One")), added(1, opened("b")), text(1, "Two"), done(1, message("b", "Two")), completed()},
			[]string{"message: One", "message: Two", "completed"},
		},
		"interleaved messages": {
			[]string{added(0, opened("a")), added(1, opened("b")), text(1, "Tw"), text(0, "On"), text(1, "o"), text(0, "e"), done(1, message("b", "Two")), done(0, message("a", "One")), completed()},
			[]string{"message: One", "message: Two", "completed"},
		},
		"an empty answer":   {[]string{created(), completed()}, []string{"completed"}},
		"an empty message":  {[]string{added(0, opened("msg_1")), done(0, opened("msg_1")), completed()}, []string{"completed"}},
		"a refusal":         {[]string{added(0, opened("msg_1")), delta2("refusal", 0, "I "), delta2("refusal", 0, "won't."), completed()}, []string{"message: refusal I won't.", "completed"}},
		"a refusal at last": {[]string{completed(`{"type":"message","content":[{"type":"refusal","refusal":"No."}]}`)}, []string{"message: refusal No.", "completed"}},
		"a citation": {
			[]string{added(0, search("fs_1", "null")), done(0, search("fs_1", found)), added(1, opened("msg_1")), text(1, "Hello"), annotated(1, 0, file), text(1, "."), done(1, message("msg_1", "Hello.", file)), completed()},
			[]string{"search default_2024_08_21 0: file-o b.txt 0.9 B file-p a.txt 0.5 A", "message: Hello【4:1†a.txt】. [file_citation 【4:1†a.txt】 5-16]", "completed"},
		},
		"a citation at last": {
			[]string{completed(search("fs_1", found), message("msg_1", "Hello.", file))},
			[]string{"search default_2024_08_21 0: file-o b.txt 0.9 B file-p a.txt 0.5 A", "message: Hello【4:1†a.txt】. [file_citation 【4:1†a.txt】 5-16]", "completed"},
		},
		"citations without results": {
			[]string{completed(search("fs_1", "null"), message("msg_1", "Hello.", file, strings.ReplaceAll(file, "file-p", "file-q"), file))},
			[]string{"search default_2024_08_21 0:", "message: Hello【4:0†a.txt】【4:1†a.txt】【4:0†a.txt】. [file_citation 【4:0†a.txt】 5-16] [file_citation 【4:1†a.txt】 16-27] [file_citation 【4:0†a.txt】 27-38]", "completed"},
		},
		"a page of the web": {[]string{text(0, "Hello"), annotated(0, 0, `{"type":"url_citation","url":"https://example.com","title":"x","start_index":0,"end_index":5}`), completed()}, []string{"message: Hello", "completed"}},
		"code": {
			[]string{added(0, code("ci_1", "", "null")), delta2("code_interpreter_call_code", 0, "print("), delta2("code_interpreter_call_code", 0, "1)"), `{"type":"response.code_interpreter_call.interpreting","output_index":0}`, done(0, code("ci_1", "print(1)", `[{"type":"logs","logs":"1\n"},{"type":"image","url":"data:image/png;base64,`+png+`"}]`)), text(1, "One."), completed()},
			[]string{"code: print(1) > 1\n > <image>", "message: One.", "completed"},
		},
		"code without outputs":   {[]string{completed(code("ci_1", "1", "null"), m)}, []string{"code: 1", "message: Hello.", "completed"}},
		"an image":               {[]string{text(0, "Hello."), annotated(0, 0, shown), completed(message("msg_1", "Hello.", shown))}, []string{"message: Hello.: <image>", "completed"}},
		"a path":                 {[]string{text(0, path), annotated(0, 0, made), completed(message("msg_1", path, made))}, []string{"message: " + path + " [file_path sandbox:/mnt/data/a.csv 10-33]", "completed"}},
		"a path before its text": {[]string{text(0, "Här: "), annotated(0, 0, made), text(0, path[len("Här: "):]), completed(message("msg_1", path, made))}, []string{"message: " + path + " [file_path sandbox:/mnt/data/a.csv 10-33]", "completed"}},
		"a path behind a mark": {
			[]string{completed(message("msg_1", path, strings.Replace(file, "5", "3", 1), made))},
			[]string{"message: Här【4:0†a.txt】: [it](sandbox:/mnt/data/a.csv). [file_citation 【4:0†a.txt】 3-14] [file_path sandbox:/mnt/data/a.csv 21-44]", "completed"},
		},
		"a file without a path": {[]string{text(0, "Made. "), annotated(0, 0, strings.ReplaceAll(shown, ".png", ".csv")), completed()}, []string{"message: Made. sandbox:/mnt/data/cfile_1.csv [file_path sandbox:/mnt/data/cfile_1.csv 6-35]", "completed"}},
		"function calls": {
			[]string{added(0, function("fc_1", "call_a", "")), delta2("function_call_arguments", 0, `{"x":`), delta2("function_call_arguments", 0, `1}`), done(0, function("fc_1", "call_a", `{"x":1}`)), added(1, function("fc_2", "call_b", "")), done(1, function("fc_2", "call_b", "{}")), completed()},
			[]string{`function f({"x":1}) call_a`, "function f({}) call_b", "requires_action"},
		},
		"interleaved function calls": {
			[]string{added(0, function("fc_1", "call_a", "")), added(1, function("fc_2", "call_b", "")), delta2("function_call_arguments", 1, "{2"), delta2("function_call_arguments", 0, "{1"), delta2("function_call_arguments", 1, "}"), delta2("function_call_arguments", 0, "}"), completed()},
			[]string{"function f({1}) call_a", "function f({2}) call_b", "requires_action"},
		},
		"function calls the wrong way round": {
			[]string{added(1, function("fc_2", "call_b", "")), added(0, function("fc_1", "call_a", "")), completed(function("fc_1", "call_a", "{}"), function("fc_2", "call_b", "{}"))},
			[]string{"function f({}) call_b", "function f({}) call_a", "requires_action"},
		},
		"function calls at last": {[]string{completed(function("fc_1", "call_a", "{}"))}, []string{"function f({}) call_a", "requires_action"}},
		"what nobody knows": {
			[]string{`{"type":"response.new.delta","delta":{"a":1},"item":7,"output_index":"x"}`, `{"type":"response.reasoning_summary_text.delta","delta":"hm"}`, added(0, `{"type":"magic","id":"mg_1"}`), done(0, `{"type":"magic","id":"mg_1"}`), text(1, "Hello."), `{"type":"keepalive"}`, `{}`, `[]`, completed(`{"type":"magic","id":"mg_1"}`, m)},
			[]string{"message: Hello.", "completed"},
		},
		"too many tokens":       {[]string{text(0, "Hel"), incomplete("max_output_tokens")}, []string{"message: Hel", "incomplete max_completion_tokens"}},
		"a cut function call":   {[]string{added(0, function("fc_1", "call_a", "")), delta2("function_call_arguments", 0, `{"x`), incomplete("max_output_tokens")}, []string{`function f({"x) call_a`, "incomplete max_completion_tokens"}},
		"filtered":              {[]string{text(0, "Hel"), incomplete("content_filter")}, []string{"message: Hel", "incomplete content_filter"}},
		"cut for other reasons": {[]string{text(0, "Hel"), incomplete("boredom")}, []string{"message: Hel", "failed server_error: The model's answer is incomplete: boredom"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, stream(test.events...))
			assert.Equal(t, test.want, told(t, h, h.ask(codeTool, functionTool)))
		})
	}
}

// An answer that is no stream says the same.
func TestWholeAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body string
		want []string
	}{
		"text":           {whole(message("msg_1", "Hello.")), []string{"message: Hello.", "completed"}},
		"a function":     {whole(function("fc_1", "call_a", "{}")), []string{"function f({}) call_a", "requires_action"}},
		"an error":       {`{"error":{"code":"invalid_prompt","message":"Not that."}}`, []string{"failed invalid_prompt: Not that."}},
		"another object": {`{"object":"list","data":[]}`, []string{"failed server_error: The model's answer is not complete."}},
		"half an object": {whole()[:40], []string{"failed server_error: The model's answer broke off."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, status(200, test.body))
			assert.Equal(t, test.want, told(t, h, h.ask(codeTool, functionTool)))
		})
	}
}

// What an answer has cost is booked once, on its last step.
func TestUsage(t *testing.T) {
	t.Parallel()
	h := build(t, stream(text(0, "One."), done(0, message("a", "One.")), text(1, "Two."), completed()))
	s := h.ask()
	usage := s.Run().Usage
	require.NotNil(t, usage)
	assert.Equal(t, []int{10, 5, 15, 4, 3}, []int{usage.PromptTokens, usage.CompletionTokens, usage.TotalTokens,
		usage.PromptTokenDetails.CachedTokens, usage.CompletionTokensDetails.ReasoningTokens})
	steps := s.Steps()
	require.Len(t, steps, 2)
	assert.Zero(t, steps[0].Usage.TotalTokens)
	assert.Equal(t, 15, steps[1].Usage.TotalTokens)

	h = build(t, stream(text(0, "One."), `{"type":"response.completed","response":{"status":"completed","output":[]}}`))
	assert.Zero(t, h.ask().Run().Usage.TotalTokens)
}

// Ids of calls that nobody could refer to are other ones, there and here.
func TestCallIDs(t *testing.T) {
	t.Parallel()
	long := "call_" + strings.Repeat("x", 60)
	h := build(t, stream(completed(function("a", "", "{}"), function("b", long, "{}"), function("c", "same", "{}"), function("d", "same", "{}"))),
		stream(answerOf("Done.")...))
	s := h.ask(functionTool)
	ids := map[string]bool{}
	for _, c := range s.Run().RequiredAction.SubmitToolOutputs.ToolCalls {
		assert.NotEmpty(t, c.ID)
		assert.LessOrEqual(t, len(c.ID), 64)
		ids[c.ID] = true
	}
	assert.Len(t, ids, 4)
	assert.Equal(t, assistants.RunCompleted, h.answer(s, "1", "2", "3", "4").Run().Status)
	for id := range ids {
		assert.Equal(t, 2, strings.Count(h.fake.question(t, 1), `"call_id":"`+id+`"`), "of a call and of its output")
	}
}

// However the items of an answer come interleaved, it is the same answer.
func TestInterleaving(t *testing.T) {
	t.Parallel()
	var items [][]string // the events of each
	last := ""
	for _, e := range rich() {
		var head struct {
			Type  string
			Index int `json:"output_index"`
		}
		require.NoError(t, json.Unmarshal([]byte(e), &head))
		switch {
		case head.Type == "response.completed":
			last = e
		case head.Type == "response.created":
		case head.Index == len(items):
			items = append(items, []string{e})
		default:
			items[head.Index] = append(items[head.Index], e)
		}
	}
	h := build(t, stream(rich()...))
	want := told(t, h, h.ask(functionTool))
	for seed := range uint64(100) {
		random, left, begun := rand.New(rand.NewPCG(seed, 0)), slices.Clone(items), 0
		var events []string
		for {
			var open []int
			for i := range left[:min(begun+1, len(left))] {
				if len(left[i]) > 0 {
					open = append(open, i)
				}
			}
			if open == nil {
				break
			}
			i := open[random.IntN(len(open))]
			begun = max(begun, i+1)
			events, left[i] = append(events, left[i][0]), left[i][1:]
		}
		h := build(t, stream(append(events, last)...))
		require.Equal(t, want, told(t, h, h.ask(functionTool)), "seed %d", seed)
	}
}
