package server_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/server"
)

// Threads need a key like all else.
func TestConversationsNeedAKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithAPIKeys("key"))
	for _, target := range []string{threads, thread1, messages, message1, runs, run1, direct, submit, run1 + "/cancel"} {
		none := a.do("POST", target, "")
		assert.Equal(t, 401, none.status, target)
		assert.Contains(t, none.body, "You didn't provide an API key.", target)
		refusal{target: target, status: 401, headers: []string{"Authorization: Bearer wrong"}, invalidBody: invalidBody{
			message: "Incorrect API key provided: wrong. You can find your API key at https://platform.openai.com/account/api-keys.", code: "invalid_api_key",
		}}.check(t, a)
	}
}

// Each request violates a rule and those that are checked later.
func TestOrderOfChecksOfConversations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, server.WithAPIKeys("key"), server.WithModel(server.NewScripted(server.Otherwise(server.CallFunction("f", "{}")))))
		const key = "Authorization: Bearer key"
		send := func(target, body string) string { return a.do("POST", target, body, key).body }
		send("/v1/assistants", `{"model":"m"}`)
		send(threads, `{"messages":[{"role":"user","content":"x"}]}`)
		send(runs, `{"assistant_id":"asst_1"}`)
		synctest.Wait()
		for i, tc := range []struct{ target, body, want string }{
			{"/v1/threads/x/messages", `{`, "We could not parse"},
			{"/v1/threads/x/messages", `{"role":"human","file_ids":[]}`, "Unknown parameter: 'file_ids'."},
			{"/v1/threads/x/messages", `{"role":"human"}`, "Invalid value: 'human'."},
			{"/v1/threads/x/messages", `{"role":"user","content":"x"}`, "begins with 'thread'"},
			{"/v1/threads/thread_x/messages", `{"role":"user","content":"x"}`, "No thread found"},
			{messages, `{"role":"user","content":"x"}`, "Can't add messages to thread_1 while a run run_1 is active."},
			{"/v1/threads/x/runs", `{"assistant_id":"x"}`, "begins with 'asst'"},
			{"/v1/threads/x/runs", `{"assistant_id":"asst_x"}`, "begins with 'thread'"},
			{"/v1/threads/thread_x/runs", `{"assistant_id":"asst_x"}`, "No thread found"},
			{runs, `{"assistant_id":"asst_x"}`, "No assistant found"},
			{runs, `{"assistant_id":"asst_1"}`, "Thread thread_1 already has an active run run_1."},
			{"/v1/threads/x/runs/x/submit_tool_outputs", `{}`, "Missing required parameter: 'tool_outputs'."},
			{"/v1/threads/x/runs/x/submit_tool_outputs", `{"tool_outputs":[]}`, "begins with 'thread'"},
			{"/v1/threads/thread_x/runs/x/submit_tool_outputs", `{"tool_outputs":[]}`, "begins with 'run'"},
			{"/v1/threads/thread_x/runs/run_x/submit_tool_outputs", `{"tool_outputs":[]}`, "No thread found"},
			{runs + "/run_x/submit_tool_outputs", `{"tool_outputs":[]}`, "No run found"},
			{submit, `{"tool_outputs":[]}`, "Expected tool outputs for call_ids ['call_1'], got []"},
			{run1, `{"metadata":1}`, "Invalid type for 'metadata'"},
			{run1, `{}`, "Cannot update run with status 'requires_action'."},
		} {
			assert.Contains(t, send(tc.target, tc.body), tc.want, i)
		}
	})
}

// inEveryStatus makes a run in each status that lasts. The keys are the statuses, the values addresses. The caller is
// in a bubble.
func inEveryStatus(t *testing.T) (*api, map[string]string) {
	t.Helper()
	release := make(chan struct{})
	stubborn := func(context.Context, *server.ModelCall, func(server.ModelEvent, error) bool) bool {
		<-release
		return true
	}
	a := newAPI(t, server.WithMaxConcurrentCalls(2), server.WithModel(server.NewScripted(
		server.When(server.Asked("wait"), server.Until(release)),
		server.When(server.Asked("stubborn"), stubborn),
		server.When(server.Asked("call"), server.CallFunction("f", `{"a":1}`), server.CallFunction("g", "{}")),
		server.When(server.Asked("fail"), server.Fail("server_error", "No.")),
		server.When(server.Asked("cut"), server.Yield(server.Text("x"), server.Finish(server.FinishLength))),
		server.Otherwise(server.Say("Hi.")),
	)))
	t.Cleanup(func() { close(release) })
	body := `{"assistant_id":"` + a.create(`{"model":"m"}`) + `"}`
	on := map[string]string{"expired": a.begin(a.thread("call"), body)}
	a.clock.move(10 * time.Minute)
	for _, one := range []struct{ status, said string }{
		{"requires_action", "call"}, {"cancelled", "call"}, {"failed", "fail"}, {"incomplete", "cut"}, {"completed", "Hello"},
		{"in_progress", "wait"}, {"cancelling", "stubborn"}, {"queued", "behind those two"},
	} {
		on[one.status] = a.begin(a.thread(one.said), body)
	}
	a.ok("POST", on["cancelled"]+"/cancel", "")
	a.ok("POST", on["cancelling"]+"/cancel", "")
	for status, run := range on {
		assert.Equal(t, status, a.status(run))
	}
	return a, on
}

var activeStatuses = map[string]bool{"queued": true, "in_progress": true, "requires_action": true, "cancelling": true}

