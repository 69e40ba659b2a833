package server

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// maxChunk is the largest number of entries in a chunk. It bounds what an
// insertion or deletion moves; larger chunks would make for fewer of them.
const maxChunk = 512

// position is a place in the order of a collection.
type position struct {
	createdAt int64
	seq       uint64 // the order of insertion; starts at 1
}

// No entry is at one of these, because seq is neither 0 nor ever that large.
var (
	firstPosition = position{createdAt: math.MinInt64}
	lastPosition  = position{createdAt: math.MaxInt64, seq: math.MaxUint64}
)

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.createdAt, q.createdAt), cmp.Compare(p.seq, q.seq))
}

// sortedEntries is a list of entries in ascending order, cut into chunks so that
// an entry in the middle can come and go without moving all that follow. No
// chunk is empty.
type sortedEntries struct {
	chunks [][]*memoryEntry
}

// seek returns the place of the first entry that is not below p: its chunk and
// its index there. The chunk is len(l.chunks) if there is none.
func (l *sortedEntries) seek(p position) (chunk, index int) {
	chunk = sort.Search(len(l.chunks), func(i int) bool {
		c := l.chunks[i]
		return c[len(c)-1].position().compare(p) >= 0
	})
	if chunk == len(l.chunks) {
		return chunk, 0
	}
	index, _ = slices.BinarySearchFunc(l.chunks[chunk], p, func(e *memoryEntry, p position) int {
		return e.position().compare(p)
	})
	return chunk, index
}

func (l *sortedEntries) insert(e *memoryEntry) {
	chunk, index := l.seek(e.position())
	if chunk == len(l.chunks) {
		l.append(e)
		return
	}
	c := l.chunks[chunk]
	if len(c) == maxChunk {
		left, right := c[:maxChunk/2], slices.Clone(c[maxChunk/2:])
		clear(c[maxChunk/2:]) // left keeps the array, but not these entries
		l.chunks[chunk] = left
		l.chunks = slices.Insert(l.chunks, chunk+1, right)
		if index > len(left) {
			chunk, index = chunk+1, index-len(left)
		}
		c = l.chunks[chunk]
	}
	l.chunks[chunk] = slices.Insert(c, index, e)
}

// append adds an entry above all others. Chunks that fill from the end are
// filled up instead of being split, so the usual list has only full ones.
func (l *sortedEntries) append(e *memoryEntry) {
	last := len(l.chunks) - 1
	if last < 0 || len(l.chunks[last]) == maxChunk {
		l.chunks = append(l.chunks, []*memoryEntry{e})
		return
	}
	l.chunks[last] = append(l.chunks[last], e)
}

// remove takes out the entry at p, which must be there. A chunk that has become
// small enough joins a neighbour, on whichever side: otherwise a list from which
// almost everything was deleted would keep as many chunks as before.
func (l *sortedEntries) remove(p position) {
	chunk, index := l.seek(p)
	c := slices.Delete(l.chunks[chunk], index, index+1)
	l.chunks[chunk] = c
	if len(c) == 0 {
		l.chunks = slices.Delete(l.chunks, chunk, chunk+1)
		return
	}
	l.join(chunk)
	l.join(chunk - 1)
}

// join merges a chunk with the next one if both exist and are small together.
func (l *sortedEntries) join(chunk int) {
	next := chunk + 1
	if chunk < 0 || next >= len(l.chunks) || len(l.chunks[chunk])+len(l.chunks[next]) > maxChunk/2 {
		return
	}
	l.chunks[chunk] = append(l.chunks[chunk], l.chunks[next]...)
	l.chunks = slices.Delete(l.chunks, next, next+1)
}

// page returns up to limit records strictly between low and high, in the given
// order. They are those nearest to where the order begins, or nearest to where
// it ends if backwards is set.
func (l *sortedEntries) page(low, high position, limit int, order Order, backwards bool) Listing {
	var page Listing
	upwards := (order == Ascending) != backwards
	if upwards {
		page = l.upwards(low, high, limit)
	} else {
		page = l.downwards(low, high, limit)
	}
	if backwards {
		slices.Reverse(page.Records)
	}
	return page
}

func (l *sortedEntries) upwards(low, high position, limit int) Listing {
	var page Listing
	chunk, index := l.seek(position{createdAt: low.createdAt, seq: low.seq + 1})
	for ; chunk < len(l.chunks); chunk, index = chunk+1, 0 {
		for _, e := range l.chunks[chunk][index:] {
			if e.position().compare(high) >= 0 {
				return page
			}
			if len(page.Records) == limit {
				page.HasMore = true
				return page
			}
			page.Records = append(page.Records, e.Record)
		}
	}
	return page
}

func (l *sortedEntries) downwards(low, high position, limit int) Listing {
	var page Listing
	chunk, index := l.seek(high)
	for {
		for ; index > 0; index-- {
			e := l.chunks[chunk][index-1]
			if e.position().compare(low) <= 0 {
				return page
			}
			if len(page.Records) == limit {
				page.HasMore = true
				return page
			}
			page.Records = append(page.Records, e.Record)
		}
		if chunk == 0 {
			return page
		}
		chunk--
		index = len(l.chunks[chunk])
	}
}
