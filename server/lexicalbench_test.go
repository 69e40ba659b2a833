package server_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// A pseudoText writes words as often as a language does: the second half as often as the first, the third a third as
// often, and so on.
type pseudoText struct {
	words []string
	zipf  *rand.Zipf
}

func newPseudoText() *pseudoText {
	random := rand.New(rand.NewPCG(1, 2))
	p := &pseudoText{zipf: rand.NewZipf(random, 1.1, 2.7, 49_999)}
	used := map[string]bool{}
	for len(p.words) < 50_000 {
		word := make([]byte, min(2+len(p.words)/20, 4+random.IntN(8)))
		for i := range word {
			word[i] = "etaoinshrdlucmfwypvb"[random.IntN(20)]
		}
		if !used[string(word)] {
			used[string(word)] = true
			p.words = append(p.words, string(word))
		}
	}
	return p
}

// The tokens of a chunk of 800, and of half of it, as words of English: three of four.
const chunkWords, strideWords = 600, 300

// file writes a file of so many chunks, each of which has half of its words from the one before.
func (p *pseudoText) file(id string, chunks int) server.IndexedFile {
	var text strings.Builder
	var strides []int // where they begin
	for i := range chunkWords + (chunks-1)*strideWords {
		if i%strideWords == 0 {
			strides = append(strides, text.Len())
		}
		text.WriteString(p.words[p.zipf.Uint64()])
		text.WriteByte(" \n"[i%12/11])
	}
	strides = append(strides, text.Len())
	file := server.IndexedFile{ID: id, Name: id + ".txt", Text: text.String()}
	for i := range chunks {
		file.Chunks = append(file.Chunks, server.Span{Start: strides[i], End: strides[i+2]})
	}
	return file
}

// BenchmarkLexicalIndex adds a file of about 2 MB to a store again and again, in place of what was there.
func BenchmarkLexicalIndex(b *testing.B) {
	file := newPseudoText().file("file-1", 1000)
	r := server.NewLexicalRetriever()
	b.SetBytes(int64(len(file.Text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Index(b.Context(), "vs_1", file); err != nil {
			b.Fatal(err)
		}
	}
}

const largeChunks = 10_000

// A store of 10,000 chunks in 100 files, which is made once.
var largeStore = sync.OnceValue(func() (store struct {
	*server.LexicalRetriever
	*pseudoText
	textBytes, bytes uint64
}) {
	store.LexicalRetriever, store.pseudoText = server.NewLexicalRetriever(), newPseudoText()
	before := liveBytes()
	for i := range largeChunks / 100 {
		file := store.file(fmt.Sprint("file-", i), 100)
		file.Attributes = assistants.Attributes{"half": assistants.AttributeOf(i % 2)}
		if err := store.Index(context.Background(), "vs_1", file); err != nil {
			panic(err)
		}
		store.textBytes += uint64(len(file.Text))
	}
	store.bytes = liveBytes() - before - store.textBytes
	return store
})

// BenchmarkLexicalSearch asks for 20 of 10,000 chunks, and reports the memory that one of them takes: its half of the
// text, and the index.
func BenchmarkLexicalSearch(b *testing.B) {
	store := largeStore()
	random := rand.New(rand.NewPCG(3, 4))
	spoken := func() string { return store.words[store.zipf.Uint64()] }
	filter := assistants.FilterEq("half", 1)
	for _, bc := range []struct {
		name   string
		filter *assistants.Filter
		word   func() string
	}{
		{"spoken", nil, spoken},
		{"half of the files", &filter, spoken},
		{"keywords", nil, func() string { return store.words[500+random.IntN(5000)] }},
		{"the most frequent", nil, func() string { return store.words[random.IntN(20)] }},
	} {
		b.Run(bc.name, func(b *testing.B) {
			questions := make([]string, 64)
			for i := range questions {
				for range 5 + i%4 {
					questions[i] += bc.word() + " "
				}
			}
			var times []time.Duration
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				query := server.IndexQuery{Queries: questions[i%64 : i%64+1], Filter: bc.filter, MaxResults: 20}
				start := time.Now()
				passages, err := store.Search(b.Context(), "vs_1", query)
				times = append(times, time.Since(start))
				if err != nil || len(passages) != 20 {
					b.Fatal(len(passages), err)
				}
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2]), "median-ns/op")
			b.ReportMetric(float64(store.textBytes)/largeChunks, "text-B/chunk")
			b.ReportMetric(float64(store.bytes)/largeChunks, "index-B/chunk")
		})
	}
}
