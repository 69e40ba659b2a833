package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A Request is what was recorded of a request, as a typed call needs it.
type Request struct {
	IDs   []string   // in the path
	Query url.Values // but for what Options ask for
	Body  []byte     // nil if there was none, if it was a form, or if it is unknown
	Form  []recording.FormField
	// Options are what the request has and no parameter stands for.
	Options []assistants.RequestOption
	// Streamed says that the answer was a stream, so the request asked for one, known or not.
	Streamed bool
}

func newRequest(ids []string, e *recording.Exchange) (Request, error) {
	r := Request{IDs: ids, Streamed: e.Streamed()}
	var err error
	if r.Query, err = url.ParseQuery(e.Query); err != nil {
		return r, err
	}
	for _, include := range r.Query["include[]"] {
		r.Options = append(r.Options, assistants.WithInclude(assistants.Include(include)))
	}
	r.Query.Del("include[]")
	if r.Form = e.Form(); r.Form == nil && e.HasBody() {
		var untyped []assistants.RequestOption
		if r.Body, untyped, err = withoutUntyped(e.RequestBody); err != nil {
			return r, err
		}
		r.Options = append(r.Options, untyped...)
	}
	return r, nil
}

// withoutUntyped takes values out of a body's metadata that no parameter takes, because they are no strings, and
// returns the options that put them back: callers did send such, and were refused or had them converted.
func withoutUntyped(body []byte) (typed []byte, back []assistants.RequestOption, err error) {
	var fields, metadata map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, nil, err
	}
	if json.Unmarshal(fields["metadata"], &metadata) != nil {
		return body, nil, nil
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if value := metadata[key]; !bytes.HasPrefix(value, []byte(`"`)) {
			path := "metadata." + strings.ReplaceAll(key, ".", `\.`)
			back = append(back, assistants.WithBodyField(path, value))
			delete(metadata, key)
		}
	}
	if back == nil {
		return body, nil, nil
	}
	if fields["metadata"], err = json.Marshal(metadata); err != nil {
		return nil, nil, err
	}
	typed, err = json.Marshal(fields)
	return typed, back, err
}

// params decodes a body into the parameters of a call. A key that they have no field for is an error; one that is
// lost deeper down is found when the body that the client sends is compared.
func params[T any](body []byte) (T, error) {
	var p T
	if len(body) == 0 {
		return p, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("the recorded body does not fit %T: %w", p, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return p, errors.New("the recorded body is more than one JSON value")
	}
	return p, nil
}

// The following are parameters in the form in which they are sent, where that is not the form of the Go type: the
// content of a message is a string or a list, and whether to stream is said by the method.

type messageBody struct {
	assistants.MessageCreateParams
	Content json.RawMessage `json:"content"`
}

func (b messageBody) params() (p assistants.MessageCreateParams, err error) {
	p = b.MessageCreateParams
	if bytes.HasPrefix(b.Content, []byte("[")) {
		p.Parts, err = params[[]assistants.ContentPartParam](b.Content)
		return p, err
	}
	p.Content, err = params[string](b.Content)
	return p, err
}

func messages(bodies []messageBody) ([]assistants.MessageCreateParams, error) {
	if bodies == nil {
		return nil, nil
	}
	out := make([]assistants.MessageCreateParams, len(bodies))
	for i, b := range bodies {
		var err error
		if out[i], err = b.params(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type threadBody struct {
	assistants.ThreadCreateParams
	Messages []messageBody `json:"messages"`
}

func (b threadBody) params() (p assistants.ThreadCreateParams, err error) {
	p = b.ThreadCreateParams
	p.Messages, err = messages(b.Messages)
	return p, err
}

type runBody struct {
	assistants.RunCreateParams
	AdditionalMessages []messageBody `json:"additional_messages"`
	Stream             bool          `json:"stream"`
}

func (b runBody) params() (p assistants.RunCreateParams, err error) {
	p = b.RunCreateParams
	p.AdditionalMessages, err = messages(b.AdditionalMessages)
	return p, err
}

type threadAndRunBody struct {
	assistants.ThreadCreateAndRunParams
	Thread threadBody `json:"thread"`
	Stream bool       `json:"stream"`
}

func (b threadAndRunBody) params() (p assistants.ThreadCreateAndRunParams, err error) {
	p = b.ThreadCreateAndRunParams
	p.Thread, err = b.Thread.params()
	return p, err
}

type outputsBody struct {
	assistants.RunSubmitToolOutputsParams
	Stream bool `json:"stream"`
}

// listParams are the parameters of a query. One without a field is an error, but for those that are the caller's.
func listParams(query url.Values, others ...string) (assistants.ListParams, error) {
	var p assistants.ListParams
	var err error
	for name := range query {
		value := query.Get(name)
		switch name {
		case "limit":
			p.Limit, err = strconv.Atoi(value)
		case "order":
			p.Order = assistants.Order(value)
		case "after":
			p.After = value
		case "before":
			p.Before = value
		default:
			if !slices.Contains(others, name) {
				err = fmt.Errorf("the parameters have no field for %q", name)
			}
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}
