package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// prepare puts together what the provider's model is to see first: the conversation, and what the run has done so
// far.
func (a *answer) prepare(ctx context.Context) error {
	if err := a.findCodeFiles(ctx); err != nil {
		return err
	}
	a.tools = a.newTools()
	if text := a.instructions(); text != "" {
		a.messages = append(a.messages, message{Role: a.model.instructor, Content: content{text: text}})
	}
	var images provider.Images
	own := provider.OwnTurns(a.call)
	for i := range a.call.History[:own] {
		m, err := a.said(ctx, a.call.History[i].Message, &images)
		if err != nil {
			return err
		}
		a.messages = append(a.messages, m...)
	}
	a.restore(a.call.History[own:])
	return nil
}

// said returns a message of the thread. One of an assistant that has no text is left out, since servers refuse it.
func (a *answer) said(ctx context.Context, m *assistants.Message, images *provider.Images) ([]message, error) {
	if m.Role == assistants.RoleAssistant {
		for _, annotation := range m.Annotations() {
			switch {
			case annotation.FileCitation != nil:
				a.marks.add(annotation.Text, annotation.FileCitation.FileID)
			case annotation.FilePath != nil:
				a.files[annotation.Text] = annotation.FilePath.FileID
			}
		}
		text := writtenBy(m)
		if text == "" {
			return nil, nil
		}
		return []message{{Role: "assistant", Content: content{text: text}}}, nil
	}
	c, err := a.asks(ctx, m, images)
	return []message{{Role: "user", Content: c}}, err
}

// asks returns what a user said: a string where there is only text, since not every server knows parts.
func (a *answer) asks(ctx context.Context, m *assistants.Message, images *provider.Images) (content, error) {
	parts := []part{}
	pictures := false
	for i := range m.Content {
		switch p := &m.Content[i]; {
		case p.Text != nil:
			parts = append(parts, part{Type: "text", Text: p.Text.Value})
		case p.ImageURL != nil:
			pictures = true
			parts = append(parts, part{Type: "image_url", ImageURL: &imageURL{p.ImageURL.URL, p.ImageURL.Detail}})
		case p.ImageFile != nil:
			pictures = true
			url, note, err := images.DataURL(ctx, a.call, p.ImageFile)
			if err != nil {
				return content{}, err
			}
			if note != "" {
				parts = append(parts, part{Type: "text", Text: note})
				continue
			}
			parts = append(parts, part{Type: "image_url", ImageURL: &imageURL{url, p.ImageFile.Detail}})
		}
	}
	if !pictures {
		return content{text: m.Text()}, nil
	}
	return content{parts: parts}, nil
}

// writtenBy returns the text of an assistant's message. Images of assistants are nothing that a provider takes.
func writtenBy(m *assistants.Message) string {
	var texts []string
	for i := range m.Content {
		switch p := &m.Content[i]; {
		case p.Text != nil && p.Text.Value != "":
			texts = append(texts, p.Text.Value)
		case p.Refusal != "":
			texts = append(texts, p.Refusal)
		case p.ImageFile != nil || p.ImageURL != nil:
			texts = append(texts, "[An image was shown here]")
		}
	}
	return strings.Join(texts, "\n")
}

// restore goes on where the run stopped: with what the model has kept, else with what the history says.
func (a *answer) restore(own []server.Turn) {
	results := map[string]*assistants.ToolCall{}
	for i := range own {
		for j := range own[i].ToolCalls {
			c := &own[i].ToolCalls[j]
			results[c.ID], a.taken[c.ID] = c, true
			a.logged += loggedBy(c)
		}
	}
	var kept state
	if len(a.call.State) > 0 && json.Unmarshal(a.call.State, &kept) == nil && kept.Exchanges != nil {
		a.partial = true
		a.exchanges, a.late = kept.Exchanges, kept.Late
		for path, id := range kept.Files {
			a.files[path] = id
		}
	} else {
		a.exchanges = a.exchangesOf(own)
	}
	for i := range a.exchanges {
		a.addMarks(&a.exchanges[i], results)
		a.messages = append(a.messages, a.exchanges[i].messages(results)...)
	}
}

// exchangesOf returns what the history has of the run: text, and the calls that were made behind it.
func (a *answer) exchangesOf(own []server.Turn) []exchange {
	var all []exchange
	text := ""
	for i := range own {
		if m := own[i].Message; m != nil {
			if text != "" {
				text += "\n"
			}
			text += writtenBy(m)
			continue
		}
		e := exchange{Text: text}
		text = ""
		for j := range own[i].ToolCalls {
			e.Calls = append(e.Calls, a.callOf(&own[i].ToolCalls[j]))
		}
		all = append(all, e)
	}
	if text != "" {
		all = append(all, exchange{Text: text})
	}
	return all
}

// callOf is inferred: how a call of the history would have been made. What was searched for is not known any more.
func (a *answer) callOf(c *assistants.ToolCall) madeCall {
	made := madeCall{ID: c.ID, Arguments: "{}"}
	switch {
	case c.Function != nil:
		made.Name, made.Arguments = c.Function.Name, c.Function.Arguments
	case c.CodeInterpreter != nil:
		made.Name, made.Arguments = cmp.Or(a.tools.code, codeName), codeArguments(c.CodeInterpreter.Input)
	default:
		made.Name = cmp.Or(a.tools.search, searchName)
	}
	return made
}

// messages returns an exchange as messages, with the results that are not part of it.
func (e *exchange) messages(results map[string]*assistants.ToolCall) []message {
	said := message{Role: "assistant", Content: content{text: e.Text, null: e.Text == ""}}
	var answered []message
	for i := range e.Calls {
		c := &e.Calls[i]
		said.ToolCalls = append(said.ToolCalls, toolCall{c.ID, "function", calledByName{c.Name, objectOf(c.Arguments)}})
		answered = append(answered, message{Role: "tool", ToolCallID: c.ID, Content: content{text: c.result(results[c.ID])}})
	}
	return append([]message{said}, answered...)
}

// result returns what came of a call, of which the history has known; nil if it has nothing.
func (c *madeCall) result(known *assistants.ToolCall) string {
	switch {
	case c.Result != "":
		return c.Result
	case known == nil:
		return shownResults(c.Place, c.found)
	case known.Function != nil:
		return known.Function.Output
	case known.FileSearch != nil:
		return shownResults(c.Place, known.FileSearch.Results)
	case known.CodeInterpreter != nil:
		return shownOutputs(known.CodeInterpreter.Outputs)
	}
	return ""
}

// addMarks makes the results of searches ones that can be cited.
func (a *answer) addMarks(e *exchange, results map[string]*assistants.ToolCall) {
	for i := range e.Calls {
		if known := results[e.Calls[i].ID]; known != nil && known.FileSearch != nil && e.Calls[i].Place != 0 {
			a.marks.addAll(e.Calls[i].Place, known.FileSearch.Results)
		}
	}
}
