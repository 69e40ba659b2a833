package assistants_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// An uploadServer takes uploads in parts.
type uploadServer struct {
	t    testing.TB
	part func(w http.ResponseWriter, r *http.Request, content string) (done bool) // nil: every part is taken

	mu       sync.Mutex
	creates  []string
	parts    map[string]string // by id
	sent     []string          // contents, in order of arrival
	complete func(w http.ResponseWriter) bool
}

func (s *uploadServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/uploads":
		body, err := io.ReadAll(r.Body)
		assert.NoError(s.t, err)
		s.mu.Lock()
		s.creates = append(s.creates, string(body))
		s.mu.Unlock()
		io.WriteString(w, uploadJSON("pending"))
	case "POST /v1/uploads/upload_1/parts":
		s.addPart(w, r)
	case "POST /v1/uploads/upload_1/complete":
		s.put(w, r)
	default:
		assert.Fail(s.t, "an unknown request", r.Method+" "+r.URL.Path)
	}
}

func (s *uploadServer) addPart(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	form := parseForm(s.t, r.Header.Get("Content-Type"), string(body))
	assert.Equal(s.t, "data", form.key)
	if s.part != nil && s.part(w, r, form.file) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parts == nil {
		s.parts = map[string]string{}
	}
	id := fmt.Sprint("part_", len(s.parts))
	s.parts[id] = form.file
	s.sent = append(s.sent, form.file)
	fmt.Fprintf(w, `{"id":%q,"object":"upload.part","upload_id":"upload_1"}`, id)
}

func (s *uploadServer) put(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.complete != nil && s.complete(w) {
		return
	}
	var params struct {
		PartIDs []string `json:"part_ids"`
		MD5     string   `json:"md5"`
	}
	assert.NoError(s.t, json.NewDecoder(r.Body).Decode(&params))
	all := ""
	for _, id := range params.PartIDs {
		all += s.parts[id]
	}
	if sum := md5.Sum([]byte(all)); params.MD5 != hex.EncodeToString(sum[:]) {
		w.WriteHeader(400)
		io.WriteString(w, `{"error":{"message":"the checksum is another"}}`)
		return
	}
	quoted, _ := json.Marshal(all)
	io.WriteString(w, uploadJSON("completed", `"file":{"id":"file-1","object":"file","status_details":`+string(quoted)+`}`))
}

// large uploads and returns what the server has put together.
func large(ctx context.Context, c *assistants.Client, params assistants.UploadLargeParams, opts ...assistants.RequestOption) (string, error) {
	file, err := c.Uploads.UploadLarge(ctx, params, opts...)
	if err != nil {
		return "", err
	}
	return file.StatusDetails, nil
}

const ten = "0123456789"

