package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/assistants-go/assistants"
)

// A call is one way of using the client, with the id of an assistant that exists.
type call struct {
	name      string
	operation string
	do        func(ctx context.Context, c *assistants.Client, id string) error
	fails     error // what the server's refusal is, if it refuses; nil if not
	asked     int   // how many functions the run that the call is about has asked for; 0: it has ended
}

func create(name string, p assistants.AssistantCreateParams, opts ...assistants.RequestOption) call {
	if p.Model == "" {
		p.Model = "gpt-4o"
	}
	return call{"create: " + name, "createAssistant", func(ctx context.Context, c *assistants.Client, _ string) error {
		_, err := c.Assistants.Create(ctx, p, opts...)
		return err
	}, nil, 0}
}

func modify(name string, p assistants.AssistantModifyParams, opts ...assistants.RequestOption) call {
	return call{"modify: " + name, "modifyAssistant", func(ctx context.Context, c *assistants.Client, id string) error {
		_, err := c.Assistants.Modify(ctx, id, p, opts...)
		return err
	}, nil, 0}
}

func list(name string, p assistants.ListParams) call {
	return call{"list: " + name, "listAssistants", func(ctx context.Context, c *assistants.Client, _ string) error {
		_, err := c.Assistants.List(ctx, p)
		return err
	}, nil, 0}
}

// modelCalls are about models, which the client has no methods for.
func modelCalls() []call {
	retrieve := func(name, model string) call {
		return call{"models: " + name, "retrieveModel", func(ctx context.Context, c *assistants.Client, _ string) error {
			return c.Call(ctx, http.MethodGet, "/models/"+model, nil, nil)
		}, nil, 0}
	}
	return []call{
		{"models: all", "listModels", func(ctx context.Context, c *assistants.Client, _ string) error {
			return c.Call(ctx, http.MethodGet, "/models", nil, nil)
		}, nil, 0},
		retrieve("one", "gpt-4o"),
		retrieve("none", "gpt-9").refused(assistants.ErrNotFound),
	}
}

func (c call) asking(functions int) call {
	c.asked = functions
	return c
}

// after has another call go first.
func (c call) after(first func(ctx context.Context, c *assistants.Client) error) call {
	do := c.do
	c.do = func(ctx context.Context, client *assistants.Client, id string) error {
		if err := first(ctx, client); err != nil {
			return err
		}
		return do(ctx, client, id)
	}
	return c
}

func (c call) refused(with error) call {
	c.fails = with
	return c
}

