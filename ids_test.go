package assistants_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// An id is one element of the path, whatever is in it, or it is refused.
func TestIDs(t *testing.T) {
	t.Parallel()
	for id, path := range map[string]string{
		"asst_1":    "/v1/assistants/asst_1",
		"a/b":       "/v1/assistants/a%2Fb",
		"../x":      "/v1/assistants/..%2Fx",
		"a?b=c#d":   "/v1/assistants/a%3Fb=c%23d",
		"a b\n\x00": "/v1/assistants/a%20b%0A%00",
		"%2e%2e":    "/v1/assistants/%252e%252e",
		"…":         "/v1/assistants/%E2%80%A6",
		"...":       "/v1/assistants/...",
		"":          "",
		".":         "",
		"..":        "",
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, assistantJSON))
			_, err := newClient(t, tr).Assistants.Retrieve(t.Context(), id)
			if path == "" {
				require.ErrorContains(t, err, "GET /assistants: ")
				assert.Empty(t, tr.requests())
				return
			}
			require.NoError(t, err)
			assert.Equal(t, path, tr.last().URL.EscapedPath())
			assert.Empty(t, tr.last().URL.RawQuery)
		})
	}
}

// Every id of every method is such an element, at its place.
func TestIDsOfEveryMethod(t *testing.T) {
	t.Parallel()
	type client = *assistants.Client
	for name, test := range map[string]struct {
		path string // with T, I and S for the ids
		call func(ctx context.Context, c client, thread, id, step string) error
	}{
		"Threads.Retrieve": {"/threads/T", func(ctx context.Context, c client, thread, _, _ string) error {
			_, err := c.Threads.Retrieve(ctx, thread)
			return err
		}},
		"Threads.Modify": {"/threads/T", func(ctx context.Context, c client, thread, _, _ string) error {
			_, err := c.Threads.Modify(ctx, thread, assistants.ThreadModifyParams{})
			return err
		}},
		"Threads.Delete": {"/threads/T", func(ctx context.Context, c client, thread, _, _ string) error {
			_, err := c.Threads.Delete(ctx, thread)
			return err
		}},
		"Messages.Create": {"/threads/T/messages", func(ctx context.Context, c client, thread, _, _ string) error {
			_, err := c.Messages.Create(ctx, thread, assistants.UserMessage("hi"))
			return err
		}},
		"Messages.List": {"/threads/T/messages", func(ctx context.Context, c client, thread, _, _ string) error {
			_, err := c.Messages.List(ctx, thread, assistants.MessageListParams{})
			return err
		}},
		"Messages.All": {"/threads/T/messages", func(ctx context.Context, c client, thread, _, _ string) error {
			for _, err := range c.Messages.All(ctx, thread, assistants.MessageListParams{}) {
				return err
			}
			return nil
		}},
		"Messages.Retrieve": {"/threads/T/messages/I", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Messages.Retrieve(ctx, thread, id)
			return err
		}},
		"Messages.Modify": {"/threads/T/messages/I", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Messages.Modify(ctx, thread, id, assistants.MessageModifyParams{})
			return err
		}},
		"Messages.Delete": {"/threads/T/messages/I", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Messages.Delete(ctx, thread, id)
			return err
		}},
		"Runs.Create": {"/threads/T/runs", func(ctx context.Context, c client, thread, _, _ string) error {
			_, err := c.Runs.Create(ctx, thread, assistants.RunCreateParams{})
			return err
		}},
		"Runs.CreateAndPoll": {"/threads/T/runs", func(ctx context.Context, c client, thread, _, _ string) error {
			_, err := c.Runs.CreateAndPoll(ctx, thread, assistants.RunCreateParams{})
			return err
		}},
		"Runs.Stream": {"/threads/T/runs", func(ctx context.Context, c client, thread, _, _ string) error {
			_, err := c.Runs.Stream(ctx, thread, assistants.RunCreateParams{})
			return err
		}},
		"Runs.List": {"/threads/T/runs", func(ctx context.Context, c client, thread, _, _ string) error {
			_, err := c.Runs.List(ctx, thread, assistants.ListParams{})
			return err
		}},
		"Runs.All": {"/threads/T/runs", func(ctx context.Context, c client, thread, _, _ string) error {
			for _, err := range c.Runs.All(ctx, thread, assistants.ListParams{}) {
				return err
			}
			return nil
		}},
		"Runs.Retrieve": {"/threads/T/runs/I", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Runs.Retrieve(ctx, thread, id)
			return err
		}},
		"Runs.Poll": {"/threads/T/runs/I", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Runs.Poll(ctx, thread, id)
			return err
		}},
		"Runs.Modify": {"/threads/T/runs/I", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Runs.Modify(ctx, thread, id, assistants.RunModifyParams{})
			return err
		}},
		"Runs.Cancel": {"/threads/T/runs/I/cancel", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Runs.Cancel(ctx, thread, id)
			return err
		}},
		"Runs.SubmitToolOutputs": {"/threads/T/runs/I/submit_tool_outputs", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Runs.SubmitToolOutputs(ctx, thread, id, assistants.RunSubmitToolOutputsParams{})
			return err
		}},
		"Runs.SubmitToolOutputsAndPoll": {"/threads/T/runs/I/submit_tool_outputs", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Runs.SubmitToolOutputsAndPoll(ctx, thread, id, assistants.RunSubmitToolOutputsParams{})
			return err
		}},
		"Runs.SubmitToolOutputsStream": {"/threads/T/runs/I/submit_tool_outputs", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.Runs.SubmitToolOutputsStream(ctx, thread, id, assistants.RunSubmitToolOutputsParams{})
			return err
		}},
		"RunSteps.List": {"/threads/T/runs/I/steps", func(ctx context.Context, c client, thread, id, _ string) error {
			_, err := c.RunSteps.List(ctx, thread, id, assistants.ListParams{})
			return err
		}},
		"RunSteps.All": {"/threads/T/runs/I/steps", func(ctx context.Context, c client, thread, id, _ string) error {
			for _, err := range c.RunSteps.All(ctx, thread, id, assistants.ListParams{}) {
				return err
			}
			return nil
		}},
		"RunSteps.Retrieve": {"/threads/T/runs/I/steps/S", func(ctx context.Context, c client, thread, id, step string) error {
			_, err := c.RunSteps.Retrieve(ctx, thread, id, step)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(418, ""))
			c := newClient(t, tr)
			require.Error(t, test.call(t.Context(), c, "t/../1", "i?2", "s#3"))
			require.Len(t, tr.requests(), 1)
			want := strings.NewReplacer("/T", "/t%2F..%2F1", "/I", "/i%3F2", "/S", "/s%233").Replace("/v1" + test.path)
			assert.Equal(t, want, tr.last().URL.EscapedPath())
			assert.Empty(t, tr.last().URL.RawQuery)

			for _, bad := range []string{"", ".", ".."} {
				for i := range 1 + strings.Count(test.path, "/I") + strings.Count(test.path, "/S") {
					ids := []string{"t", "i", "s"}
					ids[i] = bad
					require.ErrorContains(t, test.call(t.Context(), c, ids[0], ids[1], ids[2]), " /threads: ", "%q at %d", bad, i)
				}
			}
			assert.Len(t, tr.requests(), 1)
		})
	}
}

func FuzzID(f *testing.F) {
	for _, id := range []string{"asst_1", "", ".", "..", "a/../b", "a?b", "%2e", "\x00", "\xff", "a\r\nHost: b"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		tr := newTransport(t, answer(200, assistantJSON))
		_, err := newClient(t, tr).Assistants.Retrieve(t.Context(), id)
		if id == "" || id == "." || id == ".." {
			require.Error(t, err)
			require.Empty(t, tr.requests())
			return
		}
		require.NoError(t, err)
		u := tr.last().URL
		last, ok := strings.CutPrefix(u.EscapedPath(), "/v1/assistants/")
		require.True(t, ok, u)
		require.NotContains(t, last, "/")
		back, err := url.PathUnescape(last)
		require.NoError(t, err)
		require.Equal(t, id, back)
		require.Equal(t, "host.example", u.Host)
		require.Empty(t, u.RawQuery+u.Fragment)
	})
}
