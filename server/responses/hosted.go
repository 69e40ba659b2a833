package responses

import (
	"cmp"
	"fmt"
	"maps"

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
			image, err := a.model.copies.image(a.ctx, a.call, string(out.URL)) // or why there is none
			if err != nil {
				return err
			}
			if err := a.say(o, image); err != nil {
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
	a.marks.add(found)
	results := make(server.SearchResults, 0, len(found))
	for i := range found {
		f := &found[i]
		results = append(results, assistants.FileSearchResult{
			FileID: a.original(string(f.FileID)), FileName: string(f.Filename), Score: f.Score, Attributes: f.Attributes,
			Content: []assistants.FileSearchContent{{Type: assistants.ContentText, Text: string(f.Text)}},
		})
	}
	return a.say(o, results)
}

// original is the file that a provider's file is a copy of. One that is a copy of none, since it was put into the
// provider's vector store by somebody else, keeps its id.
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
	turns    int // of the conversation, in front of the searches
	searches int // so far
	places   map[string]place
}

func (m *marks) clone() marks { return marks{m.turns, m.searches, maps.Clone(m.places)} }

// place is a result of a search.
type place struct{ search, result int }

// number is inferred: that of the search which was made last, as if it was one of the server's.
func (m *marks) number() int { return 2 + m.turns + m.searches }

// add notes where files were found by the search that was made last.
func (m *marks) add(found []searchResult) {
	for i := range found {
		m.found(string(found[i].FileID), i)
	}
}

// found notes where a file was found. In each search its best result counts.
func (m *marks) found(fileID string, result int) {
	if m.places == nil {
		m.places = make(map[string]place)
	}
	if m.places[fileID].search < m.number() {
		m.places[fileID] = place{m.number(), result}
	}
}

// cite is inferred: the citation of a file, numbered by the newest search of the run that has found it. A file that no
// result has told of counts as the next one.
func (a *answer) cite(n *annotation) server.Citation {
	m := &a.marks
	at, ok := m.places[string(n.FileID)]
	if !ok {
		m.searches = max(m.searches, 1)
		at = place{m.number(), len(m.places)}
		m.found(string(n.FileID), at.result)
	}
	name := cmp.Or(n.Filename, n.FileID)
	return server.Citation{Mark: fmt.Sprintf("【%d:%d†%s】", at.search, at.result, name), FileID: a.original(string(n.FileID))}
}
