package assistants

import (
	"context"
	"iter"
)

// This file is what v1 had in place of tool resources and attachments: files of assistants and of messages. Its calls
// need [BetaV1].

// An AssistantFile says that a file belongs to an assistant of v1.
//
// Reference: https://platform.openai.com/docs/api-reference/assistants-v1/file-object
type AssistantFile struct {
	ID          string    `json:"id"`           // of the file
	Object      string    `json:"object"`       // "assistant.file"
	CreatedAt   Timestamp `json:"created_at"`   // when the file was added
	AssistantID string    `json:"assistant_id"` // of the assistant
}

func (f *AssistantFile) check() error   { return checkObject(f.Object, "assistant.file", f.ID) }
func (f *AssistantFile) cursor() string { return f.ID }

// AssistantFileCreateParams name a file that is to belong to an assistant.
type AssistantFileCreateParams struct {
	// FileID is that of a file of [PurposeAssistants].
	FileID string `json:"file_id"`
}

// A MessageFile says that a file belongs to a message of v1.
//
// Reference: https://platform.openai.com/docs/api-reference/messages-v1/file-object
type MessageFile struct {
	ID        string    `json:"id"`         // of the file
	Object    string    `json:"object"`     // "thread.message.file"
	CreatedAt Timestamp `json:"created_at"` // when the file was added
	MessageID string    `json:"message_id"` // of the message
}

func (f *MessageFile) check() error   { return checkObject(f.Object, "thread.message.file", f.ID) }
func (f *MessageFile) cursor() string { return f.ID }

// CreateFile adds a file to an assistant of v1.
//
// POST /assistants/{assistant_id}/files: https://platform.openai.com/docs/api-reference/assistants-v1/createAssistantFile
func (s *AssistantsService) CreateFile(ctx context.Context, assistantID string, params AssistantFileCreateParams, opts ...RequestOption) (*AssistantFile, error) {
	return call(ctx, s.core, post(params, "assistants", assistantID, "files"), new(AssistantFile), opts)
}

// RetrieveFile returns a file of an assistant of v1, or an error that is [ErrNotFound].
//
// GET /assistants/{assistant_id}/files/{file_id}: https://platform.openai.com/docs/api-reference/assistants-v1/getAssistantFile
func (s *AssistantsService) RetrieveFile(ctx context.Context, assistantID, fileID string, opts ...RequestOption) (*AssistantFile, error) {
	return call(ctx, s.core, get("assistants", assistantID, "files", fileID), new(AssistantFile), opts)
}

// DeleteFile takes a file from an assistant of v1. The file itself stays.
//
// DELETE /assistants/{assistant_id}/files/{file_id}: https://platform.openai.com/docs/api-reference/assistants-v1/deleteAssistantFile
func (s *AssistantsService) DeleteFile(ctx context.Context, assistantID, fileID string, opts ...RequestOption) (*Deleted, error) {
	return remove(ctx, s.core, "assistant.file.deleted", opts, "assistants", assistantID, "files", fileID)
}

// ListFiles returns a page of the files of an assistant of v1; the newest 20 if params is zero.
//
// GET /assistants/{assistant_id}/files: https://platform.openai.com/docs/api-reference/assistants-v1/listAssistantFiles
func (s *AssistantsService) ListFiles(ctx context.Context, assistantID string, params ListParams, opts ...RequestOption) (*Page[AssistantFile], error) {
	return list[AssistantFile](ctx, s.core, get("assistants", assistantID, "files"), params, opts)
}

// AllFiles iterates over the files of an assistant of v1, in the way of [AssistantsService.All].
//
// GET /assistants/{assistant_id}/files: https://platform.openai.com/docs/api-reference/assistants-v1/listAssistantFiles
func (s *AssistantsService) AllFiles(ctx context.Context, assistantID string, params ListParams, opts ...RequestOption) iter.Seq2[*AssistantFile, error] {
	return all[*AssistantFile](params, func(p ListParams) (any, error) { return s.ListFiles(ctx, assistantID, p, opts...) })
}

// RetrieveFile returns a file of a message of v1, or an error that is [ErrNotFound].
//
// GET /threads/{thread_id}/messages/{message_id}/files/{file_id}: https://platform.openai.com/docs/api-reference/messages-v1/getMessageFile
func (s *MessagesService) RetrieveFile(ctx context.Context, threadID, messageID, fileID string, opts ...RequestOption) (*MessageFile, error) {
	return call(ctx, s.core, get("threads", threadID, "messages", messageID, "files", fileID), new(MessageFile), opts)
}

// ListFiles returns a page of the files of a message of v1; the newest 20 if params is zero.
//
// GET /threads/{thread_id}/messages/{message_id}/files: https://platform.openai.com/docs/api-reference/messages-v1/listMessageFiles
func (s *MessagesService) ListFiles(ctx context.Context, threadID, messageID string, params ListParams, opts ...RequestOption) (*Page[MessageFile], error) {
	return list[MessageFile](ctx, s.core, get("threads", threadID, "messages", messageID, "files"), params, opts)
}

// AllFiles iterates over the files of a message of v1, in the way of [AssistantsService.All].
//
// GET /threads/{thread_id}/messages/{message_id}/files: https://platform.openai.com/docs/api-reference/messages-v1/listMessageFiles
func (s *MessagesService) AllFiles(ctx context.Context, threadID, messageID string, params ListParams, opts ...RequestOption) iter.Seq2[*MessageFile, error] {
	return all[*MessageFile](params, func(p ListParams) (any, error) {
		return s.ListFiles(ctx, threadID, messageID, p, opts...)
	})
}
