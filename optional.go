package assistants

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// An Optional is a field of a Modify call that can be left alone, set or cleared. The zero value leaves it alone;
// [Set] gives it a value, which may be empty, and [Null] clears it.
type Optional[T any] struct {
	state optionalState
	value T
}

type optionalState uint8

const (
	absent optionalState = iota
	null
	set
)

// Set returns an Optional that gives a field the value v. A map or slice that is nil is sent as null, like [Null]; an
// empty one is sent as it is.
func Set[T any](v T) Optional[T] { return Optional[T]{set, v} }

// Null returns an Optional that clears a field: the service stores null, or its default where it has one.
func Null[T any]() Optional[T] { return Optional[T]{state: null} }

// IsZero reports whether the field is left alone. encoding/json asks it for omitzero.
func (o Optional[T]) IsZero() bool { return o.state == absent }

// IsNull reports whether the field is cleared.
func (o Optional[T]) IsNull() bool { return o.state == null }

// Get returns the value, and whether there is one.
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == set }

// Format writes the value as fmt would, or "null", or nothing if the field is left alone.
func (o Optional[T]) Format(f fmt.State, verb rune) {
	switch o.state {
	case set:
		fmt.Fprintf(f, fmt.FormatString(f, verb), o.value)
	case null:
		fmt.Fprint(f, "null")
	}
}

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state != set {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads a value, or null. A field that is not in the JSON stays left alone.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = Set(v)
	return nil
}
