package server_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// lexicalFile is a file of these chunks, one behind the other.
func lexicalFile(id string, chunks ...string) server.IndexedFile {
	f := server.IndexedFile{ID: id}
	for _, chunk := range chunks {
		f.Chunks = append(f.Chunks, server.Span{Start: len(f.Text), End: len(f.Text) + len(chunk)})
		f.Text += chunk + "\n"
	}
	return f
}

func lexicalIndex(t testing.TB, r server.Retriever, storeID, fileID string, chunks ...string) {
	t.Helper()
	require.NoError(t, r.Index(t.Context(), storeID, lexicalFile(fileID, chunks...)))
}

func lexicalSearch(t testing.TB, r server.Retriever, storeID string, queries ...string) []server.Passage {
	t.Helper()
	passages, err := r.Search(t.Context(), storeID, server.IndexQuery{Queries: queries, MaxResults: 50})
	require.NoError(t, err)
	return passages
}

func lexicalTexts(passages []server.Passage) []string {
	list := []string{}
	for _, p := range passages {
		list = append(list, p.Text)
	}
	return list
}

var handbook = []string{
	"Refunds. Customers may return any item within 30 days of delivery. The refund is paid to the card that was used.",
	"Shipping. Orders above 50 euros are shipped free of charge. Delivery takes two to four working days.",
	"Warranty. Every device has a warranty of two years. Batteries are covered for six months only.",
	"Opening hours. The shop is open from nine to six on working days, and closed on Sundays and public holidays.",
	"Vacation. Employees have 28 days of paid leave each year. Leave is requested with the team lead two weeks ahead.",
	"Expenses. Travel costs are reimbursed against receipts. Meals are paid up to 40 euros a day.",
	"Security. Passwords have at least 14 characters and are changed when they leak. Lost laptops are reported at once.",
	"Support. Write to the help desk. Urgent incidents are answered within an hour, everything else by the next day.",
}

// Every question finds its passage of a handbook first.
func TestLexicalRelevance(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	lexicalIndex(t, r, "vs_1", "file-1", handbook[:4]...)
	lexicalIndex(t, r, "vs_1", "file-2", handbook[4:]...)
	for question, want := range map[string]int{
		"How do I get a refund?":                        0,
		"Can I return an item after three weeks?":       0,
		"How long does delivery take?":                  1,
		"Is shipping free?":                             1,
		"Are batteries covered by the warranty?":        2,
		"When is the shop closed?":                      3,
		"Is the shop open on a public holiday?":         3,
		"How many days of vacation do employees have?":  4,
		"Who do I request leave with?":                  4,
		"What is reimbursed when I travel?":             5,
		"Which receipts do I need for a meal expense?":  5,
		"What do I do if my laptop is lost?":            6,
		"How many characters must a password have?":     6,
		"How soon are urgent incidents answered?":       7,
		"How do I write to the help desk for support?":  7,
		"may i requesting the vacations, the employee?": 4,
	} {
		passages := lexicalSearch(t, r, "vs_1", question)
		require.NotEmpty(t, passages, question)
		assert.Equal(t, handbook[want], passages[0].Text, question)
		for i, p := range passages {
			assert.True(t, p.Score > 0 && p.Score <= 1, "%v", p.Score)
			assert.True(t, i == 0 || p.Score <= passages[i-1].Score)
		}
	}
}

