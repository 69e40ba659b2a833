package assistantstest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
)

// startRun makes an assistant with a function f and a thread with a message, and runs it without waiting.
func startRun(t testing.TB, api *assistantstest.API, question string) *assistants.Run {
	t.Helper()
	f := assistants.Tool{Function: &assistants.FunctionDefinition{Name: "f"}}
	assistant, err := api.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "gpt-4o", Tools: []assistants.Tool{f}})
	require.NoError(t, err)
	run, err := api.Threads.CreateAndRun(t.Context(), asking(assistant.ID, question))
	require.NoError(t, err)
	return run
}

// asking are the parameters of a new thread with a question, and a run of it.
func asking(assistantID, question string) assistants.ThreadCreateAndRunParams {
	return assistants.ThreadCreateAndRunParams{
		AssistantID: assistantID,
		Thread:      assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage(question)}},
	}
}

// finished waits for a run.
func finished(t testing.TB, api *assistantstest.API, run *assistants.Run) *assistants.Run {
	t.Helper()
	run, err := api.Runs.Poll(t.Context(), run.ThreadID, run.ID)
	require.NoError(t, err)
	return run
}

// newestText is what was said last in a thread.
func newestText(t testing.TB, api *assistantstest.API, threadID string) string {
	t.Helper()
	page, err := api.Messages.List(t.Context(), threadID, assistants.MessageListParams{Limit: 1})
	require.NoError(t, err)
	require.Len(t, page.Data, 1)
	return page.Data[0].Text()
}

func TestNew(t *testing.T) {
	t.Parallel()
	api := assistantstest.New(t, nil)
	run := finished(t, api, startRun(t, api, "Hello"))
	assert.Equal(t, "run_1", run.ID)
	assert.Equal(t, assistants.RunCompleted, run.Status)
	assert.Contains(t, newestText(t, api, "thread_1"), "stand-in")
}

