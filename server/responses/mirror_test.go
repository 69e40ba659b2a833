package responses_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

const (
	createStore  = "POST /vector_stores"
	attachFile   = "POST /vector_stores/vs/files"
	attachFiles  = "POST /vector_stores/vs/file_batches"
	describeFile = "POST /vector_stores/vs/files/file"
	detachFile   = "DELETE /vector_stores/vs/files/file"
)

// changes are the requests since the last time that are no looks.
func (u *upstream) changes() []string {
	return slices.DeleteFunc(u.requests(), func(line string) bool { return strings.HasPrefix(line, "GET ") })
}

// mirrored is mirror of one store, which must go well.
func (h *depot) mirrored(store string) (copy string, originals map[string]string) {
	h.t.Helper()
	ids, originals, err := h.mirror(store)
	require.NoError(h.t, err)
	require.Len(h.t, ids, 1)
	return ids[0], originals
}

func TestStoreIsCopiedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		one, two := h.upload("a.txt", "one"), h.upload("b.txt", "two")
		store := h.newStore(one)
		attributes := assistants.Attributes{"n": assistants.AttributeOf(1.5), "s": assistants.AttributeOf("é")}
		static := &assistants.ChunkingStrategy{
			Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 300, ChunkOverlapTokens: 10}}
		h.add(store, assistants.VectorStoreFileCreateParams{FileID: two, Attributes: attributes, ChunkingStrategy: static})

		copy, originals := h.mirrored(store)
		assert.Equal(t, []string{uploadFile, uploadFile, createStore, attachFile, attachFile}, h.up.changes())
		made, err := h.up.client.VectorStores.Retrieve(t.Context(), copy)
		require.NoError(t, err)
		assert.Equal(t, store, made.Name, "and nothing that somebody has written")
		assert.Equal(t, &assistants.VectorStoreExpiration{Anchor: assistants.AnchorLastActiveAt, Days: 7}, made.ExpiresAfter)
		files := h.up.attached(t, copy)
		require.Len(t, files, 2)
		require.Len(t, originals, 2)
		for id, file := range files {
			assert.Equal(t, assistants.VectorStoreFileCompleted, file.Status)
			if originals[id] == two {
				assert.Equal(t, "two", h.up.content(t, id))
				assert.Equal(t, attributes, file.Attributes)
				assert.Equal(t, static.Static, file.ChunkingStrategy.Static)
			} else {
				assert.Equal(t, one, originals[id])
				assert.Empty(t, file.Attributes)
			}
		}

		h.restart()
		again, same := h.mirrored(store)
		assert.Equal(t, copy, again)
		assert.Equal(t, originals, same)
		assert.Empty(t, h.up.requests(), "nothing has changed")
	})
}

func TestStoreIsCopiedOnceByManyAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		shared := h.upload("a.txt", "one")
		stores := []string{h.newStore(shared), h.newStore(shared, h.upload("b.txt", "two"))}
		h.up.answer(slowly)
		require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) error {
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					ids, originals, err := h.copies.Stores(ctx, call, stores...)
					assert.NoError(t, err)
					assert.Len(t, ids, 2)
					assert.Len(t, originals, 2)
				})
			}
			group.Wait()
			return nil
		}))
		assert.Equal(t, []string{uploadFile, uploadFile, createStore, createStore, attachFile, attachFile, attachFile}, h.up.changes())
	})
}

