package assistants_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// Every method sends what the API reference says, and nothing else.
func TestAssistantsRequests(t *testing.T) {
	t.Parallel()
	const one, many = "https://api.example/v1/assistants/asst_1", "https://api.example/v1/assistants"
	page := `{"object":"list","data":[` + assistantJSON + `],"first_id":"asst_1","last_id":"asst_1","has_more":false}`
	for _, test := range []struct {
		name, method, url, answer string
		call                      func(*testing.T, *assistants.Client)
	}{
		{"create", "POST", many, assistantJSON, func(t *testing.T, c *assistants.Client) {
			a, err := c.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "gpt-4o"})
			require.NoError(t, err)
			assert.Equal(t, "asst_1", a.ID)
		}},
		{"retrieve", "GET", one, assistantJSON, func(t *testing.T, c *assistants.Client) {
			a, err := c.Assistants.Retrieve(t.Context(), "asst_1")
			require.NoError(t, err)
			assert.Equal(t, "Math Tutor", a.Name)
		}},
		{"modify", "POST", one, assistantJSON, func(t *testing.T, c *assistants.Client) {
			a, err := c.Assistants.Modify(t.Context(), "asst_1", assistants.AssistantModifyParams{Name: assistants.Set("Math Tutor")})
			require.NoError(t, err)
			assert.Equal(t, assistants.Timestamp(1698984975), a.CreatedAt)
		}},
		{"delete", "DELETE", one, `{"id":"asst_1","object":"assistant.deleted","deleted":true}`, func(t *testing.T, c *assistants.Client) {
			d, err := c.Assistants.Delete(t.Context(), "asst_1")
			require.NoError(t, err)
			assert.Equal(t, &assistants.Deleted{ID: "asst_1", Object: "assistant.deleted", Deleted: true}, d)
		}},
		{"list", "GET", many + "?after=asst_0&before=asst_9&limit=5&order=asc", page, func(t *testing.T, c *assistants.Client) {
			p, err := c.Assistants.List(t.Context(), assistants.ListParams{
				Limit: 5, Order: assistants.OrderAsc, After: "asst_0", Before: "asst_9",
			})
			require.NoError(t, err)
			require.Len(t, p.Data, 1)
			assert.Equal(t, "asst_1", p.FirstID)
			assert.False(t, p.HasMore)
		}},
		{"list with nothing", "GET", many, page, func(t *testing.T, c *assistants.Client) {
			_, err := c.Assistants.List(t.Context(), assistants.ListParams{})
			require.NoError(t, err)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mock := httpmock.NewMockTransport()
			mock.RegisterResponder(test.method, test.url, func(r *http.Request) (*http.Response, error) {
				assert.Equal(t, "Bearer "+testKey, r.Header.Get("Authorization"))
				assert.Equal(t, "assistants=v2", r.Header.Get("OpenAI-Beta"))
				assert.Equal(t, "application/json", r.Header.Get("Accept"))
				contentType := r.Header.Get("Content-Type")
				assert.Equal(t, test.method == "POST", contentType == "application/json")
				return httpmock.NewStringResponse(200, test.answer), nil
			})
			client, err := assistants.NewClient(
				assistants.WithAPIKey(testKey),
				assistants.WithBaseURL("https://api.example/v1/"),
				assistants.WithHTTPClient(&http.Client{Transport: mock}),
			)
			require.NoError(t, err)
			test.call(t, client)
			assert.Equal(t, 1, mock.GetTotalCallCount())
		})
	}
}

