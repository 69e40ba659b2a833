package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

const validKey = "conformance"

// v1Refusal is what the service has answered to assistants=v1 since it was switched off.
const v1Refusal = `{"error":{"message":"The v1 Assistants API has been deprecated. ` +
	`Please try again by setting the header 'OpenAI-Beta: assistants=v2'. ` +
	`See the migration guide for more information: https://platform.openai.com/docs/assistants/migration.",` +
	`"type":"invalid_request_error","param":null,"code":"invalid_beta"}}`

// A stage is a server of its own, set up for the exchanges of one scenario.
type stage struct {
	handler http.Handler
	now     time.Time
	ids     map[string][]string // the next ones, by prefix
	counter int
}

// newStage makes a server with what the exchanges presuppose.
func newStage(exchanges []*recording.Exchange) (*stage, error) {
	store := server.NewMemoryStore()
	if err := seed(store, exchanges); err != nil {
		return nil, fmt.Errorf("preparing the server: %w", err)
	}
	s := &stage{ids: make(map[string][]string)}
	s.handler = server.New(
		server.WithStore(store),
		server.WithClock(func() time.Time { return s.now }),
		server.WithIDSource(s.nextID),
		server.WithAPIKeys(validKey),
		server.WithModelNames(models(exchanges)...),
	)
	return s, nil
}

// nextID is the recorded id if there is one, else one that nobody looks at.
func (s *stage) nextID(prefix string) string {
	if next := s.ids[prefix]; len(next) > 0 {
		s.ids[prefix] = next[1:]
		return next[0]
	}
	s.counter++
	return fmt.Sprintf("%s_unrecorded%d", prefix, s.counter)
}

// models are those that the service knew, if it ever said that it did not know one; none means any.
func models(exchanges []*recording.Exchange) []string {
	unknown := false
	known := []string{"gpt-4o"}
	for _, e := range exchanges {
		if strings.Contains(e.ResponseText, `"model_not_found"`) {
			unknown = true
			continue
		}
		var body struct {
			Model string `json:"model"`
		}
		if json.Unmarshal(e.RequestBody, &body) == nil && body.Model != "" {
			known = append(known, body.Model)
		}
	}
	if !unknown {
		return nil
	}
	return known
}

// replayable reports whether an exchange can be sent to the server: a POST without its body cannot.
func replayable(e *recording.Exchange) bool {
	return e.Method != http.MethodPost || e.KnowsBody()
}

// check sends the recorded request to the server and judges the answer. Where v1 has no form in v2, there is only the
// refusal to be judged, which nobody recorded.
func (s *stage) check(op *Operation, e *recording.Exchange) verdict {
	if e.Beta != "v1" {
		return verdict{s.checkAs(op, e, "assistants="+e.Beta, serverRules), true}
	}
	if e.Status == http.StatusUnauthorized { // which comes first, whatever the version
		return verdict{s.checkAs(op, e, "assistants=v1", serverRules), true}
	}
	answer := s.send(e, "assistants=v1")
	found := expectStatus(http.StatusBadRequest, answer.Code)
	found = append(found, compare([]byte(v1Refusal), answer.Body.Bytes(), nil)...)
	inV2 := hasV2Form(e)
	if inV2 {
		found = append(found, s.checkAs(op, e, "assistants=v2", serverV1Rules)...)
	}
	for i := range found {
		found[i] = "recorded as v1: " + found[i]
	}
	return verdict{found, inV2}
}

// hasV2Form reports whether an exchange of v1 means the same in v2, which has neither the retrieval tool nor files
// of an assistant.
func hasV2Form(e *recording.Exchange) bool {
	var compact bytes.Buffer
	for _, text := range []string{string(e.RequestBody), e.ResponseText} {
		if text == "" {
			continue
		}
		if err := json.Compact(&compact, []byte(text)); err != nil {
			return false
		}
	}
	both := strings.ReplaceAll(compact.String(), `"file_ids":[]`, "")
	return !strings.Contains(both, `"type":"retrieval"`) && !strings.Contains(both, `"file_ids"`)
}

