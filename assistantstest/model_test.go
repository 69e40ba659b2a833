package assistantstest_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
)

func TestModelCalls(t *testing.T) {
	t.Parallel()
	api := assistantstest.New(t, assistantstest.WithModel(server.ModelFunc(func(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		call.History[0], call.Model = server.Turn{}, "changed" // it is the model's
		return func(yield func(server.ModelEvent, error) bool) { yield(server.Text("Hello."), nil) }
	})))
	assert.Empty(t, api.ModelCalls())
	run := finished(t, api, startRun(t, api, "Hi"))
	assert.Equal(t, "Hello.", newestText(t, api, run.ThreadID))
	calls := api.ModelCalls()
	require.Len(t, calls, 1)
	assert.Equal(t, "Hi", calls[0].LastUserMessage().Text())
	assert.Equal(t, "gpt-4o", calls[0].Model)
}

// speaks is a model that does what a function does.
func speaks(do func(yield func(server.ModelEvent, error) bool)) assistantstest.Option {
	return assistantstest.WithModel(server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] { return do }))
}

// What a model may not do fails the test, and what it may do does not.
func TestModelRules(t *testing.T) {
	t.Parallel()
	type foreign struct{ server.ModelEvent }
	yields := func(events ...server.ModelEvent) assistantstest.Option {
		return speaks(func(yield func(server.ModelEvent, error) bool) {
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
		})
	}
	rules := func(rules ...server.Rule) assistantstest.Option { return assistantstest.WithRules(rules...) }
	const may = "the model yielded in run_1 what it may not: "
	const see = " (the log says why, and server.Model has the rules)"
	for _, c := range []struct {
		name  string
		model assistantstest.Option
		want  string // "": nothing is wrong
		log   string
	}{
		{"text behind calls", yields(server.FunctionCall{Name: "f"}, server.Text("x")), may + "server.Text x" + see, "the model wrote text behind calls of functions"},
		{"arguments of no call", yields(server.Arguments("{}")), may + "server.Arguments {}" + see, "arguments of no function"},
		{"text behind calls in a script", rules(server.Otherwise(server.CallFunction("f", "{}"), server.Say("x"))), may + "server.Text x" + see, "behind calls"},
		{"a long text", yields(server.FunctionCall{Name: "f"}, server.Text(strings.Repeat("x", 1<<10))), may + "server.Text " + strings.Repeat("x", 200-len("server.Text ")) + see, ""},
		{"nothing", yields(nil), may + "<nil> <nil>" + see, "yielded nothing"},
		{"an event of its own", yields(foreign{}), "the model panicked in run_1: ", "the server logs: run run_id=run_1 cause=panic: "},
		{"a panic", speaks(func(func(server.ModelEvent, error) bool) { panic("no idea") }), "the model panicked in run_1: no idea (the log has the stack)",
			"the server logs: run run_id=run_1 cause=panic: no idea\ngoroutine "},
		{"no end", speaks(func(yield func(server.ModelEvent, error) bool) {
			yield(server.Arguments("{}"), nil)
			yield(server.Text("x"), nil)
		}), may, "range function continued iteration"},
		{"an error", speaks(func(yield func(server.ModelEvent, error) bool) { yield(nil, errors.New("broken")) }), "", "cause=broken"},
		{"an error of a script", rules(server.Otherwise(server.Fail("server_error", "Overheated."))), "", "Overheated."},
		{"a function of no run", rules(server.Otherwise(server.CallFunction("g", "{}"))), `the script does not fit run_1: The script calls the function "g", and`, `calls the function "g"`},
		{"a script without a rule", assistantstest.WithModel(server.NewScripted()), "the script does not fit run_1: No rule of the script applies", "No rule"},
		{"tokens used up", rules(server.Otherwise(server.Say("One two"), server.Yield(server.Finish(server.FinishLength)), server.Say("three"))), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := inTest(func(t testing.TB) {
				api := assistantstest.New(t, c.model)
				finished(t, api, startRun(t, api, "Hi"))
			})
			assert.Equal(t, c.want != "", got.Failed(), got.text())
			assert.Contains(t, got.text(), c.want)
			assert.NotContains(t, got.text(), "goroutine")
			assert.Contains(t, strings.Join(got.logs, "\n"), c.log)
		})
	}
}

// A run that ends under a model's hands is not the model's fault.
func TestCancelledModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := inTest(func(ft testing.TB) {
			api := assistantstest.New(ft, speaks(func(yield func(server.ModelEvent, error) bool) {
				for yield(server.Text("on and "), nil) {
					<-time.After(time.Second)
				}
			}))
			run := startRun(ft, api, "Hi")
			<-time.After(time.Minute)
			_, err := api.Runs.Cancel(ft.Context(), run.ThreadID, run.ID)
			require.NoError(ft, err)
			assert.Equal(ft, assistants.RunCancelled, finished(ft, api, run).Status)
			startRun(ft, api, "which ends with the test")
			synctest.Wait()
		})
		assert.Empty(t, got.errors)
	})
}

// The log of the server is the test's.
func TestLog(t *testing.T) {
	t.Parallel()
	got := inTest(func(t testing.TB) {
		api := assistantstest.New(t, assistantstest.WithRules(server.Otherwise(server.Fail("server_error", "Overheated."))))
		run := finished(t, api, startRun(t, api, "Hi"))
		assert.Equal(t, "Overheated.", run.LastError.Message)
	})
	assert.Empty(t, got.errors)
	require.Len(t, got.logs, 1)
	assert.Contains(t, got.logs[0], "Overheated.")
}

// A model that does not return when it shall is somebody's mistake.
func TestStubbornModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := inTest(func(ft testing.TB) {
			api := assistantstest.New(ft, assistantstest.WithModel(server.ModelFunc(func(context.Context, *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
				return func(func(server.ModelEvent, error) bool) {
					<-time.After(time.Minute)
					panic("too late to tell")
				}
			})))
			startRun(ft, api, "Hi")
			synctest.Wait()
		})
		require.Len(t, got.errors, 1)
		assert.Contains(t, got.errors[0], "a model has to return when its context ends")
		<-time.After(time.Minute)
		synctest.Wait()
		assert.Empty(t, got.late)
	})
}