func TestLexicalPassages(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	file := lexicalFile("file-1", "red apples", "green apples")
	file.Name, file.Attributes = "Fruit list 2024.md", assistants.Attributes{"year": assistants.AttributeOf(2024)}
	require.NoError(t, r.Index(t.Context(), "vs_1", file))
	lexicalIndex(t, r, "vs_1", "file-2", "yellow bananas")

	green := lexicalSearch(t, r, "vs_1", "green")
	require.Len(t, green, 1)
	assert.Equal(t, server.Passage{FileID: "file-1", FileName: "Fruit list 2024.md", Attributes: file.Attributes,
		Text: "green apples", Score: green[0].Score}, green[0])
	assert.Equal(t, []string{"red apples", "green apples"}, lexicalTexts(lexicalSearch(t, r, "vs_1", "What does the fruit list say?")))
	assert.Equal(t, []string{"green apples", "red apples"}, lexicalTexts(lexicalSearch(t, r, "vs_1", "green fruit")))

	// What a caller does with a passage or with the file changes nothing.
	green[0].Attributes["year"] = assistants.AttributeOf(1)
	file.Attributes["year"], file.Chunks[1] = assistants.AttributeOf(2), server.Span{}
	green = lexicalSearch(t, r, "vs_1", "green")
	assert.Equal(t, assistants.Attributes{"year": assistants.AttributeOf(2024)}, green[0].Attributes)
	assert.Equal(t, "green apples", green[0].Text)
}

func TestLexicalOrder(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	var twice, once []string // have the word
	for _, id := range strings.Split("qwertzuiopasdfghjklyxcvbnm", "") {
		lexicalIndex(t, r, "vs_1", "file-"+id, id+" other same", id+" same same")
		once, twice = append(once, id+" other same"), append(twice, id+" same same")
	}
	want := slices.Concat(twice, once)
	query := server.IndexQuery{Queries: []string{"same"}}
	for query.MaxResults = range len(want) + 2 {
		passages, err := r.Search(t.Context(), "vs_1", query)
		require.NoError(t, err)
		assert.Equal(t, want[:min(query.MaxResults, len(want))], lexicalTexts(passages))
	}

	// A file that is indexed again comes last.
	lexicalIndex(t, r, "vs_1", "file-q", once[0], twice[0])
	passages, err := r.Search(t.Context(), "vs_1", query)
	require.NoError(t, err)
	assert.Equal(t, slices.Concat(twice[1:], twice[:1], once[1:], once[:1]), lexicalTexts(passages))
}

func TestLexicalQueries(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	lexicalIndex(t, r, "vs_1", "file-1", handbook...)
	for _, queries := range [][]string{nil, {}, {""}, {" \n", "?!…", "___", "。、"}, {"xylophone"}, {"\xff\xfe"}} {
		assert.Empty(t, lexicalSearch(t, r, "vs_1", queries...), "%q", queries)
	}
	assert.Empty(t, lexicalSearch(t, r, "vs_unknown", "refund"))

	// A passage counts with the query that it answers best, and is found once.
	first, second := lexicalSearch(t, r, "vs_1", "warranty of a device"), lexicalSearch(t, r, "vs_1", "opening hours of the shop")
	both := lexicalSearch(t, r, "vs_1", "opening hours of the shop", "", "warranty of a device", "warranty of a device")
	best := map[string]float64{}
	for _, p := range append(first, second...) {
		best[p.Text] = max(best[p.Text], p.Score)
	}
	assert.Len(t, both, len(best))
	for _, p := range both {
		assert.Equal(t, best[p.Text], p.Score, p.Text)
	}

	// A query is what its words are, whatever their order and number.
	assert.Equal(t, lexicalSearch(t, r, "vs_1", "warranty"), lexicalSearch(t, r, "vs_1", "Warranty, WARRANTY warranties"))
}

