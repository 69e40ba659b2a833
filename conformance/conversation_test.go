package conformance

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// newConversation is a server of its own for a call. It has what calls presuppose: a stock of files, asst_1, thread_1 with msg_1, and run_1
// with step_1, which has ended, or asked for as many functions as the call is about.
func newConversation(t *testing.T, asked int) http.Handler {
	t.Helper()
	srv := server.New(server.WithAPIKeys("conformance"), server.WithIDSource(counted()), server.WithModel(asking(asked)))
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	client, err := assistants.NewClient(assistants.WithHandler(srv), assistants.WithAPIKey("conformance"))
	require.NoError(t, err)
	ctx := context.Background()
	stock(t, client)
	_, err = client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o", Instructions: "Be kind."})
	require.NoError(t, err)
	greeting := []assistants.MessageCreateParams{assistants.UserMessage("Hello.")}
	_, err = client.Threads.Create(ctx, assistants.ThreadCreateParams{Messages: greeting})
	require.NoError(t, err)
	_, err = client.Runs.CreateAndPoll(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"},
		assistants.WithPollInterval(time.Nanosecond))
	require.NoError(t, err)
	return srv
}

// counted is a source of ids: each prefix with 1, 2 and so on.
func counted() func(prefix string) string {
	var mu sync.Mutex
	last := make(map[string]int)
	return func(prefix string) string {
		mu.Lock()
		defer mu.Unlock()
		last[prefix]++
		return fmt.Sprintf("%s_%d", prefix, last[prefix])
	}
}

// asking is a model that calls functions in run_1, call_1 and so on, and greets otherwise.
func asking(functions int) server.Model {
	var calls []server.Action
	for i := range functions {
		calls = append(calls, server.Yield(server.FunctionCall{ID: fmt.Sprintf("call_%d", i+1), Name: "now", Arguments: "{}"}))
	}
	first := func(c *server.ModelCall) bool { return functions > 0 && c.RunID == "run_1" && c.Round == 0 }
	return server.NewScripted(server.When(first, calls...), server.Otherwise(server.Say("Hello to you.")))
}
