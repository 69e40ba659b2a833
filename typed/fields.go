package typed

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A field is a field of a struct as encoding/json has it.
type field struct {
	name        string // in JSON
	typ         reflect.Type
	description string
	optional    bool
	depth       int // of embedding
}

// fieldsOf returns the fields of a struct in their order, with those of embedded structs in the place of these.
func fieldsOf(t reflect.Type) ([]field, error) {
	all, err := collect(t, nil)
	if err != nil {
		return nil, err
	}
	var fields []field
	for _, f := range all {
		same, outer := 0, false
		for _, other := range all {
			if other.name == f.name && other.depth == f.depth {
				same++ // f itself is one
			}
			outer = outer || other.name == f.name && other.depth < f.depth
		}
		switch {
		case outer: // f is hidden
		case same > 1:
			return nil, fmt.Errorf("%v has two fields of the name %s", t, f.name)
		default:
			fields = append(fields, f)
		}
	}
	return fields, nil
}

// collect returns the fields of a struct, which is embedded in others, and of those that are embedded in it.
func collect(t reflect.Type, around []reflect.Type) ([]field, error) {
	if slices.Contains(around, t) {
		return nil, fmt.Errorf("%v is embedded in itself", t)
	}
	around = append(around, t)
	var fields []field
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if inner := embedded(f); inner != nil {
			if !f.IsExported() && (name != "" || inner != f.Type) {
				return nil, fmt.Errorf("%v embeds %v, into which encoding/json does not decode; export its type", t, f.Type)
			}
			if name == "" {
				promoted, err := collect(inner, around)
				if err != nil {
					return nil, err
				}
				fields = append(fields, promoted...)
				continue
			}
		}
		if !f.IsExported() {
			continue
		}
		described, err := newField(f, cmp.Or(name, f.Name), strings.Split(options, ","))
		if err != nil {
			return nil, fmt.Errorf("field %s of %v %w", f.Name, t, err)
		}
		described.depth = len(around)
		fields = append(fields, described)
	}
	return fields, nil
}

// embedded returns the struct that f embeds, nil if it embeds none.
func embedded(f reflect.StructField) reflect.Type {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !f.Anonymous || t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// newField reads the tags. Its errors go on where the name of the field ends.
func newField(f reflect.StructField, name string, options []string) (field, error) {
	made := field{name: name, typ: f.Type}
	for _, option := range options {
		switch option {
		case "omitempty", "omitzero":
			made.optional = true
		case "string":
			return made, errors.New("has the json option string, which is not supported")
		}
	}
	description, tagged := f.Tag.Lookup("jsonschema")
	if word, _, found := strings.Cut(description, "="); tagged && (description == "" || found && !strings.ContainsAny(word, " \t\n")) {
		return made, fmt.Errorf("has the jsonschema tag %q; it takes a description, which does not begin with a word and an equals sign", description)
	}
	made.description = description
	return made, nil
}
