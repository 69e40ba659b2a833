package responses_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/responses"
)

// An upstream is a provider with files and vector stores, which are those of a server, and containers.
type upstream struct {
	server *server.Server
	blobs  server.Blobs
	client *assistants.Client // of the server, not counted

	mu       sync.Mutex
	asked    []string                                      // "POST /files"
	hook     func(http.ResponseWriter, *http.Request) bool // answers in place of the server, if it wants to
	contains map[string][]string                           // files by containers
}

func newUpstream(t *testing.T, opts ...server.Option) *upstream {
	u := &upstream{blobs: server.NewMemoryBlobs(), contains: map[string][]string{}}
	u.server = server.New(append(opts, server.WithBlobs(u.blobs))...)
	t.Cleanup(func() { assert.NoError(t, u.server.Close()) })
	var err error
	u.client, err = assistants.NewClient(assistants.WithHandler(u.server))
	require.NoError(t, err)
	return u
}

// provider returns a client as the Model has one.
func (u *upstream) provider(t *testing.T) *assistants.Client {
	client, err := assistants.NewClient(assistants.WithHandler(u), assistants.WithMaxRetries(0))
	require.NoError(t, err)
	return client
}

// base is the address of that client, by which notes are told from those of other providers.
const base = "http://in-process.invalid/v1"

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := strings.TrimPrefix(r.URL.EscapedPath(), "/v1")
	u.mu.Lock()
	u.asked = append(u.asked, r.Method+" "+target)
	hook := u.hook
	u.mu.Unlock()
	if r.Header.Get("OpenAI-Beta") != "" {
		http.Error(w, `{"error":{"message":"there is a beta header"}}`, http.StatusTeapot)
		return
	}
	if hook != nil && hook(w, r) {
		return
	}
	if after, ok := strings.CutPrefix(target, "/containers/"); ok {
		u.container(w, r, after)
		return
	}
	r.Header.Set("OpenAI-Beta", "assistants=v2") // which the server wants, and a provider does not
	u.server.ServeHTTP(w, r)
}

