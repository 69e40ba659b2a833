package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// stocked is a store with file-1 to file-4, and with the empty vector stores vs_1 and vs_2. The contents of the files are
// not there.
func stocked(t *testing.T) server.Store {
	t.Helper()
	store := server.NewMemoryStore()
	insert := func(kind, id, document string) {
		require.NoError(t, store.Insert(t.Context(), server.Collection{Kind: kind}, server.Record{ID: id, Data: []byte(document)}))
	}
	for i := range 4 {
		id := fmt.Sprintf("file-%d", i+1)
		insert("file", id, `{"object":"file","id":"`+id+`","purpose":"assistants","filename":"a.txt","bytes":4,"created_at":1,`+
			`"expires_at":null,"status":"processed","status_details":null}`)
	}
	for i := range 2 {
		id := fmt.Sprintf("vs_%d", i+1)
		insert("vector_store", id, `{"id":"`+id+`","object":"vector_store","created_at":1,"name":null,"description":null,"usage_bytes":0,`+
			`"file_counts":{"in_progress":0,"completed":0,"failed":0,"cancelled":0,"total":0},"status":"completed",`+
			`"expires_after":null,"expires_at":null,"last_active_at":1,"metadata":{}}`)
	}
	return store
}

// stock makes file_1 to file_5 on a server whose ids are counted, vs_1 with file_1 and file_2, which came in batch vsfb_1,
// and upload_1 with part_1.
func stock(t *testing.T, client *assistants.Client) {
	t.Helper()
	ctx := context.Background()
	for i := range 5 {
		_, err := client.Files.Upload(ctx, assistants.FileUploadParams{
			File: strings.NewReader("Leave is thirty days."), Filename: fmt.Sprintf("handbook%d.txt", i+1), Purpose: assistants.PurposeUserData,
		})
		require.NoError(t, err)
	}
	_, err := client.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{})
	require.NoError(t, err)
	_, err = client.FileBatches.CreateAndPoll(ctx, "vs_1", assistants.FileBatchCreateParams{FileIDs: []string{"file_1", "file_2"}},
		assistants.WithPollInterval(time.Millisecond))
	require.NoError(t, err)
	_, err = client.Uploads.Create(ctx, assistants.UploadCreateParams{
		Filename: "large.txt", Purpose: assistants.PurposeAssistants, Bytes: 4, MIMEType: "text/plain",
	})
	require.NoError(t, err)
	_, err = client.Uploads.AddPart(ctx, "upload_1", assistants.UploadPartParams{Data: strings.NewReader("text")})
	require.NoError(t, err)
}
