package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// What models do with files, in runs.

const searchTool = `{"type":"file_search"}`

// mayUse has the convo's assistant be one with these tools and, unless it is "", with this vector store.
func (c *convo) mayUse(tools, store string) {
	c.t.Helper()
	c.assistant = c.create(`{"model":"m","tools":[` + tools + `],"tool_resources":` + searchResources(store) + `}`)
}

// hasStore has the convo's thread be a new one with this vector store; "" is none.
func (c *convo) hasStore(store string) {
	c.t.Helper()
	c.thread = c.made("/v1/threads", `{"messages":[{"role":"user","content":"Hello"}],"tool_resources":`+searchResources(store)+`}`)
}

func searchResources(store string) string {
	if store == "" {
		return "{}"
	}
	return `{"file_search":{"vector_store_ids":["` + strings.TrimPrefix(store, stores+"/") + `"]}}`
}

// searching is a model that searches for queries.
func searching(queries ...string) server.Model {
	return server.NewScripted(server.Otherwise(server.SearchFiles(queries...), server.Say("Done.")))
}

// finished begins a run on the convo's thread and waits until nothing happens any more, in a bubble.
func (c *convo) finished(body string) runSeen {
	c.t.Helper()
	if body == "" {
		body = `{"assistant_id":"` + c.assistant + `"}`
	}
	id := field[string](c.t, c.ok("POST", c.runsOf(c.thread), body), "id")
	synctest.Wait()
	return c.run(c.thread, id)
}

// pagesOf is a retriever that finds passages by their store.
func pagesOf(passages map[string][]server.Passage) server.Retriever {
	return retrieverFunc(func(store string, _ server.IndexQuery) ([]server.Passage, error) { return passages[store], nil })
}

// Two stores, and what a run that searches them shows: with its contents, and without.
func TestSearchFilesInARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := server.Passage{FileID: "file_1", FileName: "a.txt", Text: "one", Score: 0.5, Attributes: assistants.Attributes{
			"s": assistants.AttributeOf("\"é\""), "n": assistants.AttributeOf(1.50), "b": assistants.AttributeOf(true)}}
		two := server.Passage{FileID: "file_2", FileName: "b.txt", Text: "two\n\"2\"", Score: 0.5}
		best := server.Passage{FileID: "file_2", FileName: "b.txt", Text: "best", Score: 1}
		c := newConvo(t, searching(), server.WithRetriever(pagesOf(map[string][]server.Passage{"vs_1": {best, two}, "vs_2": {one, two}})))
		c.uploads(2)
		c.mayUse(searchTool, c.newStore("file_1", "file_2"))
		c.hasStore(c.newStore("file_1", "file_2"))
		synctest.Wait()

		const attributes = `{"b":true,"n":1.5,"s":"\"é\""}`
		results := func(content bool) string {
			show := func(text string) string {
				if !content {
					return "}"
				}
				return `,"content":[{"type":"text","text":` + quoted(text) + `}]}`
			}
			return `{"file_id":"file_2","file_name":"b.txt","score":1.0,"attributes":{}` + show("best") +
				`,{"file_id":"file_1","file_name":"a.txt","score":0.5,"attributes":` + attributes + show("one") +
				`,{"file_id":"file_2","file_name":"b.txt","score":0.5,"attributes":{}` + show("two\n\"2\"")
		}
		call := func(id, results string) string {
			return `{"id":"` + id + `","type":"file_search","file_search":{"ranking_options":{"ranker":"default_2024_08_21","score_threshold":0.0},"results":[` +
				results + `]}}`
		}
		for i, query := range []string{"", "?include[]=" + includeContent} {
			events := c.request(c.runsOf(c.thread)+query, streaming(`{"assistant_id":"`+c.assistant+`"}`)).all()
			id := "call_" + strconv.Itoa(i+1)
			lines := told(t, events)
			begin := strings.Replace(call(id, ""), "{", `{"index":0,`, 1)
			require.Equal(t, []string{
				"step.created tool_calls []", "step.in_progress tool_calls []", "step.delta [" + begin + "]",
				words("step.completed tool_calls 0+0 [" + call(id, results(query != "")) + "]"), "step.created message_creation",
			}, lines[3:8])
			target := c.runsOf(c.thread) + "/" + runID(t, events) + "/steps"
			step := c.steps(c.thread, runID(t, events))[0].ID
			for _, query := range []string{"?", "?include[]=" + includeContent} {
				want := "[" + call(id, results(query != "?")) + "]"
				assert.Equal(t, want, string(decoded[stepSeen](t, c.ok("GET", target+"/"+step+query, "")).StepDetails.ToolCalls))
				listed := field[[]stepSeen](t, c.ok("GET", target+query+"&order=asc", ""), "data")
				assert.Equal(t, want, string(listed[0].StepDetails.ToolCalls))
			}
		}
	})
}

