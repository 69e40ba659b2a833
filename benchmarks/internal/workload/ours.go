package workload

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/assistants-go/assistants"
)

func newOurs(wire *Wire) *assistants.Client {
	client, err := assistants.NewClient(
		assistants.WithAPIKey(apiKey),
		assistants.WithBaseURL(baseURL), // whatever the environment says
		assistants.WithHTTPClient(&http.Client{Transport: wire}),
	)
	if err != nil {
		panic(err) // the options are constant
	}
	return client
}

func ours(wire *Wire) Client {
	client := newOurs(wire)
	params := newOurParams()
	stream := func(ctx context.Context, each func(string)) error { return ourText(ctx, client, each) }
	return Client{Ours, map[string]Operation{
		Retrieve: operation(func(ctx context.Context) (*assistants.Assistant, error) {
			return client.Assistants.Retrieve(ctx, AssistantID)
		}, one(ourSight)),
		RetrieveUnannounced: operation(func(ctx context.Context) (*assistants.Assistant, error) {
			return client.Assistants.Retrieve(ctx, UnannouncedID)
		}, one(ourSight)),
		List: operation(func(ctx context.Context) (*assistants.Page[assistants.Assistant], error) {
			return client.Assistants.List(ctx, assistants.ListParams{Limit: ListLength})
		}, func(page *assistants.Page[assistants.Assistant]) []Sight { return many(page.Data, ourSight) }),
		Create: operation(func(ctx context.Context) (*assistants.Assistant, error) {
			return client.Assistants.Create(ctx, params)
		}, one(ourSight)),
		Messages: operation(func(ctx context.Context) (*assistants.Page[assistants.Message], error) {
			return client.Messages.List(ctx, ThreadID, assistants.MessageListParams{
				Limit: ListLength,
			})
		}, func(page *assistants.Page[assistants.Message]) []Sight { return many(page.Data, ourMessageSight) }),
		Stream: streaming(stream),
	}, stream}
}

func ourSight(a *assistants.Assistant) Sight {
	return Sight{
		ID:           a.ID,
		Object:       a.Object,
		Name:         a.Name,
		Description:  a.Description,
		Model:        a.Model,
		Instructions: a.Instructions,
		CreatedAt:    int64(a.CreatedAt),
		Tools:        words(a.Tools, func(t assistants.Tool) string { return string(t.Type) }),
		Function: words(a.Tools, func(t assistants.Tool) string {
			if t.Function == nil {
				return ""
			}
			return function(t.Function.Name, t.Function.Description, t.Function.Parameters)
		}),
		Search: words(a.Tools, func(t assistants.Tool) string {
			if t.FileSearch == nil {
				return ""
			}
			ranking := t.FileSearch.RankingOptions
			return search(int64(t.FileSearch.MaxNumResults), ranking.Ranker, ranking.ScoreThreshold)
		}),
		Files:       words(a.ToolResources.CodeInterpreter.FileIDs, itself),
		Stores:      words(a.ToolResources.FileSearch.VectorStoreIDs, itself),
		Metadata:    a.Metadata,
		TopP:        decimal(*a.TopP),
		Temperature: decimal(*a.Temperature),
		Format:      string(a.ResponseFormat.Type),
	}
}

func newOurParams() assistants.AssistantCreateParams {
	var a assistants.Assistant
	if err := json.Unmarshal(assistantJSON, &a); err != nil {
		panic(err) // the file is part of this package
	}
	return assistants.AssistantCreateParams{
		Model:          a.Model,
		Name:           a.Name,
		Description:    a.Description,
		Instructions:   a.Instructions,
		Tools:          a.Tools,
		ToolResources:  *a.ToolResources,
		Metadata:       a.Metadata,
		Temperature:    a.Temperature,
		TopP:           a.TopP,
		ResponseFormat: *a.ResponseFormat,
	}
}