// checkAs sends the request with a version and compares the answer with the recorded one.
func (s *stage) checkAs(op *Operation, e *recording.Exchange, beta string, rules []rule) []string {
	s.prepare(op, e)
	answer := s.send(e, beta)
	found := expectStatus(e.Status, answer.Code)
	if e.Status >= 300 && e.Status <= 399 {
		return append(found, checkRedirect(e, answer)...)
	}
	if recorded := e.ResponseHeader("Content-Type"); recorded != "" && answer.Header().Get("Content-Type") != recorded {
		found = append(found, fmt.Sprintf("Content-Type: got %q, want %q", answer.Header().Get("Content-Type"), recorded))
	}
	return append(found, compare([]byte(e.ResponseText), answer.Body.Bytes(), rules)...)
}

// prepare sets the clock, and the ids that the server is going to need.
func (s *stage) prepare(op *Operation, e *recording.Exchange) {
	clear(s.ids)
	if !op.Creates || e.Status != http.StatusOK {
		return
	}
	var made struct {
		CreatedAt int64 `json:"created_at"`
	}
	if json.Unmarshal([]byte(e.ResponseText), &made) == nil {
		s.now = time.Unix(made.CreatedAt, 0)
	}
	for _, id := range mintedIDs(e) {
		prefix, _, _ := strings.Cut(id, "_")
		s.ids[prefix] = append(s.ids[prefix], id)
	}
}

// mintedIDs are the ids in the answer to a creation: that of the new object, and of vector stores made along with it.
func mintedIDs(e *recording.Exchange) []string {
	var made struct {
		ID            string `json:"id"`
		ToolResources struct {
			FileSearch struct {
				VectorStoreIDs []string `json:"vector_store_ids"`
			} `json:"file_search"`
		} `json:"tool_resources"`
	}
	if e.Status != http.StatusOK || json.Unmarshal([]byte(e.ResponseText), &made) != nil {
		return nil
	}
	return append([]string{made.ID}, made.ToolResources.FileSearch.VectorStoreIDs...)
}

// send makes the recorded request, in the words in which it was recorded.
func (s *stage) send(e *recording.Exchange, beta string) *httptest.ResponseRecorder {
	target := "http://service.invalid" + e.Path
	if e.Query != "" {
		target += "?" + e.Query
	}
	var body []byte
	if e.HasBody() {
		body = e.RequestBody
	}
	r := httptest.NewRequest(e.Method, target, bytes.NewReader(body))
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if beta != "assistants=" {
		r.Header.Set("OpenAI-Beta", beta)
	}
	r.Header.Set("Authorization", "Bearer "+keyFor(e))
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, r)
	return answer
}

// keyFor is the key that a message about a wrong one shows, else one that is right.
func keyFor(e *recording.Exchange) string {
	if e.Status != http.StatusUnauthorized {
		return validKey
	}
	var body struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal([]byte(e.ResponseText), &body) // else the wrong key below is as good
	if key := shownKey(body.Error.Message); key != "" {
		return key
	}
	return "wrong"
}

func expectStatus(want, got int) []string {
	if want != got {
		return []string{fmt.Sprintf("status: got %d, want %d", got, want)}
	}
	return nil
}

// checkRedirect wants what the service did with a slash too many: no body, and the address without it.
func checkRedirect(e *recording.Exchange, answer *httptest.ResponseRecorder) []string {
	var found []string
	if got := answer.Body.String(); got != e.ResponseText {
		found = append(found, fmt.Sprintf("body: got %q, want %q", got, e.ResponseText))
	}
	want := "http://service.invalid" + strings.TrimSuffix(e.Path, "/")
	if got := answer.Header().Get("Location"); got != want {
		found = append(found, fmt.Sprintf("Location: got %q, want %q", got, want))
	}
	return found
}
