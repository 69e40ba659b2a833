package assistants_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

// The rules of event streams, however the bytes arrive.
func TestStreamFraming(t *testing.T) {
	t.Parallel()
	body := sse(textEvents...)
	whole, err := eventsOf(streamOf(t, body))
	require.NoError(t, err)
	severalLines := strings.ReplaceAll(body, `,"object":`, ",\ndata: \"object\":")
	for name, body := range map[string]string{
		"as it is":        body,
		"CRLF":            strings.ReplaceAll(body, "\n", "\r\n"),
		"CR":              strings.ReplaceAll(body, "\n", "\r"),
		"BOM":             "\ufeff" + body,
		"no space":        strings.NewReplacer("event: ", "event:", "data: ", "data:").Replace(body),
		"comments":        ":\n: hello\n\n" + strings.ReplaceAll(body, "\ndata", "\n:keep-alive\nid: 1\nretry: 7\nnonsense\ndata"),
		"blank lines":     "\n\n\n" + strings.ReplaceAll(body, "\n\n", "\n\n\n\n"),
		"names repeated":  strings.ReplaceAll(body, "event: ", "event: nonsense\nevent: "),
		"names last":      reordered(body),
		"after done":      body + sse("run.failed "+aRun("failed"), "error {}"),
		"after done, cut": body + "event: thr",
		"DONE by data":    strings.ReplaceAll(body, "event: done\n", ""),
		"DONE by name":    strings.ReplaceAll(body, "data: [DONE]\n", "data: {}\n"),
		"DONE and more":   strings.ReplaceAll(body, "data: [DONE]\n", "data: [DONE] \n"),
	} {
		for way, reader := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "halves": iotest.HalfReader, "with the end": iotest.DataErrReader,
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				s := streamFrom(t, reading(reader(strings.NewReader(body))))
				events, err := eventsOf(s)
				require.NoError(t, err)
				assert.Equal(t, whole, events)
				assert.Equal(t, "Hello €\n", s.Messages()[0].Text())
			})
		}
	}
	events, err := eventsOf(streamOf(t, severalLines))
	require.NoError(t, err)
	require.Len(t, events, len(whole))
	for i := range events {
		assert.JSONEq(t, string(whole[i].Data), string(events[i].Data))
	}
}

// reordered has the name of each event behind its data.
func reordered(body string) string {
	var b strings.Builder
	for event := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		name, data, _ := strings.Cut(event, "\n")
		b.WriteString(data + "\n" + name + "\n\n")
	}
	return b.String()
}

// Content types that announce a stream, or nothing.
func TestStreamContentTypes(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"text/event-stream", "Text/Event-Stream;charset=UTF-8", ""} {
		text, err := textOf(streamFrom(t, answer(200, sse(textEvents...), "content-type: "+kind)))
		require.NoError(t, err)
		assert.Equal(t, "Hello €\n", text)
	}
	run, err := streamFrom(t, answer(201, sse(textEvents...), "content-type: text/event-stream")).Wait()
	require.NoError(t, err)
	assert.Equal(t, assistants.RunCompleted, run.Status)
}

