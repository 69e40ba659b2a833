package responses_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// largeStore is a vector store of n files with attributes of their own, "n", which are their numbers and contents.
func (h *depot) largeStore(n int) string {
	h.t.Helper()
	store := h.newStore()
	var params assistants.FileBatchCreateParams
	for i := range n {
		params.Files = append(params.Files, assistants.VectorStoreFileCreateParams{
			FileID:     h.upload(fmt.Sprintf("%d.txt", i), fmt.Sprint(i)),
			Attributes: assistants.Attributes{"n": assistants.AttributeOf(i)},
			ChunkingStrategy: &assistants.ChunkingStrategy{
				Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 100 + i%2}},
		})
	}
	for some := range slices.Chunk(params.Files, 2000) {
		_, err := h.client.FileBatches.CreateAndPoll(h.t.Context(), store, assistants.FileBatchCreateParams{Files: some})
		require.NoError(h.t, err)
	}
	return store
}

// counted counts the changes since the last time.
func (u *upstream) counted() map[string]int {
	counts := map[string]int{}
	for _, line := range u.changes() {
		counts[line]++
	}
	return counts
}

// Many files are added together, each with what it has.
func TestManyFilesAreAddedTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		store := h.largeStore(12)
		made, originals := h.mirrored(store)
		assert.Equal(t, map[string]int{createStore: 1, uploadFile: 12, attachFiles: 1}, h.up.counted())
		files := h.up.attached(t, made)
		assert.Len(t, originals, 12)
		require.Len(t, files, 12)
		for id, file := range files {
			n := h.up.content(t, id)
			assert.JSONEq(t, n, fmt.Sprint(file.Attributes["n"]))
			assert.Equal(t, n[len(n)-1]%2, byte(file.ChunkingStrategy.Static.MaxChunkSizeTokens%2))
			_, there := originals[id]
			assert.True(t, there)
		}
		h.mirrored(store)
		assert.Empty(t, h.up.requests())
	})
}

// Files that a request for many is refused for, or that come out of it unread, are found by adding them one by one.
func TestFilesAddedTogetherThatFail(t *testing.T) {
	isBatch := func(r *http.Request) bool {
		return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/file_batches")
	}
	for name, test := range map[string]struct {
		extracted error
		hook      func(http.ResponseWriter, *http.Request) bool
		want      map[string]int
		read      int
	}{
		"no such requests": {nil, func(w http.ResponseWriter, r *http.Request) bool {
			if isBatch(r) {
				refuse(w, http.StatusNotFound, "", "No such page.")
			}
			return isBatch(r)
		}, map[string]int{attachFiles: 1, attachFile: 12}, 12},
		"one is unreadable": {server.ErrUnsupportedFile, nil, map[string]int{attachFiles: 1}, 11},
		"one is refused": {nil, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost || !strings.Contains(r.URL.Path, "/vector_stores/") {
				return false
			}
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte(`"bad"`)) {
				refuse(w, http.StatusBadRequest, "unsupported_file", "Not with us.")
				return true
			}
			return false
		}, map[string]int{attachFiles: 1, attachFile: 12}, 11},
		"one cannot be uploaded": {nil, func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v1/files" {
				return false
			}
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte("bad.txt")) {
				refuse(w, http.StatusRequestEntityTooLarge, "", "Request Entity Too Large")
				return true
			}
			return false
		}, map[string]int{attachFiles: 1, uploadFile: 11 + 2}, 11},
		"not all are told": {nil, func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/files") && strings.Contains(r.URL.Path, "/file_batches/") {
				_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"file-strange","object":"vector_store.file","status":"completed"}]}`)
				return true
			}
			return false
		}, map[string]int{attachFiles: 1, attachFile: 12}, 12},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var opts []server.Option
				if test.extracted != nil {
					opts = append(opts, server.WithExtractor(picky{test.extracted}))
				}
				h := newDepot(t, newUpstream(t, opts...))
				h.up.answer(test.hook)
				store := h.largeStore(11)
				h.add(store, assistants.VectorStoreFileCreateParams{FileID: h.upload("bad.txt", "bad"),
					Attributes: assistants.Attributes{"is": assistants.AttributeOf("bad")}})
				_, originals := h.mirrored(store)
				assert.Len(t, originals, test.read)
				counts := h.up.counted()
				delete(counts, createStore)
				if test.want[uploadFile] == 0 {
					assert.Equal(t, 12, counts[uploadFile])
					delete(counts, uploadFile)
				}
				assert.Equal(t, test.want, counts)
				h.mirrored(store)
				assert.Empty(t, h.up.requests())
			})
		})
	}
}

// A run that ends in the middle of a large vector store has not worked in vain, and nothing is missing in the end.
func TestLargeStoreInSeveralRuns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		store := h.largeStore(510)
		require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) error {
			ctx, cancel := context.WithCancel(ctx)
			var noted []int
			h.up.answer(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/file_batches") {
					return false
				}
				note, err := call.Recall(ctx, store, "responses.store "+base)
				assert.NoError(t, err)
				if noted = append(noted, bytes.Count(note, []byte(`"id":"file-`))); len(noted) == 2 {
					cancel()
				}
				return false
			})
			_, _, err := h.copies.Stores(ctx, call, store)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, []int{0, 500}, noted, "written down before the next are added")
			return nil
		}))
		h.up.answer(nil)
		assert.Equal(t, map[string]int{createStore: 1, uploadFile: 510, attachFiles: 2}, h.up.counted())
		h.restart()
		_, originals := h.mirrored(store)
		assert.Len(t, slices.Compact(slices.Sorted(maps.Values(originals))), 510)
		assert.Equal(t, map[string]int{attachFiles: 1}, h.up.counted())
	})
}

// Only what is said about a file is believed to be about it. All else ends the run, and is tried again by the next
// one.
func TestUploadsThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		status        int
		code, message string
		file          bool
	}{
		{400, "unsupported_file", "No.", true},
		{400, "invalid_file", "No.", true},
		{400, "", "File is empty.", true},
		{400, "", "Invalid file format. Supported formats: pdf", true},
		{400, "", "Files with extensions [.xyz] are not supported.", true},
		{400, "", "The file is too large.", true},
		{413, "", "Request Entity Too Large", true},
		{415, "", "Unsupported file", true},
		{422, "", "The PDF is corrupt.", true},
		{400, "storage_limit_exceeded", "Your organization has used up its storage.", false},
		{400, "quotaExceeded", "The quota for files without expiry is reached. The maximum is 500.", false},
		{400, "invalidPayload", "Invalid value for purpose.", false},
		{400, "", "Additional properties are not allowed ('filename' was unexpected)", false},
		{400, "", "", false},
		{401, "unsupported_file", "", false},
		{403, "", "You have no right to this file type.", false},
		{404, "", "No such page.", false},
		{415, "", "Unsupported Media Type", false},
		{429, "", "Slow down.", false},
		{500, "", "Invalid file format.", false},
	} {
		t.Run(fmt.Sprint(test.status, test.code, test.message), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newDepot(t, newUpstream(t))
				h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == "/v1/files" {
						refuse(w, test.status, test.code, test.message)
						return true
					}
					return false
				})
				store := h.newStore(h.upload("a.txt", "a"))
				_, originals, err := h.mirror(store)
				assert.Empty(t, originals)
				if test.file {
					require.NoError(t, err)
				} else {
					shown, ok := errors.AsType[*server.ModelError](err)
					require.True(t, ok, "%v", err)
					assert.Contains(t, shown.Message, test.message)
				}
				h.up.answer(nil)
				_, originals, err = h.mirror(store)
				require.NoError(t, err)
				assert.Len(t, originals, map[bool]int{false: 1}[test.file], "the provider is well again")
			})
		})
	}
}
