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
	form   string // the field of a form that holds a file, if the body is a form; "" otherwise
}

func get(h handler) method    { return method{name: http.MethodGet, handle: h} }
func post(h handler) method   { return method{name: http.MethodPost, handle: h} }
func remove(h handler) method { return method{name: http.MethodDelete, handle: h} }

// upload is a POST whose body is a form with a file in the given field.
func upload(file string, h handler) method {
	return method{name: http.MethodPost, handle: h, form: file}
}

// needsBeta tells whether requests need an OpenAI-Beta header. Models, files, uploads and vector stores are older than it, or
// are used without assistants as well.
func (r *route) needsBeta() bool { return r.path[0] == "assistants" || r.path[0] == "threads" }

// routes is the table of everything that is served.
func (s *Server) routes() []route {
	return []route{
		{[]string{"assistants"}, []method{
			get(s.listAssistants),
			post(s.createAssistant),
		}},
		{[]string{"assistants", "{assistant_id}"}, []method{
			get(s.retrieveAssistant),
			post(s.modifyAssistant),
			remove(s.deleteAssistant),
		}},
		{[]string{"threads"}, []method{
			post(s.createThread),
		}},
		{[]string{"threads", "runs"}, []method{
			post(s.createThreadAndRun),
		}},
		{[]string{"threads", "{thread_id}"}, []method{
			get(s.retrieveThread),
			post(s.modifyThread),
			remove(s.deleteThread),
		}},
		{[]string{"threads", "{thread_id}", "messages"}, []method{
			get(s.listMessages),
			post(s.createMessage),
		}},
		{[]string{"threads", "{thread_id}", "messages", "{message_id}"}, []method{
			get(s.retrieveMessage),
			post(s.modifyMessage),
			remove(s.deleteMessage),
		}},
		{[]string{"threads", "{thread_id}", "runs"}, []method{
			get(s.listRuns),
			post(s.createRun),
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}"}, []method{
			get(s.retrieveRun),
			post(s.modifyRun),
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}", "cancel"}, []method{
			post(s.cancelRun),
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}", "submit_tool_outputs"}, []method{
			post(s.submitToolOutputs),
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}", "steps"}, []method{
			get(s.listSteps),
		}},
		{[]string{"threads", "{thread_id}", "runs", "{run_id}", "steps", "{step_id}"}, []method{
			get(s.retrieveStep),
		}},
		{[]string{"models"}, []method{
			get(s.listModels),
		}},
		{[]string{"models", "{model}"}, []method{
			get(s.retrieveModel),
		}},
		{[]string{"files"}, []method{
			get(s.listFiles),
			upload("file", s.uploadFile),
		}},
		{[]string{"files", "{file_id}"}, []method{
			get(s.retrieveFile),
			remove(s.deleteFile),
		}},
		{[]string{"files", "{file_id}", "content"}, []method{
			get(s.fileContent),
		}},
		{[]string{"uploads"}, []method{
			post(s.createUpload),
		}},
		{[]string{"uploads", "{upload_id}", "parts"}, []method{
			upload("data", s.addPart),
		}},
		{[]string{"uploads", "{upload_id}", "complete"}, []method{
			post(s.completeUpload),
		}},
		{[]string{"uploads", "{upload_id}", "cancel"}, []method{
			post(s.cancelUpload),
		}},
		{[]string{"vector_stores"}, []method{
			get(s.listVectorStores),
			post(s.createVectorStore),
		}},
		{[]string{"vector_stores", "{vector_store_id}"}, []method{
			get(s.retrieveVectorStore),
			post(s.modifyVectorStore),
			remove(s.deleteVectorStore),
		}},
		{[]string{"vector_stores", "{vector_store_id}", "search"}, []method{
			post(s.searchVectorStore),
		}},
		{[]string{"vector_stores", "{vector_store_id}", "files"}, []method{
			get(s.listStoreFiles),
			post(s.addStoreFile),
		}},
		{[]string{"vector_stores", "{vector_store_id}", "files", "{file_id}"}, []method{
			get(s.retrieveStoreFile),
			post(s.modifyStoreFile),
			remove(s.deleteStoreFile),
		}},
		{[]string{"vector_stores", "{vector_store_id}", "files", "{file_id}", "content"}, []method{
			get(s.storeFileContent),
		}},
		{[]string{"vector_stores", "{vector_store_id}", "file_batches"}, []method{
			post(s.createFileBatch),
		}},
		{[]string{"vector_stores", "{vector_store_id}", "file_batches", "{batch_id}"}, []method{
			get(s.retrieveFileBatch),
		}},
		{[]string{"vector_stores", "{vector_store_id}", "file_batches", "{batch_id}", "cancel"}, []method{
			post(s.cancelFileBatch),
		}},
		{[]string{"vector_stores", "{vector_store_id}", "file_batches", "{batch_id}", "files"}, []method{
			get(s.listBatchFiles),
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

// find returns what a method does, or nil.
func (r *route) find(name string) *method {
	i := slices.IndexFunc(r.methods, func(m method) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return &r.methods[i]
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
