package assistants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/assistants-go/assistants/internal/transport"
)

// An Option configures a client: see [NewClient].
type Option interface {
	applyClient(*config) error
}

// A RequestOption configures one call. Given to [NewClient] it is the default of all calls of the client, unless its
// documentation says that it belongs to one call. A call that cannot do what an option asks is an error, and nothing
// is sent.
type RequestOption interface {
	Option
	applyRequest(*callConfig) error
}

// A clientOption is an option of clients only. Its name is for messages; what it sets is in a closure, where nothing
// that prints an option finds it.
type clientOption struct {
	name string
	set  func(*config) error
}

func (o clientOption) applyClient(c *config) error { return named(o.name, o.set(c)) }

type requestOption struct {
	name    string
	oneCall bool
	set     func(*callConfig) error
}

func (o requestOption) applyRequest(c *callConfig) error { return named(o.name, o.set(c)) }

func (o requestOption) applyClient(c *config) error {
	if o.oneCall {
		return named(o.name, errors.New("this option belongs to one call, not to a client"))
	}
	return o.applyRequest(&c.call)
}

func named(option string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", option, err)
	}
	return nil
}

// WithAPIKey authorizes requests with "Authorization: Bearer key". Without it OPENAI_API_KEY counts, at OpenAI's
// address and with [WithBaseURL]. For a server that wants no key any word will do, such as "none"; less than six
// characters are not treated as secret.
func WithAPIKey(key string) Option { return keyOption("WithAPIKey", bearer, key) }

// WithAzureAPIKey authorizes requests with the header "api-key", as Azure OpenAI expects. Without it
// AZURE_OPENAI_API_KEY counts.
func WithAzureAPIKey(key string) Option { return keyOption("WithAzureAPIKey", apiKey, key) }

func keyOption(name string, header keyHeader, key string) Option {
	secret := transport.NewSecret(key)
	return clientOption{name, func(c *config) error {
		if err := checkKey(secret.Reveal()); err != nil {
			return err
		}
		c.credentials[name] = staticCredential(header, secret)
		return nil
	}}
}

// WithTokenSource authorizes requests with a bearer token that source returns. It is asked on every attempt, with the
// attempt's context, possibly by several goroutines at once, so it keeps a token until it expires. This is the way to
// Microsoft Entra ID. An error of source ends the call; that attempt is not sent.
func WithTokenSource(source func(context.Context) (string, error)) Option {
	const name = "WithTokenSource"
	return clientOption{name, func(c *config) error {
		if source == nil {
			return errors.New("the source is nil")
		}
		c.credentials[name] = tokenCredential(source)
		return nil
	}}
}

// WithBaseURL addresses any server of this protocol, such as "http://localhost:8080/v1". A path is kept; credentials,
// a query or a fragment in the URL are errors. Without it OPENAI_BASE_URL counts, then https://api.openai.com/v1.
func WithBaseURL(url string) Option {
	return endpointOption("WithBaseURL", func() (*endpoint, error) { return openAIEndpoint(url) })
}

// WithAzureOpenAI addresses a resource of Azure OpenAI, such as "https://my-resource.openai.azure.com". apiVersion is
// a date ("2024-05-01-preview", sent as a query parameter) or "v1" for the endpoints below /openai/v1. Empty
// arguments come from AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION. On Azure a model is the name of a deployment.
//
// Azure OpenAI retired the Assistants API on 26 August 2026; servers that keep its addresses remain.
func WithAzureOpenAI(endpointURL, apiVersion string) Option {
	return endpointOption("WithAzureOpenAI", func() (*endpoint, error) { return azureEndpoint(endpointURL, apiVersion) })
}

// WithFoundryProject addresses the Foundry Agent Service (classic) by the URL of a project, such as
// "https://my-resource.services.ai.azure.com/api/projects/my-project". It takes bearer tokens of Entra ID, scope
// "https://ai.azure.com/.default", so [WithTokenSource] belongs to it; the beta header is not sent.
// The service ends on 31 March 2027.
func WithFoundryProject(projectURL string) Option {
	return endpointOption("WithFoundryProject", func() (*endpoint, error) { return foundryEndpoint(projectURL) })
}

