package assistants_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// A settleCall is one of the calls that wait for files to be read: it returns the status that was seen last, "" for none.
type settleCall struct {
	first string // what it asks for first
	look  string // what it asks for then
	body  func(status string) string
	call  func(context.Context, *assistants.Client, ...assistants.RequestOption) (assistants.VectorStoreFileStatus, error)
}

// settling are these calls.
func settling() map[string]settleCall {
	type ctx = context.Context
	file := func(f *assistants.VectorStoreFile, err error) (assistants.VectorStoreFileStatus, error) {
		if f == nil {
			return "", err
		}
		return f.Status, err
	}
	batch := func(b *assistants.FileBatch, err error) (assistants.VectorStoreFileStatus, error) {
		if b == nil {
			return "", err
		}
		return assistants.VectorStoreFileStatus(b.Status), err
	}
	const files, batches = "/vector_stores/vs_1/files", "/vector_stores/vs_1/file_batches"
	aFile := func(status string) string { return aStoreFile("file-1", status) }
	aBatch := func(status string) string { return aBatch(status, 1) }
	return map[string]settleCall{
		"Poll of a file": {"GET " + files + "/file-1", "GET " + files + "/file-1", aFile,
			func(ctx ctx, c *assistants.Client, opts ...assistants.RequestOption) (assistants.VectorStoreFileStatus, error) {
				return file(c.VectorStoreFiles.Poll(ctx, "vs_1", "file-1", opts...))
			}},
		"CreateAndPoll of a file": {"POST " + files, "GET " + files + "/file-1", aFile,
			func(ctx ctx, c *assistants.Client, opts ...assistants.RequestOption) (assistants.VectorStoreFileStatus, error) {
				return file(c.VectorStoreFiles.CreateAndPoll(ctx, "vs_1", assistants.VectorStoreFileCreateParams{FileID: "file-1"}, opts...))
			}},
		"Poll of a batch": {"GET " + batches + "/vsfb_1", "GET " + batches + "/vsfb_1", aBatch,
			func(ctx ctx, c *assistants.Client, opts ...assistants.RequestOption) (assistants.VectorStoreFileStatus, error) {
				return batch(c.FileBatches.Poll(ctx, "vs_1", "vsfb_1", opts...))
			}},
		"CreateAndPoll of a batch": {"POST " + batches, "GET " + batches + "/vsfb_1", aBatch,
			func(ctx ctx, c *assistants.Client, opts ...assistants.RequestOption) (assistants.VectorStoreFileStatus, error) {
				return batch(c.FileBatches.CreateAndPoll(ctx, "vs_1", assistants.FileBatchCreateParams{FileIDs: []string{"file-1"}}, opts...))
			}},
	}
}

// Between two looks is half a second, growing to five, or what the server asks for, or what the caller does.
func TestSettlePauses(t *testing.T) {
	t.Parallel()
	for name, test := range pauses() {
		for what, call := range settling() {
			t.Run(name+": "+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var steps []step
					for range test.want {
						steps = append(steps, answer(200, call.body("in_progress"), "openai-poll-after-ms: "+test.after))
					}
					tr := newClocked(t, append(steps, answer(200, call.body("completed")))...)
					status, err := call.call(t.Context(), newClient(t, tr, test.client...), test.opts...)
					require.NoError(t, err)
					assert.Equal(t, assistants.VectorStoreFileCompleted, status)
					tr.checkPauses(t, test.want)
				})
			})
		}
	}
}

// The server's wish counts for the pause behind the answer that it came in.
func TestSettlePausesChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		moving := aStoreFile("file-1", "in_progress")
		tr := newClocked(t, answer(200, moving), answer(200, moving, "openai-poll-after-ms: 3000"), answer(200, moving), answer(200, aStoreFile("file-1", "failed")))
		_, err := settling()["CreateAndPoll of a file"].call(t.Context(), newClient(t, tr))
		require.NoError(t, err)
		const look = "GET /vector_stores/vs_1/files/file-1"
		assert.Equal(t, "0s POST /vector_stores/vs_1/files, 500ms "+look+", 3.5s "+look+", 4.125s "+look, tr.askedWhen())
	})
}

