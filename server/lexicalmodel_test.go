package server_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// plainBM25 is a store that counts everything anew for every question, in the way of a textbook.
type plainBM25 []server.IndexedFile

// A plainChunk is a chunk as a textbook sees it.
type plainChunk struct {
	file   server.IndexedFile
	text   string
	counts map[string]float64
	length float64
	score  float64
}

func (files plainBM25) search(query server.IndexQuery) []plainChunk {
	var chunks []plainChunk
	having, total := map[string]float64{}, 0.0
	for _, f := range files {
		for _, span := range f.Chunks {
			c := plainChunk{file: f, text: f.Text[span.Start:span.End], counts: map[string]float64{}}
			for _, word := range append(strings.Fields(f.Name), strings.Fields(c.text)...) {
				c.counts[word]++
				c.length++
			}
			for word := range c.counts {
				having[word]++
			}
			total += c.length
			chunks = append(chunks, c)
		}
	}
	n := float64(len(chunks))
	for i := range chunks {
		c := &chunks[i]
		for _, text := range query.Queries {
			earned, ideal := 0.0, 0.0
			asked := strings.Fields(text)
			slices.Sort(asked)
			for _, word := range slices.Compact(asked) {
				idf := math.Log(1 + (n-having[word]+0.5)/(having[word]+0.5))
				if having[word] == 0 {
					idf = math.Log(2)
				}
				tf := c.counts[word]
				earned += idf * tf * 2.2 / (tf + 1.2*(1-0.75+0.75*c.length/(total/n)))
				ideal += idf * 2.2
			}
			if ideal > 0 {
				c.score = max(c.score, math.Sqrt(earned/ideal))
			}
		}
	}
	chunks = slices.DeleteFunc(chunks, func(c plainChunk) bool {
		return c.score == 0 || query.Filter != nil && !query.Filter.Matches(c.file.Attributes)
	})
	slices.SortStableFunc(chunks, func(a, b plainChunk) int { return cmp.Compare(b.score, a.score) })
	return chunks[:min(len(chunks), query.MaxResults)]
}

// However files have come and gone, the ranking is that of the textbook over what there is.
func TestLexicalModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 0))
			r := server.NewLexicalRetriever()
			var plain plainBM25
			for range 150 {
				id := fmt.Sprint("file-", random.IntN(12))
				plain = slices.DeleteFunc(plain, func(f server.IndexedFile) bool { return f.ID == id })
				if random.IntN(3) == 0 {
					require.NoError(t, r.Remove(t.Context(), "vs_1", id))
				} else {
					file := randomFile(random, id)
					require.NoError(t, r.Index(t.Context(), "vs_1", file))
					plain = append(plain, file)
				}
				compareWithPlain(t, r, plain, randomQuery(random))
			}
		})
	}
}

func randomWords(random *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "w%d ", min(random.IntN(30), random.IntN(60)))
	}
	return b.String()
}

// randomFile has overlapping chunks of random sizes, none sometimes.
func randomFile(random *rand.Rand, id string) server.IndexedFile {
	file := server.IndexedFile{
		ID: id, Name: randomWords(random, random.IntN(5)), Text: randomWords(random, random.IntN(60)),
		Attributes: assistants.Attributes{"group": assistants.AttributeOf(random.IntN(3))},
	}
	places := []int{0} // between words
	for i, c := range file.Text {
		if c == ' ' {
			places = append(places, i+1)
		}
	}
	size := 1 + random.IntN(20)
	for from := 0; from < len(places)-1; from += 1 + random.IntN(size) {
		to := min(from+size, len(places)-1)
		file.Chunks = append(file.Chunks, server.Span{Start: places[from], End: places[to]})
	}
	return file
}

func randomQuery(random *rand.Rand) server.IndexQuery {
	query := server.IndexQuery{MaxResults: 1 + random.IntN(20)}
	for range 1 + random.IntN(3) {
		query.Queries = append(query.Queries, randomWords(random, random.IntN(6)))
	}
	if random.IntN(2) == 0 {
		filter := assistants.FilterNe("group", random.IntN(3))
		query.Filter = &filter
	}
	return query
}

func compareWithPlain(t *testing.T, r server.Retriever, plain plainBM25, query server.IndexQuery) {
	t.Helper()
	const tolerance = 1e-5
	got, err := r.Search(t.Context(), "vs_1", query)
	require.NoError(t, err)
	want := plain.search(query)
	require.Len(t, got, len(want))
	query.MaxResults = math.MaxInt
	scores := map[string][]float64{}
	for _, c := range plain.search(query) {
		key := c.file.ID + c.text
		scores[key] = append(scores[key], c.score)
	}
	for i, p := range got {
		require.InDelta(t, want[i].score, p.Score, tolerance)
		// What scores the same but for rounding may be in another order.
		require.Contains(t, scores, p.FileID+p.Text)
		require.InDelta(t, scores[p.FileID+p.Text][0], p.Score, tolerance)
	}
}

