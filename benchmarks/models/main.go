// Command models measures what the embedded server adds to a model behind an API, and prints what came of it as Markdown
// tables: the time from the provider's write to the reader, CPU, and memory, with one run and with a thousand.
//
// The provider is an upstream in a process of its own, which says when it said what. The floor reads the same stream from
// the same upstream with net/http and encoding/json by hand. What a measurement takes beyond its floor is the server's
// own, and that of its client. Every round measures all, and what is subtracted or divided is of the same round.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/process"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
)

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 9, "how often every time is taken")
	flag.DurationVar(&s.pause, "pause", 20*time.Millisecond, "between the deltas of a thousand streams at once")
	check := flag.Bool("check", false, "exit with status 1 if a target is missed by more than the tolerance")
	tolerance := flag.Float64("tolerance", 0.1, "share by which -check lets a time exceed its target")
	serve := flag.Bool("serve", false, "be the upstream, which models starts itself")
	flag.Parse()
	if s.rounds < 1 || s.pause < 0 || *tolerance < 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	missed, err := false, error(nil)
	if *serve {
		err = serveUpstream(os.Stdin, os.Stdout)
	} else {
		missed, err = run(os.Stdout, s, *tolerance)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "models:", err)
		os.Exit(1)
	}
	if *check && missed {
		os.Exit(1)
	}
}

// settings say how much is measured.
type settings struct {
	rounds int
	pause  time.Duration
}

// run measures everything and prints it, and reports whether a target is missed by more than the tolerance.
func run(w io.Writer, s settings, tolerance float64) (missed bool, err error) {
	up, err := process.Start()
	if err != nil {
		return false, err
	}
	defer up.Stop()
	fmt.Fprintf(w, "%s, %s/%s, median of %d rounds\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, s.rounds)
	var list []report.Target
	// The crowds come last: connections by the thousand take time to be closed.
	for _, part := range []func(context.Context, io.Writer, string, settings) ([]report.Target, error){delays, cpu, crowds} {
		fmt.Fprintln(w)
		more, err := part(context.Background(), w, "http://"+up.Addr, s)
		if err != nil {
			return false, err
		}
		list = append(list, more...)
	}
	fmt.Fprintln(w)
	return report.Targets(w, list, tolerance), nil
}
