package server_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

func TestFileBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		a := newAPI(t, server.WithExtractor(g))
		a.uploads(4)
		store := a.newStore("file_4")
		made := a.ok("POST", store+"/file_batches", `{"file_ids":["file_1","file_2","file_1","file_3"],"attributes":{"k":1},
			"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":200,"chunk_overlap_tokens":100}}}`)
		require.Equal(t, `{"id":"vsfb_1","object":"vector_store.file_batch","created_at":1700000000,"status":"in_progress",`+
			`"vector_store_id":"vs_1","file_counts":{"in_progress":3,"completed":0,"failed":0,"cancelled":0,"total":3}}`, made)
		const batch = stores + "/vs_1/file_batches/vsfb_1"
		require.Equal(t, made, a.ok("GET", batch, ""))
		require.Equal(t, [5]int{4, 0, 0, 0, 4}, a.seeStore(store).counts())
		for _, id := range a.ids(batch + "/files") {
			file := a.seeFile(store, id)
			assert.Equal(t, `{"k":1}`, string(file.Attributes))
			assert.Equal(t, `{"type":"static","static":{"max_chunk_size_tokens":200,"chunk_overlap_tokens":100}}`, string(file.Chunking))
		}
		close(g.open)
		synctest.Wait()
		seen := a.seeStore(batch)
		require.Equal(t, [5]int{0, 3, 0, 0, 3}, seen.counts())
		require.Equal(t, "completed", seen.Status)
		require.Equal(t, [5]int{0, 4, 0, 0, 4}, a.seeStore(store).counts())
		require.Equal(t, a.ok("GET", batch, ""), a.ok("POST", batch+"/cancel", ""), "there is nothing to be cancelled")

		require.Equal(t, []string{"file_3", "file_2", "file_1"}, a.ids(batch+"/files"))
		require.Equal(t, []string{"file_2"}, a.ids(batch+"/files?limit=1&after=file_3&filter=completed"))
		require.Equal(t, []string{"file_1", "file_2"}, a.ids(batch+"/files?limit=2&order=asc"))
		require.Empty(t, a.ids(batch+"/files?filter=failed"))
		require.Contains(t, a.ok("GET", batch+"/files?limit=1", ""), a.ok("GET", store+"/files/file_3", ""))
		a.ok("DELETE", store+"/files/file_3", "")
		require.Equal(t, []string{"file_2", "file_1"}, a.ids(batch+"/files"))
		require.Equal(t, [5]int{0, 3, 0, 0, 3}, a.seeStore(batch).counts(), "that is what it did")
	})
}

// What is said of each file counts for it, and what is said of the batch counts for file_ids alone.
func TestFileBatchOfDifferentFiles(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithExtractor(blocking()))
	a.uploads(2)
	store := a.newStore()
	a.ok("POST", store+"/file_batches", `{"files":[{"file_id":"file_1","attributes":{"a":1},
		"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":200,"chunk_overlap_tokens":100}}},{"file_id":"file_2"},
		{"file_id":"file_1","attributes":{"a":2}}],"attributes":{"k":1},
		"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":300,"chunk_overlap_tokens":100}}}`)
	assert.Equal(t, `{"a":1}`, string(a.seeFile(store, "file_1").Attributes))
	assert.Equal(t, `{"type":"static","static":{"max_chunk_size_tokens":200,"chunk_overlap_tokens":100}}`, string(a.seeFile(store, "file_1").Chunking))
	assert.Equal(t, `{}`, string(a.seeFile(store, "file_2").Attributes))
	assert.Equal(t, autoChunks, string(a.seeFile(store, "file_2").Chunking))
}

