package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// checkClient makes the recorded call with the typed client and returns what is wrong with the request, and with what
// the client makes of the recorded answer, if it got as far as asking for one. Nothing leaves the process.
func (p Passed) checkClient(op *Operation, ids []string, e *recording.Exchange) (request, answer []string, asked bool) {
	service := &recordedService{answer: e}
	client, err := newClient(e, service)
	if err != nil {
		return []string{err.Error()}, nil, false
	}
	r, err := newRequest(ids, e)
	if err != nil {
		return []string{err.Error()}, nil, false
	}
	value, err := op.Call(context.Background(), client, r)
	if service.requests != 1 {
		return []string{fmt.Sprintf("the call sent %d requests: %v", service.requests, err)}, nil, false
	}
	request, answer = service.differences(p), p.checkAnswer(e, value, err)
	if _, ok := value.(*assistants.Stream); ok && err == nil {
		value, err = op.Call(context.Background(), client, r)
		answer = append(answer, p.checkText(e, value, err)...)
		value, err = op.Call(context.Background(), client, r)
		answer = append(answer, p.checkHandler(e, value, err)...)
	}
	return request, answer, true
}

// newClient is a client for an exchange, which gets its answers from service.
func newClient(e *recording.Exchange, service http.RoundTripper) (*assistants.Client, error) {
	return assistants.NewClient(
		assistants.WithBaseURL("http://service.invalid/v1"),
		assistants.WithAPIKey("conformance"),
		assistants.WithBeta(beta(e)),
		assistants.WithHTTPClient(&http.Client{Transport: service}),
		assistants.WithMaxRetries(0),
	)
}

func beta(e *recording.Exchange) assistants.Beta {
	if e.Beta == "" {
		return assistants.BetaNone
	}
	return assistants.Beta("assistants=" + e.Beta)
}

// recordedService answers every request with one recorded answer and keeps the request.
type recordedService struct {
	answer   *recording.Exchange
	requests int
	request  *http.Request
	body     []byte
}

func (s *recordedService) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests++
	s.request = r
	if r.Body != nil {
		var err error
		if s.body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	header := make(http.Header)
	for name, value := range s.answer.ResponseHeaders {
		header.Set(name, value)
	}
	// The text was decoded before it was recorded, so these two are not about it.
	header.Del("Content-Length")
	header.Del("Content-Encoding")
	return &http.Response{
		StatusCode: s.answer.Status,
		Status:     fmt.Sprintf("%d %s", s.answer.Status, http.StatusText(s.answer.Status)),
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        header,
		Body:          io.NopCloser(&inPieces{bytes.NewReader(s.answer.Answer())}),
		ContentLength: -1,
		Request:       r,
	}, nil
}

// inPieces reads a few bytes at a time: no event of a stream arrives whole, and no character must.
type inPieces struct{ io.Reader }

func (p *inPieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), 7)]) }

// differences are between the request that was sent and the recorded one.
func (s *recordedService) differences(p Passed) []string {
	e, r := s.answer, s.request
	var found []string
	expect := func(what string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			found = append(found, fmt.Sprintf("%s: got %v, want %v", what, got, want))
		}
	}
	expect("method", r.Method, e.Method)
	expect("path", r.URL.EscapedPath(), e.Path)
	if e.RequestNotRecorded {
		return found
	}
	want, err := url.ParseQuery(e.Query)
	if err != nil {
		return append(found, err.Error())
	}
	expect("query", r.URL.Query(), want)
	expect("OpenAI-Beta", r.Header.Get("OpenAI-Beta"), e.RequestHeader("OpenAI-Beta"))
	if !knowsBody(e) {
		return found
	}
	if form := e.Form(); form != nil {
		return append(found, formDifferences(form, r.Header.Get("Content-Type"), s.body)...)
	}
	if !e.HasBody() {
		if string(s.body) != noParameters {
			expect("body", string(s.body), "")
		}
		return found
	}
	if recorded := e.RequestHeader("Content-Type"); recorded != "" {
		expect("Content-Type", r.Header.Get("Content-Type"), recorded)
	}
	return append(found, p.compare(e.RequestBody, s.body, clientRequestRules)...)
}

// checkAnswer compares what the call returned with the recorded answer.
func (p Passed) checkAnswer(e *recording.Exchange, value any, err error) []string {
	if e.Status < 200 || e.Status > 299 {
		return checkError(e, err)
	}
	if err != nil {
		return []string{fmt.Sprintf("the recorded answer is an error to the client: %v", err)}
	}
	if stream, ok := value.(*assistants.Stream); ok {
		return p.checkStream(e, stream)
	}
	if content, ok := value.([]byte); ok {
		return sameBytes(e.Answer(), content)
	}
	return p.checkValue([]byte(e.ResponseText), value, rulesFor(value))
}

// checkValue compares a typed value with the JSON that it was decoded from, written by its tags and by its fields.
func (p Passed) checkValue(recorded []byte, value any, rules []rule) []string {
	if found := p.compareValue(recorded, value, rules); len(found) > 0 {
		return found
	}
	fields := byField(value)
	if fields == nil {
		return nil
	}
	return prefixed("by its Go fields: ", p.compareValue(recorded, fields, rules))
}

// compareValue compares a value, written as JSON, with recorded JSON.
func (p Passed) compareValue(recorded []byte, value any, rules []rule) []string {
	written, err := json.Marshal(value)
	if err != nil {
		return []string{err.Error()}
	}
	return p.compare(recorded, written, rules)
}

// checkError expects an error to say what the recorded answer says.
func checkError(e *recording.Exchange, err error) []string {
	apiError, ok := errors.AsType[*assistants.APIError](err)
	if !ok {
		return []string{fmt.Sprintf("status %d became %v, want an *APIError", e.Status, err)}
	}
	var recorded struct {
		Error struct{ Message, Type, Code, Param string }
	}
	if len(e.ResponseText) > 0 {
		if err := json.Unmarshal([]byte(e.ResponseText), &recorded); err != nil {
			return []string{err.Error()}
		}
	}
	want := map[string]string{
		"status": fmt.Sprint(e.Status), "message": recorded.Error.Message, "type": recorded.Error.Type,
		"code": recorded.Error.Code, "param": recorded.Error.Param, "body": e.ResponseText,
		"request id": e.ResponseHeader("X-Request-Id"), "method": e.Method, "path": strings.TrimPrefix(e.Path, "/v1"),
	}
	got := map[string]string{
		"status": fmt.Sprint(apiError.StatusCode), "message": apiError.Message, "type": apiError.Type,
		"code": apiError.Code, "param": apiError.Param, "body": string(apiError.Body),
		"request id": apiError.RequestID, "method": apiError.Method, "path": apiError.Path,
	}
	if want["message"] == "" { // then the client says something itself
		delete(want, "message")
		delete(got, "message")
	}
	if !maps.Equal(want, got) {
		return []string{fmt.Sprintf("APIError: got %v, want %v", got, want)}
	}
	return nil
}

// compare returns the differences between two JSON documents that the rules do not let pass.
func (p Passed) compare(want, got []byte, rules []rule) []string {
	wanted, err := jsondiff.Parse(want)
	if err != nil {
		return []string{fmt.Sprintf("recorded body: %v", err)}
	}
	found, err := jsondiff.Parse(got)
	if err != nil {
		return []string{fmt.Sprintf("body: %v: %s", err, bytes.TrimSpace(got))}
	}
	var lines []string
	for _, d := range jsondiff.Diff(wanted, found, p.tolerating(rules)) {
		lines = append(lines, d.String())
	}
	return lines
}
