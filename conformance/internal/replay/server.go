package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// v1Refusal is what the service has answered to assistants=v1 since it was switched off.
const v1Refusal = `{"error":{"message":"The v1 Assistants API has been deprecated. ` +
	`Please try again by setting the header 'OpenAI-Beta: assistants=v2'. ` +
	`See the migration guide for more information: https://platform.openai.com/docs/assistants/migration.",` +
	`"type":"invalid_request_error","param":null,"code":"invalid_beta"}}`

// replayable reports whether an exchange can be sent to the server. A POST without its body cannot, unless its answer
// tells what was asked for. That the service failed on its own account is no answer to wait for, and what it took in 2021
// and refuses today is refused.
func replayable(e *recording.Exchange) bool {
	if e.Status >= http.StatusInternalServerError || outdated(e) {
		return false
	}
	if e.Method != http.MethodPost || e.KnowsBody() {
		return true
	}
	_, ok := told(e)
	return ok
}

// outdated reports whether a file was uploaded for a purpose that the service has given up.
func outdated(e *recording.Exchange) bool {
	isSearch := func(f recording.FormField) bool { return f.Name == "purpose" && f.Text != nil && *f.Text == "search" }
	return slices.ContainsFunc(e.Form(), isSearch)
}

// check sends the recorded request to the server and judges the answer. Where v1 has no form in v2, there is only the
// refusal to be judged, which nobody recorded.
func (s *stage) check(op *Operation, e *recording.Exchange) verdict {
	if e.Beta != "v1" || op.Versionless() {
		return verdict{s.checkAs(op, e, "assistants="+e.Beta, serverRulesFor(e)), true}
	}
	if e.Status == http.StatusUnauthorized { // which comes first, whatever the version
		return verdict{s.checkAs(op, e, "assistants=v1", serverRules), true}
	}
	answer := s.send(e, "assistants=v1")
	found := expectStatus(http.StatusBadRequest, answer.Code)
	found = append(found, s.passed.compare([]byte(v1Refusal), answer.Body.Bytes(), nil)...)
	inV2 := hasV2Form(e)
	if inV2 {
		found = append(found, s.checkAs(op, e, "assistants=v2", serverV1Rules)...)
	}
	for i := range found {
		found[i] = "recorded as v1: " + found[i]
	}
	return verdict{found, inV2}
}

// hasV2Form reports whether an exchange of v1 means the same in v2, which has neither the retrieval tool nor files of
// assistants and runs, takes only strings as metadata, and begins no run that has nothing to go by. What happens in a
// stream does not depend on the files, which its runs only name.
func hasV2Form(e *recording.Exchange) bool {
	var compact bytes.Buffer
	texts := []string{string(e.RequestBody)}
	for _, object := range objectsIn(e) {
		texts = append(texts, string(object))
	}
	for _, text := range texts {
		if text == "" || text == "[DONE]" {
			continue
		}
		if err := json.Compact(&compact, []byte(text)); err != nil {
			return false
		}
	}
	both := strings.ReplaceAll(compact.String(), `"file_ids":[]`, "")
	if strings.Contains(both, `"type":"retrieval"`) || strings.Contains(both, `"file_ids"`) && !e.Streamed() {
		return false
	}
	var request struct{ Metadata map[string]any }
	_ = json.Unmarshal(e.RequestBody, &request) // which may be nothing
	for _, value := range request.Metadata {
		if _, ok := value.(string); !ok {
			return false
		}
	}
	return e.Path != "/v1/threads/runs" || e.Status != http.StatusOK || lastRun(e).Instructions != ""
}

// checkAs sends the request with a version and compares the answer with the recorded one.
func (s *stage) checkAs(op *Operation, e *recording.Exchange, beta string, rules []rule) []string {
	if err := s.before(op, e); err != nil {
		return []string{err.Error()}
	}
	answer := s.send(e, beta)
	found := s.compare(e, answer, rules)
	if err := s.cast.finish(e); err != nil {
		found = append(found, err.Error())
	}
	return found
}

// before brings the server to where it was when the exchange was recorded.
func (s *stage) before(op *Operation, e *recording.Exchange) error {
	if err := s.cast.advance(op, e); err != nil {
		return err
	}
	if err := s.read(op, e); err != nil {
		return err
	}
	switch {
	case !op.startsRun() || e.Status != http.StatusOK:
	case e.Streamed(): // its run is not held
		s.cast.leave()
	default:
		if err := s.cast.occupy(); err != nil {
			return err
		}
	}
	return s.prepare(op, e)
}

// compare compares an answer with the recorded one.
func (s *stage) compare(e *recording.Exchange, answer *httptest.ResponseRecorder, rules []rule) []string {
	found := expectStatus(e.Status, answer.Code)
	if e.Status >= 300 && e.Status <= 399 {
		return append(found, checkRedirect(e, answer)...)
	}
	if recorded := e.ResponseHeader("Content-Type"); recorded != "" && answer.Header().Get("Content-Type") != recorded {
		found = append(found, fmt.Sprintf("Content-Type: got %q, want %q", answer.Header().Get("Content-Type"), recorded))
	}
	if e.Streamed() {
		return append(found, s.passed.compareStreams(e.ResponseText, answer.Body.String(), rules)...)
	}
	if op, _ := Find(e.Method, e.Path); op.ID == "downloadFile" && e.Status == http.StatusOK {
		return append(found, sameBytes(e.Answer(), answer.Body.Bytes())...)
	}
	return append(found, s.passed.compare([]byte(e.ResponseText), answer.Body.Bytes(), rules)...)
}

// send makes the recorded request, in the words in which it was recorded.
func (s *stage) send(e *recording.Exchange, beta string) *httptest.ResponseRecorder {
	target := e.Path
	if e.Query != "" {
		target += "?" + e.Query
	}
	body := bodyOf(e)
	r, answer := s.request(e.Method, target, body, beta, keyFor(e))
	if s.watch != nil {
		s.watch(e, r, body.content, answer)
	}
	return answer
}

func (s *stage) request(
	method, target string, body sentBody, beta, key string,
) (*http.Request, *httptest.ResponseRecorder) {
	ctx, cancel := context.WithTimeout(context.Background(), patience) // a stream must end some time
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, "http://service.invalid"+target, bytes.NewReader(body.content))
	if body.contentType != "" {
		r.Header.Set("Content-Type", body.contentType)
	}
	if beta != "assistants=" {
		r.Header.Set("OpenAI-Beta", beta)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	answer := s.cast.newReader()
	s.handler.ServeHTTP(answer, r)
	return r, answer.ResponseRecorder
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
