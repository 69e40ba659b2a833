package server_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// particular is a model that refuses the code interpreter, knows no model "gone", and lists what it is given.
type particular struct {
	server.Model
	list   []server.ModelInfo
	failed error
}

func (particular) Check(model string, tools []assistants.Tool) error {
	if model == "gone" {
		return server.ErrUnknownModel
	}
	for _, tool := range tools {
		if tool.Type == assistants.ToolCodeInterpreter {
			return errors.New("there is nobody to run code")
		}
	}
	return nil
}

func (p particular) Models(context.Context) ([]server.ModelInfo, error) { return p.list, p.failed }

// What a model cannot do is refused wherever it could be asked for, in its words, and what it can do is not.
func TestChecker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, particular{Model: server.StandIn()})
		const code = `"tools":[{"type":"code_interpreter"}]`
		run := func(more string) string { return `{"assistant_id":"` + c.assistant + `",` + more + `}` }
		for target, bodies := range map[string]func(string) string{
			"/v1/assistants":                func(more string) string { return `{"model":"m",` + more + `}` },
			"/v1/assistants/" + c.assistant: func(more string) string { return `{` + more + `}` },
			c.runsOf(c.thread):              run,
			"/v1/threads/runs":              run,
		} {
			refused := c.do("POST", target, bodies(code))
			assert.Equal(t, 400, refused.status, target)
			assert.JSONEq(t, `{"error":{"message":"Invalid 'tools': there is nobody to run code.","type":"invalid_request_error","param":"tools","code":null}}`,
				refused.body, target)
			if target != "/v1/assistants" {
				refused = c.do("POST", target, bodies(`"model":"gone"`))
				assert.Equal(t, 400, refused.status, target)
				assert.Contains(t, refused.body, `"The requested model 'gone' does not exist."`, target)
				assert.Contains(t, refused.body, `"model_not_found"`, target)
			}
		}
		assert.Equal(t, 400, c.do("POST", "/v1/assistants", `{"model":"gone"}`).status)
		assert.NotContains(t, c.ok("GET", "/v1/assistants/"+c.assistant, ""), "code_interpreter", "nothing has changed")
		c.ok("POST", "/v1/assistants/"+c.assistant, `{"tools":[{"type":"file_search"}]}`)
		assert.Equal(t, "completed", c.finished("").Status)
	})
}

// An assistant that was made for another model stays, and its runs are refused.
func TestCheckerOfAnotherDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := server.NewMemoryStore()
		before := newConvo(t, server.StandIn(), server.WithStore(store))
		before.mayUse(`{"type":"code_interpreter"}`, "")
		after := newConvo(t, particular{Model: server.StandIn()}, server.WithStore(store), server.WithIDSource(before.freshID))
		target := "/v1/assistants/" + before.assistant
		after.ok("GET", target, "")
		refused := after.do("POST", after.runsOf(after.thread), `{"assistant_id":"`+before.assistant+`"}`)
		assert.Equal(t, 400, refused.status)
		assert.Equal(t, 400, after.do("POST", target, `{"name":"x"}`).status)
		after.ok("POST", after.runsOf(after.thread), `{"assistant_id":"`+before.assistant+`","tools":[]}`)
		synctest.Wait()
	})
}

func TestModels(t *testing.T) {
	t.Parallel()
	known := []server.ModelInfo{{ID: "a", CreatedAt: 1698984975, OwnedBy: "them"}, {ID: `odd/"one"`}}
	const a, odd = `{"id":"a","object":"model","created":1698984975,"owned_by":"them"}`, `{"id":"odd/\"one\"","object":"model","created":0,"owned_by":"system"}`
	for name, test := range map[string]struct {
		model server.Model
		opts  []server.Option
		want  string // "": an error
		log   string
	}{
		"of the model":           {particular{server.StandIn(), known, nil}, nil, a + "," + odd, ""},
		"of the operator":        {particular{server.StandIn(), known, nil}, []server.Option{server.WithModelNames("m", "b")}, `{"id":"b","object":"model","created":0,"owned_by":"system"},{"id":"m","object":"model","created":0,"owned_by":"system"}`, ""},
		"unknown":                {server.StandIn(), nil, " ", ""},
		"none":                   {particular{server.StandIn(), nil, nil}, nil, " ", ""},
		"as far as can be known": {particular{server.StandIn(), known[:1], errors.New("half is missing")}, nil, a, "half is missing"},
		"failed":                 {particular{server.StandIn(), nil, errors.New("it is away")}, nil, "", "it is away"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, test.model, append([]server.Option{server.WithModelNames()}, test.opts...)...)
			got := c.do("GET", "/v1/models", "", "OpenAI-Beta", "")
			if test.want == "" {
				assert.Equal(t, 500, got.status)
				assert.NotContains(t, got.body, "away")
			} else {
				require.Equal(t, 200, got.status, got.body)
				assert.JSONEq(t, `{"object":"list","data":[`+test.want+`]}`, got.body)
			}
			assert.Contains(t, c.log.String(), test.log)
		})
	}
	c := newConvo(t, particular{server.StandIn(), known, nil})
	assert.JSONEq(t, a, c.ok("GET", "/v1/models/a", ""))
	assert.JSONEq(t, odd, c.ok("GET", "/v1/models/odd%2F%22one%22", ""))
	gone := c.do("GET", "/v1/models/b", "")
	assert.Equal(t, 404, gone.status)
	assert.JSONEq(t, `{"error":{"message":"The model 'b' does not exist","type":"invalid_request_error","param":"model","code":"model_not_found"}}`, gone.body)
	assert.Equal(t, 405, c.do("DELETE", "/v1/models/a", "").status)
}
