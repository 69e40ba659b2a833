package conformance

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"
)

const handbook = "Leave is thirty days a year.\n\nTravel is paid for."

// fileParams are those of a text file.
func fileParams(name, content string, purpose openai.FilePurpose) openai.FileNewParams {
	return openai.FileNewParams{File: openai.File(strings.NewReader(content), name, "text/plain"), Purpose: purpose}
}

func (c official) upload(name, content string, purpose openai.FilePurpose) *openai.FileObject {
	c.t.Helper()
	return take(c.Files.New(c.t.Context(), fileParams(name, content, purpose))).intact(c)
}

func TestOfficialClientKeepsFiles(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)

	params := fileParams("Über \"uns\".txt", handbook, openai.FilePurposeUserData)
	params.ExpiresAfter = openai.FileNewParamsExpiresAfter{Seconds: 3600}
	made := take(c.Files.New(t.Context(), params)).intact(c)
	require.Equal(t, "Über \"uns\".txt", made.Filename)
	require.Equal(t, int64(len(handbook)), made.Bytes)
	require.Equal(t, made.CreatedAt+3600, made.ExpiresAt)
	require.Equal(t, made.RawJSON(), take(c.Files.Get(t.Context(), made.ID)).intact(c).RawJSON())

	content, err := c.Files.Content(t.Context(), made.ID)
	require.NoError(t, err)
	text, err := io.ReadAll(content.Body)
	require.NoError(t, err)
	require.NoError(t, content.Body.Close())
	require.Equal(t, handbook, string(text))

	second := c.upload("b.txt", "b", openai.FilePurposeUserData)
	page := take(c.Files.List(t.Context(), openai.FileListParams{Purpose: openai.String("user_data"), Limit: openai.Int(1)})).intact(c)
	require.Equal(t, second.ID, page.Data[0].ID)
	next := take(page.GetNextPage()).intact(c)
	require.Equal(t, made.ID, next.Data[0].ID)
	all := c.Files.ListAutoPaging(t.Context(), openai.FileListParams{Order: openai.FileListParamsOrderAsc, Limit: openai.Int(2)})
	var names []string
	for all.Next() {
		names = append(names, all.Current().Filename)
	}
	require.NoError(t, all.Err())
	require.Equal(t, []string{"a.txt", "a.txt", "a.txt", "a.txt", made.Filename, "b.txt"}, names)

	require.True(t, take(c.Files.Delete(t.Context(), made.ID)).intact(c).Deleted)
	_, err = c.Files.Get(t.Context(), made.ID)
	requireOfficialError(t, err, refusal{http.StatusNotFound, "invalid_request_error", "", "id", "No such File object: " + made.ID})
	_, err = c.Files.New(t.Context(), fileParams("a.txt", "a", "world_domination"))
	requireOfficialError(t, err, refusal{http.StatusBadRequest, "invalid_request_error", "", "purpose",
		"'world_domination' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'"})
}

func TestOfficialClientUploadsInParts(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)
	begin := func() *openai.Upload {
		return take(c.Uploads.New(t.Context(), openai.UploadNewParams{
			Filename: "large.txt", Bytes: 10, MimeType: "text/plain", Purpose: openai.FilePurposeUserData,
			ExpiresAfter: openai.UploadNewParamsExpiresAfter{Seconds: 7200},
		})).intact(c)
	}
	upload := begin()
	require.Equal(t, openai.UploadStatusPending, upload.Status)
	var parts []string
	for _, piece := range []string{"world", "hello"} {
		part := take(c.Uploads.Parts.New(t.Context(), upload.ID, openai.UploadPartNewParams{Data: strings.NewReader(piece)})).intact(c)
		require.Equal(t, upload.ID, part.UploadID)
		parts = append([]string{part.ID}, parts...)
	}
	done := take(c.Uploads.Complete(t.Context(), upload.ID, openai.UploadCompleteParams{
		PartIDs: parts, Md5: openai.String("fc5e038d38a57032085441e7fe7010b0"),
	})).intact(c)
	require.Equal(t, openai.UploadStatusCompleted, done.Status)
	require.Equal(t, "large.txt", done.File.Filename)
	require.Equal(t, done.File.CreatedAt+7200, done.File.ExpiresAt)
	content, err := c.Files.Content(t.Context(), done.File.ID)
	require.NoError(t, err)
	text, err := io.ReadAll(content.Body)
	require.NoError(t, err)
	require.NoError(t, content.Body.Close())
	require.Equal(t, "helloworld", string(text))

	given := take(c.Uploads.Cancel(t.Context(), begin().ID)).intact(c)
	require.Equal(t, openai.UploadStatusCancelled, given.Status)
}

