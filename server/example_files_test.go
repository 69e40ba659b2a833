package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// answerFrom asks a question of an assistant with these tools, about a file that is attached to it, and returns the answer.
func answerFrom(api *server.Server, fileName, content, question string, tools ...assistants.ToolType) *assistants.Message {
	defer api.Close()
	ctx := context.Background()
	var offered []assistants.Tool
	message := assistants.UserMessage(question)
	for _, tool := range tools {
		offered = append(offered, assistants.Tool{Type: tool})
	}
	client, id := newTalk(api, offered...)
	if fileName != "" {
		file, err := client.Files.Upload(ctx, assistants.FileUploadParams{File: strings.NewReader(content), Filename: fileName})
		if err != nil {
			log.Fatal(err)
		}
		message.Attachments = []assistants.Attachment{{FileID: file.ID, Tools: []assistants.AttachmentTool{{Type: assistants.ToolFileSearch}}}}
	}
	stream, err := client.Threads.CreateAndRunStream(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: id, Thread: assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{message}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	run, err := stream.Wait()
	if err != nil {
		log.Fatal(err)
	}
	if err := run.Err(); err != nil {
		log.Fatal(err)
	}
	return stream.Messages()[0]
}

// Any format can be searched of which somebody can make text. This server reads notes in a format of its own; everything else
// is left to the extractor that is there anyway.
func ExampleWithExtractor() {
	api := server.New(server.WithExtractor(notes{server.TextExtractor()}))
	answer := answerFrom(api, "shop.note", "TITLE:Shop|BODY:We are closed on Sundays.", "When are you closed?", assistants.ToolFileSearch)
	for line := range strings.Lines(answer.Text()) {
		if strings.HasPrefix(line, "“") {
			fmt.Print(line)
		}
	}
	// Output: “We are closed on Sundays.” 【4:0†shop.note】
}

// notes reads files whose names end with ".note".
type notes struct{ server.Extractor }

func (n notes) Extract(ctx context.Context, name string, content io.Reader) (string, error) {
	if path.Ext(name) != ".note" {
		return n.Extractor.Extract(ctx, name, content)
	}
	all, err := io.ReadAll(content)
	if err != nil {
		return "", err
	}
	_, body, found := strings.Cut(string(all), "|BODY:")
	if !found {
		return "", &server.FileError{Code: "invalid_file", Message: "The note has no body."}
	}
	return body, nil
}

func ExampleTextExtractor() {
	text, err := server.TextExtractor().Extract(context.Background(), "prices.csv", strings.NewReader("bike,euros\ncity,12\ncargo,30\n"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.TrimSpace(text))
	_, err = server.TextExtractor().Extract(context.Background(), "plot.png", strings.NewReader("\x89PNG\r\n"))
	fmt.Println(err)
	// Output:
	// bike: city
	// euros: 12
	//
	// bike: cargo
	// euros: 30
	// server: no text can be made of the file
}

// A retriever may do something before and after another one, such as to look for more words than were asked for.
func ExampleWithRetriever() {
	api := server.New(server.WithRetriever(synonyms{server.NewLexicalRetriever()}), server.WithModel(server.NewScripted(
		server.Otherwise(server.SearchFiles(), server.Say("See "), server.CiteResult(0)),
	)))
	answer := answerFrom(api, "shop.md", "A bicycle costs 12 euros a day.", "How much is a bike?", assistants.ToolFileSearch)
	fmt.Println(answer.Text())
	// Output: See 【4:0†shop.md】
}

// synonyms asks again with other words.
type synonyms struct{ server.Retriever }

func (s synonyms) Search(ctx context.Context, storeID string, query server.IndexQuery) ([]server.Passage, error) {
	for _, text := range query.Queries[:len(query.Queries):len(query.Queries)] {
		query.Queries = append(query.Queries, strings.ReplaceAll(text, "bike", "bicycle"))
	}
	return s.Retriever.Search(ctx, storeID, query)
}

func ExampleWithMaxFileBytes() {
	api := server.New(server.WithMaxFileBytes(16))
	defer api.Close()
	client, _ := newTalk(api)
	for _, text := range []string{"sixteen bytes ok", "seventeen bytes ..."} {
		_, err := client.Files.Upload(context.Background(), assistants.FileUploadParams{File: strings.NewReader(text), Filename: "a.txt"})
		fmt.Println(err == nil)
	}
	// Output:
	// true
	// false
}

// Contents of files may be in another place than all the rest.
func ExampleWithBlobs() {
	blobs := server.NewMemoryBlobs()
	api := server.New(server.WithBlobs(blobs))
	defer api.Close()
	client, _ := newTalk(api)
	ctx := context.Background()
	file, err := client.Files.Upload(ctx, assistants.FileUploadParams{File: strings.NewReader("Hello!"), Filename: "a.txt"})
	if err != nil {
		log.Fatal(err)
	}
	content, err := blobs.Open(ctx, file.ID)
	if err != nil {
		log.Fatal(err)
	}
	defer content.Close()
	if _, err := io.Copy(os.Stdout, content); err != nil {
		log.Fatal(err)
	}
	// Output: Hello!
}

func ExampleNewMemoryBlobs() {
	ctx, blobs := context.Background(), server.NewMemoryBlobs()
	size, err := blobs.Put(ctx, "file-1", strings.NewReader("Hello!"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(size)
	_, err = blobs.Open(ctx, "file-2")
	fmt.Println(errors.Is(err, server.ErrNotFound))
	// Output:
	// 6
	// true
}

// What was put into a directory is there for the next process.
func ExampleNewDirectoryBlobs() {
	dir, err := os.MkdirTemp("", "blobs")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	for _, id := range []string{"file-1", "file-2"} {
		blobs, err := server.NewDirectoryBlobs(dir)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := blobs.Put(ctx, id, strings.NewReader("This is "+id+".")); err != nil {
			log.Fatal(err)
		}
		content, err := blobs.Open(ctx, "file-1")
		if err != nil {
			log.Fatal(err)
		}
		if _, err := io.Copy(os.Stdout, content); err != nil {
			log.Fatal(err)
		}
		fmt.Println()
		if err := content.Close(); err != nil {
			log.Fatal(err)
		}
		if err := blobs.Close(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// This is file-1.
	// This is file-1.
}

// A script that really looks into the files.
func ExampleSearchFiles() {
	api := server.New(server.WithModel(server.NewScripted(server.Otherwise(
		server.SearchFiles("price of a bike"), server.Say("Twelve euros"), server.CiteResult(0), server.Say("."),
	))))
	answer := answerFrom(api, "prices.md", "The price of a bike is 12 euros.", "What does a bike cost?", assistants.ToolFileSearch)
	fmt.Println(answer.Text())
	// Output: Twelve euros【4:0†prices.md】.
}

// A citation is a mark in the text, in whose place a program puts something of its own.
func ExampleCiteResult() {
	api := server.New(server.WithModel(server.NewScripted(server.Otherwise(
		server.SearchFiles(), server.Say("Twelve euros "), server.CiteResult(0), server.Say("."),
	)).Strict()), server.WithIDSource(counter()))
	answer := answerFrom(api, "prices.md", "The price of a bike is 12 euros.", "What is the price of a bike?", assistants.ToolFileSearch)
	fmt.Println(answer.Text())
	fmt.Println(answer.Content[0].Text.ReplaceAnnotations(func(a assistants.Annotation) string { return "(see " + a.FileID() + ")" }))
	// Output:
	// Twelve euros 【4:0†prices.md】.
	// Twelve euros (see file_1).
}

// An image is an output of the code, and in front of the text.
func ExampleShowImage() {
	api := server.New(server.WithModel(server.NewScripted(server.Otherwise(
		server.RunCode("plt.show()", ""), server.ShowImage("plot.png", []byte("\x89PNG")), server.Say("It goes up."),
	))), server.WithIDSource(counter()))
	answer := answerFrom(api, "", "", "Where does it go?", assistants.ToolCodeInterpreter)
	for _, part := range answer.Content {
		switch {
		case part.ImageFile != nil:
			fmt.Println("an image:", part.ImageFile.FileID)
		case part.Text != nil:
			fmt.Println(part.Text.Value)
		}
	}
	// Output:
	// an image: file_1
	// It goes up.
}

// A program puts a link in the place of the path.
func ExampleLinkFile() {
	api := server.New(server.WithModel(server.NewScripted(server.Otherwise(
		server.RunCode("df.to_csv('/mnt/data/out.csv')", ""),
		server.Say("Here it is: sandbox:/mnt/data/out.csv"), server.LinkFile("out.csv", []byte("a,b\n1,2\n")), server.Say("."),
	))), server.WithIDSource(counter()))
	answer := answerFrom(api, "", "", "Can I have a file?", assistants.ToolCodeInterpreter)
	fmt.Println(answer.Content[0].Text.ReplaceAnnotations(func(a assistants.Annotation) string { return "/files/" + a.FileID() }))
	// Output: Here it is: /files/file_1.
}
