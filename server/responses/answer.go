package responses

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// An answer is being read. Its items may come interleaved; what they say goes out one item after the other. Behind
// calls of functions nothing else can go out: what comes there is late.
type answer struct {
	*question
	ctx    context.Context
	emit   func(server.ModelEvent) error
	redact func(string) string

	items     []*output           // in the order in which they came
	at        map[int]*output     // by their index in the output, the newest of each
	unplaced  int                 // how many of them have said no index
	open      *output             // whose events go out at once; nil: none
	held      int                 // bytes that wait, or are kept
	spoke     bool                // an event has gone out
	calling   bool                // a call of a function has gone out
	ids       map[string]bool     // of calls of functions
	container string              // that code has run in
	fetched   map[madeFile]string // files of ours that are what code has made
	marks     marks
}

// A madeFile is a file in a container.
type madeFile struct{ containerID, fileID string }

// An output is an item of the answer, as far as it has come.
type output struct {
	index    int
	unplaced bool   // nobody has said the index so far: it is behind all others
	id       string // the provider's
	kind     string
	headed   bool // its beginning or its end has come, not only more of it
	late     bool // it cannot go out, for it is behind calls of functions: only as a whole is it kept
	begun    bool // its first event is made
	done     bool // nothing more of it counts
	waiting  []server.ModelEvent
	parts    map[int]*textPart // of a message
	text     growing           // code, or arguments
	callID   string            // of a function
	name     string
	raw      json.RawMessage // as it came whole
}

// maxHeld bounds what of an answer is kept in memory, as much as a run may yield.
const maxHeld = 16 << 20

// perItem is what an item or a part counts besides its text, and perEvent what an event that waits does.
const (
	perItem  = 1024
	perEvent = 32
)

var errTooMuch = errors.New("responses: the answer is larger than a run may be")

// hold counts what is kept.
func (a *answer) hold(bytes int) error {
	if a.held += bytes; a.held > maxHeld {
		return errTooMuch
	}
	return nil
}

// read reads a stream to the answer's end. A stream that ends before is broken.
func (a *answer) read(stream *provider.Stream) error {
	var e event
	for {
		data, err := stream.Next()
		switch {
		case err == io.EOF:
			return provider.Broken(io.ErrUnexpectedEOF)
		case err != nil:
			return err
		}
		if err := e.decode(data); err != nil {
			return err
		}
		if over, err := a.take(&e, data); over || err != nil {
			return err
		}
	}
}

// take takes one event, which is data decoded, and tells whether it is the last one.
func (a *answer) take(e *event, data []byte) (over bool, err error) {
	switch e.Type {
	case eventText:
		err = a.addText(e)
	case eventRefusal:
		err = a.addRefusal(e)
	case eventArguments:
		err = a.grow(e, itemFunction)
	case eventCode:
		err = a.grow(e, itemCode)
	case eventAnnotation:
		err = a.addAnnotation(e)
	case eventItemAdded:
		err = a.beginItem(e)
	case eventItemDone:
		err = a.finishItem(e)
	case eventCompleted, eventIncomplete, eventFailed:
		return true, a.end(e.Response, strings.TrimPrefix(string(e.Type), "response."))
	case eventError, "":
		if e.Error == nil && e.Type == eventError {
			e.Error = new(reported)
			err = json.Unmarshal(data, e.Error)
		}
		if e.Error != nil {
			return true, a.reported(e.Error)
		}
	}
	return false, err
}

func (a *answer) reported(r *reported) error {
	return provider.Reported(r.code, a.redact(r.message))
}

// beginItem takes an item that begins.
func (a *answer) beginItem(e *event) error {
	it, err := decodeItem(e.Item)
	if err != nil {
		return err
	}
	o := a.find(int(e.OutputIndex), string(it.Type), string(it.ID), func(o *output) bool {
		return o.is(&it) || !o.headed && !o.done
	})
	if o == nil {
		o, err = a.place(int(e.OutputIndex), string(it.Type))
	}
	if err != nil || o.done {
		return err
	}
	return a.learn(o, &it)
}

// is tells whether an item that comes again is this one.
func (o *output) is(it *item) bool {
	if o.id == "" || it.ID == "" {
		return o.callID != "" && o.callID == string(it.CallID)
	}
	return o.id == string(it.ID)
}

