package assistantstest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
)

// A kind is a kind of requests.
type kind struct {
	text     string
	method   string
	elements []string // of the path; those in braces stand for any one
}

var kindForm = regexp.MustCompile(`^([A-Z]+) (/[^ ?#]*)$`)

// parseKind takes what the API has.
func (a *API) parseKind(text string) (kind, error) {
	m := kindForm.FindStringSubmatch(text)
	if m == nil {
		return kind{}, fmt.Errorf(`%q is not a method and a path, such as "POST /threads/{thread_id}/runs"`, text)
	}
	k := kind{text: text, method: m[1], elements: strings.Split(withoutDialect(m[2]), "/")}
	example := make([]string, len(k.elements))
	for i, e := range k.elements {
		if strings.HasPrefix(e, "{") != strings.HasSuffix(e, "}") {
			return kind{}, errors.New("the braces do not match in " + text)
		}
		if example[i] = e; strings.HasPrefix(e, "{") {
			example[i] = "id"
		}
	}
	if !a.known(k.method, strings.Join(example, "/")) {
		return kind{}, errors.New("the API has no such request: " + text)
	}
	return k, nil
}

func (k kind) matches(method, path string) bool {
	elements := strings.Split(path, "/")
	if method != k.method || len(elements) != len(k.elements) {
		return false
	}
	for i, want := range k.elements {
		if strings.HasPrefix(want, "{") {
			// An id is never empty, and /threads/runs is an address of its own.
			if elements[i] == "" || path == "/threads/runs" {
				return false
			}
		} else if elements[i] != want {
			return false
		}
	}
	return true
}

// kindOf names the kind of a request, or the request itself if the API has no such kind.
func (a *API) kindOf(method, path string) string {
	if a.known(method, path) {
		path = template(path)
	}
	return method + " " + path
}

// template is an address of the API with names in place of ids: every other element is one.
func template(path string) string {
	if path == "/threads/runs" {
		return path
	}
	elements := strings.Split(path, "/")
	for i := 2; i < len(elements); i += 2 {
		elements[i] = "{" + singular(elements[i-1]) + "_id}"
	}
	return strings.Join(elements, "/")
}

// singular is what an id behind an element of a path is of.
func singular(element string) string {
	if element == "file_batches" {
		return "batch"
	}
	return strings.TrimSuffix(element, "s")
}

// known reports whether the API has a request. The scratch server refuses each that would change something before it does
// so: for the lack of a header or of a form, or for a key that is too long.
func (a *API) known(method, path string) bool {
	r, err := http.NewRequest(method, "/v1"+path, http.NoBody)
	if err != nil {
		return false
	}
	r.Header.Set("Idempotency-Key", strings.Repeat("k", 256))
	w := httptest.NewRecorder()
	a.scratch.ServeHTTP(w, r)
	switch w.Code {
	case http.StatusNotFound:
		return !strings.Contains(w.Body.String(), "Invalid URL")
	case http.StatusMethodNotAllowed, http.StatusTemporaryRedirect:
		return false
	}
	return true
}

// dialect is what vendors put in front of an address: section 2 of docs/protocol.md.
var dialect = regexp.MustCompile(`^/(v1|openai/v1|openai|api/projects/[^/]+)(/|$)`)

func withoutDialect(path string) string {
	if at := dialect.FindStringIndex(path); at != nil {
		return "/" + path[at[1]:]
	}
	return path
}