func TestRefusedFileBatches(t *testing.T) {
	t.Parallel()
	memory := server.NewMemoryStore()
	a := newAPI(t, server.WithStore(memory))
	a.uploads(2)
	store := a.newStore("file_2")
	before := memory.Collections()
	target := store + "/file_batches"
	for _, test := range []invalidBody{
		missingKey("file_ids", `{}`),
		missingKey("file_ids", `{"file_ids":null,"files":null}`),
		{`{"file_ids":["file_1"],"files":[{"file_id":"file_1"}]}`, "Mutually exclusive parameters: 'file_ids'. " +
			"Ensure you are only providing one of: 'file_ids' or 'files'.", "file_ids", "mutually_exclusive_parameters"},
		{`{"file_ids":[]}`, "Invalid 'file_ids': empty array. Expected an array with minimum length 1, but got an empty array instead.", "file_ids", "empty_array"},
		tooMany("file_ids", 2000, 2001, `{"file_ids":[`+items(2001, `"f"`)+`]}`),
		tooMany("files", 2000, 2001, `{"files":[`+items(2001, `{"file_id":"f"}`)+`]}`),
		missingKey("files[1].file_id", `{"files":[{"file_id":"file_1"},{}]}`),
		wrongType("files[0].attributes.k", "one of a string, a number, or a boolean", "an array").in(`{"files":[{"file_id":"f","attributes":{"k":[]}}]}`),
		unknownKey("files[0].files", `{"files":[{"file_id":"f","files":[]}]}`),
	} {
		test.check(t, a, target)
	}
	a.refuses("POST", target, `{"file_ids":["file_1","file_2","file_9"]}`, 404, noSuch("file", "file_9"))
	a.refuses("POST", stores+"/vs_9/file_batches", `{"file_ids":["file_1"]}`, 404, noSuch("vector store", "vs_9"))
	a.refuses("GET", target+"/vsfb_9", "", 404, noSuch("file batch", "vsfb_9"))
	a.refuses("GET", target+"/vsfb_9/files", "", 404, noSuch("file batch", "vsfb_9"))
	a.refuses("POST", target+"/vsfb_9/cancel", "", 404, noSuch("file batch", "vsfb_9"))
	assert.Equal(t, []string{"file_2"}, a.ids(store+"/files"))
	assert.Equal(t, 1, a.seeStore(store).FileCounts.Total)
	assert.LessOrEqual(t, memory.Collections(), before+1, "of file_1's uses")
}

// Cancelling takes back what has not been done yet, and the rest stays.
func TestCancelFileBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a := newAPI(t, server.WithExtractor(extractorFunc(func(ctx context.Context, name, content string) (string, error) {
			if !strings.HasPrefix(name, "slow") {
				return content, nil
			}
			select {
			case <-release:
				return content, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		})))
		fast, slow := a.upload("fast", "content"), a.upload("slow", "content")
		store := a.newStore()
		a.ok("POST", store+"/file_batches", `{"file_ids":`+list(fast, slow)+`}`)
		a.ok("POST", store+"/file_batches", `{"file_ids":`+list(slow, fast)+`}`)
		synctest.Wait()
		first, second := store+"/file_batches/vsfb_1", store+"/file_batches/vsfb_2"
		require.Equal(t, [5]int{1, 1, 0, 0, 2}, a.seeStore(first).counts())
		require.Equal(t, [5]int{1, 1, 0, 0, 2}, a.seeStore(second).counts())

		got := decoded[storeSeen](t, a.ok("POST", first+"/cancel", ""))
		require.Equal(t, "cancelled", got.Status)
		require.Equal(t, [5]int{0, 1, 0, 1, 2}, got.counts())
		require.Equal(t, [5]int{1, 1, 0, 0, 2}, a.seeStore(second).counts(), "which wants the file as well")
		require.Equal(t, "in_progress", a.seeFile(store, slow).Status)
		require.Equal(t, "cancelled", decoded[storeSeen](t, a.ok("POST", second+"/cancel", "")).Status)
		require.Equal(t, [5]int{0, 1, 0, 1, 2}, a.seeStore(second).counts())
		require.Equal(t, [5]int{0, 1, 0, 1, 2}, a.seeStore(store).counts())
		require.Equal(t, "completed", a.seeStore(store).Status)
		require.Equal(t, []string{slow}, a.ids(first+"/files?filter=cancelled"))
		require.Equal(t, "cancelled", decoded[storeSeen](t, a.ok("POST", first+"/cancel", "")).Status)

		close(release)
		a.ok("POST", store+"/file_batches", `{"file_ids":`+list(slow)+`}`)
		synctest.Wait()
		require.Equal(t, [5]int{0, 2, 0, 0, 2}, a.seeStore(store).counts())
		require.Equal(t, [5]int{0, 1, 0, 0, 1}, a.seeStore(store+"/file_batches/vsfb_3").counts())
		require.Equal(t, [5]int{0, 1, 0, 1, 2}, a.seeStore(first).counts(), "that is what it did")
	})
}