// A stream that goes on behind outputs shows contents if it asks for them itself.
func TestSearchFilesBehindOutputs(t *testing.T) {
	t.Parallel()
	for query, shown := range map[string]bool{"": false, "?include[]=" + includeContent: true} {
		c := newConvo(t, server.NewScripted(
			server.When(server.Submitted(""), server.SearchFiles(), server.Say("Done.")),
			server.Otherwise(server.CallFunction("f", "{}"))))
		c.mayUse(searchTool, c.newStore(c.upload("a.txt", "Hello there.")))
		c.hasStore(c.newStore(c.upload("b.txt", "Hello here.")))
		run := runID(t, c.open(c.thread).all())
		calls := c.run(c.thread, run).waitsFor()
		events := c.request(c.runsOf(c.thread)+"/"+run+"/submit_tool_outputs"+query, streaming(outputs("1", calls...))).all()
		found := ""
		for _, line := range told(t, events) {
			if strings.HasPrefix(line, "step.completed tool_calls") {
				found = line
			}
		}
		assert.Contains(t, found, `"file_name":"b.txt"`)
		assert.Equal(t, shown, strings.Contains(found, `"text":"Hello here."`))
	}
}

// The tool says how much is looked for, and else the model's name.
func TestOptionsOfFileSearch(t *testing.T) {
	t.Parallel()
	const ranker = `{"ranker":"default_2024_08_21","score_threshold":0.0}`
	for name, test := range map[string]struct {
		model, options string
		want           server.IndexQuery
		ranking        string
	}{
		"none":         {"m", ``, server.IndexQuery{MaxResults: 20}, ranker},
		"empty":        {"gpt-4o", `,"file_search":{}`, server.IndexQuery{MaxResults: 20}, ranker},
		"an old model": {"gpt-3.5-turbo-0125", ``, server.IndexQuery{MaxResults: 5}, ranker},
		"a number":     {"gpt-3.5-turbo", `,"file_search":{"max_num_results":50}`, server.IndexQuery{MaxResults: 50}, ranker},
		"one":          {"m", `,"file_search":{"max_num_results":1}`, server.IndexQuery{MaxResults: 1}, ranker},
		"a threshold":  {"m", `,"file_search":{"ranking_options":{"score_threshold":0.25}}`, server.IndexQuery{MaxResults: 20, ScoreThreshold: 0.25}, ""},
		"ranker": {"m", `,"file_search":{"ranking_options":{"ranker":"auto","score_threshold":1}}`,
			server.IndexQuery{MaxResults: 20, ScoreThreshold: 1}, `{"ranker":"auto","score_threshold":1.0}`},
		"all of it": {"m", `,"file_search":{"max_num_results":7,"ranking_options":{"ranker":"default_2024_08_21","score_threshold":0.5}}`,
			server.IndexQuery{MaxResults: 7, ScoreThreshold: 0.5}, `{"ranker":"default_2024_08_21","score_threshold":0.5}`},
		"behind a tool":   {"m", `},{"type":"code_interpreter"`, server.IndexQuery{MaxResults: 20}, ranker},
		"several queries": {"m", ``, server.IndexQuery{MaxResults: 20, Queries: []string{"a", "b", "a"}}, ranker},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := make(chan server.IndexQuery, 9)
				c := newConvo(t, searching(test.want.Queries...), server.WithRetriever(retrieverFunc(func(_ string, q server.IndexQuery) ([]server.Passage, error) {
					asked <- q
					return nil, nil
				})))
				c.hasStore(c.newStore())
				run := c.finished(`{"assistant_id":"` + c.assistant + `","model":"` + test.model + `","tools":[{"type":"file_search"` + test.options + `}]}`)
				require.Equal(t, "completed", run.Status, c.log)
				want := test.want
				if want.Queries == nil {
					want.Queries = []string{"Hello"}
				}
				require.Len(t, asked, 1)
				assert.Equal(t, want, <-asked)
				if test.ranking != "" {
					assert.Contains(t, string(c.steps(c.thread, run.ID)[0].StepDetails.ToolCalls), `"ranking_options":`+test.ranking)
				}
			})
		})
	}
}

