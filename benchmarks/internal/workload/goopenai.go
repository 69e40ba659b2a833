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
	}}
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
