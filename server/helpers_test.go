package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// epoch is where test clocks start.
const epoch = 1_700_000_000

// api is a server under test whose ids count up and whose clock stands still
// until it is moved.
type api struct {
	t       testing.TB
	handler http.Handler
	server  *server.Server
	clock   *clock
}

func newAPI(t testing.TB, opts ...server.Option) *api {
	c := &clock{now: time.Unix(epoch, 0)}
	s := server.New(append([]server.Option{server.WithClock(c.Now), server.WithIDSource(counter())}, opts...)...)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.Empty(t, s.Leftovers(), "what a test has begun ends with it")
	})
	return &api{t: t, handler: s, server: s, clock: c}
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// counter returns an id source: asst_1, asst_2, vs_1, …
func counter() func(string) string {
	var mu sync.Mutex
	last := map[string]int{}
	return func(prefix string) string {
		mu.Lock()
		defer mu.Unlock()
		last[prefix]++
		return prefix + "_" + strconv.Itoa(last[prefix])
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request with the beta header; header lines like "Name: value" are
// added, and "Name:" takes one away.
func (a *api) do(method, target, body string, headers ...string) answer {
	a.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("OpenAI-Beta", "assistants=v2")
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		r.Header.Del(name)
		if value = strings.TrimSpace(value); value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return answer{status: w.Code, header: w.Header(), body: w.Body.String()}
}

// create makes an assistant and returns its id.
func (a *api) create(body string) string {
	a.t.Helper()
	got := a.do("POST", "/v1/assistants", body)
	require.Equal(a.t, 200, got.status, got.body)
	return field[string](a.t, got.body, "id")
}

// createMany makes n assistants and returns their ids in order of creation.
func (a *api) createMany(n int) []string {
	a.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = a.create(`{"model":"m"}`)
	}
	return ids
}

func field[T any](t testing.TB, body, key string) T {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(body), &members), body)
	var value T
	require.NoError(t, json.Unmarshal(members[key], &value), body)
	return value
}

// envelope is the body of an error; "" stands for null.
func envelope(message, kind, param, code string) string {
	orNull := func(s string) string {
		if s == "" {
			return "null"
		}
		return quoted(s)
	}
	return `{"error":{"message":` + quoted(message) + `,"type":` + quoted(kind) +
		`,"param":` + orNull(param) + `,"code":` + orNull(code) + `}}`
}

func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// hookStore lets a test step into the calls of a store.
type hookStore struct {
	server.Store
	insert func(server.Collection) error
	get    func() error
	delete func() error
}

func (s *hookStore) Delete(ctx context.Context, c server.Collection, id string) error {
	if s.delete != nil {
		if err := s.delete(); err != nil {
			return err
		}
	}
	// A store over a network would not get through to it any more.
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Store.Delete(ctx, c, id)
}

func (s *hookStore) Insert(ctx context.Context, c server.Collection, r server.Record) error {
	if s.insert != nil {
		if err := s.insert(c); err != nil {
			return err
		}
	}
	return s.Store.Insert(ctx, c, r)
}

func (s *hookStore) Get(ctx context.Context, c server.Collection, id string) (server.Record, error) {
	if s.get != nil {
		if err := s.get(); err != nil {
			return server.Record{}, err
		}
	}
	return s.Store.Get(ctx, c, id)
}

// formFile is a field of a form with a file; formField is one without.
func formFile(field, name, content string) string {
	return `Content-Disposition: form-data; name="` + field + `"; filename="` + name + `"` + "\r\n" +
		"Content-Type: application/octet-stream\r\n\r\n" + content
}

func formField(name, value string) string {
	return `Content-Disposition: form-data; name="` + name + `"` + "\r\n\r\n" + value
}

// form is a body with these fields; its boundary is formBoundary.
func form(fields ...string) string {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString("--" + formBoundary + "\r\n" + f + "\r\n")
	}
	return b.String() + "--" + formBoundary + "--\r\n"
}

const (
	formBoundary = "xxBOUNDARYxx"
	formType     = "Content-Type: multipart/form-data; boundary=" + formBoundary
)

// send sends a form.
func (a *api) send(target, body string, headers ...string) answer {
	a.t.Helper()
	return a.do("POST", target, body, append([]string{formType}, headers...)...)
}

// upload makes a file for assistants and returns its id.
func (a *api) upload(name, content string) string {
	a.t.Helper()
	got := a.send("/v1/files", form(formFile("file", name, content), formField("purpose", "assistants")))
	require.Equal(a.t, 200, got.status, got.body)
	return field[string](a.t, got.body, "id")
}

// uploads makes n files, with the ids file_1 to file_n if they are the first ones.
func (a *api) uploads(n int) {
	a.t.Helper()
	for i := range n {
		a.upload("file-"+strconv.Itoa(i+1)+".txt", "content")
	}
}
