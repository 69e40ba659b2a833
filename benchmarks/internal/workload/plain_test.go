package workload

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/assistants-go/assistants"
)

// TestFloorHasOurFields keeps the floor honest: fields that it lacks would make it fast.
func TestFloorHasOurFields(t *testing.T) {
	t.Parallel()
	for _, pair := range []struct{ ours, plain any }{
		{assistants.Assistant{}, plainAssistant{}},
		{assistants.Page[assistants.Assistant]{}, plainPage{}},
		{assistants.Run{}, plainRun{}},
		{assistants.RunStep{}, plainRunStep{}},
		{assistants.RunStepDelta{}, plainRunStepDelta{}},
		{assistants.Message{}, plainMessage{}},
		{assistants.MessageDelta{}, plainMessageDelta{}},
		{assistants.Page[assistants.Message]{}, plainMessagePage{}},
	} {
		ours, plain := fields("", reflect.TypeOf(pair.ours)), fields("", reflect.TypeOf(pair.plain))
		for _, field := range ours {
			if !slices.ContainsFunc(plain, func(other string) bool { return within(other, field) }) {
				t.Errorf("%T has no field for %s", pair.plain, field)
			}
		}
		for _, field := range plain {
			if !slices.ContainsFunc(ours, func(other string) bool { return within(field, other) }) {
				t.Errorf("%T has the field %s, which ours has not", pair.plain, field)
			}
		}
	}
}

// within reports whether a field is another or belongs to it: what decodes itself in ours may be a struct in the floor.
func within(field, other string) bool { return field == other || strings.HasPrefix(field, other+".") }

// fields are the paths of everything that a type has fields for, as far as it leaves decoding to encoding/json.
func fields(path string, t reflect.Type) []string {
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return []string{path}
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		return fields(path, t.Elem())
	case t.Kind() != reflect.Struct:
		return []string{path}
	}
	var found []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			found = append(found, fields(path, field.Type)...)
		case name != "" && name != "-":
			found = append(found, fields(strings.TrimPrefix(path+"."+name, "."), field.Type)...)
		}
	}
	return found
}