// An event may be as long as the client allows, and not longer.
func TestStreamLongEvents(t *testing.T) {
	t.Parallel()
	long := func(size int) string {
		text := strings.Repeat("x", size)
		return sse(append(beginning[:3:3], "message.created "+aMessage("msg_1", "in_progress", ""), addText("msg_1", 0, text),
			"run.completed "+aRun("completed"), "done")...)
	}
	t.Run("1 MiB", func(t *testing.T) {
		t.Parallel()
		s := streamOf(t, long(1<<20))
		_, err := s.Wait()
		require.NoError(t, err)
		assert.Len(t, s.Messages()[0].Text(), 1<<20)
	})
	t.Run("32 MiB", func(t *testing.T) {
		t.Parallel()
		body := "event: thread.blob\ndata: " + strings.Repeat("x", 32<<20) + "\n\n" + sse("run.completed "+aRun("completed"), "done")
		events, err := eventsOf(streamOf(t, body))
		require.NoError(t, err)
		require.Len(t, events, 2)
		assert.Len(t, events[0].Data, 32<<20)
	})
	t.Run("beyond the limit", func(t *testing.T) {
		t.Parallel()
		for _, rest := range []string{"", strings.Repeat("x", 1<<20)} {
			read := 0
			body := sse(beginning...) + "event: thread.run.completed\ndata: " + rest
			endless := io.MultiReader(strings.NewReader(body), readerFunc(func(p []byte) (int, error) {
				read += len(p)
				return copy(p, strings.Repeat("x", len(p))), nil
			}))
			s := streamFrom(t, reading(endless), assistants.WithMaxResponseBytes(1<<16))
			events, err := eventsOf(s)
			var api *assistants.APIError
			require.ErrorAs(t, err, &api)
			assert.Len(t, events, 3)
			assert.ErrorContains(t, err, "65536 bytes")
			assert.NotErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.LessOrEqual(t, read, 1<<18)
		}
	})
	t.Run("all together beyond the limit", func(t *testing.T) {
		t.Parallel()
		events := append(beginning[:3:3], "message.created "+aMessage("msg_1", "in_progress", ""))
		for range 100 {
			events = append(events, addText("msg_1", 0, strings.Repeat("x", 1000)))
		}
		_, err := streamOf(t, sse(append(events, "run.completed "+aRun("completed"), "done")...), assistants.WithMaxResponseBytes(1<<16)).Wait()
		require.ErrorContains(t, err, "65536 bytes")
	})
}

// everything is a stream with all kinds of events, no longer than it must be.
func everything() string {
	call := func(more string) string { return addCalls("s", `{"index":0,"type":"code_interpreter",`+more+`}`) }
	return "\ufeff" + sse("created {\"id\":\"t\"}", `run.created {"id":"r","status":"queued"}`) + ": keep-alive\r\n\r\nevent: thread.unknown\r\ndata: {\r\ndata: }\r\n\r\n" +
		sse(`run.step.created {"id":"s"}`, call(`"code_interpreter":{"input":"1"}`), `run.step.completed {"id":"s"}`,
			`message.created {"id":"m"}`, addText("m", 0, "€"), `message.completed {"id":"m"}`, `run.completed {"id":"r","status":"completed"}`, "done")
}

// A stream that is cut, wherever and however, brings the events before the cut and then an error.
func TestStreamCut(t *testing.T) {
	t.Parallel()
	body := everything()
	whole, err := eventsOf(streamOf(t, body))
	require.NoError(t, err)
	require.Len(t, whole, 10)
	for name, ending := range map[string]func(string) io.Reader{
		"ends": func(s string) io.Reader { return strings.NewReader(s) },
		"fails": func(s string) io.Reader {
			return io.MultiReader(strings.NewReader(s), errReader{io.ErrUnexpectedEOF})
		},
		"fails with the last bytes": func(s string) io.Reader {
			return iotest.DataErrReader(io.MultiReader(strings.NewReader(s), errReader{io.ErrUnexpectedEOF}))
		},
		"byte by byte": func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := range len(body) {
				events, err := eventsOf(streamFrom(t, reading(ending(body[:at]))))
				require.Error(t, err, "silence at %d, after %q", at, body[max(0, at-40):at])
				require.LessOrEqual(t, len(events), len(whole))
				for i, event := range events {
					require.Equal(t, string(whole[i].Data), string(event.Data))
				}
				require.True(t, errors.Is(err, io.ErrUnexpectedEOF), "at %d: %v", at, err)
				require.Equal(t, 200, apiError(t, err).StatusCode)
				require.Equal(t, strings.Count(body[:at], "}\n\n")+strings.Count(body[:at], "}\r\n\r"), len(events), "at %d", at)
			}
		})
	}
}