func TestLexicalFilters(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	for i, team := range []string{"blue", "red", "blue", "red", ""} {
		file := lexicalFile(fmt.Sprint("file-", i), "minutes of a meeting", "more minutes of it")
		file.Attributes = assistants.Attributes{"year": assistants.AttributeOf(2020 + i)}
		if team != "" {
			file.Attributes["team"] = assistants.AttributeOf(team)
		}
		require.NoError(t, r.Index(t.Context(), "vs_1", file))
	}
	blue, red := assistants.FilterEq("team", "blue"), assistants.FilterEq("team", "red")
	recent, old := assistants.FilterGte("year", 2022), assistants.FilterLt("year", 2021)
	for _, tc := range []struct {
		name   string
		filter *assistants.Filter
		want   string // numbers of files
	}{
		{"none", nil, "01234"},
		{"equal", &blue, "02"},
		{"not equal", new(assistants.FilterNe("team", "blue")), "134"},
		{"greater", &recent, "234"},
		{"and", new(assistants.FilterAnd(blue, recent)), "2"},
		{"or", new(assistants.FilterOr(red, old)), "013"},
		{"nested", new(assistants.FilterAnd(recent, assistants.FilterOr(blue, assistants.FilterNin("team", "red", "blue")))), "24"},
		{"nothing", new(assistants.FilterAnd(blue, red)), ""},
		{"unknown", &assistants.Filter{Type: "like", Key: "team"}, ""},
	} {
		passages, err := r.Search(t.Context(), "vs_1", server.IndexQuery{
			Queries: []string{"minutes", "meeting"}, Filter: tc.filter, MaxResults: 50,
		})
		require.NoError(t, err)
		files := map[string]int{}
		for _, p := range passages {
			files[p.FileID]++
		}
		want := map[string]int{}
		for _, n := range tc.want {
			want["file-"+string(n)] = 2
		}
		assert.Equal(t, want, files, tc.name)
	}

	// Files that are left out take no places of those that are not.
	passages, err := r.Search(t.Context(), "vs_1", server.IndexQuery{Queries: []string{"minutes"}, Filter: &red, MaxResults: 1})
	require.NoError(t, err)
	assert.Len(t, passages, 1)
	assert.Equal(t, "file-1", passages[0].FileID)
}

func TestLexicalThreshold(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	lexicalIndex(t, r, "vs_1", "file-1", handbook...)
	query := server.IndexQuery{Queries: []string{"paid leave of employees", "working days"}, MaxResults: 50}
	all, err := r.Search(t.Context(), "vs_1", query)
	require.NoError(t, err)
	require.Greater(t, len(all), 4)
	for i, p := range all {
		query.ScoreThreshold = p.Score
		got, err := r.Search(t.Context(), "vs_1", query)
		require.NoError(t, err)
		assert.Equal(t, all[:len(got)], got)
		assert.Greater(t, len(got), i)
		assert.Equal(t, p.Score, got[len(got)-1].Score)
	}
	query.ScoreThreshold = 1
	got, err := r.Search(t.Context(), "vs_1", query)
	require.NoError(t, err)
	assert.Empty(t, got)
}

// Scores say how much of a question is answered, wherever it is asked.
func TestLexicalScores(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	score := func(storeID, question string) float64 {
		passages := lexicalSearch(t, r, storeID, question)
		require.NotEmpty(t, passages, question)
		return passages[0].Score
	}
	lexicalIndex(t, r, "vs_1", "file-1", handbook...)
	lexicalIndex(t, r, "vs_2", "file-1", append(handbook[:7:7], "Boats. The harbour has room for boats of six metres.")...)
	assert.Greater(t, score("vs_1", "refunds for customers"), score("vs_1", "refunds for martians"))
	assert.Greater(t, score("vs_2", "harbour for boats"), score("vs_1", "harbour for boats"))
	assert.InDelta(t, score("vs_1", "refund of an item"), score("vs_2", "refund of an item"), 0.1)

	// A word more that the question has never lowers the score of a chunk.
	filler := strings.Fields(strings.Repeat("zig zag ", 20))
	question := "red green blue"
	before := 0.0
	for i, word := range strings.Fields("red green green blue red red blue blue green " + strings.Repeat("blue ", 31)) {
		filler[i] = word
		lexicalIndex(t, r, "vs_3", "file-1", strings.Join(filler, " "))
		lexicalIndex(t, r, "vs_3", "file-2", strings.Repeat("red some other words ", 10))
		got := score("vs_3", question)
		for _, p := range lexicalSearch(t, r, "vs_3", question) {
			if p.FileID == "file-1" {
				got = p.Score
			}
		}
		assert.Greater(t, got, before)
		assert.LessOrEqual(t, got, 1.0)
		before = got
	}
	lexicalIndex(t, r, "vs_4", "file-1", strings.Repeat("word ", 100_000))
	assert.InDelta(t, math.Sqrt(255/(255+1.2)), score("vs_4", "word"), 1e-6) // it counts 255 times
}

