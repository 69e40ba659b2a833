package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"
)

// Server is the Assistants API as an [http.Handler]. Make one with [New]; the
// zero Server is not ready for use. It is safe for concurrent use.
type Server struct {
	store       Store
	blobs       Blobs
	now         func() time.Time
	idSource    func(prefix string) string // nil: newID
	keys        apiKeys
	models      map[string]bool // empty: any
	unsupported map[string]bool // models that are not for assistants
	logger      *slog.Logger
	maxBody     int64
	maxFile     int64
	maxMessages int // of a thread

	extractor Extractor
	retriever Retriever

	model         Model
	concurrent    int // calls of the model
	contextTokens int // of a thread, which a model is shown

	table   []route
	answers *answerCache
	engine  *engine
	ingest  *ingestor
	sweeper sweeper
	closed  atomic.Bool
}

var _ http.Handler = (*Server)(nil)

// New returns a server. With no options it keeps objects and files in memory, goes
// by the real clock, makes random ids, asks callers for no key, accepts any model
// name, logs nothing, and has a stand-in in place of a model: see [StandIn].
func New(opts ...Option) *Server {
	s := &Server{
		now:         time.Now,
		maxMessages: maxThreadMessages,
		logger:      slog.New(slog.DiscardHandler),
		maxBody:     defaultMaxBodyBytes,
		maxFile:     defaultMaxFileBytes,
		answers:     newAnswerCache(maxKeptAnswers, maxKeptAnswerBytes),

		concurrent:    defaultConcurrentCalls,
		contextTokens: defaultContextTokens,
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	if s.store == nil {
		s.store = NewMemoryStore()
	}
	if s.blobs == nil {
		s.blobs = NewMemoryBlobs()
	}
	if s.extractor == nil {
		s.extractor = TextExtractor()
	}
	if s.retriever == nil {
		s.retriever = NewLexicalRetriever()
	}
	if s.model == nil {
		s.model = StandIn()
	}
	s.engine = newEngine(s, s.model, s.concurrent)
	s.ingest = newIngestor(s)
	s.table = s.routes()
	return s
}

// Close ends the server: every later request is answered with status 503 in the
// error envelope, and the runs that are queued or at work end as failed, or as
// cancelled if they were being cancelled; streams end with that. A run that waits
// for outputs stays as it is. Requests that are under way are finished. The
// contexts of model calls, and of the reading of files for vector stores, have
// ended by then, and Close waits up to 5 seconds for them to return; that some
// have not is the only error. Files that are in progress stay so, and the next
// server with the same [Store] goes on with them. Closing again does nothing. The
// [Store] and the [Blobs] are the caller's and stay open.
func (s *Server) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.ingest.close()
	patience, end := context.WithTimeout(context.Background(), closePatience)
	defer end()
	return errors.Join(s.engine.close(patience), s.ingest.wait(patience))
}

// call is a request on its way through a handler.
type call struct {
	request *http.Request
	id      string   // of the request
	path    []string // of the route
	ids     []string // from the address, one for each variable of the path
	body    []byte   // of a POST, as JSON; nil otherwise
	file    *staged  // of a form that has one; nil otherwise
}

// handler does what a route is for. An *apiError is answered as it is, any other
// error is the server's fault.
type handler func(ctx context.Context, c *call) (reply, error)

// reply is a whole answer, or the beginning of a stream.
type reply struct {
	status   int
	body     []byte
	content  *content                        // of a file, in place of a body
	events   *feed                           // of a stream
	keep     func(stream []byte, whole bool) // called with what was streamed, for a repetition of the request; nil: none
	location string                          // of a redirect
	allow    string                          // the Allow header of a refused method
	replayed bool                            // kept from an earlier request
	streamed bool                            // the body is a whole stream
}

func ok(body []byte) (reply, error) {
	return reply{status: http.StatusOK, body: body}, nil
}

// ServeHTTP answers a request; docs/protocol.md says how. It never panics on
// account of what a client sends.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.now()
	c := &call{request: r, id: s.newID(prefixRequest)}

	answer, cause := s.answer(c, w)

	elapsed := max(s.now().Sub(start), 0) // the clock may go backwards
	switch {
	case answer.events != nil:
		s.stream(w, c, answer, elapsed)
		elapsed = max(s.now().Sub(start), 0)
	case answer.content != nil:
		s.header(w, c, answer, elapsed)
		cause = answer.content.send(w)
		elapsed = max(s.now().Sub(start), 0)
	default:
		s.write(w, c, answer, elapsed)
	}
	s.log(c, answer.status, elapsed, cause)
	if answer.content != nil && cause != nil {
		panic(http.ErrAbortHandler) // or half of a file would look like all of it
	}
}

