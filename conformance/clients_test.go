//lint:file-ignore SA1019 what is deprecated there is what this module serves

package conformance

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// The files clients_… have the Go clients of others talk to the server over a socket, as their users would: openai-go, the
// official one, and go-openai. What they know of the protocol was not learned from this module.

// serve starts a server that is stocked, which ends with the test, and returns its address.
func serve(t *testing.T, opts ...server.Option) (*server.Server, string) {
	t.Helper()
	s := server.New(append([]server.Option{server.WithStore(stocked(t))}, opts...)...)
	listening := httptest.NewServer(s)
	t.Cleanup(func() {
		assert.NoError(t, s.Close()) // which ends streams, so that there is nothing left to wait for
		listening.Close()
	})
	return s, listening.URL
}

// Questions that the assistant of these tests has answers to.
const (
	askCapital  = "What is the capital of France?"
	askCount    = "How often have I asked?"
	askWeather  = "What is the weather in Paris and Rome?"
	askPlot     = "Please plot the sales."
	askHandbook = "What does the handbook say about leave?"
	askSecret   = "Tell me the secret."
	askColours  = "Name colours as JSON."
	askEssay    = "Write an essay."
	askHack     = "How do I break in?"
	askBroken   = "Please break at once."
	askBreaking = "Please break while you write."
	askWait     = "Please wait."
)

// script is the assistant of these tests.
func script() *server.Scripted {
	return server.NewScripted(
		server.When(server.Submitted("get_weather"), server.Reply(sayOutputs)),
		server.When(server.Asked(askCapital), server.Say("Paris, of course.")),
		server.When(server.Asked(askCount), server.Reply(func(call *server.ModelCall) string {
			return fmt.Sprintf("%d times.", countQuestions(call))
		})),
		server.When(server.Asked(askWeather),
			server.Say("Let me look."),
			server.CallFunction("get_weather", `{"city":"Paris"}`),
			server.CallFunction("get_weather", `{"city":"Rome"}`),
		),
		server.When(server.Asked(askPlot),
			server.Yield(
				server.CodeCall{Input: "plot("}, server.CodeInput("sales)"), server.CodeLogs("2 bars\n"), server.CodeImage{FileID: "file-plot"},
			),
			server.Say("Das wär's, see sandbox:/mnt/data/plot.csv"),
			server.Yield(server.FilePath{Path: "sandbox:/mnt/data/plot.csv", FileID: "file-csv"}, server.Image{FileID: "file-plot"}),
		),
		server.When(server.Asked(askHandbook),
			server.Search(assistants.FileSearchResult{
				FileID: "file-handbook", FileName: "handbook.md", Score: 0.75,
				Content: []assistants.FileSearchContent{{Type: assistants.ContentText, Text: "Leave: thirty days."}},
			}),
			server.Say("Thirty days – a year"), server.Cite("file-handbook", "handbook.md"), server.Say("."),
		),
		server.When(server.Asked(askSecret), server.Yield(server.Refusal("I can't "), server.Refusal("tell."))),
		server.When(server.Asked(askColours), server.Reply(func(call *server.ModelCall) string {
			return `{"as":"` + string(call.ResponseFormat.Type) + `"}`
		})),
		server.When(server.Asked(askEssay), server.Say(strings.Repeat("word ", 100))),
		server.When(server.Asked(askHack), server.Say("First you"), server.Yield(server.FinishContentFilter)),
		server.When(server.Asked(askBroken), server.Fail("rate_limit_exceeded", "Slow down.")),
		server.When(server.Asked(askBreaking), server.Say("I was"), server.Fail("server_error", "Broken.")),
		server.When(server.Asked(askWait), server.Say("One moment."), server.Until(nil)),
	)
}

func sayOutputs(call *server.ModelCall) string {
	var said []string
	for _, c := range call.Outputs() {
		said = append(said, c.Function.Arguments+" has "+c.Function.Output)
	}
	return strings.Join(said, ", ")
}

func countQuestions(call *server.ModelCall) int {
	n := 0
	for _, turn := range call.History {
		if turn.Message != nil && turn.Message.Role == assistants.RoleUser {
			n++
		}
	}
	return n
}