// A batch that is cancelled gives up its own interest in a file, not that of others.
func TestCancelledBatchLeavesOthersTheirFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first, second string // what wants the file, besides the batch that is cancelled
		want          string
	}{
		"nobody":           {"", "", "cancelled"},
		"a batch before":   {"/file_batches", "", "completed"},
		"a batch behind":   {"", "/file_batches", "completed"},
		"a request before": {"/files", "", "completed"},
		"a request behind": {"", "/files", "completed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				a := newAPI(t, server.WithExtractor(g))
				a.uploads(1)
				store := a.newStore()
				add := func(how string) {
					if how != "" {
						a.ok("POST", store+how, map[string]string{"/files": `{"file_id":"file_1"}`, "/file_batches": `{"file_ids":["file_1"]}`}[how])
					}
				}
				add(test.first)
				batch := store + "/file_batches/" + a.made(store+"/file_batches", `{"file_ids":["file_1"]}`)
				add(test.second)
				synctest.Wait()
				cancelled := a.ok("POST", batch+"/cancel", "")
				seen := decoded[storeSeen](t, cancelled)
				require.Equal(t, "cancelled", seen.Status)
				require.Equal(t, [5]int{0, 0, 0, 1, 1}, seen.counts())
				close(g.open)
				synctest.Wait()
				require.Equal(t, test.want, a.seeFile(store, "file_1").Status)
				require.Equal(t, cancelled, a.ok("GET", batch, ""))
				require.Equal(t, cancelled, a.ok("POST", batch+"/cancel", ""))
				for _, id := range []string{"vsfb_1", "vsfb_2"} {
					if seen := a.do("GET", store+"/file_batches/"+id, ""); seen.status == 200 && seen.body != cancelled {
						require.Equal(t, [5]int{0, 1, 0, 0, 1}, decoded[storeSeen](t, seen.body).counts())
					}
				}
			})
		})
	}
}

// watchedStore lets a test look before something is changed.
type watchedStore struct {
	server.Store
	before func(op string, c server.Collection, id string)
}

func (s *watchedStore) Update(
	ctx context.Context, c server.Collection, id string, change func(server.Record) (server.Record, error),
) (server.Record, error) {
	if s.before != nil {
		s.before("update", c, id)
	}
	return s.Store.Update(ctx, c, id, change)
}

func (s *watchedStore) Delete(ctx context.Context, c server.Collection, id string) error {
	if s.before != nil {
		s.before("delete", c, id)
	}
	return s.Store.Delete(ctx, c, id)
}

// A batch that is being cancelled is never seen completed.
func TestCancelledBatchIsNeverCompleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory := server.NewMemoryStore()
		store := &watchedStore{Store: memory}
		a := newAPI(t, server.WithStore(store), server.WithExtractor(blocking()))
		a.uploads(2)
		vs := a.newStore()
		batch := a.made(vs+"/file_batches", `{"file_ids":["file_1","file_2"]}`)
		var seen []string
		store.before = func(string, server.Collection, string) {
			r, err := memory.Get(t.Context(), server.Collection{Kind: "vector_store.file_batch", Parent: "vs_1"}, batch)
			assert.NoError(t, err)
			seen = append(seen, field[string](t, string(r.Data), "status"))
		}
		a.ok("POST", vs+"/file_batches/"+batch+"/cancel", "")
		require.Contains(t, seen, "cancelled")
		require.NotContains(t, seen, "completed")
	})
}

// What a batch has done stays its own after a restart, whatever has become of the files.
func TestCountsOfABatchAfterARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		memory, blobs := server.NewMemoryStore(), server.NewMemoryBlobs()
		a := newAPI(t, server.WithStore(memory), server.WithBlobs(blobs), server.WithExtractor(extractorFunc(
			func(ctx context.Context, name, content string) (string, error) {
				switch name {
				case "slow":
					<-ctx.Done()
					return "", ctx.Err()
				case "bad":
					return "", server.ErrUnsupportedFile
				}
				return content, nil
			})))
		there, good, bad, gone := a.upload("there", "x"), a.upload("good", "x"), a.upload("bad", "x"), a.upload("slow", "x")
		shared, slow := a.upload("slow", "x"), a.upload("slow", "x")
		store := a.newStore(there)
		synctest.Wait()
		first := store + "/file_batches/" + a.made(store+"/file_batches", `{"file_ids":`+list(there, good, bad, gone, shared, slow)+`}`)
		second := store + "/file_batches/" + a.made(store+"/file_batches", `{"file_ids":`+list(shared)+`}`)
		synctest.Wait()
		a.ok("DELETE", store+"/files/"+gone, "")
		a.ok("DELETE", store+"/files/"+good, "")
		a.ok("DELETE", "/v1/files/"+there, "")
		a.ok("POST", store+"/files", `{"file_id":"`+bad+`"}`)
		a.ok("POST", second+"/cancel", "")
		require.Equal(t, [5]int{2, 2, 1, 1, 6}, a.seeStore(first).counts())
		before := []string{a.ok("GET", first, ""), a.ok("GET", second, "")}
		require.NoError(t, a.server.Close())

		next := newAPI(t, server.WithStore(memory), server.WithBlobs(blobs), server.WithExtractor(newGate()))
		require.Equal(t, before, []string{next.ok("GET", first, ""), next.ok("GET", second, "")})
	})
}

