package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/assistants-go/assistants/benchmarks/internal/report"
	"github.com/assistants-go/assistants/server"
)

const (
	shortThread = 1_000
	longThread  = 100_000 // which is as long as a thread can be
)

// A task is something that is done in a thread.
type task struct {
	name   string
	method string
	path   string // behind the thread's
	body   string
	limit  float64 // of its time in a long thread, in that of a short one
}

// longThreads measures what is done in threads of a thousand messages, and in those of a hundred thousand.
func longThreads(w io.Writer, rounds int) ([]report.Target, error) {
	aWord := server.Otherwise(server.Yield(server.Text(aWord), server.Usage{})) // which is said, for to count takes time
	s := server.New(server.WithMaxBodyBytes(64<<20), server.WithModel(server.NewScripted(aWord)))
	defer s.Close()
	assistant, err := newAssistant(context.Background(), s)
	if err != nil {
		return nil, err
	}
	few, err := newTasks(s, assistant, shortThread)
	if err != nil {
		return nil, err
	}
	many, err := newTasks(s, assistant, longThread)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "| in a thread, in process | µs among %d messages | µs among %d | ratio |\n|---|--:|--:|--:|\n",
		shortThread, longThread)
	var list []report.Target
	for i := range few {
		took, err := measure(rounds, func() error { return many[i].do(s) }, func() error { return few[i].do(s) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", few[i].name, err)
		}
		fmt.Fprintf(w, "| %s | %.0f | %.0f | %.2f |\n", few[i].name, took.floor(), took.median(), took.ratio())
		list = append(list, report.Target{
			What: fmt.Sprintf("In a thread, %s, time among %d messages in that among %d", few[i].name, longThread, shortThread),
			Got:  took.ratio(), Limit: few[i].limit,
		})
	}
	return list, nil
}

// newTasks makes a thread and returns what can be done in it. Its oldest message and its newest are those of runs.
func newTasks(s *server.Server, assistant string, length int) ([]task, error) {
	thread, err := create(s, "/v1/threads", `{}`)
	if err != nil {
		return nil, err
	}
	at := "/v1/threads/" + thread
	run := fmt.Sprintf(`{"assistant_id":%q,"stream":true}`, assistant)
	if err := send(s, new(blackHole), newRequest(http.MethodPost, at+"/runs", run)); err != nil {
		return nil, err
	}
	var body strings.Builder
	fmt.Fprintf(&body, `{"assistant_id":%q,"stream":true,"additional_messages":[`, assistant)
	for i := range length - 2 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"role":"user","content":"This is message %d of a long conversation."}`, i)
	}
	body.WriteString("]}")
	if err := send(s, new(blackHole), newRequest(http.MethodPost, at+"/runs", body.String())); err != nil {
		return nil, err
	}
	middle, newest, err := lookAt(s, at, length)
	if err != nil {
		return nil, err
	}
	page := func(query string) string { return at + "/messages?limit=100" + query }
	const get, post = http.MethodGet, http.MethodPost
	return []task{
		{"first page of 100", get, page(""), "", 2},
		{"page in the middle", get, page("&after=" + middle), "", 2},
		{"last page", get, page("&order=asc"), "", 2},
		{"page of a run's messages", get, page("&run_id=" + newest), "", 300}, // which are looked for among all
		{"create a message", post, at + "/messages", `{"role":"user","content":"One more."}`, 2},
		{"run of a word on all messages", post, at + "/runs", run, 150},
		{"run of a word on the last 20 messages", post, at + "/runs",
			strings.Replace(run, "}", `,"truncation_strategy":{"type":"last_messages","last_messages":20}}`, 1), 2},
	}, nil
}

// lookAt returns a message in the middle of a thread, and its newest run.
func lookAt(s *server.Server, at string, length int) (middle, newest string, err error) {
	var page struct {
		FirstID string `json:"first_id"`
		LastID  string `json:"last_id"`
	}
	for range length / 200 {
		if err := get(s, at+"/messages?limit=100&after="+page.LastID, &page); err != nil {
			return "", "", err
		}
	}
	middle = page.LastID
	err = get(s, at+"/runs", &page)
	return middle, page.FirstID, err
}

// do does what a task is.
func (t *task) do(s *server.Server) error {
	w := new(blackHole)
	if err := send(s, w, newRequest(t.method, t.path, t.body)); err != nil {
		return err
	}
	if strings.HasSuffix(t.path, "/runs") && !w.completed {
		return errors.New("a run is not completed")
	}
	return nil
}
