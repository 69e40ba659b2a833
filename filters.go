package assistants

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// A Filter chooses files of a vector store by their attributes: it compares one of them, or combines other filters.
// [FilterEq] and its siblings make one; the zero Filter is an error of the call.
//
// Reference: https://platform.openai.com/docs/api-reference/vector-stores/search
type Filter struct {
	// Type is the comparison, or how Filters are combined.
	Type FilterType `json:"type"`
	// Key is the attribute that is compared.
	Key string `json:"key,omitzero"`
	// Value is what it is compared with.
	Value Attribute `json:"value,omitzero"`
	// Values are what it is compared with by [FilterTypeIn] and [FilterTypeNin], in place of Value: strings or numbers.
	Values []Attribute `json:"-"`
	// Filters are combined by [FilterTypeAnd] and [FilterTypeOr]. They may combine others in turn.
	Filters []Filter `json:"filters,omitzero"`
}

// A FilterType is what a filter does.
type FilterType string

// What filters do.
const (
	FilterTypeEq  FilterType = "eq"  // equal
	FilterTypeNe  FilterType = "ne"  // not equal
	FilterTypeGt  FilterType = "gt"  // greater
	FilterTypeGte FilterType = "gte" // greater or equal
	FilterTypeLt  FilterType = "lt"  // less
	FilterTypeLte FilterType = "lte" // less or equal
	FilterTypeIn  FilterType = "in"  // one of several
	FilterTypeNin FilterType = "nin" // none of several
	FilterTypeAnd FilterType = "and" // all filters choose the file
	FilterTypeOr  FilterType = "or"  // one filter at least does
)

// FilterEq chooses files whose attribute is v.
func FilterEq[T string | bool | int | int64 | float64](key string, v T) Filter {
	return Filter{Type: FilterTypeEq, Key: key, Value: AttributeOf(v)}
}

// FilterNe chooses files whose attribute is not v, or that have none.
func FilterNe[T string | bool | int | int64 | float64](key string, v T) Filter {
	return Filter{Type: FilterTypeNe, Key: key, Value: AttributeOf(v)}
}

// FilterGt chooses files whose attribute is a number greater than v.
func FilterGt[T int | int64 | float64](key string, v T) Filter {
	return Filter{Type: FilterTypeGt, Key: key, Value: AttributeOf(v)}
}

// FilterGte chooses files whose attribute is a number of v or more.
func FilterGte[T int | int64 | float64](key string, v T) Filter {
	return Filter{Type: FilterTypeGte, Key: key, Value: AttributeOf(v)}
}

// FilterLt chooses files whose attribute is a number less than v.
func FilterLt[T int | int64 | float64](key string, v T) Filter {
	return Filter{Type: FilterTypeLt, Key: key, Value: AttributeOf(v)}
}

// FilterLte chooses files whose attribute is a number of v or less.
func FilterLte[T int | int64 | float64](key string, v T) Filter {
	return Filter{Type: FilterTypeLte, Key: key, Value: AttributeOf(v)}
}

// FilterIn chooses files whose attribute is one of values.
func FilterIn[T string | int | int64 | float64](key string, values ...T) Filter {
	return Filter{Type: FilterTypeIn, Key: key, Values: attributesOf(values)}
}

// FilterNin chooses files whose attribute is none of values, or that have none.
func FilterNin[T string | int | int64 | float64](key string, values ...T) Filter {
	return Filter{Type: FilterTypeNin, Key: key, Values: attributesOf(values)}
}

// FilterAnd chooses files that all filters choose.
func FilterAnd(filters ...Filter) Filter { return Filter{Type: FilterTypeAnd, Filters: filters} }

// FilterOr chooses files that one of the filters chooses.
func FilterOr(filters ...Filter) Filter { return Filter{Type: FilterTypeOr, Filters: filters} }

// attributesOf is never nil, so that no values are told from none given.
func attributesOf[T string | int | int64 | float64](values []T) []Attribute {
	list := make([]Attribute, len(values))
	for i, v := range values {
		list[i] = AttributeOf(v)
	}
	return list
}

