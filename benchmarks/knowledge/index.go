package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/server"
)

const (
	textBytes   = 1_000_000 // of a file
	textsAtOnce = 10        // files that are uploaded and indexed together
	questions   = 500

	indexTimeLimit = 4.5 // of indexing, in floors
	indexHeapLimit = 3.5 // of the index, in bytes for a byte of text
	searchLimit    = 9.9 // of half of the searches, in milliseconds
)

// A library is a server with text in a vector store.
type library struct {
	prose     *prose
	client    *assistants.Client
	server    *server.Server
	retriever *chunkCounter
	storeID   string
	files     int
}

// A chunkCounter is the retriever of a server that has none of its own, and counts.
type chunkCounter struct {
	server.Retriever
	chunks atomic.Int64
}

func (c *chunkCounter) Index(ctx context.Context, storeID string, file server.IndexedFile) error {
	c.chunks.Add(int64(len(file.Chunks)))
	return c.Retriever.Index(ctx, storeID, file)
}

func newLibrary(ctx context.Context) (*library, error) {
	l := &library{prose: newProse(1), retriever: &chunkCounter{Retriever: server.NewLexicalRetriever()}}
	l.server = server.New(server.WithRetriever(l.retriever))
	var err error
	if l.client, err = assistants.NewClient(assistants.WithHandler(l.server)); err != nil {
		return nil, err
	}
	store, err := l.client.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{})
	if err != nil {
		return nil, err
	}
	l.storeID = store.ID
	return l, nil
}

// add writes files, and has them indexed and their words counted. It takes the time of both, but not of the writing.
func (l *library) add(ctx context.Context, n int, indexed, counted *results) error {
	for n > 0 {
		files := l.prose.files(min(n, textsAtOnce), textBytes)
		start := time.Now()
		if err := ourBatch(ctx, l.client, l.storeID, files); err != nil {
			return err
		}
		between := time.Now()
		countAll(files)
		indexed.times = append(indexed.times, between.Sub(start).Seconds()/float64(len(files)))
		counted.times = append(counted.times, time.Since(between).Seconds()/float64(len(files)))
		n -= len(files)
		l.files += len(files)
	}
	return nil
}

// countAll is the floor of indexing: it counts the words of files, one file for each processor at once.
func countAll(files [][]byte) {
	_ = several(len(files), runtime.GOMAXPROCS(0), func(i int) error {
		countWords(files[i])
		return nil
	})
}

func countWords(text []byte) map[string]int {
	counts := make(map[string]int)
	for word := range bytes.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		counts[string(bytes.ToLower(word))]++
	}
	return counts
}

// knowledge measures the indexing of text and the searching of it, in process.
func knowledge(w io.Writer, s settings) ([]report.Target, error) {
	ctx := context.Background()
	l, err := newLibrary(ctx)
	if err != nil {
		return nil, err
	}
	defer l.server.Close()
	empty := heapInUse() // but for the words of the prose
	var indexed, counted results
	if err := l.add(ctx, s.text, &indexed, &counted); err != nil {
		return nil, err
	}
	text, held := float64(l.files*textBytes), heapInUse()-empty
	index := held/text - 2 // the contents of the files are there, and their text
	fmt.Fprintln(w, "| indexing | MB/s | time in floors | chunks | heap, bytes for a byte of text | of which contents | text | index |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|--:|")
	fmt.Fprintf(w, "| %d files of %d MB, from the upload on | %.1f | %.2f | %d | %.2f | 1 | 1 | %.2f |\n\n", l.files,
		textBytes/1_000_000, textBytes/mega/indexed.median(), indexed.ratio(&counted), l.retriever.chunks.Load(), held/text, index)
	list := []report.Target{
		{What: "Indexing, time in floors", Got: indexed.ratio(&counted), Limit: indexTimeLimit},
		{What: "Index, bytes on the heap for a byte of text", Got: index, Limit: indexHeapLimit, Exact: true},
	}
	for int(l.retriever.chunks.Load()) < s.chunks {
		if err := l.add(ctx, 1, new(results), new(results)); err != nil {
			return nil, err
		}
	}
	more, err := l.searches(ctx, w)
	return append(list, more...), err
}

// searches asks questions, of the server and of its retriever alone.
func (l *library) searches(ctx context.Context, w io.Writer) ([]report.Target, error) {
	fmt.Fprintf(w, "| search of %d chunks, 5 to 8 words | median, ms | 95th percentile, ms |\n|---|--:|--:|\n", l.retriever.chunks.Load())
	asked := make([]string, questions)
	for i := range asked {
		asked[i] = l.prose.question(i)
	}
	var list []report.Target
	for _, way := range []struct {
		name string
		ask  func(question string) (results int, err error)
	}{
		{"retriever", func(question string) (int, error) {
			passages, err := l.retriever.Search(ctx, l.storeID, server.IndexQuery{Queries: []string{question}, MaxResults: 10})
			return len(passages), err
		}},
		{"server", l.ask},
	} {
		var times []float64
		for _, question := range asked {
			start := time.Now()
			n, err := way.ask(question)
			times = append(times, 1000*time.Since(start).Seconds())
			if err != nil {
				return nil, err
			}
			if n != 10 {
				return nil, fmt.Errorf("%s: %d results of 10 for %q", way.name, n, question)
			}
		}
		slices.Sort(times)
		median, late := report.Median(times), times[len(times)*95/100]
		fmt.Fprintf(w, "| %s | %.2f | %.2f |\n", way.name, median, late)
		list = append(list, report.Target{What: "Search, " + way.name + ", median, ms", Got: median, Limit: searchLimit})
	}
	return list, nil
}

// ask searches the vector store through the API.
func (l *library) ask(question string) (results int, err error) {
	body, err := json.Marshal(map[string]any{"query": question})
	if err != nil {
		return 0, err
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/vector_stores/"+l.storeID+"/search", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	l.server.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return 0, fmt.Errorf("search: %d %s", w.Code, strings.TrimSpace(w.Body.String()))
	}
	var found struct{ Data []struct{ Score float64 } }
	err = json.Unmarshal(w.Body.Bytes(), &found)
	return len(found.Data), err
}
