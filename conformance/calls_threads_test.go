package conformance

import (
	"context"
	"errors"
	"fmt"

	"github.com/assistants-go/assistants"
)

// calling is a call that nothing refuses.
func calling[T any](name, operation string, do func(ctx context.Context, c *assistants.Client) (T, error)) call {
	return call{operation + ": " + name, operation, func(ctx context.Context, c *assistants.Client, _ string) error {
		_, err := do(ctx, c)
		return err
	}, nil, 0}
}

// streaming is a call that nothing refuses, with its stream read to the end.
func streaming(name, operation string, open func(ctx context.Context, c *assistants.Client) (*assistants.Stream, error)) call {
	return calling(name+", streamed", operation, func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
		stream, err := open(ctx, c)
		if err != nil {
			return nil, err
		}
		defer stream.Close()
		return stream.Wait()
	})
}

// paging are all queries of a list.
var paging = map[string]assistants.ListParams{
	"all defaults": {},
	"cursors":      {After: "a", Before: "b"},
	"ascending":    {Order: assistants.OrderAsc, Limit: 1},
	"descending":   {Order: assistants.OrderDesc, Limit: 100},
}

// unlessUnknown expects the refusal of cursors that are no objects.
func unlessUnknown(c call, p assistants.ListParams) call {
	if p.After != "" {
		return c.refused(assistants.ErrNotFound)
	}
	return c
}

// messages are all forms of a message.
func messages() map[string]assistants.MessageCreateParams {
	type tools = []assistants.AttachmentTool
	code, search := assistants.AttachmentTool{Type: assistants.ToolCodeInterpreter}, assistants.AttachmentTool{Type: assistants.ToolFileSearch}
	all := map[string]assistants.MessageCreateParams{
		"text":            assistants.UserMessage("Hello."),
		"the assistant's": {Role: assistants.RoleAssistant, Content: "Hello."},
		"text part":       {Role: assistants.RoleUser, Parts: []assistants.ContentPartParam{assistants.TextPart("Hello.")}},
		"text and images": assistants.UserMessage("What is this?", assistants.ImageURLPart("https://host.example/a.png"), assistants.ImageFilePart("file_1")),
		"metadata":        {Role: assistants.RoleUser, Content: "Hello.", Metadata: assistants.Metadata{"a": "b"}},
		"empty lists":     {Role: assistants.RoleUser, Content: "Hello.", Attachments: []assistants.Attachment{}, Metadata: assistants.Metadata{}},
		"attachments": {Role: assistants.RoleUser, Content: "Hello.", Attachments: []assistants.Attachment{
			{FileID: "file_1", Tools: tools{code}}, {FileID: "file_2", Tools: tools{search}}, {FileID: "file_3", Tools: tools{code, search}},
			{FileID: "file_4"},
		}},
	}
	for _, detail := range []assistants.ImageDetail{assistants.ImageDetailAuto, assistants.ImageDetailLow, assistants.ImageDetailHigh} {
		all["images, "+string(detail)] = assistants.MessageCreateParams{Role: assistants.RoleUser, Parts: []assistants.ContentPartParam{
			{ImageURL: &assistants.ImageURL{URL: "https://host.example/a.png", Detail: detail}},
			{ImageFile: &assistants.ImageFile{FileID: "file_1", Detail: detail}},
		}}
	}
	return all
}

// threads are all forms of a thread.
func threads() map[string]assistants.ThreadCreateParams {
	all := map[string]assistants.ThreadCreateParams{
		"empty":       {},
		"metadata":    {Metadata: assistants.Metadata{"a": "b"}},
		"empty lists": {Messages: []assistants.MessageCreateParams{}, Metadata: assistants.Metadata{}},
	}
	for name, m := range messages() {
		all["message "+name] = assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{m, m}}
	}
	for name, r := range resources {
		all["resources "+name] = assistants.ThreadCreateParams{ToolResources: r}
	}
	for name, store := range stores {
		all["store "+name] = assistants.ThreadCreateParams{ToolResources: assistants.ToolResources{
			FileSearch: &assistants.FileSearchResources{VectorStores: []assistants.VectorStoreSpec{store}},
		}}
	}
	return all
}

// storeWithoutFiles reports whether a thread asks for a vector store in which there is nothing, which the description
// allows and the service refused.
func storeWithoutFiles(p assistants.ThreadCreateParams) bool {
	search := p.ToolResources.FileSearch
	return search != nil && len(search.VectorStores) > 0 && len(search.VectorStores[0].FileIDs) == 0
}

func threadCalls() []call {
	all := []call{
		calling("by id", "getThread", func(ctx context.Context, c *assistants.Client) (*assistants.Thread, error) {
			return c.Threads.Retrieve(ctx, "thread_1")
		}),
		calling("by id", "deleteThread", func(ctx context.Context, c *assistants.Client) (*assistants.Deleted, error) {
			return c.Threads.Delete(ctx, "thread_1")
		}),
		modifyThread("nothing", assistants.ThreadModifyParams{}),
		modifyThread("metadata", assistants.ThreadModifyParams{Metadata: assistants.Set(assistants.Metadata{"a": "b"})}),
		modifyThread("null", assistants.ThreadModifyParams{
			ToolResources: assistants.Null[assistants.ToolResources](), Metadata: assistants.Null[assistants.Metadata](),
		}),
	}
	for name, p := range threads() {
		made := calling(name, "createThread", func(ctx context.Context, c *assistants.Client) (*assistants.Thread, error) {
			return c.Threads.Create(ctx, p)
		})
		if storeWithoutFiles(p) {
			made = made.refused(assistants.ErrBadRequest)
		}
		all = append(all, made)
	}
	for name, r := range resources {
		all = append(all, modifyThread("resources "+name, assistants.ThreadModifyParams{ToolResources: assistants.Set(r)}))
	}
	return all
}

