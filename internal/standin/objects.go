package standin

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
)

type object = map[string]any

// identified is what lists hold.
type identified interface{ id() string }

type thread struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	CreatedAt     int               `json:"created_at"`
	Metadata      map[string]string `json:"metadata"`
	ToolResources json.RawMessage   `json:"tool_resources"`

	messages []*message
	runs     []*run
}

type message struct {
	ID                string            `json:"id"`
	Object            string            `json:"object"`
	CreatedAt         int               `json:"created_at"`
	AssistantID       *string           `json:"assistant_id"`
	ThreadID          string            `json:"thread_id"`
	RunID             *string           `json:"run_id"`
	Status            string            `json:"status"`
	IncompleteDetails object            `json:"incomplete_details"`
	IncompleteAt      *int              `json:"incomplete_at"`
	CompletedAt       *int              `json:"completed_at"`
	Role              string            `json:"role"`
	Content           []part            `json:"content"`
	Attachments       json.RawMessage   `json:"attachments"`
	Metadata          map[string]string `json:"metadata"`
}

func (m *message) id() string { return m.ID }

type part struct {
	Type      string `json:"type"`
	Text      *text  `json:"text,omitzero"`
	ImageFile *image `json:"image_file,omitzero"`
	ImageURL  *image `json:"image_url,omitzero"`
}

type text struct {
	Value       string   `json:"value"`
	Annotations []object `json:"annotations"`
}

// UnmarshalJSON reads text as it is sent, which is less than what is answered.
func (t *text) UnmarshalJSON(data []byte) error {
	t.Annotations = []object{}
	return json.Unmarshal(data, &t.Value)
}

type image struct {
	FileID string `json:"file_id,omitzero"`
	URL    string `json:"url,omitzero"`
	Detail string `json:"detail"`
}

