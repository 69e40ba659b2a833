package responses_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
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
	"github.com/assistants-go/assistants/server/responses"
)

const (
	uploadFile = "POST /files"
	lookAtFile = "GET /files/file"
)

// bubble runs a test whose time passes by itself.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, test)
}

func TestFileIsCopiedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		content := strings.Repeat("\x00\xffé\r\n", 50_000)
		one, two := h.upload("data é.csv", content), h.upload("b.txt", "two")
		first, err := h.files(one, two, one)
		require.NoError(t, err)
		require.Len(t, first, 3)
		assert.Equal(t, first[0], first[2])
		assert.Equal(t, content, h.up.content(t, first[0]))
		assert.Equal(t, "two", h.up.content(t, first[1]))
		assert.Equal(t, []string{uploadFile, uploadFile}, h.up.requests())

		made, err := h.up.client.Files.Retrieve(t.Context(), first[0])
		require.NoError(t, err)
		assert.Equal(t, "data é.csv", made.Filename)
		assert.Equal(t, assistants.PurposeAssistants, made.Purpose)
		assert.EqualValues(t, 30*24*3600, made.ExpiresAt-made.CreatedAt)

		h.newThread()
		second, err := h.files(two, one)
		require.NoError(t, err)
		assert.Equal(t, []string{first[1], first[0]}, second, "in another thread")
		h.restart()
		third, err := h.files(one)
		require.NoError(t, err)
		assert.Equal(t, first[:1], third, "in another process")
		assert.Empty(t, h.up.requests())
	})
}

func TestFileIsCopiedOnceByManyAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		id := h.upload("a.txt", "one")
		found := make([][]string, 40)
		h.up.answer(slowly)
		require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) error {
			var group sync.WaitGroup
			for i := range found {
				group.Go(func() {
					var err error
					found[i], err = h.copies.Files(ctx, call, id)
					assert.NoError(t, err)
				})
			}
			group.Wait()
			return nil
		}))
		for i := range found {
			assert.Equal(t, found[0], found[i])
		}
		assert.Equal(t, []string{uploadFile}, h.up.requests())
	})
}

// slowly has everything take its time.
func slowly(http.ResponseWriter, *http.Request) bool {
	pass(time.Second)
	return false
}

// A copy is asked for once in an hour, and made anew when it is gone, or nearly.
func TestCopyOfFileIsRenewed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		id := h.upload("a.txt", "one")
		copies := func() string {
			found, err := h.files(id)
			require.NoError(t, err)
			return found[0]
		}
		first := copies()
		pass(59 * time.Minute)
		copies()
		assert.Equal(t, []string{uploadFile}, h.up.requests())
		pass(2 * time.Minute)
		assert.Equal(t, first, copies())
		assert.Equal(t, []string{lookAtFile}, h.up.requests())
		copies()
		assert.Empty(t, h.up.requests())

		_, err := h.up.client.Files.Delete(t.Context(), first)
		require.NoError(t, err)
		require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) error {
			return h.copies.Doubt(ctx, call, []string{id, "file-none"}, []string{"vs_none"})
		}))
		second := copies()
		assert.NotEqual(t, first, second)
		assert.Equal(t, "one", h.up.content(t, second))
		assert.Equal(t, []string{lookAtFile, uploadFile}, h.up.requests())

		pass(26 * 24 * time.Hour)
		assert.Equal(t, second, copies(), "there is enough time left")
		pass(2 * 24 * time.Hour)
		assert.NotEqual(t, second, copies())
		assert.Equal(t, []string{lookAtFile, uploadFile}, h.up.requests())
	})
}

func TestFileThatIsGoneIsNamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		id := h.upload("a.txt", "one")
		_, err := h.files(id)
		require.NoError(t, err)
		_, err = h.client.Files.Delete(t.Context(), id)
		require.NoError(t, err)
		_, err = h.files(id)
		require.ErrorIs(t, err, server.ErrNotFound, "what was remembered has gone with it")
		shown, ok := errors.AsType[*server.ModelError](err)
		require.True(t, ok)
		assert.Equal(t, "invalid_prompt", shown.Code)
		assert.Contains(t, shown.Message, id)
	})
}