// A wait ends with whatever is not in progress, and what went wrong with the files is no error of the call.
func TestSettleEnds(t *testing.T) {
	t.Parallel()
	for what, call := range settling() {
		for _, status := range []string{"completed", "failed", "cancelled", "paused", ""} {
			t.Run(what+" "+status, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					tr := newClocked(t, answer(200, call.body(status)))
					got, err := call.call(t.Context(), newClient(t, tr))
					require.NoError(t, err)
					assert.EqualValues(t, status, got)
					assert.Equal(t, "0s "+call.first, tr.askedWhen())

					tr = newClocked(t, answer(200, call.body("in_progress")), answer(200, call.body(status)))
					got, err = call.call(t.Context(), newClient(t, tr))
					require.NoError(t, err)
					assert.EqualValues(t, status, got)
					assert.Equal(t, "0s "+call.first+", 500ms "+call.look, tr.askedWhen())
				})
			})
		}
	}
}

// Why a file failed is there to be read after the wait.
func TestSettleFailures(t *testing.T) {
	t.Parallel()
	for want, body := range map[string]string{
		"invalid_file: Empty.": aStoreFile("file-1", "failed", why("invalid_file", "Empty.")),
		"assistants: file file-1 in vector store vs_1: cancelled": aStoreFile("file-1", "cancelled"),
	} {
		c := newClient(t, newTransport(t, answer(200, body)))
		file, err := c.VectorStoreFiles.Poll(t.Context(), "vs_1", "file-1")
		require.NoError(t, err)
		require.EqualError(t, file.Err(), want)
	}
	batch, err := newClient(t, newTransport(t, answer(200, aBatch("completed", 0, 1, 2, 3)))).FileBatches.Poll(t.Context(), "vs_1", "vsfb_1")
	require.NoError(t, err)
	assert.Equal(t, assistants.FileCounts{Completed: 1, Failed: 2, Cancelled: 3, Total: 6}, batch.FileCounts)
}

// An error comes with what was seen last, and is that of the last call.
func TestSettleErrors(t *testing.T) {
	t.Parallel()
	for name, test := range failedLooks() {
		for what, call := range settling() {
			t.Run(name+": "+what, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var resp assistants.Response
					tr := newClocked(t, answer(200, call.body("in_progress")), answer(200, call.body("in_progress")), test.step)
					status, err := call.call(t.Context(), newClient(t, tr), assistants.WithResponse(&resp))
					require.ErrorContains(t, err, "assistants: "+call.look+": ")
					if test.is != nil {
						require.ErrorIs(t, err, test.is)
					}
					assert.Equal(t, assistants.VectorStoreFileInProgress, status)
					assert.Equal(t, call.first+strings.Repeat(", "+call.look, test.tries+1), tr.asked())
					assert.Equal(t, test.tries, resp.Attempts)

					status, err = call.call(t.Context(), newClient(t, newClocked(t, test.step)))
					require.Error(t, err)
					assert.Empty(t, status, "it never was seen")
				})
			})
		}
	}
	t.Run("a look that fails once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			tr := newClocked(t, answer(200, aBatch("in_progress", 1)), fail(reset), answer(503, "", "retry-after-ms: 1"), answer(200, aBatch("completed", 0, 1)))
			_, err := settling()["CreateAndPoll of a batch"].call(t.Context(), newClient(t, tr))
			require.NoError(t, err)
		})
	})
	t.Run("no context, no ids, no client", func(t *testing.T) {
		t.Parallel()
		tr := newTransport(t, answer(200, aStoreFile("file-1", "completed")))
		c := newClient(t, tr)
		for what, call := range settling() {
			_, err := call.call(nil, c) //nolint:staticcheck // which is the point
			require.ErrorContains(t, err, "context is nil", what)
		}
		_, err := c.VectorStoreFiles.Poll(t.Context(), "vs_1", "")
		require.Error(t, err)
		_, err = c.FileBatches.Poll(t.Context(), "..", "vsfb_1")
		require.Error(t, err)
		_, err = new(assistants.FileBatchesService).Poll(t.Context(), "vs_1", "vsfb_1")
		require.ErrorContains(t, err, "NewClient")
		assert.Empty(t, tr.requests())
	})
}

// When the context ends the call does, in a pause as well as in a request, with what was seen last.
func TestSettleAbandoned(t *testing.T) {
	t.Parallel()
	const after = 700 * time.Millisecond
	for why, how := range gone {
		for what, call := range settling() {
			t.Run(what+" "+why, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					moving := answer(200, call.body("in_progress"))
					for _, test := range []struct {
						steps  []step
						asked  string
						status assistants.VectorStoreFileStatus
					}{
						{[]step{moving}, call.first + ", " + call.look, "in_progress"},
						{[]step{moving, silence}, call.first + ", " + call.look, "in_progress"},
						{[]step{silence}, call.first, ""},
					} {
						tr := newClocked(t, test.steps...)
						ctx, cancel := how.end(t.Context(), after)
						status, err := call.call(ctx, newClient(t, tr), assistants.WithTimeout(0))
						cancel()
						require.ErrorIs(t, err, how.is)
						assert.Equal(t, after, tr.now())
						assert.Equal(t, test.asked, tr.asked())
						assert.Equal(t, test.status, status)
					}
				})
			})
		}
	}
}

