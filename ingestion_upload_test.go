package assistants_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// A library is a server that takes files and adds them to a vector store: the file a.txt gets the id file-a.txt. What
// goes wrong is up to the test; without that a batch is in progress once, and then completed.
type library struct {
	uploads     func(name string) step // nil, or a nil step: they work
	took        time.Duration          // by one upload
	create      step                   // of files and batches in the vector store
	look        step                   // at them
	list        step                   // of the files of a batch
	failed      []string               // are listed so, each the JSON of a file
	cancelled   []string
	filterBlind bool // the list is always that of all of them

	mu              sync.Mutex
	asked           []string // "POST /files a.txt"
	added           string   // the body that added files
	sent            []*http.Request
	uploading, most int
}

func (l *library) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err // of the file
		}
		r.Body.Close()
	}
	asked := r.Method + " " + strings.TrimPrefix(r.URL.RequestURI(), "/v1")
	upload := asked == "POST /files"
	name := ""
	if upload {
		name = nameIn(r, body)
		asked += " " + name
	}
	l.mu.Lock()
	l.asked, l.sent = append(l.asked, asked), append(l.sent, r)
	l.mu.Unlock()
	if upload {
		return l.upload(r, name)
	}
	return l.answer(r, asked, string(body))(r)
}

func nameIn(r *http.Request, body []byte) string {
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form, err := multipart.NewReader(strings.NewReader(string(body)), params["boundary"]).ReadForm(1 << 20)
	if err != nil {
		return err.Error()
	}
	return form.File["file"][0].Filename
}

