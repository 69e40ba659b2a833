package replay

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A telling is what the functions of a handler are told of a stream, or should be.
type telling struct {
	Events     int
	Text       string   // of all deltas
	Texts      []string `json:",omitempty"` // that are whole
	Images     []string `json:",omitempty"` // their files
	Messages   []*assistants.Message
	Steps      []*assistants.RunStep
	Calls      []*assistants.ToolCall `json:",omitempty"` // that are whole
	Ends, Errs int
}

// checkHandler has the functions of a handler told of a stream, and compares that with what was recorded.
func (p Passed) checkHandler(e *recording.Exchange, value any, err error) []string {
	stream, ok := value.(*assistants.Stream)
	if !ok || err != nil {
		return []string{fmt.Sprintf("asked again: %T, %v", value, err)}
	}
	defer stream.Close()
	var got telling
	snapshot := ""
	var found []string
	run, err := stream.Handle(assistants.Handler{
		OnEvent:        func(*assistants.Event) { got.Events++ },
		OnTextCreated:  func(*assistants.Text) { snapshot = "" },
		OnTextDone:     func(text *assistants.Text) { got.Texts = append(got.Texts, text.Value) },
		OnImageFile:    func(image *assistants.ImageFile) { got.Images = append(got.Images, image.FileID) },
		OnMessageDone:  func(m *assistants.Message) { got.Messages = append(got.Messages, m) },
		OnRunStepDone:  func(s *assistants.RunStep) { got.Steps = append(got.Steps, s) },
		OnToolCallDone: func(call *assistants.ToolCall) { got.Calls = append(got.Calls, call) },
		OnEnd:          func() { got.Ends++ },
		OnError:        func(error) { got.Errs++ },
		OnText: func(delta, whole string) {
			got.Text += delta
			if snapshot += delta; snapshot != whole {
				found = append(found, fmt.Sprintf("handler's snapshot of a text: got %q, want %q", whole, snapshot))
			}
		},
	})
	if (err != nil) != (got.Errs > 0) {
		found = append(found, fmt.Sprintf("the handler's end: %v, and it was told of %d errors", err, got.Errs))
	}
	if recorded := lastRunJSON(e); recorded != nil {
		found = append(found, prefixed("run that was handled: ", p.checkValue(recorded, run, rulesFor(run)))...)
	}
	want, err := tellingOf(e)
	if err != nil {
		return append(found, err.Error())
	}
	if want.Ends == 0 { // what followed the last whole message is known in parts, and they may be whole
		got.Texts = got.Texts[:min(len(got.Texts), len(want.Texts))]
		got.Images = got.Images[:min(len(got.Images), len(want.Images))]
		got.Calls = got.Calls[:min(len(got.Calls), len(want.Calls))]
	}
	return append(found, same("told the handler", got, want)...)
}

// tellingOf is what handlers should be told of a recorded stream. What a step of an earlier stream came to is no news of
// its calls: they were whole when the run asked for them.
func tellingOf(e *recording.Exchange) (telling, error) {
	events, err := frames(e.ResponseText)
	if err != nil {
		return telling{}, err
	}
	want := telling{Text: recordedText(e), Errs: 1} // if nothing says that the stream is done
	created := make(map[string]bool)
	for _, f := range events {
		want.Events++
		data := []byte(f.data)
		err := error(nil)
		switch f.name {
		case "thread.message.completed", "thread.message.incomplete":
			err = want.addMessage(data)
		case "thread.run.step.created":
			step := new(assistants.RunStep)
			err = json.Unmarshal(data, step)
			created[step.ID] = true
		case "thread.run.step.completed", "thread.run.step.failed", "thread.run.step.cancelled", "thread.run.step.expired":
			err = want.addStep(data, created)
		case "thread.run.requires_action":
			run := new(assistants.Run)
			err = json.Unmarshal(data, run)
			calls := run.FunctionCalls()
			for i := range calls {
				want.Calls = append(want.Calls, &calls[i])
			}
		case doneFrame:
			want.Events, want.Ends, want.Errs = want.Events-1, 1, 0
		case errorFrame:
			want.Events--
		}
		if err != nil {
			return want, fmt.Errorf("recorded %s: %w", strings.TrimPrefix(f.name, "thread."), err)
		}
	}
	return want, nil
}

func (t *telling) addMessage(data []byte) error {
	m := new(assistants.Message)
	if err := json.Unmarshal(data, m); err != nil {
		return err
	}
	t.Messages = append(t.Messages, m)
	for _, part := range m.Content {
		switch {
		case part.Text != nil:
			t.Texts = append(t.Texts, part.Text.Value)
		case part.ImageFile != nil:
			t.Images = append(t.Images, part.ImageFile.FileID)
		}
	}
	return nil
}

func (t *telling) addStep(data []byte, created map[string]bool) error {
	step := new(assistants.RunStep)
	if err := json.Unmarshal(data, step); err != nil {
		return err
	}
	t.Steps = append(t.Steps, step)
	for i := range step.StepDetails.ToolCalls {
		if created[step.ID] {
			t.Calls = append(t.Calls, &step.StepDetails.ToolCalls[i])
		}
	}
	return nil
}
