package server_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

const (
	notAForm   = "We could not parse the body of your request. Expected a form, of content type 'multipart/form-data' with a boundary."
	brokenForm = "We could not parse the form that is the body of your request. It is malformed, or its end is missing."
)

// No blob is left of a form that was refused, wherever it goes wrong.
func TestBadForms(t *testing.T) {
	t.Parallel()
	file, purpose := formFile("file", "a.txt", "content"), formField("purpose", "assistants")
	good := form(purpose, file)
	expires := func(fields ...string) string { return form(append([]string{file, purpose}, fields...)...) }
	anchor, seconds := formField("expires_after[anchor]", "created_at"), formField("expires_after[seconds]", "3600")
	fields := make([]string, 20)
	for i := range fields {
		fields[i] = formField("field"+strconv.Itoa(i), "x")
	}
	for name, test := range map[string]struct {
		header, body         string
		message, param, code string
	}{
		"no type":            {header: "Content-Type:", body: good, message: notAForm},
		"JSON":               {header: "Content-Type: application/json", body: `{"purpose":"assistants"}`, message: notAForm},
		"no boundary":        {header: "Content-Type: multipart/form-data", body: good, message: notAForm},
		"empty boundary":     {header: `Content-Type: multipart/form-data; boundary=""`, body: good, message: notAForm},
		"bad type":           {header: "Content-Type: multipart/form-data; boundary=a; boundary=b", body: good, message: notAForm},
		"other kind":         {header: "Content-Type: multipart/mixed; boundary=" + formBoundary, body: good, message: notAForm},
		"other boundary":     {header: "Content-Type: multipart/form-data; boundary=other", body: good, message: brokenForm},
		"nothing":            {body: "", message: brokenForm},
		"no form":            {body: "hello", message: brokenForm},
		"cut in the head":    {body: good[:30], message: brokenForm},
		"cut in the file":    {body: good[:len(good)-30], message: brokenForm},
		"cut at the end":     {body: good[:len(good)-4], message: brokenForm},
		"cut field":          {body: form(file, purpose)[:len(good)-24], message: brokenForm},
		"no name":            {body: form("Content-Disposition: form-data\r\n\r\nx", file), message: brokenForm},
		"empty name":         {body: form(file, formField("", "x")), message: brokenForm},
		"no disposition":     {body: form(file, "Content-Type: text/plain\r\n\r\nx"), message: brokenForm},
		"bad disposition":    {body: form(file, "Content-Disposition: form-data; name=a; name=b\r\n\r\nx"), message: brokenForm},
		"bad head":           {body: form(file, "Content Disposition\r\n\r\nx"), message: brokenForm},
		"no fields":          {body: form(), message: "Missing required parameter: 'purpose'.", param: "purpose", code: "missing_required_parameter"},
		"no purpose":         {body: form(file), message: "Missing required parameter: 'purpose'.", param: "purpose", code: "missing_required_parameter"},
		"no file":            {body: form(purpose), message: "Missing required parameter: 'file'.", param: "file", code: "missing_required_parameter"},
		"unknown field":      {body: form(file, purpose, formField("mode", "x")), message: "Unknown parameter: 'mode'.", param: "mode", code: "unknown_parameter"},
		"unknown file":       {body: form(file, purpose, formFile("other", "b", "x")), message: "Unknown parameter: 'other'.", param: "other", code: "unknown_parameter"},
		"unknown first":      {body: form(formField("mode", "x"), file), message: "Unknown parameter: 'mode'.", param: "mode", code: "unknown_parameter"},
		"file twice":         {body: form(file, purpose, file), message: "Duplicate parameter: 'file'.", param: "file"},
		"purpose twice":      {body: form(file, purpose, purpose), message: "Duplicate parameter: 'purpose'.", param: "purpose"},
		"expiry twice":       {body: expires(formField("expires_after", "x"), anchor), message: "Duplicate parameter: 'expires_after'.", param: "expires_after"},
		"long field":         {body: form(file, formField("purpose", strings.Repeat("x", 64<<10+1))), message: "Invalid 'purpose': too large. Expected at most 65536 bytes.", param: "purpose"},
		"many fields":        {body: form(append(fields, file)...), message: "Invalid form: too many fields. Expected at most 16."},
		"empty file":         {body: form(purpose, formFile("file", "a", "")), message: "Invalid 'file': the file is empty.", param: "file"},
		"purpose":            {body: form(file, formField("purpose", "world_domination")), message: "'world_domination' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'", param: "purpose"},
		"output":             {body: form(file, formField("purpose", "assistants_output")), message: "'assistants_output' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'", param: "purpose"},
		"no seconds":         {body: expires(anchor), message: "Missing required parameter: 'expires_after.seconds'.", param: "expires_after.seconds", code: "missing_required_parameter"},
		"no anchor":          {body: expires(seconds), message: "Missing required parameter: 'expires_after.anchor'.", param: "expires_after.anchor", code: "missing_required_parameter"},
		"other anchor":       {body: expires(seconds, formField("expires_after[anchor]", "now")), message: "Invalid value: 'now'. Value must be 'created_at'.", param: "expires_after.anchor", code: "invalid_value"},
		"words":              {body: expires(anchor, formField("expires_after[seconds]", "1h")), message: "Invalid type for 'expires_after.seconds': expected an integer, but got a string instead.", param: "expires_after.seconds", code: "invalid_type"},
		"too soon":           {body: expires(anchor, formField("expires_after[seconds]", "3599")), message: "Invalid 'expires_after.seconds': integer below minimum value. Expected a value >= 3600, but got 3599 instead.", param: "expires_after.seconds", code: "integer_below_min_value"},
		"too late":           {body: expires(anchor, formField("expires_after[seconds]", "2592001")), message: "Invalid 'expires_after.seconds': integer above maximum value. Expected a value <= 2592000, but got 2592001 instead.", param: "expires_after.seconds", code: "integer_above_max_value"},
		"unknown in expiry":  {body: expires(anchor, seconds, formField("expires_after[x]", "1")), message: "Unknown parameter: 'expires_after.x'.", param: "expires_after.x", code: "unknown_parameter"},
		"expiry of no kind":  {body: expires(formField("expires_after", "3600")), message: "Invalid type for 'expires_after': expected an object, but got a string instead.", param: "expires_after", code: "invalid_type"},
		"unknown in unknown": {body: form(file, purpose, formField("a[b][c]", "x")), message: "Unknown parameter: 'a'.", param: "a", code: "unknown_parameter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blobs, memory := newCountedBlobs(), server.NewMemoryStore()
			a := newAPI(t, server.WithBlobs(blobs), server.WithStore(memory))
			for _, key := range []string{"", "k"} {
				got := a.send("/v1/files", test.body, "Idempotency-Key: "+key, cmp.Or(test.header, formType))
				assert.Equal(t, 400, got.status)
				assert.Equal(t, envelope(test.message, "invalid_request_error", test.param, test.code), got.body)
			}
			blobs.has(t)
			require.LessOrEqual(t, memory.Collections(), 1)
			require.Empty(t, dueIn(t, memory))
			require.Equal(t, 200, a.send("/v1/files", good, "Idempotency-Key: k").status)
		})
	}
}

