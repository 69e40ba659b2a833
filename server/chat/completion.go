package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// chunk is a piece of an answer, or a whole one.
type chunk struct {
	Choices []choice        `json:"choices"`
	Usage   *usage          `json:"usage"`
	Error   json.RawMessage `json:"error"`
}

type choice struct {
	Index        provider.Number `json:"index"`
	Delta        piece           `json:"delta"`   // what is new
	Message      *piece          `json:"message"` // the whole answer; see heard
	FinishReason provider.Word   `json:"finish_reason"`
}

// piece is more of what the model says. What it thinks, which some servers show, is not part of it.
type piece struct {
	Content      provider.Text `json:"content"`
	Refusal      provider.Text `json:"refusal"`
	ToolCalls    []fragment    `json:"tool_calls"`
	FunctionCall *function     `json:"function_call"` // of servers that know no other
}

// fragment is more of a call of a function.
type fragment struct {
	Index    *provider.Number `json:"index"`
	ID       provider.Word    `json:"id"`
	Function function         `json:"function"`
}

type function struct {
	Name      provider.Word      `json:"name"`
	Arguments provider.Arguments `json:"arguments"`
}

type usage struct {
	PromptTokens     provider.Number `json:"prompt_tokens"`
	CompletionTokens provider.Number `json:"completion_tokens"`
	PromptDetails    struct {
		CachedTokens provider.Number `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		ReasoningTokens provider.Number `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// completion is what the provider's model has said in answer to one request.
type completion struct {
	text    strings.Builder // as the model wrote it
	refusal strings.Builder
	calls   calls
	finish  provider.Word
	usage   *usage

	live   *live // what the caller is told of it
	whole  bool  // it is no stream
	deltas bool  // one has said something
	seams  struct{ text, refusal provider.Seam }
	begun  bool            // a choice has come
	index  provider.Number // of the choice that counts: the first that came
	billed bool            // the usage has come behind all that was said
}

// complete asks the provider. What the model says is told at once, as far as that can be; all of it is returned.
func (a *answer) complete(ctx context.Context, r *request) (*completion, error) {
	body, err := a.model.without.Without(r)
	if err != nil {
		return nil, err
	}
	stream, err := provider.Post(ctx, a.model.provider, "/chat/completions", body)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	c := &completion{live: a.newLive()}
	err = c.read(ctx, stream)
	if errors.Is(err, errStopped) {
		return c, err
	}
	return c, cmp.Or(c.close(), err, c.calls.check())
}

// read takes the answer in, however it comes.
func (c *completion) read(ctx context.Context, stream *provider.Stream) error {
	whole, err := stream.Whole()
	if err == nil && whole != nil {
		c.whole = true
		err = c.take(stream, whole)
	} else if err == nil {
		err = c.readEvents(ctx, stream)
	}
	if err == nil && !c.begun {
		return provider.Broken(errors.New("chat: the answer has no choices"))
	}
	return err
}

func (c *completion) readEvents(ctx context.Context, stream *provider.Stream) error {
	for {
		data, err := stream.Next()
		switch {
		case err == io.EOF && (stream.Done() || c.finish != "" || c.billed):
			return nil
		case err == io.EOF:
			return provider.Broken(io.ErrUnexpectedEOF)
		case err != nil && c.finish != "" && ctx.Err() == nil:
			return nil // all is there but, perhaps, the usage
		case err != nil:
			return err
		}
		if err := c.take(stream, data); err != nil {
			return err
		}
		if c.finish != "" && c.billed {
			return nil // whenever the connection is closed
		}
	}
}

// take takes a piece of the answer in.
func (c *completion) take(stream *provider.Stream, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	var got chunk
	if err := got.decode(data); err != nil {
		return provider.Broken(err)
	}
	if got.Usage != nil {
		c.usage, c.billed = got.Usage, true // in an error too
	}
	if err := got.failure(stream, data); err != nil {
		return err
	}
	for i := range got.Choices {
		c.billed = false // with some servers every piece has the usage so far
		if err := c.hear(&got.Choices[i]); err != nil {
			return err
		}
	}
	return nil
}

// hear takes a piece of a choice in, if it is of the one that counts.
func (c *completion) hear(got *choice) error {
	if !c.begun {
		c.begun, c.index = true, got.Index
	}
	if got.Index != c.index {
		return nil
	}
	switch got.FinishReason {
	case "":
	case "error", "abort", "cancelled":
		return provider.Reported("", "")
	default:
		c.finish = got.FinishReason
	}
	if heard := c.heard(got); heard != nil {
		return c.say(heard)
	}
	return nil
}

// heard is inferred: what a choice says that has a delta, a message, or both; nil if it says nothing. A message says
// all of it, so in a stream it counts unless there are deltas, which some servers sum up in it.
func (c *completion) heard(got *choice) *piece {
	delta, message := !got.Delta.isEmpty(), !got.Message.isEmpty()
	if c.whole {
		delta = delta && !message
	}
	switch {
	case delta:
		c.deltas = true
		return &got.Delta
	case message && !c.deltas:
		return got.Message
	}
	return nil
}

func (p *piece) isEmpty() bool {
	return p == nil || p.Content == "" && p.Refusal == "" && len(p.ToolCalls) == 0 && p.FunctionCall == nil
}

func (c *completion) say(p *piece) error {
	if err := c.write(c.seams.text.Join(string(p.Content))); err != nil {
		return err
	}
	if err := c.refuse(c.seams.refusal.Join(string(p.Refusal))); err != nil {
		return err
	}
	for i := range p.ToolCalls {
		if err := c.callMore(&p.ToolCalls[i]); err != nil {
			return err
		}
	}
	if p.FunctionCall != nil {
		return c.callMore(&fragment{Index: new(provider.Number), Function: *p.FunctionCall})
	}
	return nil
}

func (c *completion) write(s string) error {
	if s == "" {
		return nil
	}
	c.text.WriteString(s)
	return c.live.write(s)
}

func (c *completion) refuse(s string) error {
	if s == "" {
		return nil
	}
	c.refusal.WriteString(s)
	return c.live.refuse(s)
}

// callMore takes a fragment of a call in.
func (c *completion) callMore(f *fragment) error {
	if err := c.endWords(); err != nil {
		return err
	}
	if err := c.calls.add(f); err != nil {
		return err
	}
	return c.live.advance(c.calls.list)
}

// endWords writes what is left of characters that were cut in two.
func (c *completion) endWords() error {
	if err := c.write(c.seams.text.End()); err != nil {
		return err
	}
	return c.refuse(c.seams.refusal.End())
}

// close ends what is written, also what was held back.
func (c *completion) close() error {
	if err := c.endWords(); err != nil {
		return err
	}
	c.calls.close(c.outcome() != server.FinishStop)
	return c.live.writer.end(len(c.calls.list) > 0)
}

// said is what was written, as it is given back to the provider's model.
func (c *completion) said() string {
	if c.text.Len() > 0 && c.refusal.Len() > 0 {
		return c.text.String() + "\n" + c.refusal.String()
	}
	return c.text.String() + c.refusal.String()
}

// failure returns the error that a chunk reports; nil if it reports none.
func (got *chunk) failure(stream *provider.Stream, data []byte) error {
	isError := isSaid(got.Error)
	if !isError && (len(got.Choices) > 0 || got.Usage != nil) {
		return nil
	}
	var reported struct{ Object, Message, Detail, Code, Type provider.Word }
	switch {
	case !isError: // some servers have errors at the top, in words of their own
		_ = json.Unmarshal(data, &reported) // a chunk is an object, and every value is a word
		if reported.Object != "error" && reported.Message == "" && reported.Detail == "" {
			return nil
		}
	case got.Error[0] != '{' || json.Unmarshal(got.Error, &reported) != nil:
		_ = reported.Message.UnmarshalJSON(got.Error) // any form is one
	}
	message := string(cmp.Or(reported.Message, reported.Detail))
	return provider.Reported(codeOf(reported.Code, reported.Type), stream.Redact(message))
}

// isSaid tells whether a field has a value that says something.
func isSaid(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", "false", `""`, "{}":
		return false
	}
	return true
}

// codeOf returns what an error is about. Some servers have the status of HTTP as the code, and the word as the type.
func codeOf(code, kind provider.Word) string {
	switch {
	case code == "429" || kind == "rate_limit_error" || kind == "insufficient_quota" || kind == "tokens" || kind == "requests":
		return provider.CodeRateLimit
	case code == "" || code == "400":
		return string(kind)
	}
	return string(code)
}

// outcome is how the answer has ended for the caller: [server.FinishStop] unless it is cut.
func (c *completion) outcome() server.Finish {
	switch c.finish {
	case "length", "max_tokens", "model_length":
		return server.FinishLength
	case "content_filter":
		return server.FinishContentFilter
	}
	return server.FinishStop
}

func (u *usage) event() server.Usage {
	return server.Usage{
		PromptTokens: u.PromptTokens.Int(), CompletionTokens: u.CompletionTokens.Int(),
		CachedTokens: u.PromptDetails.CachedTokens.Int(), ReasoningTokens: u.CompletionDetails.ReasoningTokens.Int(),
	}
}
