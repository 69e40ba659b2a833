package server

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// run is a run at work: queued, in progress or being cancelled. This file is its state machine, and the only place where
// the status of a run changes, where its timestamps are set and where its run events are made; section 10 of
// docs/protocol.md. A run that waits for outputs is at rest in the store, and so is one that has ended.
//
// The lock of the thread guards all of it.
type run struct {
	engine *engine
	thread *thread
	doc    runDocument
	state  runState

	step      *step  // that is open; nil between steps
	stepUsage usage  // said since the last step was closed
	finish    Finish // what the model has said about its end
	latest    moment // of all that has happened to it
	feed      *feed  // nil: nobody reads
	over      bool   // it has ended, or rests, or was given up
	lost      bool   // it could not be written down

	ended json.RawMessage // the document of a run that had ended when it was looked up

	ctx   context.Context // of the model's call
	stop  context.CancelFunc
	timer *time.Timer // of its expiry, and of the patience with a model that does not stop
}

// ending is how a run ends, and all that is open in it.
type ending struct {
	status  string
	step    string          // what becomes of an open step
	message string          // why an open message is incomplete; "": it is complete
	reason  string          // why the run is incomplete
	failure *failureDetails // of the run and its step
}

var (
	endCompleted = ending{status: statusCompleted, step: statusCompleted}
	endCancelled = ending{status: statusCancelled, step: statusCancelled, message: "run_cancelled"}
	endExpired   = ending{status: statusExpired, step: statusExpired, message: "run_expired"}

	// That the step of a cut message is completed is known; section 10.4 of docs/protocol.md.
	endLength       = ending{status: statusIncomplete, step: statusCompleted, message: "max_tokens", reason: "max_completion_tokens"}
	endPromptLength = ending{status: statusIncomplete, step: statusCompleted, reason: "max_prompt_tokens"}
	endFiltered     = ending{status: statusIncomplete, step: statusCompleted, message: "content_filter", reason: "content_filter"}
)

func endFailed(f failureDetails) ending {
	return ending{status: statusFailed, step: statusFailed, message: "run_failed", failure: &f}
}

// now is the time of what happens next to the run: the clock's, but never before what has happened already.
func (r *run) now() moment {
	r.latest = max(r.latest, moment(r.engine.now().Unix()), moment(r.doc.CreatedAt), r.doc.StartedAt)
	return r.latest
}

// expired tells whether the run's time is up.
func (r *run) expired() bool {
	return r.doc.ExpiresAt != 0 && moment(r.engine.now().Unix()) >= r.doc.ExpiresAt
}

// timeLeft is how long the run has until it expires; it may be over.
func (r *run) timeLeft() time.Duration {
	return time.Unix(int64(r.doc.ExpiresAt), 0).Sub(r.engine.now())
}

// resume puts the run into the queue again, with the outputs that its open step has been given, and reports whether it could.
func (r *run) resume() bool {
	r.state.StepUsage = usage{}
	if !r.closeStep(endCompleted) {
		return false
	}
	r.doc.Status, r.doc.RequiredAction = statusQueued, nil
	if !r.save() {
		return false
	}
	r.emitRun("queued")
	return true
}

// start is the beginning of a round. It reports whether there is still a run to be worked on.
func (r *run) start() bool {
	if r.settle() || r.over || r.doc.Status != statusQueued {
		return false
	}
	r.doc.Status, r.doc.StartedAt = statusInProgress, r.now()
	if !r.save() {
		return false
	}
	r.emitRun("in_progress")
	return true
}

// settle ends a run that is being cancelled, or whose time is up, and reports whether it did.
func (r *run) settle() bool {
	var how ending
	switch {
	case r.over:
		return false
	case r.doc.Status == statusCancelling:
		how = endCancelled
	case r.expired():
		how = endExpired
	default:
		return false
	}
	r.attempt(func() { r.end(how) })
	return true
}

// look ends a run whose time is up before somebody sees it. One that is being cancelled ends when the model lets go of it,
// or with the patience for that.
func (r *run) look() {
	if r.doc.Status != statusCancelling {
		r.settle()
	}
}

// requireAction has the run wait for the outputs of the functions that its open step has called.
func (r *run) requireAction() {
	r.doc.Status = statusRequiresAction
	r.doc.RequiredAction = &requiredAction{
		Type: "submit_tool_outputs", SubmitToolOutputs: requiredCalls{r.step.required()},
	}
	r.state.StepUsage = r.stepUsage
	r.state.Rounds++
	if !r.saveStep(r.step, r.step.doc) || !r.save() {
		return
	}
	r.rest()
	r.emitRun("requires_action")
	r.feed.end(eventDone, doneData)
}