// A word is in the chunks in which it begins, and in no other; none is lost between them.
func TestLexicalSpans(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	file := server.IndexedFile{ID: "file-1", Text: "alpha beta gamma delta epsilon"}
	file.Chunks = []server.Span{{0, 13}, {6, 19}, {13, 13}, {13, 30}}
	require.NoError(t, r.Index(t.Context(), "vs_1", file))
	const one, two, four = "alpha beta ga", "beta gamma de", "mma delta epsilon"
	for word, want := range map[string][]string{
		"alpha": {one}, "beta": {one, two}, "gamma": {one, two}, "delta": {two, four}, "epsilon": {four}, "mma": {}, "de": {},
	} {
		assert.ElementsMatch(t, want, lexicalTexts(lexicalSearch(t, r, "vs_1", word)), word)
	}
	for _, wrong := range [][]server.Span{{{-1, 2}}, {{0, 31}}, {{3, 2}}, {{5, 6}, {4, 6}}, {{31, 31}}} {
		file.Chunks = wrong
		require.Error(t, r.Index(t.Context(), "vs_1", file), "%v", wrong)
	}
	assert.Len(t, lexicalSearch(t, r, "vs_1", "beta"), 2, "what was there stays")

	// Without chunks there is nothing to find, but the file is there.
	file.Chunks = nil
	require.NoError(t, r.Index(t.Context(), "vs_1", file))
	assert.Empty(t, lexicalSearch(t, r, "vs_1", "beta"))
	has, err := r.Has(t.Context(), "vs_1", "file-1")
	require.NoError(t, err)
	assert.True(t, has)
}

func TestLexicalFilesComeAndGo(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	ctx := t.Context()
	has := func(storeID, fileID string) bool {
		has, err := r.Has(ctx, storeID, fileID)
		require.NoError(t, err)
		return has
	}
	assert.False(t, has("vs_1", "file-1"))
	require.NoError(t, r.Remove(ctx, "vs_1", "file-1"))
	require.NoError(t, r.Describe(ctx, "vs_1", "file-1", nil))
	require.NoError(t, r.Drop(ctx, "vs_1"))
	lexicalIndex(t, r, "vs_1", "file-1", "old text")
	lexicalIndex(t, r, "vs_1", "file-2", "another text")
	lexicalIndex(t, r, "vs_2", "file-1", "old text")
	assert.True(t, has("vs_1", "file-1"))
	assert.False(t, has("vs_2", "file-2"))

	lexicalIndex(t, r, "vs_1", "file-1", "new text", "and newer")
	assert.Equal(t, []string{"another text", "new text"}, lexicalTexts(lexicalSearch(t, r, "vs_1", "text")))
	assert.Empty(t, lexicalSearch(t, r, "vs_1", "old"))
	assert.Len(t, lexicalSearch(t, r, "vs_2", "old"), 1)

	described := assistants.Attributes{"a": assistants.AttributeOf("b")}
	require.NoError(t, r.Describe(ctx, "vs_1", "file-1", described))
	require.NoError(t, r.Describe(ctx, "vs_1", "file-9", described))
	delete(described, "a")
	newer := lexicalSearch(t, r, "vs_1", "newer")
	assert.Equal(t, assistants.Attributes{"a": assistants.AttributeOf("b")}, newer[0].Attributes)
	assert.Empty(t, lexicalSearch(t, r, "vs_2", "old")[0].Attributes)

	require.NoError(t, r.Remove(ctx, "vs_1", "file-1"))
	require.NoError(t, r.Remove(ctx, "vs_1", "file-9"))
	assert.False(t, has("vs_1", "file-1"))
	assert.Equal(t, []string{"another text"}, lexicalTexts(lexicalSearch(t, r, "vs_1", "text newer")))
	require.NoError(t, r.Drop(ctx, "vs_1"))
	assert.False(t, has("vs_1", "file-2"))
	assert.Empty(t, lexicalSearch(t, r, "vs_1", "text"))
	assert.True(t, has("vs_2", "file-1"))
}

