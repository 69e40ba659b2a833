package server_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// extractorFunc is an extractor that is a function.
type extractorFunc func(ctx context.Context, name, content string) (string, error)

func (f extractorFunc) Extract(ctx context.Context, name string, content io.Reader) (string, error) {
	all, err := io.ReadAll(content)
	if err != nil {
		return "", err
	}
	return f(ctx, name, string(all))
}

// blocking is an extractor that reads nothing before it is told to stop.
func blocking() server.Extractor {
	return extractorFunc(func(ctx context.Context, _, _ string) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
}

// gate is an extractor that has files wait until it is opened; those that are told to stop as well, if it is stubborn.
type gate struct {
	open     chan struct{}
	stubborn bool

	mu     sync.Mutex
	inside int
	most   int
	names  []string
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) Extract(ctx context.Context, name string, content io.Reader) (string, error) {
	g.count(1, name)
	defer g.count(-1, "")
	stop := ctx.Done()
	if g.stubborn {
		stop = nil
	}
	select {
	case <-g.open:
	case <-stop:
		return "", ctx.Err()
	}
	all, err := io.ReadAll(content)
	return string(all), err
}

func (g *gate) count(n int, name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside += n; g.inside > g.most {
		g.most = g.inside
	}
	if name != "" {
		g.names = append(g.names, name)
	}
}

func (g *gate) seen() (names []string, most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.names...), g.most
}

// steppedRetriever lets a test step into the calls of a retriever.
type steppedRetriever struct {
	server.Retriever
	index  func(file server.IndexedFile) error // before a file is indexed, whatever the context says by then
	search func() error
	found  func() // behind a search
}

func (r *steppedRetriever) Index(ctx context.Context, store string, file server.IndexedFile) error {
	if r.index != nil {
		if err := r.index(file); err != nil {
			return err
		}
	}
	return r.Retriever.Index(context.WithoutCancel(ctx), store, file)
}

func (r *steppedRetriever) Search(ctx context.Context, store string, q server.IndexQuery) ([]server.Passage, error) {
	if r.search != nil {
		if err := r.search(); err != nil {
			return nil, err
		}
	}
	passages, err := r.Retriever.Search(ctx, store, q)
	if r.found != nil {
		r.found()
	}
	return passages, err
}

// has asks a retriever for a file.
func has(t *testing.T, r server.Retriever, store, file string) bool {
	t.Helper()
	there, err := r.Has(t.Context(), strings.TrimPrefix(store, stores+"/"), file)
	require.NoError(t, err)
	return there
}

func TestFilesAreRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		text := strings.Repeat("One of many words. ", 3)
		file := a.upload("a.txt", text)
		store := a.newStore(file)
		synctest.Wait()
		// What a short text takes is known: its bytes and 1,024 more.
		assert.Equal(t, len(text)+1024, a.seeFile(store, file).UsageBytes)
		seen := a.seeStore(store)
		assert.Equal(t, [5]int{0, 1, 0, 0, 1}, seen.counts())
		assert.Equal(t, "completed", seen.Status)
		assert.Equal(t, len(text)+1024, seen.UsageBytes)
	})
}

