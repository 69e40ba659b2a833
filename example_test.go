package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
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

func ExampleAssistantsService_Create() {
	ctx, client := context.Background(), newExampleClient()

	catalogue, err := client.Files.Upload(ctx, assistants.FileUploadParams{
		File: strings.NewReader("Moby-Dick, shelf 7"), Filename: "catalogue.txt",
	})
	if err != nil {
		log.Fatal(err)
	}
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
				FileIDs: []string{catalogue.ID},
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

func ExampleClient_Open() {
	ctx, client := context.Background(), newExampleClient()
	createNamed(client, "one")

	body, err := client.Open(ctx, http.MethodGet, "/assistants?limit=1", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer body.Close()
	answer, err := io.ReadAll(body)
	fmt.Println(strings.Contains(string(answer), `"name":"one"`), err)
	// Output: true <nil>
}

func ExampleClient_BaseURL() {
	client, err := assistants.NewClient(assistants.WithAzureOpenAI("https://my-resource.openai.azure.com/", "v1"), assistants.WithAzureAPIKey("your-key"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.BaseURL())
	// Output: https://my-resource.openai.azure.com/openai/v1
}

func ExampleClient_CloseIdleConnections() {
	client, err := assistants.NewClient(assistants.WithAPIKey("sk-your-key"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections() // when a program, or a test, is done with it
	// Output:
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

// The v1 protocol, for servers that still speak it: the retrieval tool, and files on the assistant.
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

func ExampleSet() {
	sent, err := json.Marshal(assistants.AssistantModifyParams{
		Name:        assistants.Set("Tutor"),
		Temperature: assistants.Set(0.0), // zero is a value
	})
	fmt.Println(string(sent), err)
	// Output: {"name":"Tutor","temperature":0} <nil>
}

func ExampleNull() {
	sent, err := json.Marshal(assistants.AssistantModifyParams{Metadata: assistants.Null[assistants.Metadata]()})
	fmt.Println(string(sent), err)
	// Output: {"metadata":null} <nil>
}

func ExampleTool() {
	for _, tool := range []assistants.Tool{
		{Type: assistants.ToolCodeInterpreter},
		{Function: &assistants.FunctionDefinition{Name: "now"}}, // the type is inferred
		{Type: assistants.ToolFileSearch, Function: &assistants.FunctionDefinition{Name: "now"}},
	} {
		sent, err := tool.MarshalJSON()
		fmt.Println(string(sent), err)
	}
	// Output:
	// {"type":"code_interpreter"} <nil>
	// {"type":"function","function":{"name":"now"}} <nil>
	//  tool of type "file_search" has the field of type "function" set
}