// WithHandler sends requests to a handler in this process, such as the server of package server, instead of a
// network. Streaming works, a context that ends ends the handler's too, and a panic of the handler is an error of the
// call. No credentials are needed, and none are read from the environment.
func WithHandler(handler http.Handler) Option {
	const name = "WithHandler"
	return clientOption{name, func(c *config) error {
		if handler == nil {
			return errors.New("the handler is nil")
		}
		c.handler = handler
		c.endpoints[name] = inProcessEndpoint()
		return nil
	}}
}

func endpointOption(name string, make func() (*endpoint, error)) Option {
	return clientOption{name, func(c *config) error {
		e, err := make()
		if err != nil {
			return err
		}
		c.endpoints[name] = e
		return nil
	}}
}

// A Beta is the value of the OpenAI-Beta header: the version of the protocol that is spoken.
type Beta string

// Versions of the protocol.
const (
	BetaV2   Beta = "assistants=v2" // tool resources, file search
	BetaV1   Beta = "assistants=v1" // the retrieval tool and file_ids
	BetaNone Beta = ""              // the header is not sent
)

// WithBeta sets the OpenAI-Beta header. The default is [BetaV2], and [BetaNone] with [WithFoundryProject].
func WithBeta(beta Beta) Option {
	return clientOption{"WithBeta", func(c *config) error {
		if err := checkHeader("OpenAI-Beta", string(beta)); err != nil {
			return err
		}
		c.beta = &beta
		return nil
	}}
}

// WithOrganization sets the OpenAI-Organization header. Without it OPENAI_ORG_ID counts, at OpenAI's
// address and with [WithBaseURL].
func WithOrganization(id string) Option {
	return identityOption("WithOrganization", "OpenAI-Organization", id)
}

// WithProject sets the OpenAI-Project header. Without it OPENAI_PROJECT_ID counts, at OpenAI's address
// and with [WithBaseURL].
func WithProject(id string) Option { return identityOption("WithProject", "OpenAI-Project", id) }

func identityOption(name, header, id string) Option {
	return clientOption{name, func(c *config) error {
		if id == "" {
			return errors.New("the id is empty")
		}
		if err := checkHeader(header, id); err != nil {
			return err
		}
		c.identity.Set(header, id)
		return nil
	}}
}

// WithHTTPClient sends every attempt through client: the place for a proxy, for TLS settings, tracing and metrics.
// The client is copied. Its Timeout, if it has one, bounds streams as well. Its rules for redirects apply after this
// package's, which refuses to leave the server. The default is a client of its own with the settings of net/http and up
// to 100 idle connections a host.
func WithHTTPClient(client *http.Client) Option {
	return clientOption{"WithHTTPClient", func(c *config) error {
		if client == nil {
			return errors.New("the client is nil")
		}
		c.httpClient = client
		return nil
	}}
}

// WithLogger writes a line for every attempt: method, path, status, attempt, duration and request id, and the error
// if there was one; never a header or a body. Attempts that succeed are logged at debug level, others as warnings.
// The default, and nil, is no logging.
func WithLogger(logger *slog.Logger) Option {
	return clientOption{"WithLogger", func(c *config) error {
		c.logger = logger
		return nil
	}}
}

// WithMaxResponseBytes bounds how many bytes of an answer are read into memory, and how many one event of a [Stream], or
// all that its events add up to, may have. More is an error. The default is 64 MiB.
func WithMaxResponseBytes(n int64) Option {
	return clientOption{"WithMaxResponseBytes", func(c *config) error {
		if n <= 0 {
			return fmt.Errorf("%d bytes are no limit", n)
		}
		c.maxBytes = min(n, math.MaxInt64-1) // one more must be countable
		return nil
	}}
}

// WithMaxRetries bounds how often a call is sent again, with growing pauses or those the server asks for. The default
// is 2; 0 turns retries off. Sent again are calls answered with 408, 409, 429 or 5xx, or as the x-should-retry header
// says. A call without an answer is sent again only if it is a GET, if the connection was never made, or if it has an
// idempotency key: a POST that got no answer and may have arrived is not sent again. A server that asks for a pause of
// more than a minute gets none: the call ends with its answer, whose RetryAfter says how long.
func WithMaxRetries(n int) RequestOption {
	return requestOption{"WithMaxRetries", false, func(c *callConfig) error {
		if n < 0 {
			return fmt.Errorf("%d is negative", n)
		}
		c.maxRetries = n
		return nil
	}}
}

