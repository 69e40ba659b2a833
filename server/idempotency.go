package server

import (
	"container/list"
	"context"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"
)

// Limits of kept answers; see section 8 of docs/protocol.md.
const (
	maxIdempotencyKey  = 255 // code points
	keepAnswers        = 24 * time.Hour
	maxKeptAnswers     = 10_000
	maxKeptAnswerBytes = 64 << 20
)

// once runs a handler, or answers as an earlier request with the same
// Idempotency-Key was answered. Only successes are kept: a refusal changed
// nothing and is cheap to give again, and after a failure the caller shall be able
// to try again with the key. A panic passes through and leaves nothing behind.
func (s *Server) once(ctx context.Context, c *call, handle handler) (reply, error) {
	h := c.request.Header
	key := h.Get("Idempotency-Key")
	if key == "" {
		return handle(ctx, c)
	}
	if length := utf8.RuneCountInString(key); length > maxIdempotencyKey {
		return reply{}, errIdempotencyKeyLength(maxIdempotencyKey, length)
	}
	id := digest([]byte(s.caller(h)), []byte(key))
	u := c.request.URL
	request := digest([]byte(c.request.Method), []byte(u.EscapedPath()), []byte(u.RawQuery), c.body, c.file.digest())
	kept, err := s.answers.claim(id, request, s.now())
	if err != nil {
		return reply{}, err
	}
	if kept != nil {
		return *kept, nil
	}
	claimed := true
	defer func() {
		if claimed {
			s.answers.release(id)
		}
	}()
	answer, err := asReply(handle(ctx, c))
	switch {
	case err != nil || answer.status >= http.StatusBadRequest:
	case answer.events != nil: // the claim lasts until the stream is whole
		claimed = false
		answer.keep = func(stream []byte, whole bool) {
			if !whole || !s.answers.keep(id, reply{status: answer.status, body: stream, streamed: true}, s.now()) {
				s.answers.release(id)
			}
		}
	default:
		claimed = !s.answers.keep(id, answer, s.now())
	}
	return answer, err
}

// caller returns whose Idempotency-Keys a request uses. Where callers need no key,
// all of them are one: what they send in its place may be a token that is renewed
// between a request and its repetition.
func (s *Server) caller(h http.Header) string {
	if len(s.keys) == 0 {
		return ""
	}
	return credential(h)
}

// digest returns a hash of several texts, with no two lists of them alike.
func digest(parts ...[]byte) [sha256.Size]byte {
	all := sha256.New()
	for _, part := range parts {
		one := sha256.Sum256(part)
		all.Write(one[:])
	}
	return [sha256.Size]byte(all.Sum(nil))
}

// answerCache holds the answers to requests with an Idempotency-Key. Keys and
// requests are there as hashes only.
type answerCache struct {
	maxAnswers int
	maxBytes   int // of the bodies together

	mu       sync.Mutex
	byKey    map[[sha256.Size]byte]*keptAnswer
	finished list.List // of *keptAnswer, the oldest first
	bytes    int       // of the bodies of finished ones
}

// keptAnswer is an answer, or the place of one that is still being made.
type keptAnswer struct {
	key      [sha256.Size]byte
	request  [sha256.Size]byte
	place    *list.Element // nil until finished
	answer   reply
	finished time.Time
}

func newAnswerCache(maxAnswers, maxBytes int) *answerCache {
	return &answerCache{maxAnswers: maxAnswers, maxBytes: maxBytes, byKey: make(map[[sha256.Size]byte]*keptAnswer)}
}

// claim returns the kept answer for a key. If there is none, the key is the
// caller's, who must end with keep or release.
func (a *answerCache) claim(key, request [sha256.Size]byte, now time.Time) (*reply, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expire(now)

	kept, taken := a.byKey[key]
	if taken && kept.expired(now) {
		a.forget(kept) // expire stops at a younger one if the clock went backwards
		taken = false
	}
	switch {
	case !taken:
		a.byKey[key] = &keptAnswer{key: key, request: request}
		return nil, nil
	case kept.request != request:
		return nil, errIdempotencyMismatch()
	case kept.place == nil:
		return nil, errIdempotencyInProgress()
	}
	answer := kept.answer
	answer.replayed = true
	return &answer, nil
}

// keep finishes a claim with an answer and reports whether it did: an answer that
// is too large by itself is not worth losing all others for.
func (a *answerCache) keep(key [sha256.Size]byte, answer reply, now time.Time) bool {
	if len(answer.body) > a.maxBytes {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a.byKey[key]
	kept.answer, kept.finished = answer, now
	kept.place = a.finished.PushBack(kept)
	a.bytes += len(answer.body)
	for a.finished.Len() > a.maxAnswers || a.bytes > a.maxBytes {
		a.forget(a.finished.Front().Value.(*keptAnswer))
	}
	return true
}

// release gives a claim up.
func (a *answerCache) release(key [sha256.Size]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.byKey, key)
}

// expire forgets what is too old. Answers are in the order of the clock unless it
// goes backwards; then some take up room a little longer.
func (a *answerCache) expire(now time.Time) {
	for a.finished.Len() > 0 {
		oldest := a.finished.Front().Value.(*keptAnswer)
		if !oldest.expired(now) {
			return
		}
		a.forget(oldest)
	}
}

// expired tells whether an answer is too old to be given again. One that is still
// being made has no age.
func (k *keptAnswer) expired(now time.Time) bool {
	return k.place != nil && now.Sub(k.finished) >= keepAnswers
}

func (a *answerCache) forget(kept *keptAnswer) {
	a.finished.Remove(kept.place)
	a.bytes -= len(kept.answer.body)
	delete(a.byKey, kept.key)
}