// A request that fails takes nothing back that another one has added meanwhile.
func TestFailedBatchLeavesOthersTheirFiles(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{"as a file": "/files", "as a batch": "/file_batches"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &watchedStore{Store: server.NewMemoryStore()}
				c := newConvo(t, nil, server.WithStore(store), server.WithExtractor(blocking()))
				c.uploads(2)
				vs := c.newStore("file_1")
				c.ok("POST", "/v1/threads/"+c.thread, `{"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]}}}`)
				once, ended := false, make(chan int, 1)
				store.before = func(op string, in server.Collection, id string) {
					if once || in.Kind != "thread" {
						return
					}
					once = true // the message has its files in the store, and fails now because its thread has gone
					body := map[string]string{"/files": `{"file_id":"file_2"}`, "/file_batches": `{"file_ids":["file_2"]}`}[target]
					ended <- c.do("POST", vs+target, body).status
					assert.NoError(t, store.Store.Delete(t.Context(), server.Collection{Kind: "thread"}, c.thread))
				}
				got := c.do("POST", "/v1/threads/"+c.thread+"/messages", attaching(`[{"file_id":"file_2","tools":`+toSearch+`},
					{"file_id":"file_1","tools":[{"type":"code_interpreter"}]}]`))
				require.NotEqual(t, 200, got.status, got.body)
				require.Equal(t, 200, <-ended)
				store.before = nil
				require.Equal(t, "in_progress", c.seeFile(vs, "file_2").Status)
				require.Equal(t, [5]int{2, 0, 0, 0, 2}, c.seeStore(vs).counts())
				c.ok("DELETE", "/v1/files/file_2", "")
				require.Equal(t, []string{"file_1"}, c.ids(vs+"/files"), "the store was known to use it")
			})
		})
	}
}

// No number of batches that wait for one file makes it grow without bounds.
func TestManyBatchesWaitForAFile(t *testing.T) {
	t.Parallel()
	watched := &watchedStore{Store: server.NewMemoryStore()}
	a := newAPI(t, server.WithExtractor(blocking()), server.WithStore(watched))
	a.uploads(2)
	store := a.newStore()
	for range 64 {
		a.ok("POST", store+"/file_batches", `{"file_ids":["file_1"]}`)
	}
	deleted := false
	watched.before = func(op string, _ server.Collection, _ string) { deleted = deleted || op == "delete" }
	a.refuses("POST", store+"/file_batches", `{"file_ids":["file_2","file_1"]}`, 429, envelope("Too many batches wait for file 'file_1'. Try again later.",
		"requests", "", "rate_limit_exceeded"))
	require.False(t, deleted, "nothing was added that had to be taken back")
	a.ok("POST", store+"/files", `{"file_id":"file_1"}`)
}

// A store that fails at any call leaves nothing of a batch, or of a vector store, behind.
func TestFailedBatchesLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	for target, body := range map[string]string{
		"/vs_1/file_batches": `{"file_ids":["file_1","file_2","file_3"],"attributes":{"k":1}}`,
		"/vs_1/files":        `{"file_id":"file_3"}`,
		"":                   `{"file_ids":["file_1","file_2"]}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			held := newLedger()
			memory := server.NewMemoryStore()
			held.Store = memory
			store := &brittleStore{Store: held}
			a := newAPI(t, server.WithStore(store), server.WithExtractor(blocking()))
			a.uploads(3)
			a.newStore("file_1") // in progress
			a.ok("POST", stores+"/vs_1/file_batches", `{"file_ids":["file_2"]}`)
			a.ok("POST", stores+"/vs_1/file_batches/vsfb_1/cancel", "")
			a.newStore("file_3") // so that its uses are there
			synctest.Wait()
			before, records := a.ok("GET", stores+"/vs_1", ""), held.counts()
			for at := 1; ; at++ { // before that, what has expired is looked for
				store.fail(fault{from: at, to: at + 1})
				got := a.do("POST", stores+target, body)
				if store.fail(fault{}); got.status == 200 {
					require.Greater(t, at, 5)
					return
				}
				require.Equal(t, records, held.counts(), "call %d", at)
				synctest.Wait()
				require.Equal(t, before, a.ok("GET", stores+"/vs_1", ""), "call %d", at)
			}
		})
	}
}