func (l *library) upload(r *http.Request, name string) (*http.Response, error) {
	l.mu.Lock()
	l.uploading++
	l.most = max(l.most, l.uploading)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.uploading--
		l.mu.Unlock()
	}()
	if l.took > 0 {
		select {
		case <-time.After(l.took):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if l.uploads != nil {
		if step := l.uploads(name); step != nil {
			return step(r)
		}
	}
	return response(200, `{"id":"file-`+name+`","object":"file","filename":"`+name+`","bytes":1,"purpose":"assistants"}`), nil
}

func (l *library) answer(r *http.Request, asked, body string) step {
	or := func(s step, otherwise string) step {
		if s == nil {
			return answer(200, otherwise)
		}
		return s
	}
	_, below, _ := strings.Cut(asked, " /vector_stores/vs_1/")
	switch kind, rest, _ := strings.Cut(below, "/"); {
	case r.Method == http.MethodPost:
		l.mu.Lock()
		l.added = body
		l.mu.Unlock()
		if kind == "files" {
			return or(l.create, aStoreFile("file-a.txt", "in_progress"))
		}
		return or(l.create, aBatch("in_progress", 1))
	case strings.Contains(rest, "/files?"):
		return or(l.list, l.page(r.URL.Query().Get("filter")))
	case kind == "files":
		return or(l.look, aStoreFile("file-a.txt", "completed"))
	}
	return or(l.look, aBatch("completed", 0, 1, len(l.failed), len(l.cancelled)))
}

func (l *library) page(filter string) string {
	files := map[string][]string{"failed": l.failed, "cancelled": l.cancelled}[filter]
	if l.filterBlind {
		files = slices.Concat([]string{aStoreFile("file-fine", "completed"), aStoreFile("file-late", "in_progress")}, l.failed, l.cancelled)
	}
	return `{"object":"list","data":[` + strings.Join(files, ",") + `],"has_more":false}`
}

// addedIDs are the files that the vector store was asked to take, in order.
func (l *library) addedIDs() (ids []string) {
	var sent struct {
		FileIDs []string `json:"file_ids"`
		Files   []struct {
			FileID string `json:"file_id"`
		}
	}
	if l.added != "" && json.Unmarshal([]byte(l.added), &sent) != nil {
		return []string{"no JSON: " + l.added}
	}
	for _, file := range sent.Files {
		ids = append(ids, file.FileID)
	}
	return append(ids, sent.FileIDs...)
}

// texts are files of these names.
func texts(names ...string) (files []assistants.VectorStoreFileUploadParams) {
	for _, name := range names {
		files = append(files, assistants.VectorStoreFileUploadParams{
			File: assistants.FileUploadParams{File: strings.NewReader("text of " + name), Filename: name}})
	}
	return files
}

// failuresIn are the failures of an error, which is one of a call.
func failuresIn(t *testing.T, err error) assistants.FileFailures {
	t.Helper()
	failures, ok := errors.AsType[assistants.FileFailures](err)
	require.True(t, ok, "%v", err)
	require.NotEmpty(t, failures)
	return failures
}

// accountFor holds that no file is lost: each is in the batch that was returned, or in the error, and each that was uploaded is
// there with its id.
func accountFor(t *testing.T, l *library, params assistants.FileBatchUploadParams, batch *assistants.FileBatch, err error) {
	t.Helper()
	at := map[int]assistants.FileFailure{}
	failures, _ := errors.AsType[assistants.FileFailures](err)
	assert.True(t, slices.IsSortedFunc(failures, func(a, b assistants.FileFailure) int { return a.Index - b.Index }), "%v", err)
	for _, failure := range failures {
		_, twice := at[failure.Index]
		assert.False(t, twice, "%d is there twice", failure.Index)
		require.Error(t, failure.Err)
		at[failure.Index] = failure
	}
	for i := range len(params.Files) + len(params.FileIDs) {
		name, id := "", ""
		if i < len(params.Files) {
			name = params.Files[i].File.Filename
			id = "file-" + name
		} else {
			id = params.FileIDs[i-len(params.Files)]
		}
		failure, has := at[i]
		inBatch := batch != nil && slices.Contains(l.addedIDs(), id)
		assert.True(t, has || inBatch, "%s is lost", id)
		if has {
			assert.Equal(t, name, failure.Name)
			if failure.FileID != "" {
				assert.Equal(t, id, failure.FileID)
			}
			require.ErrorIs(t, err, failure.Err)
		}
	}
}

var refused = answer(400, `{"error":{"message":"Files of this kind are not taken.","code":"unsupported_file"}}`)

func TestUploadAndPollFile(t *testing.T) {
	t.Parallel()
	const up, add, look = "POST /files a.txt", "POST /vector_stores/vs_1/files", "GET /vector_stores/vs_1/files/file-a.txt"
	failedFile := answer(200, aStoreFile("file-a.txt", "failed", why("invalid_file", "Empty.")))
	for name, test := range map[string]struct {
		library *library // nil: nothing goes wrong
		asked   string
		status  assistants.VectorStoreFileStatus // "": no file
		fileID  string                           // in the error
		is      error
		says    string
	}{
		"it works": {asked: up + ", " + add + ", " + look, status: "completed"},
		"it is no good": {library: &library{look: failedFile}, asked: up + ", " + add + ", " + look, status: "failed", fileID: "file-a.txt",
			says: `file "a.txt", uploaded as file-a.txt: invalid_file: Empty.`},
		"it is known": {library: &library{create: failedFile}, asked: up + ", " + add, status: "failed", fileID: "file-a.txt",
			says: "invalid_file: Empty."},
		"it is given up": {library: &library{look: answer(200, aStoreFile("file-a.txt", "cancelled"))}, asked: up + ", " + add + ", " + look,
			status: "cancelled", fileID: "file-a.txt", says: "file file-a.txt in vector store vs_1: cancelled"},
		"not uploaded": {library: &library{uploads: func(string) step { return refused }}, asked: up, is: assistants.ErrBadRequest,
			says: `file "a.txt" was not uploaded: assistants: POST /files: 400`},
		"not added": {library: &library{create: answer(404, `{"error":{"message":"No vector store."}}`)}, asked: up + ", " + add,
			fileID: "file-a.txt", is: assistants.ErrNotFound,
			says: `file "a.txt", uploaded as file-a.txt: assistants: POST /vector_stores/vs_1/files: 404`},
		"added, and not seen": {library: &library{look: answer(401, `{}`)}, asked: up + ", " + add + ", " + look,
			status: "in_progress", fileID: "file-a.txt", is: assistants.ErrUnauthorized, says: look + ": 401"},
		"added, and never done": {library: &library{look: answer(200, aStoreFile("file-a.txt", "in_progress"))},
			asked: up + ", " + add + ", " + look, status: "in_progress", fileID: "file-a.txt", is: context.DeadlineExceeded, says: look},
		"an upload that lasts": {library: &library{took: time.Minute}, asked: up, is: context.DeadlineExceeded, says: "not uploaded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				l := cmp.Or(test.library, &library{})
				file, err := newClient(t, l).VectorStoreFiles.UploadAndPoll(ctx, "vs_1", texts("a.txt")[0])
				assert.Equal(t, test.asked, strings.Join(l.asked, ", "))
				if test.status == "" {
					assert.Nil(t, file)
				} else {
					require.NotNil(t, file)
					assert.Equal(t, test.status, file.Status)
				}
				if test.says == "" {
					require.NoError(t, err)
					assert.JSONEq(t, `{"file_id":"file-a.txt"}`, l.added)
					require.NoError(t, file.Err())
					return
				}
				if test.is != nil {
					require.ErrorIs(t, err, test.is)
				} else {
					require.ErrorContains(t, err, file.Err().Error())
				}
				require.ErrorContains(t, err, test.says)
				failures := failuresIn(t, err)
				require.Len(t, failures, 1)
				assert.Equal(t, assistants.FileFailure{Name: "a.txt", FileID: test.fileID, Err: failures[0].Err}, failures[0])
			})
		})
	}
}

