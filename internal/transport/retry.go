package transport

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	firstDelay = 500 * time.Millisecond
	maxDelay   = 8 * time.Second

	// maxAskedDelay bounds what a server can make its caller wait for. Who is asked for more gets the error, and in
	// it the time, at once.
	maxAskedDelay = time.Minute
)

// nextAttempt says whether the call may be sent again after this outcome, and when.
func nextAttempt(req *Request, answer *Answer, err error) (wait time.Duration, again bool) {
	if answer.Attempts > req.MaxRetries || req.Content != nil && req.Content.Spent() {
		return 0, false
	}
	if err != nil {
		return backoff(answer.Attempts), mayRepeat(req, err)
	}
	if !wantsRetry(answer) {
		return 0, false
	}
	if asked, ok := RetryAfter(answer.Header); ok {
		return asked, asked <= maxAskedDelay
	}
	return backoff(answer.Attempts), true
}

// wantsRetry follows the server's own word, else the status.
func wantsRetry(answer *Answer) bool {
	switch answer.Header.Get("X-Should-Retry") {
	case "true":
		return true
	case "false":
		return false
	}
	switch answer.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	}
	return answer.StatusCode >= 500
}

// mayRepeat decides after an attempt without a whole answer. What may have arrived is only sent again if it changes
// nothing, or if the caller gave a key by which the server knows it again.
func mayRepeat(req *Request, err error) bool {
	var (
		redirect *RedirectError
		unsent   *UnsentError
		large    *TooLargeError
		content  *ContentError
	)
	if errors.As(err, &redirect) || errors.As(err, &unsent) || errors.As(err, &large) || errors.As(err, &content) {
		return false
	}
	return req.Replayable || req.Method == http.MethodGet || req.Method == http.MethodHead || neverConnected(err)
}

// neverConnected reports whether err came from connecting, to the server or to a proxy in front of it. What fails
// within a TLS handshake does not count: by then somebody has answered.
func neverConnected(err error) bool {
	for {
		if _, unresolved := errors.AsType[*net.DNSError](err); unresolved {
			return true
		}
		op, ok := errors.AsType[*net.OpError](err)
		if !ok || op.Op == "dial" {
			return ok
		}
		err = op.Err
	}
}

// RetryAfter reads how long the server asks its caller to wait: retry-after-ms, else Retry-After in seconds or as a
// date. A moment that has passed is 0.
func RetryAfter(h http.Header) (time.Duration, bool) {
	if d, ok := duration(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d, true
	}
	value := h.Get("Retry-After")
	if d, ok := duration(value, time.Second); ok {
		return d, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// duration reads a number of units; what no duration can hold is the longest one.
func duration(value string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0, false
	}
	if n >= float64(math.MaxInt64)/float64(unit) {
		return math.MaxInt64, true
	}
	return time.Duration(n * float64(unit)), true
}

// backoff doubles from attempt to attempt; the jitter keeps callers that failed together from returning together.
func backoff(attempts int) time.Duration {
	d := min(maxDelay, firstDelay<<min(attempts-1, 10))
	return d - time.Duration(rand.Float64()*float64(d)/4)
}

// pause waits. A wait that the context would not live to see the end of is not begun.
func pause(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