// A form that is cut off is refused, wherever that is.
func TestFormsCutOff(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	body := form(formField("purpose", "assistants"), formFile("file", "a.txt", "a\r\nb"), formField("expires_after[anchor]", "created_at"))
	for at := range len(body) - len("\r\n") {
		got := a.send("/v1/files", body[:at])
		require.Equal(t, envelope(brokenForm, "invalid_request_error", "", ""), got.body, at)
		require.Equal(t, 400, got.status)
	}
	blobs.has(t)
}

// A form may be written in all ways that are allowed.
func TestGoodForms(t *testing.T) {
	t.Parallel()
	file, purpose := formFile("file", "a.txt", "some\r\ncontent"), formField("purpose", "assistants")
	for name, body := range map[string]string{
		"field first":  form(purpose, file),
		"file first":   form(file, purpose),
		"preamble":     "This is a form.\r\n" + form(purpose, file),
		"epilogue":     form(purpose, file) + "That was a form.",
		"no last line": strings.TrimSuffix(form(purpose, file), "\r\n"),
		"no type":      form(purpose, strings.Replace(file, "Content-Type: application/octet-stream\r\n", "", 1)),
		"no quotes":    form(strings.ReplaceAll(purpose, `"`, ""), strings.ReplaceAll(file, `"`, "")),
		"small letters": form(strings.ToLower(purpose),
			strings.Replace(file, "Content-Disposition", "content-disposition", 1)),
		"encoding that is none": form(purpose, strings.Replace(file, "Content-Type", "Content-Transfer-Encoding: quoted-printable\r\nX", 1)),
	} {
		a := newAPI(t)
		got := a.send("/v1/files", body)
		require.Equal(t, 200, got.status, name+got.body)
		require.Equal(t, fileOf("file_1", "assistants", "a.txt", 13, epoch, "null"), got.body, name)
		require.Equal(t, "some\r\ncontent", a.ok("GET", "/v1/files/file_1/content", ""), name)
	}
}

