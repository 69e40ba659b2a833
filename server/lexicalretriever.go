package server

import (
	"context"
	"maps"
	"sync"

	"github.com/assistants-go/assistants"
)

// LexicalRetriever is a [Retriever] that finds passages by their words. It keeps everything in memory and nothing
// longer than the process: the text once, however its chunks overlap, and an index that takes about twice as much when
// chunks overlap by half, and less when they overlap less. It needs no model.
//
// Words are compared in lower case, without accents, and without the English endings of the plural, -ing and -ed. An
// identifier is found by its parts and as a whole: getUserName and get_user_name by user, and by each other. Chinese,
// Japanese, Korean, Thai, Lao, Khmer and Burmese are compared by characters and pairs of characters. Synonyms are not
// known. The words of a file's name count as words of each of its chunks.
//
// Chunks are ranked by BM25. A score is the square root of what a chunk earns in proportion to what an ideal one would,
// which has every word of the question as often as can count. A word counts the more the fewer chunks have it; one that
// the store does not have counts little. So scores of different questions and stores can be compared: 0 is for a chunk
// that has no word of the question, and such a chunk is not found; a chunk of usual length that has all of them once
// scores about 0.7, and none reaches 1, however often it repeats them. Chunks that score the same are found in the order
// in which their files were indexed, and within a file in the order of the text.
//
// Of a search, 512 different words count: the first ones of its query or, if it has several, as many of each as make 512
// together. The others are not looked for. In a chunk, a word counts 255 times at most.
//
// Methods return the context's error soon after it has ended. Searches run at the same time, and each sees the files as
// they are at one moment. Changes of a store wait for the searches in it that have begun; searches wait for a file that
// is being indexed no longer than it takes to add what has been counted.
type LexicalRetriever struct {
	mu      sync.RWMutex // whoever has the lock of a store may take it, and not the other way round
	stores  map[string]*lexicalStore
	buffers sync.Pool // of *[]float32, for the scores of a search
}

var _ Retriever = (*LexicalRetriever)(nil)

// NewLexicalRetriever returns a retriever that knows no files.
func NewLexicalRetriever() *LexicalRetriever {
	return &LexicalRetriever{stores: make(map[string]*lexicalStore)}
}

// find returns the index of a store, or nil if no file is indexed in it.
func (r *LexicalRetriever) find(storeID string) *lexicalStore {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.stores[storeID]
}

func (r *LexicalRetriever) findOrCreate(storeID string) *lexicalStore {
	if s := r.find(storeID); s != nil {
		return s
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stores[storeID]
	if s == nil {
		s = newLexicalStore()
		r.stores[storeID] = s
	}
	return s
}

// lockOrCreate returns a store with its lock. Until that is released, nothing but Drop forgets the store.
func (r *LexicalRetriever) lockOrCreate(storeID string) *lexicalStore {
	for {
		s := r.findOrCreate(storeID)
		s.mu.Lock()
		if r.find(storeID) == s {
			return s
		}
		s.mu.Unlock() // its last file went while the lock was waited for
	}
}

// forget forgets a store, if it is still the one of that name.
func (r *LexicalRetriever) forget(storeID string, s *lexicalStore) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stores[storeID] == s {
		delete(r.stores, storeID)
	}
}

// Index implements [Retriever]. It keeps file.Text, and copies of the chunks and attributes. Until it returns,
// searches find the file as it was before. Chunks that are not parts of the text in its order are an error, and so are
// more than 8,388,608 of them in a store.
func (r *LexicalRetriever) Index(ctx context.Context, storeID string, file IndexedFile) error {
	draft, err := newLexicalDraft(ctx, file)
	if err != nil {
		return err
	}
	s := r.lockOrCreate(storeID)
	defer s.mu.Unlock()
	return s.put(file, draft)
}

// Describe implements [Retriever]. It keeps a copy of the attributes.
func (r *LexicalRetriever) Describe(_ context.Context, storeID, fileID string, attributes assistants.Attributes) error {
	if s := r.find(storeID); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if f := s.files[fileID]; f != nil {
			f.attributes = maps.Clone(attributes)
		}
	}
	return nil
}

// Has implements [Retriever].
func (r *LexicalRetriever) Has(_ context.Context, storeID, fileID string) (bool, error) {
	s := r.find(storeID)
	if s == nil {
		return false, nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.files[fileID] != nil, nil
}

// Remove implements [Retriever].
func (r *LexicalRetriever) Remove(_ context.Context, storeID, fileID string) error {
	if s := r.find(storeID); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.remove(fileID); len(s.files) == 0 {
			r.forget(storeID, s)
		}
	}
	return nil
}

// Drop implements [Retriever].
func (r *LexicalRetriever) Drop(_ context.Context, storeID string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.stores, storeID)
	return nil
}

// Search implements [Retriever]. A query of no words finds nothing.
func (r *LexicalRetriever) Search(ctx context.Context, storeID string, query IndexQuery) ([]Passage, error) {
	s := r.find(storeID)
	if s == nil {
		return nil, ctx.Err()
	}
	buffer, ok := r.buffers.Get().(*[]float32)
	if !ok {
		buffer = new([]float32)
	}
	defer r.buffers.Put(buffer)
	passages, scores, err := s.search(ctx, query, *buffer)
	*buffer = scores
	return passages, err
}
