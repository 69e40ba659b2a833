package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/openai/openai-go/v3"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/server"
)

const (
	smallCount  = 1000
	smallBytes  = 2000
	smallAtOnce = 8

	bareLimit      = 1.25 // of the client by itself, in floors
	serverLimit    = 4.5  // with the server, which keeps and indexes what the floor throws away
	inProcessLimit = 4.0
)

// smallFiles measures many small files that are uploaded and added to a vector store, until that has read them.
func smallFiles(w io.Writer, s settings) ([]report.Target, error) {
	ctx, files := context.Background(), newProse(3).files(smallCount, smallBytes)
	bare, err := connect(newBareHandler(newPattern(), smallCount))
	if err != nil {
		return nil, err
	}
	defer bare.close()
	srv := server.New()
	defer srv.Close()
	c, err := connect(srv)
	if err != nil {
		return nil, err
	}
	defer c.close()
	least := bare.floor()
	ways := []way{
		{"floor", func() error { return least.batch(ctx, "vs_1", files) }},
		{"ours, UploadAndPoll", func() error { return ourBatch(ctx, bare.ours, "vs_1", files) }},
		{"openai-go, UploadAndPoll", func() error { return openAIGoBatch(ctx, bare, "vs_1", files) }},
		{"ours, with the server", inNewStore(ctx, c, func(store string) error { return ourBatch(ctx, c.ours, store, files) })},
		{"openai-go, with the server", inNewStore(ctx, c, func(store string) error { return openAIGoBatch(ctx, c, store, files) })},
		{"ours, with the server, in process", inNewStore(ctx, c, func(store string) error { return ourBatch(ctx, c.inProcess, store, files) })},
	}
	all, err := race(s.rounds, ways)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "| %d files of %d bytes, %d at once | files per second | time in floors |\n|---|--:|--:|\n", smallCount, smallBytes, smallAtOnce)
	for i := range ways {
		fmt.Fprintf(w, "| %s | %.0f | %.2f |\n", ways[i].name, smallCount/all[i].median(), all[i].ratio(&all[0]))
	}
	var list []report.Target
	for _, limit := range []struct {
		way    int
		floors float64
	}{{1, bareLimit}, {3, serverLimit}, {5, inProcessLimit}} {
		list = append(list, report.Target{
			What: "Small files, " + ways[limit.way].name + ", time in floors", Got: all[limit.way].ratio(&all[0]), Limit: limit.floors,
		})
	}
	return list, nil
}

func smallName(i int) string { return fmt.Sprintf("note-%d.txt", i) }

// batch uploads files, several at once, and adds them to a vector store.
func (f *floor) batch(ctx context.Context, storeID string, files [][]byte) error {
	ids := make([]string, len(files))
	err := several(len(files), smallAtOnce, func(i int) (err error) {
		ids[i], err = f.upload(ctx, smallName(i), bytes.NewReader(files[i]), int64(len(files[i])))
		return err
	})
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"file_ids": ids})
	if err != nil {
		return err
	}
	var batch struct {
		Status     string
		FileCounts struct{ Total int } `json:"file_counts"`
	}
	if err := f.post(ctx, "/vector_stores/"+storeID+"/file_batches", string(body), &batch); err != nil {
		return err
	}
	return settled(batch.Status, batch.FileCounts.Total, len(files))
}

// ourBatch uploads files into a vector store with our client.
func ourBatch(ctx context.Context, client *assistants.Client, storeID string, files [][]byte) error {
	params := assistants.FileBatchUploadParams{Concurrency: smallAtOnce}
	for i, content := range files {
		params.Files = append(params.Files, assistants.VectorStoreFileUploadParams{
			File: assistants.FileUploadParams{File: bytes.NewReader(content), Filename: smallName(i), ContentType: textPlain},
		})
	}
	batch, err := client.FileBatches.UploadAndPoll(ctx, storeID, params, assistants.WithPollInterval(time.Millisecond))
	if err != nil {
		return err
	}
	return settled(string(batch.Status), batch.FileCounts.Total, len(files))
}

// openAIGoBatch uploads files into a vector store with the official client.
func openAIGoBatch(ctx context.Context, c *connection, storeID string, files [][]byte) error {
	params := make([]openai.FileNewParams, len(files))
	for i, content := range files {
		params[i] = openai.FileNewParams{
			File: openai.File(bytes.NewReader(content), smallName(i), textPlain), Purpose: openai.FilePurposeAssistants,
		}
	}
	batches := c.openAIGo.VectorStores.FileBatches
	batches.MaxUploadConcurrency = smallAtOnce
	batch, err := batches.UploadAndPoll(ctx, storeID, params, nil, 1)
	if err != nil {
		return err
	}
	return settled(string(batch.Status), int(batch.FileCounts.Total), len(files))
}

func settled(status string, got, want int) error {
	if status != "completed" || got != want {
		return fmt.Errorf("a batch of %d files is %s, with %d", want, status, got)
	}
	return nil
}

// inNewStore has something done in a vector store of its own.
func inNewStore(ctx context.Context, c *connection, do func(storeID string) error) func() error {
	return func() error {
		store, err := c.inProcess.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{})
		if err != nil {
			return err
		}
		return do(store.ID)
	}
}
