package responses

import (
	"cmp"
	"fmt"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// This file is about the tools that the provider runs.

// addOutputs adds what code has printed and shown.
func (a *answer) addOutputs(o *output, outputs []codeOutput) error {
	for _, out := range outputs {
		switch {
		case out.Type == "logs" && out.Logs != "":
			if err := a.say(o, server.CodeLogs(out.Logs)); err != nil {
				return err
			}
		case out.Type == "image":
			fileID, err := a.model.copies.image(a.ctx, a.call, out.URL)
			if err != nil {
				return err
			}
			if fileID == "" {
				continue
			}
			if err := a.say(o, server.CodeImage{FileID: fileID}); err != nil {
				return err
			}
		}
	}
	return nil
}

// addResults adds what a search has found, in the files that the provider's are copies of.
func (a *answer) addResults(o *output, found []searchResult) error {
	if len(found) == 0 {
		return nil
	}
	results := make(server.SearchResults, 0, len(found))
	for i := range found {
		f := &found[i]
		a.marks.found(f.FileID, i)
		results = append(results, assistants.FileSearchResult{
			FileID: a.original(f.FileID), FileName: f.Filename, Score: f.Score, Attributes: f.Attributes,
			Content: []assistants.FileSearchContent{{Type: assistants.ContentText, Text: f.Text}},
		})
	}
	return a.say(o, results)
}

// original is the file that a provider's file is a copy of. One that is a copy of none, since it was put into the provider's vector
// store by somebody else, keeps its id.
func (a *answer) original(providerFileID string) string {
	if a.stores != nil {
		if fileID, ok := a.stores.original(providerFileID); ok {
			return fileID
		}
	}
	return providerFileID
}

// marks number citations: the provider's text has none.
type marks struct {
	searches int // so far
	places   map[string]place
}

// place is a result of a search.
type place struct{ search, result int }

// found notes where a file was found. In each search its best result counts.
func (m *marks) found(fileID string, result int) {
	if m.places == nil {
		m.places = make(map[string]place)
	}
	if m.places[fileID].search < m.searches {
		m.places[fileID] = place{m.searches, result}
	}
}

// cite is inferred: the citation of a file, numbered as if a search in the server had found it, by the turns of the conversation
// and the newest result that is of the file. A file that no result has told of counts as the next one.
func (a *answer) cite(n *annotation) server.Citation {
	at, ok := a.marks.places[n.FileID]
	if !ok {
		a.marks.searches = max(a.marks.searches, 1)
		at = place{a.marks.searches, len(a.marks.places)}
		a.marks.found(n.FileID, at.result)
	}
	number := 2 + len(a.call.History) + at.search
	name := cmp.Or(n.Filename, n.FileID)
	return server.Citation{Mark: fmt.Sprintf("【%d:%d†%s】", number, at.result, name), FileID: a.original(n.FileID)}
}
