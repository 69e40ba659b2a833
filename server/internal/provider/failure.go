package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// Codes of a run's last_error.
const (
	CodeServer    = "server_error"
	CodeRateLimit = "rate_limit_exceeded"
	CodePrompt    = "invalid_prompt"
)

// Failure is the error of a call that brought no answer, as it ends a run: the caller is shown what the provider says, unless it is
// about the key, but neither its address nor a credential, and the log gets all of it. That a context has ended stays what it is.
func Failure(err error) error {
	var e *assistants.APIError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case !errors.As(err, &e):
		return failed("The model's provider could not be reached.", err)
	case e.StatusCode == http.StatusTooManyRequests:
		return &failure{server.ModelError{Code: CodeRateLimit, Message: e.Message}, err}
	case e.StatusCode == http.StatusBadRequest:
		return &failure{server.ModelError{Code: CodeOf(e.Code), Message: e.Message}, err}
	case e.StatusCode == http.StatusUnauthorized: // what is said of a key is said to its owner, and may be half of it
		return failed("The model's provider did not accept the key of this server.", err)
	case e.StatusCode >= 200 && e.StatusCode < 300:
		return Broken(err)
	}
	return failed(e.Message, err)
}

// CodeOf is the code of a run's last_error for the code of a provider's error: one that is about what the caller has said is
// about the prompt, one that nobody knows about the server.
func CodeOf(code string) string {
	switch code {
	case "rate_limit_exceeded", "insufficient_quota":
		return CodeRateLimit
	case "invalid_prompt", "bio_policy", "empty_image_file", "failed_to_download_image", "unsupported_image_media_type",
		"content_filter", "content_policy_violation", "context_length_exceeded":
		return CodePrompt
	}
	if strings.HasPrefix(code, "invalid_image") || strings.HasPrefix(code, "invalid_base64_image") || strings.HasPrefix(code, "image_") {
		return CodePrompt
	}
	return CodeServer
}

// Reported is an error that a provider reports in an answer with status 200. The message must have no secrets any more.
func Reported(code, message string) error {
	if message == "" {
		message = "The model's provider reported an error."
	}
	return &server.ModelError{Code: CodeOf(code), Message: shortened(message)}
}

// Broken is the error of an answer that is not whole, or no answer.
func Broken(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return failed("The model's answer broke off.", err)
}

func failed(message string, cause error) error {
	return &failure{server.ModelError{Code: CodeServer, Message: message}, cause}
}

// A failure is an error with what the caller sees of it.
type failure struct {
	shown server.ModelError
	cause error
}

func (f *failure) Error() string   { return fmt.Sprintf("%s: %v", f.shown.Code, f.cause) }
func (f *failure) Unwrap() []error { return []error{&f.shown, f.cause} }

// maxMessage bounds what of a provider's message a run shows, in bytes.
const maxMessage = 512

func shortened(message string) string {
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message
}
