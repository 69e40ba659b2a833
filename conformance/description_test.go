package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// TestDescription makes every call that the client can make to the embedded server, and has the API description judge
// requests and answers.
func TestDescription(t *testing.T) {
	shared := server.New(server.WithModelNames("gpt-4o", "gpt-4o-mini"), server.WithAPIKeys("conformance"),
		server.WithIDSource(counted()))
	j := &judge{description: loadDescription(t), next: shared}
	client, err := assistants.NewClient(
		assistants.WithHandler(j), assistants.WithAPIKey("conformance"), assistants.WithMaxRetries(0))
	require.NoError(t, err)
	ctx := context.Background()
	stock(t, client)
	first, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "gpt-4o"})
	require.NoError(t, err)

	sent := make(sentRequests)
	used := make([]bool, len(exceptions))
	check := func(c call) {
		j.seen = nil
		if err := c.do(ctx, client, first.ID); !errors.Is(err, c.fails) {
			t.Errorf("%s: got the error %v, want %v", c.name, err, c.fails)
		}
		require.NotEmpty(t, j.seen, "%s: nothing was sent", c.name)
		asked := func(e judged) bool { return e.operation == c.operation }
		assert.True(t, slices.ContainsFunc(j.seen, asked), "%s: %s was not asked for", c.name, c.operation)
		for _, e := range j.seen {
			sent.add(t, e)
			for _, p := range e.problems {
				if i := excepted(p); i >= 0 {
					used[i] = true
				} else if p.side != "answer" || answerException(p) < 0 {
					t.Errorf("%s: %v", c.name, p)
				}
			}
		}
	}
	for _, c := range slices.Concat(calls(), modelCalls()) {
		check(c)
	}
	for _, c := range slices.Concat(threadCalls(), messageCalls(), runCalls(), knowledgeCalls(), undescribedCalls()) {
		j.next = newConversation(t, c.asked)
		check(c)
	}
	for i, e := range exceptions {
		assert.True(t, used[i], "no call needs this exception any more: %v", e.problem)
	}
	sent.checkComplete(t, loadInventory(t))
}

// sentRequests are the places in requests that calls have filled, by operation: "createAssistant tools[].type", and
// with null in them "createAssistant name null".
type sentRequests map[string]bool

func (s sentRequests) add(t *testing.T, e judged) {
	t.Helper()
	for name := range e.query {
		s[e.operation+" "+name] = true
	}
	for _, name := range e.form { // expires_after[anchor] is expires_after.anchor
		outer, inner, nested := strings.Cut(strings.TrimSuffix(name, "]"), "[")
		s[e.operation+" "+outer] = true
		if nested {
			s[e.operation+" "+outer+"."+inner] = true
		}
	}
	if len(e.body) == 0 || e.form != nil {
		return
	}
	var body any
	require.NoError(t, json.Unmarshal(e.body, &body))
	s.walk(e.operation, "", body)
}

func (s sentRequests) walk(operation, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			place := key
			if path != "" {
				place = path + "." + key
			}
			s[operation+" "+place] = true
			s.walk(operation, place, inner)
		}
	case []any:
		for _, inner := range v {
			s.walk(operation, path+"[]", inner)
		}
	case nil:
		s[operation+" "+path+" null"] = true
	}
}

// checkComplete wants every parameter and property that the description has, and null for every field that a change
// may set to it.
func (s sentRequests) checkComplete(t *testing.T, all inventory) {
	t.Helper()
	for _, op := range all.V2.Operations {
		for _, p := range op.Query {
			assert.True(t, s[op.ID+" "+p.Name], "no call of %s sends the parameter %s", op.ID, p.Name)
		}
		if op.Request == "" {
			continue
		}
		for _, p := range all.V2.properties(op.Request) {
			assert.True(t, s[op.ID+" "+p.Name], "no call of %s sends %s", op.ID, p.Name)
			if p.Nullable && strings.HasPrefix(op.ID, "modify") && !strings.ContainsAny(p.Name, ".[") {
				assert.True(t, s[op.ID+" "+p.Name+" null"], "no call of %s sends null for %s", op.ID, p.Name)
			}
		}
	}
}