// What goes wrong with a file is told by its last_error; the log has what is the server's own affair, and only that.
func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	failing := func(err error) server.Option {
		return server.WithExtractor(extractorFunc(func(context.Context, string, string) (string, error) { return "x", err }))
	}
	doing := func(do func()) server.Option {
		return server.WithExtractor(extractorFunc(func(context.Context, string, string) (string, error) {
			do()
			return "x", nil
		}))
	}
	indexing := func(do func() error) server.Option {
		return server.WithRetriever(&steppedRetriever{
			Retriever: server.NewLexicalRetriever(), index: func(server.IndexedFile) error { return do() },
		})
	}
	for name, test := range map[string]struct {
		opt    server.Option
		want   string
		logged string
	}{
		"unsupported": {failing(errors.Join(server.ErrUnsupportedFile)), "unsupported_file: The file type is not supported.", ""},
		"empty": {server.WithExtractor(extractorFunc(func(context.Context, string, string) (string, error) { return " \n", nil })),
			"invalid_file: The file could not be parsed because it is empty.", ""},
		"in words":      {failing(&server.FileError{Code: "invalid_file", Message: "A word."}), "invalid_file: A word.", ""},
		"unknown code":  {failing(&server.FileError{Code: "x", Message: "A word."}), "server_error: A word.", "A word."},
		"private":       {failing(errDisk), "server_error: An internal error occurred.", errDisk.Error()},
		"panic":         {doing(func() { panic("private") }), "server_error: An internal error occurred.", "panic: private"},
		"goroutine":     {doing(runtime.Goexit), "server_error: An internal error occurred.", "ended its goroutine"},
		"index":         {indexing(func() error { return errDisk }), "server_error: An internal error occurred.", errDisk.Error()},
		"index panics":  {indexing(func() error { panic("private") }), "server_error: An internal error occurred.", "panic: private"},
		"index, exited": {indexing(func() error { runtime.Goexit(); return nil }), "server_error: An internal error occurred.", "ended its goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConvo(t, nil, test.opt)
				c.uploads(9)
				store := c.newStore("file_1", "file_2", "file_3", "file_4", "file_5", "file_6", "file_7", "file_8", "file_9")
				synctest.Wait()
				for _, id := range c.ids(store + "/files?filter=failed") {
					file := c.seeFile(store, id)
					require.Equal(t, test.want, file.LastError.String())
					require.Equal(t, 0, file.UsageBytes)
				}
				seen := c.seeStore(store)
				require.Equal(t, [5]int{0, 0, 9, 0, 9}, seen.counts())
				require.Equal(t, "completed", seen.Status)
				require.Contains(t, c.log.String(), test.logged)
				if test.logged == "" {
					require.NotContains(t, c.log.String(), "level=ERROR")
				}
			})
		})
	}
}

func TestFileOfTooManyTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, server.WithExtractor(extractorFunc(func(context.Context, string, string) (string, error) {
			return strings.Repeat("a ", 5_000_001), nil
		})))
		a.uploads(1)
		store := a.newStore("file_1")
		synctest.Wait()
		require.Equal(t, "invalid_file: The file has more than 5000000 tokens.", a.seeFile(store, "file_1").LastError.String())
	})
}

// There are at most four workers, and stores take turns.
func TestWorkersAreFew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := newAPI(t, server.WithExtractor(g))
		var large []string
		for range 40 {
			large = append(large, a.upload("large", "x"))
		}
		first := a.newStore(large...)
		second := a.newStore(a.upload("small", "x"))
		synctest.Wait()
		limit := min(4, runtime.GOMAXPROCS(0))
		names, most := g.seen()
		require.Len(t, names, limit)
		require.Equal(t, limit, most)
		close(g.open)
		synctest.Wait()
		names, most = g.seen()
		require.Equal(t, limit, most)
		require.Contains(t, names[:limit+2], "small")
		require.Equal(t, 40, a.seeStore(first).FileCounts.Completed)
		require.Equal(t, 1, a.seeStore(second).FileCounts.Completed)
		require.Empty(t, a.server.Leftovers(), "workers are there as long as there is work")
	})
}

