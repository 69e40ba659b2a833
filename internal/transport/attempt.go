package transport

import (
	"context"
	"fmt"
	"net"
	"time"
)

var _ net.Error = (*TimeoutError)(nil)

// An attempt owns the context and the timer of one sending.
type attempt struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timeout time.Duration
	timer   *time.Timer // nil: no limit
	body    *Body       // what Open leaves open
	sending *sending    // the newest content on its way; nil: none
}

func newAttempt(parent context.Context, timeout time.Duration) *attempt {
	ctx, cancel := context.WithCancelCause(parent)
	a := &attempt{ctx: ctx, cancel: cancel, timeout: timeout}
	if timeout > 0 {
		a.timer = time.AfterFunc(timeout, func() {
			cancel(&TimeoutError{After: timeout, Waiting: "for the answer"})
		})
	}
	return a
}

// answered ends the time limit, not the attempt.
func (a *attempt) answered() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

// rearm begins the time limit anew.
func (a *attempt) rearm() {
	if a.timer != nil {
		a.timer.Reset(a.timeout)
	}
}

func (a *attempt) release() {
	_ = a.sending.Close()
	a.answered()
	a.cancel(nil)
}

// explain gives the reason why the attempt was cancelled in place of net/http's "context canceled".
func (a *attempt) explain(err error) error {
	if err == nil {
		return nil
	}
	timeout, timedOut := context.Cause(a.ctx).(*TimeoutError)
	if unsent, ok := err.(*UnsentError); ok {
		if timedOut {
			return &UnsentError{Err: fmt.Errorf("%w: %w", unsent.Err, timeout)}
		}
		return unsent
	}
	if timedOut {
		return timeout
	}
	return withoutURL(err)
}

// An UnsentError says that a request could not be made or authorized. It was not sent, and would not be the next time.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string { return e.Err.Error() }
func (e *UnsentError) Unwrap() error { return e.Err }

// A TimeoutError says that the server was silent for longer than it may be. It is a [context.DeadlineExceeded] to
// errors.Is.
type TimeoutError struct {
	After   time.Duration
	Waiting string // for what
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("timeout: waited %v %s", e.After, e.Waiting)
}

// Timeout and Temporary make it a [net.Error].
func (e *TimeoutError) Timeout() bool   { return true }
func (e *TimeoutError) Temporary() bool { return true }

// Is makes a timeout recognizable without knowing this type.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
