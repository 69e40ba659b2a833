package assistants_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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

// uploadJSON is an upload as the service writes one; more are fields that differ.
func uploadJSON(status string, more ...string) string {
	return `{"id":"upload_1","object":"upload","bytes":10,"created_at":1719184911,"filename":"notes.txt","purpose":"assistants",` +
		`"status":"` + status + `","expires_at":1719188511` + fields(more) + `}`
}

func TestUploadRequests(t *testing.T) {
	t.Parallel()
	upload := func(status assistants.UploadStatus) *assistants.Upload {
		return &assistants.Upload{ID: "upload_1", Object: "upload", Bytes: 10, CreatedAt: 1719184911, ExpiresAt: 1719188511,
			Filename: "notes.txt", Purpose: assistants.PurposeAssistants, Status: status}
	}
	completed := upload(assistants.UploadCompleted)
	completed.File = &assistants.File{ID: "file-1", Object: "file", Bytes: 33, CreatedAt: 1780006017, Filename: "notes.txt",
		Purpose: assistants.PurposeAssistants, Status: "processed"}
	params := assistants.UploadCreateParams{Filename: "notes.txt", Purpose: assistants.PurposeAssistants, Bytes: 10, MIMEType: "text/plain"}
	expiring := params
	expiring.ExpiresAfter = &assistants.FileExpiration{Seconds: 3600}
	testRequests(t, []request{
		{"create", "POST", "/v1/uploads", `{"filename":"notes.txt","purpose":"assistants","bytes":10,"mime_type":"text/plain"}`,
			uploadJSON("pending", `"file":null`), func(ctx context.Context, c *assistants.Client) (any, error) {
				return c.Uploads.Create(ctx, params)
			}, upload(assistants.UploadPending)},
		{"create with an end", "POST", "/v1/uploads", `{"filename":"notes.txt","purpose":"assistants","bytes":10,"mime_type":"text/plain",` +
			`"expires_after":{"anchor":"created_at","seconds":3600}}`, uploadJSON("pending"), func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.Uploads.Create(ctx, expiring)
		}, upload(assistants.UploadPending)},
		{"complete", "POST", "/v1/uploads/upload_1/complete", `{"part_ids":["part_2","part_1"],"md5":"abc"}`, uploadJSON("completed", `"file":`+fileJSON),
			func(ctx context.Context, c *assistants.Client) (any, error) {
				return c.Uploads.Complete(ctx, "upload_1", assistants.UploadCompleteParams{PartIDs: []string{"part_2", "part_1"}, MD5: "abc"})
			}, completed},
		{"complete without a checksum", "POST", "/v1/uploads/upload_1/complete", `{"part_ids":["part_1"]}`, uploadJSON("completed", `"file":`+fileJSON),
			func(ctx context.Context, c *assistants.Client) (any, error) {
				return c.Uploads.Complete(ctx, "upload_1", assistants.UploadCompleteParams{PartIDs: []string{"part_1"}})
			}, completed},
		{"cancel", "POST", "/v1/uploads/upload_1/cancel", "", uploadJSON("cancelled"), func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.Uploads.Cancel(ctx, "upload_1")
		}, upload(assistants.UploadCancelled)},
		{"what is new", "POST", "/v1/uploads/upload_1/cancel", "", `{"id":"upload_1","status":"sunk","depth":7,"file":null}`,
			func(ctx context.Context, c *assistants.Client) (any, error) { return c.Uploads.Cancel(ctx, "upload_1") },
			&assistants.Upload{ID: "upload_1", Status: "sunk"}},
	})
}

func TestAddPart(t *testing.T) {
	t.Parallel()
	const part = `{"id":"part_1","object":"upload.part","created_at":1719185911,"upload_id":"upload_1"}`
	tr := newTransport(t, answer(200, part))
	got, err := newClient(t, tr).Uploads.AddPart(t.Context(), "upload_1", assistants.UploadPartParams{Data: strings.NewReader("the bytes")})
	require.NoError(t, err)
	assert.Equal(t, &assistants.UploadPart{ID: "part_1", Object: "upload.part", CreatedAt: 1719185911, UploadID: "upload_1"}, got)
	assert.Equal(t, "POST /v1/uploads/upload_1/parts", tr.last().Method+" "+tr.last().URL.RequestURI())
	form := parseForm(t, tr.last().Header.Get("Content-Type"), tr.last().body)
	assert.Equal(t, sentForm{key: "data", file: "the bytes", name: "part", contentType: "application/octet-stream"}, form)
	assert.Equal(t, int64(len(tr.last().body)), tr.last().ContentLength)

	for name, test := range map[string]struct {
		data func() io.Reader // nil: none
		size int64
		says string
	}{
		"nothing":          {nil, 0, "Data is nil"},
		"a wrong size":     {func() io.Reader { return strings.NewReader("x") }, 2, "the file has 1 bytes, and Size says 2"},
		"less than said":   {func() io.Reader { return io.MultiReader(strings.NewReader("x")) }, 2, "unexpected EOF"},
		"an error reading": {func() io.Reader { return errReader{errors.New("no disk")} }, 0, "no disk"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everywhere(t, accepting(part), func(t *testing.T, c *assistants.Client) {
				params := assistants.UploadPartParams{Size: test.size}
				if test.data != nil {
					params.Data = test.data()
				}
				_, err := c.Uploads.AddPart(t.Context(), "upload_1", params)
				require.ErrorContains(t, err, "POST /uploads/upload_1/parts: ")
				require.ErrorContains(t, err, test.says)
			})
		})
	}
}

