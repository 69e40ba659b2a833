// Package standin stands in for a service that runs assistants, until the server of this module does: for examples and
// tests, which need answers without a model.
//
// It keeps threads, messages, runs and steps in memory and speaks the protocol in the usual case, streams included.
// It plays the part of the model from a script, hardly looks at what it is sent, and counts its ids: nobody should
// take it for a server.
package standin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/assistants-go/assistants/internal/sse"
)

// A Turn is what the model does when it is called once.
type Turn struct {
	Code  *Code                         // that it has run first; nil: none
	Text  string                        // that it then writes, word by word; "": none
	Reply func(outputs []string) string // what it writes in place of Text, to the outputs of the functions it called
	Cites *File                         // that the text cites at its end; nil: none
	Calls []Call                        // of functions, for whose outputs the run then waits; nil: it is done
}

// Code is what the code interpreter is given, line by line, and what that prints.
type Code struct{ Input, Logs string }

// A Call is a call of a function, with its arguments as JSON.
type Call struct{ Name, Arguments string }

// A File is what a text cites.
type File struct{ ID, Name string }

// now is what the clock shows. It stands still.
const now = 1698984975

type service struct {
	rest http.Handler

	mu      sync.Mutex // guards what follows, and all objects
	turns   []Turn     // that are yet to be played
	ids     map[string]int
	threads map[string]*thread
}

// New returns a handler that plays turns in their order, whichever run calls the model; when there are none left, runs
// fail. What it does not serve, such as assistants, is left to rest.
//
// A run moves only while somebody looks: as its stream is read, or else all at once when it is retrieved. So a program
// sees the same every time.
func New(rest http.Handler, turns ...Turn) http.Handler {
	s := &service{rest: rest, turns: turns, ids: map[string]int{}, threads: map[string]*thread{}}
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	for pattern, h := range map[string]handler{
		"POST /threads":            s.createThread,
		"GET /threads/{thread}":    s.retrieveThread,
		"POST /threads/{thread}":   s.modifyThread,
		"DELETE /threads/{thread}": s.deleteThread,

		"POST /threads/{thread}/messages":             s.createMessage,
		"GET /threads/{thread}/messages":              s.listMessages,
		"GET /threads/{thread}/messages/{message}":    s.retrieveMessage,
		"POST /threads/{thread}/messages/{message}":   s.modifyMessage,
		"DELETE /threads/{thread}/messages/{message}": s.deleteMessage,

		"POST /threads/runs":                                    s.createThreadAndRun,
		"POST /threads/{thread}/runs":                           s.createRun,
		"GET /threads/{thread}/runs":                            s.listRuns,
		"GET /threads/{thread}/runs/{run}":                      s.retrieveRun,
		"POST /threads/{thread}/runs/{run}":                     s.modifyRun,
		"POST /threads/{thread}/runs/{run}/cancel":              s.cancelRun,
		"POST /threads/{thread}/runs/{run}/submit_tool_outputs": s.submitToolOutputs,
		"GET /threads/{thread}/runs/{run}/steps":                s.listSteps,
		"GET /threads/{thread}/runs/{run}/steps/{step}":         s.retrieveStep,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+path, s.serve(h))
		mux.HandleFunc(method+" /v1"+path, s.serve(h))
	}
	return mux
}

// A request is one that has been read, with what its path leads to.
type request struct {
	*http.Request
	in     object
	thread *thread
	run    *run
}

// A handler returns the object that answers a request, or a stream of it.
type handler func(*request) (any, error)

// serve is a handler as net/http has it.
func (s *service) serve(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		in, err := s.read(r)
		var out any
		if err == nil {
			out, err = h(in)
		}
		if stream, ok := out.(streamed); ok && err == nil {
			s.mu.Unlock()
			s.stream(w, stream.run)
			return
		}
		status := http.StatusOK
		if f, ok := err.(*failure); ok {
			status, out = f.status, f.body
		} else if err != nil {
			status, out = http.StatusBadRequest, refused("%v", err).body
		}
		body, _ := json.Marshal(out) // which is of our own making
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Openai-Poll-After-Ms", "1") // for those who wait for a run
		w.WriteHeader(status)
		_, _ = w.Write(body) // to somebody who may have gone
	}
}

