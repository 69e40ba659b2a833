package main

import (
	"net/http"
	"net/http/httptest"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/assistants-go/assistants"
)

// A connection is a handler of this process and those who use it: over the loopback interface, all with the same
// http.Client, and without a network.
type connection struct {
	handler   http.Handler
	listening *httptest.Server
	ours      *assistants.Client
	inProcess *assistants.Client
	openAIGo  openai.Client
}

func connect(h http.Handler) (*connection, error) {
	c := &connection{handler: h, listening: httptest.NewServer(h)}
	c.listening.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = smallAtOnce // net/http keeps two
	c.openAIGo = openai.NewClient(option.WithBaseURL(c.url("/")), option.WithAPIKey("key"), option.WithHTTPClient(c.listening.Client()))
	var err error
	c.ours, err = assistants.NewClient(assistants.WithBaseURL(c.url("")), assistants.WithAPIKey("key"),
		assistants.WithHTTPClient(c.listening.Client()))
	if err == nil {
		c.inProcess, err = assistants.NewClient(assistants.WithHandler(h))
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *connection) url(path string) string { return c.listening.URL + "/v1" + path }

func (c *connection) close() { c.listening.Close() }

// floor returns the floor over the loopback interface.
func (c *connection) floor() *floor { return &floor{base: c.url(""), do: c.listening.Client().Do} }

// floorInProcess returns the floor that calls the handler itself.
func (c *connection) floorInProcess() *floor {
	return &floor{base: c.url(""), do: func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		return w.Result(), nil
	}}
}
