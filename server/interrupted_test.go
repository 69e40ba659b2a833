package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// dropFails is a retriever that cannot drop stores for a while.
type dropFails struct {
	server.Retriever
	down atomic.Bool
}

func (d *dropFails) Drop(ctx context.Context, storeID string) error {
	if d.down.Load() {
		return errors.New("the retriever is down")
	}
	return d.Retriever.Drop(ctx, storeID)
}

// A deletion that was begun is finished by one of the same kind, not by whoever names the id.
func TestDeletionOfAnotherKind(t *testing.T) {
	t.Parallel()
	retriever := &dropFails{Retriever: server.NewLexicalRetriever()}
	retriever.down.Store(true)
	a := newAPI(t, server.WithRetriever(retriever))
	a.uploads(1)
	a.made("/v1/vector_stores", `{"file_ids":["file_1"]}`)
	require.Equal(t, 500, a.do("DELETE", "/v1/vector_stores/vs_1", "").status)
	retriever.down.Store(false)

	a.refuses("DELETE", "/v1/files/vs_1", "", 404, noSuchFile("vs_1"))
	assert.Equal(t, 200, a.do("DELETE", "/v1/vector_stores/vs_1", "").status, "it is finished")
	assert.Equal(t, 404, a.do("DELETE", "/v1/vector_stores/vs_1", "").status)
}

// removeFails is a retriever that cannot remove files.
type removeFails struct{ server.Retriever }

func (removeFails) Remove(context.Context, string, string) error {
	return errors.New("the retriever is down")
}

// failsOnce is an extractor that can read nothing the first time.
type failsOnce struct {
	server.Extractor
	failed atomic.Bool
}

func (f *failsOnce) Extract(ctx context.Context, name string, content io.Reader) (string, error) {
	if !f.failed.Swap(true) {
		return "", server.ErrUnsupportedFile
	}
	return f.Extractor.Extract(ctx, name, content)
}

// whileLogging does something when the first error is logged.
type whileLogging struct {
	slog.Handler
	once sync.Once
	do   func()
}

func (w *whileLogging) Enabled(context.Context, slog.Level) bool { return true }

func (w *whileLogging) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "file of a vector store") {
		w.once.Do(w.do)
	}
	return nil
}

// A file that is added anew while the reader is about to let go of it is read anew.
func TestFileIsAddedWhileItsReadingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a *api
		log := &whileLogging{Handler: slog.DiscardHandler, do: func() {
			w := httptest.NewRecorder()
			a.handler.ServeHTTP(w, httptest.NewRequest("POST", "/v1/vector_stores/vs_1/files", strings.NewReader(`{"file_id":"file_1"}`)))
			assert.Equal(t, 200, w.Code)
		}}
		a = newAPI(t, server.WithLogger(slog.New(log)), server.WithExtractor(&failsOnce{Extractor: server.TextExtractor()}),
			server.WithRetriever(removeFails{server.NewLexicalRetriever()}))
		a.uploads(1)
		a.made("/v1/vector_stores", `{"file_ids":["file_1"]}`)
		synctest.Wait()
		assert.Equal(t, "completed", field[string](t, a.ok("GET", "/v1/vector_stores/vs_1/files/file_1", ""), "status"))
	})
}
