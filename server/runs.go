package server

import (
	"context"
	"encoding/json"
	"net/http"
)

// runCollection holds the runs of a thread.
func runCollection(threadID string) Collection {
	return Collection{Kind: "thread.run", Parent: threadID}
}

// minTokens is the least that a budget can be. The documentation of the original said 256, the service took 16.
const minTokens, maxBudget = 16, 1 << 31

// runProperties are the keys that both ways to create a run have, in the order in which they are checked.
var (
	assistantIDProperty = property{key: "assistant_id", rule: identifier{prefixAssistant}, required: true}
	modelProperty       = property{key: "model", rule: nullable{text{min: 1}, "null"}}
	instructionsRule    = nullable{text{max: 256_000}, "null"}
	runTools            = property{key: "tools", rule: nullable{assistantTools, "null"}}

	runOptions = []property{
		{key: "metadata", rule: nullable{metadata{}, "{}"}},
		{key: "temperature", rule: nullable{decimal{0, 2}, "null"}},
		{key: "top_p", rule: nullable{decimal{0, 1}, "null"}},
		{key: "stream", rule: nullable{boolean{}, "false"}},
		{key: "max_prompt_tokens", rule: nullable{integer{minTokens, maxBudget}, "null"}},
		{key: "max_completion_tokens", rule: nullable{integer{minTokens, maxBudget}, "null"}},
		{key: "truncation_strategy", rule: nullable{truncationStrategy, defaultTruncation}},
		{key: "tool_choice", rule: nullable{toolChoice{}, `"auto"`}},
		{key: "parallel_tool_calls", rule: nullable{boolean{}, "true"}},
		{key: "response_format", rule: nullable{responseFormat{}, "null"}},
	}
)

var createRunRule = closed{properties: append([]property{
	assistantIDProperty,
	modelProperty,
	{key: "reasoning_effort", rule: nullable{reasoningEffort, "null"}},
	{key: "instructions", rule: instructionsRule},
	{key: "additional_instructions", rule: instructionsRule},
	{key: "additional_messages", rule: nullable{newMessages, "[]"}},
	runTools,
}, runOptions...)}

var createThreadAndRunRule = closed{properties: append([]property{
	assistantIDProperty,
	{key: "thread", rule: nullable{createThreadRule, "{}"}},
	modelProperty,
	{key: "instructions", rule: instructionsRule},
	runTools,
	{key: "tool_resources", rule: nullable{modifyToolResources, "{}"}},
}, runOptions...)}

var modifyRunRule = closed{properties: []property{
	{key: "metadata", rule: nullable{metadata{}, "{}"}},
}}

const defaultTruncation = `{"type":"auto","last_messages":null}`

var truncationStrategy = closed{properties: []property{
	{key: "type", rule: enum{"auto", "last_messages"}, required: true},
	{key: "last_messages", rule: nullable{integer{1, maxThreadMessages}, "null"}, fill: "null"},
}, final: checkLastMessages}

// checkLastMessages is inferred: the strategy that needs a number is refused without one.
func checkLastMessages(path string, o object) *apiError {
	n := o.get("last_messages")
	if string(o.get("type")) == `"last_messages"` && (n == nil || kindOf(n) == kindNull) {
		return errMissingParameter(member(path, "last_messages"))
	}
	return nil
}

// toolChoice is a word or an object; see section 9.3 of docs/protocol.md.
type toolChoice struct{}

func (toolChoice) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	switch got := kindOf(raw); got {
	case kindString:
		return enum{"none", "auto", "required"}.check(path, raw)
	case kindObject:
		return namedTools.check(path, raw)
	default:
		return nil, errWordOrObject(path, string(got))
	}
}

var namedTools = variants{
	{toolFunction, closed{properties: []property{
		typeKey,
		{key: toolFunction, required: true, rule: closed{properties: []property{{key: "name", rule: symbol{}, required: true}}}},
	}}},
	{toolCode, closed{properties: []property{typeKey}}},
	{toolSearch, closed{properties: []property{typeKey}}},
}

