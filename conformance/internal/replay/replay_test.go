package replay

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// These tests hold the replay itself against a small made-up scenario: as it stands nothing may be found, and every
// change to it must be.

func assistant(id, rest string) string {
	return `{"id":"` + id + `","object":"assistant","created_at":1700000001,` + rest + `}`
}

const (
	created = `"name":"a","description":null,"model":"gpt-4o","instructions":null,` +
		`"tools":[{"type":"file_search","file_search":{"max_num_results":3,"ranking_options":` +
		`{"ranker":"default_2024_08_21","score_threshold":0.0,"hybrid_search":null}}}],"top_p":1.0,"temperature":0.5,` +
		`"reasoning_effort":null,"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]}},"metadata":{},"response_format":"auto"`
	plain = `"name":null,"description":null,"model":"gpt-4o","instructions":null,"tools":[],"top_p":1.0,"temperature":1.0,` +
		`"reasoning_effort":null,"tool_resources":{},"metadata":{"k":"v"},"response_format":"auto"`
	old = `"name":null,"description":null,"model":"gpt-4","instructions":null,"tools":[],"file_ids":[],"metadata":{}`
)

func exchange(method, path, query, body string, status int, answer string) *recording.Exchange {
	e := &recording.Exchange{
		Scenario: "made up", Beta: "v2", Method: method, Path: "/v1/assistants" + path, Query: query, Status: status,
		RequestHeaders:  map[string]string{"openai-beta": "assistants=v2"},
		ResponseHeaders: map[string]string{"content-type": "application/json"},
		ResponseText:    answer,
	}
	if body != "" {
		e.RequestBody = json.RawMessage(body)
		e.RequestHeaders["content-type"] = "application/json"
	}
	return e
}

// scenario is one exchange of every kind. The last assistant of the list and what is retrieved were there before.
func scenario() []*recording.Exchange {
	wrongKey := exchange("GET", "/asst_9", "", "", 401, `{"error":{"message":"Incorrect API key provided: sk-wrong. `+
		`You can find your API key at https://platform.openai.com/account/api-keys.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`)
	unknownModel := exchange("POST", "", "", `{"model":"gpt-0"}`, 400, `{"error":{"message":"The requested model 'gpt-0' does not exist.",`+
		`"type":"invalid_request_error","param":"model","code":"model_not_found"}}`)
	redirect := exchange("POST", "/", "", `{"name":"b"}`, 307, "")
	redirect.ResponseHeaders = nil
	v1 := exchange("GET", "/asst_8", "", "", 200, assistant("asst_8", old))
	v1.Beta, v1.RequestHeaders["openai-beta"] = "v1", "assistants=v1"
	exchanges := []*recording.Exchange{
		exchange("GET", "", "order=desc&limit=2", "", 200, `{"object":"list","data":[`+assistant("asst_1", created)+`,`+
			assistant("asst_0", plain)+`],"first_id":"asst_1","last_id":"asst_0","has_more":true}`),
		exchange("POST", "", "", `{"model":"gpt-4o","name":"a","temperature":0.5,"tools":[{"type":"file_search","file_search":{"max_num_results":3}}],`+
			`"tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file-1"]}]}}}`, 200, assistant("asst_1", created)),
		exchange("GET", "/asst_0", "", "", 200, assistant("asst_0", plain)),
		exchange("POST", "/asst_0", "", `{"metadata":{"k":"v"}}`, 200, assistant("asst_0", plain)),
		exchange("DELETE", "/asst_0", "", "", 200, `{"id":"asst_0","object":"assistant.deleted","deleted":true}`),
		wrongKey, unknownModel, redirect, v1,
		{Scenario: "made up", Method: "GET", Path: "/v1/engines", Status: 200},
	}
	for i, e := range exchanges {
		e.Seq = i
	}
	return exchanges
}

func TestNothingIsFoundWhereNothingIsWrong(t *testing.T) {
	t.Parallel()
	counts, failures := File(recording.File{Name: "made up", Exchanges: scenario()})
	for _, f := range failures {
		t.Errorf("%v", f)
	}
	assert.Equal(t, "recordings: 10 exchanges, 9 requests equal, 9 responses equal, 0 streams equal, "+
		"9 server answers equal, 0 not served, 0 failed, 1 unsupported", counts.String())
}

func answer(old, new string) func(*recording.Exchange) {
	return func(e *recording.Exchange) { e.ResponseText = strings.Replace(e.ResponseText, old, new, 1) }
}

func body(old, new string) func(*recording.Exchange) {
	return func(e *recording.Exchange) {
		e.RequestBody = json.RawMessage(strings.Replace(string(e.RequestBody), old, new, 1))
	}
}

