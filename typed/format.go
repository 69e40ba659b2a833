package typed

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/assistants-go/assistants"
)

// ResponseFormat makes answers JSON that follows the schema of T: for an assistant or a run, whose messages [Decode]
// then reads. name is 1 to 64 letters, digits, underscores and dashes. T is a struct, or a map with string keys; see
// the package documentation. [Strict] is what most programs want; [Description] says what the format is for.
//
// A name that is not one and a T that no schema describes are mistakes of the program: ResponseFormat panics, as
// regexp.MustCompile does.
func ResponseFormat[T any](name string, opts ...Option) assistants.ResponseFormat {
	format, err := responseFormat(name, reflect.TypeFor[T](), opts)
	if err != nil {
		panic(fmt.Sprintf("typed: ResponseFormat(%q): %v", name, err))
	}
	return format
}

func responseFormat(name string, t reflect.Type, opts []Option) (assistants.ResponseFormat, error) {
	var none assistants.ResponseFormat
	s, err := newSettings(opts)
	if err != nil {
		return none, err
	}
	schema, err := objectSchema(name, t, s)
	if err != nil {
		return none, err
	}
	if _, err := newReader(t, s); err != nil { // before the model answers, and not by Decode after it
		return none, err
	}
	return assistants.ResponseFormat{
		Type:       assistants.ResponseFormatJSONSchema,
		JSONSchema: &assistants.JSONSchema{Name: name, Description: s.description, Schema: schema, Strict: s.strict},
	}, nil
}

// A RefusalError is the refusal of a model to give the answer that it was asked for.
type RefusalError struct {
	Refusal string // the model's words
}

// Error says so, with the model's words.
func (e *RefusalError) Error() string { return "typed: the model refused: " + e.Refusal }

// Decode reads an answer that [ResponseFormat] shaped, with the same options. T may be of any JSON, also of an array.
// The text is validated before it is decoded; what is optional may be left out or null, and of a key that comes twice
// the last value counts.
//
// The error is a [*RefusalError] if the model refused. Other errors are a nil message, one that broke off or has no
// text, a text that is not JSON or does not follow the schema, and a T that no schema describes.
func Decode[T any](message *assistants.Message, opts ...Option) (T, error) {
	var value T
	if err := decode(message, reflect.TypeFor[T](), &value, opts); err != nil {
		return *new(T), err // and not what was decoded until then
	}
	return value, nil
}

func decode(message *assistants.Message, t reflect.Type, into any, opts []Option) error {
	s, err := newSettings(opts)
	if err != nil {
		return fmt.Errorf("typed: %w", err)
	}
	r, err := newReader(t, s)
	if err != nil {
		return fmt.Errorf("typed: %w", err)
	}
	if message == nil {
		return errors.New("typed: the message is nil")
	}
	if refusal := message.Refusal(); refusal != "" {
		return &RefusalError{refusal}
	}
	if message.Status == assistants.MessageIncomplete || message.IncompleteDetails != nil {
		reason := "no reason is given"
		if d := message.IncompleteDetails; d != nil && d.Reason != "" {
			reason = d.Reason
		}
		return fmt.Errorf("typed: the message is incomplete: %s", reason)
	}
	text := message.Text()
	if text == "" {
		return errors.New("typed: the message has no text")
	}
	if err := r.read(text, into); err != nil {
		return fmt.Errorf("typed: the text of the message is not what was asked for: %w; it is %q", err, cut(text, maxProblemBytes))
	}
	return nil
}
