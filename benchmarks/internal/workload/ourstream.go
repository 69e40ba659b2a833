package workload

import (
	"context"

	"github.com/assistants-go/assistants"
)

// oursEvents is ours for who wants the events and not only the text.
func oursEvents(wire *Wire) Client {
	client := newOurs(wire)
	stream := func(ctx context.Context, each func(string)) error { return ourEvents(ctx, client, each) }
	return Client{OursEvents, map[string]Operation{Stream: streaming(stream)}, stream}
}

func openOurs(ctx context.Context, client *assistants.Client) (*assistants.Stream, error) {
	return client.Runs.Stream(ctx, ThreadID, assistants.RunCreateParams{AssistantID: AssistantID})
}

func ourText(ctx context.Context, client *assistants.Client, each func(string)) error {
	stream, err := openOurs(ctx, client)
	if err != nil {
		return err
	}
	defer stream.Close()
	for text, err := range stream.Text() {
		if err != nil {
			return err
		}
		each(text)
	}
	return nil
}

func ourEvents(ctx context.Context, client *assistants.Client, each func(string)) error {
	stream, err := openOurs(ctx, client)
	if err != nil {
		return err
	}
	defer stream.Close()
	for event, err := range stream.Events() {
		if err != nil {
			return err
		}
		if event.MessageDelta == nil {
			continue
		}
		for _, part := range event.MessageDelta.Delta.Content {
			if part.Text != nil && part.Text.Value != "" {
				each(part.Text.Value)
			}
		}
	}
	return nil
}

func ourMessageSight(m *assistants.Message) Sight {
	return Sight{
		ID:        m.ID,
		Object:    m.Object,
		CreatedAt: int64(m.CreatedAt),
		Thread:    m.ThreadID,
		Assistant: m.AssistantID,
		Run:       m.RunID,
		Role:      string(m.Role),
		Text:      m.Text(),
		Citations: words(m.Annotations(), func(a assistants.Annotation) string {
			return citation(a.Text, int64(a.StartIndex), int64(a.EndIndex), a.FileID())
		}),
		Attachments: words(m.Attachments, func(a assistants.Attachment) string {
			return attachment(a.FileID, words(a.Tools, func(t assistants.AttachmentTool) string { return string(t.Type) }))
		}),
		Metadata: m.Metadata,
	}
}

// A Growth is something that must take no longer for a piece of text however many there are.
type Growth struct {
	Name string
	Add  func() error // adds up as many pieces as the growth was made for
}

// Growths are what ours does with all pieces of a stream.
func Growths(ctx context.Context, deltas int) ([]Growth, error) {
	client := newOurs(&Wire{Recording: NewRecording(deltas)})
	stream, err := openOurs(ctx, client)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var events []*assistants.Event
	for event, err := range stream.Events() {
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return []Growth{
		{"Accumulator", func() error { return accumulate(events) }},
		{"Handle, OnText", func() error { return handle(ctx, client) }},
	}, nil
}

func accumulate(events []*assistants.Event) error {
	var sum assistants.Accumulator
	for _, event := range events {
		if err := sum.Add(event); err != nil {
			return err
		}
	}
	return nil
}

func handle(ctx context.Context, client *assistants.Client) error {
	stream, err := openOurs(ctx, client)
	if err != nil {
		return err
	}
	defer stream.Close()
	_, err = stream.Handle(assistants.Handler{OnText: func(_, _ string) {}})
	return err
}