// A file that leaves while it is read, or waits for that, never becomes completed, and is not in the index afterwards; also
// if the extractor does not care.
func TestFilesThatLeaveWhileTheyAreRead(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(a *api, store, file string){
		"detached":      func(a *api, store, file string) { a.ok("DELETE", store+"/files/"+file, "") },
		"deleted":       func(a *api, _, file string) { a.ok("DELETE", "/v1/files/"+file, "") },
		"store deleted": func(a *api, store, _ string) { a.ok("DELETE", store, "") },
		"cancelled":     func(a *api, store, _ string) { a.ok("POST", store+"/file_batches/vsfb_1/cancel", "") },
	} {
		for _, stubborn := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					g, r := newGate(), server.NewLexicalRetriever()
					g.stubborn = stubborn
					a := newAPI(t, server.WithExtractor(g), server.WithRetriever(r))
					a.uploads(8)
					store := a.newStore()
					a.ok("POST", store+"/file_batches", `{"file_ids":["file_1","file_2","file_3","file_4","file_5","file_6","file_7","file_8"]}`)
					synctest.Wait()
					for _, file := range []string{"file_1", "file_8"} {
						if name == "store deleted" || name == "cancelled" {
							file = "file_1"
						}
						leave(a, store, file)
						if name == "store deleted" || name == "cancelled" {
							break
						}
					}
					close(g.open)
					synctest.Wait()
					require.False(t, has(t, r, store, "file_1"))
					require.False(t, has(t, r, store, "file_8"))
					switch name {
					case "store deleted":
					case "cancelled":
						require.Equal(t, [5]int{0, 0, 0, 8, 8}, a.seeStore(store).counts())
						batch := a.seeStore(store + "/file_batches/vsfb_1")
						require.Equal(t, "cancelled", batch.Status)
						require.Equal(t, [5]int{0, 0, 0, 8, 8}, batch.counts())
					default:
						require.Equal(t, [5]int{0, 6, 0, 0, 6}, a.seeStore(store).counts())
						batch := a.seeStore(store + "/file_batches/vsfb_1")
						require.Equal(t, "completed", batch.Status)
						require.Equal(t, [5]int{0, 6, 0, 2, 8}, batch.counts())
					}
					require.Empty(t, a.server.Leftovers())
				})
			})
		}
	}
}

// A file that is cancelled while it is indexed is taken out of the index again.
func TestFileIsCancelledWhileItIsIndexed(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(a *api, store string){
		"detached":  func(a *api, store string) { a.ok("DELETE", store+"/files/file_1", "") },
		"deleted":   func(a *api, store string) { a.ok("DELETE", store, "") },
		"cancelled": func(a *api, store string) { a.ok("POST", store+"/file_batches/vsfb_1/cancel", "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				r := &steppedRetriever{Retriever: server.NewLexicalRetriever(), index: func(server.IndexedFile) error {
					<-release
					return nil
				}}
				a := newAPI(t, server.WithRetriever(r))
				a.uploads(1)
				store := a.newStore()
				a.ok("POST", store+"/file_batches", `{"file_ids":["file_1"]}`)
				synctest.Wait()
				cancel(a, store)
				close(release)
				synctest.Wait()
				require.False(t, has(t, r, store, "file_1"))
			})
		})
	}
}

// A file that was cancelled and is added again while its first reader has not let go of it is read anew, once.
func TestFileIsAddedAgainWhileItIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, r := newGate(), server.NewLexicalRetriever()
		g.stubborn = true
		a := newAPI(t, server.WithExtractor(g), server.WithRetriever(r))
		a.uploads(1)
		store := a.newStore("file_1")
		synctest.Wait()
		a.ok("DELETE", store+"/files/file_1", "")
		for range 3 {
			a.ok("POST", store+"/files", `{"file_id":"file_1","attributes":{"k":1}}`)
		}
		synctest.Wait()
		require.Equal(t, [5]int{1, 0, 0, 0, 1}, a.seeStore(store).counts())
		close(g.open)
		synctest.Wait()
		require.Equal(t, [5]int{0, 1, 0, 0, 1}, a.seeStore(store).counts())
		require.True(t, has(t, r, store, "file_1"))
		names, _ := g.seen()
		require.Len(t, names, 2)
	})
}

// Attributes that are given while a file is read count for searches afterwards.
func TestAttributesGivenWhileAFileIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		entered, release := make(chan struct{}), make(chan struct{})
		a := newAPI(t, server.WithRetriever(&steppedRetriever{Retriever: server.NewLexicalRetriever(), index: func(server.IndexedFile) error {
			close(entered)
			<-release
			return nil
		}}))
		a.uploads(1)
		store := a.newStore("file_1")
		<-entered
		a.ok("POST", store+"/files/file_1", `{"attributes":{"k":"v"}}`)
		close(release)
		synctest.Wait()
		require.Equal(t, "completed", a.seeFile(store, "file_1").Status)
		require.Len(t, a.find(store, `{"query":"content","filters":{"type":"eq","key":"k","value":"v"}}`), 1)
	})
}

