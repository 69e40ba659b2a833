package assistants

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/assistants-go/assistants/internal/transport"
)

// A Client speaks the Assistants API with one endpoint. Make it with [NewClient]; it is immutable and safe for
// concurrent use, and one client, which keeps its connections, serves a whole program.
type Client struct {
	// Assistants are models with instructions, tools and files.
	Assistants *AssistantsService
	// Threads are conversations.
	Threads *ThreadsService
	// Messages are what is said in threads.
	Messages *MessagesService
	// Runs are assistants at work on threads: created, streamed, waited for.
	Runs *RunsService
	// RunSteps are what runs did.
	RunSteps *RunStepsService
	// Files are documents: uploaded, or made by assistants.
	Files *FilesService
	// Uploads are files on their way in parts.
	Uploads *UploadsService
	// VectorStores are collections of files that can be searched.
	VectorStores *VectorStoresService
	// VectorStoreFiles are the files in vector stores.
	VectorStoreFiles *VectorStoreFilesService
	// FileBatches are files that are added to vector stores together.
	FileBatches *FileBatchesService

	core *core
}

// service is what every service is made of.
type service struct{ core *core }

// NewClient returns a client for the endpoint that opts name, or for api.openai.com.
//
// What is not given comes from the environment, as with the official libraries: OPENAI_API_KEY, OPENAI_BASE_URL,
// OPENAI_ORG_ID and OPENAI_PROJECT_ID; with [WithAzureOpenAI] AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and
// OPENAI_API_VERSION instead. The environment is read here and never again.
//
// Options of the same name replace each other, the last one counts. Options that contradict each other, a URL that
// is none and missing credentials are errors here rather than at the first call. No error text contains a key.
func NewClient(opts ...Option) (*Client, error) {
	cfg := newConfig()
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("assistants: option %d is nil", i)
		}
		if err := opt.applyClient(cfg); err != nil {
			return nil, fmt.Errorf("assistants: %w", err)
		}
	}
	core, err := cfg.build()
	if err != nil {
		return nil, fmt.Errorf("assistants: %w", err)
	}
	return &Client{
		Assistants:       &AssistantsService{core},
		Threads:          &ThreadsService{core},
		Messages:         &MessagesService{core},
		Runs:             &RunsService{core},
		RunSteps:         &RunStepsService{core},
		Files:            &FilesService{core},
		Uploads:          &UploadsService{core},
		VectorStores:     &VectorStoresService{core},
		VectorStoreFiles: &VectorStoreFilesService{core},
		FileBatches:      &FileBatchesService{core},
		core:             core,
	}, nil
}

// Call sends a request that this package has no method for, such as a route that a compatible server adds. It is
// authorized, repeated, bounded and checked like every other call.
//
// path is appended to the endpoint's base URL. It begins with a slash, is already escaped, and may have a query:
// "/threads/thread_1/fork?depth=2".
//
// in is the body: nil for none, a [json.RawMessage] as it is, else what encoding/json makes of it. out takes the
// answer: nil discards it, an [io.Writer] gets the bytes as they arrive, unbounded but watched by
// [WithStreamIdleTimeout]; anything else is a pointer for encoding/json, such as a *json.RawMessage.
func (c *Client) Call(ctx context.Context, method, path string, in, out any, opts ...RequestOption) error {
	return c.core.callPath(ctx, method, path, in, out, opts)
}

// Open sends a request like [Client.Call] and returns the body of its answer as it arrives, for the caller to close: a
// stream of events of a route that this package does not know, or a file. in is the body, nil for none. Silence for longer
// than [WithStreamIdleTimeout] allows is an error of Read, as is a connection that breaks. [WithResponse] tells the header.
// What is returned has a method Redact(string) string too, which takes the client's credentials out of a text: a server may
// echo them in what it sends.
func (c *Client) Open(ctx context.Context, method, path string, in json.RawMessage, opts ...RequestOption) (io.ReadCloser, error) {
	o, err := at(method, path, in)
	if err != nil {
		return nil, err
	}
	return c.core.open(ctx, o, opts)
}

// BaseURL is where requests go: scheme, host and path, without credentials, query and a slash at the end. It is "" of a Client
// that was not made by [NewClient].
func (c *Client) BaseURL() string {
	if c.core == nil {
		return ""
	}
	return c.core.base
}

// CloseIdleConnections closes the connections that the client keeps for later calls. Calls under way go on, and the
// client stays of use. It does nothing with [WithHTTPClient], whose connections are the caller's.
func (c *Client) CloseIdleConnections() {
	if c.core != nil && c.core.pool != nil {
		c.core.pool.CloseIdleConnections()
	}
}

// core is what all services share: where requests go and what is on all of them.
type core struct {
	transport *transport.Transport
	pool      *http.Transport // the client's own connections; nil if they are the caller's
	base      string          // scheme, host and path, without a slash at the end
	query     string          // on every request, encoded
	header    http.Header     // on every request; not modified
	maxBytes  int64           // of an answer
	defaults  callConfig
	retired   bool // the host is known to have switched the API off
}