// Searches see a file as it was or as it is, never both, nor parts of it, while files come, change and go.
func TestRaceLexical(t *testing.T) {
	t.Parallel()
	const files, chunks, versions, searches = 4, 3, 30, 100
	var more strings.Builder // words, so that a change of a file takes time in which searches could see half of it
	for i := range 1000 {
		fmt.Fprint(&more, " n", i)
	}
	versionOf := func(id string, version int) server.IndexedFile {
		return lexicalFile(id, slices.Repeat([]string{fmt.Sprint("every chunk v", version, more.String())}, chunks)...)
	}
	r := server.NewLexicalRetriever()
	require.NoError(t, r.Index(t.Context(), "vs_1", versionOf("file-0", 0)))
	var all sync.WaitGroup
	for n := range files {
		all.Go(func() {
			id := fmt.Sprint("file-", n)
			for version := range versions {
				assert.NoError(t, r.Index(t.Context(), "vs_1", versionOf(id, version)))
				assert.Len(t, searchFile(t, r, id), chunks, "what is reported as done is seen")
				attributes := assistants.Attributes{"file": assistants.AttributeOf(id)}
				assert.NoError(t, r.Describe(t.Context(), "vs_1", id, attributes))
				if n > 0 && version%5 == 0 {
					assert.NoError(t, r.Remove(t.Context(), "vs_1", id))
					assert.Empty(t, searchFile(t, r, id))
				}
			}
		})
	}
	for range 2 {
		all.Go(func() {
			for range searches {
				seen := map[string][]string{}
				for _, p := range lexicalSearch(t, r, "vs_1", "every chunk", "v7") {
					seen[p.FileID] = append(seen[p.FileID], p.Text)
				}
				assert.Contains(t, seen, "file-0", "which is replaced, and never not there")
				for id, texts := range seen {
					assert.Len(t, texts, chunks, id)
					assert.Len(t, slices.Compact(texts), 1, id)
				}
				assert.NoError(t, r.Drop(t.Context(), "vs_2"))
				assert.NoError(t, r.Index(t.Context(), "vs_2", lexicalFile("file-1", "some text")))
			}
		})
	}
	all.Wait()
}

// What has been indexed is there, and what is empty is gone, also if the last file leaves a store while others come.
func TestRaceLexicalStores(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			id := fmt.Sprint("file-", n)
			for range 500 {
				assert.NoError(t, r.Index(t.Context(), "vs_1", lexicalFile(id, "every chunk")))
				assert.Len(t, searchFile(t, r, id), 1)
				assert.NoError(t, r.Remove(t.Context(), "vs_1", id))
				assert.Empty(t, searchFile(t, r, id))
			}
		})
	}
	all.Wait()
	assert.Zero(t, r.Stores())
}

func searchFile(t *testing.T, r server.Retriever, id string) (found []server.Passage) {
	for _, p := range lexicalSearch(t, r, "vs_1", "every chunk") {
		if p.FileID == id {
			found = append(found, p)
		}
	}
	return found
}

// FuzzLexical indexes any text, cut anywhere, and asks anything.
func FuzzLexical(f *testing.F) {
	f.Add("Refunds are paid within 30 days.", "When is a refund paid?", "a.txt", []byte{10, 5, 10, 20})
	f.Add("func getUserName(HTTPServer *URLs) __x__", "get_user_name", "main.go", []byte{200, 0, 7, 7})
	f.Add("退款政策 お茶 นโยบาย서울", "退款", "東京", []byte{3, 3, 3, 3})
	f.Add("e\u0301\u00ad\xff\u0301 ied ing ss IES", "ﬁ İ ſ \xc3", "\x00", []byte{0})
	f.Fuzz(func(t *testing.T, text, query, name string, cuts []byte) {
		file := server.IndexedFile{ID: "file-1", Name: name, Text: text}
		chunks := map[string]bool{}
		for start, i := 0, 0; i+1 < len(cuts); i += 2 {
			start = min(start+int(cuts[i]), len(text))
			span := server.Span{Start: start, End: min(start+int(cuts[i+1]), len(text))}
			file.Chunks = append(file.Chunks, span)
			chunks[text[span.Start:span.End]] = true
		}
		r := server.NewLexicalRetriever()
		require.NoError(t, r.Index(t.Context(), "vs_1", file))
		first := lexicalSearch(t, r, "vs_1", query, text)
		for i, p := range first {
			require.True(t, p.Score > 0 && p.Score <= 1, "%v", p.Score)
			require.True(t, i == 0 || p.Score <= first[i-1].Score)
			require.True(t, chunks[p.Text], "%q", p.Text)
		}
		require.NoError(t, r.Index(t.Context(), "vs_1", file))
		require.Equal(t, first, lexicalSearch(t, r, "vs_1", query, text))
		lexicalIndex(t, r, "vs_1", "file-2", "another")
		require.NoError(t, r.Remove(t.Context(), "vs_1", "file-1"))
		_, terms, _ := r.Sizes("vs_1")
		require.Equal(t, 1, terms)
		require.NoError(t, r.Remove(t.Context(), "vs_1", "file-2"))
		require.Zero(t, r.Stores())
	})
}
