package transport

import (
	"context"
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

// Redact replaces each secret in text, however it is spelled there.
func (s Secrets) Redact(text string) string {
	for _, secret := range s {
		text = redact(text, secret.Reveal())
	}
	return text
}

func redact(text, secret string) string {
	var b strings.Builder
	copied := 0
	for i := 0; i < len(text); {
		end := spelledAt(text, i, secret)
		if end < 0 {
			i++
			continue
		}
		b.WriteString(text[copied:i])
		b.WriteString(redacted)
		copied, i = end, end
	}
	if copied == 0 {
		return text
	}
	b.WriteString(text[copied:])
	return b.String()
}

// spelledAt returns where the secret ends that begins at text[i], or -1.
func spelledAt(text string, i int, secret string) int {
	for j := range len(secret) {
		n := spelling(text[i:], secret[j])
		if n == 0 {
			return -1
		}
		i += n
	}
	return i
}

// spelling returns how long c is at the beginning of text: as itself, or as JSON, Go and URLs escape it. 0: it is
// not there.
func spelling(text string, c byte) int {
	for _, escape := range [...]struct {
		prefix string
		digits int
	}{{`\u`, 4}, {`\x`, 2}, {"%", 2}} {
		code, ok := strings.CutPrefix(text, escape.prefix)
		if !ok || len(code) < escape.digits {
			continue
		}
		if n, err := strconv.ParseUint(code[:escape.digits], 16, 16); err == nil && n == uint64(c) {
			return len(escape.prefix) + escape.digits
		}
	}
	switch {
	case len(text) > 1 && text[0] == '\\' && text[1] == c:
		return 2
	case len(text) > 0 && text[0] == c:
		return 1
	}
	return 0
}
