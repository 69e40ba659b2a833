package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/assistants-go/assistants/internal/crew"
)

// engine has the runs worked on. Each round of a run, from the queue to its end or to the outputs that it waits for, is
// one goroutine; rounds begin in the order in which they were queued. A thread has one active run at most, so none of
// them is kept waiting by the others of another thread for longer than their order demands.
type engine struct {
	server *Server
	model  Model
	places line // one for each call of the model under way
	rounds crew.Crew

	mu      sync.Mutex
	threads map[string]*thread
	live    map[*run]struct{}
	maxLive int
	closed  bool
}

// Limits of the engine; see section 13 of docs/protocol.md.
const (
	runLifetime            = 600 // seconds
	defaultConcurrentCalls = 1024
	defaultContextTokens   = 128_000
	maxLiveRuns            = 100_000

	// cancelPatience is how long a model may go on with what is cancelled, and closePatience with anything when the
	// server is closed.
	cancelPatience = 2 * time.Second
	closePatience  = 5 * time.Second
)

func newEngine(s *Server, model Model, concurrentCalls int) *engine {
	return &engine{
		server: s, model: model, places: line{free: concurrentCalls},
		threads: make(map[string]*thread), live: make(map[*run]struct{}), maxLive: maxLiveRuns,
	}
}

func (e *engine) now() time.Time { return e.server.now() }

// thread is a thread that somebody has to do with. It is there as long as that is so; all others are in the store alone.
type thread struct {
	id    string
	users int // guarded by the engine

	mu  sync.Mutex
	run *run // that is at work, or nil
}

// lock returns a thread for its user alone, until unlock.
func (e *engine) lock(id string) *thread {
	e.mu.Lock()
	t := e.threads[id]
	if t == nil {
		t = &thread{id: id}
		e.threads[id] = t
	}
	t.users++
	e.mu.Unlock()
	t.mu.Lock()
	return t
}

// tryLock is lock for those who do not wait; nil: somebody else has the lock.
func (e *engine) tryLock(id string) *thread {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.threads[id]
	if t == nil {
		t = &thread{id: id}
		e.threads[id] = t
	}
	if !t.mu.TryLock() { // then it has users
		return nil
	}
	t.users++
	return t
}

func (e *engine) unlock(t *thread) {
	t.mu.Unlock()
	e.forget(t)
}

// forget ends one use of a thread.
func (e *engine) forget(t *thread) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(e.threads, t.id)
	}
}

// enter makes a run one that is at work. The caller has the thread's lock.
func (e *engine) enter(r *run) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed:
		return errClosed()
	case len(e.live) >= e.maxLive:
		return errTooManyRuns()
	}
	e.live[r] = struct{}{}
	r.thread.users++
	r.thread.run = r
	r.ctx, r.stop = context.WithCancel(context.Background())
	r.timer = time.AfterFunc(runLifetime*time.Second, r.ring)
	return nil
}

// work begins a round, in a goroutine that ends with it. A server that was closed meanwhile ends the run itself.
func (e *engine) work(r *run) {
	r.arm()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		t := e.places.join() // here, for goroutines begin in any order
		e.rounds.Go(func() { e.round(r, t) })
	}
}

// leave makes a run one that is not at work any more. The caller has the thread's lock.
func (e *engine) leave(r *run) {
	r.thread.run = nil
	e.mu.Lock()
	delete(e.live, r)
	e.mu.Unlock()
	e.forget(r.thread)
}

// arm sets the timer to the run's expiry.
func (r *run) arm() {
	r.timer.Reset(max(r.timeLeft(), 0))
}

// ring is called by the timer. The clock may be another than the timer's: then it is not yet time.
func (r *run) ring() {
	r.guard(func() {
		if !r.over && !r.settle() {
			r.timer.Reset(max(r.timeLeft(), time.Second))
		}
	})
}

// guard does something about the run, with its thread locked.
func (r *run) guard(do func()) {
	r.thread.mu.Lock()
	defer r.thread.mu.Unlock()
	r.attempt(do)
}