func TestUploadLarge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ten.txt")
	require.NoError(t, os.WriteFile(path, []byte(ten), 0o644))
	half := open(t, path)
	_, err := half.Seek(5, io.SeekStart)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		file     assistants.FileUploadParams
		partSize int64
		parts    []string // in any order unless they are sent in order
		inOrder  bool
	}{
		"path":                    {assistants.FileUploadParams{Path: path}, 4, []string{"0123", "4567", "89"}, false},
		"ReaderAt":                {assistants.FileUploadParams{File: strings.NewReader(ten)}, 5, []string{"01234", "56789"}, false},
		"open file in its middle": {assistants.FileUploadParams{File: half}, 2, []string{"56", "78", "9"}, false},
		"reader with Size":        {assistants.FileUploadParams{File: onlyReader{strings.NewReader(ten)}, Size: 10}, 3, []string{"012", "345", "678", "9"}, true},
		"what seeks":              {assistants.FileUploadParams{File: onlySeeker{strings.NewReader(ten)}}, 3, []string{"012", "345", "678", "9"}, true},
		"a buffer":                {assistants.FileUploadParams{File: bytes.NewBufferString(ten)}, 10, []string{ten}, true},
		"one part":                {assistants.FileUploadParams{Path: path}, 0, []string{ten}, true},
		"single bytes":            {assistants.FileUploadParams{Path: path}, 1, strings.Split(ten, ""), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := &uploadServer{t: t}
			test.file.Filename = "ten.txt"
			test.file.ExpiresAfter = &assistants.FileExpiration{Seconds: 3600}
			var progress []int64
			test.file.Progress = func(sent, total int64) {
				assert.EqualValues(t, len(strings.Join(test.parts, "")), total)
				progress = append(progress, sent)
			}
			got, err := large(t.Context(), connected(t, srv.ServeHTTP), assistants.UploadLargeParams{File: test.file, PartSize: test.partSize})
			require.NoError(t, err)
			all := strings.Join(test.parts, "")
			assert.Equal(t, all, got)
			if test.inOrder {
				assert.Equal(t, test.parts, srv.sent)
			} else {
				assert.ElementsMatch(t, test.parts, srv.sent)
			}
			require.Len(t, srv.creates, 1)
			assert.JSONEq(t, fmt.Sprintf(`{"filename":"ten.txt","purpose":"assistants","bytes":%d,"mime_type": "text/plain",
				"expires_after":{"anchor":"created_at","seconds":3600}}`, len(all)), srv.creates[0])
			assert.IsIncreasing(t, append([]int64{0}, progress...))
			assert.EqualValues(t, len(all), progress[len(progress)-1])
		})
	}
}

// As many parts as allowed are on their way at once, and no more.
func TestUploadLargeConcurrency(t *testing.T) {
	t.Parallel()
	for concurrency, want := range map[int]int32{0: 4, 1: 1, 3: 3} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var now atomic.Int32
				release := make(chan struct{})
				srv := &uploadServer{t: t, part: func(http.ResponseWriter, *http.Request, string) bool {
					now.Add(1)
					<-release
					now.Add(-1)
					return false
				}}
				client := inProcess(t, srv.ServeHTTP)
				go func() {
					for range ten {
						synctest.Wait()
						assert.LessOrEqual(t, now.Load(), want)
						assert.True(t, now.Load() == want || int(now.Load()) == len(ten)-len(srv.sent))
						release <- struct{}{}
					}
				}()
				got, err := large(t.Context(), client, assistants.UploadLargeParams{
					File: assistants.FileUploadParams{File: strings.NewReader(ten), Filename: "f"}, PartSize: 1, Concurrency: concurrency,
				})
				require.NoError(t, err)
				assert.Equal(t, ten, got)
			})
		})
	}
}

// failing refuses a part so many times with a status.
func failing(content string, status int, times int32) func(http.ResponseWriter, *http.Request, string) bool {
	var count atomic.Int32
	return func(w http.ResponseWriter, _ *http.Request, got string) bool {
		if got != content || count.Add(1) > times {
			return false
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		return true
	}
}

// An interrupted upload goes on with what is missing, also from what was written down of it.
func TestUploadLargeResume(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]func() io.Reader{
		"at once":  func() io.Reader { return strings.NewReader(ten) },
		"in order": func() io.Reader { return onlyReader{strings.NewReader(ten)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := &uploadServer{t: t, part: failing("45", 401, 1)}
			client := connected(t, srv.ServeHTTP)
			params := assistants.UploadLargeParams{
				File: assistants.FileUploadParams{File: file(), Filename: "f", Size: 10}, PartSize: 2, Concurrency: 1,
			}
			_, err := large(t.Context(), client, params)
			require.ErrorIs(t, err, assistants.ErrUnauthorized)
			var interrupted *assistants.UploadInterruptedError
			require.ErrorAs(t, err, &interrupted)
			const text = "upload upload_1 was interrupted with 2 of 5 parts there: assistants: POST /uploads/upload_1/parts: 401"
			assert.True(t, strings.HasPrefix(err.Error(), text), err)
			assert.Equal(t, []string{"01", "23"}, srv.sent)

			kept, err := json.Marshal(interrupted.Progress)
			require.NoError(t, err)
			assert.JSONEq(t, `{"upload_id":"upload_1","part_size":2,"part_ids":["part_0","part_1","","",""]}`, string(kept))
			params.Resume = new(assistants.UploadProgress)
			require.NoError(t, json.Unmarshal(kept, params.Resume))
			params.PartSize = 7 // that of the upload counts
			var progress []int64
			params.File.Progress = func(sent, _ int64) { progress = append(progress, sent) }

			changed := params
			changed.File.File = strings.NewReader("x" + ten[1:])
			other := &uploadServer{t: t, parts: map[string]string{"part_0": "01", "part_1": "23"}}
			_, err = large(t.Context(), connected(t, other.ServeHTTP), changed)
			require.ErrorContains(t, err, "the checksum is another")

			params.File.File = file()
			progress = nil
			got, err := large(t.Context(), client, params)
			require.NoError(t, err)
			assert.Equal(t, ten, got)
			assert.Equal(t, []string{"01", "23", "45", "67", "89"}, srv.sent)
			assert.Len(t, srv.creates, 1)
			assert.Equal(t, []int64{6, 8, 10}, progress, "what is there already counts")
			assert.Equal(t, []string{"part_0", "part_1", "", "", ""}, params.Resume.PartIDs) // the caller's
		})
	}
}

