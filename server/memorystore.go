package server

import (
	"bytes"
	"cmp"
	"context"
	"sync"
)

// maxTombstones is how many deleted records a collection of a MemoryStore
// remembers, so that cursors on them keep working.
const maxTombstones = 65_536

// MemoryStore is a [Store] that keeps everything in memory and nothing longer
// than the process. Reading and writing one record, and any page of a list, cost
// microseconds in a collection of a million records, whatever has been deleted
// from it. It needs little more memory than the JSON of its objects.
//
// Every collection remembers the positions of its newest 65,536 deleted
// records, and forgets older ones. Methods do not look at their context: none of
// them waits for anything but a lock.
type MemoryStore struct {
	mu          sync.RWMutex
	collections map[Collection]*memoryCollection
}

var _ Store = (*MemoryStore)(nil)

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{collections: make(map[Collection]*memoryCollection)}
}

// memoryCollection holds one collection. Entries are reached by id through the
// map and by position through the sorted list; both hold the same pointers.
type memoryCollection struct {
	mu         sync.RWMutex
	byID       map[string]*memoryEntry
	sorted     sortedEntries
	inserted   uint64 // how many records were ever inserted
	tombstones tombstones
}

// memoryEntry is a record and its place among those of the same second. Its
// Data and State are replaced under the collection's lock, never written into.
type memoryEntry struct {
	Record
	seq uint64
}

func (e *memoryEntry) position() position {
	return position{createdAt: e.CreatedAt, seq: e.seq}
}

// find returns the collection, or nil if nothing was ever inserted into it:
// reading must not create collections, or unknown ids would cost memory.
func (s *MemoryStore) find(c Collection) *memoryCollection {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.collections[c]
}

func (s *MemoryStore) findOrCreate(c Collection) *memoryCollection {
	if col := s.find(c); col != nil {
		return col
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	col := s.collections[c]
	if col == nil {
		col = &memoryCollection{byID: make(map[string]*memoryEntry)}
		s.collections[c] = col
	}
	return col
}

// Insert implements [Store]. It keeps copies of r.Data and r.State.
func (s *MemoryStore) Insert(_ context.Context, c Collection, r Record) error {
	col := s.findOrCreate(c)
	r.Data, r.State = bytes.Clone(r.Data), bytes.Clone(r.State)

	col.mu.Lock()
	defer col.mu.Unlock()
	if _, taken := col.byID[r.ID]; taken {
		return ErrExists
	}
	col.inserted++
	e := &memoryEntry{Record: r, seq: col.inserted}
	col.byID[r.ID] = e
	col.sorted.insert(e)
	return nil
}

// Get implements [Store].
func (s *MemoryStore) Get(_ context.Context, c Collection, id string) (Record, error) {
	col := s.find(c)
	if col == nil {
		return Record{}, ErrNotFound
	}
	col.mu.RLock()
	defer col.mu.RUnlock()
	e, ok := col.byID[id]
	if !ok {
		return Record{}, ErrNotFound
	}
	return e.Record, nil
}

// Update implements [Store]. The collection is locked while change runs, and
// change is called once. Copies of the new Data and State are kept.
func (s *MemoryStore) Update(_ context.Context, c Collection, id string, change func(Record) (Record, error)) (Record, error) {
	col := s.find(c)
	if col == nil {
		return Record{}, ErrNotFound
	}
	col.mu.Lock()
	defer col.mu.Unlock()
	e, ok := col.byID[id]
	if !ok {
		return Record{}, ErrNotFound
	}
	changed, err := change(e.Record)
	if err != nil {
		return Record{}, err
	}
	e.Data, e.State = bytes.Clone(changed.Data), bytes.Clone(changed.State)
	return e.Record, nil
}

// Delete implements [Store].
func (s *MemoryStore) Delete(_ context.Context, c Collection, id string) error {
	col := s.find(c)
	if col == nil {
		return ErrNotFound
	}
	col.mu.Lock()
	defer col.mu.Unlock()
	e, ok := col.byID[id]
	if !ok {
		return ErrNotFound
	}
	delete(col.byID, id)
	col.sorted.remove(e.position())
	col.tombstones.add(id, e.position())
	return nil
}

// Drop implements [Store].
func (s *MemoryStore) Drop(_ context.Context, c Collection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.collections, c)
	return nil
}

// List implements [Store].
func (s *MemoryStore) List(_ context.Context, c Collection, q Query) (Listing, error) {
	col := s.find(c)
	if col == nil {
		if id := cmp.Or(q.After, q.Before); id != "" {
			return Listing{}, UnknownCursorError{ID: id}
		}
		return Listing{}, nil
	}
	col.mu.RLock()
	defer col.mu.RUnlock()

	after, err := col.cursor(q.After, firstPosition, lastPosition, q.Order)
	if err != nil {
		return Listing{}, err
	}
	before, err := col.cursor(q.Before, lastPosition, firstPosition, q.Order)
	if err != nil {
		return Listing{}, err
	}
	low, high := after, before
	if q.Order == Descending {
		low, high = before, after
	}
	return col.sorted.page(low, high, q.Limit, q.Order, q.backwards()), nil
}

// cursor returns the position that an id stands for, or the end of the list that
// stands for no id: asc when the list ascends and desc when it descends.
func (col *memoryCollection) cursor(id string, asc, desc position, order Order) (position, error) {
	if id == "" {
		if order == Ascending {
			return asc, nil
		}
		return desc, nil
	}
	if e, ok := col.byID[id]; ok {
		return e.position(), nil
	}
	if p, ok := col.tombstones.positions[id]; ok {
		return p, nil
	}
	return position{}, UnknownCursorError{ID: id}
}

// tombstones remembers where deleted records were, the newest maxTombstones of
// them.
type tombstones struct {
	positions map[string]position
	ring      []tombstone // in the order of deletion until full, then a ring
	oldest    int         // the place in a full ring that is overwritten next
}

type tombstone struct {
	id  string
	seq uint64
}

func (t *tombstones) add(id string, p position) {
	if t.positions == nil {
		t.positions = make(map[string]position)
	}
	t.positions[id] = p
	added := tombstone{id: id, seq: p.seq}
	if len(t.ring) < maxTombstones {
		t.ring = append(t.ring, added)
		return
	}
	// An id that was deleted, inserted and deleted again is in the ring twice;
	// the older place must not take the newer position along.
	if old := t.ring[t.oldest]; t.positions[old.id].seq == old.seq {
		delete(t.positions, old.id)
	}
	t.ring[t.oldest] = added
	t.oldest = (t.oldest + 1) % maxTombstones
}
