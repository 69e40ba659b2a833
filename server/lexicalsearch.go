package server

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/assistants-go/assistants"
)

// What BM25 is usually given: how soon it stops to matter that a word comes again, and how much long chunks have to
// have more of it than short ones.
const (
	bm25K1 = 1.2
	bm25B  = 0.75
)

// unknownWeight is that of a word which no chunk has: as if half of them had it. It may be one like "when", which says
// nothing about what is looked for.
const unknownWeight = math.Ln2

// maxAsked is how many words of the queries of a search count. It bounds how long others wait for the store.
const maxAsked = 512

// A lexicalHit is a chunk that was found.
type lexicalHit struct {
	chunk int
	score float64
}

// search returns the passages that answer a query. It needs a number for every chunk, which scores may have room for.
func (s *lexicalStore) search(ctx context.Context, query IndexQuery, scores []float32) ([]Passage, []float32, error) {
	questions, err := questionsOf(ctx, query.Queries)
	if err != nil || query.MaxResults < 1 {
		return nil, scores, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	scores = slices.Grow(scores[:0], len(s.owners))[:len(s.owners)]
	chosen := fileChoice{filter: query.Filter}
	var hits []lexicalHit
	for _, words := range questions {
		clear(scores)
		if err := s.score(ctx, words, scores); err != nil {
			return nil, scores, err
		}
		hits = append(hits, s.best(scores, query, &chosen)...)
	}
	// The best of a chunk comes first.
	slices.SortFunc(hits, compareHits)
	var passages []Passage
	found := map[int]bool{}
	for _, hit := range hits {
		if found[hit.chunk] || len(passages) == query.MaxResults {
			continue
		}
		found[hit.chunk] = true
		f := s.owners[hit.chunk]
		span := f.chunks[hit.chunk-f.first]
		passages = append(passages, Passage{
			FileID: f.id, FileName: f.name, Attributes: maps.Clone(f.attributes),
			Text: f.text[span.Start:span.End], Score: hit.score,
		})
	}
	return passages, scores, nil
}

// questionsOf returns the words of different queries, each word once, as many as count.
func questionsOf(ctx context.Context, queries []string) ([][]string, error) {
	different := slices.Compact(slices.Sorted(slices.Values(queries)))
	limit := maxAsked / max(1, min(len(different), maxAsked))
	questions := make([][]string, len(different))
	for i, query := range different {
		asked := map[string]bool{}
		read := 0
		for _, word := range wordsOf(query) {
			if read++; read%ctxInterval == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if asked[string(word)] {
				continue
			}
			if len(asked) >= limit {
				break
			}
			text := string(word)
			asked[text] = true
			questions[i] = append(questions[i], text)
		}
	}
	return questions, ctx.Err()
}

// score adds to every chunk what it earns with a question, in proportion to what can be earned.
func (s *lexicalStore) score(ctx context.Context, question []string, scores []float32) error {
	var terms []*lexicalTerm
	var weights []float64
	var ideal float64
	for _, word := range question {
		term, weight := s.terms[word], unknownWeight
		if term != nil {
			weight = math.Log1p((float64(s.live-term.live) + 0.5) / (float64(term.live) + 0.5))
			terms, weights = append(terms, term), append(weights, weight)
		}
		ideal += weight
	}
	average := s.words / float64(s.live)
	base, slope := float32(bm25K1*(1-bm25B)), float32(bm25K1*bm25B/average)
	lengths := s.lengths[:len(scores)]
	for i, term := range terms {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		weight := float32(weights[i] / ideal)
		for _, p := range term.postings {
			chunk, count := p.chunk(), p.count()
			scores[chunk] += weight * count / (count + base + slope*lengths[chunk])
		}
		rest := term.postings // of the chunks that are not passed yet
		for _, in := range s.names[term.word] {
			at, _ := slices.BinarySearch(rest, lexicalPosting(0).from(int(in.first)))
			rest = rest[at:]
			for chunk := in.first; chunk < in.end; chunk++ {
				if len(rest) > 0 && rest[0].chunk() == chunk { // it counts there already
					rest = rest[1:]
					continue
				}
				scores[chunk] += weight * in.count / (in.count + base + slope*lengths[chunk])
			}
		}
	}
	return nil
}

// best returns the best of the chunks that a query allows, as many as it wants, in no order.
func (s *lexicalStore) best(scores []float32, query IndexQuery, chosen *fileChoice) []lexicalHit {
	var hits []lexicalHit
	var bar float32 // which a chunk must be above; so the first of those that score the same are kept
	enough := 2 * min(query.MaxResults, len(scores))
	for chunk, score := range scores {
		if score <= bar {
			continue
		}
		hit := lexicalHit{chunk, math.Sqrt(min(float64(score), 1))}
		f := s.owners[chunk]
		if f == nil || hit.score < query.ScoreThreshold || !chosen.has(f) {
			continue
		}
		if hits = append(hits, hit); len(hits) == enough {
			slices.SortFunc(hits, compareHits)
			hits = hits[:enough/2]
			bar = scores[hits[len(hits)-1].chunk]
		}
	}
	return hits
}

// compareHits puts better hits first, and the earlier chunk if they are as good.
func compareHits(a, b lexicalHit) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.chunk, b.chunk))
}

// A fileChoice remembers which files a filter has chosen.
type fileChoice struct {
	filter *assistants.Filter // nil: all
	chosen map[*lexicalFile]bool
}

func (c *fileChoice) has(f *lexicalFile) bool {
	if c.filter == nil {
		return true
	}
	chosen, known := c.chosen[f]
	if !known {
		if c.chosen == nil {
			c.chosen = map[*lexicalFile]bool{}
		}
		chosen = c.filter.Matches(f.attributes)
		c.chosen[f] = chosen
	}
	return chosen
}