func TestUploadLargeRefused(t *testing.T) {
	t.Parallel()
	file := func(r io.Reader) assistants.UploadLargeParams {
		return assistants.UploadLargeParams{File: assistants.FileUploadParams{File: r, Filename: "f"}}
	}
	with := func(change func(*assistants.UploadLargeParams)) assistants.UploadLargeParams {
		params := file(strings.NewReader(ten))
		change(&params)
		return params
	}
	resume := func(p assistants.UploadProgress) assistants.UploadLargeParams {
		return with(func(params *assistants.UploadLargeParams) { params.Resume = &p })
	}
	endlessly := file(onlyReader{strings.NewReader(ten)})
	endlessly.File.Size = 1 << 60
	absurd := endlessly
	absurd.File.Size++
	every := []assistants.RequestOption{assistants.WithPollInterval(time.Second)}
	var resp assistants.Response
	for name, test := range map[string]struct {
		params assistants.UploadLargeParams
		opts   []assistants.RequestOption
		says   string
	}{
		"no file":            {assistants.UploadLargeParams{}, nil, "neither File nor Path"},
		"empty":              {file(strings.NewReader("")), nil, "the file is empty"},
		"of an unknown size": {file(onlyReader{strings.NewReader(ten)}), nil, "Size is 0"},
		"large parts":        {with(func(p *assistants.UploadLargeParams) { p.PartSize = 64<<20 + 1 }), nil, "parts of 67108865 bytes"},
		"negative parts":     {with(func(p *assistants.UploadLargeParams) { p.PartSize = -1 }), nil, "parts of -1 bytes"},
		"nobody sends":       {with(func(p *assistants.UploadLargeParams) { p.Concurrency = -1 }), nil, "concurrency -1 is negative"},
		"no type":            {with(func(p *assistants.UploadLargeParams) { p.File.ContentType = "\n" }), nil, "content type"},
		"too many parts":     {endlessly, nil, "17179869184 parts"},
		"an absurd size":     {absurd, nil, "the Size 1152921504606846977 is none"},
		"no upload":          {resume(assistants.UploadProgress{PartSize: 10, PartIDs: []string{""}}), nil, "cannot go on"},
		"too few to resume":  {resume(assistants.UploadProgress{UploadID: "u", PartSize: 4, PartIDs: []string{"", ""}}), nil, "it has 2 parts of 4 bytes"},
		"parts of nothing":   {resume(assistants.UploadProgress{UploadID: "u", PartIDs: []string{""}}), nil, "it has 1 parts of 0 bytes"},
		"a key":              {file(strings.NewReader(ten)), []assistants.RequestOption{assistants.WithIdempotencyKey("k")}, "WithIdempotencyKey: it belongs to one request"},
		"a response":         {file(strings.NewReader(ten)), []assistants.RequestOption{assistants.WithResponse(&resp)}, "WithResponse: it belongs to one request"},
		"an interval":        {file(strings.NewReader(ten)), every, "WithPollInterval: this call does not wait for anything"},
		"an interval, late": {resume(assistants.UploadProgress{UploadID: "u", PartSize: 10, PartIDs: []string{""}}), every,
			"WithPollInterval: this call does not wait for anything"},
		"a field": {file(strings.NewReader(ten)), []assistants.RequestOption{assistants.WithBodyField("a", 1)}, "WithBodyField: it belongs to one request"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, uploadJSON("pending")))
			_, err := large(t.Context(), newClient(t, tr), test.params, test.opts...)
			require.ErrorContains(t, err, "assistants: POST /uploads: ")
			require.ErrorContains(t, err, test.says)
			assert.Empty(t, tr.requests())
		})
	}
	var none context.Context
	_, err := large(none, newClient(t, newTransport(t, answer(200, ""))), resume(assistants.UploadProgress{UploadID: "u", PartSize: 10, PartIDs: []string{""}}))
	require.ErrorContains(t, err, "context is nil")
}

