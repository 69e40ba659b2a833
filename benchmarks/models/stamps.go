package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// stampSize is the length of the text of a delta.
const stampSize = 13

// stamp is the text of a delta that is sent at a time: a space and the nanoseconds since 1970, with letters for digits.
// All of this century are equally long.
func stamp(sent time.Time) string { return " " + strconv.FormatInt(sent.UnixNano(), 36) }

// A listener notes how late the deltas of a stream are.
type listener struct {
	late []time.Duration
	last int64 // when the newest one was sent
}

// hear takes what has arrived, which may be several deltas.
func (l *listener) hear(text string) error {
	now := time.Now().UnixNano()
	if len(text)%stampSize != 0 {
		return fmt.Errorf("%q is no text of deltas", text)
	}
	for ; text != ""; text = text[stampSize:] {
		sent, err := strconv.ParseInt(text[1:stampSize], 36, 64)
		if err != nil {
			return err
		}
		if sent < l.last {
			return errors.New("deltas have arrived in another order")
		}
		l.last = sent
		l.late = append(l.late, time.Duration(now-sent))
	}
	return nil
}

// quantile returns below which of the delays so many of a hundred are, in microseconds.
func quantile(delays []time.Duration, percent int) float64 {
	sorted := slices.Sorted(slices.Values(delays))
	return float64(sorted[len(sorted)*percent/100].Nanoseconds()) / 1000
}
