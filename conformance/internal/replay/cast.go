package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"sync"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A cast is the model of a stage: for each run it plays the recorded one. What a caller saw while a run was at work
// depends on when he looked, so runs are held where the next exchange shows them. One call of the model is made at a
// time: while an understudy has the place, a run stays queued.
type cast struct {
	stage  *stage
	plots  map[string]*played
	posted map[string]bool // messages that have requests of their own

	mu         sync.Mutex
	failed     error // of the store from now on; nil: none
	changed    *sync.Cond
	understudy chan struct{} // closed when it shall leave; nil if there is none
	entered    bool          // it has the place
	said, read int           // events of the stream that is being read: that the model has yielded, and that were read
}

// played is a plot on its way.
type played struct {
	*plot
	last *recording.Exchange // that is about it

	there   bool // the run has been made
	round   int  // that is being played or queued
	working bool // the model has been called
	allowed int  // how many items it may play; one more than there are lets the round end
	done    int  // how many it has played
	resting bool // the run waits for outputs, or has ended
}

// understudyID is an assistant that the store has whenever it is asked for by name, and never lists.
const understudyID = "asst_understudy"

const submitOperation = "submitToolOuputsToRun"

// patience is how long a run may take to get where it is told to: it needs no time, but for what the machine does
// meanwhile.
const patience = 10 * time.Second

func newCast(s *stage, exchanges []*recording.Exchange) (*cast, error) {
	c := &cast{stage: s, plots: make(map[string]*played), posted: make(map[string]bool)}
	c.changed = sync.NewCond(&c.mu)
	for id, run := range s.seen.runs {
		if len(run.states) == 0 {
			continue
		}
		p, err := plotOf(run)
		if err != nil {
			return nil, err
		}
		c.plots[id] = &played{plot: p}
	}
	for _, e := range exchanges {
		if op, _ := Find(e.Method, e.Path); op != nil && op.ID == "createMessage" {
			for _, id := range mintedIDs(e) {
				c.posted[id] = true
			}
		}
		for _, p := range c.plots {
			if p.mentionedBy(e) {
				p.last = e
			}
		}
	}
	return c, nil
}

// respond is the model.
func (c *cast) respond(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	if call.AssistantID == understudyID {
		return c.wait(ctx)
	}
	return func(yield func(server.ModelEvent, error) bool) {
		p := c.enter(call)
		if p == nil {
			yield(nil, fmt.Errorf("nothing was recorded of round %d of %s", call.Round, call.RunID))
			return
		}
		r := &p.rounds[call.Round]
		for i := range r.items {
			if !c.allowed(ctx, p, i) || !c.play(ctx, p, r, i, yield) {
				return
			}
		}
		if !c.allowed(ctx, p, len(r.items)) {
			return
		}
		c.stage.setClock(append(r.closing(len(r.items)-1), r.ends)...)
		for _, e := range r.last {
			if !yield(e, nil) {
				return
			}
		}
		switch {
		case r.fails != nil:
			yield(nil, r.fails)
		case r.breaks:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.failed = errors.New("the store is full")
		}
	}
}

// wait is the understudy's part: it has the place until it is told to leave.
func (c *cast) wait(ctx context.Context) iter.Seq2[server.ModelEvent, error] {
	return func(func(server.ModelEvent, error) bool) {
		c.mu.Lock()
		leave := c.understudy
		c.entered = true
		c.changed.Broadcast()
		c.mu.Unlock()
		select {
		case <-leave:
		case <-ctx.Done():
		}
	}
}

// enter notes that the model has been called for a run.
func (c *cast) enter(call *server.ModelCall) *played {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.plots[call.RunID]
	if p == nil || call.Round >= len(p.rounds) {
		return nil
	}
	p.working = true
	c.changed.Broadcast()
	return p
}

// allowed waits until an item may be played, and reports whether there is still a run that it is played for.
func (c *cast) allowed(ctx context.Context, p *played, item int) bool {
	return c.until(ctx, func() bool { return p.allowed > item || p.rounds[p.round].streamed })
}

// until waits until something is so, and reports whether there is still a run that it is so for.
func (c *cast) until(ctx context.Context, so func() bool) bool {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for ctx.Err() == nil && !so() {
		c.changed.Wait()
	}
	return ctx.Err() == nil
}

// play plays one item, whose beginning is the end of the one before.
func (c *cast) play(ctx context.Context, p *played, r *round, i int, yield func(server.ModelEvent, error) bool) bool {
	it := &r.items[i]
	c.stage.nextIDs(it.messageID, it.stepID)
	c.stage.setClock(append(r.closing(i-1), it.starts)...)
	for _, e := range it.events {
		if r.streamed && !c.pace(ctx) || !yield(e, nil) {
			return false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.done++
	c.changed.Broadcast()
	return true
}

// made notes that there is a run.
func (c *cast) made(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.plots[id]; p != nil {
		p.there = true
		c.stage.setClock(p.rounds[0].starts)
	}
}

// collapsed notes that a run cannot be written down, as the plot has it.
func (c *cast) collapsed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		for _, p := range c.plots {
			p.resting = p.resting || p.working
		}
		c.changed.Broadcast()
	}
	return c.failed
}