// WithTimeout bounds one attempt, from connecting to the last byte of the answer, or to the header of an answer that
// is streamed. While a file is uploaded it bounds the time in which the server takes nothing. The default is a minute; 0 means
// no limit but the context's, which bounds the whole call.
func WithTimeout(d time.Duration) RequestOption {
	return requestOption{"WithTimeout", false, func(c *callConfig) error {
		if d < 0 {
			return fmt.Errorf("%v is negative", d)
		}
		c.timeout = d
		return nil
	}}
}

// WithStreamIdleTimeout bounds the silence within an answer that is streamed. The default is five minutes; 0 means
// no limit. Given to a call that is not streamed it is an error.
func WithStreamIdleTimeout(d time.Duration) RequestOption {
	return requestOption{"WithStreamIdleTimeout", false, func(c *callConfig) error {
		if d < 0 {
			return fmt.Errorf("%v is negative", d)
		}
		c.idleTimeout = d
		c.need("WithStreamIdleTimeout", streams)
		return nil
	}}
}

// WithHeader sets a header of requests, in place of this package's own; an empty value takes the header off.
// Authorization and Api-Key take the place of the client's credentials. The value of a header that by its name is a
// credential (Authorization, X-Api-Key, Cookie …) is kept as secret as a key. Headers that frame a message, such as
// Content-Length, are errors.
func WithHeader(name, value string) RequestOption {
	secret := transport.NewSecret(value)
	return requestOption{"WithHeader", false, func(c *callConfig) error {
		value := secret.Reveal()
		if err := checkHeader(name, value); err != nil {
			return err
		}
		if value == "" && isCredential(name) {
			return errors.New("credentials cannot be taken off; use a client without them")
		}
		c.setHeader(name, secret)
		return nil
	}}
}

// WithIdempotencyKey sends the Idempotency-Key header, so that the call may be sent again whatever happened: a server
// that keeps such keys, as the embedded one does, acts once and gives the same answer again. The key is yours to
// choose and names one intent; at most 255 bytes. One call only; an error on a GET, which needs none.
func WithIdempotencyKey(key string) RequestOption {
	return requestOption{"WithIdempotencyKey", true, func(c *callConfig) error {
		if key == "" || len(key) > 255 {
			return errors.New("a key has 1 to 255 bytes")
		}
		if err := checkHeader("Idempotency-Key", key); err != nil {
			return err
		}
		c.idempotencyKey = key
		return nil
	}}
}

// WithResponse fills response with what HTTP said: of the last attempt, and also if the call fails. With an iterator
// it is that of the last page. One call only.
func WithResponse(response *Response) RequestOption {
	return requestOption{"WithResponse", true, func(c *callConfig) error {
		if response == nil {
			return errors.New("the response is nil")
		}
		*response = Response{} // should the call end before there is one
		c.response = response
		return nil
	}}
}

// WithBodyField adds a field to the request's JSON, or replaces it: one that this package does not know, or a value
// that it does not allow. path leads to it through objects by name and arrays by index, separated by dots:
// "tools.0.function.strict"; a dot within a name is written "\\.". Objects are made where there is nothing. value is
// encoded by encoding/json. One call only; an error on a call without a JSON body.
func WithBodyField[T any](path string, value T) RequestOption {
	return requestOption{"WithBodyField", true, func(c *callConfig) error {
		encoded, err := json.Marshal(value)
		if err != nil {
			return err
		}
		elements, err := splitFieldPath(path)
		if err != nil {
			return err
		}
		c.fields = append(c.fields, bodyField{elements, encoded})
		return nil
	}}
}

// A Response is the HTTP side of a call: see [WithResponse].
type Response struct {
	// StatusCode is 0 if no answer arrived.
	StatusCode int
	Header     http.Header // nil if no answer arrived
	// RequestID names the request to the server's operators; "" if the server gave it no name.
	RequestID string
	// Attempts counts the attempts, the one that could not be authorized included.
	Attempts int
	// Body is the answer as it came, of an error at most 1 MiB; nil where it was streamed.
	Body []byte
}

// checkHeader accepts the fields a caller may set.
func checkHeader(name, value string) error {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	}) {
		return errors.New("this is no name of a header") // and may be a key in the wrong place
	}
	switch http.CanonicalHeaderKey(name) {
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Te", "Trailer", "Upgrade":
		return fmt.Errorf("%s frames a message and is not the caller's to set", name)
	}
	if !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("the value has characters that no header has")
	}
	return nil
}
