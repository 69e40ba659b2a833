// Package workload holds what the benchmarks have in common: the answers, the transport that gives them, and the
// clients that ask for them.
package workload

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"strings"
	"testing"
)

// AssistantID is the id of the assistant that is retrieved and created.
const AssistantID = "asst_000000000000000000000000"

// UnannouncedID is the id of the assistant that comes without a Content-Length.
const UnannouncedID = "asst_000000000000000000000001"

// ListLength is how many assistants a list has.
const ListLength = 100

const apiKey = "sk-benchmark"

//go:embed assistant.json
var assistantJSON []byte

//go:embed question.json
var questionJSON []byte

//go:embed answer.json
var answerJSON []byte

var unannouncedJSON = assistantNamed(UnannouncedID)

// listJSON is a page of assistants that differ in their ids.
var listJSON = page(listedID, assistantNamed)

// messagesJSON is a page of messages, the answers in front of their questions as in a thread that is read backwards.
var messagesJSON = page(listedMessageID, func(id string) []byte {
	body := answerJSON
	if (id[len(id)-1]-'0')%2 == 1 {
		body = questionJSON
	}
	return bytes.Replace(body, []byte(unlistedMessageID), []byte(id), 1)
})

// recorded is what the streams bring.
var recorded = NewRecording(StreamLength)

func page(name func(int) string, named func(id string) []byte) []byte {
	var page bytes.Buffer
	page.WriteString(`{"object":"list","data":[`)
	for i := range ListLength {
		if i > 0 {
			page.WriteByte(',')
		}
		page.Write(named(name(i)))
	}
	fmt.Fprintf(&page, `],"first_id":%q,"last_id":%q,"has_more":false}`, name(0), name(ListLength-1))
	return page.Bytes()
}

// assistantNamed is the assistant with another id.
func assistantNamed(id string) []byte {
	return bytes.Replace(assistantJSON, []byte(AssistantID), []byte(id), 1)
}

func listedID(i int) string { return fmt.Sprintf("asst_%024d", i) }

const unlistedMessageID = "msg_000000000000000000000000"

func listedMessageID(i int) string { return fmt.Sprintf("msg_1%023d", i) }

// The subjects that clients are compared on.
const (
	Retrieve            = "Retrieve"
	RetrieveUnannounced = "Retrieve, length unknown"
	List                = "List"
	Create              = "Create"
	Messages            = "List messages"
	Stream              = "Stream"
)

// Subjects are all of them, in the order of reports.
var Subjects = []string{Retrieve, RetrieveUnannounced, List, Create, Messages, Stream}

// The clients that are compared.
const (
	Ours       = "ours"
	OursEvents = "ours, Events"
	Floor      = "floor"
	OpenAIGo   = "openai-go"
	GoOpenAI   = "go-openai"
)

// A Client is one of the clients, with an operation for each subject that it knows.
type Client struct {
	Name       string
	Operations map[string]Operation
	// Stream creates a run and calls each with every piece of its text, as it is read; nil if the client cannot.
	Stream func(ctx context.Context, each func(text string)) error
}

// An Operation is a call with all that it needs.
type Operation struct {
	// Run makes the call and drops the answer.
	Run func(context.Context) error
	// Look makes the same call and says what came of it.
	Look func(context.Context) ([]Sight, error)
}

// Clients returns all clients, which send through wire. One of them is ours again, with the other way to read a stream.
func Clients(wire *Wire) []Client {
	return []Client{floor(wire), ours(wire), oursEvents(wire), openAIGo(wire), goOpenAI(wire)}
}

func operation[T any](call func(context.Context) (T, error), look func(T) []Sight) Operation {
	return Operation{
		Run: func(ctx context.Context) error {
			_, err := call(ctx)
			return err
		},
		Look: func(ctx context.Context) ([]Sight, error) {
			answer, err := call(ctx)
			if err != nil {
				return nil, err
			}
			return look(answer), nil
		},
	}
}

// streaming is the operation that reads all of a stream.
func streaming(stream func(context.Context, func(string)) error) Operation {
	return Operation{
		Run: func(ctx context.Context) error { return stream(ctx, func(string) {}) },
		Look: func(ctx context.Context) ([]Sight, error) {
			var all strings.Builder
			err := stream(ctx, func(text string) { all.WriteString(text) })
			return []Sight{{Text: all.String()}}, err
		},
	}
}

// Measure is the benchmark of an operation.
func Measure(b *testing.B, operation Operation) {
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := operation.Run(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
