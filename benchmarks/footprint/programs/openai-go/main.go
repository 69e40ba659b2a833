// Command openai-go retrieves an assistant with github.com/openai/openai-go. It is there to be built, not run.
package main

//lint:file-ignore SA1019 the official library marks its Assistants API deprecated, and that is what is compared

import (
	"context"
	"fmt"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	client := openai.NewClient(option.WithAPIKey(os.Getenv("OPENAI_API_KEY")))
	assistant, err := client.Beta.Assistants.Get(context.Background(), os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(assistant.Name)
}
