package server

import (
	"bytes"
	"context"
	"errors"
	"slices"
)

// insertions adds the records of one request to a store and changes others, and
// takes all of it back if something does not get in.
type insertions struct {
	store Store
	done  []func(ctx context.Context) error // each undoes one thing
	owned map[Collection]bool
	then  []func() // what begins when all of it is in
}

// own is for a collection that the request makes: it is dropped as a whole, so that nothing is remembered of it. One
// that is there already, because an id was made twice, is not the request's own.
func (all *insertions) own(ctx context.Context, c Collection) error {
	if there, err := all.store.List(ctx, c, Query{Limit: 1}); err != nil || len(there.Records) > 0 {
		return err
	}
	if all.owned == nil {
		all.owned = make(map[Collection]bool)
	}
	all.owned[c] = true
	all.done = append(all.done, func(ctx context.Context) error { return all.store.Drop(ctx, c) })
	return nil
}

func (all *insertions) insert(ctx context.Context, c Collection, r Record) error {
	if err := all.store.Insert(ctx, c, r); err != nil {
		return err
	}
	if all.owned[c] {
		return nil
	}
	id := r.ID // the rest of the record need not be kept
	all.done = append(all.done, func(ctx context.Context) error { return all.store.Delete(ctx, c, id) })
	return nil
}

// replace gives a record other data. Nobody else may do so until the request is done.
func (all *insertions) replace(ctx context.Context, c Collection, old Record, data []byte) (Record, error) {
	with := func(data []byte) func(Record) (Record, error) {
		return func(r Record) (Record, error) {
			r.Data = data
			return r, nil
		}
	}
	changed, err := all.store.Update(ctx, c, old.ID, with(data))
	if err != nil {
		return old, err
	}
	all.done = append(all.done, func(ctx context.Context) error {
		_, err := all.store.Update(ctx, c, old.ID, with(old.Data))
		return err
	})
	return changed, nil
}

// rewrite gives a record other data and another state. What somebody else has made of it since is not undone.
func (all *insertions) rewrite(ctx context.Context, c Collection, old, changed Record) (Record, error) {
	changed, err := all.store.Update(ctx, c, old.ID, func(r Record) (Record, error) {
		r.Data, r.State = changed.Data, changed.State
		return r, nil
	})
	if err != nil {
		return old, err
	}
	all.done = append(all.done, func(ctx context.Context) error {
		_, err := all.store.Update(ctx, c, old.ID, func(r Record) (Record, error) {
			if bytes.Equal(r.Data, changed.Data) && bytes.Equal(r.State, changed.State) {
				r.Data, r.State = old.Data, old.State
			}
			return r, nil
		})
		return err
	})
	return changed, nil
}

// finish begins what waits for the request to have succeeded.
func (all *insertions) finish() {
	for _, begin := range all.then {
		begin()
	}
}

// undo takes back what was done, the newest first, and returns the cause together
// with what went wrong on the way. A caller who has gone does not stop it.
func (all *insertions) undo(ctx context.Context, cause error) error {
	ctx = context.WithoutCancel(ctx)
	for _, undo := range slices.Backward(all.done) {
		if err := undo(ctx); err != nil && !errors.Is(err, ErrNotFound) {
			cause = errors.Join(cause, err)
		}
	}
	return cause
}
