package responses

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// This file has the forms of what the provider answers, as far as they matter here.

// An event is one event of a stream: most of them are a few characters of text, and decoding those is most of the work.
type event struct {
	Type         string `json:"type"`
	OutputIndex  int    `json:"output_index"`
	ContentIndex int    `json:"content_index"`
	Delta        string `json:"delta"`

	AnnotationIndex int             `json:"annotation_index"`
	Annotation      *annotation     `json:"annotation"`
	Item            json.RawMessage `json:"item"`
	Response        json.RawMessage `json:"response"`

	Error *reported `json:"error"` // of an error, unless the event itself is one
}

// reported is an error that is part of an answer.
type reported struct{ code, message string }

// UnmarshalJSON reads an error whatever its form: it is better told in part than not at all.
func (r *reported) UnmarshalJSON(data []byte) error {
	var object struct {
		Code    json.RawMessage `json:"code"`
		Message json.RawMessage `json:"message"`
	}
	*r = reported{}
	if json.Unmarshal(data, &object) != nil {
		_ = json.Unmarshal(data, &r.message)
		return nil
	}
	_ = json.Unmarshal(object.Code, &r.code)
	_ = json.Unmarshal(object.Message, &r.message)
	return nil
}

// item is an item of an answer's output.
type item struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Status string `json:"status"`

	Content []part `json:"content"` // of a message

	CallID    string `json:"call_id"` // of a call of a function
	Name      string `json:"name"`
	Arguments string `json:"arguments"`

	Code        string       `json:"code"` // of a call of the code interpreter
	ContainerID string       `json:"container_id"`
	Outputs     []codeOutput `json:"outputs"`

	Results []searchResult `json:"results"` // of a search
}

// Types of items.
const (
	itemMessage  = "message"
	itemFunction = "function_call"
	itemCode     = "code_interpreter_call"
	itemSearch   = "file_search_call"
)

// known tells whether items of a type become events.
func known(itemType string) bool {
	switch itemType {
	case itemMessage, itemFunction, itemCode, itemSearch:
		return true
	}
	return false
}

type part struct {
	Type        string       `json:"type"`
	Text        string       `json:"text"`
	Refusal     string       `json:"refusal"`
	Annotations []annotation `json:"annotations"`
}

type annotation struct {
	Type        string `json:"type"`
	FileID      string `json:"file_id"`
	Filename    string `json:"filename"`
	Index       int    `json:"index"` // of a citation of a file: where it is
	ContainerID string `json:"container_id"`
	Start       int    `json:"start_index"` // of a file of a container: what stands for it
	End         int    `json:"end_index"`
}

// Types of annotations.
const (
	annotationCitation = "file_citation"
	annotationMade     = "container_file_citation"
)

type codeOutput struct {
	Type string `json:"type"`
	Logs string `json:"logs"`
	URL  string `json:"url"`
}

type searchResult struct {
	FileID     string                `json:"file_id"`
	Filename   string                `json:"filename"`
	Score      float64               `json:"score"`
	Text       string                `json:"text"`
	Attributes assistants.Attributes `json:"attributes"`
}

// response is an answer at its end.
type response struct {
	Status            string            `json:"status"`
	Output            []json.RawMessage `json:"output"`
	Error             *reported         `json:"error"`
	IncompleteDetails struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
	Usage *struct {
		InputTokens        int `json:"input_tokens"`
		OutputTokens       int `json:"output_tokens"`
		InputTokensDetails struct {
			CachedTokens int `json:"cached_tokens"`
		} `json:"input_tokens_details"`
		OutputTokensDetails struct {
			ReasoningTokens int `json:"reasoning_tokens"`
		} `json:"output_tokens_details"`
	} `json:"usage"`
}

// decode reads JSON that the provider has sent. What has another form than it should is an error like one that is cut.
func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return provider.Broken(fmt.Errorf("responses: %w", err))
	}
	return nil
}

// decodeEvent is decode for an event, of which those that nobody knows may have any form. Ok is false for them.
func decodeEvent(data []byte, e *event) (ok bool, err error) {
	*e = event{}
	if err := json.Unmarshal(data, e); err != nil {
		var form *json.UnmarshalTypeError
		if errors.As(err, &form) && !e.counts() {
			return false, nil
		}
		return false, provider.Broken(fmt.Errorf("responses: %w", err))
	}
	return true, nil
}

// Types of events that matter. The others repeat what these say, or are about what has no counterpart here.
const (
	eventText       = "response.output_text.delta"
	eventAnnotation = "response.output_text.annotation.added"
	eventRefusal    = "response.refusal.delta"
	eventArguments  = "response.function_call_arguments.delta"
	eventCode       = "response.code_interpreter_call_code.delta"
	eventItemAdded  = "response.output_item.added"
	eventItemDone   = "response.output_item.done"
	eventCompleted  = "response.completed"
	eventIncomplete = "response.incomplete"
	eventFailed     = "response.failed"
	eventError      = "error"
)

// counts tells whether the event is one that matters.
func (e *event) counts() bool {
	switch e.Type {
	case eventText, eventAnnotation, eventRefusal, eventArguments, eventCode, eventItemAdded, eventItemDone,
		eventCompleted, eventIncomplete, eventFailed, eventError:
		return true
	}
	return false
}