func (s *service) read(r *http.Request) (*request, error) {
	in := &request{Request: r}
	if r.ContentLength != 0 && r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&in.in); err != nil {
			return nil, err
		}
	}
	id := r.PathValue("thread")
	if in.thread = s.threads[id]; in.thread == nil && id != "" {
		return nil, missing("thread", id)
	}
	if id := r.PathValue("run"); id != "" {
		var err error
		in.run, err = find("run", id, in.thread.runs)
		return in, err
	}
	return in, nil
}

// stream writes the events of a run, each as it happens. When the reader goes away the run stays where it is, until
// somebody looks at it again.
func (s *service) stream(w http.ResponseWriter, r *run) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	events, connection := sse.NewWriter(w), http.NewResponseController(w)
	for more := true; more; {
		name, data := "done", []byte("[DONE]")
		s.mu.Lock()
		if more = len(r.todo) > 0; more {
			name, data = r.move()
		}
		s.mu.Unlock()
		if events.Event(name, data) != nil || connection.Flush() != nil {
			return
		}
	}
}

// A failure is an answer that is an error.
type failure struct {
	status int
	body   any
}

func (f *failure) Error() string { return fmt.Sprint(f.status, " ", f.body) }

func refused(format string, args ...any) *failure {
	return failed(http.StatusBadRequest, format, args...)
}

func missing(kind, id string) error {
	return failed(http.StatusNotFound, "No %s found with id '%s'.", kind, id)
}

func failed(status int, format string, args ...any) *failure {
	message := fmt.Sprintf(format, args...)
	return &failure{status, object{"error": object{"message": message, "type": "invalid_request_error", "param": nil, "code": nil}}}
}

// assistant is an assistant as rest has it for the one who sent r.
func (s *service) assistant(r *request, id string) (assistant object, err error) {
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "/v1/assistants/"+url.PathEscape(id), nil)
	if err != nil {
		return nil, err
	}
	ask.Header = r.Header.Clone()
	got := recorder{header: http.Header{}, status: http.StatusOK}
	s.rest.ServeHTTP(&got, ask)
	if got.status != http.StatusOK {
		return nil, &failure{got.status, json.RawMessage(got.body.Bytes())}
	}
	return assistant, json.Unmarshal(got.body.Bytes(), &assistant)
}

// A recorder keeps what a handler answers.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// newID counts: thread_1, thread_2, …
func (s *service) newID(prefix string) string {
	s.ids[prefix]++
	return prefix + "_" + strconv.Itoa(s.ids[prefix])
}

// An object is one of the API's.
type object map[string]any

func (o object) id() string { return o["id"].(string) }

// MarshalJSON is for the types that embed an object: their JSON is that of the object.
func (o object) MarshalJSON() ([]byte, error) { return json.Marshal(map[string]any(o)) }

type identified interface{ id() string }

func position[T identified](id string, list []T) int {
	return slices.IndexFunc(list, func(item T) bool { return item.id() == id })
}

func find[T identified](kind, id string, list []T) (item T, err error) {
	i := position(id, list)
	if i < 0 {
		return item, missing(kind, id)
	}
	return list[i], nil
}

// page is the part that a request asks for of a list, which is in the order in which it was made.
func page[T identified](r *request, list []T) any {
	query := r.URL.Query()
	list = append([]T{}, list...) // which is not null if it is empty
	if query.Get("order") != "asc" {
		slices.Reverse(list)
	}
	list = list[position(query.Get("after"), list)+1:]
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 20
	}
	data := list[:min(limit, len(list))]
	answer := object{"object": "list", "data": data, "first_id": nil, "last_id": nil, "has_more": len(data) < len(list)}
	if len(data) > 0 {
		answer["first_id"], answer["last_id"] = data[0].id(), data[len(data)-1].id()
	}
	return answer
}
