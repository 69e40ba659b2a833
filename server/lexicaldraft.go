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

// A draftTerm is a word of the file, with the chunks in which it is.
type draftTerm struct {
	word     string
	postings []lexicalPosting // ascending
}

// A lexicalPosting says how often a word is in a chunk. The number of the chunk is one within its file in drafts,
// within its store else.
type lexicalPosting struct {
	chunk uint32
	count float32
}

// ctxInterval is after how many words it is looked whether somebody still waits for a file.
const ctxInterval = 4096

// newLexicalDraft counts the words of a file's chunks. A word is in the chunks in which it begins, and the file's
// name is in all of them. Chunks that overlap share the reading of the text.
func newLexicalDraft(ctx context.Context, file IndexedFile) (*lexicalDraft, error) {
	if err := checkSpans(file); err != nil {
		return nil, err
	}
	d := &lexicalDraft{chunks: file.Chunks, lengths: make([]float32, len(file.Chunks)), numbers: map[string]uint32{}}
	var name []uint32
	for _, word := range wordsOf(file.Name) {
		name = append(name, d.number(word))
	}
	begun := 0 // the chunks before this one begin before the word
	begin := func() {
		for _, term := range name {
			d.count(term, begun)
		}
		begun++
	}
	over, read := 0, 0 // the chunks before over end before the word
	for start, word := range wordsOf(file.Text) {
		if read++; read%ctxInterval == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for begun < len(d.chunks) && d.chunks[begun].Start <= start {
			begin()
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
	for begun < len(d.chunks) {
		begin()
	}
	return d, ctx.Err()
}

// checkSpans refuses chunks that are none of the text, or not in its order.
func checkSpans(file IndexedFile) error {
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
	for i := len(*postings) - 1; i >= 0 && (*postings)[i].chunk >= uint32(chunk); i-- {
		if (*postings)[i].chunk == uint32(chunk) {
			(*postings)[i].count++
			return
		}
	}
	*postings = append(*postings, lexicalPosting{uint32(chunk), 1})
}
