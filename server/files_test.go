package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/internal/logtest"
	"github.com/assistants-go/assistants/server"
)

// fileOf is how a file is answered.
func fileOf(id, purpose, name string, size int, at int64, expires string) string {
	return fmt.Sprintf(`{"object":"file","id":%s,"purpose":%s,"filename":%s,"bytes":%d,"created_at":%d,"expires_at":%s,`+
		`"status":"processed","status_details":null}`, quoted(id), quoted(purpose), quoted(name), size, at, expires)
}

func noSuchFile(id string) string {
	return envelope("No such File object: "+id, "invalid_request_error", "id", "")
}

func noFile(id string) string {
	return envelope("No file found with id '"+id+"'.", "invalid_request_error", "", "")
}

func TestFileLife(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	got := a.send("/v1/files", form(formField("purpose", "assistants"), formFile("file", "a.txt", "some content")))
	require.Equal(t, 200, got.status, got.body)
	want := fileOf("file_1", "assistants", "a.txt", 12, epoch, "null")
	require.Equal(t, want, got.body)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, want, a.ok("GET", "/v1/files/file_1", ""))
	require.Equal(t, `{"object":"list","data":[`+want+`],"has_more":false,"first_id":"file_1","last_id":"file_1"}`, a.ok("GET", "/v1/files", ""))

	got = a.do("GET", "/v1/files/file_1/content", "")
	require.Equal(t, 200, got.status)
	require.Equal(t, "some content", got.body)
	require.Equal(t, "application/octet-stream", got.header.Get("Content-Type"))
	require.Equal(t, "12", got.header.Get("Content-Length"))
	require.Equal(t, `attachment; filename=a.txt`, got.header.Get("Content-Disposition"))
	require.NotEmpty(t, got.header.Get("X-Request-Id"))

	blobs.has(t, "file_1")
	require.Equal(t, `{"object":"file","deleted":true,"id":"file_1"}`, a.ok("DELETE", "/v1/files/file_1", ""))
	blobs.has(t)
	for _, target := range []string{"/v1/files/file_1", "/v1/files/file_1/content", "/v1/files/fake_id"} {
		id := strings.Split(target, "/")[3]
		a.refuses("GET", target, "", 404, noSuchFile(id))
	}
	a.refuses("DELETE", "/v1/files/file_1", "", 404, noSuchFile("file_1"))
	require.Equal(t, `{"object":"list","data":[],"has_more":false,"first_id":null,"last_id":null}`, a.ok("GET", "/v1/files", ""))
}

