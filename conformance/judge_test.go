package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/conformance/internal/given"
)

// A description is the API description of v2, ready to judge requests and answers.
type description struct {
	document *openapi3.T
	router   routers.Router
	events   map[string]string // the schemas of events' data, by their names
	known    sync.Map          // results of events that were judged: to compile a schema takes long
}

func loadDescription(t *testing.T) *description {
	t.Helper()
	file := filepath.Join(given.Folder(t, given.Description), "assistants-v2.openapi.yaml")
	document, err := openapi3.NewLoader().LoadFromFile(file)
	require.NoError(t, err)
	router, err := legacy.NewRouter(document)
	require.NoError(t, err)
	flattenExpiry(document)
	d := &description{document: document, router: router, events: make(map[string]string)}
	for _, e := range loadInventory(t).V2.StreamEvents {
		d.events[e.Event] = e.Data
	}
	return d
}

// flattenExpiry lets a form say when a file expires in two fields, expires_after[anchor] and expires_after[seconds], as
// everybody sends it: the description has an object, for which the judge knows no form.
func flattenExpiry(document *openapi3.T) {
	form := document.Components.Schemas["CreateFileRequest"].Value
	for name, schema := range document.Components.Schemas["FileExpirationAfter"].Value.Properties {
		form.Properties["expires_after["+name+"]"] = schema
	}
}

// fieldsOf are the names of a form's fields; nil if the body is no form.
func fieldsOf(contentType string, body []byte) []string {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return nil
	}
	var names []string
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := r.NextRawPart()
		if err != nil { // the judge says so, unless this is the end
			return names
		}
		names = append(names, part.FormName())
	}
}

// base is the address that the description gives for the service.
func (d *description) base() string { return d.document.Servers[0].URL }

// described is a request to the server as one to the service.
func (d *description) described(r *http.Request) (*http.Request, error) {
	out, err := http.NewRequestWithContext(r.Context(), r.Method, d.base()+strings.TrimPrefix(r.URL.RequestURI(), "/v1"), nil)
	if err == nil {
		out.Header = r.Header.Clone()
	}
	return out, err
}

// A problem is something that the description does not allow.
type problem struct {
	operation string // its id
	side      string // "request" or "answer"
	path      string // JSON pointer, or the name of a parameter
	reason    string
}

func (p problem) String() string {
	return fmt.Sprintf("%s %s %s: %s", p.operation, p.side, p.path, p.reason)
}

// A judged exchange is a request and its answer with what is wrong with them.
type judged struct {
	operation string
	query     url.Values
	body      []byte   // of the request
	form      []string // the fields of it, if it is a form
	problems  []problem
}

// exchange judges a request and the answer to it.
func (d *description) exchange(r *http.Request, requestBody []byte, answer *http.Response, answerBody []byte) judged {
	ctx := context.Background()
	r = r.Clone(ctx)
	r.Body = io.NopCloser(bytes.NewReader(requestBody))
	r.ContentLength = int64(len(requestBody))
	route, ids, err := d.router.FindRoute(r)
	if err != nil {
		return judged{problems: []problem{{"", "request", r.URL.Path, r.Method + ": " + err.Error()}}}
	}
	result := judged{operation: route.Operation.OperationID, query: r.URL.Query(), body: requestBody}
	result.form = fieldsOf(r.Header.Get("Content-Type"), requestBody)
	options := &openapi3filter.Options{
		MultiError:                        true,
		RejectWhenRequestBodyNotSpecified: true,
		SkipSettingDefaults:               true,
		AuthenticationFunc:                openapi3filter.NoopAuthenticationFunc,
	}
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: ids, Route: route, Options: options}
	result.add("request", openapi3filter.ValidateRequest(ctx, request))
	result.add("request", undescribedParameters(route, r))
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		d.stream(&result, answerBody)
		return result
	}
	result.add("answer", openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request,
		Status:                 answer.StatusCode,
		Header:                 answer.Header,
		Body:                   io.NopCloser(bytes.NewReader(answerBody)),
		Options:                options,
	}))
	if answer.StatusCode >= 400 {
		result.add("answer", d.errorBody(answerBody))
	}
	return result
}

