package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// Runs replays the runs of a file from their creation to where they need nobody any more: streamed, or looked at until
// then, with a handler that answers function calls as the caller did. The client must make the recorded requests, in
// their order and no others, and return the run as it was recorded last. It returns how many runs there were.
func Runs(f recording.File) (followed int, failures []Failure) {
	for i, e := range f.Exchanges {
		script := scriptOf(f.Exchanges[i:])
		if len(script) < 2 { // nothing followed, or not all that did was recorded
			continue
		}
		followed++
		if lines := follow(script); len(lines) > 0 {
			failures = append(failures, Failure{f.Name, e, lines})
		}
	}
	return followed, failures
}

// scriptOf are the exchanges in which a run goes on, beginning with the first one, which creates it; nil if that is not
// what it does, or if the run was left on its way.
func scriptOf(exchanges []*recording.Exchange) []*recording.Exchange {
	first := exchanges[0]
	op, _ := Find(first.Method, first.Path)
	if op == nil || op.ID != "createRun" && op.ID != "createThreadAndRun" || first.Status != http.StatusOK || !first.KnowsBody() {
		return nil
	}
	script := []*recording.Exchange{first}
	run := lastRun(first)
	for _, e := range exchanges[1:] {
		next := "/v1/threads/" + run.ThreadID + "/runs/" + run.ID
		switch run.Status {
		case assistants.RunRequiresAction:
			next = "POST " + next + "/submit_tool_outputs"
		case assistants.RunQueued, assistants.RunInProgress, assistants.RunCancelling:
			next = "GET " + next
		default:
			return script
		}
		if e.Scenario == first.Scenario && e.Beta == first.Beta && e.Method+" "+e.Path == next {
			script, run = append(script, e), lastRun(e)
		}
	}
	if run.Status.Terminal() || run.Status == assistants.RunRequiresAction {
		return script
	}
	return nil
}

// lastRun is the run as an exchange says that it is in the end, zero if it does not.
func lastRun(e *recording.Exchange) (run assistants.Run) {
	_ = json.Unmarshal(lastRunJSON(e), &run) // what is no run has no id, and nothing follows it
	return run
}

func lastRunJSON(e *recording.Exchange) (last []byte) {
	if !e.Streamed() {
		return []byte(e.ResponseText)
	}
	events, _ := frames(e.ResponseText)
	for _, f := range events {
		if strings.HasPrefix(f.name, "thread.run.") && !strings.HasPrefix(f.name, "thread.run.step.") {
			last = []byte(f.data)
		}
	}
	return last
}

// A recordedRun answers with the exchanges of a script, one after the other.
type recordedRun struct {
	script []*recording.Exchange
	asked  []*recordedService
}

func (r *recordedRun) RoundTrip(request *http.Request) (*http.Response, error) {
	if len(r.asked) == len(r.script) {
		return nil, fmt.Errorf("no answer was recorded to %s %s", request.Method, request.URL.Path)
	}
	service := &recordedService{answer: r.script[len(r.asked)]}
	r.asked = append(r.asked, service)
	return service.RoundTrip(request)
}

// submitted are the outputs that the caller sent, by the ids of the calls.
func (r *recordedRun) submitted() (map[string]string, error) {
	outputs := make(map[string]string)
	for _, e := range r.script[1:] {
		if e.Method != http.MethodPost {
			continue
		}
		body, err := params[outputsBody](e.RequestBody)
		if err != nil {
			return nil, err
		}
		for _, output := range body.ToolOutputs {
			outputs[output.ToolCallID] = output.Output
		}
	}
	return outputs, nil
}

func follow(script []*recording.Exchange) []string {
	service := &recordedRun{script: script}
	outputs, err := service.submitted()
	if err != nil {
		return []string{err.Error()}
	}
	client, err := newClient(script[0], service)
	if err != nil {
		return []string{err.Error()}
	}
	var opts []assistants.RequestOption
	if len(outputs) > 0 {
		opts = append(opts, assistants.WithToolHandler(func(_ context.Context, call assistants.ToolCall) (string, error) {
			output, ok := outputs[call.ID]
			if !ok {
				return "", errors.New("nobody answered this call")
			}
			return output, nil
		}))
	}
	run, err := toItsEnd(client, script[0], opts)
	if err != nil {
		return []string{err.Error()}
	}
	passed := make(Passed)
	found := passed.checkValue(lastRunJSON(script[len(script)-1]), run, rulesFor(run))
	for i, asked := range service.asked {
		found = append(found, prefixed(fmt.Sprintf("request %d: ", i+1), asked.differences(passed))...)
	}
	if len(service.asked) < len(script) {
		found = append(found, fmt.Sprintf("the client sent %d of %d requests", len(service.asked), len(script)))
	}
	return found
}

// toItsEnd creates a run and waits for it.
func toItsEnd(client *assistants.Client, first *recording.Exchange, opts []assistants.RequestOption) (*assistants.Run, error) {
	op, ids := Find(first.Method, first.Path)
	r, err := newRequest(ids, first)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if r.Streamed {
		r.Options = append(r.Options, opts...)
	}
	value, err := op.Call(ctx, client, r)
	if err != nil {
		return nil, err
	}
	if stream, ok := value.(*assistants.Stream); ok {
		defer stream.Close()
		return stream.Wait()
	}
	run := value.(*assistants.Run)
	opts = append(opts, assistants.WithPollInterval(time.Nanosecond))
	return client.Runs.Poll(ctx, run.ThreadID, run.ID, opts...)
}
