package responses

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// A Model is a [server.Model] that asks a provider by its Responses API. Make one with [New]; it is immutable and safe for
// concurrent use.
type Model struct {
	provider *assistants.Client
	copies   *copies
	without  map[string]bool
	reasons  func(model string) bool
}

var (
	_ server.Model   = (*Model)(nil)
	_ server.Checker = (*Model)(nil)
	_ server.Lister  = (*Model)(nil)
)

// An Option configures a [Model]. A nil one changes nothing.
type Option func(*Model)

// New returns a Model that asks a provider, which is a Client of it, never nil: address, credentials, time limits, retries,
// proxies and logs are the Client's. assistants.NewClient() with OPENAI_API_KEY is OpenAI; WithAzureOpenAI(endpoint, "v1")
// is Azure, where names of models are those of deployments; WithBaseURL is any other.
func New(provider *assistants.Client, opts ...Option) *Model {
	m := &Model{provider: provider, copies: newCopies(provider), without: map[string]bool{}, reasons: reasons}
	for _, opt := range opts {
		if opt != nil {
			opt(m)
		}
	}
	return m
}

// WithoutFields leaves members out of what is sent to the provider, by their names in the API, for one that refuses what it
// does not know: "prompt_cache_key", "stream_options", "include", "parallel_tool_calls". What a member would have said is
// lost: without "store" the provider keeps the conversation, without "include" searches have no results and code no outputs.
// The members "model", "input" and "stream" are always sent.
func WithoutFields(names ...string) Option {
	return func(m *Model) {
		for _, name := range names {
			m.without[name] = name != "model" && name != "input" && name != "stream"
		}
	}
}

// WithReasoning says which models reason. One that does is asked for its reasoning, encrypted, so that it goes on with it once
// the outputs of functions are there instead of beginning anew; others refuse to be asked. The default goes by the names of
// OpenAI's models, and by whether the run has a reasoning effort. Nil: no model does. The function is called by many
// goroutines at once.
func WithReasoning(is func(model string) bool) Option {
	return func(m *Model) {
		m.reasons = is
		if is == nil {
			m.reasons = func(string) bool { return false }
		}
	}
}

// reasons is inferred: whether a model of this name reasons. "o3" and "gpt-5-mini" do, "gpt-5-chat-latest" does not.
func reasons(model string) bool {
	if strings.Contains(model, "chat") {
		return false
	}
	if after, ok := strings.CutPrefix(model, "gpt-"); ok {
		return after != "" && '5' <= after[0] && after[0] <= '9'
	}
	return len(model) > 1 && model[0] == 'o' && '1' <= model[1] && model[1] <= '9'
}

// Check refuses tools that are neither functions, file search nor the code interpreter.
func (m *Model) Check(_ string, tools []assistants.Tool) error {
	for i := range tools {
		switch tools[i].Type {
		case assistants.ToolFunction, assistants.ToolFileSearch, assistants.ToolCodeInterpreter:
		default:
			return fmt.Errorf("there are no tools of type '%s' here", tools[i].Type)
		}
	}
	return nil
}

// errStopped ends a call whose events nobody wants any more.
var errStopped = errors.New("responses: nobody listens")

// Respond asks the provider and returns its answer as it comes. Errors of the provider are a [server.ModelError]; what an
// answer refers to that is no event here, such as a citation of a page in the web, is left out.
func (m *Model) Respond(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	return func(yield func(server.ModelEvent, error) bool) {
		emit := func(e server.ModelEvent) error {
			if !yield(e, nil) {
				return errStopped
			}
			return nil
		}
		if err := m.respond(ctx, call, emit); err != nil && err != errStopped {
			yield(nil, err)
		}
	}
}

// minTokens is the least that max_output_tokens may be.
const minTokens = 16

// respond asks until there is an answer: twice if something of the call's is gone from the provider, or if the model does not
// reason after all. Once there was an event there is no other try.
func (m *Model) respond(ctx context.Context, call *server.ModelCall, emit func(server.ModelEvent) error) error {
	if 0 < call.MaxCompletionTokens && call.MaxCompletionTokens < minTokens {
		return emit(server.FinishLength)
	}
	q, err := m.ask(ctx, call)
	if err != nil {
		return err
	}
	if err := (&answer{ctx: ctx, question: q, emit: emit}).tellLate(q.late); err != nil {
		return err
	}
	a := &answer{ctx: ctx, question: q, emit: emit}
	if err = m.exchange(a); err == nil {
		return nil
	}
	gone := isGone(err) && q.usesCopies()
	if gone {
		if err := q.forget(ctx); err != nil {
			return err
		}
	}
	switch {
	case a.spoke:
		return err
	case gone:
		if q, err = m.ask(ctx, call); err != nil {
			return err
		}
	case reasoningRefused(err) && slices.Contains(q.body.Include, includeReasoning):
		q.body.Include = slices.DeleteFunc(q.body.Include, func(s string) bool { return s == includeReasoning })
	default:
		return err
	}
	return m.exchange(&answer{ctx: ctx, question: q, emit: emit})
}

// exchange sends a question and reads the answer to its end.
func (m *Model) exchange(a *answer) error {
	body, err := m.encode(a.question.body)
	if err != nil {
		return err
	}
	stream, err := provider.Post(a.ctx, m.provider, "/responses", body)
	if err != nil {
		return err
	}
	defer stream.Close()
	a.redact = stream.Redact
	whole, err := stream.Whole()
	if err != nil {
		return err
	}
	if whole != nil {
		return a.end(whole, "")
	}
	return a.read(stream)
}

// isGone is inferred: whether an error says that a file, a vector store or the session of the code interpreter is not there any
// more.
func isGone(err error) bool {
	var shown *server.ModelError
	if !errors.As(err, &shown) {
		return false
	}
	text := strings.ToLower(shown.Message)
	has := func(word string) bool { return strings.Contains(text, word) }
	return slices.ContainsFunc([]string{"expired", "not found", "not exist", "deleted"}, has) &&
		slices.ContainsFunc([]string{"container", "file", "vector store", "vector_store"}, has)
}

// reasoningRefused is inferred: whether an error says that the model has no reasoning to be included.
func reasoningRefused(err error) bool {
	var refused *assistants.APIError
	return errors.As(err, &refused) && refused.StatusCode == http.StatusBadRequest &&
		(strings.HasPrefix(refused.Param, "include") || strings.Contains(strings.ToLower(refused.Message), "encrypted content"))
}

// Models lists the provider's models.
func (m *Model) Models(ctx context.Context) ([]server.ModelInfo, error) {
	var list struct {
		Data []struct {
			ID      string `json:"id"`
			Created int64  `json:"created"`
			OwnedBy string `json:"owned_by"`
		} `json:"data"`
	}
	if err := m.provider.Call(ctx, http.MethodGet, "/models", nil, &list, provider.Options()...); err != nil {
		return nil, err
	}
	known := make(map[string]server.ModelInfo, len(list.Data))
	for _, d := range list.Data {
		if _, again := known[d.ID]; d.ID != "" && !again {
			known[d.ID] = server.ModelInfo{ID: d.ID, CreatedAt: assistants.Timestamp(d.Created), OwnedBy: d.OwnedBy}
		}
	}
	infos := make([]server.ModelInfo, 0, len(known))
	for _, id := range slices.Sorted(maps.Keys(known)) {
		infos = append(infos, known[id])
	}
	return infos, nil
}
