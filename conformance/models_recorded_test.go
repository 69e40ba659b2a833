package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/conformance/internal/given"
	"github.com/assistants-go/assistants/conformance/internal/recording"
	"github.com/assistants-go/assistants/conformance/internal/upstream"
)

func recordedModels(t *testing.T) []upstream.Recorded {
	t.Helper()
	all, err := upstream.Read(upstream.Folder(given.Folder(t, recording.FolderVariable)))
	require.NoError(t, err)
	return all
}

// shapes are those of recorded answers, by name, as a file of testdata/models has them.
type shapes struct {
	file string
	kept map[string]string

	mu  sync.Mutex
	got map[string]string
}

func loadShapes(t *testing.T, file string) *shapes {
	t.Helper()
	s := &shapes{file: file, kept: map[string]string{}, got: map[string]string{}}
	if *update {
		return s
	}
	data, err := os.ReadFile(goldenFile(file))
	require.NoError(t, err, "run the test with -update to write it")
	for section := range strings.SplitSeq(strings.TrimPrefix(string(data), "# "), "\n# ") {
		name, shape, _ := strings.Cut(section, "\n")
		s.kept[name] = strings.TrimSuffix(shape, "\n") + "\n"
	}
	return s
}

// check compares the shape of what came of an answer with the one that is kept.
func (s *shapes) check(t *testing.T, name, got string) {
	t.Helper()
	s.mu.Lock()
	s.got[name] = got
	s.mu.Unlock()
	if !*update {
		require.Equal(t, s.kept[name], got)
	}
}

// save writes all shapes, if they are to be.
func (s *shapes) save(t *testing.T) {
	t.Helper()
	var sections []string
	for _, name := range slices.Sorted(maps.Keys(s.got)) {
		sections = append(sections, "# "+name+"\n"+s.got[name])
	}
	if *update {
		golden(t, s.file, strings.Join(sections, "\n"))
	}
}

// TestRecordedModels has the models get every recorded answer of a provider, as it was recorded: streams to the byte,
// and answers that were no streams as they are and taken apart into streams. The run must have said and used what was
// recorded, its streams must keep the rules, and have the shape that testdata/models has. No word of the recordings
// is kept there.
func TestRecordedModels(t *testing.T) {
	t.Parallel()
	all := recordedModels(t)
	kept := map[bool]*shapes{false: loadShapes(t, "recorded responses"), true: loadShapes(t, "recorded chat")}
	streams := map[bool]int{}
	t.Run("exchanges", func(t *testing.T) {
		for _, r := range all {
			api, apart := responsesAPI, upstream.Stream
			if r.Chat() {
				api, apart = chatAPI, upstream.Chunks
			}
			t.Run(api+" "+r.Name, func(t *testing.T) {
				t.Parallel()
				got := replayModel(t, api, r, r.Answer)
				kept[r.Chat()].check(t, r.Name, got)
				pieces := r.Answer
				pieces.Piece = 1000
				require.Equal(t, got, replayModel(t, api, r, pieces), "arriving in pieces")
			})
			if r.Answer.Streamed() {
				streams[r.Chat()]++
			} else if r.Answer.Status == http.StatusOK {
				t.Run(api+" "+r.Name+" apart", func(t *testing.T) {
					t.Parallel()
					body, err := apart(r.Answer.Body)
					require.NoError(t, err)
					kept[r.Chat()].check(t, r.Name+" apart", replayModel(t, api, r, upstream.Answer{Body: body}))
				})
			}
		}
	})
	for chat, s := range kept {
		assert.GreaterOrEqual(t, streams[chat], 15, "streams were recorded")
		s.save(t)
	}
}

