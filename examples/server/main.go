// Server is the Assistants API on a port, for clients in any language, with real models behind it: those of OpenAI,
// of Azure OpenAI, or of any server of Chat Completions.
//
//	cd examples/server && go run .
//	cd examples/server && OPENAI_API_KEY=… go run . -route 'gpt-4-turbo=gpt-4.1'
//
// It is a module of its own, so that what it needs to be measured is nobody else's dependency. README.md has the
// variables, the flags and the metrics.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/assistants-go/assistants/examples/internal/endpoint"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal is not caught any more, and ends the process at once
	err := run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends, and then ends what is under way.
func run(ctx context.Context, args []string, env endpoint.Env, stderr io.Writer) (err error) {
	cfg, err := configure(args, env, stderr)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: cfg.level, ReplaceAttr: readable}))
	m := newMetrics()
	models, err := newBackends(cfg, env, m, logger)
	if err != nil {
		return err
	}
	defer models.close()
	blobs, err := newBlobs(cfg.files)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, blobs.Close()) }()
	s := newService(cfg, models.router, blobs, m, logger)
	if err := s.listen(ctx); err != nil {
		return errors.Join(err, s.shutdown())
	}
	s.announce(models.names, cfg)
	var probe sync.WaitGroup
	defer probe.Wait()
	probing, stop := context.WithCancel(ctx)
	defer stop()
	probe.Go(func() { models.probe(probing) })
	return s.serve(ctx)
}

// readable writes durations with their unit.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
