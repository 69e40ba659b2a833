package main

import (
	"context"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
)

const (
	cpuDeltas = 5000
	cpuLimit  = 4 // in floors
)

// cpu measures the CPU time of a stream that the upstream writes as fast as it can, delta by delta. The upstream's own is not
// counted, and that of writing to the reader is, and of reading, where there is a connection.
func cpu(ctx context.Context, w io.Writer, url string, s settings) ([]report.Target, error) {
	fmt.Fprintf(w, "| %d deltas without a pause | CPU of 1,000 deltas, ms | added | ratio to floor | deltas per second |\n", cpuDeltas)
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|")
	var list []report.Target
	for _, a := range apis() {
		used, took, err := cpuOf(ctx, a, url, s.rounds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		for i := range used {
			ratio := ratioTo(used[floor], used[i])
			fmt.Fprintf(w, "| %s, %s | %.2f | %.2f | %.2f | %.0f |\n", a.name, names()[i], report.Median(used[i]),
				addedTo(used[floor], used[i]), ratio, cpuDeltas/report.Median(took[i]))
			if i != floor {
				list = append(list, report.Target{
					What: fmt.Sprintf("%s, %s, CPU in floors", a.name, names()[i]), Got: ratio, Limit: cpuLimit,
				})
			}
		}
	}
	return list, nil
}

// cpuOf returns what the routes from an API use in each round: CPU of 1,000 deltas in milliseconds, and seconds.
func cpuOf(ctx context.Context, a *api, url string, rounds int) (used, took [routes][]float64, err error) {
	list, stop, err := newRoutes(ctx, a, script{deltas: cpuDeltas, held: -1}.baseURL(url))
	if err != nil {
		return used, took, err
	}
	defer stop()
	for round := range 1 + rounds { // the first warms up
		for i := range list {
			i = (i + round) % routes
			if err := list[i].prepare(ctx, 1); err != nil {
				return used, took, err
			}
			begun, before := time.Now(), cpuTime()
			if _, err := listen(ctx, list[i], cpuDeltas); err != nil {
				return used, took, err
			}
			if round > 0 {
				used[i] = append(used[i], perThousand(cpuTime()-before, cpuDeltas))
				took[i] = append(took[i], time.Since(begun).Seconds())
			}
		}
	}
	return used, took, nil
}

// perThousand is the share of 1,000 deltas, in milliseconds.
func perThousand(used time.Duration, deltas int) float64 {
	return used.Seconds() * 1000 * 1000 / float64(deltas)
}

// ratioTo is the median of the ratios within a round.
func ratioTo(least, took []float64) float64 {
	ratios := make([]float64, len(took))
	for i := range took {
		ratios[i] = took[i] / least[i]
	}
	return report.Median(ratios)
}

// cpuTime is the CPU time of the process so far.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // there is nothing about it that could fail
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
