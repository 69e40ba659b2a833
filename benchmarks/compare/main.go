// Command compare measures the clients side by side and prints what came of it as a Markdown table.
//
// Every round measures every client, beginning with another one each time, so that a machine that is slow for a
// while is slow for all of them. What is printed is the median of the rounds; ratios are taken within a round.
//
// Behind the times of calls and streams it prints what is no such time: whether the cost of a piece of text grows with
// their number, how late a piece reaches its reader, and what a thousand open streams hold.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/benchmarks/internal/workload"
)

func main() {
	rounds := flag.Int("rounds", 101, "how often every client is measured")
	slice := flag.Duration("slice", 15*time.Millisecond, "how long a client is measured for each subject in a round")
	check := flag.Bool("check", false, "exit with status 1 if a target is missed by more than the tolerance")
	tolerance := flag.Float64("tolerance", 0.05, "share by which -check lets a ratio exceed its target")
	serve := flag.Bool("serve", false, "be the server of the open streams, which compare starts itself")
	flag.Parse()
	if *serve {
		if err := serveStreams(); err != nil {
			fmt.Fprintln(os.Stderr, "compare:", err)
			os.Exit(1)
		}
		return
	}
	if *rounds < 1 || *slice <= 0 || *tolerance < 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	testing.Init() // now, so that -h does not list the flags of tests
	if err := flag.Set("test.benchtime", slice.String()); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(2)
	}
	missed, err := run(*rounds, *tolerance)
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
	if *check && missed {
		os.Exit(1)
	}
}

// run measures everything and prints it, and reports whether a target is missed by more than the tolerance.
func run(rounds int, tolerance float64) (missed bool, err error) {
	wire, err := workload.Loopback()
	if err != nil {
		return false, err
	}
	results, err := measure(rounds, workload.Clients(wire))
	if err != nil {
		return false, err
	}
	fmt.Printf("%s, %s/%s, median of %d rounds\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, rounds)
	printTable(os.Stdout, results)
	list := targets(results)
	for _, other := range []func(io.Writer) ([]report.Target, error){growth, latency, openStreams} {
		fmt.Println()
		more, err := other(os.Stdout)
		if err != nil {
			return false, err
		}
		list = append(list, more...)
	}
	fmt.Println()
	return report.Targets(os.Stdout, list, tolerance), nil
}

// measure returns what was measured, by subject and client, a result for each round.
func measure(rounds int, clients []workload.Client) (measured, error) {
	results := measured{}
	for _, subject := range workload.Subjects {
		results[subject] = map[string][]testing.BenchmarkResult{}
		for round := range rounds {
			for i := range clients {
				client := clients[(round+i)%len(clients)]
				operation, ok := client.Operations[subject]
				if !ok {
					continue
				}
				result := testing.Benchmark(func(b *testing.B) { workload.Measure(b, operation) })
				if result.N == 0 {
					return nil, fmt.Errorf("%s %s failed", client.Name, subject)
				}
				results[subject][client.Name] = append(results[subject][client.Name], result)
			}
		}
	}
	return results, nil
}