// What a run can be asked to do depends on its status, and so does what can be done with its thread.
func TestRefusalsByStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, on := inEveryStatus(t)
		for status, run := range on {
			thread, id, _ := strings.Cut(run, "/runs/")
			threadID := strings.TrimPrefix(thread, "/v1/threads/")
			refused := func(path, body, message string) {
				t.Helper()
				a.refuses("POST", path, body, 400, envelope(message, requestError, "", ""))
			}
			if activeStatuses[status] {
				refused(thread+"/messages", `{"role":"user","content":"x"}`, "Can't add messages to "+threadID+" while a run "+id+" is active.")
				refused(thread+"/runs", `{"assistant_id":"asst_1"}`, "Thread "+threadID+" already has an active run "+id+".")
				refused(run, `{"metadata":{"k":"v"}}`, "Cannot update run with status '"+status+"'.")
			} else {
				a.ok("POST", thread+"/messages", `{"role":"user","content":"x"}`)
				assert.Equal(t, map[string]string{"k": "v"}, field[map[string]string](t, a.ok("POST", run, `{"metadata":{"k":"v"}}`), "metadata"))
			}
			if !activeStatuses[status] || status == "cancelling" {
				refused(run+"/cancel", "", "Cannot cancel run with status '"+status+"'.")
			}
			if status != "requires_action" {
				refused(run+"/submit_tool_outputs", `{"tool_outputs":[]}`, `Runs in status "`+status+`" do not accept tool outputs.`)
			}
			assert.Equal(t, status, a.status(run))
		}
	})
}

func TestRefusedOutputs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, on := inEveryStatus(t)
		run := on["requires_action"]
		before := a.ok("GET", run, "")
		required := field[struct {
			Outputs struct {
				Calls []struct{ ID string } `json:"tool_calls"`
			} `json:"submit_tool_outputs"`
		}](t, before, "required_action").Outputs.Calls
		one, two := required[0].ID, required[1].ID
		output := func(id string) string { return `{"tool_call_id":` + quoted(id) + `,"output":"x"}` }
		want := "Expected tool outputs for call_ids ['" + one + "', '" + two + "'], got "
		for outputs, message := range map[string]string{
			``:                                   want + "[]",
			output(one):                          want + "['" + one + "']",
			`{}`:                                 want + "['']",
			output(one) + `,{}`:                  want + "['" + one + "', '']",
			output(two) + "," + output("call_x"): want + "['" + two + "', 'call_x']",
			output(one) + "," + output(two) + "," + output(`a'b\`): want + "['" + one + "', '" + two + `', "a'b\\"]`,
			output(one) + "," + output(one):                        "Duplicate call_ids submitted: ['" + one + "', '" + one + "']",
			output(one) + "," + output(two) + "," + output(two):    "Duplicate call_ids submitted: ['" + one + "', '" + two + "', '" + two + "']",
			output("call_x") + "," + output("call_x"):              "Duplicate call_ids submitted: ['call_x', 'call_x']",
		} {
			a.refuses("POST", run+"/submit_tool_outputs", `{"tool_outputs":[`+outputs+`]}`, 400, envelope(message, requestError, "", ""))
			a.refuses("POST", run+"/submit_tool_outputs", `{"stream":true,"tool_outputs":[`+outputs+`]}`, 400, envelope(message, requestError, "", ""))
		}
		assert.Equal(t, before, a.ok("GET", run, ""), "a refusal changes nothing")
		assert.Equal(t, "queued", field[string](t, a.ok("POST", run+"/submit_tool_outputs",
			`{"tool_outputs":[`+output(two)+`,{"tool_call_id":"`+one+`"}]}`), "status"))
	})
}

func TestRunOnNothing(t *testing.T) {
	t.Parallel()
	store := newLedger()
	a := newAPI(t, server.WithStore(store))
	a.uploads(1)
	mute, told := a.create(`{"model":"m"}`), a.create(`{"model":"m","instructions":"Speak."}`)
	thread := a.thread()
	nothing := envelope("Run creation requires a Thread with a user message or an assistant with instructions.", requestError, "", "invalid_thread")
	before := store.counts()
	for target, body := range map[string]string{
		thread + "/runs": `{"assistant_id":"` + mute + `","instructions":"","additional_messages":[{"role":"assistant","content":"x",
			"attachments":[{"file_id":"file_1","tools":[{"type":"file_search"}]}]}]}`,
		direct: `{"assistant_id":"` + mute + `","thread":{"messages":[{"role":"assistant","content":"x"}],
			"tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file_1"]}]}}}}`,
	} {
		a.refuses("POST", target, body, 400, nothing)
		a.refuses("POST", target, strings.Replace(body, "{", `{"stream":true,`, 1), 400, nothing)
	}
	assert.Equal(t, before, store.counts(), "a refused run leaves nothing")
	assert.JSONEq(t, `{"code_interpreter":{"file_ids":[]}}`, string(field[json.RawMessage](t, a.ok("GET", thread, ""), "tool_resources")))

	for _, body := range []string{
		`{"assistant_id":"` + told + `"}`, `{"assistant_id":"` + mute + `","instructions":"Speak."}`,
		`{"assistant_id":"` + mute + `","additional_instructions":"Speak."}`,
		`{"assistant_id":"` + mute + `","additional_messages":[{"role":"user","content":"x"}]}`,
	} {
		a.ok("POST", a.thread()+"/runs", body)
	}
}
