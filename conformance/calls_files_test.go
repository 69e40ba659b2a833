package conformance

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/assistants-go/assistants"
)

// knowledgeCalls are those of files, uploads and vector stores. What they name is in stock.
func knowledgeCalls() []call {
	return slices.Concat(fileCalls(), uploadCalls(), storeCalls(), storeListCalls(), searchCalls(), storeFileCalls(), fileBatchCalls())
}

func text(content string) io.Reader { return strings.NewReader(content) }

func fileCalls() []call {
	upload := func(name string, p assistants.FileUploadParams) call {
		return calling(name, "createFile", func(ctx context.Context, c *assistants.Client) (*assistants.File, error) {
			return c.Files.Upload(ctx, p)
		})
	}
	all := []call{
		upload("least", assistants.FileUploadParams{File: text("content"), Filename: "a.txt"}),
		upload("expiring", assistants.FileUploadParams{File: text("content"), Filename: "a.txt", ExpiresAfter: &assistants.FileExpiration{Seconds: 3600}}),
		upload("of a type", assistants.FileUploadParams{File: text(`{"a":1}`), Filename: "a.json", ContentType: "application/octet-stream"}),
		upload("not ASCII", assistants.FileUploadParams{File: text("ü"), Filename: `"你好".txt`}),
		calling("by id", "retrieveFile", func(ctx context.Context, c *assistants.Client) (*assistants.File, error) {
			return c.Files.Retrieve(ctx, "file_1")
		}),
		calling("by id", "deleteFile", func(ctx context.Context, c *assistants.Client) (*assistants.Deleted, error) {
			return c.Files.Delete(ctx, "file_5")
		}),
		calling("by id", "downloadFile", func(ctx context.Context, c *assistants.Client) (any, error) {
			content, err := c.Files.Content(ctx, "file_1")
			if err != nil {
				return nil, err
			}
			_, err = io.ReadAll(content)
			return nil, errors.Join(err, content.Close())
		}),
	}
	for _, purpose := range []assistants.FilePurpose{
		assistants.PurposeAssistants, assistants.PurposeBatch, assistants.PurposeFineTune, assistants.PurposeVision,
		assistants.PurposeUserData, assistants.PurposeEvals,
	} {
		all = append(all, upload("for "+string(purpose), assistants.FileUploadParams{File: text("content"), Filename: "a.txt", Purpose: purpose}))
	}
	for name, p := range paging {
		p := assistants.FileListParams{Purpose: assistants.PurposeUserData, Limit: p.Limit, Order: p.Order, After: p.After}
		all = append(all, unlessUnknown(calling(name, "listFiles", func(ctx context.Context, c *assistants.Client) (any, error) {
			_, err := c.Files.List(ctx, p)
			for _, e := range c.Files.All(ctx, p) {
				err = errors.Join(err, e)
			}
			return nil, err
		}), assistants.ListParams{After: p.After}))
	}
	return append(all, calling("none", "listFiles", func(ctx context.Context, c *assistants.Client) (any, error) {
		return c.Files.List(ctx, assistants.FileListParams{Purpose: assistants.PurposeBatch})
	}))
}

func uploadCalls() []call {
	large := assistants.UploadCreateParams{Filename: "large.txt", Purpose: assistants.PurposeAssistants, Bytes: 4, MIMEType: "text/plain"}
	expiring := large
	expiring.ExpiresAfter = &assistants.FileExpiration{Seconds: 3600}
	complete := func(name string, p assistants.UploadCompleteParams) call {
		return calling(name, "completeUpload", func(ctx context.Context, c *assistants.Client) (*assistants.Upload, error) {
			return c.Uploads.Complete(ctx, "upload_1", p)
		})
	}
	return []call{
		calling("least", "createUpload", func(ctx context.Context, c *assistants.Client) (*assistants.Upload, error) {
			return c.Uploads.Create(ctx, large)
		}),
		calling("expiring", "createUpload", func(ctx context.Context, c *assistants.Client) (*assistants.Upload, error) {
			return c.Uploads.Create(ctx, expiring)
		}),
		calling("bytes", "addUploadPart", func(ctx context.Context, c *assistants.Client) (*assistants.UploadPart, error) {
			return c.Uploads.AddPart(ctx, "upload_2", assistants.UploadPartParams{Data: text("text")})
		}).after(func(ctx context.Context, c *assistants.Client) error {
			_, err := c.Uploads.Create(ctx, large)
			return err
		}),
		complete("parts", assistants.UploadCompleteParams{PartIDs: []string{"part_1"}}),
		complete("checksum", assistants.UploadCompleteParams{PartIDs: []string{"part_1"}, MD5: "1cb251ec0d568de6a929b520c4aed8d1"}),
		calling("by id", "cancelUpload", func(ctx context.Context, c *assistants.Client) (*assistants.Upload, error) {
			return c.Uploads.Cancel(ctx, "upload_1")
		}),
		calling("at once", "completeUpload", func(ctx context.Context, c *assistants.Client) (*assistants.File, error) {
			return c.Uploads.UploadLarge(ctx, assistants.UploadLargeParams{
				File: assistants.FileUploadParams{File: text("a larger text"), Filename: "large.txt"}, PartSize: 4,
			})
		}),
	}
}

