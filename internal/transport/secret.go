package transport

import (
	"context"
	"slices"
	"sort"
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

// With returns s and one more, unless it is known or too short to be one. The longest come first, so that of two that
// begin alike none leaves a part of itself.
func (s Secrets) With(secret Secret) Secrets {
	value := secret.Reveal()
	if len(value) < minSecret || slices.ContainsFunc(s, func(known Secret) bool { return known.Reveal() == value }) {
		return s
	}
	more := append(slices.Clip(s), secret)
	sort.SliceStable(more, func(i, j int) bool { return len(more[i].Reveal()) > len(more[j].Reveal()) })
	return more
}

// Redact replaces each secret in text: as it is, and as JSON, Go, URLs and HTML escape it.
func (s Secrets) Redact(text string) string {
	for _, secret := range s {
		value := secret.Reveal()
		text = redactEscaped(strings.ReplaceAll(text, value, redacted), value)
	}
	return text
}

// RedactPrefix is as much of Redact as fits into limit. It looks no further than it must, and leaves no part of a
// secret where it cuts.
func (s Secrets) RedactPrefix(text string, limit int) string {
	overlap := 0
	if len(s) > 0 {
		overlap = min(longestEscape*len(s[0].Reveal()), Overlap)
	}
	if len(text) > limit+overlap {
		text = s.Redact(text[:limit+overlap])
		text = text[:max(0, len(text)-overlap)] // where a secret may begin
	} else {
		text = s.Redact(text)
	}
	return text[:min(len(text), limit)]
}

// longestEscape is that of one byte: \u002b.
const longestEscape = 6

// Overlap is how much behind a limit is read so that a secret that begins before it can be recognized.
const Overlap = 64 << 10

// redactEscaped replaces the secret where some of it is escaped.
func redactEscaped(text, secret string) string {
	var b strings.Builder
	copied := 0
	for i := 0; i < len(text); {
		if c := text[i]; c != secret[0] && c != '\\' && c != '%' && c != '&' {
			i++
			continue
		}
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

// spelling returns how long c is at the beginning of text, escaped or as itself. 0: it is not there.
func spelling(text string, c byte) int {
	switch {
	case text == "":
		return 0
	case text[0] == '&':
		if n := htmlSpelling(text, c); n > 0 {
			return n
		}
	case text[0] == '\\' || text[0] == '%':
		if n := hexSpelling(text, c); n > 0 {
			return n
		}
		if text[0] == '\\' && len(text) > 1 && text[1] == c {
			return 2
		}
	}
	if text[0] == c {
		return 1
	}
	return 0
}

func hexSpelling(text string, c byte) int {
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
	return 0
}

func htmlSpelling(text string, c byte) int {
	entity, _, ok := strings.Cut(text[:min(len(text), longestEscape)], ";")
	if !ok {
		return 0
	}
	named := map[string]byte{"&amp": '&', "&lt": '<', "&gt": '>', "&quot": '"'}
	n, err := strconv.ParseUint(strings.TrimPrefix(entity, "&#"), 10, 8)
	if named[entity] == c || err == nil && n == uint64(c) {
		return len(entity) + 1
	}
	return 0
}
