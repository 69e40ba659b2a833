package server

import "maps"

// LimitKeptAnswers lowers the bounds of section 8 of docs/protocol.md, so that
// tests reach them.
func (s *Server) LimitKeptAnswers(answers, bytes int) {
	s.answers = newAnswerCache(answers, bytes)
}

// LimitThreadMessages lowers the number of messages that a thread keeps.
func (s *Server) LimitThreadMessages(n int) { s.maxMessages = n }

// LimitLiveRuns lowers the number of runs that are at work at once.
func (s *Server) LimitLiveRuns(n int) { s.engine.maxLive = n }

// Leftovers waits for all calls of the model to return, and says what somebody still has to do with when nobody
// should: threads, runs at work, places for calls of the model, and idempotency keys whose request is under way.
func (s *Server) Leftovers() map[string]int {
	e := s.engine
	<-e.rounds.Idle()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.places.mu.Lock()
	defer e.places.mu.Unlock()
	s.answers.mu.Lock()
	defer s.answers.mu.Unlock()
	left := map[string]int{
		"threads": len(e.threads), "runs": len(e.live), "places": s.concurrent - e.places.free,
		"turns": e.places.waiting.Len(), "keys": len(s.answers.byKey) - s.answers.finished.Len(),
	}
	maps.DeleteFunc(left, func(_ string, n int) bool { return n == 0 })
	return left
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
