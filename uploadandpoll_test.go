package assistants_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// A batch that did not come to its end is an error, and so is one whose counts tell of files that no list has.
func TestUploadAndPollLies(t *testing.T) {
	t.Parallel()
	mine, other := aStoreFile("file-a", "failed", why("invalid_file", "Empty.")), aStoreFile("file-other", "failed")
	for name, test := range map[string]struct {
		batch  string // status and counts: in progress, completed, failed, cancelled
		listed []string
		says   string // "": no error of the batch
		failed string
	}{
		"completed":                        {aBatch("completed", 0, 2), nil, "", ""},
		"failed files that are listed":     {aBatch("completed", 0, 1, 1), []string{mine}, "", "file-a"},
		"failed files that are not":        {aBatch("completed", 0, 1, 1), nil, "completed, and 1 of its 2 files can be searched", ""},
		"failed files that do not count":   {strings.Replace(aBatch("completed", 0, 2, 1), `"total":3`, `"total":2`, 1), nil, "2 of its 2", ""},
		"cancelled files that are not":     {aBatch("completed", 0, 1, 0, 1), nil, "completed, and 1 of its 2 files can be searched", ""},
		"some of them listed":              {aBatch("completed", 0, 0, 2), []string{mine}, "completed, and 0 of its 2 files can be searched", "file-a"},
		"files that are not completed":     {aBatch("completed", 1, 1), nil, "completed, and 1 of its 2 files can be searched", ""},
		"failed as a whole":                {aBatch("failed", 2), nil, "vsfb_1 is failed, and 0 of its 2 files can be searched", ""},
		"cancelled":                        {aBatch("cancelled", 1, 1), nil, "vsfb_1 is cancelled, and 1 of its 2 files can be searched", ""},
		"cancelled, with files":            {aBatch("cancelled", 0, 1, 1), []string{mine}, "vsfb_1 is cancelled, and 1 of its 2", "file-a"},
		"in a status of its own":           {aBatch(testKey, 0, 2), nil, "vsfb_1 is in a status that is unknown here, and 2 of its 2", ""},
		"the files of others":              {aBatch("completed", 0, 1, 1), []string{other, other}, "1 of its 2 files can be searched", ""},
		"one of others among them":         {aBatch("completed", 0, 1, 1), []string{other, mine, other}, "", "file-a"},
		"one, again and again":             {aBatch("completed", 0, 0, 2), []string{mine, mine, mine}, "0 of its 2 files can be searched", "file-a"},
		"all of them, and again, and more": {aBatch("completed", 0, 0, 2), []string{mine, mine, aStoreFile("file-b", "failed"), mine, other}, "", "file-a file-b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &library{look: answer(200, test.batch), failed: test.listed}
				batch, err := newClient(t, l).FileBatches.UploadAndPoll(t.Context(), "vs_1", assistants.FileBatchUploadParams{Files: texts("a", "b")})
				require.NotNil(t, batch)
				var failed []string
				failures, _ := errors.AsType[assistants.FileFailures](err)
				for _, f := range failures {
					failed = append(failed, f.FileID)
				}
				assert.Equal(t, test.failed, strings.Join(failed, " "))
				switch {
				case test.says != "":
					require.ErrorContains(t, err, "assistants: file batch vsfb_1 is ")
					require.ErrorContains(t, err, test.says)
					assert.NotContains(t, err.Error(), testKey)
				case test.failed != "":
					require.Error(t, err)
					require.NotContains(t, err.Error(), "file batch")
				default:
					require.NoError(t, err)
				}
			})
		})
	}
}

// Whatever a server lists, the call ends.
func TestUploadAndPollEndlessList(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]bool{"of files of others": false, "of our own among them": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pages := 0
				l := &library{look: answer(200, aBatch("completed", 0, 0, 1)), list: func(r *http.Request) (*http.Response, error) {
					pages++
					files := []string{}
					for i := range 100 {
						files = append(files, aStoreFile(fmt.Sprintf("file-%d-%d", pages, i), "failed"))
					}
					if own && pages == 3 {
						files = append(files, aStoreFile("file-a", "failed"))
					}
					return response(200, `{"object":"list","data":[`+strings.Join(files, ",")+`],"has_more":true}`), nil
				}}
				batch, err := newClient(t, l).FileBatches.UploadAndPoll(t.Context(), "vs_1", assistants.FileBatchUploadParams{Files: texts("a")})
				require.NotNil(t, batch)
				if own {
					assert.Equal(t, 3, pages)
					assert.Len(t, failuresIn(t, err), 1)
				} else {
					assert.Less(t, pages, 100)
					require.EqualError(t, err, "assistants: file batch vsfb_1 is completed, and 0 of its 1 files can be searched")
				}
			})
		})
	}
}