func TestUploadLargeFaults(t *testing.T) {
	t.Parallel()
	params := func(r io.Reader) assistants.UploadLargeParams {
		return assistants.UploadLargeParams{File: assistants.FileUploadParams{File: r, Filename: "f", Size: 10}, PartSize: 2}
	}
	t.Run("a part fails twice", func(t *testing.T) {
		t.Parallel()
		srv := &uploadServer{t: t, part: failing("45", 503, 2)}
		got, err := large(t.Context(), inProcess(t, srv.ServeHTTP), params(strings.NewReader(ten)))
		require.NoError(t, err)
		assert.Equal(t, ten, got)
	})
	t.Run("a part of a reader fails twice", func(t *testing.T) {
		t.Parallel()
		srv := &uploadServer{t: t, part: failing("45", 503, 2)}
		got, err := large(t.Context(), inProcess(t, srv.ServeHTTP), params(onlyReader{strings.NewReader(ten)}))
		require.NoError(t, err)
		assert.Equal(t, ten, got)
	})
	t.Run("completing fails", func(t *testing.T) {
		t.Parallel()
		srv := &uploadServer{t: t, complete: func(w http.ResponseWriter) bool { w.WriteHeader(401); return true }}
		client := inProcess(t, srv.ServeHTTP)
		_, err := large(t.Context(), client, params(strings.NewReader(ten)))
		var interrupted *assistants.UploadInterruptedError
		require.ErrorAs(t, err, &interrupted)
		require.ErrorContains(t, err, "5 of 5 parts there")
		require.ErrorIs(t, err, assistants.ErrUnauthorized)
		srv.complete = nil
		again := params(strings.NewReader(ten))
		again.Resume = &interrupted.Progress
		got, err := large(t.Context(), client, again)
		require.NoError(t, err)
		assert.Equal(t, ten, got)
		assert.Len(t, srv.sent, 5)
	})
	for name, answer := range map[string]string{"no file": uploadJSON("completed"), "what is no file": uploadJSON("completed", `"file":{"id":"t","object":"thread"}`)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := &uploadServer{t: t, complete: func(w http.ResponseWriter) bool { io.WriteString(w, answer); return true }}
			_, err := large(t.Context(), inProcess(t, srv.ServeHTTP), params(strings.NewReader(ten)))
			require.ErrorContains(t, err, "assistants: POST /uploads: the answer to completing upload upload_1 has no file")
			assert.False(t, isInterrupted(err))
		})
	}
	for name, test := range map[string]struct {
		file func() io.Reader
		says string
	}{
		"it ends early":        {func() io.Reader { return onlyReader{strings.NewReader(ten[:9])} }, "the file ends after 9 of its 10 bytes"},
		"it goes on":           {func() io.Reader { return onlyReader{strings.NewReader(ten + "!")} }, "the file has more than the 10 bytes"},
		"it fails":             {func() io.Reader { return io.MultiReader(strings.NewReader(ten[:5]), errReader{errDisk}) }, "the disk is gone"},
		"it cannot be read on": {func() io.Reader { return &brokenReaderAt{Reader: strings.NewReader(ten)} }, "the disk is gone"},
		"it panics":            {func() io.Reader { return panickyReaderAt{strings.NewReader(ten)} }, "panicked: ouch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everywhere(t, (&uploadServer{t: t}).ServeHTTP, func(t *testing.T, c *assistants.Client) {
				_, err := large(t.Context(), c, params(test.file()))
				require.ErrorContains(t, err, test.says)
				var interrupted *assistants.UploadInterruptedError
				require.ErrorAs(t, err, &interrupted)
			})
		})
	}
}

