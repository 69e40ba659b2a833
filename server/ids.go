package server

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// Prefixes of ids, and of the kinds of things that have them.
const (
	prefixAssistant   = "asst"
	prefixThread      = "thread"
	prefixMessage     = "msg"
	prefixRun         = "run"
	prefixStep        = "step"
	prefixCall        = "call"
	prefixVectorStore = "vs"
	prefixFile        = "file"
	prefixFileBatch   = "vsfb"
	prefixUpload      = "upload"
	prefixPart        = "part"
	prefixRequest     = "req"
)

// newID makes an id of the form that the kind has on the wire; see section 12 of
// docs/protocol.md. All randomness is from crypto/rand.
func newID(prefix string, now time.Time) string {
	switch prefix {
	case prefixRequest:
		return prefix + "_" + randomHex(16)
	case prefixVectorStore:
		return prefix + "_" + fmt.Sprintf("%08x", uint32(now.Unix())) + randomHex(12)
	case prefixFile:
		return prefix + "-" + randomLetters(22)
	case prefixFileBatch, prefixUpload, prefixPart:
		return prefix + "_" + randomHex(16)
	default:
		return prefix + "_" + randomLetters(24)
	}
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// randomLetters returns n characters, each of the 62 equally likely.
func randomLetters(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	// Bytes from here on would make the first characters more likely.
	const unbiased = 256 - 256%len(alphabet)

	out := make([]byte, 0, n)
	random := make([]byte, n+n/4)
	for len(out) < n {
		rand.Read(random) // never fails
		for _, b := range random {
			if int(b) < unbiased && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}
