package server

// LimitKeptAnswers lowers the bounds of section 8 of docs/protocol.md, so that
// tests reach them.
func (s *Server) LimitKeptAnswers(answers, bytes int) {
	s.answers = newAnswerCache(answers, bytes)
}