// changes are to one exchange of the scenario each, with a part of what has to be found; "" for nothing.
var changes = []struct {
	name   string
	seq    int
	change func(*recording.Exchange)
	found  string
}{
	{"query", 0, func(e *recording.Exchange) { e.Query = "order=desc&limit=2&page=1" }, `the parameters have no field for "page"`},
	{"limit", 0, func(e *recording.Exchange) { e.Query = "order=desc&limit=1" }, "server: data: got"},
	{"order", 0, func(e *recording.Exchange) { e.Query = "order=asc&limit=2" }, "server: data[0].id"},
	{"has_more", 0, answer(`"has_more":true`, `"has_more":null`), "server: has_more: got false, want null"},
	{"first_id", 0, answer(`"first_id":"asst_1"`, `"first_id":"asst_2"`), `server: first_id: got "asst_1", want "asst_2"`},
	{"key of the page", 0, answer(`"has_more"`, `"next":1,"has_more"`), "client's answer: next: got nothing, want 1"},
	{"text left out", 1, answer(`"name":"a",`, ``), `client's answer: name: got "", want nothing`},
	{"metadata left out", 1, answer(`,"metadata":{}`, ``), "client's answer: metadata: got null, want nothing"},
	{"false that is no default", 1, answer(`"max_num_results":3`, `"new":false,"max_num_results":3`), "client's answer: tools[0].file_search.new: got nothing"},
	{"key of the request", 1, body(`"name"`, `"nam"`), `unknown field "nam"`},
	{"inner key of the request", 1, body(`"max_num_results"`, `"max_results"`), `unknown field "max_results"`},
	{"value of the request", 1, body(`"temperature":0.5`, `"temperature":0.25`), "server: temperature: got 0.25, want 0.5"},
	{"version", 1, func(e *recording.Exchange) { e.RequestHeaders["openai-beta"] = "assistants=v3" }, "client's request: OpenAI-Beta"},
	{"key of the answer", 1, answer(`"name"`, `"title"`), "client's answer: title: got nothing"},
	{"inner key of the answer", 1, answer(`"ranker"`, `"rank"`), "client's answer: tools[0].file_search.ranking_options.rank: got nothing"},
	{"order of keys", 1, answer(`"name":"a","description":null`, `"description":null,"name":"a"`), "server: (document): keys in the order"},
	{"spelling of a number", 1, answer(`"top_p":1.0`, `"top_p":1`), "server: top_p: got 1.0, want 1"},
	{"null", 1, answer(`"metadata":{}`, `"metadata":null`), "server: metadata: got {}, want null"},
	{"empty", 1, answer(`"description":null`, `"description":""`), `server: description: got null, want ""`},
	{"time", 1, answer(`1700000001`, `1700000001.5`), "client's answer: the recorded answer is an error"},
	{"store", 1, answer(`["vs_1"]`, `[]`), "server: tool_resources.file_search.vector_store_ids: got"},
	{"status", 2, func(e *recording.Exchange) { e.Status = 404 }, "server: status: got 200, want 404"},
	{"content type", 2, func(e *recording.Exchange) { e.ResponseHeaders["content-type"] = "text/html" }, "server: Content-Type"},
	{"no JSON", 2, func(e *recording.Exchange) { e.ResponseText = "<html>" }, "client's answer: the recorded answer is an error"},
	{"change", 3, answer(`"k":"v"`, `"k":"w"`), `server: metadata.k: got "v", want "w"`},
	{"deletion", 4, answer(`true`, `1`), "server: deleted: got true, want 1"},
	{"wrong key", 5, answer(`sk-wrong`, `sk-rong`), ""}, // the key that the message shows is the one that is sent
	{"text of a message", 5, answer(`You can`, `You may`), "server: error.message"},
	{"code", 6, answer(`model_not_found`, `no_model`), "server"},
	{"param", 6, answer(`"param":"model"`, `"param":null`), `server: error.param: got "model", want null`},
	{"redirect", 7, func(e *recording.Exchange) { e.Status = 200 }, "server: status: got 307, want 200"},
	{"v1", 8, answer(`"file_ids":[]`, `"file_ids":[],"more":1`), "recorded as v1: more: got nothing, want 1"},
	{"model of v1", 8, answer(`"model":"gpt-4"`, `"model":4`), "client's answer"},
}

func TestEveryChangeIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkChange(t, scenario(), c.seq, c.change, c.found)
		})
	}
}

// checkChange changes one of the exchanges and checks what is found then: nothing, if that is "".
func checkChange(t *testing.T, exchanges []*recording.Exchange, seq int, change func(*recording.Exchange), found string) {
	t.Helper()
	before, err := json.Marshal(exchanges[seq])
	require.NoError(t, err)
	change(exchanges[seq])
	after, err := json.Marshal(exchanges[seq])
	require.NoError(t, err)
	require.NotEqual(t, string(before), string(after), "the change changes nothing")
	_, failures := File(recording.File{Exchanges: exchanges})
	if found == "" {
		assert.Empty(t, failures)
		return
	}
	var all strings.Builder
	for _, f := range failures {
		all.WriteString(f.String() + "\n")
	}
	assert.Contains(t, all.String(), found)
}

