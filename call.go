package assistants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/google/go-querystring/query"

	"github.com/assistants-go/assistants/internal/transport"
)

// call is every method of every service that is not one of the two below: it sends o and returns out, which is a new
// answer.
func call[P any](ctx context.Context, c *core, o *outgoing, out P, opts []RequestOption) (P, error) {
	if err := c.exchange(ctx, o, out, opts); err != nil {
		var none P
		return none, err
	}
	return out, nil
}

// list is every List method: params are encoded as the query of o.
func list[T any](ctx context.Context, c *core, o *outgoing, params any, opts []RequestOption) (*Page[T], error) {
	out := new(listing[T])
	if err := c.list(ctx, o, params, out, opts); err != nil {
		return nil, err
	}
	return &out.Page, nil
}

func (c *core) list(ctx context.Context, o *outgoing, params, out any, opts []RequestOption) error {
	values, err := query.Values(params)
	if err != nil {
		return o.failed(err)
	}
	o.query = values.Encode()
	return c.exchange(ctx, o, out, opts)
}

// remove is every Delete method: the answer must be of the type that object names.
func remove(ctx context.Context, c *core, object string, opts []RequestOption, to ...string) (*Deleted, error) {
	out := &deletion{object: object}
	if err := c.exchange(ctx, &outgoing{method: http.MethodDelete, to: to}, out, opts); err != nil {
		return nil, err
	}
	return &out.Deleted, nil
}

// at is a request to a path that the caller has written out.
func at(method, path string, in any) (*outgoing, error) {
	o := &outgoing{method: method, in: in}
	o.path, o.query, _ = strings.Cut(path, "?")
	if err := transport.CheckPath(path); err != nil {
		return nil, o.failed(err)
	}
	if method == "" {
		return nil, o.failed(errors.New("the method is empty"))
	}
	return o, nil
}

// callPath is [Client.Call].
func (c *core) callPath(ctx context.Context, method, path string, in, out any, opts []RequestOption) error {
	o, err := at(method, path, in)
	if err != nil {
		return err
	}
	w, isWriter := out.(io.Writer)
	switch v := reflect.ValueOf(out); {
	case out == nil:
	case v.Kind() == reflect.Pointer && v.IsNil() || v.Kind() != reflect.Pointer && !isWriter:
		return o.failed(fmt.Errorf("the answer cannot be decoded into this %T", out))
	case isWriter:
		return c.download(ctx, o, w, opts)
	}
	return c.exchange(ctx, o, out, opts)
}

// An outgoing is what a method wants sent.
type outgoing struct {
	method string
	to     []string // the elements of the path: literals and ids
	path   string   // of to, escaped, below the endpoint's base; prepare fills it in
	query  string   // encoded
	in     any      // nil: no body
	can    ability

	streamed bool // the answer is to be a stream of events
	whole    bool // the answer is to be all there is: with status 200
}

// get is a request without a body.
func get(to ...string) *outgoing { return &outgoing{method: http.MethodGet, to: to} }

// post is a request with in as its body; nil is none.
func post(in any, to ...string) *outgoing {
	return &outgoing{method: http.MethodPost, to: to, in: in}
}

// able adds what o can do beyond being sent and answered, at the wish of options.
func (o *outgoing) able(can ability) *outgoing {
	o.can |= can
	return o
}

var errNilContext = errors.New("the context is nil")

// failed is an error that needed no server.
func (o *outgoing) failed(err error) error {
	path := o.path
	if path == "" && len(o.to) > 0 {
		var wrong error
		if path, wrong = transport.Join(o.to...); wrong != nil {
			path = "/" + o.to[0] // an id behind it is what is wrong
		}
	}
	return fmt.Errorf("assistants: %s %s: %w", o.method, path, err)
}

// exchange sends o and decodes the answer into out, whole and checked.
func (c *core) exchange(ctx context.Context, o *outgoing, out any, opts []RequestOption) error {
	cfg, err := c.configure(o, opts)
	if err != nil {
		return err
	}
	_, err = c.send(ctx, o, out, &cfg)
	return err
}

