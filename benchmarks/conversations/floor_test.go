package main

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// The floor answers what the server has answered, and flushes as often.
func TestFloor(t *testing.T) {
	var rec recording
	s := server.New(server.WithModel(server.NewScripted(server.Otherwise(server.Say("one two three")))))
	client, err := assistants.NewClient(assistants.WithHandler(rec.record(s, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	assistant, err := newAssistant(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := streamed(ctx, client, assistant, "one two three"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rec.rewind()
	floor, err := assistants.NewClient(assistants.WithHandler(rec.play()))
	if err != nil {
		t.Fatal(err)
	}
	if err := streamed(ctx, floor, assistant, "one two three"); err != nil {
		t.Error(err)
	}
	rec.rewind()
	for range 3 { // the thread, the message, the stream
		want, w := rec.step(), httptest.NewRecorder()
		want.write(w, func([]byte) {})
		if w.Code != want.status || w.Body.String() != string(want.bytes) || len(want.bytes) == 0 {
			t.Errorf("%d %s is not %d %s", w.Code, w.Body, want.status, want.bytes)
		}
	}
	if last := rec.answers[2]; last.header.Get("Content-Type") != "text/event-stream; charset=utf-8" || last.writes[len(last.writes)-1] != 0 {
		t.Errorf("the stream was not recorded: %v", last.writes)
	}
}
