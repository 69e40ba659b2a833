package assistants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
)

// A ToolHandler answers a function call that a run asks for: see [WithToolHandler]. output is what the model is told,
// and so is the text of err if there is one.
type ToolHandler func(ctx context.Context, call ToolCall) (output string, err error)

// ErrToolRounds says that a run asked for tools more often than it may: see [WithMaxToolRounds]. The run was
// cancelled, unless the error says that it was not.
var ErrToolRounds = errors.New("the run asked for tools too often")

const (
	defaultToolRounds      = 32
	defaultToolConcurrency = 8
	maxToolOutput          = 1 << 20 // bytes
	maxToolError           = 1 << 16 // bytes of the text, which may be longer in JSON
)

// WithToolHandler answers the function calls of a run while a call polls or streams it, so that it ends only when the
// run has ended. Package typed makes handlers of Go functions.
//
// The calls of one step run concurrently, eight at a time unless [WithToolConcurrency] says otherwise. An error of the
// handler becomes the output of the call, as {"error":"…"}, so that the model can recover, and so do an output of more
// than a megabyte and a panic; of that [WithLogger] tells, with the stack and without its value. What the handler
// returns goes to the service: no secrets in errors. It does not read the stream that it answers for, which waits for
// it.
//
// The handler's context ends with that of the call, with the stream, and when the run must have expired. A handler that
// does not heed it is left behind. When the context of the call ends the run is cancelled, as with
// [WithCancelOnAbandon]. A run that expires while the handler works is returned as it is, expired.
//
// One call only; an error on calls that neither poll nor stream a run.
func WithToolHandler(handler ToolHandler) RequestOption {
	return requestOption{"WithToolHandler", true, func(c *callConfig) error {
		if handler == nil {
			return errors.New("the handler is nil")
		}
		c.tools.handler = handler
		c.abandoning = true
		c.need("WithToolHandler", handles)
		return nil
	}}
}

// WithMaxToolRounds bounds how often a run may ask for tools before the call cancels it and returns [ErrToolRounds]:
// models do call tools in circles. The default is 32. An error on calls that neither poll nor stream a run.
func WithMaxToolRounds(n int) RequestOption {
	return requestOption{"WithMaxToolRounds", false, func(c *callConfig) error {
		if n <= 0 {
			return fmt.Errorf("%d are no rounds", n)
		}
		c.tools.rounds = n
		c.need("WithMaxToolRounds", handles)
		return nil
	}}
}

// WithToolConcurrency bounds how many calls of the handler run at once. The default is 8. An error on calls that
// neither poll nor stream a run.
func WithToolConcurrency(n int) RequestOption {
	return requestOption{"WithToolConcurrency", false, func(c *callConfig) error {
		if n <= 0 {
			return fmt.Errorf("%d calls at once get nothing done", n)
		}
		c.tools.concurrency = n
		c.need("WithToolConcurrency", handles)
		return nil
	}}
}

// A toolPolicy is how function calls are answered.
type toolPolicy struct {
	handler     ToolHandler // nil: by the caller
	rounds      int
	concurrency int
	log         *slog.Logger // nil: no logging
}

// answers reports whether the handler is for what run waits for.
func (p *toolPolicy) answers(run *Run) bool {
	return p.handler != nil && run != nil && len(run.FunctionCalls()) > 0
}

// answer calls the handler for what run waits for. Outputs are in the order of the calls. It returns when ctx ends,
// whether the handler does or not.
func (p *toolPolicy) answer(ctx context.Context, run *Run) ([]ToolOutput, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	calls := run.FunctionCalls()
	if life := run.ExpiresAt - run.CreatedAt; run.CreatedAt > 0 && life > 0 { // by the server's clock; ours may differ
		timer := time.AfterFunc(time.Duration(min(life, 1<<32))*time.Second, func() { cancel(errRunExpired) })
		defer timer.Stop()
	}
	type result struct {
		index  int
		output string
	}
	results := make(chan result, len(calls)) // with room for those who come late
	slots := make(chan struct{}, p.concurrency)
	go func() { // ends with ctx, or when the last call has begun
		for i, call := range calls {
			select {
			case <-ctx.Done():
				return
			case slots <- struct{}{}:
			}
			if ctx.Err() != nil { // which select may have overlooked
				return
			}
			go func() {
				output := failedOutput(errors.New("the function did not return"))
				defer func() { // also if the handler ends its goroutine
					if recover() != nil {
						output = failedOutput(errors.New("the function panicked"))
						p.recordPanic(ctx, call)
					}
					results <- result{i, output}
					<-slots
				}()
				output = p.output(ctx, call)
			}()
		}
	}()
	outputs := make([]ToolOutput, len(calls))
	for i, call := range calls {
		outputs[i].ToolCallID = call.ID
	}
	for range calls {
		select {
		case r := <-results:
			outputs[r.index].Output = r.output
		case <-ctx.Done():
			if cause := context.Cause(ctx); cause == errRunExpired {
				return nil, cause
			}
			return nil, ctx.Err()
		}
	}
	return outputs, nil
}

// recordPanic logs where a handler panicked; why stays out of it, being anything.
func (p *toolPolicy) recordPanic(ctx context.Context, call ToolCall) {
	if p.log == nil {
		return
	}
	name := call.Name
	if call.Function != nil {
		name = call.Function.Name
	}
	p.log.ErrorContext(ctx, "assistants: a function panicked", "function", name, "stack", string(debug.Stack()))
}

// errRunExpired ends handlers that took longer than their run can live.
var errRunExpired = errors.New("the run has expired")

func (p *toolPolicy) output(ctx context.Context, call ToolCall) string {
	output, err := p.handler(ctx, call)
	switch {
	case err != nil:
		return failedOutput(err)
	case len(output) > maxToolOutput:
		return failedOutput(fmt.Errorf("the output of %d bytes is too long", len(output)))
	}
	return output
}

// failedOutput tells the model of an error.
func failedOutput(err error) string {
	text := err.Error()
	if len(text) > maxToolError {
		text = text[:maxToolError]
	}
	encoded, _ := json.Marshal(struct { // cannot fail
		Error string `json:"error"`
	}{strings.ToValidUTF8(text, "\ufffd")})
	return string(encoded)
}