func TestCreateBody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		params assistants.AssistantCreateParams
		want   string
	}{
		{"the least", assistants.AssistantCreateParams{Model: "m"}, `{"model":"m"}`},
		{"zeros that are meant", assistants.AssistantCreateParams{Model: "m", Temperature: new(0.0), TopP: new(0.0)},
			`{"model":"m","temperature":0,"top_p":0}`},
		{"nil and empty slices", assistants.AssistantCreateParams{Model: "m", Tools: []assistants.Tool{}},
			`{"model":"m","tools":[]}`},
		{"words", assistants.AssistantCreateParams{
			Model: "m", Name: "n", Description: "d", Instructions: "i", ReasoningEffort: assistants.ReasoningEffortXHigh,
			Metadata: assistants.Metadata{"k": "v"},
		}, `{"model":"m","name":"n","description":"d","instructions":"i","reasoning_effort":"xhigh","metadata":{"k":"v"}}`},
		{"tools", assistants.AssistantCreateParams{Model: "m", Tools: []assistants.Tool{
			{Type: assistants.ToolCodeInterpreter},
			{Type: assistants.ToolFileSearch},
			{FileSearch: &assistants.FileSearchOptions{}},
			{FileSearch: &assistants.FileSearchOptions{MaxNumResults: 7, RankingOptions: &assistants.RankingOptions{
				Ranker: "auto", HybridSearch: &assistants.HybridSearch{EmbeddingWeight: 0.5, TextWeight: 0.5},
			}}},
			{Function: &assistants.FunctionDefinition{Name: "f"}},
			{Type: assistants.ToolFunction, Function: &assistants.FunctionDefinition{
				Name: "g", Description: "d", Parameters: json.RawMessage(`{"type":"object"}`), Strict: true,
			}},
			assistants.RawTool(json.RawMessage(`{"type":"mcp","server_label":"x"}`)),
		}}, `{"model":"m","tools":[{"type":"code_interpreter"},{"type":"file_search"},{"type":"file_search","file_search":{}},
			{"type":"file_search","file_search":{"max_num_results":7,"ranking_options":{"ranker":"auto","score_threshold":0,
				"hybrid_search":{"embedding_weight":0.5,"text_weight":0.5}}}},
			{"type":"function","function":{"name":"f"}},
			{"type":"function","function":{"name":"g","description":"d","parameters":{"type":"object"},"strict":true}},
			{"type":"mcp","server_label":"x"}]}`},
		{"resources by id", assistants.AssistantCreateParams{Model: "m", ToolResources: assistants.ToolResources{
			CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{"file-1"}},
			FileSearch:      &assistants.FileSearchResources{VectorStoreIDs: []string{"vs_1"}},
		}}, `{"model":"m","tool_resources":{"code_interpreter":{"file_ids":["file-1"]},"file_search":{"vector_store_ids":["vs_1"]}}}`},
		{"vector stores to be made", assistants.AssistantCreateParams{Model: "m", ToolResources: assistants.ToolResources{
			FileSearch: &assistants.FileSearchResources{VectorStores: []assistants.VectorStoreSpec{
				{FileIDs: []string{"file-1"}, Metadata: assistants.Metadata{"k": "v"},
					ChunkingStrategy: &assistants.ChunkingStrategy{Type: assistants.ChunkingAuto}},
				{ChunkingStrategy: &assistants.ChunkingStrategy{
					Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 200},
				}},
			}},
		}}, `{"model":"m","tool_resources":{"file_search":{"vector_stores":[
			{"file_ids":["file-1"],"chunking_strategy":{"type":"auto"},"metadata":{"k":"v"}},
			{"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":200,"chunk_overlap_tokens":0}}}]}}}`},
		{"format as a word", assistants.AssistantCreateParams{Model: "m",
			ResponseFormat: assistants.ResponseFormat{Type: assistants.ResponseFormatAuto}}, `{"model":"m","response_format":"auto"}`},
		{"format as text", assistants.AssistantCreateParams{Model: "m",
			ResponseFormat: assistants.ResponseFormat{Type: assistants.ResponseFormatText}}, `{"model":"m","response_format":{"type":"text"}}`},
		{"format as an object", assistants.AssistantCreateParams{Model: "m",
			ResponseFormat: assistants.ResponseFormat{Type: assistants.ResponseFormatJSONObject}}, `{"model":"m","response_format":{"type":"json_object"}}`},
		{"format by schema", assistants.AssistantCreateParams{Model: "m", ResponseFormat: assistants.ResponseFormat{
			JSONSchema: &assistants.JSONSchema{Name: "s", Description: "d", Schema: json.RawMessage(`{"type":"object"}`), Strict: true},
		}}, `{"model":"m","response_format":{"type":"json_schema","json_schema":{"name":"s","description":"d","schema":{"type":"object"},"strict":true}}}`},
		{"v1", assistants.AssistantCreateParams{Model: "m",
			Tools: []assistants.Tool{{Type: assistants.ToolRetrieval}}, FileIDs: []string{"file-abc123", "file-abc456"},
		}, `{"model":"m","tools":[{"type":"retrieval"}],"file_ids":["file-abc123","file-abc456"]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, assistantJSON))
			_, err := newClient(t, tr).Assistants.Create(t.Context(), test.params)
			require.NoError(t, err)
			assert.JSONEq(t, test.want, tr.last().body)
		})
	}
}

// Leaving alone, setting, also to what is empty, and clearing are three different things.
func TestModifyBody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		params assistants.AssistantModifyParams
		want   string
	}{
		{"nothing", assistants.AssistantModifyParams{}, `{}`},
		{"set", assistants.AssistantModifyParams{
			Model: "m", Name: assistants.Set("n"), Description: assistants.Set("d"), Instructions: assistants.Set("i"),
			ReasoningEffort: assistants.Set(assistants.ReasoningEffortLow),
			Tools:           []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
			ToolResources: assistants.Set(assistants.ToolResources{
				CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{"file-1"}}}),
			Metadata:    assistants.Set(assistants.Metadata{"k": "v"}),
			Temperature: assistants.Set(0.5), TopP: assistants.Set(0.25),
			ResponseFormat: assistants.Set(assistants.ResponseFormat{Type: assistants.ResponseFormatText}),
			FileIDs:        []string{"file-1"},
		}, `{"model":"m","name":"n","description":"d","instructions":"i","reasoning_effort":"low",
			"tools":[{"type":"code_interpreter"}],"tool_resources":{"code_interpreter":{"file_ids":["file-1"]}},
			"metadata":{"k":"v"},"temperature":0.5,"top_p":0.25,"response_format":{"type":"text"},"file_ids":["file-1"]}`},
		{"set to what is empty", assistants.AssistantModifyParams{
			Name: assistants.Set(""), Tools: []assistants.Tool{}, Metadata: assistants.Set(assistants.Metadata{}),
			Temperature: assistants.Set(0.0), FileIDs: []string{},
			ToolResources: assistants.Set(assistants.ToolResources{
				CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{}},
				FileSearch:      &assistants.FileSearchResources{VectorStoreIDs: []string{}}}),
		}, `{"name":"","tools":[],"metadata":{},"temperature":0,"file_ids":[],
			"tool_resources":{"code_interpreter":{"file_ids":[]},"file_search":{"vector_store_ids":[]}}}`},
		{"cleared", assistants.AssistantModifyParams{
			Name: assistants.Null[string](), Description: assistants.Null[string](), Instructions: assistants.Null[string](),
			ReasoningEffort: assistants.Null[assistants.ReasoningEffort](), ToolResources: assistants.Null[assistants.ToolResources](),
			Metadata: assistants.Null[assistants.Metadata](), Temperature: assistants.Null[float64](), TopP: assistants.Null[float64](),
			ResponseFormat: assistants.Null[assistants.ResponseFormat](),
		}, `{"name":null,"description":null,"instructions":null,"reasoning_effort":null,"tool_resources":null,
			"metadata":null,"temperature":null,"top_p":null,"response_format":null}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, assistantJSON))
			_, err := newClient(t, tr).Assistants.Modify(t.Context(), "asst_1", test.params)
			require.NoError(t, err)
			assert.JSONEq(t, test.want, tr.last().body)
		})
	}
}

