package transport

import (
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
			return "", fmt.Errorf("an id in the path is empty")
		case ".", "..":
			return "", fmt.Errorf("%q is no id", element)
		}
		b.WriteByte('/')
		b.WriteString(url.PathEscape(element))
	}
	return b.String(), nil
}

// CheckPath reports whether a path written by the caller, already escaped and perhaps with a query, can be appended
// to a base URL without leaving it.
func CheckPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("path %q does not begin with a slash", path)
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
		return fmt.Errorf("path %q is not escaped", path)
	}
	route, _, _ := strings.Cut(path, "?")
	for element := range strings.SplitSeq(route, "/") {
		if plain, err := url.PathUnescape(element); err != nil || plain == "." || plain == ".." {
			return fmt.Errorf("path %q does not name a resource", path)
		}
	}
	return nil
}