// find returns the item of a kind that an event is about; nil if there is none, so that it is a new one. The index
// says which, unless the item has fallen out of its place: then the id does, and without an id it is the newest one.
// What is found must fit.
func (a *answer) find(index int, kind, id string, fits func(*output) bool) *output {
	if o := a.at[index]; index != unplaced {
		if o != nil && o.kind == kind && fits(o) {
			return o
		}
		if a.unplaced == 0 {
			return nil
		}
	}
	for _, named := range []bool{true, false} {
		for _, o := range slices.Backward(a.items) {
			could := o.id == id && id != ""
			if !named {
				could = o.id == "" || id == ""
			}
			if could && o.kind == kind && (o.unplaced || index == unplaced) && fits(o) {
				a.settle(o, index)
				return o
			}
		}
	}
	return nil
}

// settle puts an item in its place once something has said which that is.
func (a *answer) settle(o *output, index int) {
	if o.unplaced && index != unplaced {
		o.index, o.unplaced = index, false
		a.at[index] = o
		a.unplaced--
	}
}

// itemOf returns the item that an event brings more of, begun; nil if nothing more of it counts.
func (a *answer) itemOf(e *event, kind string) (*output, error) {
	o := a.find(int(e.OutputIndex), kind, e.itemID, func(*output) bool { return true })
	if o == nil {
		var err error
		if o, err = a.place(int(e.OutputIndex), kind); err != nil {
			return nil, err
		}
		o.id = e.itemID
	}
	if o.done || o.late {
		return nil, nil
	}
	return o, a.start(o)
}

// place has a new item at an index. Some servers give all items the same one: what was there is complete when the
// response is.
func (a *answer) place(index int, kind string) (*output, error) {
	if err := a.hold(perItem); err != nil {
		return nil, err
	}
	o := &output{index: index, kind: kind, late: a.calling && known(kind) && kind != itemFunction}
	if a.at == nil {
		a.at = make(map[int]*output)
	}
	if index == unplaced {
		o.index, o.unplaced = math.MaxInt, true
		a.unplaced++
	} else {
		a.at[index] = o
	}
	a.items = append(a.items, o)
	if a.open == nil && a.mayFollow(kind) {
		a.open = o
	}
	return o, nil
}

// learn takes what an item says at its beginning, which it does once.
func (a *answer) learn(o *output, head *item) error {
	o.headed = true
	o.id = cmp.Or(o.id, string(head.ID))
	if o.kind == itemFunction {
		o.name = cmp.Or(o.name, string(head.Name))
		o.callID = cmp.Or(o.callID, string(head.CallID))
	}
	if head.ContainerID != "" && a.session != nil && a.container == "" {
		a.container = string(head.ContainerID)
		if err := a.model.copies.keep(a.ctx, a.call, a.container, a.session); err != nil {
			return err
		}
	}
	return a.start(o)
}

// mayFollow tells whether an item of a kind can go out now.
func (a *answer) mayFollow(kind string) bool {
	return kind == itemFunction || known(kind) && !a.calling
}

// start makes the first event of an item. That of a function waits for its name and its id.
func (a *answer) start(o *output) error {
	if o.begun || o.late || o.kind == itemFunction && (o.name == "" || o.callID == "") {
		return nil
	}
	o.begun = true
	switch o.kind {
	case itemFunction:
		return a.say(o, a.callOf(o))
	case itemMessage:
		return a.say(o, server.NewMessage{})
	case itemCode:
		return a.say(o, server.CodeCall{})
	case itemSearch:
		a.marks.searches++
		return a.say(o, a.search)
	}
	return nil
}

// say has an event go out, or wait until it is the item's turn.
func (a *answer) say(o *output, e server.ModelEvent) error {
	if o == a.open {
		return a.tell(e)
	}
	o.waiting = append(o.waiting, e)
	return a.hold(perEvent + textIn(e))
}

// tell has an event go out.
func (a *answer) tell(e server.ModelEvent) error {
	a.spoke = true
	if _, ok := e.(server.FunctionCall); ok && !a.calling {
		a.calling = true
		a.leaveBehind()
	}
	return a.emit(e)
}

