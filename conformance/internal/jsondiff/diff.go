package jsondiff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Difference is one place where two documents are not the same.
type Difference struct {
	// Path leads to the place: data[2].tools[0].type. It is "" for the document itself.
	Path string
	// Want and Got are the values there, Absent if an object has no such key. If Order is set they are the keys
	// that both objects have, as []string.
	Want, Got any
	// Order says that the objects have their keys in another order.
	Order bool
}

// String shows both sides in one line.
func (d Difference) String() string {
	path := d.Path
	if path == "" {
		path = "(document)"
	}
	if d.Order {
		return fmt.Sprintf("%s: keys in the order %s, want %s", path,
			strings.Join(d.Got.([]string), " "), strings.Join(d.Want.([]string), " "))
	}
	return fmt.Sprintf("%s: got %s, want %s", path, show(d.Got), show(d.Want))
}

// maxShown bounds how much of a value a difference shows.
const maxShown = 300

func show(value any) string {
	if value == Absent {
		return "nothing"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%v", value)
	}
	if len(text) > maxShown {
		return string(text[:maxShown]) + "…"
	}
	return string(text)
}

// Diff returns where got is not what want is, in the order of want. Numbers are the same if they are spelled the
// same. Differences that tolerate accepts are left out; nil tolerates nothing.
func Diff(want, got any, tolerate func(Difference) bool) []Difference {
	c := comparison{tolerate: tolerate}
	c.compare("", want, got)
	return c.found
}

type comparison struct {
	tolerate func(Difference) bool
	found    []Difference
}

func (c *comparison) add(d Difference) {
	if c.tolerate == nil || !c.tolerate(d) {
		c.found = append(c.found, d)
	}
}

func (c *comparison) compare(path string, want, got any) {
	switch w := want.(type) {
	case *Object:
		if g, ok := got.(*Object); ok {
			c.objects(path, w, g)
			return
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			for i := range w {
				c.compare(fmt.Sprintf("%s[%d]", path, i), w[i], g[i])
			}
			return
		}
	default:
		switch got.(type) {
		case *Object, []any: // not comparable with ==
		default:
			if want == got {
				return
			}
		}
	}
	c.add(Difference{Path: path, Want: want, Got: got})
}

func (c *comparison) objects(path string, want, got *Object) {
	for _, key := range want.keys {
		c.compare(member(path, key), want.Get(key), got.Get(key))
	}
	for _, key := range got.keys {
		if want.Get(key) == any(Absent) {
			c.add(Difference{Path: member(path, key), Want: Absent, Got: got.Get(key)})
		}
	}
	inWant, inGot := common(want, got), common(got, want)
	if !slices.Equal(inWant, inGot) {
		c.add(Difference{Path: path, Want: inWant, Got: inGot, Order: true})
	}
}

// common are the keys of o that other has too.
func common(o, other *Object) []string {
	var keys []string
	for _, key := range o.keys {
		if _, ok := other.values[key]; ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func member(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
