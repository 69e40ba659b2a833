package assistants

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// A variant is one of the types that a union stands for.
type variant[T ~string] struct {
	typ T
	set bool // the field that belongs to it is
}

// resolve returns the type of a union when it is sent: the one it names, else that of the field that is set.
func resolve[T ~string](kind string, named T, variants ...variant[T]) (T, error) {
	found := named
	for _, v := range variants {
		switch {
		case !v.set || v.typ == found:
		case named != "":
			return "", fmt.Errorf("%s of type %q has the field of type %q set", kind, named, v.typ)
		case found != "":
			return "", fmt.Errorf("%s is %s and %s at once", kind, found, v.typ)
		default:
			found = v.typ
		}
	}
	if found == "" {
		return "", fmt.Errorf("%s has no type", kind)
	}
	return found, nil
}

// withoutUnknown is the JSON of a value of type t without what does not fit in unions whose type is unknown here:
// under a key that is known, such may hold anything. It reports whether there was any. It goes as deep as t does,
// however deep the JSON goes.
func withoutUnknown(raw json.RawMessage, t reflect.Type) (json.RawMessage, bool) {
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		return raw, false
	case t.Kind() == reflect.Pointer:
		return withoutUnknown(raw, t.Elem())
	case t.Kind() == reflect.Slice:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			return raw, false
		}
		changed := false
		for i := range items {
			var ok bool
			items[i], ok = withoutUnknown(items[i], t.Elem())
			changed = changed || ok
		}
		return rewritten(raw, items, changed)
	case t.Kind() == reflect.Struct:
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return raw, false
		}
		return rewritten(raw, object, withoutUnknownFields(object, t))
	}
	return raw, false
}

func withoutUnknownFields(object map[string]json.RawMessage, t reflect.Type) (changed bool) {
	unknown := ofUnknownType(object["type"], t)
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		value, ok := object[name]
		switch {
		case field.Anonymous && name == "" && field.Type.Kind() == reflect.Struct:
			changed = withoutUnknownFields(object, field.Type) || changed
		case ok:
			object[name], ok = withoutUnknown(value, field.Type)
			changed = changed || ok
		}
		if value, ok = object[name]; ok && unknown && json.Unmarshal(value, reflect.New(field.Type).Interface()) != nil {
			delete(object, name)
			changed = true
		}
	}
	return changed
}

// ofUnknownType reports whether t is a union and typ is none of its types.
func ofUnknownType(typ json.RawMessage, t reflect.Type) bool {
	field, ok := t.FieldByName("Type")
	if !ok || len(typ) == 0 {
		return false
	}
	value := reflect.New(field.Type)
	union, ok := value.Interface().(interface{ known() bool })
	return ok && json.Unmarshal(typ, value.Interface()) == nil && !union.known()
}

// rewritten is the JSON of value if it was changed, else raw.
func rewritten(raw json.RawMessage, value any, changed bool) (json.RawMessage, bool) {
	if !changed {
		return raw, false
	}
	result, err := json.Marshal(value)
	return result, err == nil
}

// wordOrObject decodes what the wire has either a word or an object for. raw is the JSON if its type is unknown here:
// fields of the same name may then mean something else.
func wordOrObject[T interface {
	~string
	known() bool
}](data []byte, word *T, object any) (raw string, err error) {
	data = bytes.TrimSpace(data)
	into := object
	switch {
	case string(data) == "null":
		return "", nil
	case bytes.HasPrefix(data, []byte(`"`)):
		into = word
	}
	err = json.Unmarshal(data, into)
	if _, mismatch := errors.AsType[*json.UnmarshalTypeError](err); err != nil && (!mismatch || *word == "") {
		return "", err
	}
	if (*word).known() {
		return "", err
	}
	return string(data), nil
}
