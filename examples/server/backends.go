package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/examples/internal/endpoint"
	"github.com/assistants-go/assistants/server"
)

// A route is one -route.
type route struct {
	name   string        // of a model, or what names begin with and a "*"
	kind   endpoint.Kind // of the back end; "" is the one that the environment names
	target string        // the model that is asked; "" is the one of the name
}

// addRoute reads a -route. A word in front of a colon is a back end only if it is one, for names of models have
// colons too: "llama3.2:3b".
func (c *config) addRoute(text string) error {
	name, target, ok := strings.Cut(text, "=")
	if !ok || name == "" || target == "" || strings.Contains(strings.TrimSuffix(name, "*"), "*") {
		return errors.New("want NAME=MODEL, NAME*=MODEL or NAME=BACKEND:MODEL")
	}
	r := route{name: name, target: target}
	if kind, rest, ok := strings.Cut(target, ":"); ok {
		switch k := endpoint.Kind(kind); k {
		case endpoint.OpenAI, endpoint.Azure, endpoint.Responses, endpoint.Chat, endpoint.StandIn:
			r.kind, r.target = k, rest
		}
	}
	c.routes = append(c.routes, r)
	return nil
}

// backends are the models that answer, by name.
type backends struct {
	router *server.Router
	names  string // of all providers, for people

	fallback endpoint.Kind
	models   map[endpoint.Kind]server.Model
	open     []*endpoint.Provider
	provide  func(endpoint.Kind) (*endpoint.Provider, error)
	metrics  *metrics
	logger   *slog.Logger
}

// newBackends makes the providers that environment and routes name. A name without a route goes to the provider that
// the environment names, as it is.
func newBackends(cfg *config, env endpoint.Env, m *metrics, logger *slog.Logger) (*backends, error) {
	b := &backends{
		fallback: endpoint.Named(env),
		models:   make(map[endpoint.Kind]server.Model),
		metrics:  m,
		logger:   logger,
		provide: func(kind endpoint.Kind) (*endpoint.Provider, error) {
			return endpoint.NewProvider(kind, env, endpoint.Settings{
				IgnoreCode: cfg.ignoreCode, Client: []assistants.Option{assistants.WithLogger(logger)},
			})
		},
	}
	if b.fallback == endpoint.Assistants {
		return nil, errors.New("OPENAI_BASE_URL, or a date as OPENAI_API_VERSION, names a server of the Assistants API, which this one " +
			"would be itself: unset it; RESPONSES_BASE_URL or CHAT_BASE_URL names a provider of models")
	}
	table, err := b.table(cfg)
	if err == nil {
		b.router, err = server.NewRouter(table...)
	}
	if err != nil {
		b.close()
		return nil, err
	}
	if b.models[endpoint.StandIn] != nil {
		logger.Warn("a stand-in takes the place of a model: README.md says how to name one")
	}
	return b, nil
}

// table is what a router is made of.
func (b *backends) table(cfg *config) (table []server.Route, err error) {
	rest := !cfg.routesOnly // names without a route are for the environment's provider
	for _, r := range cfg.routes {
		to := server.Route{As: r.target}
		prefix, many := strings.CutSuffix(r.name, "*")
		switch {
		case !many:
			to.Name = r.name
		case prefix == "":
			rest = false
		default:
			to.Prefix = prefix
		}
		if to.Model, err = b.model(r.kind); err != nil {
			return nil, fmt.Errorf("-route %s: %w", r.name, err)
		}
		table = append(table, to)
	}
	if rest {
		model, err := b.model("")
		if err != nil {
			return nil, err
		}
		table = append(table, server.Route{Model: model})
	}
	return table, nil
}

// model is the one of a kind of provider, "" for that of the environment.
func (b *backends) model(kind endpoint.Kind) (server.Model, error) {
	if kind == "" {
		kind = b.fallback
	}
	if model, ok := b.models[kind]; ok {
		return model, nil
	}
	provider, err := b.provide(kind)
	if err != nil {
		return nil, err
	}
	if b.names != "" {
		b.names += "; "
	}
	b.names += provider.Name
	b.open = append(b.open, provider)
	b.models[kind] = &observed{Model: provider.Model, backend: string(kind), metrics: b.metrics, logger: b.logger}
	return b.models[kind], nil
}

// probeTime is how long a provider has to say which models it has.
const probeTime = 10 * time.Second

// probe asks each provider for its models and warns of those that have nothing to say: the address, or the key, may be wrong,
// and the first run would be the first to know.
func (b *backends) probe(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, probeTime)
	defer stop()
	for _, provider := range b.open {
		lister, ok := provider.Model.(server.Lister)
		if !ok {
			continue
		}
		if known, err := lister.Models(ctx); err != nil && ctx.Err() != context.Canceled {
			b.logger.Warn("a provider does not say which models it has: are its address, which often ends with /v1, and its key right?",
				slog.String("models", provider.Name), slog.String("cause", err.Error()))
		} else if err == nil {
			b.logger.Debug("a provider has models", slog.String("models", provider.Name), slog.Int("count", len(known)))
		}
	}
}

func (b *backends) close() {
	for _, provider := range b.open {
		provider.Close()
	}
}

// String is the route as it is given.
func (r route) String() string {
	if r.kind == "" {
		return r.name + "=" + r.target
	}
	return r.name + "=" + string(r.kind) + ":" + r.target
}

// MarshalText has logs show it so.
func (r route) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