// configure is what the client and opts ask for, as far as o is able.
func (c *core) configure(o *outgoing, opts []RequestOption) (callConfig, error) {
	if c == nil {
		return callConfig{}, o.failed(errors.New("the client was not made by NewClient"))
	}
	cfg, err := c.defaults.with(opts)
	if err == nil {
		err = cfg.unmet(o.can)
	}
	if err != nil {
		return cfg, o.failed(err)
	}
	cfg.secrets = withSecretsOf(o.in, cfg.secrets)
	return cfg, nil
}

// send is exchange for those who have a configuration. The header of the answer is nil if there was none.
func (c *core) send(ctx context.Context, o *outgoing, out any, cfg *callConfig) (http.Header, error) {
	req, err := c.prepare(ctx, o, cfg)
	if err != nil {
		return nil, o.failed(err)
	}
	got, err := c.transport.Do(ctx, req)
	cfg.report(got)
	if err != nil || !got.OK() {
		return got.Header, c.failure(req, got, err)
	}
	if err := decode(got.Body, out); err != nil {
		return got.Header, c.unusable(req, got, err)
	}
	if e, ok := out.(interface{ cursor() string }); ok && got.Secrets.Redact(e.cursor()) != e.cursor() {
		return got.Header, c.unusable(req, got, errIDHoldsCredentials)
	}
	redactErrors(out, got)
	return got.Header, nil
}

// errIDHoldsCredentials is for servers that echo them where they would get into errors, logs and addresses.
var errIDHoldsCredentials = errors.New("the answer's id holds credentials")

// open sends o and returns the answer's body as it arrives.
func (c *core) open(ctx context.Context, o *outgoing, opts []RequestOption) (io.ReadCloser, error) {
	o.can = streams
	cfg, err := c.configure(o, opts)
	if err != nil {
		return nil, err
	}
	req, err := c.prepare(ctx, o, &cfg)
	if err != nil {
		return nil, o.failed(err)
	}
	got, body, err := c.transport.Open(ctx, req, cfg.idleTimeout, func(http.Header) bool { return true })
	cfg.report(got)
	if err != nil || body == nil {
		return nil, c.failure(req, got, err)
	}
	if o.whole && got.StatusCode != http.StatusOK {
		body.Close()
		return nil, c.unusable(req, got, fmt.Errorf("the answer has status %d and not all of the content", got.StatusCode))
	}
	return &arriving{body, got.Secrets, func(err error) error { return c.failure(req, got, err) }}, nil
}

// An arriving body has the errors of a call.
type arriving struct {
	*transport.Body
	transport.Secrets // whose Redact is for those who read errors out of the body
	failure           func(error) error
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.Body.Read(p)
	if err != nil && err != io.EOF {
		err = a.failure(err)
	}
	return n, err
}

// download sends o and copies the answer to w as it arrives.
func (c *core) download(ctx context.Context, o *outgoing, w io.Writer, opts []RequestOption) error {
	body, err := c.open(ctx, o, opts)
	if err != nil {
		return err
	}
	defer body.Close()
	to := &sink{w: w}
	if _, err := io.Copy(to, body); to.err != nil {
		return o.failed(to.err)
	} else if err != nil {
		return err
	}
	return nil
}

// A sink tells the errors of the caller's writer from those of the connection.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (n int, err error) {
	n, s.err = s.w.Write(p)
	if s.err == nil && n < len(p) {
		s.err = io.ErrShortWrite
	}
	return n, s.err
}

// prepare makes the request: what can be wrong without a server is wrong here.
func (c *core) prepare(ctx context.Context, o *outgoing, cfg *callConfig) (*transport.Request, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if cfg.idempotencyKey != "" && o.method == http.MethodGet {
		return nil, errors.New("WithIdempotencyKey: a GET changes nothing and takes no key")
	}
	if o.path == "" {
		var err error
		if o.path, err = transport.Join(o.to...); err != nil {
			return nil, err
		}
	}
	if o.can&includes != 0 {
		o.query = cfg.included(o.query)
	}
	req := &transport.Request{
		Method:     o.method,
		URL:        c.target(o),
		Path:       o.path,
		Secrets:    cfg.secrets,
		Authorized: cfg.authorizes(),
		MaxRetries: cfg.maxRetries,
		Replayable: cfg.idempotencyKey != "",
		Timeout:    cfg.timeout,
		MaxBytes:   c.maxBytes,
	}
	contentType, err := cfg.fill(req, o)
	req.Header = cfg.headers(c.header, contentType, o.streamed)
	return req, err
}