// replayModel runs an assistant on a recorded answer, and returns the shape of the streams.
func replayModel(t *testing.T, api string, r upstream.Recorded, answer upstream.Answer) string {
	t.Helper()
	want := wantOf(t, api, r)
	answers := []upstream.Answer{answer}
	if want.waits() {
		answers = append(answers, endOf(t, api))
	}
	h := newModelHost(t, api, upstream.New(answers...))
	thread := h.made("/threads", `{"messages":[{"role":"user","content":"Hello."}]}`)
	got := h.stream(h.recordedAssistant(r), thread, "")
	require.Empty(t, violations(got.streams), strings.Join(got.streams, "\n"))
	said := got.said
	if want.waits() {
		require.Equal(t, "text: The end.", said[len(said)-1])
		said = said[:len(said)-1]
		want.usage = sum(want.usage, endUsage)
	}
	if r.Chat() && want.waits() && strings.HasSuffix(want.said[0], " ") {
		said[0] = madeID.ReplaceAllString(said[0], "")
	}
	require.Equal(t, want.said, said)
	require.Equal(t, want.images, got.images)
	require.Equal(t, want.status, got.run.Status, "%+v", got.run.LastError)
	require.Equal(t, want.usage, totals(got.run.Usage))
	var shapes []string
	for _, s := range got.streams {
		shapes = append(shapes, shape(t, s))
	}
	return strings.Join(shapes, "\n")
}

// madeID is an id that the model made itself, of a call that had none.
var madeID = regexp.MustCompile(`call_\w{24,}$`)

// recordedAssistant makes an assistant with the tools of a recorded request that assistants have too, with a file for
// each.
func (h *modelHost) recordedAssistant(r upstream.Recorded) string {
	h.t.Helper()
	var request struct {
		Tools     []map[string]json.RawMessage
		Functions []json.RawMessage // before there were tools
	}
	require.NoError(h.t, json.Unmarshal(r.Request, &request))
	resources := map[string]any{}
	tools := []any{}
	for _, function := range request.Functions {
		tools = append(tools, map[string]any{"type": "function", "function": function})
	}
	for _, tool := range request.Tools {
		switch string(tool["type"]) {
		case `"function"`:
			function := tool["function"]
			if function == nil { // flat, in the Responses API
				flat, err := json.Marshal(map[string]json.RawMessage{"name": tool["name"], "parameters": tool["parameters"]})
				require.NoError(h.t, err)
				function = flat
			}
			tools = append(tools, map[string]any{"type": "function", "function": function})
		case `"code_interpreter"`:
			file, _ := h.upload("data.csv", "x,y\n1,2\n")
			resources["code_interpreter"] = map[string]any{"file_ids": []string{file}}
			tools = append(tools, map[string]any{"type": "code_interpreter"})
		case `"file_search"`:
			_, store := h.upload("foods.txt", "Nothing.")
			resources["file_search"] = map[string]any{"vector_store_ids": []string{store}}
			tools = append(tools, map[string]any{"type": "file_search"})
		}
	}
	body, err := json.Marshal(map[string]any{"model": "gpt-4o", "tools": tools, "tool_resources": resources})
	require.NoError(h.t, err)
	return h.made("/assistants", string(body))
}

// endOf is the answer to outputs, "The end.".
func endOf(t *testing.T, api string) upstream.Answer {
	t.Helper()
	if api == chatAPI {
		return composedChat(t, `{"content":"The end."}`, "stop")
	}
	return composed(t, messageItem(`{"type":"output_text","text":"The end.","annotations":[]}`))
}

// endUsage is that of composed answers.
var endUsage = [5]int{20, 10, 30, 5, 3}

func sum(a, b [5]int) [5]int {
	for i := range a {
		a[i] += b[i]
	}
	return a
}

// wanted is what must come of a recorded answer.
type wanted struct {
	said   []string
	images int
	usage  [5]int
	status assistants.RunStatus
}

// waits reports whether functions are called.
func (w *wanted) waits() bool {
	return slices.ContainsFunc(w.said, func(s string) bool { return strings.HasPrefix(s, "function ") })
}

func wantOf(t *testing.T, api string, r upstream.Recorded) *wanted {
	t.Helper()
	if r.Answer.Status != http.StatusOK {
		return &wanted{status: assistants.RunFailed}
	}
	if api == chatAPI {
		return wantOfChat(t, r.Answer)
	}
	body := r.Answer.Body
	if r.Answer.Streamed() { // the last event has all
		data := regexp.MustCompile(`(?m)^data: (.*)$`).FindAllStringSubmatch(body, -1)
		var last struct{ Response json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(data[len(data)-1][1]), &last))
		body = string(last.Response)
	}
	return wantOfResponse(t, body)
}