func TestWhatWasNotRecordedDoesNotCount(t *testing.T) {
	t.Parallel()
	list, create := scenario()[0], scenario()[1]
	for _, e := range []*recording.Exchange{list, create} {
		e.RequestNotRecorded, e.RequestHeaders, e.RequestBody, e.Query = true, nil, nil, ""
	}
	list.ResponseText = strings.Replace(list.ResponseText, `"has_more":true`, `"has_more":false`, 1)
	counts, failures := File(recording.File{Exchanges: []*recording.Exchange{list, create}})
	assert.Empty(t, failures)
	counts.Passed = nil
	assert.Equal(t, Counts{Exchanges: 2, Answers: 2, ServerAnswers: 1}, counts)
}

// A client that loses these would have lost them before the comparison, so no recording can show it.
func TestNothingIsLostFromAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ recorded, written string }{
		{`{"has_more":false}`, `{}`},
		{`{"deleted":false}`, `{}`},
		{`{"strict":false}`, `{}`},
		{`{"name":null}`, `{}`},
		{`{}`, `{"name":""}`},
		{`{}`, `{"first_id":""}`},
		{`{}`, `{"tools":[{"reasoning_effort":""}]}`},
		{`{"tools":[{"function":{"strict":true}}]}`, `{"tools":[{"function":{}}]}`},
	} {
		assert.NotEmpty(t, make(Passed).compare([]byte(c.recorded), []byte(c.written), assistantRules), "%s as %s", c.recorded, c.written)
	}
	assert.Empty(t, make(Passed).compare([]byte(`{"data":[{"tools":[{"function":{"strict":false}}]}]}`),
		[]byte(`{"data":[{"tools":[{"function":{}}]}]}`), assistantRules))
}

func TestFieldsAreReadOneByOne(t *testing.T) {
	t.Parallel()
	swapped := &assistants.Assistant{Name: "description", Description: "name"}
	fields := byField(swapped).(fields)
	assert.Equal(t, "description", fields["name"])
	for _, c := range []struct {
		zero       any
		omitsZeros int // fields that are left out where they are zero, by tag
	}{
		{&assistants.Assistant{}, 1},
		{&assistants.Thread{}, 0},
		{&assistants.Message{}, 5},
		{&assistants.MessageDelta{}, 0},
		{&assistants.Run{}, 6},
		{&assistants.RunStep{}, 2},
		{&assistants.RunStepDelta{}, 0},
		{&assistants.Deleted{}, 0},
		{&assistants.Page[assistants.Assistant]{}, 0},
		{&assistants.Page[assistants.Message]{}, 0},
		{&assistants.Page[assistants.Run]{}, 0},
		{&assistants.Page[assistants.RunStep]{}, 0},
		{&assistants.File{}, 1},
		{&assistants.Page[assistants.File]{}, 0},
		{&assistants.Upload{}, 1},
		{&assistants.UploadPart{}, 0},
		{&assistants.VectorStore{}, 0},
		{&assistants.VectorStoreSearchResults{}, 0},
		{&assistants.VectorStoreFile{}, 0},
		{&assistants.VectorStoreFileContent{}, 0},
		{&assistants.FileBatch{}, 0},
		{&assistants.AssistantFile{}, 0},
		{&assistants.MessageFile{}, 0},
	} {
		typ := reflect.TypeOf(c.zero).Elem()
		written := make(map[string]any)
		data, err := json.Marshal(c.zero)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &written))
		assert.Len(t, byField(c.zero), typ.NumField()-c.omitsZeros, "%v: every field is read", typ)
		assert.Len(t, written, typ.NumField()-c.omitsZeros, "%v", typ)
	}
	assert.Len(t, runByField(&assistants.Run{
		ToolResources: new(assistants.ToolResources), ReasoningEffort: "low", MaxPromptTokens: 1, MaxCompletionTokens: 1,
		ParallelToolCalls: new(bool), FileIDs: []string{},
	}), reflect.TypeFor[assistants.Run]().NumField())
	assert.Len(t, messageByField(&assistants.Message{
		Status: "s", IncompleteDetails: new(assistants.MessageIncompleteDetails), CompletedAt: 1, IncompleteAt: 1, FileIDs: []string{},
	}), reflect.TypeFor[assistants.Message]().NumField())
	assert.Len(t, stepByField(&assistants.RunStep{ExpiredAt: 1, Metadata: assistants.Metadata{}}), reflect.TypeFor[assistants.RunStep]().NumField())
	assert.Len(t, fileByField(&assistants.File{StatusDetails: "s"}), reflect.TypeFor[assistants.File]().NumField())
	assert.Len(t, uploadByField(&assistants.Upload{File: new(assistants.File)}), reflect.TypeFor[assistants.Upload]().NumField())
	assert.Len(t, countsByField(assistants.FileCounts{}), reflect.TypeFor[assistants.FileCounts]().NumField())
	assert.Len(t, assistantByField(&assistants.Assistant{FileIDs: []string{}}), reflect.TypeFor[assistants.Assistant]().NumField())
}

