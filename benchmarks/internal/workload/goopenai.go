package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	openai "github.com/sashabaranov/go-openai"
)

func goOpenAI(wire *Wire) Client {
	config := openai.DefaultConfig(apiKey)
	config.BaseURL = baseURL
	config.HTTPClient = &http.Client{Transport: wire}
	client := openai.NewClientWithConfig(config)
	limit := ListLength
	var params openai.AssistantRequest
	var head openai.Assistant
	for _, into := range []any{&params, &head} {
		if err := json.Unmarshal(assistantJSON, into); err != nil {
			panic(err) // the file is part of this package
		}
	}
	params.Tools = head.Tools
	return Client{GoOpenAI, map[string]Operation{
		Retrieve: operation(func(ctx context.Context) (openai.Assistant, error) {
			return client.RetrieveAssistant(ctx, AssistantID)
		}, one(goOpenAISight)),
		RetrieveUnannounced: operation(func(ctx context.Context) (openai.Assistant, error) {
			return client.RetrieveAssistant(ctx, UnannouncedID)
		}, one(goOpenAISight)),
		List: operation(func(ctx context.Context) (openai.AssistantsList, error) {
			return client.ListAssistants(ctx, &limit, nil, nil, nil)
		}, func(list openai.AssistantsList) []Sight { return many(list.Assistants, goOpenAISight) }),
		Create: operation(func(ctx context.Context) (openai.Assistant, error) {
			return client.CreateAssistant(ctx, params)
		}, one(goOpenAISight)),
		Messages: operation(func(ctx context.Context) (openai.MessagesList, error) {
			return client.ListMessage(ctx, ThreadID, &limit, nil, nil, nil, nil)
		}, func(list openai.MessagesList) []Sight { return many(list.Messages, goOpenAIMessageSight) }),
	}, nil}
}

func goOpenAISight(a openai.Assistant) Sight {
	metadata := make(map[string]string, len(a.Metadata))
	for key, value := range a.Metadata {
		metadata[key] = fmt.Sprint(value)
	}
	return Sight{
		ID:           a.ID,
		Object:       a.Object,
		Name:         *a.Name,
		Description:  *a.Description,
		Model:        a.Model,
		Instructions: *a.Instructions,
		CreatedAt:    a.CreatedAt,
		Tools:        words(a.Tools, func(t openai.AssistantTool) string { return string(t.Type) }),
		Function: words(a.Tools, func(t openai.AssistantTool) string {
			if t.Function == nil {
				return ""
			}
			return function(t.Function.Name, t.Function.Description, t.Function.Parameters)
		}),
		Files:       words(a.ToolResources.CodeInterpreter.FileIDs, itself),
		Stores:      words(a.ToolResources.FileSearch.VectorStoreIDs, itself),
		Metadata:    metadata,
		TopP:        decimal(float64(*a.TopP)),
		Temperature: decimal(float64(*a.Temperature)),
		Format:      fmt.Sprint(a.ResponseFormat),
	}
}

func goOpenAIMessageSight(m openai.Message) Sight {
	metadata := make(map[string]string, len(m.Metadata))
	for key, value := range m.Metadata {
		metadata[key] = fmt.Sprint(value)
	}
	return Sight{
		ID:        m.ID,
		Object:    m.Object,
		CreatedAt: int64(m.CreatedAt),
		Thread:    m.ThreadID,
		Assistant: orEmpty(m.AssistantID),
		Run:       orEmpty(m.RunID),
		Role:      m.Role,
		Text:      words(m.Content, func(p openai.MessageContent) string { return p.Text.Value }),
		Citations: words(m.Content, func(p openai.MessageContent) string {
			return words(p.Text.Annotations, goOpenAICitation)
		}),
		Metadata: metadata,
	}
}

// goOpenAICitation describes a citation, which that client decodes into no type of its own.
func goOpenAICitation(decoded any) string {
	a, _ := decoded.(map[string]any)
	text, _ := a["text"].(string)
	start, _ := a["start_index"].(float64)
	end, _ := a["end_index"].(float64)
	file, _ := a["file_citation"].(map[string]any)
	id, _ := file["file_id"].(string)
	return citation(text, int64(start), int64(end), id)
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
