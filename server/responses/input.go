package responses

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// This file tells the provider the conversation.

type messageItem struct {
	Type    string `json:"type"`
	Role    string `json:"role"`
	Content []any  `json:"content"`
}

type inputText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type inputImage struct {
	Type   string                 `json:"type"`
	URL    string                 `json:"image_url"`
	Detail assistants.ImageDetail `json:"detail"`
}

type outputText struct {
	Type        string     `json:"type"`
	Text        string     `json:"text"`
	Annotations []struct{} `json:"annotations"` // none: the marks in the text say it all
}

type outputRefusal struct {
	Type    string `json:"type"`
	Refusal string `json:"refusal"`
}

type functionCallItem struct {
	Type      string `json:"type"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type outputItem struct {
	Type   string `json:"type"`
	CallID string `json:"call_id"`
	Output string `json:"output"`
}

// addInput adds the messages, and then what the run itself has done: in the provider's own words if they were kept, else as far
// as the history tells it.
func (q *question) addInput(ctx context.Context) error {
	history := q.call.History
	var images provider.Images
	for i := range history[:q.own] {
		if err := q.addMessage(ctx, history[i].Message, &images); err != nil {
			return err
		}
	}
	done, ok := recall(q.call, history[q.own:])
	q.done, q.late = done, done.late()
	if ok {
		return q.addRounds(done, history[q.own:])
	}
	q.done = rounds{} // what is missing cannot be kept from now on either
	for i := range history[q.own:] {
		turn := &history[q.own+i]
		if turn.Message == nil {
			if err := q.addCalls(turn.ToolCalls, i); err != nil {
				return err
			}
		} else if err := q.addMessage(ctx, turn.Message, &images); err != nil {
			return err
		}
	}
	return q.addOpening()
}

// addOpening has the instructions stand for a conversation that has no messages: the provider asks for one.
func (q *question) addOpening() error {
	if len(q.body.Input) > 0 || q.body.Instructions == "" {
		return nil
	}
	opening := messageItem{"message", "developer", []any{inputText{"input_text", q.body.Instructions}}}
	q.body.Instructions = ""
	return q.add(opening)
}

func (q *question) add(item any) error {
	raw, err := json.Marshal(item)
	if err != nil {
		return err
	}
	q.body.Input = append(q.body.Input, raw)
	return nil
}

// addMessage adds a message, unless there is nothing in it.
func (q *question) addMessage(ctx context.Context, m *assistants.Message, images *provider.Images) error {
	item := messageItem{Type: "message", Role: string(assistants.RoleAssistant)}
	if m.Role == assistants.RoleAssistant {
		item.Content = said(m)
	} else {
		var err error
		item.Role = string(assistants.RoleUser)
		if item.Content, err = q.asked(ctx, m, images); err != nil {
			return err
		}
	}
	if len(item.Content) == 0 {
		return nil
	}
	return q.add(item)
}

// asked is the content of a message of the user.
func (q *question) asked(ctx context.Context, m *assistants.Message, images *provider.Images) (content []any, err error) {
	for i := range m.Content {
		switch part := &m.Content[i]; {
		case part.Text != nil && part.Text.Value != "":
			content = append(content, inputText{"input_text", part.Text.Value})
		case part.ImageURL != nil:
			content = append(content, inputImage{"input_image", part.ImageURL.URL, detailOf(part.ImageURL.Detail)})
		case part.ImageFile != nil:
			url, note, err := images.DataURL(ctx, q.call, part.ImageFile)
			switch {
			case err != nil:
				return nil, err
			case url == "":
				content = append(content, inputText{"input_text", note})
			default:
				content = append(content, inputImage{"input_image", url, detailOf(part.ImageFile.Detail)})
			}
		}
	}
	return content, nil
}

func detailOf(d assistants.ImageDetail) assistants.ImageDetail {
	if d == "" {
		return assistants.ImageDetailAuto
	}
	return d
}

// said is the content of a message of the assistant, which may be text and refusals only.
func said(m *assistants.Message) (content []any) {
	for i := range m.Content {
		switch part := &m.Content[i]; {
		case part.Text != nil && part.Text.Value != "":
			content = append(content, outputText{"output_text", part.Text.Value, []struct{}{}})
		case part.Refusal != "":
			content = append(content, outputRefusal{"refusal", part.Refusal})
		case part.ImageFile != nil || part.ImageURL != nil:
			content = append(content, outputText{"output_text", "[An image was shown here]", []struct{}{}})
		}
	}
	return content
}

// addCalls adds calls of functions with their outputs. What hosted tools have done stays out: only their own provider could
// be told, and its words are gone.
func (q *question) addCalls(calls []assistants.ToolCall, turn int) error {
	for i := range calls {
		if f := calls[i].Function; f != nil {
			if err := q.add(functionCallItem{"function_call", sentID(calls[i].ID, turn, i), f.Name, f.Arguments}); err != nil {
				return err
			}
		}
	}
	for i := range calls {
		if f := calls[i].Function; f != nil {
			if err := q.add(outputItem{"function_call_output", sentID(calls[i].ID, turn, i), f.Output}); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxCallID is how long the provider lets the id of a call be, in bytes.
const maxCallID = 64

// sentID is the id of a call as it is sent: its own unless that is too long.
func sentID(id string, turn, call int) string {
	if id == "" || len(id) > maxCallID {
		return fmt.Sprintf("call_%d_%d", turn, call)
	}
	return id
}
