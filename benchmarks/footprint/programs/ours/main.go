// Command ours retrieves an assistant with the client of this repository. It is there to be built, not run.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/assistants-go/assistants"
)

func main() {
	client, err := assistants.NewClient(assistants.WithAPIKey(os.Getenv("OPENAI_API_KEY")))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	assistant, err := client.Assistants.Retrieve(context.Background(), os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(assistant.Name)
}
