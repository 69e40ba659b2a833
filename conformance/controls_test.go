package conformance

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A control is an exchange that the description does or does not allow.
type control struct {
	name           string
	method, target string
	body           string
	status         int
	answer         string
	form           bool   // the body is one
	found          string // a part of the first problem; "" if there is none
}

const (
	goodAssistant = `{"id":"asst_1","object":"assistant","created_at":1,"name":null,"description":null,"model":"m",` +
		`"instructions":null,"tools":[],"metadata":{}}`
	goodPage = `{"object":"list","data":[` + goodAssistant + `],"first_id":"asst_1","last_id":"asst_1","has_more":false}`
)

// field is a field of a form with the boundary x.
func field(disposition, content string) string {
	return "--x\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n"
}

// formControl is the upload of a file, as a form that may have more fields.
func formControl(name, more, found string) control {
	return control{
		name: "form: " + name, method: "POST", target: "/files", form: true, found: found,
		body:   field(`name="file"; filename="a.txt"`, "text") + more + "--x--\r\n",
		answer: `{"id":"file-1","object":"file","bytes":4,"created_at":1,"filename":"a.txt","purpose":"assistants","status":"processed"}`,
	}
}

// controls show that the judge finds what is wrong, and nothing else.
var controls = []control{
	{name: "good", found: ""},
	{name: "unknown address", method: "GET", target: "/assistant", found: "no matching operation"},
	{name: "no such method", method: "PUT", target: "/assistants/asst_1", found: "PUT: no matching operation"},
	{name: "no model", body: `{}`, found: "request /model"},
	{name: "unknown key", body: `{"model":"m","modell":"m"}`, found: "modell"},
	{name: "wrong type", body: `{"model":"m","name":1}`, found: "request /name"},
	{name: "string too long", body: `{"model":"m","name":"` + strings.Repeat("x", 257) + `"}`, found: "request /name"},
	{name: "number too large", body: `{"model":"m","temperature":2.5}`, found: "request /temperature"},
	{name: "unknown tool", body: `{"model":"m","tools":[{"type":"retrieval"}]}`, found: "request /tools/0"},
	{name: "too many files", body: `{"model":"m","tool_resources":{"code_interpreter":{"file_ids":[` +
		strings.Repeat(`"f",`, 20) + `"f"]}}}`, found: "request /tool_resources"},
	{name: "unknown response format", body: `{"model":"m","response_format":"text"}`, found: "request /response_format"},
	{name: "unknown effort", body: `{"model":"m","reasoning_effort":"huge"}`, found: "request /reasoning_effort"},
	{name: "unknown order", method: "GET", target: "/assistants?order=up", answer: goodPage, found: "request order"},
	{name: "limit in words", method: "GET", target: "/assistants?limit=ten", answer: goodPage, found: "request limit"},
	{name: "unknown parameter", method: "GET", target: "/assistants?page=2", answer: goodPage, found: `no parameter "page"`},
	{name: "body where there is none", method: "DELETE", target: "/assistants/asst_1", body: `{}`,
		answer: `{"id":"asst_1","object":"assistant.deleted","deleted":true}`, found: "request body not allowed"},
	{name: "answer without a key", answer: strings.Replace(goodAssistant, `"name":null,`, "", 1), found: "answer /name"},
	{name: "answer with a wrong type", answer: strings.Replace(goodAssistant, `:1,`, `:"1",`, 1), found: "answer /created_at"},
	{name: "answer of another object", answer: strings.Replace(goodAssistant, `"assistant"`, `"thread"`, 1), found: "answer /object"},
	{name: "wrong item", method: "GET", target: "/assistants", answer: strings.Replace(goodPage, `"model":"m",`, "", 1), found: "answer /data/0/model"},
	{name: "error", status: 400, answer: `{"error":{"message":"m","type":"t","param":null,"code":null}}`, found: ""},
	{name: "error without a type", status: 400, answer: `{"error":{"message":"m","param":null,"code":null}}`, found: "answer /error/type"},
	{name: "error without its envelope", status: 404, answer: `{"message":"m"}`, found: "answer /error"},
	formControl("good", field(`name="purpose"`, "assistants"), ""),
	formControl("expiring", field(`name="purpose"`, "vision")+field(`name="expires_after[anchor]"`, "created_at")+
		field(`name="expires_after[seconds]"`, "3600"), ""),
	formControl("no purpose", "", "purpose"),
	formControl("unknown purpose", field(`name="purpose"`, "fun"), "request /purpose"),
	formControl("unknown field", field(`name="purpose"`, "assistants")+field(`name="more"`, "1"), "more"),
	formControl("expiring too soon", field(`name="purpose"`, "vision")+field(`name="expires_after[anchor]"`, "created_at")+
		field(`name="expires_after[seconds]"`, "1"), "expires_after[seconds]"),
	{name: "error that is no JSON", status: 502, answer: `<html>`, found: "invalid character"},
}

