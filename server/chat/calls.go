package chat

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/server/internal/provider"
)

// Limits of the calls of functions in one answer, of all together. More than a run may yield, or call at once, ends
// it anyway.
const (
	maxCalls     = 512
	maxCallBytes = 16 << 20
)

var (
	errNameless     = errors.New("chat: the answer has a call of a function without a name")
	errTooManyCalls = errors.New("chat: the answer has too many calls of functions, or too long ones")
	errBehindEnd    = errors.New("chat: the answer has more of a call of a function behind its end")
)

// calls puts the fragments of calls together, which some servers mix, number wrongly, or do not number at all.
type calls struct {
	list []*call
	size int
}

// call is a call of a function that is on its way.
type call struct {
	index     *provider.Number
	id, name  string
	arguments strings.Builder
	seam      provider.Seam
	repeats   bool // its name is in every fragment

	known string // the id that the caller knows it by; "": none yet
	over  bool   // the caller has been told all of it
}

// add takes a fragment in.
func (c *calls) add(f *fragment) error {
	if c.size += len(f.ID) + len(f.Function.Name) + len(f.Function.Arguments); c.size > maxCallBytes {
		return errTooManyCalls
	}
	to := c.find(f)
	if to == nil {
		if len(c.list) == maxCalls {
			return errTooManyCalls
		}
		to = &call{index: f.Index}
		c.list = append(c.list, to)
	}
	to.id = cmp.Or(to.id, string(f.ID))
	to.name = cmp.Or(to.name, string(f.Function.Name))
	if to.over {
		if strings.TrimSpace(string(f.Function.Arguments)) != "" {
			return provider.Broken(errBehindEnd)
		}
		return nil
	}
	to.arguments.WriteString(to.seam.Join(string(f.Function.Arguments)))
	return nil
}

// find returns the call that a fragment belongs to; nil if it begins one. The index says so, else the id; a fragment
// with neither is more of the last call.
func (c *calls) find(f *fragment) *call {
	var found *call
	for i := len(c.list) - 1; i >= 0 && found == nil; i-- {
		known := c.list[i]
		switch {
		case f.Index != nil && known.index != nil:
			if *f.Index == *known.index {
				found = known
			}
		case f.ID != "":
			if string(f.ID) == known.id {
				found = known
			}
		default:
			found = known
		}
	}
	if found == nil && f.Index == nil && f.Function.Name == "" && len(c.list) > 0 {
		found = c.list[len(c.list)-1] // which has another id in every fragment
	}
	if found != nil && found.isBegunAgain(f) {
		return nil
	}
	return found
}

// isBegunAgain is inferred: whether a fragment that seems to be more of a call is another one, from a server that
// gives all calls the same index, or none. Other servers repeat the name, or make up an id, in every fragment.
func (c *call) isBegunAgain(f *fragment) bool {
	switch name := string(f.Function.Name); {
	case name == "" || c.name == "":
		return false
	case name != c.name:
		return true
	case f.ID != "" && string(f.ID) == c.id:
		return false
	}
	if c.repeats || c.arguments.Len() == 0 || f.ID == "" && f.Function.Arguments == "" {
		return false
	}
	whole := c.isWhole()
	c.repeats = !whole // and not to be looked at again each time
	return whole
}

// isWhole tells whether the arguments may be all.
func (c *call) isWhole() bool { return !c.seam.Open() && json.Valid([]byte(c.arguments.String())) }

// identify returns the id that the caller knows a call by: the provider's, unless it has none so far or another call
// of the run has it.
func (c *call) identify(taken map[string]bool) string {
	if c.known == "" {
		if c.known = c.id; c.id == "" || taken[c.id] {
			c.known = "call_" + rand.Text()[:24]
		}
		taken[c.known] = true
	}
	return c.known
}

// close ends all calls. One that says nothing was none, nor was one in an answer that is cut before it had a name;
// one without arguments has an empty object.
func (c *calls) close(cut bool) {
	kept := c.list[:0]
	for _, one := range c.list {
		one.arguments.WriteString(one.seam.End())
		if one.name == "" && (cut || strings.TrimSpace(one.arguments.String()) == "") {
			continue
		}
		kept = append(kept, one)
	}
	c.list = kept
}

// check returns an error if nobody knows what is called.
func (c *calls) check() error {
	if slices.ContainsFunc(c.list, func(one *call) bool { return one.name == "" }) {
		return provider.Broken(errNameless)
	}
	return nil
}

// made returns the calls as they are given back to the provider's model, and as the caller sees them.
func (c *calls) made(taken map[string]bool) []madeCall {
	var made []madeCall
	for _, one := range c.list {
		m := madeCall{ID: one.identify(taken), Name: one.name, Arguments: one.arguments.String()}
		if strings.TrimSpace(m.Arguments) == "" {
			m.Arguments += "{}" // behind white space that may have been told
		}
		made = append(made, m)
	}
	return made
}

// isObject tells whether arguments are what they should be.
func isObject(arguments string) bool {
	return strings.HasPrefix(strings.TrimLeft(arguments, " \t\r\n"), "{") && json.Valid([]byte(arguments))
}

// objectOf returns arguments as they are given back to the provider's model. Many servers refuse, or fail on, any
// that are not an object: such arguments are a member of one, as the model has written them.
func objectOf(arguments string) string {
	if isObject(arguments) {
		return arguments
	}
	data, _ := json.Marshal(map[string]string{"arguments": arguments}) // strings always can be
	return string(data)
}