// equal is the filter for one value.
func equal(key, value string) *shared.ComparisonFilterParam {
	return &shared.ComparisonFilterParam{
		Key: key, Type: shared.ComparisonFilterTypeEq, Value: shared.ComparisonFilterValueUnionParam{OfString: openai.String(value)},
	}
}

func TestOfficialClientKeepsVectorStores(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)
	made := take(c.VectorStores.New(t.Context(), openai.VectorStoreNewParams{
		Name: openai.String("Handbooks"), Description: openai.String("All of them."), Metadata: shared.Metadata{"team": "blue"},
		ExpiresAfter: openai.VectorStoreNewParamsExpiresAfter{Days: 3},
	})).intact(c)
	require.Equal(t, openai.VectorStoreStatusCompleted, made.Status)
	require.Equal(t, made.LastActiveAt+3*24*3600, made.ExpiresAt)
	changed := take(c.VectorStores.Update(t.Context(), made.ID, openai.VectorStoreUpdateParams{Name: openai.String("Books")})).intact(c)
	require.Equal(t, "Books", changed.Name)
	require.Equal(t, changed.RawJSON(), take(c.VectorStores.Get(t.Context(), made.ID)).intact(c).RawJSON())
	page := take(c.VectorStores.List(t.Context(), openai.VectorStoreListParams{Limit: openai.Int(1)})).intact(c)
	require.Equal(t, made.ID, page.Data[0].ID)
	require.True(t, page.HasMore)
	require.True(t, take(c.VectorStores.Delete(t.Context(), made.ID)).intact(c).Deleted)
	_, err := c.VectorStores.Get(t.Context(), made.ID)
	requireOfficialError(t, err, refusal{http.StatusNotFound, "invalid_request_error", "", "",
		fmt.Sprintf("No vector store found with id '%s'.", made.ID)})
}

