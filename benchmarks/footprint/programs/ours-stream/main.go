// Command ours-stream runs an assistant with the client of this repository and prints its text as it is written. It is
// there to be built, not run.
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
	stream, err := client.Runs.Stream(context.Background(), os.Args[1], assistants.RunCreateParams{AssistantID: os.Args[2]})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer stream.Close()
	run, err := stream.Handle(assistants.Handler{OnText: func(delta, _ string) { fmt.Print(delta) }})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(run.Status)
}
