package assistants_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// fileJSON is a file as the service writes one.
const fileJSON = `{"object":"file","id":"file-1","purpose":"assistants","filename":"notes.txt","bytes":33,` +
	`"created_at":1780006017,"expires_at":null,"status":"processed","status_details":null}`

// A request is what a method sends, and what it makes of an answer.
type request struct {
	name, method, target, body, answer string
	call                               func(context.Context, *assistants.Client) (any, error)
	want                               any
}

// testRequests holds what methods send, and what they return, against what they should.
func testRequests(t *testing.T, tests []request, opts ...assistants.Option) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, test.answer))
			got, err := test.call(t.Context(), newClient(t, tr, opts...))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
			require.Len(t, tr.requests(), 1)
			r := tr.last()
			assert.Equal(t, test.method, r.Method)
			assert.Equal(t, test.target, r.URL.RequestURI())
			if test.body == "" {
				assert.Empty(t, r.body)
				assert.Empty(t, r.Header.Get("Content-Type"))
			} else {
				assert.JSONEq(t, test.body, r.body)
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
			}
		})
	}
}

func TestFileRequests(t *testing.T) {
	t.Parallel()
	file := &assistants.File{ID: "file-1", Object: "file", Bytes: 33, CreatedAt: 1780006017, Filename: "notes.txt",
		Purpose: assistants.PurposeAssistants, Status: "processed"}
	page := &assistants.Page[assistants.File]{Object: "list", Data: []*assistants.File{file}, FirstID: "file-1", LastID: "file-1", HasMore: true}
	const pageJSON = `{"object":"list","data":[` + fileJSON + `],"first_id":"file-1","last_id":"file-1","has_more":true}`
	testRequests(t, []request{
		{"retrieve", "GET", "/v1/files/file-1", "", fileJSON, func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.Files.Retrieve(ctx, "file-1")
		}, file},
		{"an id that needs escaping", "GET", "/v1/files/a%2Fb%3Fc", "", fileJSON, func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.Files.Retrieve(ctx, "a/b?c")
		}, file},
		{"delete", "DELETE", "/v1/files/file-1", "", `{"object":"file","deleted":true,"id":"file-1"}`,
			func(ctx context.Context, c *assistants.Client) (any, error) { return c.Files.Delete(ctx, "file-1") },
			&assistants.Deleted{ID: "file-1", Object: "file", Deleted: true}},
		{"list", "GET", "/v1/files", "", pageJSON, func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.Files.List(ctx, assistants.FileListParams{})
		}, page},
		{"list a part", "GET", "/v1/files?after=file-0&limit=7&order=asc&purpose=vision", "", pageJSON,
			func(ctx context.Context, c *assistants.Client) (any, error) {
				return c.Files.List(ctx, assistants.FileListParams{Purpose: assistants.PurposeVision, Limit: 7, Order: assistants.OrderAsc, After: "file-0"})
			}, page},
		{"content", "GET", "/v1/files/file-1/content", "", "any\x00thing", func(ctx context.Context, c *assistants.Client) (any, error) {
			content, err := c.Files.Content(ctx, "file-1")
			if err != nil {
				return nil, err
			}
			all, err := io.ReadAll(content)
			return string(all), errors.Join(err, content.Close())
		}, "any\x00thing"},
	})
}

