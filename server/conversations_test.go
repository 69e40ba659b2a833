package server_test

import (
	"context"
	"iter"
	"maps"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// What the tests of threads, messages and runs have in common.

// ok sends a request that is answered with status 200, and returns the body.
func (a *api) ok(method, target, body string) string {
	a.t.Helper()
	got := a.do(method, target, body)
	require.Equal(a.t, 200, got.status, "%s %s %s: %s", method, target, body, got.body)
	return got.body
}

// made creates something and returns its id.
func (a *api) made(target, body string) string {
	a.t.Helper()
	return field[string](a.t, a.ok("POST", target, body), "id")
}

// refuses sends a request that is answered with this status and body.
func (a *api) refuses(method, target, body string, status int, want string) {
	a.t.Helper()
	got := a.do(method, target, body)
	assert.Equal(a.t, status, got.status, "%s %s", method, target)
	assert.Equal(a.t, want, got.body, "%s %s", method, target)
}

// thread makes a thread in which the user has said this, and returns its address.
func (a *api) thread(said ...string) string {
	a.t.Helper()
	var messages []string
	for _, text := range said {
		messages = append(messages, `{"role":"user","content":`+quoted(text)+`}`)
	}
	return "/v1/threads/" + a.made("/v1/threads", `{"messages":[`+strings.Join(messages, ",")+`]}`)
}

// begin creates a run on a thread, waits until it cannot go on by itself, and returns its address. The caller is in a
// bubble.
func (a *api) begin(thread, body string) string {
	a.t.Helper()
	address := thread + "/runs/" + a.made(thread+"/runs", body)
	synctest.Wait()
	return address
}

// status returns the status of a run.
func (a *api) status(run string) string {
	a.t.Helper()
	return field[string](a.t, a.ok("GET", run, ""), "status")
}

// ids returns the ids of a list.
func (a *api) ids(target string) []string {
	a.t.Helper()
	ids := []string{}
	for _, item := range field[[]struct{ ID string }](a.t, a.ok("GET", target, ""), "data") {
		ids = append(ids, item.ID)
	}
	return ids
}

// later sends a request while the test goes on. The answer comes when it is whole.
func (a *api) later(ctx context.Context, target, body string, headers ...string) <-chan answer {
	done := make(chan answer, 1)
	go func() {
		r := httptest.NewRequestWithContext(ctx, "POST", target, strings.NewReader(body))
		r.Header.Set("OpenAI-Beta", "assistants=v2")
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		done <- answer{status: w.Code, header: w.Header(), body: w.Body.String()}
	}()
	return done
}

// whole returns an answer that must have come by now. The caller is in a bubble.
func whole(t *testing.T, coming <-chan answer) answer {
	t.Helper()
	synctest.Wait()
	select {
	case got := <-coming:
		return got
	default:
		require.FailNow(t, "the answer is not whole yet")
		return answer{}
	}
}

// events returns the names of the events of a stream.
func events(stream string) []string {
	var names []string
	for line := range strings.Lines(stream) {
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			names = append(names, strings.TrimSuffix(name, "\n"))
		}
	}
	return names
}

// overheard is a model that keeps what it is asked.
type overheard struct {
	model server.Model
	mu    sync.Mutex
	calls []*server.ModelCall
}

// overhear returns a model that follows the rules.
func overhear(rules ...server.Rule) *overheard {
	return &overheard{model: server.NewScripted(append(rules, server.Otherwise(server.Say("Hi.")))...)}
}

func (o *overheard) Respond(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, call)
	return o.model.Respond(ctx, call)
}

// last returns what was asked last.
func (o *overheard) last(t *testing.T) *server.ModelCall {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	require.NotEmpty(t, o.calls)
	return o.calls[len(o.calls)-1]
}

// said returns the conversation of a call: "user: Hello", "assistant: Hi.", "f({}) = 1".
func said(call *server.ModelCall) []string {
	var lines []string
	for _, turn := range call.History {
		if m := turn.Message; m != nil {
			lines = append(lines, string(m.Role)+": "+m.Text())
		}
		for _, c := range turn.ToolCalls {
			switch {
			case c.Function != nil:
				lines = append(lines, c.Function.Name+"("+c.Function.Arguments+") = "+c.Function.Output)
			case c.CodeInterpreter != nil:
				lines = append(lines, "code: "+c.CodeInterpreter.Input)
			case c.FileSearch != nil:
				lines = append(lines, "search")
			}
		}
	}
	return lines
}

// ledger is a store that knows which records it holds.
type ledger struct {
	server.Store
	mu   sync.Mutex
	held map[server.Collection]map[string]bool
}

func newLedger() *ledger {
	return &ledger{Store: server.NewMemoryStore(), held: map[server.Collection]map[string]bool{}}
}

func (l *ledger) Insert(ctx context.Context, c server.Collection, r server.Record) error {
	err := l.Store.Insert(ctx, c, r)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.held[c] == nil {
			l.held[c] = map[string]bool{}
		}
		l.held[c][r.ID] = true
	}
	return err
}

func (l *ledger) Delete(ctx context.Context, c server.Collection, id string) error {
	err := l.Store.Delete(ctx, c, id)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.held[c], id)
	}
	return err
}

func (l *ledger) Drop(ctx context.Context, c server.Collection) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, c)
	return l.Store.Drop(ctx, c)
}

// counts returns how many records there are of each kind.
func (l *ledger) counts() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := map[string]int{}
	for c, ids := range l.held {
		counts[c.Kind] += len(ids)
	}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
	return counts
}
