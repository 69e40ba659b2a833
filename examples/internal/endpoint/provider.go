package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
	"github.com/assistants-go/assistants/server/responses"
)

// Env is an environment, such as [os.Getenv]: the value of a variable, "" if it is not set. White space around
// values, which files and shells leave there, is nothing.
type Env func(name string) string

func (e Env) get(name string) string { return strings.TrimSpace(e(name)) }

// A Kind is what an environment can name.
type Kind string

// Kinds. All but Assistants are providers of models: see [NewProvider].
const (
	Assistants Kind = "assistants" // a server of the Assistants API
	OpenAI     Kind = "openai"     // OpenAI's models, by Responses
	Azure      Kind = "azure"      // deployments of Azure OpenAI, by Responses
	Responses  Kind = "responses"  // models of any server of Responses
	Chat       Kind = "chat"       // models of any server of Chat Completions
	StandIn    Kind = "stand-in"   // no model, but something in its place
)

// Named is what an environment names: the documentation of the package has the rule.
func Named(env Env) Kind {
	switch {
	case env.get("OPENAI_BASE_URL") != "":
		return Assistants
	case env.get("CHAT_BASE_URL") != "":
		return Chat
	case env.get("RESPONSES_BASE_URL") != "":
		return Responses
	case env.get("AZURE_OPENAI_ENDPOINT") != "":
		if version := env.get("OPENAI_API_VERSION"); version != "" && version != "v1" {
			return Assistants
		}
		return Azure
	case env.get("OPENAI_API_KEY") != "":
		return OpenAI
	}
	return StandIn
}

// A Provider is who speaks for the assistants of an embedded server. Its user closes it, after the server.
type Provider struct {
	Model server.Model
	Name  string // what it is and where, for people

	client *assistants.Client // nil: nobody is asked
}

// Settings are what is not for the environment to say.
type Settings struct {
	// IgnoreCode leaves code_interpreter out of what a model of Chat Completions is offered, for nobody runs its code. With
	// false, assistants that have it are refused there.
	IgnoreCode bool

	Client []assistants.Option // of the client that asks the provider, such as a logger
}

// patience is how long a model may be silent. A local one reads for minutes before it says its first word, and no run
// takes longer than this.
const patience = 10 * time.Minute

// NewProvider returns a provider, with the address and the key that the environment has for one of its kind. A
// variable that is missing is an error; no error and no Name has a key in it.
func NewProvider(kind Kind, env Env, s Settings) (p *Provider, err error) {
	p = new(Provider)
	opts := slices.Clip(s.Client)
	switch kind {
	case OpenAI:
		p.Name = "models of OpenAI by Responses"
		opts = append(opts, assistants.WithBaseURL("https://api.openai.com/v1")) // not what the environment says of another server
		p.client, err = assistants.NewClient(append(opts, openAI(env)...)...)
	case Azure:
		at := env.get("AZURE_OPENAI_ENDPOINT")
		p.Name = "deployments of Azure OpenAI at " + at + " by Responses"
		opts = append(opts, assistants.WithAzureOpenAI(at, "v1"))
		p.client, err = assistants.NewClient(append(opts, azure(env)...)...)
	case Responses:
		p.client, err = elsewhere(env, "RESPONSES", opts)
		p.Name = "models at " + env.get("RESPONSES_BASE_URL") + " by Responses"
	case Chat:
		return newChat(env, s)
	case StandIn:
		return &Provider{Name: "a stand-in for a model", Model: server.StandIn()}, nil
	default:
		return nil, fmt.Errorf("there is no provider of models called %q", kind)
	}
	if err != nil {
		return nil, err
	}
	p.Model = responses.New(p.client)
	return p, nil
}

// elsewhere returns a client of a server of models with an address of its own, which is in a variable with this beginning, and a
// key. OpenAI's own variables are not for it.
func elsewhere(env Env, variables string, opts []assistants.Option) (*assistants.Client, error) {
	at := env.get(variables + "_BASE_URL")
	if at == "" {
		return nil, errors.New(variables + "_BASE_URL is not set")
	}
	client, err := assistants.NewClient(append(opts,
		assistants.WithBaseURL(at),
		assistants.WithAPIKey(cmp.Or(env.get(variables+"_API_KEY"), "none")), // local servers want none, and take any
		assistants.WithHeader("OpenAI-Organization", ""),
		assistants.WithHeader("OpenAI-Project", ""),
		assistants.WithTimeout(patience),
		assistants.WithStreamIdleTimeout(patience),
	)...)
	if err != nil {
		return nil, fmt.Errorf("%s_BASE_URL, %[1]s_API_KEY: %w", variables, err)
	}
	return client, nil
}

// newChat returns a provider of models by Chat Completions.
func newChat(env Env, s Settings) (*Provider, error) {
	client, err := elsewhere(env, "CHAT", slices.Clip(s.Client))
	if err != nil {
		return nil, err
	}
	at := env.get("CHAT_BASE_URL")
	p := &Provider{Name: "models at " + at + " by Chat Completions", client: client}
	var opts []chat.Option
	if !knowsCompletionTokens(at) {
		opts = append(opts, chat.WithMaxTokensField())
	}
	if s.IgnoreCode {
		opts = append(opts, chat.WithIgnoredTools(assistants.ToolCodeInterpreter))
		p.Name += ", without code_interpreter"
	}
	p.Model = chat.New(client, opts...)
	return p, nil
}

// knowsCompletionTokens tells whether a server knows the newer name of the limit of tokens. OpenAI's models that reason refuse
// the older one, which is the only one that Ollama knows, and which all others know as well.
func knowsCompletionTokens(base string) bool {
	u, err := url.Parse(base)
	return err == nil && (u.Hostname() == "api.openai.com" || strings.HasSuffix(u.Hostname(), ".azure.com"))
}

// openAI is what the environment says of the caller, to OpenAI and to servers of the Assistants API.
func openAI(env Env) (opts []assistants.Option) {
	for name, option := range map[string]func(string) assistants.Option{
		"OPENAI_API_KEY":    assistants.WithAPIKey,
		"OPENAI_ORG_ID":     assistants.WithOrganization,
		"OPENAI_PROJECT_ID": assistants.WithProject,
	} {
		if value := env.get(name); value != "" {
			opts = append(opts, option(value))
		}
	}
	return opts
}

// azure is what the environment says of the caller, to Azure OpenAI and to servers with its addresses.
func azure(env Env) (opts []assistants.Option) {
	if key := env.get("AZURE_OPENAI_API_KEY"); key != "" {
		opts = append(opts, assistants.WithAzureAPIKey(key))
	}
	return opts
}

// first is the first model that a provider lists.
func (p *Provider) first(ctx context.Context) (string, error) {
	var known []server.ModelInfo
	var err error
	if lister, ok := p.Model.(server.Lister); ok {
		known, err = lister.Models(ctx)
	}
	switch {
	case len(known) > 0:
		return known[0].ID, nil
	case err != nil:
		return "", fmt.Errorf("ASSISTANTS_MODEL is not set, and CHAT_BASE_URL lists no models: %w", err)
	}
	return "", errors.New("ASSISTANTS_MODEL is not set, and CHAT_BASE_URL lists no models")
}

// Close closes the connections to the provider.
func (p *Provider) Close() {
	if p.client != nil {
		p.client.CloseIdleConnections()
	}
}
