// Command compare measures the clients side by side and prints what came of it as a Markdown table.
//
// Every round measures every client, beginning with another one each time, so that a machine that is slow for a
// while is slow for all of them. What is printed is the median of the rounds; ratios are taken within a round.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/workload"
)

func main() {
	rounds := flag.Int("rounds", 101, "how often every client is measured")
	slice := flag.Duration("slice", 15*time.Millisecond, "how long a client is measured for each subject in a round")
	check := flag.Bool("check", false, "exit with status 1 if a target is missed by more than the tolerance")
	tolerance := flag.Float64("tolerance", 0.05, "share by which -check lets a ratio exceed its target")
	flag.Parse()
	if *rounds < 1 || *slice <= 0 || *tolerance < 0 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	testing.Init() // now, so that -h does not list the flags of tests
	if err := flag.Set("test.benchtime", slice.String()); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(2)
	}
	results := measure(*rounds)
	fmt.Printf("%s, %s/%s, median of %d rounds\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, *rounds)
	printTable(os.Stdout, results)
	fmt.Println()
	missed := printTargets(os.Stdout, results, *tolerance)
	if *check && missed {
		os.Exit(1)
	}
}

// measure returns what was measured, by subject and client, a result for each round.
func measure(rounds int) measured {
	clients := workload.Clients(new(workload.Wire))
	results := measured{}
	for _, subject := range workload.Subjects {
		results[subject] = map[string][]testing.BenchmarkResult{}
		for round := range rounds {
			for i := range clients {
				client := clients[(round+i)%len(clients)]
				result := testing.Benchmark(func(b *testing.B) { workload.Measure(b, client.Operations[subject]) })
				if result.N == 0 {
					fmt.Fprintf(os.Stderr, "compare: %s %s failed\n", client.Name, subject)
					os.Exit(1)
				}
				results[subject][client.Name] = append(results[subject][client.Name], result)
			}
		}
	}
	return results
}
