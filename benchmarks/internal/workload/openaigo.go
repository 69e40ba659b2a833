package workload

//lint:file-ignore SA1019 the official library marks its Assistants API deprecated, and that is what is compared

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/pagination"
	"github.com/openai/openai-go/v3/shared"
	"github.com/openai/openai-go/v3/shared/constant"
)

func openAIGo(wire *Wire) Client {
	client := openai.NewClient(
		option.WithAPIKey(apiKey),
		option.WithBaseURL(baseURL),
		option.WithHTTPClient(&http.Client{Transport: wire}),
	)
	list := openai.BetaAssistantListParams{Limit: openai.Int(ListLength)}
	messages := openai.BetaThreadMessageListParams{Limit: openai.Int(ListLength)}
	params := newOpenAIGoParams()
	stream := func(ctx context.Context, each func(string)) error { return openAIGoStream(ctx, &client, each) }
	return Client{OpenAIGo, map[string]Operation{
		Retrieve: operation(func(ctx context.Context) (*openai.Assistant, error) {
			return client.Beta.Assistants.Get(ctx, AssistantID)
		}, one(openAIGoSight)),
		RetrieveUnannounced: operation(func(ctx context.Context) (*openai.Assistant, error) {
			return client.Beta.Assistants.Get(ctx, UnannouncedID)
		}, one(openAIGoSight)),
		List: operation(func(ctx context.Context) (*pagination.CursorPage[openai.Assistant], error) {
			return client.Beta.Assistants.List(ctx, list)
		}, func(page *pagination.CursorPage[openai.Assistant]) []Sight {
			return many(page.Data, func(a openai.Assistant) Sight { return openAIGoSight(&a) })
		}),
		Create: operation(func(ctx context.Context) (*openai.Assistant, error) {
			return client.Beta.Assistants.New(ctx, params)
		}, one(openAIGoSight)),
		Messages: operation(func(ctx context.Context) (*pagination.CursorPage[openai.Message], error) {
			return client.Beta.Threads.Messages.List(ctx, ThreadID, messages)
		}, func(page *pagination.CursorPage[openai.Message]) []Sight {
			return many(page.Data, func(m openai.Message) Sight { return openAIGoMessageSight(&m) })
		}),
		Stream: streaming(stream),
	}, stream}
}

// openAIGoStream takes the text from the union of all events, which Next has decoded; AsAny would decode it again.
func openAIGoStream(ctx context.Context, client *openai.Client, each func(string)) error {
	stream := client.Beta.Threads.Runs.NewStreaming(ctx, ThreadID, openai.BetaThreadRunNewParams{AssistantID: AssistantID})
	defer stream.Close()
	for stream.Next() {
		event := stream.Current()
		if event.Event != "thread.message.delta" {
			continue
		}
		for _, part := range event.Data.Delta.Content {
			if part.Text.Value != "" {
				each(part.Text.Value)
			}
		}
	}
	return stream.Err()
}

func openAIGoMessageSight(m *openai.Message) Sight {
	return Sight{
		ID:        m.ID,
		Object:    string(m.Object),
		CreatedAt: m.CreatedAt,
		Thread:    m.ThreadID,
		Assistant: m.AssistantID,
		Run:       m.RunID,
		Role:      string(m.Role),
		Text:      words(m.Content, func(p openai.MessageContentUnion) string { return p.Text.Value }),
		Citations: words(m.Content, func(p openai.MessageContentUnion) string {
			return words(p.Text.Annotations, func(a openai.AnnotationUnion) string {
				return citation(a.Text, a.StartIndex, a.EndIndex, a.FileCitation.FileID)
			})
		}),
		Attachments: words(m.Attachments, func(a openai.MessageAttachment) string {
			return attachment(a.FileID, words(a.Tools, func(t openai.MessageAttachmentToolUnion) string { return t.Type }))
		}),
		Metadata: m.Metadata,
	}
}

