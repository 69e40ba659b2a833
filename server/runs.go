package server

import (
	"context"
	"encoding/json"
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
		return nil, errResponseFormatType(path, string(got))
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
	given, err := s.parse(c.body, createRunRule)
	if err != nil {
		return reply{}, err
	}
	id, err := c.idAt(0, "thread_id", prefixThread)
	if err != nil {
		return reply{}, err
	}
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
	active, err := s.activeRun(ctx, t, thread)
	if err != nil {
		return reply{}, err
	}
	if active != "" {
		return reply{}, errThreadLockedForRuns(id, active)
	}
	all := &insertions{store: s.store}
	added, err := s.insertMessages(ctx, all, id, itemsOf(given.get("additional_messages")))
	if err != nil {
		return reply{}, all.undo(ctx, err)
	}
	r, err := s.newRun(ctx, all, t, assistant, given, added, feedFor(c, given, content))
	if err != nil {
		return reply{}, all.undo(ctx, err)
	}
	return s.begin(r, nil)
}

// createThreadAndRun is POST /threads/runs.
func (s *Server) createThreadAndRun(ctx context.Context, c *call) (reply, error) {
	given, err := s.parse(c.body, createThreadAndRunRule)
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
	all := &insertions{store: s.store}
	thread, err := s.insertThread(ctx, all, membersOf(given.get("thread")))
	if err != nil {
		return reply{}, all.undo(ctx, err)
	}
	t := s.engine.lock(thread.ID)
	defer s.engine.unlock(t)
	r, err := s.newRun(ctx, all, t, assistant, given, nil, feedFor(c, given, content))
	if err != nil {
		return reply{}, all.undo(ctx, err)
	}
	return s.begin(r, thread)
}

// newRun makes a run at work of a request, and locks its thread. Attachments of the messages that were added for it take
// effect when nothing can refuse it any more. The caller has the thread's lock.
func (s *Server) newRun(
	ctx context.Context, all *insertions, t *thread, assistant, given object, added []messageDocument, f *feed,
) (*run, error) {
	r := &run{engine: s.engine, thread: t, doc: s.snapshot(t.id, assistant, given), feed: f}
	if err := s.checkRunnable(ctx, t.id, r.doc.Instructions); err != nil {
		return nil, err
	}
	if err := s.engine.enter(r); err != nil {
		return nil, err
	}
	err := errLost // unless it is written down
	r.attempt(func() { err = s.insertRun(ctx, all, r, assistant, given, added) })
	if err != nil && !r.over {
		r.rest()
	}
	return r, err
}

// insertRun writes a new run down, and that it locks its thread.
func (s *Server) insertRun(ctx context.Context, all *insertions, r *run, assistant, given object, added []messageDocument) error {
	thread, err := s.thread(ctx, r.thread.id)
	if err != nil {
		return err
	}
	if thread, err = s.attachToThread(ctx, all, thread, added); err != nil {
		return err
	}
	r.state.Resources = combineResources(membersOf(splitObject(thread.Data).get("tool_resources")),
		membersOf(assistant.get("tool_resources")), membersOf(given.get("tool_resources")))
	err = all.insert(ctx, runCollection(thread.ID), Record{ID: r.doc.ID, CreatedAt: r.doc.CreatedAt, Data: encode(r.doc), State: encode(r.state)})
	if err != nil {
		return err
	}
	return s.countMessages(ctx, thread.ID, len(added), func(state *threadState) { state.Run = r.doc.ID })
}

// begin lets a new run go and answers it.
func (s *Server) begin(r *run, thread *threadDocument) (reply, error) {
	if thread != nil && r.feed != nil {
		shown := *thread
		shown.ToolResources = resourcesInStreams(shown.ToolResources)
		r.feed.add(event{name: "thread.created", data: encode(shown)})
	}
	r.queue(true)
	s.engine.work(r)
	return r.answer()
}

// answer is the run, or the stream of what happens to it.
func (r *run) answer() (reply, error) {
	if r.feed != nil {
		return reply{status: 200, events: r.feed}, nil
	}
	return ok(encode(r.doc))
}

// snapshot returns the document of a new run: what the request says, else the assistant, else the default.
func (s *Server) snapshot(threadID string, assistant, given object) runDocument {
	now := s.now().Unix()
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

// checkRunnable refuses a run that would have nothing to go by.
func (s *Server) checkRunnable(ctx context.Context, threadID string, instructions json.RawMessage) error {
	if instructions != nil && kindOf(instructions) == kindString && decodeString(instructions) != "" {
		return nil
	}
	for q := (Query{Limit: maxLimit, Order: Ascending}); ; {
		page, err := s.store.List(ctx, messageCollection(threadID), q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			if string(splitObject(r.Data).get("role")) == `"user"` {
				return nil
			}
			q.After = r.ID
		}
		if !page.HasMore {
			return errNothingToRunOn()
		}
	}
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

// include returns whether a request wants the contents of search results.
func include(c *call) (content bool, err error) {
	query := c.request.URL.Query()
	for i, value := range append(query["include[]"], query["include"]...) {
		if value != includeContent {
			return false, errEnum(element("include", i), value, []string{includeContent})
		}
		content = true
	}
	return content, nil
}

const includeContent = "step_details.tool_calls[*].file_search.results[*].content"