// strategies are all ways of cutting a file.
var strategies = map[string]*assistants.ChunkingStrategy{
	"auto":   {Type: assistants.ChunkingAuto},
	"static": {Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 200, ChunkOverlapTokens: 100}},
}

// attributes are of all types.
var attributes = assistants.Attributes{
	"author": assistants.AttributeOf("Ada"), "year": assistants.AttributeOf(1843), "price": assistants.AttributeOf(0.5),
	"draft": assistants.AttributeOf(false),
}

func storeCalls() []call {
	create := func(name string, p assistants.VectorStoreCreateParams) call {
		return calling(name, "createVectorStore", func(ctx context.Context, c *assistants.Client) (*assistants.VectorStore, error) {
			return c.VectorStores.Create(ctx, p)
		})
	}
	modify := func(name string, p assistants.VectorStoreModifyParams) call {
		return calling(name, "modifyVectorStore", func(ctx context.Context, c *assistants.Client) (*assistants.VectorStore, error) {
			return c.VectorStores.Modify(ctx, "vs_1", p)
		})
	}
	expiry := assistants.VectorStoreExpiration{Days: 7}
	all := []call{
		create("least", assistants.VectorStoreCreateParams{}),
		create("everything", assistants.VectorStoreCreateParams{
			Name: "n", Description: "d", FileIDs: []string{"file_1", "file_2"}, ExpiresAfter: &expiry, Metadata: assistants.Metadata{"a": "b"},
			ChunkingStrategy: strategies["auto"],
		}),
		create("static", assistants.VectorStoreCreateParams{FileIDs: []string{"file_1"}, ChunkingStrategy: strategies["static"]}),
		create("empty", assistants.VectorStoreCreateParams{FileIDs: []string{}, Metadata: assistants.Metadata{}}),
		modify("nothing", assistants.VectorStoreModifyParams{}),
		modify("everything", assistants.VectorStoreModifyParams{
			Name: assistants.Set("n"), ExpiresAfter: assistants.Set(expiry), Metadata: assistants.Set(assistants.Metadata{"a": "b"}),
		}),
		modify("null", assistants.VectorStoreModifyParams{
			Name: assistants.Null[string](), ExpiresAfter: assistants.Null[assistants.VectorStoreExpiration](),
			Metadata: assistants.Null[assistants.Metadata](),
		}),
		calling("by id", "getVectorStore", func(ctx context.Context, c *assistants.Client) (*assistants.VectorStore, error) {
			return c.VectorStores.Retrieve(ctx, "vs_1")
		}),
		calling("by id", "deleteVectorStore", func(ctx context.Context, c *assistants.Client) (*assistants.Deleted, error) {
			return c.VectorStores.Delete(ctx, "vs_1")
		}),
	}
	return all
}

func storeListCalls() []call {
	var all []call
	for name, p := range paging {
		all = append(all, unlessUnknown(calling(name, "listVectorStores", func(ctx context.Context, c *assistants.Client) (any, error) {
			_, err := c.VectorStores.List(ctx, p)
			for _, e := range c.VectorStores.All(ctx, p) {
				err = errors.Join(err, e)
			}
			return nil, err
		}), p))
		part := assistants.VectorStoreFileListParams{
			Filter: assistants.VectorStoreFileCompleted, Limit: p.Limit, Order: p.Order, After: p.After, Before: p.Before,
		}
		all = append(all, unlessUnknown(calling(name, "listVectorStoreFiles", func(ctx context.Context, c *assistants.Client) (any, error) {
			_, err := c.VectorStoreFiles.List(ctx, "vs_1", part)
			for _, e := range c.VectorStoreFiles.All(ctx, "vs_1", part) {
				err = errors.Join(err, e)
			}
			return nil, err
		}), p))
		all = append(all, unlessUnknown(calling(name, "listFilesInVectorStoreBatch", func(ctx context.Context, c *assistants.Client) (any, error) {
			_, err := c.FileBatches.ListFiles(ctx, "vs_1", "vsfb_1", part)
			for _, e := range c.FileBatches.AllFiles(ctx, "vs_1", "vsfb_1", part) {
				err = errors.Join(err, e)
			}
			return nil, err
		}), p))
	}
	for _, status := range []assistants.VectorStoreFileStatus{
		assistants.VectorStoreFileInProgress, assistants.VectorStoreFileFailed, assistants.VectorStoreFileCancelled,
	} {
		all = append(all, calling(string(status), "listVectorStoreFiles", func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.VectorStoreFiles.List(ctx, "vs_1", assistants.VectorStoreFileListParams{Filter: status})
		}))
	}
	return all
}

