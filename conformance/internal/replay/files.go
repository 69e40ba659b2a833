package replay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

var fileOperations = []Operation{
	{
		ID: "createFile", Method: http.MethodPost, Path: "/files", Served: true, Creates: true, Form: "file",
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := fileParams(r.Form)
			if err != nil {
				return nil, err
			}
			return c.Files.Upload(ctx, p, r.Options...)
		},
	},
	{
		ID: "listFiles", Method: http.MethodGet, Path: "/files", Served: true,
		Presupposes: listedFiles,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := listParams(r.Query, "purpose")
			if err != nil {
				return nil, err
			}
			return c.Files.List(ctx, assistants.FileListParams{
				Purpose: assistants.FilePurpose(r.Query.Get("purpose")), Limit: p.Limit, Order: p.Order, After: p.After,
			}, r.Options...)
		},
	},
	{
		ID: "retrieveFile", Method: http.MethodGet, Path: "/files/{file_id}", Served: true,
		Presupposes: retrievedFile,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Files.Retrieve(ctx, r.IDs[0], r.Options...)
		},
	},
	{
		ID: "deleteFile", Method: http.MethodDelete, Path: "/files/{file_id}", Served: true,
		Presupposes: deletedFile,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Files.Delete(ctx, r.IDs[0], r.Options...)
		},
	},
	{
		ID: "downloadFile", Method: http.MethodGet, Path: "/files/{file_id}/content", Served: true,
		Presupposes: contentOfFile,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			content, err := c.Files.Content(ctx, r.IDs[0], r.Options...)
			if err != nil {
				return nil, err
			}
			defer content.Close()
			return io.ReadAll(content)
		},
	},
}

var uploadOperations = []Operation{
	{
		ID: "createUpload", Method: http.MethodPost, Path: "/uploads", Served: true, Creates: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.UploadCreateParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.Uploads.Create(ctx, p, r.Options...)
		},
	},
	{
		ID: "addUploadPart", Method: http.MethodPost, Path: "/uploads/{upload_id}/parts", Served: true, Creates: true, Form: "data",
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := partParams(r.Form)
			if err != nil {
				return nil, err
			}
			return c.Uploads.AddPart(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "completeUpload", Method: http.MethodPost, Path: "/uploads/{upload_id}/complete", Served: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.UploadCompleteParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.Uploads.Complete(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "cancelUpload", Method: http.MethodPost, Path: "/uploads/{upload_id}/cancel", Served: true,
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Uploads.Cancel(ctx, r.IDs[0], r.Options...)
		},
	},
}

// v1FileOperations are those that v1 had and the server has not.
var v1FileOperations = []Operation{
	{
		ID: "createAssistantFile", Method: http.MethodPost, Path: "/assistants/{assistant_id}/files",
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := params[assistants.AssistantFileCreateParams](r.Body)
			if err != nil {
				return nil, err
			}
			return c.Assistants.CreateFile(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "listAssistantFiles", Method: http.MethodGet, Path: "/assistants/{assistant_id}/files",
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := listParams(r.Query)
			if err != nil {
				return nil, err
			}
			return c.Assistants.ListFiles(ctx, r.IDs[0], p, r.Options...)
		},
	},
	{
		ID: "getAssistantFile", Method: http.MethodGet, Path: "/assistants/{assistant_id}/files/{file_id}",
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Assistants.RetrieveFile(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
	{
		ID: "deleteAssistantFile", Method: http.MethodDelete, Path: "/assistants/{assistant_id}/files/{file_id}",
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Assistants.DeleteFile(ctx, r.IDs[0], r.IDs[1], r.Options...)
		},
	},
	{
		ID: "listMessageFiles", Method: http.MethodGet, Path: "/threads/{thread_id}/messages/{message_id}/files",
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			p, err := listParams(r.Query)
			if err != nil {
				return nil, err
			}
			return c.Messages.ListFiles(ctx, r.IDs[0], r.IDs[1], p, r.Options...)
		},
	},
	{
		ID: "getMessageFile", Method: http.MethodGet, Path: "/threads/{thread_id}/messages/{message_id}/files/{file_id}",
		Call: func(ctx context.Context, c *assistants.Client, r Request) (any, error) {
			return c.Messages.RetrieveFile(ctx, r.IDs[0], r.IDs[1], r.IDs[2], r.Options...)
		},
	},
}

// fileParams are those of a form, or of any file if it was not recorded. A field that no parameter stands for is an
// error.
func fileParams(form []recording.FormField) (assistants.FileUploadParams, error) {
	var p assistants.FileUploadParams
	if form == nil {
		p.File, p.Filename = bytes.NewReader(nil), "not recorded"
	}
	for i := range form {
		f := &form[i]
		content, _ := f.Content()
		switch f.Name {
		case "file":
			p.File, p.Filename, p.ContentType = bytes.NewReader(content), f.Filename, f.ContentType
		case "purpose":
			p.Purpose = assistants.FilePurpose(content)
		case "expires_after[anchor]":
			expiration(&p).Anchor = assistants.ExpirationAnchor(content)
		case "expires_after[seconds]":
			var err error
			if expiration(&p).Seconds, err = strconv.ParseInt(string(content), 10, 64); err != nil {
				return p, err
			}
		default:
			return p, fmt.Errorf("the parameters have no field for %q", f.Name)
		}
	}
	return p, nil
}

func expiration(p *assistants.FileUploadParams) *assistants.FileExpiration {
	if p.ExpiresAfter == nil {
		p.ExpiresAfter = new(assistants.FileExpiration)
	}
	return p.ExpiresAfter
}

// partParams are those of a form, or of any part if it was not recorded.
func partParams(form []recording.FormField) (assistants.UploadPartParams, error) {
	p := assistants.UploadPartParams{Data: bytes.NewReader(nil)}
	for i := range form {
		if form[i].Name != "data" {
			return p, fmt.Errorf("the parameters have no field for %q", form[i].Name)
		}
		content, _ := form[i].Content()
		p.Data = bytes.NewReader(content)
	}
	return p, nil
}

// storeFileParams are those of a list of a vector store's files.
func storeFileParams(query url.Values) (assistants.VectorStoreFileListParams, error) {
	p, err := listParams(query, "filter")
	return assistants.VectorStoreFileListParams{
		Filter: assistants.VectorStoreFileStatus(query.Get("filter")), Limit: p.Limit, Order: p.Order, After: p.After, Before: p.Before,
	}, err
}
