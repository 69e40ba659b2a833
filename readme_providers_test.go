package assistants_test

import (
	"context"
	"fmt"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
	"github.com/assistants-go/assistants/server/responses"
)

// The functions of this file are Go code of README.md, which TestDocumentsCompile holds to it.

func newClientOnOpenAI() (*assistants.Client, error) {
	provider, err := assistants.NewClient() // OPENAI_API_KEY; or WithAzureOpenAI(endpoint, "v1"), or WithBaseURL
	if err != nil {
		return nil, err
	}
	return assistants.NewClient(assistants.WithHandler(server.New(server.WithModel(responses.New(provider)))))
}

func newClientOnLocalModel() (*assistants.Client, error) {
	provider, err := assistants.NewClient(
		assistants.WithBaseURL("http://localhost:11434/v1"),
		assistants.WithAPIKey("none"),
		assistants.WithTimeout(10*time.Minute), // until the first word
	)
	if err != nil {
		return nil, err
	}
	local := chat.New(provider, chat.WithMaxTokensField(), chat.WithIgnoredTools(assistants.ToolCodeInterpreter))
	models, err := server.NewRouter(server.Route{Model: local, As: "llama3.2"}) // whatever name an assistant has
	if err != nil {
		return nil, err
	}
	return assistants.NewClient(assistants.WithHandler(server.New(server.WithModel(models))))
}

func newClientForFoundry(token func(context.Context) (string, error)) (*assistants.Client, error) {
	return assistants.NewClient(
		assistants.WithFoundryProject("https://my-resource.services.ai.azure.com/api/projects/my-project"),
		assistants.WithTokenSource(token), // of Entra ID, scope https://ai.azure.com/.default
	)
}

func newClientForCompatibleServer() (*assistants.Client, error) {
	return assistants.NewClient(assistants.WithBaseURL("https://assistants.example/v1"), assistants.WithAPIKey("sk-your-key"))
}

// Nobody is asked before there is a run. A client of OpenAI needs a key, which tests do not have.
func Example_readmeProviders() {
	_ = newClientOnOpenAI
	for _, newClient := range []func() (*assistants.Client, error){
		newClientOnLocalModel,
		newClientForCompatibleServer,
		func() (*assistants.Client, error) {
			return newClientForFoundry(func(context.Context) (string, error) { return "a token", nil })
		},
	} {
		client, err := newClient()
		fmt.Println(client != nil, err)
	}
	// Output:
	// true <nil>
	// true <nil>
	// true <nil>
}
