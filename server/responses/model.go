package responses

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/internal/provider"
)

// A Model is a [server.Model] that asks a provider by its Responses API. Make one with [New]; it is safe for concurrent
// use.
type Model struct {
	provider *assistants.Client
	copies   *copies
	without  provider.Fields
	reasons  func(model string) bool

	unreasoning *names // of models that have refused to be asked for their reasoning
}

var (
	_ server.Model   = (*Model)(nil)
	_ server.Checker = (*Model)(nil)
	_ server.Lister  = (*Model)(nil)
)

// An Option configures a [Model]. A nil one changes nothing.
type Option func(*Model)

// New returns a Model that asks a provider, which is a Client of it, never nil: address, credentials, time limits,
// retries, proxies and logs are the Client's. assistants.NewClient() with OPENAI_API_KEY is OpenAI;
// WithAzureOpenAI(endpoint, "v1") is Azure, where names of models are those of deployments; WithBaseURL is any other.
func New(provider *assistants.Client, opts ...Option) *Model {
	m := &Model{
		provider: provider, copies: newCopies(provider), without: map[string]bool{}, reasons: reasons, unreasoning: new(names),
	}
	for _, opt := range opts {
		if opt != nil {
			opt(m)
		}
	}
	return m
}

// WithoutFields leaves members out of what is sent to the provider, by their names in the API, for one that refuses
// what it does not know: "prompt_cache_key", "stream_options", "include", "parallel_tool_calls". What a member would
// have said is lost: without "store" the provider keeps the conversation, without "include" searches have no results
// and code no outputs. The members "model", "input" and "stream" are always sent.
func WithoutFields(names ...string) Option {
	return func(m *Model) { m.without.Add(names, "model", "input", "stream") }
}

// WithReasoning says which models reason. One that does is asked for its reasoning, encrypted, so that it goes on with
// it once the outputs of functions are there instead of beginning anew; others refuse to be asked, and are not
// asked again as long as the Model lives. The default goes by the names of OpenAI's models, and by whether the run has
// a reasoning effort. Nil: no model does. The function is called by many goroutines at once.
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

// Check refuses tools that are neither functions, file search nor the code interpreter. Every name of a model is
// accepted, since only the provider knows which there are.
func (m *Model) Check(_ string, tools []assistants.Tool) error {
	for i := range tools {
		switch kind := provider.ToolType(&tools[i]); kind {
		case assistants.ToolFunction, assistants.ToolFileSearch, assistants.ToolCodeInterpreter:
		default:
			return fmt.Errorf("there are no tools of type '%s' here", kind)
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

// respond tells what is left of the last round, and asks for an answer, unless the run's budget is spent.
func (m *Model) respond(ctx context.Context, call *server.ModelCall, emit func(server.ModelEvent) error) error {
	if err := m.Check(call.Model, call.Tools); err != nil {
		return provider.Unusable(err)
	}
	spent := 0 < call.MaxCompletionTokens && call.MaxCompletionTokens < minTokens
	if kept, _ := recall(call, nil); spent && len(kept.Late) == 0 {
		return emit(server.FinishLength)
	}
	q, err := m.ask(ctx, call)
	if err != nil {
		return err
	}
	late := &answer{ctx: ctx, question: q, emit: emit}
	if late.marks, err = q.marks(); err != nil {
		return err
	}
	if err := late.tellLate(q.late); err != nil {
		return err
	}
	if spent {
		return emit(server.FinishLength)
	}
	return m.insist(ctx, q, late.marks, emit)
}

// insist asks until there is an answer: again if something of the call's is gone from the provider, and again if the
// model does not reason after all. Once there was an event there is no other try.
func (m *Model) insist(ctx context.Context, q *question, known marks, emit func(server.ModelEvent) error) error {
	renewed, plain := false, false
	for {
		a := &answer{ctx: ctx, question: q, emit: emit, marks: known.clone()}
		err := m.exchange(a)
		if plain && (err == nil || a.spoke) {
			m.unreasoning.add(q.call.Model)
		}
		gone := isGone(err) && q.usesCopies()
		if gone {
			if failure := q.forget(ctx); failure != nil {
				return failure
			}
		}
		switch {
		case err == nil || a.spoke:
			return err
		case gone && !renewed:
			renewed = true
			if q, err = m.ask(ctx, q.call); err != nil {
				return err
			}
		case !plain && reasoningRefused(err) && slices.Contains(q.body.Include, includeReasoning):
			plain = true
		default:
			return err
		}
		if plain {
			q.exclude(includeReasoning)
		}
	}
}

// exchange sends a question and reads the answer to its end.
func (m *Model) exchange(a *answer) error {
	body, err := m.without.Without(a.body)
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

// isGone is inferred: whether an error says that a file, a vector store or the session of the code interpreter is not
// there any more.
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

// Models lists the provider's models in the order of their names. Errors are those of the Client.
func (m *Model) Models(ctx context.Context) ([]server.ModelInfo, error) {
	return provider.Models(ctx, m.provider)
}

// names is a set of names. The zero value is empty; it is safe for concurrent use.
type names struct {
	mu  sync.Mutex
	all map[string]bool
}

// maxNames bounds names. When there are more, all are forgotten.
const maxNames = 256

func (n *names) has(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all[name]
}

func (n *names) add(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.all == nil || len(n.all) == maxNames {
		n.all = make(map[string]bool)
	}
	n.all[name] = true
}