// A server that is closed lets go of files, at once or after its patience, and another one goes on with them.
func TestCloseWhileFilesAreRead(t *testing.T) {
	t.Parallel()
	for name, stubborn := range map[string]bool{"obedient": false, "stubborn": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				g.stubborn = stubborn
				memory, blobs := server.NewMemoryStore(), server.NewMemoryBlobs()
				a := newAPI(t, server.WithExtractor(g), server.WithStore(memory), server.WithBlobs(blobs))
				a.uploads(9)
				store := a.newStore("file_1", "file_2", "file_3")
				a.ok("POST", store+"/file_batches", `{"file_ids":["file_4","file_5","file_6","file_7","file_8","file_9"]}`)
				synctest.Wait()
				begun, err := time.Now(), a.server.Close()
				if stubborn {
					require.EqualError(t, err, "server: the reading of files has not ended 5s after it was told to")
					require.Equal(t, 5*time.Second, time.Since(begun))
				} else {
					require.NoError(t, err)
					require.Zero(t, time.Since(begun))
				}
				close(g.open)
				synctest.Wait()
				require.Empty(t, a.server.Leftovers())

				next := newAPI(t, server.WithStore(memory), server.WithBlobs(blobs))
				require.Equal(t, [5]int{9, 0, 0, 0, 9}, next.seeStore(store).counts())
				synctest.Wait()
				require.Equal(t, [5]int{0, 9, 0, 0, 9}, next.seeStore(store).counts())
				batch := next.seeStore(store + "/file_batches/vsfb_1")
				require.Equal(t, [5]int{0, 6, 0, 0, 6}, batch.counts())
				require.Equal(t, "completed", batch.Status)
			})
		})
	}
}

// leftBehind is what is there after a server has read files into a vector store, and was closed.
func leftBehind(t *testing.T, files int) (*server.MemoryStore, *server.MemoryBlobs, storeSeen) {
	t.Helper()
	memory, blobs := server.NewMemoryStore(), server.NewMemoryBlobs()
	a := newAPI(t, server.WithStore(memory), server.WithBlobs(blobs))
	a.uploads(files)
	store := stores + "/" + a.made(stores, `{"file_ids":[`+numbered("file_", 1, files)+`]}`)
	synctest.Wait()
	seen := a.seeStore(store)
	require.NoError(t, a.server.Close())
	return memory, blobs, seen
}

// After a restart the counts are right again, however the last process ended, and files are indexed once, before the first
// search: all who search wait for that.
func TestIndexAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory, blobs, want := leftBehind(t, 5)
		store := stores + "/" + want.ID
		_, err := memory.Update(t.Context(), server.Collection{Kind: "vector_store"}, "vs_1", func(r server.Record) (server.Record, error) {
			r.Data = []byte(strings.Replace(string(r.Data), `"completed":5`, `"completed":2`, 1))
			return r, nil
		})
		require.NoError(t, err)

		g := newGate()
		next := newAPI(t, server.WithStore(memory), server.WithBlobs(blobs), server.WithExtractor(g))
		require.Equal(t, want, next.seeStore(store))
		found := make(chan int, 3)
		for range cap(found) {
			go func() { found <- len(next.find(store, `{"query":"content"}`)) }()
		}
		synctest.Wait()
		names, _ := g.seen()
		require.Len(t, names, 1, "one of them reads")
		close(g.open)
		for range cap(found) {
			require.Equal(t, 5, <-found)
		}
		names, _ = g.seen()
		require.Len(t, names, 5)
	})
}

// A search that is given up does not keep the next one from going on with the index.
func TestIndexIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory, blobs, seen := leftBehind(t, 2)
		store := stores + "/" + seen.ID

		g := newGate()
		next := newConvo(t, nil, server.WithStore(memory), server.WithBlobs(blobs), server.WithExtractor(g))
		ctx, stop := context.WithCancel(t.Context())
		go next.doIn(ctx, "POST", store+"/search", `{"query":"content"}`)
		synctest.Wait()
		stop()
		synctest.Wait()
		close(g.open)
		require.Len(t, next.find(store, `{"query":"content"}`), 2)
		require.Empty(t, next.server.Leftovers())
	})
}

