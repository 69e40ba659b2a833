package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

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
		case endpoint.OpenAI, endpoint.Azure, endpoint.Chat, endpoint.StandIn:
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
}

// newBackends makes the providers that environment and routes name. A name without a route goes to the provider that
// the environment names, as it is.
func newBackends(cfg *config, env endpoint.Env, m *metrics, logger *slog.Logger) (*backends, error) {
	b := &backends{
		fallback: endpoint.Named(env),
		models:   make(map[endpoint.Kind]server.Model),
		metrics:  m,
		provide: func(kind endpoint.Kind) (*endpoint.Provider, error) {
			return endpoint.NewProvider(kind, env, endpoint.Settings{
				IgnoreCode: cfg.ignoreCode, Client: []assistants.Option{assistants.WithLogger(logger)},
			})
		},
	}
	if b.fallback == endpoint.Assistants {
		return nil, errors.New("the environment names a server of the Assistants API, which this one would be itself: " +
			"unset OPENAI_BASE_URL, and OPENAI_API_VERSION if it is a date")
	}
	table, err := b.table(cfg.routes)
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
func (b *backends) table(routes []route) (table []server.Route, err error) {
	rest := true // names without a route are left
	for _, r := range routes {
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
	b.models[kind] = &observed{Model: provider.Model, backend: string(kind), metrics: b.metrics}
	return b.models[kind], nil
}

func (b *backends) close() {
	for _, provider := range b.open {
		provider.Close()
	}
}