func (s *Server) newID(prefix string) string {
	if s.idSource != nil {
		return s.idSource(prefix)
	}
	return newID(prefix, s.now())
}

// answer handles a request whatever happens: errors and panics become answers
// too. The cause is what to log of an error that is the server's fault.
func (s *Server) answer(c *call, w http.ResponseWriter) (answer reply, cause error) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p) // somebody's wish to drop the connection, not a failure
			}
			cause = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			answer = failure(errInternal(c.id))
		}
	}()
	answer, err := asReply(s.handle(c, w))
	if err != nil {
		return failure(errInternal(c.id)), err
	}
	return answer, nil
}

// asReply makes an error that is the caller's fault an answer. Another error stays.
func asReply(answer reply, err error) (reply, error) {
	var known *apiError
	if errors.As(err, &known) {
		answer.status, answer.body = known.status, known.body()
		return answer, nil
	}
	return answer, err
}

func failure(e *apiError) reply {
	return reply{status: e.status, body: e.body()}
}

// handle checks what all requests have in common, in the order of section 3 of
// docs/protocol.md, and passes the request on to its handler.
func (s *Server) handle(c *call, w http.ResponseWriter) (reply, error) {
	r := c.request
	if s.closed.Load() {
		return reply{}, errClosed()
	}
	to := s.resolve(r.URL)
	if to.redirect {
		return reply{status: http.StatusTemporaryRedirect, location: redirectTo(r)}, nil
	}
	if err := s.keys.authorize(credential(r.Header)); err != nil {
		return reply{}, err
	}
	if to.route == nil {
		return reply{}, errUnknownURL(r.Method, r.URL.EscapedPath())
	}
	method := to.route.find(r.Method)
	if method == nil {
		return reply{allow: to.route.allow()}, errWrongMethod(r.Method, r.URL.EscapedPath())
	}
	if !to.route.needsBeta() {
		s.sweep(r.Context())
	} else if err := checkBeta(r.Header, to.azure); err != nil {
		return reply{}, err
	}
	c.path, c.ids = to.route.path, to.ids
	var err error
	switch {
	case r.Method == http.MethodGet:
		return withIDs(method.handle)(r.Context(), c) // changes nothing, however often
	case r.Method != http.MethodPost:
		return s.once(r.Context(), c, withIDs(method.handle)) // behind a body they are looked at with it
	case method.form != "":
		defer func() { s.unstage(r.Context(), c.file) }()
		err = s.readForm(w, c, method.form)
	default:
		c.body, err = s.readBody(w, r)
	}
	if err != nil {
		return reply{}, err
	}
	return s.once(r.Context(), c, method.handle)
}

// readBody reads the whole body, up to the limit.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errBodyTooLarge(s.maxBody)
	case err != nil:
		return nil, errNotJSON() // the rest of the body never came
	default:
		return body, nil
	}
}

// write sends an answer.
func (s *Server) write(w http.ResponseWriter, c *call, answer reply, elapsed time.Duration) {
	s.header(w, c, answer, elapsed)
	if len(answer.body) > 0 {
		_, _ = w.Write(answer.body) // fails if the caller has gone, which is no news
	}
}

// header sends what comes before the body of an answer.
func (s *Server) header(w http.ResponseWriter, c *call, answer reply, elapsed time.Duration) {
	h := w.Header()
	h.Set("X-Request-Id", c.id)
	h.Set("Openai-Processing-Ms", strconv.FormatInt(elapsed.Milliseconds(), 10))
	h.Set("Openai-Version", "2020-10-01")
	if answer.events == nil && answer.content == nil {
		h.Set("Content-Length", strconv.Itoa(len(answer.body)))
	}
	switch {
	case answer.content != nil:
		answer.content.describe(h)
	case answer.location != "":
		h.Set("Location", answer.location)
	case answer.events != nil || answer.streamed:
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
	default:
		h.Set("Content-Type", "application/json")
	}
	if answer.allow != "" {
		h.Set("Allow", answer.allow)
	}
	if answer.replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(answer.status)
}

func (s *Server) log(c *call, status int, elapsed time.Duration, cause error) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("method", echo(c.request.Method)),
		slog.String("path", echo(c.request.URL.Path)),
		slog.Int("status", status),
		slog.Duration("duration", elapsed),
		slog.String("request_id", c.id),
	}
	if cause != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("cause", cause.Error()))
	}
	s.logger.LogAttrs(c.request.Context(), level, "request", attrs...)
}
