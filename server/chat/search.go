package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/assistants-go/assistants"
)

// searchName is the name of the function that stands for file search, unless the caller has one of that name.
const searchName = "file_search"

// Limits of a search, so that no model can make it a burden.
const (
	maxQueries    = 16
	maxQueryBytes = 4 << 10
)

func searchTool(name string) assistants.Tool {
	return assistants.Tool{Type: assistants.ToolFunction, Function: &assistants.FunctionDefinition{
		Name: name,
		Description: "Searches the files that belong to this conversation, and returns passages from them. Use it whenever the " +
			"answer may be in a file. Each passage has a mark in front, such as 【4:0†handbook.md】. Cite a passage by copying its " +
			"mark, unchanged, right behind the sentence that relies on it.",
		Parameters: json.RawMessage(`{"type":"object","properties":{"queries":{"type":"array","items":{"type":"string"},` +
			`"description":"What to look for: one to five short queries in different words."}},` +
			`"required":["queries"],"additionalProperties":false}`),
	}}
}

// hasStores tells whether there is something to be searched.
func (a *answer) hasStores() bool {
	search := a.call.ToolResources.FileSearch
	return search != nil && len(search.VectorStoreIDs) > 0
}

// search answers a call of file search. One that cannot be understood is shown to the model alone.
func (a *answer) search(ctx context.Context, c *madeCall, book func() error) error {
	queries, problem := queriesOf(c.Arguments)
	if problem != "" {
		c.Result = problem
		return book()
	}
	found, err := a.call.SearchFiles(ctx, queries...)
	if err != nil {
		return err
	}
	found.ID = c.ID
	if len(found.Results) > 0 {
		c.Place = placeIn(found.Citation(0).Mark)
		a.marks.addAll(c.Place, found.Results)
	}
	c.found = found.Results
	if err := a.emit(found); err != nil {
		return err
	}
	return book()
}

// queriesOf returns what a call searches for, or what is wrong with it.
func queriesOf(arguments string) (queries []string, problem string) {
	var in struct {
		Queries json.RawMessage `json:"queries"`
		Query   string          `json:"query"`
	}
	err := json.Unmarshal([]byte(arguments), &in)
	if err == nil && len(in.Queries) > 0 && in.Queries[0] == '"' {
		queries = make([]string, 1)
		err = json.Unmarshal(in.Queries, &queries[0])
	} else if err == nil && len(in.Queries) > 0 {
		err = json.Unmarshal(in.Queries, &queries)
	}
	if err != nil {
		return nil, `The arguments cannot be read. They are a JSON object such as {"queries":["opening hours"]}.`
	}
	var wanted []string
	for _, q := range append(queries, in.Query) {
		if q = strings.TrimSpace(q); q != "" {
			wanted = append(wanted, q)
		}
		if len(q) > maxQueryBytes {
			return nil, fmt.Sprintf("A query is too long: at most %d characters.", maxQueryBytes)
		}
	}
	switch {
	case len(wanted) == 0:
		return nil, `There is no query. The arguments are a JSON object such as {"queries":["opening hours"]}.`
	case len(wanted) > maxQueries:
		return nil, fmt.Sprintf("There are too many queries: at most %d.", maxQueries)
	}
	return wanted, ""
}

// placeIn returns the number of the search that a mark is of.
func placeIn(mark string) (place int) {
	_, _ = fmt.Sscanf(mark, markOpen+"%d:", &place)
	return place
}

// shownResults are results as the model is shown them. Without a place they cannot be cited.
func shownResults(place int, results []assistants.FileSearchResult) string {
	if len(results) == 0 {
		return "Nothing was found."
	}
	var b strings.Builder
	signs := strings.NewReplacer(markOpen, "", markClose, "", markName, "") // which no name can fake
	if place != 0 {
		fmt.Fprintf(&b, "Passages from files, the best first. Cite one by copying its mark, such as %s, right behind the sentence "+
			"that relies on it.", labelOf(place, 0, results[0].FileName))
	}
	for i := range results {
		r := &results[i]
		b.WriteString("\n\n")
		if place != 0 {
			b.WriteString(labelOf(place, i, r.FileName) + " ")
		}
		b.WriteString(strconv.Quote(signs.Replace(r.FileName)))
		for j := range r.Content {
			b.WriteString("\n" + r.Content[j].Text)
		}
	}
	return strings.TrimSpace(b.String())
}
