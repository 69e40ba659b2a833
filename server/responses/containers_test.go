package responses_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

const (
	lookAtContainer = "GET /containers/cntr"
	fillContainer   = "POST /containers/cntr/files"
)

// session returns the session for a run with these files, and then says in which container its code has run; "": in none.
func (h *depot) session(ran string, files ...string) (container string, copies []string) {
	h.t.Helper()
	require.NoError(h.t, h.run(func(ctx context.Context, call *server.ModelCall) error {
		var keep func(string) error
		var err error
		if container, copies, keep, err = h.copies.Session(ctx, call, files...); err == nil && ran != "" {
			err = keep(ran)
		}
		return err
	}))
	return container, copies
}

func TestSessionStaysWithTheThread(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		one, two := h.upload("a.csv", "one"), h.upload("b.csv", "two")
		container, copies := h.session("", one)
		assert.Empty(t, container)
		require.Len(t, copies, 1)
		container, _ = h.session("cntr_1", one, one)
		assert.Empty(t, container, "no code has run before")
		assert.Equal(t, []string{uploadFile}, h.up.requests())
		h.up.contains["cntr_1"] = nil

		container, copies = h.session("cntr_1", one)
		assert.Equal(t, "cntr_1", container)
		assert.Empty(t, copies)
		assert.Empty(t, h.up.requests())
		container, _ = h.session("", two, one)
		assert.Equal(t, "cntr_1", container)
		assert.Equal(t, []string{fillContainer, uploadFile}, h.up.requests())
		assert.Equal(t, "two", h.up.content(t, h.up.contains["cntr_1"][0]))
		h.session("cntr_1", one, two)
		assert.Empty(t, h.up.requests(), "both are in it by now, though no code has run")
		h.session("cntr_1")

		thread := h.thread
		h.restart()
		container, _ = h.session("", one, two)
		assert.Empty(t, container, "another thread")
		h.thread = thread
		container, _ = h.session("", one, two)
		assert.Equal(t, "cntr_1", container)
		require.NoError(t, h.run(h.copies.Drop))
		require.NoError(t, h.run(h.copies.Drop))
		container, copies = h.session("", one, two)
		assert.Empty(t, container)
		assert.Len(t, copies, 2)
	})
}

// A container that has not been used for a while is asked for; one that is gone, or takes no file, is replaced.
func TestSessionThatHasEnded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		one, two := h.upload("a.csv", "one"), h.upload("b.csv", "two")
		h.session("cntr_1", one)
		h.up.contains["cntr_1"] = nil
		pass(16 * time.Minute)
		h.up.requests()
		container, _ := h.session("cntr_1", one)
		assert.Equal(t, "cntr_1", container)
		assert.Equal(t, []string{lookAtContainer}, h.up.requests())
		delete(h.up.contains, "cntr_1")
		pass(16 * time.Minute)
		container, copies := h.session("cntr_2", one)
		assert.Empty(t, container)
		assert.Len(t, copies, 1)
		assert.Equal(t, []string{lookAtContainer}, h.up.requests())

		container, copies = h.session("cntr_3", one, two)
		assert.Empty(t, container, "cntr_2 is gone, and that shows when it gets a file")
		assert.Len(t, copies, 2)
		h.up.contains["cntr_3"] = nil
		h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/containers/") {
				_, _ = io.WriteString(w, `{"id":"cntr_3","status":"expired"}`)
				return true
			}
			return false
		})
		pass(16 * time.Minute)
		container, _ = h.session("", one)
		assert.Empty(t, container)
	})
}

// A copy that the provider does not have any more is found out by what does not take it.
func TestSessionWithACopyThatIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		one := h.upload("a.csv", "one")
		first, err := h.files(one)
		require.NoError(t, err)
		h.session("cntr_1")
		h.up.contains["cntr_1"] = nil
		_, err = h.up.client.Files.Delete(t.Context(), first[0])
		require.NoError(t, err)
		h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/containers/") {
				refuse(w, http.StatusNotFound, "", "No such file.")
				return true
			}
			return false
		})
		container, second := h.session("", one)
		assert.Empty(t, container)
		require.Len(t, second, 1)
		assert.Equal(t, "one", h.up.content(t, second[0]))
	})
}

// A container that was not asked for has nothing in it.
func TestSessionInAnotherContainer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		one := h.upload("a.csv", "one")
		h.session("cntr_1", one)
		h.session("cntr_2", one)
		h.up.contains["cntr_2"] = nil
		h.up.requests()
		container, _ := h.session("", one)
		assert.Equal(t, "cntr_2", container)
		assert.Equal(t, []string{fillContainer}, h.up.requests())
	})
}

