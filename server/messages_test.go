package server_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// userMessage is the document of a user's first message on thread_1 with this content.
func userMessage(content string) string {
	return at(`{"id":"msg_1","object":"thread.message","created_at":NOW,"assistant_id":null,"thread_id":"thread_1","run_id":null,` +
		`"status":"completed","incomplete_details":null,"incomplete_at":null,"completed_at":NOW,"role":"user","content":` + content +
		`,"attachments":[],"metadata":{}}`)
}

func TestMessageContent(t *testing.T) {
	t.Parallel()
	text := func(value string) string { return `{"type":"text","text":{"value":` + value + `,"annotations":[]}}` }
	for given, answered := range map[string]string{
		`"Hello"`:                       `[` + text(`"Hello"`) + `]`,
		`""`:                            `[` + text(`""`) + `]`,
		`[{"type":"text","text":"Hi"}]`: `[` + text(`"Hi"`) + `]`,
		`[{"text":"\u00e9\/<&>\u2028","type":"text"}]`:                 `[` + text(`"é/<&>\u2028"`) + `]`,
		`"\u0000\ud83d\ude00\ud800"`:                                   `[` + text(`"\u0000😀`+"\uFFFD"+`"`) + `]`,
		`[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]`: `[{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"auto"}}]`,
		`[{"type":"image_url","image_url":{"detail":"low","url":"u"}},{"type":"text","text":"a"},
		  {"image_file":{"detail":null,"file_id":"f"},"type":"image_file"},{"type":"text","text":"b"}]`: `[{"type":"image_url","image_url":{"url":"u","detail":"low"}},` +
			text(`"a"`) + `,{"type":"image_file","image_file":{"file_id":"f","detail":"auto"}},` + text(`"b"`) + `]`,
		`[{"type":"image_file","image_file":{"file_id":"f","detail":"high"}}]`: `[{"type":"image_file","image_file":{"file_id":"f","detail":"high"}}]`,
	} {
		a := newAPI(t, server.WithStore(holding(t, "f")))
		a.ok("POST", "/v1/threads", "")
		created := a.ok("POST", messages, `{"role":"user","content":`+given+`}`)
		assert.Equal(t, userMessage(answered), created)
		assert.Equal(t, created, a.ok("GET", message1, ""))
	}
}

// All that is on its limit is taken.
func TestLargestMessages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	thread := a.thread()
	for _, body := range []string{
		`{"role":"user","content":"` + long(256_000) + `"}`,
		`{"role":"assistant","content":[` + items(512, `{"type":"text","text":""}`) + `],"metadata":{` + pairs(16) + `}}`,
		`{"role":"user","content":"x","metadata":{"` + long(64) + `":"` + long(512) + `"},"attachments":null}`,
	} {
		a.ok("POST", thread+"/messages", body)
	}
}

func TestModifyMessage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	thread := a.thread("Hello")
	message := thread + "/messages/msg_1"
	before := a.ok("GET", message, "")
	a.clock.move(time.Hour)
	assert.Equal(t, strings.Replace(before, `"metadata":{}`, `"metadata":{"a":"1"}`, 1), a.ok("POST", message, `{"metadata":{"a":"1"}}`))
	assert.Equal(t, strings.Replace(before, `"metadata":{}`, `"metadata":{"b":"2"}`, 1), a.ok("POST", message, `{"metadata":{"b":"2"}}`))
	assert.Equal(t, strings.Replace(before, `"metadata":{}`, `"metadata":{"b":"2"}`, 1), a.ok("POST", message, ``))
	assert.Equal(t, before, a.ok("POST", message, `{"metadata":null}`))
	assert.Equal(t, before, a.ok("GET", message, ""))
}

func TestDeleteMessage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	thread := a.thread("one", "two", "three")
	assert.Equal(t, `{"id":"msg_2","object":"thread.message.deleted","deleted":true}`, a.ok("DELETE", thread+"/messages/msg_2", ""))
	gone := envelope("No message found with id 'msg_2'.", requestError, "", "")
	for _, method := range []string{"GET", "POST", "DELETE"} {
		a.refuses(method, thread+"/messages/msg_2", "", 404, gone)
	}
	assert.Equal(t, []string{"msg_3", "msg_1"}, a.ids(thread+"/messages"))
	assert.Equal(t, []string{"msg_3"}, a.ids(thread+"/messages?order=asc&after=msg_2"), "a cursor outlives its message")
	assert.Equal(t, []string{"msg_1"}, a.ids(thread+"/messages?order=asc&before=msg_2"))
	a.refuses("GET", a.thread("other")+"/messages/msg_1", "", 404, envelope("No message found with id 'msg_1'.", requestError, "", ""))
}

// pageOf is what a list says about itself.
func (a *api) pageOf(target string) string {
	a.t.Helper()
	body := a.ok("GET", target, "")
	return fmt.Sprint(a.ids(target), " ", field[bool](a.t, body, "has_more"))
}

