package server_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// storeFile is a file in the first store, as it is answered while it is in progress.
func storeFile(id, chunking, attributes string) string {
	return `{"id":"` + id + `","object":"vector_store.file","usage_bytes":0,"created_at":1700000000,"vector_store_id":"vs_1",` +
		`"status":"in_progress","last_error":null,"chunking_strategy":` + chunking + `,"attributes":` + attributes + `}`
}

func TestAddFileToVectorStore(t *testing.T) {
	t.Parallel()
	a := newAPI(t, server.WithExtractor(blocking()))
	a.uploads(3)
	store := a.newStore()
	const static = `{"type":"static","static":{"max_chunk_size_tokens":100,"chunk_overlap_tokens":0}}`
	for _, test := range []struct{ given, want string }{
		{`{"file_id":"file_1"}`, storeFile("file_1", autoChunks, "{}")},
		{`{"file_id":"file_2","chunking_strategy":{"type":"auto"},"attributes":null}`, storeFile("file_2", autoChunks, "{}")},
		{`{"chunking_strategy":{"static":{"chunk_overlap_tokens":0,"max_chunk_size_tokens":100},"type":"static"},"file_id":"file_3",
			"attributes":{"s":"a","n":1.50,"b":true}}`, storeFile("file_3", static, `{"s":"a","n":1.50,"b":true}`)},
	} {
		assert.Equal(t, test.want, a.ok("POST", store+"/files", test.given))
		assert.Equal(t, test.want, a.ok("GET", store+"/files/"+field[string](t, test.want, "id"), ""))
	}
	assert.Equal(t, [5]int{3, 0, 0, 0, 3}, a.seeStore(store).counts())
	assert.Equal(t, "in_progress", a.seeStore(store).Status)
	assert.Equal(t, []string{"file_3", "file_2", "file_1"}, a.ids(store+"/files"))
	assert.Equal(t, []string{"file_2"}, a.ids(store+"/files?limit=1&after=file_3"))
	assert.Equal(t, []string{"file_1"}, a.ids(store+"/files?limit=1&order=asc&filter=in_progress"))
	assert.Empty(t, a.ids(store+"/files?filter=completed"))
}

func TestRefusedFilesOfVectorStores(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.uploads(1)
	store := a.newStore()
	attributes := func(members string) string { return `{"file_id":"file_1","attributes":{` + members + `}}` }
	var many []string
	for i := range 17 {
		many = append(many, fmt.Sprintf(`"k%d":1`, i))
	}
	for _, test := range []invalidBody{
		missingKey("file_id", `{}`),
		unknownKey("file_ids", `{"file_id":"file_1","file_ids":[]}`),
		empty("file_id", `{"file_id":""}`),
		wrongType("attributes", "an object", "an array").in(`{"file_id":"file_1","attributes":[]}`),
		wrongType("attributes.k", "one of a string, a number, or a boolean", "an object").in(attributes(`"k":{}`)),
		wrongType("attributes.k", "one of a string, a number, or a boolean", "null").in(attributes(`"k":null`)),
		{attributes(`"k":"` + strings.Repeat("é", 513) + `"`), "Invalid 'attributes.k': string too long. Expected a string with maximum length 512, " +
			"but got a string with length 513 instead.", "attributes.k", "string_above_max_length"},
		{attributes(strings.Join(many, ",")), "Invalid 'attributes': too many properties. Expected an object with at most 16 properties, " +
			"but got an object with 17 properties instead.", "attributes", "object_above_max_properties"},
		{attributes(`"` + strings.Repeat("k", 65) + `":1`), "Invalid property name in 'attributes': 'kkk...kkk' is too long. " +
			"Expected a string with maximum length 64, but got a string with length 65 instead.", "attributes", "property_name_above_max_length"},
		{attributes(`"k":-1e400`), "Invalid 'attributes.k': number out of range: -1e400.", "attributes.k", "invalid_value"},
		missingKey("chunking_strategy.type", `{"file_id":"file_1","chunking_strategy":{}}`),
	} {
		test.check(t, a, store+"/files")
	}
	a.ok("POST", store+"/files", attributes(strings.Join(many[1:], ",")))
	missingKey("attributes", `{}`).check(t, a, store+"/files/file_1")
	a.refuses("POST", store+"/files", `{"file_id":"file_9"}`, 404, noSuch("file", "file_9"))
	a.refuses("POST", stores+"/vs_9/files", `{"file_id":"file_1"}`, 404, noSuch("vector store", "vs_9"))
	a.refuses("POST", store+"/files/file_9", `{"attributes":{}}`, 404, noSuch("file", "file_9"))
	a.refuses("GET", store+"/files/file_9", "", 404, noSuch("file", "file_9"))
	a.refuses("GET", store+"/files/file_9/content", "", 404, noSuch("file", "file_9"))
	a.refuses("DELETE", store+"/files/file_9", "", 404, noSuch("file", "file_9"))
	a.refuses("GET", store+"/files?filter=done", "", 400, envelope("Invalid value: 'done'. Supported values are: 'in_progress', 'completed', "+
		"'failed', and 'cancelled'.", requestError, "filter", "invalid_value"))
	a.refuses("GET", store+"/files?after=file_9", "", 404, noSuch("file", "file_9"))
}

