package assistants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-querystring/query"

	"github.com/assistants-go/assistants/internal/transport"
)

// A route is a path as its elements: literals and ids.
type route []string

// call is every method of every service: it sends in to a route and returns the answer as a T.
func call[T any](ctx context.Context, c *core, method string, to route, in any, opts []RequestOption) (*T, error) {
	path, err := transport.Join(to...)
	if err != nil {
		return nil, fmt.Errorf("assistants: %s /%s: %w", method, to[0], err)
	}
	out := new(T)
	if err := c.exchange(ctx, outgoing{method: method, path: path, in: in}, out, opts); err != nil {
		return nil, err
	}
	return out, nil
}

// list is every List method: params are encoded as the query.
func list[T any](ctx context.Context, c *core, to route, params any, opts []RequestOption) (*Page[T], error) {
	path, err := transport.Join(to...)
	if err != nil {
		return nil, fmt.Errorf("assistants: GET /%s: %w", to[0], err)
	}
	values, err := query.Values(params)
	if err != nil {
		return nil, fmt.Errorf("assistants: GET %s: %w", path, err)
	}
	out := new(Page[T])
	if err := c.exchange(ctx, outgoing{method: http.MethodGet, path: path, query: values}, out, opts); err != nil {
		return nil, err
	}
	return out, nil
}

// callPath is [Client.Call].
func (c *core) callPath(ctx context.Context, method, path string, in, out any, opts []RequestOption) error {
	if err := transport.CheckPath(path); err != nil {
		return fmt.Errorf("assistants: %s: %w", method, err)
	}
	path, rawQuery, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return fmt.Errorf("assistants: %s %s: %w", method, path, err)
	}
	o := outgoing{method: method, path: path, query: values, in: in}
	if w, ok := out.(io.Writer); ok {
		return c.download(ctx, o, w, opts)
	}
	return c.exchange(ctx, o, out, opts)
}

// An outgoing is what a method wants sent.
type outgoing struct {
	method string
	path   string // escaped, below the endpoint's base
	query  url.Values
	in     any // nil: no body
}

// exchange sends o and decodes the answer into out, whole and checked.
func (c *core) exchange(ctx context.Context, o outgoing, out any, opts []RequestOption) error {
	req, cfg, err := c.prepare(ctx, o, opts)
	if err != nil {
		return fmt.Errorf("assistants: %s %s: %w", o.method, o.path, err)
	}
	if cfg.streamOnly {
		return fmt.Errorf("assistants: %s %s: WithStreamIdleTimeout: this call is not streamed", o.method, o.path)
	}
	answer, err := c.sender.Do(ctx, req)
	cfg.report(answer)
	if err != nil || !answer.OK() {
		return c.failure(req, answer, err)
	}
	if err := decode(answer.Body, out); err != nil {
		return c.unusable(req, answer, err)
	}
	return nil
}

// download sends o and copies the answer to w as it arrives.
func (c *core) download(ctx context.Context, o outgoing, w io.Writer, opts []RequestOption) error {
	req, cfg, err := c.prepare(ctx, o, opts)
	if err != nil {
		return fmt.Errorf("assistants: %s %s: %w", o.method, o.path, err)
	}
	answer, body, err := c.sender.Open(ctx, req, cfg.idleTimeout)
	cfg.report(answer)
	if err != nil || body == nil {
		return c.failure(req, answer, err)
	}
	defer body.Close()
	if _, err := io.Copy(w, body); err != nil {
		return c.failure(req, answer, err)
	}
	return nil
}

// A sender is the transport with the client's limit.
type sender struct {
	*transport.Transport
	maxBytes int64
}

