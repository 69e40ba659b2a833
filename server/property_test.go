package server_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// whimsical is a model of which nobody knows what it does next, except by its seed.
type whimsical struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newWhimsical(seed uint64) *whimsical { return &whimsical{rand: rand.New(rand.NewPCG(seed, 1))} }

func (w *whimsical) below(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.IntN(n)
}

func (w *whimsical) Respond(ctx context.Context, _ *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	return func(yield func(server.ModelEvent, error) bool) {
		for range w.below(8) {
			switch w.below(12) {
			case 0:
				pass(time.Duration(w.below(4000)) * time.Millisecond) // whatever the context says
			case 1, 2:
				select {
				case <-time.After(time.Duration(w.below(300)) * time.Second):
				case <-ctx.Done():
					return
				}
			case 3:
				if w.below(4) == 0 {
					yield(nil, errors.New("a whim"))
					return
				}
			case 4:
				if w.below(6) == 0 {
					panic("a whim")
				}
			default:
				for _, e := range w.doing() {
					if !yield(e, nil) {
						return
					}
				}
			}
		}
		if w.below(3) == 0 {
			yield(server.FunctionCall{Name: "f", Arguments: "{}"}, nil)
		}
	}
}

// doing is something that a model may do next, and what it costs.
func (w *whimsical) doing() []server.ModelEvent {
	cost := server.Usage{PromptTokens: w.below(10), CompletionTokens: w.below(10)}
	switch w.below(5) {
	case 0:
		return []server.ModelEvent{server.CodeCall{}, server.CodeInput("1"), server.CodeLogs("1"), cost}
	case 1:
		return []server.ModelEvent{server.SearchCall{}, server.SearchResults{{FileID: "file-a"}}, cost}
	case 2:
		return []server.ModelEvent{server.Text("ä"), server.Citation{Mark: "M", FileID: "file-a"}, cost}
	case 3:
		if w.below(4) == 0 {
			return []server.ModelEvent{server.Text("x"), cost, []server.Finish{server.FinishLength, server.FinishContentFilter, server.FinishStop}[w.below(3)]}
		}
	}
	return []server.ModelEvent{server.Text("Hello\xc3"), server.Text("\xa4"), cost}
}

// crowd is several clients of a conversation's server who do what comes to their minds.
type crowd struct {
	*convo
	w *whimsical

	mu      sync.Mutex
	threads []string
	streams []*reading
}

func (c *crowd) anyThread() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.threads[c.w.below(len(c.threads))]
}

func (c *crowd) reads(r *reading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams = append(c.streams, r)
}

// act does one thing.
func (c *crowd) act() {
	thread := c.anyThread()
	body := `{"assistant_id":"` + c.assistant + `"}`
	switch c.w.below(12) {
	case 0, 1:
		c.reads(c.request(c.runsOf(thread), streaming(body)))
	case 2:
		c.do("POST", c.runsOf(thread), body)
	case 3:
		c.say(thread)
	case 4:
		for _, run := range c.seen(thread) {
			c.cancel(thread, run.ID)
		}
	case 5, 6, 7:
		c.answer(thread)
	case 8:
		pass(time.Duration(c.w.below(100)) * time.Second)
	case 9:
		if c.w.below(4) == 0 {
			c.replace(thread)
		}
	default:
		for _, run := range c.seen(thread) {
			got := c.do("GET", c.runsOf(thread)+"/"+run.ID, "")
			assert.Contains(c.t, []int{200, 404}, got.status)
		}
	}
}

// seen returns the runs of a thread, which may be gone.
func (c *crowd) seen(thread string) []runSeen {
	got := c.do("GET", c.runsOf(thread)+"?limit=100", "")
	if got.status != 200 {
		return nil
	}
	runs := field[[]runSeen](c.t, got.body, "data")
	for _, run := range runs {
		checkRunAlone(c.t, run)
	}
	return runs
}

// checkRunAlone checks a run whose steps are not looked at, for they may go on meanwhile.
func checkRunAlone(t testing.TB, run runSeen) {
	t.Helper()
	run.Usage = nil
	if slices.Contains([]string{"completed", "incomplete", "failed", "cancelled", "expired"}, run.Status) {
		run.Usage = &usageSeen{}
	}
	checkRun(t, run, nil)
}

// answer submits what the run of a thread waits for.
func (c *crowd) answer(thread string) {
	for _, run := range c.seen(thread) {
		if ids := run.waitsFor(); len(ids) > 0 && c.w.below(2) == 0 {
			c.submit(thread, run.ID, outputs("x", ids...))
		} else if len(ids) > 0 {
			c.reads(c.openSubmit(thread, run.ID, outputs("x", ids...)))
		}
	}
}

// replace deletes a thread and makes another.
func (c *crowd) replace(thread string) {
	status := c.do("DELETE", "/v1/threads/"+thread, "").status
	assert.Contains(c.t, []int{200, 404}, status)
	if status == 200 {
		another := c.newThread()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.threads[slices.Index(c.threads, thread)] = another
	}
}

