package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// newArchive returns a client of a server whose clock stands still and whose ids count: file-1, file-2, vs_1, …
func newArchive() *assistants.Client {
	ids := countedIDs()
	api := server.New(
		server.WithClock(func() time.Time { return time.Unix(1698984975, 0) }),
		server.WithIDSource(func(prefix string) string {
			id := ids(prefix)
			if prefix == "file" {
				id = strings.Replace(id, "_", "-", 1)
			}
			return id
		}),
	)
	client, err := assistants.NewClient(assistants.WithHandler(polledOften(api)))
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// keep uploads a file for each of the texts: file-1, which is called 1.txt, and so on.
func keep(client *assistants.Client, texts ...string) {
	for i, text := range texts {
		params := assistants.FileUploadParams{File: strings.NewReader(text), Filename: fmt.Sprint(i+1, ".txt")}
		if _, err := client.Files.Upload(context.Background(), params); err != nil {
			log.Fatal(err)
		}
	}
}

func ExampleFilesService_Upload() {
	ctx, client := context.Background(), newArchive()

	file, err := client.Files.Upload(ctx, assistants.FileUploadParams{
		File:     strings.NewReader("The lighthouse was a silvery, misty-looking tower."),
		Filename: "lighthouse.txt",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.ID, file.Filename, file.Bytes, file.Purpose)
	// Output: file-1 lighthouse.txt 50 assistants
}

// A file on disk is named by its path. It is sent as it is read.
func ExampleFilesService_Upload_path() {
	ctx, client := context.Background(), newArchive()

	file, err := client.Files.Upload(ctx, assistants.FileUploadParams{
		Path:         "go.mod",
		Filename:     "go.mod.txt", // the ending says what kind of file it is
		Purpose:      assistants.PurposeUserData,
		ExpiresAfter: &assistants.FileExpiration{Seconds: 3600},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Filename, file.ExpiresAt)
	// Output: go.mod.txt 2023-11-03T05:16:15Z
}

func ExampleFilesService_Retrieve() {
	ctx, client := context.Background(), newArchive()
	keep(client, "one")

	file, err := client.Files.Retrieve(ctx, "file-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Filename, file.CreatedAt)

	_, err = client.Files.Retrieve(ctx, "file-2")
	fmt.Println(errors.Is(err, assistants.ErrNotFound))
	// Output:
	// 1.txt 2023-11-03T04:16:15Z
	// true
}

func ExampleFilesService_Delete() {
	ctx, client := context.Background(), newArchive()
	keep(client, "one")

	deleted, err := client.Files.Delete(ctx, "file-1") // and from all vector stores
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.ID, deleted.Deleted)
	// Output: file-1 true
}

func ExampleFilesService_Content() {
	ctx, client := context.Background(), newArchive()
	keep(client, "To the lighthouse.\n")

	content, err := client.Files.Content(ctx, "file-1")
	if err != nil {
		log.Fatal(err)
	}
	defer content.Close()
	if _, err := io.Copy(os.Stdout, content); err != nil { // a connection that breaks is an error here
		log.Fatal(err)
	}
	// Output: To the lighthouse.
}

func ExampleFilesService_List() {
	ctx, client := context.Background(), newArchive()
	keep(client, "one", "two", "three")

	page, err := client.Files.List(ctx, assistants.FileListParams{Purpose: assistants.PurposeAssistants, Limit: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range page.Data {
		fmt.Println(file.ID, file.Filename)
	}
	fmt.Println("more:", page.HasMore)
	// Output:
	// file-3 3.txt
	// file-2 2.txt
	// more: true
}

func ExampleFilesService_All() {
	ctx, client := context.Background(), newArchive()
	keep(client, "one", "two", "three")

	for file, err := range client.Files.All(ctx, assistants.FileListParams{Order: assistants.OrderAsc, Limit: 2}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(file.ID, file.Bytes)
	}
	// Output:
	// file-1 3
	// file-2 3
	// file-3 5
}

func ExampleUploadsService_UploadLarge() {
	ctx, client := context.Background(), newArchive()

	params := assistants.UploadLargeParams{
		File: assistants.FileUploadParams{
			File:     strings.NewReader("A file of many gigabytes, in real life."),
			Filename: "archive.txt",
		},
		PartSize: 16, // bytes; leave it out for parts of 64 MiB
	}
	file, err := client.Uploads.UploadLarge(ctx, params)
	if interrupted, ok := errors.AsType[*assistants.UploadInterruptedError](err); ok {
		params.Resume = &interrupted.Progress // which can be stored, and is good for an hour
		file, err = client.Uploads.UploadLarge(ctx, params)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Filename, file.Bytes)
	// Output: archive.txt 39
}

// begin begins an upload, upload_1, of that many bytes.
func begin(client *assistants.Client, bytes int64) {
	_, err := client.Uploads.Create(context.Background(), assistants.UploadCreateParams{
		Filename: "letters.txt", Purpose: assistants.PurposeAssistants, Bytes: bytes, MIMEType: "text/plain",
	})
	if err != nil {
		log.Fatal(err)
	}
}

func ExampleUploadsService_Create() {
	ctx, client := context.Background(), newArchive()

	upload, err := client.Uploads.Create(ctx, assistants.UploadCreateParams{
		Filename: "letters.txt",
		Purpose:  assistants.PurposeAssistants,
		Bytes:    6,
		MIMEType: "text/plain",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(upload.ID, upload.Status, upload.ExpiresAt)
	// Output: upload_1 pending 2023-11-03T05:16:15Z
}

func ExampleUploadsService_AddPart() {
	ctx, client := context.Background(), newArchive()
	begin(client, 6)

	part, err := client.Uploads.AddPart(ctx, "upload_1", assistants.UploadPartParams{Data: strings.NewReader("abc")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(part.ID, part.UploadID)
	// Output: part_1 upload_1
}

func ExampleUploadsService_Complete() {
	ctx, client := context.Background(), newArchive()
	begin(client, 6)
	var order []string
	for _, letters := range []string{"abc", "def"} {
		part, err := client.Uploads.AddPart(ctx, "upload_1", assistants.UploadPartParams{Data: strings.NewReader(letters)})
		if err != nil {
			log.Fatal(err)
		}
		order = append(order, part.ID)
	}

	upload, err := client.Uploads.Complete(ctx, "upload_1", assistants.UploadCompleteParams{PartIDs: order})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(upload.Status, upload.File.ID, upload.File.Bytes)
	// Output: completed file-1 6
}

func ExampleUploadsService_Cancel() {
	ctx, client := context.Background(), newArchive()
	begin(client, 6)

	upload, err := client.Uploads.Cancel(ctx, "upload_1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(upload.Status)
	// Output: cancelled
}

// v1 returns a client of a server of v1 that answers everything with the same. What it is asked is printed.
func v1(answer string) *assistants.Client {
	client, err := assistants.NewClient(assistants.WithBeta(assistants.BetaV1),
		assistants.WithHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Println(r.Method, r.URL.Path)
			fmt.Fprint(w, answer)
		})))
	if err != nil {
		log.Fatal(err)
	}
	return client
}

const (
	anAssistantFile = `{"id":"file-abc123","object":"assistant.file","created_at":1699055364,"assistant_id":"asst_1"}`
	aMessageFile    = `{"id":"file-abc123","object":"thread.message.file","created_at":1699055364,"message_id":"msg_1"}`
)

func ExampleAssistantsService_CreateFile() {
	client := v1(anAssistantFile)

	file, err := client.Assistants.CreateFile(context.Background(), "asst_1", assistants.AssistantFileCreateParams{FileID: "file-abc123"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.ID, file.AssistantID)
	// Output:
	// POST /v1/assistants/asst_1/files
	// file-abc123 asst_1
}

func ExampleAssistantsService_RetrieveFile() {
	client := v1(anAssistantFile)

	file, err := client.Assistants.RetrieveFile(context.Background(), "asst_1", "file-abc123")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.CreatedAt)
	// Output:
	// GET /v1/assistants/asst_1/files/file-abc123
	// 2023-11-03T23:49:24Z
}

func ExampleAssistantsService_DeleteFile() {
	client := v1(`{"id":"file-abc123","object":"assistant.file.deleted","deleted":true}`)

	deleted, err := client.Assistants.DeleteFile(context.Background(), "asst_1", "file-abc123")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.Deleted)
	// Output:
	// DELETE /v1/assistants/asst_1/files/file-abc123
	// true
}

func ExampleAssistantsService_ListFiles() {
	client := v1(`{"object":"list","data":[` + anAssistantFile + `],"has_more":false}`)

	page, err := client.Assistants.ListFiles(context.Background(), "asst_1", assistants.ListParams{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Data[0].ID)
	// Output:
	// GET /v1/assistants/asst_1/files
	// file-abc123
}

func ExampleAssistantsService_AllFiles() {
	client := v1(`{"object":"list","data":[` + anAssistantFile + `],"has_more":false}`)

	for file, err := range client.Assistants.AllFiles(context.Background(), "asst_1", assistants.ListParams{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(file.ID)
	}
	// Output:
	// GET /v1/assistants/asst_1/files
	// file-abc123
}

func ExampleMessagesService_RetrieveFile() {
	client := v1(aMessageFile)

	file, err := client.Messages.RetrieveFile(context.Background(), "thread_1", "msg_1", "file-abc123")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.ID, file.MessageID)
	// Output:
	// GET /v1/threads/thread_1/messages/msg_1/files/file-abc123
	// file-abc123 msg_1
}

func ExampleMessagesService_ListFiles() {
	client := v1(`{"object":"list","data":[` + aMessageFile + `],"has_more":false}`)

	page, err := client.Messages.ListFiles(context.Background(), "thread_1", "msg_1", assistants.ListParams{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page.Data[0].ID)
	// Output:
	// GET /v1/threads/thread_1/messages/msg_1/files
	// file-abc123
}

func ExampleMessagesService_AllFiles() {
	client := v1(`{"object":"list","data":[` + aMessageFile + `],"has_more":false}`)

	for file, err := range client.Messages.AllFiles(context.Background(), "thread_1", "msg_1", assistants.ListParams{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(file.ID)
	}
	// Output:
	// GET /v1/threads/thread_1/messages/msg_1/files
	// file-abc123
}

// printFilter prints what is sent.
func printFilter(filter assistants.Filter) {
	sent, err := json.Marshal(filter)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(sent))
}

func ExampleFilterEq() {
	printFilter(assistants.FilterEq("author", "Woolf"))
	// Output: {"type":"eq","key":"author","value":"Woolf"}
}

func ExampleFilterNe() {
	printFilter(assistants.FilterNe("lent", true))
	// Output: {"type":"ne","key":"lent","value":true}
}

func ExampleFilterGt() {
	printFilter(assistants.FilterGt("year", 1925))
	// Output: {"type":"gt","key":"year","value":1925}
}

func ExampleFilterGte() {
	printFilter(assistants.FilterGte("rating", 4.5))
	// Output: {"type":"gte","key":"rating","value":4.5}
}

func ExampleFilterLt() {
	printFilter(assistants.FilterLt("year", 1930))
	// Output: {"type":"lt","key":"year","value":1930}
}

func ExampleFilterLte() {
	printFilter(assistants.FilterLte("pages", 300))
	// Output: {"type":"lte","key":"pages","value":300}
}

func ExampleFilterIn() {
	printFilter(assistants.FilterIn("author", "Woolf", "Joyce"))
	// Output: {"type":"in","key":"author","value":["Woolf","Joyce"]}
}

func ExampleFilterNin() {
	printFilter(assistants.FilterNin("year", 1914, 1939))
	// Output: {"type":"nin","key":"year","value":[1914,1939]}
}

func ExampleFilterAnd() {
	printFilter(assistants.FilterAnd(assistants.FilterEq("author", "Woolf"), assistants.FilterGte("year", 1925)))
	// Output: {"type":"and","filters":[{"type":"eq","key":"author","value":"Woolf"},{"type":"gte","key":"year","value":1925}]}
}

func ExampleFilterOr() {
	recent := assistants.FilterOr(assistants.FilterGte("year", 2020), assistants.FilterEq("reprint", true))
	fmt.Println(recent.Matches(assistants.Attributes{"year": assistants.AttributeOf(1925), "reprint": assistants.AttributeOf(true)}))
	fmt.Println(recent.Matches(assistants.Attributes{"year": assistants.AttributeOf(1925)}))
	// Output:
	// true
	// false
}
