package server_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/server"
)

// at puts the time of the test clock into a document.
func at(document string) string { return strings.ReplaceAll(document, "NOW", "1700000000") }

func TestCreateThread(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithStore(holding(t, "file-a", "file-b", "vs_x")))
	for i, body := range []string{"", " \n", "{}", `{"messages":[],"metadata":null,"tool_resources":null}`, `{"messages":null}`} {
		id := "thread_" + string(rune('1'+i))
		assert.Equal(t, at(`{"id":"`+id+`","object":"thread","created_at":NOW,"metadata":{},"tool_resources":{}}`),
			a.ok("POST", "/v1/threads", body), body)
	}
	assert.Equal(t, at(`{"id":"thread_1","object":"thread","created_at":NOW,"metadata":{},`+
		`"tool_resources":{"code_interpreter":{"file_ids":[]}}}`), a.ok("GET", "/v1/threads/thread_1", ""))

	created := a.ok("POST", "/v1/threads", `{"tool_resources":{"file_search":{"vector_store_ids":["vs_x"]},`+
		`"code_interpreter":{"file_ids":["file-b","file-a"]}},"metadata":{"b":"1","a":"\u00e9"}}`)
	assert.Equal(t, at(`{"id":"thread_6","object":"thread","created_at":NOW,"metadata":{"b":"1","a":"é"},"tool_resources":`+
		`{"code_interpreter":{"file_ids":["file-b","file-a"]},"file_search":{"vector_store_ids":["vs_x"]}}}`), created)
	assert.Equal(t, created, a.ok("GET", "/v1/threads/thread_6", ""))
}

func TestCreateThreadWithMessages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ok("POST", "/v1/threads", `{"messages":[{"role":"user","content":"one"},{"role":"assistant","content":"two","metadata":{"n":"2"}},
		{"role":"user","content":[{"type":"text","text":"three"}]}]}`)
	const rest = `,"thread_id":"thread_1","run_id":null,"status":"completed","incomplete_details":null,"incomplete_at":null,"completed_at":NOW,`
	assert.Equal(t, at(`{"object":"list","data":[`+
		`{"id":"msg_1","object":"thread.message","created_at":NOW,"assistant_id":null`+rest+
		`"role":"user","content":[{"type":"text","text":{"value":"one","annotations":[]}}],"attachments":[],"metadata":{}},`+
		`{"id":"msg_2","object":"thread.message","created_at":NOW,"assistant_id":null`+rest+
		`"role":"assistant","content":[{"type":"text","text":{"value":"two","annotations":[]}}],"attachments":[],"metadata":{"n":"2"}},`+
		`{"id":"msg_3","object":"thread.message","created_at":NOW,"assistant_id":null`+rest+
		`"role":"user","content":[{"type":"text","text":{"value":"three","annotations":[]}}],"attachments":[],"metadata":{}}`+
		`],"first_id":"msg_1","last_id":"msg_3","has_more":false}`), a.ok("GET", "/v1/threads/thread_1/messages?order=asc", ""))
}

func TestThreadWithVectorStoreHelper(t *testing.T) {
	t.Parallel()
	store := newLedger()
	a := newAPI(t, server.WithStore(store))
	a.uploads(2)
	body := a.ok("POST", "/v1/threads", `{"tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file_1","file_2"],`+
		`"metadata":{"k":"v"}}]}}}`)
	assert.Equal(t, at(`{"id":"thread_1","object":"thread","created_at":NOW,"metadata":{},`+
		`"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]}}}`), body)
	assert.Equal(t, map[string]int{"thread": 1, "vector_store": 1, "vector_store.file": 2, "file": 2, "file.use": 2}, store.counts())
}

// Whatever of a request cannot be done, nothing is left of the rest.
func TestRefusedThreadLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"vector_store", "vector_store.file", "thread.message", "thread"} {
		held := newLedger()
		a := newAPI(t, server.WithStore(&hookStore{Store: held, insert: func(c server.Collection) error {
			if c.Kind == kind {
				return assert.AnError
			}
			return nil
		}}))
		a.uploads(1)
		got := a.do("POST", "/v1/threads", `{"messages":[{"role":"user","content":"x","attachments":[{"file_id":"file_1","tools":[{"type":"file_search"}]}]}]}`)
		assert.Equal(t, 500, got.status, kind)
		assert.Equal(t, map[string]int{"file": 1}, held.counts(), kind)
	}
}

