package assistants

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"time"
)

// Poll looks at a run until it needs somebody: it has ended, it waits for the caller ([RunRequiresAction]), or it is
// in a state that this package does not know. A run that failed is no error of the call; its Status says it.
//
// Between two looks it pauses for as long as the server asks, else half a second, growing to five; see
// [WithPollInterval]. It ends at once when the context does; what becomes of the run then says [WithCancelOnAbandon].
// With [WithToolHandler] function calls are answered and the run goes on. An error comes with the run as it was last
// seen, nil if it never was.
//
// GET /threads/{thread_id}/runs/{run_id}: https://platform.openai.com/docs/api-reference/runs/getRun
func (s *RunsService) Poll(ctx context.Context, threadID, runID string, opts ...RequestOption) (*Run, error) {
	o := get("threads", threadID, "runs", runID).able(polls | handles)
	cfg, err := s.core.configure(o, opts)
	if err != nil {
		return nil, err
	}
	f := s.core.follow(&cfg, threadID, runID)
	run := new(Run)
	header, err := s.core.send(ctx, o, run, &cfg)
	if err != nil {
		return nil, f.abandoned(ctx, err)
	}
	return f.wait(ctx, run, header)
}

// CreateAndPoll creates a run and waits for it, as [RunsService.Create] and [RunsService.Poll] do.
//
// POST /threads/{thread_id}/runs: https://platform.openai.com/docs/api-reference/runs/createRun
func (s *RunsService) CreateAndPoll(ctx context.Context, threadID string, params RunCreateParams, opts ...RequestOption) (*Run, error) {
	return s.core.poll(ctx, threadID, "", post(params, "threads", threadID, "runs").able(includes), opts)
}

// SubmitToolOutputsAndPoll answers what a run waits for and waits for the run, as [RunsService.SubmitToolOutputs] and
// [RunsService.Poll] do.
//
// POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs: https://platform.openai.com/docs/api-reference/runs/submitToolOutputs
func (s *RunsService) SubmitToolOutputsAndPoll(ctx context.Context, threadID, runID string, params RunSubmitToolOutputsParams, opts ...RequestOption) (*Run, error) {
	return s.core.poll(ctx, threadID, runID, post(params, "threads", threadID, "runs", runID, "submit_tool_outputs"), opts)
}

// CreateAndRunPoll makes a thread, runs it and waits for the run, as [ThreadsService.CreateAndRun] and
// [RunsService.Poll] do.
//
// POST /threads/runs: https://platform.openai.com/docs/api-reference/runs/createThreadAndRun
func (s *ThreadsService) CreateAndRunPoll(ctx context.Context, params ThreadCreateAndRunParams, opts ...RequestOption) (*Run, error) {
	return s.core.poll(ctx, "", "", post(params, "threads", "runs"), opts)
}

// poll sends what answers with a run, and waits for that. Ids are "" where only the answer knows them.
func (c *core) poll(ctx context.Context, threadID, runID string, o *outgoing, opts []RequestOption) (*Run, error) {
	o.can |= polls | handles
	cfg, err := c.configure(o, opts)
	if err != nil {
		return nil, err
	}
	run := new(Run)
	header, err := c.send(ctx, o, run, &cfg)
	if err != nil {
		return nil, c.forsaken(ctx, &cfg, threadID, runID, err)
	}
	f := c.follow(&cfg, cmp.Or(threadID, run.ThreadID), run.ID)
	if params, ok := o.in.(RunSubmitToolOutputsParams); ok {
		f.remember(params.ToolOutputs, run)
	}
	return f.wait(ctx, run, header)
}

const (
	firstPollInterval = 500 * time.Millisecond
	lastPollInterval  = 5 * time.Second
	longestAskedFor   = 60_000          // by a server, in milliseconds
	abandonTimeout    = 5 * time.Second // for cancelling a run that nobody waits for
	maxLateLooks      = 3               // that may show a run as it was before the outputs that it waited for
)

// A follower stays with a run after the call that it began with.
type follower struct {
	core            *core
	cfg             callConfig
	threadID, runID string
	rounds          int      // of tool calls that were answered
	submitted       []string // ids of the calls that were answered last, until the run was seen going on
	late            int      // how many looks may still show the run as it was before that
}

// follow is a follower of a run whose calls are configured like the first, but for what belonged to that.
func (c *core) follow(cfg *callConfig, threadID, runID string) *follower {
	return &follower{core: c, cfg: cfg.further(), threadID: threadID, runID: runID}
}

// answered reports whether run waits for nothing but what was submitted already.
func (f *follower) answered(run *Run) bool {
	calls := run.FunctionCalls()
	return len(calls) > 0 && !slices.ContainsFunc(calls, func(call ToolCall) bool { return !slices.Contains(f.submitted, call.ID) })
}

// remember notes what was submitted. If the answer to that waits again, it is for other calls, whatever their ids.
func (f *follower) remember(outputs []ToolOutput, answer *Run) {
	f.submitted, f.late = nil, maxLateLooks
	if answer.Status == RunRequiresAction {
		return
	}
	for i := range outputs {
		f.submitted = append(f.submitted, outputs[i].ToolCallID)
	}
}

