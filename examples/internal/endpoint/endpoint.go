// Package endpoint is what the examples have in common: the way to a service, and from it.
//
// What an example talks to is for the environment to say. The first of these variables that is set counts:
//
//   - OPENAI_BASE_URL, with OPENAI_API_KEY: a server of the Assistants API at that address, such as examples/server.
//   - CHAT_BASE_URL, with CHAT_API_KEY if it wants a key: the embedded server, on a model that is asked by Chat
//     Completions. That is how Ollama, vLLM, llama.cpp and LiteLLM serve theirs. Such a model runs no code, so that
//     code_interpreter is left out.
//   - RESPONSES_BASE_URL, with RESPONSES_API_KEY if it wants a key: the embedded server, on a model of any server of
//     Responses.
//   - AZURE_OPENAI_ENDPOINT, with AZURE_OPENAI_API_KEY: the embedded server, on deployments of Azure OpenAI, which are
//     asked by Responses. If OPENAI_API_VERSION is a date, it is one of the Assistants API: the example talks to a
//     server of that at this address.
//   - OPENAI_API_KEY: the embedded server, on models of OpenAI, which are asked by Responses.
//
// With nothing set an example talks to nobody outside its own process: to the embedded server, where a stand-in takes
// the place of a model.
//
// ASSISTANTS_MODEL names another model than gpt-4o, on Azure a deployment. At CHAT_BASE_URL, where hardly anybody has
// a gpt-4o, the first model that is listed there answers in its place unless ASSISTANTS_MODEL is set.
package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// A Program is what an example does with a client. It ends early when ctx does, and leaves nothing behind.
type Program func(ctx context.Context, client *assistants.Client, out io.Writer) error

// Main runs a program until it ends or is interrupted.
func Main(program Program) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	service, err := Connect(ctx, os.Getenv)
	if err == nil {
		fmt.Println("Talking to", service.Name)
		err = errors.Join(program(ctx, service.Client, os.Stdout), service.Close())
	}
	if err != nil {
		log.Fatal(err)
	}
}

// A Service is what an example talks to. Its user closes it.
type Service struct {
	Client *assistants.Client
	Name   string // what it is and where, for people

	api      *server.Server // nil: it is outside this process
	provider *Provider      // of the server's models
}

// Connect returns the service that the environment names, else the embedded server with a stand-in for a model. ctx
// is for finding out which models there are.
func Connect(ctx context.Context, env Env) (*Service, error) {
	kind := Named(env)
	if kind == Assistants {
		return remote(env)
	}
	provider, err := NewProvider(kind, env, Settings{IgnoreCode: true})
	if err != nil {
		return nil, err
	}
	model, name := provider.Model, "the embedded server, on "+provider.Name
	switch {
	case kind == StandIn:
		name = "the embedded server, with " + provider.Name + "; package endpoint says how to name a model"
	case kind == Chat && env.get("ASSISTANTS_MODEL") == "":
		first, err := provider.first(ctx)
		if err != nil {
			return nil, err
		}
		if model, err = server.NewRouter(server.Route{Model: model, As: first}); err != nil {
			return nil, err
		}
		name += "; " + first + " answers, ASSISTANTS_MODEL names another"
	}
	api := server.New(server.WithModel(model))
	client, err := assistants.NewClient(assistants.WithHandler(api), assistants.WithStreamIdleTimeout(patience))
	if err != nil {
		return nil, err
	}
	return &Service{Client: client, Name: name, api: api, provider: provider}, nil
}

// remote is a server of the Assistants API outside this process.
func remote(env Env) (*Service, error) {
	if base := env.get("OPENAI_BASE_URL"); base != "" {
		client, err := assistants.NewClient(append(openAI(env), assistants.WithBaseURL(base))...)
		return &Service{Client: client, Name: "the server at " + base}, err
	}
	at, version := env.get("AZURE_OPENAI_ENDPOINT"), env.get("OPENAI_API_VERSION")
	client, err := assistants.NewClient(append(azure(env), assistants.WithAzureOpenAI(at, version))...)
	return &Service{Client: client, Name: "the server at " + at + ", as Azure OpenAI's of " + version}, err
}

// Close ends the embedded server, if it is one, and all connections.
func (s *Service) Close() error {
	s.Client.CloseIdleConnections()
	if s.api == nil {
		return nil
	}
	err := s.api.Close()
	s.provider.Close()
	return err
}

// Model is the model to use.
func Model() string { return cmp.Or(Env(os.Getenv).get("ASSISTANTS_MODEL"), "gpt-4o") }

// A Delete is the Delete method of a service.
type Delete = func(ctx context.Context, id string, opts ...assistants.RequestOption) (*assistants.Deleted, error)

// Remove is to be deferred when something was created: it deletes that even if ctx has ended, and joins what goes
// wrong to err.
func Remove(ctx context.Context, remove Delete, id string, err *error) {
	_, failed := remove(context.WithoutCancel(ctx), id)
	*err = errors.Join(*err, failed)
}