// The modify example of the v1 reference: a retrieval tool and files, both ways.
func TestV1(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(200, `{"id":"asst_abc123","object":"assistant","created_at":1699009709,"name":"HR Helper",
		"description":null,"model":"gpt-4-turbo","instructions":"Answer from the files.","tools":[{"type":"retrieval"}],
		"file_ids":["file-abc123","file-abc456"],"metadata":{},"top_p":1,"temperature":1,"response_format":"auto"}`))
	client := newClient(t, tr, assistants.WithBeta(assistants.BetaV1))
	a, err := client.Assistants.Modify(t.Context(), "asst_abc123", assistants.AssistantModifyParams{
		Instructions: assistants.Set("Answer from the files."),
		Tools:        []assistants.Tool{{Type: assistants.ToolRetrieval}},
		Model:        "gpt-4-turbo",
		FileIDs:      []string{"file-abc123", "file-abc456"},
	})
	require.NoError(t, err)
	assert.Equal(t, "assistants=v1", tr.last().Header.Get("OpenAI-Beta"))
	assert.JSONEq(t, `{"instructions":"Answer from the files.","tools":[{"type":"retrieval"}],"model":"gpt-4-turbo",
		"file_ids":["file-abc123","file-abc456"]}`, tr.last().body)
	assert.Equal(t, []string{"file-abc123", "file-abc456"}, a.FileIDs)
	assert.Equal(t, assistants.ToolRetrieval, a.Tools[0].Type)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	decode := func(t *testing.T, body string) *assistants.Assistant {
		t.Helper()
		a, err := newClient(t, newTransport(t, answer(200, body))).Assistants.Retrieve(t.Context(), "asst_1")
		require.NoError(t, err)
		return a
	}
	t.Run("every field", func(t *testing.T) {
		t.Parallel()
		a := decode(t, `{"id":"asst_1","object":"assistant","created_at":1,"name":"n","description":"d","model":"m",
			"instructions":"i","tools":[{"type":"file_search","file_search":{"max_num_results":3,"ranking_options":
				{"ranker":"default_2024_08_21","score_threshold":0.5,"hybrid_search":{"embedding_weight":1,"text_weight":2}}}},
				{"type":"function","function":{"name":"f","description":"d","parameters":{"b":1,"a":2},"strict":true}}],
			"top_p":0.5,"temperature":0,"reasoning_effort":"high","tool_resources":{"code_interpreter":{"file_ids":["file-1"]},
			"file_search":{"vector_store_ids":["vs_1"]}},"metadata":{"k":"v"},
			"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"x":1}}}}`)
		assert.Equal(t, &assistants.Assistant{
			ID: "asst_1", Object: "assistant", CreatedAt: 1, Name: "n", Description: "d", Model: "m", Instructions: "i",
			Tools: []assistants.Tool{
				{Type: "file_search", FileSearch: &assistants.FileSearchOptions{MaxNumResults: 3, RankingOptions: &assistants.RankingOptions{
					Ranker: "default_2024_08_21", ScoreThreshold: 0.5,
					HybridSearch: &assistants.HybridSearch{EmbeddingWeight: 1, TextWeight: 2}}}},
				{Type: "function", Function: &assistants.FunctionDefinition{Name: "f", Description: "d",
					Parameters: json.RawMessage(`{"b":1,"a":2}`), Strict: true}},
			},
			TopP: new(0.5), Temperature: new(0.0), ReasoningEffort: "high",
			ToolResources: &assistants.ToolResources{
				CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: []string{"file-1"}},
				FileSearch:      &assistants.FileSearchResources{VectorStoreIDs: []string{"vs_1"}}},
			Metadata: assistants.Metadata{"k": "v"},
			ResponseFormat: &assistants.ResponseFormat{Type: "json_schema",
				JSONSchema: &assistants.JSONSchema{Name: "s", Strict: true, Schema: json.RawMessage(`{"x":1}`)}},
		}, a)
	})
	t.Run("null everywhere", func(t *testing.T) {
		t.Parallel()
		a := decode(t, `{"id":"asst_1","object":null,"created_at":null,"name":null,"description":null,"model":null,
			"instructions":null,"tools":null,"top_p":null,"temperature":null,"reasoning_effort":null,"tool_resources":null,
			"metadata":null,"response_format":null,"file_ids":null}`)
		assert.Equal(t, &assistants.Assistant{ID: "asst_1"}, a)
		b := decode(t, `{"id":"asst_1","tools":[{"type":"function","function":null,"file_search":null},null],
			"tool_resources":{"code_interpreter":null,"file_search":{"vector_store_ids":null}},"metadata":{"k":null}}`)
		assert.Equal(t, assistants.ToolFunction, b.Tools[0].Type)
		assert.Equal(t, assistants.Metadata{"k": ""}, b.Metadata)
	})
	t.Run("what the service may add", func(t *testing.T) {
		t.Parallel()
		a := decode(t, `{"id":"asst_1","object":"assistant","new":{"field":[1]},"reasoning_effort":"colossal",
			"tools":[{"type":"file_search","file_search":{"new":1,"ranking_options":{"ranker":"new","score_threshold":0}}}],
			"response_format":{"type":"grammar","grammar":"x"}}`)
		assert.EqualValues(t, "colossal", a.ReasoningEffort)
		assert.EqualValues(t, "grammar", a.ResponseFormat.Type)
	})
}