// Neither files nor uploads need the beta header; everything else is as for all addresses.
func TestFilesInAllDialects(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.upload("a.txt", "x")
	for _, prefix := range []string{"/v1", "", "/openai", "/openai/v1", "/api/projects/p"} {
		for _, header := range []string{"OpenAI-Beta:", "OpenAI-Beta: assistants=v1"} {
			require.Equal(t, 200, a.do("GET", prefix+"/files/file_1", "", header).status, prefix)
			require.Equal(t, 400, a.do("POST", prefix+"/uploads", "{}", header).status, prefix)
		}
	}
	require.Equal(t, "GET, POST", a.do("PUT", "/v1/files", "").header.Get("Allow"))
	require.Equal(t, 405, a.do("POST", "/v1/files/file_1", "").status)
	require.Equal(t, 307, a.do("GET", "/v1/files/", "").status)
	require.Equal(t, 404, a.do("GET", "/v1/uploads/upload_1", "").status)

	// Nothing is read for somebody without a key.
	blobs := newCountedBlobs()
	keyed := newAPI(t, server.WithAPIKeys("k"), server.WithBlobs(blobs))
	r := httptest.NewRequest("POST", "/v1/files", iotest.ErrReader(errors.New("read")))
	r.Header.Set("Content-Type", "multipart/form-data; boundary="+formBoundary)
	w := httptest.NewRecorder()
	keyed.handler.ServeHTTP(w, r)
	require.Equal(t, 401, w.Code)
	blobs.has(t)
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	disposition := func(params string) string {
		return "Content-Disposition: form-data; name=\"file\"; " + params + "\r\n\r\nx"
	}
	for params, want := range map[string]string{
		`filename="a.txt"`:                        "a.txt",
		`filename=a.txt`:                          "a.txt",
		`filename="a b;c.txt"`:                    "a b;c.txt",
		`filename="a\"b.txt"`:                     `a"b.txt`,
		`filename="dir/a.txt"`:                    "a.txt",
		`filename="../../etc/passwd"`:             "passwd",
		`filename="C:\dir\a.txt"`:                 "a.txt",
		`filename="你好.txt"`:                       "你好.txt",
		`filename*=UTF-8''%e4%bd%a0%e5%a5%bd.txt`: "你好.txt",
		`filename="x.txt"; filename*=utf-8''%E4%BD%A0%2F%E5%A5%BD.t`: "好.t",
		`filename*=utf-8''a%0D%0Ab%00.txt`:                           "ab.txt",
		`filename*=utf-8''a%09b%7f%C2%85.txt`:                        "ab.txt",
		"filename=\"a\xffb.txt\"":                                    "a\uFFFDb.txt",
		"filename=\"\u202etxt.exe\"":                                 "\u202etxt.exe",
		`filename="` + strings.Repeat("ä", 512) + `"`:                strings.Repeat("ä", 512),
		`filename="..."`:                                             "...",
	} {
		got := a.send("/v1/files", form(disposition(params), formField("purpose", "user_data")))
		require.Equal(t, 200, got.status, params+got.body)
		require.Equal(t, want, field[string](t, got.body, "filename"), params)
		content := a.do("GET", "/v1/files/"+field[string](t, got.body, "id")+"/content", "")
		sent := content.header.Get("Content-Disposition")
		require.NotContains(t, sent, "\n")
		kind, back, err := mime.ParseMediaType(sent)
		require.NoError(t, err)
		require.Equal(t, "attachment", kind)
		require.Equal(t, want, back["filename"], sent)
	}
	for params, want := range map[string]string{
		`filename=""`:          "empty_string",
		`filename="a/"`:        "empty_string",
		`filename=".."`:        "empty_string",
		`filename="x/."`:       "empty_string",
		`filename="x\..\."`:    "empty_string",
		`filename*=utf-8''%01`: "empty_string",
		"size=1":               "empty_string",
		`filename*=utf-8''%0`:  "empty_string",
		`filename="` + strings.Repeat("ä", 513) + `"`: "string_above_max_length",
	} {
		got := a.send("/v1/files", form(disposition(params), formField("purpose", "user_data")))
		require.Equal(t, 400, got.status, params)
		require.Contains(t, got.body, `"param":"file","code":"`+want+`"`, params)
	}
}