func TestMirrorFollows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		one, two := h.upload("a.txt", "one"), h.upload("b.txt", "two")
		store := h.newStore(one)
		copy, _ := h.mirrored(store)
		h.up.requests()

		h.add(store, assistants.VectorStoreFileCreateParams{FileID: two})
		_, originals := h.mirrored(store)
		assert.Equal(t, []string{uploadFile, attachFile}, h.up.changes())
		assert.ElementsMatch(t, []string{one, two}, slices.Collect(maps.Values(originals)))

		_, err := h.client.VectorStoreFiles.Modify(t.Context(), store, two,
			assistants.VectorStoreFileModifyParams{Attributes: assistants.Attributes{"a": assistants.AttributeOf(true)}})
		require.NoError(t, err)
		h.mirrored(store)
		assert.Equal(t, []string{describeFile}, h.up.requests())
		_, err = h.client.VectorStoreFiles.Delete(t.Context(), store, one)
		require.NoError(t, err)
		_, originals = h.mirrored(store)
		assert.Equal(t, []string{detachFile}, h.up.requests())
		files := h.up.attached(t, copy)
		require.Len(t, files, 1)
		for id, file := range files {
			assert.Equal(t, map[string]string{id: two}, originals)
			assert.Equal(t, assistants.Attributes{"a": assistants.AttributeOf(true)}, file.Attributes)
		}

		_, err = h.client.VectorStoreFiles.Delete(t.Context(), store, two)
		require.NoError(t, err)
		h.add(store, assistants.VectorStoreFileCreateParams{FileID: two, ChunkingStrategy: &assistants.ChunkingStrategy{
			Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 100}}})
		h.mirrored(store)
		assert.Equal(t, []string{detachFile, attachFile}, h.up.changes(), "cut in another way")
		_, err = h.client.Files.Delete(t.Context(), two)
		require.NoError(t, err)
		_, originals = h.mirrored(store)
		assert.Equal(t, []string{detachFile}, h.up.changes())
		assert.Empty(t, originals)
		h.mirrored(store)
		assert.Empty(t, h.up.requests())
	})
}

// What the provider does not have any more is made anew: after an hour by itself, and at once if something fails.
func TestMirrorThatHasVanished(t *testing.T) {
	for name, vanish := range map[string]func(*depot, string, string) error{
		"mirror": func(h *depot, store, _ string) error {
			_, err := h.up.client.VectorStores.Delete(h.t.Context(), store)
			return err
		},
		"mirror that expires": func(*depot, string, string) error {
			pass(8 * 24 * time.Hour)
			return nil
		},
		"file": func(h *depot, _, file string) error {
			_, err := h.up.client.Files.Delete(h.t.Context(), file)
			return err
		},
		"file of the mirror": func(h *depot, store, file string) error {
			_, err := h.up.client.VectorStoreFiles.Delete(h.t.Context(), store, file)
			return err
		},
		"file for another": func(h *depot, store, file string) error {
			_, err := h.up.client.VectorStoreFiles.Delete(h.t.Context(), store, file)
			other, failure := h.up.client.Files.Upload(h.t.Context(),
				assistants.FileUploadParams{File: strings.NewReader("x"), Filename: "x.txt"})
			_, added := h.up.client.VectorStoreFiles.CreateAndPoll(h.t.Context(), store,
				assistants.VectorStoreFileCreateParams{FileID: other.ID})
			return errors.Join(err, failure, added)
		},
		"all files": func(h *depot, store, _ string) error {
			for id := range h.up.attached(h.t, store) {
				if _, err := h.up.client.Files.Delete(h.t.Context(), id); err != nil {
					return err
				}
			}
			return nil
		},
		"copies": func(h *depot, store, file string) error {
			_, err := h.up.client.VectorStores.Delete(h.t.Context(), store)
			_, also := h.up.client.Files.Delete(h.t.Context(), file)
			return errors.Join(err, also)
		},
	} {
		for _, how := range []string{"later", "doubted", "changed"} {
			t.Run(name+"/"+how, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					h := newDepot(t, newUpstream(t))
					one, two := h.upload("a.txt", "one"), h.upload("b.txt", "two")
					store := h.newStore(one, two)
					copy, originals := h.mirrored(store)
					for id, original := range originals {
						if original == one {
							require.NoError(t, vanish(h, copy, id))
						}
					}
					whole := 2
					switch how {
					case "later":
						pass(61 * time.Minute)
					case "doubted":
						require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) error {
							return h.copies.Doubt(ctx, call, nil, []string{store})
						}))
					case "changed": // which shows only if the mirror itself is gone
						if strings.Contains(name, "file") {
							return
						}
						whole = 3
						h.add(store, assistants.VectorStoreFileCreateParams{FileID: h.upload("c.txt", "three")})
					}
					h.up.requests()
					copy, originals = h.mirrored(store)
					files := h.up.attached(t, copy)
					assert.ElementsMatch(t, slices.Collect(maps.Keys(files)), slices.Collect(maps.Keys(originals)), h.up.requests())
					assert.Len(t, files, whole)
					h.up.requests()
					h.mirrored(store)
					assert.Empty(t, h.up.requests())
				})
			})
		}
	}
}