func TestV1FileRequests(t *testing.T) {
	t.Parallel()
	const ofAssistant = `{"id":"file-1","object":"assistant.file","created_at":1699060412,"assistant_id":"asst_1"}`
	const ofMessage = `{"id":"file-1","object":"thread.message.file","created_at":1699060412,"message_id":"msg_1"}`
	assistantFile := &assistants.AssistantFile{ID: "file-1", Object: "assistant.file", CreatedAt: 1699060412, AssistantID: "asst_1"}
	messageFile := &assistants.MessageFile{ID: "file-1", Object: "thread.message.file", CreatedAt: 1699060412, MessageID: "msg_1"}
	page := func(item string) string {
		return `{"object":"list","data":[` + item + `],"first_id":"file-1","last_id":"file-1","has_more":false}`
	}
	testRequests(t, []request{
		{"create", "POST", "/v1/assistants/asst_1/files", `{"file_id":"file-1"}`, ofAssistant, func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.Assistants.CreateFile(ctx, "asst_1", assistants.AssistantFileCreateParams{FileID: "file-1"})
		}, assistantFile},
		{"retrieve", "GET", "/v1/assistants/asst_1/files/file-1", "", ofAssistant, func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.Assistants.RetrieveFile(ctx, "asst_1", "file-1")
		}, assistantFile},
		{"delete", "DELETE", "/v1/assistants/asst_1/files/file-1", "", `{"id":"file-1","object":"assistant.file.deleted","deleted":true}`,
			func(ctx context.Context, c *assistants.Client) (any, error) {
				return c.Assistants.DeleteFile(ctx, "asst_1", "file-1")
			}, &assistants.Deleted{ID: "file-1", Object: "assistant.file.deleted", Deleted: true}},
		{"list", "GET", "/v1/assistants/asst_1/files?before=file-9&limit=2", "", page(ofAssistant), func(ctx context.Context, c *assistants.Client) (any, error) {
			return c.Assistants.ListFiles(ctx, "asst_1", assistants.ListParams{Limit: 2, Before: "file-9"})
		}, &assistants.Page[assistants.AssistantFile]{Object: "list", Data: []*assistants.AssistantFile{assistantFile}, FirstID: "file-1", LastID: "file-1"}},
		{"all", "GET", "/v1/assistants/asst_1/files", "", page(ofAssistant), func(ctx context.Context, c *assistants.Client) (any, error) {
			return gather(c.Assistants.AllFiles(ctx, "asst_1", assistants.ListParams{}))
		}, []*assistants.AssistantFile{assistantFile}},
		{"retrieve of a message", "GET", "/v1/threads/thread_1/messages/msg_1/files/file-1", "", ofMessage,
			func(ctx context.Context, c *assistants.Client) (any, error) {
				return c.Messages.RetrieveFile(ctx, "thread_1", "msg_1", "file-1")
			}, messageFile},
		{"list of a message", "GET", "/v1/threads/thread_1/messages/msg_1/files?order=asc", "", page(ofMessage),
			func(ctx context.Context, c *assistants.Client) (any, error) {
				return c.Messages.ListFiles(ctx, "thread_1", "msg_1", assistants.ListParams{Order: assistants.OrderAsc})
			}, &assistants.Page[assistants.MessageFile]{Object: "list", Data: []*assistants.MessageFile{messageFile}, FirstID: "file-1", LastID: "file-1"}},
		{"all of a message", "GET", "/v1/threads/thread_1/messages/msg_1/files", "", page(ofMessage), func(ctx context.Context, c *assistants.Client) (any, error) {
			return gather(c.Messages.AllFiles(ctx, "thread_1", "msg_1", assistants.ListParams{}))
		}, []*assistants.MessageFile{messageFile}},
	}, assistants.WithBeta(assistants.BetaV1))
}

// gather is an iterator's pairs, as far as the first error.
func gather[T any](seq func(func(*T, error) bool)) (items []*T, err error) {
	for item, e := range seq {
		if e != nil {
			return items, e
		}
		items = append(items, item)
	}
	return items, nil
}