// Which id stands for which file is told as soon as it is known, whatever becomes of the batch.
func TestUploadAndPollUploaded(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*library{
		"it works":         {took: time.Second},
		"the batch fails":  {create: answer(404, `{}`)},
		"it never is done": {look: answer(404, `{}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l.uploads = func(name string) step {
					if name == "c" {
						return refused
					}
					return nil
				}
				var calls atomic.Int32
				known := map[int]string{}
				_, err := newClient(t, l).FileBatches.UploadAndPoll(t.Context(), "vs_1", assistants.FileBatchUploadParams{
					Files: texts("a", "b", "c", "d", "e"), FileIDs: []string{"file-x"}, Concurrency: 5,
					Uploaded: func(index int, file *assistants.File) {
						assert.EqualValues(t, 1, calls.Add(1), "one call after the other")
						defer calls.Add(-1)
						runtime.Gosched()
						assert.NotContains(t, known, index)
						known[index] = file.ID
						assert.Empty(t, l.added, "it is told before the batch")
					},
				})
				require.Error(t, err) // of c
				assert.Equal(t, map[int]string{0: "file-a", 1: "file-b", 3: "file-d", 4: "file-e"}, known)
			})
		})
	}
}

// When no further file can be uploaded none is tried, and each is in the error all the same.
func TestUploadAndPollStops(t *testing.T) {
	t.Parallel()
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("%02d", i)
	}
	for name, test := range map[string]struct {
		took  time.Duration
		tenth step
		is    error
		most  int // that are tried: others may be on their way when one is refused
	}{
		"the key is refused":    {0, answer(401, `{}`), assistants.ErrUnauthorized, 60},
		"it may not":            {0, answer(403, `{}`), assistants.ErrPermission, 60},
		"the context ends":      {time.Second, nil, context.DeadlineExceeded, 12},
		"a file is refused":     {0, refused, assistants.ErrBadRequest, 100},
		"the server fails once": {0, answer(500, ``, "x-should-retry: false"), assistants.ErrServer, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
				defer cancel()
				l := &library{took: test.took, uploads: func(name string) step {
					if name == "09" {
						return test.tenth
					}
					return nil
				}}
				params := assistants.FileBatchUploadParams{Files: texts(names...), Concurrency: 4}
				batch, err := newClient(t, l).FileBatches.UploadAndPoll(ctx, "vs_1", params)
				require.ErrorIs(t, err, test.is)
				accountFor(t, l, params, batch, err)
				tried := 0
				for _, asked := range l.asked {
					if strings.HasPrefix(asked, "POST /files ") {
						tried++
					}
				}
				if test.most == 100 {
					assert.Equal(t, 100, tried)
					assert.Len(t, failuresIn(t, err), 1)
					return
				}
				assert.GreaterOrEqual(t, tried, 10)
				assert.LessOrEqual(t, tried, test.most)
				failures := failuresIn(t, err)
				last := failures[len(failures)-1]
				assert.Equal(t, 99, last.Index, "those that were not tried")
				require.ErrorIs(t, last, test.is)
			})
		})
	}
}

// No context is one error, not one of each file.
func TestUploadAndPollWithoutContext(t *testing.T) {
	t.Parallel()
	var none context.Context
	tr := newTransport(t, answer(200, fileJSON))
	c := newClient(t, tr)
	_, err := c.FileBatches.UploadAndPoll(none, "vs_1", assistants.FileBatchUploadParams{Files: texts("a", "b")})
	require.EqualError(t, err, "assistants: POST /vector_stores/vs_1/file_batches: the context is nil")
	_, err = c.VectorStoreFiles.UploadAndPoll(none, "vs_1", texts("a")[0])
	require.EqualError(t, err, "assistants: POST /vector_stores/vs_1/files: the context is nil")
	_, err = c.Uploads.UploadLarge(none, assistants.UploadLargeParams{File: texts("a")[0].File})
	require.EqualError(t, err, "assistants: POST /uploads: the context is nil")
	assert.Empty(t, tr.requests())
}
