// Package workload holds what the benchmarks have in common: the answers, the transport that gives them, and the
// clients that ask for them.
package workload

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
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

var unannouncedJSON = assistantNamed(UnannouncedID)

// listJSON is a page of assistants that differ in their ids.
var listJSON = func() []byte {
	var page bytes.Buffer
	page.WriteString(`{"object":"list","data":[`)
	for i := range ListLength {
		if i > 0 {
			page.WriteByte(',')
		}
		page.Write(assistantNamed(listedID(i)))
	}
	fmt.Fprintf(&page, `],"first_id":%q,"last_id":%q,"has_more":false}`, listedID(0), listedID(ListLength-1))
	return page.Bytes()
}()

// assistantNamed is the assistant with another id.
func assistantNamed(id string) []byte {
	return bytes.Replace(assistantJSON, []byte(AssistantID), []byte(id), 1)
}

func listedID(i int) string { return fmt.Sprintf("asst_%024d", i) }

// The subjects that clients are compared on.
const (
	Retrieve            = "Retrieve"
	RetrieveUnannounced = "Retrieve, length unknown"
	List                = "List"
	Create              = "Create"
)

// Subjects are all of them, in the order of reports.
var Subjects = []string{Retrieve, RetrieveUnannounced, List, Create}

// The clients that are compared.
const (
	Ours     = "ours"
	Floor    = "floor"
	OpenAIGo = "openai-go"
	GoOpenAI = "go-openai"
)

// A Client is one of the clients, with an operation for each subject.
type Client struct {
	Name       string
	Operations map[string]Operation
}

// An Operation is a call with all that it needs.
type Operation struct {
	// Run makes the call and drops the answer.
	Run func(context.Context) error
	// Look makes the same call and says what came of it.
	Look func(context.Context) ([]Sight, error)
}

// Clients returns all clients, which send through wire.
func Clients(wire *Wire) []Client {
	return []Client{floor(wire), ours(wire), openAIGo(wire), goOpenAI(wire)}
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
