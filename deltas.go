package assistants

import "strings"

// A MessageDelta is what was added to a message.
//
// Reference: https://platform.openai.com/docs/api-reference/assistants-streaming/message-delta-object
type MessageDelta struct {
	ID     string              `json:"id"`     // of the message
	Object string              `json:"object"` // "thread.message.delta"
	Delta  MessageDeltaDetails `json:"delta"`  // what was added
}

func (d *MessageDelta) check() error { return checkObject(d.Object, "thread.message.delta", d.ID) }

// Text is the text that was added, "" if none was.
func (d *MessageDelta) Text() string {
	if len(d.Delta.Content) == 1 && d.Delta.Content[0].Text != nil { // as a rule
		return d.Delta.Content[0].Text.Value
	}
	var b strings.Builder
	for i := range d.Delta.Content {
		if part := d.Delta.Content[i].Text; part != nil {
			b.WriteString(part.Value)
		}
	}
	return b.String()
}

// MessageDeltaDetails are what was added to a message.
type MessageDeltaDetails struct {
	Role    Role               `json:"role,omitzero"` // "" as a rule: the service did not repeat it
	Content []ContentPartDelta `json:"content"`       // parts that are new, and additions to parts

	// FileIDs are the files of a message of v1.
	FileIDs []string `json:"file_ids,omitzero"`
}

// A ContentPartDelta is what was added to a part of a message: the part with Index, which is new if there was none.
// Of strings it has the end, which is to be appended.
type ContentPartDelta struct {
	Index     int         `json:"index"` // of the part in the message's content, from 0
	Type      ContentType `json:"type"`
	Text      *TextDelta  `json:"text,omitzero"`       // of ContentText
	ImageFile *ImageFile  `json:"image_file,omitzero"` // of ContentImageFile
	ImageURL  *ImageURL   `json:"image_url,omitzero"`  // of ContentImageURL
	Refusal   string      `json:"refusal,omitzero"`    // of ContentRefusal
}

// A TextDelta is what was added to a text.
type TextDelta struct {
	Value       string            `json:"value"`                // to be appended
	Annotations []AnnotationDelta `json:"annotations,omitzero"` // that are new
}

// An AnnotationDelta is an annotation that is new.
type AnnotationDelta struct {
	Index int `json:"index"` // among the text's annotations, from 0
	Annotation
}

// A RunStepDelta is what was added to a step.
//
// Reference: https://platform.openai.com/docs/api-reference/assistants-streaming/run-step-delta-object
type RunStepDelta struct {
	ID     string              `json:"id"`     // of the step
	Object string              `json:"object"` // "thread.run.step.delta"
	Delta  RunStepDeltaDetails `json:"delta"`  // what was added
}

func (d *RunStepDelta) check() error { return checkObject(d.Object, "thread.run.step.delta", d.ID) }

// RunStepDeltaDetails are what was added to a step.
type RunStepDeltaDetails struct {
	StepDetails StepDetailsDelta `json:"step_details"` // what the step did since
}

// StepDetailsDelta are what a step did since.
type StepDetailsDelta struct {
	Type            RunStepType      `json:"type"`
	MessageCreation *MessageCreation `json:"message_creation,omitzero"` // of RunStepMessageCreation
	ToolCalls       []ToolCallDelta  `json:"tool_calls,omitzero"`       // of RunStepToolCalls
}

// A ToolCallDelta is what was added to a call of a tool: the call with Index, which is new if there was none. Of
// strings it has the end, which is to be appended; ID and the name of a function come once.
type ToolCallDelta struct {
	Index           int                       `json:"index"`       // of the call in the step, from 0
	ID              string                    `json:"id,omitzero"` // of a new call
	Type            ToolType                  `json:"type"`
	Function        *FunctionCall             `json:"function,omitzero"`         // of ToolFunction
	CodeInterpreter *CodeInterpreterCallDelta `json:"code_interpreter,omitzero"` // of ToolCodeInterpreter
	FileSearch      *FileSearchCall           `json:"file_search,omitzero"`      // of ToolFileSearch
	Retrieval       *RetrievalCall            `json:"retrieval,omitzero"`        // of ToolRetrieval

	Name        string `json:"name,omitzero"`         // of ToolMCP
	Arguments   string `json:"arguments,omitzero"`    // of ToolMCP
	Output      string `json:"output,omitzero"`       // of ToolMCP
	ServerLabel string `json:"server_label,omitzero"` // of ToolMCP
}

// A CodeInterpreterCallDelta is what was added to a call of the code interpreter.
type CodeInterpreterCallDelta struct {
	Input   string                       `json:"input,omitzero"`   // to be appended
	Outputs []CodeInterpreterOutputDelta `json:"outputs,omitzero"` // that are new, and additions to logs
}

// A CodeInterpreterOutputDelta is an output that is new, or what was added to one.
type CodeInterpreterOutputDelta struct {
	Index int `json:"index"` // among the call's outputs, from 0
	CodeInterpreterOutput
}
