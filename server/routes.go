package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is an address and what is done there. Elements of the path that begin
// with a brace match any one element.
type route struct {
	path    []string
	methods []method
}

type method struct {
	name   string
	handle handler
}

// routes is the table of everything that is served.
func (s *Server) routes() []route {
	return []route{
		{[]string{"assistants"}, []method{
			{http.MethodGet, s.listAssistants},
			{http.MethodPost, s.createAssistant},
		}},
		{[]string{"assistants", "{assistant_id}"}, []method{
			{http.MethodGet, s.retrieveAssistant},
			{http.MethodPost, s.modifyAssistant},
			{http.MethodDelete, s.deleteAssistant},
		}},
		{[]string{"threads"}, []method{
			{http.MethodPost, s.createThread},
		}},
		{[]string{"threads", "runs"}, []method{
			{http.MethodPost, s.createThreadAndRun},
		}},
		{[]string{"threads", "{thread_id}"}, []method{
			{http.MethodGet, s.retrieveThread},
			{http.MethodPost, s.modifyThread},
			{http.MethodDelete, s.deleteThread},
		}},
		{[]string{"threads", "{thread_id}", "messages"}, []method{
			{http.MethodGet, s.listMessages},
			{http.MethodPost, s.createMessage},
		}},
		{[]string{"threads", "{thread_id}", "messages", "{message_id}"}, []method{
			{http.MethodGet, s.retrieveMessage},
			{http.MethodPost, s.modifyMessage},
			{http.MethodDelete, s.deleteMessage},
		}},
		{[]string{"threads", "{thread_id}", "runs"}, []method{
			{http.MethodGet, s.listRuns},
			{http.MethodPost, s.createRun},
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}"}, []method{
			{http.MethodGet, s.retrieveRun},
			{http.MethodPost, s.modifyRun},
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}", "cancel"}, []method{
			{http.MethodPost, s.cancelRun},
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}", "submit_tool_outputs"}, []method{
			{http.MethodPost, s.submitToolOutputs},
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}", "steps"}, []method{
			{http.MethodGet, s.listSteps},
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}", "steps", "{step_id}"}, []method{
			{http.MethodGet, s.retrieveStep},
		}},
	}
}

// address is what a URL means to the server, in whichever dialect it is written.
type address struct {
	azure bool // one of the dialects that need no OpenAI-Beta header
	route *route
	ids   []string // the elements that braces stand for, in order

	// redirect is set if the URL has a slash too many at its end and is known
	// without it.
	redirect bool
}

// resolve finds the address of a URL. Elements are taken apart before they are
// decoded, and nothing is cleaned: an id may hold any character, and an empty
// element is no id. The route is nil if the URL is unknown.
func (s *Server) resolve(u *url.URL) address {
	var a address
	path := u.EscapedPath()
	elements, ok := splitPath(path)
	if !ok {
		return a
	}
	elements, a.azure = cutDialect(elements)
	if u.Query().Has("api-version") {
		a.azure = true
	}
	if last := len(elements) - 1; last > 0 && elements[last] == "" {
		elements, a.redirect = elements[:last], true
	}
	for i := range s.table {
		if ids, ok := s.table[i].match(elements); ok {
			a.route, a.ids = &s.table[i], ids
			return a
		}
	}
	return address{azure: a.azure}
}

func splitPath(path string) ([]string, bool) {
	elements := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, e := range elements {
		decoded, err := url.PathUnescape(e)
		if err != nil {
			return nil, false
		}
		elements[i] = decoded
	}
	return elements, true
}

// cutDialect removes what the dialects put in front of an address; see section 2
// of docs/protocol.md.
func cutDialect(elements []string) (rest []string, azure bool) {
	switch {
	case elements[0] == "v1":
		return elements[1:], false
	case elements[0] == "openai" && len(elements) > 1 && elements[1] == "v1":
		return elements[2:], true
	case elements[0] == "openai":
		return elements[1:], true
	case len(elements) > 2 && elements[0] == "api" && elements[1] == "projects" && elements[2] != "":
		return elements[3:], true
	default:
		return elements, false
	}
}

func (r *route) match(elements []string) (ids []string, ok bool) {
	if len(elements) != len(r.path) {
		return nil, false
	}
	for i, want := range r.path {
		switch {
		case want[0] == '{' && elements[i] != "":
			ids = append(ids, elements[i])
		case want != elements[i]:
			return nil, false
		}
	}
	return ids, true
}

// find returns the handler for a method, or nil.
func (r *route) find(name string) handler {
	i := slices.IndexFunc(r.methods, func(m method) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return r.methods[i].handle
}

// allow returns the value of the Allow header.
func (r *route) allow() string {
	names := make([]string, len(r.methods))
	for i, m := range r.methods {
		names[i] = m.name
	}
	return strings.Join(names, ", ")
}

// redirectTo returns the address of a request without the slash at the end of
// its path: absolute if the request names a host. The scheme is that of the
// connection; what the request line says about it is only the client's word.
func redirectTo(r *http.Request) string {
	// A known address has one slash at each end at most, so a path alone can
	// not be taken for a host.
	to := "/" + strings.Trim(r.URL.EscapedPath(), "/")
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	switch {
	case r.Host == "":
		return to
	case r.TLS != nil:
		return "https://" + r.Host + to
	default:
		return "http://" + r.Host + to
	}
}
