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

// ListLength is how many assistants a list has.
const ListLength = 100

const apiKey = "sk-benchmark"

//go:embed assistant.json
var assistantJSON []byte

// listJSON is a page of assistants that differ in their ids.
var listJSON = func() []byte {
	var page bytes.Buffer
	page.WriteString(`{"object":"list","data":[`)
	for i := range ListLength {
		if i > 0 {
			page.WriteByte(',')
		}
		page.Write(bytes.Replace(assistantJSON, []byte(AssistantID), []byte(listedID(i)), 1))
	}
	fmt.Fprintf(&page, `],"first_id":%q,"last_id":%q,"has_more":false}`, listedID(0), listedID(ListLength-1))
	return page.Bytes()
}()

func listedID(i int) string { return fmt.Sprintf("asst_%024d", i) }

// The subjects that clients are compared on.
const (
	Retrieve = "Retrieve"
	List     = "List"
	Create   = "Create"
)

// Subjects are all of them, in the order of reports.
var Subjects = []string{Retrieve, List, Create}

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

// A Sight is what a client sees of an assistant: enough to tell that it decoded the whole.
type Sight struct {
	ID, Name, Model, Instructions string
	CreatedAt                     int64
	Tools                         string // their types
	Function                      string
	Files, Stores                 string // their ids
	Team                          string // from the metadata
	Temperature                   string
	Format                        string
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

// one makes of a look at an assistant a look at an answer.
func one[T any](look func(T) Sight) func(T) []Sight {
	return func(assistant T) []Sight { return []Sight{look(assistant)} }
}

func many[T any](assistants []T, look func(T) Sight) []Sight {
	sights := make([]Sight, 0, len(assistants))
	for _, assistant := range assistants {
		sights = append(sights, look(assistant))
	}
	return sights
}

// words joins the words that of finds in items.
func words[T any](items []T, of func(T) string) string {
	var found []string
	for _, item := range items {
		if word := of(item); word != "" {
			found = append(found, word)
		}
	}
	return strings.Join(found, " ")
}

// decimal writes a temperature; one client decodes it in half the precision, which is no difference to be reported.
func decimal(f float64) string { return fmt.Sprintf("%.3f", f) }

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

// Want is what every client should see of a subject's answer.
func Want(subject string) []Sight {
	assistant := Sight{
		ID:    AssistantID,
		Name:  "Travel desk",
		Model: "gpt-4o",
		Instructions: "You plan business trips. Look up the travel policy before you propose anything, and quote the " +
			"rule you followed. Ask for dates and a cost centre if they are missing. Offer two options at most, with " +
			"prices in euros. Use Python for sums and for time zones. Answer with JSON, and never book without the " +
			"traveller's consent.",
		CreatedAt:   1722470400,
		Tools:       "code_interpreter file_search function",
		Function:    "find_connections",
		Files:       "file-000000000000000000000001 file-000000000000000000000002",
		Stores:      "vs_000000000000000000000001",
		Team:        "travel",
		Temperature: "0.200",
		Format:      "json_object",
	}
	if subject != List {
		return []Sight{assistant}
	}
	page := make([]Sight, ListLength)
	for i := range page {
		page[i] = assistant
		page[i].ID = listedID(i)
	}
	return page
}