// Files of every age can be read, and what is no file is an error.
func TestFileDecoding(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, json string
		want       assistants.File
	}{
		{"the least", `{"id":"f"}`, assistants.File{ID: "f"}},
		{"nothing but null", `{"id":"f","object":null,"bytes":null,"created_at":null,"expires_at":null,"filename":null,"purpose":null,"status":null,"status_details":null}`,
			assistants.File{ID: "f"}},
		{"what is new", `{"id":"f","object":"file","purpose":"dreams","status":"asleep","expires_at":9,"colour":{"red":1}}`,
			assistants.File{ID: "f", Object: "file", Purpose: "dreams", Status: "asleep", ExpiresAt: 9}},
		{"what went wrong", `{"id":"f","object":"file","status":"error","status_details":"line 3"}`,
			assistants.File{ID: "f", Object: "file", Status: "error", StatusDetails: "line 3"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := newClient(t, newTransport(t, answer(200, test.json))).Files.Retrieve(t.Context(), "f")
			require.NoError(t, err)
			assert.Equal(t, &test.want, got)
		})
	}
	for name, body := range map[string]string{
		"another type": `{"id":"f","object":"upload"}`, "no id": `{"object":"file"}`, "a list": `[]`, "cut": `{"id":"f`, "empty": ``,
		"HTML": `<html>`, "an error": `{"error":{"message":"no"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, newTransport(t, answer(200, body))).Files.Retrieve(t.Context(), "f")
			var wrong *assistants.APIError
			require.ErrorAs(t, err, &wrong)
			assert.Equal(t, "/files/f", wrong.Path)
		})
	}
}

// A deletion that did not happen is an error.
func TestFileDeleteUnconfirmed(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"id":"f","object":"file","deleted":false}`, `{"id":"f","object":"thread.deleted","deleted":true}`, `{"object":"file","deleted":true}`} {
		_, err := newClient(t, newTransport(t, answer(200, body))).Files.Delete(t.Context(), "f")
		require.Error(t, err, body)
	}
	d, err := newClient(t, newTransport(t, answer(200, `{"id":"f","deleted":true}`))).Files.Delete(t.Context(), "f")
	require.NoError(t, err)
	assert.Equal(t, &assistants.Deleted{ID: "f", Deleted: true}, d)
}

func TestAllFiles(t *testing.T) {
	t.Parallel()
	page := func(hasMore bool, ids ...string) step {
		var data []string
		for _, id := range ids {
			data = append(data, `{"id":"`+id+`","object":"file"}`)
		}
		return answer(200, fmt.Sprintf(`{"object":"list","data":[%s],"has_more":%v}`, strings.Join(data, ","), hasMore))
	}
	tr := newTransport(t, page(true, "a", "b"), page(true, "c"), page(false))
	files, err := gather(newClient(t, tr).Files.All(t.Context(), assistants.FileListParams{
		Purpose: assistants.PurposeBatch, Limit: 2, Order: assistants.OrderAsc, After: "0",
	}))
	require.NoError(t, err)
	require.Len(t, files, 3)
	for i, after := range []string{"0", "b", "c"} {
		assert.Equal(t, "after="+after+"&limit=2&order=asc&purpose=batch", tr.requests()[i].URL.RawQuery)
	}

	// Before there were pages, all came at once.
	old := newTransport(t, answer(200, `{"object":"list","data":[`+fileJSON+`]}`))
	files, err = gather(newClient(t, old).Files.All(t.Context(), assistants.FileListParams{}))
	require.NoError(t, err)
	require.Len(t, files, 1)
	assert.Equal(t, "/v1/files", old.last().URL.RequestURI())

	_, err = gather(newClient(t, newTransport(t, page(true, "a"), answer(404, `{"error":{"message":"gone"}}`))).Files.All(t.Context(), assistants.FileListParams{}))
	require.ErrorIs(t, err, assistants.ErrNotFound)
	_, err = gather(newClient(t, newTransport(t, page(true, "a"))).Files.All(t.Context(), assistants.FileListParams{}))
	require.ErrorContains(t, err, "does not move")
}

