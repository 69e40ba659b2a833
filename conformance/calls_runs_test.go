package conformance

import (
	"context"
	"errors"
	"slices"

	"github.com/assistants-go/assistants"
)

// truncations are all strategies of truncation.
var truncations = map[string]assistants.TruncationStrategy{
	"auto":          {Type: assistants.TruncationAuto},
	"last messages": {Type: assistants.TruncationLastMessages, LastMessages: 10},
	"number only":   {LastMessages: 1},
}

// choices are all choices of tools.
var choices = map[string]assistants.ToolChoice{
	"none":             {Type: assistants.ToolChoiceNone},
	"auto":             {Type: assistants.ToolChoiceAuto},
	"required":         {Type: assistants.ToolChoiceRequired},
	"code interpreter": {Type: assistants.ToolChoiceCodeInterpreter},
	"file search":      {Type: assistants.ToolChoiceFileSearch},
	"function":         {Type: assistants.ToolChoiceFunction, Function: &assistants.FunctionChoice{Name: "now"}},
	"function only":    {Function: &assistants.FunctionChoice{Name: "now"}},
}

// runs are all settings of a run in a thread.
func runs() map[string]assistants.RunCreateParams {
	all := map[string]assistants.RunCreateParams{
		"least":       {},
		"model":       {Model: "gpt-4o"},
		"texts":       {Instructions: "i", AdditionalInstructions: "a"},
		"metadata":    {Metadata: assistants.Metadata{"a": "b"}},
		"sampling":    {Temperature: new(0.0), TopP: new(1.0)},
		"limits":      {MaxPromptTokens: 256, MaxCompletionTokens: 1024},
		"parallel":    {ParallelToolCalls: new(true)},
		"sequential":  {ParallelToolCalls: new(false)},
		"empty lists": {Tools: []assistants.Tool{}, AdditionalMessages: []assistants.MessageCreateParams{}, Metadata: assistants.Metadata{}},
	}
	for _, effort := range efforts {
		all["effort "+string(effort)] = assistants.RunCreateParams{ReasoningEffort: effort}
	}
	for name, m := range messages() {
		all["message "+name] = assistants.RunCreateParams{AdditionalMessages: []assistants.MessageCreateParams{m}}
	}
	for name, tool := range tools {
		all["tool "+name] = assistants.RunCreateParams{Tools: []assistants.Tool{tool}}
	}
	for name, format := range formats {
		all["format "+name] = assistants.RunCreateParams{ResponseFormat: format}
	}
	for name, strategy := range truncations {
		all["truncation "+name] = assistants.RunCreateParams{TruncationStrategy: strategy}
	}
	for name, choice := range choices {
		all["choice "+name] = assistants.RunCreateParams{ToolChoice: choice}
	}
	for name, p := range all {
		p.AssistantID = "asst_1"
		all[name] = p
	}
	return all
}

// threadRuns are all settings of a run that makes its thread: those that a run in a thread has too, and its own.
func threadRuns() map[string]assistants.ThreadCreateAndRunParams {
	all := make(map[string]assistants.ThreadCreateAndRunParams)
	for name, p := range runs() {
		all[name] = assistants.ThreadCreateAndRunParams{
			Model: p.Model, Instructions: p.Instructions, Tools: p.Tools, Metadata: p.Metadata, Temperature: p.Temperature,
			TopP: p.TopP, MaxPromptTokens: p.MaxPromptTokens, MaxCompletionTokens: p.MaxCompletionTokens,
			TruncationStrategy: p.TruncationStrategy, ToolChoice: p.ToolChoice, ParallelToolCalls: p.ParallelToolCalls,
			ResponseFormat: p.ResponseFormat,
		}
	}
	for name, p := range threads() {
		all["thread: "+name] = assistants.ThreadCreateAndRunParams{Thread: p}
	}
	for name, r := range resources {
		all["resources "+name] = assistants.ThreadCreateAndRunParams{ToolResources: r}
	}
	for name, p := range all {
		p.AssistantID = "asst_1"
		all[name] = p
	}
	return all
}

// outputs are all answers to function calls.
var outputs = map[string]assistants.RunSubmitToolOutputsParams{
	"one":     {ToolOutputs: []assistants.ToolOutput{{ToolCallID: "call_1", Output: "sunny"}}},
	"several": {ToolOutputs: []assistants.ToolOutput{{ToolCallID: "call_1", Output: "{}"}, {ToolCallID: "call_2"}}},
	"none":    {ToolOutputs: []assistants.ToolOutput{}},
}

