package server

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// rule says which values a parameter takes. The rules of a request are a table of
// nested literals; check walks down a body and its table together, finds the
// first violation, and returns the value in the form in which it is answered.
type rule interface {
	// check gets a compact valid value and its path for errors.
	check(path string, raw json.RawMessage) (json.RawMessage, *apiError)
}

// text is a string of min to max code points; max 0 means no limit. Min is 0 or 1.
type text struct{ min, max int }

func (t text) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if got := kindOf(raw); got != kindString {
		return nil, errType(path, string(kindString), string(got))
	}
	s := decodeString(raw)
	length := utf8.RuneCountInString(s)
	switch {
	case length < t.min:
		return nil, errEmpty(path)
	case t.max > 0 && length > t.max:
		return nil, errTooLong(path, t.max, length)
	}
	return plainString(raw), nil
}

// symbol is the name of a function or a schema.
type symbol struct{}

func (symbol) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	value, err := text{min: 1, max: 64}.check(path, raw)
	if err != nil {
		return nil, err
	}
	for _, c := range decodeString(value) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return nil, errPattern(path, "^[a-zA-Z0-9_-]+$")
		}
	}
	return value, nil
}

// identifier is the id of another object.
type identifier struct{ prefix string }

func (i identifier) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	value, err := text{min: 1}.check(path, raw)
	if err != nil {
		return nil, err
	}
	if id := decodeString(value); !strings.HasPrefix(id, i.prefix) {
		return nil, errIDPrefix(path, id, i.prefix)
	}
	return value, nil
}

// enum is one of a few strings.
type enum []string

func (e enum) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if got := kindOf(raw); got != kindString {
		return nil, errType(path, "one of "+quotedList(e, "or"), string(got))
	}
	s := decodeString(raw)
	if !slices.Contains(e, s) {
		return nil, errEnum(path, s, e)
	}
	return plainString(raw), nil
}

// boolean is true or false.
type boolean struct{}

func (boolean) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if got := kindOf(raw); got != kindBoolean {
		return nil, errType(path, string(kindBoolean), string(got))
	}
	return raw, nil
}

// integer is a whole number within limits, written as one.
type integer struct{ min, max int64 }

func (r integer) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if got := kindOf(raw); got != kindInteger {
		return nil, errType(path, string(kindInteger), string(got))
	}
	return raw, r.within(path, string(raw))
}

func (r integer) within(path, literal string) *apiError {
	// A number too large for an int64 becomes the nearest one, which is out of
	// bounds just the same.
	n, _ := strconv.ParseInt(literal, 10, 64)
	switch {
	case n > r.max:
		return errAboveMax(path, "integer", r.max, literal)
	case n < r.min:
		return errBelowMin(path, "integer", r.min, literal)
	}
	return nil
}

// decimal is a number within limits. It is answered with a point, as in 1.0.
type decimal struct{ min, max int64 }

func (r decimal) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if got := kindOf(raw); got != kindDecimal && got != kindInteger {
		return nil, errType(path, string(kindDecimal), string(got))
	}
	// A number too large for a float64 becomes an infinity, which is out of
	// bounds just the same.
	f, _ := strconv.ParseFloat(string(raw), 64)
	switch {
	case f > float64(r.max):
		return nil, errAboveMax(path, "decimal", r.max, string(raw))
	case f < float64(r.min):
		return nil, errBelowMin(path, "decimal", r.min, string(raw))
	}
	return formatDecimal(f), nil
}

func formatDecimal(f float64) json.RawMessage {
	if f == 0 {
		f = math.Abs(f) // no -0.0
	}
	b := strconv.AppendFloat(nil, f, 'g', -1, 64)
	if !slices.ContainsFunc(b, func(c byte) bool { return c == '.' || c == 'e' }) {
		b = append(b, ".0"...)
	}
	return b
}

// nullable is another rule, or null, which stands for the default.
type nullable struct {
	rule  rule
	reset string
}

func (n nullable) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if kindOf(raw) == kindNull {
		return json.RawMessage(n.reset), nil
	}
	return n.rule.check(path, raw)
}

// opaque is an object that the server passes on as it is.
type opaque struct{}

func (opaque) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if got := kindOf(raw); got != kindObject {
		return nil, errType(path, string(kindObject), string(got))
	}
	return raw, nil
}

// array is an array of min to max items. Plural names them for errors. Min is 0 or 1.
type array struct {
	plural   string
	min, max int
	item     rule
}

func (a array) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if got := kindOf(raw); got != kindArray {
		return nil, errType(path, "an array of "+a.plural, string(got))
	}
	out, count := append(make([]byte, 0, len(raw)), '['), 0
	var violation *apiError
	for item := range eachItem(raw) {
		if violation == nil && count < a.max {
			var value json.RawMessage
			if value, violation = a.item.check(element(path, count), item); count > 0 {
				out = append(out, ',')
			}
			out = append(out, value...)
		}
		count++
	}
	switch {
	case count > a.max:
		return nil, errTooManyItems(path, a.max, count)
	case count < a.min:
		return nil, errNoItems(path)
	}
	if violation != nil {
		return nil, violation
	}
	return append(out, ']'), nil
}