// A file goes with its settings, and options go with every call.
func TestUploadAndPollFileSettings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &library{}
		params := texts("a.txt")[0]
		params.ChunkingStrategy = &assistants.ChunkingStrategy{Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 100}}
		params.Attributes = assistants.Attributes{"year": assistants.AttributeOf(1927)}
		var told []int64
		params.File.Progress = func(sent, total int64) { told = append(told, sent, total) }
		start := time.Now()
		_, err := newClient(t, l).VectorStoreFiles.UploadAndPoll(t.Context(), "vs_1", params, assistants.WithHeader("X-Trace", "t"),
			assistants.WithPollInterval(3*time.Second), assistants.WithTimeout(time.Minute), assistants.WithMaxRetries(0))
		require.NoError(t, err)
		assert.JSONEq(t, `{"file_id":"file-a.txt","attributes":{"year":1927},
			"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":100,"chunk_overlap_tokens":0}}}`, l.added)
		assert.Equal(t, 3*time.Second, time.Since(start))
		require.Len(t, l.sent, 3)
		for _, r := range l.sent {
			assert.Equal(t, "t", r.Header.Get("X-Trace"))
		}
		const size = int64(len("text of a.txt"))
		require.NotEmpty(t, told)
		assert.Equal(t, []int64{size, size}, told[len(told)-2:])
	})
}

