package main

import (
	"fmt"
	"io"
	"testing"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/benchmarks/internal/workload"
)

type measured = map[string]map[string][]testing.BenchmarkResult

var (
	names = []string{workload.Floor, workload.Ours, workload.OursEvents, workload.OpenAIGo, workload.GoOpenAI}
	peers = []string{workload.OpenAIGo, workload.GoOpenAI}
)

func nsPerOp(r testing.BenchmarkResult) float64     { return float64(r.T.Nanoseconds()) / float64(r.N) }
func bytesPerOp(r testing.BenchmarkResult) float64  { return float64(r.AllocedBytesPerOp()) }
func allocsPerOp(r testing.BenchmarkResult) float64 { return float64(r.AllocsPerOp()) }

func printTable(w io.Writer, results measured) {
	fmt.Fprintln(w, "| what | client | ns/op | B/op | allocs/op | ratio to floor |")
	fmt.Fprintln(w, "|---|---|--:|--:|--:|--:|")
	for _, subject := range workload.Subjects {
		for _, name := range names {
			rounds := results[subject][name]
			if len(rounds) == 0 { // the client knows no such call
				continue
			}
			fmt.Fprintf(w, "| %s | %s | %.0f | %.0f | %.0f | %.2f |\n", subject, name,
				median(rounds, nsPerOp), median(rounds, bytesPerOp), median(rounds, allocsPerOp),
				ratio(results[subject], name, workload.Floor))
		}
	}
}

func targets(results measured) []report.Target {
	list := []report.Target{
		{
			What:  "Retrieve, time in floors",
			Got:   ratio(results[workload.Retrieve], workload.Ours, workload.Floor),
			Limit: 1.1,
		},
		{
			What:  "Retrieve, allocations",
			Got:   median(results[workload.Retrieve][workload.Ours], allocsPerOp),
			Limit: 100,
			Exact: true,
		},
		{
			What:  "List, time in floors",
			Got:   ratio(results[workload.List], workload.Ours, workload.Floor),
			Limit: 1.05,
		},
		{
			What:  "List messages, time in floors",
			Got:   ratio(results[workload.Messages], workload.Ours, workload.Floor),
			Limit: 1.05,
		},
		{
			What:  "Stream, time in floors",
			Got:   ratio(results[workload.Stream], workload.Ours, workload.Floor),
			Limit: 1.1,
		},
		{
			What:  fmt.Sprintf("Stream, bytes allocated for %d pieces", workload.StreamLength),
			Got:   median(results[workload.Stream][workload.Ours], bytesPerOp),
			Limit: 1e6,
			Exact: true,
		},
	}
	for _, subject := range workload.Subjects {
		for _, peer := range peers {
			if len(results[subject][peer]) == 0 {
				continue
			}
			list = append(list, report.Target{
				What:  fmt.Sprintf("%s, time in those of %s", subject, peer),
				Got:   ratio(results[subject], workload.Ours, peer),
				Limit: 1,
			})
		}
	}
	return list
}

// ratio is the median of what a client took in each round, in units of what another took in it.
func ratio(rounds map[string][]testing.BenchmarkResult, name, unit string) float64 {
	ratios := make([]float64, len(rounds[name]))
	for i, result := range rounds[name] {
		ratios[i] = nsPerOp(result) / nsPerOp(rounds[unit][i])
	}
	return report.Median(ratios)
}

func median(results []testing.BenchmarkResult, of func(testing.BenchmarkResult) float64) float64 {
	values := make([]float64, len(results))
	for i, result := range results {
		values[i] = of(result)
	}
	return report.Median(values)
}
