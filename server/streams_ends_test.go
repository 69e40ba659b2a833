package server_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// hanging writes something and then waits until it is told to stop.
func hanging() server.Model {
	return server.NewScripted(server.Otherwise(
		server.Yield(server.Text("Hel"), server.Usage{PromptTokens: 10, CompletionTokens: 2}), server.Wait(24*time.Hour)))
}

// hangingInCode does so in a tool step.
func hangingInCode() server.Model {
	return server.NewScripted(server.Otherwise(server.Yield(server.CodeCall{ID: "call_x"}), server.Wait(24*time.Hour)))
}

// What ends a run from outside ends its stream, with all that is open in it.
func TestStreamsEndedFromOutside(t *testing.T) {
	t.Parallel()
	closedFailure := "server_error: The server was shut down."
	for name, test := range map[string]struct {
		end  func(c *convo, run string)
		want []string // events that end the run with its message
		step string   // the last event of a tool step
	}{
		"cancelled": {func(c *convo, run string) { require.Equal(c.t, 200, c.cancel(c.thread, run).status) }, []string{
			"run.cancelling", "message.incomplete run_cancelled [" + fullText("Hel") + "]", "step.cancelled message_creation 10+2", "run.cancelled 10+2",
		}, "step.cancelled tool_calls 0+0"},
		"expired": {func(*convo, string) { pass(lifetime) }, []string{
			"message.incomplete run_expired [" + fullText("Hel") + "]", "step.expired message_creation 10+2", "run.expired 10+2",
		}, "step.expired tool_calls 0+0"},
		"thread deleted": {func(c *convo, _ string) { c.ok("DELETE", "/v1/threads/"+c.thread, "") }, []string{
			"message.incomplete run_cancelled [" + fullText("Hel") + "]", "step.cancelled message_creation 10+2", "run.cancelled 10+2",
		}, "step.cancelled tool_calls 0+0"},
		"server closed": {func(c *convo, _ string) { require.NoError(c.t, c.server.Close()) }, []string{
			"message.incomplete run_failed [" + fullText("Hel") + "]", "step.failed message_creation 10+2 " + closedFailure,
			"run.failed 10+2 " + closedFailure,
		}, "step.failed tool_calls 0+0 " + closedFailure},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConvo(t, hanging())
				r := c.open(c.thread)
				synctest.Wait()
				require.Equal(t, slices.Concat(runBegins, messageBegins, []string{firstText("Hel")}), told(t, r.soFar()))
				test.end(c, runID(t, r.soFar()))
				got := told(t, r.all())
				require.Equal(t, append(test.want, "done"), got[8:])
			})
			synctest.Test(t, func(t *testing.T) {
				c := newConvo(t, hangingInCode())
				r := c.open(c.thread)
				synctest.Wait()
				test.end(c, runID(t, r.soFar()))
				got := told(t, r.all())
				require.Equal(t, test.step+` [{"id":"call_x","type":"code_interpreter","code_interpreter":{"input":"","outputs":[]}}]`, got[len(got)-3])
			})
		})
	}
}

// The timer of a run goes off exactly when its time is up.
func TestExpiryIsOnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, hanging())
		r := c.open(c.thread)
		pass(lifetime - time.Nanosecond)
		synctest.Wait()
		require.Len(t, r.soFar(), 8)
		before := time.Now()
		r.all()
		require.Equal(t, time.Nanosecond, time.Since(before))
	})
}

// A clock that is moved counts even where the timer does not know of it: whoever looks at the run sees it expired.
func TestExpiryByTheClock(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(c *convo, run string){
		"the run":       func(c *convo, run string) { require.Equal(c.t, "expired", c.run(c.thread, run).Status) },
		"runs":          func(c *convo, run string) { c.ok("GET", c.runsOf(c.thread), "") },
		"steps":         func(c *convo, run string) { require.Equal(c.t, "expired", c.steps(c.thread, run)[0].Status) },
		"messages":      func(c *convo, run string) { require.Equal(c.t, "incomplete", c.messages(c.thread)[1].Status) },
		"a new message": func(c *convo, run string) { require.Equal(c.t, 200, c.say(c.thread)) },
		"cancel":        func(c *convo, run string) { require.Equal(c.t, 400, c.cancel(c.thread, run).status) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				clock := &clock{now: time.Unix(epoch, 0)}
				c := newConvo(t, hanging(), server.WithClock(clock.Now))
				r := c.open(c.thread)
				synctest.Wait()
				clock.move(lifetime - time.Second)
				require.Equal(t, "in_progress", c.run(c.thread, runID(t, r.soFar())).Status)
				clock.move(time.Second)
				look(c, runID(t, r.soFar()))
				require.Equal(t, []string{
					"message.incomplete run_expired [" + fullText("Hel") + "]", "step.expired message_creation 10+2", "run.expired 10+2", "done",
				}, told(t, r.all())[8:])
			})
		})
	}
}

// A run whose clock stands still does not expire, whatever the timer says, and does once the clock moves.
func TestClockThatStandsStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := &clock{now: time.Unix(epoch, 0)}
		c := newConvo(t, hanging(), server.WithClock(clock.Now))
		r := c.open(c.thread)
		pass(2 * lifetime)
		synctest.Wait()
		require.Len(t, r.soFar(), 8)
		clock.move(lifetime)
		pass(lifetime)
		r.all()
	})
}

