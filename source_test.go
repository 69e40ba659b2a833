package assistants_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

var errDisk = errors.New("the disk is gone")

// Whatever is wrong with a reader is the error of the call, which is not sent again, and no server sees a whole file.
func TestBadReaders(t *testing.T) {
	t.Parallel()
	much := func() io.Reader { return strings.NewReader(strings.Repeat("x", 300_000)) }
	for name, test := range map[string]struct {
		reader func() io.Reader
		size   int64
		is     error
		says   string
	}{
		"fails at once":          {func() io.Reader { return errReader{errDisk} }, 0, errDisk, "the disk is gone"},
		"fails early":            {func() io.Reader { return io.MultiReader(strings.NewReader("x"), errReader{errDisk}) }, 0, errDisk, ""},
		"fails late":             {func() io.Reader { return io.MultiReader(much(), errReader{errDisk}) }, 0, errDisk, ""},
		"fails late, size known": {func() io.Reader { return io.MultiReader(much(), errReader{errDisk}) }, 600_000, errDisk, ""},
		"fails where it ends":    {func() io.Reader { return io.MultiReader(much(), errReader{errDisk}) }, 300_000, errDisk, ""},
		"ends early":             {func() io.Reader { return onlyReader{much()} }, 300_001, io.ErrUnexpectedEOF, "the file ends after 300000 of its 300001 bytes"},
		"goes on":                {func() io.Reader { return onlyReader{much()} }, 299_999, nil, "the file has more than the 299999 bytes that it was to have"},
		"gives nothing":          {func() io.Reader { return readerFunc(func([]byte) (int, error) { return 0, nil }) }, 0, io.ErrNoProgress, ""},
		"gives nothing more": {func() io.Reader {
			return io.MultiReader(much(), readerFunc(func([]byte) (int, error) { return 0, nil }))
		}, 300_000, io.ErrNoProgress, ""},
		"counts too far":          {func() io.Reader { return readerFunc(func(p []byte) (int, error) { return len(p) + 1, nil }) }, 0, nil, ""},
		"counts backwards":        {func() io.Reader { return readerFunc(func([]byte) (int, error) { return -1, nil }) }, 0, nil, ""},
		"counts too far, of many": {func() io.Reader { return readerFunc(func(p []byte) (int, error) { return len(p) + 1, nil }) }, 1 << 40, nil, ""},
		"panics":                  {func() io.Reader { return readerFunc(func([]byte) (int, error) { panic("ouch") }) }, 0, nil, "panicked: ouch"},
		"panics late": {func() io.Reader {
			return io.MultiReader(much(), readerFunc(func([]byte) (int, error) { panic("ouch") }))
		}, 0, nil, "panicked: ouch"},
		"ends its goroutine":   {func() io.Reader { return readerFunc(func([]byte) (int, error) { runtime.Goexit(); return 0, nil }) }, 0, nil, "ended its goroutine"},
		"cannot go back":       {func() io.Reader { return &seeker{Reader: much(), fails: 3} }, 0, errDisk, ""},
		"cannot be read after": {func() io.Reader { return &seeker{Reader: errReader{errDisk}} }, 0, errDisk, ""},
		"is a directory":       {func() io.Reader { f, _ := os.Open(os.TempDir()); return f }, 0, nil, "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var whole atomic.Int32
			everywhere(t, func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseMultipartForm(1 << 20); err == nil {
					whole.Add(1)
				}
				w.WriteHeader(503) // in process there is time to say so
			}, func(t *testing.T, c *assistants.Client) {
				var resp assistants.Response
				_, err := c.Files.Upload(t.Context(), assistants.FileUploadParams{File: test.reader(), Size: test.size, Filename: "f"},
					assistants.WithResponse(&resp), assistants.WithIdempotencyKey("k"))
				require.ErrorContains(t, err, "assistants: POST /files: ")
				require.ErrorContains(t, err, test.says)
				if test.is != nil {
					require.ErrorIs(t, err, test.is)
				}
				assert.LessOrEqual(t, resp.Attempts, 1)
				assert.Zero(t, whole.Load())
			})
		})
	}
}

// A seeker seeks so many times; 0 is always.
type seeker struct {
	io.Reader
	fails, seeks int
}

func (s *seeker) Seek(_ int64, whence int) (int64, error) {
	if s.seeks++; s.seeks == s.fails {
		return 0, errDisk
	}
	if whence == io.SeekEnd {
		return 300_000, nil
	}
	return 0, nil
}

// Readers that say they can seek, and cannot, are read as they are.
func TestSeekersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, fails := range []int{1, 2} {
		form, r := upload(t, assistants.FileUploadParams{File: &seeker{Reader: strings.NewReader("content"), fails: fails}, Filename: "f"})
		assert.Equal(t, "content", form.file)
		assert.EqualValues(t, -1, r.ContentLength)
	}
	out, in, err := os.Pipe()
	require.NoError(t, err)
	defer out.Close()
	go func() {
		io.WriteString(in, "content")
		in.Close()
	}()
	form, r := upload(t, assistants.FileUploadParams{File: out, Filename: "f"})
	assert.Equal(t, "content", form.file)
	assert.EqualValues(t, -1, r.ContentLength)
}

