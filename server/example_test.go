package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/assistants-go/assistants/server"
)

// send prints what a handler answers to a request.
func send(h http.Handler, method, path, body string, headers ...string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("OpenAI-Beta", "assistants=v2")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
}

func ExampleNew() {
	api := server.New()
	defer api.Close()

	// In a program of its own: http.ListenAndServe("127.0.0.1:8080", api)
	ts := httptest.NewServer(api)
	defer ts.Close()

	req, err := http.NewRequest("GET", ts.URL+"/v1/assistants", nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("OpenAI-Beta", "assistants=v2")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(body))
	// Output: {"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}
}

func ExampleNewMemoryStore() {
	store := server.NewMemoryStore()
	api := server.New(server.WithStore(store))
	r := httptest.NewRequest("POST", "/openai/assistants", strings.NewReader(`{"model":"gpt-4o"}`))
	api.ServeHTTP(httptest.NewRecorder(), r)

	// What the server keeps can be looked at without it.
	page, err := store.List(context.Background(), server.Collection{Kind: "assistant"}, server.Query{Limit: 10})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(page.Records), page.HasMore)
	// Output: 1 false
}

func ExampleWithStore() {
	store := server.NewMemoryStore()
	before := server.New(server.WithStore(store), server.WithIDSource(func(prefix string) string { return prefix + "_1" }))
	r := httptest.NewRequest("POST", "/openai/assistants", strings.NewReader(`{"model":"gpt-4o"}`))
	before.ServeHTTP(httptest.NewRecorder(), r)
	if err := before.Close(); err != nil {
		panic(err)
	}

	after := server.New(server.WithStore(store))
	send(after, "DELETE", "/v1/assistants/asst_1", "")
	// Output: 200 {"id":"asst_1","object":"assistant.deleted","deleted":true}
}

func ExampleWithClock() {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	api := server.New(
		server.WithClock(func() time.Time { return noon }),
		server.WithIDSource(func(prefix string) string { return prefix + "_1" }),
	)
	send(api, "POST", "/v1/assistants", `{"model":"gpt-4o"}`)
	// Output:
	// 200 {"id":"asst_1","object":"assistant","created_at":1767355200,"name":null,"description":null,"model":"gpt-4o","instructions":null,"tools":[],"top_p":1.0,"temperature":1.0,"reasoning_effort":null,"tool_resources":{},"metadata":{},"response_format":"auto"}
}

func ExampleWithIDSource() {
	n := 0 // one request at a time, so no lock
	api := server.New(server.WithIDSource(func(prefix string) string {
		n++
		return fmt.Sprintf("%s_%d", prefix, n)
	}))
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/openai/assistants?api-version=2024-05-01-preview", nil))
	fmt.Println(w.Header().Get("x-request-id"))
	// Output: req_1
}

func ExampleWithAPIKeys() {
	api := server.New(server.WithAPIKeys("key-for-tests-0001"))
	send(api, "GET", "/v1/assistants", "", "Authorization", "Bearer key-for-tests-0001")
	send(api, "GET", "/v1/assistants", "", "Authorization", "Bearer key-for-tests-0002")
	// Output:
	// 200 {"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}
	// 401 {"error":{"message":"Incorrect API key provided: key-for-******0002. You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}
}

func ExampleWithModelNames() {
	api := server.New(server.WithModelNames("local-small", "local-large"))
	send(api, "POST", "/v1/assistants", `{"model":"gpt-4o"}`)
	// Output:
	// 400 {"error":{"message":"The requested model 'gpt-4o' does not exist.","type":"invalid_request_error","param":"model","code":"model_not_found"}}
}

func ExampleWithUnsupportedModelNames() {
	api := server.New(server.WithUnsupportedModelNames("text-embedding-3-large"))
	send(api, "POST", "/v1/assistants", `{"model":"text-embedding-3-large"}`)
	// Output:
	// 400 {"error":{"message":"The requested model 'text-embedding-3-large' cannot be used with the Assistants API.","type":"invalid_request_error","param":"model","code":"unsupported_model"}}
}

func ExampleWithMaxBodyBytes() {
	api := server.New(server.WithMaxBodyBytes(1024))
	send(api, "POST", "/v1/assistants", `{"model":"m","instructions":"`+strings.Repeat("x", 1024)+`"}`)
	// Output:
	// 413 {"error":{"message":"Maximum content size limit (1024) exceeded.","type":"invalid_request_error","param":null,"code":null}}
}

func ExampleWithLogger() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, "duration", "request_id": // different every time
				return slog.Attr{}
			}
			return a
		},
	}))
	api := server.New(server.WithLogger(logger))
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/openai/assistants/asst_1", nil))
	// Output: level=INFO msg=request method=GET path=/openai/assistants/asst_1 status=404
}
