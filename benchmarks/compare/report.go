package main

import (
	"fmt"
	"io"
	"slices"
	"testing"

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

// A target is a number to reach, or to stay below.
type target struct {
	what       string
	got, limit float64
	exact      bool // the number does not depend on the machine, so it is given no tolerance
}

func targets(results measured) []target {
	list := []target{
		{
			what:  "Retrieve, time in floors",
			got:   ratio(results[workload.Retrieve], workload.Ours, workload.Floor),
			limit: 1.1,
		},
		{
			what:  "Retrieve, allocations",
			got:   median(results[workload.Retrieve][workload.Ours], allocsPerOp),
			limit: 100,
			exact: true,
		},
		{
			what:  "List, time in floors",
			got:   ratio(results[workload.List], workload.Ours, workload.Floor),
			limit: 1.05,
		},
		{
			what:  "List messages, time in floors",
			got:   ratio(results[workload.Messages], workload.Ours, workload.Floor),
			limit: 1.05,
		},
		{
			what:  "Stream, time in floors",
			got:   ratio(results[workload.Stream], workload.Ours, workload.Floor),
			limit: 1.1,
		},
		{
			what:  fmt.Sprintf("Stream, bytes allocated for %d pieces", workload.StreamLength),
			got:   median(results[workload.Stream][workload.Ours], bytesPerOp),
			limit: 1e6,
			exact: true,
		},
	}
	for _, subject := range workload.Subjects {
		for _, peer := range peers {
			if len(results[subject][peer]) == 0 {
				continue
			}
			list = append(list, target{
				what:  fmt.Sprintf("%s, time in those of %s", subject, peer),
				got:   ratio(results[subject], workload.Ours, peer),
				limit: 1,
			})
		}
	}
	return list
}

// printTargets reports whether a target is missed by more than the tolerance.
func printTargets(w io.Writer, list []target, tolerance float64) (missed bool) {
	fmt.Fprintln(w, "| target | at most | reached | |")
	fmt.Fprintln(w, "|---|--:|--:|---|")
	for _, t := range list {
		allowed := t.limit
		if !t.exact {
			allowed *= 1 + tolerance
		}
		verdict := "met"
		switch {
		case t.got > allowed:
			verdict, missed = "missed", true
		case t.got > t.limit:
			verdict = "missed, within the tolerance"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", t.what, figure(t.limit), figure(t.got), verdict)
	}
	fmt.Fprintf(w, "\nTimes have a tolerance of %.0f%% with -check.\n", 100*tolerance)
	return missed
}

// figure writes a number as people do: no exponent, no more digits than say something.
func figure(f float64) string {
	if f >= 1000 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.4g", f)
}

// ratio is the median of what a client took in each round, in units of what another took in it.
func ratio(rounds map[string][]testing.BenchmarkResult, name, unit string) float64 {
	ratios := make([]float64, len(rounds[name]))
	for i, result := range rounds[name] {
		ratios[i] = nsPerOp(result) / nsPerOp(rounds[unit][i])
	}
	return middle(ratios)
}

func median(results []testing.BenchmarkResult, of func(testing.BenchmarkResult) float64) float64 {
	values := make([]float64, len(results))
	for i, result := range results {
		values[i] = of(result)
	}
	return middle(values)
}

func middle(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