const goodRun = `{"id":"run_1","object":"thread.run","created_at":1,"assistant_id":"asst_1","thread_id":"thread_1",` +
	`"status":"queued","started_at":null,"expires_at":601,"cancelled_at":null,"failed_at":null,"completed_at":null,` +
	`"required_action":null,"last_error":null,"model":"m","instructions":"i","tools":[],"metadata":{},"temperature":1.0,` +
	`"top_p":1.0,"max_completion_tokens":null,"max_prompt_tokens":null,"truncation_strategy":{"type":"auto","last_messages":null},` +
	`"incomplete_details":null,"usage":null,"response_format":"auto","tool_choice":"auto","parallel_tool_calls":true}`

// streamControls are streams that the description does or does not allow, with a part of the first problem.
var streamControls = []struct{ name, stream, found string }{
	{"good", "event: thread.run.created\ndata: " + goodRun + "\n\nevent: done\ndata: [DONE]\n\n", ""},
	{"error", "event: error\ndata: {\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":null,\"code\":null}}\n\n", ""},
	{"unknown event", "event: thread.run.begun\ndata: " + goodRun + "\n\n", "no such event"},
	{"other object", "event: thread.created\ndata: " + goodRun + "\n\n", "event thread.created /"},
	{"wrong status", "event: thread.run.created\ndata: " + strings.Replace(goodRun, "queued", "new", 1) + "\n\n", "event thread.run.created /status"},
	{"second event", "event: thread.run.created\ndata: " + goodRun + "\n\nevent: thread.run.queued\ndata: " +
		strings.Replace(goodRun, `"model":"m",`, "", 1) + "\n\n", "event thread.run.queued /model"},
	{"no JSON", "event: thread.run.created\ndata: {\n\n", "event thread.run.created"},
	{"wrong end", "event: done\ndata: {}\n\n", "no such event"},
	{"error of another form", "event: error\ndata: {\"message\":\"m\"}\n\n", "event error /error"},
}

func TestJudgeFindsWhatIsWrongInStreams(t *testing.T) {
	t.Parallel()
	d := loadDescription(t)
	for _, c := range streamControls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var found judged
			d.stream(&found, []byte(c.stream))
			if c.found == "" {
				assert.Empty(t, found.problems)
				return
			}
			require.NotEmpty(t, found.problems)
			assert.Contains(t, found.problems[0].String(), c.found)
		})
	}
}

func TestJudgeFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	d := loadDescription(t)
	for _, c := range controls {
		if c.method == "" {
			c.method, c.target = "POST", "/assistants"
			if c.body == "" {
				c.body = `{"model":"m"}`
			}
		}
		if c.answer == "" {
			c.answer = goodAssistant
		}
		if c.status == 0 {
			c.status = http.StatusOK
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequest(c.method, d.base()+c.target, nil)
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/json")
			if c.form {
				r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			}
			answer := &http.Response{
				StatusCode: c.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("")),
			}
			problems := d.exchange(r, []byte(c.body), answer, []byte(c.answer)).problems
			if c.found == "" {
				assert.Empty(t, problems)
				return
			}
			require.NotEmpty(t, problems)
			assert.Contains(t, problems[0].String(), c.found)
		})
	}
}
