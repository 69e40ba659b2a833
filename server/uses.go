package server

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
)

// Who uses a file is written down with the file, so that a deleted one can be taken away from all of them.
//
// A user's document changes with the user's lock held, from before its uses are written down. So whoever deletes a file
// either finds a use, and then the document with it, or the use finds no file any more.

// fileUser is what uses a file: an assistant, a thread or a vector store. Its kind is that of its collection.
type fileUser struct{ kind, id string }

func assistantUser(id string) fileUser { return fileUser{assistantCollection.Kind, id} }

func threadUser(id string) fileUser { return fileUser{threadCollection.Kind, id} }

// useCollection has a record for each user of a file, with its id and, as the State, its kind.
func useCollection(fileID string) Collection {
	return Collection{Kind: "file.use", Parent: fileID}
}

// use writes down that somebody uses files, all of which must be there. Uses that are known already stay.
func (s *Server) use(ctx context.Context, all *insertions, owner fileUser, fileIDs []string) error {
	for _, id := range fileIDs {
		if err := s.checkFile(ctx, id); err != nil {
			return err // first, or ids that are made up would begin collections
		}
		record := Record{ID: owner.id, CreatedAt: s.now().Unix(), State: []byte(owner.kind)}
		if err := all.insert(ctx, useCollection(id), record); err != nil && !errors.Is(err, ErrExists) {
			return err
		}
		if err := s.checkFile(ctx, id); err != nil {
			return err // it was deleted meanwhile, perhaps by somebody who has not seen this use
		}
	}
	return nil
}

// unuse writes down that somebody does not use files any more. A use too many, if that fails, does no harm: whoever
// deletes the file does not find it there.
func (s *Server) unuse(ctx context.Context, owner fileUser, fileIDs []string) error {
	for _, id := range fileIDs {
		if err := s.store.Delete(ctx, useCollection(id), owner.id); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// checkFile returns the error for a file that somebody names and that is not there.
func (s *Server) checkFile(ctx context.Context, id string) error {
	_, err := s.file(ctx, id)
	return missing(err, "file", id)
}

// releaseFile takes a file that is gone away from all who use it.
func (s *Server) releaseFile(ctx context.Context, id string) error {
	for r, err := range s.records(ctx, useCollection(id), Ascending) {
		if err != nil {
			return err
		}
		switch user := (fileUser{string(r.State), r.ID}); user {
		case assistantUser(r.ID):
			err = s.withdraw(ctx, user, assistantCollection, id, changedAssistant)
		case threadUser(r.ID):
			err = s.withdraw(ctx, user, threadCollection, id, changedDocument)
		default:
			err = s.detachFile(ctx, r.ID, id)
		}
		if err != nil {
			return err
		}
	}
	return s.store.Drop(ctx, useCollection(id))
}

// withdraw takes a file out of the code interpreter's of an assistant or a thread.
func (s *Server) withdraw(
	ctx context.Context, user fileUser, from Collection, fileID string, changed func(json.RawMessage, object) json.RawMessage,
) error {
	t := s.engine.lock(user.id)
	defer s.engine.unlock(t)
	_, err := s.store.Update(ctx, from, user.id, func(r Record) (Record, error) {
		ids := codeFiles(r.Data)
		left := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == fileID })
		if len(left) < len(ids) {
			code := object{{toolCode, object{{"file_ids", joinIDs(nil, left)}}.render()}}
			r.Data = changed(r.Data, object{{"tool_resources", code.render()}})
		}
		return r, nil
	})
	return unlessGone(err)
}

// modifyUser changes the document of an assistant or a thread, and writes down which files it uses then.
func (s *Server) modifyUser(
	ctx context.Context, user fileUser, in Collection, change func(json.RawMessage) (json.RawMessage, error),
) (Record, error) {
	t := s.engine.lock(user.id)
	defer s.engine.unlock(t)
	old, err := s.store.Get(ctx, in, user.id)
	if err != nil {
		return old, err
	}
	data, err := change(old.Data)
	if err != nil {
		return old, err
	}
	if err := s.checkStores(ctx, except(storesOf(data), storesOf(old.Data))); err != nil {
		return old, err
	}
	before, after := codeFiles(old.Data), codeFiles(data)
	all := &insertions{store: s.store}
	if err := s.use(ctx, all, user, except(after, before)); err != nil {
		return old, all.undo(ctx, err)
	}
	changed, err := all.replace(ctx, in, old, data)
	if err != nil {
		return old, all.undo(ctx, err)
	}
	_ = s.unuse(ctx, user, except(before, after)) // what is done is done
	return changed, nil
}

// deleteUser removes an assistant or a thread, with its uses of files. The caller has its lock.
func (s *Server) deleteUser(ctx context.Context, user fileUser, from Collection) error {
	old, err := s.store.Get(ctx, from, user.id)
	if err == nil {
		err = s.store.Delete(ctx, from, user.id)
	}
	if err == nil {
		_ = s.unuse(context.WithoutCancel(ctx), user, codeFiles(old.Data)) // what is done is done
	}
	return err
}

// codeFiles returns the code interpreter's files of an assistant or a thread, by its document.
func codeFiles(document json.RawMessage) []string {
	return codeFilesOf(splitObject(document).get("tool_resources"))
}

// codeFilesOf returns the code interpreter's files in tool resources.
func codeFilesOf(resources json.RawMessage) []string {
	var ids []string
	for _, id := range itemsOf(membersOf(membersOf(resources).get(toolCode)).get("file_ids")) {
		ids = append(ids, decodeString(id))
	}
	return ids
}

// except returns the ids that are not among others.
func except(ids, others []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(others, id) })
}