// Together results have no more tokens than a model can be expected to read; the best one always is among them.
func TestBudgetOfFileSearch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		model   string
		options string
		tokens  int // of a passage
		want    int // how many are found
	}{
		"small":                  {"m", ``, 10, 20},
		"all that it has":        {"m", ``, 800, 20},
		"one too many":           {"m", ``, 801, 19},
		"half of what is wanted": {"m", `,"file_search":{"max_num_results":50}`, 640, 25},
		"an old model":           {"gpt-3.5-turbo", ``, 800, 5},
		"too much for that":      {"gpt-3.5-turbo", ``, 1001, 3},
		"one that is too much":   {"gpt-3.5-turbo", ``, 4096, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				passages := make([]server.Passage, 50)
				for i := range passages {
					text := strconv.Itoa(i+100) + strings.Repeat(" word", test.tokens-1)
					require.Equal(t, test.tokens, server.CountTokens(text))
					passages[i] = server.Passage{FileID: "file_1", FileName: "a.txt", Text: text, Score: 1 - float64(i)/100}
				}
				c := newConvo(t, searching(), server.WithRetriever(pagesOf(map[string][]server.Passage{"vs_1": passages})))
				c.hasStore(c.newStore(c.upload("a.txt", "x")))
				synctest.Wait()
				run := c.finished(`{"assistant_id":"` + c.assistant + `","model":"` + test.model + `","tools":[{"type":"file_search"` + test.options + `}]}`)
				require.Equal(t, "completed", run.Status, c.log)
				calls := decoded[[]assistants.ToolCall](t, string(c.steps(c.thread, run.ID)[0].StepDetails.ToolCalls))
				results := calls[0].FileSearch.Results
				require.Len(t, results, test.want)
				for i, r := range results {
					assert.InDelta(t, 1-float64(i)/100, r.Score, 1e-9, "the best ones")
				}
			})
		})
	}
}

// The stores of thread and assistant are searched together, the thread's first; those that are gone say nothing.
func TestStoresOfFileSearch(t *testing.T) {
	t.Parallel()
	const week = 7 * day
	for name, test := range map[string]struct {
		prepare func(c *convo, ofThread, ofAssistant string)
		queries []string
		want    []string // the stores that are asked
	}{
		"both":                    {func(*convo, string, string) {}, []string{"x"}, []string{"vs_1", "vs_2"}},
		"no query, which is hers": {func(*convo, string, string) {}, nil, []string{"vs_1", "vs_2"}},
		"assistant's deleted":     {func(c *convo, _, s string) { c.ok("DELETE", s, "") }, []string{"x"}, []string{"vs_1"}},
		"thread's deleted":        {func(c *convo, s, _ string) { c.ok("DELETE", s, "") }, []string{"x"}, []string{"vs_2"}},
		"both deleted":            {func(c *convo, s, a string) { c.ok("DELETE", s, ""); c.ok("DELETE", a, "") }, []string{"x"}, nil},
		"assistant's expired": {func(c *convo, _, s string) {
			c.ok("POST", s, `{"expires_after":{"anchor":"last_active_at","days":7}}`)
			pass(week)
		}, []string{"x"}, []string{"vs_1"}},
		"the thread has none": {func(c *convo, _, _ string) { c.hasStore("") }, []string{"x"}, []string{"vs_2"}},
		"the same one":        {func(c *convo, s, _ string) { c.mayUse(searchTool, s) }, []string{"x"}, []string{"vs_1"}},
		"none":                {func(c *convo, _, _ string) { c.hasStore(""); c.mayUse(searchTool, "") }, []string{"x"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var searched []string
				c := newConvo(t, searching(test.queries...), server.WithRetriever(retrieverFunc(func(store string, _ server.IndexQuery) ([]server.Passage, error) {
					searched = append(searched, store)
					return nil, nil
				})))
				ofThread, ofAssistant := c.newStore(), c.newStore()
				c.hasStore(ofThread)
				c.mayUse(searchTool, ofAssistant)
				test.prepare(c, ofThread, ofAssistant)
				run := c.finished("")
				require.Equal(t, "completed", run.Status, c.log)
				assert.Equal(t, test.want, searched)
				steps := c.steps(c.thread, run.ID)
				require.Len(t, steps, 2)
				assert.Contains(t, string(steps[0].StepDetails.ToolCalls), `"results":[]`)
			})
		})
	}
}

