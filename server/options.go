package server

import (
	"crypto/sha256"
	"log/slog"
	"time"
)

// defaultMaxBodyBytes is the limit of a body unless WithMaxBodyBytes sets one.
const defaultMaxBodyBytes = 16 << 20

// defaultMaxFileBytes is the limit of a file unless WithMaxFileBytes sets one.
const defaultMaxFileBytes = 512 << 20

// Option changes one part of a [Server]. A nil Option changes nothing.
type Option func(*Server)

// WithStore sets where objects are kept. Nil, like no option, means a new
// [MemoryStore].
func WithStore(store Store) Option {
	return func(s *Server) {
		if store == nil {
			store = NewMemoryStore()
		}
		s.store = store
	}
}

// WithBlobs sets where the contents of files are kept. Nil, like no option, means a new [MemoryBlobs]. A [Store]
// that outlives the process needs Blobs that do too.
func WithBlobs(blobs Blobs) Option {
	return func(s *Server) {
		if blobs == nil {
			blobs = NewMemoryBlobs()
		}
		s.blobs = blobs
	}
}

// WithExtractor sets how text is made of files for file search. Nil, like no
// option, means [TextExtractor].
func WithExtractor(extractor Extractor) Option {
	return func(s *Server) { s.extractor = extractor }
}

// WithRetriever sets how vector stores are searched. Nil, like no option, means a
// new [LexicalRetriever].
func WithRetriever(retriever Retriever) Option {
	return func(s *Server) { s.retriever = retriever }
}

// WithClock sets what the server takes for the current time: in all timestamps, in
// the expiry of runs, in ids of vector stores, in the age of kept answers (section 8 of
// docs/protocol.md) and in measured durations. That a run has expired is noticed
// when its model yields something, when somebody looks, or by a timer that was set
// to the time left. The function must be safe for concurrent use and may return
// times that go backwards. Nil, like no option, means [time.Now].
func WithClock(now func() time.Time) Option {
	return func(s *Server) {
		if now == nil {
			now = time.Now
		}
		s.now = now
	}
}

// WithIDSource sets how ids are made. The function gets the prefix of the kind,
// such as "asst", "vs" or "req", and returns the whole id, such as "asst_1". It
// must be safe for concurrent use and must not return an id twice: the request
// that would use it again fails with status 500. Ids must begin with the
// prefix, or the server will not accept them in addresses. Nil, like
// no option, means random ids in the forms of section 12 of docs/protocol.md.
func WithIDSource(source func(prefix string) string) Option {
	return func(s *Server) { s.idSource = source }
}

// WithAPIKeys sets the keys that callers may use, either as a bearer token or in
// an api-key header; all others are answered with status 401. With no keys, as
// without the option, callers need none. An empty key is a key that nobody can
// send: a variable that was not set keeps everybody out rather than letting
// everybody in. Keys are compared in constant time, and only their hashes are
// kept.
func WithAPIKeys(keys ...string) Option {
	return func(s *Server) {
		s.keys = nil
		for _, key := range keys {
			s.keys = append(s.keys, sha256.Sum256([]byte(key)))
		}
	}
}

// WithModelNames sets the models that assistants may be given; others are
// answered with status 400 and code model_not_found. With no names, as without
// the option, every non-empty name is accepted.
func WithModelNames(names ...string) Option {
	return func(s *Server) {
		s.models = make(map[string]bool, len(names))
		for _, name := range names {
			s.models[name] = true
		}
	}
}

// WithUnsupportedModelNames sets models that exist and yet are not for
// assistants, such as those for embeddings; they are answered with status 400 and
// code unsupported_model. Without the option there are none.
func WithUnsupportedModelNames(names ...string) Option {
	return func(s *Server) {
		s.unsupported = make(map[string]bool, len(names))
		for _, name := range names {
			s.unsupported[name] = true
		}
	}
}

// WithLogger sets where requests are reported: method, path, status, duration
// and request id, at level Info, and at level Error with the cause if the answer
// is the server's fault. Why a run failed is reported at level Error too, with its
// id. Headers and bodies are never logged. Nil, like no option, means that nothing
// is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(s *Server) {
		if logger == nil {
			logger = slog.New(slog.DiscardHandler)
		}
		s.logger = logger
	}
}

// WithModel sets what speaks for the assistants. Nil, like no option, means
// [StandIn], which is no model and says so.
func WithModel(model Model) Option {
	return func(s *Server) { s.model = model }
}

// WithMaxConcurrentCalls sets how many calls of the model may be under way at
// once. Further runs stay queued and are served in the order in which they came,
// as long as they do not expire. Zero or less, like no option, means 1,024.
func WithMaxConcurrentCalls(n int) Option {
	return func(s *Server) {
		if n <= 0 {
			n = defaultConcurrentCalls
		}
		s.concurrent = n
	}
}

// WithMaxContextTokens sets how much of a thread a model is shown, in tokens, which
// are estimated at four bytes each: of a longer one, what is in the middle is left
// out, as section 10.6 of docs/protocol.md says. Zero or less, like no option, means
// 128,000.
func WithMaxContextTokens(n int) Option {
	return func(s *Server) {
		if n <= 0 {
			n = defaultContextTokens
		}
		s.contextTokens = n
	}
}

// WithMaxBodyBytes sets the largest body of a request, in bytes; a larger one is
// answered with status 413. Zero or less, like no option, means 16 MiB.
func WithMaxBodyBytes(n int64) Option {
	return func(s *Server) {
		if n <= 0 {
			n = defaultMaxBodyBytes
		}
		s.maxBody = n
	}
}

// WithMaxFileBytes sets the largest file that may be uploaded in one request, in bytes; a larger one is answered with
// status 413. What is uploaded in parts has limits of its own, which section 16 of docs/protocol.md names. Zero or less,
// like no option, means 512 MiB.
func WithMaxFileBytes(n int64) Option {
	return func(s *Server) {
		if n <= 0 {
			n = defaultMaxFileBytes
		}
		s.maxFile = n
	}
}
