package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// newExampleClient returns a client of an embedded server whose clock stands still and which numbers its objects, so
// that examples have the same output every time.
func newExampleClient() *assistants.Client {
	n := 0
	client, err := assistants.NewClient(assistants.WithHandler(server.New(
		server.WithClock(func() time.Time { return time.Unix(1698984975, 0) }),
		server.WithIDSource(func(prefix string) string {
			if prefix == "asst" {
				n++
			}
			return fmt.Sprintf("%s_%03d", prefix, n)
		}),
	)))
	if err != nil {
		log.Fatal(err)
	}
	return client
}

func ExampleNewClient() {
	ctx := context.Background()

	client, err := assistants.NewClient(
		assistants.WithAPIKey("sk-your-key"),
		assistants.WithBaseURL("https://assistants.example/v1"),
		assistants.WithTimeout(20*time.Second),
		assistants.WithMaxRetries(4),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, _ = ctx, client
	// Output:
}

func ExampleNewClient_contradiction() {
	_, err := assistants.NewClient(
		assistants.WithBaseURL("https://assistants.example/v1"),
		assistants.WithAzureOpenAI("https://my-resource.openai.azure.com", "v1"),
		assistants.WithAPIKey("sk-secret"),
	)
	fmt.Println(err)
	// Output: assistants: two endpoints at once: WithAzureOpenAI and WithBaseURL
}

func ExampleWithHandler() {
	ctx := context.Background()

	client, err := assistants.NewClient(assistants.WithHandler(server.New()))
	if err != nil {
		log.Fatal(err)
	}
	tutor, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:        "gpt-4o",
		Name:         "Math Tutor",
		Instructions: "You are a personal math tutor.",
		Tools:        []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tutor.Name, "has", len(tutor.Tools), "tool")
	// Output: Math Tutor has 1 tool
}

func ExampleWithAzureOpenAI() {
	client, err := assistants.NewClient(
		assistants.WithAzureOpenAI("https://my-resource.openai.azure.com", "2024-05-01-preview"),
		assistants.WithAzureAPIKey(os.Getenv("MY_AZURE_KEY")),
	)
	fmt.Println(client != nil, err)
	// Output: false assistants: WithAzureAPIKey: the key is empty
}

func ExampleWithFoundryProject() {
	entraToken := func(ctx context.Context) (string, error) {
		return "a token for https://ai.azure.com/.default, kept until it expires", nil
	}
	client, err := assistants.NewClient(
		assistants.WithFoundryProject("https://my-resource.services.ai.azure.com/api/projects/my-project"),
		assistants.WithTokenSource(entraToken),
	)
	fmt.Println(client != nil, err)
	// Output: true <nil>
}

