package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/assistants-go/assistants"
)

// This file puts together what a model is asked: section 10.6 of docs/protocol.md.

// budgetError says that there is nothing left of a run's tokens for another call.
type budgetError struct{ ending ending }

func (e *budgetError) Error() string { return "the run's tokens are used up" }

// modelCall returns the next call of a run.
func (s *Server) modelCall(ctx context.Context, doc runDocument, state runState) (*ModelCall, error) {
	c := &ModelCall{
		files: &callFiles{server: s}, ThreadID: doc.ThreadID, RunID: doc.ID, AssistantID: doc.AssistantID, Round: state.Rounds,
		ParallelToolCalls: string(doc.ParallelToolCalls) == "true", State: bytes.Clone(state.Model), // which the model may change
	}
	for _, field := range []struct {
		from json.RawMessage
		into any
	}{
		{doc.Model, &c.Model}, {doc.Instructions, &c.Instructions}, {doc.Tools, &c.Tools}, {state.Resources, &c.ToolResources},
		{doc.ToolChoice, &c.ToolChoice}, {doc.ResponseFormat, &c.ResponseFormat}, {doc.Temperature, &c.Temperature},
		{doc.TopP, &c.TopP}, {doc.ReasoningEffort, &c.ReasoningEffort}, {doc.Metadata, &c.Metadata},
	} {
		if len(field.from) == 0 {
			continue
		}
		if err := json.Unmarshal(field.from, field.into); err != nil {
			return nil, err
		}
	}
	c.ToolChoice = choiceInRound(c.ToolChoice, c.Round)
	var left bool
	if c.MaxCompletionTokens, left = budget(doc.MaxCompletionTokens, state.Usage.CompletionTokens); !left {
		return nil, &budgetError{endLength}
	}
	if c.MaxPromptTokens, left = budget(doc.MaxPromptTokens, state.Usage.PromptTokens); !left {
		return nil, &budgetError{endPromptLength}
	}
	return c, s.addHistory(ctx, c, doc.TruncationStrategy)
}

// choiceInRound is inferred: a choice that forces a tool counts for the first call alone, or the run would go on for ever.
func choiceInRound(choice assistants.ToolChoice, round int) assistants.ToolChoice {
	if round == 0 || choice.Type == assistants.ToolChoiceNone {
		return choice
	}
	return assistants.ToolChoice{Type: assistants.ToolChoiceAuto}
}

// budget returns what is left of a number of tokens, 0 if it is unlimited, and whether anything is left.
func budget(limit json.RawMessage, spent int) (left int, some bool) {
	n, err := strconv.Atoi(string(limit))
	if err != nil {
		return 0, true // null
	}
	return max(n-spent, 0), n > spent
}

// addHistory adds the conversation so far: messages of the thread, and what the run itself has done.
func (s *Server) addHistory(ctx context.Context, c *ModelCall, strategy json.RawMessage) error {
	own, err := s.doneInRun(ctx, c)
	if err != nil {
		return err
	}
	room := s.contextTokens
	if c.MaxPromptTokens > 0 {
		room = min(room, c.MaxPromptTokens)
	}
	room -= estimate(len(c.Instructions))
	for i := range own {
		room -= tokensOf(&own[i])
	}
	limit := maxThreadMessages
	if truncation := membersOf(strategy); string(truncation.get("type")) == `"last_messages"` {
		if n, err := strconv.Atoi(string(truncation.get("last_messages"))); err == nil {
			limit = n
		}
	}
	said, err := s.messagesBefore(ctx, c, limit, room)
	if err != nil {
		return err
	}
	c.History = append(said, own...)
	return nil
}

// estimate is inferred: how many tokens a text of so many bytes has. Only the model could count them.
func estimate(bytes int) int { return (bytes + 3) / 4 }

// perMessage is what a message or a call costs besides its text.
const perMessage = 4

// perImage is inferred: what an image costs, whatever its size.
const perImage = 1000

