package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
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

// assistantForm is a stored assistant: its keys in order, and what they are in a new one.
var assistantForm = []struct{ key, initial string }{
	{"id", `""`},
	{"object", `"assistant"`},
	{"created_at", `0`},
	{"name", `null`},
	{"description", `null`},
	{"model", `"gpt-4o"`},
	{"instructions", `null`},
	{"tools", `[]`},
	{"top_p", `1.0`},
	{"temperature", `1.0`},
	{"reasoning_effort", `null`},
	{"tool_resources", `{}`},
	{"metadata", `{}`},
	{"response_format", `"auto"`},
}

// storedAssistant makes an assistant as the server stores it from a recorded one, which may have fewer keys. Keys in
// without are left at their initial values.
func storedAssistant(recorded any, without *jsondiff.Object) (Document, error) {
	o, ok := recorded.(*jsondiff.Object)
	if !ok {
		return Document{}, fmt.Errorf("the answer is no assistant")
	}
	data := []byte{'{'}
	for _, field := range assistantForm {
		value := json.RawMessage(field.initial)
		if v := o.Get(field.key); v != any(jsondiff.Absent) && (without == nil || without.Get(field.key) == any(jsondiff.Absent)) {
			var err error
			if value, err = json.Marshal(v); err != nil {
				return Document{}, err
			}
		}
		data = append(data, fmt.Sprintf("%q:%s,", field.key, value)...)
	}
	data[len(data)-1] = '}'
	return assistantDocument(data)
}

func assistantDocument(data []byte) (Document, error) {
	var head struct {
		ID        string `json:"id"`
		CreatedAt int64  `json:"created_at"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Document{}, err
	}
	if head.ID == "" {
		return Document{}, fmt.Errorf("the answer is no assistant: it has no id")
	}
	return Document{
		In:     server.Collection{Kind: "assistant"},
		Record: server.Record{ID: head.ID, CreatedAt: head.CreatedAt, Data: data},
	}, nil
}

func retrievedAssistant(e *recording.Exchange) (Presupposed, error) {
	answer, err := jsondiff.Parse([]byte(e.ResponseText))
	if err != nil {
		return Presupposed{}, err
	}
	d, err := storedAssistant(answer, nil)
	return Presupposed{Documents: []Document{d}}, err
}

// modifiedAssistant is the assistant before the change: what the request set is not yet there.
func modifiedAssistant(e *recording.Exchange) (Presupposed, error) {
	answer, err := jsondiff.Parse([]byte(e.ResponseText))
	if err != nil {
		return Presupposed{}, err
	}
	request, err := jsondiff.Parse(e.RequestBody)
	if err != nil {
		return Presupposed{}, err
	}
	changed, _ := request.(*jsondiff.Object)
	d, err := storedAssistant(answer, changed)
	return Presupposed{Documents: []Document{d}}, err
}

// deletedAssistant is one of which only the id is known.
func deletedAssistant(e *recording.Exchange) (Presupposed, error) {
	answer, err := jsondiff.Parse([]byte(e.ResponseText))
	if err != nil {
		return Presupposed{}, err
	}
	onlyID, err := jsondiff.Parse([]byte(`{"object":"assistant"}`))
	if err != nil {
		return Presupposed{}, err
	}
	d, err := storedAssistant(answer, onlyID.(*jsondiff.Object))
	return Presupposed{Documents: []Document{d}}, err
}

func listedAssistants(e *recording.Exchange) (Presupposed, error) {
	answer, err := jsondiff.Parse([]byte(e.ResponseText))
	if err != nil {
		return Presupposed{}, err
	}
	page, ok := answer.(*jsondiff.Object)
	if !ok {
		return Presupposed{}, fmt.Errorf("the answer is no page")
	}
	items, _ := page.Get("data").([]any)
	var documents []Document
	for _, item := range items {
		d, err := storedAssistant(item, nil)
		if err != nil {
			return Presupposed{}, err
		}
		documents = append(documents, d)
	}
	p := Presupposed{
		More: page.Get("has_more") == true,
		Beyond: func(id string, at int64) (Document, error) {
			return assistantDocument(fmt.Appendf(nil, `{"id":%q,"object":"assistant","created_at":%d}`, id, at))
		},
	}
	p.listed(documents, e.Query)
	return p, nil
}