func TestModifyThread(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithStore(holding(t, "f", "vs_9")))
	thread := "/v1/threads/" + a.made("/v1/threads", `{"metadata":{"a":"1"},"tool_resources":{"code_interpreter":{"file_ids":["f"]}}}`)
	a.clock.move(time.Hour)
	for _, tc := range []struct{ body, metadata, resources string }{
		{``, `{"a":"1"}`, `{"code_interpreter":{"file_ids":["f"]}}`},
		{`{"metadata":{"b":"2"}}`, `{"b":"2"}`, `{"code_interpreter":{"file_ids":["f"]}}`},
		{`{"tool_resources":{"file_search":{"vector_store_ids":["vs_9"]}}}`, `{"b":"2"}`,
			`{"code_interpreter":{"file_ids":["f"]},"file_search":{"vector_store_ids":["vs_9"]}}`},
		{`{"tool_resources":{"code_interpreter":{"file_ids":[]}}}`, `{"b":"2"}`,
			`{"code_interpreter":{"file_ids":[]},"file_search":{"vector_store_ids":["vs_9"]}}`},
		{`{"metadata":null,"tool_resources":null}`, `{}`, `{}`},
	} {
		assert.Equal(t, at(`{"id":"thread_1","object":"thread","created_at":NOW,"metadata":`+tc.metadata+`,"tool_resources":`+tc.resources+`}`),
			a.ok("POST", thread, tc.body), tc.body)
	}
	a.refuses("POST", thread, `{"tool_resources":{"file_search":{"vector_stores":[]}}}`, 400, envelope(
		"Unknown parameter: 'tool_resources.file_search.vector_stores'.", requestError, "tool_resources.file_search.vector_stores", "unknown_parameter"))
}

func TestDeleteThread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newLedger()
		a := newAPI(t, server.WithStore(store))
		assistant := a.create(`{"model":"m"}`)
		other, thread := a.thread("stays"), a.thread("goes")
		run := a.begin(thread, `{"assistant_id":"`+assistant+`"}`)
		assert.Equal(t, map[string]int{"assistant": 1, "thread": 2, "thread.message": 3, "thread.run": 1, "thread.run.step": 1}, store.counts())

		assert.Equal(t, `{"id":"thread_2","object":"thread.deleted","deleted":true}`, a.ok("DELETE", thread, ""))
		assert.Equal(t, map[string]int{"assistant": 1, "thread": 1, "thread.message": 1}, store.counts())
		none := envelope("No thread found with id 'thread_2'.", requestError, "", "")
		for _, request := range []string{
			"GET ", "POST ", "DELETE ", "GET /messages", "GET /messages/msg_2", "POST /messages/msg_2", "DELETE /messages/msg_2",
			"GET /runs", "GET /runs/run_1", "POST /runs/run_1", "POST /runs/run_1/cancel", "GET /runs/run_1/steps", "GET /runs/run_1/steps/step_1",
		} {
			method, path, _ := strings.Cut(request, " ")
			a.refuses(method, thread+path, "", 404, none)
		}
		a.refuses("POST", thread+"/messages", `{"role":"user","content":"x"}`, 404, none)
		a.refuses("POST", thread+"/runs", `{"assistant_id":"asst_1"}`, 404, none)
		a.refuses("POST", run+"/submit_tool_outputs", `{"tool_outputs":[]}`, 404, none)
		assert.Len(t, a.ids(other+"/messages"), 1)
	})
}

// A thread that is deleted under an active run takes the run with it; whoever reads its stream is told that it is
// cancelled, and a model that goes on is not listened to.
func TestDeleteThreadUnderARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, release := newLedger(), make(chan struct{})
		stubborn := func(context.Context, *server.ModelCall, func(server.ModelEvent, error) bool) bool {
			<-release
			return true
		}
		a := newAPI(t, server.WithStore(store), server.WithModel(server.NewScripted(
			server.Otherwise(server.Say("One"), stubborn, server.Say(" two")))))
		t.Cleanup(func() { close(release) })
		assistant := a.create(`{"model":"m"}`)
		thread := a.thread("goes")
		stream := a.later(t.Context(), thread+"/runs", `{"assistant_id":"`+assistant+`","stream":true}`)
		synctest.Wait()
		a.ok("DELETE", thread, "")
		got := whole(t, stream)
		assert.Equal(t, []string{
			"thread.run.created", "thread.run.queued", "thread.run.in_progress", "thread.run.step.created", "thread.run.step.in_progress",
			"thread.message.created", "thread.message.in_progress", "thread.message.delta",
			"thread.message.incomplete", "thread.run.step.cancelled", "thread.run.cancelled", "done",
		}, events(got.body))
		assert.Contains(t, got.body, `"incomplete_details":{"reason":"run_cancelled"}`)
		assert.Equal(t, map[string]int{"assistant": 1}, store.counts())
		release <- struct{}{}
		synctest.Wait()
		assert.Equal(t, map[string]int{"assistant": 1}, store.counts())
	})
}

// A run that waits for outputs is at rest in the store and goes with its thread like all else.
func TestDeleteThreadUnderAWaitingRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newLedger()
		a := newAPI(t, server.WithStore(store), server.WithModel(server.NewScripted(server.Otherwise(server.CallFunction("f", "{}")))))
		assistant := a.create(`{"model":"m"}`)
		thread := a.thread("goes")
		run := a.begin(thread, `{"assistant_id":"`+assistant+`"}`)
		assert.Equal(t, "requires_action", a.status(run))
		a.ok("DELETE", thread, "")
		assert.Equal(t, map[string]int{"assistant": 1}, store.counts())
	})
}