func modifyThread(name string, p assistants.ThreadModifyParams) call {
	return calling(name, "modifyThread", func(ctx context.Context, c *assistants.Client) (*assistants.Thread, error) {
		return c.Threads.Modify(ctx, "thread_1", p)
	})
}

func messageCalls() []call {
	all := []call{
		calling("by id", "getMessage", func(ctx context.Context, c *assistants.Client) (*assistants.Message, error) {
			return c.Messages.Retrieve(ctx, "thread_1", "msg_1")
		}),
		calling("by id", "deleteMessage", func(ctx context.Context, c *assistants.Client) (*assistants.Deleted, error) {
			return c.Messages.Delete(ctx, "thread_1", "msg_1")
		}),
		listMessages("of a run", assistants.MessageListParams{RunID: "run_1"}),
	}
	for name, metadata := range metadataChanges {
		all = append(all, calling(name, "modifyMessage", func(ctx context.Context, c *assistants.Client) (*assistants.Message, error) {
			return c.Messages.Modify(ctx, "thread_1", "msg_1", assistants.MessageModifyParams{Metadata: metadata})
		}))
	}
	for name, p := range messages() {
		all = append(all, calling(name, "createMessage", func(ctx context.Context, c *assistants.Client) (*assistants.Message, error) {
			return c.Messages.Create(ctx, "thread_1", p)
		}))
	}
	for name, p := range paging {
		list := listMessages(name, assistants.MessageListParams{Limit: p.Limit, Order: p.Order, After: p.After, Before: p.Before})
		all = append(all, unlessUnknown(list, p))
	}
	return all
}

// listMessages lists, and iterates, which asks for the same.
func listMessages(name string, p assistants.MessageListParams) call {
	return calling(name, "listMessages", func(ctx context.Context, c *assistants.Client) (any, error) {
		_, err := c.Messages.List(ctx, "thread_1", p)
		for _, e := range c.Messages.All(ctx, "thread_1", p) {
			err = errors.Join(err, e)
		}
		return nil, err
	})
}

// metadataChanges are all that can be done to metadata.
var metadataChanges = map[string]assistants.Optional[assistants.Metadata]{
	"nothing":     {},
	"metadata":    assistants.Set(assistants.Metadata{"a": "b", "": ""}),
	"no metadata": assistants.Set(assistants.Metadata{}),
	"null":        assistants.Null[assistants.Metadata](),
}

// undescribedCalls send what other servers of the protocol take and the description does not have. This one refuses it.
func undescribedCalls() []call {
	mcp := assistants.ToolResources{MCP: []assistants.MCPResources{{
		ServerLabel: "s", Headers: assistants.MCPHeaders{"A": "b"}, RequireApproval: []byte(`"always"`),
	}}}
	search := assistants.ToolResources{AzureAISearch: []byte(`{"indexes":[]}`)}
	sources := assistants.ToolResources{CodeInterpreter: &assistants.CodeInterpreterResources{DataSources: nil}}
	sources.CodeInterpreter.DataSources = append(sources.CodeInterpreter.DataSources, []byte(`{"type":"uri_asset"}`))
	approval := assistants.RunSubmitToolOutputsParams{ToolApprovals: []assistants.ToolApproval{{ToolCallID: "call_1", Approve: true}}}
	withTool := assistants.RunCreateParams{AssistantID: "asst_1", Tools: []assistants.Tool{
		assistants.RawTool([]byte(`{"type":"mcp","server_label":"s","server_url":"https://host.example"}`)),
	}}
	all := []call{
		calling("approvals", "submitToolOuputsToRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.SubmitToolOutputs(ctx, "thread_1", "run_1", approval)
		}),
		calling("tool of another type", "createRun", func(ctx context.Context, c *assistants.Client) (*assistants.Run, error) {
			return c.Runs.Create(ctx, "thread_1", withTool)
		}),
		calling("files of v1", "createMessage", func(ctx context.Context, c *assistants.Client) (*assistants.Message, error) {
			return c.Messages.Create(ctx, "thread_1", assistants.MessageCreateParams{
				Role: assistants.RoleUser, Content: "Hello.", FileIDs: []string{"file_1"},
			})
		}),
	}
	all[0] = all[0].asking(1)
	for i, r := range []assistants.ToolResources{mcp, search, sources} {
		all = append(all, calling(fmt.Sprintf("resources of Foundry, %d", i), "createThread",
			func(ctx context.Context, c *assistants.Client) (*assistants.Thread, error) {
				return c.Threads.Create(ctx, assistants.ThreadCreateParams{ToolResources: r})
			}))
	}
	for i := range all {
		all[i] = all[i].refused(assistants.ErrBadRequest)
	}
	return all
}
