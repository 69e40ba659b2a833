package main

import (
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
)

// times are what something and its floor took in each round, in microseconds.
type times struct{ took, least []float64 }

// measure takes the times of something and its floor, round by round. A first round warms up.
func measure(rounds int, something, floor func() error) (*times, error) {
	var t times
	for round := range 1 + rounds {
		took, err := timeOf(something)
		if err != nil {
			return nil, err
		}
		least, err := timeOf(floor)
		if err != nil {
			return nil, err
		}
		if round > 0 {
			t.took, t.least = append(t.took, took), append(t.least, least)
		}
	}
	return &t, nil
}

func timeOf(f func() error) (micros float64, err error) {
	start := time.Now()
	err = f()
	return float64(time.Since(start).Nanoseconds()) / 1000, err
}

func (t *times) median() float64 { return report.Median(t.took) }
func (t *times) floor() float64  { return report.Median(t.least) }

func (t *times) ratio() float64 {
	ratios := make([]float64, len(t.took))
	for i := range t.took {
		ratios[i] = t.took[i] / t.least[i]
	}
	return report.Median(ratios)
}
