package responses_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// again has the assistant of a run answer once more, in the same thread.
func (h *house) again(s *assistants.Stream) *assistants.Stream {
	h.t.Helper()
	next, err := h.Runs.Stream(h.t.Context(), s.Run().ThreadID, assistants.RunCreateParams{AssistantID: s.Run().AssistantID})
	require.NoError(h.t, err)
	_, err = next.Wait()
	require.NoError(h.t, err)
	return next
}

const autoContainer, oldContainer = `"container":{"type":"auto"}`, `"container":"cntr_1"`

// Code runs where the code of the thread has run before.
func TestSession(t *testing.T) {
	t.Parallel()
	ran := stream(completed(code("ci_1", "1", "null"), message("msg_1", "One.")))
	h := build(t, ran)
	s := h.ask(codeTool)
	assert.Contains(t, h.fake.question(t, 0), autoContainer)
	h.again(s)
	assert.Contains(t, h.fake.question(t, 1), oldContainer)
	h.ask(codeTool)
	assert.Contains(t, h.fake.question(t, 2), autoContainer, "of another thread")
}

// Where that is gone the provider is asked once more, unless it has begun to answer.
func TestSessionGone(t *testing.T) {
	t.Parallel()
	const gone = `"message":"Container with id 'cntr_1' has expired."`
	ran := stream(completed(code("ci_1", "1", "null"), message("msg_1", "One.")))
	anew := stream(completed(message("msg_1", "Anew.")))
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		asked  int
		want   string
	}{
		"400":               {status(400, `{"error":{`+gone+`,"type":"invalid_request_error","param":null,"code":null}}`), 3, "completed"},
		"404":               {status(404, `{"error":{"message":"Container not found.","type":"x","code":null}}`), 3, "completed"},
		"an event":          {stream(created(), `{"type":"error","code":null,`+gone+`}`), 3, "completed"},
		"a failed response": {stream(`{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error",` + gone + `}}}`), 3, "completed"},
		"in the middle":     {stream(text(0, "Hel"), `{"type":"error","code":null,`+gone+`}`), 2, "failed"},
		"something else":    {status(400, `{"error":{"message":"Container is sad."}}`), 2, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, ran, test.answer, anew)
			s := h.again(h.ask(codeTool))
			assert.EqualValues(t, test.want, s.Run().Status)
			assert.Len(t, h.fake.asked, test.asked)
			assert.Contains(t, h.fake.question(t, 1), oldContainer)
			if name != "something else" {
				h.again(s)
				assert.Contains(t, h.fake.question(t, 2), autoContainer)
			}
		})
	}
	t.Run("again and again", func(t *testing.T) {
		t.Parallel()
		h := build(t, ran, status(400, `{"error":{`+gone+`}}`))
		s := h.again(h.ask(codeTool))
		assert.Equal(t, assistants.RunFailed, s.Run().Status)
		assert.Len(t, h.fake.asked, 3)
	})
}

// Files that code has made are fetched while the answer comes, and are files like others.
func TestMadeFile(t *testing.T) {
	t.Parallel()
	made := `{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_1","filename":"a.csv","start_index":0,"end_index":23}`
	h := build(t, stream(text(0, "sandbox:/mnt/data/a.csv"), annotated(0, 0, made), completed()))
	s := h.ask(codeTool)
	require.Len(t, s.Messages(), 1)
	notes := s.Messages()[0].Annotations()
	require.Len(t, notes, 1)
	file, err := h.Files.Retrieve(t.Context(), notes[0].FileID())
	require.NoError(t, err)
	assert.Equal(t, []any{"a.csv", assistants.PurposeAssistantsOutput}, []any{file.Filename, file.Purpose})
	assert.Equal(t, []string{"GET /v1/containers/cntr_1/files/cfile_1/content"}, h.fake.paths)
}

