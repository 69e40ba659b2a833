package typed

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
)

// Limits of what a model is told at once.
const (
	maxProblems     = 5
	maxProblemBytes = 200
)

// explain says, for a model, where value does not follow s. It comes after a validation, which has the last word and
// said err: for keywords that explain does not know, that is the explanation.
func explain(s *jsonschema.Schema, value any, err error) error {
	var e explanation
	e.compare(s, value, "")
	switch problems := e.problems; {
	case len(problems) == 0:
		return errors.New(cut(strings.TrimPrefix(err.Error(), "validating root: "), maxProblemBytes))
	case len(problems) > maxProblems:
		return errors.New(strings.Join(problems[:maxProblems], "; ") + "; and more")
	default:
		return errors.New(strings.Join(problems, "; "))
	}
}

type explanation struct{ problems []string }

func (e *explanation) say(at, format string, args ...any) {
	if at == "" {
		at = "the whole"
	}
	e.problems = append(e.problems, cut(at+" "+fmt.Sprintf(format, args...), maxProblemBytes))
}

func (e *explanation) compare(s *jsonschema.Schema, value any, at string) {
	types := s.Types
	if s.Type != "" {
		types = []string{s.Type}
	}
	if !isOfType(value, types) {
		e.say(at, "must be of type %s, and is of type %s", strings.Join(types, " or "), typeOf(value))
		return
	}
	switch v := value.(type) {
	case map[string]any:
		e.compareObject(s, v, at)
	case []any:
		for i := 0; s.Items != nil && i < len(v) && len(e.problems) <= maxProblems; i++ {
			e.compare(s.Items, v[i], fmt.Sprintf("%s[%d]", at, i))
		}
	case string:
		if s.Enum != nil && !slices.Contains(s.Enum, value) {
			e.say(at, "must be one of %s", inJSON(s.Enum))
		}
	case float64:
		if s.Minimum != nil && v < *s.Minimum {
			e.say(at, "must be at least %v", *s.Minimum)
		}
		if s.Maximum != nil && v > *s.Maximum {
			e.say(at, "must be at most %v", *s.Maximum)
		}
	}
}

func (e *explanation) compareObject(s *jsonschema.Schema, object map[string]any, at string) {
	inside := func(name string) string { return strings.TrimPrefix(at+"."+name, ".") }
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			e.say(inside(name), "is missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if len(e.problems) > maxProblems {
			return
		}
		switch property := s.Properties[name]; {
		case property != nil:
			e.compare(property, object[name], inside(name))
		case isNothing(s.AdditionalProperties):
			e.say(inside(name), "is unknown; known are %s", inJSON(namesOf(s)))
		case s.AdditionalProperties != nil:
			e.compare(s.AdditionalProperties, object[name], inside(name))
		}
	}
}

// namesOf returns the names of the properties, in the order of the struct where there is one.
func namesOf(s *jsonschema.Schema) []string {
	if s.PropertyOrder != nil {
		return s.PropertyOrder
	}
	names := slices.AppendSeq([]string{}, maps.Keys(s.Properties))
	slices.Sort(names)
	return names
}

// isOfType reports whether value, as encoding/json decodes it, is of one of the types; none stand for all.
func isOfType(value any, types []string) bool {
	t := typeOf(value)
	return len(types) == 0 || slices.Contains(types, t) || t == "integer" && slices.Contains(types, "number")
}

func typeOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	default:
		return "object"
	}
}

func inJSON[T any](values []T) string {
	encoded, _ := encode(values) // which were decoded from JSON, or are names
	return string(encoded)
}

// cut bounds text to n bytes, and says so with an ellipsis.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}
