package conformance

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/conformance/internal/upstream"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
	"github.com/assistants-go/assistants/server/responses"
)

// The files models_… have the models of packages server/responses and server/chat ask a provider that answers what was
// recorded, or what was composed: package internal/upstream.

var update = flag.Bool("update", false, "rewrite testdata/models")

// The APIs of models.
const (
	responsesAPI = "responses"
	chatAPI      = "chat"
)

// modelOf is the model that asks a provider by one of the APIs.
func modelOf(api string, provider *assistants.Client) server.Model {
	if api == chatAPI {
		return chat.New(provider)
	}
	return responses.New(provider)
}

// providerKey is what the server shows to the provider. Nobody else may see it.
const providerKey = "sk-provider-0123456789"

// A modelHost is a server with a model behind it whose answers are known. Ids are counted, and its clock stands still.
type modelHost struct {
	t        *testing.T
	provider *upstream.Provider
	server   *server.Server
	client   *assistants.Client // of the server
}

// newModelHost starts a server whose model asks the provider, which is given files, vector stores and containers too.
// They have an id that is not that of the server's.
func newModelHost(t *testing.T, api string, provider *upstream.Provider) *modelHost {
	t.Helper()
	files := server.New(server.WithIDSource(elsewhere()))
	provider.Others = &upstream.Containers{Content: pixel, Next: files}
	asking, err := assistants.NewClient(assistants.WithHandler(provider), assistants.WithAPIKey(providerKey), assistants.WithMaxRetries(0))
	require.NoError(t, err)
	s := server.New(server.WithModel(modelOf(api, asking)), server.WithIDSource(counted()), server.WithClock(movable().Now))
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, files.Close())
		requireFlawless(t, api, provider.Asked())
	})
	client, err := assistants.NewClient(assistants.WithHandler(s), assistants.WithMaxRetries(0))
	require.NoError(t, err)
	return &modelHost{t, provider, s, client}
}

// elsewhere is a source of ids: each prefix with 101, 102 and so on.
func elsewhere() func(prefix string) string {
	next := counted()
	return func(prefix string) string {
		id := next(prefix)
		at := strings.LastIndex(id, "_") + 1
		return id[:at] + "10" + id[at:]
	}
}

// pixel is an image of one pixel, a GIF.
var pixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// post sends a request to the server and returns the answer, whole.
func (h *modelHost) post(path, body string) string {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), http.MethodPost, "/v1"+path, strings.NewReader(body))
	r.Header.Set("OpenAI-Beta", "assistants=v2")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	require.Equalf(h.t, http.StatusOK, w.Code, "%s %s: %s", path, body, w.Body)
	return w.Body.String()
}

// made is the id of what a request makes.
func (h *modelHost) made(path, body string) string {
	h.t.Helper()
	var answer struct{ ID string }
	require.NoError(h.t, json.Unmarshal([]byte(h.post(path, body)), &answer))
	return answer.ID
}

// upload makes a file, and a vector store with it, and waits until that can be searched.
func (h *modelHost) upload(name, content string) (fileID, storeID string) {
	h.t.Helper()
	file, err := h.client.Files.Upload(h.t.Context(), assistants.FileUploadParams{
		File: strings.NewReader(content), Filename: name, Purpose: assistants.PurposeAssistants,
	})
	require.NoError(h.t, err)
	store, err := h.client.VectorStores.Create(h.t.Context(), assistants.VectorStoreCreateParams{})
	require.NoError(h.t, err)
	_, err = h.client.FileBatches.CreateAndPoll(h.t.Context(), store.ID, assistants.FileBatchCreateParams{FileIDs: []string{file.ID}},
		assistants.WithPollInterval(time.Millisecond))
	require.NoError(h.t, err)
	return file.ID, store.ID
}

// A ran is what came of a run.
type ran struct {
	run     *assistants.Run
	streams []string // that of the run, and those of outputs
	said    []string // see [modelHost.said]
	images  int      // how many parts of messages are images
}

// stream runs an assistant with streams to its end. Each function that it calls is told its name and "done".
func (h *modelHost) stream(assistant, thread, options string) *ran {
	h.t.Helper()
	r := &ran{}
	r.streams = append(r.streams, h.post("/threads/"+thread+"/runs", `{"stream":true,"assistant_id":"`+assistant+`"`+options+`}`))
	for {
		r.run = lastRun(h.t, r.streams[len(r.streams)-1])
		if r.run.Status != assistants.RunRequiresAction {
			break
		}
		body, err := json.Marshal(map[string]any{"stream": true, "tool_outputs": outputsFor(r.run)})
		require.NoError(h.t, err)
		r.streams = append(r.streams, h.post("/threads/"+thread+"/runs/"+r.run.ID+"/submit_tool_outputs", string(body)))
	}
	r.said, r.images = h.said(r.run)
	return r
}

// outputsFor answers the calls that a run waits for.
func outputsFor(run *assistants.Run) []map[string]string {
	var outputs []map[string]string
	for _, c := range run.RequiredAction.SubmitToolOutputs.ToolCalls {
		outputs = append(outputs, map[string]string{"tool_call_id": c.ID, "output": c.Function.Name + " done"})
	}
	return outputs
}

// said is what a run has done, step by step: "text: …" with the marks of citations taken out, "refusal: …", "function
// name arguments id", "code …" and "search".
func (h *modelHost) said(run *assistants.Run) (said []string, images int) {
	h.t.Helper()
	for step, err := range h.client.RunSteps.All(h.t.Context(), run.ThreadID, run.ID, assistants.ListParams{Order: assistants.OrderAsc}) {
		require.NoError(h.t, err)
		if creation := step.StepDetails.MessageCreation; creation != nil {
			message, err := h.client.Messages.Retrieve(h.t.Context(), run.ThreadID, creation.MessageID)
			require.NoError(h.t, err)
			words, n := wordsOf(message)
			said, images = append(said, words...), images+n
		}
		for _, call := range step.StepDetails.ToolCalls {
			switch {
			case call.Function != nil:
				said = append(said, fmt.Sprintf("function %s %s %s", call.Function.Name, call.Function.Arguments, call.ID))
			case call.CodeInterpreter != nil:
				said = append(said, "code "+call.CodeInterpreter.Input)
			default:
				said = append(said, "search")
			}
		}
	}
	return said, images
}

// wordsOf are the texts of a message, without the marks of citations, and the number of its images.
func wordsOf(m *assistants.Message) (words []string, images int) {
	for _, part := range m.Content {
		switch {
		case part.Text != nil:
			text := part.Text.Value
			for i := len(part.Text.Annotations) - 1; i >= 0; i-- {
				if a := part.Text.Annotations[i]; a.FileCitation != nil {
					runes := []rune(text)
					text = string(runes[:a.StartIndex]) + string(runes[a.EndIndex:])
				}
			}
			words = append(words, "text: "+text)
		case part.Type == assistants.ContentRefusal:
			words = append(words, "refusal: "+part.Refusal)
		default:
			images++
		}
	}
	return words, images
}

func goldenFile(name string) string {
	return filepath.Join("testdata", "models", strings.NewReplacer(" ", "_", ",", "").Replace(name)+".golden")
}

// golden compares a text with a file of testdata/models, or writes it there.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := goldenFile(name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run the test with -update to write it")
	if !bytes.Equal(want, []byte(got)) {
		require.Equal(t, string(want), got)
	}
}
