package server_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// kept is what outlives a server: a store and blobs with vector stores whose files have been read.
func kept(t *testing.T, files, copies int) (all []server.Option, addresses []string) {
	t.Helper()
	all = []server.Option{server.WithStore(server.NewMemoryStore()), server.WithBlobs(server.NewMemoryBlobs())}
	a := newAPI(t, all...)
	var ids []string
	for range files {
		ids = append(ids, a.upload("a.txt", "content"))
	}
	for range copies {
		addresses = append(addresses, a.newStore(ids...))
	}
	synctest.Wait()
	require.NoError(t, a.server.Close())
	return all, addresses
}

// Whoever has a file read, and however many they are: only so many are read at once.
func TestRequestsReadFewFilesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		options, all := kept(t, 1, 12)
		g := newGate()
		next := newAPI(t, append(options, server.WithExtractor(g), server.WithIDSource(nil))...)
		limit := min(4, runtime.GOMAXPROCS(0))
		answers := make(chan int, 2*len(all))
		for _, store := range all {
			go func() { answers <- next.do("GET", store+"/files/file_1/content", "").status }()
			go func() { answers <- next.do("POST", store+"/search", `{"query":"content"}`).status }()
		}
		next.newStore("file_1")
		synctest.Wait()
		names, most := g.seen()
		require.Len(t, names, limit)
		require.Equal(t, limit, most)
		close(g.open)
		for range 2 * len(all) {
			require.Equal(t, 200, <-answers)
		}
		synctest.Wait()
		_, most = g.seen()
		require.Equal(t, limit, most)
		require.Empty(t, next.server.Leftovers())
	})
}

// A request that is given up before it is its turn takes nobody's place.
func TestTurnIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		options, all := kept(t, 1, 8)
		g := newGate()
		next := newAPI(t, append(options, server.WithExtractor(g))...)
		ctx, stop := context.WithCancel(t.Context())
		for _, store := range all {
			go next.doIn(ctx, "GET", store+"/files/file_1/content", "")
		}
		synctest.Wait()
		stop()
		synctest.Wait()
		names, _ := g.seen()
		require.Len(t, names, min(4, runtime.GOMAXPROCS(0)))
		close(g.open)
		next.ok("GET", all[0]+"/files/file_1/content", "")
		require.Empty(t, next.server.Leftovers())
	})
}

// A text is made once for all of its pages, as long as it is kept, and goes with its file.
func TestPagesComeFromOneReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("x"+strings.Repeat(" ", 31), 33<<20/32)
		read := map[string]int{}
		a := newAPI(t, server.WithExtractor(extractorFunc(func(_ context.Context, name, _ string) (string, error) {
			read[name]++
			return long, nil
		})), server.WithRetriever(new(noRetriever)))
		page := func(store, file string, n int) answer {
			return a.do("GET", fmt.Sprint(store, "/files/", file, "/content?page=", n<<20), "")
		}
		one, two := a.upload("one", "x"), a.upload("two", "x")
		store := a.newStore(one)
		synctest.Wait()
		for n := range 33 {
			require.Equal(t, 200, page(store, one, n).status)
		}
		require.Equal(t, 2, read["one"], "once for the index")

		a.ok("POST", store+"/files", `{"file_id":"`+two+`"}`)
		synctest.Wait()
		require.Equal(t, 200, page(store, two, 1).status)
		require.Equal(t, 200, page(store, two, 2).status)
		require.Equal(t, 2, read["two"])
		require.Equal(t, 200, page(store, one, 1).status)
		require.Equal(t, 3, read["one"], "there was no room for both")

		other := a.newStore(one)
		synctest.Wait()
		require.Equal(t, 200, page(other, one, 1).status)
		a.ok("DELETE", other, "")
		require.Zero(t, a.server.KeptTexts())
		require.Equal(t, 404, page(other, one, 1).status)
		require.Equal(t, 200, page(store, two, 1).status)
		a.ok("DELETE", store+"/files/"+two, "")
		require.Equal(t, 404, page(store, two, 1).status)
		require.Zero(t, a.server.KeptTexts())
	})
}

