package responses_test

import (
	"net/http"
	"testing"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/responses"
)

// BenchmarkDeltas reads a stream of 1,000 pieces of text.
func BenchmarkDeltas(b *testing.B) {
	words := make([]string, 1000)
	for i := range words {
		words[i] = " word"
	}
	body := frames(answerOf(words...))
	provider, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(body))
	})))
	if err != nil {
		b.Fatal(err)
	}
	model := responses.New(provider)
	b.ReportAllocs()
	for b.Loop() {
		events := 0
		for _, err := range model.Respond(b.Context(), &server.ModelCall{Model: "gpt-4o", Temperature: 1, TopP: 1}) {
			if events++; err != nil {
				b.Fatal(err)
			}
		}
		if events != 1002 {
			b.Fatal(events)
		}
	}
}
