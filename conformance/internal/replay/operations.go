package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// An Operation is one row of the table of what the module does: how a call is recognized, made and prepared.
type Operation struct {
	// ID is what the API description calls the operation; in parentheses if it does not know it.
	ID     string
	Method string
	// Path is below /v1; an element in braces is any id.
	Path string

	// Call makes the same call with the typed client.
	Call func(ctx context.Context, c *assistants.Client, r Request) (any, error)
	// Presupposes are the objects that must exist for the service to have answered as it did. nil: none.
	Presupposes func(e *recording.Exchange) (Presupposed, error)
	// Creates says that a successful answer is a new object.
	Creates bool
}

// Described reports whether the API description has the operation.
func (op *Operation) Described() bool { return !strings.HasPrefix(op.ID, "(") }

// Operations are all operations that are replayed. To add one, add its row.
var Operations = slices.Concat(assistantOperations)

// Find returns the operation that a method and a path name, with the ids in the path; nil if there is none.
func Find(method, path string) (op *Operation, ids []string) {
	for i := range Operations {
		if ids, ok := Operations[i].match(method, path); ok {
			return &Operations[i], ids
		}
	}
	return nil, nil
}

func (op *Operation) match(method, path string) (ids []string, ok bool) {
	want, got := strings.Split("/v1"+op.Path, "/"), strings.Split(path, "/")
	if method != op.Method || len(want) != len(got) {
		return nil, false
	}
	for i, element := range want {
		if strings.HasPrefix(element, "{") && got[i] != "" {
			ids = append(ids, got[i])
		} else if element != got[i] {
			return nil, false
		}
	}
	return ids, true
}

// A Request is what was recorded of a request, as a typed call needs it.
type Request struct {
	IDs   []string // in the path
	Query string   // raw
	Body  []byte   // nil if there was none, or if it is unknown
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

// listParams decodes a query. A parameter without a field is an error.
func listParams(rawQuery string) (assistants.ListParams, error) {
	var p assistants.ListParams
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return p, err
	}
	for name := range values {
		value := values.Get(name)
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
			err = fmt.Errorf("ListParams has no field for the parameter %q", name)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}