// All that goes wrong fails the test, with a text that says what to do.
func TestFailures(t *testing.T) {
	t.Parallel()
	ask := func(question string) func(testing.TB, *assistantstest.API) {
		return func(t testing.TB, api *assistantstest.API) {
			assert.Equal(t, assistants.RunFailed, finished(t, api, startRun(t, api, question)).Status)
		}
	}
	say := func(t testing.TB, api *assistantstest.API) { finished(t, api, startRun(t, api, "Hi")) }
	call := func(method, path string) func(testing.TB, *assistantstest.API) {
		return func(t testing.TB, api *assistantstest.API) {
			assert.Error(t, api.Call(t.Context(), method, path, nil, nil))
		}
	}
	once := func(string) string { return "asst_same" }
	type options = []assistantstest.Option
	faults := func(faults ...assistantstest.Fault) options { return options{assistantstest.WithFaults(faults...)} }
	for _, c := range []struct {
		name  string
		opts  options
		do    func(testing.TB, *assistantstest.API)
		wants []string // of one error each
	}{
		{"no rule for a message", options{assistantstest.WithRules(server.When(server.Asked("bye"), server.Say("Bye.")))}, ask(`Hi`),
			[]string{`no rule answers call 1 of the model in run_1, which is to reply to the message "Hi": add one to WithRules, such as server.When(server.Asked("Hi"), …)`}},
		{"no rule at all", options{assistantstest.WithRules()}, ask("Hi"), []string{
			`no rule answers call 1 of the model in run_1, which is to reply to the message "Hi": add`}},
		{"a rule used up", options{assistantstest.WithRules(server.Otherwise(server.Say("Hi.")).Once())},
			func(t testing.TB, api *assistantstest.API) { say(t, api); ask("again")(t, api) }, []string{`the message "again" (used up: rule 1): add one`}},
		{"rules used up", options{assistantstest.WithRules(server.When(server.Asked("again"), server.Say("Hi.")).Once(),
			server.When(server.Asked("bye"), server.Say("Bye."))), assistantstest.WithRules(server.Otherwise(server.Say("Hi.")).Once())},
			func(t testing.TB, api *assistantstest.API) {
				finished(t, api, startRun(t, api, "again"))
				finished(t, api, startRun(t, api, "again"))
				ask("again")(t, api)
			}, []string{`(used up: rule 1, rule 3)`}},
		{"no rule for an empty thread", options{assistantstest.WithRules()}, func(t testing.TB, api *assistantstest.API) {
			assistant, err := api.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "gpt-4o", Instructions: "Begin."})
			require.NoError(t, err)
			_, err = api.Threads.CreateAndRunPoll(t.Context(), assistants.ThreadCreateAndRunParams{AssistantID: assistant.ID})
			require.NoError(t, err)
		}, []string{`to reply to an empty thread: add one to WithRules, such as server.Otherwise(…)`}},
		{"no rule for outputs", options{assistantstest.WithRules(server.When(server.Asked(""), server.CallFunction("f", "{}")))},
			func(t testing.TB, api *assistantstest.API) {
				run := finished(t, api, startRun(t, api, "Hi"))
				outputs := []assistants.ToolOutput{{ToolCallID: run.FunctionCalls()[0].ID, Output: "1"}}
				_, err := api.Runs.SubmitToolOutputsAndPoll(t.Context(), run.ThreadID, run.ID, assistants.RunSubmitToolOutputsParams{ToolOutputs: outputs})
				assert.NoError(t, err)
			}, []string{`no rule answers call 2 of the model in run_1, which is to reply to the output of f: add one to WithRules, such as server.When(server.Submitted("f"), …)`}},
		{"an unknown address", nil, call("GET", "/assistant"), []string{"GET /assistant was asked for, and the API has no such request"}},
		{"an unknown method", nil, call("PATCH", "/assistants"), []string{"PATCH /assistants was asked for, and the API has no such request"}},
		{"a server that fails", options{assistantstest.WithServer(server.WithIDSource(once))},
			func(t testing.TB, api *assistantstest.API) {
				for range 2 {
					_, _ = api.Assistants.Create(t.Context(), assistants.AssistantCreateParams{Model: "m"})
				}
			}, []string{"POST /assistants was answered with status 500, which no fault asked for"}},
		{"an unexpected request", options{assistantstest.WithExpectedRequests("POST /assistants", "POST /threads/runs", "GET /threads/{thread_id}/runs/{run_id}")},
			func(t testing.TB, api *assistantstest.API) {
				say(t, api)
				newestText(t, api, "thread_1")
				newestText(t, api, "thread_1")
			},
			[]string{"unexpected request: GET /threads/{thread_id}/messages; name it in WithExpectedRequests if it is right"}},
		{"an expected request that never comes", options{assistantstest.WithExpectedRequests("POST /assistants", "POST /threads/runs"), assistantstest.WithExpectedRequests("POST /threads")},
			func(t testing.TB, api *assistantstest.API) { startRun(t, api, "Hi") }, []string{"POST /threads was expected and never sent"}},
		{"a fault that never happens", faults(assistantstest.Fault{On: "POST /threads/runs", Nth: 2, Status: 500},
			assistantstest.Fault{On: "POST /threads", Delay: time.Hour, Reset: true}), say, []string{
			"fault 1 (status 500, request 2 of POST /threads/runs) never happened: the last such request was number 1",
			"fault 2 (delay of 1h0m0s, reset, every request of POST /threads) never happened: there was no such request"}},
		{"a cut behind the end", faults(assistantstest.Fault{CutAfter: 100, On: "POST /threads/runs"}, assistantstest.Fault{CutBytes: 1 << 20, On: "POST /assistants"}), say, []string{
			"fault 1 (cut after 100 events, every request of POST /threads/runs) never happened: the answer was no stream",
			"fault 2 (cut after 1048576 bytes, every request of POST /assistants) never happened: the answer ended before"}},
		{"a pattern that is none", nil, func(t testing.TB, api *assistantstest.API) { api.Requests("/threads") },
			[]string{`Requests: "/threads" is not a method and a path, such as "POST /threads/{thread_id}/runs"`}},
		{"braces that do not match", nil, func(t testing.TB, api *assistantstest.API) { api.Requests("GET /threads/{id") },
			[]string{"Requests: the braces do not match in GET /threads/{id"}},
		{"a kind of no request", nil, func(t testing.TB, api *assistantstest.API) { api.Requests("POST /threads", "POST /thread") },
			[]string{"Requests: the API has no such request: POST /thread"}},
		// Fatal:
		{"expected", options{assistantstest.WithExpectedRequests("threads")}, nil, []string{`WithExpectedRequests: "threads" is not a method and a path`}},
		{"expected elsewhere", options{assistantstest.WithExpectedRequests("GET /asistants")}, nil,
			[]string{"WithExpectedRequests: the API has no such request: GET /asistants"}},
		{"a fault elsewhere", faults(assistantstest.Fault{On: "POST /thread/{id}/runs", Reset: true}), nil,
			[]string{"fault 1: On: the API has no such request: POST /thread/{id}/runs"}},
		{"a fault of another method", faults(assistantstest.Fault{On: "GET /threads", Reset: true}), nil, []string{"no such request: GET /threads"}},
		{"nothing to do", options{assistantstest.WithRules(server.Otherwise()), assistantstest.WithRules(server.Otherwise(server.Say("Hi"), nil))}, nil,
			[]string{"WithRules: action 2 of rule 2 is nil"}},
		{"rules and a model", options{assistantstest.WithRules(), assistantstest.WithModel(server.StandIn())}, nil, []string{"contradict"}},
		{"client", options{assistantstest.WithClient(assistants.WithMaxRetries(-1))}, nil, []string{"the options of WithClient: assistants: WithMaxRetries: -1"}},
		{"client elsewhere", options{assistantstest.WithClient(assistants.WithBaseURL("http://localhost/v1"))}, nil, []string{"the options of WithClient"}},
		{"fault on nothing", faults(assistantstest.Fault{Reset: true}, assistantstest.Fault{On: "threads", Reset: true}), nil, []string{"fault 2: On: "}},
		{"no fault", faults(assistantstest.Fault{}), nil, []string{"fault 1: it does nothing"}},
		{"two faults in one", faults(assistantstest.Fault{Reset: true, CutAfter: 1}), nil, []string{"more than one of"}},
		{"negative", faults(assistantstest.Fault{Reset: true, Nth: -1}), nil, []string{"a number is negative"}},
		{"a fault that is none", faults(assistantstest.Fault{Status: 200}), nil, []string{"status 200 is no error"}},
		{"no status", faults(assistantstest.Fault{Message: "x"}), nil, []string{"and no Status"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			reached := false
			got := inTest(func(t testing.TB) {
				api := assistantstest.New(t, c.opts...)
				reached = true
				if c.do != nil {
					c.do(t, api)
				}
			})
			assert.Equal(t, c.do != nil, reached)
			require.Len(t, got.errors, len(c.wants), got.text())
			for i, want := range c.wants {
				assert.True(t, strings.HasPrefix(got.errors[i], "assistantstest: "), got.errors[i])
				assert.Contains(t, got.errors[i], want)
			}
		})
	}
}

