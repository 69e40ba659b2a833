package transport

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A RedirectError says that the server sent the request elsewhere and the client did not go.
type RedirectError struct {
	From, To string // scheme and host, no path: a path may hold what was echoed
	Reason   string
	Err      error // of the caller's own rule; nil if it was not that
}

// Unwrap gives the error of the caller's own rule.
func (e *RedirectError) Unwrap() error { return e.Err }

func (e *RedirectError) Error() string {
	return fmt.Sprintf("redirect from %s to %s refused: %s", e.From, e.To, e.Reason)
}

// refuseForeign keeps requests, and the credentials on them, with the server they were addressed to, and never lets
// a redirect turn a call that changes something into one that does not. What it allows, the caller's own rule may
// still refuse.
func refuseForeign(next func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		first := via[0]
		refused := &RedirectError{From: origin(first.URL), To: origin(req.URL)}
		switch {
		case !strings.EqualFold(refused.From, refused.To):
			refused.Reason = "credentials stay with the server they were given for"
			return refused
		case req.Method != first.Method:
			refused.Reason = "it would turn " + first.Method + " into " + req.Method
			return refused
		case next == nil && len(via) >= 10:
			refused.Reason = "there were 10 redirects already"
			return refused
		case next == nil:
			return nil
		}
		err := next(req, via)
		if err == nil || err == http.ErrUseLastResponse {
			return err
		}
		refused.Reason, refused.Err = err.Error(), err
		return refused
	}
}

// origin is scheme, host and port, the port always written.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + u.Hostname() + ":" + port
}