func TestSessionWithTooManyFiles(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newDepot(t, newUpstream(t))
		var ids []string
		for i := range 51 {
			ids = append(ids, h.upload(fmt.Sprintf("%d.csv", i), "x"))
		}
		_, copies := h.session("", append(ids[:50:50], ids[:50]...)...)
		assert.Len(t, copies, 50)
		err := h.run(func(ctx context.Context, call *server.ModelCall) error {
			_, _, _, err := h.copies.Session(ctx, call, ids...)
			return err
		})
		shown, ok := errors.AsType[*server.ModelError](err)
		require.True(t, ok)
		assert.Equal(t, "invalid_prompt", shown.Code)
		assert.Contains(t, shown.Message, "at most 50 files for code_interpreter, and there are 51")
	})
}

func TestFetch(t *testing.T) {
	for name, want := range map[string]string{
		"plot.png":                        "plot.png",
		"/mnt/data/out/é 1.csv":           "é 1.csv",
		`C:\temp\a.txt`:                   "a.txt",
		"":                                "file",
		"..":                              "file",
		"/mnt/data/":                      "file",
		"\x00\n":                          "file",
		"a\x00b.txt":                      "ab.txt",
		strings.Repeat("é", 600):          strings.Repeat("é", 512),
		strings.Repeat("x", 600) + ".csv": strings.Repeat("x", 508) + ".csv",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newDepot(t, newUpstream(t))
				content := strings.Repeat("\x00\xff\r\n", 100_000)
				h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
					assert.Equal(t, "/v1/containers/cntr%2F..%3F1/files/cfile%2F..%2F1/content", r.URL.EscapedPath())
					_, _ = io.WriteString(w, content)
					return true
				})
				var id string
				require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) (err error) {
					id, err = h.copies.Fetch(ctx, call, "cntr/..?1", "cfile/../1", name)
					return err
				}))
				file, err := h.client.Files.Retrieve(t.Context(), id)
				require.NoError(t, err)
				assert.Equal(t, want, file.Filename)
				assert.Equal(t, assistants.PurposeAssistantsOutput, file.Purpose)
				body, err := h.client.Files.Content(t.Context(), id)
				require.NoError(t, err)
				defer body.Close()
				got, err := io.ReadAll(body)
				require.NoError(t, err)
				assert.Equal(t, content, string(got))
			})
		})
	}
}

func TestFetchThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter)
		shown  string // "": none
	}{
		"gone":      {func(w http.ResponseWriter) { refuse(w, http.StatusNotFound, "", "Container not found.") }, "Container not found."},
		"too large": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, strings.Repeat("x", 101)) }, ""},
		"cut": {func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "The model's answer broke off."},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newDepot(t, newUpstream(t), server.WithMaxFileBytes(100))
				h.up.answer(func(w http.ResponseWriter, _ *http.Request) bool {
					test.answer(w)
					return true
				})
				err := h.run(func(ctx context.Context, call *server.ModelCall) error {
					_, err := h.copies.Fetch(ctx, call, "cntr_1", "cfile_1", "a.txt")
					return err
				})
				require.Error(t, err)
				shown, ok := errors.AsType[*server.ModelError](err)
				if assert.Equal(t, test.shown != "", ok) && ok {
					assert.Equal(t, test.shown, shown.Message)
				}
				files, err := h.client.Files.List(t.Context(), assistants.FileListParams{})
				require.NoError(t, err)
				assert.Empty(t, files.Data, "half a file is none")
			})
		})
	}
}

func TestImage(t *testing.T) {
	const png, gif = "\x89PNG\r\n\x1a\n more", "GIF89a more"
	encoded := base64.StdEncoding.EncodeToString([]byte(png))
	for url, want := range map[string]string{
		"data:image/png;base64," + encoded:                                                                    png,
		"DATA:image/png;charset=x;BASE64," + encoded:                                                          png,
		"data:image/png;base64," + strings.TrimRight(encoded, "="):                                            png,
		"data:;base64," + base64.StdEncoding.EncodeToString([]byte(gif)):                                      gif,
		"data:image/png;base64,":                                                                              "",
		"data:image/png;base64":                                                                               "",
		"data:image/png," + encoded:                                                                           "",
		"data:image/png;base64,é":                                                                             "",
		"data:image/png;base64,===" + encoded:                                                                 "",
		"data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte("<html>")):                        "",
		"data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte("<svg/>")):                    "",
		"data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(png+strings.Repeat("A", 20<<20))): "",
		"https://provider.example/v1/files/file-1/content":                                                    "",
		"http://169.254.169.254/latest":                                                                       "",
		"file:///etc/passwd":                                                                                  "",
		"/v1/files/file-1/content":                                                                            "",
		"data":                                                                                                "",
		"":                                                                                                    "",
	} {
		t.Run(url[:min(len(url), 40)], func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newDepot(t, newUpstream(t))
				var id string
				require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) (err error) {
					id, err = h.copies.Image(ctx, call, url)
					return err
				}))
				assert.Empty(t, h.up.requests())
				if want == "" {
					assert.Empty(t, id)
					return
				}
				body, err := h.client.Files.Content(t.Context(), id)
				require.NoError(t, err)
				defer body.Close()
				got, err := io.ReadAll(body)
				require.NoError(t, err)
				assert.Equal(t, want, string(got))
			})
		})
	}
}
