package assistants

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
)

// A Stream is a run as it happens. [RunsService.Stream], [RunsService.SubmitToolOutputsStream] and
// [ThreadsService.CreateAndRunStream] open one; close it when you are done with it.
//
// It is read by loops over [Stream.Events] or [Stream.Text], by [Stream.Handle] or by [Stream.Wait]. They share one
// position: what one has read no other sees, and after a break another goes on from there. A loop ends without an
// error only if the service said that the stream is done and the run has ended or waits for its caller. A stream that
// breaks off is an error that wraps [io.ErrUnexpectedEOF], one that reports an error is a [StreamError], and from then
// on every loop ends with that error. A lost stream does not end its run: [RunsService.Poll] waits for it.
//
// With [WithToolHandler] function calls are answered while a loop waits for its next event, and the events that follow
// are of the same stream.
//
// Run, Messages and Steps say what the events that were read add up to; [WithMaxResponseBytes] bounds how much that may
// be. All methods may be called by several goroutines at once.
type Stream struct {
	core   *core
	cfg    callConfig
	ctx    context.Context // ends with the caller's, and with Close
	cancel context.CancelFunc

	reading  sync.Mutex // held while an event is awaited; guards these two
	run      *follower  // nil before the first function call
	answered *Run       // as it was when its calls were answered last

	mu              sync.Mutex // guards what follows
	feed            *feed
	added           Accumulator
	threadID, runID string // as far as they are known
	err             error  // why there are no more events; io.EOF: there are none
	closed          bool

	abandoning sync.Once
}

// Stream creates a run and streams it. [WithInclude] asks for more in its steps. Errors of the request, such as
// [ErrNotFound], come before there is a stream.
//
// POST /threads/{thread_id}/runs: https://platform.openai.com/docs/api-reference/runs/createRun
func (s *RunsService) Stream(ctx context.Context, threadID string, params RunCreateParams, opts ...RequestOption) (*Stream, error) {
	in := struct {
		RunCreateParams
		streamed
	}{params, streamed{true}}
	return s.core.stream(ctx, threadID, "", post(in, "threads", threadID, "runs").able(includes), opts)
}

// SubmitToolOutputsStream answers what a run waits for, as [RunsService.SubmitToolOutputs] does, and streams how the
// run goes on.
//
// POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs: https://platform.openai.com/docs/api-reference/runs/submitToolOutputs
func (s *RunsService) SubmitToolOutputsStream(ctx context.Context, threadID, runID string, params RunSubmitToolOutputsParams, opts ...RequestOption) (*Stream, error) {
	in := submissionStreamed(params)
	return s.core.stream(ctx, threadID, runID, post(in, "threads", threadID, "runs", runID, "submit_tool_outputs"), opts)
}

func submissionStreamed(params RunSubmitToolOutputsParams) any {
	return struct {
		RunSubmitToolOutputsParams
		streamed
	}{params, streamed{true}}
}

// CreateAndRunStream makes a thread, runs it and streams the run.
//
// POST /threads/runs: https://platform.openai.com/docs/api-reference/runs/createThreadAndRun
func (s *ThreadsService) CreateAndRunStream(ctx context.Context, params ThreadCreateAndRunParams, opts ...RequestOption) (*Stream, error) {
	in := struct {
		ThreadCreateAndRunParams
		streamed
	}{params, streamed{true}}
	return s.core.stream(ctx, "", "", post(in, "threads", "runs"), opts)
}

// streamed asks for a stream.
type streamed struct {
	Stream bool `json:"stream"`
}

// stream opens what o answers with.
func (c *core) stream(ctx context.Context, threadID, runID string, o *outgoing, opts []RequestOption) (*Stream, error) {
	o.streamed = true
	o.can |= streams | handles
	cfg, err := c.configure(o, opts)
	if err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, o.failed(errNilContext)
	}
	ctx, cancel := context.WithCancel(ctx)
	feed, err := c.openFeed(ctx, o, &cfg)
	if err != nil {
		defer cancel()
		return nil, c.forsaken(ctx, &cfg, threadID, runID, err)
	}
	s := &Stream{core: c, cfg: cfg, ctx: ctx, cancel: cancel, threadID: threadID, runID: runID, feed: feed}
	s.added.held.limit = c.maxBytes
	return s, nil
}

// Events iterates over the events, each as soon as its last byte has arrived. An error is the last pair.
func (s *Stream) Events() iter.Seq2[*Event, error] { return s.events(nil) }

// events are the events: new ones or, for a loop of this package that keeps none, one that passes.
func (s *Stream) events(passing *passingEvent) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		for {
			event, err := s.next(passing)
			if err == io.EOF {
				return
			}
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// Text iterates over the text that the run writes, as it is written: that of several messages without anything between
// them, and of servers that send messages only whole, nothing. An error is the last pair. How the run ended says
// [Run.Err], of [Stream.Run].
func (s *Stream) Text() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for event, err := range s.events(new(passingEvent)) {
			if err != nil {
				yield("", err)
				return
			}
			if event.MessageDelta == nil {
				continue
			}
			if text := event.MessageDelta.Text(); text != "" && !yield(text, nil) {
				return
			}
		}
	}
}

// Wait reads the stream to its end and returns the run as it then is: it has ended, or it waits for its caller. A run
// that failed is no error; its Status says it. An error comes with the run as it was last seen, nil if it never was.
func (s *Stream) Wait() (*Run, error) {
	for _, err := range s.events(new(passingEvent)) {
		if err != nil {
			return s.Run(), err
		}
	}
	return s.Run(), nil
}

// Run is the run as it was last seen, nil before that.
func (s *Stream) Run() *Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.added.Run()
}

// Messages are the messages that the run wrote, in order, as far as they have been read.
func (s *Stream) Messages() []*Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.added.Messages()
}

