package transport

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Join makes a path of literal elements and ids, each escaped as one element, whatever it contains. An id that is
// empty, "." or ".." is an error: it would address another resource.
func Join(elements ...string) (string, error) {
	var b strings.Builder
	b.Grow(64) // most paths
	for _, element := range elements {
		switch element {
		case "":
			return "", errors.New("an id in the path is empty")
		case ".", "..":
			return "", fmt.Errorf("%q is no id", element)
		}
		b.WriteByte('/')
		b.WriteString(url.PathEscape(element))
	}
	return b.String(), nil
}

// CheckPath says why a path written by the caller, already escaped and perhaps with a query, cannot be appended to a
// base URL without leaving it; nil if it can.
func CheckPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return errors.New("the path does not begin with a slash")
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
		return errors.New("the path is not escaped")
	}
	route, _, _ := strings.Cut(path, "?")
	for element := range strings.SplitSeq(route, "/") {
		if plain, err := url.PathUnescape(element); err != nil || plain == "." || plain == ".." {
			return errors.New("the path does not name a resource")
		}
	}
	return nil
}
