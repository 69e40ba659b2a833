package responses_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// without is an event that does not say where its item is, but which one it is.
func without(event, id string) string {
	before, after, _ := strings.Cut(event, `"output_index":`)
	_, after, _ = strings.Cut(after, ",")
	return before + fmt.Sprintf(`"item_id":%q,`, id) + after
}

// Events that come in another order than they should, or say less, neither double anything nor lose it.
func TestOrder(t *testing.T) {
	t.Parallel()
	const arguments = "function_call_arguments"
	f, g, header := function("fc_1", "call_a", `{"x":1}`), function("fc_2", "call_b", `{"y":2}`), function("fc_1", "call_a", "")
	called, both := []string{`function f({"x":1}) call_a`, "requires_action"}, []string{`function f({"x":1}) call_a`, `function f({"y":2}) call_b`, "requires_action"}
	m, said := message("msg_1", "Hello."), []string{"message: Hello.", "completed"}
	two := []string{"message: One", "message: Two", "completed"}
	for name, test := range map[string]struct {
		events []string
		want   []string
	}{
		"arguments in front of their call":      {[]string{delta2(arguments, 0, `{"x"`), added(0, header), delta2(arguments, 0, `:1}`), done(0, f), completed(f)}, called},
		"arguments of a call without beginning": {[]string{delta2(arguments, 0, `{"x":1}`), done(0, f), completed(f)}, called},
		"a call whose id comes last": {
			[]string{added(0, `{"id":"fc_1","type":"function_call","name":"f","arguments":""}`), delta2(arguments, 0, `{"x":1}`), done(0, f), completed(f)}, called,
		},
		"a call that is only in the response": {[]string{delta2(arguments, 0, `{"x":1}`), completed(f)}, called},
		"text in front of its message":        {[]string{text(0, "Hel"), added(0, opened("msg_1")), text(0, "lo."), done(0, m), completed(m)}, said},
		"a beginning behind the end":          {[]string{text(0, "Hel"), done(0, m), added(0, opened("msg_1")), completed(m)}, said},
		"text without an index": {
			[]string{added(0, thought), done(0, thought), added(1, opened("msg_1")), without(text(1, "Hello."), "msg_1"), done(1, m), completed(thought, m)}, said,
		},
		"text without an index in front of its message": {
			[]string{without(text(0, "Hello."), "msg_1"), added(1, opened("msg_1")), text(1, ""), done(1, m), completed(thought, m)}, said,
		},
		"text without an index or an id": {
			[]string{added(1, opened("msg_1")), `{"type":"response.output_text.delta","delta":"Hello."}`, completed(thought, m)}, said,
		},
		"arguments without an index": {
			[]string{added(0, thought), added(1, header), without(delta2(arguments, 1, `{"x":1}`), "fc_1"), done(1, f), completed(thought, f)}, called,
		},
		"mixed arguments without an index": {
			[]string{added(0, header), added(1, function("fc_2", "call_b", "")), without(delta2(arguments, 0, `{"y":`), "fc_2"),
				without(delta2(arguments, 0, `{"x":1}`), "fc_1"), without(delta2(arguments, 0, `2}`), "fc_2"), completed(f, g)}, both,
		},
		"nothing has an index": {
			[]string{without(added(0, header), "fc_1"), without(delta2(arguments, 0, `{"x":1}`), "fc_1"), without(done(0, f), "fc_1"),
				without(added(0, function("fc_2", "call_b", "")), "fc_2"), without(done(0, g), "fc_2"), completed(f, g)}, both,
		},
		"the first message only at last": {
			[]string{added(1, opened("b")), text(1, "Two"), done(1, message("b", "Two")), completed(message("b", "Two"), message("c", "Three"))},
			[]string{"message: Two", "message: Three", "completed"},
		},
		"messages the wrong way round": {
			[]string{added(0, opened("a")), text(0, "One"), added(1, opened("b")), text(1, "Two"), completed(message("b", "Two"), message("a", "One"))}, two,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, stream(test.events...))
			assert.Equal(t, test.want, told(t, h, h.ask(functionTool)))
		})
	}
}