// Steps are the steps of the run, in order, as far as they have been read.
func (s *Stream) Steps() []*RunStep {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.added.Steps()
}

// message, text, step and call are what has been added up of one thing, for a handler.
func (s *Stream) message(id string) *Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.added.messages.byID[id].snapshot()
}

func (s *Stream) text(at place) *Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text := s.added.messages.byID[at.id].text(at.index); text != nil {
		return text
	}
	return new(Text) // the service took it back
}

// textValue is that of text, without a copy of the annotations, which may be many.
func (s *Stream) textValue(at place) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.added.messages.byID[at.id].value(at.index)
}

func (s *Stream) step(id string) *RunStep {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.added.steps.byID[id].snapshot()
}

func (s *Stream) call(at place) *ToolCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	if step := s.added.steps.byID[at.id]; step != nil {
		if call := step.callSnapshot(at.index); call != nil {
			return call
		}
	}
	return new(ToolCall) // the service took it back
}

// Close ends the stream; a loop that waits for an event ends with an error that is [os.ErrClosed]. The run goes on,
// unless [WithCancelOnAbandon] or [WithToolHandler] was given, the stream had not ended yet, the run's id is known, and
// it neither has ended nor waits for its caller. It may be called at any time and more than once. The error is nil, but
// for a run that was to be cancelled and was not.
func (s *Stream) Close() error {
	s.mu.Lock()
	over := s.closed || s.err != nil
	s.closed = true
	feed, run := s.feed, s.abandonable()
	s.mu.Unlock()
	s.cancel()
	feed.close()
	var err error
	if !over && run != nil {
		s.abandoning.Do(func() { err = run.cancel(s.ctx) })
	}
	return err
}

// abandonable follows the run that is to be cancelled when nobody waits for it any longer; nil if there is none. The
// lock is held.
func (s *Stream) abandonable() *follower {
	run := s.added.Run()
	if !s.cfg.abandoning || s.runID == "" ||
		run != nil && (run.Status.Terminal() || run.Status == RunRequiresAction && s.cfg.tools.handler == nil) {
		return nil
	}
	return s.core.follow(&s.cfg, s.threadID, s.runID)
}

// next is the next event; io.EOF after the last one.
func (s *Stream) next(passing *passingEvent) (*Event, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.mu.Lock()
	feed, closed, err := s.feed, s.closed, s.err
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if closed {
		return nil, s.end(os.ErrClosed)
	}
	event, err := feed.next(passing)
	if err == io.EOF {
		event, err = s.goOn(passing)
	}
	if err == nil {
		err = s.add(event)
	}
	if err != nil {
		return nil, s.end(err)
	}
	return event, nil
}

func (s *Stream) add(event *Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case event.Run != nil:
		s.seen(event.Run.ThreadID, event.Run.ID)
	case event.RunStep != nil:
		s.seen(event.RunStep.ThreadID, event.RunStep.RunID)
	case event.Message != nil:
		s.seen(event.Message.ThreadID, event.Message.RunID)
	}
	if err := s.added.add(event); err != nil {
		return s.feed.failed(err)
	}
	return nil
}

// seen notes the ids of the run. The lock is held.
func (s *Stream) seen(threadID, runID string) {
	s.threadID, s.runID = cmp.Or(s.threadID, threadID), cmp.Or(s.runID, runID)
}

// end makes err the stream's last word.
func (s *Stream) end(err error) error {
	s.mu.Lock()
	feed, run, closed := s.feed, s.abandonable(), s.closed
	s.mu.Unlock()
	switch {
	case err == io.EOF:
	case closed:
		err = newCallError(feed.req, feed.got, fmt.Errorf("the stream was closed: %w", os.ErrClosed))
	case run != nil:
		s.abandoning.Do(func() { err = run.abandoned(s.ctx, err) })
	}
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	s.cancel()
	feed.close()
	return err
}

// goOn is for when the events of a request have ended: it has the run's function calls answered, where that is wanted,
// and returns the first event of what follows. It is io.EOF if nothing does.
func (s *Stream) goOn(passing *passingEvent) (*Event, error) {
	run := s.Run()
	switch {
	case run == nil:
		return nil, s.feed.failed(fmt.Errorf("the stream is done and had no run: %w", io.ErrUnexpectedEOF))
	case run.Status.moving():
		return nil, s.feed.failed(fmt.Errorf("the stream is done and its run is %s: %w", run.Status, io.ErrUnexpectedEOF))
	case !s.cfg.tools.answers(run):
		return nil, io.EOF
	case s.run == nil:
		s.run = s.core.follow(&s.cfg, s.threadID, s.runID)
	case run == s.answered:
		return nil, s.feed.failed(fmt.Errorf("the stream is done and does not say what became of its run: %w", io.ErrUnexpectedEOF))
	}
	s.answered = run
	o, params, err := s.run.submission(s.ctx, run)
	if err == nil {
		o.in, o.streamed = submissionStreamed(params), true
		var feed *feed
		if feed, err = s.core.openFeed(s.ctx, o, &s.run.cfg); err == nil {
			return s.goOnWith(feed, passing)
		}
	}
	seen, got, err := s.run.overtaken(s.ctx, run, err)
	if err != nil {
		return nil, err
	}
	return &Event{Type: EventType("thread.run." + seen.Status), Data: got.Body, Run: seen}, nil
}

// goOnWith takes the next feed and returns its first event.
func (s *Stream) goOnWith(feed *feed, passing *passingEvent) (*Event, error) {
	s.mu.Lock()
	s.feed.close()
	s.feed = feed
	s.mu.Unlock()
	event, err := feed.next(passing)
	if err == io.EOF {
		return s.goOn(passing) // which knows that this cannot be all
	}
	return event, err
}