// Messages of the same second come in the order in which they were made.
func TestPagesOfMessages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	messages := a.thread("1", "2", "3", "4", "5") + "/messages?"
	for query, want := range map[string]string{
		"":                                 "[msg_5 msg_4 msg_3 msg_2 msg_1] false",
		"limit=2":                          "[msg_5 msg_4] true",
		"limit=2&order=asc":                "[msg_1 msg_2] true",
		"limit=2&after=msg_4":              "[msg_3 msg_2] true",
		"limit=3&after=msg_4":              "[msg_3 msg_2 msg_1] false",
		"limit=2&before=msg_1":             "[msg_3 msg_2] true",
		"limit=4&before=msg_1":             "[msg_5 msg_4 msg_3 msg_2] false",
		"order=asc&limit=2&before=msg_4":   "[msg_2 msg_3] true",
		"after=msg_1":                      "[] false",
		"before=msg_5":                     "[] false",
		"after=msg_5&before=msg_2":         "[msg_4 msg_3] false",
		"after=msg_5&before=msg_1&limit=1": "[msg_4] true",
	} {
		assert.Equal(t, want, a.pageOf(messages+query), query)
	}
}

// A filter goes on behind the pages that hold nothing for it, in both directions.
func TestMessagesOfARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, server.WithModel(server.NewScripted(server.Otherwise(
			server.Say("a"), server.RunCode("1", ""), server.Say("b"), server.RunCode("2", ""), server.Say("c")))))
		body := `{"assistant_id":"` + a.create(`{"model":"m"}`) + `"}`
		many := strings.Split(strings.Repeat("x", 120), "")
		thread := a.thread(many...) // msg_1 to msg_120
		a.begin(thread, body)       // msg_121 to msg_123
		for range 120 {
			a.ok("POST", thread+"/messages", `{"role":"user","content":"run_1"}`) // msg_124 to msg_243
		}
		a.begin(thread, body) // msg_244 to msg_246
		for query, want := range map[string]string{
			"run_id=run_1":                                   "[msg_123 msg_122 msg_121] false",
			"run_id=run_2&order=asc":                         "[msg_244 msg_245 msg_246] false",
			"run_id=run_1&limit=2":                           "[msg_123 msg_122] true",
			"run_id=run_1&limit=2&order=asc":                 "[msg_121 msg_122] true",
			"run_id=run_1&limit=1&after=msg_122":             "[msg_121] false",
			"run_id=run_1&limit=1&before=msg_121":            "[msg_122] true",
			"run_id=run_1&limit=2&before=msg_121":            "[msg_123 msg_122] false",
			"run_id=run_1&before=msg_1":                      "[msg_123 msg_122 msg_121] false",
			"run_id=run_1&after=msg_246&before=msg_122":      "[msg_123] false",
			"run_id=run_1&order=asc&before=msg_200&limit=2":  "[msg_122 msg_123] true",
			"run_id=run_1&after=msg_121":                     "[] false",
			"run_id=run_3":                                   "[] false",
			"run_id=null":                                    "[] false",
			"run_id=%22":                                     "[] false",
			"run_id=&limit=1":                                "[msg_246] true",
			"run_id=run_2&limit=100&order=asc&after=msg_123": "[msg_244 msg_245 msg_246] false",
		} {
			assert.Equal(t, want, a.pageOf(thread+"/messages?"+query), query)
		}
	})
}

// Half an answer is there for all who ask while the model is still writing, and what is done to it then is not lost.
func TestMessageThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		more := make(chan struct{})
		a := newAPI(t, server.WithModel(server.NewScripted(server.Otherwise(server.Say("Half an"), server.Until(more), server.Say(" answer")))))
		assistant, thread := a.create(`{"model":"m"}`), a.thread("Hello")
		a.begin(thread, `{"assistant_id":"`+assistant+`"}`)
		message := thread + "/messages/msg_2"
		document := func(status, completed, text, labels string) string {
			return at(`{"id":"msg_2","object":"thread.message","created_at":NOW,"assistant_id":"asst_1","thread_id":"thread_1","run_id":"run_1",` +
				`"status":"` + status + `","incomplete_details":null,"incomplete_at":null,"completed_at":` + completed + `,"role":"assistant",` +
				`"content":[{"type":"text","text":{"value":"` + text + `","annotations":[]}}],"attachments":[],"metadata":` + labels + `}`)
		}
		half := document("in_progress", "null", "Half an", "{}")
		assert.Equal(t, half, a.ok("GET", message, ""))
		assert.Contains(t, a.ok("GET", thread+"/messages", ""), half)
		assert.Contains(t, a.ok("GET", thread+"/messages?run_id=run_1", ""), half)
		assert.Equal(t, document("in_progress", "null", "Half an", `{"k":"v"}`), a.ok("POST", message, `{"metadata":{"k":"v"}}`))
		assert.Equal(t, document("in_progress", "null", "Half an", `{"k":"v"}`), a.ok("GET", message, ""))
		close(more)
		synctest.Wait()
		assert.Equal(t, document("completed", "NOW", "Half an answer", `{"k":"v"}`), a.ok("GET", message, ""))
	})
}