func TestModifyAttributes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.uploads(1)
		store := a.newStore("file_1")
		synctest.Wait()
		for _, test := range []struct{ given, want string }{
			{`{"k":"v","n":-1.0}`, `{"k":"v","n":-1.0}`}, {`{"m":false}`, `{"m":false}`}, {`null`, `{}`},
		} {
			got := a.ok("POST", store+"/files/file_1", `{"attributes":`+test.given+`}`)
			assert.Contains(t, got, `"attributes":`+test.want+`}`)
			assert.Equal(t, got, a.ok("GET", store+"/files/file_1", ""))
		}
		a.ok("POST", store+"/files/file_1", `{"attributes":{"year":2024}}`)
		assert.Len(t, a.find(store, `{"query":"content","filters":{"type":"eq","key":"year","value":2024}}`), 1)
		assert.Empty(t, a.find(store, `{"query":"content","filters":{"type":"eq","key":"k","value":"v"}}`))
	})
}

// A file that leaves a store stays a file, and one that is deleted leaves all stores.
func TestFilesLeaveStores(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.uploads(2)
		first, second := a.newStore("file_1", "file_2"), a.newStore("file_1")
		synctest.Wait()
		assert.Equal(t, `{"id":"file_2","object":"vector_store.file.deleted","deleted":true}`, a.ok("DELETE", first+"/files/file_2", ""))
		a.ok("GET", "/v1/files/file_2", "")
		assert.Equal(t, [5]int{0, 1, 0, 0, 1}, a.seeStore(first).counts())
		a.ok("DELETE", "/v1/files/file_1", "")
		for _, store := range []string{first, second} {
			seen := a.seeStore(store)
			assert.Equal(t, [5]int{}, seen.counts())
			assert.Equal(t, 0, seen.UsageBytes)
			assert.Empty(t, a.ids(store+"/files"))
			assert.Empty(t, a.find(store, `{"query":"content"}`))
		}
		a.ok("POST", second+"/files", `{"file_id":"file_2"}`)
	})
}

// Nothing can be added to a vector store that has been deleted, and nothing is remembered of the attempt.
func TestAddingToADeletedStore(t *testing.T) {
	t.Parallel()
	memory := server.NewMemoryStore()
	a := newAPI(t, server.WithStore(memory), server.WithExtractor(blocking()))
	a.uploads(2)
	store := a.newStore("file_1")
	a.ok("DELETE", store, "")
	before := memory.Collections()
	for target, body := range map[string]string{
		"/files": `{"file_id":"file_2"}`, "/file_batches": `{"file_ids":["file_1","file_2"]}`, "/files/file_1": `{"attributes":{}}`,
	} {
		a.refuses("POST", store+target, body, 404, noSuch("vector store", "vs_1"))
	}
	require.Equal(t, before, memory.Collections())
	require.Empty(t, a.server.Leftovers())
}