func searchCalls() []call {
	search := func(name string, p assistants.VectorStoreSearchParams) call {
		return calling(name, "searchVectorStore", func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreSearchResults, error) {
			return c.VectorStores.Search(ctx, "vs_1", p)
		})
	}
	all := []call{
		search("one question", assistants.VectorStoreSearchParams{Query: "leave"}),
		search("several questions", assistants.VectorStoreSearchParams{Queries: []string{"leave", "days"}}),
		search("rewritten", assistants.VectorStoreSearchParams{Query: "leave", RewriteQuery: true, MaxNumResults: 50}),
		search("nothing", assistants.VectorStoreSearchParams{Query: "zebra"}),
	}
	for _, ranker := range []string{"", "auto", "none", "default-2024-11-15"} {
		all = append(all, search("ranked by "+ranker, assistants.VectorStoreSearchParams{
			Query: "leave", RankingOptions: &assistants.SearchRankingOptions{Ranker: ranker, ScoreThreshold: new(0.1)},
		}))
	}
	for name, f := range filters {
		all = append(all, search("where "+name, assistants.VectorStoreSearchParams{Query: "leave", Filters: &f}))
	}
	return all
}

// filters are all kinds of them.
var filters = map[string]assistants.Filter{
	"equal":       assistants.FilterEq("author", "Ada"),
	"true":        assistants.FilterEq("draft", true),
	"not equal":   assistants.FilterNe("author", "Ada"),
	"greater":     assistants.FilterGt("year", 1800),
	"at least":    assistants.FilterGte("year", 1800),
	"less":        assistants.FilterLt("price", 0.75),
	"at most":     assistants.FilterLte("price", 0.75),
	"one of":      assistants.FilterIn("author", "Ada", "Bob"),
	"none of":     assistants.FilterNin("year", 1800, 1900),
	"all":         assistants.FilterAnd(assistants.FilterEq("author", "Ada"), assistants.FilterGt("year", 1800)),
	"any, nested": assistants.FilterOr(assistants.FilterEq("author", "Ada"), assistants.FilterAnd(assistants.FilterIn("year", 1, 2))),
}

func storeFileCalls() []call {
	create := func(name string, p assistants.VectorStoreFileCreateParams) call {
		p.FileID = "file_3"
		return calling(name, "createVectorStoreFile", func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFile, error) {
			return c.VectorStoreFiles.Create(ctx, "vs_1", p)
		})
	}
	modify := func(name string, p assistants.VectorStoreFileModifyParams) call {
		return calling(name, "updateVectorStoreFileAttributes", func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFile, error) {
			return c.VectorStoreFiles.Modify(ctx, "vs_1", "file_1", p)
		})
	}
	return []call{
		create("least", assistants.VectorStoreFileCreateParams{}),
		create("everything", assistants.VectorStoreFileCreateParams{ChunkingStrategy: strategies["static"], Attributes: attributes}),
		create("auto", assistants.VectorStoreFileCreateParams{ChunkingStrategy: strategies["auto"]}),
		calling("polled", "getVectorStoreFile", func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFile, error) {
			return c.VectorStoreFiles.CreateAndPoll(ctx, "vs_1", assistants.VectorStoreFileCreateParams{FileID: "file_3"})
		}),
		modify("everything", assistants.VectorStoreFileModifyParams{Attributes: attributes}),
		modify("null", assistants.VectorStoreFileModifyParams{}),
		calling("by id", "deleteVectorStoreFile", func(ctx context.Context, c *assistants.Client) (*assistants.Deleted, error) {
			return c.VectorStoreFiles.Delete(ctx, "vs_1", "file_1")
		}),
		calling("by id", "retrieveVectorStoreFileContent", func(ctx context.Context, c *assistants.Client) (*assistants.VectorStoreFileContent, error) {
			return c.VectorStoreFiles.Content(ctx, "vs_1", "file_1")
		}),
	}
}

func fileBatchCalls() []call {
	create := func(name string, p assistants.FileBatchCreateParams) call {
		return calling(name, "createVectorStoreFileBatch", func(ctx context.Context, c *assistants.Client) (*assistants.FileBatch, error) {
			return c.FileBatches.Create(ctx, "vs_1", p)
		})
	}
	return []call{
		create("ids", assistants.FileBatchCreateParams{FileIDs: []string{"file_3", "file_4"}}),
		create("ids with settings", assistants.FileBatchCreateParams{
			FileIDs: []string{"file_3"}, ChunkingStrategy: strategies["static"], Attributes: attributes,
		}),
		create("files", assistants.FileBatchCreateParams{Files: []assistants.VectorStoreFileCreateParams{
			{FileID: "file_3", Attributes: attributes, ChunkingStrategy: strategies["static"]},
			{FileID: "file_4", ChunkingStrategy: strategies["auto"]},
		}}),
		calling("polled", "getVectorStoreFileBatch", func(ctx context.Context, c *assistants.Client) (*assistants.FileBatch, error) {
			return c.FileBatches.CreateAndPoll(ctx, "vs_1", assistants.FileBatchCreateParams{FileIDs: []string{"file_3"}})
		}),
		calling("completed", "cancelVectorStoreFileBatch", func(ctx context.Context, c *assistants.Client) (*assistants.FileBatch, error) {
			return c.FileBatches.Cancel(ctx, "vs_1", "vsfb_1")
		}),
	}
}
