package assistantstest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/server"
)

// model is what answers in the test.
func (a *API) model(c *config) (server.Model, error) {
	switch {
	case c.scripted && c.model != nil:
		return nil, errors.New("WithRules and WithModel contradict each other")
	case c.scripted:
		if err := check(c.rules); err != nil {
			return nil, fmt.Errorf("WithRules: %w", err)
		}
		return server.NewScripted(append(c.rules, server.Otherwise(a.unanswered(c.rules)))...).Strict(), nil
	case c.model != nil:
		return c.model, nil
	default:
		return server.StandIn(), nil
	}
}

// check returns an error if a rule has nothing where an action should be.
func check(rules []server.Rule) error {
	for i, rule := range rules {
		for j, action := range rule.Actions {
			if action == nil {
				return fmt.Errorf("action %d of rule %d is nil", j+1, i+1)
			}
		}
	}
	return nil
}

// unanswered is what is done at the end of a script.
func (a *API) unanswered(rules []server.Rule) server.Action {
	return func(ctx context.Context, call *server.ModelCall, yield func(server.ModelEvent, error) bool) bool {
		about, rule := subject(call)
		a.errorf("no rule answers call %d of the model in %s, which is to reply %s%s: add one to WithRules, such as %s",
			call.Round+1, call.RunID, about, usedUp(rules, call), rule)
		return server.Fail("server_error", "No rule of the test answers this call of the model.")(ctx, call, yield)
	}
}

// subject is what a call is about, and how a rule for it begins.
func subject(call *server.ModelCall) (about, rule string) {
	if outputs := call.Outputs(); outputs != nil {
		if f := outputs[0].Function; f != nil {
			return fmt.Sprintf("to the output of %s", f.Name), fmt.Sprintf("server.When(server.Submitted(%q), …)", f.Name)
		}
		return "to outputs of functions", `server.When(server.Submitted(""), …)`
	}
	if m := call.LastUserMessage(); m != nil {
		return fmt.Sprintf("to the message %q", m.Text()), fmt.Sprintf("server.When(server.Asked(%q), …)", m.Text())
	}
	return "to an empty thread", "server.Otherwise(…)"
}

// usedUp names the rules that would answer a call which none answers: they have done so as often as they are for.
func usedUp(rules []server.Rule, call *server.ModelCall) string {
	var numbers []string
	for i, rule := range rules {
		if rule.Match == nil || rule.Match(call) {
			numbers = append(numbers, fmt.Sprintf("rule %d", i+1))
		}
	}
	if numbers == nil {
		return ""
	}
	return " (used up: " + strings.Join(numbers, ", ") + ")"
}

// A recorder notes what a model is asked, and tells the test when it does not keep to what a model has to do.
type recorder struct {
	api   *API
	model server.Model
}

// Respond passes the call on, which is the model's to change, and keeps a copy.
func (r recorder) Respond(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	kept := *call
	kept.History, kept.Tools, kept.State = slices.Clone(call.History), slices.Clone(call.Tools), slices.Clone(call.State)
	r.api.mu.Lock()
	r.api.calls = append(r.api.calls, &kept)
	r.api.mu.Unlock()
	return func(yield func(server.ModelEvent, error) bool) {
		defer func() {
			if p := recover(); p != nil {
				r.api.errorf("the model panicked in %s: %v (the log has the stack)", kept.RunID, p)
				panic(p)
			}
		}()
		r.model.Respond(ctx, call)(func(event server.ModelEvent, err error) bool {
			more := yield(event, err)
			switch {
			case errors.Is(err, server.ErrScript):
				r.api.errorf("the script does not fit %s: %s", kept.RunID, said(err))
			case !more && err == nil && ctx.Err() == nil: // the server has neither an error nor an end to stop for
				r.api.errorf("the model yielded in %s what it may not: %.200s (the log says why, and server.Model has the rules)",
					kept.RunID, fmt.Sprintf("%T %+v", event, event))
			}
			return more
		})
	}
}

// said is what the caller of a run is told of an error.
func said(err error) string {
	if known, ok := errors.AsType[*server.ModelError](err); ok {
		return known.Message
	}
	return err.Error()
}
