package server

import (
	"context"
	"maps"
)

// LimitKeptAnswers lowers the bounds of section 8 of docs/protocol.md, so that
// tests reach them.
func (s *Server) LimitKeptAnswers(answers, bytes int) {
	s.answers = newAnswerCache(answers, bytes)
}

// LimitThreadMessages lowers the number of messages that a thread keeps.
func (s *Server) LimitThreadMessages(n int) { s.maxMessages = n }

// LimitLiveRuns lowers the number of runs that are at work at once.
func (s *Server) LimitLiveRuns(n int) { s.engine.maxLive = n }

// Leftovers waits for all calls of the model and the reading of files to return, and says what somebody still has to do with
// when nobody should: threads, runs at work, places for calls of the model, idempotency keys whose request is under way,
// vector stores that are locked, and files that are read.
func (s *Server) Leftovers() map[string]int {
	e := s.engine
	<-e.rounds.Idle()
	<-s.ingest.crew.Idle()
	s.ingest.mu.Lock()
	defer s.ingest.mu.Unlock()
	users, jobs := 0, 0
	for _, sh := range s.ingest.shelves {
		users += sh.users
		jobs += len(sh.jobs) + sh.queue.Len()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.ingest.places.mu.Lock()
	defer s.ingest.places.mu.Unlock()
	e.places.mu.Lock()
	defer e.places.mu.Unlock()
	s.answers.mu.Lock()
	defer s.answers.mu.Unlock()
	left := map[string]int{
		"threads": len(e.threads), "runs": len(e.live), "places": s.concurrent - e.places.free,
		"turns": e.places.waiting.Len(), "keys": len(s.answers.byKey) - s.answers.finished.Len(),
		"stores": users, "jobs": jobs, "workers": s.ingest.workers, "waiting stores": s.ingest.waiting.Len(),
		"readers": s.ingest.limit - s.ingest.places.free,
	}
	maps.DeleteFunc(left, func(_ string, n int) bool { return n == 0 })
	return left
}

// All returns all records.
func (s *MemoryStore) All() map[Collection][]Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make(map[Collection][]Record)
	for c, col := range s.collections {
		for _, e := range col.byID {
			all[c] = append(all[c], e.Record)
		}
	}
	return all
}

// Collections returns how many collections there are, empty ones too.
func (s *MemoryStore) Collections() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.collections)
}

// Chunks returns into how many chunks the list of a collection is cut, and for how
// many entries they have room.
func (s *MemoryStore) Chunks(c Collection) (chunks, room int) {
	for _, chunk := range s.find(c).sorted.chunks {
		room += cap(chunk)
		chunks++
	}
	return chunks, room
}

// Chunk cuts a text.
func Chunk(text string, size, overlap int) []Span {
	return chunk(context.Background(), text, size, overlap)
}

// CountTokens counts the tokens of a text.
func CountTokens(text string) int { return countTokens(context.Background(), text, len(text)) }

// CountTokensWithin counts the tokens of a text, as far as a limit and until ctx ends.
func CountTokensWithin(ctx context.Context, text string, limit int) int {
	return countTokens(ctx, text, limit)
}

// ChunkWithin cuts a text until ctx ends.
func ChunkWithin(ctx context.Context, text string, size, overlap int) []Span {
	return chunk(ctx, text, size, overlap)
}

// QueuedFiles counts the files that wait to be read.
func (s *Server) QueuedFiles() (n int) {
	s.ingest.mu.Lock()
	defer s.ingest.mu.Unlock()
	for sh := s.ingest.waiting.Front(); sh != nil; sh = sh.Next() {
		n += sh.Value.(*shelf).queue.Len()
	}
	return n
}

// KeptTexts counts the bytes of texts that are kept for their next pages.
func (s *Server) KeptTexts() int {
	s.ingest.texts.mu.Lock()
	defer s.ingest.texts.mu.Unlock()
	return s.ingest.texts.bytes
}

// Search searches several vector stores, as runs do.
func (s *Server) Search(ctx context.Context, stores []string, q IndexQuery) ([]Passage, error) {
	return s.search(ctx, stores, q)
}
