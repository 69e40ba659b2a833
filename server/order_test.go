package server_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// In which order requests are checked, and in which order a conversation is told.

// An id of the address that cannot be one comes behind the body, and before include, other parameters, and whether
// there is what the address names. Of several such ids, the first counts.
func TestOrderOfIDs(t *testing.T) {
	t.Parallel()
	const malformed, wrong = "We could not parse", "Unknown parameter: 'x'."
	a := newAPI(t)
	a.create(`{"model":"m"}`)
	for _, test := range []struct {
		method, address string // with placeholders for ids
		body            string // that is right
		include, list   bool   // what queries are looked at
	}{
		{"GET", "/v1/assistants/{asst}", "", false, false},
		{"POST", "/v1/assistants/{asst}", `{}`, false, false},
		{"DELETE", "/v1/assistants/{asst}", "", false, false},
		{"GET", "/v1/threads/{thread}", "", false, false},
		{"POST", "/v1/threads/{thread}", `{}`, false, false},
		{"DELETE", "/v1/threads/{thread}", "", false, false},
		{"GET", "/v1/threads/{thread}/messages", "", false, true},
		{"POST", "/v1/threads/{thread}/messages", `{"role":"user","content":"x"}`, false, false},
		{"GET", "/v1/threads/{thread}/messages/{msg}", "", false, false},
		{"POST", "/v1/threads/{thread}/messages/{msg}", `{}`, false, false},
		{"DELETE", "/v1/threads/{thread}/messages/{msg}", "", false, false},
		{"GET", "/v1/threads/{thread}/runs", "", false, true},
		{"POST", "/v1/threads/{thread}/runs", `{"assistant_id":"asst_9"}`, true, false},
		{"GET", "/v1/threads/{thread}/runs/{run}", "", false, false},
		{"POST", "/v1/threads/{thread}/runs/{run}", `{}`, false, false},
		{"POST", "/v1/threads/{thread}/runs/{run}/cancel", ``, false, false},
		{"POST", "/v1/threads/{thread}/runs/{run}/submit_tool_outputs", `{"tool_outputs":[]}`, true, false},
		{"GET", "/v1/threads/{thread}/runs/{run}/steps", "", true, true},
		{"GET", "/v1/threads/{thread}/runs/{run}/steps/{step}", "", true, false},
	} {
		ids := placeholders(test.address)
		query := ""
		if test.include || test.list {
			query = "?include[]=x&limit=0"
		}
		says := func(address, body, want string) {
			t.Helper()
			assert.Contains(t, a.do(test.method, address, body).body, want, "%s %s", test.method, address)
		}
		for i, id := range ids { // this one and those behind it are bad
			bad := filled(test.address, ids[:i]) + query
			if test.method == "POST" {
				says(bad, `{`, malformed)
				says(bad, `{"x":1}`, wrong)
			}
			says(bad, test.body, "'bad'. Expected an ID that begins with '"+id+"'.")
		}
		good := filled(test.address, ids)
		if test.include {
			says(good+"?include[]=x", test.body, "Invalid value: 'x'. Value must be 'step_details")
		}
		if test.list {
			says(good+"?limit=0", test.body, "Invalid 'limit'")
		}
		kind := map[string]string{"asst": "assistant", "thread": "thread"}[ids[0]]
		says(good, test.body, "No "+kind+" found with id '"+ids[0]+"_9'.")
	}
}

// placeholders returns the prefixes of the ids that an address wants.
func placeholders(address string) []string {
	var ids []string
	for element := range strings.SplitSeq(address, "/") {
		if strings.HasPrefix(element, "{") {
			ids = append(ids, strings.Trim(element, "{}"))
		}
	}
	return ids
}

// filled puts ids into an address: such as nothing has for these prefixes, and bad ones for all others.
func filled(address string, good []string) string {
	for _, id := range good {
		address = strings.Replace(address, "{"+id+"}", id+"_9", 1)
	}
	for _, id := range placeholders(address) {
		address = strings.Replace(address, "{"+id+"}", "bad", 1)
	}
	return address
}

// A clock that goes back does not turn a conversation around: what comes later is no older, in lists and for the
// model.
func TestClockThatGoesBackInAConversation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		model := overhear()
		a := newAPI(t, server.WithModel(model))
		assistant := a.create(`{"model":"m"}`)
		thread := a.thread("first")
		say := func(text string) { a.ok("POST", thread+"/messages", `{"role":"user","content":"`+text+`"}`) }
		run := func(more string) { a.begin(thread, `{"assistant_id":"`+assistant+`"`+more+`}`) }

		a.clock.move(-5 * time.Second)
		say("second")
		run("")
		require.Equal(t, []string{"user: first", "user: second"}, said(model.last(t)))
		a.clock.move(-5 * time.Second)
		run(`,"additional_messages":[{"role":"user","content":"third"},{"role":"user","content":"fourth"}]`)
		a.clock.move(time.Second)
		say("fifth")
		a.clock.move(time.Minute)
		run("") // whose message is the latest by far
		a.clock.move(-time.Hour)
		say("sixth")
		run("")
		want := []string{
			"user: first", "user: second", "assistant: Hi.", "user: third", "user: fourth", "assistant: Hi.",
			"user: fifth", "assistant: Hi.", "user: sixth",
		}
		require.Equal(t, want, said(model.last(t)))

		page := field[[]messageSeen](t, a.ok("GET", thread+"/messages?order=asc", ""), "data")
		require.Len(t, page, len(want)+1)
		latest := int64(0)
		for i, m := range page {
			assert.GreaterOrEqual(t, m.CreatedAt, latest, "%d", i)
			assert.GreaterOrEqual(t, m.CompletedAt, m.CreatedAt, "%d", i)
			latest = m.CreatedAt
		}
		a.clock.move(2 * time.Hour)
		say("seventh")
		page = field[[]messageSeen](t, a.ok("GET", thread+"/messages?limit=1", ""), "data")
		require.Equal(t, a.clock.Now().Unix(), page[0].CreatedAt, "the clock counts again")
	})
}

// Within one request too, and for the first messages of a thread.
func TestClockThatGoesBackWithinARequest(t *testing.T) {
	t.Parallel()
	model := overhear()
	c := &clock{now: time.Unix(epoch, 0)}
	a := newAPI(t, server.WithModel(model), server.WithClock(func() time.Time {
		c.move(-time.Second)
		return c.Now()
	}))
	a.create(`{"model":"m","instructions":"x"}`)
	thread := a.thread("1", "2", "3")
	a.ok("POST", thread+"/messages", `{"role":"user","content":"4"}`)
	a.ok("POST", thread+"/runs", streaming(
		`{"assistant_id":"asst_1","additional_messages":[{"role":"user","content":"5"},{"role":"user","content":"6"}]}`))
	require.Equal(t, []string{"user: 1", "user: 2", "user: 3", "user: 4", "user: 5", "user: 6"}, said(model.last(t)))
}
