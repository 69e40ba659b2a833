package assistants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// A Message is what a user or an assistant said in a thread.
//
// A field that the service left out or wrote as null is zero.
//
// Reference: https://platform.openai.com/docs/api-reference/messages/object
type Message struct {
	// ID begins with "msg_".
	ID string `json:"id"`
	// Object is "thread.message".
	Object    string    `json:"object"`
	CreatedAt Timestamp `json:"created_at"` // when it was begun
	ThreadID  string    `json:"thread_id"`  // of the thread that it is in
	// Status is "" where the service does not say: it did in streams, and not in the answers of other calls.
	Status MessageStatus `json:"status,omitzero"`
	// IncompleteDetails say why the message is [MessageIncomplete]; nil otherwise.
	IncompleteDetails *MessageIncompleteDetails `json:"incomplete_details,omitzero"`
	CompletedAt       Timestamp                 `json:"completed_at,omitzero"`  // when it was complete
	IncompleteAt      Timestamp                 `json:"incomplete_at,omitzero"` // when it broke off
	Role              Role                      `json:"role"`                   // who speaks
	Content           []ContentPart             `json:"content"`                // in order
	// AssistantID and RunID are of the run that wrote the message; "" if the caller did.
	AssistantID string       `json:"assistant_id"`
	RunID       string       `json:"run_id"`
	Attachments []Attachment `json:"attachments"` // as they were sent
	Metadata    Metadata     `json:"metadata"`    // empty if there is none

	// FileIDs are the files of a message of v1; see [BetaV1].
	FileIDs []string `json:"file_ids,omitzero"`
}

func (m *Message) check() error   { return checkObject(m.Object, "thread.message", m.ID) }
func (m *Message) cursor() string { return m.ID }

// Text is the text of the message: that of its text parts, one below the other. It is "" for a message of images, and
// for a refusal.
func (m *Message) Text() string {
	var texts []string
	for i := range m.Content {
		if text := m.Content[i].Text; text != nil {
			texts = append(texts, text.Value)
		}
	}
	return strings.Join(texts, "\n")
}

// ReplaceAnnotations returns Text with something else in the place of each annotation: see [Text.ReplaceAnnotations].
func (m *Message) ReplaceAnnotations(with func(a Annotation) string) string {
	var texts []string
	for i := range m.Content {
		if text := m.Content[i].Text; text != nil {
			texts = append(texts, text.ReplaceAnnotations(with))
		}
	}
	return strings.Join(texts, "\n")
}

// Refusal is why the model did not answer, "" if it did.
func (m *Message) Refusal() string {
	var texts []string
	for i := range m.Content {
		if text := m.Content[i].Refusal; text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "\n")
}

// Annotations are those of all text parts. [Annotation.FileID] says which files they refer to.
func (m *Message) Annotations() []Annotation {
	var all []Annotation
	for i := range m.Content {
		if text := m.Content[i].Text; text != nil {
			all = append(all, text.Annotations...)
		}
	}
	return all
}

// A Role is that of the one who speaks.
type Role string

// Roles in a thread.
const (
	RoleUser      Role = "user"      // who asks
	RoleAssistant Role = "assistant" // who answers
)

// A MessageStatus is how far a message is.
type MessageStatus string

// Statuses of messages.
const (
	MessageInProgress MessageStatus = "in_progress" // a run is writing it
	MessageIncomplete MessageStatus = "incomplete"  // it broke off
	MessageCompleted  MessageStatus = "completed"   // it is whole
)

// MessageIncompleteDetails say why a message broke off.
type MessageIncompleteDetails struct {
	// Reason is "content_filter", "max_tokens", "run_cancelled", "run_expired" or "run_failed".
	Reason string `json:"reason"`
}

// An Attachment is a file on a message, and the tools that are to read it: for those it is added to the thread's tool
// resources.
type Attachment struct {
	FileID string           `json:"file_id"`        // of the file
	Tools  []AttachmentTool `json:"tools,omitzero"` // nil and empty: the file has no effect
}

// An AttachmentTool is a tool that reads a file.
type AttachmentTool struct {
	Type ToolType `json:"type"` // [ToolCodeInterpreter] or [ToolFileSearch]
}

// MessageCreateParams describe a new message: of a call, of a new thread, or of a new run. [UserMessage] makes the
// usual one.
type MessageCreateParams struct {
	// Role is [RoleUser], or [RoleAssistant] for what an assistant is to have said.
	Role Role `json:"role"`
	// Content is the text, of up to 256,000 characters.
	Content string `json:"content"`
	// Parts are sent instead of Content, for messages that hold more than one text. Both at once are an error of the call.
	Parts []ContentPartParam `json:"-"`
	// Attachments are files for tools to read. nil and empty are none.
	Attachments []Attachment `json:"attachments,omitzero"`
	// Metadata is information of yours. nil and empty are none.
	Metadata Metadata `json:"metadata,omitzero"`

	// FileIDs are up to 10 files, in v1 only.
	FileIDs []string `json:"file_ids,omitzero"`
}

