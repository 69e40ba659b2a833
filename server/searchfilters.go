package server

import (
	"encoding/json"
)

// attributeFilter chooses files by their attributes: it compares one of them, or combines other filters.
type attributeFilter struct{}

// Limits of filters, all of them inferred.
const (
	maxFilterDepth  = 16
	maxFilters      = 256
	maxFilterValues = 256
)

var (
	scalarComparison = closed{properties: []property{
		typeKey,
		{key: "key", rule: text{min: 1, max: maxMetadataKey}, required: true},
		{key: "value", rule: scalar{maxMetadataValue}, required: true},
	}}
	listComparison = closed{properties: []property{
		typeKey,
		{key: "key", rule: text{min: 1, max: maxMetadataKey}, required: true},
		{key: "value", required: true, rule: array{
			plural: "strings or numbers", max: maxFilterValues, item: textOrNumber{},
		}},
	}}
	comparisons = variants{
		{"eq", scalarComparison}, {"ne", scalarComparison},
		{"gt", scalarComparison}, {"gte", scalarComparison},
		{"lt", scalarComparison}, {"lte", scalarComparison},
		{"in", listComparison}, {"nin", listComparison},
	}
)

// textOrNumber is one of the values of a comparison with several.
type textOrNumber struct{}

func (textOrNumber) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if got := kindOf(raw); got == kindBoolean {
		return nil, errTextOrNumber(path, string(got))
	}
	return scalar{maxMetadataValue}.check(path, raw)
}

// errTextOrNumber is inferred: the text for a value that may be of two types.
func errTextOrNumber(path, got string) *apiError {
	return errType(path, "one of a string or a number", got)
}

func (attributeFilter) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	count := 0
	return nestedFilter{depth: 1, count: &count}.check(path, raw)
}

// nestedFilter is a filter at some depth of others, and how many there have been so far.
type nestedFilter struct {
	depth int
	count *int
}

func (f nestedFilter) check(path string, raw json.RawMessage) (json.RawMessage, *apiError) {
	if *f.count++; *f.count > maxFilters || f.depth > maxFilterDepth {
		return nil, errFilterTooLarge(path)
	}
	combined := closed{properties: []property{
		typeKey,
		{key: "filters", required: true, rule: array{
			plural: "objects", max: maxFilters, item: nestedFilter{f.depth + 1, f.count},
		}},
	}}
	return append(comparisons[:len(comparisons):len(comparisons)], variant{"and", combined}, variant{"or", combined}).check(path, raw)
}

// errFilterTooLarge is inferred.
func errFilterTooLarge(path string) *apiError {
	return invalid("invalid_value", echo(path), "Invalid '%s': filters may be nested %d deep, and be %d in all.",
		echo(path), maxFilterDepth, maxFilters)
}