// What cannot work is an error before anything is sent.
func TestUploadAndPollRefuses(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(400, ""))
	c, ctx := newClient(t, tr), t.Context()
	one := func(id string, file assistants.VectorStoreFileUploadParams, opts ...assistants.RequestOption) error {
		added, err := c.VectorStoreFiles.UploadAndPoll(ctx, id, file, opts...)
		assert.Nil(t, added)
		return err
	}
	several := func(id string, params assistants.FileBatchUploadParams, opts ...assistants.RequestOption) error {
		batch, err := c.FileBatches.UploadAndPoll(ctx, id, params, opts...)
		assert.Nil(t, batch)
		return err
	}
	var resp assistants.Response
	for says, opt := range map[string]assistants.RequestOption{
		"WithIdempotencyKey: it belongs to one request, and this method sends several":          assistants.WithIdempotencyKey("key"),
		"WithHeader: Idempotency-Key: it belongs to one request, and this method sends several": assistants.WithHeader("idempotency-key", "key"),
		"WithResponse: it belongs to one request, and this method sends several":                assistants.WithResponse(&resp),
		"WithBodyField: it belongs to one request, and this method sends several":               assistants.WithBodyField("extra", 1),
		"WithCancelOnAbandon: this call neither polls nor streams a run":                        assistants.WithCancelOnAbandon(),
		"WithInclude: this call has nothing to include":                                         assistants.WithInclude("all"),
		"WithStreamIdleTimeout: this call is not streamed":                                      assistants.WithStreamIdleTimeout(1),
		"option 0 is nil": nil,
	} {
		require.EqualError(t, one("vs_1", texts("a")[0], opt), "assistants: POST /vector_stores/vs_1/files: "+says)
		require.EqualError(t, several("vs_1", assistants.FileBatchUploadParams{Files: texts("a")}, opt),
			"assistants: POST /vector_stores/vs_1/file_batches: "+says)
	}
	require.EqualError(t, one("", texts("a")[0]), "assistants: POST /vector_stores: an id in the path is empty")
	require.EqualError(t, several("..", assistants.FileBatchUploadParams{Files: texts("a")}), `assistants: POST /vector_stores: ".." is no id`)

	bad := texts("a", "b")
	bad[1].ChunkingStrategy = &assistants.ChunkingStrategy{Type: assistants.ChunkingStatic}
	require.EqualError(t, one("vs_1", bad[1]), `assistants: POST /vector_stores/vs_1/files: chunking strategy of type "static" has no sizes`)
	many := assistants.FileBatchUploadParams{Files: slices.Repeat(texts("a"), 1999), FileIDs: []string{"file-1", "file-2"}}
	for says, params := range map[string]assistants.FileBatchUploadParams{
		"file batch has no files":                                 {},
		"file batch has no files ":                                {Files: texts(), FileIDs: []string{}, Concurrency: 3},
		"file batch has 2001 files, more than 2000":               many,
		"the concurrency -1 is negative":                          {Files: texts("a"), Concurrency: -1},
		`file 1: chunking strategy of type "static" has no sizes`: {Files: bad},
	} {
		require.EqualError(t, several("vs_1", params), "assistants: POST /vector_stores/vs_1/file_batches: "+trimmed(says))
	}
	_, err := new(assistants.FileBatchesService).UploadAndPoll(ctx, "vs_1", assistants.FileBatchUploadParams{Files: texts("a")})
	require.ErrorContains(t, err, "NewClient")
	_, err = new(assistants.VectorStoreFilesService).UploadAndPoll(ctx, "vs_1", texts("a")[0])
	require.ErrorContains(t, err, "NewClient")
	assert.Empty(t, tr.requests())
}

// No more files are on their way at once than wanted, and their order stays.
func TestUploadAndPollConcurrency(t *testing.T) {
	t.Parallel()
	names := make([]string, 20)
	for i := range names {
		names[i] = fmt.Sprintf("%02d.txt", i)
	}
	for concurrency, most := range map[int]int{0: 8, 1: 1, 3: 3, 8: 8, 50: 20} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &library{took: time.Second}
				params := assistants.FileBatchUploadParams{Files: texts(names...), FileIDs: []string{"file-x", "file-y"}, Concurrency: concurrency}
				start := time.Now()
				batch, err := newClient(t, l).FileBatches.UploadAndPoll(t.Context(), "vs_1", params)
				require.NoError(t, err)
				assert.Equal(t, most, l.most)
				rounds := (len(names) + most - 1) / most
				assert.Equal(t, time.Duration(rounds)*time.Second+500*time.Millisecond, time.Since(start), "as many at once as wanted")
				accountFor(t, l, params, batch, err)
				assert.Equal(t, "file-"+strings.Join(names, " file-")+" file-x file-y", strings.Join(l.addedIDs(), " "))
			})
		})
	}
}

