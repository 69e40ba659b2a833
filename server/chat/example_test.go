package chat_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
)

// parrot stands for a provider. It repeats the last two words of what it is asked.
func parrot(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, question, _ := strings.Cut(string(body), `"content":"`)
	question, _, _ = strings.Cut(question, `"`)
	words := strings.Fields(question)
	for _, word := range words[len(words)-2:] {
		fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":\"%s \"}}]}\n\n", word)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// newProvider is a client of the parrot. A real one has an address:
// assistants.WithBaseURL("http://localhost:11434/v1").
func newProvider(handler http.HandlerFunc) *assistants.Client {
	provider, err := assistants.NewClient(assistants.WithHandler(handler), assistants.WithAPIKey("any"))
	if err != nil {
		log.Fatal(err)
	}
	return provider
}

// answerOf has an assistant with these tools answer a question.
func answerOf(model *chat.Model, question string, tools ...assistants.Tool) string {
	ctx := context.Background()
	api := server.New(server.WithModel(model))
	defer api.Close()
	client, err := assistants.NewClient(assistants.WithHandler(api), assistants.WithAPIKey("any"))
	if err != nil {
		log.Fatal(err)
	}
	assistant, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "llama3.2", Tools: tools})
	if err != nil {
		return err.Error()
	}
	stream, err := client.Threads.CreateAndRunStream(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: assistant.ID,
		Thread:      assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage(question)}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	var answer strings.Builder
	for text, err := range stream.Text() {
		if err != nil {
			log.Fatal(err)
		}
		answer.WriteString(text)
	}
	return strings.TrimSpace(answer.String())
}

func ExampleNew() {
	provider := newProvider(parrot)
	fmt.Println(answerOf(chat.New(provider), "Who is a pretty bird?"))
	// Output: pretty bird?
}

// asker shows what is asked, in part.
func asker(field string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println(field, strings.Contains(string(body), field))
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		parrot(w, r)
	}
}

func ExampleWithDeveloperRole() {
	model := chat.New(newProvider(asker(`"role":"system"`)), chat.WithDeveloperRole())
	fmt.Println(answerOf(model, "Who is a pretty bird?"))
	// Output:
	// "role":"system" false
	// pretty bird?
}

func ExampleWithMaxTokensField() {
	model := chat.New(newProvider(asker(`"max_completion_tokens"`)), chat.WithMaxTokensField())
	fmt.Println(answerOf(model, "Who is a pretty bird?"))
	// Output:
	// "max_completion_tokens" false
	// pretty bird?
}

func ExampleWithoutFields() {
	model := chat.New(newProvider(asker(`"stream_options"`)), chat.WithoutFields("stream_options"))
	fmt.Println(answerOf(model, "Who is a pretty bird?"))
	// Output:
	// "stream_options" false
	// pretty bird?
}

// An assistant may have a tool that this server cannot serve, if it is to be kept for another day.
func ExampleWithIgnoredTools() {
	code := assistants.Tool{Type: assistants.ToolCodeInterpreter}
	_, refused, _ := strings.Cut(answerOf(chat.New(newProvider(parrot)), "Who is a pretty bird?", code), "this server ")
	fmt.Println(refused[:len("cannot run code")])
	model := chat.New(newProvider(parrot), chat.WithIgnoredTools(assistants.ToolCodeInterpreter))
	fmt.Println(answerOf(model, "Who is a pretty bird?", code))
	// Output:
	// cannot run code
	// pretty bird?
}

// mathematician is a provider whose model has its sums done by code.
func mathematician(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if _, result, done := strings.Cut(string(body), `"content":"= `); done {
		fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":\"It is %s.\"},\"finish_reason\":\"stop\"}]}\n\n", result[:2])
		return
	}
	fmt.Fprint(w, `data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"call_1","function":`+
		`{"name":"code_interpreter","arguments":"{\"code\":\"print(6*7)\"}"}}]},"finish_reason":"tool_calls"}]}`+"\n\n")
}

// abacus runs code that it knows. A real runner has an interpreter, in a container.
type abacus map[string]string

func (a abacus) RunCode(_ context.Context, code chat.Code) (chat.CodeResult, error) {
	return chat.CodeResult{Logs: a[code.Input]}, nil
}

func ExampleWithCodeRunner() {
	model := chat.New(newProvider(mathematician), chat.WithCodeRunner(abacus{"print(6*7)": "= 42"}))
	fmt.Println(answerOf(model, "What is six times seven?", assistants.Tool{Type: assistants.ToolCodeInterpreter}))
	// Output: It is 42.
}
