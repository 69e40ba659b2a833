package server_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// stubborn is a model that yields and waits, whatever its context says: a Duration is waited for.
func stubborn(doings ...any) server.Model {
	return server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			for _, do := range doings {
				if d, ok := do.(time.Duration); ok {
					pass(d)
				} else if !yield(do.(server.ModelEvent), nil) {
					return
				}
			}
		}
	})
}

// doing is a model that yields these events and then does something.
func doing(do func(), events ...server.ModelEvent) server.Model {
	return server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) {
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			do()
		}
	})
}

func responding(respond func() iter.Seq2[server.ModelEvent, error]) server.Model {
	return server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] { return respond() })
}

func calling(id string) server.FunctionCall { return server.FunctionCall{ID: id, Name: "f"} }

const hidden = "server_error: Sorry, something went wrong."

// unprintable is an error that panics when somebody asks what it says.
type unprintable struct{}

func (unprintable) Error() string { panic("no words") }

// A model that does what it must not fails its run alone, and the caller learns no more than that.
func TestFaultyModels(t *testing.T) {
	t.Parallel()
	var nothing *server.ModelError
	var noMap map[string]int
	text := server.Text("Hel")
	for name, test := range map[string]struct {
		model server.Model
		log   string
	}{
		"panic":                       {doing(func() { panic("private") }), "private"},
		"panic behind text":           {doing(func() { panic("private") }, text), "private"},
		"panic with nil":              {doing(func() { panic(nil) }), "nil"},
		"panic to abort a handler":    {doing(func() { panic(http.ErrAbortHandler) }, text), "abort"},
		"runtime error":               {doing(func() { noMap["x"] = 1 }, text), "nil map"},
		"end of the goroutine":        {doing(runtime.Goexit, text), "goroutine"},
		"end of it before text":       {doing(runtime.Goexit), "goroutine"},
		"panic in Respond":            {responding(func() iter.Seq2[server.ModelEvent, error] { panic("private") }), "private"},
		"nil sequence":                {responding(func() iter.Seq2[server.ModelEvent, error] { return nil }), "nil"},
		"nil model":                   {server.ModelFunc(nil), "nil"},
		"nil event":                   {yielding(saying(text, nil)), "nothing"},
		"pointer to an event":         {yielding(saying(text, new(server.Text("x")))), "Text"},
		"nil pointer to an event":     {yielding(saying(text, (*server.Text)(nil))), "nil"},
		"event of somebody else":      {yielding(saying(struct{ server.Text }{text})), "Text"},
		"error":                       {yielding(saying(errors.New("private"))), "private"},
		"error behind text":           {yielding(saying(text, errors.New("private"))), "private"},
		"nil of an error type":        {yielding(saying(text, nothing)), "run"},
		"error without words":         {yielding(saying(text, unprintable{})), "run"},
		"unknown finish":              {yielding(saying(text, server.Finish("enough"))), "enough"},
		"text behind functions":       {yielding(saying(server.FunctionCall{Name: "f"}, text)), "behind calls"},
		"code behind functions":       {yielding(saying(server.FunctionCall{Name: "f"}, server.CodeCall{})), "behind calls"},
		"search behind functions":     {yielding(saying(server.FunctionCall{Name: "f"}, server.SearchCall{})), "behind calls"},
		"function without a name":     {yielding(saying(text, server.FunctionCall{ID: "call_a"})), "name"},
		"arguments of nothing":        {yielding(saying(server.Arguments("{}"))), "arguments"},
		"arguments behind text":       {yielding(saying(text, server.Arguments("{}"))), "arguments"},
		"code input of nothing":       {yielding(saying(text, server.CodeInput("1"))), "code"},
		"logs of a search":            {yielding(saying(server.SearchCall{}, server.CodeLogs("1"))), "code"},
		"code image of nothing":       {yielding(saying(server.CodeImage{FileID: "file-i"})), "code"},
		"results of nothing":          {yielding(saying(server.SearchResults{})), "search"},
		"results of code":             {yielding(saying(server.CodeCall{}, server.SearchResults{})), "search"},
		"the same call twice":         {yielding(saying(calling("call_a"), calling("call_a"))), "two calls"},
		"two ids that become one":     {yielding(saying(calling("call_\xfe"), calling("call_\xff"))), "two calls"},
		"more calls than one answers": {yielding(slices.Repeat(saying(server.FunctionCall{Name: "f"}), 513)), "512"},
		"more than a run may yield":   {yielding(saying(text, server.Text(strings.Repeat("x", 16<<20)))), "16777216"},
		"more, of nothing":            {yielding(slices.Repeat(saying(server.Text("")), 600_000)), "16777216"},
		"more results":                {yielding(saying(server.SearchCall{Results: make([]assistants.FileSearchResult, 20_000)})), "16777216"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, test.model)
			events := c.open(c.thread).all()
			run := c.run(c.thread, runID(t, events))
			require.Equal(t, "failed", run.Status)
			require.Equal(t, hidden, run.LastError.String())
			require.Contains(t, c.log.String(), test.log)
			require.Equal(t, 200, c.say(c.thread))
			for _, s := range c.steps(c.thread, run.ID) {
				require.NotEqual(t, "in_progress", s.Status)
			}
		})
	}
}

