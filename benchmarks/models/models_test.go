package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// eachRoute has all routes from both APIs go to an upstream that follows a script.
func eachRoute(t *testing.T, s script, do func(t *testing.T, url string, r route)) {
	for _, a := range apis() {
		up := httptest.NewServer(newUpstream())
		t.Cleanup(up.Close)
		list, stop, err := newRoutes(t.Context(), a, s.baseURL(up.URL))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		unread := &unread{list[inProcess].(*embedded)}
		for i, r := range append(list[:], unread) {
			name := nobodyReads
			if i < routes {
				name = names()[i]
			}
			t.Run(a.name+" "+name, func(t *testing.T) {
				if err := r.prepare(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				do(t, up.URL, r)
			})
		}
	}
}

// Every route brings every delta, and the run ends as it should.
func TestRoutes(t *testing.T) {
	t.Parallel()
	eachRoute(t, script{deltas: 20, pause: time.Millisecond, held: -1}, func(t *testing.T, _ string, r route) {
		l, err := listen(t.Context(), r, 20)
		if err != nil {
			t.Fatal(err)
		}
		for _, late := range l.late {
			if late <= 0 || late > time.Minute {
				t.Errorf("a delta is %v late", late)
			}
		}
	})
}

// A delta that is missing is noticed.
func TestLoss(t *testing.T) {
	t.Parallel()
	eachRoute(t, script{deltas: 3, held: -1}, func(t *testing.T, _ string, r route) {
		if _, err := listen(t.Context(), r, 4); err == nil || !strings.Contains(err.Error(), "3 deltas of 4") {
			t.Error(err)
		}
	})
}

// Streams wait for their release, and then go on to their ends.
func TestRelease(t *testing.T) {
	t.Parallel()
	eachRoute(t, script{deltas: 2, held: 1}, func(t *testing.T, url string, r route) {
		ended := make(chan error, 1)
		go func() {
			_, err := listen(t.Context(), r, 2)
			ended <- err
		}()
		if err := allHeld(url, 1, ended); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(url, "/release"); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A listener takes deltas one by one or several at once, and nothing else.
func TestListener(t *testing.T) {
	t.Parallel()
	now := time.Now()
	early, late := stamp(now.Add(-time.Second)), stamp(now)
	for _, c := range []struct {
		texts []string
		heard int // -1: it is refused
	}{
		{[]string{early, late}, 2},
		{[]string{early + late, late}, 3},
		{[]string{late, early}, -1},
		{[]string{early + late[:5]}, -1},
		{[]string{strings.Repeat("?", stampSize)}, -1},
	} {
		var l listener
		var err error
		for _, text := range c.texts {
			if err == nil {
				err = l.hear(text)
			}
		}
		if (err != nil) != (c.heard < 0) || err == nil && len(l.late) != c.heard {
			t.Errorf("%q: %d, %v", c.texts, len(l.late), err)
		}
	}
}

// An upstream serves until its input ends.
func TestServeUpstream(t *testing.T) {
	t.Parallel()
	in, end := io.Pipe()
	out, said := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serveUpstream(in, said) }()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + strings.TrimSpace(addr)
	a := chatAPI()
	floor := &direct{a, script{deltas: 2, held: -1}.baseURL(url), new(http.Client)}
	if _, err := listen(t.Context(), floor, 2); err != nil {
		t.Error(err)
	}
	end.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// BenchmarkDelta is for profiles: streams of a thousand deltas, read in process.
func BenchmarkDelta(b *testing.B) { benchmark(b, 1000) }

// BenchmarkRun is for profiles: streams of one delta.
func BenchmarkRun(b *testing.B) { benchmark(b, 1) }

func benchmark(b *testing.B, deltas int) {
	up := httptest.NewServer(newUpstream())
	defer up.Close()
	for _, a := range apis() {
		b.Run(a.name, func(b *testing.B) {
			ctx := context.Background()
			list, stop, err := newRoutes(ctx, a, script{deltas: deltas, held: -1}.baseURL(up.URL))
			if err != nil {
				b.Fatal(err)
			}
			defer stop()
			b.ReportAllocs()
			for b.Loop() {
				if err := list[inProcess].prepare(ctx, 1); err != nil {
					b.Fatal(err)
				}
				if _, err := listen(ctx, list[inProcess], deltas); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