// cancel asks the run to stop, and returns it as it is then. A model at work is given patience to do so. Without one there is
// nothing to be waited for, though the answer is the same, which is inferred.
func (r *run) cancel() json.RawMessage {
	r.doc.Status, r.doc.RequiredAction = statusCancelling, nil
	answer := encode(r.doc)
	switch {
	case r.thread.run != r:
		r.end(endCancelled)
	case r.save():
		r.emitRun("cancelling")
		r.stop()
		r.timer.Reset(cancelPatience)
	}
	return answer
}

// end ends the run with all that is open in it: the message, the step, the run, the lock of the thread, the stream.
func (r *run) end(e ending) {
	if r.step != nil && !r.closeStep(e) {
		return
	}
	now := r.now()
	r.doc.Status, r.doc.RequiredAction, r.doc.LastError = e.status, nil, e.failure
	switch e.status {
	case statusCompleted:
		r.doc.CompletedAt = now
	case statusIncomplete:
		r.doc.CompletedAt = now
		r.doc.IncompleteDetails = &reason{e.reason}
	case statusFailed:
		r.doc.FailedAt = now
	case statusCancelled:
		r.doc.CancelledAt = now
	}
	r.doc.ExpiresAt = expiryOfEnded(e.status, r.doc.ExpiresAt)
	total := r.state.Usage
	r.doc.Usage = &total
	r.state = runState{}
	if !r.save() || !r.unlockThread() {
		return
	}
	r.rest()
	r.emitRun(e.status)
	r.feed.end(eventDone, doneData)
}

// expiryOfEnded is what expires_at is of a run that has ended. That it is null once the run is completed or incomplete is
// known; that it stays with an expired one is inferred.
func expiryOfEnded(status string, expiresAt moment) moment {
	if status == statusExpired {
		return expiresAt
	}
	return 0
}

// vanish ends a run whose thread has been deleted: there is nothing left to be written down.
func (r *run) vanish() {
	total := r.state.Usage
	r.doc.Status, r.doc.CancelledAt, r.doc.ExpiresAt, r.doc.RequiredAction = statusCancelled, r.now(), 0, nil
	r.doc.Usage = &total
	r.rest()
	if s := r.step; s != nil {
		r.step = nil
		r.emitClosed(s, endCancelled)
	}
	r.emitRun(statusCancelled)
	r.feed.end(eventDone, doneData)
}

// rest ends the work on the run, if it was at work.
func (r *run) rest() {
	r.over = true
	if r.thread.run == r {
		r.stop()
		r.timer.Stop()
		r.engine.leave(r)
	}
}

// errLost is the answer to whoever wanted something of a run that collapsed. The cause is in the log.
var errLost = errors.New("the run cannot be written down")

// collapse gives a run up whose doings cannot be written down any more. What the store has of it stays, and expires when
// its time is up.
func (r *run) collapse(cause error) {
	r.lost = true
	r.rest()
	if r.feed != nil {
		r.feed.end(eventError, errInternal(r.feed.requestID).body())
	}
	r.engine.report(r, cause)
}

// save writes the run down and reports whether it could.
func (r *run) save() bool {
	return r.write(runCollection(r.doc.ThreadID), r.doc.ID, encode(r.doc), encode(r.state))
}

// write replaces a document of the run. One that is not there any more was deleted under the run's hands.
func (r *run) write(c Collection, id string, data, state []byte) bool {
	_, err := r.engine.server.store.Update(context.Background(), c, id, func(old Record) (Record, error) {
		old.Data, old.State = data, state
		return old, nil
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		r.collapse(err)
		return false
	}
	return true
}

// unlockThread ends the lock of the thread in the store, unless another run has it by now: after a failure of the store
// there may be two that are active.
func (r *run) unlockThread() bool {
	err := r.engine.server.changeThreadState(context.Background(), r.doc.ThreadID, func(t *threadState) {
		if t.Run == r.doc.ID {
			t.Run = ""
		}
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		r.collapse(err)
		return false
	}
	return true
}

// emitRun reports the run as it is, in events of these names.
func (r *run) emitRun(names ...string) {
	if r.feed == nil {
		return
	}
	shown := r.doc
	shown.ToolResources = resourcesInStreams(shown.ToolResources)
	data := encode(shown)
	for _, name := range names {
		r.feed.add(event{name: "thread.run." + name, data: data})
	}
}

// resourcesInStreams are the tool resources of threads and runs in events, where the service never left them empty.
func resourcesInStreams(resources json.RawMessage) json.RawMessage {
	if string(resources) == "{}" {
		return json.RawMessage(`{"code_interpreter":{"file_ids":[]}}`)
	}
	return resources
}
