package assistantstest

import (
	"fmt"
	"slices"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// Option changes one part of an [API]. Options of the same name add up. A nil Option changes nothing.
type Option func(*config)

// config is what options write to.
type config struct {
	scripted bool
	rules    []server.Rule
	model    server.Model
	server   []server.Option
	client   []assistants.Option
	faults   []Fault
	expected []string
}

// WithRules has a script answer the calls of the model: the first rule that applies, as with [server.NewScripted]. A
// call to which none applies fails the test; a rule that is never used does not, which is for [API.ModelCalls] to say.
// WithRules() is for tests in which the model is not to be called. The script is strict with the run, as with
// [server.Scripted.Strict]: a rule that calls what the run does not offer fails the test too.
func WithRules(rules ...server.Rule) Option {
	rules = slices.Clone(rules)
	return func(c *config) {
		c.scripted = true
		c.rules = append(c.rules, rules...)
	}
}

// WithModel sets the model: one of the test's own. It cannot be given together with [WithRules]. [API.ModelCalls] sees
// its calls, which it does not with [server.WithModel]. A model that panics, or yields what a [server.Model] may not,
// fails the test.
func WithModel(model server.Model) Option {
	return func(c *config) { c.model = model }
}

// WithServer sets up the server: its clock, its store, its limits. The options apply behind those of this package, which
// are a model, an id source, and a logger that shows the server's errors in the log of the test.
func WithServer(opts ...server.Option) Option {
	opts = slices.Clone(opts)
	return func(c *config) { c.server = append(c.server, opts...) }
}

// WithClient sets up the client. The options apply behind that of this package, which is [assistants.WithMaxRetries]
// of 0. Where the client sends its requests is not theirs to say.
func WithClient(opts ...assistants.Option) Option {
	opts = slices.Clone(opts)
	return func(c *config) { c.client = append(c.client, opts...) }
}

// WithFaults has requests go wrong. A fault that has not happened when the test ends fails it: what the test is about
// was not tested.
func WithFaults(faults ...Fault) Option {
	faults = slices.Clone(faults)
	return func(c *config) { c.faults = append(c.faults, faults...) }
}

// WithExpectedRequests names the requests that the program is to send: their kinds, as [API.Requests] takes them. Any
// other request fails the test, as does one of these that was never sent. How often and in which order they come does
// not matter; API.Requests says that.
func WithExpectedRequests(kinds ...string) Option {
	kinds = slices.Clone(kinds)
	return func(c *config) { c.expected = append(c.expected, kinds...) }
}

// An expectation is a request that is to be sent.
type expectation struct {
	kind
	met bool
}

func (a *API) expect(kinds []string) error {
	for _, text := range kinds {
		k, err := a.parseKind(text)
		if err != nil {
			return fmt.Errorf("WithExpectedRequests: %w", err)
		}
		a.expected = append(a.expected, &expectation{kind: k})
	}
	return nil
}
