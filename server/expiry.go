package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// What cannot be done at once is written down in one list: what will expire, and what somebody has begun to make or
// to delete, for a process may end at any time. Requests about files look after what is due there, before they do
// anything else.

// dueCollection has a record for each thing that is to be looked at: its CreatedAt is when, and its State a [due].
var dueCollection = Collection{Kind: "due"}

// due is a thing that is to be looked at. What is done about it follows from what is there alone (see settle), and so
// it can be done at any time, and again.
type due struct {
	Kind   string `json:"kind"` // of its collection
	ID     string `json:"id"`
	Upload string `json:"upload,omitempty"` // that it is a part of, or that becomes this file
}

// collection is where the record of the thing is.
func (d due) collection() Collection {
	if part := partCollection(d.Upload); d.Kind == part.Kind {
		return part
	}
	return Collection{Kind: d.Kind}
}

// begun is the id of the record in the list that says that something is being made or deleted. That of what expires
// is the thing's own.
func begun(id string) string { return "begun-" + id }

// schedule has something looked at when its time has come.
func (s *Server) schedule(ctx context.Context, key string, at int64, d due) error {
	defer s.sweeper.wake(at)
	return s.writeDown(ctx, key, at, d)
}

// writeDown is schedule for those who will look at the thing themselves.
func (s *Server) writeDown(ctx context.Context, key string, at int64, d due) error {
	err := s.store.Insert(ctx, dueCollection, Record{ID: key, CreatedAt: at, State: encode(d)})
	if errors.Is(err, ErrExists) {
		return nil
	}
	if err != nil {
		s.sweeper.wake(s.now().Unix() + sweepPause) // it may be in the list all the same
	}
	return err
}

// unschedule takes something from the list.
func (s *Server) unschedule(ctx context.Context, key string) error {
	return unlessGone(s.store.Delete(ctx, dueCollection, key))
}

// settle makes a thing whole or nothing: unless its record is there, and its time is not over, it removes all that
// there is of it. It is how everything ends that was begun. The caller has the lock of the thing.
func (s *Server) settle(ctx context.Context, d due) error {
	switch d.Kind {
	case uploadCollection.Kind:
		return s.settleUpload(ctx, d.ID)
	case partCollection("").Kind:
		return s.settlePart(ctx, d)
	case vectorStoreCollection.Kind:
		return s.settleVectorStore(ctx, d.ID)
	default:
		return s.settleFile(ctx, d)
	}
}

// settled settles a thing and takes it from the list, or has the sweeper try again. A panic of what the server was
// given, such as its Blobs, is an error.
func (s *Server) settled(ctx context.Context, key string, d due) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if err != nil {
			s.sweeper.wake(s.now().Unix() + sweepPause)
		}
	}()
	if err := s.settle(ctx, d); err != nil {
		return err
	}
	return s.unschedule(ctx, key)
}

// making is a thing that somebody makes, and has the lock of.
type making struct {
	due
	lock *thread
	idle bool // nothing was made after all
}

// startMaking writes down that something is going to be made, of which there is nothing yet. It is the caller's,
// until endMaking.
func (s *Server) startMaking(ctx context.Context, d due) (*making, error) {
	lock := s.engine.tryLock(d.ID)
	if lock == nil {
		return nil, ErrExists // an id that was made twice
	}
	started := false
	defer func() {
		if !started { // a store that panics included
			s.engine.unlock(lock)
		}
	}()
	_, err := s.store.Get(ctx, d.collection(), d.ID)
	if err == nil {
		return nil, ErrExists
	}
	if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if err := s.writeDown(ctx, begun(d.ID), s.now().Unix(), d); err != nil {
		return nil, err
	}
	started = true
	return &making{due: d, lock: lock}, nil
}

// endMaking is called whatever became of the thing. That what is left cannot be removed is for the log: the sweeper
// tries again.
func (s *Server) endMaking(ctx context.Context, m *making) {
	defer s.engine.unlock(m.lock)
	ctx = context.WithoutCancel(ctx)
	if m.idle {
		s.report(ctx, m.Kind, m.ID, s.unschedule(ctx, begun(m.ID)))
		return
	}
	s.report(ctx, m.Kind, m.ID, s.settled(ctx, begun(m.ID), m.due))
}

