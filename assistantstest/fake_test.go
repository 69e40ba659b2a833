package assistantstest_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// fakeT is a test that may fail. Told something when it is over it panics, as a real one does, and remembers it.
type fakeT struct {
	testing.TB // nil: a method that is not here is not to be used

	mu       sync.Mutex
	errors   []string
	logs     []string
	late     []string
	cleanups []func()
	over     bool
}

// inTest runs a test and returns how it went.
func inTest(f func(t testing.TB)) *fakeT {
	t := new(fakeT)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(&fakeContext{t, ctx})
	}()
	<-done
	cancel()
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	return t
}

type fakeContext struct {
	*fakeT
	ctx context.Context
}

func (t *fakeContext) Context() context.Context { return t.ctx }

func (t *fakeT) Helper()       {}
func (t *fakeT) Name() string  { return "inTest" }
func (t *fakeT) Skipped() bool { return false }

func (t *fakeT) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *fakeT) note(to *[]string, format string, args []any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if t.over {
		t.late = append(t.late, text)
		panic("the test was told too late: " + text)
	}
	*to = append(*to, text)
}

func (t *fakeT) Logf(format string, args ...any)   { t.note(&t.logs, format, args) }
func (t *fakeT) Errorf(format string, args ...any) { t.note(&t.errors, format, args) }

func (t *fakeT) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	t.FailNow()
}

func (t *fakeT) FailNow() { runtime.Goexit() }

func (t *fakeT) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.errors) > 0
}

// text is what the test was failed with.
func (t *fakeT) text() string { return strings.Join(t.errors, "\n") }

// String is how the test went, as examples print it.
func (t *fakeT) String() string {
	if len(t.errors) == 0 {
		return "PASS"
	}
	return "FAIL\n" + t.text()
}