// What nobody knows may have any form, whatever has it.
func TestUnknownForms(t *testing.T) {
	t.Parallel()
	m, said := message("msg_1", "Hello."), []string{"message: Hello.", "completed"}
	for name, item := range map[string]string{
		"arguments": `{"id":"x","type":"tool_search_call","call_id":null,"arguments":{"q":1}}`, "content": `{"id":"x","type":"new","content":"text"}`,
		"id": `{"id":7,"type":"new","results":{}}`, "type": `{"id":"x","type":{"a":"b"}}`, "no object": `7`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, stream(added(0, item), done(0, item), added(1, opened("msg_1")), text(1, "Hello."), done(1, m), completed(item, m)))
			assert.Equal(t, said, told(t, h, h.ask()))
			h = build(t, status(200, whole(item, m)))
			assert.Equal(t, said, told(t, h, h.ask()))
		})
	}
	t.Run("annotation", func(t *testing.T) {
		t.Parallel()
		odd := []string{`{"type":"new","file_id":[],"index":"here","end_index":{}}`, `"new"`, `7`}
		h := build(t, stream(text(0, "Hello"), annotated(0, 0, odd[0]), annotated(0, 1, odd[1]), text(0, "."), completed(message("msg_1", "Hello.", odd...))))
		assert.Equal(t, said, told(t, h, h.ask()))
	})
	t.Run("part", func(t *testing.T) {
		t.Parallel()
		h := build(t, stream(completed(strings.Replace(m, `"content":[`, `"content":[{"type":"new","text":5,"annotations":true},`, 1))))
		assert.Equal(t, said, told(t, h, h.ask()))
	})
	t.Run("event", func(t *testing.T) {
		t.Parallel()
		h := build(t, stream(`{"delta":7,"item":1,"type":"response.new.delta"}`, `{"type":7,"delta":7}`, completed(m)))
		assert.Equal(t, said, told(t, h, h.ask()))
	})
}

// Values have their meaning in other forms too.
func TestForms(t *testing.T) {
	t.Parallel()
	object := `{"id":"fc_1","type":"function_call","call_id":"call_a","name":"f","arguments":{"x":1}}`
	h := build(t, stream(added(0, function("fc_1", "call_a", "")), done(0, object), completed(object)))
	assert.Equal(t, []string{`function f({"x":1}) call_a`, "requires_action"}, told(t, h, h.ask(functionTool)))
	h = build(t, stream(strings.NewReplacer(`"input_tokens":10`, `"input_tokens":10.0`, `"output_tokens":5`, `"output_tokens":"5"`,
		`"cached_tokens":4`, `"cached_tokens":null`).Replace(completed(message("msg_1", "Hello.")))))
	usage := h.ask().Run().Usage
	assert.Equal(t, []int{10, 5, 0}, []int{usage.PromptTokens, usage.CompletionTokens, usage.PromptTokenDetails.CachedTokens})
}

// raw is a piece of text as it stands in JSON.
func raw(kind, escaped string) string {
	return strings.Replace(delta2(kind, 0, ""), `"delta":""`, `"delta":"`+escaped+`"`, 1)
}