// Options that need a call which waits, or one that is about a run, are errors elsewhere, and nothing is sent.
func TestSettleOptions(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(http.StatusOK, aBatch("completed")))
	c, ctx := newClient(t, tr), t.Context()
	for what, call := range settling() {
		for says, opt := range map[string]assistants.RequestOption{
			"WithCancelOnAbandon: this call neither polls nor streams a run": assistants.WithCancelOnAbandon(),
			"WithMaxToolRounds: this call neither polls nor streams a run":   assistants.WithMaxToolRounds(3),
			"WithStreamIdleTimeout: this call is not streamed":               assistants.WithStreamIdleTimeout(time.Second),
			"WithInclude: this call has nothing to include":                  assistants.WithInclude(assistants.IncludeFileSearchContent),
		} {
			_, err := call.call(ctx, c, opt)
			require.EqualError(t, err, "assistants: "+call.first+": "+says, what)
		}
	}
	every := assistants.WithPollInterval(time.Second)
	some := assistants.VectorStoreFileListParams{}
	for name, call := range map[string]func() error{
		"VectorStores.Create": func() error {
			_, err := c.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{}, every)
			return err
		},
		"VectorStores.Search": func() error {
			_, err := c.VectorStores.Search(ctx, "vs_1", assistants.VectorStoreSearchParams{Query: "q"}, every)
			return err
		},
		"VectorStoreFiles.Create": func() error {
			_, err := c.VectorStoreFiles.Create(ctx, "vs_1", assistants.VectorStoreFileCreateParams{}, every)
			return err
		},
		"VectorStoreFiles.Retrieve": func() error { _, err := c.VectorStoreFiles.Retrieve(ctx, "vs_1", "file-1", every); return err },
		"VectorStoreFiles.List":     func() error { _, err := c.VectorStoreFiles.List(ctx, "vs_1", some, every); return err },
		"FileBatches.Create": func() error {
			_, err := c.FileBatches.Create(ctx, "vs_1", assistants.FileBatchCreateParams{FileIDs: []string{}}, every)
			return err
		},
		"FileBatches.Cancel":    func() error { _, err := c.FileBatches.Cancel(ctx, "vs_1", "vsfb_1", every); return err },
		"FileBatches.ListFiles": func() error { _, err := c.FileBatches.ListFiles(ctx, "vs_1", "vsfb_1", some, every); return err },
		"Files.Upload": func() error {
			_, err := c.Files.Upload(ctx, assistants.FileUploadParams{File: strings.NewReader("a"), Filename: "a"}, every)
			return err
		},
		"Files.Retrieve": func() error { _, err := c.Files.Retrieve(ctx, "file-1", every); return err },
	} {
		require.ErrorContains(t, call(), "WithPollInterval: this call does not wait for anything", name)
	}
	for file, err := range c.FileBatches.AllFiles(ctx, "vs_1", "vsfb_1", some, every) {
		assert.Nil(t, file)
		require.ErrorContains(t, err, "WithPollInterval: ")
	}
	assert.Empty(t, tr.requests())
}

// What belongs to the first request is not on those that follow it.
func TestSettleFurther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := newClocked(t, answer(200, aBatch("in_progress", 1)), answer(200, aBatch("completed", 0, 1)))
		var resp assistants.Response
		_, err := newClient(t, tr).FileBatches.CreateAndPoll(t.Context(), "vs_1", assistants.FileBatchCreateParams{FileIDs: []string{"file-1"}},
			assistants.WithIdempotencyKey("key"), assistants.WithBodyField("extra", 7), assistants.WithHeader("X-Trace", "t"), assistants.WithResponse(&resp))
		require.NoError(t, err)
		first, second := tr.requests()[0], tr.requests()[1]
		assert.Equal(t, "key", first.Header.Get("Idempotency-Key"))
		assert.JSONEq(t, `{"file_ids":["file-1"],"extra":7}`, first.body)
		assert.Empty(t, second.Header.Get("Idempotency-Key"))
		assert.Empty(t, second.body)
		assert.Equal(t, []string{"t", "t"}, []string{first.Header.Get("X-Trace"), second.Header.Get("X-Trace")})
		assert.Contains(t, string(resp.Body), `"completed"`, "it is the last one's")
	})
}