func tokensOf(t *Turn) int {
	bytes, images := 0, 0
	if t.Message != nil {
		bytes = len(t.Message.Text()) + len(t.Message.Refusal())
		for i := range t.Message.Content {
			if part := &t.Message.Content[i]; part.ImageFile != nil || part.ImageURL != nil {
				images++
			}
		}
	}
	for i := range t.ToolCalls {
		bytes += bytesOf(&t.ToolCalls[i])
	}
	return perMessage + estimate(bytes) + images*perImage
}

// bytesOf returns how much text there is in a call and in what came of it.
func bytesOf(call *assistants.ToolCall) int {
	bytes := 0
	if f := call.Function; f != nil {
		bytes = len(f.Name) + len(f.Arguments) + len(f.Output)
	}
	if code := call.CodeInterpreter; code != nil {
		bytes = len(code.Input)
		for i := range code.Outputs {
			bytes += len(code.Outputs[i].Logs)
		}
	}
	if search := call.FileSearch; search != nil {
		for i := range search.Results {
			for j := range search.Results[i].Content {
				bytes += len(search.Results[i].Content[j].Text)
			}
		}
	}
	return bytes
}

// messagesBefore returns the messages that are not the run's own, oldest first: the newest ones, as many as the limit and
// the room allow, and behind a gap in the middle the very first one. That the middle is left out is known; how the room
// is divided is inferred. A budget that has no room for the newest message alone is used up.
func (s *Server) messagesBefore(ctx context.Context, c *ModelCall, limit, room int) ([]Turn, error) {
	var newest []Turn
	for record, err := range s.records(ctx, messageCollection(c.ThreadID), Descending) {
		if err != nil {
			return nil, err
		}
		turn, err := messageTurn(record)
		if err != nil {
			return nil, err
		}
		if turn.Message.RunID == c.RunID {
			continue
		}
		cost := tokensOf(&turn)
		switch {
		case room >= cost:
		case len(newest) > 0 && limit < maxThreadMessages:
			return reversed(newest), nil // the first message was not asked for
		case len(newest) > 0:
			return s.withFirst(ctx, c, newest, room+tokensOf(&newest[len(newest)-1]))
		case c.MaxPromptTokens > 0:
			return nil, &budgetError{endPromptLength}
		}
		room -= cost
		newest = append(newest, turn)
		if len(newest) == limit {
			break
		}
	}
	return reversed(newest), nil
}

// withFirst puts the first message of a thread in front of the newest ones, in the place of the oldest of them if there
// is room for it.
func (s *Server) withFirst(ctx context.Context, c *ModelCall, newest []Turn, room int) ([]Turn, error) {
	page, err := s.store.List(ctx, messageCollection(c.ThreadID), Query{Limit: 1, Order: Ascending})
	if err != nil || len(page.Records) == 0 {
		return nil, err
	}
	first, err := messageTurn(page.Records[0])
	if err != nil {
		return nil, err
	}
	if len(newest) > 1 && tokensOf(&first) <= room {
		newest[len(newest)-1] = first
	}
	return reversed(newest), nil
}

func messageTurn(record Record) (Turn, error) {
	m := new(assistants.Message)
	return Turn{Message: m}, json.Unmarshal(record.Data, m)
}

func reversed(turns []Turn) []Turn {
	slices.Reverse(turns)
	return turns
}

// doneInRun returns what the run has done in earlier rounds, step by step.
func (s *Server) doneInRun(ctx context.Context, c *ModelCall) ([]Turn, error) {
	if c.Round == 0 {
		return nil, nil
	}
	var turns []Turn
	for record, err := range s.records(ctx, stepCollection(c.RunID), Ascending) {
		if err != nil {
			return nil, err
		}
		var step assistants.RunStep
		if err := json.Unmarshal(record.Data, &step); err != nil {
			return nil, err
		}
		turn := Turn{ToolCalls: step.StepDetails.ToolCalls}
		if creation := step.StepDetails.MessageCreation; creation != nil {
			message, err := s.store.Get(ctx, messageCollection(c.ThreadID), creation.MessageID)
			if errors.Is(err, ErrNotFound) {
				continue // deleted
			}
			if err == nil {
				turn, err = messageTurn(message)
			}
			if err != nil {
				return nil, err
			}
		}
		turns = append(turns, turn)
	}
	return turns, nil
}