// everywhere tests a client of a handler in this process, and one that is connected to it.
func everywhere(t *testing.T, handler http.HandlerFunc, test func(*testing.T, *assistants.Client), opts ...assistants.Option) {
	t.Helper()
	t.Run("in process", func(t *testing.T) {
		t.Parallel()
		test(t, inProcess(t, handler, opts...))
	})
	t.Run("connected", func(t *testing.T) {
		t.Parallel()
		test(t, connected(t, handler, opts...))
	})
}

func inProcess(t testing.TB, handler http.HandlerFunc, opts ...assistants.Option) *assistants.Client {
	t.Helper()
	client, err := assistants.NewClient(append([]assistants.Option{assistants.WithAPIKey(testKey), assistants.WithHandler(handler)}, opts...)...)
	require.NoError(t, err)
	return client
}

func connected(t testing.TB, handler http.HandlerFunc, opts ...assistants.Option) *assistants.Client {
	t.Helper()
	srv := httptest.NewServer(handler)
	pool := &http.Transport{}
	t.Cleanup(func() {
		pool.CloseIdleConnections()
		srv.CloseClientConnections()
		srv.Close()
	})
	return newClient(t, pool, append([]assistants.Option{assistants.WithBaseURL(srv.URL + "/v1")}, opts...)...)
}

func TestFileContentFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		check   func(*testing.T, io.ReadCloser)
	}{
		"whole": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 1<<20)) }, func(t *testing.T, content io.ReadCloser) {
			all, err := io.ReadAll(content)
			require.NoError(t, err)
			assert.Len(t, all, 1<<20)
		}},
		"empty": {func(http.ResponseWriter, *http.Request) {}, func(t *testing.T, content io.ReadCloser) {
			all, err := io.ReadAll(content)
			require.NoError(t, err)
			assert.Empty(t, all)
		}},
		"closed early": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("x", 1000)); err != nil {
					return
				}
			}
		}, func(t *testing.T, content io.ReadCloser) {
			_, err := io.ReadFull(content, make([]byte, 10))
			require.NoError(t, err)
			require.NoError(t, content.Close())
			require.NoError(t, content.Close())
			_, err = content.Read(make([]byte, 10))
			require.Error(t, err)
			require.NotErrorIs(t, err, io.EOF)
		}},
		"cut, of a known length":    {cutOff("Content-Length"), brokenOff},
		"cut, of an unknown length": {cutOff(""), brokenOff},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everywhere(t, test.handler, func(t *testing.T, c *assistants.Client) {
				content, err := c.Files.Content(t.Context(), "file-1")
				require.NoError(t, err)
				defer content.Close()
				test.check(t, content)
			})
		})
	}
}

// cutOff is a handler whose answer ends before it should.
func cutOff(header string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set(header, "1000")
		}
		io.WriteString(w, "the beginning")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

func brokenOff(t *testing.T, content io.ReadCloser) {
	all, err := io.ReadAll(content)
	assert.Equal(t, "the beginning", string(all))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	var broken *assistants.APIError
	require.ErrorAs(t, err, &broken)
	assert.Equal(t, "/files/file-1/content", broken.Path)
	assert.Equal(t, 200, broken.StatusCode)
}

