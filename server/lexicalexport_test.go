package server

// Stores returns how many stores have an index.
func (r *LexicalRetriever) Stores() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.stores)
}

// Sizes returns how many chunks, words, and words of chunks and of names the index of a store holds, dead ones too.
func (r *LexicalRetriever) Sizes(storeID string) (chunks, terms, postings int) {
	s := r.find(storeID)
	if s == nil {
		return 0, 0, 0
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, term := range s.terms {
		postings += len(term.postings)
	}
	for _, ranges := range s.names {
		postings += len(ranges)
	}
	return len(s.owners), len(s.terms), postings
}
