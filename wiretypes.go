package assistants

import (
	"fmt"
	"strconv"
	"time"
)

// A Timestamp is a moment in whole seconds since 1970, UTC, as the service writes it. The zero Timestamp is a moment
// that has not come, which the service writes as null.
type Timestamp int64

// Time returns the moment as a time.Time in UTC; the zero Timestamp is the zero Time.
func (t Timestamp) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(int64(t), 0).UTC()
}

// IsZero reports whether the moment has not come.
func (t Timestamp) IsZero() bool { return t == 0 }

// String writes the moment as RFC 3339 does; the zero Timestamp is "".
func (t Timestamp) String() string {
	if t == 0 {
		return ""
	}
	return t.Time().Format(time.RFC3339)
}

// MarshalJSON writes the seconds, or null.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(t), 10), nil
}

// Metadata is information of yours on an object: up to 16 pairs, keys of up to 64 and values of up to 512 characters.
type Metadata map[string]string

// A Deleted says that an object was deleted.
type Deleted struct {
	ID      string `json:"id"`      // of what was deleted
	Object  string `json:"object"`  // such as "assistant.deleted"
	Deleted bool   `json:"deleted"` // always true: anything else is an error of the call
}

// A deletion is what a Delete call decodes: a Deleted that knows of what type it must be.
type deletion struct {
	Deleted
	object string
}

func (d *deletion) check() error {
	if !d.Deleted.Deleted {
		return fmt.Errorf("the answer, of type %q, does not say that the object was deleted", d.Object)
	}
	return checkObject(d.Object, d.object, d.ID)
}

func (d *deletion) cursor() string { return d.ID }
