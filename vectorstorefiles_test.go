package assistants_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const fullStoreFile = `{"id":"file-1","object":"vector_store.file","usage_bytes":1615,"created_at":1718845704,"vector_store_id":"vs_1",
	"status":"failed","last_error":{"code":"unsupported_file","message":"No text in it."},
	"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":800,"chunk_overlap_tokens":400}},
	"attributes":{"author":"Woolf","year":1927,"lent":false}}`

// aStoreFile is a file in a vector store; more are fields that differ.
func aStoreFile(id, status string, more ...string) string {
	return `{"id":"` + id + `","object":"vector_store.file","usage_bytes":0,"created_at":1718845704,"vector_store_id":"vs_1",` +
		`"status":"` + status + `","last_error":null,"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":800,` +
		`"chunk_overlap_tokens":400}},"attributes":{}` + fields(more) + `}`
}

// why is a field of a file that failed.
func why(code, message string) string {
	return `"last_error":{"code":"` + code + `","message":"` + message + `"}`
}

func TestVectorStoreFilesRequests(t *testing.T) {
	t.Parallel()
	type ctx = context.Context
	type client = *assistants.Client
	create := func(params assistants.VectorStoreFileCreateParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idIn(c.VectorStoreFiles.Create(ctx, "vs_1", params)) }
	}
	modify := func(params assistants.VectorStoreFileModifyParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) {
			return idIn(c.VectorStoreFiles.Modify(ctx, "vs_1", "file-1", params))
		}
	}
	list := func(params assistants.VectorStoreFileListParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idsIn(c.VectorStoreFiles.List(ctx, "vs_1", params)) }
	}
	attributes := assistants.Attributes{"author": assistants.AttributeOf("Woolf"), "year": assistants.AttributeOf(1927), "lent": assistants.AttributeOf(false)}
	const all, one = "/vector_stores/vs_1/files", "/vector_stores/vs_1/files/file-1"
	checkExchanges(t, []exchange{
		{"create with nothing", "POST", all, `{"file_id":""}`, fullStoreFile, "file-1", create(assistants.VectorStoreFileCreateParams{})},
		{"create with everything", "POST", all, `{"file_id":"file-1","attributes":{"author":"Woolf","year":1927,"lent":false},
			"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":100,"chunk_overlap_tokens":50}}}`,
			fullStoreFile, "file-1", create(assistants.VectorStoreFileCreateParams{FileID: "file-1", Attributes: attributes,
				ChunkingStrategy: &assistants.ChunkingStrategy{Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 100, ChunkOverlapTokens: 50}},
			})},
		{"create with what is empty", "POST", all, `{"file_id":"file-1","attributes":{}}`, fullStoreFile, "file-1",
			create(assistants.VectorStoreFileCreateParams{FileID: "file-1", Attributes: assistants.Attributes{}})},
		{"retrieve", "GET", one, "", fullStoreFile, "file-1", func(ctx ctx, c client) (string, error) {
			return idIn(c.VectorStoreFiles.Retrieve(ctx, "vs_1", "file-1"))
		}},
		{"poll", "GET", one, "", fullStoreFile, "file-1", func(ctx ctx, c client) (string, error) {
			return idIn(c.VectorStoreFiles.Poll(ctx, "vs_1", "file-1"))
		}},
		{"create and poll", "POST", all, `{"file_id":"file-1","attributes":{"k":null}}`, fullStoreFile, "file-1", func(ctx ctx, c client) (string, error) {
			return idIn(c.VectorStoreFiles.CreateAndPoll(ctx, "vs_1", assistants.VectorStoreFileCreateParams{
				FileID: "file-1", Attributes: assistants.Attributes{"k": {}}}))
		}},
		{"modify", "POST", one, `{"attributes":{"author":"Woolf","year":1927,"lent":false}}`, fullStoreFile, "file-1",
			modify(assistants.VectorStoreFileModifyParams{Attributes: attributes})},
		{"modify to what is empty", "POST", one, `{"attributes":{}}`, fullStoreFile, "file-1",
			modify(assistants.VectorStoreFileModifyParams{Attributes: assistants.Attributes{}})},
		{"clear", "POST", one, `{"attributes":null}`, fullStoreFile, "file-1", modify(assistants.VectorStoreFileModifyParams{})},
		{"delete", "DELETE", one, "", `{"id":"file-1","object":"vector_store.file.deleted","deleted":true}`, "file-1 vector_store.file.deleted true",
			func(ctx ctx, c client) (string, error) {
				return deletedOf(c.VectorStoreFiles.Delete(ctx, "vs_1", "file-1"))
			}},
		{"content", "GET", one + "/content", "", `{"object":"vector_store.file_content.page","data":[{"type":"text","text":"To the"},
			{"type":"text","text":"Lighthouse"}],"has_more":false,"next_page":null}`, "To the\nLighthouse", func(ctx ctx, c client) (string, error) {
			content, err := c.VectorStoreFiles.Content(ctx, "vs_1", "file-1")
			if err != nil {
				return "", err
			}
			return content.Text(), nil
		}},
		{"list", "GET", all, "", pageOf(fullStoreFile, "file-1"), "file-1..file-1 true: file-1", list(assistants.VectorStoreFileListParams{})},
		{"list a part", "GET", all + "?after=file-0&before=file-9&filter=in_progress&limit=2&order=asc", "", pageOf(fullStoreFile, "file-1"),
			"file-1..file-1 true: file-1", list(assistants.VectorStoreFileListParams{Filter: assistants.VectorStoreFileInProgress,
				Limit: 2, Order: assistants.OrderAsc, After: "file-0", Before: "file-9"})},
	})
}