func TestFileLists(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i, purpose := range []string{"assistants", "vision", "assistants", "batch", "assistants"} {
		got := a.send("/v1/files", form(formFile("file", strconv.Itoa(i), "x"), formField("purpose", purpose)))
		require.Equal(t, 200, got.status)
	}
	ids := func(query string) string {
		body := a.ok("GET", "/v1/files?"+query, "")
		var all []string
		for _, f := range field[[]jsonText](t, body, "data") {
			all = append(all, strings.TrimPrefix(field[string](t, string(f), "id"), "file_"))
		}
		return strings.Join(all, " ") + " " + strconv.FormatBool(field[bool](t, body, "has_more"))
	}
	for query, want := range map[string]string{
		"":                                     "5 4 3 2 1 false",
		"order=asc":                            "1 2 3 4 5 false",
		"limit=2":                              "5 4 true",
		"limit=2&after=file_4":                 "3 2 true",
		"limit=2&after=file_2":                 "1 false",
		"purpose=assistants":                   "5 3 1 false",
		"purpose=assistants&limit=1":           "5 true",
		"purpose=assistants&limit=1&order=asc": "1 true",
		"purpose=assistants&after=file_4":      "3 1 false",
		"purpose=other":                        " false",
		"limit=10000":                          "5 4 3 2 1 false",
		"before=file_3":                        "5 4 3 2 1 false",
	} {
		assert.Equal(t, want, ids(query), query)
	}
	a.refuses("GET", "/v1/files?limit=10001", "", 400, envelope("Invalid 'limit': integer above maximum value. "+
		"Expected a value <= 10000, but got 10001 instead.", "invalid_request_error", "limit", "integer_above_max_value"))
	a.refuses("GET", "/v1/files?after=file_9", "", 404, noFile("file_9"))
	a.ok("DELETE", "/v1/files/file_3", "")
	require.Equal(t, "2 1 false", ids("after=file_3"))
	// More than the store gives at once, and than other lists show by default.
	for range 230 {
		a.upload("x", "x")
	}
	require.Len(t, field[[]jsonText](t, a.ok("GET", "/v1/files", ""), "data"), 234)
	require.Len(t, field[[]jsonText](t, a.ok("GET", "/v1/files?limit=150", ""), "data"), 150)
}

func TestFilesExpire(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	memory := server.NewMemoryStore()
	a := newAPI(t, server.WithBlobs(blobs), server.WithStore(memory))
	expiring := func(seconds int) {
		got := a.send("/v1/files", form(formField("expires_after[anchor]", "created_at"), formFile("file", "a", "x"),
			formField("expires_after[seconds]", strconv.Itoa(seconds)), formField("purpose", "user_data")))
		require.Equal(t, 200, got.status, got.body)
		require.EqualValues(t, epoch+seconds, field[int64](t, got.body, "expires_at"))
	}
	expiring(2_592_000)
	expiring(3600)
	a.upload("b", "y")
	assistant := a.create(withCode("file_1", "file_2", "file_3"))
	blobs.has(t, "file_1", "file_2", "file_3")
	a.clock.move(3599 * time.Second)
	a.ok("GET", "/v1/files/file_2", "")
	a.clock.move(time.Second)
	a.refuses("POST", "/v1/assistants", withCode("file_2"), 404, noFile("file_2"))
	a.refuses("GET", "/v1/files/file_2", "", 404, noSuchFile("file_2"))
	blobs.has(t, "file_1", "file_3")
	require.Equal(t, []string{"file_1", "file_3"}, a.codeFiles("/v1/assistants/"+assistant))
	a.clock.move(2_592_000 * time.Second)
	require.Contains(t, a.ok("GET", "/v1/files", ""), `"first_id":"file_3","last_id":"file_3"`)
	blobs.has(t, "file_3")
	a.ok("DELETE", "/v1/files/file_3", "")
	require.Empty(t, dueIn(t, memory))
}

// A file that is deleted before its time leaves nothing to expire, and one that could not be deleted goes later.
func TestFileThatIsHardToDelete(t *testing.T) {
	t.Parallel()
	blobs, memory := &stubbornBlobs{Blobs: server.NewMemoryBlobs()}, server.NewMemoryStore()
	a := newAPI(t, server.WithBlobs(blobs), server.WithStore(memory))
	a.upload("a", "x")
	assistant := a.create(withCode("file_1"))
	blobs.stubborn = true
	require.Equal(t, 500, a.do("DELETE", "/v1/files/file_1", "").status)
	a.refuses("GET", "/v1/files/file_1", "", 404, noSuchFile("file_1"))
	require.Empty(t, a.codeFiles("/v1/assistants/"+assistant), "it is not there any more, whatever is left of it")
	require.Equal(t, "x", contentOf(t, blobs, "file_1"))
	require.Equal(t, 500, a.do("DELETE", "/v1/files/file_1", "").status)
	blobs.stubborn = false
	a.clock.move(time.Minute)
	a.ok("GET", "/v1/files", "")
	_, err := blobs.Open(t.Context(), "file_1")
	require.ErrorIs(t, err, server.ErrNotFound)
	a.refuses("DELETE", "/v1/files/file_1", "", 404, noSuchFile("file_1"))
	require.Empty(t, dueIn(t, memory))

	// Whoever asks again is told when it is done.
	a.upload("a", "x")
	blobs.stubborn = true
	require.Equal(t, 500, a.do("DELETE", "/v1/files/file_2", "").status)
	blobs.stubborn = false
	a.ok("DELETE", "/v1/files/file_2", "")
	a.refuses("DELETE", "/v1/files/file_2", "", 404, noSuchFile("file_2"))
	require.Empty(t, dueIn(t, memory))
}