// What v1 had and v2 has not cannot be compared with anything recorded; the refusal still has to be the right one.
func TestV1WithoutAFormInV2DoesNotCount(t *testing.T) {
	t.Parallel()
	exchanges := scenario()
	v1 := exchanges[8]
	v1.ResponseText = strings.Replace(v1.ResponseText, `"file_ids":[]`, `"file_ids":["file-1"]`, 1)
	counts, failures := File(recording.File{Exchanges: []*recording.Exchange{v1}})
	assert.Empty(t, failures)
	counts.Passed = nil
	assert.Equal(t, Counts{Exchanges: 1, Requests: 1, Answers: 1}, counts)

	refusesNothing := &stage{cast: new(cast), handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(v1.ResponseText))
	})}
	op, _ := Find(v1.Method, v1.Path)
	got := refusesNothing.check(op, v1)
	assert.False(t, got.compared)
	assert.Contains(t, strings.Join(got.found, "\n"), "recorded as v1: status: got 200, want 400")
}

func TestFindTellsOperationsApart(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		"GET /v1/assistants":                            "listAssistants",
		"POST /v1/assistants":                           "createAssistant",
		"POST /v1/assistants/":                          slashOperation,
		"POST /v1/assistants/asst_1":                    "modifyAssistant",
		"GET /v1/assistants/":                           "",
		"PUT /v1/assistants/asst_1":                     "",
		"GET /v1/assistants/asst_1/files":               "listAssistantFiles",
		"GET /v1/files/file-1":                          "retrieveFile",
		"GET /v1/files/file-1/content":                  "downloadFile",
		"GET /v1/files/file-1/contents":                 "",
		"POST /v1/vector_stores/vs_1/files/file-1":      "updateVectorStoreFileAttributes",
		"POST /v1/vector_stores/vs_1/file_batches/b":    "",
		"GET /v1/threads":                               "",
		"POST /v1/threads/runs":                         "createThreadAndRun",
		"POST /v1/threads/thread_1":                     "modifyThread",
		"GET /v1/threads/thread_1/messages":             "listMessages",
		"GET /v1/threads/thread_1/messages/msg_1/files": "listMessageFiles",
		"GET /v1/threads/thread_1/runs":                 "listRuns",
		"GET /v1/threads/thread_1/runs/":                slashOperation,
		"GET /v1/threads/thread_1/runs/run_1":           "getRun",
		"GET /v1/threads/thread_1/runs/run_1/steps/s_1": "getRunStep",
		"GET /assistants":                               "",
	} {
		method, path, _ := strings.Cut(request, " ")
		op, ids := Find(method, path)
		if want == "" {
			assert.Nil(t, op, request)
		} else if assert.NotNil(t, op, request) {
			assert.Equal(t, want, op.ID)
			assert.Len(t, ids, strings.Count(op.Path, "{"))
		}
	}
}

func TestPlaceholdersForKeys(t *testing.T) {
	t.Parallel()
	message := func(key string) string {
		return `{"error":{"message":"Incorrect API key provided: ` + key + `. You can find it."}}`
	}
	masked := message("<OPENAI_*********KEN>")
	assert.Empty(t, make(Passed).compare([]byte(message("<OPENAI_ACCESS_TOKEN>")), []byte(masked), serverRules))
	assert.NotEmpty(t, make(Passed).compare([]byte(message("sk-OPENAI_ACCESS_TOKEN")), []byte(masked), serverRules))
}

// What is marked as not served is no excuse for a wrong answer: the server must have no such address at all.
func TestServedIsWhatTheServerHas(t *testing.T) {
	t.Parallel()
	handler := server.New()
	for _, op := range Operations {
		path := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(op.Path, "id_1")
		r := httptest.NewRequest(op.Method, "/v1"+path, nil)
		r.Header.Set("OpenAI-Beta", "assistants=v2")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		unknown := strings.Contains(answer.Body.String(), "Invalid URL")
		assert.Equal(t, op.Served, !unknown, "%s %s: %d %s", op.Method, op.Path, answer.Code, answer.Body)
	}
}
