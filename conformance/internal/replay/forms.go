package replay

import (
	"encoding/json"
	"fmt"

	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
)

// A form is how the server stores objects of a kind: their keys in order, and what they are where nobody says
// otherwise.
type form struct {
	kind   string // of the collection
	parent string // the key that names the object they belong to; "" for those that stand alone
	fields []field
}

type field struct{ key, initial string }

var assistantForm = form{kind: "assistant", fields: []field{
	{"id", `""`},
	{"object", `"assistant"`},
	{"created_at", `0`},
	{"name", `null`},
	{"description", `null`},
	{"model", `"gpt-4o"`},
	{"instructions", `null`},
	{"tools", `[]`},
	{"top_p", `1.0`},
	{"temperature", `1.0`},
	{"reasoning_effort", `null`},
	{"tool_resources", `{}`},
	{"metadata", `{}`},
	{"response_format", `"auto"`},
}}

var threadForm = form{kind: "thread", fields: []field{
	{"id", `""`},
	{"object", `"thread"`},
	{"created_at", `0`},
	{"metadata", `{}`},
	{"tool_resources", `{}`},
}}

var messageForm = form{kind: "thread.message", parent: "thread_id", fields: []field{
	{"id", `""`},
	{"object", `"thread.message"`},
	{"created_at", `0`},
	{"assistant_id", `null`},
	{"thread_id", `""`},
	{"run_id", `null`},
	{"status", `"completed"`},
	{"incomplete_details", `null`},
	{"incomplete_at", `null`},
	{"completed_at", `null`},
	{"role", `"user"`},
	{"content", `[]`},
	{"attachments", `[]`},
	{"metadata", `{}`},
}}

var runForm = form{kind: "thread.run", parent: "thread_id", fields: []field{
	{"id", `""`},
	{"object", `"thread.run"`},
	{"created_at", `0`},
	{"assistant_id", `""`},
	{"thread_id", `""`},
	{"status", `"completed"`},
	{"started_at", `null`},
	{"expires_at", `null`},
	{"cancelled_at", `null`},
	{"failed_at", `null`},
	{"completed_at", `null`},
	{"required_action", `null`},
	{"last_error", `null`},
	{"model", `"gpt-4o"`},
	{"instructions", `null`},
	{"tools", `[]`},
	{"tool_resources", `{}`},
	{"metadata", `{}`},
	{"temperature", `1.0`},
	{"top_p", `1.0`},
	{"reasoning_effort", `null`},
	{"max_completion_tokens", `null`},
	{"max_prompt_tokens", `null`},
	{"truncation_strategy", `{"type":"auto","last_messages":null}`},
	{"incomplete_details", `null`},
	{"usage", `null`},
	{"response_format", `"auto"`},
	{"tool_choice", `"auto"`},
	{"parallel_tool_calls", `true`},
}}

var stepForm = form{kind: "thread.run.step", parent: "run_id", fields: []field{
	{"id", `""`},
	{"object", `"thread.run.step"`},
	{"created_at", `0`},
	{"run_id", `""`},
	{"assistant_id", `""`},
	{"thread_id", `""`},
	{"type", `"message_creation"`},
	{"status", `"completed"`},
	{"cancelled_at", `null`},
	{"completed_at", `null`},
	{"expires_at", `null`},
	{"expired_at", `null`},
	{"failed_at", `null`},
	{"last_error", `null`},
	{"step_details", `null`},
	{"metadata", `{}`},
	{"usage", `null`},
}}

// stored makes an object as the server stores it from a recorded one, which may have fewer keys. Keys in without are
// left at their initial values.
func (f form) stored(recorded any, without *jsondiff.Object) (Document, error) {
	o, ok := recorded.(*jsondiff.Object)
	if !ok {
		return Document{}, fmt.Errorf("the answer is no %s", f.kind)
	}
	data := []byte{'{'}
	for _, field := range f.fields {
		value := json.RawMessage(field.initial)
		if has(o, field.key) && (without == nil || !has(without, field.key)) {
			var err error
			if value, err = json.Marshal(o.Get(field.key)); err != nil {
				return Document{}, err
			}
		}
		data = append(data, fmt.Sprintf("%q:%s,", field.key, value)...)
	}
	data[len(data)-1] = '}'
	return f.document(data)
}

func has(o *jsondiff.Object, key string) bool { return o.Get(key) != any(jsondiff.Absent) }

// document puts data into the collection that it belongs to.
func (f form) document(data []byte) (Document, error) {
	var head struct {
		ID        string `json:"id"`
		CreatedAt int64  `json:"created_at"`
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &head); err != nil {
		return Document{}, err
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return Document{}, err
	}
	if head.ID == "" {
		return Document{}, fmt.Errorf("the answer is no %s: it has no id", f.kind)
	}
	in := server.Collection{Kind: f.kind}
	if f.parent != "" {
		if err := json.Unmarshal(all[f.parent], &in.Parent); err != nil {
			return Document{}, err
		}
	}
	return Document{In: in, Record: server.Record{ID: head.ID, CreatedAt: head.CreatedAt, Data: data}}, nil
}

// known makes an object of which only a few keys are known, given as JSON.
func (f form) known(format string, args ...any) (Document, error) {
	o, err := jsondiff.Parse(fmt.Appendf(nil, format, args...))
	if err != nil {
		return Document{}, err
	}
	return f.stored(o, nil)
}

var fileForm = form{kind: "file", fields: []field{
	{"object", `"file"`},
	{"id", `""`},
	{"purpose", `"assistants"`},
	{"filename", `"unrecorded.txt"`},
	{"bytes", `10`},
	{"created_at", `0`},
	{"expires_at", `null`},
	{"status", `"processed"`},
	{"status_details", `null`},
}}

var storeForm = form{kind: "vector_store", fields: []field{
	{"id", `""`},
	{"object", `"vector_store"`},
	{"created_at", `0`},
	{"name", `null`},
	{"description", `null`},
	{"usage_bytes", `0`},
	{"file_counts", `{"in_progress":0,"completed":0,"failed":0,"cancelled":0,"total":0}`},
	{"status", `"completed"`},
	{"expires_after", `null`},
	{"expires_at", `null`},
	{"last_active_at", `0`},
	{"metadata", `{}`},
}}

var storeFileForm = form{kind: "vector_store.file", parent: "vector_store_id", fields: []field{
	{"id", `""`},
	{"object", `"vector_store.file"`},
	{"usage_bytes", `0`},
	{"created_at", `0`},
	{"vector_store_id", `""`},
	{"status", `"completed"`},
	{"last_error", `null`},
	{"chunking_strategy", `{"type":"static","static":{"max_chunk_size_tokens":800,"chunk_overlap_tokens":400}}`},
	{"attributes", `{}`},
}}

var batchForm = form{kind: "vector_store.file_batch", parent: "vector_store_id", fields: []field{
	{"id", `""`},
	{"object", `"vector_store.file_batch"`},
	{"created_at", `0`},
	{"status", `"completed"`},
	{"vector_store_id", `""`},
	{"file_counts", `{"in_progress":0,"completed":0,"failed":0,"cancelled":0,"total":0}`},
}}
