package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

func isInterrupted(err error) bool {
	_, ok := errors.AsType[*assistants.UploadInterruptedError](err)
	return ok
}

// What the service has refused cannot be gone on with, and everything else can.
func TestUploadLargeInterrupted(t *testing.T) {
	t.Parallel()
	hangUp := -1
	for status, want := range map[int]bool{400: false, 404: false, 401: true, 403: true, 429: true, 500: true, 503: true, hangUp: true} {
		end := func(w http.ResponseWriter) bool {
			if status == hangUp {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(status)
			return true
		}
		for what, srv := range map[string]*uploadServer{
			"a part":     {t: t, part: func(w http.ResponseWriter, _ *http.Request, _ string) bool { return end(w) }},
			"completing": {t: t, complete: end},
		} {
			t.Run(fmt.Sprint(what, " ", status), func(t *testing.T) {
				t.Parallel()
				everywhere(t, srv.ServeHTTP, func(t *testing.T, c *assistants.Client) {
					_, err := large(t.Context(), c, assistants.UploadLargeParams{
						File: assistants.FileUploadParams{File: strings.NewReader(ten), Filename: "f"}, PartSize: 5,
					}, assistants.WithMaxRetries(0))
					require.Error(t, err)
					assert.Equal(t, want, isInterrupted(err), "%v", err)
					assert.Equal(t, 1, strings.Count(err.Error(), "assistants: "), err)
				})
			})
		}
	}
}

// Whoever writes down how far an upload is goes on from there, though the process that began it told nothing else.
func TestUploadLargeCheckpoint(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]func() io.Reader{
		"at once":  func() io.Reader { return strings.NewReader(ten) },
		"in order": func() io.Reader { return onlyReader{strings.NewReader(ten)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, die := context.WithCancel(t.Context())
			defer die()
			srv := &uploadServer{t: t}
			client := connected(t, srv.ServeHTTP)
			var calls atomic.Int32
			var kept []string // JSON
			params := assistants.UploadLargeParams{
				File: assistants.FileUploadParams{File: file(), Filename: "f", Size: 10}, PartSize: 2, Concurrency: 1,
				Checkpoint: func(p assistants.UploadProgress) {
					assert.EqualValues(t, 1, calls.Add(1), "one call after the other")
					defer calls.Add(-1)
					asJSON, err := json.Marshal(p)
					assert.NoError(t, err)
					kept = append(kept, string(asJSON))
					if len(kept) == 3 {
						die()
					}
					clear(p.PartIDs) // a copy
				},
			}
			_, err := large(ctx, client, params)
			require.ErrorIs(t, err, context.Canceled)
			require.Len(t, kept, 3)
			assert.JSONEq(t, `{"upload_id":"upload_1","part_size":2,"part_ids":["","","","",""]}`, kept[0])
			for i := range kept {
				assert.Equal(t, i, strings.Count(kept[i], `"part_0"`)+strings.Count(kept[i], `"part_1"`), kept[i])
			}

			params.File.File = file()
			params.Resume = new(assistants.UploadProgress)
			require.NoError(t, json.Unmarshal([]byte(kept[2]), params.Resume))
			kept = kept[:0]
			params.Concurrency = 3
			params.Checkpoint = func(p assistants.UploadProgress) {
				assert.EqualValues(t, 1, calls.Add(1), "one call after the other")
				defer calls.Add(-1)
				runtime.Gosched()
				kept = append(kept, p.UploadID+" "+strings.Join(p.PartIDs, ""))
				clear(p.PartIDs)
			}
			got, err := large(t.Context(), client, params)
			require.NoError(t, err)
			assert.Equal(t, ten, got)
			assert.Len(t, srv.creates, 1)
			assert.Equal(t, []string{"01", "23"}, srv.sent[:2])
			assert.ElementsMatch(t, []string{"45", "67", "89"}, srv.sent[2:], "only what is missing")
			require.Len(t, kept, 3)
			assert.Regexp(t, `^upload_1 (part_\d){5}$`, kept[2])
		})
	}
}

// Progress that blocks does not keep an upload from ending with its context, and what waits behind it is not told any more.
func TestUploadLargeProgressBlocks(t *testing.T) {
	t.Parallel()
	for name, resume := range map[string]*assistants.UploadProgress{
		"a new one":    nil,
		"gone on with": {UploadID: "upload_1", PartSize: 2, PartIDs: []string{"part_9", "", "", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				blocked := make(chan struct{})
				calls := 0
				client := inProcess(t, (&uploadServer{t: t}).ServeHTTP)
				_, err := large(ctx, client, assistants.UploadLargeParams{Resume: resume, PartSize: 2, File: assistants.FileUploadParams{
					File: strings.NewReader(ten), Filename: "f", Progress: func(int64, int64) {
						calls++
						for range 1000 { // until other parts wait for this call to end
							runtime.Gosched()
						}
						cancel()
						<-blocked
					},
				}})
				require.ErrorIs(t, err, context.Canceled)
				close(blocked)
				synctest.Wait()
				assert.Equal(t, 1, calls)
			})
		})
	}
}
