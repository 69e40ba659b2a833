package assistants_test

import (
	"context"
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

func ExampleNewClient() {
	client, err := assistants.NewClient(assistants.WithAPIKey("sk-your-key"), assistants.WithTimeout(20*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Assistants != nil)
	// Output: true
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
	client, err := assistants.NewClient(assistants.WithHandler(server.New())) // no network, no key
	if err != nil {
		log.Fatal(err)
	}
	page, err := client.Assistants.List(context.Background(), assistants.ListParams{})
	fmt.Println(len(page.Data), err)
	// Output: 0 <nil>
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

func ExampleWithAPIKey() {
	option := assistants.WithAPIKey("sk-your-key")
	client, err := assistants.NewClient(option)
	if err != nil {
		log.Fatal(err)
	}
	printed := fmt.Sprintf("%+v %#v", option, client)
	fmt.Println(strings.Contains(printed, "sk-your-key"))
	// Output: false
}

func ExampleWithBaseURL() {
	_, err := assistants.NewClient(assistants.WithAPIKey("none"), assistants.WithBaseURL("localhost:8080/v1"))
	fmt.Println(err)
	_, err = assistants.NewClient(assistants.WithAPIKey("none"), assistants.WithBaseURL("http://localhost:8080/v1"))
	fmt.Println(err)
	// Output:
	// assistants: WithBaseURL: the URL begins neither with http:// nor with https://
	// <nil>
}

func ExampleWithAzureAPIKey() {
	_, err := assistants.NewClient(
		assistants.WithAzureOpenAI("https://my-resource.openai.azure.com", "v1"),
		assistants.WithAzureAPIKey("my-key"),
		assistants.WithAPIKey("another-key"),
	)
	fmt.Println(err)
	// Output: assistants: two credentials at once: WithAPIKey and WithAzureAPIKey
}

// sentHeaders is an HTTP client that prints some headers of a request and answers with an empty list.
func sentHeaders(names ...string) *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		for _, name := range names {
			fmt.Printf("%s: %s\n", name, r.Header.Get(name))
		}
		return response(200, `{"object":"list","data":[]}`), nil
	})}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func ExampleWithOrganization() {
	client, err := assistants.NewClient(
		assistants.WithAPIKey("sk-your-key"),
		assistants.WithOrganization("org-7"),
		assistants.WithHTTPClient(sentHeaders("OpenAI-Organization")),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Assistants.List(context.Background(), assistants.ListParams{})
	fmt.Println(err)
	// Output:
	// OpenAI-Organization: org-7
	// <nil>
}

func ExampleWithProject() {
	client, err := assistants.NewClient(
		assistants.WithAPIKey("sk-your-key"),
		assistants.WithProject("proj_7"),
		assistants.WithHTTPClient(sentHeaders("OpenAI-Project", "OpenAI-Beta")),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Assistants.List(context.Background(), assistants.ListParams{})
	fmt.Println(err)
	// Output:
	// OpenAI-Project: proj_7
	// OpenAI-Beta: assistants=v2
	// <nil>
}

// Tracing sees every attempt, retries included.
func ExampleWithHTTPClient() {
	attempts := 0
	traced := roundTripper(func(r *http.Request) (*http.Response, error) {
		attempts++
		fmt.Println(attempts, r.Method, r.URL)
		if attempts == 1 {
			return response(http.StatusTooManyRequests, "", "Retry-After: 0"), nil
		}
		return response(http.StatusOK, `{"object":"list","data":[]}`), nil
	})
	client, err := assistants.NewClient(
		assistants.WithBaseURL("https://assistants.example/v1"),
		assistants.WithAPIKey("none"),
		assistants.WithHTTPClient(&http.Client{Transport: traced}),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Assistants.List(context.Background(), assistants.ListParams{})
	fmt.Println(err)
	// Output:
	// 1 GET https://assistants.example/v1/assistants
	// 2 GET https://assistants.example/v1/assistants
	// <nil>
}

func ExampleWithMaxResponseBytes() {
	client, err := assistants.NewClient(
		assistants.WithMaxResponseBytes(10),
		assistants.WithHandler(server.New(server.WithIDSource(func(prefix string) string { return prefix + "_1" }))),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Assistants.List(context.Background(), assistants.ListParams{})
	fmt.Println(err)
	// Output: assistants: GET /assistants: 200: the answer is larger than 10 bytes (request req_1)
}

// busy is a handler that is always too busy to answer.
var busy = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "0")
	http.Error(w, `{"error":{"message":"Come back later."}}`, http.StatusServiceUnavailable)
})

func ExampleWithMaxRetries() {
	client, err := assistants.NewClient(assistants.WithHandler(busy), assistants.WithMaxRetries(0)) // for all calls
	if err != nil {
		log.Fatal(err)
	}
	var response assistants.Response
	_, err = client.Assistants.Retrieve(context.Background(), "asst_1",
		assistants.WithMaxRetries(4), // for this one
		assistants.WithResponse(&response))
	fmt.Println(response.Attempts, err)
	// Output: 5 assistants: GET /assistants/asst_1: 503: Come back later.
}

// stuck is a handler that never answers.
var stuck = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })

func ExampleWithTimeout() {
	client, err := assistants.NewClient(assistants.WithHandler(stuck), assistants.WithTimeout(10*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Assistants.Create(context.Background(), assistants.AssistantCreateParams{Model: "gpt-4o"})
	fmt.Println(err)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output:
	// assistants: POST /assistants: timeout: waited 10ms for the answer
	// true
}

func ExampleWithStreamIdleTimeout() {
	client, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "the first half")
		w.(http.Flusher).Flush()
		stuck(w, r)
	})))
	if err != nil {
		log.Fatal(err)
	}
	var content strings.Builder
	err = client.Call(context.Background(), http.MethodGet, "/files/file-1/content", nil, &content,
		assistants.WithStreamIdleTimeout(200*time.Millisecond))
	fmt.Println(content.String(), errors.Is(err, context.DeadlineExceeded))
	// Output: the first half true
}
