package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"

	"github.com/openai/openai-go/v3"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/server"
)

const (
	largeName   = "notes.txt"
	textPlain   = "text/plain"
	partSize    = 64 << 20
	partsAtOnce = 4

	timeLimit = 1.25 // of a transfer, in floors: four fifths of the throughput
	// Without a network, what is left is copies: the client has one more, so that no reader can keep a call from ending.
	inProcessTimeLimit = 1.6
)

// ourUpload uploads a file with our client.
func ourUpload(ctx context.Context, client *assistants.Client, file io.Reader, size int64) error {
	made, err := client.Files.Upload(ctx, assistants.FileUploadParams{File: file, Filename: largeName, ContentType: textPlain, Size: size})
	if err != nil {
		return err
	}
	return whole(made.Bytes, size)
}

// openAIGoUpload uploads a file with the official client.
func openAIGoUpload(ctx context.Context, client *openai.Client, file io.Reader, size int64) error {
	made, err := client.Files.New(ctx, openai.FileNewParams{
		File: openai.File(file, largeName, textPlain), Purpose: openai.FilePurposeAssistants,
	})
	if err != nil {
		return err
	}
	return whole(made.Bytes, size)
}

// uploads measures how a large file gets to a handler that throws it away.
func uploads(w io.Writer, s settings) ([]report.Target, error) {
	ctx, p := context.Background(), newPattern()
	c, err := connect(newBareHandler(p, s.size))
	if err != nil {
		return nil, err
	}
	defer c.close()
	least, direct := c.floor(), c.floorInProcess()
	byHand := func(f *floor, r io.Reader) error { _, err := f.upload(ctx, largeName, r, s.size); return err }
	ways := []way{
		{"floor, a reader that cannot seek", func() error { return byHand(least, p.stream(s.size)) }},
		{"ours, a reader that cannot seek", func() error { return ourUpload(ctx, c.ours, p.stream(s.size), s.size) }},
		{"floor, one that can", func() error { return byHand(least, p.file(s.size)) }},
		{"ours, one that can", func() error { return ourUpload(ctx, c.ours, p.file(s.size), s.size) }},
		{"floor, in process", func() error { return byHand(direct, p.stream(s.size)) }},
		{"ours, in process", func() error { return ourUpload(ctx, c.inProcess, p.stream(s.size), s.size) }},
		{"openai-go, a reader that cannot seek", func() error { return openAIGoUpload(ctx, &c.openAIGo, p.stream(s.size), s.size) }},
	}
	floors := []int{0, 0, 2, 2, 4, 4, 0}
	all, err := race(s.rounds, ways)
	if err != nil {
		return nil, err
	}
	printTransfers(w, fmt.Sprintf("upload of %s", sizeOf(s.size)), ways, all, floors, s.size)
	return slices.Concat(
		transferTargets("Upload, "+ways[1].name, &all[1], &all[0], timeLimit),
		transferTargets("Upload, "+ways[3].name, &all[3], &all[2], timeLimit),
		transferTargets("Upload, "+ways[5].name, &all[5], &all[4], inProcessTimeLimit),
	), nil
}

func transferTargets(what string, r, floor *results, limit float64) []report.Target {
	return []report.Target{
		{What: what + ", time in floors", Got: r.ratio(floor), Limit: limit},
		{What: what + ", growth of the heap, MiB", Got: r.peak / (1 << 20), Limit: memoryLimit >> 20, Exact: true},
	}
}

// printTransfers prints what the ways took, each against the floor with the given index.
func printTransfers(w io.Writer, title string, ways []way, all []results, floors []int, size int64) {
	fmt.Fprintf(w, "| %s | MB/s | time in floors | growth of the heap, MiB |\n|---|--:|--:|--:|\n", title)
	for i := range ways {
		fmt.Fprintf(w, "| %s | %.0f | %.2f | %.1f |\n", ways[i].name,
			float64(size)/mega/all[i].median(), all[i].ratio(&all[floors[i]]), all[i].peak/(1<<20))
	}
}

func sizeOf(bytes int64) string { return fmt.Sprintf("%.4g MiB", float64(bytes)/(1<<20)) }

// ourParts uploads a file in parts with our client.
func ourParts(ctx context.Context, client *assistants.Client, p pattern, size, partSize int64) error {
	made, err := client.Uploads.UploadLarge(ctx, assistants.UploadLargeParams{
		File:     assistants.FileUploadParams{File: p.file(size), Filename: largeName, ContentType: textPlain},
		PartSize: partSize, Concurrency: partsAtOnce,
	})
	if err != nil {
		return err
	}
	return whole(made.Bytes, size)
}

