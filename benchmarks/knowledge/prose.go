package main

import (
	"math/rand/v2"
)

const (
	vocabulary  = 50_000
	wordsInLine = 12
	linesInPara = 8
)

// A prose writes words as often as a language does: the second half as often as the first, the third a third as often, and
// so on. It writes the same in every process.
type prose struct {
	words []string
	zipf  *rand.Zipf
}

func newProse(seed uint64) *prose {
	random := rand.New(rand.NewPCG(seed, 1))
	p := &prose{zipf: rand.NewZipf(random, 1.1, 2.7, vocabulary-1)}
	known := make(map[string]bool, vocabulary)
	for len(p.words) < vocabulary {
		word := make([]byte, min(2+len(p.words)/20, 4+random.IntN(8))) // frequent ones are short
		for i := range word {
			word[i] = "etaoinshrdlucmfwypvb"[random.IntN(20)]
		}
		if !known[string(word)] {
			known[string(word)] = true
			p.words = append(p.words, string(word))
		}
	}
	return p
}

func (p *prose) word() string { return p.words[p.zipf.Uint64()] }

// file writes a text of so many bytes: sentences of a line each, in paragraphs.
func (p *prose) file(size int) []byte {
	text := make([]byte, 0, size+16)
	for n := 1; len(text) < size; n++ {
		text = append(text, p.word()...)
		switch {
		case n%(wordsInLine*linesInPara) == 0:
			text = append(text, ".\n\n"...)
		case n%wordsInLine == 0:
			text = append(text, ".\n"...)
		default:
			text = append(text, ' ')
		}
	}
	return text[:size]
}

// files writes several texts.
func (p *prose) files(n, size int) [][]byte {
	files := make([][]byte, n)
	for i := range files {
		files[i] = p.file(size)
	}
	return files
}

// question asks for five to eight words.
func (p *prose) question(i int) string {
	question := p.word()
	for range 4 + i%4 {
		question += " " + p.word()
	}
	return question
}
