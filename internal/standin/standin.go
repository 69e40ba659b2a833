// Package standin stands in for a service that runs assistants, until the server of this module does: for examples and
// tests, which need answers without a model.
//
// It keeps threads, messages, runs and steps in memory and speaks the protocol in the usual case, streams included.
// It plays the part of the model from a script, hardly looks at what it is sent, and counts its ids: it is no server
// for anything else.
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
	Text  string                        // that it then says, word by word; "": none
	Reply func(outputs []string) string // says something in place of Text: about the outputs of the functions it called
	Cites *File                         // that the text cites at its end; nil: none
	Calls []Call                        // of functions, for whose outputs the run then waits; nil: it is done
}

// Code is what the code interpreter is given, line by line, and what it prints.
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
	turns   []Turn     // yet to be played
	ids     map[string]int
	threads map[string]*thread
}

// New returns a handler that plays turns, one after the other, whichever run calls the model; when there are none
// left, runs fail. What it does not serve, such as assistants, is left to rest.
//
// A run moves only while somebody looks: while its stream is read, or else all at once when it is next retrieved. So
// programs always see the same.
func New(rest http.Handler, turns ...Turn) http.Handler {
	s := &service{rest: rest, turns: turns, ids: map[string]int{}, threads: map[string]*thread{}}
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	for pattern, serve := range map[string]func(*http.Request) (any, error){
		"POST /threads":            s.createThread,
		"GET /threads/{thread}":    inThread(s, getThread),
		"POST /threads/{thread}":   inThread(s, modifyThread),
		"DELETE /threads/{thread}": inThread(s, s.deleteThread),

		"POST /threads/{thread}/messages":             inThread(s, s.createMessage),
		"GET /threads/{thread}/messages":              inThread(s, listMessages),
		"GET /threads/{thread}/messages/{message}":    inThread(s, getMessage),
		"POST /threads/{thread}/messages/{message}":   inThread(s, modifyMessage),
		"DELETE /threads/{thread}/messages/{message}": inThread(s, deleteMessage),

		"POST /threads/runs":                                   s.createThreadAndRun,
		"POST /threads/{thread}/runs":                          inThread(s, s.createRun),
		"GET /threads/{thread}/runs":                           inThread(s, listRuns),
		"GET /threads/{thread}/runs/{run}":                     inRun(s, getRun),
		"POST /threads/{thread}/runs/{run}":                    inRun(s, modifyRun),
		"POST /threads/{thread}/runs/{run}/cancel":             inRun(s, cancelRun),
		"POST /threads/{thread}/runs/{run}/submit_tool_outputs": inRun(s, s.submitToolOutputs),
		"GET /threads/{thread}/runs/{run}/steps":               inRun(s, listSteps),
		"GET /threads/{thread}/runs/{run}/steps/{step}":        inRun(s, getStep),
	} {
		method, path, _ := strings.Cut(pattern, " ")
		for _, base := range []string{"", "/v1"} {
			mux.HandleFunc(method+" "+base+path, s.answer(serve))
		}
	}
	return mux
}

func inThread(s *service, serve func(*http.Request, *thread) (any, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		t := s.threads[r.PathValue("thread")]
		if t == nil {
			return nil, missing("thread", r.PathValue("thread"))
		}
		return serve(r, t)
	}
}

func inRun(s *service, serve func(*http.Request, *thread, *run) (any, error)) func(*http.Request) (any, error) {
	return inThread(s, func(r *http.Request, t *thread) (any, error) {
		run, err := find("run", r.PathValue("run"), t.runs)
		if err != nil {
			return nil, err
		}
		return serve(r, t, run)
	})
}

// answer is a handler that writes what serve returns: an object, an error, or a run to be streamed.
func (s *service) answer(serve func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		out, err := serve(r)
		if stream, ok := out.(streamed); ok && err == nil {
			stream.run.reader = r.Context()
			s.mu.Unlock()
			s.stream(w, stream.run)
			return
		}
		status := http.StatusOK
		if err != nil {
			e, ok := err.(*failure)
			if !ok {
				e = &failure{http.StatusBadRequest, err.Error(), nil}
			}
			status, out = e.status, e.answer()
		}
		body, _ := json.Marshal(out) // of our own types
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Openai-Poll-After-Ms", "1") // for those who wait for a run
		w.WriteHeader(status)
		_, _ = w.Write(body) // to somebody who may have gone
	}
}

// stream writes the events of a run, each as it happens. If the reader goes away the run stays where it is, until
// somebody looks at it again.
func (s *service) stream(w http.ResponseWriter, r *run) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	events, flusher := sse.NewWriter(w), http.NewResponseController(w)
	for more := true; more; {
		name, data := "done", []byte("[DONE]")
		s.mu.Lock()
		if more = len(r.todo) > 0; more {
			name, data = r.move()
		}
		s.mu.Unlock()
		if events.Event(name, data) != nil || flusher.Flush() != nil {
			return
		}
	}
}

// A failure is an error with its status, and with the answer that has it already.
type failure struct {
	status  int
	message string
	body    []byte
}

func (f *failure) Error() string { return f.message }

func (f *failure) answer() any {
	if f.body != nil {
		return json.RawMessage(f.body)
	}
	return object{"error": object{"message": f.message, "type": "invalid_request_error", "param": nil, "code": nil}}
}

func missing(kind, id string) error {
	return &failure{http.StatusNotFound, fmt.Sprintf("No %s found with id '%s'.", kind, id), nil}
}

// settingsOf asks rest for the settings of an assistant, with the key of the request that runs it.
func (s *service) settingsOf(r *http.Request, assistantID string) (settings, error) {
	set := defaultSettings()
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "/v1/assistants/"+url.PathEscape(assistantID), nil)
	if err != nil {
		return set, err
	}
	ask.Header = r.Header.Clone()
	ask.Header.Del("Content-Type")
	got := recorder{header: http.Header{}, status: http.StatusOK}
	s.rest.ServeHTTP(&got, ask)
	if got.status != http.StatusOK {
		return set, &failure{got.status, "no such assistant", got.body.Bytes()}
	}
	return set, json.Unmarshal(got.body.Bytes(), &set)
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

// find is the item with an id.
func find[T identified](kind, id string, items []T) (T, error) {
	i := position(id, items)
	if i < 0 {
		return *new(T), missing(kind, id)
	}
	return items[i], nil
}

func position[T identified](id string, items []T) int {
	return slices.IndexFunc(items, func(item T) bool { return item.id() == id })
}

// page is the part of items that a request asks for. They are in the order in which they were made.
func page[T identified](r *http.Request, items []T) any {
	query := r.URL.Query()
	items = append([]T{}, items...) // which is not null if there are none
	if query.Get("order") != "asc" {
		slices.Reverse(items)
	}
	if i := position(query.Get("after"), items); i >= 0 {
		items = items[i+1:]
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 20
	}
	if i := position(query.Get("before"), items); i >= 0 { // the page next to it
		items = items[:i]
		start := max(0, i-limit)
		return envelope(items[start:], start > 0)
	}
	return envelope(items[:min(limit, len(items))], len(items) > limit)
}

func envelope[T identified](items []T, more bool) any {
	list := object{"object": "list", "data": items, "first_id": nil, "last_id": nil, "has_more": more}
	if len(items) > 0 {
		list["first_id"], list["last_id"] = items[0].id(), items[len(items)-1].id()
	}
	return list
}