// What a model says about its failure is shown if it says it for the caller.
func TestModelErrors(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"server_error": "server_error", "rate_limit_exceeded": "rate_limit_exceeded", "invalid_prompt": "invalid_prompt",
		"": "server_error", "something_else": "server_error",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			shown := fmt.Errorf("private: %w", &server.ModelError{Code: code, Message: "Shown \xff."})
			c := newConvo(t, yielding(saying(server.Text("Hel"), shown)))
			run := c.run(c.thread, runID(t, c.open(c.thread).all()))
			require.Equal(t, want+": Shown \uFFFD.", run.LastError.String())
			require.Contains(t, c.log.String(), "private")
			require.Equal(t, want, c.steps(c.thread, run.ID)[0].LastError.Code)
		})
	}
}

// A model that goes on behind the end of the sequence does no harm.
func TestModelThatDoesNotStop(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]any{"finish": server.Finish("nonsense"), "error": errors.New("private")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
				return func(yield func(server.ModelEvent, error) bool) {
					if err, failed := last.(error); failed {
						yield(nil, err)
					} else {
						yield(last.(server.ModelEvent), nil)
					}
					yield(server.Text("more"), nil)
					yield(server.Text("more"), nil)
				}
			}))
			run := c.run(c.thread, runID(t, c.open(c.thread).all()))
			require.Equal(t, "failed", run.Status)
			require.Len(t, c.messages(c.thread), 1)
		})
	}
}

// What comes behind a finish is not heard, except for what the call has cost.
func TestEventsBehindTheFinish(t *testing.T) {
	t.Parallel()
	c := newConvo(t, yielding(saying(server.Text("a"), server.FinishStop, server.Text("b"), server.FunctionCall{}, server.Finish("x"),
		server.Arguments("x"), server.State("s"), server.Usage{PromptTokens: 7})))
	events := c.open(c.thread).all()
	require.Equal(t, []string{
		"message.completed [" + fullText("a") + "]", "step.completed message_creation 7+0", "run.completed 7+0", "done",
	}, told(t, events)[8:])
}

// A model that never ends and looks at nothing: all that ends runs ends this one too.
func TestModelThatNeverEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end    func(c *convo, run string)
		within time.Duration
		status string
	}{
		"cancel": {func(c *convo, run string) { require.Equal(c.t, 200, c.cancel(c.thread, run).status) }, 2 * time.Second, "cancelled"},
		"expiry": {func(*convo, string) {}, lifetime, "expired"},
		"close": {func(c *convo, _ string) {
			begun := time.Now()
			require.ErrorContains(c.t, c.server.Close(), "5s")
			require.Equal(c.t, 5*time.Second, time.Since(begun))
		}, 5 * time.Second, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				released := make(chan struct{})
				defer close(released)
				c := newConvo(t, doing(func() { <-released }, server.Text("Hel")))
				r := c.open(c.thread)
				synctest.Wait()
				begun := time.Now()
				test.end(c, runID(t, r.soFar()))
				events := r.all()
				require.Equal(t, test.within, time.Since(begun))
				require.Equal(t, "thread.run."+test.status, events[len(events)-2].name)
				if name != "close" {
					require.Equal(t, 200, c.say(c.thread))
					require.ErrorContains(t, c.server.Close(), "have not returned")
				}
			})
		})
	}
}

// Huge pieces pass as they are, up to the limit of a run.
func TestHugePieces(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("ä", 1<<19)
	c := newConvo(t, yielding(
		saying(server.Text(huge), server.FunctionCall{ID: "call_a", Name: "f", Arguments: huge}),
		saying(server.Text(strings.Repeat("x", 15<<20)))))
	events := c.open(c.thread).all()
	require.Equal(t, huge, textOfDeltas(t, events))
	require.Equal(t, huge, c.messages(c.thread)[1].text(t))
	run := c.run(c.thread, runID(t, events))
	require.Equal(t, huge, run.RequiredAction.SubmitToolOutputs.ToolCalls[0].Function.Arguments)

	more := told(t, c.openSubmit(c.thread, run.ID, outputs("", "call_a")).all())
	require.Equal(t, "run.failed 0+0 "+hidden, more[len(more)-2], "what the calls of a run yield counts together")
}