// wait polls from run on. header is of the answer that it came in.
func (f *follower) wait(ctx context.Context, run *Run, header http.Header) (*Run, error) {
	interval := firstPollInterval
	for {
		switch {
		case run.Status.moving() || f.answered(run) && f.late >= 0:
			if err := f.cfg.pause(ctx, header, &interval); err != nil {
				return run, f.abandoned(ctx, f.at(http.MethodGet).failed(err))
			}
		case f.cfg.tools.answers(run):
			next, after, err := f.answer(ctx, run)
			if err != nil {
				return run, f.abandoned(ctx, err)
			}
			run, header, interval = next, after, firstPollInterval
			continue
		default:
			return run, nil
		}
		seen, after, err := f.retrieve(ctx)
		if err != nil {
			return run, f.abandoned(ctx, err)
		}
		if f.late--; seen.Status.moving() {
			f.submitted = nil // it has arrived
		}
		run, header = seen, after
	}
}

// at is a call of the run, or of what is below it.
func (f *follower) at(method string, below ...string) *outgoing {
	return &outgoing{method: method, to: append([]string{"threads", f.threadID, "runs", f.runID}, below...)}
}

func (f *follower) retrieve(ctx context.Context) (*Run, http.Header, error) {
	run := new(Run)
	header, err := f.core.send(ctx, f.at(http.MethodGet), run, &f.cfg)
	if err != nil {
		return nil, nil, err
	}
	return run, header, nil
}

// answer lets the handler answer run's function calls and returns the run as it goes on.
func (f *follower) answer(ctx context.Context, run *Run) (*Run, http.Header, error) {
	o, params, err := f.submission(ctx, run)
	next := new(Run)
	var header http.Header
	if err == nil {
		o.in = params
		header, err = f.core.send(ctx, o, next, &f.cfg)
		f.remember(params.ToolOutputs, next)
	}
	if err != nil {
		seen, got, err := f.overtaken(ctx, run, err)
		return seen, got.Header, err
	}
	return next, header, nil
}

// submission is the call that submits outputs for run's function calls, and the handler's outputs.
func (f *follower) submission(ctx context.Context, run *Run) (*outgoing, RunSubmitToolOutputsParams, error) {
	o := f.at(http.MethodPost, "submit_tool_outputs")
	if f.rounds++; f.rounds > f.cfg.tools.rounds {
		return nil, RunSubmitToolOutputsParams{}, o.failed(fmt.Errorf("%w: %d times", ErrToolRounds, f.rounds))
	}
	outputs, err := f.cfg.tools.answer(ctx, run)
	if err != nil {
		return nil, RunSubmitToolOutputsParams{}, o.failed(err)
	}
	return o, RunSubmitToolOutputsParams{ToolOutputs: outputs}, nil
}

// overtaken looks whether the run has gone on although submitting outputs failed: it expired or was cancelled while
// the handler worked, or the outputs arrived and only the answer was lost. Then the run is the answer, else err.
func (f *follower) overtaken(ctx context.Context, run *Run, err error) (*Run, Response, error) {
	if ctx.Err() != nil || errors.Is(err, ErrToolRounds) {
		return nil, Response{}, err
	}
	var got Response
	look := *f
	look.cfg.response = &got
	seen, _, failed := look.retrieve(ctx)
	if failed != nil || sameCalls(seen, run) {
		return nil, Response{}, err
	}
	if f.cfg.response != nil {
		*f.cfg.response = got
	}
	return seen, got, nil
}

// sameCalls reports whether a run still waits for what it waited for.
func sameCalls(a, b *Run) bool {
	ids := func(run *Run) (ids []string) {
		for _, call := range run.FunctionCalls() {
			ids = append(ids, call.ID)
		}
		sort.Strings(ids)
		return ids
	}
	return a.Status == b.Status && slices.Equal(ids(a), ids(b))
}

// abandoned cancels the run if its caller has gone away and wanted that, or if it calls tools in circles.
func (f *follower) abandoned(ctx context.Context, err error) error {
	gone := ctx != nil && ctx.Err() != nil
	if !gone && !errors.Is(err, ErrToolRounds) || !f.cfg.abandoning {
		return err
	}
	if failed := f.cancel(ctx); failed != nil {
		return fmt.Errorf("%w (and its run was not cancelled: %v)", err, failed)
	}
	return err
}

// forsaken is abandoned for a call that failed before there was anything to follow. Without a runID there is no run.
func (c *core) forsaken(ctx context.Context, cfg *callConfig, threadID, runID string, err error) error {
	if runID == "" {
		return err
	}
	return c.follow(cfg, threadID, runID).abandoned(ctx, err)
}

// cancel cancels the run although ctx may have ended. That the run had ended before is no error.
func (f *follower) cancel(ctx context.Context) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer stop()
	quiet := *f
	quiet.cfg.response, quiet.cfg.maxRetries = nil, 0
	_, err := quiet.core.send(ctx, quiet.at(http.MethodPost, "cancel"), new(Run), &quiet.cfg)
	if errors.Is(err, ErrBadRequest) {
		if run, _, failed := quiet.retrieve(ctx); failed == nil && run.Status.Terminal() {
			return nil
		}
	}
	return err
}

// pause waits for as long as the caller wants, the server asks, or else a little longer every time.
func (c *callConfig) pause(ctx context.Context, header http.Header, interval *time.Duration) error {
	wait := *interval
	if ms, err := strconv.Atoi(header.Get("openai-poll-after-ms")); err == nil && ms > 0 {
		wait = time.Duration(min(ms, longestAskedFor)) * time.Millisecond
	} else {
		*interval = min(*interval*5/4, lastPollInterval)
	}
	if c.pollInterval > 0 {
		wait = c.pollInterval
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
