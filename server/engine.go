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
)

// engine has the runs worked on. Each round of a run, from the queue to its end or to the outputs that it waits for, is
// one goroutine; rounds begin in the order in which they were queued. A thread has one active run at most, so none of
// them is kept waiting by the others of another thread for longer than their order demands.
type engine struct {
	server *Server
	model  Model
	places line // one for each call of the model under way
	rounds sync.WaitGroup

	mu      sync.Mutex
	threads map[string]*thread
	live    map[*run]struct{}
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
		threads: make(map[string]*thread), live: make(map[*run]struct{}),
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
	case len(e.live) >= maxLiveRuns:
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
	r.timer.Reset(max(time.Unix(int64(r.doc.ExpiresAt), 0).Sub(r.engine.now()), 0))
}

// ring is called by the timer. The clock may be another than the timer's: then it is not yet time.
func (r *run) ring() {
	r.thread.mu.Lock()
	defer r.thread.mu.Unlock()
	if !r.over && !r.settle() {
		r.timer.Reset(max(time.Unix(int64(r.doc.ExpiresAt), 0).Sub(r.engine.now()), time.Second))
	}
}

// round has the model called once, when it is the run's turn.
func (e *engine) round(r *run, t *turn) {
	defer e.places.leave(t)
	select {
	case <-t.come:
	case <-r.ctx.Done():
	}
	r.thread.mu.Lock()
	started, doc, state := r.start(), r.doc, r.state
	r.thread.mu.Unlock()
	if !started {
		return
	}
	call, ok := e.prepare(r, doc, state)
	if !ok {
		return
	}
	err := e.converse(r, call)

	r.thread.mu.Lock()
	defer r.thread.mu.Unlock()
	if !r.over {
		r.conclude(err)
	}
}

// conclude ends a round as the model left it.
func (r *run) conclude(err error) {
	switch {
	case r.settle(): // it was cancelled, or took too long
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

// prepare puts together what the model is asked, and ends the run if it cannot be asked.
func (e *engine) prepare(r *run, doc runDocument, state runState) (*ModelCall, bool) {
	call, err := e.server.modelCall(r.ctx, doc, state)
	if err == nil {
		return call, true
	}
	r.thread.mu.Lock()
	defer r.thread.mu.Unlock()
	var spent *budgetError
	switch {
	case r.over || r.settle():
	case errors.As(err, &spent):
		r.end(spent.ending)
	default:
		r.end(endFailed(e.explain(r, err)))
	}
	return nil, false
}

// converse ranges over what the model yields.
func (e *engine) converse(r *run, call *ModelCall) (err error) {
	returned := false
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the model panicked: %v\n%s", p, debug.Stack())
		} else if !returned {
			err = errors.New("the model ended its goroutine")
			r.thread.mu.Lock() // nobody else will
			defer r.thread.mu.Unlock()
			if !r.over {
				r.conclude(err)
			}
		}
	}()
	err = r.listen(e.model.Respond(r.ctx, call))
	returned = true
	return err
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
	r.thread.mu.Lock()
	defer r.thread.mu.Unlock()
	if r.over || r.settle() {
		return false, nil
	}
	if err := r.accept(event); err != nil {
		return false, err
	}
	return !r.over, nil
}

// explain returns what the caller is told about an error of a model. The log gets all of it.
func (e *engine) explain(r *run, err error) failureDetails {
	e.server.logger.LogAttrs(context.Background(), slog.LevelError, "run",
		slog.String("run_id", r.doc.ID), slog.String("cause", fmt.Sprint(err))) // whatever its method does
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

// close ends all runs that are at work, and waits for the calls of the model to return.
func (e *engine) close() error {
	e.mu.Lock()
	e.closed = true
	var live []*run
	for r := range e.live {
		live = append(live, r)
	}
	e.mu.Unlock()
	for _, r := range live {
		r.thread.mu.Lock()
		if !r.over && !r.settle() {
			r.end(endFailed(failureDetails{Code: typeServer, Message: "The server was shut down."}))
		}
		r.thread.mu.Unlock()
	}
	done := make(chan struct{})
	go func() {
		e.rounds.Wait()
		close(done)
	}()
	patience := time.NewTimer(closePatience)
	defer patience.Stop()
	select {
	case <-done:
		return nil
	case <-patience.C:
		return fmt.Errorf("server: calls of the model have not returned %v after they were told to", closePatience)
	}
}

// errRunLost is the event of a stream whose run cannot be kept any more.
func errRunLost() *apiError {
	return &apiError{kind: typeServer, message: "The server had an error while processing your request. Sorry about that!"}
}
