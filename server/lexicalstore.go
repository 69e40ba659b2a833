package server

import (
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/assistants-go/assistants"
)

// A lexicalStore is the index of one store. Its chunks are numbered in the order in which their files came; those of
// files that have gone keep their numbers, until they are more than the others.
type lexicalStore struct {
	mu      sync.RWMutex
	files   map[string]*lexicalFile // by id
	terms   map[string]*lexicalTerm // by word; none is in dead chunks alone
	names   map[string][]nameRange  // by word, of terms
	owners  []*lexicalFile          // of chunks; nil: the chunk is dead
	lengths []float32               // of chunks, in words
	live    int                     // how many chunks are not dead
	words   float64                 // in live chunks
}

// A lexicalTerm is a word and the chunks in which it is, in their text or in the names of their files.
type lexicalTerm struct {
	word     string
	postings []lexicalPosting // of those that have it in their text, ascending; some may be dead
	live     int              // how many chunks have it that are not dead
}

// A nameRange is the chunks of a file in whose name a word is.
type nameRange struct {
	first, end uint32  // their numbers; end is behind the last one
	count      float32 // how often it is there
}

// A lexicalFile is a file that is indexed. Only its attributes change.
type lexicalFile struct {
	id, name, text string
	attributes     assistants.Attributes
	chunks         []Span
	first          int // the number of its first chunk
	terms          []fileTerm
}

// A fileTerm is a word of a file.
type fileTerm struct {
	*lexicalTerm
	chunks int // of the file that have it
}

func newLexicalStore() *lexicalStore {
	return &lexicalStore{
		files: make(map[string]*lexicalFile), terms: make(map[string]*lexicalTerm), names: make(map[string][]nameRange),
	}
}

// put adds a file in place of what is known of it. The caller has the lock.
func (s *lexicalStore) put(file IndexedFile, draft *lexicalDraft) error {
	left := s.live
	if old := s.files[file.ID]; old != nil {
		left -= len(old.chunks)
	}
	if left+len(file.Chunks) > maxChunks {
		return errIndexFull
	}
	f := &lexicalFile{
		id: file.ID, name: file.Name, text: file.Text,
		attributes: maps.Clone(file.Attributes), chunks: slices.Clone(file.Chunks),
		terms: make([]fileTerm, len(draft.terms)),
	}
	s.remove(file.ID)
	s.link(f, draft)
	return nil
}

// remove takes a file out, if it is there. The caller has the lock.
func (s *lexicalStore) remove(fileID string) {
	s.unlink(fileID)
	s.compact()
}

func (s *lexicalStore) link(f *lexicalFile, draft *lexicalDraft) {
	s.files[f.id] = f
	f.first = len(s.owners)
	for _, length := range draft.lengths {
		s.owners = append(s.owners, f)
		s.lengths = append(s.lengths, length)
		s.words += float64(length)
	}
	s.live += len(f.chunks)
	for i, d := range draft.terms {
		term := s.terms[d.word]
		if term == nil {
			term = &lexicalTerm{word: d.word}
			s.terms[d.word] = term
		}
		for _, p := range d.postings {
			term.postings = append(term.postings, p.from(f.first))
		}
		chunks := len(d.postings)
		if d.inName > 0 {
			chunks = len(f.chunks)
			in := nameRange{uint32(f.first), uint32(f.first + chunks), min(float32(d.inName), maxCount)}
			s.names[d.word] = append(s.names[d.word], in)
		}
		term.live += chunks
		f.terms[i] = fileTerm{term, chunks}
	}
}

// unlink marks what a file has as dead. Words that only it had are forgotten.
func (s *lexicalStore) unlink(fileID string) {
	f := s.files[fileID]
	if f == nil {
		return
	}
	delete(s.files, fileID)
	for i := range f.chunks {
		s.owners[f.first+i] = nil
		s.words -= float64(s.lengths[f.first+i])
	}
	s.live -= len(f.chunks)
	for _, t := range f.terms {
		if t.live -= t.chunks; t.live == 0 {
			delete(s.terms, t.word)
			delete(s.names, t.word)
		}
	}
}

// compact renumbers the live chunks if there are fewer of them than dead ones. Maps are made anew, since they do not
// shrink.
func (s *lexicalStore) compact() {
	if s.live >= len(s.owners)-s.live {
		return
	}
	const dead = math.MaxUint32
	numbers := make([]uint32, len(s.owners)) // by old numbers
	owners, lengths := make([]*lexicalFile, 0, s.live), make([]float32, 0, s.live)
	for i, f := range s.owners {
		if f == nil {
			numbers[i] = dead
			continue
		}
		numbers[i] = uint32(len(owners))
		owners, lengths = append(owners, f), append(lengths, s.lengths[i])
	}
	s.owners, s.lengths = owners, lengths
	for _, f := range s.files {
		if len(f.chunks) > 0 {
			f.first = int(numbers[f.first])
		}
	}
	s.files, s.terms = anew(s.files), anew(s.terms)
	for _, term := range s.terms {
		postings := make([]lexicalPosting, 0, min(len(term.postings), term.live))
		for _, p := range term.postings {
			if number := numbers[p.chunk()]; number != dead {
				postings = append(postings, (p & maxCount).from(int(number)))
			}
		}
		term.postings = postings
	}
	names := make(map[string][]nameRange)
	for word, ranges := range s.names {
		for _, in := range ranges {
			if number := numbers[in.first]; number != dead {
				in.first, in.end = number, number+in.end-in.first
				names[word] = append(names[word], in)
			}
		}
	}
	s.names = names
}

// anew returns a map that has room for what is in it.
func anew[V any](m map[string]V) map[string]V {
	small := make(map[string]V, len(m))
	maps.Copy(small, m)
	return small
}