func TestVectorStoreFileDecode(t *testing.T) {
	t.Parallel()
	get := func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFile, error) {
		return c.VectorStoreFiles.Retrieve(ctx, "vs_1", "file-1")
	}
	for name, test := range map[string]struct {
		body string
		want assistants.VectorStoreFile
		err  string
	}{
		"every field": {fullStoreFile, assistants.VectorStoreFile{
			ID: "file-1", Object: "vector_store.file", UsageBytes: 1615, CreatedAt: 1718845704, VectorStoreID: "vs_1",
			Status:    assistants.VectorStoreFileFailed,
			LastError: &assistants.VectorStoreFileError{Code: "unsupported_file", Message: "No text in it."},
			ChunkingStrategy: &assistants.ChunkingStrategy{Type: assistants.ChunkingStatic,
				Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 800, ChunkOverlapTokens: 400}},
			Attributes: assistants.Attributes{"author": assistants.AttributeOf("Woolf"), "year": assistants.AttributeOf(1927), "lent": assistants.AttributeOf(false)},
		}, "unsupported_file: No text in it."},
		"of before there were strategies": {`{"id":"file-1","object":"vector_store.file","created_at":1714598088,"vector_store_id":"vs_1",
			"status":"completed","last_error":null}`, assistants.VectorStoreFile{ID: "file-1", Object: "vector_store.file",
			CreatedAt: 1714598088, VectorStoreID: "vs_1", Status: assistants.VectorStoreFileCompleted}, ""},
		"null everywhere": {`{"id":"file-1","object":null,"usage_bytes":null,"created_at":null,"vector_store_id":null,"status":null,
			"last_error":null,"chunking_strategy":null,"attributes":null}`, assistants.VectorStoreFile{ID: "file-1"}, ""},
		"null within": {`{"id":"file-1","last_error":{"code":null,"message":null},"chunking_strategy":{"type":"static","static":null},"attributes":{"k":null}}`,
			assistants.VectorStoreFile{ID: "file-1", LastError: &assistants.VectorStoreFileError{},
				ChunkingStrategy: &assistants.ChunkingStrategy{Type: assistants.ChunkingStatic}, Attributes: assistants.Attributes{"k": {}}}, ": "},
		"nothing but an id":        {`{"id":"file-1"}`, assistants.VectorStoreFile{ID: "file-1"}, ""},
		"a status that is unknown": {`{"id":"file-1","status":"queued"}`, assistants.VectorStoreFile{ID: "file-1", Status: "queued"}, ""},
		"failed without a reason": {`{"id":"file-1","vector_store_id":"vs_1","status":"failed"}`, assistants.VectorStoreFile{ID: "file-1", VectorStoreID: "vs_1",
			Status: assistants.VectorStoreFileFailed}, "assistants: file file-1 in vector store vs_1: failed"},
		"cancelled": {`{"id":"file-1","vector_store_id":"vs_1","status":"cancelled"}`, assistants.VectorStoreFile{ID: "file-1", VectorStoreID: "vs_1",
			Status: assistants.VectorStoreFileCancelled}, "assistants: file file-1 in vector store vs_1: cancelled"},
		"in progress": {`{"id":"file-1","status":"in_progress"}`, assistants.VectorStoreFile{ID: "file-1", Status: assistants.VectorStoreFileInProgress}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := decodedBy(t, test.body, get)
			if _, ok := file.Attributes["k"]; ok { // null, whichever way it is written
				assert.Equal(t, "null", file.Attributes["k"].String())
				file.Attributes["k"] = assistants.Attribute{}
			}
			assert.Equal(t, &test.want, file)
			if test.err == "" {
				require.NoError(t, file.Err())
			} else {
				require.EqualError(t, file.Err(), test.err)
			}
			if file.ChunkingStrategy == nil || file.ChunkingStrategy.Static != nil {
				file.Attributes = test.want.Attributes
				checkStored(t, file, true, get)
			}
		})
	}
}

