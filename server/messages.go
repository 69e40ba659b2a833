package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
)

// messageCollection holds the messages of a thread.
func messageCollection(threadID string) Collection {
	return Collection{Kind: "thread.message", Parent: threadID}
}

// maxThreadMessages is how many messages a thread has; of more, the oldest fall away.
const maxThreadMessages = 100_000

var newMessage = closed{properties: []property{
	{key: "role", rule: enum{"user", "assistant"}, required: true},
	{key: "content", rule: messageContent{}, required: true},
	{key: "attachments", rule: nullable{attachments, "[]"}},
	{key: "metadata", rule: nullable{metadata{}, "{}"}},
}}

var newMessages = array{plural: "objects", max: maxThreadMessages, item: newMessage}

var modifyMessageRule = closed{properties: []property{
	{key: "metadata", rule: nullable{metadata{}, "{}"}},
}}

// messageContent is a text or an array of parts; see section 9.2 of docs/protocol.md. It is answered as parts.
type messageContent struct{}

func (messageContent) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	switch got := kindOf(raw); got {
	case kindString:
		value, err := messageText.check(path, raw)
		if err != nil {
			return nil, err
		}
		return renderArray([]json.RawMessage{textPart(value)}), nil
	case kindArray:
		return contentParts.check(path, raw)
	default:
		return nil, errContentType(path, string(got))
	}
}

// errContentType is inferred: the text for a value that may be of two types.
func errContentType(path, got string) *apiError {
	return errType(path, "one of a string or an array of objects", got)
}

// maxParts is how many parts a message has. It is inferred.
const maxParts = 512

var messageText = text{max: 256_000}

var contentParts = array{plural: "objects", min: 1, max: maxParts, item: contentPart{variants{
	{partText, closed{properties: []property{typeKey, {key: partText, rule: messageText, required: true}}}},
	{partImage, closed{properties: []property{typeKey, {key: partImage, required: true, rule: closed{properties: []property{
		{key: "file_id", rule: text{min: 1}, required: true},
		{key: "detail", rule: imageDetail, fill: `"auto"`},
	}}}}}},
	{"image_url", closed{properties: []property{typeKey, {key: "image_url", required: true, rule: closed{properties: []property{
		{key: "url", rule: text{min: 1}, required: true},
		{key: "detail", rule: imageDetail, fill: `"auto"`},
	}}}}}},
}}}

var imageDetail = nullable{enum{"auto", "low", "high"}, `"auto"`}

// contentPart is a part of a message. Text is a string on the way in and an object on the way out.
type contentPart struct{ variants }

func (c contentPart) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	value, err := c.variants.check(path, raw)
	if err != nil {
		return nil, err
	}
	if text := splitObject(value).get(partText); text != nil {
		value = textPart(text)
	}
	return value, nil
}

func textPart(value json.RawMessage) json.RawMessage {
	return object{
		{"type", json.RawMessage(`"text"`)},
		{partText, object{{"value", value}, {"annotations", emptyArray()}}.render()},
	}.render()
}

// insertMessages adds messages of a caller to a thread and returns their documents. None is older than the latest that the
// thread has, even if the clock goes back: the order of a conversation is its sense. The thread's state is left alone.
func (s *Server) insertMessages(
	ctx context.Context, all *insertions, threadID string, latest int64, given []json.RawMessage,
) ([]messageDocument, error) {
	if err := s.checkNamedFiles(ctx, given); err != nil {
		return nil, err
	}
	documents := make([]messageDocument, 0, len(given))
	for _, raw := range given {
		fields := splitObject(raw)
		now := max(s.now().Unix(), latest)
		latest = now
		doc := messageDocument{
			ID: s.newID(prefixMessage), Object: "thread.message", CreatedAt: now, ThreadID: threadID,
			Status: statusCompleted, CompletedAt: moment(now), Role: decodeString(fields.get("role")),
			Content:     fields.get("content"),
			Attachments: orElse(fields.get("attachments"), "[]"),
			Metadata:    orElse(fields.get("metadata"), "{}"),
		}
		err := all.insert(ctx, messageCollection(threadID), Record{ID: doc.ID, CreatedAt: now, Data: encode(doc)})
		if err != nil {
			return nil, err
		}
		documents = append(documents, doc)
	}
	return documents, nil
}

