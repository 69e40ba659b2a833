package responses

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// This file says what tools the provider may use.

type functionTool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitzero"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      bool            `json:"strict"` // without it the service tries to be strict
}

type searchTool struct {
	Type           string          `json:"type"`
	VectorStoreIDs []string        `json:"vector_store_ids"`
	MaxNumResults  int             `json:"max_num_results,omitzero"`
	RankingOptions *rankingOptions `json:"ranking_options,omitzero"`
}

type rankingOptions struct {
	Ranker         string  `json:"ranker"`
	ScoreThreshold float64 `json:"score_threshold"`
}

type codeTool struct {
	Type      string `json:"type"`
	Container any    `json:"container"` // an id, or:
}

type newContainer struct {
	Type    string   `json:"type"`
	FileIDs []string `json:"file_ids,omitempty"`
}

// addTools adds the tools that can be used, and what belongs to them.
func (q *question) addTools(ctx context.Context) error {
	var usable []assistants.Tool
	for _, t := range q.call.Tools {
		tool, err := q.tool(ctx, &t)
		if err != nil {
			return err
		}
		if tool == nil {
			continue
		}
		raw, err := json.Marshal(tool)
		if err != nil {
			return err
		}
		q.body.Tools = append(q.body.Tools, raw)
		usable = append(usable, t)
	}
	if len(usable) == 0 {
		return nil
	}
	q.body.ParallelToolCalls = &q.call.ParallelToolCalls
	var err error
	q.body.ToolChoice, err = choiceOf(q.call.ToolChoice, usable)
	return err
}

// tool returns a tool as the provider knows it; nil is one that cannot be used. Where no tool may be chosen nothing is
// copied for the provider's own ones, but functions are told: what was said about them needs them.
func (q *question) tool(ctx context.Context, t *assistants.Tool) (any, error) {
	chosen := q.call.ToolChoice.Type != assistants.ToolChoiceNone
	switch kind := provider.ToolType(t); {
	case kind == assistants.ToolFunction && t.Function != nil:
		f := t.Function
		return functionTool{string(kind), f.Name, f.Description, parametersOf(f), f.Strict}, nil
	case kind == assistants.ToolFileSearch && chosen:
		return q.searchTool(ctx, t.FileSearch)
	case kind == assistants.ToolCodeInterpreter && chosen:
		return q.codeTool(ctx)
	}
	return nil, nil
}

// noParameters is the schema of a function that has none.
var noParameters = json.RawMessage(`{"type":"object","properties":{}}`)

func parametersOf(f *assistants.FunctionDefinition) json.RawMessage {
	if f.Parameters == nil {
		return noParameters
	}
	return f.Parameters
}

// maxStores is how many vector stores one search may be in: the assistant's and the thread's.
const maxStores = 2

// searchTool returns file search in the provider's copies of the vector stores; nil if there is none to be searched.
func (q *question) searchTool(ctx context.Context, options *assistants.FileSearchOptions) (any, error) {
	stores := q.call.ToolResources.FileSearch
	if stores == nil || len(stores.VectorStoreIDs) == 0 {
		return nil, nil
	}
	if len(stores.VectorStoreIDs) > maxStores {
		return nil, &server.ModelError{Code: provider.CodeServer, Message: "File search can be in two vector stores at most."}
	}
	found, err := q.model.copies.stores(ctx, q.call, stores.VectorStoreIDs)
	if err != nil || len(found.ids) == 0 {
		return nil, err
	}
	q.stores = found
	q.include(includeResults)
	tool := searchTool{Type: string(assistants.ToolFileSearch), VectorStoreIDs: found.ids}
	if options == nil {
		return tool, nil
	}
	tool.MaxNumResults = options.MaxNumResults
	if ranking := options.RankingOptions; ranking != nil {
		q.search.Ranker, q.search.ScoreThreshold = ranking.Ranker, ranking.ScoreThreshold
		tool.RankingOptions = &rankingOptions{rankerOf(ranking.Ranker), ranking.ScoreThreshold}
	}
	return tool, nil
}

// rankerOf returns the provider's name of a ranker: it knows one that the Assistants API did not, and not the one of
// then.
func rankerOf(name string) string {
	if name == "default-2024-11-15" {
		return name
	}
	return "auto"
}

// codeTool returns the code interpreter, in the session of the thread if there is one.
func (q *question) codeTool(ctx context.Context) (any, error) {
	session, err := q.model.copies.session(ctx, q.call, q.codeFiles())
	if err != nil {
		return nil, err
	}
	q.session = session
	q.include(includeOutputs)
	if q.session.ID != "" {
		return codeTool{string(assistants.ToolCodeInterpreter), q.session.ID}, nil
	}
	return codeTool{string(assistants.ToolCodeInterpreter), newContainer{"auto", q.session.files}}, nil
}

// codeFiles are the files that code can read.
func (q *question) codeFiles() []string {
	if resources := q.call.ToolResources.CodeInterpreter; resources != nil {
		return resources.FileIDs
	}
	return nil
}

// usesCopies tells whether the provider was told of anything that it was given before.
func (q *question) usesCopies() bool { return q.session != nil || q.stores != nil }

// forget has everything that the provider has been given looked at again: the session is given up, and files and
// vector stores are copied once more if their copies are gone.
func (q *question) forget(ctx context.Context) error {
	var files, stores []string
	if q.session != nil {
		files = q.codeFiles()
		if err := q.model.copies.drop(ctx, q.call); err != nil {
			return err
		}
	}
	if q.stores != nil {
		stores = q.call.ToolResources.FileSearch.VectorStoreIDs
	}
	return q.model.copies.doubt(ctx, q.call, files, stores)
}

func (q *question) include(what string) {
	if !slices.Contains(q.body.Include, what) {
		q.body.Include = append(q.body.Include, what)
	}
}

func (q *question) exclude(what string) {
	q.body.Include = slices.DeleteFunc(q.body.Include, func(s string) bool { return s == what })
}

type chosenTool struct {
	Type assistants.ToolChoiceType `json:"type"`
	Name string                    `json:"name,omitzero"` // of a function
}

// choiceOf returns the choice of tools; nil is auto. A choice of a tool that cannot be used is left to the model.
func choiceOf(choice assistants.ToolChoice, usable []assistants.Tool) (json.RawMessage, error) {
	switch choice.Type {
	case assistants.ToolChoiceNone, assistants.ToolChoiceRequired:
		return json.Marshal(choice.Type)
	case assistants.ToolChoiceFunction, assistants.ToolChoiceFileSearch, assistants.ToolChoiceCodeInterpreter:
		chosen := chosenTool{Type: choice.Type}
		if choice.Function != nil {
			chosen.Name = choice.Function.Name
		}
		if slices.ContainsFunc(usable, func(t assistants.Tool) bool {
			return string(provider.ToolType(&t)) == string(chosen.Type) && (t.Function == nil || t.Function.Name == chosen.Name)
		}) {
			return json.Marshal(chosen)
		}
	}
	return nil, nil
}
