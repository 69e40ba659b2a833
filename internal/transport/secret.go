package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Secret is a string that no formatting verb, encoder or log shows: it lives in a closure.
type Secret struct{ reveal func() string }

// NewSecret hides s.
func NewSecret(s string) Secret { return Secret{func() string { return s }} }

// Reveal gives the string back.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// String, like every other way to print a Secret, does not show it.
func (s Secret) String() string { return redacted }

// A Credential names the header that authorizes an attempt, its value, and the part of it that must stay secret.
type Credential func(context.Context) (header, value string, secret Secret, err error)

// A CredentialError says that there was nothing to authorize a request with; it was not sent.
type CredentialError struct{ Err error }

func (e *CredentialError) Error() string { return fmt.Sprintf("no credential: %v", e.Err) }
func (e *CredentialError) Unwrap() error { return e.Err }

const redacted = "[redacted]"

// minSecret is the length from which a credential is taken for one. Servers that want no key are given any word, and
// a text from which every "k" was taken is of no use.
const minSecret = 6

// Secrets are kept out of every text that leaves the client.
type Secrets []Secret

// With returns s and one more, unless it is known or too short to be one.
func (s Secrets) With(secret Secret) Secrets {
	value := secret.Reveal()
	if len(value) < minSecret || slices.ContainsFunc(s, func(known Secret) bool { return known.Reveal() == value }) {
		return s
	}
	return append(slices.Clip(s), secret)
}

// Redact replaces each secret in text, also as JSON and Go write it in quotes.
func (s Secrets) Redact(text string) string {
	for _, secret := range s {
		value := secret.Reveal()
		text = strings.ReplaceAll(text, value, redacted)
		if quoted, err := json.Marshal(value); err == nil {
			text = strings.ReplaceAll(text, string(quoted[1:len(quoted)-1]), redacted)
		}
		quoted := strconv.Quote(value)
		text = strings.ReplaceAll(text, quoted[1:len(quoted)-1], redacted)
	}
	return text
}