// What a failed attempt has read is read again, if it can be.
func TestUploadRetries(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 20_000)
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	for name, test := range map[string]struct {
		params   func(*testing.T) assistants.FileUploadParams
		want     string
		attempts int
	}{
		"path": {func(*testing.T) assistants.FileUploadParams { return assistants.FileUploadParams{Path: path} }, text, 2},
		"bytes.Reader": {func(*testing.T) assistants.FileUploadParams {
			return assistants.FileUploadParams{File: bytes.NewReader([]byte(text))}
		}, text, 2},
		"open file in its middle": {func(t *testing.T) assistants.FileUploadParams {
			f := open(t, path)
			_, err := f.Seek(100_005, io.SeekStart)
			require.NoError(t, err)
			return assistants.FileUploadParams{File: f}
		}, text[100_005:], 2},
		"what seeks": {func(t *testing.T) assistants.FileUploadParams {
			r := strings.NewReader(text)
			_, err := r.Seek(5, io.SeekStart)
			require.NoError(t, err)
			return assistants.FileUploadParams{File: onlySeeker{r}}
		}, text[5:], 2},
		"64 KiB": {func(*testing.T) assistants.FileUploadParams {
			return assistants.FileUploadParams{File: onlyReader{strings.NewReader(text[:64<<10])}}
		}, text[:64<<10], 2},
		"64 KiB of a known size": {func(*testing.T) assistants.FileUploadParams {
			return assistants.FileUploadParams{File: onlyReader{strings.NewReader(text[:64<<10])}, Size: 64 << 10}
		}, text[:64<<10], 2},
		"more than 64 KiB": {func(*testing.T) assistants.FileUploadParams {
			return assistants.FileUploadParams{File: onlyReader{strings.NewReader(text[:64<<10+1])}}
		}, text[:64<<10+1], 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []string
				client := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					assert.NoError(t, err)
					got = append(got, parseForm(t, r.Header.Get("Content-Type"), string(body)).file)
					if len(got) == 1 {
						w.Header().Set("Retry-After", "7")
						http.Error(w, "not yet", http.StatusServiceUnavailable)
						return
					}
					io.WriteString(w, fileJSON)
				})
				params := test.params(t)
				params.Filename = "f"
				start := time.Now()
				var resp assistants.Response
				_, err := client.Files.Upload(t.Context(), params, assistants.WithResponse(&resp))
				assert.Equal(t, test.attempts, resp.Attempts)
				require.Len(t, got, test.attempts)
				for _, content := range got {
					assert.True(t, content == test.want)
				}
				if test.attempts == 1 {
					require.ErrorIs(t, err, assistants.ErrServer)
					require.ErrorContains(t, err, "not yet")
					return
				}
				require.NoError(t, err)
				assert.Equal(t, 7*time.Second, time.Since(start))
			})
		})
	}
}

// onlySeeker takes from a reader what it can do beyond seeking.
type onlySeeker struct{ io.ReadSeeker }

// What changes between attempts is an error.
func TestUploadRetryOfAnotherFile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(string) error
		is     error
	}{
		"deleted":   {os.Remove, os.ErrNotExist},
		"truncated": {func(path string) error { return os.Truncate(path, 3) }, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "f")
			require.NoError(t, os.WriteFile(path, []byte("content"), 0o644))
			var resp assistants.Response
			tr := newTransport(t, func(*http.Request) (*http.Response, error) {
				return response(503, "", "Retry-After: 0"), test.change(path)
			})
			_, err := newClient(t, tr).Files.Upload(t.Context(), assistants.FileUploadParams{Path: path}, assistants.WithResponse(&resp))
			require.ErrorIs(t, err, test.is)
			assert.Equal(t, 2, resp.Attempts)
		})
	}
}