// settings are what a run has of its assistant, unless it was created with others.
type settings struct {
	Model               string          `json:"model"`
	Instructions        *string         `json:"instructions"`
	Tools               json.RawMessage `json:"tools"`
	Temperature         *float64        `json:"temperature"`
	TopP                *float64        `json:"top_p"`
	ReasoningEffort     *string         `json:"reasoning_effort"`
	ResponseFormat      json.RawMessage `json:"response_format"`
	MaxPromptTokens     *int            `json:"max_prompt_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	TruncationStrategy  json.RawMessage `json:"truncation_strategy"`
	ToolChoice          json.RawMessage `json:"tool_choice"`
	ParallelToolCalls   bool            `json:"parallel_tool_calls"`
}

func defaultSettings() settings {
	return settings{
		TruncationStrategy: json.RawMessage(`{"type":"auto","last_messages":null}`),
		ToolChoice:         json.RawMessage(`"auto"`),
		ParallelToolCalls:  true,
	}
}

type step struct {
	ID          string  `json:"id"`
	Object      string  `json:"object"`
	CreatedAt   int     `json:"created_at"`
	RunID       string  `json:"run_id"`
	AssistantID string  `json:"assistant_id"`
	ThreadID    string  `json:"thread_id"`
	Type        string  `json:"type"`
	Status      string  `json:"status"`
	CancelledAt *int    `json:"cancelled_at"`
	CompletedAt *int    `json:"completed_at"`
	ExpiredAt   *int    `json:"expired_at"`
	ExpiresAt   *int    `json:"expires_at"`
	FailedAt    *int    `json:"failed_at"`
	LastError   object  `json:"last_error"`
	StepDetails details `json:"step_details"`
	Usage       *usage  `json:"usage"`
}

func (s *step) id() string { return s.ID }

type details struct {
	Type            string      `json:"type"`
	MessageCreation object      `json:"message_creation,omitzero"`
	ToolCalls       []*toolCall `json:"tool_calls,omitzero"` // also if there are none yet
}

type toolCall struct {
	ID              string    `json:"id"`
	Type            string    `json:"type"`
	Function        *function `json:"function,omitzero"`
	CodeInterpreter *code     `json:"code_interpreter,omitzero"`
}

type function struct {
	Name      string  `json:"name"`
	Arguments string  `json:"arguments"`
	Output    *string `json:"output"`
}

type code struct {
	Input   string   `json:"input"`
	Outputs []object `json:"outputs"`
}

type usage struct {
	PromptTokens       int    `json:"prompt_tokens"`
	CompletionTokens   int    `json:"completion_tokens"`
	TotalTokens        int    `json:"total_tokens"`
	PromptTokenDetails object `json:"prompt_token_details"`
	CompletionDetails  object `json:"completion_tokens_details"`
}

// used is about what a call of the model costs that writes some tokens.
func used(tokens int) *usage {
	const prompt = 20
	return &usage{prompt, tokens, prompt + tokens, object{"cached_tokens": 0}, object{"reasoning_tokens": 0}}
}

func (u *usage) plus(v *usage) *usage {
	if u == nil {
		return v
	}
	sum := used(u.CompletionTokens + v.CompletionTokens)
	sum.PromptTokens = u.PromptTokens + v.PromptTokens
	sum.TotalTokens = sum.PromptTokens + sum.CompletionTokens
	return sum
}

type threadRequest struct {
	Messages      []messageRequest  `json:"messages"`
	ToolResources json.RawMessage   `json:"tool_resources"`
	Metadata      map[string]string `json:"metadata"`
}

type messageRequest struct {
	Role        string            `json:"role"`
	Content     json.RawMessage   `json:"content"`
	Attachments json.RawMessage   `json:"attachments"`
	Metadata    map[string]string `json:"metadata"`
}

// decoded is the body of a request, which may be empty.
func decoded[T any](r *http.Request) (T, error) {
	var in T
	if r.ContentLength == 0 {
		return in, nil
	}
	return in, json.NewDecoder(r.Body).Decode(&in)
}

func (s *service) createThread(r *http.Request) (any, error) {
	in, err := decoded[threadRequest](r)
	if err != nil {
		return nil, err
	}
	return s.addThread(in)
}

func (s *service) addThread(in threadRequest) (*thread, error) {
	t := &thread{
		ID: s.newID("thread"), Object: "thread", CreatedAt: now,
		Metadata: orEmpty(in.Metadata), ToolResources: orElse(in.ToolResources, "{}"),
	}
	s.threads[t.ID] = t
	return t, s.addMessages(t, in.Messages)
}

func (s *service) addMessages(t *thread, in []messageRequest) error {
	for _, request := range in {
		if _, err := s.addMessage(t, request); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) addMessage(t *thread, in messageRequest) (*message, error) {
	m := s.newMessage(t, in.Role)
	m.Status, m.CompletedAt = "completed", new(now)
	m.Attachments, m.Metadata = orElse(in.Attachments, "[]"), orEmpty(in.Metadata)
	var said string
	if json.Unmarshal(in.Content, &said) == nil {
		m.Content = []part{{Type: "text", Text: &text{said, []object{}}}}
	} else if err := json.Unmarshal(in.Content, &m.Content); err != nil {
		return nil, err
	}
	for _, p := range m.Content {
		for _, image := range []*image{p.ImageFile, p.ImageURL} {
			if image != nil {
				image.Detail = cmp.Or(image.Detail, "auto")
			}
		}
	}
	t.messages = append(t.messages, m)
	return m, nil
}

func (s *service) newMessage(t *thread, role string) *message {
	return &message{
		ID: s.newID("msg"), Object: "thread.message", CreatedAt: now, ThreadID: t.ID, Role: role,
		Status: "in_progress", Content: []part{}, Attachments: orElse(nil, "[]"), Metadata: object2{},
	}
}

func getThread(_ *http.Request, t *thread) (any, error) { return t, nil }

func modifyThread(r *http.Request, t *thread) (any, error) {
	in, err := decoded[threadRequest](r)
	if in.ToolResources != nil {
		t.ToolResources = orElse(in.ToolResources, "{}")
	}
	if in.Metadata != nil {
		t.Metadata = in.Metadata
	}
	return t, err
}

func (s *service) deleteThread(_ *http.Request, t *thread) (any, error) {
	delete(s.threads, t.ID)
	return deleted(t.ID, t.Object), nil
}

func deleted(id, kind string) any {
	return object{"id": id, "object": kind + ".deleted", "deleted": true}
}

func (s *service) createMessage(r *http.Request, t *thread) (any, error) {
	if active := t.activeRun(); active != nil {
		return nil, refused("Can't add messages to %s while a run %s is active.", t.ID, active.ID)
	}
	in, err := decoded[messageRequest](r)
	if err != nil {
		return nil, err
	}
	return s.addMessage(t, in)
}

func listMessages(r *http.Request, t *thread) (any, error) {
	run := r.URL.Query().Get("run_id")
	return page(r, slices.DeleteFunc(slices.Clone(t.messages), func(m *message) bool {
		return run != "" && (m.RunID == nil || *m.RunID != run)
	})), nil
}

func getMessage(r *http.Request, t *thread) (any, error) {
	return find("message", r.PathValue("message"), t.messages)
}
