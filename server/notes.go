package server

import (
	"context"
	"errors"
	"fmt"
)

// What a [Model] remembers beyond a run.

// notes are what a model has written down about a thread, a file or a vector store. They go when it goes.
func notes(about string) Collection { return Collection{Kind: "model.note", Parent: about} }

// Remember writes something down about a thread, a file or a vector store, for [ModelCall.Recall] to find in later runs, of
// other threads too: where a copy of the file is, which session the code of the thread runs in. What was written under the same
// name is replaced; nil takes it away. A note is in the [Store], in the clear, and goes with what it is about, which is
// [ErrNotFound] if it is not there. Name is the Model's own, such as "responses.container".
func (c *ModelCall) Remember(ctx context.Context, about, name string, note []byte) error {
	if c.files == nil {
		return errNoServer
	}
	s := c.files.server
	lock := s.engine.lock(about) // or it could be deleted, and the note stay
	defer s.engine.unlock(lock)
	if err := s.exists(ctx, about); err != nil {
		return fmt.Errorf("server: a note about %q: %w", echo(about), err)
	}
	if note == nil {
		return unlessGone(s.store.Delete(ctx, notes(about), name))
	}
	err := s.store.Insert(ctx, notes(about), Record{ID: name, CreatedAt: s.now().Unix(), State: note})
	if errors.Is(err, ErrExists) {
		_, err = s.store.Update(ctx, notes(about), name, func(r Record) (Record, error) {
			r.State = note
			return r, nil
		})
	}
	return err
}

// Recall returns what was written down about a thread, a file or a vector store under a name; nil if nothing was. It is not to
// be changed.
func (c *ModelCall) Recall(ctx context.Context, about, name string) ([]byte, error) {
	if c.files == nil {
		return nil, errNoServer
	}
	record, err := c.files.server.store.Get(ctx, notes(about), name)
	return record.State, unlessGone(err)
}

// exists returns ErrNotFound unless there is a thread, a file or a vector store with this id.
func (s *Server) exists(ctx context.Context, id string) (err error) {
	for _, c := range []Collection{threadCollection, fileCollection, vectorStoreCollection} {
		if _, err = s.store.Get(ctx, c, id); !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return err
}
