package typed

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// A form is one of the schemas of a type. They differ in what they make of optional fields.
type form int

const (
	plainForm  form = iota // an optional field may be left out
	strictForm             // none may be left out; an optional one may be null
	readForm               // an optional field may be left out or null: what is accepted, whatever was asked for
)

// infer returns the schema of t in a form. Its errors are for those who wrote t.
func infer(t reflect.Type, f form, s settings) (*jsonschema.Schema, error) {
	in := inference{form: f, custom: s.schemas}
	schema, err := in.schema(t)
	if err != nil {
		return nil, err
	}
	if f == strictForm {
		if err := checkStrict(schema); err != nil {
			return nil, fmt.Errorf("the strict subset of JSON Schema cannot express %v: %w", t, err)
		}
	}
	return schema, nil
}

// An inference is the way from a Go type to its schema. It follows what encoding/json reads, field by field, because
// a value that the schema allows has to decode. (The inference of package jsonschema is looser: it knows neither types
// that decode themselves nor all rules for embedded structs.)
type inference struct {
	form   form
	custom map[reflect.Type]*jsonschema.Schema
	around []reflect.Type // structs that the type at hand is in
}

func (in *inference) schema(t reflect.Type) (*jsonschema.Schema, error) {
	if t.Kind() == reflect.Pointer {
		s, err := in.schema(t.Elem())
		if err != nil {
			return nil, err
		}
		return nullable(s), nil
	}
	if s := in.custom[t]; s != nil {
		return s.CloneSchemas(), nil
	}
	switch t {
	case reflect.TypeFor[json.RawMessage]():
		return anything(), nil
	case reflect.TypeFor[json.Number]():
		return &jsonschema.Schema{Type: "number"}, nil
	case reflect.TypeFor[big.Int]():
		return &jsonschema.Schema{Type: "integer"}, nil
	case reflect.TypeFor[time.Time]():
		s := &jsonschema.Schema{Type: "string"}
		if in.narrows() {
			s.Format = "date-time"
		}
		return s, nil
	}
	switch p := reflect.PointerTo(t); {
	case p.Implements(reflect.TypeFor[json.Unmarshaler]()):
		return nil, fmt.Errorf("%v decodes itself, so that its schema cannot be inferred; give it one with TypeSchema", t)
	case p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return &jsonschema.Schema{Type: "string"}, nil
	}
	return in.ofKind(t)
}

// narrows reports whether keywords that only narrow a type may be sent: services refuse them in strict schemas.
func (in *inference) narrows() bool { return in.form != strictForm }

func (in *inference) ofKind(t reflect.Type) (*jsonschema.Schema, error) {
	switch t.Kind() {
	case reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}, nil
	case reflect.String:
		return &jsonschema.Schema{Type: "string"}, nil
	case reflect.Float32, reflect.Float64:
		return &jsonschema.Schema{Type: "number"}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return in.integer(t), nil
	case reflect.Slice, reflect.Array:
		return in.array(t)
	case reflect.Map:
		return in.mapping(t)
	case reflect.Struct:
		return in.object(t)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return anything(), nil
		}
	}
	return nil, fmt.Errorf("no JSON Schema describes %v", t)
}

// anything is the schema of any value. The description keeps it from being written as true, which is a schema that
// not all servers know.
func anything() *jsonschema.Schema { return &jsonschema.Schema{Description: "any JSON value"} }

func (in *inference) integer(t reflect.Type) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "integer"}
	if !in.narrows() {
		return s
	}
	signed := t.Kind() <= reflect.Int64
	if !signed {
		s.Minimum = new(0.0)
	}
	switch bits := t.Bits(); {
	case bits > 32: // bounds that a float64, which schemas have, cannot hold
	case signed:
		s.Minimum, s.Maximum = new(-math.Ldexp(1, bits-1)), new(math.Ldexp(1, bits-1)-1)
	default:
		s.Maximum = new(math.Ldexp(1, bits) - 1)
	}
	return s
}

func (in *inference) array(t reflect.Type) (*jsonschema.Schema, error) {
	if t.Kind() == reflect.Slice && t.Elem() == reflect.TypeFor[byte]() {
		s := &jsonschema.Schema{Type: "string"}
		if in.narrows() {
			s.ContentEncoding = "base64"
		}
		return s, nil
	}
	items, err := in.schema(t.Elem())
	if err != nil {
		return nil, err
	}
	s := &jsonschema.Schema{Type: "array", Items: items}
	if t.Kind() == reflect.Array && in.narrows() {
		s.MinItems, s.MaxItems = new(t.Len()), new(t.Len())
	}
	return s, nil
}

func (in *inference) mapping(t reflect.Type) (*jsonschema.Schema, error) {
	if t.Key().Kind() != reflect.String {
		return nil, fmt.Errorf("no JSON Schema describes %v, whose keys are no strings", t)
	}
	values, err := in.schema(t.Elem())
	if err != nil {
		return nil, err
	}
	return &jsonschema.Schema{Type: "object", AdditionalProperties: values}, nil
}

func (in *inference) object(t reflect.Type) (*jsonschema.Schema, error) {
	if slices.Contains(in.around, t) {
		return nil, fmt.Errorf("%v contains itself, so that its schema cannot be inferred; give it one with TypeSchema", t)
	}
	in.around = append(in.around, t)
	defer func() { in.around = in.around[:len(in.around)-1] }()

	fields, err := fieldsOf(t)
	if err != nil {
		return nil, err
	}
	object := &jsonschema.Schema{
		Type:                 "object",
		Properties:           map[string]*jsonschema.Schema{},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}}, // written as false
	}
	for _, f := range fields {
		s, err := in.schema(f.typ)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.name, err)
		}
		if f.description != "" {
			s.Description = f.description
		}
		if f.optional && in.form != plainForm {
			s = nullable(s)
		}
		if !f.optional || in.form == strictForm {
			object.Required = append(object.Required, f.name)
		}
		object.Properties[f.name] = s
		object.PropertyOrder = append(object.PropertyOrder, f.name)
	}
	return object, nil
}

// nullable returns a schema of what s allows, and null. s is not to be used afterwards.
func nullable(s *jsonschema.Schema) *jsonschema.Schema {
	switch {
	case isAnything(s) || s.Type == "null":
		return s
	case !isTyped(s) || combines(s):
		either := &jsonschema.Schema{Description: s.Description, AnyOf: []*jsonschema.Schema{s, {Type: "null"}}}
		s.Description = ""
		return either
	}
	if s.Types == nil {
		s.Types, s.Type = []string{s.Type}, ""
	}
	// Clones of a custom schema share these slices: clipped, they are copied when they grow.
	if !slices.Contains(s.Types, "null") {
		s.Types = append(slices.Clip(s.Types), "null")
	}
	if s.Enum != nil && !slices.Contains(s.Enum, nil) {
		s.Enum = append(slices.Clip(s.Enum), nil)
	}
	return s
}

func isTyped(s *jsonschema.Schema) bool { return s.Type != "" || s.Types != nil }

func isAnything(s *jsonschema.Schema) bool {
	described := *s
	described.Description = ""
	return reflect.ValueOf(described).IsZero()
}

// combines reports whether s forbids more than its type and its own keywords say, so that another type in it would
// not be enough to allow another value.
func combines(s *jsonschema.Schema) bool {
	return s.Const != nil || s.Ref != "" || s.DynamicRef != "" || s.Not != nil || s.If != nil ||
		s.AllOf != nil || s.AnyOf != nil || s.OneOf != nil
}