// remove deletes something that can be found, and all that belongs to it, or returns ErrNotFound. A deletion that
// somebody has begun and could not finish is finished.
func (s *Server) remove(ctx context.Context, d due, find func(context.Context, string) (Record, error)) error {
	lock := s.engine.lock(d.ID)
	defer s.engine.unlock(lock)
	key := begun(d.ID)
	_, err := find(ctx, d.ID)
	if errors.Is(err, ErrNotFound) {
		r, failed := s.store.Get(ctx, dueCollection, key)
		if failed != nil {
			return failed
		}
		if was, failed := decode[due](r.State); failed == nil && was.Kind == d.Kind { // callers may name any id
			return s.settled(context.WithoutCancel(ctx), key, was)
		}
	}
	if err != nil {
		return err
	}
	if err := s.writeDown(ctx, key, s.now().Unix(), d); err != nil {
		return err
	}
	return s.takeDown(context.WithoutCancel(ctx), d)
}

// takeDown is remove for what has been written down.
func (s *Server) takeDown(ctx context.Context, d due) error {
	err := unlessGone(s.store.Delete(ctx, d.collection(), d.ID))
	return errors.Join(err, s.settled(ctx, begun(d.ID), d))
}

// takeBack removes what the caller has made but now. It does so even if it cannot be written down.
func (s *Server) takeBack(ctx context.Context, d due) error {
	lock := s.engine.lock(d.ID)
	defer s.engine.unlock(lock)
	return errors.Join(s.writeDown(ctx, begun(d.ID), s.now().Unix(), d), s.takeDown(ctx, d))
}

// sweeper looks after what is due.
type sweeper struct {
	mu    sync.Mutex   // locked by the one who sweeps
	after string       // guarded by mu: the last thing that was looked at, where the next one goes on; "": begins anew
	next  atomic.Int64 // when there will be something to do, in Unix seconds
}

// Limits of sweeping.
const (
	sweepPatience = 5 * time.Second // of one request
	sweepPause    = 10              // seconds, until what went wrong is tried again
)

// wake has the sweeper begin at a time, or earlier.
func (w *sweeper) wake(at int64) {
	for {
		next := w.next.Load()
		if next <= at || w.next.CompareAndSwap(next, at) {
			return
		}
	}
}

// sweep looks after what is due, up to as much as a page has; the next request goes on behind that, so that things
// which cannot be removed do not keep others waiting. One request does it at a time, and no others wait for that.
// Errors are for the log: what has expired is not shown, be it there or not. Nobody's lock may be held.
func (s *Server) sweep(ctx context.Context) {
	w := &s.sweeper
	if !w.mu.TryLock() {
		return
	}
	defer w.mu.Unlock()
	now := s.now().Unix()
	if w.after == "" {
		if now < w.next.Load() {
			return
		}
		w.next.Store(math.MaxInt64) // before the list is read: who adds to it wakes the sweeper behind that
	}
	listed := false
	defer func() {
		if !listed { // a store that panics included
			w.wake(now + sweepPause)
		}
	}()
	ctx, end := context.WithTimeout(context.WithoutCancel(ctx), sweepPatience)
	defer end()
	page, err := s.store.List(ctx, dueCollection, Query{Limit: maxLimit, Order: Ascending, After: w.after})
	if err != nil {
		w.after = ""
		s.report(ctx, "due", "", err)
		return
	}
	listed = true
	for _, r := range page.Records {
		if r.CreatedAt > now {
			page.HasMore = false
			w.wake(r.CreatedAt)
			break
		}
		w.after = r.ID
		if err := s.lookAfter(ctx, r); err != nil {
			w.wake(now + sweepPause)
			s.report(ctx, "due", r.ID, err)
		}
	}
	if !page.HasMore {
		w.after = ""
	}
}

// lookAfter settles one thing, unless somebody is at work on it, who does so then.
func (s *Server) lookAfter(ctx context.Context, r Record) error {
	d, err := decode[due](r.State)
	if err != nil {
		return err
	}
	lock := s.engine.tryLock(d.ID)
	if lock == nil {
		s.sweeper.wake(s.now().Unix() + sweepPause)
		return nil
	}
	defer s.engine.unlock(lock)
	return s.settled(ctx, r.ID, d)
}
