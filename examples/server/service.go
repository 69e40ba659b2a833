package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/assistants-go/assistants/server"
)

const (
	headerTimeout = 10 * time.Second // for the header of a request
	idleTimeout   = 2 * time.Minute  // between requests
	maxHeader     = 64 << 10         // bytes
	lastAnswers   = 10 * time.Second // for answers that are under way when the server ends
)

// A service is the API, on its listeners.
type service struct {
	api      *server.Server
	doors    []*door  // the API's, and that of the metrics if they have one
	keys     []string // of callers; none are asked for one without
	stopping atomic.Bool
	drain    time.Duration // from the first word of the end to the end of service
	logger   *slog.Logger
}

// A door is a listener and what is behind it.
type door struct {
	http.Server
	listener net.Listener // nil: not open yet
}

func newService(cfg *config, model server.Model, blobs server.Blobs, m *metrics, logger *slog.Logger) *service {
	s := &service{
		keys:   cfg.keys,
		drain:  cfg.drain,
		logger: logger,
		api: server.New(
			server.WithModel(model),
			server.WithBlobs(blobs),
			server.WithAPIKeys(cfg.keys...),
			server.WithLogger(logger),
		),
	}
	if cfg.metricsAddr == "" {
		s.addDoor(cfg.addr, s.handler(m.observe(s.api), s.forCallers(m.handler())))
		return s
	}
	s.addDoor(cfg.addr, s.handler(m.observe(s.api), nil))
	s.addDoor(cfg.metricsAddr, m.handler())
	return s
}

// addDoor has no limit for the time that an answer takes, since a stream takes as long as its run, and none for that
// of a body, since files are as large as they are.
func (s *service) addDoor(addr string, handler http.Handler) {
	s.doors = append(s.doors, &door{Server: http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}})
}

// handler is the API, with /healthz beside it, and /metrics unless they are elsewhere. Paths go to the API as they are: a mux
// would clean them.
func (s *service) handler(api, metrics http.Handler) http.Handler {
	private := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" && metrics != nil {
			metrics.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}))
	if len(s.keys) == 0 {
		private = forThisMachine(private)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			s.health(w)
			return
		}
		private.ServeHTTP(w, r)
	})
}

// forCallers asks for a key, as the API does.
func (s *service) forCallers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := []byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if len(s.keys) > 0 && !slices.ContainsFunc(s.keys, func(key string) bool {
			return subtle.ConstantTimeCompare(given, []byte(key)) == 1
		}) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "metrics want the key of a caller, or an address of their own: -metrics-addr", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// forThisMachine keeps pages that a browser shows on this machine from what asks for no key: those of other origins,
// and those whose names their owners have made those of this machine. Whoever else reaches the port is served.
func forThisMachine(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := (&url.URL{Host: r.Host}).Hostname()
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"error":{"message":"Without API keys this server is asked as localhost or by a loopback address. `+
				`Set %s to be asked by another name.","type":"invalid_request_error","param":null,"code":null}}`, keysVariable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// health says whether requests are answered.
func (s *service) health(w http.ResponseWriter) {
	if s.stopping.Load() {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// listen opens the doors. Without keys the API's must be on a loopback address, whatever the name of that.
func (s *service) listen(ctx context.Context) (err error) {
	for i, d := range s.doors {
		if d.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", d.Addr); err != nil {
			return err
		}
		if i == 0 && len(s.keys) == 0 && !isLoopback(d.listener.Addr()) {
			return fmt.Errorf("%s can be reached from other machines, and anybody could spend your tokens: "+
				"set %s, or listen on 127.0.0.1", d.Addr, keysVariable)
		}
	}
	return nil
}

// announce says in the log where the server is and who answers.
func (s *service) announce(models string, cfg *config) {
	first, last := s.doors[0].listener.Addr().String(), s.doors[len(s.doors)-1].listener.Addr().String()
	s.logger.LogAttrs(context.Background(), slog.LevelInfo, "listening",
		slog.String("base_url", "http://"+first+"/v1"), slog.String("models", models), slog.Int("keys", len(cfg.keys)), slog.Any("routes", cfg.routes),
		slog.String("metrics", "http://"+last+"/metrics"))
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// serve answers requests until ctx ends or a listener fails.
func (s *service) serve(ctx context.Context) error {
	ended := make(chan error, len(s.doors))
	for _, d := range s.doors {
		go func() { ended <- d.Serve(d.listener) }()
	}
	var failed error
	serving := len(s.doors)
	select {
	case <-ctx.Done():
	case failed = <-ended:
		serving--
	}
	s.logger.Info("shutting down")
	s.stopping.Store(true)
	if failed == nil {
		time.Sleep(s.drain)
	}
	err := errors.Join(failed, s.shutdown())
	for range serving {
		<-ended // http.ErrServerClosed
	}
	return err
}

// shutdown ends the runs, by which their streams end, and then the listeners, once all answers are written. Until
// then requests are answered with status 503, which a load balancer understands better than a port that nobody
// listens on. It takes 5 seconds for models and 10 for answers at most.
func (s *service) shutdown() error {
	s.stopping.Store(true)
	err := s.api.Close()
	patience, end := context.WithTimeout(context.Background(), lastAnswers)
	defer end()
	for _, d := range s.doors {
		if failed := d.Shutdown(patience); failed != nil {
			err = errors.Join(err, failed, d.Close())
		}
		if d.listener != nil {
			d.listener.Close() // if it was never served; closed already otherwise
		}
	}
	return err
}

// contents are [server.Blobs] that end with the process.
type contents struct {
	server.Blobs
	io.Closer
	dir string // "": there is none
}

// newBlobs returns the place for the contents of files: memory, or a directory of this process's own below dir. As
// the objects are in memory, contents that outlived them would be nobody's.
func newBlobs(dir string) (*contents, error) {
	if dir == "" {
		return &contents{Blobs: server.NewMemoryBlobs()}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("-files: %w", err)
	}
	own, err := os.MkdirTemp(dir, "contents-")
	if err != nil {
		return nil, fmt.Errorf("-files: %w", err)
	}
	blobs, err := server.NewDirectoryBlobs(own)
	if err != nil {
		return nil, fmt.Errorf("-files: %w", err)
	}
	return &contents{Blobs: blobs, Closer: blobs, dir: own}, nil
}

// Close removes the directory.
func (c *contents) Close() error {
	if c.dir == "" {
		return nil
	}
	return errors.Join(c.Closer.Close(), os.RemoveAll(c.dir))
}
