package assistants_test

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// A server that gives the key as an object's id is not believed, whichever object it is.
func TestIDsWithKeys(t *testing.T) {
	t.Parallel()
	type c = *assistants.Client
	type ctx = context.Context
	part := func() assistants.UploadPartParams { return assistants.UploadPartParams{Data: strings.NewReader("x")} }
	for name, call := range map[string]func(ctx, c) (any, error){
		"assistant":         func(ctx ctx, c c) (any, error) { return c.Assistants.Retrieve(ctx, "x") },
		"thread":            func(ctx ctx, c c) (any, error) { return c.Threads.Create(ctx, assistants.ThreadCreateParams{}) },
		"thread.message":    func(ctx ctx, c c) (any, error) { return c.Messages.Retrieve(ctx, "x", "x") },
		"thread.run":        func(ctx ctx, c c) (any, error) { return c.Runs.Poll(ctx, "x", "x") },
		"thread.run.step":   func(ctx ctx, c c) (any, error) { return c.RunSteps.Retrieve(ctx, "x", "x", "x") },
		"file":              func(ctx ctx, c c) (any, error) { return c.Files.Upload(ctx, texts("a")[0].File) },
		"upload":            func(ctx ctx, c c) (any, error) { return c.Uploads.Cancel(ctx, "x") },
		"upload.part":       func(ctx ctx, c c) (any, error) { return c.Uploads.AddPart(ctx, "x", part()) },
		"vector_store":      func(ctx ctx, c c) (any, error) { return c.VectorStores.Retrieve(ctx, "x") },
		"vector_store.file": func(ctx ctx, c c) (any, error) { return c.VectorStoreFiles.Poll(ctx, "x", "x") },
		"vector_store.file_batch": func(ctx ctx, c c) (any, error) {
			return c.FileBatches.CreateAndPoll(ctx, "x", assistants.FileBatchCreateParams{FileIDs: []string{"x"}})
		},
		"assistant.file":      func(ctx ctx, c c) (any, error) { return c.Assistants.RetrieveFile(ctx, "x", "x") },
		"thread.message.file": func(ctx ctx, c c) (any, error) { return c.Messages.RetrieveFile(ctx, "x", "x", "x") },
		"file deleted":        func(ctx ctx, c c) (any, error) { return c.Files.Delete(ctx, "x") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object, _, _ := strings.Cut(name, " ")
			tr := newTransport(t, answer(200, fmt.Sprintf(`{"id":"x-%s","object":%q,"status":"in_progress","deleted":true}`, testKey, object)))
			got, err := call(t.Context(), newClient(t, tr))
			require.ErrorContains(t, err, "the answer's id holds credentials")
			hidden(t, err)
			assert.True(t, reflect.ValueOf(got).IsNil())
			assert.Len(t, tr.requests(), 1)
		})
	}
}

// No error of a method that sends several requests shows a key, wherever the server echoes it.
func TestErrorsWithKeys(t *testing.T) {
	t.Parallel()
	listed := func(file string) step { return answer(200, pageOf(file, "file-b")) }
	keyed := strings.ReplaceAll(aStoreFile("file-b", "failed"), "vs_1", testKey)
	several := map[string]*library{
		"the ids of files":  {uploads: func(string) step { return answer(200, `{"id":"`+testKey+`","object":"file"}`) }},
		"the id of a batch": {create: answer(200, strings.Replace(aBatch("in_progress", 2), "vsfb_1", testKey, 1))},
		"a batch's status":  {look: answer(200, aBatch(testKey, 0, 2))},
		"a look":            {look: answer(200, strings.Replace(aBatch("completed", 0, 2), "vsfb_1", testKey, 1))},
		"a file's store":    {look: answer(200, aBatch("completed", 0, 1, 1)), list: listed(keyed)},
		"a file's id":       {look: answer(200, aBatch("completed", 0, 0, 2)), list: listed(aStoreFile(testKey, "failed"))},
		"a reason's code":   {look: answer(200, aBatch("completed", 0, 1, 1)), list: listed(aStoreFile("file-b", "failed", why(testKey, testKey)))},
		"a cursor":          {look: answer(200, aBatch("completed", 0, 0, 2)), list: answer(200, `{"object":"list","data":[],"last_id":"`+testKey+`","has_more":true}`)},
	}
	for name, l := range several {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err := newClient(t, l).FileBatches.UploadAndPoll(ctx, "vs_1", assistants.FileBatchUploadParams{Files: texts("a", "b")})
				hidden(t, err)
			})
		})
	}
	for name, file := range map[string]string{
		"id":     aStoreFile(testKey, "failed"),
		"store":  strings.ReplaceAll(aStoreFile("file-1", "failed"), "vs_1", testKey),
		"reason": aStoreFile("file-1", "failed", why(testKey, testKey)),
	} {
		t.Run("the "+name+" of a file", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &library{look: answer(200, file)}
				_, err := newClient(t, l).VectorStoreFiles.UploadAndPoll(t.Context(), "vs_1", texts("a")[0])
				hidden(t, err)
				page, err := newClient(t, newTransport(t, answer(200, pageOf(file, "x")))).VectorStoreFiles.List(t.Context(), "vs_1", assistants.VectorStoreFileListParams{})
				require.NoError(t, err)
				hidden(t, page.Data[0].Err())
			})
		})
	}
	for what, says := range map[string]string{"upload": "the answer's id holds credentials", "part": "0 of 1 parts there", "status": "has no file"} {
		t.Run("a large "+what, func(t *testing.T) {
			t.Parallel()
			id := func(of, otherwise string) string {
				if of == what {
					return testKey
				}
				return otherwise
			}
			c := inProcess(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/parts"):
					fmt.Fprintf(w, `{"id":%q,"object":"upload.part"}`, id("part", "part_1"))
				default:
					fmt.Fprintf(w, `{"id":%q,"object":"upload","status":%q}`, id("upload", "upload_1"), id("status", "pending"))
				}
			})
			_, err := c.Uploads.UploadLarge(t.Context(), assistants.UploadLargeParams{File: texts("a")[0].File})
			require.ErrorContains(t, err, says)
			hidden(t, err)
		})
	}
}

// A list that does not go on tells no cursor, which may be anything.
func TestStuckListWithKeys(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, answer(200, `{"object":"list","data":[{"id":"`+testKey+`","object":"file"}],"has_more":true}`))
	_, err := gather(newClient(t, tr).Files.All(t.Context(), assistants.FileListParams{}))
	require.EqualError(t, err, "assistants: the cursor of the list does not move")
}