// What is refused is the error of the call, not of reading.
func TestFileContentRefused(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{404: assistants.ErrNotFound, 400: assistants.ErrBadRequest} {
		handler := func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"error":{"message":"not this one, %s","type":"invalid_request_error"}}`, testKey)
		}
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			everywhere(t, handler, func(t *testing.T, c *assistants.Client) {
				content, err := c.Files.Content(t.Context(), "file-1")
				require.ErrorIs(t, err, want)
				assert.Nil(t, content)
				assert.ErrorContains(t, err, "not this one, [redacted]")
			})
		})
	}
}

// A part of a file, or nothing, is not the file.
func TestFileContentNotWhole(t *testing.T) {
	t.Parallel()
	for _, status := range []int{201, 204, 206} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			everywhere(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Range", "bytes 0-2/100")
				w.WriteHeader(status)
				io.WriteString(w, "abc")
			}, func(t *testing.T, c *assistants.Client) {
				var resp assistants.Response
				content, err := c.Files.Content(t.Context(), "file-1", assistants.WithResponse(&resp))
				require.ErrorContains(t, err, fmt.Sprintf("the answer has status %d and not all of the content", status))
				assert.Nil(t, content)
				assert.Equal(t, status, resp.StatusCode)
				var wrong *assistants.APIError
				require.ErrorAs(t, err, &wrong)
				assert.Equal(t, "/files/file-1/content", wrong.Path)
			})
		})
	}
}

// Reading ends with the caller's context, and with silence.
func TestFileContentEnds(t *testing.T) {
	t.Parallel()
	silent := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "the beginning")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	everywhere(t, silent, func(t *testing.T, c *assistants.Client) {
		ctx, cancel := context.WithCancel(t.Context())
		content, err := c.Files.Content(ctx, "file-1")
		require.NoError(t, err)
		defer content.Close()
		_, err = io.ReadFull(content, make([]byte, len("the beginning")))
		require.NoError(t, err)
		cancel()
		_, err = content.Read(make([]byte, 1))
		require.ErrorIs(t, err, context.Canceled)
	})
	synctest.Test(t, func(t *testing.T) {
		content, err := inProcess(t, silent).Files.Content(t.Context(), "file-1", assistants.WithStreamIdleTimeout(time.Hour))
		require.NoError(t, err)
		defer content.Close()
		start := time.Now()
		all, err := io.ReadAll(content)
		assert.Equal(t, "the beginning", string(all))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Hour, time.Since(start))
	})
	_, err := inProcess(t, silent).Files.Retrieve(t.Context(), "file-1", assistants.WithStreamIdleTimeout(time.Hour))
	require.ErrorContains(t, err, "not streamed")
}

// What a server echoes of the key is not shown, wherever it echoes it.
func TestFileSecrets(t *testing.T) {
	t.Parallel()
	handler := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodPost {
			w.WriteHeader(400)
		}
		fmt.Fprintf(w, `{"error":{"message":"the key %[1]s is bad","code":"%[1]s"}}`, testKey)
	}
	everywhere(t, handler, func(t *testing.T, c *assistants.Client) {
		_, err := c.Files.Upload(t.Context(), assistants.FileUploadParams{File: strings.NewReader("x"), Filename: testKey + ".txt"})
		hidden(t, err)
		_, err = c.Uploads.AddPart(t.Context(), testKey, assistants.UploadPartParams{Data: strings.NewReader("x")})
		hidden(t, err)
		_, err = c.Files.Retrieve(t.Context(), testKey)
		hidden(t, err)
		_, err = c.Files.Upload(t.Context(), assistants.FileUploadParams{
			File: io.MultiReader(strings.NewReader("x"), errReader{errors.New("cannot read with " + testKey)}), Filename: "f",
		})
		hidden(t, err)
		_, err = c.Uploads.UploadLarge(t.Context(), assistants.UploadLargeParams{File: assistants.FileUploadParams{File: strings.NewReader("x"), Filename: "f"}})
		hidden(t, err)
		_, err = c.Uploads.UploadLarge(t.Context(), assistants.UploadLargeParams{
			File:   assistants.FileUploadParams{File: strings.NewReader("x"), Filename: "f"},
			Resume: &assistants.UploadProgress{UploadID: "u", PartSize: 1, PartIDs: []string{""}},
		})
		hidden(t, err)
	})
}

func hidden(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	assert.NotContains(t, err.Error(), testKey)
	assert.NotContains(t, fmt.Sprintf("%+v %#v", err, err), testKey)
	var api *assistants.APIError
	if errors.As(err, &api) {
		assert.NotContains(t, string(api.Body), testKey)
		asJSON, err := json.Marshal(api)
		require.NoError(t, err)
		assert.NotContains(t, string(asJSON), testKey)
	}
}
