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
func (o Optional[T]) Format(f fmt.State, verb rune) { o.state.format(f, verb, o.value) }

func (s optionalState) format(f fmt.State, verb rune, value any) {
	switch s {
	case set:
		fmt.Fprintf(f, fmt.FormatString(f, verb), value)
	case null:
		fmt.Fprint(f, "null")
	}
}

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) { return o.state.marshal(o.value) }

func (s optionalState) marshal(value any) ([]byte, error) {
	if s != set {
		return []byte("null"), nil
	}
	return json.Marshal(value)
}

// UnmarshalJSON reads a value, or null. A field that is not in the JSON stays left alone.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	var read Optional[T]
	if err := read.state.unmarshal(data, &read.value); err != nil {
		return err
	}
	*o = read
	return nil
}

func (s *optionalState) unmarshal(data []byte, value any) error {
	*s = null
	if string(bytes.TrimSpace(data)) == "null" {
		return nil
	}
	*s = set
	return json.Unmarshal(data, value)
}
