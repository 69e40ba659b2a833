// Command replay holds the client and the server against recorded exchanges and reports what differs:
//
//	ASSISTANTS_RECORDINGS=folder go run ./replay
//
// The last line counts. The exit status is 1 if anything differs, and 2 if there was nothing to compare.
package main

import (
	"fmt"
	"os"

	"github.com/assistants-go/assistants/conformance/internal/recording"
	"github.com/assistants-go/assistants/conformance/internal/replay"
)

func main() { os.Exit(run()) }

func run() int {
	folder := os.Getenv(recording.FolderVariable)
	if folder == "" {
		fmt.Fprintf(os.Stderr, "replay: set %s to a folder of recordings\n", recording.FolderVariable)
		return 2
	}
	files, err := recording.ReadFolder(folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		return 2
	}
	var total replay.Counts
	for _, f := range files {
		counts, failures := replay.File(f)
		total.Add(counts)
		for _, failure := range failures {
			fmt.Println(failure)
		}
	}
	fmt.Println(total)
	switch {
	case !total.Compared():
		fmt.Fprintf(os.Stderr, "replay: no exchange of %s was compared\n", folder)
		return 2
	case total.Failed > 0:
		return 1
	}
	return 0
}
