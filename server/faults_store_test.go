package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// brittleStore fails at some of its calls.
type brittleStore struct {
	server.Store
	mu    sync.Mutex
	calls int
	fault fault
}

// fault says which calls of a store fail, whether they do their work all the same, and whether they panic.
type fault struct {
	from, to     int // [from, to), counted from 0
	done, panics bool
}

var errDisk = errors.New("the disk is full")

// during does a call, or fails.
func (s *brittleStore) during(call func() error) error {
	s.mu.Lock()
	failing := s.fault.from <= s.calls && s.calls < s.fault.to
	done, panics := s.fault.done, s.fault.panics
	s.calls++
	s.mu.Unlock()
	if failing && panics {
		panic(errDisk)
	}
	if failing && !done {
		return errDisk
	}
	if err := call(); err != nil || !failing {
		return err
	}
	return errDisk
}

// fail counts the calls anew, of which some will fail.
func (s *brittleStore) fail(f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.fault = 0, f
}

// called returns how many calls there were since [brittleStore.fail].
func (s *brittleStore) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *brittleStore) Insert(ctx context.Context, c server.Collection, r server.Record) error {
	return s.during(func() error { return s.Store.Insert(ctx, c, r) })
}

func (s *brittleStore) Get(ctx context.Context, c server.Collection, id string) (r server.Record, err error) {
	return r, s.during(func() (err error) {
		r, err = s.Store.Get(ctx, c, id)
		return err
	})
}

func (s *brittleStore) Update(
	ctx context.Context, c server.Collection, id string, change func(server.Record) (server.Record, error),
) (r server.Record, err error) {
	return r, s.during(func() (err error) {
		r, err = s.Store.Update(ctx, c, id, change)
		return err
	})
}

func (s *brittleStore) Delete(ctx context.Context, c server.Collection, id string) error {
	return s.during(func() error { return s.Store.Delete(ctx, c, id) })
}

func (s *brittleStore) List(ctx context.Context, c server.Collection, q server.Query) (l server.Listing, err error) {
	return l, s.during(func() (err error) {
		l, err = s.Store.List(ctx, c, q)
		return err
	})
}

func (s *brittleStore) Drop(ctx context.Context, c server.Collection) error {
	return s.during(func() error { return s.Store.Drop(ctx, c) })
}

// thorough is a model that does something of each kind before and behind outputs.
func thorough() server.Model {
	return yielding(
		saying(server.Text("One."), server.CodeCall{}, server.CodeLogs("1"), server.Text("Two."), server.FunctionCall{ID: "call_a", Name: "f"}),
		saying(server.Text("Three."), server.SearchCall{}, server.Text("Four.")))
}

// converse has a run go its whole way as far as it gets, and returns the texts that its streams have shown as whole.
func (c *convo) converse(message bool) (texts []string) {
	body := `{"assistant_id":"` + c.assistant + `"}`
	if message {
		body = `{"assistant_id":"` + c.assistant + `","additional_messages":[{"role":"user","content":"More"}]}`
	}
	status, events := c.request(c.runsOf(c.thread), streaming(body)).answered()
	if status == 200 && len(events) > 1 && events[len(events)-2].name == "thread.run.requires_action" {
		more := c.openSubmit(c.thread, runID(c.t, events), outputs("", "call_a"))
		var rest []frame
		if status, rest = more.answered(); status == 200 {
			events = append(events, rest...)
		}
	}
	require.Contains(c.t, []int{200, 500}, status)
	for _, e := range events {
		if e.name == "thread.message.completed" {
			texts = append(texts, decoded[messageSeen](c.t, e.data).text(c.t))
		}
	}
	return texts
}

// texts returns what the assistant has said in the thread.
func (c *convo) texts() (texts []string) {
	for _, m := range c.messages(c.thread) {
		if m.Role == "assistant" {
			texts = append(texts, m.text(c.t))
		}
	}
	return texts
}

// A store that fails at any moment costs a run at the most. Nothing hangs, nobody is told that all is well, nothing that
// was shown is lost, and the thread goes on behind it, at the latest when the run's time is up.
func TestStoreThatFails(t *testing.T) {
	t.Parallel()
	calls := 0
	synctest.Test(t, func(t *testing.T) {
		store := &brittleStore{Store: server.NewMemoryStore()}
		c := newConvo(t, thorough(), server.WithStore(store))
		store.fail(fault{})
		require.Equal(t, []string{"One.", "Two.", "Three.", "Four."}, c.converse(true))
		calls = store.called()
	})
	require.Greater(t, calls, 30)
	for at := range calls {
		for _, f := range []fault{
			{from: at, to: at + 1}, {from: at, to: at + 1, done: true}, {from: at, to: at + 1, panics: true},
			{from: at, to: 1 << 30}, {from: at, to: 1 << 30, done: true}, {from: at, to: 1 << 30, panics: true},
		} {
			t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { testFault(t, f) })
			})
		}
	}
}

