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

// A provider that fails, or cannot be reached, costs the run and not the session. One that refuses costs the session.
func TestSessionWhileTheProviderFails(t *testing.T) {
	for name, test := range map[string]struct {
		status int // 0: the connection ends
		shown  string
		lost   bool
	}{
		"server":      {http.StatusServiceUnavailable, "No.", false},
		"rate limit":  {http.StatusTooManyRequests, "No.", false},
		"credentials": {http.StatusUnauthorized, "The model's provider did not accept the key of this server.", false},
		"connection":  {0, "The model's provider could not be reached.", false},
		"no answer":   {http.StatusOK, "The model's answer broke off.", false},
		"forbidden":   {http.StatusForbidden, "", true},
		"absent":      {http.StatusNotFound, "", true},
		"conflict":    {http.StatusConflict, "", true},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if test.status == http.StatusOK && method == http.MethodPost {
				continue // nobody reads that
			}
			t.Run(name+"/"+method, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					h := newDepot(t, newUpstream(t))
					one, two, three := h.upload("a.csv", "one"), h.upload("b.csv", "two"), h.upload("c.csv", "three")
					h.session("cntr_1", one)
					h.up.contains["cntr_1"] = nil
					pass(16 * time.Minute)
					calls := 0
					h.up.answer(func(w http.ResponseWriter, r *http.Request) bool {
						if !strings.HasPrefix(r.URL.Path, "/v1/containers/") || r.Method != method {
							return false
						}
						if calls++; method == http.MethodPost && calls == 1 {
							return false // the first file
						}
						switch test.status {
						case 0:
							panic(http.ErrAbortHandler)
						case http.StatusOK:
							_, _ = io.WriteString(w, "<html>")
						default:
							refuse(w, test.status, "", "No.")
						}
						return true
					})
					var container string
					err := h.run(func(ctx context.Context, call *server.ModelCall) (err error) {
						container, _, _, err = h.copies.Session(ctx, call, one, two, three)
						return err
					})
					if test.lost {
						require.NoError(t, err)
						assert.Empty(t, container)
						return
					}
					shown, ok := errors.AsType[*server.ModelError](err)
					require.True(t, ok, "%v", err)
					assert.Equal(t, test.shown, shown.Message)
					h.up.answer(nil)
					container, _ = h.session("", one, two, three)
					assert.Equal(t, "cntr_1", container)
					assert.Len(t, h.up.contains["cntr_1"], 2, "each file once")
				})
			})
		}
	}
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

// Who looks at what code has printed sees that there was an image.
func TestImageThatCannotBeHad(t *testing.T) {
	t.Parallel()
	plotted := code("ci_1", "plot()", `[{"type":"logs","logs":"one"},{"type":"image","url":"https://files.example/x.png?sig=secret"}]`)
	h := build(t, stream(created(), done(0, plotted), completed(plotted)))
	s := h.ask(codeTool)
	require.Equal(t, assistants.RunCompleted, s.Run().Status)
	steps, err := h.RunSteps.List(t.Context(), s.Run().ThreadID, s.Run().ID, assistants.ListParams{})
	require.NoError(t, err)
	require.Len(t, steps.Data, 1)
	outputs := steps.Data[0].StepDetails.ToolCalls[0].CodeInterpreter.Outputs
	require.Len(t, outputs, 2)
	assert.Equal(t, "one", outputs[0].Logs)
	assert.Contains(t, outputs[1].Logs, "[An image was shown that could not be kept: the provider has sent an address")
	assert.NotContains(t, outputs[1].Logs, "secret")
}

// An image that is in a URL becomes a file; of another one the code's logs say why it is none.
func TestImage(t *testing.T) {
	const png, gif = "\x89PNG\r\n\x1a\n more", "GIF89a more"
	const elsewhere, large, strange = "an address instead of the image]", "larger than 20 MiB]", "no PNG, JPEG, GIF or WebP image]"
	encoded := base64.StdEncoding.EncodeToString([]byte(png))
	for address, want := range map[string]struct{ image, log string }{
		"data:image/png;base64," + encoded:                                                                    {png, ""},
		"DATA:image/png;charset=x;BASE64," + encoded:                                                          {png, ""},
		"data:image/png;base64," + strings.TrimRight(encoded, "="):                                            {png, ""},
		"data:;base64," + base64.StdEncoding.EncodeToString([]byte(gif)):                                      {gif, ""},
		"data:image/png;base64,":                                                                              {"", strange},
		"data:image/png;base64":                                                                               {"", strange},
		"data:image/png," + encoded:                                                                           {"", strange},
		"data:image/png;base64,é":                                                                             {"", strange},
		"data:image/png;base64,===" + encoded:                                                                 {"", strange},
		"data:image/png;base64," + encoded + "é":                                                              {"", strange},
		"data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte("<html>")):                        {"", strange},
		"data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte("<svg/>")):                    {"", strange},
		"data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(png+strings.Repeat("A", 20<<20))): {"", large},
		"https://provider.example/v1/files/file-1/content":                                                    {"", elsewhere},
		"http://169.254.169.254/latest":                                                                       {"", elsewhere},
		"file:///etc/passwd":                                                                                  {"", elsewhere},
		"/v1/files/file-1/content":                                                                            {"", elsewhere},
		"data":                                                                                                {"", elsewhere},
		"":                                                                                                    {"", elsewhere},
	} {
		t.Run(address[:min(len(address), 40)], func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				h := newDepot(t, newUpstream(t))
				var event server.ModelEvent
				require.NoError(t, h.run(func(ctx context.Context, call *server.ModelCall) (err error) {
					event, err = h.copies.Image(ctx, call, address)
					return err
				}))
				assert.Empty(t, h.up.requests())
				if want.image == "" {
					require.IsType(t, server.CodeLogs(""), event)
					assert.Contains(t, event, "[An image was shown that could not be kept: ")
					assert.Contains(t, event, want.log)
					return
				}
				require.IsType(t, server.CodeImage{}, event)
				body, err := h.client.Files.Content(t.Context(), event.(server.CodeImage).FileID)
				require.NoError(t, err)
				defer body.Close()
				got, err := io.ReadAll(body)
				require.NoError(t, err)
				assert.Equal(t, want.image, string(got))
			})
		})
	}
}