func TestVectorStoreFileContent(t *testing.T) {
	t.Parallel()
	get := func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFileContent, error) {
		return c.VectorStoreFiles.Content(ctx, "vs_1", "file-1")
	}
	text := func(text string) assistants.FileSearchContent {
		return assistants.FileSearchContent{Type: assistants.ContentText, Text: text}
	}
	for name, test := range map[string]struct {
		body string
		want assistants.VectorStoreFileContent
		text string
	}{
		"every field": {`{"object":"vector_store.file_content.page","data":[{"type":"text","text":"a"},{"type":"text","text":"b"}],
			"has_more":true,"next_page":"p2"}`, assistants.VectorStoreFileContent{Object: "vector_store.file_content.page",
			Data: []assistants.FileSearchContent{text("a"), text("b")}, HasMore: true, NextPage: "p2"}, "a\nb"},
		"one part": {`{"object":"vector_store.file_content.page","data":[{"type":"text","text":"a\n"}],"has_more":false,"next_page":null}`,
			assistants.VectorStoreFileContent{Object: "vector_store.file_content.page", Data: []assistants.FileSearchContent{text("a\n")}}, "a\n"},
		"empty": {`{"object":"vector_store.file_content.page","data":[],"has_more":false,"next_page":null}`,
			assistants.VectorStoreFileContent{Object: "vector_store.file_content.page", Data: []assistants.FileSearchContent{}}, ""},
		"null": {`{"object":"vector_store.file_content.page","data":null,"has_more":null,"next_page":null}`,
			assistants.VectorStoreFileContent{Object: "vector_store.file_content.page"}, ""},
		"without its type": {`{"data":[{"text":"a"},{"type":"table","text":["b"]},{"type":"text","text":null}]}`,
			assistants.VectorStoreFileContent{Data: []assistants.FileSearchContent{{Text: "a"}, {Type: "table"}, text("")}}, "a\n\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := decodedBy(t, test.body, get)
			assert.Equal(t, &test.want, content)
			assert.Equal(t, test.text, content.Text())
		})
	}
}

