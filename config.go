package assistants

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/assistants-go/assistants/internal/transport"
)

// version is what the User-Agent header says.
const version = "0.1.0"

const (
	defaultMaxRetries  = 2
	defaultTimeout     = time.Minute
	defaultIdleTimeout = 5 * time.Minute
	defaultMaxBytes    = 64 << 20
)

// A config is what options write to, before it becomes a core.
type config struct {
	endpoints   map[string]*endpoint  // by option
	credentials map[string]credential // by option
	identity    http.Header           // organization, project
	handler     http.Handler
	httpClient  *http.Client
	logger      *slog.Logger
	beta        *Beta
	maxBytes    int64
	call        callConfig
}

// A callConfig is what one call may change.
type callConfig struct {
	maxRetries  int
	timeout     time.Duration
	idleTimeout time.Duration
	secrets     transport.Secrets
	needs       []need // of options that not every call can honour

	include      []Include
	pollInterval time.Duration // 0: as the server says
	abandoning   bool          // a run whose caller goes away is cancelled
	tools        toolPolicy

	// header holds what the caller sets, by canonical name; an empty value takes a header off. The values are hidden,
	// like everything a key may be in, from those who print a client.
	header map[string]transport.Secret

	idempotencyKey string
	response       *Response
	fields         []bodyField
}

func newConfig() *config {
	return &config{
		endpoints:   map[string]*endpoint{},
		credentials: map[string]credential{},
		identity:    http.Header{},
		maxBytes:    defaultMaxBytes,
		call: callConfig{
			maxRetries:  defaultMaxRetries,
			timeout:     defaultTimeout,
			idleTimeout: defaultIdleTimeout,
			tools:       toolPolicy{rounds: defaultToolRounds, concurrency: defaultToolConcurrency},
		},
	}
}

// with returns a copy that opts were applied to.
func (c *callConfig) with(opts []RequestOption) (callConfig, error) {
	cfg := *c
	cfg.needs = nil // the client's options are for the calls that can honour them
	if len(opts) == 0 {
		return cfg, nil // most calls; the copy, whose address nobody takes here, stays off the heap
	}
	return apply(cfg, opts)
}

func apply(c callConfig, opts []RequestOption) (callConfig, error) {
	for i, opt := range opts {
		if opt == nil {
			return c, fmt.Errorf("option %d is nil", i)
		}
		if err := opt.applyRequest(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// further is the configuration of calls that follow another one of the same method, without what belonged to that.
func (c *callConfig) further() callConfig {
	cfg := *c
	cfg.idempotencyKey, cfg.fields, cfg.include, cfg.needs = "", nil, nil, nil
	if cfg.header["Idempotency-Key"].Reveal() != "" {
		cfg.header = maps.Clone(cfg.header)
		delete(cfg.header, "Idempotency-Key")
	}
	return cfg
}

// setHeader never writes to a map that another call may be reading.
func (c *callConfig) setHeader(name string, value transport.Secret) {
	header := maps.Clone(c.header)
	if header == nil {
		header = map[string]transport.Secret{}
	}
	header[http.CanonicalHeaderKey(name)] = value
	c.header = header
	if isCredential(name) {
		c.secrets = withSecretsOfHeader(c.secrets, name, value)
	}
}

// build checks the whole and makes a core of it.
func (c *config) build() (*core, error) {
	e, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	authority, err := c.credential(e)
	if err != nil {
		return nil, err
	}
	c.call.secrets = c.call.secrets.With(authority.key)
	c.call.tools.log = c.logger
	client, pool, err := c.client()
	if err != nil {
		return nil, err
	}
	return &core{
		pool:      pool,
		transport: transport.New(client, authority.ask, c.logger),
		base:      e.base.String(),
		query:     e.query.Encode(),
		header:    c.headers(e),
		maxBytes:  c.maxBytes,
		defaults:  c.call,
		retired:   e.retired(),
	}, nil
}

// endpoint is the one that was given, or that of the environment.
func (c *config) endpoint() (*endpoint, error) {
	switch given := sortedKeys(c.endpoints); len(given) {
	case 0:
		base := orEnv("", "OPENAI_BASE_URL")
		if base == "" {
			return openAIEndpoint(defaultBaseURL)
		}
		e, err := openAIEndpoint(base)
		return e, named("OPENAI_BASE_URL", err)
	case 1:
		return c.endpoints[given[0]], nil
	default:
		return nil, fmt.Errorf("two endpoints at once: %s", strings.Join(given, " and "))
	}
}

// credential is the one that was given, or that of the environment; the zero one where none is needed.
func (c *config) credential(e *endpoint) (credential, error) {
	given := sortedKeys(c.credentials)
	switch {
	case len(given) > 1:
		return credential{}, fmt.Errorf("two credentials at once: %s", strings.Join(given, " and "))
	case len(given) == 1 && given[0] == "WithAzureAPIKey" && !e.takesAPIKeyHeader:
		return credential{}, fmt.Errorf("WithAzureAPIKey: %s takes no api-key header", e.base.Host)
	case len(given) == 1:
		return c.credentials[given[0]], nil
	case c.handler != nil || c.call.authorizes():
		return credential{}, nil
	}
	key := ""
	if e.keyEnv != "" {
		key = orEnv("", e.keyEnv)
	}
	switch {
	case key != "":
		return staticCredential(e.keyHeader, transport.NewSecret(key)), named(e.keyEnv, checkKey(key))
	case c.call.identifies():
		return credential{}, nil
	case e.keyEnv == "":
		return credential{}, errors.New("no credentials: a Foundry project needs WithTokenSource")
	}
	return credential{}, fmt.Errorf("no credentials: give a key or a token source, or set %s", e.keyEnv)
}

// sortedKeys are those of a map, in order.
func sortedKeys[V any](of map[string]V) []string {
	var list []string
	for key := range of {
		list = append(list, key)
	}
	sort.Strings(list)
	return list
}

// client is the HTTP client that attempts go through, and its connections if they are its own.
func (c *config) client() (*http.Client, *http.Transport, error) {
	switch {
	case c.handler != nil && c.httpClient != nil:
		return nil, nil, errors.New("WithHandler and WithHTTPClient contradict each other: the one needs no network")
	case c.handler != nil:
		return &http.Client{Transport: transport.InProcess(c.handler)}, nil, nil
	case c.httpClient != nil:
		return c.httpClient, nil, nil
	}
	pool, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // replaced by the program, which will have its reasons
		return &http.Client{Transport: http.DefaultTransport}, nil, nil
	}
	pool = pool.Clone()
	pool.MaxIdleConnsPerHost = 100 // net/http keeps two, and a busy backend would connect again and again
	return &http.Client{Transport: pool}, pool, nil
}

// headers are those on every request, the caller's own excepted.
func (c *config) headers(e *endpoint) http.Header {
	h := http.Header{}
	h.Set("Accept", "application/json")
	h.Set("User-Agent", "assistants-go/"+version)
	beta := e.beta
	if c.beta != nil {
		beta = *c.beta
	}
	if beta != BetaNone {
		h.Set("OpenAI-Beta", string(beta))
	}
	for name, variable := range map[string]string{"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"} {
		id := c.identity.Get(name)
		if id == "" && e.keyEnv == "OPENAI_API_KEY" {
			id = orEnv("", variable)
		}
		if id != "" {
			h.Set(name, id)
		}
	}
	return h
}