// A file that is added again stays as it is, but for attributes that are given; one that has failed is read anew.
func TestAddingAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fails := true
		a := newAPI(t, server.WithExtractor(extractorFunc(func(context.Context, string, string) (string, error) {
			if fails {
				return "", server.ErrUnsupportedFile
			}
			return "content", nil
		})))
		a.uploads(1)
		store := a.newStore("file_1")
		synctest.Wait()
		require.Equal(t, "failed", a.seeFile(store, "file_1").Status)
		fails = false
		again := a.ok("POST", store+"/files", `{"file_id":"file_1","attributes":{"k":1},
			"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":200,"chunk_overlap_tokens":100}}}`)
		require.Equal(t, storeFile("file_1", `{"type":"static","static":{"max_chunk_size_tokens":200,"chunk_overlap_tokens":100}}`, `{"k":1}`), again)
		synctest.Wait()
		read := a.ok("GET", store+"/files/file_1", "")
		require.Equal(t, "completed", field[string](t, read, "status"))
		require.Equal(t, [5]int{0, 1, 0, 0, 1}, a.seeStore(store).counts())

		require.Equal(t, read, a.ok("POST", store+"/files", `{"file_id":"file_1"}`))
		changed := strings.Replace(read, `{"k":1}`, `{"k":2}`, 1)
		require.Equal(t, changed, a.ok("POST", store+"/files", `{"file_id":"file_1","attributes":{"k":2}}`))
		synctest.Wait()
		require.Equal(t, changed, a.ok("GET", store+"/files/file_1", ""))
		require.Len(t, a.find(store, `{"query":"content","filters":{"type":"eq","key":"k","value":2}}`), 1)
	})
}

func TestContentOfAFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("äöü ", 400_000) // 2.8 million bytes
		a := newAPI(t, server.WithExtractor(extractorFunc(func(_ context.Context, name, content string) (string, error) {
			switch name {
			case "long":
				return long, nil
			case "bad":
				return "", server.ErrUnsupportedFile
			}
			return content + "\xff", nil
		})))
		short, bad, large := a.upload("short", "one\ntwo"), a.upload("bad", "x"), a.upload("long", "x")
		store := a.newStore(short, bad, large)
		synctest.Wait()
		const page = `{"object":"vector_store.file_content.page","data":[`
		assert.Equal(t, page+`{"type":"text","text":"one\ntwo`+"\uFFFD"+`"}],"has_more":false,"next_page":null}`,
			a.ok("GET", store+"/files/"+short+"/content", ""))
		assert.Equal(t, page+`],"has_more":false,"next_page":null}`, a.ok("GET", store+"/files/"+bad+"/content", ""))

		var text strings.Builder
		token, pages := "", 0
		for more := true; more; pages++ {
			body := a.ok("GET", store+"/files/"+large+"/content?page="+url.QueryEscape(token), "")
			text.WriteString(field[[]struct{ Text string }](t, body, "data")[0].Text)
			if more = field[bool](t, body, "has_more"); more {
				token = field[string](t, body, "next_page")
			}
		}
		assert.Equal(t, 3, pages)
		assert.True(t, long == text.String())
		for _, token := range []string{"x", "-1", "1", "99999999", "+0"} {
			got := a.do("GET", store+"/files/"+large+"/content?page="+url.QueryEscape(token), "")
			assert.Equal(t, token == "+0", got.status == 200, "%s: %s", token, got.body)
		}
	})
}

// A run waits for the files of its thread's store, for a minute, and not for those of its assistant's.
func TestRunsWaitForFiles(t *testing.T) {
	t.Parallel()
	const search = `"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]}}`
	for name, test := range map[string]struct {
		assistant, thread string
		opened, want      time.Duration
	}{
		"of the thread":           {`{"model":"m"}`, `{` + search + `}`, 10 * time.Second, 10 * time.Second},
		"for a minute":            {`{"model":"m"}`, `{` + search + `}`, 90 * time.Second, 60 * time.Second},
		"not of the assistant":    {`{"model":"m",` + search + `}`, `{}`, 10 * time.Second, 0},
		"of a message":            {`{"model":"m"}`, `{"messages":[` + attaching(`[{"file_id":"file_1","tools":`+toSearch+`}]`) + `]}`, 10 * time.Second, 10 * time.Second},
		"of a thread's own store": {`{"model":"m"}`, `{"tool_resources":{"file_search":{"vector_stores":[{"file_ids":["file_1"]}]}}}`, 10 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				c := newConvo(t, nil, server.WithExtractor(g))
				c.uploads(1)
				c.newStore("file_1")
				assistant := c.create(strings.Replace(test.assistant, `{`, `{"instructions":"x",`, 1))
				thread := c.made("/v1/threads", test.thread)
				begun := time.Now()
				run := c.made(c.runsOf(thread), `{"assistant_id":"`+assistant+`"}`)
				ended := make(chan time.Duration)
				go func() {
					for c.run(thread, run).Status != "completed" {
						pass(time.Second / 10)
					}
					ended <- time.Since(begun)
				}()
				if test.want > 0 {
					synctest.Wait()
					assert.Equal(t, "in_progress", c.run(thread, run).Status)
				}
				opened := time.AfterFunc(test.opened, func() { close(g.open) })
				took := <-ended
				assert.InDelta(t, test.want.Seconds(), took.Seconds(), 0.5)
				if opened.Stop() {
					close(g.open)
				}
			})
		})
	}
}

