package assistants

import "fmt"

// An ability is what some calls can do and others cannot. Options that need one are errors of calls without it.
type ability uint8

const (
	streams  ability = 1 << iota // its answer arrives bit by bit
	polls                        // it waits for a run
	settles                      // it waits for files to be read
	handles                      // it answers calls of tools
	includes                     // its answer can hold more than usual
)

func (a ability) missing() string {
	switch {
	case a == streams:
		return "this call is not streamed"
	case a == polls|settles:
		return "this call does not wait for anything"
	case a == includes:
		return "this call has nothing to include"
	}
	return "this call neither polls nor streams a run"
}

// A need is an option's.
type need struct {
	option string
	of     ability // any of these will do
}

func (c *callConfig) need(option string, of ability) { c.needs = append(c.needs, need{option, of}) }

// unmet is the first need that a call of these abilities does not meet.
func (c *callConfig) unmet(able ability) error {
	for _, n := range c.needs {
		if n.of&able == 0 {
			return fmt.Errorf("%s: %s", n.option, n.of.missing())
		}
	}
	return nil
}