// outcome is what a client has seen of a run, in words that all clients share.
type outcome struct {
	Status string   // of the run
	Reason string   // why it is incomplete
	Error  string   // its last_error: code and message
	Calls  []string // functions that it waited for

	Message string   // the status of its last message, with the reason if it is incomplete
	Parts   []string // of its last message: kind and content
	Marks   []string // the annotations there: kind, text, start, end and file

	Steps   []string // kinds, with that of the tool and the status
	Details []string // what the tools did
}

// conversation is one question and what becomes of it.
type conversation struct {
	name      string
	question  string
	maxTokens int               // of the answer; 0: no limit
	format    bool              // a JSON schema is asked for
	outputs   map[string]string // of functions, by arguments
	want      outcome
}

// conversations are held with all clients, polled and streamed.
func conversations() []conversation {
	const message = "message_creation completed"
	return []conversation{
		{name: "text", question: askCapital, want: outcome{
			Status: "completed", Message: "completed", Parts: []string{"text: Paris, of course."}, Steps: []string{message},
		}},
		{name: "functions", question: askWeather, outputs: map[string]string{`{"city":"Paris"}`: "18°", `{"city":"Rome"}`: "24°"}, want: outcome{
			Status: "completed", Message: "completed", Parts: []string{`text: {"city":"Paris"} has 18°, {"city":"Rome"} has 24°`},
			Calls:   []string{`get_weather {"city":"Paris"}`, `get_weather {"city":"Rome"}`},
			Steps:   []string{message, "tool_calls function function completed", message},
			Details: []string{`get_weather {"city":"Paris"} = 18°`, `get_weather {"city":"Rome"} = 24°`},
		}},
		{name: "code interpreter", question: askPlot, want: outcome{
			Status: "completed", Message: "completed",
			Parts:   []string{"text: Das wär's, see sandbox:/mnt/data/plot.csv", "image_file: file-plot auto"},
			Marks:   []string{"file_path sandbox:/mnt/data/plot.csv 15 41 file-csv"},
			Steps:   []string{"tool_calls code_interpreter completed", message},
			Details: []string{"plot(sales)", "logs 2 bars\n", "image file-plot"},
		}},
		{name: "file search", question: askHandbook, want: outcome{
			Status: "completed", Message: "completed",
			Parts:   []string{"text: Thirty days – a year【4:0†handbook.md】."},
			Marks:   []string{"file_citation 【4:0†handbook.md】 20 37 file-handbook"},
			Steps:   []string{"tool_calls file_search completed", message},
			Details: []string{"default_2024_08_21 0", "file-handbook handbook.md 0.75 [Leave: thirty days.]"},
		}},
		{name: "refusal", question: askSecret, want: outcome{
			Status: "completed", Message: "completed", Parts: []string{"refusal: I can't tell."}, Steps: []string{message},
		}},
		{name: "JSON schema", question: askColours, format: true, want: outcome{
			Status: "completed", Message: "completed", Parts: []string{`text: {"as":"json_schema"}`}, Steps: []string{message},
		}},
		{name: "too few tokens", question: askEssay, maxTokens: 16, want: outcome{
			Status: "incomplete", Reason: "max_completion_tokens",
			Message: "incomplete max_tokens", Parts: []string{"text: word word word word word word word word"}, Steps: []string{message},
		}},
		{name: "content filter", question: askHack, want: outcome{
			Status: "incomplete", Reason: "content_filter",
			Message: "incomplete content_filter", Parts: []string{"text: First you"}, Steps: []string{message},
		}},
		{name: "failure", question: askBroken, want: outcome{Status: "failed", Error: "rate_limit_exceeded: Slow down."}},
		{name: "failure behind text", question: askBreaking, want: outcome{
			Status: "failed", Error: "server_error: Broken.",
			Message: "incomplete run_failed", Parts: []string{"text: I was"}, Steps: []string{"message_creation failed"},
		}},
	}
}

// colours is the schema of the conversation about JSON.
var colours = map[string]any{
	"type": "object", "properties": map[string]any{"as": map[string]any{"type": "string"}},
	"required": []string{"as"}, "additionalProperties": false,
}