// A connection that breaks within an upload: nobody knows what arrived. With a key it may be sent again.
func TestUploadConnectionBroken(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 4<<20)
	for name, test := range map[string]struct {
		file func() io.Reader
		opts []assistants.RequestOption
		want int32
	}{
		"without a key":                   {func() io.Reader { return strings.NewReader(big) }, nil, 1},
		"with a key":                      {func() io.Reader { return strings.NewReader(big) }, []assistants.RequestOption{assistants.WithIdempotencyKey("k")}, 2},
		"with a key, and nothing to send": {func() io.Reader { return onlyReader{strings.NewReader(big)} }, []assistants.RequestOption{assistants.WithIdempotencyKey("k")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var arrived atomic.Int32
			client := connected(t, func(w http.ResponseWriter, r *http.Request) {
				if arrived.Add(1) > 1 {
					accepting(fileJSON)(w, r)
					return
				}
				io.ReadFull(r.Body, make([]byte, 100_000))
				conn, _, err := w.(http.Hijacker).Hijack()
				if assert.NoError(t, err) {
					conn.(*net.TCPConn).SetLinger(0)
					conn.Close()
				}
			})
			_, err := client.Files.Upload(t.Context(), assistants.FileUploadParams{File: test.file(), Filename: "f"}, test.opts...)
			assert.Equal(t, test.want, arrived.Load())
			if test.want == 1 {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// A redirect takes the file along, within the server.
func TestUploadRedirects(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 300_000)
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for name, file := range map[string]func() io.Reader{
		"seeker":  func() io.Reader { return onlySeeker{strings.NewReader(text)} },
		"at once": func() io.Reader { return strings.NewReader(text) },
	} {
		everywhere(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/v1/there":
				assert.NoError(t, r.ParseMultipartForm(1<<20))
				assert.EqualValues(t, len(text), r.MultipartForm.File["file"][0].Size)
				io.WriteString(w, fileJSON)
			case r.Header.Get("X-Away") != "":
				http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			default:
				io.Copy(io.Discard, r.Body)
				http.Redirect(w, r, "/v1/there", http.StatusTemporaryRedirect)
			}
		}, func(t *testing.T, c *assistants.Client) {
			_, err := c.Files.Upload(t.Context(), assistants.FileUploadParams{File: file(), Filename: "f"})
			require.NoError(t, err, name)
			_, err = c.Files.Upload(t.Context(), assistants.FileUploadParams{File: file(), Filename: "f"}, assistants.WithHeader("X-Away", "1"))
			require.ErrorContains(t, err, "credentials stay with the server")
		})
	}
	t.Cleanup(func() { assert.Zero(t, elsewhere.Load()) })
}

// A server that refuses a file before it has it is heard.
func TestUploadRefusedEarly(t *testing.T) {
	t.Parallel()
	everywhere(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(413)
		io.WriteString(w, `{"error":{"message":"too much"}}`)
	}, func(t *testing.T, c *assistants.Client) {
		heard := 0
		for range 20 {
			_, err := c.Files.Upload(t.Context(), assistants.FileUploadParams{File: bytes.NewReader(make([]byte, 1<<20)), Filename: "f"})
			var refused *assistants.APIError
			if errors.As(err, &refused) {
				assert.Equal(t, 413, refused.StatusCode)
				heard++
			}
			require.Error(t, err)
		}
		assert.Positive(t, heard) // net/http prefers an error of writing if it comes first
	})
}

// What can seek is set back also when a server answers before it has the file, unless it is still being read.
func TestUploadSetBack(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 2<<20)
	early := func(tries *atomic.Int32) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if tries.Add(1) == 1 {
				w.Header().Set("Retry-After-Ms", "1")
				w.WriteHeader(503)
				return
			}
			accepting(fileJSON)(w, r)
		}
	}
	for range 20 {
		var tries atomic.Int32
		_, err := connected(t, early(&tries)).Files.Upload(t.Context(), assistants.FileUploadParams{
			File: onlySeeker{strings.NewReader(big)}, Filename: "f"}, assistants.WithIdempotencyKey("k"))
		require.NoError(t, err)
	}

	synctest.Test(t, func(t *testing.T) { // what takes a while to be read is waited for
		var tries atomic.Int32
		reading, text := make(chan struct{}), strings.NewReader(big)
		begin := sync.OnceFunc(func() { close(reading) })
		slow := readerFunc(func(p []byte) (int, error) {
			begin()
			<-time.After(500 * time.Millisecond)
			return text.Read(p)
		})
		c := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
			if tries.Load() == 0 {
				go io.Copy(io.Discard, r.Body)
				<-reading
			}
			early(&tries)(w, r)
		})
		_, err := c.Files.Upload(t.Context(), assistants.FileUploadParams{File: readSeeker{text, slow}, Filename: "f"}, assistants.WithTimeout(0))
		require.NoError(t, err)
	})

	for name, seeks := range map[string]bool{"what seeks": true, "what does not": false} {
		for where, client := range map[string]func(testing.TB, http.HandlerFunc, ...assistants.Option) *assistants.Client{
			"in process": inProcess, "connected": connected,
		} {
			t.Run(name+", "+where, func(t *testing.T) {
				t.Parallel()
				reading, forever := make(chan struct{}), make(chan struct{})
				defer close(forever)
				blocking := readerFunc(func([]byte) (int, error) { close(reading); <-forever; return 0, io.EOF })
				c := client(t, func(w http.ResponseWriter, r *http.Request) {
					_ = http.NewResponseController(w).EnableFullDuplex() // else net/http waits for the body before it answers
					go io.Copy(io.Discard, r.Body)
					<-reading
					w.Header().Set("Retry-After-Ms", "1")
					w.WriteHeader(503)
				})
				var file io.Reader = blocking
				if seeks {
					file = readSeeker{strings.NewReader(big), blocking}
				}
				var resp assistants.Response
				_, err := c.Files.Upload(t.Context(), assistants.FileUploadParams{File: file, Filename: "f"}, assistants.WithResponse(&resp))
				require.EqualError(t, err, "assistants: POST /files: 503: Service Unavailable")
				assert.Equal(t, 1, resp.Attempts)
				assert.Equal(t, 503, resp.StatusCode)
			})
		}
	}
}

