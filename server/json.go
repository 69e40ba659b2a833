package server

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bodies are taken apart one level at a time and only as far as a rule looks,
// over the bytes that were sent: what the server does not have to understand,
// such as the JSON Schema of a function, keeps its order of keys and the
// spelling of its numbers.

// kind is the type of a JSON value, in the words of the protocol's errors.
type kind string

const (
	kindString  kind = "a string"
	kindInteger kind = "an integer"
	kindDecimal kind = "a decimal number"
	kindBoolean kind = "a boolean"
	kindArray   kind = "an array"
	kindObject  kind = "an object"
	kindNull    kind = "null"
)

// kindOf returns the type of a valid value.
func kindOf(raw json.RawMessage) kind {
	switch raw[0] {
	case '"':
		return kindString
	case '{':
		return kindObject
	case '[':
		return kindArray
	case 't', 'f':
		return kindBoolean
	case 'n':
		return kindNull
	default:
		if bytes.ContainsAny(raw, ".eE") {
			return kindDecimal
		}
		return kindInteger
	}
}

// parseBody returns the object that a body holds, without white space. An empty
// body stands for an empty object. Text that is not UTF-8, or that is nested
// deeper than encoding/json allows, is no JSON.
func parseBody(body []byte) (json.RawMessage, *apiError) {
	body = bytes.Trim(body, " \t\r\n")
	if len(body) == 0 {
		return json.RawMessage("{}"), nil
	}
	if !utf8.Valid(body) {
		return nil, errNotJSON()
	}
	var compact bytes.Buffer
	compact.Grow(len(body))
	if err := json.Compact(&compact, body); err != nil {
		return nil, errNotJSON()
	}
	raw := json.RawMessage(compact.Bytes())
	if got := kindOf(raw); got != kindObject {
		return nil, errBodyNotObject(string(got))
	}
	return raw, nil
}

// eachMember walks through the members of a compact valid object, in order and
// with all repetitions.
func eachMember(raw json.RawMessage) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		for i := 1; raw[i] != '}'; {
			if raw[i] == ',' {
				i++
			}
			end := skipValue(raw, i)
			key := decodeString(raw[i:end])
			i = end + 1 // behind the colon
			end = skipValue(raw, i)
			if !yield(key, raw[i:end:end]) {
				return
			}
			i = end
		}
	}
}

// eachItem walks through the items of a compact valid array.
func eachItem(raw json.RawMessage) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		for i := 1; raw[i] != ']'; {
			if raw[i] == ',' {
				i++
			}
			end := skipValue(raw, i)
			if !yield(raw[i:end:end]) {
				return
			}
			i = end
		}
	}
}

// object is the members of an object, each key once.
type object []keyValue

type keyValue struct {
	key   string
	value json.RawMessage
}

// splitObject returns the members of a compact valid object in the order of
// their first appearance. Of a key that is given more than once the last value
// counts, as in most parsers of JSON.
func splitObject(raw json.RawMessage) object {
	var o object
	places := make(map[string]int)
	for key, value := range eachMember(raw) {
		if place, again := places[key]; again {
			o[place].value = value
			continue
		}
		places[key] = len(o)
		o = append(o, keyValue{key, value})
	}
	return o
}

// membersOf returns the members of a value that may be absent or no object.
func membersOf(raw json.RawMessage) object {
	if raw == nil || kindOf(raw) != kindObject {
		return nil
	}
	return splitObject(raw)
}

// itemsOf returns the items of a value that may be absent or no array.
func itemsOf(raw json.RawMessage) []json.RawMessage {
	if raw == nil || kindOf(raw) != kindArray {
		return nil
	}
	return slices.Collect(eachItem(raw))
}

// get returns the value of a key, or nil.
func (o object) get(key string) json.RawMessage {
	for i := range o {
		if o[i].key == key {
			return o[i].value
		}
	}
	return nil
}

// set replaces the value of a key that the object has, or adds it at the end.
func (o *object) set(key string, value json.RawMessage) {
	for i := range *o {
		if (*o)[i].key == key {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, keyValue{key, value})
}

// without returns the object without a key.
func (o object) without(key string) object {
	return slices.DeleteFunc(o, func(m keyValue) bool { return m.key == key })
}

// render returns the object as compact JSON.
func (o object) render() json.RawMessage {
	size := 2
	for _, m := range o {
		size += len(m.key) + len(m.value) + len(`"":,`)
	}
	b := append(make([]byte, 0, size), '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, m.key)
		b = append(b, ':')
		b = append(b, m.value...)
	}
	return append(b, '}')
}

// renderArray returns an array of compact values.
func renderArray(items []json.RawMessage) json.RawMessage {
	b := []byte{'['}
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	return append(b, ']')
}

// skipValue returns the index behind the value that begins at i.
func skipValue(raw json.RawMessage, i int) int {
	switch raw[i] {
	case '"':
		return skipString(raw, i)
	case '{', '[':
		depth := 0
		for {
			switch raw[i] {
			case '"':
				i = skipString(raw, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			i++
			if depth == 0 {
				return i
			}
		}
	default:
		for i < len(raw) && raw[i] != ',' && raw[i] != '}' && raw[i] != ']' {
			i++
		}
		return i
	}
}

// skipString looks for the quote that has an even number of backslashes before
// it. Behind a string without an end is nothing more.
func skipString(raw json.RawMessage, i int) int {
	for {
		next := bytes.IndexByte(raw[i+1:], '"')
		if next < 0 {
			return len(raw)
		}
		i += 1 + next
		escapes := 0
		for raw[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}

// decodeString returns the text of a valid string. Escapes that are half of a
// surrogate pair become U+FFFD.
func decodeString(raw json.RawMessage) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var s string
	_ = json.Unmarshal(raw, &s) // cannot fail: the string is valid
	return s
}

// plainString returns a valid string without the escapes it does not need.
func plainString(raw json.RawMessage) json.RawMessage {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	return quote(decodeString(raw))
}

// quote returns s as a JSON string.
func quote(s string) json.RawMessage { return appendString(nil, s) }

// appendString appends s as a JSON string. Characters that only matter inside
// HTML are not escaped, as they are not on the wire.
func appendString(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // cannot fail: a string and a buffer
	return append(b, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
}

// quotePython renders a string as Python does, which shows in some errors.
func quotePython(s string) string {
	mark := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		mark = `"`
	}
	s = strings.ReplaceAll(s, `\`, `\\`)
	if mark == "'" {
		s = strings.ReplaceAll(s, "'", `\'`)
	}
	return mark + s + mark
}
