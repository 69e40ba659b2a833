package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// eachBlobs runs a test of the contract of Blobs on all that there are.
func eachBlobs(t *testing.T, test func(t *testing.T, blobs server.Blobs)) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, server.NewMemoryBlobs())
	})
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		test(t, directory(t, filepath.Join(t.TempDir(), "a", "b")))
	})
}

func directory(t testing.TB, dir string) *server.DirectoryBlobs {
	t.Helper()
	blobs, err := server.NewDirectoryBlobs(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, blobs.Close()) })
	return blobs
}

func put(t testing.TB, blobs server.Blobs, id, content string) {
	t.Helper()
	size, err := blobs.Put(t.Context(), id, strings.NewReader(content))
	require.NoError(t, err)
	require.EqualValues(t, len(content), size)
}

func contentOf(t testing.TB, blobs server.Blobs, id string) string {
	t.Helper()
	r, err := blobs.Open(t.Context(), id)
	require.NoError(t, err)
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return string(content)
}

// letters is content of n bytes, no two parts of which are alike.
func letters(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strconv.Itoa(i))
		b.WriteByte(' ')
	}
	return b.String()[:n]
}

// oddIDs are ids that are no good names of files.
var oddIDs = []string{
	"", ".", "..", "../../etc/passwd", "/etc/passwd", "a/b", `a\b`, "CON", "con", "nul.txt", "a\x00b", "\xff\xfe", "file-Ab", "file-aB",
	"%41", "A", "a%2fb", "你好", "a b", "-", "_", strings.Repeat("x", 250), "a\n", "blob-", "unfinished-1", "C:", "x:y", "é", "e\u0301",
}

func TestBlobs(t *testing.T) {
	eachBlobs(t, func(t *testing.T, blobs server.Blobs) {
		for _, size := range []int{0, 1, 4095, 4096, 4097, 12 << 10, 12<<10 + 1, 1 << 20, 5<<20 + 3} {
			id := "size " + strconv.Itoa(size)
			put(t, blobs, id, letters(size))
			require.True(t, letters(size) == contentOf(t, blobs, id), size)
		}
		for _, id := range oddIDs {
			put(t, blobs, id, "of "+id)
		}
		for _, id := range oddIDs {
			require.Equal(t, "of "+id, contentOf(t, blobs, id))
			_, err := blobs.Put(t.Context(), id, iotest.ErrReader(errors.New("read")))
			require.ErrorIs(t, err, server.ErrExists)
		}
		for _, id := range oddIDs {
			require.NoError(t, blobs.Delete(t.Context(), id))
			require.ErrorIs(t, blobs.Delete(t.Context(), id), server.ErrNotFound)
			_, err := blobs.Open(t.Context(), id)
			require.ErrorIs(t, err, server.ErrNotFound)
		}
		put(t, blobs, "", "again")
		require.Equal(t, "again", contentOf(t, blobs, ""))
	})
}

// What comes of a reader that does not come to its end is nothing, whatever it says.
func TestBlobsOfFailingReaders(t *testing.T) {
	eachBlobs(t, func(t *testing.T, blobs server.Blobs) {
		failure := errors.New("failure")
		for name, want := range map[string]error{
			"own": failure, "cut off": io.ErrUnexpectedEOF, "wrapped": errors.Join(failure, io.EOF), "closed": os.ErrClosed,
		} {
			for _, size := range []int{0, 10, 4096, 1 << 20} {
				size, err := blobs.Put(t.Context(), "x", io.MultiReader(strings.NewReader(letters(size)), iotest.ErrReader(want)))
				require.ErrorIs(t, err, want, name)
				require.Zero(t, size)
				_, err = blobs.Open(t.Context(), "x")
				require.ErrorIs(t, err, server.ErrNotFound, name)
			}
		}
		require.Panics(t, func() { _, _ = blobs.Put(t.Context(), "x", nil) })
		ended, end := context.WithCancel(t.Context())
		end()
		_, err := blobs.Put(ended, "x", strings.NewReader("x"))
		require.ErrorIs(t, err, context.Canceled)
		put(t, blobs, "x", "x")
	})
}

func TestReadersOfDeletedBlobsGoOn(t *testing.T) {
	eachBlobs(t, func(t *testing.T, blobs server.Blobs) {
		put(t, blobs, "x", letters(3<<20))
		r, err := blobs.Open(t.Context(), "x")
		require.NoError(t, err)
		first := make([]byte, 100_000)
		_, err = io.ReadFull(r, first)
		require.NoError(t, err)
		require.NoError(t, blobs.Delete(t.Context(), "x"))
		put(t, blobs, "x", "other")
		rest, err := io.ReadAll(iotest.OneByteReader(io.LimitReader(r, 5000)))
		require.NoError(t, err)
		more, err := io.ReadAll(r)
		require.NoError(t, err)
		require.True(t, letters(3<<20) == string(slices.Concat(first, rest, more)))
		require.NoError(t, r.Close())
		_, err = r.Read(first)
		require.ErrorIs(t, err, fs.ErrClosed)
		require.Equal(t, "other", contentOf(t, blobs, "x"))
	})
}

// Of those who put, open and delete the same blob at once, each gets all or nothing.
func TestBlobsAtOnce(t *testing.T) {
	eachBlobs(t, func(t *testing.T, blobs server.Blobs) {
		for round := range 20 {
			id := "race " + strconv.Itoa(round)
			var group sync.WaitGroup
			var mu sync.Mutex
			wins := 0
			for i := range 8 {
				group.Go(func() {
					content := bytes.Repeat([]byte{byte('a' + i)}, 10_000)
					switch _, err := blobs.Put(t.Context(), id, bytes.NewReader(content)); {
					case err == nil:
						mu.Lock()
						defer mu.Unlock()
						wins++
					default:
						assert.ErrorIs(t, err, server.ErrExists)
					}
				})
				group.Go(func() {
					r, err := blobs.Open(t.Context(), id)
					if errors.Is(err, server.ErrNotFound) {
						return
					}
					assert.NoError(t, err)
					content, err := io.ReadAll(r)
					assert.NoError(t, err)
					assert.Len(t, content, 10_000)
					assert.Equal(t, 10_000, bytes.Count(content, content[:1]))
					assert.NoError(t, r.Close())
				})
			}
			group.Wait()
			require.Equal(t, 1, wins)
		}
	})
}

// A directory is found again, without what a crash has left unfinished, and with nothing outside of it.
func TestDirectoryBlobs(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "blobs")
	blobs, err := server.NewDirectoryBlobs(dir)
	require.NoError(t, err)
	for _, id := range oddIDs {
		put(t, blobs, id, "of "+id)
	}
	r, w := io.Pipe()
	failed := make(chan error, 1)
	go func() {
		_, err := blobs.Put(context.Background(), "half", r)
		failed <- err
	}()
	_, err = w.Write([]byte("half of it"))
	require.NoError(t, err)
	names, err := filepath.Glob(filepath.Join(dir, "unfinished-*"))
	require.NoError(t, err)
	require.Len(t, names, 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "unfinished-of-a-crash"), []byte("x"), 0o600))
	require.NoError(t, w.CloseWithError(errors.New("gone")))
	require.EqualError(t, <-failed, "gone")
	require.NoError(t, blobs.Close())
	_, err = blobs.Open(t.Context(), "a")
	require.Error(t, err, "it is closed")

	blobs = directory(t, dir)
	for _, id := range oddIDs {
		require.Equal(t, "of "+id, contentOf(t, blobs, id))
	}
	_, err = blobs.Open(t.Context(), "half")
	require.ErrorIs(t, err, server.ErrNotFound)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, len(oddIDs))
	for _, e := range entries {
		require.Regexp(t, `^blob-[a-z0-9%_-]*$`, e.Name())
	}
	entries, err = os.ReadDir(parent)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func TestDirectoryBlobsRefuse(t *testing.T) {
	t.Parallel()
	blobs := directory(t, t.TempDir())
	for _, id := range []string{strings.Repeat("x", 251), strings.Repeat("X", 84), strings.Repeat("x", 1<<20)} {
		_, err := blobs.Put(t.Context(), id, strings.NewReader("x"))
		require.ErrorContains(t, err, "too long for the name of a file")
		_, err = blobs.Open(t.Context(), id)
		require.ErrorIs(t, err, server.ErrNotFound)
		require.ErrorIs(t, blobs.Delete(t.Context(), id), server.ErrNotFound)
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := server.NewDirectoryBlobs(file)
	require.ErrorContains(t, err, "server: blobs: ")
}

func FuzzDirectoryBlobs(f *testing.F) {
	for _, id := range oddIDs {
		f.Add(id, "file-1")
	}
	f.Fuzz(func(t *testing.T, id, other string) {
		parent := t.TempDir()
		blobs := directory(t, filepath.Join(parent, "blobs"))
		if _, err := blobs.Put(t.Context(), id, strings.NewReader(id)); err != nil {
			require.Greater(t, len(id), 80)
			return
		}
		_, err := blobs.Put(t.Context(), other, strings.NewReader(other))
		require.Equal(t, id == other, errors.Is(err, server.ErrExists))
		require.Equal(t, id, contentOf(t, blobs, id))
		entries, err := os.ReadDir(parent)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.NoError(t, blobs.Delete(t.Context(), id))
		_, err = blobs.Open(t.Context(), id)
		require.ErrorIs(t, err, server.ErrNotFound)
	})
}