// Characters that are cut in two are put together again, whatever they are part of. Half of one is none.
func TestCutCharacters(t *testing.T) {
	t.Parallel()
	const high, low = `\ud83d`, `\ude00`
	m, f := message("msg_1", "😀!"), function("fc_1", "call_a", `["😀"]`)
	for name, test := range map[string]struct {
		events []string
		want   string
	}{
		"text":              {[]string{raw("output_text", high), raw("output_text", low+"!"), done(0, m), completed(m)}, "message: 😀!"},
		"text, then whole":  {[]string{raw("output_text", high), done(0, m), completed(m)}, "message: 😀!"},
		"half a text":       {[]string{raw("output_text", "a"+high), completed()}, "message: a\uFFFD"},
		"text of halves":    {[]string{raw("output_text", high+"a"+low), completed()}, "message: \uFFFDa\uFFFD"},
		"bytes":             {[]string{raw("output_text", "\xf0\x9f"), raw("output_text", "\x98\x80!"), done(0, m), completed(m)}, "message: 😀!"},
		"a refusal":         {[]string{raw("refusal", high), raw("refusal", low), completed()}, "message: refusal 😀"},
		"half a refusal":    {[]string{raw("refusal", high), completed()}, "message: refusal \uFFFD"},
		"arguments":         {[]string{added(0, function("fc_1", "call_a", "")), raw("function_call_arguments", `[\"`+high), raw("function_call_arguments", low+`\"]`), done(0, f), completed(f)}, `function f(["😀"]) call_a`},
		"half an argument":  {[]string{added(0, function("fc_1", "call_a", "")), raw("function_call_arguments", high), completed()}, "function f(\uFFFD) call_a"},
		"code":              {[]string{raw("code_interpreter_call_code", high), raw("code_interpreter_call_code", low), completed(code("ci_1", "😀", "null"))}, "code: 😀"},
		"half of some code": {[]string{raw("code_interpreter_call_code", "1"+high), completed()}, "code: 1\uFFFD"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, stream(test.events...))
			assert.Equal(t, test.want, told(t, h, h.ask(functionTool, codeTool))[0])
		})
	}
}

// A path is found far behind in a text, in characters, and where a link to it stands for it.
func TestPaths(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ before, covered, file, want string }{
		"far":             {strings.Repeat("äh ", 1000), "sandbox:/mnt/data/a.csv", "a.csv", "sandbox:/mnt/data/a.csv"},
		"link":            {"", "[Get](sandbox:/mnt/data/a.csv)", "a.csv", "sandbox:/mnt/data/a.csv"},
		"link and more":   {"See ", "[Get](sandbox:/mnt/data/a.csv \"it\").", "b", "sandbox:/mnt/data/a.csv"},
		"quoted":          {"", `<a href="sandbox:/mnt/data/a.csv">`, "", "sandbox:/mnt/data/a.csv"},
		"a name in words": {"", "[Get](sandbox:/mnt/data/my (1) plan.csv)", "my (1) plan.csv", "sandbox:/mnt/data/my (1) plan.csv"},
		"a longer path":   {"", "[Get](sandbox:/mnt/data/a.csv)", "a", "sandbox:/mnt/data/a.csv"},
		"name":            {"See ", "a.csv", "a.csv", "a.csv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := len([]rune(test.before))
			made := fmt.Sprintf(`{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_1","filename":%q,"start_index":%d,"end_index":%d}`,
				test.file, start, start+len([]rune(test.covered)))
			h := build(t, stream(completed(message("msg_1", test.before+test.covered, made))))
			notes := h.ask(codeTool).Messages()[0].Annotations()
			require.Len(t, notes, 1)
			assert.Equal(t, test.want, notes[0].Text)
			assert.Equal(t, start+len([]rune(test.covered[:strings.Index(test.covered, test.want)])), notes[0].StartIndex)
		})
	}
}

// A text with many annotations is not gone through again for each of them.
func TestManyAnnotations(t *testing.T) {
	t.Parallel()
	const characters = 1_200_000
	long := strings.Repeat("ä", characters)
	note := fmt.Sprintf(`{"type":"file_citation","file_id":"file-p","filename":"a","index":%d}`, characters)
	m := message("msg_1", long, slices.Repeat([]string{note}, 4000)...)
	h := build(t, stream(added(0, opened("msg_1")), text(0, long), completed(m)))
	begun, cited := time.Now(), 0
	for e, err := range h.model.Respond(t.Context(), &server.ModelCall{Model: "gpt-4o", Temperature: 1, TopP: 1}) {
		require.NoError(t, err)
		if _, ok := e.(server.Citation); ok {
			cited++
		}
	}
	assert.Equal(t, 4000, cited)
	assert.Less(t, time.Since(begun), 20*time.Second, "it takes half a second")
}
