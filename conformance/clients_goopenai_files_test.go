package conformance

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sashabaranov/go-openai"
	"github.com/stretchr/testify/require"
)

func TestPopularClientKeepsFiles(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newPopular(t, popularConfig(address, "sk-popular"))
	path := filepath.Join(t.TempDir(), "handbook.txt")
	require.NoError(t, os.WriteFile(path, []byte(handbook), 0o600))

	made := take(c.CreateFile(t.Context(), openai.FileRequest{FileName: "handbook.txt", FilePath: path, Purpose: "user_data"})).intact(c)
	require.Equal(t, len(handbook), made.Bytes)
	require.Equal(t, "handbook.txt", made.FileName)
	second := take(c.CreateFileBytes(t.Context(), openai.FileBytesRequest{
		Name: "b.txt", Bytes: []byte("b"), Purpose: openai.PurposeAssistants,
	})).intact(c)
	require.Equal(t, "assistants", second.Purpose)
	require.Equal(t, made.ID, take(c.GetFile(t.Context(), made.ID)).intact(c).ID)
	files := take(c.ListFiles(t.Context())).intact(c)
	require.Equal(t, second.ID, files.Files[0].ID)

	content, err := c.GetFileContent(t.Context(), made.ID)
	require.NoError(t, err)
	text, err := io.ReadAll(content)
	require.NoError(t, err)
	require.NoError(t, content.Close())
	require.Equal(t, handbook, string(text))

	require.NoError(t, c.DeleteFile(t.Context(), made.ID))
	_, err = c.GetFile(t.Context(), made.ID)
	require.ErrorContains(t, err, "No such File object: "+made.ID)
}

func TestPopularClientKeepsVectorStores(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newPopular(t, popularConfig(address, "sk-popular"))
	upload := func(name, content string) string {
		return take(c.CreateFileBytes(t.Context(), openai.FileBytesRequest{
			Name: name, Bytes: []byte(content), Purpose: openai.PurposeAssistants,
		})).intact(c).ID
	}
	first, second, third := upload("a.txt", "a text"), upload("b.txt", handbook), upload("c.txt", "another text")
	made := take(c.CreateVectorStore(t.Context(), openai.VectorStoreRequest{
		Name: "Handbooks", FileIDs: []string{first}, Metadata: map[string]any{"team": "blue"},
		ExpiresAfter: &openai.VectorStoreExpires{Anchor: "last_active_at", Days: 3},
	})).intact(c)
	require.Equal(t, "in_progress", made.Status)
	added := take(c.CreateVectorStoreFile(t.Context(), made.ID, openai.VectorStoreFileRequest{FileID: second})).intact(c)
	require.Equal(t, "in_progress", added.Status)
	batch := take(c.CreateVectorStoreFileBatch(t.Context(), made.ID, openai.VectorStoreFileBatchRequest{FileIDs: []string{third}})).intact(c)
	require.Eventually(t, func() bool { // this client does not poll by itself
		batch = take(c.RetrieveVectorStoreFileBatch(t.Context(), made.ID, batch.ID)).intact(c)
		added = take(c.RetrieveVectorStoreFile(t.Context(), made.ID, second)).intact(c)
		return batch.Status == "completed" && added.Status == "completed"
	}, 10*time.Second, time.Millisecond)
	require.Equal(t, openai.VectorStoreFileCount{Completed: 1, Total: 1}, batch.FileCounts)
	require.Positive(t, added.UsageBytes)

	limit := 2
	files := take(c.ListVectorStoreFiles(t.Context(), made.ID, openai.Pagination{Limit: &limit})).intact(c)
	require.Len(t, files.VectorStoreFiles, 2)
	require.True(t, files.HasMore)
	rest := take(c.ListVectorStoreFiles(t.Context(), made.ID, openai.Pagination{Limit: &limit, After: files.LastID})).intact(c)
	require.Len(t, rest.VectorStoreFiles, 1)
	require.False(t, rest.HasMore)
	inBatch := take(c.ListVectorStoreFilesInBatch(t.Context(), made.ID, batch.ID, openai.Pagination{})).intact(c)
	require.Equal(t, third, inBatch.VectorStoreFiles[0].ID)
	require.Equal(t, "completed", take(c.CancelVectorStoreFileBatch(t.Context(), made.ID, batch.ID)).intact(c).Status)

	changed := take(c.ModifyVectorStore(t.Context(), made.ID, openai.VectorStoreRequest{Name: "Books"})).intact(c)
	require.Equal(t, "Books", changed.Name)
	require.Equal(t, 3, take(c.RetrieveVectorStore(t.Context(), made.ID)).intact(c).FileCounts.Total)
	require.NoError(t, c.DeleteVectorStoreFile(t.Context(), made.ID, first))
	stores := take(c.ListVectorStores(t.Context(), openai.Pagination{Limit: &limit})).intact(c)
	require.Equal(t, made.ID, stores.VectorStores[0].ID)
	require.True(t, take(c.DeleteVectorStore(t.Context(), made.ID)).intact(c).Deleted)
}
