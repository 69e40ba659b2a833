package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// A route is a way for text to come from an upstream to a reader.
type route interface {
	// prepare has ready what so many streams need and what is no part of them.
	prepare(ctx context.Context, streams int) error
	// read asks for a stream and has every piece of text heard, up to the end that a stream should have.
	read(ctx context.Context, hear func(text string) error) error
}

// Places in what newRoutes returns.
const (
	floor = iota
	inProcess
	loopback
	routes
)

// names are those of the routes.
func names() [routes]string { return [routes]string{"floor", "in process", "loopback"} }

// newRoutes returns the ways from an upstream of an API: the floor, and an embedded server whose client is in the process, or
// on the other end of a connection.
func newRoutes(ctx context.Context, a *api, url string) (list [routes]route, stop func(), err error) {
	provider, err := assistants.NewClient(assistants.WithBaseURL(url), assistants.WithAPIKey("key"))
	if err != nil {
		return list, nil, err
	}
	s := server.New(server.WithModel(a.model(provider)))
	within, err := assistants.NewClient(assistants.WithHandler(s))
	if err != nil {
		return list, nil, err
	}
	assistant, err := within.Assistants.Create(ctx, assistants.AssistantCreateParams{Model: "m", Instructions: "Answer briefly."})
	if err != nil {
		return list, nil, err
	}
	listening := httptest.NewServer(s)
	across, err := assistants.NewClient(assistants.WithBaseURL(listening.URL+"/v1"), assistants.WithAPIKey("key"))
	if err != nil {
		listening.Close()
		return list, nil, err
	}
	byHand := http.DefaultTransport.(*http.Transport).Clone()
	list[floor] = &direct{a, url, &http.Client{Transport: byHand}}
	list[inProcess] = newEmbedded(within, assistant.ID)
	list[loopback] = newEmbedded(across, assistant.ID)
	return list, func() {
		byHand.CloseIdleConnections()
		across.CloseIdleConnections()
		listening.Close()
		_ = s.Close() // which has nothing to do any more
		provider.CloseIdleConnections()
	}, nil
}

// direct is the floor: the stream of the upstream, read by hand.
type direct struct {
	api    *api
	url    string
	client *http.Client
}

func (d *direct) prepare(context.Context, int) error { return nil }

func (d *direct) read(ctx context.Context, hear func(string) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+d.api.path, strings.NewReader(d.api.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		text, err := d.api.text(data)
		if err == nil && text != "" {
			err = hear(text)
		}
		if err != nil {
			return err
		}
	}
	return lines.Err()
}

// embedded is a client of the embedded server.
type embedded struct {
	client    *assistants.Client
	assistant string
	threads   chan string // one for each stream to come
}

const maxThreads = 1000

func newEmbedded(client *assistants.Client, assistant string) *embedded {
	return &embedded{client, assistant, make(chan string, maxThreads)}
}

func (e *embedded) prepare(ctx context.Context, streams int) error {
	for range streams {
		thread, err := e.client.Threads.Create(ctx, assistants.ThreadCreateParams{
			Messages: []assistants.MessageCreateParams{assistants.UserMessage("How are you?")},
		})
		if err != nil {
			return err
		}
		e.threads <- thread.ID
	}
	return nil
}

func (e *embedded) read(ctx context.Context, hear func(string) error) error {
	stream, err := e.client.Runs.Stream(ctx, <-e.threads, assistants.RunCreateParams{AssistantID: e.assistant})
	if err != nil {
		return err
	}
	defer stream.Close()
	for text, err := range stream.Text() {
		if err == nil {
			err = hear(text)
		}
		if err != nil {
			return err
		}
	}
	return stream.Run().Err()
}

// listen reads a stream of so many deltas and returns how late each was.
func listen(ctx context.Context, r route, deltas int) (*listener, error) {
	l := &listener{late: make([]time.Duration, 0, deltas)}
	if err := r.read(ctx, l.hear); err != nil {
		return nil, err
	}
	if len(l.late) != deltas {
		return nil, fmt.Errorf("%d deltas of %d have arrived", len(l.late), deltas)
	}
	return l, nil
}
