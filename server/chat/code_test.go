package chat_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
	"github.com/assistants-go/assistants/server/chat"
)

// runnerFunc is a function that is a CodeRunner.
type runnerFunc func(ctx context.Context, code chat.Code) (chat.CodeResult, error)

func (f runnerFunc) RunCode(ctx context.Context, code chat.Code) (chat.CodeResult, error) {
	return f(ctx, code)
}

// newLab is a talk with an assistant that can run code, with one file.
func newLab(t *testing.T, runner runnerFunc, how ...http.HandlerFunc) (k *talk, fileID string) {
	t.Helper()
	k = newTalk(t, assistants.AssistantCreateParams{Tools: []assistants.Tool{{Type: assistants.ToolCodeInterpreter}, functionTool("f")}},
		[]chat.Option{chat.WithCodeRunner(runner)}, how...)
	file, err := k.client.Files.Upload(t.Context(), assistants.FileUploadParams{File: strings.NewReader("1,2"), Filename: "data.csv"})
	require.NoError(t, err)
	return k, file.ID
}

func (k *talk) withFiles(ids ...string) assistants.ThreadCreateAndRunParams {
	return assistants.ThreadCreateAndRunParams{ToolResources: assistants.ToolResources{CodeInterpreter: &assistants.CodeInterpreterResources{FileIDs: ids}}}
}

func runs(id, code string) string { return calls("0", id, "code_interpreter", `{"code":"`+code+`"}`) }

// closed notices that it was.
type closed struct {
	io.Reader
	done *bool
}

func (c closed) Close() error {
	*c.done = true
	return nil
}

// The model has code run, by ours, and links to what it has made.
func TestCode(t *testing.T) {
	t.Parallel()
	var got chat.Code
	var read string
	shut := false
	k, fileID := newLab(t, func(ctx context.Context, code chat.Code) (chat.CodeResult, error) {
		got = code
		content, err := code.Files[0].Open(ctx)
		if err != nil {
			return chat.CodeResult{}, err
		}
		defer content.Close()
		all, err := io.ReadAll(content)
		read = string(all)
		return chat.CodeResult{
			Logs:   "done",
			Images: []chat.CodeOutput{{Name: "plot.png", Content: strings.NewReader(pixel)}},
			Files:  []chat.CodeOutput{{Name: "my sums.csv", Content: closed{strings.NewReader("3"), &shut}}, {Name: "sums.csv.gz"}, {Name: "sums.csv"}},
		}, err
	},
		streams(word("I compute."), runs("c", "print(1)"), calls("1", "a", "f", "{}"), finish("tool_calls"), spent("10", "5"), done),
		streams(word("See [it](sandbox:/mnt/data/my%20sums.csv), sandbox:/mnt/data/su"), word("ms.csv.gz, sandbox:/mnt/data/sums.csv"),
			word(" and sandbox:/mnt/data/sums.csvx, sandbox:/mnt/data/sums.csv."), finish("stop"), spent("20", "6"), done))
	s := k.ask(k.withFiles(fileID))
	require.Equal(t, assistants.RunCompleted, s.run.Status, "%v %s", s.run.LastError, k.log)
	assert.Equal(t, []string{"message_creation", "code_interpreter", "function", "message_creation"}, s.kinds())

	assert.Equal(t, "print(1)", got.Input)
	assert.Equal(t, s.run.ThreadID, got.ThreadID)
	assert.Equal(t, s.run.ID, got.RunID)
	assert.Equal(t, "data.csv", got.Files[0].Name)
	assert.Equal(t, "/mnt/data/"+fileID, got.Files[0].Path)
	assert.Equal(t, "1,2", read)
	assert.True(t, shut)

	code := s.steps[1].StepDetails.ToolCalls[0]
	assert.Equal(t, "c", code.ID)
	assert.Equal(t, "print(1)", code.CodeInterpreter.Input)
	require.Len(t, code.CodeInterpreter.Outputs, 2)
	assert.Equal(t, "done", code.CodeInterpreter.Outputs[0].Logs)
	file, err := k.client.Files.Retrieve(t.Context(), code.CodeInterpreter.Outputs[1].Image.FileID)
	require.NoError(t, err)
	assert.Equal(t, "plot.png", file.Filename)

	var linked []string
	for _, a := range s.messages[1].Annotations() {
		file, err := k.client.Files.Retrieve(t.Context(), a.FileID())
		require.NoError(t, err)
		linked = append(linked, a.Text+" is "+file.Filename)
	}
	assert.ElementsMatch(t, []string{"sandbox:/mnt/data/my%20sums.csv is my sums.csv", "sandbox:/mnt/data/sums.csv.gz is sums.csv.gz",
		"sandbox:/mnt/data/sums.csv is sums.csv", "sandbox:/mnt/data/sums.csv is sums.csv"}, linked)

	assert.Contains(t, k.upstream.requests()[0], `/mnt/data/`+fileID+` is \"data.csv\"`)
	sent := k.sent(1)
	require.Len(t, sent, 4)
	assert.JSONEq(t, `{"role":"tool","tool_call_id":"c","content":"done\n[The user is shown this image: sandbox:/mnt/data/plot.png]`+
		`\n[This file is kept for the user: sandbox:/mnt/data/my sums.csv]\n[This file is kept for the user: sandbox:/mnt/data/sums.csv.gz]`+
		`\n[This file is kept for the user: sandbox:/mnt/data/sums.csv]"}`, sent[2])
	assert.JSONEq(t, `{"role":"tool","tool_call_id":"a","content":"echo {}"}`, sent[3])
	for i, want := range [][2]int{{0, 0}, {0, 0}, {10, 5}, {20, 6}} {
		assert.Equal(t, want, [2]int{s.steps[i].Usage.PromptTokens, s.steps[i].Usage.CompletionTokens}, i)
	}
}