// A run that waits for files can be cancelled.
func TestRunIsCancelledWhileItWaitsForFiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, nil, server.WithExtractor(blocking()))
		c.uploads(1)
		c.ok("POST", "/v1/threads/"+c.thread+"/messages", attaching(`[{"file_id":"file_1","tools":`+toSearch+`}]`))
		run := c.begin(c.thread)
		synctest.Wait()
		begun := time.Now()
		require.Equal(t, 200, c.cancel(c.thread, run).status)
		synctest.Wait()
		require.Equal(t, "cancelled", c.run(c.thread, run).Status)
		require.Zero(t, time.Since(begun))
	})
}

// A run that may search files is a use of all of its stores, and one whose thread's store has expired fails.
func TestRunsUseStores(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, nil)
		c.uploads(1)
		own := stores + "/" + c.made(stores, `{"expires_after":{"anchor":"last_active_at","days":8}}`)
		c.ok("POST", "/v1/threads/"+c.thread+"/messages", attaching(`[{"file_id":"file_1","tools":`+toSearch+`}]`))
		searching := c.create(`{"model":"m","tools":[{"type":"file_search"}],"tool_resources":{"file_search":{"vector_store_ids":["vs_1"]}}}`)
		run := func(assistant string) runSeen {
			id := c.made(c.runsOf(c.thread), `{"assistant_id":"`+assistant+`"}`)
			synctest.Wait()
			return c.run(c.thread, id)
		}
		pass(6 * day)
		require.Equal(t, "completed", run(searching).Status)
		for _, store := range []string{own, stores + "/vs_2"} {
			require.Equal(t, int(time.Now().Unix()), c.seeStore(store).LastActiveAt)
		}
		pass(6 * day)
		require.Equal(t, "completed", run(c.assistant).Status, "which searches nothing")
		require.Equal(t, int(time.Now().Add(-6*day).Unix()), c.seeStore(own).LastActiveAt)
		pass(day)
		failed := run(searching)
		require.Equal(t, "failed", failed.Status)
		require.Equal(t, "server_error: Vector store 'vs_2' has expired", failed.LastError.String())
		c.refuses("POST", "/v1/threads/"+c.thread+"/messages", attaching(`[{"file_id":"file_1","tools":`+toSearch+`}]`), 400,
			envelope("Vector store 'vs_2' has expired", requestError, "", ""))
		c.ok("POST", "/v1/threads/"+c.thread, `{"tool_resources":{"file_search":{"vector_store_ids":[]}}}`)
		require.Equal(t, "completed", run(searching).Status)
	})
}

// A file that is deleted while it is searched is found no more.
func TestFileIsDeletedUnderASearch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &steppedRetriever{Retriever: server.NewLexicalRetriever()}
		a := newAPI(t, server.WithRetriever(r))
		a.uploads(2)
		store := a.newStore("file_1", "file_2")
		synctest.Wait()
		entered, release := make(chan struct{}), make(chan struct{})
		r.found = func() {
			close(entered)
			<-release
		}
		found := make(chan []foundPassage)
		go func() { found <- a.find(store, `{"query":"content"}`) }()
		<-entered
		a.ok("DELETE", "/v1/files/file_1", "")
		close(release)
		passages := <-found
		require.Len(t, passages, 1)
		require.Equal(t, "file_2", passages[0].FileID)
	})
}
