package replay

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/assistants-go/assistants/server"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A Document is an object as the server stores it.
type Document struct {
	In     server.Collection
	Record server.Record
}

// Presupposed are the objects that an exchange needs to find.
type Presupposed struct {
	// Documents are in the order in which they were made.
	Documents []Document
	// More says that a list went on: to objects made before Documents, or, if it was ascending, after them.
	More, Ascending bool
	// Beyond makes such an object.
	Beyond func(id string, createdAt int64) (Document, error)
}

// listed sets the documents of a list from how they stood in it.
func (p *Presupposed) listed(documents []Document, rawQuery string) {
	values, _ := url.ParseQuery(rawQuery) // one that cannot be read has no order
	p.Ascending = values.Get("order") == "asc"
	p.Documents = documents
	if !p.Ascending {
		slices.Reverse(p.Documents)
	}
}

// seed puts into the store what the exchanges presuppose and do not create themselves.
func seed(store server.Store, exchanges []*recording.Exchange) error {
	needed, err := presupposed(exchanges)
	if err != nil {
		return err
	}
	var all, seeds []Document
	there := make(map[string]bool)
	for _, e := range exchanges {
		for _, id := range createdIDs(e) {
			there[id] = true
		}
	}
	for _, p := range needed {
		for _, d := range p.Documents {
			all = append(all, d)
			if !there[d.Record.ID] {
				there[d.Record.ID] = true
				seeds = append(seeds, d)
			}
		}
	}
	beyond, err := beyond(needed, all)
	if err != nil {
		return err
	}
	seeds = append(seeds, beyond...)
	slices.SortStableFunc(seeds, func(a, b Document) int {
		return cmp.Compare(a.Record.CreatedAt, b.Record.CreatedAt)
	})
	for _, d := range seeds {
		if err := store.Insert(context.Background(), d.In, d.Record); err != nil {
			return fmt.Errorf("%s: %w", d.Record.ID, err)
		}
	}
	return nil
}

// presupposed is what each of the exchanges presupposes.
func presupposed(exchanges []*recording.Exchange) ([]Presupposed, error) {
	var needed []Presupposed
	for _, e := range exchanges {
		op, _ := Find(e.Method, e.Path)
		if op == nil || op.Presupposes == nil || e.Status != http.StatusOK || !replayable(e) {
			continue
		}
		p, err := op.Presupposes(e)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", e, err)
		}
		needed = append(needed, p)
	}
	return needed, nil
}

// beyond are objects on the far side of all others, for lists that were cut off by their limit and not by their end:
// one for each direction that is needed.
func beyond(needed []Presupposed, all []Document) ([]Document, error) {
	var out []Document
	for _, ascending := range []bool{false, true} {
		i := slices.IndexFunc(needed, func(p Presupposed) bool {
			return p.More && p.Ascending == ascending && len(p.Documents) > 0
		})
		if i < 0 {
			continue
		}
		byAge := func(a, b Document) int { return cmp.Compare(a.Record.CreatedAt, b.Record.CreatedAt) }
		id, at := "asst_older", slices.MinFunc(all, byAge).Record.CreatedAt-1
		if ascending {
			id, at = "asst_newer", slices.MaxFunc(all, byAge).Record.CreatedAt+1
		}
		d, err := needed[i].Beyond(id, at)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// createdIDs are the ids that exist because of an exchange; none if it creates nothing or cannot be replayed.
func createdIDs(e *recording.Exchange) []string {
	if op, _ := Find(e.Method, e.Path); op == nil || !op.Creates || !replayable(e) {
		return nil
	}
	return mintedIDs(e)
}

// inOrder puts creations in front of the first exchange that knows of what they created: some recorders keep each
// test's preparations in a file of their own, which then follows.
func inOrder(exchanges []*recording.Exchange) []*recording.Exchange {
	var ordered []*recording.Exchange
	for _, e := range exchanges {
		place := len(ordered)
		if ids := createdIDs(e); len(ids) > 0 {
			if i := slices.IndexFunc(ordered, func(o *recording.Exchange) bool { return mentions(o, ids[0]) }); i >= 0 {
				place = i
			}
		}
		ordered = slices.Insert(ordered, place, e)
	}
	return ordered
}

func mentions(e *recording.Exchange, id string) bool {
	return strings.Contains(e.Path, id) || strings.Contains(e.Query, id) || strings.Contains(e.ResponseText, id)
}