// sloppyBlobs keep what they say they could not.
type sloppyBlobs struct{ *countedBlobs }

func (b *sloppyBlobs) Put(ctx context.Context, id string, content io.Reader) (int64, error) {
	_, err := b.countedBlobs.Put(ctx, id, content)
	return 0, errors.Join(err, errDisk)
}

// zeros is a file that never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// voidBlobs keep nothing but how many bytes they have got.
type voidBlobs struct {
	server.Blobs
	read int64
}

func (b *voidBlobs) Put(_ context.Context, _ string, content io.Reader) (int64, error) {
	size, err := io.Copy(struct{ io.Writer }{io.Discard}, content)
	b.read += size
	return size, err
}

func (b *voidBlobs) Delete(context.Context, string) error { return server.ErrNotFound }

// A file may have 512 MiB unless it is said otherwise; of one that says that it has more nothing is read.
func TestDefaultFileLimit(t *testing.T) {
	t.Parallel()
	const limit = 512 << 20
	blobs := &voidBlobs{}
	a := newAPI(t, server.WithBlobs(blobs))
	head, tail, _ := strings.Cut(form(formField("purpose", "assistants"), formFile("file", "a", "|")), "|")
	upload := func(size, announced int64) *httptest.ResponseRecorder {
		body := io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, size), strings.NewReader(tail))
		r := httptest.NewRequest("POST", "/v1/files", body)
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+formBoundary)
		r.ContentLength = announced
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		return w
	}
	tooLarge := envelope("Invalid 'file': file too large. Expected at most 536870912 bytes.", "invalid_request_error", "file", "")
	for _, got := range []*httptest.ResponseRecorder{upload(limit+1, -1), upload(0, limit+5<<20)} {
		require.Equal(t, 413, got.Code)
		require.Equal(t, tooLarge, got.Body.String())
	}
	require.Equal(t, limit, int(blobs.read))
}

// A connection on which more or less comes than was announced gets an answer, and nothing is left of the form.
func TestFormsOfAnotherLength(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	served := httptest.NewServer(a.handler)
	defer served.Close()
	body := form(formField("purpose", "assistants"), formFile("file", "a", letters(100_000)))
	for _, announced := range []int{0, 1, 100, len(body) / 2, len(body) - 5, len(body) + 1, 2 * len(body)} {
		connection, err := net.Dial("tcp", served.Listener.Addr().String())
		require.NoError(t, err)
		group := sync.WaitGroup{}
		group.Go(func() { // the server may have hung up
			_, _ = fmt.Fprintf(connection, "POST /v1/files HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: %d\r\n\r\n%s", formType, announced, body)
			_ = connection.(*net.TCPConn).CloseWrite()
		})
		got, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if announced > len(body) { // what was there was whole, but the end of the body is not known
			require.NoError(t, err)
			require.Contains(t, []int{200, 400}, got.StatusCode)
		} else if err == nil { // it is not if the rest of the body is in the answer's way
			require.Equal(t, 400, got.StatusCode, announced)
		}
		group.Wait()
		require.NoError(t, connection.Close())
	}
	served.Close()
	blobs.has(t, a.ids("/v1/files")...)
}

