package assistantstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/internal/sse"
)

// A StreamChecker holds the events of one stream against the rules that clients of all vendors rely on: section 11 of
// docs/protocol.md. It takes what a server sends as it is sent, whichever server that is. The zero StreamChecker is at
// the beginning of a stream; it is not safe for concurrent use.
type StreamChecker struct {
	run     string          // the status that the last event of the run named
	final   bool            // the run has ended, or waits
	over    bool            // done or error has come
	created map[string]bool // messages and steps of this stream, by id
	message *openObject     // that is being written
	step    *openObject     // that is being made
}

// openObject is a message or a step between its first event and its last.
type openObject struct {
	id    string
	kinds []string // of its parts or calls, by index
}

// CheckStream reads a whole stream of server-sent events and returns the first violation of the rules of
// [StreamChecker], or an error of the reader.
func CheckStream(body io.Reader) error {
	var c StreamChecker
	events := sse.NewReader(body, maxEventBytes)
	for {
		event, err := events.Next()
		if errors.Is(err, io.EOF) {
			return c.End()
		}
		if err != nil {
			return err
		}
		if err := c.Event(string(event.Name), event.Data); err != nil {
			return err
		}
	}
}

// maxEventBytes is the longest line that the scanner of the official Go client takes.
const maxEventBytes = 32 << 20

// Event takes the next event and returns an error if it may not come now, or not like this.
func (c *StreamChecker) Event(name string, data []byte) error {
	if err := c.event(name, data); err != nil {
		return fmt.Errorf("event %q: %w", name, err)
	}
	return nil
}

