// Command knowledge measures files on their way, with the client, and what the embedded server makes of them: uploads and
// downloads of one large file, uploads of many small ones, and the indexing and searching of text. It prints what came of
// it as Markdown tables.
//
// The floor is what a careful program would do by hand with net/http: the same bytes from the same reader, over the same
// kind of connection to the same handler. Every round measures all, and ratios are taken within a round.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
)

// settings are how much is measured.
type settings struct {
	rounds int
	size   int64 // of the large file, in bytes
	text   int   // how many files of a megabyte are indexed
	chunks int   // how many chunks are searched, at least
}

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 5, "how often every time is taken")
	flag.Int64Var(&s.size, "size", 1<<30, "bytes of the file that is uploaded and downloaded")
	flag.IntVar(&s.text, "text", 100, "megabytes of text that are indexed")
	flag.IntVar(&s.chunks, "chunks", 100_000, "how many chunks are searched")
	check := flag.Bool("check", false, "exit with status 1 if a target is missed by more than the tolerance")
	tolerance := flag.Float64("tolerance", 0.1, "share by which -check lets a time exceed its target")
	flag.Parse()
	if s.rounds < 1 || s.size < 1 || s.text < 1 || s.chunks < 1 || *tolerance < 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	missed, err := run(os.Stdout, s, *tolerance)
	if err != nil {
		fmt.Fprintln(os.Stderr, "knowledge:", err)
		os.Exit(1)
	}
	if *check && missed {
		os.Exit(1)
	}
}

// run measures everything and prints it, and reports whether a target is missed by more than the tolerance.
func run(w io.Writer, s settings, tolerance float64) (missed bool, err error) {
	fmt.Fprintf(w, "%s, %s/%s, median of %d rounds\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, s.rounds)
	var list []report.Target
	// The index comes last: with a large heap there is more garbage before it is collected.
	for _, part := range []func(io.Writer, settings) ([]report.Target, error){
		uploads, parts, downloads, toDirectory, smallFiles, knowledge,
	} {
		fmt.Fprintln(w)
		more, err := part(w, s)
		if err != nil {
			return false, err
		}
		list = append(list, more...)
	}
	fmt.Fprintln(w)
	return report.Targets(w, list, tolerance), nil
}