// fill gives a request its body, and returns of what type that is; "" is none.
func (c *callConfig) fill(req *transport.Request, o *outgoing) (contentType string, err error) {
	if carrier, ok := o.in.(carrier); ok {
		switch _, typed := c.header["Content-Type"]; {
		case len(c.fields) > 0:
			return "", errors.New("WithBodyField: this call has no JSON body")
		case typed:
			return "", errors.New("WithHeader: Content-Type: this call sends a form, which has a type of its own")
		}
		f, err := carrier.form()
		if err != nil {
			return "", err
		}
		req.Content = f
		return f.contentType, nil
	}
	req.Body, err = c.body(o)
	if req.Body != nil {
		contentType = "application/json"
	}
	return contentType, err
}

// A carrier is what is sent as a form, because it carries a file.
type carrier interface{ form() (*form, error) }

// target is the URL with the endpoint's query and the call's.
func (c *core) target(o *outgoing) string {
	switch {
	case c.query == "" && o.query == "":
		return c.base + o.path
	case c.query == "" || o.query == "":
		return c.base + o.path + "?" + c.query + o.query
	}
	return c.base + o.path + "?" + c.query + "&" + o.query
}

// headers are the client's with the call's own. The client's are not modified, and not copied if nothing is added.
func (c *callConfig) headers(common http.Header, contentType string, streamed bool) http.Header {
	if contentType == "" && !streamed && c.idempotencyKey == "" && len(c.header) == 0 {
		return common
	}
	h := common.Clone()
	if streamed {
		h.Set("Accept", "text/event-stream")
	}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	if c.idempotencyKey != "" {
		h.Set("Idempotency-Key", c.idempotencyKey)
	}
	for name, value := range c.header {
		if value.Reveal() == "" && name != "User-Agent" { // which net/http adds unless it is there and empty
			h.Del(name)
		} else {
			h.Set(name, value.Reveal())
		}
	}
	return h
}

// body encodes what is to be sent, with the fields that the caller adds.
func (c *callConfig) body(o *outgoing) ([]byte, error) {
	raw, isRaw := o.in.(json.RawMessage)
	switch {
	case len(c.fields) > 0 && (o.method == http.MethodGet || o.method == http.MethodHead || o.method == http.MethodDelete):
		return nil, fmt.Errorf("WithBodyField: a %s has no body", o.method)
	case len(c.fields) == 0 && (o.in == nil || isRaw && len(raw) == 0):
		return nil, nil
	case len(c.fields) == 0 && isRaw && json.Valid(raw):
		return raw, nil
	}
	body, err := json.Marshal(o.in)
	if err != nil {
		return nil, withoutMarshaler(err)
	}
	for _, field := range c.fields {
		if body, err = setField(body, field.path, field.value); err != nil {
			return nil, fmt.Errorf("WithBodyField: %s: %w", strings.Join(field.path, "."), err)
		}
	}
	return body, nil
}

// withoutMarshaler takes off encoding/json's remarks on which method was called.
func withoutMarshaler(err error) error {
	if inner, ok := errors.AsType[*json.MarshalerError](err); ok {
		return withoutMarshaler(inner.Err)
	}
	return err
}

// report fills the caller's Response.
func (c *callConfig) report(got *transport.Answer) {
	if c.response == nil {
		return
	}
	*c.response = Response{
		StatusCode: got.StatusCode,
		Header:     maps.Clone(got.Header),
		RequestID:  transport.RequestID(got.Header),
		Attempts:   got.Attempts,
		Body:       slices.Clone(got.Body),
	}
}
