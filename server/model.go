package server

import (
	"context"
	"iter"

	"github.com/assistants-go/assistants"
)

// A Model is what speaks for the assistants: a language model behind some other
// API, a script, a function. The server keeps the protocol; the model only says
// what it wants to say. [WithModel] plugs one in.
//
// Respond makes one call of the model and returns what it yields, as it yields it.
// The sequence is ranged over once, at once, in a goroutine of its own:
//
//   - Events come in the order in which the caller shall see them. Text and hosted
//     tools ([CodeCall], [SearchCall]) may alternate; calls of functions come last,
//     since the run then waits for their outputs. Behind them only [Usage], [State],
//     [Finish] and white space may come; other text, another tool, and arguments, code or
//     results without their call, are errors that fail the run, and so are two calls with
//     one id. A back end that mixes the fragments of several calls has them sorted first.
//   - When the sequence ends, so does the call: the run waits for outputs if
//     functions were called, and has ended otherwise. A sequence without events is an
//     answer too, an empty one.
//   - An error ends the run as failed. Its code and message are shown to the caller if
//     it is, or wraps, a [*ModelError]; otherwise the caller learns that something
//     went wrong, and the log has the error. A panic is such an error.
//   - The context ends when the run is cancelled, expires, or the server is closed.
//     What is yielded after that is dropped, and ends the sequence. A model that looks at
//     neither occupies one of the places of [WithMaxConcurrentCalls] until it returns.
//   - Respond is called by many goroutines at once.
//
// A run yields at most 16 MiB, counting a few bytes for each event; one that goes on fails.
type Model interface {
	Respond(ctx context.Context, call *ModelCall) iter.Seq2[ModelEvent, error]
}

// ModelFunc is a function that is a [Model].
type ModelFunc func(ctx context.Context, call *ModelCall) iter.Seq2[ModelEvent, error]

// Respond calls f.
func (f ModelFunc) Respond(ctx context.Context, call *ModelCall) iter.Seq2[ModelEvent, error] {
	return f(ctx, call)
}

// A ModelCall is what a [Model] is asked. It belongs to the model, which may change it.
type ModelCall struct {
	ThreadID    string // of the thread that the run is on
	RunID       string // of the run
	AssistantID string // of the assistant that runs

	// Round counts the calls of the run: 0 for the first, 1 for the one after outputs were submitted, and so on.
	Round int

	// Model and Instructions are the run's: the assistant's, unless the run has its own. Instructions may be "".
	Model        string
	Instructions string

	// History is the conversation, oldest first: the messages of the thread, as many as the run's truncation strategy
	// leaves, and then what the run itself has done so far. Calls of earlier runs are not part of it.
	History []Turn

	Tools             []assistants.Tool          // of the run
	ToolResources     assistants.ToolResources   // of assistant and thread together, the thread's vector store first
	ToolChoice        assistants.ToolChoice      // auto after the first round: a forced choice has been obeyed by then
	ParallelToolCalls bool                       // whether several functions may be called at once
	ResponseFormat    assistants.ResponseFormat  // of the answer; of type auto unless set
	Temperature       float64                    // 1 unless set
	TopP              float64                    // 1 unless set
	ReasoningEffort   assistants.ReasoningEffort // "" unless set
	Metadata          assistants.Metadata        // of the run

	// MaxPromptTokens and MaxCompletionTokens are what is left of the run's budgets, at least 1; 0 is no limit. A model that
	// has to stop yields [FinishLength].
	MaxPromptTokens     int
	MaxCompletionTokens int

	// State is the last [State] that the model yielded in this run; nil if there was none.
	State []byte

	files  *callFiles // nil: somebody else has made the call
	strict bool       // of a script; see Scripted.Strict
	found  SearchCall // by a script's last search
	shown  []string   // images of a script's code, for its next message
}

// A Turn is one item of a conversation: a message, or calls of tools. The other field is nil. What a model wrote before it
// called functions is a turn of its own, in front of that of the calls, though a back end may want both as one.
type Turn struct {
	Message *assistants.Message // of the caller, or of a run

	// ToolCalls were made together, by the run itself: functions, with the outputs that were submitted, or one call of
	// a hosted tool, with what came of it.
	ToolCalls []assistants.ToolCall
}

// LastUserMessage returns the newest message of the user, or nil if there is none.
func (c *ModelCall) LastUserMessage() *assistants.Message {
	for i := len(c.History) - 1; i >= 0; i-- {
		if m := c.History[i].Message; m != nil && m.Role == assistants.RoleUser {
			return m
		}
	}
	return nil
}

// Outputs returns the function calls whose outputs were submitted just before this call; nil if it is not about outputs.
func (c *ModelCall) Outputs() []assistants.ToolCall {
	if len(c.History) == 0 {
		return nil
	}
	calls := c.History[len(c.History)-1].ToolCalls
	if len(calls) == 0 || calls[0].Function == nil {
		return nil
	}
	return calls
}

// A ModelEvent is one thing that a [Model] yields. The types of this package that say so are all there are.
type ModelEvent interface {
	// weight is what the event counts against the limit of a run, in bytes.
	weight() int
}

// Text is more text of the message that is being written; a message begins with it if there is none. Empty text is
// nothing. A character may be cut in two. It is a [ModelEvent].
type Text string

// NewMessage ends the message that is being written, if there is one; what is written next is another. Without it, text goes
// on with the message until a tool is used. It is a [ModelEvent].
type NewMessage struct{}

// Refusal is more of the model's refusal to answer. It is a [ModelEvent].
type Refusal string

