package assistantstest_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/assistantstest"
	"github.com/assistants-go/assistants/server"
)

func document(name, text string) assistants.VectorStoreFileUploadParams {
	return assistants.VectorStoreFileUploadParams{File: assistants.FileUploadParams{File: strings.NewReader(text), Filename: name}}
}

// A test has files searched, and cited, without waiting for anything.
func TestFileSearch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testFileSearch)
}

func testFileSearch(t *testing.T) {
	began := time.Now()
	api := assistantstest.New(t, assistantstest.WithRules(
		server.When(server.Asked("refund"), server.SearchFiles(), server.Say("In ten days "), server.CiteResult(0), server.Say(".")),
	))
	store, err := api.VectorStores.Create(t.Context(), assistants.VectorStoreCreateParams{})
	require.NoError(t, err)
	_, err = api.FileBatches.UploadAndPoll(t.Context(), store.ID, assistants.FileBatchUploadParams{
		Files: []assistants.VectorStoreFileUploadParams{document("travel.md", "Refunds take ten days."), document("leave.md", "28 days.")},
	})
	require.NoError(t, err)
	assistant, err := api.Assistants.Create(t.Context(), assistants.AssistantCreateParams{
		Model: "gpt-4o", Tools: []assistants.Tool{{Type: assistants.ToolFileSearch}},
		ToolResources: assistants.ToolResources{FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{store.ID}}},
	})
	require.NoError(t, err)
	run, err := api.Threads.CreateAndRunPoll(t.Context(), assistants.ThreadCreateAndRunParams{
		AssistantID: assistant.ID,
		Thread:      assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{assistants.UserMessage("When do I get my refund?")}},
	})
	require.NoError(t, err)
	require.NoError(t, run.Err())
	messages, err := api.Messages.List(t.Context(), run.ThreadID, assistants.MessageListParams{RunID: run.ID})
	require.NoError(t, err)
	require.Len(t, messages.Data, 1)
	assert.Equal(t, "In ten days 【4:0†travel.md】.", messages.Data[0].Text())

	assert.Len(t, api.Requests("POST /files"), 2)
	assert.Len(t, api.Requests("POST /vector_stores/{vector_store_id}/file_batches"), 1)
	assert.NotEmpty(t, api.Requests("GET /vector_stores/{vector_store_id}/file_batches/{batch_id}"))
	assert.Less(t, time.Since(began), 100*time.Millisecond, "somebody has waited")
}

func TestFileKinds(t *testing.T) {
	t.Parallel()
	api := assistantstest.New(t)
	for _, kind := range []string{
		"GET /files", "GET /files/{file_id}", "DELETE /files/{file_id}", "GET /files/{file_id}/content",
		"POST /uploads", "POST /uploads/{upload_id}/parts", "POST /uploads/{upload_id}/complete", "POST /uploads/{upload_id}/cancel",
		"GET /vector_stores", "POST /vector_stores", "POST /vector_stores/{vector_store_id}/search", "POST /vector_stores/{vector_store_id}",
		"POST /vector_stores/{vector_store_id}/files/{file_id}", "GET /vector_stores/{vector_store_id}/files/{file_id}/content",
		"POST /vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel", "GET /vector_stores/{vector_store_id}/file_batches/{batch_id}/files",
	} {
		assert.Empty(t, api.Requests(kind))
	}
	for _, kind := range []string{"PUT /files", "POST /vector_stores/{vector_store_id}/find", "GET /uploads"} {
		got := inTest(func(t testing.TB) { assistantstest.New(t).Requests(kind) })
		assert.Len(t, got.errors, 1, kind)
	}
}

// Uploads go wrong as other requests do.
func TestFaultsOfUploads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := assistantstest.New(t, assistantstest.WithFaults(
			assistantstest.Fault{On: "POST /files", Nth: 2, Status: 503},
			assistantstest.Fault{On: "GET /files/{file_id}/content", CutBytes: 4},
		))
		store, err := api.VectorStores.Create(t.Context(), assistants.VectorStoreCreateParams{})
		require.NoError(t, err)
		_, err = api.FileBatches.UploadAndPoll(t.Context(), store.ID, assistants.FileBatchUploadParams{
			Files:       []assistants.VectorStoreFileUploadParams{document("a.txt", "one"), document("b.txt", "two"), document("c.txt", "three")},
			Concurrency: 1,
		})
		var failures assistants.FileFailures
		require.ErrorAs(t, err, &failures)
		require.Len(t, failures, 1)
		assert.Equal(t, "b.txt", failures[0].Name)
		require.ErrorIs(t, failures[0].Err, assistants.ErrServer)

		files, err := api.Files.List(t.Context(), assistants.FileListParams{Limit: 1})
		require.NoError(t, err)
		content, err := api.Files.Content(t.Context(), files.Data[0].ID)
		require.NoError(t, err)
		defer content.Close()
		got, err := io.ReadAll(content)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.Equal(t, "thre", string(got))
	})
}