// UserMessage is a message of the user's: a text, and what goes with it, such as images.
//
//	assistants.UserMessage("What is this?", assistants.ImageURLPart("https://host.example/photo.png"))
func UserMessage(text string, more ...ContentPartParam) MessageCreateParams {
	if len(more) == 0 {
		return MessageCreateParams{Role: RoleUser, Content: text}
	}
	parts := make([]ContentPartParam, 0, 1+len(more))
	if text != "" {
		parts = append(parts, TextPart(text))
	}
	return MessageCreateParams{Role: RoleUser, Parts: append(parts, more...)}
}

// MarshalJSON writes Content, or Parts in its place.
func (p MessageCreateParams) MarshalJSON() ([]byte, error) {
	type wire MessageCreateParams // without this method
	switch {
	case p.Role == "":
		return nil, errors.New("message has no role")
	case p.Parts == nil:
		return json.Marshal(wire(p))
	case p.Content != "":
		return nil, fmt.Errorf("message of role %q has Content and Parts at once", p.Role)
	}
	return json.Marshal(struct {
		wire
		Content []ContentPartParam `json:"content"`
	}{wire(p), p.Parts})
}

// MessageModifyParams describe a change of a message.
type MessageModifyParams struct {
	// Metadata replaces all pairs. Null: none.
	Metadata Optional[Metadata] `json:"metadata,omitzero"`
}

// MessageListParams choose a part of a thread's messages. The zero value is the newest page.
type MessageListParams struct {
	// RunID chooses the messages that a run wrote. Empty: all.
	RunID string `url:"run_id,omitempty"`
	// Limit, Order, After and Before are those of [ListParams].
	Limit  int    `url:"limit,omitempty"`
	Order  Order  `url:"order,omitempty"`
	After  string `url:"after,omitempty"`  // the id of a message
	Before string `url:"before,omitempty"` // the id of a message
}

// part is the part of the list that p chooses.
func (p *MessageListParams) part() ListParams { return ListParams{p.Limit, p.Order, p.After, p.Before} }

// MessagesService is the messages in threads of a [Client].
type MessagesService service

// Create adds a message to a thread. While a run of the thread is active the service refuses it.
//
// POST /threads/{thread_id}/messages: https://platform.openai.com/docs/api-reference/messages/createMessage
func (s *MessagesService) Create(ctx context.Context, threadID string, params MessageCreateParams, opts ...RequestOption) (*Message, error) {
	return call(ctx, s.core, post(params, "threads", threadID, "messages"), new(Message), opts)
}

// Retrieve returns a message, or an error that is [ErrNotFound].
//
// GET /threads/{thread_id}/messages/{message_id}: https://platform.openai.com/docs/api-reference/messages/getMessage
func (s *MessagesService) Retrieve(ctx context.Context, threadID, messageID string, opts ...RequestOption) (*Message, error) {
	return call(ctx, s.core, get("threads", threadID, "messages", messageID), new(Message), opts)
}

// Modify changes a message's metadata and returns the message as it then is.
//
// POST /threads/{thread_id}/messages/{message_id}: https://platform.openai.com/docs/api-reference/messages/modifyMessage
func (s *MessagesService) Modify(ctx context.Context, threadID, messageID string, params MessageModifyParams, opts ...RequestOption) (*Message, error) {
	return call(ctx, s.core, post(params, "threads", threadID, "messages", messageID), new(Message), opts)
}

// Delete deletes a message. Its files stay.
//
// DELETE /threads/{thread_id}/messages/{message_id}: https://platform.openai.com/docs/api-reference/messages/deleteMessage
func (s *MessagesService) Delete(ctx context.Context, threadID, messageID string, opts ...RequestOption) (*Deleted, error) {
	return remove(ctx, s.core, "thread.message.deleted", opts, "threads", threadID, "messages", messageID)
}

// List returns a page of a thread's messages; the newest 20 if params is zero.
//
// GET /threads/{thread_id}/messages: https://platform.openai.com/docs/api-reference/messages/listMessages
func (s *MessagesService) List(ctx context.Context, threadID string, params MessageListParams, opts ...RequestOption) (*Page[Message], error) {
	return list[Message](ctx, s.core, get("threads", threadID, "messages"), params, opts)
}

// All iterates over a thread's messages, in the way of [AssistantsService.All].
//
// GET /threads/{thread_id}/messages: https://platform.openai.com/docs/api-reference/messages/listMessages
func (s *MessagesService) All(ctx context.Context, threadID string, params MessageListParams, opts ...RequestOption) iter.Seq2[*Message, error] {
	return all[*Message](params.part(), func(p ListParams) (any, error) {
		return s.List(ctx, threadID, MessageListParams{params.RunID, p.Limit, p.Order, p.After, p.Before}, opts...)
	})
}