// noRetriever finds nothing.
type noRetriever struct{ server.Retriever }

func (noRetriever) Index(context.Context, string, server.IndexedFile) error { return nil }

func (noRetriever) Describe(context.Context, string, string, assistants.Attributes) error { return nil }

func (noRetriever) Remove(context.Context, string, string) error { return nil }

func (noRetriever) Drop(context.Context, string) error { return nil }

// ones is a content without an end.
type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '1'
	}
	return len(p), nil
}

// skimming is an extractor that reads all and remembers nothing of it.
type skimming struct{ read int64 }

func (s *skimming) Extract(_ context.Context, _ string, content io.Reader) (string, error) {
	n, err := io.Copy(io.Discard, content)
	s.read += n
	return "x", err
}

// What is longer than a file may be is not read to its end, whether its record says so or not.
func TestFileOfTooManyBytes(t *testing.T) {
	t.Parallel()
	const tooLarge = "invalid_file: The file has more than 134217728 bytes."
	for name, said := range map[string]string{"unsaid": "7", "said": "134217729"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				memory, blobs, extractor := server.NewMemoryStore(), newCountedBlobs(), new(skimming)
				a := newAPI(t, server.WithStore(memory), server.WithBlobs(blobs), server.WithExtractor(extractor))
				a.upload("a.txt", "content")
				_, err := memory.Update(t.Context(), server.Collection{Kind: "file"}, "file_1", func(r server.Record) (server.Record, error) {
					r.Data = []byte(strings.Replace(string(r.Data), `"bytes":7,`, `"bytes":`+said+`,`, 1))
					return r, nil
				})
				require.NoError(t, err)
				blobs.reading = func(io.Reader) io.Reader { return ones{} }
				store := a.newStore("file_1")
				synctest.Wait()
				require.Equal(t, tooLarge, a.seeFile(store, "file_1").LastError.String())
				require.LessOrEqual(t, extractor.read, int64(128<<20))
				require.Equal(t, name == "unsaid", extractor.read > 0)
				blobs.has(t, "file_1")
			})
		})
	}
}

// What is cancelled while it waits leaves nothing behind, however long the files before it take.
func TestCancelledFilesLeaveTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		g.stubborn = true
		a := newAPI(t, server.WithExtractor(g))
		a.uploads(30)
		a.newStore("file_1", "file_2", "file_3", "file_4")
		synctest.Wait()
		waiting := a.server.QueuedFiles()
		store := a.newStore()
		for range 5 {
			batch := a.made(store+"/file_batches", `{"file_ids":[`+numbered("file_", 5, 20)+`]}`)
			require.Equal(t, waiting+20, a.server.QueuedFiles())
			a.ok("POST", store+"/file_batches/"+batch+"/cancel", "")
			require.Equal(t, waiting, a.server.QueuedFiles())
		}
		close(g.open)
		synctest.Wait()
		require.Equal(t, [5]int{0, 0, 0, 20, 20}, a.seeStore(store).counts())
		require.Empty(t, a.server.Leftovers())
	})
}

// A run waits also for a file that is to be read anew, when the reader of what it was before has let go of it.
func TestRunWaitsForAFileThatIsReadAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		g.stubborn = true
		c := newConvo(t, nil, server.WithExtractor(g))
		c.uploads(1)
		c.ok("POST", "/v1/threads/"+c.thread+"/messages", attaching(`[{"file_id":"file_1","tools":`+toSearch+`}]`))
		synctest.Wait()
		c.ok("DELETE", stores+"/vs_1/files/file_1", "")
		c.ok("POST", stores+"/vs_1/files", `{"file_id":"file_1"}`)
		run := c.begin(c.thread)
		synctest.Wait()
		require.Equal(t, "in_progress", c.run(c.thread, run).Status)
		close(g.open)
		synctest.Wait()
		require.Equal(t, "completed", c.run(c.thread, run).Status)
		require.Equal(t, "completed", c.seeFile(stores+"/vs_1", "file_1").Status)
		require.Empty(t, c.server.Leftovers())
	})
}