// wantOfResponse is what must come of a Response.
func wantOfResponse(t *testing.T, body string) *wanted {
	t.Helper()
	var response struct {
		Status string
		Output []struct {
			Type, Name, Arguments, Code string
			CallID                      string `json:"call_id"`
			Content                     []struct {
				Type, Text, Refusal string
				Annotations         []struct{ Type string }
			}
		}
		Usage struct {
			Input   int                    `json:"input_tokens"`
			Output  int                    `json:"output_tokens"`
			Total   int                    `json:"total_tokens"`
			Cached  map[string]json.Number `json:"input_tokens_details"`
			Thought map[string]json.Number `json:"output_tokens_details"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &response))
	w := &wanted{status: assistants.RunCompleted}
	if response.Status == "incomplete" {
		w.status = assistants.RunIncomplete
	}
	for _, item := range response.Output {
		switch item.Type {
		case "message":
			for _, part := range item.Content {
				if part.Type == "refusal" {
					w.said = append(w.said, "refusal: "+part.Refusal)
					continue
				}
				w.said = append(w.said, "text: "+part.Text)
				for _, a := range part.Annotations {
					if a.Type == "container_file_citation" {
						w.images++
					}
				}
			}
		case "function_call":
			w.said = append(w.said, fmt.Sprintf("function %s %s %s", item.Name, item.Arguments, item.CallID))
		case "code_interpreter_call":
			w.said = append(w.said, "code "+item.Code)
		case "file_search_call":
			w.said = append(w.said, "search")
		}
	}
	u := response.Usage
	w.usage = [5]int{u.Input, u.Output, u.Total, number(u.Cached["cached_tokens"]), number(u.Thought["reasoning_tokens"])}
	return w
}

func number(n json.Number) int {
	i, _ := n.Int64()
	return int(i)
}

// wantOfChat is what must come of a completion, or of the chunks of one.
func wantOfChat(t *testing.T, answer upstream.Answer) *wanted {
	t.Helper()
	type call struct {
		Index    int
		ID       string
		Function struct{ Name, Arguments string }
	}
	type words struct {
		Content, Refusal string
		ToolCalls        []call `json:"tool_calls"`
		// Function is the only call, and has no id, in the API as it once was.
		Function *struct{ Name, Arguments string } `json:"function_call"`
	}
	type chunk struct {
		Choices []struct {
			Message, Delta words
			Finish         string `json:"finish_reason"`
		}
		Usage *struct {
			Prompt     int                    `json:"prompt_tokens"`
			Completion int                    `json:"completion_tokens"`
			Total      int                    `json:"total_tokens"`
			Cached     map[string]json.Number `json:"prompt_tokens_details"`
			Thought    map[string]json.Number `json:"completion_tokens_details"`
		}
	}
	parts := []string{answer.Body}
	if answer.Streamed() {
		parts = nil
		for _, m := range regexp.MustCompile(`(?m)^data: (\{.*\})\r?$`).FindAllStringSubmatch(answer.Body, -1) {
			parts = append(parts, m[1])
		}
	}
	w := &wanted{status: assistants.RunCompleted}
	var all words
	for _, part := range parts {
		var c chunk
		require.NoError(t, json.Unmarshal([]byte(part), &c))
		if u := c.Usage; u != nil {
			w.usage = [5]int{u.Prompt, u.Completion, u.Total, number(u.Cached["cached_tokens"]), number(u.Thought["reasoning_tokens"])}
		}
		if len(c.Choices) == 0 {
			continue
		}
		switch c.Choices[0].Finish {
		case "length", "content_filter":
			w.status = assistants.RunIncomplete
		}
		for _, more := range []words{c.Choices[0].Message, c.Choices[0].Delta} {
			all.Content += more.Content
			all.Refusal += more.Refusal
			if more.Function != nil {
				all.ToolCalls = append(all.ToolCalls, call{Function: *more.Function})
			}
			for i, c := range more.ToolCalls {
				if answer.Streamed() {
					i = c.Index
				}
				if i == len(all.ToolCalls) {
					all.ToolCalls = append(all.ToolCalls, c)
				} else {
					all.ToolCalls[i].Function.Arguments += c.Function.Arguments
				}
			}
		}
	}
	if all.Content != "" {
		w.said = append(w.said, "text: "+all.Content)
	}
	if all.Refusal != "" {
		w.said = append(w.said, "refusal: "+all.Refusal)
	}
	for _, c := range all.ToolCalls {
		w.said = append(w.said, fmt.Sprintf("function %s %s %s", c.Function.Name, c.Function.Arguments, c.ID))
	}
	return w
}