// Every page is asked for with what the first one was asked for.
func TestVectorStoreFilesAll(t *testing.T) {
	t.Parallel()
	page := func(more string, ids ...string) step {
		var files []string
		for _, id := range ids {
			files = append(files, aStoreFile(id, "completed"))
		}
		return answer(200, `{"object":"list","data":[`+strings.Join(files, ",")+`],"first_id":"`+ids[0]+`","last_id":"`+ids[len(ids)-1]+`","has_more":`+more+`}`)
	}
	pages := []step{page("true", "file-4", "file-3"), page("true", "file-2"), page("false", "file-1")}
	filtered := assistants.VectorStoreFileListParams{Filter: assistants.VectorStoreFileCompleted, Limit: 2, Order: assistants.OrderDesc}
	for path, all := range map[string]func(*assistants.Client) (ids string, err error){
		"/vector_stores/vs_1/files": func(c *assistants.Client) (ids string, err error) {
			for file, err := range c.VectorStoreFiles.All(t.Context(), "vs_1", filtered) {
				if err != nil {
					return ids, err
				}
				ids += file.ID + " "
			}
			return ids, nil
		},
		"/vector_stores/vs_1/file_batches/vsfb_1/files": func(c *assistants.Client) (ids string, err error) {
			for file, err := range c.FileBatches.AllFiles(t.Context(), "vs_1", "vsfb_1", filtered) {
				if err != nil {
					return ids, err
				}
				ids += file.ID + " "
			}
			return ids, nil
		},
	} {
		tr := newTransport(t, pages...)
		ids, err := all(newClient(t, tr))
		require.NoError(t, err)
		assert.Equal(t, "file-4 file-3 file-2 file-1 ", ids)
		assert.Equal(t, []string{"GET " + path + "?filter=completed&limit=2&order=desc",
			"GET " + path + "?after=file-3&filter=completed&limit=2&order=desc",
			"GET " + path + "?after=file-2&filter=completed&limit=2&order=desc"}, tr.uris())

		tr = newTransport(t, pages[0], answer(404, `{"error":{"message":"No file found with id 'file-3'."}}`))
		ids, err = all(newClient(t, tr))
		require.ErrorIs(t, err, assistants.ErrNotFound)
		assert.Equal(t, "file-4 file-3 ", ids)
	}
}

// A server that echoes the key in the reason of a failure does not get it into logs.
func TestVectorStoreFileRedaction(t *testing.T) {
	t.Parallel()
	leaky := aStoreFile("file-1", "failed", why("server_error", "The key "+testKey+" is no good."))
	for name, call := range map[string]func(context.Context, *assistants.Client) (*assistants.VectorStoreFile, error){
		"retrieve": func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFile, error) {
			return c.VectorStoreFiles.Retrieve(ctx, "vs_1", "file-1")
		},
		"create and poll": func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFile, error) {
			return c.VectorStoreFiles.CreateAndPoll(ctx, "vs_1", assistants.VectorStoreFileCreateParams{FileID: "file-1"})
		},
		"list": func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFile, error) {
			return theFirst(c.VectorStoreFiles.List(ctx, "vs_1", assistants.VectorStoreFileListParams{}))
		},
		"list of a batch": func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFile, error) {
			return theFirst(c.FileBatches.ListFiles(ctx, "vs_1", "vsfb_1", assistants.VectorStoreFileListParams{}))
		},
	} {
		body := leaky
		if strings.HasPrefix(name, "list") {
			body = pageOf(leaky, "file-1")
		}
		file := decodedBy(t, body, call)
		require.NotNil(t, file.LastError, name)
		assert.NotContains(t, file.LastError.Message, testKey, name)
		assert.Regexp(t, "^The key .+ is no good.$", file.LastError.Message, name)
		assert.NotContains(t, file.Err().Error(), testKey, name)
	}
}

func theFirst[T any](page *assistants.Page[T], err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return page.Data[0], nil
}
