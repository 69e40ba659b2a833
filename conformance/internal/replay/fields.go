package replay

import "github.com/assistants-go/assistants"

// byField writes a typed answer with keys that are given here for each Go field, whatever the tags say: two tags that
// are swapped go unnoticed where the same type reads and writes them. It returns nil for types that it does not know.
func byField(answer any) any {
	switch a := answer.(type) {
	case *assistants.Assistant:
		return assistantByField(a)
	case *assistants.Page[assistants.Assistant]:
		data := make([]any, len(a.Data))
		for i, item := range a.Data {
			data[i] = assistantByField(item)
		}
		return map[string]any{
			"object":   a.Object,
			"data":     data,
			"first_id": a.FirstID,
			"last_id":  a.LastID,
			"has_more": a.HasMore,
		}
	case *assistants.Deleted:
		return map[string]any{"id": a.ID, "object": a.Object, "deleted": a.Deleted}
	}
	return nil
}

func assistantByField(a *assistants.Assistant) map[string]any {
	fields := map[string]any{
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
	}
	if a.FileIDs != nil { // in v1 only
		fields["file_ids"] = a.FileIDs
	}
	return fields
}
