package assistants

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// An answer is a type that the service answers with.
type answer interface {
	// check says what is wrong with an answer that is JSON and yet not what was asked for.
	check() error
	// incomplete reports whether the JSON held more than the fields could take; keep is then given the JSON again.
	// Both are called once an answer, after decoding: an UnmarshalJSON would cost three passes over every value.
	incomplete() bool
	keep(raw []byte) error
}

// A reducer is an answer that does not always fit its JSON, and can leave out of it what is unknown here. It reports
// whether there was such. It does not look into what is of no type known here, however deep that goes.
type reducer interface {
	reduced(raw json.RawMessage) (json.RawMessage, bool)
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
	a, ok := out.(answer)
	if !ok {
		return nil
	}
	if err := a.check(); err != nil {
		return err
	}
	if a.incomplete() {
		return a.keep(body)
	}
	return nil
}

// unmarshal is json.Unmarshal, and once more without what is unknown if that did not fit.
func unmarshal(body []byte, out any) error {
	err := json.Unmarshal(body, out)
	if _, mismatch := errors.AsType[*json.UnmarshalTypeError](err); !mismatch {
		return err
	}
	r, ok := out.(reducer)
	if !ok {
		return err
	}
	reduced, ok := r.reduced(body)
	if !ok {
		return err
	}
	reflect.ValueOf(out).Elem().SetZero()
	return json.Unmarshal(reduced, out)
}

// changeItems changes the items of the array that an object has under a key, and reports whether any was.
func changeItems(raw json.RawMessage, key string, change func(json.RawMessage) (json.RawMessage, bool)) (json.RawMessage, bool) {
	var object map[string]json.RawMessage
	var items []json.RawMessage
	if json.Unmarshal(raw, &object) != nil || json.Unmarshal(object[key], &items) != nil {
		return raw, false
	}
	changed := false
	for i, item := range items {
		var ok bool
		items[i], ok = change(item)
		changed = changed || ok
	}
	if !changed {
		return raw, false
	}
	var err error
	if object[key], err = json.Marshal(items); err != nil {
		return raw, false
	}
	result, err := json.Marshal(object)
	return result, err == nil
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