// reply is what a client made of an answer.
type reply[T any] struct {
	got T
	err error
}

func take[T any](got T, err error) reply[T] { return reply[T]{got, err} }

// wire knows what a client was answered, as it was sent.
type wire interface {
	answer(got any) string
	test() *testing.T
}

// intact returns what the client made of an answer, and fails the test if that is an error or lacks something that
// was sent. What the client has no place for is its own affair.
func (r reply[T]) intact(from wire) T {
	t := from.test()
	t.Helper()
	require.NoError(t, r.err)
	requireArrived(t, from.answer(r.got), r.got)
	return r.got
}

func requireArrived(t *testing.T, sent string, got any) {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal([]byte(sent), &value), sent)
	require.Empty(t, lost("", value, reflect.ValueOf(got)), sent)
}

// lost compares a JSON value with what was decoded from it, and returns where something else arrived, or where something
// was not sent that the client's tags call required.
func lost(path string, sent any, got reflect.Value) []string {
	if got.Kind() == reflect.Pointer && !got.IsNil() {
		return lost(path, sent, got.Elem())
	}
	same := false
	switch sent := sent.(type) {
	case map[string]any:
		switch got.Kind() {
		case reflect.Struct:
			return lostFields(path, sent, got)
		case reflect.Map:
			var all []string
			for key, value := range sent {
				all = append(all, lost(path+"."+key, value, got.MapIndex(reflect.ValueOf(key)))...)
			}
			return all
		}
	case []any:
		if got.Kind() == reflect.Slice && got.Len() == len(sent) {
			var all []string
			for i, value := range sent {
				all = append(all, lost(fmt.Sprintf("%s[%d]", path, i), value, got.Index(i))...)
			}
			return all
		}
	case nil:
		same = !got.IsValid() || isNothing(got)
	case float64:
		same = got.CanInt() && float64(got.Int()) == sent || got.CanFloat() && float32(got.Float()) == float32(sent) ||
			hasInline(got, sent)
	case string:
		same = got.Kind() == reflect.String && got.String() == sent || hasInline(got, sent)
	case bool:
		same = got.Kind() == reflect.Bool && got.Bool() == sent || hasInline(got, sent)
	}
	if got.IsValid() && got.Kind() == reflect.Interface {
		same = reflect.DeepEqual(got.Interface(), sent)
	}
	if same {
		return nil
	}
	return []string{fmt.Sprintf("%s: sent %v", path, sent)}
}

// otherConstants are words of the service's that are not those of its description, which clients learned them from.
var otherConstants = map[string]any{"vector_store.files_batch": "vector_store.file_batch"}

func lostFields(path string, sent map[string]any, got reflect.Value) []string {
	var all []string
	for i := range got.NumField() {
		tag := got.Type().Field(i).Tag
		name, _, _ := strings.Cut(tag.Get("json"), ",")
		value, ok := sent[name]
		constant, required := tag.Lookup("default")
		switch {
		case name == "" || name == "-":
		case ok && required && value != constant && value != otherConstants[constant]:
			all = append(all, fmt.Sprintf("%s.%s: sent %v, which should be %s", path, name, value, constant))
		case ok && required: // it is compared above
		case ok:
			all = append(all, lost(path+"."+name, value, got.Field(i))...)
		case required || tag.Get("api") == "required":
			all = append(all, path+"."+name+": was not sent")
		}
	}
	return all
}

// isNothing tells whether a value is what null is decoded to.
func isNothing(got reflect.Value) bool {
	if got.Kind() != reflect.Struct {
		return got.IsZero()
	}
	for i := range got.NumField() {
		if tag := got.Type().Field(i).Tag.Get("json"); tag != "" && tag != "-" && !isNothing(got.Field(i)) {
			return false
		}
	}
	return true
}

// hasInline tells whether a union that may be a word, a number or a truth value is this one.
func hasInline(union reflect.Value, value any) bool {
	if union.Kind() != reflect.Struct {
		return false
	}
	for i := range union.NumField() {
		field, of := union.Field(i), reflect.TypeOf(value)
		if union.Type().Field(i).Tag.Get("json") == ",inline" && field.Kind() == of.Kind() && field.Convert(of).Interface() == value {
			return true
		}
	}
	return false
}

