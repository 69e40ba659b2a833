package server_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// The way of a file from an attachment to a citation, and what is left of it when the file is deleted. The run begins
// before the file has been read.
func TestAttachmentsAreFound(t *testing.T) {
	t.Parallel()
	const both = `[{"file_id":"file_1","tools":` + toSearch + `},{"file_id":"file_2","tools":` + toCode + `},{"file_id":"file_1","tools":` + toSearch + `}]`
	asking := strings.Replace(attaching(both), `"x"`, `"How many days?"`, 1)
	run := func(c *convo, thread, more string) string {
		return c.ok("POST", c.runsOf(thread), `{"assistant_id":"`+c.assistant+`"`+more+`}`)
	}
	for name, begin := range map[string]func(c *convo) (run string){
		"a message": func(c *convo) string {
			thread := c.made("/v1/threads", `{}`)
			c.ok("POST", "/v1/threads/"+thread+"/messages", asking)
			return run(c, thread, "")
		},
		"a new thread": func(c *convo) string { return run(c, c.made("/v1/threads", `{"messages":[`+asking+`]}`), "") },
		"additional messages": func(c *convo) string {
			return run(c, c.made("/v1/threads", `{}`), `,"additional_messages":[`+asking+`]`)
		},
		"thread and run": func(c *convo) string {
			return c.ok("POST", direct, `{"assistant_id":"`+c.assistant+`","thread":{"messages":[`+asking+`]}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gate := newGate()
				var listed []string
				c := newConvo(t, server.NewScripted(server.Otherwise(
					server.Do(func(call *server.ModelCall) {
						if listed = nil; call.ToolResources.CodeInterpreter != nil {
							listed = call.ToolResources.CodeInterpreter.FileIDs
						}
					}),
					server.SearchFiles(), server.Say("It is so "), server.CiteResult(0))), server.WithExtractor(gate))
				c.mayUse(searchTool, "")
				c.upload("leave.md", "There are thirty days of leave.")
				c.upload("data.csv", "a,b\n")
				body := begin(c)
				c.thread = field[string](t, body, "thread_id")
				first := field[string](t, body, "id")
				pass(30 * time.Second)
				require.Equal(t, "in_progress", c.run(c.thread, first).Status, "it waits for the file")
				close(gate.open)
				synctest.Wait()
				require.Equal(t, "completed", c.run(c.thread, first).Status, c.log)

				assert.JSONEq(t, `{"code_interpreter":{"file_ids":["file_2"]},"file_search":{"vector_store_ids":["vs_1"]}}`,
					string(field[json.RawMessage](t, c.ok("GET", "/v1/threads/"+c.thread, ""), "tool_resources")))
				assert.Equal(t, []string{"file_2"}, listed)
				store := c.seeStore(stores + "/vs_1")
				assert.Equal(t, [5]int{0, 1, 0, 0, 1}, store.counts(), "once, though it was attached twice")
				require.NotNil(t, store.ExpiresAt)
				assert.Equal(t, store.LastActiveAt+7*24*60*60, *store.ExpiresAt)

				told := c.messages(c.thread)
				m := told[len(told)-1]
				assert.Equal(t, "It is so 【4:0†leave.md】", m.text(t))
				assert.Equal(t, []mark{{"【4:0†leave.md】", 9, 23, "file_1"}}, marksIn(t, m.text(t), m.Content))
				found := string(c.steps(c.thread, first)[0].StepDetails.ToolCalls)
				assert.Contains(t, found, `"file_id":"file_1"`)

				c.ok("DELETE", "/v1/files/file_1", "")
				c.ok("DELETE", "/v1/files/file_2", "")
				c.ok("POST", "/v1/threads/"+c.thread+"/messages", `{"role":"user","content":"How many days?"}`)
				again := c.finished("")
				require.Equal(t, "completed", again.Status, c.log)
				assert.Contains(t, string(c.steps(c.thread, again.ID)[0].StepDetails.ToolCalls), `"results":[]`)
				assert.Empty(t, listed)
				assert.Equal(t, [5]int{}, c.seeStore(stores+"/vs_1").counts())

				after := c.messages(c.thread)
				assert.Equal(t, told, after[:len(told)], "history stays as it was")
				assert.Equal(t, "It is so ", after[len(after)-1].text(t))
				assert.Equal(t, found, string(c.steps(c.thread, first)[0].StepDetails.ToolCalls))
				attached := c.ok("GET", "/v1/threads/"+c.thread+"/messages/"+told[0].ID, "")
				assert.JSONEq(t, both, string(field[json.RawMessage](t, attached, "attachments")))
			})
		})
	}
}

// A run does not wait for what will never come, and is gone with its thread and its server.
func TestRunsThatWaitForFilesEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(c *convo, run string) (status string){
		"deleted": func(c *convo, run string) string {
			c.ok("DELETE", "/v1/threads/"+c.thread, "")
			synctest.Wait()
			return "cancelled"
		},
		"without its store": func(c *convo, run string) string {
			c.ok("DELETE", stores+"/vs_1", "")
			synctest.Wait()
			return c.run(c.thread, run).Status
		},
		"without its file": func(c *convo, run string) string {
			c.ok("DELETE", "/v1/files/file_1", "")
			synctest.Wait()
			return c.run(c.thread, run).Status
		},
		"closed": func(c *convo, run string) string {
			require.NoError(c.t, c.server.Close())
			return "cancelled"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConvo(t, searching(), server.WithExtractor(blocking()))
				c.hasStore(c.newStore(c.upload("a.txt", "Hello there.")))
				run := c.begin(c.thread)
				pass(time.Second)
				require.Equal(t, "in_progress", c.run(c.thread, run).Status)
				began := time.Now()
				want := "cancelled"
				if strings.HasPrefix(name, "without") {
					want = "completed"
				}
				assert.Equal(t, want, end(c, run))
				assert.Zero(t, time.Since(began), "at once")
			})
		})
	}
}

// What becomes of runs when the store of their thread, or of their assistant, is gone.
func TestRunsWithStoresThatAreGone(t *testing.T) {
	t.Parallel()
	expire := func(c *convo, store string) {
		c.ok("POST", store, `{"expires_after":{"anchor":"last_active_at","days":1}}`)
		pass(day)
	}
	for name, test := range map[string]struct {
		gone  func(c *convo, ofThread, ofAssistant string)
		tools string
		want  string
	}{
		"all there":                    {func(*convo, string, string) {}, searchTool, "completed"},
		"thread's expired":             {func(c *convo, s, _ string) { expire(c, s) }, searchTool, "failed: server_error: Vector store 'vs_1' has expired"},
		"thread's expired, not wanted": {func(c *convo, s, _ string) { expire(c, s) }, ``, "failed: server_error: Vector store 'vs_1' has expired"},
		"assistant's expired":          {func(c *convo, _, s string) { expire(c, s) }, searchTool, "completed"},
		"thread's deleted":             {func(c *convo, s, _ string) { c.ok("DELETE", s, "") }, searchTool, "completed"},
		"thread has another": {func(c *convo, s, _ string) {
			expire(c, s)
			c.ok("POST", "/v1/threads/"+c.thread, `{"tool_resources":`+searchResources(c.newStore())+`}`)
		}, searchTool, "completed"},
		"thread's expired, and deleted": {func(c *convo, s, _ string) { expire(c, s); c.ok("DELETE", s, "") }, searchTool, "completed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConvo(t, searching())
				ofThread, ofAssistant := c.newStore(), c.newStore()
				c.hasStore(ofThread)
				c.mayUse(test.tools, ofAssistant)
				test.gone(c, ofThread, ofAssistant)
				run := c.finished("")
				got := run.Status
				if run.LastError != nil {
					got += ": " + run.LastError.String()
					assert.Empty(t, c.steps(c.thread, run.ID))
				}
				assert.Equal(t, test.want, got)
			})
		})
	}
}
