package server

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// tree is a JSON value that was taken apart all the way down. It has the methods
// that schemas need; what is not of the type that a keyword should have counts as
// empty, because the schema is whatever the caller sent.
type tree struct {
	kind    kind
	raw     json.RawMessage  // of a string, a number or a word
	keys    []string         // of an object, in the order of their first appearance
	members map[string]*tree // of an object; the last value of a key counts
	items   []*tree          // of an array
}

// growTree takes the value at i of a compact valid text apart, looking at each byte
// once, and returns the index behind it. The text is nested no deeper than
// encoding/json allows.
func growTree(text json.RawMessage, i int) (*tree, int) {
	switch text[i] {
	case '{':
		t := &tree{kind: kindObject}
		for i++; text[i] != '}'; {
			if text[i] == ',' {
				i++
			}
			end := skipString(text, i)
			key := decodeString(text[i:end])
			if t.members == nil {
				t.members = make(map[string]*tree)
			}
			if t.members[key] == nil {
				t.keys = append(t.keys, key)
			}
			t.members[key], i = growTree(text, end+1)
		}
		return t, i + 1
	case '[':
		t := &tree{kind: kindArray}
		for i++; text[i] != ']'; {
			if text[i] == ',' {
				i++
			}
			var item *tree
			item, i = growTree(text, i)
			t.items = append(t.items, item)
		}
		return t, i + 1
	default:
		end := skipValue(text, i)
		return &tree{kind: kindOf(text[i:end]), raw: text[i:end]}, end
	}
}

// names returns the keys of an object.
func (t *tree) names() []string {
	if t == nil {
		return nil
	}
	return t.keys
}

// texts returns the strings of an array.
func (t *tree) texts() []string {
	if t == nil {
		return nil
	}
	var out []string
	for _, item := range t.items {
		if item.kind == kindString {
			out = append(out, decodeString(item.raw))
		}
	}
	return out
}

// isOrHas tells whether a value is a string, or an array with it.
func (t *tree) isOrHas(s string) bool {
	if t != nil && t.kind == kindString {
		return decodeString(t.raw) == s
	}
	return slices.Contains(t.texts(), s)
}

// parseTree takes JSON apart. What is no JSON is nil, which is as good as a schema that allows everything.
func parseTree(schema json.RawMessage) *tree {
	var compact bytes.Buffer
	if len(schema) > maxSchemasBytes || json.Compact(&compact, schema) != nil || compact.Len() == 0 {
		return nil
	}
	t, _ := growTree(compact.Bytes(), 0)
	return t
}

// member returns the value of a key, or nil.
func (t *tree) member(key string) *tree {
	if t == nil {
		return nil
	}
	return t.members[key]
}

// number returns the value of a key that is a number.
func (t *tree) number(key string) (value float64, ok bool) {
	if n := t.member(key); n != nil && (n.kind == kindInteger || n.kind == kindDecimal) {
		value, err := strconv.ParseFloat(string(n.raw), 64)
		return value, err == nil
	}
	return 0, false
}

// render returns the value as JSON.
func (t *tree) render() json.RawMessage {
	switch t.kind {
	case kindObject:
		var o object
		for _, key := range t.keys {
			o = append(o, keyValue{key, t.members[key].render()})
		}
		return o.render()
	case kindArray:
		var items []json.RawMessage
		for _, item := range t.items {
			items = append(items, item.render())
		}
		return renderArray(items)
	}
	return t.raw
}