// MarshalJSON writes a comparison or a combination.
func (f Filter) MarshalJSON() ([]byte, error) {
	switch f.Type {
	case "":
		return nil, errors.New("filter has no type")
	case FilterTypeAnd, FilterTypeOr:
		if f.Key != "" || f.Value != (Attribute{}) || f.Values != nil {
			return nil, fmt.Errorf("filter of type %q compares at once", f.Type)
		}
		filters := f.Filters
		if filters == nil {
			filters = []Filter{}
		}
		return json.Marshal(struct {
			Type    FilterType `json:"type"`
			Filters []Filter   `json:"filters"`
		}{f.Type, filters})
	}
	switch {
	case f.Filters != nil:
		return nil, fmt.Errorf("filter of type %q combines at once", f.Type)
	case f.Key == "":
		return nil, fmt.Errorf("filter of type %q has no key", f.Type)
	case f.Value == (Attribute{}) && f.Values == nil:
		return nil, fmt.Errorf("filter of type %q has nothing to compare %q with", f.Type, f.Key)
	}
	type comparison[V any] struct {
		Type  FilterType `json:"type"`
		Key   string     `json:"key"`
		Value V          `json:"value"`
	}
	if f.Values == nil {
		return json.Marshal(comparison[Attribute]{f.Type, f.Key, f.Value})
	}
	if f.Value != (Attribute{}) {
		return nil, fmt.Errorf("filter of type %q has Value and Values at once", f.Type)
	}
	return json.Marshal(comparison[[]Attribute]{f.Type, f.Key, f.Values})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Filter) UnmarshalJSON(data []byte) error {
	type wire Filter // without this method
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	if strings := []byte(w.Value.raw); bytes.HasPrefix(strings, []byte("[")) {
		w.Value = Attribute{}
		if err := json.Unmarshal(strings, &w.Values); err != nil {
			return err
		}
	}
	*f = Filter(w)
	return nil
}

// Matches reports whether the filter chooses a file with these attributes, as the service does it: values of different
// types are not equal, only numbers are greater or less, and what a file does not have is equal to nothing. A filter of a
// type that is unknown here chooses nothing.
func (f Filter) Matches(attributes Attributes) bool {
	switch f.Type {
	case FilterTypeAnd:
		return !slices.ContainsFunc(f.Filters, func(g Filter) bool { return !g.Matches(attributes) })
	case FilterTypeOr:
		return slices.ContainsFunc(f.Filters, func(g Filter) bool { return g.Matches(attributes) })
	}
	value, has := attributes[f.Key]
	switch f.Type {
	case FilterTypeEq:
		return has && value.equal(f.Value)
	case FilterTypeNe:
		return !has || !value.equal(f.Value)
	case FilterTypeIn:
		return has && slices.ContainsFunc(f.Values, value.equal)
	case FilterTypeNin:
		return !has || !slices.ContainsFunc(f.Values, value.equal)
	}
	order, comparable := value.compare(f.Value)
	if !has || !comparable {
		return false
	}
	switch f.Type {
	case FilterTypeGt:
		return order > 0
	case FilterTypeGte:
		return order >= 0
	case FilterTypeLt:
		return order < 0
	case FilterTypeLte:
		return order <= 0
	}
	return false
}

// compare compares numbers; ok says that both are. Integers may be larger than a float64 can tell apart.
func (a Attribute) compare(b Attribute) (order int, ok bool) {
	i, notInteger := strconv.ParseInt(a.raw, 10, 64)
	j, neither := strconv.ParseInt(b.raw, 10, 64)
	if notInteger == nil && neither == nil {
		return cmp.Compare(i, j), true
	}
	n, isNumber := a.Number()
	m, isAlso := b.Number()
	return cmp.Compare(n, m), isNumber && isAlso
}

// equal compares values, not their spellings.
func (a Attribute) equal(b Attribute) bool {
	if order, ok := a.compare(b); ok {
		return order == 0
	}
	return a.isText() == b.isText() && a.String() == b.String()
}

func (a Attribute) isText() bool { return len(a.raw) > 0 && a.raw[0] == '"' }
