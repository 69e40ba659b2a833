package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/assistants-go/assistants/conformance/internal/replay"
)

// stub stands in for the operations that the server does not have: it answers with the least that the client takes.
// What it answers is not judged.
type stub struct{ server http.Handler }

// stubAnswers are the answers by the last word of an operation.
var stubAnswers = map[string]string{
	"Thread":             `{"id":"thread_1","object":"thread"}`,
	"Message":            `{"id":"msg_1","object":"thread.message"}`,
	"Run":                `{"id":"run_1","object":"thread.run","thread_id":"thread_1","status":"completed"}`,
	"RunStep":            `{"id":"step_1","object":"thread.run.step"}`,
	"deleteThread":       `{"id":"thread_1","object":"thread.deleted","deleted":true}`,
	"deleteMessage":      `{"id":"msg_1","object":"thread.message.deleted","deleted":true}`,
	"createThreadAndRun": `{"id":"run_1","object":"thread.run","thread_id":"thread_1","status":"completed"}`,
}

func (s stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, _ := replay.Find(r.Method, r.URL.Path)
	if op == nil || op.Served {
		s.server.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer := stubAnswer(op.ID)
	if bytes.Contains(body, []byte(`"stream":true`)) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: thread.run.completed\ndata: %s\n\nevent: done\ndata: [DONE]\n\n", answer)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, answer)
}

func stubAnswer(operation string) string {
	if answer := stubAnswers[operation]; answer != "" {
		return answer
	}
	if strings.HasPrefix(operation, "list") {
		return `{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}`
	}
	longest := ""
	for end := range stubAnswers {
		if strings.HasSuffix(operation, end) && len(end) > len(longest) {
			longest = end
		}
	}
	return stubAnswers[longest]
}
