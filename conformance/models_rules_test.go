package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// flaws are what a provider would refuse in a request, or would do otherwise than the run wants it, though its
// description allows it.
func flaws(api string, body []byte) []string {
	if api == chatAPI {
		return chatFlaws(body)
	}
	return responsesFlaws(body)
}

// askedFor is what a request to the Responses API has that rules are about.
type askedFor struct {
	Input       []askedItem
	Tools       []askedTool
	ToolChoice  any `json:"tool_choice"`
	Temperature *float64
	TopP        *float64 `json:"top_p"`
	MaxTokens   *int     `json:"max_output_tokens"`
	Store       *bool
	Stream      bool
	Include     []string
	Previous    *string `json:"previous_response_id"`
}

type askedItem struct {
	Type, Role, Name string
	CallID           string  `json:"call_id"`
	Encrypted        *string `json:"encrypted_content"`
	Content          json.RawMessage
}

type askedTool struct {
	Type, Name string
	Strict     *bool
	Stores     []string `json:"vector_store_ids"`
	Container  json.RawMessage
}

// A flaw finder adds what is wrong to a list.
type flawFinder []string

func (f *flawFinder) unless(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

var functionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func responsesFlaws(body []byte) []string {
	var r askedFor
	var found flawFinder
	if err := json.Unmarshal(body, &r); err != nil {
		return []string{err.Error()}
	}
	found.unless(r.Stream, "no stream is asked for")
	found.unless(r.Store != nil && !*r.Store && r.Previous == nil, "the provider shall keep or have kept something")
	found.unless(r.Temperature == nil || *r.Temperature != 1, "the default temperature, which models that reason refuse")
	found.unless(r.TopP == nil || *r.TopP != 1, "the default top_p, which models that reason refuse")
	found.unless(r.MaxTokens == nil || *r.MaxTokens >= 16, "fewer tokens than the provider takes")
	found.unless(len(r.Input) > 0, "no input")
	inputFlaws(&found, r.Input, slices.Contains(r.Include, "reasoning.encrypted_content"))
	toolFlaws(&found, &r)
	return found
}

// inputFlaws looks at the items one after the other.
func inputFlaws(found *flawFinder, items []askedItem, reasons bool) {
	open, seen := map[string]bool{}, map[string]bool{}
	for i, item := range items {
		switch item.Type {
		case "message":
			found.unless(len(open) == 0 || item.Role == "assistant", "item %d: a message between calls and their outputs", i)
			contentFlaws(found, i, item)
		case "function_call":
			found.unless(len(item.CallID) >= 1 && len(item.CallID) <= 64, "item %d: call_id %q", i, item.CallID)
			found.unless(!seen[item.CallID], "item %d: call_id %q for the second time", i, item.CallID)
			found.unless(functionName.MatchString(item.Name), "item %d: a function named %q", i, item.Name)
			open[item.CallID], seen[item.CallID] = true, true
		case "function_call_output":
			found.unless(open[item.CallID], "item %d: an output without its call: %q", i, item.CallID)
			delete(open, item.CallID)
		case "reasoning":
			found.unless(item.Encrypted != nil && *item.Encrypted != "", "item %d: reasoning that nobody has kept", i)
			found.unless(reasons, "item %d: reasoning is sent, and none is asked for", i)
			found.unless(i+1 < len(items) && items[i+1].Type != "function_call_output" && items[i+1].Role != "user", "item %d: reasoning that leads to nothing", i)
		}
	}
	found.unless(len(open) == 0, "calls without outputs: %q", slices.Sorted(maps.Keys(open)))
}

// contentFlaws looks at the parts of a message: those of assistants are answers, those of users are not.
func contentFlaws(found *flawFinder, i int, item askedItem) {
	var parts []struct{ Type string }
	if json.Unmarshal(item.Content, &parts) != nil {
		found.unless(item.Role != "assistant", "item %d: an assistant's text without a type", i)
		return
	}
	found.unless(len(parts) > 0, "item %d: nothing in it", i)
	for _, part := range parts {
		answer := part.Type == "output_text" || part.Type == "refusal"
		found.unless(answer == (item.Role == "assistant"), "item %d: a part %q in a message of the %s", i, part.Type, item.Role)
	}
}

func toolFlaws(found *flawFinder, r *askedFor) {
	for i, tool := range r.Tools {
		switch tool.Type {
		case "function":
			found.unless(tool.Strict != nil, "tool %d: nothing is said about strict, which the provider takes for yes", i)
			found.unless(functionName.MatchString(tool.Name), "tool %d: a function named %q", i, tool.Name)
		case "file_search":
			found.unless(len(tool.Stores) >= 1 && len(tool.Stores) <= 2, "tool %d: %d vector stores", i, len(tool.Stores))
			found.unless(slices.Contains(r.Include, "file_search_call.results"), "tool %d: without its results", i)
		case "code_interpreter":
			found.unless(len(tool.Container) > 0, "tool %d: no container", i)
			found.unless(slices.Contains(r.Include, "code_interpreter_call.outputs"), "tool %d: without its outputs", i)
		}
	}
	if choice, ok := r.ToolChoice.(map[string]any); ok {
		found.unless(slices.ContainsFunc(r.Tools, func(t askedTool) bool {
			return t.Type == choice["type"] && (t.Type != "function" || t.Name == choice["name"])
		}), "a tool is chosen that there is not: %v", choice)
	}
	found.unless(r.ToolChoice != "required" || len(r.Tools) > 0, "a tool is required, and there is none")
}

// chatFlaws are those of a request to the Chat Completions API.
func chatFlaws(body []byte) []string {
	var r struct {
		Messages []struct {
			Role      string
			Content   any
			CallID    string `json:"tool_call_id"`
			ToolCalls []struct {
				ID, Type string
				Function struct{ Name string }
			} `json:"tool_calls"`
			Refusal string
		}
		Tools         []struct{ Function struct{ Name string } }
		ToolChoice    any   `json:"tool_choice"`
		Parallel      *bool `json:"parallel_tool_calls"`
		Stream        bool
		StreamOptions struct {
			Usage bool `json:"include_usage"`
		} `json:"stream_options"`
		Temperature *float64
		TopP        *float64 `json:"top_p"`
	}
	var found flawFinder
	if err := json.Unmarshal(body, &r); err != nil {
		return []string{err.Error()}
	}
	found.unless(r.Stream && r.StreamOptions.Usage, "no stream with usage is asked for")
	found.unless(r.Temperature == nil || *r.Temperature != 1, "the default temperature, which models that reason refuse")
	found.unless(r.TopP == nil || *r.TopP != 1, "the default top_p, which models that reason refuse")
	found.unless(len(r.Messages) > 0, "no messages")
	found.unless(len(r.Tools) > 0 || r.ToolChoice == nil && r.Parallel == nil, "a choice of tools, and there are none")
	open, seen := map[string]bool{}, map[string]bool{}
	for i, m := range r.Messages {
		found.unless(m.Role == "tool" || len(open) == 0, "message %d: between calls and their outputs", i)
		found.unless(i == 0 || m.Role != "system" && m.Role != "developer", "message %d: instructions behind the beginning", i)
		switch m.Role {
		case "assistant":
			found.unless(m.Content != nil && m.Content != "" || len(m.ToolCalls) > 0 || m.Refusal != "", "message %d: nothing in it", i)
			found.unless(!strings.Contains(fmt.Sprint(m.Content), "image_url"), "message %d: an image of the assistant", i)
		case "tool":
			found.unless(open[m.CallID], "message %d: an output without its call: %q", i, m.CallID)
			delete(open, m.CallID)
		default:
			found.unless(m.Content != nil && m.Content != "", "message %d: nothing in it", i)
		}
		for _, c := range m.ToolCalls {
			found.unless(c.ID != "" && !seen[c.ID], "message %d: a call with the id %q", i, c.ID)
			found.unless(c.Type == "function" && functionName.MatchString(c.Function.Name), "message %d: a call of %q", i, c.Function.Name)
			open[c.ID], seen[c.ID] = true, true
		}
	}
	found.unless(len(open) == 0, "calls without outputs: %q", slices.Sorted(maps.Keys(open)))
	return found
}

// TestFlaws shows that each rule about requests can fail.
func TestFlaws(t *testing.T) {
	t.Parallel()
	const (
		head = `{"model":"m","store":false,"stream":true,`
		user = `{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}`
		call = `{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}`
		out  = `{"type":"function_call_output","call_id":"c","output":"x"}`
		why  = `{"type":"reasoning","summary":[],"encrypted_content":"x"}`
	)
	input := func(items ...string) string { return head + `"input":[` + strings.Join(items, ",") + `]}` }
	also := func(more string) string { return head + more + `,"input":[` + user + `]}` }
	for want, body := range map[string]string{
		"":                          input(user, call, out, user),
		"no stream":                 `{"store":false,"input":[` + user + `]}`,
		"shall keep":                `{"stream":true,"input":[` + user + `]}`,
		"have kept":                 also(`"previous_response_id":"resp_1"`),
		"temperature":               also(`"temperature":1`),
		"top_p":                     also(`"top_p":1`),
		"fewer tokens":              also(`"max_output_tokens":15`),
		"no input":                  input(),
		"between calls":             input(user, call, user, out),
		`call_id ""`:                input(user, strings.Replace(call, `"c"`, `""`, 1), strings.Replace(out, `"c"`, `""`, 1)),
		"second time":               input(user, call, out, call, out),
		`function named "f g"`:      input(user, strings.Replace(call, `"f"`, `"f g"`, 1), out),
		"output without its call":   input(user, out, call),
		"calls without outputs":     input(user, call),
		"nobody has kept":           input(user, strings.Replace(why, `"x"`, `null`, 1), call, out),
		"none is asked for":         input(user, why, call, out),
		"leads to nothing":          input(user, call, why, out),
		"without a type":            input(`{"type":"message","role":"assistant","content":"x"}`),
		"nothing in it":             input(`{"type":"message","role":"assistant","content":[]}`),
		`"input_text" in a message`: input(strings.Replace(user, "user", "assistant", 1)),
		`"output_text" in a mess`:   input(strings.Replace(user, "input_text", "output_text", 1)),
		"said about strict":         also(`"tools":[{"type":"function","name":"f"}]`),
		`tool 0: a function named`:  also(`"tools":[{"type":"function","name":"","strict":false}]`),
		"0 vector stores":           also(`"tools":[{"type":"file_search"}]`),
		"3 vector stores":           also(`"tools":[{"type":"file_search","vector_store_ids":["1","2","3"]}]`),
		"without its results":       also(`"tools":[{"type":"file_search","vector_store_ids":["1"]}]`),
		"no container":              also(`"tools":[{"type":"code_interpreter"}]`),
		"without its outputs":       also(`"tools":[{"type":"code_interpreter","container":"c"}]`),
		"a tool is chosen":          also(`"tool_choice":{"type":"function","name":"g"},"tools":[{"type":"function","name":"f","strict":true}]`),
		"a tool is required":        also(`"tool_choice":"required"`),
		"invalid character":         `x`,
	} {
		requireFlaw(t, want, responsesFlaws([]byte(body)))
	}
	const (
		chatHead = `{"stream":true,"stream_options":{"include_usage":true},"messages":[`
		hello    = `{"role":"user","content":"x"}`
		calls    = `{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}`
		told     = `{"role":"tool","tool_call_id":"c","content":"x"}`
	)
	messages := func(all ...string) string { return chatHead + strings.Join(all, ",") + `]}` }
	withMore := func(more string) string { return chatHead + hello + "]," + more + "}" }
	for want, body := range map[string]string{
		"":                        messages(`{"role":"system","content":"x"}`, hello, calls, told, hello),
		"no stream":               `{"stream":true,"messages":[` + hello + `]}`,
		"temperature":             withMore(`"temperature":1`),
		"top_p":                   withMore(`"top_p":1`),
		"no messages":             messages(),
		"choice of tools":         withMore(`"parallel_tool_calls":true`),
		"between calls":           messages(hello, calls, hello, told),
		"instructions behind":     messages(hello, `{"role":"system","content":"x"}`),
		"nothing in it":           messages(`{"role":"assistant","content":null}`),
		"1: nothing in it":        messages(hello, `{"role":"user","content":""}`),
		"an image":                messages(`{"role":"assistant","content":[{"type":"image_url"}]}`),
		"output without its call": messages(hello, told),
		`a call with the id "c"`:  messages(hello, calls, told, calls, told),
		"a call of":               messages(hello, strings.Replace(calls, `"f"`, `""`, 1), told),
		"calls without outputs":   messages(hello, calls),
		"invalid character":       `x`,
	} {
		requireFlaw(t, want, chatFlaws([]byte(body)))
	}
}

func requireFlaw(t *testing.T, want string, found []string) {
	t.Helper()
	if want == "" {
		assert.Empty(t, found)
		return
	}
	assert.Contains(t, strings.Join(found, "\n"), want)
}