// Exactly as much as may be passes, and one byte more does not.
func TestFileLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 100, 5000, 1 << 20} {
		blobs := newCountedBlobs()
		a := newAPI(t, server.WithBlobs(blobs), server.WithMaxFileBytes(int64(limit)), server.WithMaxBodyBytes(10))
		tooLarge := envelope(fmt.Sprintf("Invalid 'file': file too large. Expected at most %d bytes.", limit), "invalid_request_error", "file", "")
		upload := func(size int) answer {
			return a.send("/v1/files", form(formFile("file", "a", letters(size)), formField("purpose", "batch")))
		}
		require.Equal(t, 200, upload(limit).status)
		got := upload(limit + 1)
		require.Equal(t, 413, got.status)
		require.Equal(t, tooLarge, got.body)
		got = upload(limit + 8<<20)
		require.Equal(t, 413, got.status)
		require.Equal(t, tooLarge, got.body)
		blobs.has(t, "file_1")

		// What is around the file has its limit too.
		r := httptest.NewRequest("POST", "/v1/files", io.MultiReader(strings.NewReader(form()), strings.NewReader(strings.Repeat(" ", limit+8<<20))))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=other")
		r.ContentLength = -1
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		require.Contains(t, []int{400, 413}, w.Code)
	}
}

// A connection that breaks, and a disk that is full, leave nothing behind.
func TestUploadThatBreaks(t *testing.T) {
	t.Parallel()
	body := form(formField("purpose", "assistants"), formFile("file", "a", letters(100_000)))
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	for at := 0; at < len(body); at += 9_973 {
		r := httptest.NewRequest("POST", "/v1/files", io.MultiReader(strings.NewReader(body[:at]), iotest.ErrReader(errors.New("reset"))))
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+formBoundary)
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		require.Equal(t, 400, w.Code)
		require.Equal(t, envelope(brokenForm, "invalid_request_error", "", ""), w.Body.String())
		blobs.has(t)
	}
	for _, test := range []func(string, io.Reader) error{
		func(string, io.Reader) error { return errDisk },
		func(_ string, content io.Reader) error { _, _ = io.CopyN(io.Discard, content, 10); return errDisk },
		func(string, io.Reader) error { return server.ErrExists },
		func(string, io.Reader) error { panic("disk") },
	} {
		blobs.putting = test
		require.Equal(t, 500, a.send("/v1/files", body).status)
		blobs.has(t)
	}
	blobs.putting = nil

	// Nor does a Put that has kept something in spite of its error.
	sloppy := &sloppyBlobs{newCountedBlobs()}
	a = newAPI(t, server.WithBlobs(sloppy))
	require.Equal(t, 500, a.send("/v1/files", body).status)
	sloppy.has(t)

	// Nor does a store that fails, or panics, at any of its calls.
	store := &brittleStore{Store: server.NewMemoryStore()}
	blobs = newCountedBlobs()
	a = newAPI(t, server.WithBlobs(blobs), server.WithStore(store))
	body = form(formField("purpose", "assistants"), formFile("file", "a", "x"),
		formField("expires_after[anchor]", "created_at"), formField("expires_after[seconds]", "3600"))
	for at := 1; at < 50; at++ { // the first call is that of the sweep, which nobody waits for
		store.fail(fault{from: at, to: at + 1})
		got := a.send("/v1/files", body)
		if store.fail(fault{}); got.status == 200 {
			require.Greater(t, at, 2)
			return
		}
		require.Equal(t, 500, got.status)
		blobs.has(t)
		a.clock.move(time.Second)
		require.Contains(t, a.ok("GET", "/v1/files", ""), `"data":[]`)
	}
}