// changedTo notes what has become of a run.
func (c *cast) changedTo(id string, status assistants.RunStatus) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.plots[id]
	switch {
	case p == nil:
	case status == assistants.RunQueued: // it goes on behind outputs
		p.round, p.working, p.resting, p.allowed, p.done = p.round+1, false, false, 0, 0
		if p.round < len(p.rounds) {
			c.stage.setClock(p.rounds[p.round].starts)
		}
	case status == assistants.RunRequiresAction || status.Terminal():
		p.resting = true
	}
	c.changed.Broadcast()
}

// await waits until something is so.
func (c *cast) await(what string, so func() bool) error {
	late := false
	timer := time.AfterFunc(patience, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		late = true
		c.changed.Broadcast()
	})
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !so() {
		if late {
			return fmt.Errorf("the server did not get there: %s", what)
		}
		c.changed.Wait()
	}
	return nil
}

// occupy gives the place to the understudy.
func (c *cast) occupy() error {
	c.mu.Lock()
	if c.understudy != nil {
		c.mu.Unlock()
		return nil
	}
	c.understudy, c.entered = make(chan struct{}), false
	c.mu.Unlock()
	body := sentBody{"application/json", []byte(`{"assistant_id":"` + understudyID + `"}`)}
	_, answer := c.stage.request(http.MethodPost, "/v1/threads/runs", body, "assistants=v2", validKey)
	if answer.Code != http.StatusOK {
		return fmt.Errorf("the understudy was refused: %s", answer.Body)
	}
	return c.await("the place is still taken by another run", func() bool { return c.entered })
}

// leave has the understudy give the place up.
func (c *cast) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.understudy != nil {
		close(c.understudy)
		c.understudy = nil
	}
}

// playing is the round that a run plays or is queued for; nil if it is not there, waits, or has ended.
func (c *cast) playing(p *played) *round {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !p.there || p.resting || p.round >= len(p.rounds) {
		return nil
	}
	return &p.rounds[p.round]
}

// advance brings runs to where an exchange shows them, before it is made again.
func (c *cast) advance(op *Operation, e *recording.Exchange) error {
	for id, p := range c.plots {
		r := c.playing(p)
		if r == nil {
			continue
		}
		if items := p.shownBy(op, e, r); items >= 0 {
			if err := c.bring(p, r, items); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
		}
	}
	return nil
}

// bring has a run play so many items. One more than there are is the end of the round.
func (c *cast) bring(p *played, r *round, items int) error {
	c.mu.Lock()
	p.allowed = max(p.allowed, items)
	c.changed.Broadcast()
	c.mu.Unlock()
	c.leave()
	if items > len(r.items) {
		return c.await("the run is still at work", func() bool { return p.resting })
	}
	return c.await("the run is still on its way", func() bool { return p.resting || p.working && p.done >= items })
}

// finish lets runs end that no other exchange is about.
func (c *cast) finish(e *recording.Exchange) error {
	for _, p := range c.plots {
		if r := c.playing(p); r != nil && p.last == e {
			if err := c.bring(p, r, len(r.items)+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// shownBy returns how many items of a round an exchange shows, one more than there are if the round is over, and -1 if
// the round has not begun or if the exchange does not say.
func (p *played) shownBy(op *Operation, e *recording.Exchange, r *round) int {
	items, all := -1, len(r.items)+1
	switch {
	case e.Status != http.StatusOK || op.Creates:
		return items
	case op.ID == submitOperation && mentions(e, p.id):
		return all
	}
	for _, object := range objectsIn(e) {
		var seen struct {
			ID, Object, Status string
			RunID              string `json:"run_id"`
			StartedAt          int64  `json:"started_at"`
		}
		if json.Unmarshal(object, &seen) != nil {
			continue
		}
		status := assistants.RunStatus(seen.Status)
		switch place := r.place(seen.ID); {
		case seen.Object == "thread.run" && seen.ID == p.id:
			if status == assistants.RunRequiresAction || status.Terminal() {
				return all
			}
			if seen.StartedAt != 0 && seen.StartedAt == r.starts {
				items = max(items, 0)
			}
		case seen.RunID != p.id:
		case place == len(r.items)-1 && status == assistants.RunCompleted:
			return all
		default:
			items = max(items, place+1)
		}
	}
	return items
}

// submittedAt is when the step was completed that got its outputs with an exchange; 0 if nobody saw it.
func (c *cast) submittedAt(e *recording.Exchange) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.plots[lastRun(e).ID]
	if p == nil || p.round >= len(p.rounds) {
		return 0
	}
	items := p.rounds[p.round].items
	if step := c.stage.seen.runs[p.id].step(items[len(items)-1].stepID); step != nil {
		return int64(step.CompletedAt)
	}
	return 0
}

// cancelledAt is when a run was cancelled that an exchange is about; 0 if nobody saw it.
func (c *cast) cancelledAt(e *recording.Exchange) int64 {
	if run := c.stage.seen.runs[lastRun(e).ID]; run != nil && len(run.states) > 0 {
		return int64(run.end().CancelledAt)
	}
	return 0
}

// notPosted are the ids of a thread's messages that came into it when it was made.
func (c *cast) notPosted(threadID string) []string {
	var ids []string
	for _, m := range c.stage.seen.written[threadID] {
		if !c.posted[m.ID] {
			ids = append(ids, m.ID)
		}
	}
	return ids
}