// What has gone leaves nothing behind, however often files come and go.
func TestLexicalLeftovers(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	for i := range 500 {
		file := lexicalFile(fmt.Sprint("file-", i%5), fmt.Sprint("a word ", i), "the same")
		file.Name = fmt.Sprint("number ", i)
		require.NoError(t, r.Index(t.Context(), "vs_1", file))
		if i%7 == 0 {
			require.NoError(t, r.Remove(t.Context(), "vs_1", "file-3"))
		}
		chunks, terms, postings := r.Sizes("vs_1")
		assert.LessOrEqual(t, chunks, 2*2*5+2)
		assert.LessOrEqual(t, terms, 5+5)
		assert.LessOrEqual(t, postings, (3+2+2)*(2*5+1))
	}
	for i := range 5 {
		require.NoError(t, r.Remove(t.Context(), "vs_1", fmt.Sprint("file-", i)))
	}
	assert.Zero(t, r.Stores())
}

// A file that leaves a store which stays takes the memory along in which its words were.
func TestLexicalMemory(t *testing.T) { // not parallel, for the sake of what it measures
	const words, limit = 300_000, 4 << 20
	r := server.NewLexicalRetriever()
	lexicalIndex(t, r, "vs_1", "file-1", "some words")
	before := liveBytes()
	var chunks []string
	for i := range words / 1000 {
		var chunk strings.Builder
		for j := range 1000 {
			fmt.Fprint(&chunk, "w", 1000*i+j, " ")
		}
		chunks = append(chunks, chunk.String())
	}
	lexicalIndex(t, r, "vs_1", "file-2", chunks...)
	chunks = nil
	assert.Greater(t, liveBytes(), before+limit)
	require.NoError(t, r.Remove(t.Context(), "vs_1", "file-2"))
	assert.Less(t, liveBytes(), before+limit)
	assert.Len(t, lexicalSearch(t, r, "vs_1", "word"), 1)
}

// A long name makes the index of a file larger once, and not with every chunk.
func TestLexicalLongName(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	file := lexicalFile("file-1", slices.Repeat([]string{"a word"}, 1000)...)
	for i := range 200 {
		file.Name += fmt.Sprint("word n", i, " ")
	}
	require.NoError(t, r.Index(t.Context(), "vs_1", file))
	_, terms, postings := r.Sizes("vs_1")
	assert.Equal(t, 202, terms)
	assert.Equal(t, 2*1000+201, postings)
	for _, word := range []string{"n7", "word", "a"} {
		passages, err := r.Search(t.Context(), "vs_1", server.IndexQuery{Queries: []string{word}, MaxResults: 2000})
		require.NoError(t, err)
		assert.Len(t, passages, 1000, word)
	}
	other := lexicalFile("file-2", "text")
	other.Name = "unique"
	require.NoError(t, r.Index(t.Context(), "vs_1", other))
	require.NoError(t, r.Remove(t.Context(), "vs_1", "file-2"))
	_, termsAfter, postingsAfter := r.Sizes("vs_1")
	assert.Equal(t, []int{terms, postings}, []int{termsAfter, postingsAfter})
}

// Files without chunks have nothing that could be found, and take nothing along when they go.
func TestLexicalNothingToFind(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	for _, id := range []string{"file-1", "file-2"} {
		require.NoError(t, r.Index(t.Context(), "vs_1", server.IndexedFile{ID: id, Name: "report", Text: "nothing"}))
	}
	require.NoError(t, r.Remove(t.Context(), "vs_1", "file-1"))
	lexicalIndex(t, r, "vs_1", "file-3", "a report")
	require.NoError(t, r.Remove(t.Context(), "vs_1", "file-2"))
	assert.Equal(t, []string{"a report"}, lexicalTexts(lexicalSearch(t, r, "vs_1", "report")))
}