// What never happened is not told to a test that has failed before.
func TestFailedTest(t *testing.T) {
	t.Parallel()
	got := inTest(func(t testing.TB) {
		assistantstest.New(t, assistantstest.WithExpectedRequests("POST /threads"), assistantstest.WithFaults(assistantstest.Fault{Reset: true}))
		t.Fatalf("enough")
	})
	assert.Equal(t, []string{"enough"}, got.errors)
}

func TestRequests(t *testing.T) {
	t.Parallel()
	api := assistantstest.New(t, assistantstest.WithClient(assistants.WithHeader("Authorization", "Bearer for-the-test"), assistants.WithHeader("X-Team", "desk")))
	run := finished(t, api, startRun(t, api, "Hi"))
	newestText(t, api, run.ThreadID)
	_, err := api.Threads.Retrieve(t.Context(), "thread_2")
	require.ErrorIs(t, err, assistants.ErrNotFound)
	_, err = api.Threads.Modify(t.Context(), "thread_1", assistants.ThreadModifyParams{})
	require.NoError(t, err)

	all := api.Requests()
	first := all[0]
	assert.Equal(t, "POST /assistants: 200", first.String())
	assert.JSONEq(t, `{"model":"gpt-4o","tools":[{"type":"function","function":{"name":"f"}}]}`, string(first.Body))
	assert.Equal(t, "desk", first.Header.Get("X-Team"))
	assert.Empty(t, first.Header.Get("Authorization"))
	assert.Empty(t, first.Query)

	lists := api.Requests("GET /v1/threads/{thread_id}/messages")
	require.Len(t, lists, 1)
	assert.Equal(t, "/threads/thread_1/messages", lists[0].Path)
	assert.Equal(t, "1", lists[0].Query.Get("limit"))
	assert.Empty(t, lists[0].Body)

	threads := api.Requests("GET /threads/{thread_id}", "POST /threads/{thread_id}")
	require.Len(t, threads, 2, "POST /threads/runs is not one of them")
	assert.Equal(t, "GET /threads/thread_2: 404", threads[0].String())
	assert.Equal(t, "POST /threads/thread_1: 200", threads[1].String())

	first.Body[0], first.Header["X-Team"][0] = 'x', "other"
	lists[0].Query.Set("limit", "2")
	assert.JSONEq(t, `{"model":"gpt-4o","tools":[{"type":"function","function":{"name":"f"}}]}`, string(api.Requests()[0].Body))
	assert.Equal(t, "desk", api.Requests()[0].Header.Get("X-Team"))
	assert.Equal(t, "1", api.Requests("GET /threads/{thread_id}/messages")[0].Query.Get("limit"))
	assert.Empty(t, api.Requests("DELETE /threads/{thread_id}"))
}

