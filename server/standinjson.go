package server

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
)

// Limits of what the stand-in makes from a schema. A schema may refer to itself, and ask for any number of things.
const (
	maxMadeBytes = 64 << 10
	maxMadeDepth = 16
	maxSteps     = 32 // from a schema to what it refers to
)

// maker makes JSON that fits a schema, from what a question says and from what else is known. It makes as much as its
// limits allow; with what goes beyond them the JSON does not fit.
type maker struct {
	root     *tree
	left     int                        // bytes that may still be made; looking at long lists in the schema counts, too
	known    map[string]json.RawMessage // strings, numbers and booleans, by the name of the property
	asked    string                     // the question, in lower case
	phrases  []string                   // of the question, that have not been used
	numbers  []float64                  // likewise
	filler   string                     // a text where none is known
	day      time.Time                  // a date where none is known
	generous bool                       // what need not be there may be made up
}

// newMaker returns a maker of arguments for what a question asks.
func newMaker(schema json.RawMessage, question string) *maker {
	phrases := phrasesIn(question)
	filler := echo(strings.Trim(question, " ?!.\r\n"))
	if len(phrases) > 0 {
		filler = phrases[len(phrases)-1]
	}
	return &maker{
		root: parseTree(schema), left: maxMadeBytes, asked: strings.ToLower(question), phrases: phrases,
		numbers: numbersIn(question), filler: filler, day: time.Unix(0, 0).UTC(),
	}
}

// know has the maker use the members of the outputs of functions.
func (m *maker) know(calls []assistants.ToolCall) {
	m.known = map[string]json.RawMessage{}
	for _, c := range calls {
		if c.Function == nil {
			continue
		}
		output := parseTree(json.RawMessage(c.Function.Output))
		for _, name := range output.names() {
			if value := output.members[name]; value.raw != nil && value.kind != kindNull {
				m.known[name] = value.raw
			}
		}
	}
}

func (m *maker) make() json.RawMessage { return m.value(m.root, "", 0) }

// value makes a value for a schema, which is that of a property, or of something in it, with this name.
func (m *maker) value(s *tree, name string, depth int) json.RawMessage {
	s, nullable := m.resolve(s)
	nothing := nullable && depth > 0 && !m.evident(s, name)
	if m.left--; m.left < 0 || depth > maxMadeDepth || nothing {
		return json.RawMessage("null")
	}
	if given := m.given(s, name); given != nil {
		return m.spend(given)
	}
	switch typeOf(s) {
	case "object":
		return m.object(s, depth)
	case "array":
		return m.array(s, name, depth)
	case "boolean":
		return json.RawMessage("false")
	case "null":
		return json.RawMessage("null")
	case "integer", "number":
		return m.spend(m.number(s))
	}
	return m.spend(quote(m.text(s)))
}

// spend takes a value from what may still be made.
func (m *maker) spend(value json.RawMessage) json.RawMessage {
	if m.left -= len(value); m.left < 0 {
		return json.RawMessage("null")
	}
	return value
}

// resolve follows references, and takes the first alternative that is not null. nullable tells whether null would do.
func (m *maker) resolve(s *tree) (plain *tree, nullable bool) {
	for range maxSteps {
		if slices.Contains(m.list(s, "type").texts(), "null") {
			nullable = true
		}
		next := m.referred(s)
		for _, keyword := range []string{"anyOf", "oneOf", "allOf"} {
			for _, option := range m.list(s, keyword).items {
				if typeOf(option) == "null" {
					nullable = true
				} else if next == nil {
					next = option
				}
			}
		}
		if next == nil {
			return s, nullable
		}
		s = next
	}
	return nil, nullable
}

// list returns the value of a keyword that should be an array: an empty one if it is absent, or if nothing may be made
// any more.
func (m *maker) list(s *tree, keyword string) *tree {
	list := s.member(keyword)
	if list == nil || m.left < 0 {
		return new(tree)
	}
	m.left -= len(list.items)
	return list
}