func (u *upstream) container(w http.ResponseWriter, r *http.Request, target string) {
	id, rest, _ := strings.Cut(target, "/")
	u.mu.Lock()
	defer u.mu.Unlock()
	files, there := u.contains[id]
	switch {
	case !there:
		refuse(w, http.StatusNotFound, "", "Container not found.")
	case r.Method == http.MethodGet && rest == "":
		_, _ = io.WriteString(w, `{"id":"`+id+`","object":"container","status":"running"}`)
	case r.Method == http.MethodPost && rest == "files":
		body, _ := io.ReadAll(r.Body)
		u.contains[id] = append(files, strings.TrimSuffix(strings.TrimPrefix(string(body), `{"file_id":"`), `"}`))
		_, _ = io.WriteString(w, `{"id":"cfile_1","object":"container.file"}`)
	default:
		_, _ = io.WriteString(w, "made by "+path.Dir(rest))
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"error":{"message":"`+message+`","type":"invalid_request_error","param":null,"code":"`+code+`"}}`)
}

// requests returns what was asked since the last time, without the ids, sorted.
func (u *upstream) requests() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	asked := u.asked
	u.asked = nil
	for i, line := range asked {
		parts := strings.Split(line, "/")
		for j, part := range parts {
			for _, prefix := range []string{"file-", "vs_", "cntr_"} {
				if strings.HasPrefix(part, prefix) {
					parts[j] = strings.Trim(prefix, "-_")
				}
			}
		}
		asked[i] = strings.Join(parts, "/")
	}
	slices.Sort(asked)
	return asked
}

func (u *upstream) answer(hook func(http.ResponseWriter, *http.Request) bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.hook = hook
}

// content is what is in a file of the provider.
func (u *upstream) content(t *testing.T, id string) string {
	t.Helper()
	body, err := u.blobs.Open(t.Context(), id)
	require.NoError(t, err)
	defer body.Close()
	data, err := io.ReadAll(body)
	require.NoError(t, err)
	return string(data)
}

// A depot is a server with a model that does what a test wants, and a provider.
type depot struct {
	t      *testing.T
	client *assistants.Client
	up     *upstream
	copies responses.Copies
	thread string
	opts   []server.Option
	store  *server.MemoryStore
	blobs  *server.MemoryBlobs

	mu   sync.Mutex
	task func(context.Context, *server.ModelCall) error
}

func newDepot(t *testing.T, up *upstream, opts ...server.Option) *depot {
	h := &depot{t: t, up: up, opts: opts, store: server.NewMemoryStore(), blobs: server.NewMemoryBlobs()}
	h.restart()
	return h
}

// restart is another process with what the last one has kept.
func (h *depot) restart() {
	h.copies = responses.NewCopies(h.up.provider(h.t))
	opts := []server.Option{server.WithStore(h.store), server.WithBlobs(h.blobs), server.WithModel(server.ModelFunc(h.respond))}
	s := server.New(append(opts, h.opts...)...)
	h.t.Cleanup(func() {
		assert.NoError(h.t, s.Close())
		assert.Zero(h.t, h.copies.Locks(), "nobody is left who has a lock")
	})
	var err error
	h.client, err = assistants.NewClient(assistants.WithHandler(s))
	require.NoError(h.t, err)
	h.newThread()
}

func (h *depot) newThread() {
	thread, err := h.client.Threads.Create(h.t.Context(), assistants.ThreadCreateParams{})
	require.NoError(h.t, err)
	h.thread = thread.ID
}

func (h *depot) respond(ctx context.Context, call *server.ModelCall) iter.Seq2[server.ModelEvent, error] {
	return func(yield func(server.ModelEvent, error) bool) {
		h.mu.Lock()
		task := h.task
		h.mu.Unlock()
		if err := task(ctx, call); err != nil {
			yield(nil, err)
		}
	}
}

// run runs the thread with a task and returns the task's error.
func (h *depot) run(task func(context.Context, *server.ModelCall) error) error {
	h.t.Helper()
	var failed error
	h.mu.Lock()
	h.task = func(ctx context.Context, call *server.ModelCall) error {
		failed = task(ctx, call)
		return failed
	}
	h.mu.Unlock()
	assistant, err := h.client.Assistants.Create(h.t.Context(), assistants.AssistantCreateParams{Model: "m", Instructions: "Help."})
	require.NoError(h.t, err)
	run, err := h.client.Runs.CreateAndPoll(h.t.Context(), h.thread, assistants.RunCreateParams{AssistantID: assistant.ID})
	require.NoError(h.t, err)
	var shown *server.ModelError
	if errors.As(failed, &shown) {
		require.NotNil(h.t, run.LastError)
		assert.Equal(h.t, shown.Message, run.LastError.Message)
	}
	return failed
}

// files copies files in a run.
func (h *depot) files(ids ...string) (copies []string, err error) {
	h.t.Helper()
	err = h.run(func(ctx context.Context, call *server.ModelCall) (err error) {
		copies, err = h.copies.Files(ctx, call, ids...)
		return err
	})
	return copies, err
}

// mirror copies vector stores in a run.
func (h *depot) mirror(stores ...string) (copies []string, originals map[string]string, err error) {
	h.t.Helper()
	err = h.run(func(ctx context.Context, call *server.ModelCall) (err error) {
		copies, originals, err = h.copies.Stores(ctx, call, stores...)
		return err
	})
	return copies, originals, err
}

func (h *depot) upload(name, content string) string {
	h.t.Helper()
	file, err := h.client.Files.Upload(h.t.Context(), assistants.FileUploadParams{File: strings.NewReader(content), Filename: name})
	require.NoError(h.t, err)
	return file.ID
}

func (h *depot) newStore(files ...string) string {
	h.t.Helper()
	store, err := h.client.VectorStores.Create(h.t.Context(), assistants.VectorStoreCreateParams{Name: "secret plans"})
	require.NoError(h.t, err)
	for _, id := range files {
		h.add(store.ID, assistants.VectorStoreFileCreateParams{FileID: id})
	}
	return store.ID
}

func (h *depot) add(store string, params assistants.VectorStoreFileCreateParams) {
	h.t.Helper()
	added, err := h.client.VectorStoreFiles.CreateAndPoll(h.t.Context(), store, params)
	require.NoError(h.t, err)
	require.NoError(h.t, added.Err())
}

// attached are the files in a vector store of the provider, by their ids.
func (u *upstream) attached(t *testing.T, store string) map[string]*assistants.VectorStoreFile {
	t.Helper()
	files := map[string]*assistants.VectorStoreFile{}
	for file, err := range u.client.VectorStoreFiles.All(t.Context(), store, assistants.VectorStoreFileListParams{}) {
		require.NoError(t, err)
		files[file.ID] = file
	}
	return files
}

// pass lets time go by, in a bubble.
func pass(d time.Duration) { <-time.After(d) }
