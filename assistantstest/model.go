package assistantstest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"

	"github.com/assistants-go/assistants/server"
)

// model is what answers in the test.
func (a *API) model(c *config) (server.Model, error) {
	switch {
	case c.scripted && c.model != nil:
		return nil, errors.New("WithRules and WithModel contradict each other")
	case c.scripted:
		return server.NewScripted(append(c.rules, server.Otherwise(a.unanswered))...), nil
	case c.model != nil:
		return c.model, nil
	default:
		return server.StandIn(), nil
	}
}

// unanswered is the end of every script.
func (a *API) unanswered(ctx context.Context, call *server.ModelCall, yield func(server.ModelEvent, error) bool) bool {
	about, rule := "to an empty thread", "server.Otherwise(…)"
	if outputs := call.Outputs(); outputs != nil {
		about, rule = "to outputs of functions", `server.When(server.Submitted(""), …)`
		if f := outputs[0].Function; f != nil {
			about, rule = fmt.Sprintf("to the output of %s", f.Name), fmt.Sprintf("server.When(server.Submitted(%q), …)", f.Name)
		}
	} else if m := call.LastUserMessage(); m != nil {
		about, rule = fmt.Sprintf("to the message %q", m.Text()), fmt.Sprintf("server.When(server.Asked(%q), …)", m.Text())
	}
	a.errorf("no rule answers call %d of the model in %s, which is to reply %s: add one to WithRules, such as %s",
		call.Round+1, call.RunID, about, rule)
	return server.Fail("server_error", "No rule of the test answers this call of the model.")(ctx, call, yield)
}

// A recorder notes what a model is asked.
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
				r.api.errorf("the model panicked in %s: %v\n%s", kept.RunID, p, debug.Stack())
				panic(p)
			}
		}()
		r.model.Respond(ctx, call)(yield)
	}
}