// Copies of files end before the mirror that is in use: they are replaced.
func TestFilesOfMirrorAreRenewed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		store := h.newStore(h.upload("a.txt", "one"))
		copy, first := h.mirrored(store)
		for range 7 {
			pass(4 * 24 * time.Hour)
			_, err := h.up.client.VectorStores.Search(t.Context(), copy, assistants.VectorStoreSearchParams{Query: "one"})
			require.NoError(t, err, "which uses it")
		}
		h.up.requests()
		same, second := h.mirrored(store)
		assert.Equal(t, copy, same)
		assert.NotEqual(t, first, second)
		assert.ElementsMatch(t, slices.Collect(maps.Keys(second)), slices.Collect(maps.Keys(h.up.attached(t, copy))))
		assert.Equal(t, []string{detachFile, uploadFile, attachFile}, h.up.changes())
	})
}

// Files that the provider cannot read are left out, and not tried again and again.
func TestFilesThatAreUnreadable(t *testing.T) {
	for name, test := range map[string]struct {
		extracted error
		hook      func(http.ResponseWriter, *http.Request) bool
		after     []string // changes an hour later
	}{
		"failed":      {extracted: server.ErrUnsupportedFile},
		"failed once": {extracted: &server.FileError{Code: "server_error", Message: "Oh."}, after: []string{detachFile, attachFile}},
		"refused": {hook: func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/files") && r.Header.Get("Content-Type") == "application/json" {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				if strings.Contains(string(body), `"bad"`) {
					refuse(w, http.StatusBadRequest, "unsupported_file", "Files with such extensions are not supported.")
					return true
				}
			}
			return false
		}},
		"refused upload": {hook: func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/v1/files" {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(string(body)))
				if strings.Contains(string(body), "bad.txt") {
					refuse(w, http.StatusBadRequest, "", "Invalid extension txt. Supported formats: pdf")
					return true
				}
			}
			return false
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var opts []server.Option
				if test.extracted != nil {
					opts = append(opts, server.WithExtractor(picky{test.extracted}))
				}
				h := newDepot(t, newUpstream(t, opts...))
				h.up.answer(test.hook)
				good, bad := h.upload("good.txt", "good"), h.upload("bad.txt", "bad")
				store := h.newStore(good)
				h.add(store, assistants.VectorStoreFileCreateParams{
					FileID: bad, Attributes: assistants.Attributes{"is": assistants.AttributeOf("bad")}})
				copy, originals := h.mirrored(store)
				require.Len(t, originals, 1)
				for id := range originals {
					assert.Equal(t, "good", h.up.content(t, id))
				}
				h.up.requests()
				h.mirrored(store)
				assert.Empty(t, h.up.requests())
				pass(61 * time.Minute)
				h.mirrored(store)
				assert.ElementsMatch(t, test.after, h.up.changes())
				_, err := h.client.VectorStoreFiles.Delete(t.Context(), store, bad)
				require.NoError(t, err)
				h.mirrored(store)
				assert.Len(t, h.up.attached(t, copy), 1)
			})
		})
	}
}

// picky extracts the text of files that are not bad.
type picky struct{ err error }

func (p picky) Extract(_ context.Context, name string, content io.Reader) (string, error) {
	if name == "bad.txt" {
		return "", p.err
	}
	text, err := io.ReadAll(content)
	return string(text), err
}