// An error of the retriever is the run's, and its text is for the log.
func TestSearchFilesThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, searching(), server.WithRetriever(retrieverFunc(func(string, server.IndexQuery) ([]server.Passage, error) {
			return nil, errors.New("the index is on fire")
		})))
		c.hasStore(c.newStore())
		run := c.finished("")
		assert.Equal(t, "failed", run.Status)
		assert.Equal(t, "server_error", run.LastError.Code)
		assert.NotContains(t, run.LastError.Message, "fire")
		assert.Contains(t, c.log.String(), "the index is on fire")
	})
}

// callOf returns a call that the model is asked in a run of the convo, once it is there.
func callOf(t *testing.T, opts ...server.Option) (*convo, func() *server.ModelCall) {
	t.Helper()
	calls := make(chan *server.ModelCall, 1)
	c := newConvo(t, server.ModelFunc(func(_ context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
		calls <- call
		return func(func(server.ModelEvent, error) bool) {}
	}), opts...)
	return c, func() *server.ModelCall {
		c.begin(c.thread)
		return <-calls
	}
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		blobs := newCountedBlobs()
		c, call := callOf(t, server.WithBlobs(blobs))
		image := field[string](t, c.send("/v1/files", form(formFile("file", "plot.png", "\x89PNG"), formField("purpose", "vision"))).body, "id")
		data := c.upload("data.csv", "a,b\n1,2\n")
		brief := field[string](t, c.send("/v1/files", form(formFile("file", "brief", "x"), formField("purpose", "assistants"),
			formField("expires_after[anchor]", "created_at"), formField("expires_after[seconds]", "3600"))).body, "id")
		c.thread = c.made("/v1/threads", `{"messages":[{"role":"user","content":[{"type":"text","text":"See"},{"type":"image_file","image_file":{"file_id":"`+image+`"}}],
			"attachments":[{"file_id":"`+data+`","tools":`+toCode+`}]}]}`)
		asked := call()
		open := func(id string) (*assistants.File, string, error) {
			file, content, err := asked.OpenFile(t.Context(), id)
			if err != nil {
				require.Nil(t, file)
				require.Nil(t, content)
				return nil, "", err
			}
			defer func() { require.NoError(t, content.Close()) }()
			all, err := io.ReadAll(content)
			require.NoError(t, err)
			return file, string(all), nil
		}

		message := asked.LastUserMessage()
		file, content, err := open(message.Content[1].ImageFile.FileID)
		require.NoError(t, err)
		assert.Equal(t, "\x89PNG", content)
		assert.Equal(t, []any{image, "plot.png", assistants.PurposeVision}, []any{file.ID, file.Filename, file.Purpose})
		for _, id := range []string{message.Attachments[0].FileID, asked.ToolResources.CodeInterpreter.FileIDs[0]} {
			file, content, err = open(id)
			require.NoError(t, err)
			assert.Equal(t, "a,b\n1,2\n", content)
			assert.Equal(t, int64(8), file.Bytes)
		}
		_, _, err = open("file_99")
		require.ErrorIs(t, err, server.ErrNotFound)

		_, _, err = open(brief)
		require.NoError(t, err)
		pass(time.Hour)
		_, _, err = open(brief)
		require.ErrorIs(t, err, server.ErrNotFound, "expired")

		_, reading, err := asked.OpenFile(t.Context(), data)
		require.NoError(t, err)
		c.ok("DELETE", "/v1/files/"+data, "")
		all, err := io.ReadAll(reading)
		require.NoError(t, err)
		require.NoError(t, reading.Close())
		assert.Equal(t, "a,b\n1,2\n", string(all), "whoever reads already reads on")
		_, _, err = open(data)
		require.ErrorIs(t, err, server.ErrNotFound)

		require.NoError(t, blobs.Blobs.Delete(t.Context(), image))
		_, _, err = open(image)
		require.ErrorIs(t, err, server.ErrNotFound, "its content is lost")
		c.ok("GET", "/v1/files", "") // and what has expired goes
		blobs.has(t, image)
	})
}