// Files go as ids where that says it all, which every server understands.
func TestUploadAndPollBody(t *testing.T) {
	t.Parallel()
	plain, set, described := texts("a", "b"), texts("a", "b"), texts("a", "b")
	plain[0].Attributes = assistants.Attributes{}
	set[1].ChunkingStrategy = &assistants.ChunkingStrategy{Type: assistants.ChunkingAuto}
	described[0].Attributes = assistants.Attributes{"k": assistants.AttributeOf(true)}
	for name, test := range map[string]struct {
		params assistants.FileBatchUploadParams
		body   string
	}{
		"files":          {assistants.FileBatchUploadParams{Files: plain}, `{"file_ids":["file-a","file-b"]}`},
		"ids":            {assistants.FileBatchUploadParams{FileIDs: []string{"file-x"}}, `{"file_ids":["file-x"]}`},
		"both":           {assistants.FileBatchUploadParams{Files: plain, FileIDs: []string{"file-x"}}, `{"file_ids":["file-a","file-b","file-x"]}`},
		"one with sizes": {assistants.FileBatchUploadParams{Files: set}, `{"files":[{"file_id":"file-a"},{"file_id":"file-b","chunking_strategy":{"type":"auto"}}]}`},
		"one with attributes, and ids": {assistants.FileBatchUploadParams{Files: described, FileIDs: []string{"file-x"}},
			`{"files":[{"file_id":"file-a","attributes":{"k":true}},{"file_id":"file-b"},{"file_id":"file-x"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &library{}
				test.params.Files = slices.Clone(test.params.Files)
				for i := range test.params.Files { // which other tests read as well
					test.params.Files[i].File.File = strings.NewReader("x")
				}
				test.params.Concurrency = 1
				batch, err := newClient(t, l).FileBatches.UploadAndPoll(t.Context(), "vs_1", test.params)
				require.NoError(t, err)
				assert.Equal(t, assistants.FileBatchCompleted, batch.Status)
				assert.JSONEq(t, test.body, l.added)
				accountFor(t, l, test.params, batch, err)
				var asked []string
				for _, file := range test.params.Files {
					asked = append(asked, "POST /files "+file.File.Filename)
				}
				asked = append(asked, "POST /vector_stores/vs_1/file_batches", "GET /vector_stores/vs_1/file_batches/vsfb_1")
				assert.Equal(t, asked, l.asked)
			})
		})
	}
}

// Whatever goes wrong, each file is in the batch or in the error.
func TestUploadAndPollFailures(t *testing.T) {
	t.Parallel()
	except := func(names ...string) func(string) step {
		return func(name string) step {
			if slices.Contains(names, name) {
				return refused
			}
			return nil
		}
	}
	bad := aStoreFile("file-b", "failed", why("unsupported_file", "No text in it."))
	given := aStoreFile("file-x", "cancelled")
	const up, batches = "POST /files ", "/vector_stores/vs_1/file_batches"
	const add, look, list = "POST " + batches, "GET " + batches + "/vsfb_1", "GET " + batches + "/vsfb_1/files?filter="
	for name, test := range map[string]struct {
		library *library // nil: nothing goes wrong
		ids     []string
		status  assistants.FileBatchStatus // "": no batch
		added   string
		failed  string // index, name and id of each
		is      []error
		says    string
		asked   string // behind the uploads
	}{
		"nothing": {ids: []string{"file-x"}, status: "completed", added: "file-a file-b file-c file-x", asked: add + ", " + look},
		"an upload": {library: &library{uploads: except("b")}, ids: []string{"file-x"}, status: "completed", added: "file-a file-c file-x",
			failed: "1 b ;", is: []error{assistants.ErrBadRequest}, asked: add + ", " + look,
			says: `file "b" was not uploaded: assistants: POST /files: 400`},
		"all uploads": {library: &library{uploads: except("a", "b", "c")}, failed: "0 a ;1 b ;2 c ;", is: []error{assistants.ErrBadRequest}},
		"all uploads, and ids": {library: &library{uploads: except("a", "b", "c")}, ids: []string{"file-x"}, status: "completed", added: "file-x",
			failed: "0 a ;1 b ;2 c ;", is: []error{assistants.ErrBadRequest}, asked: add + ", " + look},
		"the batch": {library: &library{create: answer(404, `{}`)}, ids: []string{"file-x"}, added: "file-a file-b file-c file-x",
			failed: "0 a file-a;1 b file-b;2 c file-c;3  file-x;", is: []error{assistants.ErrNotFound}, asked: add,
			says: `file "a", uploaded as file-a: assistants: POST ` + batches + `: 404`},
		"an upload and the batch": {library: &library{uploads: except("b"), create: answer(404, `{}`)}, added: "file-a file-c",
			failed: "0 a file-a;1 b ;2 c file-c;", is: []error{assistants.ErrNotFound, assistants.ErrBadRequest}, asked: add},
		"a look": {library: &library{look: answer(401, `{}`)}, status: "in_progress", added: "file-a file-b file-c",
			is: []error{assistants.ErrUnauthorized}, says: look + ": 401", asked: add + ", " + look},
		"an upload and a look": {library: &library{uploads: except("a"), look: answer(401, `{}`)}, status: "in_progress", added: "file-b file-c",
			failed: "0 a ;", is: []error{assistants.ErrUnauthorized, assistants.ErrBadRequest}, says: look + ": 401", asked: add + ", " + look},
		"a batch that is never done": {library: &library{uploads: except("c"), look: answer(200, aBatch("in_progress", 2))}, status: "in_progress",
			added: "file-a file-b", failed: "2 c ;", is: []error{context.DeadlineExceeded, assistants.ErrBadRequest}, asked: add + ", " + look},
		"uploads that last": {library: &library{took: time.Minute}, ids: []string{"file-x"}, failed: "0 a ;1 b ;2 c ;3  file-x;",
			is: []error{context.DeadlineExceeded}},
		"a file": {library: &library{failed: []string{bad}}, status: "completed", added: "file-a file-b file-c", failed: "1 b file-b;",
			says:  `file "b", uploaded as file-b: unsupported_file: No text in it.`,
			asked: add + ", " + look + ", " + list + "failed&limit=100&order=asc"},
		"files of all kinds": {library: &library{uploads: except("a"), failed: []string{bad}, cancelled: []string{given}}, ids: []string{"file-x"},
			status: "completed", added: "file-b file-c file-x", failed: "0 a ;1 b file-b;3  file-x;", is: []error{assistants.ErrBadRequest},
			asked: add + ", " + look + ", " + list + "failed&limit=100&order=asc, " + list + "cancelled&limit=100&order=asc"},
		"files, of a server without filters": {library: &library{failed: []string{bad}, cancelled: []string{given}, filterBlind: true}, ids: []string{"file-x"},
			status: "completed", added: "file-a file-b file-c file-x", failed: "1 b file-b;3  file-x;",
			asked: add + ", " + look + ", " + list + "failed&limit=100&order=asc, " + list + "cancelled&limit=100&order=asc"},
		"a file and the list": {library: &library{uploads: except("a"), failed: []string{bad}, list: answer(404, `{}`)}, status: "completed",
			added: "file-b file-c", failed: "0 a ;", is: []error{assistants.ErrNotFound, assistants.ErrBadRequest},
			asked: add + ", " + look + ", " + list + "failed&limit=100&order=asc"},
		"the list": {library: &library{failed: []string{bad}, list: answer(404, `{}`)}, status: "completed", added: "file-a file-b file-c",
			is: []error{assistants.ErrNotFound}, asked: add + ", " + look + ", " + list + "failed&limit=100&order=asc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				l := cmp.Or(test.library, &library{})
				params := assistants.FileBatchUploadParams{Files: texts("a", "b", "c"), FileIDs: test.ids}
				batch, err := newClient(t, l).FileBatches.UploadAndPoll(ctx, "vs_1", params)
				accountFor(t, l, params, batch, err)
				assert.Equal(t, test.status == "", batch == nil)
				if batch != nil {
					assert.Equal(t, test.status, batch.Status)
				}
				assert.Equal(t, test.added, strings.Join(l.addedIDs(), " "))
				assert.Equal(t, test.failed == "" && test.is == nil, err == nil, "%v", err)
				for _, is := range test.is {
					require.ErrorIs(t, err, is)
				}
				failed := ""
				if test.failed != "" {
					for _, f := range failuresIn(t, err) {
						failed += fmt.Sprintf("%d %s %s;", f.Index, f.Name, f.FileID)
					}
				}
				assert.Equal(t, test.failed, failed)
				if test.says != "" {
					require.ErrorContains(t, err, test.says)
				}
				require.GreaterOrEqual(t, len(l.asked), 3)
				slices.Sort(l.asked[:3])
				assert.Equal(t, []string{up + "a", up + "b", up + "c"}, l.asked[:3])
				assert.Equal(t, test.asked, strings.Join(l.asked[3:], ", "))
			})
		})
	}
}

// The service's own reason is there to be asked for, and shows no key.
func TestUploadAndPollReasons(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &library{failed: []string{aStoreFile("file-b", "failed", why("server_error", "The key "+testKey+" is no good."))}}
		_, err := newClient(t, l).FileBatches.UploadAndPoll(t.Context(), "vs_1", assistants.FileBatchUploadParams{Files: texts("a", "b")})
		reason, ok := errors.AsType[*assistants.VectorStoreFileError](err)
		require.True(t, ok)
		assert.Equal(t, "server_error", reason.Code)
		assert.NotContains(t, err.Error(), testKey)
	})
}

// A file that cannot be read is a failure of its own, under the name that it was given.
func TestUploadAndPollUnreadable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &library{}
		broken := errors.New("the disk is gone")
		files := texts("a")
		var told int64
		files[0].File.Progress = func(sent, _ int64) { told = sent }
		files = append(files,
			assistants.VectorStoreFileUploadParams{File: assistants.FileUploadParams{Path: filepath.Join(t.TempDir(), "gone.txt")}},
			assistants.VectorStoreFileUploadParams{},
			assistants.VectorStoreFileUploadParams{File: assistants.FileUploadParams{File: io.MultiReader(strings.NewReader("x"), unreadable{broken}), Filename: "broken.txt"}})
		batch, err := newClient(t, l).FileBatches.UploadAndPoll(t.Context(), "vs_1", assistants.FileBatchUploadParams{Files: files})
		require.NotNil(t, batch)
		assert.Equal(t, []string{"file-a"}, l.addedIDs())
		require.ErrorIs(t, err, broken)
		failures := failuresIn(t, err)
		require.Len(t, failures, 3)
		var names []string
		for i, f := range failures {
			assert.Equal(t, i+1, f.Index)
			assert.Empty(t, f.FileID)
			names = append(names, f.Name)
		}
		assert.Equal(t, []string{"gone.txt", "", "broken.txt"}, names)
		assert.EqualValues(t, len("text of a"), told)
	})
}

type unreadable struct{ err error }

func (f unreadable) Read([]byte) (int, error) { return 0, f.err }

// An error tells the first failures and how many there are; errors.Is and errors.As see all of them.
func TestFileFailures(t *testing.T) {
	t.Parallel()
	last := errors.New("last")
	failures := assistants.FileFailures{
		{Index: 0, Name: "a.txt", Err: errors.New("one")},
		{Index: 3, FileID: "file-d", Err: errors.New("two")},
		{Index: 4, Name: "e.txt", FileID: "file-e", Err: errors.New("three")},
	}
	const text = `file "a.txt" was not uploaded: one; file file-d: two; file "e.txt", uploaded as file-e: three`
	require.EqualError(t, failures, text)
	failures = append(failures, assistants.FileFailure{Index: 5, Name: "f.txt", Err: errors.New("four")}, assistants.FileFailure{Index: 6, Err: last})
	require.EqualError(t, failures, text+"; and 2 more")
	require.ErrorIs(t, failures, last)
	first, ok := errors.AsType[assistants.FileFailure](failures)
	require.True(t, ok)
	assert.Equal(t, "a.txt", first.Name)
}
