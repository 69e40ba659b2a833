package assistants

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/assistants-go/assistants/internal/sse"
	"github.com/assistants-go/assistants/internal/transport"
)

// An APIError is an answer that is not what was asked for: an error of the server, in any of the forms that servers
// of this protocol use, or a success that cannot be one, such as an empty body, HTML, truncated JSON or an object of
// another type. In the second case StatusCode is the 2xx that was sent.
//
// Fields that the answer did not have are zero. Credentials in what the server sent are replaced by "[redacted]".
type APIError struct {
	StatusCode int // of the last attempt
	// Code, Type and Param are the error's own: "invalid_type", "invalid_request_error", "metadata.key".
	Code, Type, Param string
	// Message is the server's explanation, cut at 512 bytes, or this package's if the server had none.
	Message string
	// RequestID names the request to the server's operators.
	RequestID string
	// RetryAfter is how long the server asks its callers to wait.
	RetryAfter time.Duration
	// Method and Path are what was asked for; the path without host and query.
	Method, Path string
	// Body is the answer, cut at 1 MiB.
	Body []byte

	retired bool
	cause   error
}

// What an [APIError] is, by its status: to be asked with errors.Is.
var (
	ErrBadRequest   = errors.New("assistants: the request is invalid")          // 400, 422
	ErrUnauthorized = errors.New("assistants: the credentials are not valid")   // 401
	ErrPermission   = errors.New("assistants: permission denied")               // 403
	ErrNotFound     = errors.New("assistants: not found")                       // 404
	ErrConflict     = errors.New("assistants: conflict")                        // 409
	ErrRateLimited  = errors.New("assistants: too many requests, or no credit") // 429
	ErrServer       = errors.New("assistants: the server failed")               // 5xx

	// ErrRetired says that the host has switched the Assistants API off: OpenAI and Azure OpenAI did on 26 August
	// 2026. What is retired is [ErrNotFound] too.
	ErrRetired = errors.New("assistants: this host has switched the Assistants API off")
)

// Error says what was asked for, the status, and what the server has to say about it.
func (e *APIError) Error() string {
	text := e.describe(strconv.Itoa(e.StatusCode))
	if e.retired {
		text += retiredAdvice
	}
	return text
}

// describe is the error in one line; what says what the server did.
func (e *APIError) describe(what string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "assistants: %s %s: %s", e.Method, e.Path, what)
	for _, word := range []string{e.Type, e.Code} {
		if word != "" {
			b.WriteString(" " + word)
		}
	}
	b.WriteString(": " + e.Message)
	if e.Param != "" && !strings.Contains(e.Message, "'"+e.Param+"'") {
		b.WriteString(" (param " + e.Param + ")")
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return b.String()
}

const retiredAdvice = ". This host switched the Assistants API off on 26 August 2026; its protocol lives on in " +
	"Foundry Agent Service (classic) until 31 March 2027 (WithFoundryProject), in compatible servers (WithBaseURL), " +
	"and in this module's own server (WithHandler, package server)"

// Is answers errors.Is for the errors of this package that stand for a status.
func (e *APIError) Is(target error) bool {
	switch target {
	case ErrBadRequest:
		return e.StatusCode == http.StatusBadRequest || e.StatusCode == http.StatusUnprocessableEntity
	case ErrUnauthorized:
		return e.StatusCode == http.StatusUnauthorized
	case ErrPermission:
		return e.StatusCode == http.StatusForbidden
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound || e.retired
	case ErrConflict:
		return e.StatusCode == http.StatusConflict
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case ErrServer:
		return e.StatusCode >= 500
	case ErrRetired:
		return e.retired
	}
	return false
}

// Unwrap gives the reason why a successful answer could not be used, such as io.ErrUnexpectedEOF.
func (e *APIError) Unwrap() error { return e.cause }

const maxMessageBytes = 512

// failure is the error of a call that was not answered with success, or not answered.
func (c *core) failure(req *transport.Request, got *transport.Answer, err error) error {
	if got.StatusCode == 0 {
		return newCallError(req, got, err)
	}
	if got.OK() {
		if !isTooLarge(err) {
			err = fmt.Errorf("the answer broke off: %w", err)
		}
		return c.unusable(req, got, err)
	}
	e := newAPIError(req, got, parseErrorBody(got.Body))
	if e.Message == "" {
		e.Message = clean(got, statusText(got))
	}
	e.retired = c.retired && isRetired(req, e)
	if err != nil { // waiting for the next attempt was cut short
		return fmt.Errorf("%w; %w", e, newCause(got, err))
	}
	return e
}

func isTooLarge(err error) bool {
	_, answer := errors.AsType[*transport.TooLargeError](err)
	_, event := errors.AsType[*sse.TooLargeError](err)
	return answer || event
}

