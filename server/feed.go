package server

import (
	"encoding/json"
	"sync"
)

// feed carries the events of a run to the one who reads its stream. The run adds to it and never waits; the reader
// takes what is there. How much can pile up is bounded by what a run may yield, and text that nobody has read yet
// grows together.
type feed struct {
	requestID   string // of the reader
	withContent bool   // show the contents of search results

	mu      sync.Mutex
	pending []event
	ended   bool
	wake    chan struct{} // holds a token if there may be something to take
}

// event is one event of a stream. Its data is either there or is made of growing text.
type event struct {
	name string
	data json.RawMessage
	growth
}

// growth is data that adds text to something: a string between two pieces of JSON.
type growth struct {
	head, tail string
	text       string
	more       []byte // text that was put together with it
}

func (e *event) render() json.RawMessage {
	if e.data != nil {
		return e.data
	}
	text := e.text + string(e.more)
	b := make([]byte, 0, len(e.head)+len(text)+len(e.tail)+2)
	b = append(b, e.head...)
	b = appendString(b, text)
	return append(b, e.tail...)
}

// Names of the events that end a stream.
const (
	eventDone  = "done"
	eventError = "error"
)

var doneData = json.RawMessage("[DONE]")

// behind is from how many unread events on text is put together.
const behind = 256

// feedFor returns the feed of a request that wants a stream; nil for one that does not.
func feedFor(c *call, given object, withContent bool) *feed {
	if string(given.get("stream")) != "true" {
		return nil
	}
	return &feed{requestID: c.id, withContent: withContent, wake: make(chan struct{}, 1)}
}

// add appends an event. Nobody may be reading: then f is nil.
func (f *feed) add(e event) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	if n := len(f.pending); n >= behind && e.data == nil {
		if last := &f.pending[n-1]; last.data == nil && last.head == e.head && last.name == e.name {
			last.more = append(last.more, e.text...)
			return
		}
	}
	f.pending = append(f.pending, e)
	f.signal()
}

// end appends the last event.
func (f *feed) end(name string, data json.RawMessage) {
	if f == nil {
		return
	}
	f.add(event{name: name, data: data})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.signal()
}

// leave is for a reader who will not take anything any more.
func (f *feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending, f.ended = nil, true
}

func (f *feed) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take returns what has come since the last time, and whether that is all there will be.
func (f *feed) take() (events []event, ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	events, f.pending = f.pending, nil
	return events, f.ended
}
