package main

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/benchmarks/internal/workload"
)

const (
	fewPieces    = 1_000
	manyPieces   = 10_000
	growthRounds = 15
	maxGrowth    = 1.5 // a cost in proportion to the length would be 10
)

// growth measures what a piece of text costs in a short stream and in a long one, ours alone: it must not depend on the
// length.
func growth(w io.Writer) ([]report.Target, error) {
	short, err := workload.Growths(context.Background(), fewPieces)
	if err != nil {
		return nil, err
	}
	long, err := workload.Growths(context.Background(), manyPieces)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "| adding up | ns for each of %d pieces | ns for each of %d | ratio |\n|---|--:|--:|--:|\n", fewPieces, manyPieces)
	var list []report.Target
	for i := range short {
		var few, many, ratios []float64
		for range growthRounds {
			a, err := timeOf(short[i])
			if err != nil {
				return nil, err
			}
			b, err := timeOf(long[i])
			if err != nil {
				return nil, err
			}
			few, many, ratios = append(few, a/fewPieces), append(many, b/manyPieces), append(ratios, b/a*fewPieces/manyPieces)
		}
		got := report.Median(ratios)
		fmt.Fprintf(w, "| %s | %.0f | %.0f | %.2f |\n", short[i].Name, report.Median(few), report.Median(many), got)
		list = append(list, report.Target{
			What:  fmt.Sprintf("%s, time of a piece among %d in those among %d", short[i].Name, manyPieces, fewPieces),
			Got:   got,
			Limit: maxGrowth,
		})
	}
	return list, nil
}

func timeOf(g workload.Growth) (ns float64, err error) {
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if err = g.Add(); err != nil {
				b.FailNow()
			}
		}
	})
	return nsPerOp(result), err
}
