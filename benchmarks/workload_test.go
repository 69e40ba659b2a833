package benchmarks

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"

	"github.com/assistants-go/assistants/benchmarks/internal/workload"
)

// TestAnswersAreDecoded keeps the comparison honest: a client that leaves something out would be a fast one.
func TestAnswersAreDecoded(t *testing.T) {
	t.Parallel()
	wire, err := workload.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range workload.Clients(wire) {
		t.Run(client.Name, func(t *testing.T) {
			t.Parallel()
			for subject, operation := range client.Operations {
				seen, err := operation.Look(t.Context())
				if err != nil {
					t.Fatalf("%s: %v", subject, err)
				}
				want := workload.Want(subject)
				if client.Name == workload.GoOpenAI {
					forget(want)
				}
				if !reflect.DeepEqual(seen, want) {
					t.Errorf("%s: got %+v, want %+v", subject, seen, want)
				}
			}
		})
	}
}

// TestRequestsAreTheSame compares what the clients send with what the floor sends.
func TestRequestsAreTheSame(t *testing.T) {
	t.Parallel()
	var sent request
	wire := &workload.Wire{Request: func(req *http.Request, body []byte) { sent = newRequest(t, req, body) }}
	clients := workload.Clients(wire)
	for _, subject := range workload.Subjects {
		var want request
		for i, client := range clients {
			operation, ok := client.Operations[subject]
			if !ok {
				continue
			}
			if err := operation.Run(t.Context()); err != nil {
				t.Fatalf("%s %s: %v", client.Name, subject, err)
			}
			if i == 0 {
				want = sent
				continue
			}
			if client.Name == workload.GoOpenAI {
				sent.addSearchSettings()
			}
			if !reflect.DeepEqual(sent, want) {
				t.Errorf("%s %s: sent %+v, want %+v", client.Name, subject, sent, want)
			}
		}
	}
}

// TestAllocations holds this repository's client to its number.
func TestAllocations(t *testing.T) {
	const limit = 100
	for _, client := range workload.Clients(new(workload.Wire)) {
		retrieve, ok := client.Operations[workload.Retrieve]
		if !ok {
			continue
		}
		got := testing.AllocsPerRun(100, func() {
			if err := retrieve.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: %.0f allocations to retrieve an assistant", client.Name, got)
		if client.Name == workload.Ours && got > limit {
			t.Errorf("more than %d", limit)
		}
	}
}

// A request is what the service would see of one.
type request struct {
	Method, URL, Authorization, Beta string
	Body                             map[string]any
}

func newRequest(t *testing.T, req *http.Request, body []byte) request {
	r := request{
		Method:        req.Method,
		URL:           req.URL.String(),
		Authorization: req.Header.Get("Authorization"),
		Beta:          req.Header.Get("OpenAI-Beta"),
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &r.Body); err != nil {
			t.Error(err)
		}
	}
	return r
}

// forget takes off what go-openai has no fields for.
func forget(seen []workload.Sight) {
	for i := range seen {
		seen[i].Search, seen[i].Attachments = "", ""
	}
}

// addSearchSettings adds what go-openai has no field for.
func (r *request) addSearchSettings() {
	tools, _ := r.Body["tools"].([]any)
	for _, tool := range tools {
		if tool, ok := tool.(map[string]any); ok && tool["type"] == "file_search" {
			tool["file_search"] = map[string]any{
				"max_num_results": 12.0,
				"ranking_options": map[string]any{"ranker": "default_2024_08_21", "score_threshold": 0.35},
			}
		}
	}
}