// A brokenReaderAt fails behind its beginning.
type brokenReaderAt struct{ *strings.Reader }

func (r *brokenReaderAt) ReadAt(p []byte, at int64) (int, error) {
	if at > 0 {
		return 0, errDisk
	}
	return r.Reader.ReadAt(p, at)
}

type panickyReaderAt struct{ *strings.Reader }

func (panickyReaderAt) ReadAt([]byte, int64) (int, error) { panic("ouch") }

// The context ends the upload, whatever it is doing.
func TestUploadLargeEnds(t *testing.T) {
	t.Parallel()
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	for name, file := range map[string]io.Reader{
		"at once":               strings.NewReader(ten),
		"in order":              onlyReader{strings.NewReader(ten)},
		"reading blocks":        blockingReaderAt{strings.NewReader(ten), forever},
		"reading blocks early":  io.MultiReader(strings.NewReader("0"), readerFunc(func([]byte) (int, error) { <-forever; return 0, io.EOF })),
		"reading blocks at end": io.MultiReader(strings.NewReader(ten), readerFunc(func([]byte) (int, error) { <-forever; return 0, io.EOF })),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			srv := &uploadServer{t: t, part: func(_ http.ResponseWriter, r *http.Request, content string) bool {
				if content != ten[:2] {
					return false
				}
				if name != "reading blocks at end" {
					cancel()
					<-r.Context().Done()
				}
				return name != "reading blocks at end"
			}}
			params := assistants.UploadLargeParams{File: assistants.FileUploadParams{File: file, Filename: "f", Size: 10}, PartSize: 2}
			if strings.HasPrefix(name, "reading blocks") {
				params.File.Progress = func(sent, _ int64) {
					if sent == 10 || name != "reading blocks at end" {
						cancel()
					}
				}
			}
			_, err := large(ctx, connected(t, srv.ServeHTTP), params)
			require.ErrorIs(t, err, context.Canceled)
			var interrupted *assistants.UploadInterruptedError
			require.ErrorAs(t, err, &interrupted)
			assert.Equal(t, "upload_1", interrupted.Progress.UploadID)
		})
	}
}

// A blockingReaderAt gives its beginning, and blocks behind it.
type blockingReaderAt struct {
	*strings.Reader
	forever chan struct{}
}

func (r blockingReaderAt) ReadAt(p []byte, at int64) (int, error) {
	if at > 0 {
		<-r.forever
	}
	return r.Reader.ReadAt(p[:1], at)
}

// A server that answers before it has a part does not make two parts read at once.
func TestUploadLargeAnsweredEarly(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(ten, 1<<20)
	client := connected(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/uploads" {
			io.WriteString(w, uploadJSON("pending"))
			return
		}
		io.WriteString(w, `{"id":"part_1","object":"upload.part"}`)
	})
	for _, file := range []io.Reader{onlyReader{strings.NewReader(text)}, onlySeeker{strings.NewReader(text)}} {
		_, err := large(t.Context(), client, assistants.UploadLargeParams{
			File: assistants.FileUploadParams{File: file, Filename: "f", Size: int64(len(text))}, PartSize: 5 << 20,
		})
		require.ErrorContains(t, err, "part 0 was answered before it was sent")
	}
}
