package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"

	"github.com/assistants-go/assistants"
)

// What a [Model] can do with files: section 18 of docs/protocol.md.

// callFiles are what a call can do with files.
type callFiles struct {
	server   *Server
	searches atomic.Int64 // that the call has made
}

// errNoServer is what becomes of a call that somebody else has made.
var errNoServer = errors.New("server: the call is not of a server, and there are no files")

// errMadeTooLarge is what becomes of a file that is made and has more bytes than one may have.
var errMadeTooLarge = errors.New("server: the file is too large")

// OpenFile returns a file and what is in it, such as that of an image in the conversation, or one that code shall read. The
// caller closes the content, before ctx ends. A file that is not there is [ErrNotFound].
func (c *ModelCall) OpenFile(ctx context.Context, fileID string) (*assistants.File, io.ReadCloser, error) {
	if c.files == nil {
		return nil, nil, errNoServer
	}
	record, err := c.files.server.file(ctx, fileID)
	if err != nil {
		return nil, nil, err
	}
	file := new(assistants.File)
	if err := json.Unmarshal(record.Data, file); err != nil {
		return nil, nil, err
	}
	content, err := c.files.server.blobs.Open(ctx, fileID)
	if err != nil {
		return nil, nil, err
	}
	return file, content, nil
}

// CreateFile keeps what code has made as a file with purpose "assistants_output", for [CodeImage], [Image] and [FilePath] to
// name. The content is read to its end; more than a file may have is an error, as is an error of the content, and nothing is
// kept then. Of a name that is a path the last element counts. It has 1 to 512 characters, without control characters, which
// are taken out, and is neither "." nor "..".
func (c *ModelCall) CreateFile(ctx context.Context, name string, content io.Reader) (*assistants.File, error) {
	if c.files == nil {
		return nil, errNoServer
	}
	checked, refused := fileName{}.check("name", quote(validText(name)))
	if refused != nil {
		return nil, fmt.Errorf("server: %q cannot be the name of a file", echo(name))
	}
	limited := &limitedReader{content, c.files.server.maxFile, errMadeTooLarge}
	f := newFile{name: decodeString(checked), purpose: string(assistants.PurposeAssistantsOutput)}
	record, err := c.files.server.createFile(ctx, f, limited)
	if err != nil {
		return nil, err
	}
	file := new(assistants.File)
	return file, json.Unmarshal(record.Data, file)
}

// VectorStoreFiles returns the files of a vector store that can be searched, oldest first. An error ends them; that there is no
// such store, or that it has expired, is [ErrNotFound].
func (c *ModelCall) VectorStoreFiles(ctx context.Context, storeID string) iter.Seq2[*assistants.VectorStoreFile, error] {
	return func(yield func(*assistants.VectorStoreFile, error) bool) {
		if c.files == nil {
			yield(nil, errNoServer)
			return
		}
		s := c.files.server
		store, err := s.liveStore(ctx, storeID)
		if err == nil && storeExpired(store) {
			err = fmt.Errorf("server: vector store %s has expired: %w", storeID, ErrNotFound)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for record, err := range s.records(ctx, vectorStoreFiles(storeID), Ascending) {
			file := new(assistants.VectorStoreFile)
			if err == nil {
				err = json.Unmarshal(record.Data, file)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if file.Status == assistants.VectorStoreFileCompleted && !yield(file, nil) {
				return
			}
		}
	}
}

// SearchFiles looks for passages that answer the queries in the vector stores of the run, in the way that its file search
// tool says, and returns the call for the model to yield. Each result has its content. Without a vector store, and without
// a query, there are no results. They end where they would be too long together, but there is always room for the best one.
// Like the other methods it may be called by several goroutines at once.
func (c *ModelCall) SearchFiles(ctx context.Context, queries ...string) (SearchCall, error) {
	found := SearchCall{}
	limit := defaultResults(c.Model)
	for i := range c.Tools {
		if options := c.Tools[i].FileSearch; options != nil {
			if options.MaxNumResults > 0 {
				limit = options.MaxNumResults
			}
			if ranking := options.RankingOptions; ranking != nil {
				found.Ranker, found.ScoreThreshold = ranking.Ranker, ranking.ScoreThreshold
			}
		}
	}
	stores := c.ToolResources.FileSearch
	if len(queries) == 0 || stores == nil || len(stores.VectorStoreIDs) == 0 {
		return found, nil
	}
	if c.files == nil {
		return found, errNoServer
	}
	passages, err := c.files.server.search(ctx, stores.VectorStoreIDs, IndexQuery{
		Queries: queries, MaxResults: limit, ScoreThreshold: found.ScoreThreshold,
	})
	if err != nil {
		return found, err
	}
	room := resultBudget(c.Model)
	for _, p := range passages {
		if room -= countTokens(ctx, p.Text, room); room < 0 && len(found.Results) > 0 {
			break
		}
		found.Results = append(found.Results, assistants.FileSearchResult{
			FileID: p.FileID, FileName: p.FileName, Score: p.Score, Attributes: p.Attributes,
			Content: []assistants.FileSearchContent{{Type: assistants.ContentText, Text: p.Text}},
		})
	}
	found.place = searchPlace(len(c.History), int(c.files.searches.Add(1)))
	return found, nil
}

// The defaults of file search, as the documentation of the original gave them. That they go by the model's name is
// inferred.
func defaultResults(model string) int {
	if strings.HasPrefix(model, "gpt-3.5") {
		return 5
	}
	return 20
}

// resultBudget is how many tokens the results of one search may have.
func resultBudget(model string) int {
	if strings.HasPrefix(model, "gpt-3.5") {
		return 4_000
	}
	return 16_000
}

// searchPlace is inferred: the number of a search in the conversation, the first of a call behind so many turns. The recorded
// marks of a search that answers the first message begin with 4.
func searchPlace(turns, search int) int { return 2 + turns + search }

// Citation returns what cites one of the Results that [ModelCall.SearchFiles] has found: the mark "【4:0†handbook.md】" stands for
// the first result in a conversation of one message. There must be such a result.
func (e SearchCall) Citation(result int) Citation {
	r := &e.Results[result]
	return Citation{Mark: fmt.Sprintf("【%d:%d†%s】", e.place, result, r.FileName), FileID: r.FileID}
}