var schema = json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`)

// tools are all kinds of tools, each in every form that it has.
var tools = map[string]assistants.Tool{
	"code interpreter":      {Type: assistants.ToolCodeInterpreter},
	"file search":           {Type: assistants.ToolFileSearch},
	"file search, options":  {FileSearch: &assistants.FileSearchOptions{}},
	"file search, number":   {FileSearch: &assistants.FileSearchOptions{MaxNumResults: 7}},
	"file search, ranking":  {FileSearch: &assistants.FileSearchOptions{RankingOptions: &assistants.RankingOptions{ScoreThreshold: 0.5}}},
	"file search, ranker":   {FileSearch: &assistants.FileSearchOptions{RankingOptions: &assistants.RankingOptions{Ranker: "auto"}}},
	"file search, hybrid":   {FileSearch: &assistants.FileSearchOptions{RankingOptions: &assistants.RankingOptions{HybridSearch: &assistants.HybridSearch{EmbeddingWeight: 0.4, TextWeight: 0.6}}}},
	"function":              {Function: &assistants.FunctionDefinition{Name: "now"}},
	"function, described":   {Function: &assistants.FunctionDefinition{Name: "now", Description: "The time.", Parameters: schema}},
	"function, strict":      {Function: &assistants.FunctionDefinition{Name: "now", Parameters: schema, Strict: true}},
	"raw, of a known type":  assistants.RawTool(json.RawMessage(`{"type":"code_interpreter"}`)),
	"raw, with its options": assistants.RawTool(json.RawMessage(`{"type":"function","function":{"name":"f","strict":null}}`)),
}

// formats are all response formats.
var formats = map[string]assistants.ResponseFormat{
	"auto":                 {Type: assistants.ResponseFormatAuto},
	"text":                 {Type: assistants.ResponseFormatText},
	"object":               {Type: assistants.ResponseFormatJSONObject},
	"schema, name only":    {JSONSchema: &assistants.JSONSchema{Name: "place"}},
	"schema, everything":   {JSONSchema: &assistants.JSONSchema{Name: "place", Description: "A place.", Schema: schema, Strict: true}},
	"schema, type by name": {Type: assistants.ResponseFormatJSONSchema, JSONSchema: &assistants.JSONSchema{Name: "place", Schema: schema}},
}

// resources are all forms of tool resources that an assistant can be modified to have.
var resources = map[string]assistants.ToolResources{
	"none":     {},
	"files":    {CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{"file_1", "file_2"}}},
	"no files": {CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{}}},
	"store":    {FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{"vs_1"}}},
	"no store": {FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{}}},
	"files and store": {
		CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{"file_1"}},
		FileSearch:      &assistants.FileSearchResources{VectorStoreIDs: []string{"vs_1"}},
	},
}

// stores are all forms of a vector store that is made along with an assistant.
var stores = map[string]assistants.VectorStoreSpec{
	"empty":    {},
	"files":    {FileIDs: []string{"file_1"}, Metadata: assistants.Metadata{"for": "test"}},
	"auto":     {FileIDs: []string{"file_1"}, ChunkingStrategy: &assistants.ChunkingStrategy{Type: assistants.ChunkingAuto}},
	"static":   {FileIDs: []string{"file_1"}, ChunkingStrategy: &assistants.ChunkingStrategy{Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 200, ChunkOverlapTokens: 100}}},
	"no files": {FileIDs: []string{}},
}

var efforts = []assistants.ReasoningEffort{
	assistants.ReasoningEffortNone, assistants.ReasoningEffortMinimal, assistants.ReasoningEffortLow,
	assistants.ReasoningEffortMedium, assistants.ReasoningEffortHigh, assistants.ReasoningEffortXHigh,
	assistants.ReasoningEffortMax,
}

// calls are every request that the client can send: each field, and each variant of each union. TestDescription fails
// if a field that the description has is in none of them.
func calls() []call {
	all := []call{
		create("least", assistants.AssistantCreateParams{}),
		create("texts", assistants.AssistantCreateParams{Name: "n", Description: "d", Instructions: "i"}),
		create("metadata", assistants.AssistantCreateParams{Metadata: assistants.Metadata{"a": "b", "": ""}}),
		create("sampling", assistants.AssistantCreateParams{Temperature: new(0.0), TopP: new(0.5)}),
		create("empty lists", assistants.AssistantCreateParams{Tools: []assistants.Tool{}, Metadata: assistants.Metadata{}}),
		create("once only", assistants.AssistantCreateParams{}, assistants.WithIdempotencyKey("conformance-create")),
		modify("nothing", assistants.AssistantModifyParams{}),
		modify("texts", assistants.AssistantModifyParams{
			Model: "gpt-4o-mini", Name: assistants.Set("n"), Description: assistants.Set(""), Instructions: assistants.Set("i"),
		}),
		modify("sampling", assistants.AssistantModifyParams{Temperature: assistants.Set(0.0), TopP: assistants.Set(1.0)}),
		modify("metadata", assistants.AssistantModifyParams{Metadata: assistants.Set(assistants.Metadata{"a": "b"})}),
		modify("no tools", assistants.AssistantModifyParams{Tools: []assistants.Tool{}}),
		modify("once only", assistants.AssistantModifyParams{}, assistants.WithIdempotencyKey("conformance-modify")),
		modify("null", assistants.AssistantModifyParams{
			Name: assistants.Null[string](), Description: assistants.Null[string](), Instructions: assistants.Null[string](),
			ReasoningEffort: assistants.Null[assistants.ReasoningEffort](), ToolResources: assistants.Null[assistants.ToolResources](),
			Metadata: assistants.Null[assistants.Metadata](), Temperature: assistants.Null[float64](), TopP: assistants.Null[float64](),
			ResponseFormat: assistants.Null[assistants.ResponseFormat](),
		}),
	}
	for name, tool := range tools {
		all = append(all, create(name, assistants.AssistantCreateParams{Tools: []assistants.Tool{tool}}),
			modify(name, assistants.AssistantModifyParams{Tools: []assistants.Tool{tool}}))
	}
	for name, format := range formats {
		all = append(all, create("format "+name, assistants.AssistantCreateParams{ResponseFormat: format}),
			modify("format "+name, assistants.AssistantModifyParams{ResponseFormat: assistants.Set(format)}))
	}
	for name, r := range resources {
		all = append(all, create("resources "+name, assistants.AssistantCreateParams{ToolResources: r}),
			modify("resources "+name, assistants.AssistantModifyParams{ToolResources: assistants.Set(r)}))
	}
	for name, store := range stores {
		made := create("store "+name, assistants.AssistantCreateParams{ToolResources: assistants.ToolResources{
			FileSearch: &assistants.FileSearchResources{VectorStores: []assistants.VectorStoreSpec{store}},
		}})
		if len(store.FileIDs) == 0 { // which the description allows and the service refused
			made = made.refused(assistants.ErrBadRequest)
		}
		all = append(all, made)
	}
	for _, effort := range efforts {
		all = append(all, create("effort "+string(effort), assistants.AssistantCreateParams{ReasoningEffort: effort}),
			modify("effort "+string(effort), assistants.AssistantModifyParams{ReasoningEffort: assistants.Set(effort)}))
	}
	return append(append(all, listCalls()...), otherCalls()...)
}

func listCalls() []call {
	return []call{
		list("all defaults", assistants.ListParams{}),
		list("limit", assistants.ListParams{Limit: 1}),
		list("largest limit", assistants.ListParams{Limit: 100}),
		list("ascending", assistants.ListParams{Order: assistants.OrderAsc}),
		list("descending", assistants.ListParams{Order: assistants.OrderDesc}),
		{"list: cursors", "listAssistants", func(ctx context.Context, c *assistants.Client, id string) error {
			_, after := c.Assistants.List(ctx, assistants.ListParams{After: id})
			_, before := c.Assistants.List(ctx, assistants.ListParams{Before: id, Limit: 2, Order: assistants.OrderAsc})
			return errors.Join(after, before)
		}, nil, 0},
		{"list: empty page", "listAssistants", func(ctx context.Context, c *assistants.Client, id string) error {
			page, err := c.Assistants.List(ctx, assistants.ListParams{Before: id, Order: assistants.OrderAsc})
			if err == nil && len(page.Data) > 0 {
				err = fmt.Errorf("%d assistants are older than the first", len(page.Data))
			}
			return err
		}, nil, 0},
	}
}

// otherCalls retrieve and delete, and are refused.
func otherCalls() []call {
	unknown := func(do func(ctx context.Context, c *assistants.Client, id string) error) func(context.Context, *assistants.Client, string) error {
		return func(ctx context.Context, c *assistants.Client, _ string) error { return do(ctx, c, "asst_unknown") }
	}
	retrieve := func(ctx context.Context, c *assistants.Client, id string) error {
		_, err := c.Assistants.Retrieve(ctx, id)
		return err
	}
	remove := func(ctx context.Context, c *assistants.Client, id string) error {
		_, err := c.Assistants.Delete(ctx, id)
		return err
	}
	return []call{
		{"retrieve", "getAssistant", retrieve, nil, 0},
		{"retrieve: unknown", "getAssistant", unknown(retrieve), assistants.ErrNotFound, 0},
		{"delete", "deleteAssistant", func(ctx context.Context, c *assistants.Client, _ string) error {
			a, err := c.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o"})
			if err != nil {
				return err
			}
			return remove(ctx, c, a.ID)
		}, nil, 0},
		{"delete: once only", "deleteAssistant", func(ctx context.Context, c *assistants.Client, _ string) error {
			a, err := c.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o"})
			if err != nil {
				return err
			}
			_, err = c.Assistants.Delete(ctx, a.ID, assistants.WithIdempotencyKey("conformance-delete"))
			return err
		}, nil, 0},
		{"delete: unknown", "deleteAssistant", unknown(remove), assistants.ErrNotFound, 0},
		{"modify: unknown", "modifyAssistant", unknown(func(ctx context.Context, c *assistants.Client, id string) error {
			_, err := c.Assistants.Modify(ctx, id, assistants.AssistantModifyParams{})
			return err
		}), assistants.ErrNotFound, 0},
		list("unknown cursor", assistants.ListParams{After: "asst_unknown"}).refused(assistants.ErrNotFound),
		list("limit too large", assistants.ListParams{Limit: 101}).refused(assistants.ErrBadRequest),
		create("unknown model", assistants.AssistantCreateParams{Model: "unknown"}).refused(assistants.ErrBadRequest),
		create("v1", assistants.AssistantCreateParams{}, assistants.WithHeader("OpenAI-Beta", "assistants=v1")).refused(assistants.ErrBadRequest),
		create("wrong key", assistants.AssistantCreateParams{}, assistants.WithHeader("Authorization", "Bearer wrong")).refused(assistants.ErrUnauthorized),
		// The key is that of a change which was made: what was refused leaves none behind.
		create("key of another call", assistants.AssistantCreateParams{}, assistants.WithIdempotencyKey("conformance-modify")).refused(assistants.ErrBadRequest),
		create("too strict", assistants.AssistantCreateParams{Tools: []assistants.Tool{
			{Function: &assistants.FunctionDefinition{Name: "f", Strict: true, Parameters: json.RawMessage(`{"type":"object"}`)}},
		}}).refused(assistants.ErrBadRequest),
	}
}