func (c *StreamChecker) event(name string, data []byte) error {
	if c.over {
		return errors.New("it comes behind the end of the stream")
	}
	if name == "done" {
		return c.done(data)
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(data, &body); err != nil {
		return fmt.Errorf("its data is no JSON object: %w", err)
	}
	_, failed := body["error"]
	switch {
	case name == "error" && !failed:
		return errors.New("its data has no error")
	case name == "error":
		c.over, c.final = true, true
		return nil
	case failed:
		return errors.New(`its data has a key "error", which clients take for a failure`)
	case name == "thread.created":
		return object(body, "thread")
	case strings.HasPrefix(name, "thread.run.step."):
		return c.stepEvent(strings.TrimPrefix(name, "thread.run.step."), body)
	case strings.HasPrefix(name, "thread.run."):
		return c.runEvent(strings.TrimPrefix(name, "thread.run."), body)
	case strings.HasPrefix(name, "thread.message."):
		return c.messageEvent(strings.TrimPrefix(name, "thread.message."), body)
	}
	return errors.New("the protocol has no such event")
}

// done is the last event.
func (c *StreamChecker) done(data []byte) error {
	switch {
	case string(data) != "[DONE]":
		return fmt.Errorf("its data is %q", data)
	case !c.final:
		return errors.New("the run has neither ended nor does it wait")
	}
	c.over = true
	return nil
}

// End returns an error if the stream may not end where it does.
func (c *StreamChecker) End() error {
	if !c.over {
		return errors.New("the stream ends without done and without an error")
	}
	return nil
}

// nextOf are the events that may follow an event of the run; "" is the beginning of a stream, which may be that of an
// answer to submitted outputs.
var nextOf = map[string][]string{
	"":            {"created", "queued"},
	"created":     {"queued"},
	"queued":      {"in_progress", "cancelling", "cancelled", "failed", "expired"},
	"in_progress": {"requires_action", "completed", "incomplete", "failed", "cancelling", "cancelled", "expired"},
	"cancelling":  {"cancelled", "completed", "failed", "expired", "incomplete"},
}

func (c *StreamChecker) runEvent(what string, body map[string]json.RawMessage) error {
	if err := object(body, "thread.run"); err != nil {
		return err
	}
	if !slices.Contains(nextOf[c.run], what) {
		return fmt.Errorf("it follows %q", c.run)
	}
	status := what
	if what == "created" {
		status = "queued"
	}
	if got := text(body["status"]); got != status {
		return fmt.Errorf("the run's status is %q", got)
	}
	c.run = what
	switch what {
	case "created", "queued", "in_progress", "cancelling":
		return nil
	}
	c.final = true
	switch {
	case c.message != nil:
		return fmt.Errorf("message %s has not ended", c.message.id)
	case c.step != nil && what != "requires_action":
		return fmt.Errorf("step %s has not ended", c.step.id)
	case c.step == nil && what == "requires_action":
		return errors.New("no step waits for outputs")
	}
	return nil
}

func (c *StreamChecker) stepEvent(what string, body map[string]json.RawMessage) error {
	id := text(body["id"])
	if what == "delta" {
		return c.stepDelta(id, body)
	}
	if err := object(body, "thread.run.step"); err != nil {
		return err
	}
	status := what
	if what == "created" {
		status = "in_progress"
	}
	if got := text(body["status"]); got != status {
		return fmt.Errorf("the step's status is %q", got)
	}
	switch what {
	case "created":
		if c.step != nil {
			return fmt.Errorf("step %s has not ended", c.step.id)
		}
		if err := c.create(id); err != nil {
			return err
		}
		c.step = &openObject{id: id}
		return nil
	case "in_progress":
		return c.step.is(id)
	case "completed", "failed", "cancelled", "expired":
		if c.message != nil {
			return fmt.Errorf("message %s has not ended", c.message.id)
		}
		if c.step == nil { // of a step that was begun in an earlier stream
			return c.create(id)
		}
		err := c.step.is(id)
		c.step = nil
		return err
	}
	return errors.New("the protocol has no such event")
}

func (c *StreamChecker) messageEvent(what string, body map[string]json.RawMessage) error {
	id := text(body["id"])
	if what == "delta" {
		return c.messageDelta(id, body)
	}
	if err := object(body, "thread.message"); err != nil {
		return err
	}
	status := what
	if what == "created" {
		status = "in_progress"
	}
	if got := text(body["status"]); got != status {
		return fmt.Errorf("the message's status is %q", got)
	}
	switch what {
	case "created":
		switch {
		case c.message != nil:
			return fmt.Errorf("message %s has not ended", c.message.id)
		case c.step == nil:
			return errors.New("no step writes it")
		}
		if err := c.create(id); err != nil {
			return err
		}
		c.message = &openObject{id: id}
		return nil
	case "in_progress":
		return c.message.is(id)
	case "completed", "incomplete":
		err := c.message.is(id)
		c.message = nil
		return err
	}
	return errors.New("the protocol has no such event")
}

// create takes note of an id, which no other object of the stream may have.
func (c *StreamChecker) create(id string) error {
	if c.created[id] {
		return fmt.Errorf("%s was there before", id)
	}
	if c.created == nil {
		c.created = make(map[string]bool)
	}
	c.created[id] = true
	return nil
}

// is returns an error unless the object is open and has this id.
func (o *openObject) is(id string) error {
	switch {
	case o == nil:
		return errors.New("nothing has been created that it could be about")
	case o.id != id:
		return fmt.Errorf("it is about %s, and %s is open", id, o.id)
	}
	return nil
}

// delta is what the events that add to something have.
type delta struct {
	ID          *json.RawMessage `json:"id"`
	Content     []deltaItem      `json:"content"`
	StepDetails struct {
		Type      string      `json:"type"`
		ToolCalls []deltaItem `json:"tool_calls"`
	} `json:"step_details"`
}

type deltaItem struct {
	Index *int   `json:"index"`
	ID    string `json:"id"`
	Type  string `json:"type"`
}

func (c *StreamChecker) messageDelta(id string, body map[string]json.RawMessage) error {
	d, err := readDelta(body, "thread.message.delta")
	if err == nil {
		err = c.message.is(id)
	}
	if err != nil {
		return err
	}
	if len(d.Content) == 0 {
		return errors.New("it has no content")
	}
	return c.message.grow(d.Content)
}

func (c *StreamChecker) stepDelta(id string, body map[string]json.RawMessage) error {
	d, err := readDelta(body, "thread.run.step.delta")
	if err == nil {
		err = c.step.is(id)
	}
	if err != nil {
		return err
	}
	if d.StepDetails.Type != "tool_calls" {
		return fmt.Errorf("its details are of type %q", d.StepDetails.Type)
	}
	known := len(c.step.kinds)
	for _, call := range d.StepDetails.ToolCalls {
		if call.Index != nil && *call.Index >= known && call.ID == "" {
			return fmt.Errorf("call %d begins without an id", *call.Index)
		}
		if call.Index != nil && *call.Index < known && call.ID != "" {
			return fmt.Errorf("call %d has its id again, which clients append to the first", *call.Index)
		}
	}
	return c.step.grow(d.StepDetails.ToolCalls)
}

func readDelta(body map[string]json.RawMessage, kind string) (delta, error) {
	var d delta
	if err := object(body, kind); err != nil {
		return d, err
	}
	if err := json.Unmarshal(body["delta"], &d); err != nil {
		return d, fmt.Errorf("its delta cannot be read: %w", err)
	}
	if d.ID != nil {
		return d, errors.New("its delta has an id")
	}
	return d, nil
}

// maxGap is how far beyond the present end the index of an item may be.
const maxGap = 1024

// grow takes items that are new, or that are of the kind that they were before.
func (o *openObject) grow(items []deltaItem) error {
	for _, item := range items {
		if item.Index == nil || *item.Index < 0 {
			return errors.New("an item has no index")
		}
		i := *item.Index
		if i > len(o.kinds)+maxGap {
			return fmt.Errorf("index %d is too far behind the end", i)
		}
		for len(o.kinds) <= i {
			o.kinds = append(o.kinds, "")
		}
		if o.kinds[i] != "" && item.Type != "" && o.kinds[i] != item.Type {
			return fmt.Errorf("item %d is of type %q and becomes %q", i, o.kinds[i], item.Type)
		}
		if item.Type != "" {
			o.kinds[i] = item.Type
		}
	}
	return nil
}

// object returns an error unless the data is an object of a kind, with an id.
func object(body map[string]json.RawMessage, kind string) error {
	switch {
	case text(body["object"]) != kind:
		return fmt.Errorf("its object is %q", text(body["object"]))
	case text(body["id"]) == "":
		return errors.New("it has no id")
	}
	return nil
}

func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // what is no string is none of those that are looked for
	return s
}
