// Package report prints what was measured and whether targets are met.
package report

import (
	"fmt"
	"io"
	"slices"
)

// A Target is a number to stay below.
type Target struct {
	What       string
	Got, Limit float64
	Exact      bool // the number does not depend on the machine, so it is given no tolerance
}

// Targets prints a table of targets and reports whether one is missed by more than the tolerance.
func Targets(w io.Writer, list []Target, tolerance float64) (missed bool) {
	fmt.Fprintln(w, "| target | at most | reached | |")
	fmt.Fprintln(w, "|---|--:|--:|---|")
	for _, t := range list {
		allowed := t.Limit
		if !t.Exact {
			allowed *= 1 + tolerance
		}
		verdict := "met"
		switch {
		case !(t.Got <= allowed): // which no number is, too
			verdict, missed = "missed", true
		case t.Got > t.Limit:
			verdict = "missed, within the tolerance"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", t.What, Figure(t.Limit), Figure(t.Got), verdict)
	}
	fmt.Fprintf(w, "\nTimes have a tolerance of %.0f%% with -check.\n", 100*tolerance)
	return missed
}

// Figure writes a number as people do: no exponent, no more digits than say something.
func Figure(f float64) string {
	if f >= 1000 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.4g", f)
}

// Median returns the middle of some values.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}