// What was copied before an upload fails is not copied again.
func TestUploadThatFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		ids := []string{h.upload("a.txt", "one"), h.upload("b.txt", "two"), h.upload("c.txt", "three")}
		uploads := 0
		var mu sync.Mutex
		h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			uploads++
			if uploads != 2 {
				return false
			}
			refuse(w, http.StatusInternalServerError, "", "The provider is on fire.")
			return true
		})
		_, err := h.files(ids...)
		shown, ok := errors.AsType[*server.ModelError](err)
		require.True(t, ok)
		assert.Equal(t, server.ModelError{Code: "server_error", Message: "The provider is on fire."}, *shown)
		h.up.requests()
		_, err = h.files(ids...)
		require.NoError(t, err)
		assert.Equal(t, []string{uploadFile}, h.up.requests())
	})
}

// Nothing that the server was given ends more than the run, wherever it is called from.
func TestPanicWhileCopying(t *testing.T) {
	for name, blobs := range map[string]brokenBlobs{
		"open":  {open: func() { panic("open") }},
		"read":  {read: func() error { panic("read") }},
		"close": {read: func() error { return io.EOF }, close: func() { panic("close") }},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newDepot(t, newUpstream(t))
				ids := []string{h.upload("a.txt", "one"), h.upload("b.txt", "two")}
				h.opts = append(h.opts, server.WithBlobs(blobs))
				h.restart()
				_, err := h.files(ids...)
				require.ErrorContains(t, err, "panic: "+name)
				require.ErrorContains(t, err, "brokenBlob", "the stack")
				_, ok := errors.AsType[*server.ModelError](err)
				assert.False(t, ok, "it is not the provider that failed")
			})
		})
	}
}

// A file that cannot be read is not the provider's fault either.
func TestFileThatCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		id := h.upload("a.txt", "one")
		broken := errors.New("the disk is on fire")
		h.opts = append(h.opts, server.WithBlobs(brokenBlobs{read: func() error { return broken }}))
		h.restart()
		_, err := h.files(id)
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, id)
		_, ok := errors.AsType[*server.ModelError](err)
		assert.False(t, ok)
	})
}

// brokenBlobs do what a test wants; what is nil does nothing.
type brokenBlobs struct {
	server.Blobs
	open, close func()
	read        func() error
}

func (b brokenBlobs) Open(context.Context, string) (io.ReadCloser, error) {
	if b.open != nil {
		b.open()
	}
	return brokenBlob{b}, nil
}

type brokenBlob struct{ of brokenBlobs }

func (b brokenBlob) Read([]byte) (int, error) { return 0, b.of.read() }

func (b brokenBlob) Close() error {
	if b.of.close != nil {
		b.of.close()
	}
	return nil
}