// checkNamedFiles refuses messages that name files which are not there, be it as images or as attachments.
func (s *Server) checkNamedFiles(ctx context.Context, given []json.RawMessage) error {
	known := make(map[string]bool)
	for _, raw := range given {
		fields := splitObject(raw)
		named := itemsOf(fields.get("attachments"))
		for _, part := range itemsOf(fields.get("content")) {
			named = append(named, splitObject(part).get(partImage))
		}
		for _, of := range named {
			id := membersOf(of).get("file_id")
			if id == nil || known[string(id)] {
				continue
			}
			known[string(id)] = true
			if err := s.checkFile(ctx, decodeString(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// insertMessage adds the message of a run to its thread.
func (s *Server) insertMessage(ctx context.Context, threadID string, r Record) error {
	if err := s.store.Insert(ctx, messageCollection(threadID), r); err != nil {
		return err
	}
	count, err := s.countMessages(ctx, threadID, 1, r.CreatedAt)
	if err == nil {
		s.trimMessages(ctx, threadID, count)
	}
	return err
}

// countMessages adds to the number of a thread's messages, of which the newest is so old, and returns it. A thread that is
// gone counts nothing.
func (s *Server) countMessages(ctx context.Context, threadID string, added int, latest int64) (count int, err error) {
	err = s.changeThreadState(ctx, threadID, func(t *threadState) {
		t.Messages = max(t.Messages+added, 0)
		t.Latest = max(t.Latest, latest)
		count = t.Messages
	})
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return count, err
}

// trimMessages lets the oldest messages of a thread fall away if there are too many. If that fails, the next message makes
// for another try.
func (s *Server) trimMessages(ctx context.Context, threadID string, count int) {
	for ; count > s.maxMessages; count-- {
		oldest, err := s.store.List(ctx, messageCollection(threadID), Query{Limit: 1, Order: Ascending})
		if err != nil || len(oldest.Records) == 0 {
			return
		}
		if err := s.store.Delete(ctx, messageCollection(threadID), oldest.Records[0].ID); err != nil {
			return
		}
		if _, err := s.countMessages(ctx, threadID, -1, 0); err != nil {
			return
		}
	}
}

// createMessage is POST /threads/{thread_id}/messages.
func (s *Server) createMessage(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, newMessage)
	if err != nil {
		return reply{}, err
	}
	id := c.ids[0]
	t := s.engine.lock(id)
	defer s.engine.unlock(t)
	thread, err := s.thread(ctx, id)
	if err != nil {
		return reply{}, err
	}
	if err := s.checkUnlocked(ctx, t, thread, errThreadLockedForMessages); err != nil {
		return reply{}, err
	}
	all := &insertions{store: s.store}
	documents, _, count, err := s.addMessages(ctx, all, thread, []json.RawMessage{given.render()})
	if err != nil {
		return reply{}, all.undo(ctx, err)
	}
	all.finish()
	s.trimMessages(ctx, id, count)
	return ok(encode(documents[0]))
}

// addMessages adds messages to a thread that is there, with all that this means for it. It returns them, the thread as it is
// then, and how many messages that has; none added are not counted.
func (s *Server) addMessages(
	ctx context.Context, all *insertions, thread Record, given []json.RawMessage,
) (added []messageDocument, after Record, count int, err error) {
	state, err := decode[threadState](thread.State)
	if err != nil {
		return nil, thread, 0, err
	}
	added, err = s.insertMessages(ctx, all, thread.ID, state.Latest, given)
	if err != nil || len(added) == 0 {
		return nil, thread, 0, err
	}
	if after, err = s.attachToThread(ctx, all, thread, added); err != nil {
		return nil, thread, 0, err
	}
	count, err = s.countMessages(ctx, thread.ID, len(added), added[len(added)-1].CreatedAt)
	if err != nil {
		return nil, thread, 0, err
	}
	all.done = append(all.done, func(ctx context.Context) error {
		_, err := s.countMessages(ctx, thread.ID, -len(added), 0)
		return err
	})
	return added, after, count, nil
}

// retrieveMessage is GET /threads/{thread_id}/messages/{message_id}.
func (s *Server) retrieveMessage(ctx context.Context, c *call) (reply, error) {
	id := c.ids[1]
	if _, err := s.thread(ctx, c.ids[0]); err != nil {
		return reply{}, err
	}
	live := s.engine.peek(c.ids[0])
	record, err := s.store.Get(ctx, messageCollection(c.ids[0]), id)
	if err != nil {
		return reply{}, missing(err, "message", id)
	}
	return ok(live.message(record).Data)
}

// modifyMessage is POST /threads/{thread_id}/messages/{message_id}: metadata alone can be changed.
func (s *Server) modifyMessage(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, modifyMessageRule)
	if err != nil {
		return reply{}, err
	}
	id := c.ids[1]
	if _, err := s.thread(ctx, c.ids[0]); err != nil {
		return reply{}, err
	}
	t := s.engine.lock(c.ids[0])
	defer s.engine.unlock(t)
	record, err := s.store.Update(ctx, messageCollection(c.ids[0]), id, func(r Record) (Record, error) {
		r.Data = changedDocument(r.Data, given)
		return r, nil
	})
	if err != nil {
		return reply{}, missing(err, "message", id)
	}
	if m := t.run.writing(); m != nil && m.doc.ID == id && given.get("metadata") != nil {
		m.doc.Metadata = given.get("metadata")
		record.Data = m.render()
	}
	return ok(record.Data)
}

// deleteMessage is DELETE /threads/{thread_id}/messages/{message_id}. A run may be at work; see section 9.2 of
// docs/protocol.md.
func (s *Server) deleteMessage(ctx context.Context, c *call) (reply, error) {
	id := c.ids[1]
	if _, err := s.thread(ctx, c.ids[0]); err != nil {
		return reply{}, err
	}
	t := s.engine.lock(c.ids[0])
	defer s.engine.unlock(t)
	if err := s.store.Delete(ctx, messageCollection(c.ids[0]), id); err != nil {
		return reply{}, missing(err, "message", id)
	}
	if _, err := s.countMessages(ctx, c.ids[0], -1, 0); err != nil {
		return reply{}, err
	}
	return ok(deleted(id, "thread.message.deleted"))
}

// listMessages is GET /threads/{thread_id}/messages, of a run alone if the query says so.
func (s *Server) listMessages(ctx context.Context, c *call) (reply, error) {
	q, err := listQuery(c)
	if err != nil {
		return reply{}, err
	}
	if _, err := s.thread(ctx, c.ids[0]); err != nil {
		return reply{}, err
	}
	shown := listed{kind: "message", show: s.engine.peek(c.ids[0]).message}
	if runID := c.request.URL.Query().Get("run_id"); runID != "" {
		quoted := quote(runID)
		rare := quoted[1:] // quotation marks are everywhere, and slow the search down
		shown.keep = func(r Record) bool {
			if !bytes.Contains(r.Data, rare) {
				return false
			}
			id := splitObject(r.Data).get("run_id")
			return string(id) == string(quoted)
		}
	}
	return s.list(ctx, q, messageCollection(c.ids[0]), shown)
}