// The message that a run is writing may be deleted. The run goes on, and nothing of the message comes back.
func TestDeleteMessageThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		more, store := make(chan struct{}), newLedger()
		a := newAPI(t, server.WithStore(store), server.WithModel(server.NewScripted(
			server.When(server.Submitted(""), server.Say("Done")),
			server.Otherwise(server.Say("Half"), server.Until(more), server.Say(" more"), server.CallFunction("f", "{}")))))
		assistant, thread := a.create(`{"model":"m"}`), a.thread("Hello")
		stream := a.later(t.Context(), thread+"/runs", `{"assistant_id":"`+assistant+`","stream":true}`)
		synctest.Wait()
		a.ok("DELETE", thread+"/messages/msg_2", "")
		gone := envelope("No message found with id 'msg_2'.", requestError, "", "")
		a.refuses("GET", thread+"/messages/msg_2", "", 404, gone)
		close(more)
		assert.Contains(t, events(whole(t, stream).body), "thread.message.completed", "a stream shows it to its end")
		a.ok("POST", thread+"/runs/run_1/submit_tool_outputs", `{"tool_outputs":[{"tool_call_id":"call_1"}]}`)
		synctest.Wait()
		assert.Equal(t, "completed", a.status(thread+"/runs/run_1"))
		assert.Equal(t, []string{"msg_3", "msg_1"}, a.ids(thread+"/messages"))
		a.refuses("GET", thread+"/messages/msg_2", "", 404, gone)
		assert.Equal(t, 2, store.counts()["thread.message"])
	})
}

// What was there before the run may be deleted as well.
func TestDeleteMessageUnderARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, server.WithModel(server.NewScripted(server.Otherwise(server.Wait(time.Second), server.Say("Hi.")))))
		assistant, thread := a.create(`{"model":"m"}`), a.thread("Hello")
		run := a.begin(thread, `{"assistant_id":"`+assistant+`"}`)
		a.ok("DELETE", thread+"/messages/msg_1", "")
		<-time.After(2 * time.Second)
		assert.Equal(t, "completed", a.status(run))
		assert.Equal(t, []string{"msg_2"}, a.ids(thread+"/messages"))
	})
}

// Of more messages than a thread may have, the oldest fall away, whoever adds the new ones.
func TestOldestMessagesFallAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newLedger()
		a := newAPI(t, server.WithStore(store))
		a.server.LimitThreadMessages(4)
		assistant, thread := a.create(`{"model":"m"}`), a.thread("1", "2", "3", "4")
		say := func() { a.ok("POST", thread+"/messages", `{"role":"user","content":"x"}`) }
		say()
		assert.Equal(t, []string{"msg_5", "msg_4", "msg_3", "msg_2"}, a.ids(thread+"/messages"))
		a.ok("DELETE", thread+"/messages/msg_3", "")
		say()
		assert.Equal(t, []string{"msg_6", "msg_5", "msg_4", "msg_2"}, a.ids(thread+"/messages"))
		a.begin(thread, `{"assistant_id":"`+assistant+`","additional_messages":[`+items(2, `{"role":"user","content":"x"}`)+`]}`)
		assert.Equal(t, []string{"msg_9", "msg_8", "msg_7", "msg_6"}, a.ids(thread+"/messages"))
		assert.Equal(t, 4, store.counts()["thread.message"])
		say()
		assert.Equal(t, []string{"msg_10", "msg_9", "msg_8", "msg_7"}, a.ids(thread+"/messages"))
		require.Len(t, a.ids(thread+"/messages?after=msg_10"), 3)
	})
}

// A store that fails in the middle leaves no half of a message or a run behind, nor what their attachments have done.
func TestMessageThatCannotBeCounted(t *testing.T) {
	t.Parallel()
	held := newLedger()
	store := &stuckStore{Store: held, left: math.MaxInt}
	a := newAPI(t, server.WithStore(store))
	a.uploads(1)
	a.create(`{"model":"m"}`)
	thread := a.thread("Hello")
	before, counts := a.ok("GET", thread, ""), held.counts()
	message := attaching(`[{"file_id":"file_1","tools":[{"type":"file_search"},{"type":"code_interpreter"}]}]`)
	for target, body := range map[string]string{"/messages": message, "/runs": `{"assistant_id":"asst_1","additional_messages":[` + message + `]}`} {
		for left := range 2 { // the resources, then the number of messages
			store.left = left
			got := a.do("POST", thread+target, body)
			store.left = math.MaxInt
			assert.Equal(t, 500, got.status)
			assert.Equal(t, counts, held.counts())
			assert.Equal(t, before, a.ok("GET", thread, ""))
		}
	}
	a.ok("POST", thread+"/messages", message)
}

// stuckStore fails to update a thread, once, when so many updates have passed.
type stuckStore struct {
	server.Store
	left int
}

func (s *stuckStore) Update(ctx context.Context, c server.Collection, id string, change func(server.Record) (server.Record, error)) (server.Record, error) {
	if c.Kind == "thread" {
		if s.left--; s.left == -1 {
			return server.Record{}, assert.AnError
		}
	}
	return s.Store.Update(ctx, c, id, change)
}
