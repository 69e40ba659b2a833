// Package jsondiff compares JSON documents exactly: values, spelling of numbers, presence of keys and their order.
// What a comparison is to tolerate, its caller says, difference by difference.
package jsondiff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Parse returns a document as nil, bool, string, json.Number, []any and *Object, or an error if data is not one JSON
// value.
func Parse(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	value, err := parseValue(d)
	if err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("no JSON: something follows the value")
	}
	return value, nil
}

func parseValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return parseObject(d)
	case json.Delim('['):
		return parseArray(d)
	}
	return token, nil
}

func parseObject(d *json.Decoder) (any, error) {
	o := &Object{values: make(map[string]any)}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		o.set(key.(string), value)
	}
	_, err := d.Token()
	return o, err
}

func parseArray(d *json.Decoder) (any, error) {
	array := []any{}
	for d.More() {
		value, err := parseValue(d)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := d.Token()
	return array, err
}

// An Object is a JSON object that remembers the order of its keys.
type Object struct {
	keys   []string
	values map[string]any
}

func (o *Object) set(key string, value any) {
	if _, again := o.values[key]; !again {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

// Get returns the value of a key, or Absent.
func (o *Object) Get(key string) any {
	if value, ok := o.values[key]; ok {
		return value
	}
	return Absent
}

// Keys are the keys in their order.
func (o *Object) Keys() []string { return o.keys }

// MarshalJSON writes the object in its order.
func (o *Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[key])
		if err != nil {
			return nil, err
		}
		b.Write(append(append(name, ':'), value...))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Absent is the value of a key that an object does not have.
var Absent = absent{}

type absent struct{}
