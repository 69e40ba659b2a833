package assistants

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
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

func (p *Page[T]) check() error {
	if p.Object != "list" && (p.Object != "" || p.Data == nil) {
		return fmt.Errorf("the answer is of type %q instead of %q", p.Object, "list")
	}
	for i, item := range p.Data {
		if item == nil {
			return fmt.Errorf("the list has null at position %d", i)
		}
		if e, ok := any(item).(element); ok {
			if err := e.check(); err != nil {
				return fmt.Errorf("at position %d of the list: %w", i, err)
			}
		}
	}
	return nil
}

func (p *Page[T]) incomplete() bool {
	return slices.ContainsFunc(p.Data, func(item *T) bool {
		e, ok := any(item).(element)
		return ok && e.incomplete()
	})
}

func (p *Page[T]) keep(raw []byte) error {
	var page struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return err
	}
	for i, item := range p.Data {
		if e, ok := any(item).(element); ok && e.incomplete() {
			if err := e.keep(page.Data[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Page[T]) redact(text func(string) string) {
	for _, item := range p.Data {
		if r, ok := any(item).(reporter); ok {
			r.redact(text)
		}
	}
}

// edges are the cursors of a page: its elements' own ids, else the page's.
func (p *Page[T]) edges() (first, last string) {
	first, last = p.FirstID, p.LastID
	if len(p.Data) > 0 {
		if e, ok := any(p.Data[0]).(element); ok {
			first = e.cursor()
		}
		if e, ok := any(p.Data[len(p.Data)-1]).(element); ok {
			last = e.cursor()
		}
	}
	return first, last
}

// all is every All method. It fetches a page when the loop has used up the one before, and begins anew with every
// loop. With Before alone it walks from there towards the list's beginning, nearest first.
func all[T any](params ListParams, fetch func(ListParams) (*Page[T], error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		at := params // the caller's stays as it is
		backwards := params.Before != "" && params.After == ""
		var trail trail
		for {
			page, err := fetch(at)
			if err != nil {
				yield(nil, err)
				return
			}
			first, cursor := page.edges()
			previous := &at.After
			if backwards {
				slices.Reverse(page.Data)
				cursor, previous = first, &at.Before
			}
			stuck := cursor == "" || trail.revisits(cursor)
			if page.HasMore && stuck || cursor != "" && cursor == *previous {
				yield(nil, errStuck)
				return
			}
			for _, item := range page.Data {
				if !yield(item, nil) {
					return
				}
			}
			if !page.HasMore {
				return
			}
			*previous = cursor
		}
	}
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