// A reader that blocks does not keep the call from ending with its context, nor an answer from arriving.
func TestReaderThatBlocks(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int64{"of a known size": 1_000_000, "of an unknown size": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := make(chan struct{}, 10)
			everywhere(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Answer") != "" {
					_ = http.NewResponseController(w).EnableFullDuplex() // else net/http waits for the body before it answers
					http.Error(w, "too early", http.StatusUnauthorized)
					return
				}
				io.ReadFull(r.Body, make([]byte, 10))
				began <- struct{}{}
				io.Copy(io.Discard, r.Body)
			}, func(t *testing.T, c *assistants.Client) {
				forever := make(chan struct{})
				defer close(forever)
				blocking := func() io.Reader {
					return io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), readerFunc(func([]byte) (int, error) { <-forever; return 0, io.EOF }))
				}
				params := assistants.FileUploadParams{File: blocking(), Size: size, Filename: "f"}
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					<-began
					cancel()
				}()
				_, err := c.Files.Upload(ctx, params)
				require.ErrorIs(t, err, context.Canceled)
				params.File = blocking()
				_, err = c.Files.Upload(t.Context(), params, assistants.WithHeader("X-Answer", "1"))
				require.ErrorIs(t, err, assistants.ErrUnauthorized)
			})
		})
	}
}

// A reader's end is its end, also when it is read again for another attempt.
func TestReaderThatEndsOnce(t *testing.T) {
	t.Parallel()
	content := strings.NewReader("content")
	ended := false
	once := readerFunc(func(p []byte) (int, error) {
		if ended {
			return 0, errDisk
		}
		n, err := content.Read(p)
		ended = err == io.EOF
		return n, err
	})
	tr := newTransport(t, answer(503, "", "Retry-After: 0"), answer(200, fileJSON))
	_, err := newClient(t, tr).Files.Upload(t.Context(), assistants.FileUploadParams{File: once, Filename: "f"})
	require.NoError(t, err)
	for _, r := range tr.requests() {
		assert.Equal(t, "content", parseForm(t, r.Header.Get("Content-Type"), r.body).file)
	}
}

func TestUploadProgress(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 200_000)
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	for name, test := range map[string]struct {
		params assistants.FileUploadParams
		total  int64
	}{
		"path":    {assistants.FileUploadParams{Path: path}, 200_000},
		"reader":  {assistants.FileUploadParams{File: strings.NewReader(text), Filename: "f"}, 200_000},
		"unknown": {assistants.FileUploadParams{File: onlyReader{strings.NewReader(text)}, Filename: "f"}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls []int64
			test.params.Progress = func(sent, total int64) {
				assert.Equal(t, test.total, total)
				calls = append(calls, sent)
			}
			upload(t, test.params)
			require.Greater(t, len(calls), 2)
			assert.IsIncreasing(t, calls)
			assert.EqualValues(t, 200_000, calls[len(calls)-1])
		})
	}

	var calls []int64
	tr := newTransport(t, answer(503, "", "Retry-After: 0"), answer(200, fileJSON))
	_, err := newClient(t, tr).Files.Upload(t.Context(), assistants.FileUploadParams{Path: path, Progress: func(sent, _ int64) { calls = append(calls, sent) }})
	require.NoError(t, err)
	half := len(calls) / 2
	assert.Equal(t, calls[:half], calls[half:])
	assert.IsIncreasing(t, calls[:half])

	everywhere(t, accepting(fileJSON), func(t *testing.T, c *assistants.Client) {
		_, err := c.Files.Upload(t.Context(), assistants.FileUploadParams{Path: path, Progress: func(int64, int64) { panic("ouch") }})
		require.ErrorContains(t, err, "panicked: ouch")
	})
}

// What is still being read when the call is over is no progress.
func TestProgressEndsWithTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reading, over := make(chan struct{}), make(chan struct{})
		blocked := readerFunc(func(p []byte) (int, error) {
			close(reading)
			<-over
			return len(p), io.EOF
		})
		client := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
			go io.Copy(io.Discard, r.Body)
			<-reading
			w.WriteHeader(503)
		})
		calls := 0
		_, err := client.Files.Upload(t.Context(), assistants.FileUploadParams{
			File: io.MultiReader(strings.NewReader("x"), blocked), Filename: "f", Progress: func(int64, int64) { calls++ },
		})
		require.ErrorIs(t, err, assistants.ErrServer)
		close(over)
		synctest.Wait()
		assert.Equal(t, 1, calls)
	})
}