func TestRepeatedUploads(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	file, purpose := formFile("file", "a.txt", "content"), formField("purpose", "assistants")
	other := strings.NewReplacer(formBoundary, "other")
	const key = "Idempotency-Key: k"
	first := a.send("/v1/files", form(purpose, file), key)
	require.Equal(t, 200, first.status)
	for _, again := range []answer{
		a.send("/v1/files", form(purpose, file), key),
		a.send("/v1/files", form(file, purpose), key),
		a.send("/v1/files", other.Replace(form(file, purpose)), key, other.Replace(formType)),
	} {
		require.Equal(t, 200, again.status)
		require.Equal(t, first.body, again.body)
		require.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
		blobs.has(t, "file_1")
	}
	for _, body := range []string{
		form(purpose, formFile("file", "a.txt", "Content")), form(purpose, formFile("file", "b.txt", "content")),
		form(formField("purpose", "vision"), file), form(purpose, formField("file", "content")), form(purpose),
	} {
		require.Equal(t, 422, a.send("/v1/files", body, key).status, body)
		blobs.has(t, "file_1")
	}
	// A refusal does not use up its key.
	require.Equal(t, 400, a.send("/v1/files", form(file), "Idempotency-Key: l").status)
	require.Equal(t, 200, a.send("/v1/files", form(file, purpose), "Idempotency-Key: l").status)
	require.Len(t, a.ids("/v1/files"), 2)
}

// Of several uploads at once with one key, one makes a file.
func TestRepeatedUploadsAtOnce(t *testing.T) {
	t.Parallel()
	blobs := newCountedBlobs()
	a := newAPI(t, server.WithBlobs(blobs))
	body := form(formField("purpose", "assistants"), formFile("file", "a", letters(50_000)))
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			assert.Contains(t, []int{200, 409}, a.send("/v1/files", body, "Idempotency-Key: k").status)
		})
	}
	group.Wait()
	blobs.has(t, a.ids("/v1/files")...)
	require.Len(t, a.ids("/v1/files"), 1)
}

// FuzzUpload sends any body as a form: the server answers, and there are as many blobs as files.
func FuzzUpload(f *testing.F) {
	file, purpose := formFile("file", "a.txt", "content"), formField("purpose", "assistants")
	for _, body := range []string{
		form(file, purpose), form(purpose, file), form(file), form(purpose), form(file, file), form(purpose, file)[:100], "", "--" + formBoundary,
		form(purpose, formFile("file", `..\..`, "x")), form(purpose, formFile("data", "", "x")), form(formFile("data", "", "x")), form(formField("a[b]", "1")),
		form(purpose, file, formField("expires_after[anchor]", "created_at"), formField("expires_after[seconds]", "3600")),
		form(purpose, "Content-Disposition: form-data; name=file; filename*=utf-8''%ff\r\n\r\nx"),
	} {
		f.Add(body, formBoundary, true)
	}
	f.Fuzz(func(t *testing.T, body, boundary string, whole bool) {
		blobs := newCountedBlobs()
		a := newAPI(t, server.WithBlobs(blobs), server.WithMaxFileBytes(64))
		upload := a.made("/v1/uploads", `{"filename":"a","purpose":"vision","bytes":1,"mime_type":"x"}`)
		for _, target := range []string{"/v1/files", "/v1/uploads/" + upload + "/parts"} {
			r := httptest.NewRequest("POST", target, strings.NewReader(body))
			r.Header.Set("Content-Type", "multipart/form-data; boundary="+strconv.Quote(boundary))
			if !whole {
				r.Header.Set("Idempotency-Key", target)
				r.ContentLength = -1
			}
			w := httptest.NewRecorder()
			a.handler.ServeHTTP(w, r)
			require.Contains(t, []int{200, 400, 413}, w.Code, w.Body.String())
			if w.Code != 200 {
				require.NotEmpty(t, field[map[string]any](t, w.Body.String(), "error")["message"])
			}
		}
		files := a.ids("/v1/files")
		require.Empty(t, a.do("POST", "/v1/uploads/"+upload+"/cancel", "").header.Get("Allow"))
		blobs.has(t, files...)
		for _, id := range files {
			_ = a.ok("GET", "/v1/files/"+id+"/content", "")
			a.ok("DELETE", "/v1/files/"+id, "")
		}
		blobs.has(t)
	})
}