// attempt does something about the run. A panic of what the server was given, such as its store, costs the run and not the
// process. The caller has the thread's lock.
func (r *run) attempt(do func()) {
	defer func() {
		if p := recover(); p != nil && !r.over {
			r.collapse(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	do()
}

// round has the model called once, when it is the run's turn.
func (e *engine) round(r *run, t *turn) {
	defer e.places.leave(t)
	select {
	case <-t.come:
	case <-r.ctx.Done():
	}
	var doc runDocument
	var state runState
	started := false
	r.guard(func() {
		started = !e.shut() && r.start()
		doc, state = r.doc, r.state
	})
	if !started {
		return
	}
	err := errors.New("the model ended its goroutine") // unless it returns
	defer func() { r.guard(func() { r.conclude(err) }) }()
	err = e.converse(r, doc, state)
}

// shut tells whether the server is closed: then nothing begins any more, though places become free.
func (e *engine) shut() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

// conclude ends a round as the model left it.
func (r *run) conclude(err error) {
	var spent *budgetError
	switch {
	case r.over:
	case r.settle(): // it was cancelled, or took too long
	case errors.As(err, &spent):
		r.end(spent.ending)
	case err != nil:
		r.end(endFailed(r.engine.explain(r, err)))
	case r.finish == FinishLength:
		r.end(endLength)
	case r.finish == FinishContentFilter:
		r.end(endFiltered)
	case r.finish == FinishPromptLength:
		r.end(endPromptLength)
	case r.step.kind() == toolFunction:
		r.step.finishRune(r.feed)
		r.requireAction()
	default:
		r.end(endCompleted)
	}
}

// converse asks the model and ranges over what it yields.
func (e *engine) converse(r *run, doc runDocument, state runState) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if err := e.server.readyStores(r.ctx, doc, state); err != nil {
		return err
	}
	call, err := e.server.modelCall(r.ctx, doc, state)
	if err != nil {
		return err
	}
	return r.listen(e.model.Respond(r.ctx, call))
}

func (r *run) listen(events iter.Seq2[ModelEvent, error]) error {
	for event, err := range events {
		if err != nil {
			return err
		}
		more, err := r.hear(event)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// hear takes one event and reports whether more are wanted.
func (r *run) hear(event ModelEvent) (more bool, err error) {
	if event == nil {
		return false, errors.New("the model yielded nothing as an event")
	}
	weight := event.weight() // which panics if the event is one of the model's own making
	r.guard(func() {
		if !r.over && !r.settle() {
			err = r.accept(event, weight)
		}
		more = err == nil && !r.over
	})
	return more, err
}

// explain returns what the caller is told about an error of a model. The log gets all of it.
func (e *engine) explain(r *run, err error) failureDetails {
	e.report(r, err)
	var known *ModelError
	if !errors.As(err, &known) || known == nil {
		return failureDetails{Code: typeServer, Message: "Sorry, something went wrong."}
	}
	f := failureDetails{Code: typeServer, Message: known.Message}
	if known.Code == "rate_limit_exceeded" || known.Code == "invalid_prompt" {
		f.Code = known.Code
	}
	return f
}

// report logs why a run failed. A logger that panics is the only one to be hurt by it.
func (e *engine) report(r *run, cause error) {
	defer func() { _ = recover() }()
	e.server.logger.LogAttrs(context.Background(), slog.LevelError, "run",
		slog.String("run_id", r.doc.ID), slog.String("cause", fmt.Sprint(cause))) // whatever its method does
}

// close ends all runs that are at work, and waits for the calls of the model to return, as long as there is patience.
func (e *engine) close(patience context.Context) error {
	e.mu.Lock()
	e.closed = true
	var live []*run
	for r := range e.live {
		live = append(live, r)
	}
	e.mu.Unlock()
	for _, r := range live {
		e.rounds.Go(func() { r.guard(r.shutDown) }) // a store that hangs must not keep the others
	}
	select {
	case <-e.rounds.Idle():
		return nil
	case <-patience.Done():
		return fmt.Errorf("server: calls of the model or the store have not returned %v after they were told to", closePatience)
	}
}

// shutDown ends the run because the server is closed.
func (r *run) shutDown() {
	if !r.over && !r.settle() {
		r.end(endFailed(failureDetails{Code: typeServer, Message: "The server was shut down."}))
	}
}
