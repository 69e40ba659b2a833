package server

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Limits of a page; see section 7 of docs/protocol.md.
const (
	defaultLimit = 20
	maxLimit     = 100
	maxPageBytes = 32 << 20 // of documents; a page is put together in memory
)

// listed says what a list shows of a collection.
type listed struct {
	kind string              // what errors call a record
	keep func(Record) bool   // which records are part of the list; nil: all
	show func(Record) Record // how they are shown; nil: as they are
}

// list answers a page of a collection.
func (s *Server) list(ctx context.Context, q Query, from Collection, l listed) (reply, error) {
	listing, err := s.listKept(ctx, from, q, l.keep)
	var unknown UnknownCursorError
	if errors.As(err, &unknown) {
		return reply{}, errUnknownCursor(l.kind, unknown.ID)
	}
	if err != nil {
		return reply{}, err
	}
	if l.show != nil {
		for i, r := range listing.Records {
			listing.Records[i] = l.show(r)
		}
	}
	return ok(page(shorten(listing, q.backwards())))
}

// listKept returns a page of those records of a collection that are to be kept, page by page of all records.
func (s *Server) listKept(ctx context.Context, from Collection, q Query, keep func(Record) bool) (Listing, error) {
	if keep == nil {
		return s.store.List(ctx, from, q)
	}
	limit := q.Limit
	q.Limit = maxLimit
	var kept Listing
	for {
		all, err := s.store.List(ctx, from, q)
		if err != nil {
			return Listing{}, err
		}
		nearest := slices.All(all.Records)
		if q.backwards() {
			nearest = slices.Backward(all.Records)
		}
		last := ""
		for _, r := range nearest {
			last = r.ID
			if !keep(r) {
				continue
			}
			if kept.HasMore = len(kept.Records) == limit; kept.HasMore {
				break
			}
			kept.Records = append(kept.Records, r)
		}
		if kept.HasMore || !all.HasMore {
			break
		}
		if q.backwards() {
			q.Before = last
		} else {
			q.After = last
		}
	}
	if q.backwards() {
		slices.Reverse(kept.Records)
	}
	return kept, nil
}

// records walks through a collection, page by page. An error ends it.
func (s *Server) records(ctx context.Context, c Collection, order Order) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for q := (Query{Limit: maxLimit, Order: order}); ; {
			page, err := s.store.List(ctx, c, q)
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, r := range page.Records {
				q.After = r.ID
				if !yield(r, nil) {
					return
				}
			}
			if !page.HasMore {
				return
			}
		}
	}
}

// shorten leaves out what does not fit into a page, from the end that is farther
// from where reading began. A page has at least one record, or nobody would get
// past a large one.
func shorten(listing Listing, backwards bool) Listing {
	nearest := slices.All(listing.Records)
	if backwards {
		nearest = slices.Backward(listing.Records)
	}
	size, count := 0, 0
	for _, r := range nearest {
		size += len(r.Data)
		if size > maxPageBytes && count > 0 {
			break
		}
		count++
	}
	if count == len(listing.Records) {
		return listing
	}
	listing.HasMore = true
	if backwards {
		listing.Records = listing.Records[len(listing.Records)-count:]
	} else {
		listing.Records = listing.Records[:count]
	}
	return listing
}

// listQuery reads the parameters of a list. An empty one counts as absent, which
// is inferred, and one that is given twice counts the first time.
func listQuery(c *call) (Query, error) { return listQueryWithin(c, defaultLimit, maxLimit) }

// listQueryWithin is listQuery for a list with limits of its own.
func listQueryWithin(c *call, byDefault int, most int64) (Query, error) {
	values := c.request.URL.Query()
	q := Query{Limit: byDefault, After: values.Get("after"), Before: values.Get("before")}
	if limit := values.Get("limit"); limit != "" {
		if got := kindOfParameter(limit); got != kindInteger {
			return q, errType("limit", string(kindInteger), string(got))
		}
		if err := (integer{1, most}).within("limit", limit); err != nil {
			return q, err
		}
		q.Limit, _ = strconv.Atoi(limit)
	}
	switch order := values.Get("order"); order {
	case "asc":
		q.Order = Ascending
	case "desc", "":
	default:
		return q, errEnum("order", order, []string{"asc", "desc"})
	}
	return q, nil
}

// kindOfParameter returns the type that the text of a query parameter has. It is
// inferred: digits, with or without a minus, are an integer and all else is a
// string.
func kindOfParameter(s string) kind {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return kindString
	}
	return kindInteger
}

// page puts documents together as they are stored.
func page(listing Listing) []byte {
	size := 128
	for _, r := range listing.Records {
		size += len(r.Data) + 1
	}
	b := append(make([]byte, 0, size), `{"object":"list","data":[`...)
	for i, r := range listing.Records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r.Data...)
	}
	b = append(b, `],"first_id":`...)
	if n := len(listing.Records); n > 0 {
		b = appendString(b, listing.Records[0].ID)
		b = append(b, `,"last_id":`...)
		b = appendString(b, listing.Records[n-1].ID)
	} else {
		b = append(b, `null,"last_id":null`...)
	}
	b = append(b, `,"has_more":`...)
	b = strconv.AppendBool(b, listing.HasMore)
	return append(b, '}')
}