// The same on connections: with a length that was promised, chunked, and one that just ends.
func TestStreamCutConnection(t *testing.T) {
	t.Parallel()
	body := sse(textEvents...)
	for name, end := range map[string]func(http.ResponseWriter, string){
		"length": func(w http.ResponseWriter, part string) {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			io.WriteString(w, part)
		},
		"chunked": func(w http.ResponseWriter, part string) {
			io.WriteString(w, part)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		"good order": func(w http.ResponseWriter, part string) { io.WriteString(w, part) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				at := 0
				fmt.Sscan(r.Header.Get("At"), &at)
				end(w, body[:at])
			}))
			defer srv.Close()
			client, err := assistants.NewClient(assistants.WithBaseURL(srv.URL), assistants.WithAPIKey(testKey))
			require.NoError(t, err)
			defer client.CloseIdleConnections()
			for at := 1; at < len(body); at += 97 {
				s, err := openStream(t.Context(), client, assistants.WithHeader("At", fmt.Sprint(at)))
				require.NoError(t, err)
				events, err := eventsOf(s)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "at %d", at)
				assert.Equal(t, strings.Count(body[:at], "\n\n"), len(events), "at %d", at)
				require.NoError(t, s.Close())
			}
		})
	}
}

// Whatever the body of a stream is, it ends: complete, with a run that has stopped, or with an error that says of
// which call.
func FuzzStream(f *testing.F) {
	for _, body := range streams() {
		f.Add([]byte(body), false)
	}
	for _, body := range []string{"", "\ufeff", "data: [DONE]\n\n", "event: error\ndata: {\"error\":null}\n\n", "data: {\"error\":1}\n\n", "<html>", "{", ": x\n\n\r\r\n",
		sse(messageBegun, addContent("msg_1", `null,{"index":1024,"type":"image_file"}`), addContent("msg_1", `{"index":9223372036854775807}`)),
		sse("run.completed "+aRun("completed", `"tools":[{"type":"x","function":1}]`), "done")} {
		f.Add([]byte(body), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, handled bool) {
		s := streamFrom(t, reading(bytes.NewReader(body)), assistants.WithMaxResponseBytes(1<<20))
		var run *assistants.Run
		var err error
		if handled {
			run, err = s.Handle(new(diary).handler())
		} else {
			run, err = s.Wait()
		}
		for _, message := range s.Messages() {
			message.Text()
			message.Refusal()
			message.Annotations()
		}
		s.Steps()
		_, again := s.Wait()
		require.Equal(t, err, again)
		if err == nil {
			require.NotNil(t, run)
			require.NotContains(t, []assistants.RunStatus{assistants.RunQueued, assistants.RunInProgress, assistants.RunCancelling}, run.Status)
			require.True(t, bytes.Contains(body, []byte("done")) || bytes.Contains(body, []byte("[DONE]")))
			return
		}
		require.Contains(t, err.Error(), "assistants: POST /threads/thread_1/runs: ")
		var api *assistants.APIError
		var report *assistants.StreamError
		require.True(t, errors.As(err, &api) || errors.As(err, &report))
	})
}