// check looks at everything when nobody does anything.
func (c *crowd) check() (ends map[string]int) {
	ends = map[string]int{}
	for _, thread := range c.threads {
		active := 0
		texts := map[string]messageSeen{}
		for _, m := range c.messages(thread) {
			texts[m.ID] = m
			assert.Equal(c.t, m.Status == "completed", m.CompletedAt != 0, "%+v", m)
			assert.Equal(c.t, m.Status == "incomplete", m.IncompleteAt != 0 && m.IncompleteDetails != nil, "%+v", m)
		}
		for _, run := range c.seen(thread) {
			ends[run.Status]++
			run, steps := c.run(thread, run.ID), c.steps(thread, run.ID)
			checkRun(c.t, run, steps)
			if run.ExpiresAt != 0 && run.Status != "expired" {
				active++
			}
			for _, s := range steps {
				if creation := s.StepDetails.MessageCreation; creation != nil {
					m := texts[creation.MessageID]
					assert.Equal(c.t, run.ID, m.RunID)
					assert.Equal(c.t, s.Status == "in_progress", m.Status == "in_progress", "%+v %+v", s, m)
				}
			}
		}
		assert.LessOrEqual(c.t, active, 1)
		want := 200
		if active > 0 {
			want = 400
		}
		assert.Equal(c.t, want, c.say(thread))
	}
	return ends
}

// Whatever clients and models do, in whatever order: runs, steps, messages, locks and streams fit together.
func TestWhateverHappens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWhimsical(seed)
				c := &crowd{convo: newConvo(t, w, server.WithMaxConcurrentCalls(3)), w: newWhimsical(seed + 1000)}
				for range 4 {
					c.threads = append(c.threads, c.newThread())
				}
				for range 3 {
					atOnce(slices.Repeat([]func(){func() {
						for range 25 {
							c.act()
						}
					}}, 5)...)
					synctest.Wait()
					c.check()
				}
				pass(2 * lifetime)
				synctest.Wait()
				ends := c.check()
				for _, status := range []string{"queued", "in_progress", "requires_action", "cancelling"} {
					require.Zero(t, ends[status], "%v", ends)
				}
				for _, r := range c.streams {
					status, _ := r.answered()
					require.Contains(t, []int{200, 400, 404}, status)
				}
			})
		})
	}
}

// eventsOf makes of bytes what a model yields in its rounds. Zero ends a round.
func eventsOf(data []byte) [][]any {
	texts := []string{"", "a", "ä", "\xc3", "\xa4", "\xff", "😀", "\xf0\x9f", "\x98\x80", "sandbox:/a"}
	rounds := [][]any{{}}
	for i, b := range data {
		s := texts[int(b>>4)%len(texts)]
		kinds := []any{
			0, server.Text(s), server.Refusal(s), server.Citation{Mark: s, FileID: s}, server.FilePath{Path: s, FileID: "file-a"},
			server.Image{FileID: s}, server.FunctionCall{ID: s, Name: "f" + s, Arguments: s}, server.Arguments(s),
			server.CodeCall{Input: s}, server.CodeInput(s), server.CodeLogs(s), server.SearchCall{Ranker: s},
			server.SearchResults{{FileID: s, Score: float64(i)}}, server.Usage{PromptTokens: int(b)}, server.State(s),
			[]any{server.FinishStop, server.FinishLength, server.FinishContentFilter, server.FinishPromptLength, server.Finish(s),
				nil, errors.New(s), &server.ModelError{Code: s, Message: s}, server.CodeImage{FileID: s}, server.FunctionCall{}}[int(b>>4)%10],
		}
		if said := kinds[b&15]; said != 0 {
			rounds[len(rounds)-1] = append(rounds[len(rounds)-1], said)
		} else {
			rounds = append(rounds, nil)
		}
	}
	return rounds
}

// Whatever a model yields, streams are legal, and add up to what is there in the end.
func FuzzModelEvents(f *testing.F) {
	for _, seed := range []string{"", "\x11\x21\x01", "\x16\x27\x17\x00\x21\x31", "\x11\x08\x09\x0a\x8f\x11", "\x0b\x0c\x31\x13\x34", "\x11\x6f", "\x36\x56", "\x41\x05\x31"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newConvo(t, yielding(eventsOf(data[:min(len(data), 64)])...))
		events := c.open(c.thread).all()
		run := c.run(c.thread, runID(t, events))
		for range 8 {
			ids := run.waitsFor()
			if len(ids) == 0 {
				break
			}
			events = append(events, c.openSubmit(c.thread, run.ID, outputs("x", ids...)).all()...)
			run = c.run(c.thread, run.ID)
		}
		if len(run.waitsFor()) > 0 {
			require.Equal(t, 200, c.cancel(c.thread, run.ID).status)
			run = c.run(c.thread, run.ID)
		}
		steps := c.steps(c.thread, run.ID)
		run.Usage = totalOf(steps) // a round without steps costs something too
		checkRun(t, run, steps)
		written := ""
		for _, m := range c.messages(c.thread)[1:] {
			written += m.text(t)
		}
		require.Equal(t, written, textOfDeltas(t, events))
		require.Equal(t, 200, c.say(c.thread))
	})
}

func totalOf(steps []stepSeen) *usageSeen {
	var total usageSeen
	for _, s := range steps {
		if s.Usage != nil {
			total.PromptTokens += s.Usage.PromptTokens
			total.CompletionTokens += s.Usage.CompletionTokens
			total.TotalTokens += s.Usage.TotalTokens
		}
	}
	return &total
}