// referred returns what a schema refers to with a pointer into the whole, or nil.
func (m *maker) referred(s *tree) *tree {
	ref := s.member("$ref")
	if ref == nil || ref.kind != kindString || m.left < 0 {
		return nil
	}
	m.left -= len(ref.raw)
	pointer, local := strings.CutPrefix(decodeString(ref.raw), "#")
	if !local {
		return nil
	}
	at := m.root
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if step != "" {
			at = at.member(strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
		}
	}
	return at
}

// typeOf returns the type that a schema asks for; of several it is the first that is not null.
func typeOf(s *tree) string {
	if t := s.member("type"); t != nil {
		if t.kind == kindString {
			return decodeString(t.raw)
		}
		for _, word := range t.texts() {
			if word != "null" {
				return word
			}
		}
		if len(t.items) > 0 {
			return "null"
		}
	}
	switch {
	case s.member("properties") != nil:
		return "object"
	case s.member("items") != nil || s.member("prefixItems") != nil:
		return "array"
	}
	return ""
}

// evident tells whether there is something to make a value of that is not made up.
func (m *maker) evident(s *tree, name string) bool {
	s, _ = m.resolve(s)
	switch {
	case m.fitting(s, name) != nil, m.mentioned(s) != nil:
		return true
	case s.member("enum") != nil:
		return false
	}
	switch typeOf(s) {
	case "string":
		return len(m.phrases) > 0
	case "integer", "number":
		return len(m.numbers) > 0
	}
	return false
}

// given returns a value that is known or that the schema has itself; nil if there is none.
func (m *maker) given(s *tree, name string) json.RawMessage {
	if value := s.member("const"); value != nil {
		return value.render()
	}
	if value := m.fitting(s, name); value != nil {
		return value
	}
	if value := m.mentioned(s); value != nil {
		return value
	}
	if enum := s.member("enum"); enum != nil && len(enum.items) > 0 {
		return enum.items[0].render()
	}
	if value := s.member("default"); value != nil && !m.evident(s, name) {
		return value.render()
	}
	return nil
}

// fitting returns the known value of a property, if it is of the type and among the values of the schema.
func (m *maker) fitting(s *tree, name string) json.RawMessage {
	value := m.known[name]
	if value == nil {
		return nil
	}
	if s.member("enum") != nil {
		if !slices.ContainsFunc(m.list(s, "enum").items, func(item *tree) bool { return bytes.Equal(item.raw, value) }) {
			return nil
		}
	}
	got, want := kindOf(value), typeOf(s)
	switch {
	case want == "string" && got == kindString, want == "boolean" && got == kindBoolean,
		want == "integer" && got == kindInteger, want == "number" && (got == kindInteger || got == kindDecimal):
		return value
	}
	return nil
}

// mentioned returns the first of the values of a schema that the question mentions.
func (m *maker) mentioned(s *tree) json.RawMessage {
	for _, item := range m.list(s, "enum").items {
		if item.kind != kindString {
			continue
		}
		if word := strings.ToLower(decodeString(item.raw)); word != "" && hasWord(m.asked, word) {
			return item.raw
		}
	}
	return nil
}

func (m *maker) object(s *tree, depth int) json.RawMessage {
	properties, required := s.member("properties"), m.list(s, "required").texts()
	needed := make(map[string]bool, len(required))
	for _, name := range required {
		needed[name] = true
	}
	m.left -= len(properties.names())
	var made object
	add := func(name string) {
		delete(needed, name)
		m.left -= len(name)
		made = append(made, keyValue{name, m.value(properties.member(name), name, depth+1)})
	}
	for _, name := range properties.names() {
		if m.left < 0 {
			break
		}
		if needed[name] || m.generous && depth < 2 || m.evident(properties.member(name), name) {
			add(name)
		}
	}
	for _, name := range required { // that are no properties
		if needed[name] && m.left > 0 {
			add(name)
		}
	}
	return made.render()
}

