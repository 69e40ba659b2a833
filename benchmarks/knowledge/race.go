package main

import (
	"fmt"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
)

// memoryLimit is by how much the heap may grow while a file passes through, whatever the file's size, in bytes. The heap is
// that of both sides, and holds the garbage that the collector lets be.
const memoryLimit = 16 << 20

// A way is one of several to do the same.
type way struct {
	name string
	run  func() error
}

// results are what a way took.
type results struct {
	times []float64 // of each round, in seconds
	peak  float64   // by how much the heap has grown at most, in bytes
}

func (r *results) median() float64 { return report.Median(r.times) }

// ratio is how much longer it took than something else in the same rounds.
func (r *results) ratio(other *results) float64 {
	ratios := make([]float64, len(r.times))
	for i := range ratios {
		ratios[i] = r.times[i] / other.times[i]
	}
	return report.Median(ratios)
}

// race goes all ways in each round. A first round warms up.
func race(rounds int, ways []way) ([]results, error) {
	all := make([]results, len(ways))
	for round := range 1 + rounds {
		for i, way := range ways {
			var took time.Duration
			peak, err := heapPeak(func() error {
				start := time.Now()
				err := way.run()
				took = time.Since(start)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", way.name, err)
			}
			if round > 0 {
				all[i].times = append(all[i].times, took.Seconds())
				all[i].peak = max(all[i].peak, peak)
			}
		}
	}
	return all, nil
}

const mega = 1e6