func TestRequestsConcurrently(t *testing.T) {
	t.Parallel()
	api := assistantstest.New(t)
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			_, err := api.Threads.Create(t.Context(), assistants.ThreadCreateParams{})
			assert.NoError(t, err)
			api.Requests("POST /threads")
			api.ModelCalls()
		})
	}
	calls.Wait()
	assert.Len(t, api.Requests("POST /threads"), 20)
}

// A test that has ended is told nothing any more, and nothing is left running, whatever its requests are doing.
func TestEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls sync.WaitGroup
		var client *assistants.Client
		got := inTest(func(ft testing.TB) {
			api := assistantstest.New(ft,
				assistantstest.WithRules(server.When(server.Asked("wait"), server.Say("Well"), server.Wait(time.Hour))),
				assistantstest.WithFaults(assistantstest.Fault{On: "GET /assistants", Delay: 24 * time.Hour}),
				assistantstest.WithClient(assistants.WithTimeout(0)))
			client = api.Client
			run := startRun(ft, api, "wait")
			calls.Go(func() { // a request on its way
				_, err := api.Assistants.List(t.Context(), assistants.ListParams{})
				assert.Error(t, err)
			})
			calls.Go(func() { // a stream at work
				stream, err := api.Threads.CreateAndRunStream(t.Context(), asking("asst_1", "wait"))
				require.NoError(t, err)
				defer stream.Close()
				run, err := stream.Wait()
				assert.NoError(t, err)
				assert.Equal(t, assistants.RunFailed, run.Status)
			})
			synctest.Wait()
			got, err := api.Runs.Retrieve(t.Context(), run.ThreadID, run.ID)
			require.NoError(t, err)
			assert.Equal(t, assistants.RunInProgress, got.Status)
		})
		calls.Wait()
		assert.Empty(t, got.errors)

		_, err := client.Assistants.List(t.Context(), assistants.ListParams{})
		assert.ErrorIs(t, err, assistants.ErrServer, "the server is closed")
		assert.Error(t, client.Call(t.Context(), "GET", "/no/such/address", nil, nil))
		assert.Empty(t, got.late)
	})
}

// Whoever leaves a stream open is told so: somebody would write to it for ever.
func TestOpenStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var left *assistants.Stream
		got := inTest(func(ft testing.TB) {
			api := assistantstest.New(ft, assistantstest.WithRules(server.Otherwise(server.Say("Hello there"))))
			run := startRun(ft, api, "Hi")
			finished(ft, api, run)
			stream, err := api.Runs.Stream(t.Context(), run.ThreadID, assistants.RunCreateParams{AssistantID: run.AssistantID})
			require.NoError(t, err)
			for range stream.Events() {
				break
			}
			left = stream
		})
		require.NoError(t, left.Close())
		require.Len(t, got.errors, 1)
		assert.Contains(t, got.errors[0], "still being answered are:\n\tPOST /threads/thread_1/runs\nA stream that is not read to its end has to be closed")
	})
}

// A server that fails when the test has ended fails no test, and has nothing to log.
func TestLateFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := inTest(func(ft testing.TB) {
			slow := ending{server.NewMemoryStore(), func() {
				<-time.After(time.Minute)
				panic("too late to tell")
			}}
			api := assistantstest.New(ft, assistantstest.WithServer(server.WithStore(slow)))
			go thread(t, api)
			synctest.Wait()
		})
		<-time.After(time.Minute)
		synctest.Wait()
		require.Len(t, got.errors, 1)
		assert.Contains(t, got.errors[0], "still being answered are:\n\tPOST /threads\n")
		assert.Empty(t, got.late)
	})
}

// Others may come over a network, or call the handler.
func TestOtherClients(t *testing.T) {
	t.Parallel()
	api := assistantstest.New(t)
	assert.Equal(t, api.URL(), api.URL())
	client, err := assistants.NewClient(assistants.WithBaseURL(api.URL()), assistants.WithAPIKey("none"))
	require.NoError(t, err)
	defer client.CloseIdleConnections()
	_, err = client.Threads.Create(t.Context(), assistants.ThreadCreateParams{})
	require.NoError(t, err)

	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/api/projects/desk/threads/thread_1", nil))
	assert.Equal(t, http.StatusOK, w.Code)
	require.Len(t, api.Requests(), 2)
	assert.Equal(t, "/threads/thread_1", api.Requests()[1].Path)
}

// A body that breaks off never was a request.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	api := assistantstest.New(t)
	r := httptest.NewRequest("POST", "/v1/threads", io.MultiReader(strings.NewReader("{"), failing{}))
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { api.ServeHTTP(httptest.NewRecorder(), r) })
	assert.Equal(t, "POST /threads: 0", api.Requests()[0].String())
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("gone") }