// Whatever deltas are added to an accumulator, it adds up or refuses; and what it gives out does not change.
func FuzzAccumulator(f *testing.F) {
	seed := func(events ...string) {
		var lines []string
		for _, event := range events {
			if _, data, _ := strings.Cut(event, " "); strings.Contains(event, ".delta ") {
				lines = append(lines, data)
			}
		}
		f.Add([]byte(strings.Join(lines, "\n")))
	}
	seed(textEvents...)
	seed(functionEvents...)
	seed(codeEvents...)
	seed(searchEvents...)
	seed(addText("msg_1", -1, "x"), addText("msg_1", 1024, "x"), addText("msg_1", 1<<62, "x"), addText("msg_9", 0, "x"))
	seed(addCalls("step_t", `{"index":3,"type":"mcp","arguments":"x","function":null},null`), addCalls("step_t", `{"index":0,"code_interpreter":{"outputs":[null,{"index":9}]}}`))
	f.Fuzz(func(t *testing.T, deltas []byte) {
		var a assistants.Accumulator
		add(t, &a, messageBegun, stepBegun, "run.step.created "+aStep("step_m", "in_progress", callA+","+code),
			"message.created "+aMessage("msg_2", "in_progress", aText("ab", `{"type":"file_path","text":"x"}`)))
		type given struct {
			messages []*assistants.Message
			steps    []*assistants.RunStep
		}
		var all []given
		var texts []string
		for i, line := range bytes.SplitN(deltas, []byte("\n"), 50) {
			event := &assistants.Event{Data: line}
			message, step := new(assistants.MessageDelta), new(assistants.RunStepDelta)
			switch {
			case bytes.Contains(line, []byte("step_details")) && json.Unmarshal(line, step) == nil:
				event.Type, event.RunStepDelta = assistants.EventRunStepDelta, step
			case json.Unmarshal(line, message) == nil:
				event.Type, event.MessageDelta = assistants.EventMessageDelta, message
			default:
				continue
			}
			if err := a.Add(event); err != nil {
				require.Contains(t, err.Error(), "assistants: ")
			}
			if i%7 == 0 {
				all = append(all, given{a.Messages(), a.Steps()})
				texts = append(texts, encoding(t, all[len(all)-1].messages)+encoding(t, all[len(all)-1].steps))
			}
		}
		require.Len(t, a.Messages(), 2)
		require.Len(t, a.Steps(), 2)
		for i, g := range all {
			require.Equal(t, texts[i], encoding(t, g.messages)+encoding(t, g.steps))
		}
	})
}

func encoding(t *testing.T, v any) string {
	t.Helper()
	encoded, err := json.Marshal(v)
	require.NoError(t, err)
	return string(encoded)
}

// What was decoded can be encoded, and decodes as the same again. Those that only requests have say why they cannot be.
func FuzzStreamTypes(f *testing.F) {
	for _, object := range []string{
		aText("a", `{"type":"file_citation","text":"b","start_index":1,"end_index":2,"file_citation":{"file_id":"f","quote":"q"}}`), `{"type":"refusal","refusal":"no"}`,
		`{"type":"file_path","text":"x","file_path":{"file_id":"f"}}`, callA, code, found, `{"type":"mcp","name":"n"}`, `{"type":"tool_calls","tool_calls":[` + callA + `]}`,
		`{"type":"message_creation","message_creation":{"message_id":"m"}}`, `{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[]}}`,
		`"auto"`, `"none"`, `{"type":"function","function":{"name":"f"}}`, `{"type":"x","function":1}`, `"x"`, `{"type":"last_messages","last_messages":3}`, `{"type":"auto","last_messages":null}`,
		aRun("completed", usage), aMessage("m", "completed", aText("a")), aStep("s", "completed", found), `null`, `{}`, `[]`, `7`, `{"type":null,"text":null}`,
		aRun("queued", `"tools":[{"type":"x","function":1}],"tool_choice":{"type":"y","function":[]},"metadata":null`),
	} {
		f.Add([]byte(object))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		stable[assistants.ContentPart](t, object)
		stable[assistants.Annotation](t, object)
		stable[assistants.ToolCall](t, object)
		stable[assistants.StepDetails](t, object)
		stable[assistants.RequiredAction](t, object)
		stable[assistants.ToolChoice](t, object)
		stable[assistants.TruncationStrategy](t, object)
		stable[assistants.Message](t, object)
		stable[assistants.Run](t, object)
		stable[assistants.RunStep](t, object)
		stable[assistants.MessageDelta](t, object)
		stable[assistants.RunStepDelta](t, object)
	})
}

// stable holds that decoding, encoding and decoding again is decoding.
func stable[T any](t *testing.T, object []byte) {
	t.Helper()
	var first, second T
	if json.Unmarshal(object, &first) != nil {
		return
	}
	encoded, err := json.Marshal(first)
	if err != nil { // a choice or a strategy without a type
		require.False(t, errors.As(err, new(*json.SyntaxError)), "%v", err)
		return
	}
	require.NoError(t, json.Unmarshal(encoded, &second), "%s", encoded)
	again, err := json.Marshal(second)
	require.NoError(t, err)
	require.Equal(t, string(encoded), string(again))
}
