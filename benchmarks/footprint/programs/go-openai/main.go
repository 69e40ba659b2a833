// Command go-openai retrieves an assistant with github.com/sashabaranov/go-openai. It is there to be built, not run.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/sashabaranov/go-openai"
)

func main() {
	client := openai.NewClient(os.Getenv("OPENAI_API_KEY"))
	assistant, err := client.RetrieveAssistant(context.Background(), os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if assistant.Name != nil {
		fmt.Println(*assistant.Name)
	}
}