func TestLostFindsWhatDidNotArrive(t *testing.T) {
	t.Parallel()
	type inner struct {
		A int `json:"a"`
	}
	type outer struct {
		Text  string            `json:"text"`
		Map   map[string]string `json:"map"`
		List  []inner           `json:"list"`
		Inner *inner            `json:"inner,omitempty"`
		Any   any               `json:"any"`
		Flag  bool              `json:"flag"`
		Ratio float32           `json:"ratio"`
		Union struct {
			Word string `json:",inline"`
			Type string `json:"type"`
		} `json:"union"`
	}
	whole := outer{Text: "x", Map: map[string]string{"k": "v"}, List: []inner{{1}}, Inner: &inner{2}, Any: "y", Flag: true, Ratio: 0.1}
	whole.Union.Word = "auto"
	const sent = `{"text":"x","map":{"k":"v"},"list":[{"a":1}],"inner":{"a":2},"any":"y","flag":true,"ratio":0.1,"union":"auto","unknown":1}`
	requireArrived(t, sent, whole)
	requireArrived(t, `{"text":null,"list":null,"inner":null,"union":null,"any":null}`, outer{})

	type strict struct {
		Object string `json:"object" default:"thing"`
		Text   string `json:"text" api:"required"`
	}
	requireArrived(t, `{"object":"thing","text":""}`, strict{"thing", ""})
	require.Equal(t, []string{".object: sent other, which should be thing", ".text: was not sent"},
		lost("", map[string]any{"object": "other"}, reflect.ValueOf(strict{"other", ""})))
	require.Equal(t, []string{".object: was not sent"}, lost("", map[string]any{"text": ""}, reflect.ValueOf(strict{})))

	for _, name := range []string{"text", "map", "list", "inner", "any", "flag", "ratio", "union"} {
		var value map[string]any
		require.NoError(t, json.Unmarshal([]byte(sent), &value))
		for other := range value {
			if other != name {
				delete(value, other)
			}
		}
		require.NotEmpty(t, lost("", value, reflect.ValueOf(outer{})), "%s is missing", name)
		require.NotEmpty(t, lost("", map[string]any{name: nil}, reflect.ValueOf(whole)), "%s is there", name)
	}
}

// eventually asks until the answer will do.
func eventually[T any](t *testing.T, ask func() (T, error), done func(T) bool) T {
	t.Helper()
	var last reply[T]
	require.Eventually(t, func() bool {
		last = take(ask())
		return last.err != nil || done(last.got)
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, last.err)
	return last.got
}

// atWork tells whether a run will go on by itself.
func atWork(status string) bool {
	return status == "queued" || status == "in_progress" || status == "cancelling"
}

// refusal is an error of the server, as its clients show it.
type refusal struct {
	Status                     int
	Type, Code, Param, Message string
}

// What the server refuses while a run is at work, or afterwards.
func lockedForMessages(thread, run string) refusal {
	return refusal{400, "invalid_request_error", "", "", "Can't add messages to " + thread + " while a run " + run + " is active."}
}

func lockedForRuns(thread, run string) refusal {
	return refusal{400, "invalid_request_error", "", "", "Thread " + thread + " already has an active run " + run + "."}
}

func noOutputsWanted(status string) refusal {
	return refusal{400, "invalid_request_error", "", "", fmt.Sprintf("Runs in status %q do not accept tool outputs.", status)}
}

func cannotCancel(status string) refusal {
	return refusal{400, "invalid_request_error", "", "", "Cannot cancel run with status '" + status + "'."}
}

func cannotModify(status string) refusal {
	return refusal{400, "invalid_request_error", "", "", "Cannot update run with status '" + status + "'."}
}

// clock is a clock that stands still until it is moved.
type clock struct{ seconds atomic.Int64 }

func movable() *clock {
	c := new(clock)
	c.seconds.Store(1_700_000_000)
	return c
}

func (c *clock) Now() time.Time { return time.Unix(c.seconds.Load(), 0) }

func (c *clock) move(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }
