package assistants_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/assistants-go/assistants"
)

// newLibrary returns a client of a server with a vector store, vs_1, and files in it, one for each of the texts: file-1,
// which is called 1.txt, and so on.
func newLibrary(texts ...string) *assistants.Client {
	ctx, client := context.Background(), newArchive()
	if _, err := client.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{Name: "Library"}); err != nil {
		log.Fatal(err)
	}
	keep(client, texts...)
	for i := range texts {
		params := assistants.VectorStoreFileCreateParams{FileID: fmt.Sprint("file-", i+1)}
		if _, err := client.VectorStoreFiles.CreateAndPoll(ctx, "vs_1", params); err != nil {
			log.Fatal(err)
		}
	}
	return client
}

func ExampleVectorStoresService_Create() {
	ctx, client := context.Background(), newArchive()

	store, err := client.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{
		Name:         "Library",
		ExpiresAfter: &assistants.VectorStoreExpiration{Days: 7}, // of not being used
		Metadata:     assistants.Metadata{"floor": "2"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.ID, store.Name, store.Status, store.ExpiresAt)
	// Output: vs_1 Library completed 2023-11-10T04:16:15Z
}

func ExampleVectorStoresService_Retrieve() {
	ctx, client := context.Background(), newLibrary("Call me Ishmael.", "It was a queer, sultry summer.")

	store, err := client.VectorStores.Retrieve(ctx, "vs_1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.Status, store.FileCounts.Completed, "of", store.FileCounts.Total)
	// Output: completed 2 of 2
}

func ExampleVectorStoresService_Modify() {
	ctx, client := context.Background(), newLibrary()

	store, err := client.VectorStores.Modify(ctx, "vs_1", assistants.VectorStoreModifyParams{
		ExpiresAfter: assistants.Set(assistants.VectorStoreExpiration{Days: 1}),
		Metadata:     assistants.Null[assistants.Metadata](), // none from now on
		// Name is left alone.
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(store.Name, store.ExpiresAt, len(store.Metadata))
	// Output: Library 2023-11-04T04:16:15Z 0
}

func ExampleVectorStoresService_Delete() {
	ctx, client := context.Background(), newLibrary("Call me Ishmael.")

	deleted, err := client.VectorStores.Delete(ctx, "vs_1")
	if err != nil {
		log.Fatal(err)
	}
	file, err := client.Files.Retrieve(ctx, "file-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.Deleted, "and", file.ID, "is still there")
	// Output: true and file-1 is still there
}

func ExampleVectorStoresService_List() {
	ctx, client := context.Background(), newLibrary()

	page, err := client.VectorStores.List(ctx, assistants.ListParams{Limit: 10})
	if err != nil {
		log.Fatal(err)
	}
	for _, store := range page.Data {
		fmt.Println(store.ID, store.Name)
	}
	// Output: vs_1 Library
}

func ExampleVectorStoresService_All() {
	ctx, client := context.Background(), newLibrary()

	for store, err := range client.VectorStores.All(ctx, assistants.ListParams{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(store.ID, store.CreatedAt)
	}
	// Output: vs_1 2023-11-03T04:16:15Z
}

func ExampleVectorStoresService_Search() {
	ctx, client := context.Background(), newLibrary("Call me Ishmael.", "It was a queer, sultry summer.")

	results, err := client.VectorStores.Search(ctx, "vs_1", assistants.VectorStoreSearchParams{
		Query:         "Who is Ishmael?",
		MaxNumResults: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range results.Data {
		fmt.Printf("%s: %s\n", result.Filename, result.Text())
	}
	// Output: 1.txt: Call me Ishmael.
}

// Attributes of files narrow a search down.
func ExampleVectorStoresService_Search_filter() {
	ctx, client := context.Background(), newLibrary()
	for title, year := range map[string]int{"Orlando": 1928, "The Waves": 1931} {
		_, err := client.VectorStoreFiles.UploadAndPoll(ctx, "vs_1", assistants.VectorStoreFileUploadParams{
			File:       assistants.FileUploadParams{File: strings.NewReader(title + " is a novel."), Filename: title + ".txt"},
			Attributes: assistants.Attributes{"year": assistants.AttributeOf(year)},
		})
		if err != nil {
			log.Fatal(err)
		}
	}

	thirties := assistants.FilterAnd(assistants.FilterGte("year", 1930), assistants.FilterLt("year", 1940))
	results, err := client.VectorStores.Search(ctx, "vs_1", assistants.VectorStoreSearchParams{
		Query:   "a novel",
		Filters: &thirties,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range results.Data {
		fmt.Println(result.Filename, result.Attributes["year"])
	}
	// Output: The Waves.txt 1931
}

func ExampleVectorStoreFilesService_Create() {
	ctx, client := context.Background(), newLibrary()
	keep(client, "Call me Ishmael.")

	file, err := client.VectorStoreFiles.Create(ctx, "vs_1", assistants.VectorStoreFileCreateParams{FileID: "file-1"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.ID, file.VectorStoreID) // it can be searched when its Status says so
	// Output: file-1 vs_1
}

func ExampleVectorStoreFilesService_CreateAndPoll() {
	ctx, client := context.Background(), newLibrary()
	keep(client, "Call me Ishmael.")

	file, err := client.VectorStoreFiles.CreateAndPoll(ctx, "vs_1", assistants.VectorStoreFileCreateParams{
		FileID: "file-1",
		ChunkingStrategy: &assistants.ChunkingStrategy{
			Static: &assistants.StaticChunkingStrategy{MaxChunkSizeTokens: 400, ChunkOverlapTokens: 100},
		},
		Attributes: assistants.Attributes{"author": assistants.AttributeOf("Melville")},
	})
	if err != nil {
		log.Fatal(err) // the call failed
	}
	if err := file.Err(); err != nil {
		log.Fatal(err) // the file is no good
	}
	fmt.Println(file.Status, file.Attributes["author"])
	// Output: completed Melville
}

func ExampleVectorStoreFilesService_UploadAndPoll() {
	ctx, client := context.Background(), newLibrary()

	file, err := client.VectorStoreFiles.UploadAndPoll(ctx, "vs_1", assistants.VectorStoreFileUploadParams{
		File: assistants.FileUploadParams{File: strings.NewReader("Call me Ishmael."), Filename: "moby.txt"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.ID, file.Status)
	// Output: file-1 completed
}

func ExampleVectorStoreFilesService_Poll() {
	ctx, client := context.Background(), newLibrary()
	keep(client, "Call me Ishmael.")
	if _, err := client.VectorStoreFiles.Create(ctx, "vs_1", assistants.VectorStoreFileCreateParams{FileID: "file-1"}); err != nil {
		log.Fatal(err)
	}

	file, err := client.VectorStoreFiles.Poll(ctx, "vs_1", "file-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Status)
	// Output: completed
}

func ExampleVectorStoreFilesService_Retrieve() {
	ctx, client := context.Background(), newLibrary("Call me Ishmael.")

	file, err := client.VectorStoreFiles.Retrieve(ctx, "vs_1", "file-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Status, file.ChunkingStrategy.Static.MaxChunkSizeTokens)
	// Output: completed 800
}

func ExampleVectorStoreFilesService_Modify() {
	ctx, client := context.Background(), newLibrary("Call me Ishmael.")

	file, err := client.VectorStoreFiles.Modify(ctx, "vs_1", "file-1", assistants.VectorStoreFileModifyParams{
		Attributes: assistants.Attributes{"year": assistants.AttributeOf(1851), "lent": assistants.AttributeOf(false)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Attributes["year"], file.Attributes["lent"])
	// Output: 1851 false
}

func ExampleVectorStoreFilesService_Delete() {
	ctx, client := context.Background(), newLibrary("Call me Ishmael.")

	deleted, err := client.VectorStoreFiles.Delete(ctx, "vs_1", "file-1") // from the vector store only
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.ID, deleted.Deleted)
	// Output: file-1 true
}

func ExampleVectorStoreFilesService_Content() {
	ctx, client := context.Background(), newLibrary("Call me Ishmael.")

	content, err := client.VectorStoreFiles.Content(ctx, "vs_1", "file-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(content.Text())
	// Output: Call me Ishmael.
}

func ExampleVectorStoreFilesService_List() {
	ctx, client := context.Background(), newLibrary("one", "two")

	page, err := client.VectorStoreFiles.List(ctx, "vs_1", assistants.VectorStoreFileListParams{
		Filter: assistants.VectorStoreFileFailed,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(page.Data), "failed")
	// Output: 0 failed
}

func ExampleVectorStoreFilesService_All() {
	ctx, client := context.Background(), newLibrary("one", "two")

	for file, err := range client.VectorStoreFiles.All(ctx, "vs_1", assistants.VectorStoreFileListParams{Order: assistants.OrderAsc}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(file.ID, file.Status)
	}
	// Output:
	// file-1 completed
	// file-2 completed
}

func ExampleFileBatchesService_UploadAndPoll() {
	ctx, client := context.Background(), newLibrary()

	batch, err := client.FileBatches.UploadAndPoll(ctx, "vs_1", assistants.FileBatchUploadParams{
		Files: []assistants.VectorStoreFileUploadParams{
			{File: assistants.FileUploadParams{File: strings.NewReader("Call me Ishmael."), Filename: "moby.txt"}},
			{File: assistants.FileUploadParams{Path: "chapters/gone.txt"}},
			{File: assistants.FileUploadParams{Path: "README.md"}},
		},
	})
	if failures, ok := errors.AsType[assistants.FileFailures](err); ok {
		for _, failure := range failures { // the other files are in the vector store
			fmt.Println(failure.Index, failure.Name)
		}
	} else if err != nil {
		log.Fatal(err)
	}
	fmt.Println(batch.Status, batch.FileCounts.Completed)
	// Output:
	// 1 gone.txt
	// completed 2
}

func ExampleFileBatchesService_Create() {
	ctx, client := context.Background(), newLibrary()
	keep(client, "one", "two")

	batch, err := client.FileBatches.Create(ctx, "vs_1", assistants.FileBatchCreateParams{
		Files: []assistants.VectorStoreFileCreateParams{
			{FileID: "file-1", Attributes: assistants.Attributes{"language": assistants.AttributeOf("en")}},
			{FileID: "file-2"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(batch.ID, batch.FileCounts.Total)
	// Output: vsfb_1 2
}

func ExampleFileBatchesService_CreateAndPoll() {
	ctx, client := context.Background(), newLibrary()
	keep(client, "one", "two")

	batch, err := client.FileBatches.CreateAndPoll(ctx, "vs_1", assistants.FileBatchCreateParams{FileIDs: []string{"file-1", "file-2"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(batch.Status, batch.FileCounts.Completed, batch.FileCounts.Failed)
	// Output: completed 2 0
}

// newBatch returns a client of a server with a batch, vsfb_1, of two files.
func newBatch() *assistants.Client {
	client := newLibrary()
	keep(client, "one", "two")
	params := assistants.FileBatchCreateParams{FileIDs: []string{"file-1", "file-2"}}
	if _, err := client.FileBatches.CreateAndPoll(context.Background(), "vs_1", params); err != nil {
		log.Fatal(err)
	}
	return client
}

func ExampleFileBatchesService_Poll() {
	ctx, client := context.Background(), newBatch()

	batch, err := client.FileBatches.Poll(ctx, "vs_1", "vsfb_1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(batch.Status)
	// Output: completed
}

func ExampleFileBatchesService_Retrieve() {
	ctx, client := context.Background(), newBatch()

	batch, err := client.FileBatches.Retrieve(ctx, "vs_1", "vsfb_1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(batch.Status, batch.CreatedAt)
	// Output: completed 2023-11-03T04:16:15Z
}

func ExampleFileBatchesService_Cancel() {
	ctx, client := context.Background(), newBatch()

	batch, err := client.FileBatches.Cancel(ctx, "vs_1", "vsfb_1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(batch.Status) // it was faster
	// Output: completed
}

func ExampleFileBatchesService_ListFiles() {
	ctx, client := context.Background(), newBatch()

	page, err := client.FileBatches.ListFiles(ctx, "vs_1", "vsfb_1", assistants.VectorStoreFileListParams{
		Filter: assistants.VectorStoreFileCompleted,
		Order:  assistants.OrderAsc,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range page.Data {
		fmt.Println(file.ID)
	}
	// Output:
	// file-1
	// file-2
}

func ExampleFileBatchesService_AllFiles() {
	ctx, client := context.Background(), newBatch()

	for file, err := range client.FileBatches.AllFiles(ctx, "vs_1", "vsfb_1", assistants.VectorStoreFileListParams{}) {
		if err != nil {
			log.Fatal(err)
		}
		if err := file.Err(); err != nil {
			fmt.Println(file.ID, err)
		}
	}
	// Output:
}
