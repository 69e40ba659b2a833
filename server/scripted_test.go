package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// respond returns what a script yields but for what the call cost, which it returns by itself.
func respond(t testing.TB, call *server.ModelCall, rules ...server.Rule) (events []server.ModelEvent, usage []server.Usage) {
	t.Helper()
	for event, err := range server.NewScripted(rules...).Respond(t.Context(), call) {
		require.NoError(t, err)
		if cost, ok := event.(server.Usage); ok {
			usage = append(usage, cost)
			continue
		}
		events = append(events, event)
	}
	return events, usage
}

func TestScriptedActions(t *testing.T) {
	t.Parallel()
	result := assistants.FileSearchResult{FileID: "file-1", FileName: "a.md", Score: 0.5}
	for name, test := range map[string]struct {
		action server.Action
		want   []server.ModelEvent
	}{
		"words":            {server.Say("Hello, my world!"), []server.ModelEvent{server.Text("Hello,"), server.Text(" my"), server.Text(" world!")}},
		"spaces":           {server.Say("  a  b "), []server.ModelEvent{server.Text("  a"), server.Text("  b"), server.Text(" ")}},
		"lines":            {server.Say("a\nb"), []server.ModelEvent{server.Text("a\nb")}},
		"nothing":          {server.Say(""), nil},
		"function":         {server.CallFunction("f", `{"a":1}`), []server.ModelEvent{server.FunctionCall{Name: "f"}, server.Arguments(`{"a":`), server.Arguments(`1}`)}},
		"no arguments":     {server.CallFunction("f", ""), []server.ModelEvent{server.FunctionCall{Name: "f"}}},
		"code":             {server.RunCode("a\nb", "c\nd"), []server.ModelEvent{server.CodeCall{}, server.CodeInput("a\n"), server.CodeInput("b"), server.CodeLogs("c\nd")}},
		"code, silent":     {server.RunCode("a\n", ""), []server.ModelEvent{server.CodeCall{}, server.CodeInput("a\n")}},
		"search":           {server.Search(result), []server.ModelEvent{server.SearchCall{}, server.SearchResults{result}}},
		"citation":         {server.Cite("file-1", "a.md"), []server.ModelEvent{server.Citation{Mark: "【4:0†a.md】", FileID: "file-1"}}},
		"events":           {server.Yield(server.Image{FileID: "file-1"}, server.Refusal("No")), []server.ModelEvent{server.Image{FileID: "file-1"}, server.Refusal("No")}},
		"a look at a call": {server.Reply(func(call *server.ModelCall) string { return call.Model }), []server.ModelEvent{server.Text("m")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := respond(t, &server.ModelCall{Model: "m"}, server.Otherwise(test.action))
			assert.Equal(t, test.want, got)
		})
	}
}

func TestScriptedMatches(t *testing.T) {
	t.Parallel()
	question := &server.ModelCall{History: []server.Turn{asked("Hello?"), asked("What is the WEATHER like?")}}
	reply := server.Turn{Message: &assistants.Message{Role: assistants.RoleAssistant}}
	replied := &server.ModelCall{History: append(question.History[:2:2], reply)}
	submitted := &server.ModelCall{History: append(question.History[:2:2], answered("a", "1", "b", "2"))}
	searched := &server.ModelCall{History: []server.Turn{{ToolCalls: []assistants.ToolCall{{Type: assistants.ToolFileSearch}}}}}
	tools := &server.ModelCall{Tools: []assistants.Tool{{Type: assistants.ToolFileSearch}, {Type: assistants.ToolFunction}}}
	for _, test := range []struct {
		name  string
		match server.Match
		call  *server.ModelCall
		want  bool
	}{
		{"words in another case", server.Asked("Weather like"), question, true},
		{"words of an older message", server.Asked("hello"), question, false},
		{"any message", server.Asked(""), question, true},
		{"no message", server.Asked(""), &server.ModelCall{}, false},
		{"behind what an assistant said", server.Asked("weather"), replied, true},
		{"about outputs", server.Asked("weather"), submitted, false},
		{"outputs", server.Submitted("b"), submitted, true},
		{"outputs of any", server.Submitted(""), submitted, true},
		{"outputs of another", server.Submitted("c"), submitted, false},
		{"no outputs", server.Submitted(""), question, false},
		{"no outputs of functions", server.Submitted(""), searched, false},
		{"a tool", server.Offered(assistants.ToolFunction), tools, true},
		{"another tool", server.Offered(assistants.ToolCodeInterpreter), tools, false},
	} {
		assert.Equal(t, test.want, test.match(test.call), test.name)
	}
}

