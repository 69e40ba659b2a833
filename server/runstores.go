package server

import (
	"context"
	"errors"
	"slices"
	"time"
)

// maxFilesWait is how long a run waits for the files of its thread's vector store.
const maxFilesWait = 60 * time.Second

// readyStores is what a run does about vector stores before it begins. That it waits for the files of its thread's
// store, and not for those of its assistant's, is known, and that it fails if the thread's store has expired. It is
// inferred that the run is in progress while it waits, and goes on without the files that took too long; and that it
// uses all of its stores when it may search files.
func (s *Server) readyStores(ctx context.Context, doc runDocument, state runState) error {
	stores := storesIn(state.Resources)
	if state.Rounds > 0 || len(stores) == 0 {
		return nil
	}
	thread, err := s.store.Get(ctx, threadCollection, doc.ThreadID)
	if errors.Is(err, ErrNotFound) {
		return nil // and so is the run
	}
	if err != nil {
		return err
	}
	for _, id := range storesOf(thread.Data) {
		record, err := s.liveStore(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound): // deleted: there is nothing to be searched
		case err != nil:
			return err
		case storeExpired(record):
			return &ModelError{Code: typeServer, Message: errStoreExpired(id).message}
		default:
			s.awaitFiles(ctx, id, maxFilesWait)
		}
	}
	if !slices.Contains(toolTypes(doc.Tools), toolSearch) {
		return nil
	}
	for _, id := range stores {
		err := s.touchStore(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.As(err, new(*apiError)) {
			return err
		}
	}
	return nil
}
