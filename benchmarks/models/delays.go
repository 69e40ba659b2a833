package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
)

const (
	delayStreams = 10 // of a round
	delayDeltas  = 16
	delayPause   = time.Millisecond // long enough for a reader to wait for the next
	delayLimit   = 300              // µs

	connectionLimit = 5 // two will do, if nothing keeps the end of a stream up
)

// Times that are taken of a stream.
const (
	outward = iota // from the call to the upstream
	first          // from the upstream to the reader, of the first delta
	further        // of the others
	kinds
)

// delayed are the times of a route, in microseconds.
type delayed struct {
	all    [kinds][]time.Duration
	rounds [kinds][]float64 // medians
}

// delays measures how long the first delta and the others take from the upstream's write to the reader.
func delays(ctx context.Context, w io.Writer, url string, s settings) ([]report.Target, error) {
	fmt.Fprintln(w, "| from the upstream to the reader, µs | first delta | added | further deltas | added | 99 of 100 are faster |"+
		" from the call to the upstream | added |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|--:|")
	var list []report.Target
	for _, a := range apis() {
		before, err := ask(url, "/connections")
		if err != nil {
			return nil, err
		}
		took, err := delaysOf(ctx, a, url, s.rounds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		after, err := ask(url, "/connections")
		if err != nil {
			return nil, err
		}
		list = append(list, report.Target{
			What: a.name + ", connections to the upstream, the floor's among them", Got: float64(after - before), Limit: connectionLimit, Exact: true,
		})
		for i, t := range took {
			added := func(kind int) float64 { return addedTo(took[floor].rounds[kind], t.rounds[kind]) }
			fmt.Fprintf(w, "| %s, %s | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f |\n", a.name, names()[i],
				report.Median(t.rounds[first]), added(first), report.Median(t.rounds[further]), added(further),
				quantile(t.all[further], 99), report.Median(t.rounds[outward]), added(outward))
			if i != floor {
				list = append(list,
					report.Target{What: fmt.Sprintf("%s, %s, added to the first delta, µs", a.name, names()[i]), Got: added(first), Limit: delayLimit},
					report.Target{What: fmt.Sprintf("%s, %s, added to a further delta, µs", a.name, names()[i]), Got: added(further), Limit: delayLimit})
			}
		}
	}
	return list, nil
}

// delaysOf takes the times of all routes from an API. A first round warms up.
func delaysOf(ctx context.Context, a *api, url string, rounds int) (took [routes]delayed, err error) {
	list, stop, err := newRoutes(ctx, a, script{delayDeltas, delayPause, -1}.baseURL(url))
	if err != nil {
		return took, err
	}
	defer stop()
	for round := range 1 + rounds {
		for i := range list {
			i = (i + round) % routes // a machine that is slow for a while is so for all of them
			late, err := delaysOnce(ctx, list[i], url)
			if err != nil {
				return took, err
			}
			for kind := range late {
				if round > 0 {
					took[i].all[kind] = append(took[i].all[kind], late[kind]...)
					took[i].rounds[kind] = append(took[i].rounds[kind], quantile(late[kind], 50))
				}
			}
		}
	}
	return took, nil
}

// delaysOnce takes the times of the streams of one round.
func delaysOnce(ctx context.Context, r route, url string) (late [kinds][]time.Duration, err error) {
	for range delayStreams {
		if err := r.prepare(ctx, 1); err != nil {
			return late, err
		}
		called := time.Now()
		l, err := listen(ctx, r, delayDeltas)
		if err != nil {
			return late, err
		}
		arrived, err := ask(url, "/arrived")
		if err != nil {
			return late, err
		}
		late[outward] = append(late[outward], time.Duration(arrived-called.UnixNano()))
		late[first] = append(late[first], l.late[0])
		late[further] = append(late[further], l.late[1:]...)
	}
	return late, nil
}

// addedTo is what something takes beyond its floor: the median of the differences within a round.
func addedTo(least, took []float64) float64 {
	added := make([]float64, len(took))
	for i := range took {
		added[i] = took[i] - least[i]
	}
	return report.Median(added)
}