func TestOfficialClientSearches(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)
	const soon = 1 // millisecond between polls
	store := take(c.VectorStores.New(t.Context(), openai.VectorStoreNewParams{})).intact(c)

	first := take(c.VectorStores.Files.UploadAndPoll(t.Context(), store.ID, fileParams("handbook.txt", handbook, openai.FilePurposeAssistants), soon)).intact(c)
	require.Equal(t, openai.VectorStoreFileStatusCompleted, first.Status)
	require.Equal(t, int64(800), first.ChunkingStrategy.Static.MaxChunkSizeTokens)
	other := c.upload("other.txt", "Leave is ten days here.", openai.FilePurposeAssistants)
	second := take(c.VectorStores.Files.NewAndPoll(t.Context(), store.ID, openai.VectorStoreFileNewParams{
		FileID: other.ID,
		Attributes: map[string]openai.VectorStoreFileNewParamsAttributeUnion{
			"country": {OfString: openai.String("here")}, "year": {OfFloat: openai.Float(2024)}, "old": {OfBool: openai.Bool(true)},
		},
		ChunkingStrategy: openai.FileChunkingStrategyParamUnion{OfStatic: &openai.StaticFileChunkingStrategyObjectParam{
			Static: openai.StaticFileChunkingStrategyParam{MaxChunkSizeTokens: 100, ChunkOverlapTokens: 50},
		}},
	}, soon)).intact(c)
	require.Equal(t, "here", second.Attributes["country"].OfString)
	require.Equal(t, int64(100), second.ChunkingStrategy.Static.MaxChunkSizeTokens)
	changed := take(c.VectorStores.Files.Update(t.Context(), store.ID, first.ID, openai.VectorStoreFileUpdateParams{
		Attributes: map[string]openai.VectorStoreFileUpdateParamsAttributeUnion{"country": {OfString: openai.String("there")}},
	})).intact(c)
	require.Equal(t, "there", changed.Attributes["country"].OfString)

	found := func(filters openai.VectorStoreSearchParamsFiltersUnion) (names []string) {
		page := take(c.VectorStores.Search(t.Context(), store.ID, openai.VectorStoreSearchParams{
			Query: openai.VectorStoreSearchParamsQueryUnion{OfString: openai.String("How much leave is there?")}, Filters: filters,
			MaxNumResults: openai.Int(5), RankingOptions: openai.VectorStoreSearchParamsRankingOptions{Ranker: "auto", ScoreThreshold: openai.Float(0)},
		})).intact(c)
		for _, r := range page.Data {
			require.Contains(t, r.Content[0].Text, "Leave is")
			names = append(names, r.Filename)
		}
		return names
	}
	require.ElementsMatch(t, []string{"handbook.txt", "other.txt"}, found(openai.VectorStoreSearchParamsFiltersUnion{}))
	require.Equal(t, []string{"other.txt"}, found(openai.VectorStoreSearchParamsFiltersUnion{OfComparisonFilter: equal("country", "here")}))
	require.Equal(t, []string{"handbook.txt"}, found(openai.VectorStoreSearchParamsFiltersUnion{OfCompoundFilter: &shared.CompoundFilterParam{
		Type:    shared.CompoundFilterTypeOr,
		Filters: []shared.CompoundFilterFilterUnionParam{{OfComparison: equal("country", "there")}, {OfComparison: equal("country", "nowhere")}},
	}}))

	text := take(c.VectorStores.Files.Content(t.Context(), store.ID, first.ID)).intact(c)
	require.Equal(t, handbook, text.Data[0].Text)
	require.True(t, take(c.VectorStores.Files.Delete(t.Context(), store.ID, first.ID)).intact(c).Deleted)
	left := take(c.VectorStores.Files.List(t.Context(), store.ID, openai.VectorStoreFileListParams{Filter: "completed"})).intact(c)
	require.Len(t, left.Data, 1)
	require.Equal(t, second.ID, left.Data[0].ID)
}

func TestOfficialClientAddsBatches(t *testing.T) {
	t.Parallel()
	_, address := serve(t)
	c := newOfficial(t, address)
	const soon = 1
	store := take(c.VectorStores.New(t.Context(), openai.VectorStoreNewParams{})).intact(c)
	uploaded := c.upload("a.txt", "a text", openai.FilePurposeAssistants)
	batch := take(c.VectorStores.FileBatches.UploadAndPoll(t.Context(), store.ID, []openai.FileNewParams{
		fileParams("b.txt", "another text", openai.FilePurposeAssistants), fileParams("c.txt", handbook, openai.FilePurposeAssistants),
	}, []string{uploaded.ID}, soon)).intact(c)
	require.Equal(t, openai.VectorStoreFileBatchStatusCompleted, batch.Status)
	require.Equal(t, int64(3), batch.FileCounts.Completed)

	files := take(c.VectorStores.FileBatches.ListFiles(t.Context(), store.ID, batch.ID, openai.VectorStoreFileBatchListFilesParams{
		Limit: openai.Int(2), Filter: "completed",
	})).intact(c)
	require.Len(t, files.Data, 2)
	require.True(t, files.HasMore)
	given := take(c.VectorStores.FileBatches.Cancel(t.Context(), store.ID, batch.ID)).intact(c)
	require.Equal(t, openai.VectorStoreFileBatchStatusCompleted, given.Status, "it was too late")

	own := take(c.VectorStores.FileBatches.NewAndPoll(t.Context(), store.ID, openai.VectorStoreFileBatchNewParams{
		Files: []openai.VectorStoreFileBatchNewParamsFile{{
			FileID: uploaded.ID, Attributes: map[string]openai.VectorStoreFileBatchNewParamsFileAttributeUnion{"again": {OfBool: openai.Bool(true)}},
		}},
	}, soon)).intact(c)
	require.Equal(t, int64(1), own.FileCounts.Completed)
	kept := take(c.VectorStores.Files.Get(t.Context(), store.ID, uploaded.ID)).intact(c)
	require.True(t, kept.Attributes["again"].OfBool)
	require.Equal(t, int64(3), take(c.VectorStores.Get(t.Context(), store.ID)).intact(c).FileCounts.Completed)
}
