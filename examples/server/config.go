package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/assistants-go/assistants/examples/internal/endpoint"
)

// A config is what flags and environment say, except about providers of models.
type config struct {
	addr        string
	metricsAddr string // "": metrics are beside the API, for callers
	files       string // "": contents are kept in memory
	keys        []string
	level       slog.Level
	routes      []route
	ignoreCode  bool // of assistants, where nobody runs it
	routesOnly  bool // names without a route are unknown
	drain       time.Duration
}

// keysVariable has the keys of callers. They are no flag: arguments are for all users of a machine to see.
const keysVariable = "ASSISTANTS_API_KEYS"

// configure reads flags and environment. With -h it explains the flags, and the error is flag.ErrHelp.
func configure(args []string, env endpoint.Env, stderr io.Writer) (*config, error) {
	cfg := new(config)
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // an error is returned, and printed once
	flags.Usage = func() {}
	flags.StringVar(&cfg.addr, "addr", "127.0.0.1:8080", "`address` to serve the API on, with /healthz; port 0 is any free one")
	flags.StringVar(&cfg.metricsAddr, "metrics-addr", "", "`address` to serve /metrics on without a key; if empty they are beside the API, for callers")
	flags.StringVar(&cfg.files, "files", "", "`directory` for the contents of files while the server runs; memory if empty")
	flags.Func("log", "least `level` to log: debug, info, warn or error (default info)", cfg.setLevel)
	flags.DurationVar(&cfg.drain, "drain", 0, "`time` from the signal to end until requests are refused, for load balancers to look at /healthz")
	flags.BoolVar(&cfg.ignoreCode, "ignore-code", false, "leave code_interpreter out where nobody runs code, instead of refusing assistants that have it")
	flags.BoolVar(&cfg.routesOnly, "routes-only", false, "refuse names of models that have no -route, instead of passing them on")
	flags.Func("route", "`NAME=[BACKEND:]MODEL` has another model answer for the name of one, or for all with the beginning in\n"+
		"front of a *; BACKEND is openai, azure, responses, chat or stand-in; may be repeated", cfg.addRoute)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stderr, "The Assistants API on a port. README.md has the environment variables.")
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q; -h lists the flags", flags.Arg(0))
	case cfg.routesOnly && len(cfg.routes) == 0:
		return nil, errors.New("-routes-only: there is no -route")
	}
	cfg.keys, err = callersKeys(env)
	return cfg, err
}

// setLevel reads a -log.
func (c *config) setLevel(text string) error {
	if c.level.UnmarshalText([]byte(text)) != nil {
		return errors.New("want debug, info, warn or error")
	}
	return nil
}

// callersKeys are the keys that callers may use; none if the variable is not set. One that is set and has no key in
// it is a mistake that would let everybody in.
func callersKeys(env endpoint.Env) (keys []string, err error) {
	list := env(keysVariable)
	for key := range strings.SplitSeq(list, ",") {
		if key = strings.TrimSpace(key); key != "" {
			keys = append(keys, key)
		}
	}
	if list != "" && len(keys) == 0 {
		return nil, fmt.Errorf("%s is set and has no key in it", keysVariable)
	}
	return keys, nil
}