// A run that waits for outputs has no stream, and ends at once when it is cancelled.
func TestCancelOfAWaitingRun(t *testing.T) {
	t.Parallel()
	c := newConvo(t, asking())
	id := runID(t, c.open(c.thread).all())
	got := c.cancel(c.thread, id)
	require.Equal(t, 200, got.status)
	require.Equal(t, "cancelling", field[string](t, got.body, "status"))
	run := c.run(c.thread, id)
	require.Equal(t, "cancelled", run.Status)
	require.NotZero(t, run.CancelledAt)
	require.Equal(t, "10+2", run.Usage.String())
	step := c.steps(c.thread, id)[0]
	require.Equal(t, []string{"cancelled", "10+2"}, []string{step.Status, step.Usage.String()})
	require.Equal(t, 400, c.submit(c.thread, id, outputs("", "call_a")).status)
	require.Equal(t, 400, c.cancel(c.thread, id).status)
	require.Equal(t, 200, c.say(c.thread))
}

// A run ends once: a second cancel is refused, and text behind the first is not heard.
func TestSecondCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, stubborn(server.Text("Hel"), time.Second, server.Text("lo")))
		r := c.open(c.thread)
		synctest.Wait()
		id := runID(t, r.soFar())
		require.Equal(t, 200, c.cancel(c.thread, id).status)
		require.Equal(t, "cancelling", c.run(c.thread, id).Status)
		require.Equal(t, 400, c.cancel(c.thread, id).status)
		require.Equal(t, 400, c.say(c.thread), "a run that is being cancelled locks its thread")
		begun := time.Now()
		got := told(t, r.all())
		require.Equal(t, time.Second, time.Since(begun), "when the model yields next")
		require.Equal(t, "message.incomplete run_cancelled ["+fullText("Hel")+"]", got[len(got)-4])
	})
}

// The stream of a reader who takes nothing for 30 seconds is given up, and the run goes on.
func TestReaderWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, server.NewScripted(server.Otherwise(server.Say("Hel"), server.Wait(time.Minute), server.Say("lo"))))
		r := &reading{t: t}
		c.serve(&stuck{reading: r, changed: make(chan struct{}, 1)}, r, c.runsOf(c.thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
		begun := time.Now()
		<-r.ended
		require.Equal(t, 30*time.Second, time.Since(begun))
		pass(time.Minute)
		synctest.Wait()
		require.Equal(t, "Hello", c.messages(c.thread)[1].text(t))
		require.Equal(t, 200, c.say(c.thread))
	})
}

// stuck is a connection that takes nothing before its deadline.
type stuck struct {
	*reading
	mu       sync.Mutex
	deadline time.Time
	changed  chan struct{}
}

func (s *stuck) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	return nil
}

func (s *stuck) Write([]byte) (int, error) {
	s.mu.Lock()
	deadline := s.deadline
	s.mu.Unlock()
	pass(time.Until(deadline))
	return 0, os.ErrDeadlineExceeded
}

// Over a real connection, a stream comes event by event, and a run goes on behind a reader who has gone.
func TestStreamOverAConnection(t *testing.T) {
	t.Parallel()
	on := make(chan struct{})
	c := newConvo(t, server.NewScripted(server.Otherwise(server.Say("Hel"), server.Until(on), server.Say("lo"))))
	listener := httptest.NewServer(c.handler)
	defer listener.Close()
	first := post(t, listener, c.runsOf(c.thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
	seen := untilEvent(t, first, "thread.message.delta")
	require.NoError(t, first.Body.Close()) // gone
	other := c.newThread()
	second := post(t, listener, c.runsOf(other), streaming(`{"assistant_id":"`+c.assistant+`"}`))
	untilEvent(t, second, "thread.message.delta")
	close(on)
	rest := untilEvent(t, second, "done")
	require.NoError(t, second.Body.Close())
	require.Equal(t, "thread.run.completed", rest[len(rest)-2].name)

	id := runID(t, seen)
	for c.run(c.thread, id).Status == "in_progress" {
		pass(time.Millisecond)
	}
	require.Equal(t, "completed", c.run(c.thread, id).Status)
	require.Equal(t, "Hello", c.messages(c.thread)[1].text(t))
}

func post(t *testing.T, to *httptest.Server, target, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", to.URL+target, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("OpenAI-Beta", "assistants=v2")
	got, err := to.Client().Do(r)
	require.NoError(t, err)
	require.Equal(t, 200, got.StatusCode)
	return got
}

// untilEvent reads a stream up to an event.
func untilEvent(t *testing.T, got *http.Response, name string) []frame {
	t.Helper()
	var text bytes.Buffer
	found := false
	for lines := bufio.NewReader(got.Body); ; {
		line, err := lines.ReadString('\n')
		require.NoError(t, err, "%s", &text)
		text.WriteString(line)
		found = found || line == "event: "+name+"\n"
		if found && line == "\n" {
			return framesOf(text.String())
		}
	}
}