// A word counts the more the more often it is in a chunk, up to 255 times, and those of the name with those of the text.
func TestLexicalCounts(t *testing.T) {
	t.Parallel()
	const length = 1000
	r := server.NewLexicalRetriever()
	var chunks, want []string
	for _, n := range []int{1, 2, 100, 253, 255, 254, 256, 257, 512, length} {
		chunks = append(chunks, strings.Repeat("word ", n)+strings.Repeat("other ", length-n))
	}
	for _, i := range []int{4, 6, 7, 8, 9, 5, 3, 2, 1, 0} { // the first five are as good as each other
		want = append(want, chunks[i])
	}
	lexicalIndex(t, r, "vs_1", "file-1", chunks...)
	passages := lexicalSearch(t, r, "vs_1", "word")
	assert.Equal(t, want, lexicalTexts(passages))
	assert.Equal(t, passages[0].Score, passages[4].Score)

	file := lexicalFile("file-1", chunks...)
	file.Name = "word word"
	require.NoError(t, r.Index(t.Context(), "vs_1", file))
	want = want[:0]
	for _, i := range []int{3, 4, 5, 6, 7, 8, 9, 2, 1, 0} {
		want = append(want, chunks[i])
	}
	assert.Equal(t, want, lexicalTexts(lexicalSearch(t, r, "vs_1", "word")))
}

// However much is asked, 512 words count.
func TestLexicalManyWords(t *testing.T) {
	t.Parallel()
	const words = 2000
	r := server.NewLexicalRetriever()
	var chunks []string
	for i := range words {
		chunks = append(chunks, fmt.Sprint("w", i))
	}
	lexicalIndex(t, r, "vs_1", "file-1", chunks...)
	found := func(queries ...string) []string {
		passages, err := r.Search(t.Context(), "vs_1", server.IndexQuery{Queries: queries, MaxResults: words})
		require.NoError(t, err)
		return lexicalTexts(passages)
	}
	first, second := strings.Join(chunks[:1000], " "), strings.Join(chunks[1000:], " ")
	assert.Equal(t, chunks[:512], found(first))
	assert.Equal(t, chunks[:512], found(strings.Repeat("w0 w1 ", 1000)+first))
	assert.Equal(t, chunks[:512], found(slices.Repeat([]string{first}, 64)...), "the same query again is none")
	assert.Equal(t, slices.Concat(chunks[:256], chunks[1000:1256]), found(first, second))
	assert.Len(t, found(chunks[:600]...), 600, "one word of each is always looked for")
}

func TestLexicalContext(t *testing.T) {
	t.Parallel()
	r := server.NewLexicalRetriever()
	lexicalIndex(t, r, "vs_1", "file-1", handbook...)
	ended, end := context.WithCancel(t.Context())
	end()
	large := lexicalFile("file-2", strings.Repeat("many words ", 1<<20))
	require.ErrorIs(t, r.Index(ended, "vs_1", large), context.Canceled)
	require.ErrorIs(t, r.Index(ended, "vs_1", lexicalFile("file-2", "few words")), context.Canceled)
	has, err := r.Has(t.Context(), "vs_1", "file-2")
	require.NoError(t, err)
	assert.False(t, has)
	for _, storeID := range []string{"vs_1", "vs_2"} {
		_, err = r.Search(ended, storeID, server.IndexQuery{Queries: []string{"refund"}, MaxResults: 1})
		require.ErrorIs(t, err, context.Canceled)
	}

	// The context is looked at again and again, not only in the beginning.
	few := &countedContext{Context: t.Context(), left: 3}
	require.ErrorIs(t, r.Index(few, "vs_1", large), context.Canceled)
	few = &countedContext{Context: t.Context(), left: 3}
	_, err = r.Search(few, "vs_1", server.IndexQuery{Queries: []string{strings.Join(handbook, " ")}, MaxResults: 1})
	require.ErrorIs(t, err, context.Canceled)
	few = &countedContext{Context: t.Context(), left: 3}
	_, err = r.Search(few, "vs_1", server.IndexQuery{Queries: []string{large.Text}, MaxResults: 1})
	require.ErrorIs(t, err, context.Canceled)
}

// A countedContext ends when it has been looked at so often. It is not safe for concurrent use.
type countedContext struct {
	context.Context
	left int
}

func (c *countedContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}