type stubbornBlobs struct {
	server.Blobs
	stubborn bool
}

func (b *stubbornBlobs) Delete(ctx context.Context, id string) error {
	if b.stubborn {
		return errDisk
	}
	return b.Blobs.Delete(ctx, id)
}

// idleReader never returns anything.
type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

// Half of a file must not look like all of it.
func TestContentThatBreaks(t *testing.T) {
	t.Parallel()
	for name, reading := range map[string]func(io.Reader) io.Reader{
		"fails": func(r io.Reader) io.Reader {
			return io.MultiReader(io.LimitReader(r, 100_000), iotest.ErrReader(errDisk))
		},
		"short":  func(r io.Reader) io.Reader { return io.LimitReader(r, 100_000) },
		"absent": func(io.Reader) io.Reader { return strings.NewReader("") },
		"idle":   func(io.Reader) io.Reader { return idleReader{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobs := newCountedBlobs()
			log := new(logtest.Log)
			a := newAPI(t, server.WithBlobs(blobs), server.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
			a.upload("a", letters(200_000))
			served := httptest.NewServer(a.handler)
			defer served.Close()
			fetch := func() error {
				got, err := http.Get(served.URL + "/v1/files/file_1/content")
				if err != nil {
					return err
				}
				defer got.Body.Close()
				require.Equal(t, 200, got.StatusCode)
				content, err := io.ReadAll(got.Body)
				require.True(t, err != nil || string(content) == letters(200_000))
				return err
			}
			require.NoError(t, fetch())
			blobs.reading = reading
			require.Error(t, fetch())
			require.Contains(t, log.String(), "level=ERROR")
			blobs.reading = nil
			require.NoError(t, fetch())
			blobs.has(t, "file_1")
		})
	}
}

// boundBlobs read nothing when the context of Open has ended, as those over a network do.
type boundBlobs struct{ server.Blobs }

func (b boundBlobs) Open(ctx context.Context, id string) (io.ReadCloser, error) {
	content, err := b.Blobs.Open(ctx, id)
	return boundReader{content, ctx}, err
}

type boundReader struct {
	io.ReadCloser
	ctx context.Context
}

func (r boundReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.ReadCloser.Read(p)
}

// Whatever the server reads, it keeps the context as long.
func TestBlobsOverANetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		blobs, memory := boundBlobs{server.NewMemoryBlobs()}, server.NewMemoryStore()
		a := newAPI(t, server.WithBlobs(blobs), server.WithStore(memory))
		text := letters(300_000)
		a.upload("a.txt", text)
		require.Equal(t, text, a.ok("GET", "/v1/files/file_1/content", ""))
		upload := a.begun(len(text) + 3)
		first, second := a.part(upload, text), a.part(upload, "end")
		a.ok("POST", upload+"/complete", partIDs(first, second))
		require.Equal(t, text+"end", a.ok("GET", "/v1/files/file_2/content", ""))
		store := a.newStore("file_1")
		synctest.Wait()
		require.Equal(t, "completed", a.seeStore(store).Status)
		require.Contains(t, a.ok("GET", store+"/files/file_1/content", ""), text)
		again := newAPI(t, server.WithBlobs(blobs), server.WithStore(memory))
		require.NotEmpty(t, again.find(store, `{"query":"2023"}`), "it is read anew")
	})
}