// A search is in the provider's copies of the vector stores; what it finds, and what is cited, are our files.
func TestSearch(t *testing.T) {
	t.Parallel()
	theirs := server.New()
	t.Cleanup(func() { require.NoError(t, theirs.Close()) })
	their, err := assistants.NewClient(assistants.WithHandler(theirs))
	require.NoError(t, err)
	h := build(t, func(w http.ResponseWriter, r *http.Request) {
		copied := ""
		for file, err := range their.Files.All(r.Context(), assistants.FileListParams{}) {
			assert.NoError(t, err)
			copied = file.ID
		}
		found := search("fs_1", `[{"file_id":"`+copied+`","filename":"a.txt","score":0.5,"text":"A"}]`)
		stream(completed(found, message("msg_1", "Hello.", `{"type":"file_citation","file_id":"`+copied+`","filename":"a.txt","index":5}`)))(w, r)
	})
	h.fake.rest = theirs
	ctx := t.Context()
	ours, err := h.Files.Upload(ctx, assistants.FileUploadParams{File: strings.NewReader("Alpha."), Filename: "a.txt"})
	require.NoError(t, err)
	store, err := h.VectorStores.Create(ctx, assistants.VectorStoreCreateParams{FileIDs: []string{ours.ID}})
	require.NoError(t, err)
	s := h.begin(assistants.AssistantCreateParams{
		Tools: []assistants.Tool{{FileSearch: &assistants.FileSearchOptions{MaxNumResults: 3,
			RankingOptions: &assistants.RankingOptions{Ranker: "default_2024_08_21", ScoreThreshold: 0.25}}}},
		ToolResources: assistants.ToolResources{FileSearch: &assistants.FileSearchResources{VectorStoreIDs: []string{store.ID}}},
	}, assistants.RunCreateParams{ToolChoice: assistants.ToolChoice{Type: assistants.ToolChoiceFileSearch}})
	_, err = s.Wait()
	require.NoError(t, err)

	var asked struct {
		Tools []struct {
			VectorStoreIDs []string `json:"vector_store_ids"`
		}
		Include    []string
		ToolChoice json.RawMessage `json:"tool_choice"`
	}
	question := h.fake.question(t, 0)
	require.NoError(t, json.Unmarshal([]byte(question), &asked))
	assert.Contains(t, question, `"max_num_results":3,"ranking_options":{"ranker":"auto","score_threshold":0.25}`)
	assert.Equal(t, []string{"file_search_call.results"}, asked.Include)
	assert.JSONEq(t, `{"type":"file_search"}`, string(asked.ToolChoice))
	require.Len(t, asked.Tools[0].VectorStoreIDs, 1)
	_, err = their.VectorStores.Retrieve(ctx, asked.Tools[0].VectorStoreIDs[0])
	require.NoError(t, err)

	assert.Equal(t, []string{"search default_2024_08_21 0.25: " + ours.ID + " a.txt 0.5 A",
		"message: Hello【4:0†a.txt】. [file_citation 【4:0†a.txt】 5-16]", "completed"}, told(t, h, s))
	assert.Equal(t, ours.ID, s.Messages()[0].Annotations()[0].FileID())
}

// A file of a container that cannot be had is a run that fails: its path would lead nowhere.
func TestMadeFileThatIsGone(t *testing.T) {
	t.Parallel()
	made := `{"type":"container_file_citation","container_id":"gone","file_id":"cfile_1","filename":"a.csv","start_index":0,"end_index":0}`
	h := build(t, stream(text(0, "Made."), annotated(0, 0, made), completed()))
	h.fake.gone = true
	run := h.ask(codeTool).Run()
	require.Equal(t, assistants.RunFailed, run.Status)
	assert.Equal(t, "Gone.", run.LastError.Message)
}

// A file that is named twice is fetched once.
func TestMadeFileIsFetchedOnce(t *testing.T) {
	t.Parallel()
	const name = "sandbox:/mnt/data/a.csv"
	made := `{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_1","filename":"a.csv","start_index":0,"end_index":23}`
	again := strings.NewReplacer(`"start_index":0`, `"start_index":24`, `"end_index":23`, `"end_index":47`).Replace(made)
	h := build(t, stream(completed(message("msg_1", name+" "+name, made, again))))
	s := h.ask(codeTool)
	message := s.Messages()[0]
	require.Len(t, message.Annotations(), 2)
	assert.Equal(t, message.Annotations()[0].FileID(), message.Annotations()[1].FileID())
	assert.Len(t, h.fake.paths, 1)
}