// parts measures a large file that is sent in parts, several at once, against the same by hand and against one upload.
func parts(w io.Writer, s settings) ([]report.Target, error) {
	ctx, p := context.Background(), newPattern()
	c, err := connect(newBareHandler(p, s.size))
	if err != nil {
		return nil, err
	}
	defer c.close()
	least, size := c.floor(), int64(partSize)
	if s.size < partsAtOnce*partSize { // to have some at once
		size = (s.size + partsAtOnce - 1) / partsAtOnce
	}
	ways := []way{
		{"floor", func() error { return least.uploadParts(ctx, p, s.size, size, partsAtOnce) }},
		{"ours, UploadLarge", func() error { return ourParts(ctx, c.ours, p, s.size, size) }},
		{"ours, one upload", func() error { return ourUpload(ctx, c.ours, p.file(s.size), s.size) }},
	}
	all, err := race(s.rounds, ways)
	if err != nil {
		return nil, err
	}
	title := fmt.Sprintf("upload of %s in parts of %s, %d at once, with checksum", sizeOf(s.size), sizeOf(size), partsAtOnce)
	printTransfers(w, title, ways, all, []int{0, 0, 0}, s.size)
	return transferTargets("UploadLarge", &all[1], &all[0], timeLimit), nil
}

// downloads measures how a large file gets back.
func downloads(w io.Writer, s settings) ([]report.Target, error) {
	ctx, p := context.Background(), newPattern()
	c, err := connect(newBareHandler(p, s.size))
	if err != nil {
		return nil, err
	}
	defer c.close()
	ours := func(client *assistants.Client) error {
		content, err := client.Files.Content(ctx, "file-1")
		if err != nil {
			return err
		}
		defer content.Close()
		return copied(content, s.size)
	}
	ways := []way{
		{"floor", func() error { return c.floor().download(ctx, s.size) }},
		{"ours", func() error { return ours(c.ours) }},
		{"ours, in process", func() error { return ours(c.inProcess) }},
		{"openai-go", func() error {
			res, err := c.openAIGo.Files.Content(ctx, "file-1")
			if err != nil {
				return err
			}
			defer res.Body.Close()
			return copied(res.Body, s.size)
		}},
	}
	all, err := race(s.rounds, ways)
	if err != nil {
		return nil, err
	}
	printTransfers(w, fmt.Sprintf("download of %s", sizeOf(s.size)), ways, all, []int{0, 0, 0, 0}, s.size)
	return slices.Concat(
		transferTargets("Download", &all[1], &all[0], timeLimit),
		transferTargets("Download, in process", &all[2], &all[0], timeLimit),
	), nil
}

// toDirectory measures how a large file gets into the directory of a server. The floor writes it by hand, and to the disk.
func toDirectory(w io.Writer, s settings) (list []report.Target, err error) {
	ctx, p := context.Background(), newPattern()
	dir, err := os.MkdirTemp("", "knowledge")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	blobs, err := server.NewDirectoryBlobs(dir + "/blobs")
	if err != nil {
		return nil, err
	}
	defer blobs.Close()
	srv := server.New(server.WithBlobs(blobs), server.WithMaxFileBytes(s.size))
	defer srv.Close()
	c, err := connect(srv)
	if err != nil {
		return nil, err
	}
	defer c.close()
	bare, err := connect(fileWriter(dir + "/floor"))
	if err != nil {
		return nil, err
	}
	defer bare.close()
	ways := []way{
		{"floor", func() error { _, err := bare.floor().upload(ctx, largeName, p.stream(s.size), s.size); return err }},
		{"ours", func() error {
			id, err := c.floor().upload(ctx, largeName, p.stream(s.size), s.size)
			if err != nil {
				return err
			}
			_, err = c.ours.Files.Delete(ctx, id)
			return err
		}},
	}
	all, err := race(min(s.rounds, 3), ways) // disks are slow
	if err != nil {
		return nil, err
	}
	printTransfers(w, fmt.Sprintf("upload of %s to the server, with DirectoryBlobs", sizeOf(s.size)), ways, all, []int{0, 0}, s.size)
	return transferTargets("Server, DirectoryBlobs", &all[1], &all[0], timeLimit), nil
}

// fileWriter returns a handler that writes the file of a form to the disk.
func fileWriter(path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, err := writeFile(path, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		writeJSON(w, fileJSON, size)
	})
}

func writeFile(path string, r *http.Request) (size int64, err error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer os.Remove(path)
	defer file.Close()
	if err := readForm(r, "file", file); err != nil {
		return 0, err
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
