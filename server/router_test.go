package server_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// saysName is a model that says its name and what it was asked for.
func saysName(name string) server.Model {
	return server.ModelFunc(func(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		return func(yield func(server.ModelEvent, error) bool) { yield(server.Text(name+" as "+call.Model), nil) }
	})
}

func TestRouter(t *testing.T) {
	t.Parallel()
	router, err := server.NewRouter(
		server.Route{Model: saysName("default")},
		server.Route{Prefix: "gpt-", Model: saysName("gpt")},
		server.Route{Prefix: "gpt-4", Model: saysName("four"), As: "gpt-5"},
		server.Route{Name: "gpt-4-turbo", Model: saysName("turbo"), As: "gpt-4.1"},
		server.Route{Name: "gpt-4o", Model: saysName("omni")},
	)
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, router)
		for model, want := range map[string]string{
			"gpt-4-turbo":   "turbo as gpt-4.1",
			"gpt-4o":        "omni as gpt-4o",
			"gpt-4o-mini":   "four as gpt-5",
			"gpt-3.5-turbo": "gpt as gpt-3.5-turbo",
			"gpt-":          "gpt as gpt-",
			"GPT-4":         "default as GPT-4",
			"llama3":        "default as llama3",
		} {
			c.thread = c.newThread()
			run := c.finished(`{"assistant_id":"` + c.assistant + `","model":"` + model + `"}`)
			require.Equal(t, "completed", run.Status, model)
			assert.Contains(t, c.ok("GET", "/v1/threads/"+c.thread+"/messages", ""), `"value":"`+want+`"`)
			assert.Contains(t, c.ok("GET", c.runsOf(c.thread)+"/"+run.ID, ""), `"model":"`+model+`"`, "the caller sees the name he has used")
		}
	})
}

// Without a default other names are unknown, for assistants that are made, and for those that were.
func TestRouterWithoutDefault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		router, err := server.NewRouter(server.Route{Name: "a", As: "gone", Model: particular{Model: saysName("a")}}, server.Route{Name: "m", Model: saysName("m")},
			server.Route{Prefix: "p", Model: particular{Model: saysName("p")}})
		require.NoError(t, err)
		c := newConvo(t, router)
		assert.Contains(t, c.do("POST", "/v1/assistants", `{"model":"b"}`).body, "model_not_found")
		assert.Contains(t, c.do("POST", "/v1/assistants", `{"model":"a"}`).body, "model_not_found", "what it stands for is unknown to the model itself")
		assert.Contains(t, c.do("POST", "/v1/assistants", `{"model":"p","tools":[{"type":"code_interpreter"}]}`).body, "nobody to run code")
		c.ok("POST", "/v1/assistants", `{"model":"m","tools":[{"type":"code_interpreter"}]}`)
		for event, err := range router.Respond(t.Context(), &server.ModelCall{Model: "b"}) {
			assert.Nil(t, event)
			assert.ErrorContains(t, err, "The requested model 'b' does not exist.")
		}
	})
}

func TestRouterListsModels(t *testing.T) {
	t.Parallel()
	back := func(names ...string) server.Model {
		p := particular{Model: saysName("")}
		for _, name := range names {
			p.list = append(p.list, server.ModelInfo{ID: name, OwnedBy: "them"})
		}
		return p
	}
	router, err := server.NewRouter(
		server.Route{Name: "gpt-4-turbo", As: "gpt-4.1", Model: back("gpt-4.1")},
		server.Route{Prefix: "llama", Model: back("llama3", "mistral", "llama-old")},
		server.Route{Name: "llama-old", Model: saysName("")},
		server.Route{Prefix: "q", As: "qwen", Model: back("q1")},  // all names stand for one
		server.Route{Prefix: "gpt-4", As: "gpt-5", Model: back()}, // which does not lead there
		server.Route{Model: back("gpt-4-turbo", "o3", "llama9")},
	)
	require.NoError(t, err)
	list, err := router.Models(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []server.ModelInfo{{ID: "gpt-4-turbo"}, {ID: "llama-old"}, {ID: "llama3", OwnedBy: "them"}, {ID: "o3", OwnedBy: "them"}, {ID: "qwen"}}, list)

	broken, err := server.NewRouter(server.Route{Name: "a", Model: saysName("")}, server.Route{Model: particular{failed: assert.AnError}})
	require.NoError(t, err)
	list, err = broken.Models(t.Context())
	require.ErrorIs(t, err, assert.AnError)
	assert.Len(t, list, 1)
}

func TestRouterErrors(t *testing.T) {
	t.Parallel()
	m := saysName("")
	for want, routes := range map[string][]server.Route{
		"a router without routes":               nil,
		"route 0: it has no model":              {{Name: "a"}},
		"route 0: it has a name and a prefix":   {{Name: "a", Prefix: "a", Model: m}},
		`route 1: there is another one for "a"`: {{Name: "a", Model: m}, {Name: "a", Model: m}},
		`that begin with "a"`:                   {{Prefix: "a", Model: m}, {Prefix: "a", Model: m}},
		"route 2: there is another default":     {{Model: m}, {Name: "a", Model: m}, {Model: m}},
	} {
		_, err := server.NewRouter(routes...)
		require.ErrorContains(t, err, want)
	}
}

func ExampleNewRouter() {
	live, local := saysName("the provider"), saysName("the machine below the desk")
	router, err := server.NewRouter(
		server.Route{Name: "gpt-4-turbo", As: "gpt-4.1", Model: live}, // which is gone
		server.Route{Prefix: "llama", Model: local},
		server.Route{Model: live},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"gpt-4-turbo", "llama3.3", "gpt-4o"} {
		for event := range router.Respond(context.Background(), &server.ModelCall{Model: name}) {
			fmt.Println(event)
		}
	}
	// Output:
	// the provider as gpt-4.1
	// the machine below the desk as llama3.3
	// the provider as gpt-4o
}