// property is a key that an object may have.
type property struct {
	key      string
	rule     rule
	required bool
	fill     string // the value of an absent key; "" leaves it absent
}

// closed is an object that has no keys but these. It is answered in the order of
// the table.
type closed struct {
	properties []property

	// final, if set, looks at the object as a whole when all of its values are
	// known to be good by themselves. Absent keys are not filled in yet.
	final func(path string, o object) *apiError
}

func (c closed) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	checked, err := c.members(path, raw)
	if err != nil {
		return nil, err
	}
	return checked.render(), nil
}

// members returns the checked members in the order of the table.
func (c closed) members(path string, raw json.RawMessage) (object, *apiError) {
	if got := kindOf(raw); got != kindObject {
		return nil, errType(path, string(kindObject), string(got))
	}
	values, err := c.assign(path, raw)
	if err != nil {
		return nil, err
	}
	checked := make(object, 0, len(values))
	for i, p := range c.properties {
		switch {
		case values[i] != nil:
			value, err := p.rule.check(member(path, p.key), values[i])
			if err != nil {
				return nil, err
			}
			checked = append(checked, keyValue{p.key, value})
		case p.required:
			return nil, errMissingParameter(member(path, p.key))
		default:
			checked = append(checked, keyValue{p.key, nil})
		}
	}
	if c.final != nil {
		if err := c.final(path, checked); err != nil {
			return nil, err
		}
	}
	for i, p := range c.properties {
		if checked[i].value == nil && p.fill != "" {
			checked[i].value = json.RawMessage(p.fill)
		}
	}
	return slices.DeleteFunc(checked, func(m keyValue) bool { return m.value == nil }), nil
}

// assign returns the values that were given for the properties, or an error for
// a key that is none of them: of several, the first in alphabetical order.
func (c closed) assign(path string, raw json.RawMessage) ([]json.RawMessage, *apiError) {
	values := make([]json.RawMessage, len(c.properties))
	var unknown string
	found := false
	for key, value := range eachMember(raw) {
		i := slices.IndexFunc(c.properties, func(p property) bool { return p.key == key })
		switch {
		case i >= 0:
			values[i] = value
		case !found || key < unknown:
			unknown, found = key, true
		}
	}
	if found {
		return nil, errUnknownParameter(member(path, unknown))
	}
	return values, nil
}

// variants is an object whose type key says which of several objects it is.
type variants []variant

type variant struct {
	name string
	rule closed
}

func (v variants) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if got := kindOf(raw); got != kindObject {
		return nil, errType(path, string(kindObject), string(got))
	}
	typePath := member(path, "type")
	var given json.RawMessage
	for key, value := range eachMember(raw) {
		if key == "type" {
			given = value
		}
	}
	if given == nil {
		return nil, errMissingParameter(typePath)
	}
	names := make(enum, len(v))
	for i := range v {
		names[i] = v[i].name
	}
	if _, err := names.check(typePath, given); err != nil {
		return nil, err
	}
	return v[slices.Index(names, decodeString(given))].rule.check(path, raw)
}

// typeKey is the type key of a variant, already checked.
var typeKey = property{key: "type", rule: text{}, required: true}

// metadata is the free-form labels of an object; see section 5.6 of
// docs/protocol.md.
type metadata struct{}

const (
	maxMetadataPairs = 16
	maxMetadataKey   = 64
	maxMetadataValue = 512

	// maxMetadataMembers is how far labels are counted, some of which may be the same.
	maxMetadataMembers = 1024
)

func (metadata) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	labels, err := splitLabels(path, raw)
	if err != nil {
		return nil, err
	}
	for i, m := range labels {
		value, err := text{max: maxMetadataValue}.check(member(path, m.key), m.value)
		if err != nil {
			return nil, err
		}
		labels[i].value = value
	}
	return labels.render(), nil
}

// splitLabels returns labels whose keys are good, and whose values are yet to be checked.
func splitLabels(path string, raw json.RawMessage) (object, *apiError) {
	if got := kindOf(raw); got != kindObject {
		return nil, errType(path, string(kindObject), string(got))
	}
	count := 0
	for range eachMember(raw) {
		if count++; count > maxMetadataMembers {
			return nil, errTooManyProperties(path, maxMetadataPairs, count)
		}
	}
	labels := splitObject(raw)
	if len(labels) > maxMetadataPairs {
		return nil, errTooManyProperties(path, maxMetadataPairs, len(labels))
	}
	for _, m := range labels {
		if length := utf8.RuneCountInString(m.key); length > maxMetadataKey {
			return nil, errPropertyName(path, m.key, maxMetadataKey, length)
		}
	}
	return labels, nil
}
