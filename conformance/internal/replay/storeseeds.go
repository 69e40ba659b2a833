package replay

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/jsondiff"
	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// What the exchanges of files and vector stores need to find.

// named are the files and vector stores that a request names. The server looks for them where the service took them.
func named(e *recording.Exchange) (Presupposed, error) {
	var p Presupposed
	var err error
	for _, id := range namedIDs.FindAllStringSubmatch(string(e.RequestBody), -1) {
		f := fileForm
		if strings.HasPrefix(id[1], "vs_") {
			f = storeForm
		}
		if p, err = p.naming(f, `{"id":%q}`, id[1]); err != nil {
			return p, err
		}
	}
	return p, nil
}

var namedIDs = regexp.MustCompile(`"(file-\w+|vs_\w+)"`)

func listedFiles(e *recording.Exchange) (Presupposed, error) {
	p, err := listed(e, fileForm)
	p.Beyond = func(which string, at int64) (Document, error) {
		return fileForm.known(`{"id":%q,"created_at":%d}`, "file-"+which, at)
	}
	return p, err
}

func retrievedFile(e *recording.Exchange) (Presupposed, error) { return answered(e, fileForm, nil) }

func deletedFile(e *recording.Exchange) (Presupposed, error) {
	return Presupposed{}.naming(fileForm, `{"id":%q}`, lastOf(e.Path))
}

// contentOfFile is a file with the content that was answered, of a purpose whose contents the service gives out.
func contentOfFile(e *recording.Exchange) (Presupposed, error) {
	id := elementOf(e.Path, 3)
	p, err := Presupposed{}.naming(fileForm, `{"id":%q,"purpose":"assistants_output","bytes":%d}`, id, len(e.Answer()))
	p.Contents = map[string][]byte{id: e.Answer()}
	return p, err
}

func listedStores(e *recording.Exchange) (Presupposed, error) {
	p, err := listed(e, storeForm)
	if err != nil {
		return p, err
	}
	p.Beyond = func(which string, at int64) (Document, error) {
		return storeForm.known(`{"id":%q,"created_at":%d}`, "vs_"+which, at)
	}
	return p.withFiles(p.Documents)
}

func retrievedStore(e *recording.Exchange) (Presupposed, error) { return storeBefore(e, nil) }

func modifiedStore(e *recording.Exchange) (Presupposed, error) {
	changed, err := requestObject(e)
	if err != nil {
		return Presupposed{}, err
	}
	return storeBefore(e, changed)
}

func storeBefore(e *recording.Exchange, without *jsondiff.Object) (Presupposed, error) {
	p, err := answered(e, storeForm, without)
	if err != nil {
		return p, err
	}
	return p.withFiles(p.Documents)
}

// withFiles adds files to vector stores, as many as they count: the server counts them too. Which ones they are is not
// known, nor how they share what they take up.
func (p Presupposed) withFiles(stores []Document) (Presupposed, error) {
	for _, d := range stores {
		var store assistants.VectorStore
		if err := json.Unmarshal(d.Record.Data, &store); err != nil {
			return p, err
		}
		usage, made := store.UsageBytes, 0
		for _, kind := range []struct {
			status assistants.VectorStoreFileStatus
			count  int
		}{
			{assistants.VectorStoreFileCompleted, store.FileCounts.Completed},
			{assistants.VectorStoreFileFailed, store.FileCounts.Failed},
			{assistants.VectorStoreFileCancelled, store.FileCounts.Cancelled},
		} {
			for range kind.count {
				made++
				var err error
				p, err = p.naming(storeFileForm, `{"id":%q,"vector_store_id":%q,"status":%q,"usage_bytes":%d}`,
					fmt.Sprintf("file-unrecorded%d", made), store.ID, kind.status, usage)
				if err != nil {
					return p, err
				}
				usage = 0
			}
		}
	}
	return p, nil
}

// namedStore is the vector store that the path names.
func namedStore(e *recording.Exchange) (Presupposed, error) { return Presupposed{}.inStore(e) }

func (p Presupposed) inStore(e *recording.Exchange) (Presupposed, error) {
	return p.naming(storeForm, `{"id":%q}`, elementOf(e.Path, 3))
}

func listedStoreFiles(e *recording.Exchange) (Presupposed, error) {
	p, err := listed(e, storeFileForm)
	if err != nil {
		return p, err
	}
	return p.inStore(e)
}

func retrievedStoreFile(e *recording.Exchange) (Presupposed, error) {
	p, err := answered(e, storeFileForm, nil)
	if err != nil {
		return p, err
	}
	return p.inStore(e)
}

func deletedStoreFile(e *recording.Exchange) (Presupposed, error) {
	p, err := Presupposed{}.inStore(e)
	if err != nil {
		return p, err
	}
	return p.naming(storeFileForm, `{"id":%q,"vector_store_id":%q}`, lastOf(e.Path), elementOf(e.Path, 3))
}

func retrievedBatch(e *recording.Exchange) (Presupposed, error) {
	p, err := answered(e, batchForm, nil)
	if err != nil {
		return p, err
	}
	return p.inStore(e)
}

// listedBatchFiles are files of a vector store that belong to the batch in the path.
func listedBatchFiles(e *recording.Exchange) (Presupposed, error) {
	p, err := listedStoreFiles(e)
	if err != nil {
		return p, err
	}
	batch := elementOf(e.Path, 5)
	for _, d := range p.Documents {
		in := server.Collection{Kind: "vector_store.file_batch.file", Parent: batch}
		p.Named = append(p.Named, Document{in, server.Record{ID: d.Record.ID, CreatedAt: d.Record.CreatedAt}})
	}
	return p.naming(batchForm, `{"id":%q,"vector_store_id":%q}`, batch, elementOf(e.Path, 3))
}