// createRun is POST /threads/{thread_id}/runs; see section 9.3 of docs/protocol.md.
func (s *Server) createRun(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, createRunRule)
	if err != nil {
		return reply{}, err
	}
	id := c.ids[0]
	content, err := include(c)
	if err != nil {
		return reply{}, err
	}
	t := s.engine.lock(id)
	defer s.engine.unlock(t)
	thread, err := s.thread(ctx, id)
	if err != nil {
		return reply{}, err
	}
	assistant, err := s.assistant(ctx, decodeString(given.get("assistant_id")))
	if err != nil {
		return reply{}, err
	}
	if err := s.checkUnlocked(ctx, t, thread, errThreadLockedForRuns); err != nil {
		return reply{}, err
	}
	state, err := decode[threadState](thread.State)
	if err != nil {
		return reply{}, err
	}
	added := itemsOf(given.get("additional_messages"))
	r := &run{engine: s.engine, thread: t, doc: s.snapshot(id, state.Latest, assistant, given), feed: feedFor(c, given, content)}
	if err := s.checkRunnable(ctx, r, added); err != nil {
		return reply{}, err
	}
	return s.begin(ctx, r, assistant, given, func(all *insertions) (Record, int, error) {
		_, after, count, err := s.addMessages(ctx, all, thread, added)
		return after, count, err
	})
}

// createThreadAndRun is POST /threads/runs.
func (s *Server) createThreadAndRun(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c, createThreadAndRunRule)
	if err != nil {
		return reply{}, err
	}
	content, err := include(c)
	if err != nil {
		return reply{}, err
	}
	assistant, err := s.assistant(ctx, decodeString(given.get("assistant_id")))
	if err != nil {
		return reply{}, err
	}
	if err := s.checkResources(ctx, given.get("tool_resources")); err != nil {
		return reply{}, err
	}
	id, fields := s.newID(prefixThread), membersOf(given.get("thread"))
	t := s.engine.lock(id)
	defer s.engine.unlock(t)
	r := &run{engine: s.engine, thread: t, doc: s.snapshot(id, 0, assistant, given), feed: feedFor(c, given, content)}
	if err := s.checkRunnable(ctx, r, itemsOf(fields.get("messages"))); err != nil {
		return reply{}, err
	}
	return s.begin(ctx, r, assistant, given, func(all *insertions) (Record, int, error) {
		thread, err := s.insertThread(ctx, all, id, fields)
		if err != nil {
			return Record{}, 0, err
		}
		if err := all.own(ctx, runCollection(id)); err != nil {
			return Record{}, 0, err
		}
		shown := *thread
		shown.ToolResources = resourcesInStreams(shown.ToolResources)
		r.feed.add(event{name: "thread.created", data: encode(shown)})
		return Record{ID: id, Data: encode(thread)}, 0, nil
	})
}

// checkResources returns the error for what tool resources name that is not there.
func (s *Server) checkResources(ctx context.Context, resources json.RawMessage) error {
	for _, id := range codeFilesOf(resources) {
		if err := s.checkFile(ctx, id); err != nil {
			return err
		}
	}
	return s.checkStores(ctx, storesIn(resources))
}

// begin has a new run go to work and answers it. What comes with it is inserted first, into a thread that is returned as it
// is then, with the number of its messages if it has got more of them. The caller has the thread's lock.
func (s *Server) begin(
	ctx context.Context, r *run, assistant, given object, insert func(*insertions) (thread Record, messages int, err error),
) (reply, error) {
	if err := s.engine.enter(r); err != nil {
		return reply{}, err
	}
	all := &insertions{store: s.store}
	err := errLost // unless it is written down
	messages := 0
	r.attempt(func() {
		thread, count, failure := insert(all)
		if failure == nil {
			failure = s.insertRun(ctx, all, r, thread, assistant, given)
		}
		messages, err = count, failure
	})
	if err != nil {
		if !r.over {
			r.rest()
		}
		return reply{}, all.undo(ctx, err)
	}
	all.finish()
	r.attempt(func() {
		s.trimMessages(ctx, r.doc.ThreadID, messages)
		r.emitRun("created", "queued")
		s.engine.work(r)
	})
	if r.lost {
		return reply{}, errLost
	}
	return r.answer()
}

// insertRun writes a new run down, and that it locks its thread.
func (s *Server) insertRun(ctx context.Context, all *insertions, r *run, thread Record, assistant, given object) error {
	r.state.Resources = combineResources(membersOf(splitObject(thread.Data).get("tool_resources")),
		membersOf(assistant.get("tool_resources")), membersOf(given.get("tool_resources")))
	err := all.insert(ctx, runCollection(thread.ID), Record{ID: r.doc.ID, CreatedAt: r.doc.CreatedAt, Data: encode(r.doc), State: encode(r.state)})
	if err != nil {
		return err
	}
	return s.changeThreadState(ctx, thread.ID, func(t *threadState) {
		t.Run, r.latest = r.doc.ID, moment(t.Latest)
	})
}

