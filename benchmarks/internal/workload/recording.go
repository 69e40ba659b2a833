package workload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The ids of what is streamed and listed.
const (
	ThreadID  = "thread_000000000000000000000001"
	runID     = "run_000000000000000000000001"
	stepID    = "step_000000000000000000000001"
	messageID = "msg_000000000000000000000001"
	citedID   = "file-000000000000000000000003"
)

// StreamLength is how many pieces of text a stream brings.
const StreamLength = 1000

// A Recording is a streamed run as the service sends it: an assistant writes one message, and cites a file now and then.
type Recording struct {
	Begin  []byte   // the events before the first piece of text
	Deltas [][]byte // an event for each piece
	End    []byte   // the events behind the last piece
	Text   string   // what the pieces add up to
}

// NewRecording is a run that writes so many pieces of text.
func NewRecording(deltas int) *Recording {
	r := new(Recording)
	var annotations []string
	for i := range deltas {
		piece, citation := passage[i%len(passage)], ""
		switch {
		case i == 0:
			citation = `,"annotations":[]` // as the service begins a text
		case i%200 == 199:
			begin := utf8.RuneCountInString(r.Text)
			piece = "【4:0†policy.pdf】"
			citation = fmt.Sprintf(`"type":"file_citation","text":%q,"start_index":%d,"end_index":%d,`+
				`"file_citation":{"file_id":%q,"quote":""}}`, piece, begin, begin+utf8.RuneCountInString(piece), citedID)
			annotations = append(annotations, "{"+citation)
			citation = fmt.Sprintf(`,"annotations":[{"index":%d,%s]`, len(annotations)-1, citation)
		}
		r.Text += piece
		r.Deltas = append(r.Deltas, event("thread.message.delta", fmt.Sprintf(
			`{"id":%q,"object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text","text":{"value":%q%s}}]}}`,
			messageID, piece, citation)))
	}
	r.frame(strings.Join(annotations, ","))
	return r
}

// frame adds what comes before the text and after it.
func (r *Recording) frame(annotations string) {
	const begun, ended = `"in_progress","completed_at":null`, `"completed","completed_at":1722470409`
	content := fmt.Sprintf(`[{"type":"text","text":{"value":%q,"annotations":[%s]}}]`, r.Text, annotations)
	r.Begin = bytes.Join([][]byte{
		event("thread.run.created", run(`"queued","started_at":null,"completed_at":null`, "null")),
		event("thread.run.queued", run(`"queued","started_at":null,"completed_at":null`, "null")),
		event("thread.run.in_progress", run(`"in_progress","started_at":1722470401,"completed_at":null`, "null")),
		event("thread.run.step.created", step(begun, "null")),
		event("thread.run.step.in_progress", step(begun, "null")),
		event("thread.message.created", message(begun, "[]")),
		event("thread.message.in_progress", message(begun, "[]")),
	}, nil)
	r.End = bytes.Join([][]byte{
		event("thread.message.completed", message(ended, content)),
		event("thread.run.step.completed", step(ended, usage)),
		event("thread.run.completed", run(`"completed","started_at":1722470401,"completed_at":1722470410`, usage)),
		event("done", "[DONE]"),
	}, nil)
}

func event(name, data string) []byte { return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, data) }

const usage = `{"prompt_tokens":1198,"completion_tokens":1020,"total_tokens":2218,"prompt_token_details":{"cached_tokens":1024},` +
	`"completion_tokens_details":{"reasoning_tokens":0}}`

// run is a run of the assistant. The status comes with the times that go with it.
func run(status, usage string) string {
	return fmt.Sprintf(`{"id":%q,"object":"thread.run","created_at":1722470400,"assistant_id":%q,"thread_id":%q,"status":%s,`+
		`"expires_at":1722471000,"cancelled_at":null,"failed_at":null,"required_action":null,"last_error":null,"model":"gpt-4o",`+
		`"instructions":%s,"tools":%s,"tool_resources":{"code_interpreter":{"file_ids":[]}},"metadata":{},"temperature":0.2,`+
		`"top_p":0.9,"reasoning_effort":null,"max_completion_tokens":null,"max_prompt_tokens":null,"truncation_strategy":`+
		`{"type":"auto","last_messages":null},"incomplete_details":null,"usage":%s,"response_format":"auto",`+
		`"tool_choice":"auto","parallel_tool_calls":true}`, runID, AssistantID, ThreadID, status, settings.Instructions, settings.Tools, usage)
}

func step(status, usage string) string {
	return fmt.Sprintf(`{"id":%q,"object":"thread.run.step","created_at":1722470402,"run_id":%q,"assistant_id":%q,"thread_id":%q,`+
		`"type":"message_creation","status":%s,"cancelled_at":null,"expires_at":1722471000,"failed_at":null,"last_error":null,`+
		`"step_details":{"type":"message_creation","message_creation":{"message_id":%q}},"usage":%s}`,
		stepID, runID, AssistantID, ThreadID, status, messageID, usage)
}

func message(status, content string) string {
	return fmt.Sprintf(`{"id":%q,"object":"thread.message","created_at":1722470402,"assistant_id":%q,"thread_id":%q,"run_id":%q,`+
		`"status":%s,"incomplete_details":null,"incomplete_at":null,"role":"assistant","content":%s,"attachments":[],"metadata":{}}`,
		messageID, AssistantID, ThreadID, runID, status, content)
}

// settings are what a run has of its assistant, as JSON on one line.
var settings = func() (s struct{ Instructions, Tools json.RawMessage }) {
	var line bytes.Buffer
	if err := json.Compact(&line, assistantJSON); err != nil {
		panic(err) // the file is part of this package
	}
	if err := json.Unmarshal(line.Bytes(), &s); err != nil {
		panic(err)
	}
	return s
}()

// passage is a text in pieces as a model writes it, about a word each.
var passage = func() (pieces []string) {
	for word := range strings.FieldsSeq("You may travel first class if the journey takes longer than four hours or if the ticket costs no " +
		"more than one in second class. Book at least a fortnight ahead, and ask for the cost centre before you do. Flights " +
		"within the country need the consent of the head of the department; the night train does not.") {
		pieces = append(pieces, " "+word)
	}
	return pieces
}()