// A readSeeker is put together of two.
type readSeeker struct {
	io.Seeker
	io.Reader
}

// An attempt that is over does not read along with the next.
func TestUploadAttemptsDoNotMeet(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 400_000)
	var known sync.Map
	everywhere(t, func(w http.ResponseWriter, r *http.Request) {
		if _, again := known.LoadOrStore(r.Header.Get("X-Call"), true); !again { // at once, while the file is being sent
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(503)
			return
		}
		if err := r.ParseMultipartForm(8 << 20); assert.NoError(t, err) {
			f, err := r.MultipartForm.File["file"][0].Open()
			assert.NoError(t, err)
			content, err := io.ReadAll(f)
			assert.NoError(t, err)
			assert.True(t, string(content) == text)
		}
		io.WriteString(w, fileJSON)
	}, func(t *testing.T, c *assistants.Client) {
		for i := range 10 {
			_, err := c.Files.Upload(t.Context(), assistants.FileUploadParams{File: onlySeeker{strings.NewReader(text)}, Filename: "f"},
				assistants.WithHeader("X-Call", fmt.Sprint(t.Name(), i)))
			require.NoError(t, err)
		}
	})
}

// The time limit of an upload is on silence: as long as the server takes bytes it may take its time.
func TestUploadTimeouts(t *testing.T) {
	t.Parallel()
	sleep := func(r *http.Request, d time.Duration) {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
	}
	piecemeal := func(pause time.Duration, pieces int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for range pieces {
				sleep(r, pause)
				_, err := io.ReadFull(r.Body, make([]byte, 10_000))
				if err != nil {
					break
				}
			}
			io.Copy(io.Discard, r.Body)
			sleep(r, pause)
			io.WriteString(w, fileJSON)
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		file    io.Reader
		after   time.Duration
		fails   bool
	}{
		"it moves": {piecemeal(50*time.Second, 100), bytes.NewReader(make([]byte, 300_000)), 32 * 50 * time.Second, false},
		"it stops reading": {func(_ http.ResponseWriter, r *http.Request) {
			io.ReadFull(r.Body, make([]byte, 9))
			sleep(r, time.Hour)
		}, bytes.NewReader(make([]byte, 300_000)), time.Minute, true},
		"it does not begin":  {func(_ http.ResponseWriter, r *http.Request) { sleep(r, time.Hour) }, strings.NewReader("x"), time.Minute, true},
		"it does not answer": {func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); sleep(r, time.Hour) }, strings.NewReader("x"), time.Minute, true},
		"the caller is slow": {piecemeal(0, 0), slowly{strings.NewReader("abc"), time.Hour}, 4 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := inProcess(t, test.handler).Files.Upload(t.Context(), assistants.FileUploadParams{File: test.file, Filename: "f"},
					assistants.WithTimeout(time.Minute))
				assert.Equal(t, test.after, time.Since(start).Truncate(time.Second))
				if test.fails {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.ErrorContains(t, err, "timeout: waited 1m0s for the answer")
				} else {
					require.NoError(t, err)
				}
			})
		})
	}
}

// slowly gives a byte at a time.
type slowly struct {
	r     io.Reader
	pause time.Duration
}

func (s slowly) Read(p []byte) (int, error) {
	<-time.After(s.pause)
	return s.r.Read(p[:1])
}
