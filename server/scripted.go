package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assistants-go/assistants"
)

// Scripted is a [Model] that answers by rule: for tests, for examples, and for applications that want to be tried
// without a model. Make one with [NewScripted]. It is safe for concurrent use.
//
// It counts tokens as the server does, one for each four bytes that are written and at least one for each piece. It
// keeps to the call's MaxCompletionTokens: the first piece that has no room is left out, and the run ends as
// incomplete. It says what the call cost, unless the script yields [Usage] itself.
type Scripted struct {
	rules  []Rule
	strict bool

	mu   sync.Mutex
	used []int // how often each rule was followed
}

var _ Model = (*Scripted)(nil)

// NewScripted returns a model that follows the first rule that applies to a call. A call to which none applies fails
// with a message that says so.
func NewScripted(rules ...Rule) *Scripted {
	return &Scripted{rules: slices.Clone(rules), used: make([]int, len(rules))}
}

// ErrScript is the error of a script that does not fit what it is asked: no rule applies to a call, or, if it is strict, a
// rule does what no service would do. The run fails.
var ErrScript = errors.New("server: wrong script")

// wrongScript returns an error that is [ErrScript], and that the caller of the run is told.
func wrongScript(format string, args ...any) error {
	return errors.Join(ErrScript, &ModelError{Code: typeServer, Message: fmt.Sprintf(format, args...)})
}

// Strict returns the model with rules that are held against the run: [CallFunction] of a function that it does not offer, or
// with arguments that are no JSON, [RunCode], [ShowImage], [LinkFile], [Search] and [SearchFiles] without the tool, and
// [CiteResult] of a result that is not there, fail with [ErrScript]. A script that wants just that yields the event itself;
// see [Yield]. Strict is called before the model is used.
func (s *Scripted) Strict() *Scripted {
	s.strict = true
	return s
}

// A Rule says what a [Scripted] model does when. [When] and [Otherwise] make one.
type Rule struct {
	Match   Match    // which calls it is for; nil: all
	Times   int      // how many calls it is for, the first ones that match; 0 or less: any number
	Actions []Action // what is done, in order; none is an empty answer
}

// When returns a rule for the calls that match.
func When(match Match, actions ...Action) Rule { return Rule{Match: match, Actions: actions} }

// Otherwise returns a rule for all calls, to be put behind the others.
func Otherwise(actions ...Action) Rule { return Rule{Actions: actions} }

// Once returns the rule for one call only; the next one that matches is for the rules behind it.
func (r Rule) Once() Rule {
	r.Times = 1
	return r
}

// A Match tells whether a rule is for a call. It must not change the call, and is used by many goroutines at once.
type Match func(call *ModelCall) bool

// Asked matches calls that answer a message of the user with these words in it, in upper or lower case. A call that is
// about outputs of functions does not match: see [Submitted].
func Asked(words string) Match {
	words = strings.ToLower(words)
	return func(call *ModelCall) bool {
		m := call.LastUserMessage()
		return m != nil && call.Outputs() == nil && strings.Contains(strings.ToLower(m.Text()), words)
	}
}

// Submitted matches calls that are about the output of this function, and with "" about outputs of any.
func Submitted(function string) Match {
	return func(call *ModelCall) bool {
		for _, c := range call.Outputs() {
			if function == "" || c.Function != nil && c.Function.Name == function {
				return true
			}
		}
		return false
	}
}

// Offered matches calls of which the tools are those of a type.
func Offered(tool assistants.ToolType) Match {
	return func(call *ModelCall) bool {
		for i := range call.Tools {
			if call.Tools[i].Type == tool {
				return true
			}
		}
		return false
	}
}

// An Action is something that a [Scripted] model does: it yields events, or waits. It reports whether the script goes
// on, as yield does. Functions of this package make the usual ones, and any other function may be one: it is used by
// many goroutines at once, and stops when ctx does.
type Action func(ctx context.Context, call *ModelCall, yield func(ModelEvent, error) bool) bool

// Yield yields events as they are.
func Yield(events ...ModelEvent) Action {
	return func(_ context.Context, _ *ModelCall, yield func(ModelEvent, error) bool) bool {
		for _, e := range events {
			if !yield(e, nil) {
				return false
			}
		}
		return true
	}
}

// Say writes a text word by word.
func Say(text string) Action { return Yield(words(text)...) }

// words cuts a text in front of its spaces.
func words(text string) []ModelEvent {
	var events []ModelEvent
	for text != "" {
		spaces := len(text) - len(strings.TrimLeft(text, " "))
		word, _, _ := strings.Cut(text[spaces:], " ")
		end := spaces + len(word)
		events = append(events, Text(text[:end]))
		text = text[end:]
	}
	return events
}

// Reply writes, word by word, what a function makes of the call.
func Reply(answer func(call *ModelCall) string) Action {
	return func(ctx context.Context, call *ModelCall, yield func(ModelEvent, error) bool) bool {
		return Say(answer(call))(ctx, call, yield)
	}
}

// CallFunction calls a function with arguments in JSON, which come in pieces. Several in a row are made together.
func CallFunction(name, arguments string) Action {
	events := []ModelEvent{FunctionCall{Name: name}}
	for piece := range strings.SplitAfterSeq(arguments, ":") {
		if piece != "" {
			events = append(events, Arguments(piece))
		}
	}
	return expecting(func(call *ModelCall) error {
		offered := functionsOf(call)
		switch {
		case !slices.Contains(offered, name):
			return wrongScript("The script calls the function %q, and the run offers %q.", name, offered)
		case !json.Valid([]byte(arguments)):
			return wrongScript("The script calls the function %q with arguments that are no JSON: %s", name, arguments)
		}
		return nil
	}, events)
}