// What was read is sent back whole, also where this package does not know what it is.
func TestUnknownVariantsSurvive(t *testing.T) {
	t.Parallel()
	const tool = `{"type":"mcp","server_label":"x","allowed_tools":["a","b"]}`
	const format = `{"type":"grammar","grammar":{"syntax":"lark"}}`
	asst := `{"id":"asst_1","object":"assistant","tools":[{"type":"code_interpreter"},` + tool + `],"response_format":` + format + `}`
	page := `{"object":"list","data":[` + assistantJSON + `,` + asst + `],"first_id":"asst_1","last_id":"asst_1","has_more":false}`

	check := func(t *testing.T, client *assistants.Client, tr *transport, a *assistants.Assistant) {
		t.Helper()
		require.Len(t, a.Tools, 2)
		assert.Nil(t, a.Tools[0].RawJSON())
		assert.JSONEq(t, tool, string(a.Tools[1].RawJSON()))
		_, err := client.Assistants.Modify(t.Context(), a.ID, assistants.AssistantModifyParams{
			Tools: a.Tools, ResponseFormat: assistants.Set(*a.ResponseFormat),
		})
		require.NoError(t, err)
		assert.JSONEq(t, `{"tools":[{"type":"code_interpreter"},`+tool+`],"response_format":`+format+`}`, tr.last().body)
	}
	t.Run("in an assistant", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, asst))
		client := newClient(t, tr)
		a, err := client.Assistants.Retrieve(t.Context(), "asst_1")
		require.NoError(t, err)
		check(t, client, tr, a)
	})
	t.Run("in a list", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, page), answer(200, asst))
		client := newClient(t, tr)
		p, err := client.Assistants.List(t.Context(), assistants.ListParams{})
		require.NoError(t, err)
		check(t, client, tr, p.Data[1])
	})
	t.Run("with fields of other kinds", func(t *testing.T) {
		t.Parallel()
		for _, body := range []string{`{"type":"grammar","json_schema":"abc"}`, `{"type":"json_schema_v2","json_schema":{"name":"x","more":1}}`, `{}`} {
			var f assistants.ResponseFormat
			require.NoError(t, json.Unmarshal([]byte(body), &f))
			back, err := json.Marshal(f)
			require.NoError(t, err)
			assert.Equal(t, body, string(back))
		}
		require.Error(t, json.Unmarshal([]byte(`{"type":"json_schema","json_schema":"abc"}`), new(assistants.ResponseFormat)))
		require.Error(t, json.Unmarshal([]byte(`7`), new(assistants.ResponseFormat)))
	})
	t.Run("tools with fields of other kinds", func(t *testing.T) {
		t.Parallel()
		const odd = `{"type":"custom","function":"name","file_search":[1]}`
		one := `{"id":"asst_1","object":"assistant","name":"n","tools":[` + odd + `,{"type":"function","function":{"name":"f"}}]}`
		for _, body := range []string{one, `{"object":"list","data":[` + assistantJSON + `,` + one + `],"has_more":true}`} {
			client := newClient(t, newTransport(t, answer(200, body)))
			a, err := client.Assistants.Retrieve(t.Context(), "asst_1")
			if strings.HasPrefix(body, `{"object"`) {
				page, listErr := client.Assistants.List(t.Context(), assistants.ListParams{})
				require.NoError(t, listErr)
				assert.True(t, page.HasMore)
				a, err = page.Data[1], nil
			}
			require.NoError(t, err)
			assert.Equal(t, "n", a.Name)
			assert.JSONEq(t, odd, string(a.Tools[0].RawJSON()))
			assert.Equal(t, "f", a.Tools[1].Function.Name)
		}
		wrong := `{"id":"asst_1","tools":[{"type":"function","function":"name"},` + odd + `]}`
		require.ErrorContains(t, retrieve(t.Context(), newClient(t, newTransport(t, answer(200, wrong)))), "a string in the field tools.")
	})
	t.Run("lists in lists", func(t *testing.T) {
		t.Parallel()
		const depth, width = 4000, 10_000 // work that grows with their product would take minutes
		body := strings.Repeat(`{"data":[{"type":"x"},`, depth) + `"` + strings.Repeat("x", width*100) + `"` + strings.Repeat(`]}`, depth)
		client := newClient(t, newTransport(t, answer(200, `{"object":7,`+body[1:])))
		start := time.Now()
		_, err := client.Assistants.List(t.Context(), assistants.ListParams{})
		require.Error(t, err)
		assert.Less(t, time.Since(start), 5*time.Second)
	})
	t.Run("a word", func(t *testing.T) {
		t.Parallel()
		var f assistants.ResponseFormat
		require.NoError(t, json.Unmarshal([]byte(`"none"`), &f))
		assert.EqualValues(t, "none", f.Type)
		back, err := json.Marshal(f)
		require.NoError(t, err)
		assert.Equal(t, `"none"`, string(back))
		f.Type = assistants.ResponseFormatText // a choice made after reading counts
		back, err = json.Marshal(f)
		require.NoError(t, err)
		assert.Equal(t, `{"type":"text"}`, string(back))
	})
}