// leaveBehind makes late what has begun, and has not gone out, when the first call of a function does.
func (a *answer) leaveBehind() {
	for _, o := range a.items {
		if known(o.kind) && o.kind != itemFunction && (len(o.waiting) > 0 || !o.done) {
			o.late, o.waiting = true, nil
		}
	}
}

// textIn is how much text is in an event that waits.
func textIn(e server.ModelEvent) int {
	switch e := e.(type) {
	case server.Text:
		return len(e)
	case server.Refusal:
		return len(e)
	case server.CodeInput:
		return len(e)
	case server.Arguments:
		return len(e)
	case server.CodeLogs:
		return len(e)
	case server.FunctionCall:
		return perItem + len(e.Arguments)
	case server.SearchResults:
		n := len(e) * perItem
		for i := range e {
			for j := range e[i].Content {
				n += len(e[i].Content[j].Text)
			}
		}
		return n
	}
	return perItem
}

// advance has the next item go out, once the open one is done, and all behind it that are done too.
func (a *answer) advance() error {
	for a.open == nil || a.open.done {
		next := a.next()
		if a.open = next; next == nil {
			return nil
		}
		waiting := next.waiting
		next.waiting = nil
		for _, e := range waiting {
			if err := a.tell(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// next returns the first item that has something to say, functions last.
func (a *answer) next() (first *output) {
	for _, o := range a.items {
		if len(o.waiting) > 0 && a.mayFollow(o.kind) && (first == nil || o.isBefore(first)) {
			first = o
		}
	}
	return first
}

func (o *output) isBefore(other *output) bool {
	if mine, theirs := o.kind == itemFunction, other.kind == itemFunction; mine != theirs {
		return theirs
	}
	return o.index < other.index
}

// grow takes more code, or more arguments.
func (a *answer) grow(e *event, kind string) error {
	o, err := a.itemOf(e, kind)
	if err != nil || o == nil {
		return err
	}
	return a.write(o, o.text.next(e.Delta))
}

func (a *answer) write(o *output, text string) error {
	o.text.come = append(o.text.come, text...)
	if err := a.hold(len(text)); err != nil || text == "" {
		return err
	}
	switch {
	case o.kind == itemCode:
		return a.say(o, server.CodeInput(text))
	case o.kind == itemFunction && o.begun:
		return a.say(o, server.Arguments(text))
	}
	return nil
}

// finishItem takes an item that is done, whole.
func (a *answer) finishItem(e *event) error {
	it, err := decodeItem(e.Item)
	if err != nil {
		return err
	}
	o := a.find(int(e.OutputIndex), string(it.Type), string(it.ID), func(o *output) bool { return !o.done || o.is(&it) })
	if o == nil {
		if o, err = a.place(int(e.OutputIndex), string(it.Type)); err != nil {
			return err
		}
	}
	return a.complete(o, &it, e.Item)
}

// complete takes what of an item has not come yet, and ends it.
func (a *answer) complete(o *output, it *item, raw json.RawMessage) error {
	if o.done {
		return nil
	}
	if err := a.hold(len(raw)); err != nil {
		return err
	}
	if err := a.learn(o, it); err != nil {
		return err
	}
	o.raw = raw
	if o.kind == itemFunction && o.begun && string(it.CallID) != o.callID {
		o.raw = renamed(raw, o.callID)
	}
	if !o.late {
		if err := a.fill(o, it); err != nil {
			return err
		}
	}
	if o.done = true; o == a.open {
		return a.advance()
	}
	return nil
}

// fill takes what of an item's content has not come yet.
func (a *answer) fill(o *output, it *item) error {
	switch o.kind {
	case itemMessage:
		return a.completeMessage(o, it.Content)
	case itemFunction:
		if err := a.write(o, o.text.rest(it.Arguments.Whole())); err != nil {
			return err
		}
		return a.finishCall(o)
	case itemCode:
		if err := a.write(o, o.text.rest(it.Code.Whole())); err != nil {
			return err
		}
		return a.addOutputs(o, it.Outputs)
	case itemSearch:
		return a.addResults(o, it.Results)
	}
	return nil
}

// sorted are the items of the answer in the order of the output.
func (a *answer) sorted() []*output {
	all := slices.Clone(a.items)
	slices.SortStableFunc(all, func(x, y *output) int { return cmp.Compare(x.index, y.index) })
	return all
}
