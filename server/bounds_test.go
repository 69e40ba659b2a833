package server_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// What one request can cost is bounded, and so is what a model is shown.

// attachingMany is a message with n attachments for a tool: of files that are numbered from the first on.
func attachingMany(first, n int, tools string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"file_id":"file-%06d","tools":%s}`, first+i, tools)
	}
	return attaching("[" + strings.Join(items, ",") + "]")
}

// threadAttaching is a thread of messages with 10,000 attachments each, all of the same files or each of others.
func threadAttaching(attachments int, tools string, same bool) string {
	messages := make([]string, attachments/10_000)
	for i := range messages {
		first := 10_000 * i
		if same {
			first = 0
		}
		messages[i] = attachingMany(first, 10_000, tools)
	}
	return `{"messages":[` + strings.Join(messages, ",") + `]}`
}

// everyFile is a store that has all files one asks for, so none has to be made.
type everyFile struct{ server.Store }

func (s everyFile) Get(ctx context.Context, c server.Collection, id string) (server.Record, error) {
	if c.Kind == "file" {
		return server.Record{ID: id, Data: []byte("{}")}, nil
	}
	return s.Store.Get(ctx, c, id)
}

// everyBlob has a content for each of them.
type everyBlob struct{ server.Blobs }

func (everyBlob) Open(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("x")), nil
}

// The work for attachments grows with their number and no faster: 80,000 take about four times what 20,000 take,
// where looking through all for each would take sixteen times as long. It is measured while nothing else is, and
// again if something else was in the way.
func TestWorkForAttachments(t *testing.T) {
	for name, test := range map[string]struct {
		tools  string
		same   bool
		status int
	}{
		"too many":  {toCode, false, 400},
		"the same":  {toSearch, true, 200},
		"unrelated": {`[]`, false, 200},
	} {
		t.Run(name, func(t *testing.T) {
			few, many := threadAttaching(20_000, test.tools, test.same), threadAttaching(80_000, test.tools, test.same)
			took := func(body string) time.Duration {
				a := newAPI(t, server.WithStore(everyFile{server.NewMemoryStore()}), server.WithBlobs(everyBlob{}), server.WithExtractor(blocking()))
				begun := time.Now()
				require.Equal(t, test.status, a.do("POST", threads, body).status)
				return time.Since(begun)
			}
			var short, long time.Duration
			for range 3 {
				if short, long = took(few), took(many); long < 8*short {
					return
				}
			}
			require.Less(t, long, 8*short)
		})
	}
}

// More files than a tool may have are refused, however they come, and then nothing has changed.
func TestTooManyAttachments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		first, second string // messages; the second has too many attachments by itself, or with the first
		limit, got    int
	}{
		{"code", attachingMany(0, 0, toCode), attachingMany(0, 21, toCode), 20, 21},
		{"more code", attachingMany(0, 15, toCode), attachingMany(10, 11, toCode), 20, 21},
		{"search", attachingMany(10_000, 1, toSearch), attachingMany(0, 10_000, toSearch), 10_000, 10_001},
		{"more search", attachingMany(0, 9_999, toSearch), attachingMany(9_000, 1_001, toSearch), 10_000, 10_001},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			refused := envelope(fmt.Sprintf("Invalid 'attachments': array too long. Expected an array with maximum length %d, "+
				"but got an array with length %d instead.", test.limit, test.got), requestError, "attachments", "array_above_max_length")
			files := make([]string, 10_001)
			for i := range files {
				files[i] = fmt.Sprintf("file-%06d", i)
			}
			held := newLedger()
			held.Store = holding(t, files...)
			a := newAPI(t, server.WithStore(held), server.WithExtractor(blocking()))
			a.create(`{"model":"m","instructions":"x"}`)
			thread := "/v1/threads/" + a.made(threads, `{"messages":[`+test.first+`]}`)
			before, counts := a.ok("GET", thread, ""), held.counts()
			whole := `{"messages":[` + test.first + `,` + test.second + `]}`
			for target, body := range map[string]string{
				threads:              whole,
				threads + "/runs":    beginThere("asst_1", whole),
				thread + "/messages": test.second,
				thread + "/runs":     `{"assistant_id":"asst_1","additional_messages":[` + test.second + `]}`,
			} {
				a.refuses("POST", target, body, 400, refused)
				assert.Equal(t, counts, held.counts(), target)
				assert.Equal(t, before, a.ok("GET", thread, ""), target)
				assert.Len(t, a.ids(thread+"/messages"), 1, target)
			}
			a.ok("POST", thread+"/messages", test.first)
			assert.Equal(t, before, a.ok("GET", thread, ""), "the same files again are no more")
		})
	}
}

// Tools and response formats are kept with each run, so they are not too large.
func TestSchemaSizes(t *testing.T) {
	t.Parallel()
	const limit = 2 << 20
	function := func(description string) string {
		return `{"type":"function","function":{"name":"f","description":"` + description + `","parameters":{},"strict":false}}`
	}
	format := func(description string) string {
		return `{"type":"json_schema","json_schema":{"name":"s","description":"` + description + `"}}`
	}
	filled := func(render func(string) string, size int) string {
		return render(strings.Repeat("x", size-len(render(""))))
	}
	a := newAPI(t, server.WithModel(yielding(saying(server.Text("Hi.")))))
	a.create(`{"model":"m"}`)
	thread := a.thread("x")
	for key, render := range map[string]func(string) string{
		"tools":           func(s string) string { return "[" + function("") + "," + function(s) + "]" },
		"response_format": format,
	} {
		for _, target := range []string{"/v1/assistants", "/v1/assistants/asst_1", thread + "/runs", threads + "/runs"} {
			if strings.HasSuffix(target, "/runs") && key == "response_format" {
				continue // the same rule
			}
			body := func(size int) string {
				required := `"model":"m"`
				if strings.HasSuffix(target, "/runs") {
					required = `"assistant_id":"asst_1"`
				}
				return `{` + required + `,"instructions":"x","` + key + `":` + filled(render, size) + `}`
			}
			a.refuses("POST", target, body(limit+1), 400, envelope("Invalid '"+key+"': too large. "+
				"Expected at most 2097152 bytes, but got 2097153 bytes instead.", requestError, key, ""))
			if target == "/v1/assistants" {
				a.ok("POST", target, body(limit))
			}
		}
	}
}

// How much each way to search counts is two weights and nothing else, for assistants and for runs.
func TestHybridSearch(t *testing.T) {
	t.Parallel()
	const path = "tools[0].file_search.ranking_options.hybrid_search"
	searching := func(weights string) string {
		return `"tools":[{"type":"file_search","file_search":{"ranking_options":{"score_threshold":0,"hybrid_search":` + weights + `}}}]`
	}
	model := overhear()
	a := newAPI(t, server.WithModel(model))
	a.create(`{"model":"m",` + searching(`{"text_weight":0.25,"embedding_weight":2}`) + `}`)
	thread := a.thread("x")
	for weights, refused := range map[string]struct{ param, code, message string }{
		`{"text_weight":"x","embedding_weight":1}`: {
			".text_weight", "invalid_type", "Invalid type for '%s': expected a decimal number, but got a string instead."},
		`{"text_weight":1,"embedding_weight":null}`: {
			".embedding_weight", "invalid_type", "Invalid type for '%s': expected a decimal number, but got null instead."},
		`{"text_weight":1,"embedding_weight":-1}`: {
			".embedding_weight", "decimal_below_min_value", "Invalid '%s': decimal below minimum value. Expected a value >= 0, but got -1 instead."},
		`{"text_weight":1,"embedding_weight":1,"x":1}`: {".x", "unknown_parameter", "Unknown parameter: '%s'."},
		`{"embedding_weight":1}`:                       {".text_weight", "missing_required_parameter", "Missing required parameter: '%s'."},
	} {
		want := envelope(fmt.Sprintf(refused.message, path+refused.param), requestError, path+refused.param, refused.code)
		a.refuses("POST", "/v1/assistants", `{"model":"m",`+searching(weights)+`}`, 400, want)
		a.refuses("POST", thread+"/runs", `{"assistant_id":"asst_1",`+searching(weights)+`}`, 400, want)
	}
	for _, own := range []string{"", "," + searching(`{"embedding_weight":2,"text_weight":0.25}`)} {
		stream := a.ok("POST", thread+"/runs", streaming(`{"assistant_id":"asst_1"`+own+`}`))
		require.Contains(t, events(stream), "thread.run.completed")
		require.Contains(t, stream, `"hybrid_search":{"embedding_weight":2.0,"text_weight":0.25}`)
		require.Len(t, model.last(t).Tools, 1)
	}
}

// A million labels are counted no further than it takes to refuse them.
func TestMetadataOfAMillionLabels(t *testing.T) {
	var labels strings.Builder
	for i := range 1_000_000 {
		labels.WriteString(`"` + strconv.FormatInt(int64(i), 36) + `":1,`)
	}
	a := newAPI(t)
	body := `{"metadata":{` + labels.String() + `"a":1}}`
	allocations := testing.AllocsPerRun(1, func() {
		got := a.do("POST", threads, body)
		require.Equal(t, 400, got.status)
		require.Equal(t, "object_above_max_properties", decoded[struct{ Error struct{ Code string } }](t, got.body).Error.Code)
	})
	require.Less(t, allocations, 20_000.0)
}

// slowReader is a reading whose reader takes 64 KiB in 20 seconds, and that has a deadline as a connection has it.
type slowReader struct {
	reading
	deadline time.Time
	armed    int
}

func (r *slowReader) SetWriteDeadline(at time.Time) error {
	r.deadline = at
	r.armed++
	return nil
}

func (r *slowReader) Write(p []byte) (int, error) {
	pass(20 * time.Second * time.Duration(len(p)) / (64 << 10))
	if !r.deadline.IsZero() && time.Now().After(r.deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	return r.reading.Write(p)
}

// A reader who takes something all the time is not cut off, however long it takes: whether by many small events or by
// a large one.
func TestReaderWhoTakesAllTheTime(t *testing.T) {
	t.Parallel()
	for name, model := range map[string]server.Model{
		"one event":   yielding(saying(server.Text(strings.Repeat("x", 1<<20)))),
		"many events": yielding(saying(manyTexts(1<<10, 1<<10)...)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newConvo(t, model)
				r := &slowReader{reading: reading{t: t}}
				begun := time.Now()
				c.serve(r, &r.reading, c.runsOf(c.thread), streaming(`{"assistant_id":"`+c.assistant+`"}`))
				events := r.all()
				require.Equal(t, "done", events[len(events)-1].name)
				require.Len(t, textOfDeltas(t, events), 1<<20)
				require.Greater(t, time.Since(begun), 5*time.Minute)
				require.Greater(t, r.armed, 16)
				require.Zero(t, r.deadline, "the connection is as it was")
			})
		})
	}
}

// manyTexts are n pieces of text.
func manyTexts(n, size int) []any {
	texts := make([]any, n)
	for i := range texts {
		texts[i] = server.Text(strings.Repeat("x", size))
	}
	return texts
}

// An image costs something, whatever is said about it: a thread of images is cut like one of text.
func TestImagesCountInTheBudget(t *testing.T) {
	t.Parallel()
	for _, part := range []string{
		`{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}`,
		`{"type":"image_url","image_url":{"url":"data:image/png;base64,` + strings.Repeat("A", 1<<16) + `"}}`,
		`{"type":"image_file","image_file":{"file_id":"file-1"}}`,
	} {
		for budget, want := range map[string]int{"": 20, `,"max_prompt_tokens":5100`: 5, `,"max_prompt_tokens":2009`: 2} {
			model := overhear()
			a := newAPI(t, server.WithModel(model), server.WithStore(holding(t, "file-1")))
			a.create(`{"model":"m"}`)
			thread := "/v1/threads/" + a.made(threads, `{"messages":[`+strings.TrimSuffix(strings.Repeat(`{"role":"user","content":[`+part+`]},`, 20), ",")+`]}`)
			a.ok("POST", thread+"/runs", streaming(`{"assistant_id":"asst_1"`+budget+`}`))
			assert.Len(t, model.last(t).History, want, budget)
		}
	}
}

// The number of messages belongs to the strategy last_messages, and is nothing to the other one.
func TestAutomaticTruncationHasNoNumber(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][]string{
		"auto":          {"user: 1", "user: 2", "user: 3"},
		"last_messages": {"user: 3"},
	} {
		model := overhear()
		a := newAPI(t, server.WithModel(model))
		a.create(`{"model":"m"}`)
		a.ok("POST", a.thread("1", "2", "3")+"/runs",
			streaming(`{"assistant_id":"asst_1","truncation_strategy":{"type":"`+kind+`","last_messages":1}}`))
		assert.Equal(t, want, said(model.last(t)), kind)
	}
}

func TestModelSeesTheMetadataOfTheRun(t *testing.T) {
	t.Parallel()
	model := overhear()
	a := newAPI(t, server.WithModel(model))
	a.create(`{"model":"m","metadata":{"of":"the assistant"}}`)
	thread := a.thread("x")
	a.ok("POST", thread+"/runs", streaming(`{"assistant_id":"asst_1","metadata":{"of":"the run","a":"\u00e4"}}`))
	assert.Equal(t, map[string]string{"of": "the run", "a": "ä"}, map[string]string(model.last(t).Metadata))
	a.ok("POST", thread+"/runs", streaming(`{"assistant_id":"asst_1"}`))
	assert.Empty(t, model.last(t).Metadata)
}
