package assistants

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// An ability is what some calls can do and others cannot. Options that need one are errors of calls without it.
type ability uint8

const (
	streams  ability = 1 << iota // its answer arrives bit by bit
	polls                        // it waits for a run
	handles                      // it answers calls of tools
	includes                     // its answer can hold more than usual
)

func abilities(list []ability) (sum ability) {
	for _, a := range list {
		sum |= a
	}
	return sum
}

func (a ability) missing() string {
	switch {
	case a == streams:
		return "this call is not streamed"
	case a == polls:
		return "this call does not wait for a run"
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

// An Include names something that answers hold only if it is asked for.
type Include string

// IncludeFileSearchContent is the text of what file search found, in the steps of a run.
const IncludeFileSearchContent Include = "step_details.tool_calls[*].file_search.results[*].content"

// WithInclude asks for more in the steps of a run: with [RunStepsService.Retrieve] and List, and with the calls that
// create a run in a thread, for the steps that its stream shows. One call only; an error on other calls.
func WithInclude(include ...Include) RequestOption {
	return requestOption{"WithInclude", true, func(c *callConfig) error {
		if len(include) == 0 {
			return errors.New("nothing to include")
		}
		c.include = append(c.include[:len(c.include):len(c.include)], include...)
		c.need("WithInclude", includes)
		return nil
	}}
}

// included is a query with what is to be included.
func (c *callConfig) included(query string) string {
	for _, include := range c.include {
		if query != "" {
			query += "&"
		}
		query += "include[]=" + url.QueryEscape(string(include))
	}
	return query
}

// WithPollInterval sets the pause between two looks at a run, in place of what the server asks for. Without it, and
// where the server does not ask, the pause is half a second and grows to five. An error on calls that do not poll.
func WithPollInterval(d time.Duration) RequestOption {
	return requestOption{"WithPollInterval", false, func(c *callConfig) error {
		if d <= 0 {
			return fmt.Errorf("%v is no pause", d)
		}
		c.pollInterval = d
		c.need("WithPollInterval", polls)
		return nil
	}}
}

// WithCancelOnAbandon cancels the run that a call polls or streams when its caller goes away: when the context ends,
// or the stream is closed before its end. The call then returns when the service has answered, within five seconds.
// Without it a run lives on, as it does on a lost connection. An error on other calls.
func WithCancelOnAbandon() RequestOption {
	return requestOption{"WithCancelOnAbandon", false, func(c *callConfig) error {
		c.abandoning = true
		c.need("WithCancelOnAbandon", polls|handles)
		return nil
	}}
}
