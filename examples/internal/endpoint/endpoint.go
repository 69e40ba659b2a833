// Package endpoint is what the examples have in common: the way to a service, and from it.
//
// With OPENAI_BASE_URL and OPENAI_API_KEY, or with AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and OPENAI_API_VERSION, an
// example talks to the server that they name. A key alone names none, since OpenAI's own has no Assistants any more.
// ASSISTANTS_MODEL names another model than gpt-4o, on Azure a deployment. With nothing configured it talks to nobody outside
// its own process: to the embedded server, where a stand-in takes the place of a model.
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
	client, where, err := Connect()
	if err == nil {
		fmt.Println("Talking to", where)
		err = program(ctx, client, os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// Connect returns a client for the endpoint that the environment names, else for the embedded server in this process.
func Connect() (client *assistants.Client, where string, err error) {
	switch {
	case os.Getenv("AZURE_OPENAI_ENDPOINT") != "":
		client, err = assistants.NewClient(assistants.WithAzureOpenAI("", ""))
		return client, "Azure OpenAI at " + os.Getenv("AZURE_OPENAI_ENDPOINT"), err
	case os.Getenv("OPENAI_BASE_URL") != "":
		client, err = assistants.NewClient()
		return client, os.Getenv("OPENAI_BASE_URL"), err
	}
	client, err = assistants.NewClient(assistants.WithHandler(server.New()))
	return client, "the embedded server, with a stand-in for a model; OPENAI_BASE_URL names another server", err
}

// Model is the model to use.
func Model() string { return cmp.Or(os.Getenv("ASSISTANTS_MODEL"), "gpt-4o") }

// A Delete is the Delete method of a service.
type Delete = func(ctx context.Context, id string, opts ...assistants.RequestOption) (*assistants.Deleted, error)

// Remove is to be deferred when something was created: it deletes that even if ctx has ended, and joins what goes wrong
// to err.
func Remove(ctx context.Context, remove Delete, id string, err *error) {
	_, failed := remove(context.WithoutCancel(ctx), id)
	*err = errors.Join(*err, failed)
}