// Whatever its size, a file is never in memory.
func TestUploadMemory(t *testing.T) {
	const size = 256 << 20
	client := connected(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		assert.Greater(t, n, int64(size))
		io.WriteString(w, fileJSON)
	})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak atomic.Uint64
	var mu sync.Mutex
	next := int64(0)
	params := assistants.FileUploadParams{
		File: io.LimitReader(endless{}, size), Filename: "f",
		Progress: func(sent, _ int64) {
			mu.Lock()
			defer mu.Unlock()
			if sent < next {
				return
			}
			next += size / 50
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), now.HeapAlloc))
		},
	}
	_, err := client.Files.Upload(t.Context(), params)
	require.NoError(t, err)
	assert.Less(t, int64(peak.Load())-int64(before.HeapAlloc), int64(16<<20))
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A file that is read at several places at once stays where it stands.
func TestFileIsNotMoved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("content"), 0o644))
	f := open(t, path)
	_, err := f.Seek(3, io.SeekStart)
	require.NoError(t, err)
	form, _ := upload(t, assistants.FileUploadParams{File: f})
	assert.Equal(t, "tent", form.file)
	at, err := f.Seek(0, io.SeekCurrent)
	require.NoError(t, err)
	assert.EqualValues(t, 3, at)
	behind := bytes.NewReader([]byte("content"))
	_, err = behind.Seek(100, io.SeekStart)
	require.NoError(t, err)
	form, _ = upload(t, assistants.FileUploadParams{File: behind, Filename: "f"})
	assert.Empty(t, form.file)
}

// A size of 0 is not believed: files that the system makes up when they are read have it, and so have devices.
func TestFilesWithoutSize(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o644))
	for name, params := range map[string]assistants.FileUploadParams{
		"path":      {Path: empty},
		"open file": {File: open(t, empty)},
	} {
		form, r := upload(t, params)
		assert.Empty(t, form.file, name)
		assert.EqualValues(t, -1, r.ContentLength, name)
	}
	said := func(params assistants.FileUploadParams) error {
		params.Filename, params.Size = "f", 3
		_, err := newClient(t, newTransport(t, answer(200, fileJSON))).Files.Upload(t.Context(), params)
		return err
	}
	require.ErrorIs(t, said(assistants.FileUploadParams{Path: empty}), io.ErrUnexpectedEOF)
	require.ErrorIs(t, said(assistants.FileUploadParams{File: open(t, empty)}), io.ErrUnexpectedEOF)

	const madeUp = "/proc/cpuinfo"
	want, err := os.ReadFile(madeUp)
	if err != nil || len(want) == 0 { // it is no such system
		return
	}
	for name, params := range map[string]func() assistants.FileUploadParams{
		"path":      func() assistants.FileUploadParams { return assistants.FileUploadParams{Path: madeUp} },
		"open file": func() assistants.FileUploadParams { return assistants.FileUploadParams{File: open(t, madeUp)} },
	} {
		form, r := upload(t, params())
		assert.Contains(t, form.file, "processor", name)
		assert.EqualValues(t, -1, r.ContentLength, name)
		require.ErrorContains(t, said(params()), "the file has more than the 3 bytes")
	}
	require.ErrorContains(t, said(assistants.FileUploadParams{File: open(t, "/dev/zero")}), "the file has more than the 3 bytes")
	form, _ := upload(t, assistants.FileUploadParams{File: io.LimitReader(open(t, "/dev/zero"), 3), Size: 3, Filename: "f"})
	assert.Equal(t, "\x00\x00\x00", form.file)
}

// Progress that blocks does not keep the call from ending with its context, and no call of it begins behind that.
func TestProgressThatBlocks(t *testing.T) {
	t.Parallel()
	everywhere(t, accepting(fileJSON), func(t *testing.T, c *assistants.Client) {
		ctx, cancel := context.WithCancel(t.Context())
		blocked, ended := make(chan struct{}), make(chan struct{})
		var calls atomic.Int32
		_, err := c.Files.Upload(ctx, assistants.FileUploadParams{
			File: strings.NewReader(strings.Repeat("x", 1<<20)), Filename: "f", Progress: func(int64, int64) {
				defer close(ended) // which panics the second time
				calls.Add(1)
				cancel()
				<-blocked
			},
		})
		require.ErrorIs(t, err, context.Canceled)
		close(blocked)
		<-ended
		assert.EqualValues(t, 1, calls.Load())
	})
}

// Progress of an attempt that is over and of the next one is told one call after the other.
func TestProgressOfAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tries, now atomic.Int32
		began, blocked := make(chan struct{}), make(chan struct{})
		client := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
			if tries.Add(1) == 1 {
				go io.Copy(io.Discard, r.Body)
				<-began
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(503)
				return
			}
			accepting(fileJSON)(w, r)
		})
		text := strings.NewReader(strings.Repeat("x", 300_000))
		begun := 0 // attempts, of which only the first one's Progress blocks
		file := readerFunc(func(p []byte) (int, error) {
			if at, _ := text.Seek(0, io.SeekCurrent); at == 0 {
				if begun++; begun == 2 {
					go func() {
						for range 1000 { // until the second one's waits, as it should
							runtime.Gosched()
						}
						close(blocked)
					}()
				}
			}
			return text.Read(p)
		})
		_, err := client.Files.Upload(t.Context(), assistants.FileUploadParams{
			File: readSeeker{text, file}, Filename: "f", Progress: func(int64, int64) {
				assert.EqualValues(t, 1, now.Add(1))
				defer now.Add(-1)
				if tries.Load() == 1 {
					close(began)
					<-blocked
				}
			},
		})
		require.NoError(t, err)
		assert.EqualValues(t, 2, tries.Load())
	})
}
