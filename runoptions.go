package assistants

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

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

// WithPollInterval sets the pause between two looks at a run, or at files that are being read, in place of what the
// server asks for. Without it, and where the server does not ask, the pause is half a second and grows to five. An error
// on calls that do not poll.
func WithPollInterval(d time.Duration) RequestOption {
	return requestOption{"WithPollInterval", false, func(c *callConfig) error {
		if d <= 0 {
			return fmt.Errorf("%v is no pause", d)
		}
		c.pollInterval = d
		c.need("WithPollInterval", polls|settles)
		return nil
	}}
}

// WithCancelOnAbandon cancels the run that a call polls or streams when its caller goes away: when the context ends,
// or the stream is closed before its end. The call then returns when the service has answered, within five seconds.
// Without it a run lives on, as it does on a lost connection. A run whose id has not arrived cannot be cancelled. An error
// on other calls.
func WithCancelOnAbandon() RequestOption {
	return requestOption{"WithCancelOnAbandon", false, func(c *callConfig) error {
		c.abandoning = true
		c.need("WithCancelOnAbandon", polls|handles)
		return nil
	}}
}