func (m *maker) array(s *tree, name string, depth int) json.RawMessage {
	least, _ := s.number("minItems")
	most, bounded := s.number("maxItems")
	first := m.list(s, "prefixItems").items
	if m.generous && depth < 4 {
		least = max(least, 1)
	}
	var made []json.RawMessage
	for m.left > 0 && !(bounded && float64(len(made)) >= most) {
		schema := s.member("items")
		if len(made) < len(first) {
			schema = first[len(made)]
		}
		enough := float64(len(made)) >= least
		if enough && !m.evident(schema, "") {
			break
		}
		unused := len(m.phrases) + len(m.numbers)
		made = append(made, m.value(schema, name, depth+1))
		if enough && len(m.phrases)+len(m.numbers) == unused {
			break // the next would be the same again
		}
	}
	return renderArray(made)
}

// number returns a number that the question has or, if none of those will do, one that suggests itself.
func (m *maker) number(s *tree) json.RawMessage {
	low, isLow := s.number("minimum")
	above, isAbove := s.number("exclusiveMinimum")
	high, isHigh := s.number("maximum")
	below, isBelow := s.number("exclusiveMaximum")
	step, stepped := s.number("multipleOf")
	fits := func(n float64) bool {
		return !(isLow && n < low || isAbove && n <= above || isHigh && n > high || isBelow && n >= below ||
			stepped && step > 0 && math.Mod(n, step) != 0 || typeOf(s) == "integer" && n != math.Trunc(n))
	}
	if i := slices.IndexFunc(m.numbers, fits); i >= 0 {
		n := m.numbers[i]
		m.numbers = slices.Delete(m.numbers, i, i+1)
		return number(n)
	}
	lowest, highest := max(low, above), max(high, below)
	for _, n := range []float64{
		0, 1, low, high, above + 1, below - 1, math.Ceil(above), math.Floor(below), step, -step,
		math.Ceil(lowest/step) * step, math.Floor(lowest/step+1) * step, (lowest + highest) / 2,
	} {
		if !math.IsNaN(n) && !math.IsInf(n, 0) && fits(n) {
			return number(n)
		}
	}
	return json.RawMessage("0")
}

// number renders a number; one of a usual size without an exponent, which some readers do not take for an integer.
func number(n float64) json.RawMessage {
	if n == 0 {
		return json.RawMessage("0") // and not -0
	}
	format := byte('f')
	if math.Abs(n) >= 1e15 {
		format = 'g'
	}
	return strconv.AppendFloat(nil, n, format, -1, 64)
}

// formats are texts that fit formats, but for dates.
var formats = map[string]string{
	"duration": "PT1H", "email": "stand-in@example.com", "hostname": "host.example", "ipv4": "192.0.2.1",
	"ipv6": "2001:db8::1", "uri": "https://host.example/", "uuid": "00000000-0000-4000-8000-000000000000",
}

// text returns a text of the question, or one that suggests itself.
func (m *maker) text(s *tree) string {
	format, about := "", ""
	if f := s.member("format"); f != nil && f.kind == kindString {
		format = decodeString(f.raw)
	}
	if d := s.member("description"); d != nil && d.kind == kindString {
		about = decodeString(d.raw)
	}
	switch {
	case formats[format] != "":
		return formats[format]
	case format == "date" || strings.Contains(about, "YYYY-MM-DD"):
		return m.day.Format(time.DateOnly)
	case format == "date-time":
		return m.day.Format(time.RFC3339)
	case format == "time":
		return m.day.Format("15:04:05Z07:00")
	}
	text := m.filler
	if len(m.phrases) > 0 {
		text, m.phrases = m.phrases[0], m.phrases[1:]
	}
	return sized(text, s)
}

// sized makes a text as long as the schema wants it.
func sized(text string, s *tree) string {
	runes := []rune(text)
	if least, ok := s.number("minLength"); ok {
		for len(runes) < int(min(least, maxMadeBytes)) {
			runes = append(runes, '.')
		}
	}
	if most, ok := s.number("maxLength"); ok && most >= 0 && most < float64(len(runes)) {
		runes = runes[:int(most)]
	}
	return string(runes)
}
