package typed

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// An Option changes how a type is described: see [NewFunction], [ResponseFormat] and [Decode].
type Option interface {
	apply(*settings) error
}

type settings struct {
	strict      bool
	description string
	schemas     map[reflect.Type]*jsonschema.Schema // of [TypeSchema]
}

type option func(*settings) error

func (o option) apply(s *settings) error { return o(s) }

func newSettings(opts []Option) (settings, error) {
	s := settings{schemas: map[reflect.Type]*jsonschema.Schema{}}
	for i, opt := range opts {
		if opt == nil {
			return s, fmt.Errorf("option %d is nil", i)
		}
		if err := opt.apply(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Strict makes the model keep to the schema exactly. The schema is then of the subset that the API demands: every
// property is required, one that is optional may be null, and no object is open. A type that this subset cannot
// express, such as one with a map or an any in it, is refused. Without this option the model is only asked to follow
// the schema. [Decode] reads both forms alike.
func Strict() Option {
	return option(func(s *settings) error {
		s.strict = true
		return nil
	})
}

// Description tells the model what a [ResponseFormat] is for. "", the default, sends none. [NewFunction], which takes
// the description of its function, refuses it.
func Description(text string) Option {
	return option(func(s *settings) error {
		s.description = text
		return nil
	})
}

// TypeSchema gives the schema of T, wherever T occurs, in place of the inferred one: for an enum, for a string with a
// pattern, or for a type that decodes itself. What it forbids does not reach the program.
//
//	type Unit string
//
//	typed.TypeSchema[Unit](json.RawMessage(`{"type": "string", "enum": ["c", "f"]}`))
//
// Keywords are those of JSON Schema 2020-12. References lead to other parts of the whole schema only, and the
// properties of an object are sent in alphabetical order. *T is T, or null. A type that does not occur has no effect.
func TypeSchema[T any](schema json.RawMessage) Option {
	return option(func(s *settings) error {
		t := reflect.TypeFor[T]()
		if t.Kind() == reflect.Pointer {
			return fmt.Errorf("TypeSchema[%v]: give the schema of %v, which is that of its pointers too", t, t.Elem())
		}
		var parsed *jsonschema.Schema
		if err := json.Unmarshal(schema, &parsed); err != nil {
			return fmt.Errorf("TypeSchema[%v]: this is no JSON Schema: %w", t, err)
		}
		if parsed == nil {
			return fmt.Errorf("TypeSchema[%v]: null is no JSON Schema", t)
		}
		s.schemas[t] = parsed
		return nil
	})
}
