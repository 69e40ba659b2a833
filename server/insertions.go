package server

import (
	"context"
	"errors"
)

// insertions adds the records of one request to a store, and takes them out again
// if one of them does not get in.
type insertions struct {
	store Store
	done  []insertion
}

type insertion struct {
	from Collection
	id   string
}

func (all *insertions) insert(ctx context.Context, c Collection, r Record) error {
	if err := all.store.Insert(ctx, c, r); err != nil {
		return err
	}
	all.done = append(all.done, insertion{c, r.ID})
	return nil
}

// undo deletes what was inserted, the newest record first, and returns the cause
// together with what went wrong on the way. A caller who has gone does not stop it.
func (all *insertions) undo(ctx context.Context, cause error) error {
	ctx = context.WithoutCancel(ctx)
	for i := len(all.done) - 1; i >= 0; i-- {
		r := all.done[i]
		if err := all.store.Delete(ctx, r.from, r.id); err != nil && !errors.Is(err, ErrNotFound) {
			cause = errors.Join(cause, err)
		}
	}
	return cause
}