func ExampleWithTokenSource() {
	expired := errors.New("the managed identity has expired")
	client, err := assistants.NewClient(
		assistants.WithBaseURL("https://gateway.example/v1"),
		assistants.WithTokenSource(func(context.Context) (string, error) { return "", expired }),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Assistants.Retrieve(context.Background(), "asst_1") // nothing is sent
	fmt.Println(errors.Is(err, expired))
	// Output: true
}

func ExampleAssistantsService_Create() {
	ctx, client := context.Background(), newExampleClient()

	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:       "gpt-4o",
		Name:        "Librarian",
		Temperature: new(0.0),
		Tools: []assistants.Tool{
			{FileSearch: &assistants.FileSearchOptions{MaxNumResults: 5}},
			{Function: &assistants.FunctionDefinition{
				Name:        "lend",
				Description: "Lends a book to a reader.",
				Parameters:  json.RawMessage(`{"type":"object","properties":{"isbn":{"type":"string"}}}`),
			}},
		},
		ToolResources: assistants.ToolResources{
			FileSearch: &assistants.FileSearchResources{VectorStores: []assistants.VectorStoreSpec{{
				FileIDs: []string{"file-catalogue"},
				ChunkingStrategy: &assistants.ChunkingStrategy{
					Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 400, ChunkOverlapTokens: 100},
				},
			}}},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(assistant.ID, assistant.CreatedAt, *assistant.Temperature)
	for _, tool := range assistant.Tools {
		fmt.Println(tool.Type)
	}
	fmt.Println(len(assistant.ToolResources.FileSearch.VectorStoreIDs), "vector store")
	// Output:
	// asst_001 2023-11-03T04:16:15Z 0
	// file_search
	// function
	// 1 vector store
}

func ExampleAssistantsService_Retrieve() {
	ctx, client := context.Background(), newExampleClient()

	_, err := client.Assistants.Retrieve(ctx, "asst_gone")
	if errors.Is(err, assistants.ErrNotFound) {
		fmt.Println("It is gone.")
	}
	var e *assistants.APIError
	if errors.As(err, &e) {
		fmt.Println(e.StatusCode, e.Type, e.Message)
	}
	// Output:
	// It is gone.
	// 404 invalid_request_error No assistant found with id 'asst_gone'.
}

func ExampleAssistantsService_Modify() {
	ctx, client := context.Background(), newExampleClient()
	created, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model: "gpt-4o", Name: "Tutor", Description: "Teaches.", Instructions: "Be brief.",
	})
	if err != nil {
		log.Fatal(err)
	}

	assistant, err := client.Assistants.Modify(ctx, created.ID, assistants.AssistantModifyParams{
		Name:        assistants.Set("Patient Tutor"), // set
		Description: assistants.Null[string](),       // cleared
		Tools:       []assistants.Tool{},             // none from now on
		Metadata:    assistants.Set(assistants.Metadata{"team": "maths"}),
		// Instructions are left alone.
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q %q %q %v\n", assistant.Name, assistant.Description, assistant.Instructions, assistant.Metadata)
	// Output: "Patient Tutor" "" "Be brief." map[team:maths]
}

func ExampleAssistantsService_Delete() {
	ctx, client := context.Background(), newExampleClient()
	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o"})
	if err != nil {
		log.Fatal(err)
	}

	deleted, err := client.Assistants.Delete(ctx, assistant.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.ID, deleted.Deleted)
	// Output: asst_001 true
}

func ExampleAssistantsService_List() {
	ctx, client := context.Background(), newExampleClient()
	createNamed(client, "one", "two", "three")

	page, err := client.Assistants.List(ctx, assistants.ListParams{Limit: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, assistant := range page.Data {
		fmt.Println(assistant.ID, assistant.Name)
	}
	fmt.Println("more:", page.HasMore)
	// Output:
	// asst_003 three
	// asst_002 two
	// more: true
}

func ExampleAssistantsService_All() {
	ctx, client := context.Background(), newExampleClient()
	createNamed(client, "one", "two", "three")

	for assistant, err := range client.Assistants.All(ctx, assistants.ListParams{Order: assistants.OrderAsc, Limit: 2}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(assistant.ID, assistant.Name)
	}
	// Output:
	// asst_001 one
	// asst_002 two
	// asst_003 three
}

func createNamed(client *assistants.Client, names ...string) {
	for _, name := range names {
		if _, err := client.Assistants.Create(context.Background(), assistants.AssistantCreateParams{Model: "gpt-4o", Name: name}); err != nil {
			log.Fatal(err)
		}
	}
}

func ExampleClient_Call() {
	ctx, client := context.Background(), newExampleClient()
	createNamed(client, "one")

	var answer struct {
		Data []struct{ Name string }
	}
	err := client.Call(ctx, http.MethodGet, "/assistants?limit=1", nil, &answer)
	fmt.Println(answer.Data, err)
	// Output: [{one}] <nil>
}

func ExampleResponseFormat() {
	ctx, client := context.Background(), newExampleClient()

	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model: "gpt-4o",
		ResponseFormat: assistants.ResponseFormat{JSONSchema: &assistants.JSONSchema{
			Name:   "verdict",
			Strict: true,
			Schema: json.RawMessage(`{
				"type": "object",
				"properties": {"guilty": {"type": "boolean"}},
				"required": ["guilty"],
				"additionalProperties": false
			}`),
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(assistant.ResponseFormat.Type, assistant.ResponseFormat.JSONSchema.Name)
	// Output: json_schema verdict
}

func ExampleRawTool() {
	tool := assistants.RawTool(json.RawMessage(`{"type":"mcp","server_label":"wiki","server_url":"https://wiki.example/mcp"}`))
	sent, err := json.Marshal(tool)
	fmt.Println(tool.Type, string(sent), err)
	// Output: mcp {"type":"mcp","server_label":"wiki","server_url":"https://wiki.example/mcp"} <nil>
}

func ExampleWithIdempotencyKey() {
	ctx, client := context.Background(), newExampleClient()

	for range 2 {
		order := assistants.AssistantCreateParams{Model: "gpt-4o", Name: "Order 4711"}
		assistant, err := client.Assistants.Create(ctx, order, assistants.WithIdempotencyKey("order-4711"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(assistant.ID)
	}
	// Output:
	// asst_001
	// asst_001
}

func ExampleWithResponse() {
	ctx, client := context.Background(), newExampleClient()

	var response assistants.Response
	_, err := client.Assistants.List(ctx, assistants.ListParams{}, assistants.WithResponse(&response))
	fmt.Println(response.StatusCode, response.Attempts, response.Header.Get("Openai-Version"), err)
	// Output: 200 1 2020-10-01 <nil>
}

func ExampleWithBodyField() {
	ctx, client := context.Background(), newExampleClient()

	_, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o"},
		assistants.WithBodyField("tools.0", assistants.Tool{Type: assistants.ToolCodeInterpreter}),
		assistants.WithBodyField("brand_new", true),
	)
	var e *assistants.APIError
	if errors.As(err, &e) {
		fmt.Println(e.Message)
	}
	// Output: Unknown parameter: 'brand_new'.
}

func ExampleWithHeader() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("X-Tenant"), r.Header.Get("X-Trace"))
		fmt.Fprint(w, `{"object":"list","data":[]}`)
	}))
	defer srv.Close()

	client, err := assistants.NewClient(
		assistants.WithBaseURL(srv.URL),
		assistants.WithAPIKey("none"),
		assistants.WithHeader("X-Tenant", "7"), // on every request
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Assistants.List(context.Background(), assistants.ListParams{}, assistants.WithHeader("X-Trace", "abc"))
	if err != nil {
		log.Fatal(err)
	}
	// Output: 7 abc
}

func ExampleWithLogger() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "duration" {
				return slog.Attr{} // not the same every time
			}
			return a
		},
	}))
	client, err := assistants.NewClient(
		assistants.WithLogger(logger),
		assistants.WithHandler(server.New(server.WithIDSource(func(prefix string) string { return prefix + "_1" }))),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, _ = client.Assistants.List(context.Background(), assistants.ListParams{})
	// Output: level=DEBUG msg="assistants: answered" method=GET path=/assistants status=200 attempt=1 request_id=req_1
}