// answer is the run, or the stream of what happens to it.
func (r *run) answer() (reply, error) {
	if r.feed != nil {
		return reply{status: http.StatusOK, events: r.feed}, nil
	}
	return ok(encode(r.doc))
}

// snapshot returns the document of a new run: what the request says, else the assistant, else the default. It is not older
// than the latest message of its thread.
func (s *Server) snapshot(threadID string, latest int64, assistant, given object) runDocument {
	now := max(s.now().Unix(), latest)
	inherit := func(key string) json.RawMessage {
		if value := given.get(key); value != nil && kindOf(value) != kindNull {
			return value
		}
		return orElse(assistant.get(key), assistantDefault(key))
	}
	return runDocument{
		ID: s.newID(prefixRun), Object: "thread.run", CreatedAt: now,
		AssistantID: decodeString(given.get("assistant_id")), ThreadID: threadID,
		Status: statusQueued, ExpiresAt: moment(now + runLifetime),
		Model:               inherit("model"),
		Instructions:        joinInstructions(inherit("instructions"), given.get("additional_instructions")),
		Tools:               inherit("tools"),
		ToolResources:       orElse(given.get("tool_resources"), "{}"),
		Metadata:            orElse(given.get("metadata"), "{}"),
		Temperature:         inherit("temperature"),
		TopP:                inherit("top_p"),
		ReasoningEffort:     inherit("reasoning_effort"),
		MaxCompletionTokens: orElse(given.get("max_completion_tokens"), "null"),
		MaxPromptTokens:     orElse(given.get("max_prompt_tokens"), "null"),
		TruncationStrategy:  orElse(given.get("truncation_strategy"), defaultTruncation),
		ResponseFormat:      inherit("response_format"),
		ToolChoice:          orElse(given.get("tool_choice"), `"auto"`),
		ParallelToolCalls:   orElse(given.get("parallel_tool_calls"), "true"),
	}
}

// assistantDefault is what an assistant has unless it is given.
func assistantDefault(key string) string {
	for _, f := range assistantFields {
		if f.key == key && f.initial != "" {
			return f.initial
		}
	}
	return "null"
}

// joinInstructions appends additional instructions, if there are any. The line feed between the two is inferred.
func joinInstructions(instructions, additional json.RawMessage) json.RawMessage {
	switch {
	case additional == nil || kindOf(additional) == kindNull || string(additional) == `""`:
		return instructions
	case instructions == nil || kindOf(instructions) == kindNull:
		return additional
	}
	return quote(decodeString(instructions) + "\n" + decodeString(additional))
}

// checkRunnable refuses a run that the model cannot do, and one that would have nothing to go by: no instructions, and no message of the user in the thread or
// among those that come with the run.
func (s *Server) checkRunnable(ctx context.Context, r *run, added []json.RawMessage) error {
	if err := s.checkCapable(r.doc.Model, r.doc.Tools); err != nil {
		return err
	}
	if instructions := r.doc.Instructions; kindOf(instructions) == kindString && decodeString(instructions) != "" {
		return nil
	}
	for _, message := range added {
		if string(splitObject(message).get("role")) == `"user"` {
			return nil
		}
	}
	for record, err := range s.records(ctx, messageCollection(r.thread.id), Ascending) {
		if err != nil {
			return err
		}
		if string(splitObject(record.Data).get("role")) == `"user"` {
			return nil
		}
	}
	return errNothingToRunOn()
}

// combineResources returns what a run's tools work on: the resources of the thread and of the assistant together. What
// the request that made the thread said takes the place of the assistant's.
func combineResources(thread, assistant, given object) json.RawMessage {
	var out object
	for _, t := range []struct{ tool, key string }{{toolCode, "file_ids"}, {toolSearch, "vector_store_ids"}} {
		var ids []string
		own := assistant.get(t.tool)
		if value := given.get(t.tool); value != nil {
			own = value
		}
		for _, resources := range []json.RawMessage{thread.get(t.tool), own} {
			for _, id := range itemsOf(membersOf(resources).get(t.key)) {
				ids = append(ids, decodeString(id))
			}
		}
		if len(ids) > 0 {
			out.set(t.tool, object{{t.key, joinIDs(nil, ids)}}.render())
		}
	}
	return out.render()
}

// assistant returns an assistant's document.
func (s *Server) assistant(ctx context.Context, id string) (object, error) {
	record, err := s.store.Get(ctx, assistantCollection, id)
	if err != nil {
		return nil, missing(err, "assistant", id)
	}
	return splitObject(record.Data), nil
}