const byNewAttribute = `{"query":"content","filters":{"type":"eq","key":"n","value":2}}`

// Attributes that are given while an index is made anew count for the search that has it made.
func TestAttributesGivenWhileTheIndexIsMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		options, all := kept(t, 1, 1)
		entered, release := make(chan struct{}), make(chan struct{})
		next := newAPI(t, append(options, server.WithRetriever(&steppedRetriever{
			Retriever: server.NewLexicalRetriever(), index: func(server.IndexedFile) error {
				close(entered)
				<-release
				return nil
			},
		}))...)
		go func() {
			<-entered
			next.ok("POST", all[0]+"/files/file_1", `{"attributes":{"n":2}}`)
			close(release)
		}()
		require.Len(t, next.find(all[0], byNewAttribute), 1)
	})
}

// describingRetriever lets a test step in before attributes are told.
type describingRetriever struct {
	server.Retriever
	before func(assistants.Attributes)
}

func (r *describingRetriever) Describe(ctx context.Context, store, file string, a assistants.Attributes) error {
	if r.before != nil {
		r.before(a)
	}
	return r.Retriever.Describe(ctx, store, file, a)
}

// The retriever is told last what was said last, whoever says it.
func TestAttributesGivenAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &describingRetriever{Retriever: server.NewLexicalRetriever()}
		a := newAPI(t, server.WithRetriever(r))
		a.uploads(1)
		store := a.newStore("file_1")
		synctest.Wait()
		entered := make(chan struct{})
		r.before = func(given assistants.Attributes) {
			if fmt.Sprint(given["n"]) == "1" {
				close(entered)
				<-a.later(t.Context(), store, `{"name":"x"}`) // that others go on meanwhile
			}
		}
		done := make(chan bool)
		go func() {
			<-entered
			a.ok("POST", store+"/files/file_1", `{"attributes":{"n":2}}`)
			close(done)
		}()
		a.ok("POST", store+"/files", `{"file_id":"file_1","attributes":{"n":1}}`)
		<-done
		require.JSONEq(t, `{"n":2}`, string(a.seeFile(store, "file_1").Attributes))
		require.Len(t, a.find(store, byNewAttribute), 1)
	})
}

// What went wrong with a retriever once is tried again with the next search; what is wrong with a file is not.
func TestIndexIsCompletedLater(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err   error
		again bool
	}{
		"a retriever that could not be reached": {errDisk, true},
		"a file that is not supported any more": {fmt.Errorf("a.txt: %w", server.ErrUnsupportedFile), false},
		"a file with an error of its own":       {&server.FileError{Code: "invalid_file", Message: "x"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				options, all := kept(t, 2, 1)
				tries := 0
				next := newAPI(t, append(options, server.WithRetriever(&steppedRetriever{
					Retriever: server.NewLexicalRetriever(), index: func(file server.IndexedFile) error {
						if tries++; tries == 1 {
							return test.err
						}
						return nil
					},
				}))...)
				require.Len(t, next.find(all[0], `{"query":"content"}`), 1)
				for range 2 {
					found := len(next.find(all[0], `{"query":"content"}`))
					require.Equal(t, test.again, found == 2)
				}
				require.Equal(t, test.again, tries == 3)
			})
		})
	}
}

// Neither counting nor cutting goes on for nobody, and counting ends where it is enough.
func TestTokensAreCountedAsFarAsNeeded(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("a ", 1_000_000)
	require.InDelta(t, 100, server.CountTokensWithin(t.Context(), text, 100), 2)
	require.Equal(t, server.CountTokens(text), server.CountTokensWithin(t.Context(), text, len(text)))
	ended, end := context.WithCancel(t.Context())
	end()
	assert.Zero(t, server.CountTokensWithin(ended, text, len(text)))
	assert.Empty(t, server.ChunkWithin(ended, text, 800, 400))
}
