// Command conversations measures the embedded server and prints what came of it as Markdown tables: runs and streams
// against a floor, and what threads, runs and slow readers hold.
//
// The floor is a bare handler that has the answers ready: the same bytes in the same writes with the same flushes, for
// the same reader over the same kind of connection. What a measurement takes beyond its floor is the server's own.
// Every round measures the server and the floor, and ratios are taken within a round.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
)

func main() {
	rounds := flag.Int("rounds", 21, "how often every time is taken")
	check := flag.Bool("check", false, "exit with status 1 if a target is missed by more than the tolerance")
	tolerance := flag.Float64("tolerance", 0.1, "share by which -check lets a time exceed its target")
	flag.Parse()
	if *rounds < 1 || *tolerance < 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	missed, err := run(os.Stdout, *rounds, *tolerance)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conversations:", err)
		os.Exit(1)
	}
	if *check && missed {
		os.Exit(1)
	}
}

// run measures everything and prints it, and reports whether a target is missed by more than the tolerance.
func run(w io.Writer, rounds int, tolerance float64) (missed bool, err error) {
	fmt.Fprintf(w, "%s, %s/%s, median of %d rounds\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, rounds)
	var list []report.Target
	// Memory comes first: what the others leave in pools is not to be counted.
	for _, part := range []func(io.Writer, int) ([]report.Target, error){crowds, slowReader, runs, streams, delays, longThreads} {
		fmt.Fprintln(w)
		more, err := part(w, rounds)
		if err != nil {
			return false, err
		}
		list = append(list, more...)
	}
	fmt.Fprintln(w)
	return report.Targets(w, list, tolerance), nil
}
