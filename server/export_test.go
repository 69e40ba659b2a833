package server

// LimitKeptAnswers lowers the bounds of section 8 of docs/protocol.md, so that
// tests reach them.
func (s *Server) LimitKeptAnswers(answers, bytes int) {
	s.answers = newAnswerCache(answers, bytes)
}

// LimitThreadMessages lowers the number of messages that a thread keeps.
func (s *Server) LimitThreadMessages(n int) { s.maxMessages = n }

// Chunks returns into how many chunks the list of a collection is cut, and for how
// many entries they have room.
func (s *MemoryStore) Chunks(c Collection) (chunks, room int) {
	for _, chunk := range s.find(c).sorted.chunks {
		room += cap(chunk)
		chunks++
	}
	return chunks, room
}
