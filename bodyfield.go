package assistants

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A bodyField is what [WithBodyField] adds.
type bodyField struct {
	path  []string
	value json.RawMessage
}

// splitFieldPath splits at dots, but not at those behind a backslash.
func splitFieldPath(path string) ([]string, error) {
	const dot = "\x00" // stands in for a dot that does not separate
	elements := strings.Split(strings.ReplaceAll(path, `\.`, dot), ".")
	for i, element := range elements {
		if element == "" {
			return nil, fmt.Errorf("path %q has an empty element", path)
		}
		elements[i] = strings.ReplaceAll(element, dot, ".")
	}
	return elements, nil
}

// setField returns doc with value at path. Objects on the way are made where there is nothing; an array takes an
// index it has, or the next one.
func setField(doc json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, error) {
	if len(path) == 0 {
		return value, nil
	}
	switch {
	case len(doc) == 0 || string(doc) == "null":
		doc = json.RawMessage("{}")
	case doc[0] == '[':
		return setElement(doc, path, value)
	case doc[0] != '{':
		return nil, fmt.Errorf("there is a value where %q should be", path[0])
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(doc, &object); err != nil {
		return nil, err
	}
	inner, err := setField(object[path[0]], path[1:], value)
	if err != nil {
		return nil, err
	}
	object[path[0]] = inner
	return json.Marshal(object)
}

func setElement(doc json.RawMessage, path []string, value json.RawMessage) (json.RawMessage, error) {
	var array []json.RawMessage
	if err := json.Unmarshal(doc, &array); err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(path[0])
	if err != nil || i < 0 || i > len(array) || strconv.Itoa(i) != path[0] {
		return nil, fmt.Errorf("%q is no index of an array of %d", path[0], len(array))
	}
	if i == len(array) {
		array = append(array, nil)
	}
	if array[i], err = setField(array[i], path[1:], value); err != nil {
		return nil, err
	}
	return json.Marshal(array)
}