// The v1 protocol, for servers that still speak it: the retrieval tool, and files on the assistant.
func ExampleWithBeta() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("OpenAI-Beta"))
		fmt.Fprint(w, `{"id":"asst_abc123","object":"assistant","tools":[{"type":"retrieval"}],"file_ids":["file-abc123","file-abc456"]}`)
	}))
	defer srv.Close()

	client, err := assistants.NewClient(
		assistants.WithBaseURL(srv.URL),
		assistants.WithAPIKey("none"),
		assistants.WithBeta(assistants.BetaV1),
	)
	if err != nil {
		log.Fatal(err)
	}
	assistant, err := client.Assistants.Modify(context.Background(), "asst_abc123", assistants.AssistantModifyParams{
		Tools:   []assistants.Tool{{Type: assistants.ToolRetrieval}},
		FileIDs: []string{"file-abc123", "file-abc456"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(assistant.Tools[0].Type, strings.Join(assistant.FileIDs, " "))
	// Output:
	// assistants=v1
	// retrieval file-abc123 file-abc456
}

func ExampleOptional() {
	for _, name := range []assistants.Optional[string]{{}, assistants.Set("Tutor"), assistants.Null[string]()} {
		sent, err := json.Marshal(assistants.AssistantModifyParams{Name: name})
		fmt.Println(string(sent), err)
	}
	// Output:
	// {} <nil>
	// {"name":"Tutor"} <nil>
	// {"name":null} <nil>
}

func ExampleTimestamp() {
	created := assistants.Timestamp(1698984975)
	fmt.Println(created, created.Time().Year(), assistants.Timestamp(0).IsZero())
	// Output: 2023-11-03T04:16:15Z 2023 true
}
