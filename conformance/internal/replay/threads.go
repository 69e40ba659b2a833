package replay

import (
	"context"
	"net/http"

	"github.com/assistants-go/assistants"
)

var threadOperations = []Operation{
	{
		ID: "createThread", Method: http.MethodPost, Path: "/threads", Served: true,
		Creates: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			body, err := params[threadBody](r.Body)
			if err != nil {
				return nil, err
			}
			p, err := body.params()
			if err != nil {
				return nil, err
			}
			return c.Threads.Create(ctx, p, r.Options...)
		},
	},
	{
		ID: "getThread", Method: http.MethodGet, Path: "/threads/{thread_id}", Served: true,
		Presupposes: retrievedThread,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Threads.Retrieve(ctx, r.IDs[0], r.Options...)
		},
	},
	{
		ID: "modifyThread", Method: http.MethodPost, Path: "/threads/{thread_id}", Served: true,
		Presupposes: modifiedThread,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.ThreadModifyParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.Threads.Modify(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "deleteThread", Method: http.MethodDelete, Path: "/threads/{thread_id}", Served: true,
		Presupposes: deletedThread,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Threads.Delete(ctx, r.IDs[0], r.Options...)
		},
	},
}

var messageOperations = []Operation{
	{
		ID: "createMessage", Method: http.MethodPost, Path: "/threads/{thread_id}/messages", Served: true,
		Creates: true, Presupposes: threadOfMessage,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := messageParams(r.Body)
			if err != nil {
				return nil, err
			}
			return c.Messages.Create(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "listMessages", Method: http.MethodGet, Path: "/threads/{thread_id}/messages", Served: true,
		Presupposes: listedMessages,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := listParams(r.Query, "run_id")
			if err != nil {
				return nil, err
			}
			return c.Messages.List(ctx, r.IDs[0], assistants.MessageListParams{
				RunID: r.Query.Get("run_id"), Limit: p.Limit, Order: p.Order, After: p.After, Before: p.Before,
			}, r.Options...)
		},
	},
	{
		ID: "getMessage", Method: http.MethodGet, Path: "/threads/{thread_id}/messages/{message_id}", Served: true,
		Presupposes: retrievedMessage,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Messages.Retrieve(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
	{
		ID: "modifyMessage", Method: http.MethodPost, Path: "/threads/{thread_id}/messages/{message_id}", Served: true,
		Presupposes: modifiedMessage,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.MessageModifyParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.Messages.Modify(ctx, r.IDs[0], r.IDs[1], p, r.Options...)
		},
	},
	{
		ID: "deleteMessage", Method: http.MethodDelete, Path: "/threads/{thread_id}/messages/{message_id}", Served: true,
		Presupposes: deletedMessage,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Messages.Delete(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
}

// messageParams are those of a recorded body, or of any message if it was not recorded: the client refuses to send
// one without a role.
func messageParams(body []byte) (assistants.MessageCreateParams, error) {
	if body == nil {
		return assistants.UserMessage("not recorded"), nil
	}
	b, err := params[messageBody](body)
	if err != nil {
		return assistants.MessageCreateParams{}, err
	}
	return b.params()
}