// What was done before the provider fails is remembered, and not done again.
func TestMirroringThatFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		var files []string
		for range 20 {
			files = append(files, h.upload("a.txt", "text"))
		}
		store := h.newStore(files...)
		for try, fail := range []int{1, 2, 10} { // the POST that fails
			posts := 0
			var mu sync.Mutex
			h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
				mu.Lock()
				defer mu.Unlock()
				if r.Method == http.MethodPost {
					posts++
				}
				if r.Method != http.MethodPost || posts != fail {
					return false
				}
				refuse(w, http.StatusTooManyRequests, "rate_limit_exceeded", "Slow down.")
				return true
			})
			_, _, err := h.mirror(store)
			shown, ok := errors.AsType[*server.ModelError](err)
			require.True(t, ok, try)
			assert.Equal(t, server.ModelError{Code: "rate_limit_exceeded", Message: "Slow down."}, *shown)
		}
		h.up.answer(nil)
		h.restart()
		_, originals, err := h.mirror(store)
		require.NoError(t, err)
		assert.Len(t, originals, 20)
		done := map[string]int{}
		for _, line := range h.up.changes() {
			done[line]++
		}
		assert.Equal(t, 2, done[createStore], "the first failed")
		assert.LessOrEqual(t, done[uploadFile], 20+2)
		assert.Equal(t, 1, done[attachFiles])
		assert.Zero(t, done[attachFile])
	})
}

// What was done before a run is cancelled is remembered, and the mirror itself before there is anything in it.
func TestCancelWhileMirroring(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		noted := &notingStore{Store: h.store}
		h.opts = append(h.opts, server.WithStore(noted))
		h.restart()
		store := h.newStore(h.upload("a.txt", "one"), h.upload("b.txt", "two"))
		attached := 0
		var mu sync.Mutex
		h.up.answer(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/vector_stores/") {
				return false
			}
			assert.True(t, noted.has("responses.store "+base))
			mu.Lock()
			attached++
			first := attached == 1
			mu.Unlock()
			if !first {
				<-r.Context().Done()
			}
			return !first
		})
		require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) error {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(10*time.Second, cancel)
			_, _, err := h.copies.Stores(ctx, call, store)
			assert.ErrorIs(t, err, context.Canceled)
			return nil
		}))
		h.up.answer(nil)
		h.up.requests()
		_, originals := h.mirrored(store)
		assert.Len(t, originals, 2)
		assert.Equal(t, []string{attachFile}, h.up.changes())
	})
}

// notingStore knows what notes there are, and takes nothing from those who have gone.
type notingStore struct {
	server.Store
	mu    sync.Mutex
	names []string
}

func (s *notingStore) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.names, name)
}

func (s *notingStore) Insert(ctx context.Context, c server.Collection, r server.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	s.names = append(s.names, r.ID)
	s.mu.Unlock()
	return s.Store.Insert(ctx, c, r)
}

func (s *notingStore) Update(
	ctx context.Context, c server.Collection, id string, f func(server.Record) (server.Record, error),
) (server.Record, error) {
	if err := ctx.Err(); err != nil {
		return server.Record{}, err
	}
	return s.Store.Update(ctx, c, id, f)
}

func TestMirrorOfStoreThatIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		empty := h.newStore()
		ids, originals, err := h.mirror("vs_none", empty)
		require.NoError(t, err)
		assert.Len(t, ids, 1)
		assert.Empty(t, originals)
		_, err = h.client.VectorStores.Delete(t.Context(), empty)
		require.NoError(t, err)
		ids, _, err = h.mirror(empty)
		require.NoError(t, err)
		assert.Empty(t, ids)
	})
}

// A provider without vector stores says so.
func TestMirrorWhereThereAreNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		h.up.answer(func(w http.ResponseWriter, _ *http.Request) bool {
			refuse(w, http.StatusNotFound, "", "No such page.")
			return true
		})
		_, _, err := h.mirror(h.newStore())
		shown, ok := errors.AsType[*server.ModelError](err)
		require.True(t, ok)
		assert.Equal(t, "No such page.", shown.Message)
		assert.Equal(t, []string{createStore, createStore}, h.up.requests())
	})
}