// unusable is the error of a call that was answered with what is no answer.
func (c *core) unusable(req *transport.Request, got *transport.Answer, err error) error {
	if err != errReported {
		e := newAPIError(req, got, errorBody{message: err.Error()})
		e.cause = newCause(got, err)
		return e
	}
	e := newAPIError(req, got, parseErrorBody(got.Body))
	if e.Message == "" {
		e.Message = errReported.Error()
	}
	return e
}

func newAPIError(req *transport.Request, got *transport.Answer, explained errorBody) *APIError {
	retryAfter, _ := transport.RetryAfter(got.Header)
	return &APIError{
		StatusCode: got.StatusCode,
		Code:       clean(got, explained.code),
		Type:       clean(got, explained.typ),
		Param:      clean(got, explained.param),
		Message:    clean(got, explained.message),
		RequestID:  clean(got, transport.RequestID(got.Header)),
		RetryAfter: retryAfter,
		Method:     req.Method,
		Path:       got.Secrets.Redact(req.Path),
		Body:       []byte(got.Secrets.RedactPrefix(string(got.Body), transport.MaxErrorBytes)),
	}
}

// statusText stands in for the explanation that an answer does not have.
func statusText(got *transport.Answer) string {
	text := http.StatusText(got.StatusCode)
	if text == "" {
		text = "unknown status"
	}
	if kind, _, _ := strings.Cut(got.Header.Get("Content-Type"), ";"); len(got.Body) > 0 && kind != "" {
		text += " (the answer is " + kind + ")"
	}
	return text
}

// isRetired tells a 404 of the API's absence from that of an object's.
func isRetired(req *transport.Request, e *APIError) bool {
	gone := e.StatusCode == http.StatusNotFound || e.StatusCode == http.StatusGone
	ours := strings.HasPrefix(req.Path, "/assistants") || strings.HasPrefix(req.Path, "/threads")
	return gone && ours && !strings.HasPrefix(e.Message, "No ")
}

// clean is text from outside as it may be shown.
func clean(got *transport.Answer, text string) string {
	return shortened(got.Secrets.RedactPrefix(text, 2*maxMessageBytes)) // which leaves room for a cut between characters
}

// shortened is text of at most maxMessageBytes.
func shortened(text string) string {
	if len(text) <= maxMessageBytes {
		return text
	}
	cut := maxMessageBytes - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// newCallError is the error of a call that got no answer.
func newCallError(req *transport.Request, got *transport.Answer, err error) error {
	return fmt.Errorf("assistants: %s %s: %w", req.Method, got.Secrets.Redact(req.Path), newCause(got, err))
}

// newCause passes err on, unless its text shows a secret: then only the text without it is left, and what errors.Is
// knows of the standard library's errors.
func newCause(got *transport.Answer, err error) error {
	text := got.Secrets.Redact(err.Error())
	if text == err.Error() {
		return err
	}
	return &redactedError{text, err}
}

type redactedError struct {
	text   string
	hidden error
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return errors.Is(e.hidden, target) }

// Format keeps %#v from walking into what is hidden.
func (e *redactedError) Format(f fmt.State, _ rune) { fmt.Fprint(f, e.text) }

// A StreamError is an error that a server reports in a [Stream], in either of the forms that servers of this protocol
// use. It ends the stream; the run may have failed, or live on. But for Message, fields that the report did not have are
// zero.
type StreamError struct {
	// Code, Type and Param are the error's own, as in an [APIError].
	Code, Type, Param string
	// Message is the server's explanation, cut at 512 bytes; "no explanation" if there is none.
	Message string
	// RequestID names the request to the server's operators.
	RequestID string
	// Method and Path are what was asked for; the path without host and query.
	Method, Path string
	// Data is the report, cut at 1 MiB.
	Data []byte
}

func newStreamError(req *transport.Request, got *transport.Answer, data []byte) *StreamError {
	answer := *got
	answer.Body = data
	e := newAPIError(req, &answer, parseErrorBody(data))
	return &StreamError{e.Code, e.Type, e.Param, cmp.Or(e.Message, "no explanation"), e.RequestID, e.Method, e.Path, e.Body}
}

// Error says what was asked for and what the server has to say.
func (e *StreamError) Error() string {
	as := &APIError{Code: e.Code, Type: e.Type, Param: e.Param, Message: e.Message, RequestID: e.RequestID, Method: e.Method, Path: e.Path}
	return as.describe("error in the stream")
}

// Is answers errors.Is for [ErrServer] and [ErrRateLimited], by the error's type and code.
func (e *StreamError) Is(target error) bool {
	switch target {
	case ErrServer:
		return e.Type == "server_error" || e.Code == "server_error"
	case ErrRateLimited:
		return e.Type == "rate_limit_exceeded" || e.Code == "rate_limit_exceeded"
	}
	return false
}
