package workload

import (
	"encoding/json"
	"fmt"
)

type plainPage struct {
	Object  string            `json:"object"`
	Data    []*plainAssistant `json:"data"`
	FirstID string            `json:"first_id"`
	LastID  string            `json:"last_id"`
	HasMore bool              `json:"has_more"`
}

type plainAssistant struct {
	ID              string              `json:"id"`
	Object          string              `json:"object"`
	CreatedAt       int64               `json:"created_at"`
	Name            string              `json:"name"`
	Description     string              `json:"description"`
	Model           string              `json:"model"`
	Instructions    string              `json:"instructions"`
	Tools           []plainTool         `json:"tools"`
	TopP            *float64            `json:"top_p"`
	Temperature     *float64            `json:"temperature"`
	ReasoningEffort string              `json:"reasoning_effort"`
	ToolResources   *plainToolResources `json:"tool_resources"`
	Metadata        map[string]string   `json:"metadata"`
	ResponseFormat  any                 `json:"response_format"` // a string or an object
	FileIDs         []string            `json:"file_ids,omitzero"`
}

type plainParams struct {
	Model           string             `json:"model"`
	Name            string             `json:"name,omitzero"`
	Description     string             `json:"description,omitzero"`
	Instructions    string             `json:"instructions,omitzero"`
	ReasoningEffort string             `json:"reasoning_effort,omitzero"`
	Tools           []plainTool        `json:"tools,omitzero"`
	ToolResources   plainToolResources `json:"tool_resources,omitzero"`
	Metadata        map[string]string  `json:"metadata,omitzero"`
	Temperature     *float64           `json:"temperature,omitzero"`
	TopP            *float64           `json:"top_p,omitzero"`
	ResponseFormat  any                `json:"response_format,omitzero"`
	FileIDs         []string           `json:"file_ids,omitzero"`
}

type plainTool struct {
	Type       string           `json:"type"`
	Function   *plainFunction   `json:"function,omitzero"`
	FileSearch *plainFileSearch `json:"file_search,omitzero"`
}

type plainFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitzero"`
	Parameters  json.RawMessage `json:"parameters,omitzero"`
	Strict      bool            `json:"strict,omitzero"`
}

type plainFileSearch struct {
	MaxNumResults  int                  `json:"max_num_results,omitzero"`
	RankingOptions *plainRankingOptions `json:"ranking_options,omitzero"`
}

type plainRankingOptions struct {
	Ranker         string             `json:"ranker,omitzero"`
	ScoreThreshold float64            `json:"score_threshold"`
	HybridSearch   *plainHybridSearch `json:"hybrid_search,omitzero"`
}

type plainHybridSearch struct {
	EmbeddingWeight float64 `json:"embedding_weight"`
	TextWeight      float64 `json:"text_weight"`
}

type plainToolResources struct {
	CodeInterpreter *plainCodeInterpreterResources `json:"code_interpreter,omitzero"`
	FileSearch      *plainFileSearchResources      `json:"file_search,omitzero"`
	MCP             []plainMCPResources            `json:"mcp,omitzero"`
	AzureAISearch   json.RawMessage                `json:"azure_ai_search,omitzero"`
}

type plainCodeInterpreterResources struct {
	FileIDs     []string          `json:"file_ids,omitzero"`
	DataSources []json.RawMessage `json:"data_sources,omitzero"`
}

type plainMCPResources struct {
	ServerLabel     string            `json:"server_label"`
	Headers         map[string]string `json:"headers,omitzero"`
	RequireApproval json.RawMessage   `json:"require_approval,omitzero"`
}

type plainFileSearchResources struct {
	VectorStoreIDs []string           `json:"vector_store_ids,omitzero"`
	VectorStores   []plainVectorStore `json:"vector_stores,omitzero"`
}

type plainVectorStore struct {
	FileIDs          []string               `json:"file_ids,omitzero"`
	ChunkingStrategy *plainChunkingStrategy `json:"chunking_strategy,omitzero"`
	Metadata         map[string]string      `json:"metadata,omitzero"`
}

type plainChunkingStrategy struct {
	Type   string               `json:"type"`
	Static *plainStaticChunking `json:"static,omitzero"`
}

type plainStaticChunking struct {
	MaxChunkSizeTokens int `json:"max_chunk_size_tokens"`
	ChunkOverlapTokens int `json:"chunk_overlap_tokens"`
}

func plainSight(a *plainAssistant) Sight {
	return Sight{
		ID:           a.ID,
		Object:       a.Object,
		Name:         a.Name,
		Description:  a.Description,
		Model:        a.Model,
		Instructions: a.Instructions,
		CreatedAt:    a.CreatedAt,
		Tools:        words(a.Tools, func(t plainTool) string { return t.Type }),
		Function: words(a.Tools, func(t plainTool) string {
			if t.Function == nil {
				return ""
			}
			return function(t.Function.Name, t.Function.Description, t.Function.Parameters)
		}),
		Search: words(a.Tools, func(t plainTool) string {
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
		Format:      fmt.Sprint(a.ResponseFormat),
	}
}

func itself(s string) string { return s }

// newPlainParams is the request that all clients send, from the fields of the answer.
func newPlainParams() plainParams {
	var params plainParams
	if err := json.Unmarshal(assistantJSON, &params); err != nil {
		panic(err) // the file is part of this package
	}
	return params
}
