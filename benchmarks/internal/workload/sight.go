package workload

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A Sight is what a client sees of an assistant or a message, all that is not null; or of a stream, its text.
type Sight struct {
	ID, Object, Name, Description, Model, Instructions string

	CreatedAt     int64
	Tools         string // their types
	Function      string // of the tool that is one
	Search        string // the settings of the tool for file search
	Files, Stores string // their ids
	Metadata      map[string]string
	TopP          string
	Temperature   string
	Format        string

	Thread, Assistant, Run, Role, Text string

	Citations   string
	Attachments string
}

// Want is what every client should see of a subject's answer.
func Want(subject string) []Sight {
	assistant := Sight{
		ID:          AssistantID,
		Object:      "assistant",
		Name:        "Travel desk",
		Description: "Plans business trips within the rules of the company.",
		Model:       "gpt-4o",
		Instructions: "You plan business trips. Look up the travel policy before you propose anything, and quote the " +
			"rule you followed. Ask for dates and a cost centre if they are missing. Offer two options at most, with " +
			"prices in euros. Use Python for sums and for time zones. Never book without the traveller's consent.",
		CreatedAt: 1722470400,
		Tools:     "code_interpreter file_search function",
		Function: function("find_connections", "Finds trains and flights between two cities on a day.", map[string]any{
			"type": "object",
			"properties": map[string]any{
				"from":  map[string]any{"type": "string", "description": "City of departure"},
				"to":    map[string]any{"type": "string", "description": "City of arrival"},
				"day":   map[string]any{"type": "string", "description": "Day of departure, as in 2024-08-01"},
				"class": map[string]any{"type": "string", "enum": []any{"first", "second"}},
			},
			"required": []any{"from", "to", "day"},
		}),
		Search:      search(12, "default_2024_08_21", 0.35),
		Files:       "file-000000000000000000000001 file-000000000000000000000002",
		Stores:      "vs_000000000000000000000001",
		Metadata:    map[string]string{"team": "travel", "cost_centre": "4711"},
		TopP:        "0.900",
		Temperature: "0.200",
		Format:      "auto",
	}
	switch subject {
	case RetrieveUnannounced:
		assistant.ID = UnannouncedID
	case List:
		page := make([]Sight, ListLength)
		for i := range page {
			page[i] = assistant
			page[i].ID = listedID(i)
		}
		return page
	case Messages:
		return wantMessages()
	case Stream:
		return []Sight{{Text: recorded.Text}}
	}
	return []Sight{assistant}
}

func wantMessages() []Sight {
	question := Sight{
		Object:    "thread.message",
		CreatedAt: 1722470380,
		Thread:    ThreadID,
		Role:      "user",
		Text: "I have to be in Lyon on the third of September, before noon. Which train may I take, and in which class? " +
			"The invitation is attached.",
		Attachments: attachment("file-000000000000000000000004", "file_search code_interpreter"),
		Metadata:    map[string]string{"ticket": "20817"},
	}
	answer := Sight{
		Object:    "thread.message",
		CreatedAt: 1722470402,
		Thread:    ThreadID,
		Assistant: AssistantID,
		Run:       runID,
		Role:      "assistant",
		Text: "You may travel first class, as the journey takes longer than four hours【4:0†policy.pdf】. The train at " +
			"06:12 arrives at 10:58 and is the cheapest; the one at 05:30 leaves you an hour more. The invitation asks you " +
			"to register at the gate【4:3†invitation.pdf】. Which cost centre is it for?",
		Citations: citation("【4:0†policy.pdf】", 71, 87, citedID) + " " +
			citation("【4:3†invitation.pdf】", 235, 255, "file-000000000000000000000004"),
		Metadata: map[string]string{},
	}
	page := make([]Sight, ListLength)
	for i := range page {
		page[i] = answer
		if i%2 == 1 {
			page[i] = question
		}
		page[i].ID = listedMessageID(i)
	}
	return page
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

// function describes a function; its parameters are decoded JSON in one client and JSON in another.
func function(name, description string, parameters any) string {
	encoded, err := json.Marshal(parameters)
	if err != nil {
		return err.Error()
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %q %v", name, description, decoded)
}

func search(results int64, ranker string, threshold float64) string {
	return fmt.Sprintf("%d %s %s", results, ranker, decimal(threshold))
}

// decimal writes a number; one client decodes it in half the precision, which is no difference to be reported.
func decimal(f float64) string { return fmt.Sprintf("%.3f", f) }

func citation(text string, start, end int64, file string) string {
	return fmt.Sprintf("%s %d-%d %s", text, start, end, file)
}

func attachment(file, tools string) string { return fmt.Sprintf("%s for %s", file, tools) }
