package server

import (
	"context"
	"errors"
)

// What expires by itself, whoever looks at it, is written down in the order in which it does. Its content is removed when
// the next request about files comes.

// expiryCollection has a record for everything that expires: its CreatedAt is when, and its State is the kind of what it is
// about.
var expiryCollection = Collection{Kind: "expiry"}

func expiry(of Collection, id string, at int64) Record {
	return Record{ID: id, CreatedAt: at, State: []byte(of.Kind)}
}

// forgetExpiry is for what is gone, or shall stay.
func (s *Server) forgetExpiry(ctx context.Context, id string) error {
	err := s.store.Delete(ctx, expiryCollection, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// swept returns a handler that removes what has expired first.
func (s *Server) swept(handle handler) handler {
	return func(ctx context.Context, c *call) (reply, error) {
		s.sweep(ctx)
		return handle(ctx, c)
	}
}

// sweep removes what has expired, up to as much as a page has. Errors are for the log: what has expired is not shown, be it
// there or not, and the next sweep tries again. Nobody's lock may be held.
func (s *Server) sweep(ctx context.Context) {
	due, err := s.store.List(ctx, expiryCollection, Query{Limit: maxLimit, Order: Ascending})
	now := s.now().Unix()
	for _, r := range due.Records {
		if r.CreatedAt > now {
			break
		}
		err = errors.Join(err, s.expire(ctx, r))
	}
	s.report(ctx, "expiry", "", err)
}

// expire removes one thing.
func (s *Server) expire(ctx context.Context, r Record) error {
	if string(r.State) == uploadCollection.Kind {
		return s.expireUpload(ctx, r.ID)
	}
	err := s.dropFile(ctx, r.ID)
	if errors.Is(err, ErrNotFound) { // but for what an earlier try has left
		err = s.dropRemains(ctx, r.ID)
	}
	return err
}
