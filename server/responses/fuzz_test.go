package responses_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// Whatever a provider sends, the run ends, and what the model yields is what a server takes: it fails by an error that the model
// has reported, or because it is too large.
func FuzzStream(f *testing.F) {
	f.Add([]byte(frames(rich())))
	f.Add([]byte(whole(message("msg_1", "Hello."), function("fc_1", "call_a", "{}"))))
	f.Add([]byte(frames([]string{added(0, opened("a")), added(0, code("b", "", "null")), text(0, "x"), text(1, "y"), completed(code("b", "z", "null"))})))
	f.Add([]byte(frames([]string{completed(function("a", "", ""), function("b", "", ""))})))
	f.Add([]byte(frames([]string{text(0, "ä"), annotated(0, 0, `{"type":"container_file_citation","filename":"","start_index":-1,"end_index":1}`), incomplete("max_output_tokens")})))
	f.Add([]byte(`data: {"type":"error"}` + "\n\n"))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, body []byte) { survive(t, string(body)) })
}

// So it is with events that are each well formed, in any order: every two bytes choose one.
func FuzzOrder(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"))
	for seed := range uint64(50) {
		random := make([]byte, 60)
		_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(random)
		f.Add(random)
	}
	cited := `{"type":"file_citation","file_id":"file-p","filename":"a.txt","index":1}`
	made := `{"type":"container_file_citation","container_id":"c","file_id":"f","filename":"f.csv","start_index":0,"end_index":2}`
	ran := `[{"type":"logs","logs":"1"}]`
	found := `[{"file_id":"file-p","filename":"a.txt","score":0.5,"text":"A"}]`
	f.Fuzz(func(t *testing.T, choices []byte) {
		var events, output []string
		for i := 0; i+1 < len(choices); i += 2 {
			index, id := int(choices[i+1]%4), fmt.Sprintf("id_%d", choices[i+1]%8)
			whole := []string{message(id, "ab.", cited, made), function(id, id, "{}"), code(id, "ab", ran), search(id, found), thought}[choices[i+1]/4%5]
			half := []string{opened(id), function(id, id, ""), code(id, "", "null"), search(id, "null"), thought}[choices[i+1]/4%5]
			all := []string{added(index, half), done(index, whole), text(index, "a"), delta2("refusal", index, "r"), annotated(index, 0, cited),
				annotated(index, 1, made), delta2("code_interpreter_call_code", index, "a"), delta2("function_call_arguments", index, "{")}
			switch kind := int(choices[i]) % (len(all) + 1); {
			case kind < len(all) && choices[i] >= 192:
				events = append(events, without(all[kind], id))
			case kind < len(all):
				events = append(events, all[kind])
			default:
				output = append(output, whole)
			}
		}
		survive(t, frames(append(events, completed(output...))))
	})
}

// survive has a run have an answer.
func survive(t *testing.T, body string) {
	h := build(t, status(http.StatusOK, body))
	var failed error
	s := server.New(server.WithModel(server.ModelFunc(func(ctx context.Context, c *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			for e, err := range h.model.Respond(ctx, c) {
				if failed = err; !yield(e, err) {
					return
				}
			}
		}
	})))
	defer s.Close()
	var err error
	h.Client, err = assistants.NewClient(assistants.WithHandler(s))
	require.NoError(t, err)
	run := h.ask(codeTool, functionTool).Run()
	switch run.Status {
	case assistants.RunFailed:
		calls := strings.Count(body, "function_call")
		assert.True(t, failed != nil || calls > 100, "the server refused what the model has yielded: %v", run.LastError)
	case assistants.RunCompleted, assistants.RunIncomplete, assistants.RunRequiresAction:
		assert.NoError(t, failed)
	default:
		t.Errorf("the run is %s", run.Status)
	}
}
