package chat

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// Model is a [server.Model] that asks a provider's POST /chat/completions. Make one with [New]. It is safe for
// concurrent use.
type Model struct {
	provider *assistants.Client

	instructor string // the role of instructions
	limit      string // the field of the limit of tokens
	without    provider.Fields
	ignored    []assistants.ToolType
	runner     CodeRunner // nil: none
}

var (
	_ server.Model   = (*Model)(nil)
	_ server.Checker = (*Model)(nil)
	_ server.Lister  = (*Model)(nil)
)

// New returns a Model that asks a provider, which is a Client of it: address, credentials, time limits, retries,
// proxies and logs are the Client's. assistants.NewClient() with OPENAI_API_KEY is OpenAI;
// [assistants.WithAzureOpenAI] with version "v1" is Azure, [assistants.WithBaseURL] any other server.
func New(provider *assistants.Client, opts ...Option) *Model {
	m := &Model{provider: provider, instructor: "system", limit: "max_completion_tokens", without: map[string]bool{}}
	for _, opt := range opts {
		if opt != nil {
			opt(m)
		}
	}
	return m
}

// Option changes one part of a [Model]. A nil Option changes nothing.
type Option func(*Model)

// WithDeveloperRole sends instructions in the role "developer" instead of "system".
func WithDeveloperRole() Option { return func(m *Model) { m.instructor = "developer" } }

// WithMaxTokensField sends what is left of a run's max_completion_tokens as "max_tokens", for servers that do not
// know the newer "max_completion_tokens".
func WithMaxTokensField() Option { return func(m *Model) { m.limit = "max_tokens" } }

// WithoutFields leaves members out of what is sent to the provider, by their names in the API, for one that refuses
// what it does not know: "stream_options", "parallel_tool_calls", "reasoning_effort". What a member would have said
// is lost: without "stream_options" most say nothing about usage, and what they do not say counts as nothing. The
// members "model", "messages" and "stream" are always sent.
func WithoutFields(names ...string) Option {
	return func(m *Model) { m.without.Add(names, "model", "messages", "stream") }
}

// WithIgnoredTools leaves tools of these types out of what the provider's model is offered. Without it an assistant
// with a tool that cannot be served is refused: one with a code interpreter unless there is [WithCodeRunner], and one
// with a tool of a type that is unknown here. Functions cannot be ignored.
func WithIgnoredTools(types ...assistants.ToolType) Option {
	return func(m *Model) { m.ignored = append(m.ignored, types...) }
}

// WithCodeRunner has the code interpreter's code run by runner. Nil, like no option, means that there is no code
// interpreter.
func WithCodeRunner(runner CodeRunner) Option { return func(m *Model) { m.runner = runner } }

var errNoCode = errors.New("this server cannot run code, so an assistant here cannot have the tool 'code_interpreter'")

// Check returns an error for tools that are neither served nor ignored: see [WithIgnoredTools]. Every name of a model
// is accepted, since only the provider knows which there are.
func (m *Model) Check(_ string, tools []assistants.Tool) error {
	for i := range tools {
		switch kind := provider.ToolType(&tools[i]); {
		case kind == assistants.ToolFunction, kind == assistants.ToolFileSearch, m.ignores(kind):
		case kind == assistants.ToolCodeInterpreter && m.runner != nil:
		case kind == assistants.ToolCodeInterpreter:
			return errNoCode
		default:
			return fmt.Errorf("there are no tools of type '%s' here", kind)
		}
	}
	return nil
}

func (m *Model) ignores(kind assistants.ToolType) bool { return slices.Contains(m.ignored, kind) }

// Respond asks the provider, and asks again with what file search and code brought for as long as the provider's
// model uses these tools, at most 8 times: the 9th request forbids it to use any tool. Of calls that are made at
// once, 32 are served. A function that the run does not have is answered here too: that there is none, which counts
// as a use.
func (m *Model) Respond(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	return func(yield func(server.ModelEvent, error) bool) {
		if err := m.Check(call.Model, call.Tools); err != nil {
			yield(nil, provider.Unusable(err))
			return
		}
		a := newAnswer(m, call, func(e server.ModelEvent) bool { return yield(e, nil) })
		if err := a.give(ctx); err != nil && err != errStopped {
			yield(nil, err)
		}
	}
}

// Models lists the provider's models in the order of their names: GET /models. Errors are those of the Client. What
// has no name in the list is left out.
func (m *Model) Models(ctx context.Context) ([]server.ModelInfo, error) {
	return provider.Models(ctx, m.provider)
}