func openAIGoSight(a *openai.Assistant) Sight {
	return Sight{
		ID:           a.ID,
		Object:       string(a.Object),
		Name:         a.Name,
		Description:  a.Description,
		Model:        a.Model,
		Instructions: a.Instructions,
		CreatedAt:    a.CreatedAt,
		Tools:        words(a.Tools, func(t openai.AssistantToolUnion) string { return t.Type }),
		Function: words(a.Tools, func(t openai.AssistantToolUnion) string {
			if t.Function.Name == "" {
				return ""
			}
			return function(t.Function.Name, t.Function.Description, t.Function.Parameters)
		}),
		Search: words(a.Tools, func(t openai.AssistantToolUnion) string {
			if t.FileSearch.MaxNumResults == 0 {
				return ""
			}
			ranking := t.FileSearch.RankingOptions
			return search(t.FileSearch.MaxNumResults, string(ranking.Ranker), ranking.ScoreThreshold)
		}),
		Files:       words(a.ToolResources.CodeInterpreter.FileIDs, itself),
		Stores:      words(a.ToolResources.FileSearch.VectorStoreIDs, itself),
		Metadata:    a.Metadata,
		TopP:        decimal(a.TopP),
		Temperature: decimal(a.Temperature),
		Format:      string(a.ResponseFormat.OfAuto),
	}
}

// newOpenAIGoParams is the request as the types of that client want it written.
func newOpenAIGoParams() openai.BetaAssistantNewParams {
	plain := newPlainParams()
	params := openai.BetaAssistantNewParams{
		Model:        plain.Model,
		Name:         openai.String(plain.Name),
		Description:  openai.String(plain.Description),
		Instructions: openai.String(plain.Instructions),
		Temperature:  openai.Float(*plain.Temperature),
		TopP:         openai.Float(*plain.TopP),
		Metadata:     plain.Metadata,
		ToolResources: openai.BetaAssistantNewParamsToolResources{
			CodeInterpreter: openai.BetaAssistantNewParamsToolResourcesCodeInterpreter{
				FileIDs: plain.ToolResources.CodeInterpreter.FileIDs,
			},
			FileSearch: openai.BetaAssistantNewParamsToolResourcesFileSearch{
				VectorStoreIDs: plain.ToolResources.FileSearch.VectorStoreIDs,
			},
		},
		ResponseFormat: openai.AssistantResponseFormatOptionUnionParam{
			OfAuto: constant.ValueOf[constant.Auto](),
		},
	}
	for _, tool := range plain.Tools {
		params.Tools = append(params.Tools, newOpenAIGoTool(tool))
	}
	return params
}

func newOpenAIGoTool(tool plainTool) openai.AssistantToolUnionParam {
	switch {
	case tool.Function != nil:
		return openai.AssistantToolUnionParam{OfFunction: &openai.FunctionToolParam{
			Function: shared.FunctionDefinitionParam{
				Name:        tool.Function.Name,
				Description: openai.String(tool.Function.Description),
				Parameters:  decoded(tool.Function.Parameters),
			},
		}}
	case tool.FileSearch != nil:
		return openai.AssistantToolUnionParam{OfFileSearch: &openai.FileSearchToolParam{
			FileSearch: openai.FileSearchToolFileSearchParam{
				MaxNumResults: openai.Int(int64(tool.FileSearch.MaxNumResults)),
				RankingOptions: openai.FileSearchToolFileSearchRankingOptionsParam{
					Ranker:         tool.FileSearch.RankingOptions.Ranker,
					ScoreThreshold: tool.FileSearch.RankingOptions.ScoreThreshold,
				},
			},
		}}
	}
	interpreter := openai.NewCodeInterpreterToolParam()
	return openai.AssistantToolUnionParam{OfCodeInterpreter: &interpreter}
}

// decoded is JSON as a client wants it that takes no raw JSON.
func decoded(raw json.RawMessage) map[string]any {
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		panic(err) // the file is part of this package
	}
	return object
}