func runCalls() []call {
	var all []call
	for name, p := range runs() {
		all = append(all, calling(name, "createRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.Create(ctx, "thread_1", p)
		}), streaming(name, "createRun", func(ctx context.Context, c *assistants.Client) (*assistants.Stream, error) {
			return c.Runs.Stream(ctx, "thread_1", p)
		}))
	}
	for name, p := range threadRuns() {
		both := []call{calling(name, "createThreadAndRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Threads.CreateAndRun(ctx, p)
		}), streaming(name, "createThreadAndRun", func(ctx context.Context, c *assistants.Client) (*assistants.Stream, error) {
			return c.Threads.CreateAndRunStream(ctx, p)
		})}
		for _, made := range both {
			if storeWithoutFiles(p.Thread) {
				made = made.refused(assistants.ErrBadRequest)
			}
			all = append(all, made)
		}
	}
	for name, p := range outputs {
		both := []call{calling(name, "submitToolOuputsToRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.SubmitToolOutputs(ctx, "thread_1", "run_1", p)
		}), streaming(name, "submitToolOuputsToRun", func(ctx context.Context, c *assistants.Client) (*assistants.Stream, error) {
			return c.Runs.SubmitToolOutputsStream(ctx, "thread_1", "run_1", p)
		})}
		for _, submitted := range both {
			submitted = submitted.asking(max(len(p.ToolOutputs), 1))
			if len(p.ToolOutputs) == 0 { // and one is wanted
				submitted = submitted.refused(assistants.ErrBadRequest)
			}
			all = append(all, submitted)
		}
	}
	return slices.Concat(all, includingCalls(), polledCalls(), otherRunCalls(), stepCalls())
}

var include = assistants.WithInclude(assistants.IncludeFileSearchContent)

// includingCalls ask for more in the steps of a run.
func includingCalls() []call {
	p := assistants.RunCreateParams{AssistantID: "asst_1"}
	return []call{
		calling("with content", "createRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.Create(ctx, "thread_1", p, include)
		}),
		calling("with content, polled", "createRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.CreateAndPoll(ctx, "thread_1", p, include)
		}),
		streaming("with content", "createRun", func(ctx context.Context, c *assistants.Client) (*assistants.Stream, error) {
			return c.Runs.Stream(ctx, "thread_1", p, include)
		}),
		calling("with content", "getRunStep", func(ctx context.Context, c *assistants.Client) (*assistants.RunStep, error) {
			return c.RunSteps.Retrieve(ctx, "thread_1", "run_1", "step_1", include)
		}),
		calling("with content", "listRunSteps", func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.RunSteps.List(ctx, "thread_1", "run_1", assistants.ListParams{}, include)
		}),
	}
}

// polledCalls send the same as those that return at once.
func polledCalls() []call {
	return []call{
		calling("polled", "createRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.CreateAndPoll(ctx, "thread_1", assistants.RunCreateParams{AssistantID: "asst_1"})
		}),
		calling("polled", "createThreadAndRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Threads.CreateAndRunPoll(ctx, assistants.ThreadCreateAndRunParams{AssistantID: "asst_1"})
		}),
		calling("polled", "submitToolOuputsToRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.SubmitToolOutputsAndPoll(ctx, "thread_1", "run_1", outputs["one"])
		}).asking(1),
		calling("polled", "getRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.Poll(ctx, "thread_1", "run_1")
		}),
	}
}

func otherRunCalls() []call {
	all := []call{
		calling("by id", "getRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.Retrieve(ctx, "thread_1", "run_1")
		}),
		calling("by id", "cancelRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.Cancel(ctx, "thread_1", "run_1")
		}).asking(1),
	}
	for name, metadata := range metadataChanges {
		all = append(all, calling(name, "modifyRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.Modify(ctx, "thread_1", "run_1", assistants.RunModifyParams{Metadata: metadata})
		}))
	}
	for name, p := range paging {
		all = append(all, unlessUnknown(calling(name, "listRuns", func(ctx context.Context, c *assistants.Client) (any, error) {
			_, err := c.Runs.List(ctx, "thread_1", p)
			for _, e := range c.Runs.All(ctx, "thread_1", p) {
				err = errors.Join(err, e)
			}
			return nil, err
		}), p))
	}
	return all
}

func stepCalls() []call {
	all := []call{
		calling("by id", "getRunStep", func(ctx context.Context, c *assistants.Client) (*assistants.RunStep, error) {
			return c.RunSteps.Retrieve(ctx, "thread_1", "run_1", "step_1")
		}),
	}
	for name, p := range paging {
		all = append(all, unlessUnknown(calling(name, "listRunSteps", func(ctx context.Context, c *assistants.Client) (any, error) {
			_, err := c.RunSteps.List(ctx, "thread_1", "run_1", p)
			for _, e := range c.RunSteps.All(ctx, "thread_1", "run_1", p, include) {
				err = errors.Join(err, e)
			}
			return nil, err
		}), p))
	}
	return all
}
