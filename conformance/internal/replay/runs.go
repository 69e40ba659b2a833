package replay

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/assistants-go/assistants"
)

var runOperations = []Operation{
	{
		ID: "createThreadAndRun", Method: http.MethodPost, Path: "/threads/runs", Served: true,
		Creates: true, Presupposes: assistantOfRun,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			body, err := params[threadAndRunBody](r.Body)
			if err != nil {
				return nil, err
			}
			p, err := body.params()
			switch {
			case err != nil:
				return nil, err
			case body.Stream || r.Streamed:
				return c.Threads.CreateAndRunStream(ctx, p, r.Options...)
			}
			return c.Threads.CreateAndRun(ctx, p, r.Options...)
		},
	},
	{
		ID: "createRun", Method: http.MethodPost, Path: "/threads/{thread_id}/runs", Served: true,
		Creates: true, Presupposes: threadOfRun,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			body, err := params[runBody](r.Body)
			if err != nil {
				return nil, err
			}
			p, err := body.params()
			switch {
			case err != nil:
				return nil, err
			case body.Stream || r.Streamed:
				return c.Runs.Stream(ctx, r.IDs[0], p, r.Options...)
			}
			return c.Runs.Create(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "listRuns", Method: http.MethodGet, Path: "/threads/{thread_id}/runs", Served: true,
		Presupposes: listedRuns,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := listParams(r.Query)
			if err != nil {
				return nil, err
			}
			return c.Runs.List(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		// Sent by a caller who left the id empty. The typed methods refuse that, so the call goes by its address.
		ID: slashOperation, Method: http.MethodGet, Path: "/threads/{thread_id}/runs/", Served: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return nil, c.Call(ctx, http.MethodGet, "/threads/"+r.IDs[0]+"/runs/", nil, new(json.RawMessage))
		},
	},
	{
		ID: "getRun", Method: http.MethodGet, Path: "/threads/{thread_id}/runs/{run_id}", Served: true,
		Presupposes: retrievedRun,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Runs.Retrieve(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
	{
		ID: "modifyRun", Method: http.MethodPost, Path: "/threads/{thread_id}/runs/{run_id}", Served: true,
		Presupposes: modifiedRun,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.RunModifyParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.Runs.Modify(ctx, r.IDs[0], r.IDs[1], p, r.Options...)
		},
	},
	{
		ID: "cancelRun", Method: http.MethodPost, Path: "/threads/{thread_id}/runs/{run_id}/cancel", Served: true,
		Presupposes: cancelledRun,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Runs.Cancel(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
	{
		ID: "submitToolOuputsToRun", Method: http.MethodPost, Path: "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs", Served: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			body, err := params[outputsBody](r.Body)
			switch {
			case err != nil:
				return nil, err
			case body.Stream || r.Streamed:
				return c.Runs.SubmitToolOutputsStream(ctx, r.IDs[0], r.IDs[1], body.RunSubmitToolOutputsParams, r.Options...)
			}
			return c.Runs.SubmitToolOutputs(ctx, r.IDs[0], r.IDs[1], body.RunSubmitToolOutputsParams, r.Options...)
		},
	},
	{
		ID: "listRunSteps", Method: http.MethodGet, Path: "/threads/{thread_id}/runs/{run_id}/steps", Served: true,
		Presupposes: listedSteps,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := listParams(r.Query)
			if err != nil {
				return nil, err
			}
			return c.RunSteps.List(ctx, r.IDs[0], r.IDs[1], p, r.Options...)
		},
	},
	{
		ID: "getRunStep", Method: http.MethodGet, Path: "/threads/{thread_id}/runs/{run_id}/steps/{step_id}", Served: true,
		Presupposes: retrievedStep,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.RunSteps.Retrieve(ctx, r.IDs[0], r.IDs[1], r.IDs[2], r.Options...)
		},
	},
}
