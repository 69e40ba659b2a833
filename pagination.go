package assistants

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
)

// ListParams choose a part of a list. The zero value is the newest page.
type ListParams struct {
	// Limit is how many objects a page holds, 1 to 100. 0 leaves it to the service, which takes 20.
	Limit int `url:"limit,omitempty"`
	// Order is by time of creation. Empty leaves it to the service, which takes [OrderDesc].
	Order Order `url:"order,omitempty"`
	// After is the id of an object in the list; the page begins behind it, in the list's order.
	After string `url:"after,omitempty"`
	// Before is the id of an object in the list; the page ends in front of it. All walks away from it, nearest first
	// and so against Order, to the list's beginning; with After as well it is where All ends.
	Before string `url:"before,omitempty"`
}

// An Order is that of a list, by time of creation.
type Order string

// Orders of a list.
const (
	OrderAsc  Order = "asc"  // oldest first
	OrderDesc Order = "desc" // newest first
)

// A Page is a part of a list.
type Page[T any] struct {
	Object  string `json:"object"`   // "list"
	Data    []*T   `json:"data"`     // in the list's order; no element is nil
	FirstID string `json:"first_id"` // "" on an empty page
	LastID  string `json:"last_id"`  // the next page's After
	HasMore bool   `json:"has_more"` // there is another page, on the side the request was paging to
}

// A listing is what a List call decodes: a Page with its envelope. A page is long, and to look for an error in its JSON
// would take a thirtieth of the time that decoding does.
type listing[T any] struct {
	Page[T]
	envelope
}

// A paged answer is a Page, or has one embedded.
type paged interface {
	itself() any // the Page
}

func (p *Page[T]) itself() any { return p }

// elements are a Page as the answer that it is. They know no types: what is done with every list is compiled once, and
// not for each type of element.
type elements struct {
	object          string
	firstID, lastID string
	hasMore         bool
	items           []any // pointers; nil for null. nil if there is no list
}

// elementsOf are those of a *Page.
func elementsOf(pointer any) *elements {
	page, e := reflect.ValueOf(pointer).Elem(), &elements{}
	if !page.IsValid() { // it was embedded by a pointer, and nothing was in the JSON for it
		return e
	}
	e.object = page.FieldByName("Object").String()
	e.firstID, e.lastID = page.FieldByName("FirstID").String(), page.FieldByName("LastID").String()
	e.hasMore = page.FieldByName("HasMore").Bool()
	data := page.FieldByName("Data")
	if !data.IsNil() {
		e.items = make([]any, data.Len())
	}
	for i := range e.items {
		if item := data.Index(i); !item.IsNil() {
			e.items[i] = item.Interface()
		}
	}
	return e
}

func (e *elements) check() error {
	if e.object != "list" && (e.object != "" || e.items == nil) {
		return fmt.Errorf("the answer is of type %q instead of %q", e.object, "list")
	}
	for i, item := range e.items {
		if item == nil {
			return fmt.Errorf("the list has null at position %d", i)
		}
		if a, ok := item.(answer); ok {
			if err := a.check(); err != nil {
				return fmt.Errorf("at position %d of the list: %w", i, err)
			}
		}
	}
	return nil
}

func (e *elements) incomplete() bool {
	for _, item := range e.items {
		if k, ok := item.(keeper); ok && k.incomplete() {
			return true
		}
	}
	return false
}

func (e *elements) keep(raw []byte) error {
	var page struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return err
	}
	for i, item := range e.items {
		if k, ok := item.(keeper); ok && k.incomplete() {
			if err := k.keep(page.Data[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *elements) redact(text func(string) string) {
	for _, item := range e.items {
		if r, ok := item.(reporter); ok {
			r.redact(text)
		}
	}
}

// edges are the cursors of a page: its elements' own ids, else the page's.
func (e *elements) edges() (first, last string) {
	first, last = e.firstID, e.lastID
	if len(e.items) > 0 {
		if a, ok := e.items[0].(element); ok {
			first = a.cursor()
		}
		if a, ok := e.items[len(e.items)-1].(element); ok {
			last = a.cursor()
		}
	}
	return first, last
}

// all is every All method; P is a pointer to the type of element. It begins anew with every loop.
func all[P any](params ListParams, fetch func(ListParams) (page any, err error)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		w := newWalk(params, fetch)
		for w.next() {
			item, _ := w.item.(P) // nil with an error
			if !yield(item, w.err) {
				return
			}
		}
	}
}

// A walk goes along a list. It fetches a page when the one before is used up. With Before alone it goes from there
// towards the list's beginning, nearest first.
type walk struct {
	at        ListParams
	fetch     func(ListParams) (page any, err error)
	backwards bool
	trail     trail
	items     []any // of the page, as far as they are ahead
	over      bool  // it is the last page

	// Where it is: at an element, or at the error that ends it.
	item any
	err  error
}

func newWalk(from ListParams, fetch func(ListParams) (page any, err error)) *walk {
	return &walk{at: from, fetch: fetch, backwards: from.Before != "" && from.After == ""}
}

// next reports whether there was anything more.
func (w *walk) next() bool {
	for len(w.items) == 0 {
		w.item, w.items = nil, nil // so that the next page need not find this one in memory
		if w.over {
			return false
		}
		if w.err = w.turn(); w.err != nil {
			w.over = true
			return true
		}
	}
	w.item, w.items = w.items[0], w.items[1:]
	return true
}

// turn fetches the next page.
func (w *walk) turn() error {
	got, err := w.fetch(w.at)
	if err != nil {
		return err
	}
	page := elementsOf(got)
	first, cursor := page.edges()
	previous := &w.at.After
	if w.backwards {
		slices.Reverse(page.items)
		cursor, previous = first, &w.at.Before
	}
	stuck := cursor == "" || w.trail.revisits(cursor)
	if page.hasMore && stuck || cursor != "" && cursor == *previous {
		return errStuck
	}
	*previous = cursor
	w.items, w.over = page.items, !page.hasMore
	return nil
}

// errStuck does not tell the cursor, which is a server's word.
var errStuck = errors.New("assistants: the cursor of the list does not move")

// A trail notices a walk in circles, of any length, without remembering where it has been: it compares with one
// place, which it chooses anew after twice as many steps each time (Brent's method).
type trail struct {
	mark         string
	steps, limit int
}

func (t *trail) revisits(cursor string) bool {
	if t.limit > 0 && cursor == t.mark {
		return true
	}
	if t.steps == t.limit {
		t.mark, t.steps, t.limit = cursor, 0, max(1, 2*t.limit)
	}
	t.steps++
	return false
}
