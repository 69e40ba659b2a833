package server

// Sizes returns how many chunks, words and words of chunks the index of a store holds, dead ones too.
func (r *LexicalRetriever) Sizes(storeID string) (chunks, terms, postings int) {
	s := r.find(storeID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, term := range s.terms {
		postings += len(term.postings)
	}
	return len(s.owners), len(s.terms), postings
}