func testFault(t *testing.T, f fault) {
	store := &brittleStore{Store: server.NewMemoryStore()}
	c := newConvo(t, thorough(), server.WithStore(store))
	store.fail(f)
	seen := c.converse(true)
	store.fail(fault{})

	if c.say(c.thread) != 200 {
		pass(lifetime)
	}
	require.Equal(t, 200, c.say(c.thread))
	for _, text := range seen {
		assert.Contains(t, c.texts(), text)
	}
	pass(lifetime)
	for _, r := range c.allRuns() {
		run := c.run(c.thread, r.ID)
		assert.Contains(t, []string{"completed", "failed", "expired"}, run.Status)
		for _, s := range c.steps(c.thread, r.ID) {
			assert.NotEqual(t, "in_progress", s.Status)
		}
	}
	for _, m := range c.messages(c.thread) {
		assert.NotEqual(t, "in_progress", m.Status)
	}
	require.Equal(t, []string{"One.", "Two.", "Three.", "Four."}, c.converse(false))
}

// allRuns returns the runs of the thread, as far as a page shows them.
func (c *convo) allRuns() []runSeen {
	c.t.Helper()
	return field[[]runSeen](c.t, c.ok("GET", c.runsOf(c.thread)+"?limit=100", ""), "data")
}

// A stream whose run cannot be written down any more ends with an error, and without done.
func TestStreamOfARunThatIsLost(t *testing.T) {
	t.Parallel()
	store := &brittleStore{Store: server.NewMemoryStore()}
	on := make(chan struct{})
	c := newConvo(t, server.NewScripted(server.Otherwise(server.Say("Hel"), server.Until(on), server.Say("lo"))), server.WithStore(store))
	r := &sensor{reading: reading{t: t}, event: "thread.message.delta", do: func() {
		store.fail(fault{from: 0, to: 1 << 30})
		close(on)
	}}
	c.serve(r, &r.reading, c.runsOf(c.thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
	events := r.all()
	last := events[len(events)-1]
	require.Equal(t, "error", last.name)
	require.JSONEq(t, envelope("The server had an error while processing your request. Sorry about that! "+
		"(Please include the request ID req_3 when you report it.)", "server_error", "", ""), last.data)
	require.Equal(t, firstText("Hel"), told(t, events)[7])
	require.Contains(t, c.log.String(), errDisk.Error())
	require.False(t, slices.ContainsFunc(events, func(e frame) bool { return strings.Contains(e.data, "disk") }))
	store.fail(fault{})
	run := c.run(c.thread, runID(t, events))
	require.Equal(t, "in_progress", run.Status)
	require.Equal(t, 200, c.cancel(c.thread, run.ID).status, "nobody works at it, and it can be cancelled")
	require.Equal(t, "cancelled", c.run(c.thread, run.ID).Status)
	require.Equal(t, 200, c.say(c.thread))
}

// Requests that cannot be written down are answered as failures and leave the run as it was, or to its expiry.
func TestStoreThatFailsInActions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		model server.Model
		act   func(c *convo, run string) answer
	}{
		"submit":            {asking(), func(c *convo, run string) answer { return c.submit(c.thread, run, outputs("", "call_a")) }},
		"cancel of waiting": {asking(), func(c *convo, run string) answer { return c.cancel(c.thread, run) }},
		"cancel":            {hanging(), func(c *convo, run string) answer { return c.cancel(c.thread, run) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := range 8 {
				synctest.Test(t, func(t *testing.T) {
					store := &brittleStore{Store: server.NewMemoryStore()}
					c := newConvo(t, test.model, server.WithStore(store))
					id := c.begin(c.thread)
					synctest.Wait()
					store.fail(fault{from: at, to: at + 1})
					got := test.act(c, id)
					require.Contains(t, []int{200, 500}, got.status, got.body)
					synctest.Wait()
					store.fail(fault{})
					pass(lifetime)
					require.NotContains(t, []string{"queued", "in_progress", "requires_action", "cancelling"}, c.run(c.thread, id).Status)
					require.Equal(t, 200, c.say(c.thread))
				})
			}
		})
	}
}

// A run that was lost does not take the lock from the one that has it by now, when its own end is written down.
func TestLostRunLeavesTheLockToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &brittleStore{Store: server.NewMemoryStore()}
		c := newConvo(t, hanging(), server.WithStore(store))
		lost := c.begin(c.thread)
		synctest.Wait()
		store.fail(fault{from: 1, to: 1 << 30})
		require.Equal(t, 500, c.cancel(c.thread, lost).status)
		store.fail(fault{})
		require.Equal(t, "in_progress", c.run(c.thread, lost).Status)

		pass(lifetime)
		store.fail(fault{from: 6, to: 7}) // its end cannot be written down
		later := c.begin(c.thread)
		synctest.Wait()
		require.Equal(t, "expired", c.run(c.thread, lost).Status)
		require.Equal(t, "in_progress", c.run(c.thread, later).Status)
		require.Equal(t, 400, c.say(c.thread))
	})
}
