package chat

import (
	"errors"
	"strings"

	"github.com/assistants-go/assistants/server"
)

// live tells the caller what the provider's model says while it says it: text and refusals, which its writer writes,
// and calls of functions, one after the other. Nothing can stand between the calls and their outputs: what the model
// says behind the first of them is late, and told when the run goes on.
type live struct {
	emit   func(server.ModelEvent) error
	writer *writer
	taken  map[string]bool // ids of calls
	whole  bool            // calls are told once the answer has ended: one that is served here may have to come first
	names  map[string]bool // of the functions that the caller has

	told  int  // how many calls have gone out, and are over
	begun bool // the one behind them is going out
	sent  int  // bytes of its arguments that have gone out
	stuck bool // it was not whole when another began, which then waits for the end of the answer with all behind it

	late struct{ text, refusal strings.Builder }
}

func (a *answer) newLive() *live {
	return &live{emit: a.emit, writer: a.newWriter(), taken: a.taken, names: a.tools.names, whole: len(a.tools.own) > 0}
}

// calling tells whether a call has gone out.
func (l *live) calling() bool { return l.begun || l.told > 0 }

// write tells more text.
func (l *live) write(s string) error {
	if l.calling() {
		return l.delay(&l.late.text, s)
	}
	return l.writer.write(s)
}

// refuse tells more of a refusal.
func (l *live) refuse(s string) error {
	if l.calling() {
		return l.delay(&l.late.refusal, s)
	}
	return l.writer.refuse(s)
}

// maxLate bounds what is late, in bytes: as much as a run may yield.
const maxLate = 16 << 20

var errTooLate = errors.New("chat: the answer has too much text behind calls of functions")

func (l *live) delay(part *strings.Builder, s string) error {
	if l.late.text.Len()+l.late.refusal.Len()+len(s) > maxLate {
		return errTooLate
	}
	part.WriteString(s)
	return nil
}

// advance tells what is new of the calls, of which there is one at least.
func (l *live) advance(list []*call) error {
	for !l.whole {
		one := list[l.told]
		if one.name != "" && !l.names[one.name] { // the caller is not to see it, nor any order but that of the rest
			l.whole = true
			return nil
		}
		if err := l.tell(one); err != nil {
			return err
		}
		if !l.begun || l.stuck || len(list) == l.told+1 {
			return nil
		}
		if !one.isWhole() { // which is looked at once, since arguments may be long
			l.stuck = true
			return nil
		}
		one.over = true
		l.told, l.begun, l.sent = l.told+1, false, 0
	}
	return nil
}

// tell tells what is new of a call, once it has a name.
func (l *live) tell(one *call) error {
	if !l.begun {
		if one.name == "" {
			return nil
		}
		if err := l.writer.end(true); err != nil { // of nothing, from the second call on
			return err
		}
		l.begun = true
		if err := l.emit(server.FunctionCall{ID: one.identify(l.taken), Name: one.name}); err != nil {
			return err
		}
	}
	return l.argue(one.arguments.String())
}

// argue tells what is new of the arguments of the call that is going out.
func (l *live) argue(arguments string) error {
	more := arguments[l.sent:]
	if more == "" {
		return nil
	}
	l.sent = len(arguments)
	return l.emit(server.Arguments(more))
}

// finish tells what has not gone out of the calls of functions, once the answer has ended.
func (l *live) finish(functions []*madeCall) error {
	for i, f := range functions[l.told:] {
		var err error
		if i == 0 && l.begun {
			err = l.argue(f.Arguments)
		} else {
			err = l.emit(server.FunctionCall{ID: f.ID, Name: f.Name, Arguments: f.Arguments})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lateWords are what the provider's model has said behind calls of functions, which the next round of the run begins
// with.
type lateWords struct {
	Text    string `json:"text,omitzero"`
	Refusal string `json:"refusal,omitzero"`
}

// lateWords returns what is to be told later. White space is nothing.
func (l *live) lateWords() (late lateWords) {
	if text := l.late.text.String(); strings.TrimSpace(text) != "" {
		late.Text = text
	}
	if refusal := l.late.refusal.String(); strings.TrimSpace(refusal) != "" {
		late.Refusal = refusal
	}
	return late
}

// tellLate tells what came behind the calls that have been answered now, as a message of its own.
func (a *answer) tellLate() error {
	late := a.late
	if late == (lateWords{}) {
		return nil
	}
	a.late = lateWords{}
	w := a.newWriter()
	if err := w.write(late.Text); err != nil {
		return err
	}
	if late.Refusal != "" {
		if err := w.refuse(late.Refusal); err != nil {
			return err
		}
	}
	if err := w.end(false); err != nil {
		return err
	}
	return a.emit(server.NewMessage{})
}
