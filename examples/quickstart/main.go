// Quickstart creates the maths tutor of the API reference, finds it again, changes it and deletes it.
//
// With nothing configured it does so on the embedded server, in this process. With OPENAI_API_KEY, and OPENAI_BASE_URL
// for another server than OpenAI's, or with AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and OPENAI_API_VERSION, it
// talks to that. ASSISTANTS_MODEL names another model than gpt-4o, on Azure a deployment.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
)

func main() { endpoint.Main(run) }

func run(ctx context.Context, client *assistants.Client, out io.Writer) error {
	tutor, err := client.Assistants.Create(ctx, assistants.AssistantCreateParams{
		Model:        endpoint.Model(),
		Name:         "Math Tutor",
		Instructions: "You are a personal math tutor. When asked a question, write and run Python code to answer the question.",
		Tools:        []assistants.Tool{{Type: assistants.ToolCodeInterpreter}},
		Metadata:     assistants.Metadata{"example": "quickstart"},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Created   %s: %s on %s, created %v\n", tutor.ID, tutor.Name, tutor.Model, tutor.CreatedAt)

	if err := use(ctx, client, tutor.ID, out); err != nil {
		_, deleteErr := client.Assistants.Delete(context.WithoutCancel(ctx), tutor.ID) // leave nothing behind
		return errors.Join(err, deleteErr)
	}
	deleted, err := client.Assistants.Delete(ctx, tutor.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Deleted   %s\n", deleted.ID)

	if _, err = client.Assistants.Retrieve(ctx, tutor.ID); !errors.Is(err, assistants.ErrNotFound) {
		return fmt.Errorf("the deleted assistant is still there: %v", err)
	}
	fmt.Fprintln(out, "It is gone:", err)
	return nil
}

func use(ctx context.Context, client *assistants.Client, id string, out io.Writer) error {
	newest, err := client.Assistants.List(ctx, assistants.ListParams{Limit: 5})
	if err != nil {
		return err
	}
	for _, a := range newest.Data {
		fmt.Fprintf(out, "Listed    %s: %s\n", a.ID, a.Name)
	}

	tutor, err := client.Assistants.Retrieve(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Retrieved %s: %d tool, metadata %v\n", tutor.ID, len(tutor.Tools), tutor.Metadata)

	tutor, err = client.Assistants.Modify(ctx, id, assistants.AssistantModifyParams{
		Name:        assistants.Set("Patient Math Tutor"),
		Description: assistants.Set("Explains every step."),
		Metadata:    assistants.Null[assistants.Metadata](),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Modified  %s: %s (%s), metadata %v\n", tutor.ID, tutor.Name, tutor.Description, tutor.Metadata)
	return nil
}
