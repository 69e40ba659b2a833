package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// maxRounds is how often in one answer the provider's model may use the tools that are served here. After that it may
// use none, so that it has to answer.
const maxRounds = 8

// maxServed is how many calls are served here of those that are made at once. The rest is refused.
const maxServed = 32

// errStopped says that nobody wants to hear more.
var errStopped = errors.New("chat: the caller has stopped")

// answer is one call of the model at work.
type answer struct {
	model *Model
	call  *server.ModelCall
	yield func(server.ModelEvent) bool

	tools     tools
	messages  []message
	codeFiles []CodeFile

	exchanges []exchange        // of the run, oldest first
	partial   bool              // the history of the run does not say all that they do
	late      lateWords         // of the last of them
	taken     map[string]bool   // ids of calls
	marks     marks             // of results of searches
	files     map[string]string // that code has made: their ids by path
	logged    int               // bytes that code has printed in the run

	asked                      int // how often the provider was
	promptLeft, completionLeft int // of the budgets; 0 is no limit
	owed                       *usage
}

// exchange is what the provider's model has said at once before it had to be asked again.
type exchange struct {
	Text  string     `json:"text,omitzero"`
	Calls []madeCall `json:"calls"`
}

// madeCall is a call of a function as the provider's model has made it.
type madeCall struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`

	// What came of it: the number of a search, whose results are in the history of the run, or any other text. It has
	// neither if the history says all.
	Place  int    `json:"place,omitzero"`
	Result string `json:"result,omitzero"`

	found []assistants.FileSearchResult // by a search that the history does not have yet
}

func newAnswer(m *Model, call *server.ModelCall, yield func(server.ModelEvent) bool) *answer {
	return &answer{
		model: m, call: call, yield: yield, taken: map[string]bool{}, files: map[string]string{},
		promptLeft: call.MaxPromptTokens, completionLeft: call.MaxCompletionTokens,
	}
}

// give answers.
func (a *answer) give(ctx context.Context) error {
	if err := a.prepare(ctx); err != nil {
		return err
	}
	if err := a.tellLate(); err != nil {
		return err
	}
	for ; ; a.asked++ {
		last := a.asked == maxRounds
		c, err := a.complete(ctx, a.request(last))
		if c != nil {
			a.owed = c.usage
		}
		if err != nil {
			return a.fail(err)
		}
		again, err := a.conclude(ctx, c, last)
		if err != nil {
			return err
		}
		if !again {
			return a.keep()
		}
	}
}

// emit yields an event.
func (a *answer) emit(e server.ModelEvent) error {
	if !a.yield(e) {
		return errStopped
	}
	return nil
}

// book says what the provider has used, once.
func (a *answer) book() error {
	if a.owed == nil {
		return nil
	}
	said := a.owed.event()
	a.owed = nil
	return a.emit(said)
}

// fail returns the error that the answer ends with, once what it has used is booked.
func (a *answer) fail(err error) error {
	if errors.Is(err, errStopped) {
		return err
	}
	return cmp.Or(a.book(), err)
}

// conclude does what the provider's model has said shall be done, and reports whether it is to be asked again.
func (a *answer) conclude(ctx context.Context, c *completion, last bool) (again bool, err error) {
	said := exchange{Text: c.said(), Calls: c.calls.made(a.taken)}
	own, functions := a.tools.sorted(said.Calls)
	how := c.outcome()
	if how == server.FinishStop && len(own) > 0 {
		how = a.spend(c.usage)
	}
	switch {
	case how != server.FinishStop: // what is cut is not run
		own = nil
	case last && len(own) > 0:
		if said.Text == "" && len(functions) == 0 {
			return false, a.fail(provider.Reported("", "The model went on using tools and did not answer."))
		}
		said.Calls = slices.DeleteFunc(said.Calls, func(c madeCall) bool { return !a.tools.names[c.Name] })
		own, functions = a.tools.sorted(said.Calls)
	}
	if err := a.serveAll(ctx, own, len(functions) == 0); err != nil {
		return false, a.fail(err)
	}
	if err := c.live.finish(functions); err != nil {
		return false, err
	}
	if err := a.book(); err != nil {
		return false, err
	}
	if how != server.FinishStop {
		return false, a.emit(how) // what is late is lost, as is what would have followed: the run does not go on
	}
	if len(said.Calls) == 0 {
		return false, nil
	}
	a.exchanges = append(a.exchanges, said)
	if len(functions) > 0 {
		a.late = c.live.lateWords()
		a.partial = a.partial || a.late != (lateWords{})
		return false, nil // their outputs are for the caller to bring
	}
	a.messages = append(a.messages, said.messages(nil)...)
	if said.Text == "" {
		return true, nil
	}
	return true, a.emit(server.NewMessage{}) // of which the caller may see nothing else: not all calls are steps
}

// serveAll answers calls here. If alone, what the provider has used is booked on the last one's step.
func (a *answer) serveAll(ctx context.Context, own []*madeCall, alone bool) error {
	for n, one := range own {
		a.partial = true
		if n >= maxServed {
			one.Result = "Too many calls at once."
		} else if err := a.serve(ctx, one, alone && n == len(own)-1); err != nil {
			return err
		}
	}
	return nil
}

// serve answers a call of a tool that is served here, or of a function that nobody has.
func (a *answer) serve(ctx context.Context, c *madeCall, last bool) error {
	book := func() error { return nil }
	if last {
		book = a.book
	}
	switch c.Name {
	case a.tools.search:
		return a.search(ctx, c, book)
	case a.tools.code:
		return a.runCode(ctx, c, book)
	}
	c.Result = "There is no such function."
	return book()
}

// spend takes what was used from the budgets, and tells whether something is left for another request.
func (a *answer) spend(u *usage) server.Finish {
	if u == nil {
		return server.FinishStop
	}
	if a.completionLeft > 0 {
		if a.completionLeft -= u.CompletionTokens.Int(); a.completionLeft <= 0 {
			return server.FinishLength
		}
	}
	if a.promptLeft > 0 {
		if a.promptLeft -= u.PromptTokens.Int(); a.promptLeft <= 0 {
			return server.FinishPromptLength
		}
	}
	return server.FinishStop
}

// state is what the model wants to be given back in the next round of the run: what the provider's model has said,
// so that it sees the same again though it used tools that are served here, or wrote behind calls of functions; and
// what of that the caller has not been told.
type state struct {
	Exchanges []exchange        `json:"chat_exchanges"`
	Files     map[string]string `json:"files,omitzero"`
	Late      lateWords         `json:"late,omitzero"`
}

// keep yields what the next round of the run needs, unless the history says it all.
func (a *answer) keep() error {
	if !a.partial {
		return nil
	}
	data, err := json.Marshal(state{a.exchanges, a.files, a.late})
	if err != nil {
		return err
	}
	return a.emit(server.State(data))
}
