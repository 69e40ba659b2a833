package replay

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

var assistantOperations = []Operation{
	{
		ID: "createAssistant", Method: http.MethodPost, Path: "/assistants", Served: true, Creates: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.AssistantCreateParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.Assistants.Create(ctx, p, r.Options...)
		},
	},
	{
		ID: "listAssistants", Method: http.MethodGet, Path: "/assistants", Served: true,
		Presupposes: listedAssistants,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := listParams(r.Query)
			if err != nil {
				return nil, err
			}
			return c.Assistants.List(ctx, p, r.Options...)
		},
	},
	{
		ID: "getAssistant", Method: http.MethodGet, Path: "/assistants/{assistant_id}", Served: true,
		Presupposes: retrievedAssistant,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Assistants.Retrieve(ctx, r.IDs[0], r.Options...)
		},
	},
	{
		ID: "modifyAssistant", Method: http.MethodPost, Path: "/assistants/{assistant_id}", Served: true,
		Presupposes: modifiedAssistant,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.AssistantModifyParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.Assistants.Modify(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "deleteAssistant", Method: http.MethodDelete, Path: "/assistants/{assistant_id}", Served: true,
		Presupposes: deletedAssistant,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Assistants.Delete(ctx, r.IDs[0], r.Options...)
		},
	},
	{
		// Sent by a caller who left the id empty. The typed methods refuse that, so the call goes by its address.
		ID: slashOperation, Method: http.MethodPost, Path: "/assistants/", Served: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return nil, c.Call(ctx, http.MethodPost, "/assistants/", json.RawMessage(r.Body), nil)
		},
	},
}

func retrievedAssistant(e *recording.Exchange) (Presupposed, error) {
	return answered(e, assistantForm, nil)
}

// modifiedAssistant is the assistant before the change: what the request set is not yet there.
func modifiedAssistant(e *recording.Exchange) (Presupposed, error) {
	changed, err := requestObject(e)
	if err != nil {
		return Presupposed{}, err
	}
	return answered(e, assistantForm, changed)
}

// deletedAssistant is one of which only the id is known.
func deletedAssistant(e *recording.Exchange) (Presupposed, error) {
	d, err := assistantForm.known(`{"id":%q}`, lastOf(e.Path))
	return Presupposed{Documents: []Document{d}}, err
}

func listedAssistants(e *recording.Exchange) (Presupposed, error) {
	p, err := listed(e, assistantForm)
	p.Beyond = func(which string, at int64) (Document, error) {
		return assistantForm.known(`{"id":%q,"created_at":%d}`, "asst_"+which, at)
	}
	return p, err
}