// RunCode has the code interpreter run code, line by line, and print logs; "" is nothing.
func RunCode(code, logs string) Action {
	events := []ModelEvent{CodeCall{}}
	for line := range strings.SplitAfterSeq(code, "\n") {
		if line != "" {
			events = append(events, CodeInput(line))
		}
	}
	if logs != "" {
		events = append(events, CodeLogs(logs))
	}
	return expecting(offering(assistants.ToolCodeInterpreter), events)
}

// Search has file search find results.
func Search(results ...assistants.FileSearchResult) Action {
	return expecting(offering(assistants.ToolFileSearch), []ModelEvent{SearchCall{}, SearchResults(results)})
}

// expecting returns an action for calls of which something holds; for others a strict script ends the call with an error.
func expecting(holds func(call *ModelCall) error, events []ModelEvent) Action {
	play := Yield(events...)
	return func(ctx context.Context, call *ModelCall, yield func(ModelEvent, error) bool) bool {
		if call.strict {
			if err := holds(call); err != nil {
				yield(nil, err)
				return false
			}
		}
		return play(ctx, call, yield)
	}
}

func offering(tool assistants.ToolType) func(call *ModelCall) error {
	return func(call *ModelCall) error {
		if !Offered(tool)(call) {
			return wrongScript("The script uses the tool %q, which the run does not offer.", tool)
		}
		return nil
	}
}

// functionsOf returns the names of the functions that a call may make use of.
func functionsOf(call *ModelCall) []string {
	var names []string
	for i := range call.Tools {
		if f := call.Tools[i].Function; f != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// Do calls a function, such as one that tells a test that the call has begun.
func Do(do func(call *ModelCall)) Action {
	return func(_ context.Context, call *ModelCall, _ func(ModelEvent, error) bool) bool {
		do(call)
		return true
	}
}

// Cite writes a mark that stands for a file, such as "【4:0†handbook.md】" for handbook.md.
func Cite(fileID, fileName string) Action {
	return Yield(Citation{Mark: "【4:0†" + fileName + "】", FileID: fileID})
}

// Fail ends the call with an error that the run's last_error shows; see [ModelError].
func Fail(code, message string) Action {
	return func(_ context.Context, _ *ModelCall, yield func(ModelEvent, error) bool) bool {
		yield(nil, &ModelError{Code: code, Message: message})
		return false
	}
}

// Wait waits for some time, or until the run is cancelled or expires.
func Wait(d time.Duration) Action {
	return func(ctx context.Context, _ *ModelCall, _ func(ModelEvent, error) bool) bool {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// Until waits until something can be received from a channel or it is closed, or until the run is cancelled or expires.
func Until(released <-chan struct{}) Action {
	return func(ctx context.Context, _ *ModelCall, _ func(ModelEvent, error) bool) bool {
		select {
		case <-released:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// Respond follows the first rule that applies.
func (s *Scripted) Respond(ctx context.Context, call *ModelCall) iter.Seq2[ModelEvent, error] {
	return func(yield func(ModelEvent, error) bool) {
		actions, found := s.find(call)
		if !found {
			yield(nil, wrongScript("No rule of the script applies to this call."))
			return
		}
		call.strict, call.shown = s.strict, nil
		m := meter{call: call, yield: yield}
		if perform(ctx, call, m.pass, actions...) && m.showImages(nil) && !m.metered {
			yield(m.usage(), nil)
		}
	}
}

// perform does actions in their order and reports whether the script goes on.
func perform(ctx context.Context, call *ModelCall, yield func(ModelEvent, error) bool, actions ...Action) bool {
	for _, action := range actions {
		if !action(ctx, call, yield) {
			return false
		}
	}
	return true
}

// find returns what is to be done about a call.
func (s *Scripted) find(call *ModelCall) ([]Action, bool) {
	for i, r := range s.rules {
		if (r.Match == nil || r.Match(call)) && s.use(i) {
			return r.Actions, true
		}
	}
	return nil, false
}

// use takes one of the times that a rule is for, and reports whether there was one left.
func (s *Scripted) use(i int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if times := s.rules[i].Times; times > 0 && s.used[i] >= times {
		return false
	}
	s.used[i]++
	return true
}

// meter counts what a script yields.
type meter struct {
	call    *ModelCall
	yield   func(ModelEvent, error) bool
	written int
	metered bool // the script says itself what it costs
}

// pass yields an event, or the end if there are no tokens left for it.
func (m *meter) pass(e ModelEvent, err error) bool {
	if err != nil {
		return m.yield(e, err)
	}
	if !m.showImages(e) {
		return false
	}
	if _, said := e.(Usage); said {
		m.metered = true
	}
	cost := tokensIn(e)
	if limit := m.call.MaxCompletionTokens; limit > 0 && m.written+cost > limit {
		if m.yield(Finish(FinishLength), nil) && !m.metered {
			m.yield(m.usage(), nil)
		}
		return false
	}
	m.written += cost
	return m.yield(e, nil)
}

func (m *meter) usage() Usage {
	read := estimate(len(m.call.Instructions))
	for i := range m.call.History {
		read += tokensOf(&m.call.History[i])
	}
	return Usage{PromptTokens: read, CompletionTokens: m.written}
}

func tokensIn(e ModelEvent) int {
	switch e := e.(type) {
	case Text:
		return estimate(len(e))
	case Refusal:
		return estimate(len(e))
	case Arguments:
		return estimate(len(e))
	case CodeInput:
		return estimate(len(e))
	case FunctionCall:
		return estimate(len(e.Name) + len(e.Arguments))
	case CodeCall:
		return 1 + estimate(len(e.Input))
	}
	return 0
}