// stream judges the events of an answer. The description has schemas for them, but no operation refers to them.
func (d *description) stream(result *judged, body []byte) {
	for block := range strings.SplitSeq(strings.TrimSuffix(string(body), "\n\n"), "\n\n") {
		same := varying.ReplaceAllString(block, "$1")
		err, judged := d.known.Load(same)
		name, data, _ := strings.Cut(strings.TrimPrefix(block, "event: "), "\ndata: ")
		if !judged {
			err = struct{ error }{d.event(name, []byte(data))}
			d.known.Store(same, err)
		}
		result.add("event "+name, err.(struct{ error }).error)
	}
}

// varying is what makes no difference to a schema: ids, numbers, and text that grows.
var varying = regexp.MustCompile(`_[A-Za-z0-9]{20,}|[0-9]+|("(value|arguments|input)":")(\\.|[^"\\])*`)

func (d *description) event(name string, data []byte) error {
	switch schema := d.document.Components.Schemas[d.events[name]]; {
	case name == "done" && string(data) == d.events[name]:
		return nil
	case name == "error":
		return d.errorBody(data)
	case schema == nil:
		return fmt.Errorf("the description has no such event with such data: %s", data)
	default:
		var value any
		if err := json.Unmarshal(data, &value); err != nil {
			return err
		}
		return schema.Value.VisitJSON(value, openapi3.MultiErrors(), openapi3.EnableJSONSchema2020())
	}
}

// undescribedParameters finds what openapi3filter passes over: parameters that the operation does not have.
func undescribedParameters(route *routers.Route, r *http.Request) error {
	for name := range r.URL.Query() {
		if route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			return fmt.Errorf("there is no parameter %q", name)
		}
	}
	return nil
}

// errorBody judges the body of an error. The description has a form for it, but no operation refers to it.
func (d *description) errorBody(body []byte) error {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	schema := d.document.Components.Schemas["ErrorResponse"]
	if schema == nil {
		return errors.New("the description has no ErrorResponse")
	}
	return schema.Value.VisitJSON(value, openapi3.MultiErrors(), openapi3.EnableJSONSchema2020())
}

// add notes the problems that an error of the validator stands for.
func (j *judged) add(side string, err error) {
	for _, e := range leaves(err) {
		j.problems = append(j.problems, problem{j.operation, side, place(e), reason(e)})
	}
}

// leaves takes lists of errors apart, but for those about one parameter.
func leaves(err error) []error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*openapi3filter.RequestError](err); ok && e.Parameter != nil {
		return []error{err}
	}
	if list, ok := errors.AsType[openapi3.MultiError](err); ok {
		var out []error
		for _, e := range list {
			out = append(out, leaves(e)...)
		}
		return out
	}
	return []error{err}
}

func place(err error) string {
	if e, ok := errors.AsType[*openapi3filter.RequestError](err); ok && e.Parameter != nil {
		return e.Parameter.Name
	}
	if e, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return "/" + strings.Join(e.JSONPointer(), "/")
	}
	return ""
}

func reason(err error) string {
	if e, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return e.Reason
	}
	return err.Error()
}

// A judge is a handler that passes requests on and judges what comes and goes.
type judge struct {
	*description
	next http.Handler

	mu   sync.Mutex
	seen []judged
}

func (j *judge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	inner := r.Clone(r.Context())
	inner.Body = io.NopCloser(bytes.NewReader(body))
	recorder := httptest.NewRecorder()
	j.next.ServeHTTP(recorder, inner)
	answer := recorder.Result()
	answerBody := recorder.Body.Bytes()

	described, err := j.described(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	j.mu.Lock()
	j.seen = append(j.seen, j.exchange(described, body, answer, answerBody))
	j.mu.Unlock()

	for name, values := range answer.Header {
		w.Header()[name] = slices.Clone(values)
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(answerBody)
}