func TestCreateFile(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	c, begin := callOf(t, server.WithBlobs(blobs), server.WithMaxFileBytes(8))
	call := begin()
	kept := []string{c.upload("of the user", "x")}
	longest := strings.Repeat("雪", 512)
	for _, test := range []struct{ given, content, name string }{
		{"plot.png", "\x89PNG", "plot.png"}, {"/mnt/data/plot.png", "12345678", "plot.png"}, {`C:\out\a b.csv`, "", "a b.csv"},
		{"../../etc/passwd", "x", "passwd"}, {"é\x00\n\xff.txt", "x", "é\uFFFD.txt"}, {longest, "x", longest}, {".hidden", "x", ".hidden"},
	} {
		file, err := call.CreateFile(t.Context(), test.given, strings.NewReader(test.content))
		require.NoError(t, err, test.given)
		assert.Equal(t, test.name, file.Filename)
		assert.Equal(t, assistants.PurposeAssistantsOutput, file.Purpose)
		assert.Equal(t, int64(len(test.content)), file.Bytes)
		assert.Equal(t, test.content, c.ok("GET", "/v1/files/"+file.ID+"/content", ""))
		_, opened, err := call.OpenFile(t.Context(), file.ID)
		require.NoError(t, err)
		require.NoError(t, opened.Close())
		kept = append(kept, file.ID)
	}
	assert.ElementsMatch(t, kept[1:], c.ids("/v1/files?purpose=assistants_output"))
	assert.Equal(t, kept[:1], c.ids("/v1/files?purpose=assistants"))

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx     context.Context
		name    string
		content io.Reader
	}{
		"no name":          {t.Context(), "", strings.NewReader("x")},
		"a directory":      {t.Context(), "plots/", strings.NewReader("x")},
		"a place":          {t.Context(), "/mnt/data/..", strings.NewReader("x")},
		"nothing visible":  {t.Context(), "\n", strings.NewReader("x")},
		"a long name":      {t.Context(), longest + "x", strings.NewReader("x")},
		"too large":        {t.Context(), "a", strings.NewReader("123456789")},
		"much too large":   {t.Context(), "a", io.LimitReader(endless{}, 1<<40)},
		"a broken content": {t.Context(), "a", io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errDisk))},
		"cut short":        {t.Context(), "a", io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF))},
		"cancelled":        {cancelled, "a", strings.NewReader("x")},
	} {
		file, err := call.CreateFile(test.ctx, test.name, test.content)
		require.Error(t, err, name)
		require.Nil(t, file, name)
	}
	assert.ElementsMatch(t, kept[1:], c.ids("/v1/files?purpose=assistants_output"))
	blobs.has(t, kept...)
}

// endless is a content without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A file of which the record cannot be written leaves no content behind, also if the run is cancelled at that moment.
func TestCreateFileWithoutARecord(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	blobs, store := newCountedBlobs(), &hookStore{Store: server.NewMemoryStore()}
	_, begin := callOf(t, server.WithBlobs(blobs), server.WithStore(store))
	call := begin()
	store.insert = func(c server.Collection) error {
		if c.Kind != "file" {
			return nil
		}
		cancel()
		return errDisk
	}
	file, err := call.CreateFile(ctx, "a", strings.NewReader("x"))
	require.ErrorIs(t, err, errDisk)
	require.Nil(t, file)
	blobs.has(t)
}

