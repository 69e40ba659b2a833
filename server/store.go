package server

import (
	"context"
	"errors"
	"strconv"
)

// Store keeps what the server knows. One implementation serves every resource:
// the server names a [Collection] and hands over finished documents, so a
// durable store needs six operations and no knowledge of the protocol. It serves
// one server at a time: which thread is locked by which run is written down in
// it, and which model calls are under way is not.
//
// The contract, which the server relies on:
//
//   - Methods are safe for concurrent use. What a method has reported as done
//     is seen by every later call.
//   - A collection exists as soon as it is named; an unknown one is empty.
//   - Records of a collection are ordered by CreatedAt, and by the order of
//     insertion within the same second. An update does not move a record.
//   - Data and State are not modified in place, neither by the store nor by its callers: a
//     record that was handed out stays as it was when the stored one changes.
//   - A method that cannot do its work returns an error; a context that ends
//     may be such a reason. Errors other than [ErrNotFound] and
//     [UnknownCursorError] are logged and answered with status 500, without
//     telling the caller what they say.
type Store interface {
	// Insert adds r behind all records of its second. It fails with
	// [ErrExists] if the collection has a record of that id.
	Insert(ctx context.Context, c Collection, r Record) error

	// Get returns the record with this id, or [ErrNotFound].
	Get(ctx context.Context, c Collection, id string) (Record, error)

	// Update replaces Data and State of a record by what change makes of them and
	// returns the result. Nothing comes between the read and the write: of two
	// updates at once, the second sees the outcome of the first. An error of
	// change leaves the record alone and is returned as it is. Only Data and
	// State are taken from the record that change returns. Change is quick, does not use
	// the store, and may be called more than once for one Update. A missing
	// record is [ErrNotFound].
	Update(ctx context.Context, c Collection, id string, change func(Record) (Record, error)) (Record, error)

	// Delete removes a record, or returns [ErrNotFound].
	Delete(ctx context.Context, c Collection, id string) error

	// List returns one page of the collection, or an [UnknownCursorError].
	List(ctx context.Context, c Collection, q Query) (Listing, error)

	// Drop removes a collection with all of its records and all that is
	// remembered of deleted ones. Dropping an unknown one does nothing.
	Drop(ctx context.Context, c Collection) error
}

// Errors of a [Store]. They may be wrapped.
var (
	// ErrNotFound means that the collection has no record of the given id.
	ErrNotFound = errors.New("server: no such record")

	// ErrExists means that the id of a record to be inserted is taken.
	ErrExists = errors.New("server: record exists")
)

// UnknownCursorError is the error of [Store].List for a cursor that is no id
// that the collection has, or is known to have had. It is returned as a value
// and may be wrapped.
type UnknownCursorError struct {
	// ID is the cursor: Query.After or Query.Before.
	ID string
}

// Error implements error.
func (e UnknownCursorError) Error() string {
	return "server: unknown cursor " + strconv.Quote(e.ID)
}

// Collection names an ordered set of records of one kind.
type Collection struct {
	// Kind is the object's kind on the wire, such as "assistant" or
	// "vector_store".
	Kind string

	// Parent is the id of the object that the records belong to, and "" for
	// kinds that stand alone.
	Parent string
}

// Record is one stored object.
type Record struct {
	// ID is unique within its collection.
	ID string

	// CreatedAt is the object's created_at, in Unix seconds.
	CreatedAt int64

	// Data is the object's JSON, exactly as it is answered. It is not modified
	// in place.
	Data []byte

	// State is what the server keeps with the object and answers to nobody, such
	// as which run has locked a thread. Nil and empty are the same. It is not
	// modified in place.
	State []byte
}

// Order is the direction of a list.
type Order int

const (
	// Descending lists the newest record first. It is the zero Order, because
	// it is the protocol's default.
	Descending Order = iota

	// Ascending lists the oldest record first.
	Ascending
)

// Query asks a [Store] for one page of a collection; see section 7 of
// docs/protocol.md.
//
// A cursor names a record of the collection and stays valid when that record is
// deleted: the page is the one that a reader who had seen the record would get
// next. A store may forget deleted records in the end, but not before 65,536
// later ones of the same collection were deleted too.
type Query struct {
	// Limit is the largest number of records returned. The server asks for 1
	// to 100 and a store need not accept anything below 1.
	Limit int

	// Order is the direction of the page.
	Order Order

	// After leaves out this record and everything that comes before it in the
	// given order; "" leaves out nothing.
	After string

	// Before leaves out this record and everything that comes after it in the
	// given order; "" leaves out nothing. Without After, the page is the one
	// next to the record: its Limit nearest predecessors.
	Before string
}

// backwards tells whether a page is read from its end.
func (q Query) backwards() bool { return q.Before != "" && q.After == "" }

// Listing is one page of a collection.
type Listing struct {
	// Records are in the order of the [Query].
	Records []Record

	// HasMore tells whether records that satisfy the cursors remain beyond this
	// page: before its first record when paging backwards, that is with Before
	// and without After, and behind its last one otherwise.
	HasMore bool
}