// Citation is a mark in the text that stands for a place in a file. It is written behind the text so far and is a
// [ModelEvent].
type Citation struct {
	Mark   string // such as "【4:0†handbook.md】"
	FileID string // of the file
}

// FilePath says that a path in the text, such as "sandbox:/mnt/data/plot.csv", is that of a file which code has made.
// The path is the last such place in the message so far that stands for no file yet, or is written behind the text if
// there is none. It is a [ModelEvent].
type FilePath struct {
	Path   string // as it stands in the text
	FileID string // of the file
}

// Image shows an image as a part of the message. It is a [ModelEvent].
type Image struct {
	FileID string // of the image
}

// FunctionCall begins a call of a function. Calls that follow each other are made together. It is a [ModelEvent].
type FunctionCall struct {
	ID        string // "" for one that the server makes
	Name      string // of the function
	Arguments string // JSON, or the beginning of it; see [Arguments]
}

// Arguments are more of the arguments of the function call that was begun last. It is a [ModelEvent].
type Arguments string

// CodeCall begins a call of the code interpreter, which the model has run itself. It ends with the next event that is not
// its own. It is a [ModelEvent].
type CodeCall struct {
	ID    string // "" for one that the server makes
	Input string // the code, or the beginning of it; see [CodeInput]
}

// CodeInput is more code of the [CodeCall] that was begun last. It is a [ModelEvent].
type CodeInput string

// CodeLogs is what the code of a [CodeCall] has printed. It is a [ModelEvent].
type CodeLogs string

// CodeImage is an image that the code of a [CodeCall] has shown. It is a [ModelEvent].
type CodeImage struct {
	FileID string // of the image
}

// SearchCall begins a search in files, which the model has made itself. It ends with the next event that is not its own.
// It is a [ModelEvent].
type SearchCall struct {
	ID             string  // "" for one that the server makes
	Ranker         string  // "" for "default_2024_08_21"
	ScoreThreshold float64 // 0 to 1
	// Results, best first, may also follow as [SearchResults].
	Results []assistants.FileSearchResult

	place int // in the conversation, for marks
}

// SearchResults are more results of the [SearchCall] that was begun last. It is a [ModelEvent].
type SearchResults []assistants.FileSearchResult

// Usage is what the call cost, or the part of it since the last Usage: it is booked on the step that is being made. What
// is never said counts as nothing. It is a [ModelEvent].
type Usage struct {
	PromptTokens     int // read
	CompletionTokens int // written
	CachedTokens     int // of those that were read
	ReasoningTokens  int // of those that were written
}

// State is whatever the model wants to be given back in the next call of the same run, such as items of reasoning that
// its back end wants to see again. A later one takes the place of an earlier one. It is written down with the run each time
// the run's status changes. It is a [ModelEvent].
type State []byte

// Finish says why the model stopped, if it was not done. After it, only [Usage] and [State] count. It is a [ModelEvent].
type Finish string

// Reasons to finish.
const (
	// FinishStop is the usual end, as is no Finish at all.
	FinishStop Finish = "stop"
	// FinishLength: the answer is cut because its tokens are used up. The run ends as incomplete, with reason
	// "max_completion_tokens", also if functions were called.
	FinishLength Finish = "length"
	// FinishPromptLength: the answer is whole, and there are no tokens to read for another call. The run ends as
	// incomplete, with reason "max_prompt_tokens".
	FinishPromptLength Finish = "prompt_length"
	// FinishContentFilter: the answer is cut because of what it says. The run ends as incomplete.
	FinishContentFilter Finish = "content_filter"
)

// A ModelError is an error that the run's last_error shows to the caller.
type ModelError struct {
	Code    string // "server_error", "rate_limit_exceeded" or "invalid_prompt"; any other is the first of these
	Message string // for people; it must not hold secrets
}

// Error says both.
func (e *ModelError) Error() string { return e.Code + ": " + e.Message }

// perEvent is what an event counts besides its text: no number of empty ones is free.
const perEvent = 32

// perStep is what counts a new step, a new part of a message, and whatever else is more than text.
const perStep = 1024

func (e Text) weight() int          { return perEvent + len(e) }
func (e NewMessage) weight() int    { return perEvent }
func (e Refusal) weight() int       { return perEvent + len(e) }
func (e Citation) weight() int      { return perStep + 2*len(e.Mark) + len(e.FileID) }
func (e FilePath) weight() int      { return perStep + 2*len(e.Path) + len(e.FileID) }
func (e Image) weight() int         { return perStep + len(e.FileID) }
func (e FunctionCall) weight() int  { return perStep + len(e.ID) + len(e.Name) + len(e.Arguments) }
func (e Arguments) weight() int     { return perEvent + len(e) }
func (e CodeCall) weight() int      { return perStep + len(e.ID) + len(e.Input) }
func (e CodeInput) weight() int     { return perEvent + len(e) }
func (e CodeLogs) weight() int      { return perStep + len(e) }
func (e CodeImage) weight() int     { return perStep + len(e.FileID) }
func (e SearchCall) weight() int    { return perStep + len(e.ID) + SearchResults(e.Results).weight() }
func (e SearchResults) weight() int { return perEvent + weightOfResults(e) }
func (e Usage) weight() int         { return perEvent }
func (e State) weight() int         { return perEvent + len(e) }
func (e Finish) weight() int        { return perEvent }

func weightOfResults(results []assistants.FileSearchResult) int {
	total := 0
	for i := range results {
		r := &results[i]
		total += perStep + len(r.FileID) + len(r.FileName)
		for j := range r.Content {
			total += perEvent + len(r.Content[j].Text)
		}
	}
	return total
}