// What has been made stays, whatever becomes of the run.
func TestFilesOfACancelledRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, server.NewScripted(server.Otherwise(
			server.RunCode("plot()", ""), server.ShowImage("plot.png", []byte("\x89PNG")), server.Wait(time.Hour))))
		run := c.begin(c.thread)
		synctest.Wait()
		c.cancel(c.thread, run)
		synctest.Wait()
		assert.Equal(t, "cancelled", c.run(c.thread, run).Status)
		ids := c.ids("/v1/files?purpose=assistants_output")
		require.Len(t, ids, 1)
		assert.Equal(t, "\x89PNG", c.ok("GET", "/v1/files/"+ids[0]+"/content", ""))
	})
}

// A call that somebody has made by hand is of no server, and says so.
func TestFilesOfACallOfNoServer(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	call := &server.ModelCall{History: []server.Turn{asked("Hello?")}}
	_, _, err := call.OpenFile(ctx, "file-1")
	require.ErrorContains(t, err, "not of a server")
	_, err = call.CreateFile(ctx, "a", strings.NewReader("x"))
	require.ErrorContains(t, err, "not of a server")

	found, err := call.SearchFiles(ctx, "x")
	require.NoError(t, err, "there is no store")
	assert.Equal(t, server.SearchCall{}, found)
	call.ToolResources.FileSearch = &assistants.FileSearchResources{}
	_, err = call.SearchFiles(ctx, "x")
	require.NoError(t, err)
	call.ToolResources.FileSearch.VectorStoreIDs = []string{"vs_1"}
	_, err = call.SearchFiles(ctx)
	require.NoError(t, err, "there is no query")
	_, err = call.SearchFiles(ctx, "x")
	require.ErrorContains(t, err, "not of a server")

	found.Results = []assistants.FileSearchResult{{FileID: "file-1", FileName: "a.md"}}
	assert.Equal(t, server.Citation{Mark: "【0:0†a.md】", FileID: "file-1"}, found.Citation(0))
	for name, action := range map[string]server.Action{
		"search": server.SearchFiles(), "image": server.ShowImage("a", nil), "link": server.LinkFile("a", nil),
	} {
		var failed error
		for event, err := range server.NewScripted(server.Otherwise(action, server.Say("Never."))).Respond(ctx, call) {
			require.Nil(t, event, name)
			failed = err
		}
		require.ErrorContains(t, failed, "not of a server", name)
	}
}

// Many runs at once make, read and find files; each of them sees its own and what is the same for all.
func TestFilesOfManyRuns(t *testing.T) {
	t.Parallel()
	const runs, files = 8, 4
	c := newConvo(t, server.NewScripted(server.Otherwise(
		server.SearchFiles("hello"), server.CiteResult(0),
		func(ctx context.Context, call *server.ModelCall, yield func(server.ModelEvent, error) bool) bool {
			var work sync.WaitGroup
			errs := make([]error, files)
			for i := range files {
				work.Go(func() { errs[i] = makeAndRead(ctx, call, fmt.Sprint(call.RunID, " ", i)) })
			}
			work.Wait()
			if err := errors.Join(errs...); err != nil {
				return yield(nil, err)
			}
			for _, r := range call.History {
				r.Message.Content = nil // which is the model's to change
			}
			return true
		})))
	c.mayUse(searchTool, c.newStore(c.upload("a.txt", "Hello there.")))
	var streams []*reading
	var threads []string
	for range runs {
		c.hasStore(c.newStore(c.upload("b.txt", "Hello here, hello.")))
		threads, streams = append(threads, c.thread), append(streams, c.open(c.thread))
	}
	for i, stream := range streams {
		events := stream.all()
		require.Equal(t, "completed", c.run(threads[i], runID(t, events)).Status, c.log)
		require.Equal(t, "【4:0†b.txt】", c.messages(threads[i])[1].text(t))
	}
	assert.Len(t, c.ids("/v1/files?purpose=assistants_output"), runs*files)
}

func makeAndRead(ctx context.Context, call *server.ModelCall, text string) error {
	file, err := call.CreateFile(ctx, "out.txt", strings.NewReader(text))
	if err != nil {
		return err
	}
	_, content, err := call.OpenFile(ctx, file.ID)
	if err != nil {
		return err
	}
	defer content.Close()
	all, err := io.ReadAll(content)
	if err == nil && !bytes.Equal(all, []byte(text)) {
		err = fmt.Errorf("got %q, want %q", all, text)
	}
	return err
}
