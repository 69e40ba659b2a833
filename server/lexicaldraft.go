package server

import (
	"context"
	"fmt"
)

// A lexicalDraft is a file whose words are counted. Counting is what takes time; it needs no store, and so no lock.
type lexicalDraft struct {
	chunks  []Span
	lengths []float32         // of chunks, in words
	numbers map[string]uint32 // of words, in terms
	terms   []draftTerm
}

// A draftTerm is a word of the file.
type draftTerm struct {
	word     string
	inName   int              // how often it is in the file's name, and so in all chunks
	postings []lexicalPosting // of the chunks that have it in their text, ascending
}

// A lexicalPosting says how often a word is in a chunk, its file's name included: a count in the lowest bits, which
// goes no further than maxCount, and above it the number of the chunk, within its file in drafts, within its store
// else. Most of an index is postings, so it matters how small they are.
type lexicalPosting uint32

const (
	countBits = 8
	maxCount  = 1<<countBits - 1

	// maxChunks is how many chunks a store can have: half of the numbers that there are, since those of files that have
	// gone may keep as many.
	maxChunks = 1 << (32 - countBits - 1)
)

func (p lexicalPosting) chunk() uint32  { return uint32(p >> countBits) }
func (p lexicalPosting) count() float32 { return float32(p & maxCount) }

// plus counts the word so many times more.
func (p lexicalPosting) plus(times int) lexicalPosting {
	return p + lexicalPosting(min(times, maxCount-int(p&maxCount)))
}

// from returns the posting if the chunks are counted from another number.
func (p lexicalPosting) from(first int) lexicalPosting { return p + lexicalPosting(first)<<countBits }

// ctxInterval is after how many words it is looked whether somebody still waits for a file.
const ctxInterval = 4096

// newLexicalDraft counts the words of a file's chunks. A word is in the chunks in which it begins, and those of the
// file's name are in all of them. Chunks that overlap share the reading of the text.
func newLexicalDraft(ctx context.Context, file IndexedFile) (*lexicalDraft, error) {
	if err := checkSpans(file); err != nil {
		return nil, err
	}
	room := min(len(file.Text)/8, 4096) // about as many words as a note has; longer texts repeat theirs
	d := &lexicalDraft{
		chunks: file.Chunks, lengths: make([]float32, len(file.Chunks)),
		numbers: make(map[string]uint32, room), terms: make([]draftTerm, 0, room),
	}
	begun, over := 0, 0 // the chunks before them begin before the word, or end before it
	read := 0
	for start, word := range wordsOf(file.Text) {
		if read++; read%ctxInterval == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for begun < len(d.chunks) && d.chunks[begun].Start <= start {
			begun++
		}
		for over < begun && d.chunks[over].End <= start {
			over++
		}
		if over == begun {
			continue
		}
		term := d.number(word)
		for chunk := over; chunk < begun; chunk++ {
			if start < d.chunks[chunk].End {
				d.count(term, chunk)
			}
		}
	}
	d.addName(file.Name)
	return d, ctx.Err()
}

// addName counts the words of the file's name. Only chunks that have them anyway get postings of them: a long name
// would cost more than the text if all did.
func (d *lexicalDraft) addName(name string) {
	if len(d.chunks) == 0 {
		return
	}
	words := 0
	for _, word := range wordsOf(name) {
		d.terms[d.number(word)].inName++
		words++
	}
	for i := range d.lengths {
		d.lengths[i] += float32(words)
	}
	for _, term := range d.terms {
		if term.inName > 0 {
			for i, p := range term.postings {
				term.postings[i] = p.plus(term.inName)
			}
		}
	}
}

// errIndexFull is for what would not fit into the numbers of chunks.
var errIndexFull = fmt.Errorf("a store has more than %d chunks", maxChunks)

// checkSpans refuses chunks that are none of the text, or not in its order.
func checkSpans(file IndexedFile) error {
	if len(file.Chunks) > maxChunks {
		return errIndexFull
	}
	start := 0
	for i, c := range file.Chunks {
		if c.Start < start || c.End < c.Start || c.End > len(file.Text) {
			return fmt.Errorf("chunk %d of file %s, from %d to %d: not in a text of %d bytes, or not in its order",
				i, file.ID, c.Start, c.End, len(file.Text))
		}
		start = c.Start
	}
	return nil
}

// number returns the index of a word in d.terms.
func (d *lexicalDraft) number(word []byte) uint32 {
	n, ok := d.numbers[string(word)]
	if !ok {
		n = uint32(len(d.terms))
		text := string(word)
		d.numbers[text] = n
		d.terms = append(d.terms, draftTerm{word: text})
	}
	return n
}

// count counts a word in a chunk. Only chunks that overlap with this one may have been counted behind it.
func (d *lexicalDraft) count(term uint32, chunk int) {
	d.lengths[chunk]++
	postings := &d.terms[term].postings
	for i := len(*postings) - 1; i >= 0 && (*postings)[i].chunk() >= uint32(chunk); i-- {
		if (*postings)[i].chunk() == uint32(chunk) {
			(*postings)[i] = (*postings)[i].plus(1)
			return
		}
	}
	*postings = append(*postings, lexicalPosting(1).from(chunk))
}
