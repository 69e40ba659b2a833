package assistants

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/assistants-go/assistants/internal/transport"
)

// An answer is a type that the service answers with.
type answer interface {
	// check says what is wrong with an answer that is JSON and yet not what was asked for.
	check() error
}

// A keeper is an answer whose JSON may hold more than the fields can take. Its methods are called once an answer, after
// decoding: an UnmarshalJSON would cost three passes over every value.
type keeper interface {
	incomplete() bool      // there was more
	keep(raw []byte) error // is then given the JSON again
}

// An element is an answer that lists are made of.
type element interface {
	answer
	// cursor is the id by which a list goes on after this element.
	cursor() string
}

// decode turns the body of a successful answer into out, or says why it is no such answer.
func decode(body []byte, out any) error {
	if out == nil {
		return topLevelError(body)
	}
	if err := unmarshal(body, out); err != nil {
		return undecodable(body, err)
	}
	if err := reported(body, out); err != nil {
		return err
	}
	switch out := out.(type) {
	case answer:
		return complete(body, out)
	case paged:
		return complete(body, elementsOf(out.itself()))
	}
	return nil
}

// decodeObject decodes what can be no error in disguise.
func decodeObject(body []byte, out answer) error {
	if err := unmarshal(body, out); err != nil {
		return undecodable(body, err)
	}
	return complete(body, out)
}

// complete checks what was decoded and gives it what its fields could not take.
func complete(body []byte, a answer) error {
	if err := a.check(); err != nil {
		return err
	}
	if k, ok := a.(keeper); ok && k.incomplete() {
		return k.keep(body)
	}
	return nil
}

// unmarshal is json.Unmarshal, and once more without what is unknown here if that did not fit.
func unmarshal(body []byte, out any) error {
	err := json.Unmarshal(body, out)
	if _, mismatch := errors.AsType[*json.UnmarshalTypeError](err); !mismatch {
		return err
	}
	value := reflect.ValueOf(out).Elem()
	known, changed := withoutUnknown(body, value.Type())
	if !changed {
		return err
	}
	value.SetZero()
	return json.Unmarshal(known, out)
}

// A reporter is an answer that may report an error in words of the server's.
type reporter interface {
	redact(func(string) string)
}

// redactErrors takes credentials out of what a decoded answer reports: it will be logged.
func redactErrors(out any, got *transport.Answer) {
	switch out := out.(type) {
	case reporter:
		out.redact(got.Secrets.Redact)
	case paged:
		elementsOf(out.itself()).redact(got.Secrets.Redact)
	}
}

// undecodable names the reason that encoding/json has for not decoding body.
func undecodable(body []byte, err error) error {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return errors.New("the answer is empty")
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := strings.TrimPrefix(strings.TrimPrefix(mismatch.Field, "Page."), "Deleted.") // which are embedded
		if field == "" {
			return &mismatchError{"the answer is JSON of another kind: " + mismatch.Value, err}
		}
		return &mismatchError{"the answer has a " + mismatch.Value + " in the field " + field + ", which takes none", err}
	}
	if (trimmed[0] == '{' || trimmed[0] == '[') && truncated(trimmed) {
		return fmt.Errorf("the answer is truncated: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("the answer is not JSON: %w", err)
}

// A mismatchError says in the API's words what encoding/json says in Go's.
type mismatchError struct {
	text  string
	cause error
}

func (e *mismatchError) Error() string { return e.text }
func (e *mismatchError) Unwrap() error { return e.cause }

func truncated(body []byte) bool {
	var value json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(body)).Decode(&value), io.ErrUnexpectedEOF)
}

// An envelope is what an answer that claims success may have an error in.
type envelope struct {
	Error json.RawMessage `json:"error"`
}

func (e *envelope) reported() error {
	if len(e.Error) == 0 || string(e.Error) == "null" {
		return nil
	}
	return errReported
}

// reported is the error in an answer that claims success. Some are decoded with their envelope.
func reported(body []byte, out any) error {
	if e, ok := out.(interface{ reported() error }); ok {
		return e.reported()
	}
	return topLevelError(body)
}

// topLevelError looks for the error in the JSON.
func topLevelError(body []byte) error {
	if !bytes.Contains(body, []byte(`rror"`)) { // half the time of looking for "error", whose first byte is everywhere
		return nil
	}
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		return nil
	}
	return e.reported()
}

// errReported says that the body explains itself, as an error.
var errReported = errors.New("the answer is an error")

// checkObject holds an answer against the object type that was asked for. Servers may leave the type out, but not
// what makes the object one.
func checkObject(got, want, id string) error {
	switch {
	case got != "" && got != want:
		return fmt.Errorf("the answer is of type %q instead of %q", got, want)
	case id == "":
		return fmt.Errorf("the answer is no %s: it has no id", want)
	}
	return nil
}
