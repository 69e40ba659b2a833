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
	Type         provider.Word   `json:"type"`
	OutputIndex  provider.Number `json:"output_index"` // unplaced if it is not said
	ContentIndex provider.Number `json:"content_index"`
	Delta        provider.Text   `json:"delta"`

	AnnotationIndex provider.Number `json:"annotation_index"`
	Annotation      *annotation     `json:"annotation"`
	Item            json.RawMessage `json:"item"`
	Response        json.RawMessage `json:"response"`

	Error *reported `json:"error"` // of an error, unless the event itself is one

	itemID string // of an event that does not say where its item is
}

// unplaced is the index of an item that an event does not say.
const unplaced = -1

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

// item is an item of an answer's output. One of a type that is not known has nothing but its type and its id.
type item struct {
	ID   provider.Word `json:"id"`
	Type provider.Word `json:"type"`

	Content []part `json:"content"` // of a message

	CallID    provider.Word      `json:"call_id"` // of a call of a function
	Name      provider.Word      `json:"name"`
	Arguments provider.Arguments `json:"arguments"`

	Code        provider.Text `json:"code"` // of a call of the code interpreter
	ContainerID provider.Word `json:"container_id"`
	Outputs     []codeOutput  `json:"outputs"`

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

// part is a part of a message's content. One of a type that is not known is empty.
type part struct {
	Type        provider.Word `json:"type"`
	Text        provider.Text `json:"text"`
	Refusal     provider.Text `json:"refusal"`
	Annotations []annotation  `json:"annotations"`
}

// Types of parts.
const (
	partText    = "output_text"
	partRefusal = "refusal"
)

func (p *part) UnmarshalJSON(data []byte) error {
	type plain part
	return decodeKnown(data, (*plain)(p), func(t string) bool { return t == partText || t == partRefusal })
}

// annotation is an annotation of a text. One of a type that is not known may be empty.
type annotation struct {
	Type        provider.Word   `json:"type"`
	FileID      provider.Word   `json:"file_id"`
	Filename    provider.Word   `json:"filename"`
	Index       provider.Number `json:"index"` // of a citation of a file: where it is
	ContainerID provider.Word   `json:"container_id"`
	Start       provider.Number `json:"start_index"` // of a file of a container: what stands for it
	End         provider.Number `json:"end_index"`
}

// Types of annotations.
const (
	annotationCitation = "file_citation"
	annotationMade     = "container_file_citation"
)

func (n *annotation) UnmarshalJSON(data []byte) error {
	type plain annotation
	return decodeKnown(data, (*plain)(n), func(t string) bool { return t == annotationCitation || t == annotationMade })
}

type codeOutput struct {
	Type provider.Word `json:"type"`
	Logs provider.Word `json:"logs"`
	URL  provider.Word `json:"url"`
}

type searchResult struct {
	FileID     provider.Word         `json:"file_id"`
	Filename   provider.Word         `json:"filename"`
	Score      float64               `json:"score"`
	Text       provider.Word         `json:"text"`
	Attributes assistants.Attributes `json:"attributes"`
}

// response is an answer at its end.
type response struct {
	Status            provider.Word     `json:"status"`
	Output            []json.RawMessage `json:"output"`
	Error             *reported         `json:"error"`
	IncompleteDetails struct {
		Reason provider.Word `json:"reason"`
	} `json:"incomplete_details"`
	Usage *struct {
		InputTokens        provider.Number `json:"input_tokens"`
		OutputTokens       provider.Number `json:"output_tokens"`
		InputTokensDetails struct {
			CachedTokens provider.Number `json:"cached_tokens"`
		} `json:"input_tokens_details"`
		OutputTokensDetails struct {
			ReasoningTokens provider.Number `json:"reasoning_tokens"`
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

// decodeKnown decodes what has a type. That of a type that is not known may have any form: it is left empty then.
func decodeKnown[T any](data []byte, into *T, known func(itsType string) bool) error {
	err := json.Unmarshal(data, into)
	if err == nil {
		return nil
	}
	var head struct {
		Type provider.Word `json:"type"`
	}
	var form *json.UnmarshalTypeError
	if broken := json.Unmarshal(data, &head); broken != nil && !errors.As(broken, &form) || known(string(head.Type)) {
		return err
	}
	*into = *new(T)
	return nil
}

// decodeItem decodes an item, of which those that nobody knows may have any form.
func decodeItem(data []byte) (it item, err error) {
	if err = decodeKnown(data, &it, known); err != nil {
		return item{}, provider.Broken(fmt.Errorf("responses: %w", err))
	}
	if it.Type == "" {
		var head struct {
			ID   provider.Word `json:"id"`
			Type provider.Word `json:"type"`
		}
		_ = json.Unmarshal(data, &head) // what is no object has neither
		it.ID, it.Type = head.ID, head.Type
	}
	return it, nil
}

// decode decodes an event, of which those that nobody knows may have any form.
func (e *event) decode(data []byte) error {
	*e = event{OutputIndex: unplaced}
	if err := decodeKnown(data, e, counts); err != nil {
		return provider.Broken(fmt.Errorf("responses: %w", err))
	}
	if e.OutputIndex != unplaced || e.Item != nil || e.Response != nil {
		return nil
	}
	var whose struct {
		ItemID provider.Word `json:"item_id"`
	}
	_ = json.Unmarshal(data, &whose) // in words that can be read
	e.itemID = string(whose.ItemID)
	return nil
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

// counts tells whether events of a type matter.
func counts(eventType string) bool {
	switch eventType {
	case eventText, eventAnnotation, eventRefusal, eventArguments, eventCode, eventItemAdded, eventItemDone,
		eventCompleted, eventIncomplete, eventFailed, eventError:
		return true
	}
	return false
}