// A provider that does not know that files may end has copies that do not, and is not told again.
func TestUploadThatMayNotExpire(t *testing.T) {
	for name, answer := range map[string]string{
		"param":      `{"error":{"message":"Unknown parameter.","type":"invalid_request_error","param":"expires_after[anchor]","code":null}}`,
		"message":    `{"error":{"message":"Additional properties are not allowed ('expires_after' was unexpected)","param":null}}`,
		"validation": `{"detail":[{"loc":["body","expires_after"],"msg":"extra fields not permitted"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newDepot(t, newUpstream(t))
				one, two := h.upload("a.txt", "one"), h.upload("b.txt", "two")
				h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
					body, err := io.ReadAll(r.Body)
					assert.NoError(t, err)
					if r.Body = io.NopCloser(bytes.NewReader(body)); !bytes.Contains(body, []byte("expires_after")) {
						return false
					}
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, answer)
					return true
				})
				first, err := h.files(one)
				require.NoError(t, err)
				assert.Equal(t, "one", h.up.content(t, first[0]), "all of it again")
				assert.Equal(t, []string{uploadFile, uploadFile}, h.up.requests())
				_, err = h.files(two)
				require.NoError(t, err)
				assert.Equal(t, []string{uploadFile}, h.up.requests())
				pass(60 * 24 * time.Hour)
				again, err := h.files(one)
				require.NoError(t, err)
				assert.Equal(t, first, again)
			})
		})
	}
}

// A client that sends again, after the first attempt was read to its end, has the whole file to send.
func TestUploadThatBeginsAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		provider, err := assistants.NewClient(assistants.WithHandler(h.up), assistants.WithMaxRetries(1))
		require.NoError(t, err)
		h.copies = h.copies.Of(provider)
		content := strings.Repeat("0123456789", 100_000)
		id := h.upload("a.txt", content)
		attempts := 0
		h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
			if attempts++; attempts > 1 {
				return false
			}
			_, _ = io.Copy(io.Discard, r.Body)
			refuse(w, http.StatusServiceUnavailable, "", "Later.")
			return true
		})
		copies, err := h.files(id)
		require.NoError(t, err)
		assert.Equal(t, content, h.up.content(t, copies[0]))
		assert.Equal(t, 2, attempts)
	})
}

// A file is read as the provider takes it.
func TestFileIsNotHeldInMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		const size = 16 << 20
		id := h.upload("a.txt", strings.Repeat("x", size))
		blobs := &countingBlobs{Blobs: h.blobs}
		h.opts = append(h.opts, server.WithBlobs(blobs))
		h.restart()
		most := int64(0)
		h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
			received, piece := int64(0), make([]byte, 64<<10)
			for {
				n, err := r.Body.Read(piece)
				received += int64(n)
				blobs.mu.Lock()
				most = max(most, blobs.read-received)
				blobs.mu.Unlock()
				if err != nil {
					break
				}
			}
			assert.Greater(t, received, int64(size))
			_, _ = io.WriteString(w, `{"id":"file-1","object":"file"}`)
			return true
		})
		_, err := h.files(id)
		require.NoError(t, err)
		assert.Less(t, most, int64(1<<20), "bytes that were read and not yet taken")
		assert.Equal(t, 1, blobs.closed)
	})
}

// countingBlobs count what is read of them.
type countingBlobs struct {
	server.Blobs
	mu     sync.Mutex
	read   int64
	closed int
}

func (b *countingBlobs) Open(ctx context.Context, id string) (io.ReadCloser, error) {
	body, err := b.Blobs.Open(ctx, id)
	return &countingBlob{body, b}, err
}

type countingBlob struct {
	io.ReadCloser
	of *countingBlobs
}

func (b *countingBlob) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	b.of.read += int64(n)
	return n, err
}

func (b *countingBlob) Close() error {
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	b.of.closed++
	return b.ReadCloser.Close()
}

// A run that is cancelled ends although the provider does not answer, and so do those who wait for the same copy.
func TestCancelWhileCopying(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		id := h.upload("a.txt", "one")
		h.up.answer(func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done()
			return true
		})
		err := h.run(func(ctx context.Context, call *server.ModelCall) error {
			ctx, cancel := context.WithCancel(ctx)
			var group sync.WaitGroup
			for range 3 {
				group.Go(func() {
					_, err := h.copies.Files(ctx, call, id)
					assert.ErrorIs(t, err, context.Canceled)
				})
			}
			synctest.Wait()
			cancel()
			group.Wait()
			return nil
		})
		require.NoError(t, err)
		h.up.answer(nil)
		h.up.requests()
		_, err = h.files(id)
		require.NoError(t, err)
		assert.Equal(t, []string{uploadFile}, h.up.requests())
	})
}

// Who waits for a copy that another run makes need not wait for longer than its own run.
func TestCancelWhileWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		id := h.upload("a.txt", "one")
		h.up.answer(slowly)
		require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) error {
			var group sync.WaitGroup
			group.Go(func() {
				_, err := h.copies.Files(ctx, call, id)
				assert.NoError(t, err)
			})
			synctest.Wait()
			start := time.Now()
			short, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			_, err := h.copies.Files(short, call, id)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, time.Millisecond, time.Since(start))
			group.Wait()
			return nil
		}))
		assert.Equal(t, []string{uploadFile}, h.up.requests())
	})
}

func TestContentThatIsReadAgain(t *testing.T) {
	t.Parallel()
	data := []byte(strings.Repeat("0123456789", 100))
	opened, closed := 0, 0
	content := responses.NewContent(int64(len(data)), func() io.ReadCloser {
		opened++
		return &closeCounter{bytes.NewBuffer(slices.Clone(data)), &closed} // which cannot seek
	})
	require.NoError(t, iotest.TestReader(content, data))
	_, err := content.Seek(-1, io.SeekStart)
	require.Error(t, err)
	require.NoError(t, content.Close())
	_, err = content.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	assert.Greater(t, opened, 1)
	assert.Equal(t, opened, closed)
}

type closeCounter struct {
	io.Reader
	closed *int
}

func (c *closeCounter) Close() error {
	*c.closed++
	return nil
}

// Each provider has copies of its own, which those of another one do not disturb.
func TestCopiesOfTwoProviders(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h, other := newDepot(t, newUpstream(t)), newUpstream(t)
		elsewhere, err := assistants.NewClient(assistants.WithBaseURL("http://other.example/v1"), assistants.WithAPIKey("k"),
			assistants.WithHTTPClient(&http.Client{Transport: inProcess{other}}))
		require.NoError(t, err)
		first, second := h.copies, responses.NewCopies(elsewhere)
		store := h.newStore(h.upload("a.txt", "one"))
		for range 2 {
			for _, c := range []struct {
				copies responses.Copies
				up     *upstream
			}{{first, h.up}, {second, other}} {
				h.copies = c.copies
				mirror, originals := h.mirrored(store)
				for id := range originals {
					assert.Equal(t, "one", c.up.content(t, id))
				}
				assert.Len(t, c.up.attached(t, mirror), 1)
			}
		}
		h.copies = first
		h.up.requests()
		h.mirrored(store)
		assert.Empty(t, h.up.requests(), "nothing is copied again")
	})
}

// inProcess sends requests to a handler.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// Notes that nobody can read, and those of a provider that knows nothing of what they say, are as none.
func TestNotesOfSomebodyElse(t *testing.T) {
	for _, note := range []string{``, `nonsense`, `null`, `[]`, `{"id":7}`, `{"files":7}`, `{"id":"strange","files":null}`} {
		t.Run(note, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newDepot(t, newUpstream(t))
				file := h.upload("a.txt", "one")
				store := h.newStore(file)
				require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) error {
					return errors.Join(
						call.Remember(ctx, file, "responses.file "+base, []byte(note)),
						call.Remember(ctx, store, "responses.store "+base, []byte(note)),
						call.Remember(ctx, h.thread, "responses.container "+base, []byte(note)),
					)
				}))
				_, originals := h.mirrored(store)
				assert.Len(t, originals, 1)
				require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) error {
					now := fmt.Sprintf(`{"id":"strange","seen":%d}`, time.Now().Unix())
					return errors.Join(
						call.Remember(ctx, file, "responses.file "+base, []byte(now)),
						call.Remember(ctx, store, "responses.store "+base, []byte(now)),
					)
				}))
				_, originals = h.mirrored(store)
				assert.Len(t, originals, 1)
				container, copies := h.session("", file)
				assert.Empty(t, container)
				require.Len(t, copies, 1)
				assert.Equal(t, file, originals[copies[0]])
			})
		})
	}
}