// Contradictions are found before anything is sent.
func TestContradictions(t *testing.T) {
	t.Parallel()
	function, search := &assistants.FunctionDefinition{Name: "f"}, &assistants.FileSearchOptions{}
	tool := func(t assistants.Tool) assistants.AssistantCreateParams {
		return assistants.AssistantCreateParams{Model: "m", Tools: []assistants.Tool{t}}
	}
	raw := assistants.RawTool(json.RawMessage(`{"type":"mcp"}`))
	raw.Type = "other"
	for name, test := range map[string]struct {
		params assistants.AssistantCreateParams
		says   string
	}{
		"no type":             {tool(assistants.Tool{}), "no type"},
		"two at once":         {tool(assistants.Tool{Function: function, FileSearch: search}), "function and file_search at once"},
		"type and field":      {tool(assistants.Tool{Type: "code_interpreter", Function: function}), `field of type "function"`},
		"function without":    {tool(assistants.Tool{Type: "function"}), "which function"},
		"raw without type":    {tool(assistants.RawTool(json.RawMessage(`{}`))), "with a type"},
		"raw that is no JSON": {tool(assistants.RawTool(json.RawMessage(`{`))), "with a type"},
		"raw of another type": {tool(raw), "contradict"},
		"bad schema":          {tool(assistants.Tool{Function: &assistants.FunctionDefinition{Parameters: json.RawMessage(`{`)}}), "unexpected end"},
		"chunking without sizes": {assistants.AssistantCreateParams{Model: "m", ToolResources: assistants.ToolResources{
			FileSearch: &assistants.FileSearchResources{VectorStores: []assistants.VectorStoreSpec{
				{ChunkingStrategy: &assistants.ChunkingStrategy{Type: assistants.ChunkingStatic}}}}}}, "no sizes"},
		"chunking both ways": {assistants.AssistantCreateParams{Model: "m", ToolResources: assistants.ToolResources{
			FileSearch: &assistants.FileSearchResources{VectorStores: []assistants.VectorStoreSpec{
				{ChunkingStrategy: &assistants.ChunkingStrategy{Type: assistants.ChunkingAuto, Static: &assistants.StaticChunkingStrategy{}}}}}}},
			`field of type "static"`},
		"format without schema": {assistants.AssistantCreateParams{Model: "m",
			ResponseFormat: assistants.ResponseFormat{Type: assistants.ResponseFormatJSONSchema}}, "no schema"},
		"format and schema": {assistants.AssistantCreateParams{Model: "m",
			ResponseFormat: assistants.ResponseFormat{Type: assistants.ResponseFormatText, JSONSchema: &assistants.JSONSchema{}}}, "json_schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, assistantJSON))
			_, err := newClient(t, tr).Assistants.Create(t.Context(), test.params)
			require.ErrorContains(t, err, test.says)
			require.ErrorContains(t, err, "POST /assistants")
			assert.Empty(t, tr.requests())
		})
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	var o assistants.Optional[int]
	assert.True(t, o.IsZero())
	assert.False(t, o.IsNull())
	_, ok := o.Get()
	assert.False(t, ok)

	var s struct {
		A assistants.Optional[int] `json:"a,omitzero"`
		B assistants.Optional[int] `json:"b,omitzero"`
		C assistants.Optional[int] `json:"c,omitzero"`
	}
	require.NoError(t, json.Unmarshal([]byte(`{"b":null,"c":0}`), &s))
	assert.True(t, s.A.IsZero())
	assert.True(t, s.B.IsNull())
	v, ok := s.C.Get()
	assert.True(t, ok)
	assert.Zero(t, v)
	back, err := json.Marshal(s)
	require.NoError(t, err)
	assert.JSONEq(t, `{"b":null,"c":0}`, string(back))
	assert.Error(t, json.Unmarshal([]byte(`{"a":"x"}`), &s))
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	var at struct{ A, B assistants.Timestamp }
	require.NoError(t, json.Unmarshal([]byte(`{"A":1698984975,"B":null}`), &at))
	assert.Equal(t, "2023-11-03T04:16:15Z", at.A.String())
	assert.True(t, at.B.IsZero())
	assert.True(t, at.B.Time().IsZero())
	assert.Empty(t, at.B.String())
	back, err := json.Marshal(at)
	require.NoError(t, err)
	assert.JSONEq(t, `{"A":1698984975,"B":null}`, string(back))
}
