package server

import (
	"context"
	"encoding/json"
)

// threadCollection holds all threads.
var threadCollection = Collection{Kind: "thread"}

var createThreadRule = closed{properties: []property{
	{key: "messages", rule: nullable{newMessages, "[]"}},
	{key: "tool_resources", rule: nullable{createToolResources, "{}"}},
	{key: "metadata", rule: nullable{metadata{}, "{}"}},
}}

var modifyThreadRule = closed{properties: []property{
	{key: "tool_resources", rule: nullable{modifyToolResources, "null"}},
	{key: "metadata", rule: nullable{metadata{}, "{}"}},
}}

// createThread is POST /threads; see section 9.1 of docs/protocol.md.
func (s *Server) createThread(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, createThreadRule)
	if err != nil {
		return reply{}, err
	}
	id := s.newID(prefixThread)
	t := s.engine.lock(id) // for what is used belongs to it from now on
	defer s.engine.unlock(t)
	all := &insertions{store: s.store}
	doc, err := s.insertThread(ctx, all, id, given)
	if err != nil {
		return reply{}, all.undo(ctx, err)
	}
	all.finish()
	return ok(encode(doc))
}

// insertThread adds a thread with its messages. The caller has the thread's lock.
func (s *Server) insertThread(ctx context.Context, all *insertions, id string, given object) (*threadDocument, error) {
	doc := &threadDocument{
		ID: id, Object: "thread", CreatedAt: s.now().Unix(),
		Metadata:      orElse(given.get("metadata"), "{}"),
		ToolResources: orElse(given.get("tool_resources"), "{}"),
	}
	if err := s.use(ctx, all, threadUser(id), codeFilesOf(doc.ToolResources)); err != nil {
		return nil, err
	}
	var err error
	if doc.ToolResources, err = s.createHelperStores(ctx, all, doc.ToolResources, threadStoreDays); err != nil {
		return nil, err
	}
	if err := all.own(ctx, messageCollection(id)); err != nil {
		return nil, err
	}
	messages, err := s.insertMessages(ctx, all, id, 0, itemsOf(given.get("messages")))
	if err != nil {
		return nil, err
	}
	if doc.ToolResources, err = s.attach(ctx, all, doc.ToolResources, messages); err != nil {
		return nil, err
	}
	state := threadState{Messages: len(messages)}
	if len(messages) > 0 {
		state.Latest = messages[len(messages)-1].CreatedAt
	}
	return doc, all.insert(ctx, threadCollection, Record{ID: id, CreatedAt: doc.CreatedAt, Data: encode(doc), State: encode(state)})
}

// retrieveThread is GET /threads/{thread_id}.
func (s *Server) retrieveThread(ctx context.Context, c *call) (reply, error) {
	record, err := s.thread(ctx, c.ids[0])
	if err != nil {
		return reply{}, err
	}
	doc, err := decode[threadDocument](record.Data)
	if err != nil {
		return reply{}, err
	}
	doc.ToolResources = resourcesInStreams(doc.ToolResources)
	return ok(encode(doc))
}

// modifyThread is POST /threads/{thread_id}.
func (s *Server) modifyThread(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, modifyThreadRule)
	if err != nil {
		return reply{}, err
	}
	id := c.ids[0]
	record, err := s.modifyUser(ctx, threadUser(id), threadCollection, func(data json.RawMessage) (json.RawMessage, error) {
		return changedDocument(data, given), nil
	})
	if err != nil {
		return reply{}, missing(err, "thread", id)
	}
	return ok(record.Data)
}

// deleteThread is DELETE /threads/{thread_id}. All that belongs to the thread goes with it; an active run is cancelled.
func (s *Server) deleteThread(ctx context.Context, c *call) (reply, error) {
	id := c.ids[0]
	t := s.engine.lock(id)
	defer s.engine.unlock(t)
	if err := s.deleteUser(ctx, threadUser(id), threadCollection); err != nil {
		return reply{}, missing(err, "thread", id)
	}
	if t.run != nil {
		t.run.vanish()
	}
	if err := s.dropThread(context.WithoutCancel(ctx), id); err != nil {
		return reply{}, err
	}
	return ok(deleted(id, "thread.deleted"))
}

// dropThread removes what belonged to a thread.
func (s *Server) dropThread(ctx context.Context, id string) error {
	for r, err := range s.records(ctx, runCollection(id), Descending) {
		if err == nil {
			err = s.store.Drop(ctx, stepCollection(r.ID))
		}
		if err != nil {
			return err
		}
	}
	if err := s.store.Drop(ctx, runCollection(id)); err != nil {
		return err
	}
	if err := s.store.Drop(ctx, notes(id)); err != nil {
		return err
	}
	return s.store.Drop(ctx, messageCollection(id))
}

// thread returns a thread.
func (s *Server) thread(ctx context.Context, id string) (Record, error) {
	record, err := s.store.Get(ctx, threadCollection, id)
	return record, missing(err, "thread", id)
}

// changeThreadState changes what is kept with a thread.
func (s *Server) changeThreadState(ctx context.Context, id string, change func(*threadState)) error {
	_, err := s.store.Update(ctx, threadCollection, id, func(r Record) (Record, error) {
		state, err := decode[threadState](r.State)
		if err != nil {
			return r, err
		}
		change(&state)
		r.State = encode(state)
		return r, nil
	})
	return err
}