// A file whose contents are lost costs a search nothing but itself.
func TestIndexOfALostFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory, blobs, seen := leftBehind(t, 2)
		store := stores + "/" + seen.ID
		require.NoError(t, blobs.Delete(t.Context(), "file_1"))

		next := newConvo(t, nil, server.WithStore(memory), server.WithBlobs(blobs))
		found := next.find(store, `{"query":"content"}`)
		require.Len(t, found, 1)
		require.Equal(t, "file_2", found[0].FileID)
		require.Contains(t, next.log.String(), "file_id=file_1")
	})
}

// Ten thousand files in one store are no matter, and one more is refused.
func TestStoreOfManyFiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = 10_000
		a := newAPI(t, server.WithExtractor(extractorFunc(func(context.Context, string, string) (string, error) { return "x", nil })))
		a.uploads(most + 1)
		store := a.newStore()
		for first := 1; first <= most; first += 2000 {
			a.ok("POST", store+"/file_batches", `{"file_ids":[`+numbered("file_", first, 2000)+`]}`)
		}
		full := envelope("Vector store 'vs_1' cannot have more than 10000 files.", requestError, "", "")
		a.refuses("POST", store+"/files", `{"file_id":"file_10001"}`, 400, full)
		a.refuses("POST", store+"/file_batches", `{"file_ids":["file_1","file_10001"]}`, 400, full)
		a.ok("POST", store+"/files", `{"file_id":"file_10000"}`)
		synctest.Wait()
		require.Equal(t, [5]int{0, most, 0, 0, most}, a.seeStore(store).counts())
		require.Equal(t, most*1025, a.seeStore(store).UsageBytes)
		require.Len(t, a.find(store, `{"query":"x","max_num_results":50}`), 50)
		a.ok("DELETE", store+"/files/file_5000", "")
		a.ok("POST", store+"/files", `{"file_id":"file_10001"}`)
		a.ok("DELETE", store, "")
	})
}

// Everybody does something at once; in the end all counts are what they should be.
func TestRacesAboutAStore(t *testing.T) {
	t.Parallel()
	memory := server.NewMemoryStore()
	a := newAPI(t, server.WithStore(memory))
	a.uploads(20)
	store := a.newStore()
	var users sync.WaitGroup
	for user := range 8 {
		users.Go(func() {
			for i := range 30 {
				file := "file_" + string(rune('1'+(user+i)%9))
				switch (user + i) % 7 {
				case 0, 1:
					a.do("POST", store+"/files", `{"file_id":"`+file+`"}`)
				case 2:
					batch := a.do("POST", store+"/file_batches", `{"file_ids":["file_1","file_2","`+file+`"]}`)
					a.do("POST", store+"/file_batches/"+field[string](t, batch.body, "id")+"/cancel", "")
				case 3:
					a.do("DELETE", store+"/files/"+file, "")
				case 4:
					a.do("POST", store+"/search", `{"query":"content"}`)
				case 5:
					a.do("POST", store+"/files/"+file, `{"attributes":{"i":1}}`)
				case 6:
					a.do("POST", store, `{"name":"x"}`)
				}
			}
		})
	}
	users.Wait()
	require.NoError(t, a.server.Close())
	require.Empty(t, a.server.Leftovers())
	counts := map[string]int{}
	files, err := memory.List(t.Context(), server.Collection{Kind: "vector_store.file", Parent: "vs_1"}, server.Query{Limit: 100})
	require.NoError(t, err)
	for _, r := range files.Records {
		counts[decoded[storeFileSeen](t, string(r.Data)).Status]++
	}
	r, err := memory.Get(t.Context(), server.Collection{Kind: "vector_store"}, "vs_1")
	require.NoError(t, err)
	require.Equal(t, [5]int{counts["in_progress"], counts["completed"], counts["failed"], counts["cancelled"], len(files.Records)},
		decoded[storeSeen](t, string(r.Data)).counts())
}

// numbered is n strings in an array, with numbers from the first on.
func numbered(prefix string, first, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = quoted(prefix + strconv.Itoa(first+i))
	}
	return strings.Join(all, ",")
}