// What is wrong with code, or with what runs it, is told to the model, which may try again.
func TestCodeThatFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		arguments string
		runner    runnerFunc
		told      string
	}{
		{`{"code":"1"}`, func(context.Context, chat.Code) (chat.CodeResult, error) {
			return chat.CodeResult{Logs: "so far"}, errors.New("no memory")
		}, "so far\nThe code could not be run: no memory"},
		{`{"code":"1"}`, func(context.Context, chat.Code) (chat.CodeResult, error) { panic("oops") }, "The code could not be run: panic: oops"},
		{`{"code":"1"}`, func(context.Context, chat.Code) (chat.CodeResult, error) { return chat.CodeResult{}, nil }, "The code has printed nothing."},
		{`print(1)`, func(_ context.Context, c chat.Code) (chat.CodeResult, error) {
			return chat.CodeResult{Logs: c.Input}, nil
		}, "print(1)"},
		{`{"code":1}`, nil, `The arguments cannot be read. They are a JSON object such as {"code":"print(1)"}.`},
		{`{"code":"pr`, nil, `The arguments cannot be read. They are a JSON object such as {"code":"print(1)"}.`},
	} {
		runner := test.runner
		if runner == nil {
			runner = func(context.Context, chat.Code) (chat.CodeResult, error) { panic("never") }
		}
		k, _ := newLab(t, runner, streams(calls("0", "c", "code_interpreter", test.arguments), finish("tool_calls")), answers("So."))
		s := k.hello()
		require.Equal(t, assistants.RunCompleted, s.run.Status, "%v %s", s.run.LastError, k.log)
		assert.Contains(t, k.sent(1)[2], quoted(test.told))
	}
}

// Long logs are for the caller; the model is told that it does not see all.
func TestLongLogs(t *testing.T) {
	t.Parallel()
	k, _ := newLab(t, func(context.Context, chat.Code) (chat.CodeResult, error) {
		return chat.CodeResult{Logs: strings.Repeat("é", 50_000)}, nil
	}, streams(runs("c", "1"), finish("tool_calls")), answers("So."))
	s := k.hello()
	assert.Len(t, s.steps[0].StepDetails.ToolCalls[0].CodeInterpreter.Outputs[0].Logs, 100_000)
	assert.Contains(t, k.sent(1)[2], `é\n[34464 more bytes of output are not shown]`)
}

// A file that cannot be kept fails the run, and the log says why.
func TestFileThatCannotBeKept(t *testing.T) {
	t.Parallel()
	for _, made := range []chat.CodeOutput{{Name: ".."}, {Name: "a", Content: io.MultiReader(strings.NewReader("a"), broken{})}} {
		for _, result := range []chat.CodeResult{{Files: []chat.CodeOutput{made}}, {Images: []chat.CodeOutput{made}}} {
			k, _ := newLab(t, func(context.Context, chat.Code) (chat.CodeResult, error) { return result, nil },
				streams(runs("c", "1"), finish("tool_calls")))
			s := k.hello()
			assert.Equal(t, assistants.RunFailed, s.run.Status)
			assert.Contains(t, k.log.String(), "cause=")
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// A run that is cancelled while its code runs ends, and so does the code.
func TestCancelledCode(t *testing.T) {
	t.Parallel()
	var k *talk
	var stopped error
	k, _ = newLab(t, func(ctx context.Context, code chat.Code) (chat.CodeResult, error) {
		_, err := k.client.Runs.Cancel(t.Context(), code.ThreadID, code.RunID)
		require.NoError(t, err)
		<-ctx.Done()
		stopped = ctx.Err()
		return chat.CodeResult{Logs: "late"}, stopped
	}, streams(runs("c", "1"), finish("tool_calls"), spent("10", "5"), done))
	s := k.hello()
	assert.Equal(t, assistants.RunCancelled, s.run.Status)
	assert.Equal(t, 10, s.run.Usage.PromptTokens, "what it has cost is known")
	assert.ErrorIs(t, stopped, context.Canceled)
	assert.Empty(t, s.steps[0].StepDetails.ToolCalls[0].CodeInterpreter.Outputs)
}

// A file of code is one of a run.
func TestCodeFileOfNoRun(t *testing.T) {
	t.Parallel()
	_, err := chat.CodeFile{ID: "file-1"}.Open(t.Context())
	assert.ErrorIs(t, err, server.ErrNotFound)
}
