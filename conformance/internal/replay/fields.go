package replay

import (
	"reflect"

	"github.com/assistants-go/assistants"
)

// byField writes a typed answer with keys that are given here for each Go field, whatever the tags say: two tags that
// are swapped go unnoticed where the same type reads and writes them. It returns nil for types that it does not know.
func byField(answer any) any {
	switch a := answer.(type) {
	case *assistants.Assistant:
		return assistantByField(a)
	case *assistants.Page[assistants.Assistant]:
		return pageByField(a, assistantByField)
	case *assistants.Thread:
		return threadByField(a)
	case *assistants.Message:
		return messageByField(a)
	case *assistants.Page[assistants.Message]:
		return pageByField(a, messageByField)
	case *assistants.Run:
		return runByField(a)
	case *assistants.Page[assistants.Run]:
		return pageByField(a, runByField)
	case *assistants.RunStep:
		return stepByField(a)
	case *assistants.Page[assistants.RunStep]:
		return pageByField(a, stepByField)
	case *assistants.Deleted:
		return fields{"id": a.ID, "object": a.Object, "deleted": a.Deleted}
	case *assistants.MessageDelta:
		return fields{"id": a.ID, "object": a.Object, "delta": a.Delta}
	case *assistants.RunStepDelta:
		return fields{"id": a.ID, "object": a.Object, "delta": a.Delta}
	}
	return answerByField(answer)
}

// fields are values by their keys.
type fields map[string]any

// unlessZero adds what is left out where it is zero.
func (f fields) unlessZero(more fields) fields {
	for key, value := range more {
		if !reflect.ValueOf(value).IsZero() {
			f[key] = value
		}
	}
	return f
}

func pageByField[T any](p *assistants.Page[T], item func(*T) fields) fields {
	data := make([]any, len(p.Data))
	for i := range p.Data {
		data[i] = item(p.Data[i])
	}
	return fields{
		"object":   p.Object,
		"data":     data,
		"first_id": p.FirstID,
		"last_id":  p.LastID,
		"has_more": p.HasMore,
	}
}

func assistantByField(a *assistants.Assistant) fields {
	return fields{
		"id":               a.ID,
		"object":           a.Object,
		"created_at":       a.CreatedAt,
		"name":             a.Name,
		"description":      a.Description,
		"model":            a.Model,
		"instructions":     a.Instructions,
		"tools":            a.Tools,
		"top_p":            a.TopP,
		"temperature":      a.Temperature,
		"reasoning_effort": a.ReasoningEffort,
		"tool_resources":   a.ToolResources,
		"metadata":         a.Metadata,
		"response_format":  a.ResponseFormat,
	}.unlessZero(fields{"file_ids": a.FileIDs})
}

func threadByField(t *assistants.Thread) fields {
	return fields{
		"id":             t.ID,
		"object":         t.Object,
		"created_at":     t.CreatedAt,
		"tool_resources": t.ToolResources,
		"metadata":       t.Metadata,
	}
}

func messageByField(m *assistants.Message) fields {
	return fields{
		"id":           m.ID,
		"object":       m.Object,
		"created_at":   m.CreatedAt,
		"thread_id":    m.ThreadID,
		"role":         m.Role,
		"content":      m.Content,
		"assistant_id": m.AssistantID,
		"run_id":       m.RunID,
		"attachments":  m.Attachments,
		"metadata":     m.Metadata,
	}.unlessZero(fields{
		"status":             m.Status,
		"incomplete_details": m.IncompleteDetails,
		"completed_at":       m.CompletedAt,
		"incomplete_at":      m.IncompleteAt,
		"file_ids":           m.FileIDs,
	})
}

func runByField(r *assistants.Run) fields {
	return fields{
		"id":                  r.ID,
		"object":              r.Object,
		"created_at":          r.CreatedAt,
		"thread_id":           r.ThreadID,
		"assistant_id":        r.AssistantID,
		"status":              r.Status,
		"required_action":     r.RequiredAction,
		"last_error":          r.LastError,
		"incomplete_details":  r.IncompleteDetails,
		"expires_at":          r.ExpiresAt,
		"started_at":          r.StartedAt,
		"cancelled_at":        r.CancelledAt,
		"failed_at":           r.FailedAt,
		"completed_at":        r.CompletedAt,
		"model":               r.Model,
		"instructions":        r.Instructions,
		"tools":               r.Tools,
		"metadata":            r.Metadata,
		"usage":               r.Usage,
		"temperature":         r.Temperature,
		"top_p":               r.TopP,
		"truncation_strategy": r.TruncationStrategy,
		"tool_choice":         r.ToolChoice,
		"response_format":     r.ResponseFormat,
	}.unlessZero(fields{
		"tool_resources":        r.ToolResources,
		"reasoning_effort":      r.ReasoningEffort,
		"max_prompt_tokens":     r.MaxPromptTokens,
		"max_completion_tokens": r.MaxCompletionTokens,
		"parallel_tool_calls":   r.ParallelToolCalls,
		"file_ids":              r.FileIDs,
	})
}

func stepByField(s *assistants.RunStep) fields {
	return fields{
		"id":           s.ID,
		"object":       s.Object,
		"created_at":   s.CreatedAt,
		"run_id":       s.RunID,
		"assistant_id": s.AssistantID,
		"thread_id":    s.ThreadID,
		"type":         s.Type,
		"status":       s.Status,
		"cancelled_at": s.CancelledAt,
		"completed_at": s.CompletedAt,
		"expires_at":   s.ExpiresAt,
		"failed_at":    s.FailedAt,
		"last_error":   s.LastError,
		"step_details": s.StepDetails,
		"usage":        s.Usage,
	}.unlessZero(fields{"expired_at": s.ExpiredAt, "metadata": s.Metadata})
}