func TestScriptedFollowsTheFirstRuleThatApplies(t *testing.T) {
	t.Parallel()
	twice := server.When(server.Asked("a"), server.Say("twice"))
	twice.Times = 2
	rules := []server.Rule{
		server.When(server.Asked("b"), server.Say("once")).Once(), twice,
		server.When(server.Asked("a"), server.Say("else")), {Times: -1},
	}
	model := server.NewScripted(rules...)
	rules[0] = server.Otherwise(server.Say("changed behind its back"))
	var got []string
	for _, question := range []string{"a", "b", "b", "a", "a", "c", "c", "ab"} {
		got = append(got, hear(t, model, &server.ModelCall{History: []server.Turn{asked(question)}}).text)
	}
	assert.Equal(t, []string{"twice", "once", "", "twice", "else", "", "", "else"}, got)
}

// Of many calls at once as many as a rule is for follow it, and a match may take its time.
func TestScriptedCountsConcurrentCalls(t *testing.T) {
	t.Parallel()
	var together sync.WaitGroup
	together.Add(20)
	rule := server.When(func(*server.ModelCall) bool {
		together.Done()
		together.Wait() // for all the others
		return true
	}, server.Say("followed"))
	rule.Times = 7
	model := server.NewScripted(rule, server.Otherwise())
	var followed atomic.Int64
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if hear(t, model, &server.ModelCall{}).text != "" {
				followed.Add(1)
			}
		})
	}
	calls.Wait()
	assert.EqualValues(t, 7, followed.Load())
}

func TestScriptedErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rules []server.Rule
		want  server.ModelError
	}{
		"nothing applies": {
			[]server.Rule{server.When(server.Asked("x"))},
			server.ModelError{Code: "server_error", Message: "No rule of the script applies to this call."},
		},
		"no rules": {nil, server.ModelError{Code: "server_error", Message: "No rule of the script applies to this call."}},
		"a failure": {
			[]server.Rule{server.Otherwise(server.Fail("invalid_prompt", "No."), server.Say("Never."))},
			server.ModelError{Code: "invalid_prompt", Message: "No."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for event, err := range server.NewScripted(test.rules...).Respond(t.Context(), &server.ModelCall{}) {
				assert.Nil(t, event)
				assert.Equal(t, name != "a failure", errors.Is(err, server.ErrScript))
				var told *server.ModelError
				require.ErrorAs(t, err, &told)
				assert.Equal(t, test.want, *told)
				got = append(got, told.Error())
			}
			assert.Equal(t, []string{test.want.Code + ": " + test.want.Message}, got, "and nothing behind it")
		})
	}
}

// A token is four bytes, and no piece of text is free.
func TestScriptedCountsTokens(t *testing.T) {
	t.Parallel()
	call := &server.ModelCall{Instructions: "12345", History: []server.Turn{asked("123"), answered("name", "1234")}}
	_, cost := respond(t, call, server.Otherwise(
		server.RunCode("12345", "not written by the model"), server.Say("a bcdef"), server.CallFunction("name", `{"a":1}`)))
	// 2 of instructions; 4 and 1 of the message; 4 and 3 of the call. Code 1 and 2, text 1 and 2, name 1, arguments 2 and 1.
	assert.Equal(t, []server.Usage{{PromptTokens: 14, CompletionTokens: 10}}, cost)

	own := server.Usage{PromptTokens: 1, CompletionTokens: 2, CachedTokens: 3, ReasoningTokens: 4}
	_, cost = respond(t, call, server.Otherwise(server.Say("a"), server.Yield(own), server.Say("b")))
	assert.Equal(t, []server.Usage{own}, cost, "the script says it")
	_, cost = respond(t, &server.ModelCall{}, server.Otherwise())
	assert.Equal(t, []server.Usage{{}}, cost)
}

func TestScriptedKeepsToItsBudget(t *testing.T) {
	t.Parallel()
	script := server.Otherwise(server.Say("one two, three four"), server.CallFunction("f", "{}"))
	for limit, want := range map[int]string{
		1: "one", 2: "one", 3: "one two,", 5: "one two, three", 7: "one two, three four", 8: "one two, three four f", 9: "one two, three four f {}", 0: "one two, three four f {}",
	} {
		var text strings.Builder
		events, cost := respond(t, &server.ModelCall{MaxCompletionTokens: limit}, script)
		last := events[len(events)-1]
		for _, e := range events {
			switch e := e.(type) {
			case server.Text:
				text.WriteString(string(e))
			case server.FunctionCall:
				text.WriteString(" " + e.Name)
			case server.Arguments:
				text.WriteString(" " + string(e))
			}
		}
		assert.Equal(t, want, text.String(), "%d tokens", limit)
		assert.Equal(t, limit != 0 && limit < 9, last == server.FinishLength, "%d tokens", limit)
		require.Len(t, cost, 1)
		assert.True(t, limit == 0 || cost[0].CompletionTokens <= limit, "%d tokens", limit)
	}
}

func TestScriptedWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, release := time.Now(), make(chan struct{})
		time.AfterFunc(90*time.Second, func() { close(release) })
		model := server.NewScripted(server.Otherwise(
			server.Say("a"), server.Wait(time.Minute), server.Say("b"), server.Until(release), server.Say("c"), server.Until(release)))
		var at []time.Duration
		for event := range model.Respond(t.Context(), &server.ModelCall{}) {
			if _, isText := event.(server.Text); isText {
				at = append(at, time.Since(start))
			}
		}
		assert.Equal(t, []time.Duration{0, time.Minute, 90 * time.Second}, at)
	})
}

// A wait ends with the context, and the script with it.
func TestScriptedWaitsNoLongerThanWanted(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]server.Action{"wait": server.Wait(time.Hour), "until": server.Until(nil)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start, pieces := time.Now(), 0
				for range server.NewScripted(server.Otherwise(wait, server.Say("Never."))).Respond(ctx, &server.ModelCall{}) {
					pieces++
				}
				assert.Zero(t, pieces)
				assert.Equal(t, time.Second, time.Since(start))
			})
		})
	}
}

// Nothing is yielded to somebody who has had enough: that would be a panic.
func TestScriptedStopsWhenTold(t *testing.T) {
	t.Parallel()
	all := server.Otherwise(server.RunCode("a\nb", "c"), server.Search(), server.Say("a b"), server.Cite("f", "n"),
		server.Reply(func(*server.ModelCall) string { return "a b" }), server.CallFunction("f", "{}"))
	events, _ := respond(t, &server.ModelCall{}, all)
	for limit := range 3 { // unlimited, cut at once, cut behind the first piece
		for stop := range len(events) + 2 {
			seen := 0
			for range server.NewScripted(all).Respond(t.Context(), &server.ModelCall{MaxCompletionTokens: limit}) {
				if seen++; seen > stop {
					break
				}
			}
		}
	}
	for range server.NewScripted().Respond(t.Context(), &server.ModelCall{}) {
		break
	}
}

// In a run, the script's words, cost and end are the run's.
func TestScriptedRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, server.NewScripted(
			server.When(server.Asked("hello"), server.Say(strings.Repeat("four ", 300))).Once(),
			server.When(server.Asked("hello"), server.Say("Hello! How are you?")).Once(),
		))
		run := func(limits string) runSeen {
			id := field[string](t, c.ok("POST", c.runsOf(c.thread), `{"assistant_id":"`+c.assistant+`"`+limits+`}`), "id")
			synctest.Wait()
			return c.run(c.thread, id)
		}
		cut := run(`,"max_completion_tokens":256`)
		assert.Equal(t, "incomplete", cut.Status)
		assert.LessOrEqual(t, cut.Usage.CompletionTokens, 256)
		assert.Greater(t, cut.Usage.CompletionTokens, 250)

		whole := run("")
		assert.Equal(t, "completed", whole.Status)
		assert.Equal(t, 6, whole.Usage.CompletionTokens)
		assert.Positive(t, whole.Usage.PromptTokens)

		assert.Equal(t, "No rule of the script applies to this call.", run("").LastError.Message)
	})
}

// A strict script does what the run offers, or says what it does not.
func TestScriptedStrictly(t *testing.T) {
	t.Parallel()
	const tools = `[{"type":"function","function":{"name":"find_order"}},{"type":"code_interpreter"}]`
	for name, test := range map[string]struct {
		action server.Action
		wrong  string
	}{
		"a function of the run":  {server.CallFunction("find_order", `{"id":1}`), ""},
		"another function":       {server.CallFunction("find_ordr", `{}`), `The script calls the function "find_ordr", and the run offers ["find_order"].`},
		"arguments that are cut": {server.CallFunction("find_order", `{"id":`), `The script calls the function "find_order" with arguments that are no JSON: {"id":`},
		"a tool of the run":      {server.RunCode("1", "1"), ""},
		"another tool":           {server.Search(), `The script uses the tool "file_search", which the run does not offer.`},
		"an event of its own":    {server.Yield(server.FunctionCall{Name: "anything", Arguments: "{"}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := new(server.ModelCall)
			require.NoError(t, json.Unmarshal([]byte(tools), &call.Tools))
			rule := server.Otherwise(test.action)
			for _, err := range server.NewScripted(rule).Respond(t.Context(), call) {
				require.NoError(t, err)
			}
			var failed error
			for _, err := range server.NewScripted(rule).Strict().Respond(t.Context(), call) {
				failed = err
			}
			if test.wrong == "" {
				require.NoError(t, failed)
				return
			}
			require.ErrorIs(t, failed, server.ErrScript)
			var told *server.ModelError
			require.ErrorAs(t, failed, &told)
			require.Equal(t, test.wrong, told.Message)
		})
	}
}

func TestScriptedDoes(t *testing.T) {
	t.Parallel()
	var seen *server.ModelCall
	call := &server.ModelCall{RunID: "run_1"}
	respond(t, call, server.Otherwise(server.Do(func(call *server.ModelCall) { seen = call }), server.Say("Done.")))
	require.Same(t, call, seen)
}