// prepare applies the options and makes the request: what can be wrong without a server is wrong here.
func (c *core) prepare(ctx context.Context, o outgoing, opts []RequestOption) (*transport.Request, callConfig, error) {
	if c == nil {
		return nil, callConfig{}, errors.New("the client was not made by NewClient")
	}
	if ctx == nil {
		return nil, callConfig{}, errors.New("the context is nil")
	}
	cfg, err := c.defaults.with(opts)
	if err != nil {
		return nil, cfg, err
	}
	body, err := cfg.body(o)
	if err != nil {
		return nil, cfg, err
	}
	if cfg.idempotencyKey != "" && o.method == http.MethodGet {
		return nil, cfg, errors.New("WithIdempotencyKey: a GET changes nothing and takes no key")
	}
	target := c.base + o.path
	if raw := rawQuery(c.query, o.query); raw != "" {
		target += "?" + raw
	}
	return &transport.Request{
		Method:     o.method,
		URL:        target,
		Path:       o.path,
		Header:     cfg.headers(c.header, body != nil),
		Body:       body,
		Secrets:    cfg.secrets,
		MaxRetries: cfg.maxRetries,
		Replayable: cfg.idempotencyKey != "",
		Timeout:    cfg.timeout,
		MaxBytes:   c.sender.maxBytes,
	}, cfg, nil
}

// headers are the client's with the call's own. The client's are not modified, and not copied if nothing is added.
func (c *callConfig) headers(common http.Header, hasBody bool) http.Header {
	if !hasBody && c.idempotencyKey == "" && len(c.header) == 0 {
		return common
	}
	h := common.Clone()
	if hasBody {
		h.Set("Content-Type", "application/json")
	}
	if c.idempotencyKey != "" {
		h.Set("Idempotency-Key", c.idempotencyKey)
	}
	for name, value := range c.header {
		if value.Reveal() == "" {
			h.Del(name)
		} else {
			h.Set(name, value.Reveal())
		}
	}
	return h
}

// body encodes what is to be sent, with the fields that the caller adds.
func (c *callConfig) body(o outgoing) ([]byte, error) {
	if o.in == nil && len(c.fields) > 0 && o.method != http.MethodPost {
		return nil, fmt.Errorf("WithBodyField: a %s has no body", o.method)
	}
	if o.in == nil && len(c.fields) == 0 {
		return nil, nil
	}
	body, err := json.Marshal(o.in)
	if err != nil {
		return nil, unmarshalable(err)
	}
	for _, field := range c.fields {
		if body, err = setField(body, field.path, field.value); err != nil {
			return nil, fmt.Errorf("WithBodyField: %s: %w", strings.Join(field.path, "."), err)
		}
	}
	return body, nil
}

// unmarshalable takes off encoding/json's remarks on which method was called.
func unmarshalable(err error) error {
	if inner, ok := errors.AsType[*json.MarshalerError](err); ok {
		return unmarshalable(inner.Err)
	}
	return err
}

// report fills the caller's Response.
func (c *callConfig) report(answer *transport.Answer) {
	if c.response == nil {
		return
	}
	*c.response = Response{
		StatusCode: answer.StatusCode,
		Header:     maps.Clone(answer.Header),
		RequestID:  transport.RequestID(answer.Header),
		Attempts:   answer.Attempts,
		Body:       slices.Clone(answer.Body),
	}
}

// A bodyField is what [WithBodyField] adds.
type bodyField struct {
	path  []string
	value json.RawMessage
}

// setField returns doc with value at path. Objects on the way are made where there is nothing; an array takes an
// index it has, or the next one.
func setField(doc json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, error) {
	if len(path) == 0 {
		return value, nil
	}
	switch {
	case len(doc) == 0 || string(doc) == "null":
		doc = json.RawMessage("{}")
	case doc[0] == '[':
		return setElement(doc, path, value)
	case doc[0] != '{':
		return nil, fmt.Errorf("there is a value where %q should be", path[0])
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(doc, &object); err != nil {
		return nil, err
	}
	inner, err := setField(object[path[0]], path[1:], value)
	if err != nil {
		return nil, err
	}
	object[path[0]] = inner
	return json.Marshal(object)
}

func setElement(doc json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, error) {
	var array []json.RawMessage
	if err := json.Unmarshal(doc, &array); err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(path[0])
	if err != nil || i < 0 || i > len(array) {
		return nil, fmt.Errorf("%q is no index of an array of %d", path[0], len(array))
	}
	if i == len(array) {
		array = append(array, nil)
	}
	if array[i], err = setField(array[i], path[1:], value); err != nil {
		return nil, err
	}
	return json.Marshal(array)
}
