package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// credential returns the key that a request carries: the bearer token, or else
// the api-key header. An Authorization header of another scheme counts as absent.
func credential(h http.Header) string {
	if scheme, token, ok := strings.Cut(h.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return h.Get("api-key")
}

// apiKeys are the keys that callers may use, as hashes: all of the same length,
// and of no use to whoever reads the memory of the process.
type apiKeys [][sha256.Size]byte

// authorize returns the error for a caller with this key, or nil. Every key is
// compared in full, so the time taken tells nothing about any of them.
func (k apiKeys) authorize(key string) *apiError {
	if len(k) == 0 {
		return nil
	}
	if key == "" {
		return errNoKey()
	}
	offered := sha256.Sum256([]byte(key))
	known := 0
	for i := range k {
		known |= subtle.ConstantTimeCompare(offered[:], k[i][:])
	}
	if known == 0 {
		return errWrongKey(key)
	}
	return nil
}

// maskKey returns a key as errors show it: a long one with its middle hidden, a
// short one, which nobody could tell from a placeholder, as it is.
func maskKey(key string) string {
	const head, tail, maxStars = 8, 4, 256
	runes := []rune(strings.ToValidUTF8(key, "\uFFFD"))
	hidden := len(runes) - head - tail
	if hidden <= 0 {
		return string(runes)
	}
	return string(runes[:head]) + strings.Repeat("*", min(hidden, maxStars)) + string(runes[len(runes)-tail:])
}

// checkBeta returns the error for the OpenAI-Beta header of a request, or nil.
// The Azure dialects do without the header, but v1 is refused in all of them.
func checkBeta(h http.Header, azure bool) *apiError {
	v1 := false
	for _, line := range h.Values("OpenAI-Beta") {
		for beta := range strings.SplitSeq(line, ",") {
			switch strings.TrimSpace(beta) {
			case "assistants=v2":
				return nil
			case "assistants=v1":
				v1 = true
			}
		}
	}
	switch {
	case v1:
		return errBetaV1()
	case azure:
		return nil
	default:
		return errNoBeta()
	}
}
