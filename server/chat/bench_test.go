package chat_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
)

// BenchmarkDeltas reads a stream of 1,000 pieces of text.
func BenchmarkDeltas(b *testing.B) {
	answer := streams(append(slices.Repeat([]string{word(" word")}, 1000), finish("stop"), spent("1", "1000"), done)...)
	provider, err := assistants.NewClient(assistants.WithHandler(http.HandlerFunc(answer)))
	if err != nil {
		b.Fatal(err)
	}
	model := chat.New(provider)
	b.ReportAllocs()
	for b.Loop() {
		events := 0
		for _, err := range model.Respond(b.Context(), &server.ModelCall{Model: "m", Temperature: 1, TopP: 1}) {
			if events++; err != nil {
				b.Fatal(err)
			}
		}
		if events != 1001 {
			b.Fatal(events)
		}
	}
}
