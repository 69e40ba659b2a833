package typed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// A reader turns JSON text into values of one type, as far as the text follows the type's schema.
type reader struct {
	schema *jsonschema.Resolved
}

func newReader(t reflect.Type, s settings) (*reader, error) {
	schema, err := infer(t, readForm, s)
	if err != nil {
		return nil, err
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		return nil, fmt.Errorf("the schema of %v is of no use: %w", t, err)
	}
	return &reader{resolved}, nil
}

// read decodes text into a pointer to the type. What is decoded is what was validated, not the text: encoding/json
// takes keys that differ in case, and merges those that come twice.
func (r *reader) read(text string, into any) error {
	canonical, err := canonicalJSON(text)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal(canonical, &value); err != nil {
		return decodingError(err)
	}
	if err := r.schema.Validate(value); err != nil {
		return explain(r.schema.Schema(), value, err)
	}
	if err := json.Unmarshal(canonical, into); err != nil {
		return decodingError(err)
	}
	return nil
}

// canonicalJSON writes JSON anew, with each key of an object once, the last one having counted, and with numbers such
// as 1.0 as integers, which Go wants for its own.
func canonicalJSON(text string) ([]byte, error) {
	if err := json.Unmarshal([]byte(text), new(json.RawMessage)); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, fmt.Errorf("not JSON: %w, near byte %d", err, syntax.Offset)
		}
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber() // keeps all digits
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return encode(integers(value))
}

// integers writes whole numbers in value without fraction and exponent, up to where a float64 may have lost digits.
func integers(value any) any {
	switch v := value.(type) {
	case json.Number:
		f, err := v.Float64()
		if strings.ContainsAny(v.String(), ".eE") && err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return json.Number(strconv.FormatInt(int64(f), 10))
		}
	case []any:
		for i := range v {
			v[i] = integers(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = integers(v[name])
		}
	}
	return value
}

// encode writes JSON as it is meant for a model, not for a page of HTML.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decodingError says what encoding/json could not store.
func decodingError(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s does not fit into %s", cut(mismatch.Value, maxProblemBytes), cmp.Or(mismatch.Field, "any number"))
	}
	return errors.New(cut(strings.TrimPrefix(err.Error(), "json: "), maxProblemBytes))
}
