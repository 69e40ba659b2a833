package server_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

const codeTool = `{"type":"code_interpreter"}`

// without is an action that fails unless a call is for a run with a tool, if the script is strict.
func without(tool string) string {
	return fmt.Sprintf("The script uses the tool %q, which the run does not offer.", tool)
}

// What a script does with files it does in any run, and a strict one only in those that offer the tool for it.
func TestScriptedFilesStrictly(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tools   string
		actions []server.Action
		wrong   string // what becomes of it in a strict script; "": it is right
		loose   string // what is said in another one
		files   int    // that another one makes
	}{
		"search":             {searchTool, []server.Action{server.SearchFiles("hello"), server.CiteResult(0)}, "", "【4:0†a.txt】", 0},
		"search of ours":     {searchTool, []server.Action{server.SearchFiles(), server.CiteResult(0)}, "", "【4:0†a.txt】", 0},
		"search, no tool":    {codeTool, []server.Action{server.SearchFiles("hello"), server.CiteResult(0)}, without("file_search"), "【4:0†a.txt】", 0},
		"result of none":     {searchTool, []server.Action{server.Say("x"), server.CiteResult(0)}, "The script cites result 0 of 0.", "x", 0},
		"result behind all":  {searchTool, []server.Action{server.SearchFiles(), server.Say("x"), server.CiteResult(1)}, "The script cites result 1 of 1.", "x", 0},
		"result before all":  {searchTool, []server.Action{server.SearchFiles(), server.Say("x"), server.CiteResult(-1)}, "The script cites result -1 of 1.", "x", 0},
		"of the last search": {searchTool, []server.Action{server.SearchFiles(), server.SearchFiles("nothing"), server.Say("x"), server.CiteResult(0)}, "The script cites result 0 of 0.", "x", 0},
		"image":              {codeTool, []server.Action{server.RunCode("1", ""), server.ShowImage("a.png", nil), server.Say("x")}, "", "x", 1},
		"image, no tool":     {searchTool, []server.Action{server.RunCode("1", ""), server.ShowImage("a.png", nil), server.Say("x")}, without("code_interpreter"), "x", 1},
		"link":               {codeTool, []server.Action{server.LinkFile("a.csv", []byte("x"))}, "", "sandbox:/mnt/data/a.csv", 1},
		"link, no tool":      {searchTool, []server.Action{server.LinkFile("a.csv", []byte("x"))}, without("code_interpreter"), "sandbox:/mnt/data/a.csv", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, strict := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					model := server.NewScripted(server.Otherwise(test.actions...))
					if strict {
						model.Strict()
					}
					c := newConvo(t, model)
					c.hasStore(c.newStore(c.upload("a.txt", "Hello there.")))
					c.mayUse(test.tools, "")
					synctest.Wait()
					run := c.finished("")
					if strict && test.wrong != "" {
						require.Equal(t, "failed", run.Status)
						assert.Equal(t, test.wrong, run.LastError.Message)
						assert.Empty(t, c.ids("/v1/files?purpose=assistants_output"), "nothing is made that is not wanted")
						return
					}
					require.Equal(t, "completed", run.Status, c.log)
					said := c.messages(c.thread)
					assert.Equal(t, test.loose, said[len(said)-1].text(t))
					assert.Len(t, c.ids("/v1/files?purpose=assistants_output"), test.files)
				})
			}
		})
	}
}

// A result is looked for with the user's last words, unless there are none.
func TestSearchFilesForWhatIsAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked [][]string
		c := newConvo(t, searching(), server.WithRetriever(retrieverFunc(func(_ string, q server.IndexQuery) ([]server.Passage, error) {
			asked = append(asked, q.Queries)
			return nil, nil
		})))
		store := searchResources(c.newStore())
		for _, content := range []string{
			`"Old?"},{"role":"assistant","content":"What?"},{"role":"user","content":"New?"},{"role":"assistant","content":"So?"`,
			`"` + strings.Repeat("雪", 2000) + `"`,
			`[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]`,
		} {
			c.thread = c.made("/v1/threads", `{"messages":[{"role":"user","content":`+content+`}],"tool_resources":`+store+`}`)
			require.Equal(t, "completed", c.finished("").Status)
		}
		c.thread, c.assistant = c.made("/v1/threads", `{"tool_resources":`+store+`}`), c.create(`{"model":"m","instructions":"Greet."}`)
		require.Equal(t, "completed", c.finished("").Status)
		assert.Equal(t, [][]string{{"New?"}, {strings.Repeat("雪", 1365)}}, asked, "whole characters, as many as count")
	})
}

// Images that code shows are outputs of it, and begin the message that follows: section 11 of docs/protocol.md.
func TestShowImage(t *testing.T) {
	t.Parallel()
	const said = `{"type":"text","text":{"value":"Here.","annotations":[]}}`
	image := func(id string) string {
		return `{"type":"image_file","image_file":{"file_id":"` + id + `","detail":"auto"}}`
	}
	output := func(id string) string { return `{"type":"image","image":{"file_id":"` + id + `"}}` }
	logs := `{"type":"logs","logs":"1"}`
	show := func(name string) server.Action { return server.ShowImage(name, []byte(name)) }
	for name, test := range map[string]struct {
		actions  []server.Action
		outputs  []string // of each call
		contents []string // of each message
	}{
		"in front of text": {
			[]server.Action{server.RunCode("plot()", ""), show("a"), server.Say("Here.")},
			[]string{output("file_1")}, []string{image("file_1") + "," + said},
		},
		"behind logs": {
			[]server.Action{server.RunCode("plot()", "1"), show("a"), server.Say("Here.")},
			[]string{logs + "," + output("file_1")}, []string{image("file_1") + "," + said},
		},
		"two": {
			[]server.Action{server.RunCode("plot()", ""), show("a"), server.Yield(server.CodeLogs("1")), show("b"), server.Say("Here.")},
			[]string{output("file_1") + "," + logs + "," + output("file_2")}, []string{image("file_1") + "," + image("file_2") + "," + said},
		},
		"of two calls": {
			[]server.Action{server.RunCode("plot()", ""), show("a"), server.RunCode("plot()", ""), show("b"), server.Say("Here.")},
			[]string{output("file_1"), output("file_2")}, []string{image("file_1") + "," + image("file_2") + "," + said},
		},
		"twice": {
			[]server.Action{server.RunCode("a", ""), show("a"), server.Say("Here."), server.RunCode("b", ""), show("b"), server.Say("Here.")},
			[]string{output("file_1"), output("file_2")}, []string{image("file_1") + "," + said, image("file_2") + "," + said},
		},
		"behind text": {
			[]server.Action{server.Say("Here."), server.RunCode("plot()", ""), show("a")},
			[]string{output("file_1")}, []string{said, image("file_1")},
		},
		"nothing behind it": {
			[]server.Action{server.RunCode("plot()", ""), show("a"), server.Yield(server.Usage{})},
			[]string{output("file_1")}, []string{image("file_1")},
		},
		"an end behind it": {
			[]server.Action{server.RunCode("plot()", ""), show("a"), server.Yield(server.FinishStop)},
			[]string{output("file_1")}, []string{image("file_1")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, server.NewScripted(server.Otherwise(test.actions...)))
			c.mayUse(codeTool, "")
			events := c.open(c.thread).all()
			var outputs, contents []string
			for _, s := range c.steps(c.thread, runID(t, events)) {
				if s.Type == "tool_calls" {
					_, after, _ := strings.Cut(string(s.StepDetails.ToolCalls), `"outputs":[`)
					outputs = append(outputs, strings.TrimSuffix(after, "]}}]"))
				}
			}
			for _, m := range c.messages(c.thread)[1:] {
				contents = append(contents, strings.Trim(string(m.Content), "[]"))
			}
			assert.Equal(t, test.outputs, outputs)
			require.Len(t, contents, len(test.contents))
			for i, want := range test.contents {
				assert.JSONEq(t, "["+want+"]", string(c.messages(c.thread)[1:][i].Content))
			}
		})
	}
}

// The events of an image, and that it is a file.
func TestShowImageInAStream(t *testing.T) {
	t.Parallel()
	c := newConvo(t, server.NewScripted(server.Otherwise(
		server.RunCode("plot()", ""), server.ShowImage("/mnt/data/plot.png", []byte("\x89PNG")), server.Say("Here."))))
	c.mayUse(codeTool, "")
	lines := told(t, c.open(c.thread).all())
	require.Equal(t, []string{
		`step.delta [{"index":0,"id":"call_1","type":"code_interpreter","code_interpreter":{"input":"","outputs":[]}}]`,
		`step.delta [{"index":0,"type":"code_interpreter","code_interpreter":{"input":"plot()"}}]`,
		`step.delta [{"index":0,"type":"code_interpreter","code_interpreter":{"outputs":[{"index":0,"type":"image","image":{"file_id":"file_1"}}]}}]`,
		`step.completed tool_calls 0+0 [{"id":"call_1","type":"code_interpreter","code_interpreter":{"input":"plot()","outputs":[{"type":"image","image":{"file_id":"file_1"}}]}}]`,
		`step.created message_creation`, `step.in_progress message_creation`, `message.created []`, `message.in_progress []`,
		`message.delta [{"index":0,"type":"image_file","image_file":{"file_id":"file_1","detail":"auto"}}]`,
		`message.delta [{"index":1,"type":"text","text":{"value":"Here.","annotations":[]}}]`,
	}, lines[5:15])
	assert.Equal(t, fileOf("file_1", "assistants_output", "plot.png", 4, field[int64](t, c.ok("GET", "/v1/files/file_1", ""), "created_at"), "null"),
		c.ok("GET", "/v1/files/file_1", ""))
	assert.Equal(t, "\x89PNG", c.ok("GET", "/v1/files/file_1/content", ""))
}

// An image without code is a mistake of the script.
func TestShowImageWithoutCode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, server.NewScripted(server.Otherwise(server.ShowImage("a.png", nil))))
		assert.Equal(t, "failed", c.finished("").Status)
		assert.Contains(t, c.log.String(), "code or outputs of no call of the code interpreter")
	})
}

// A link stands over the path where the text has it, in front of the action, and else behind the text.
func TestLinkFile(t *testing.T) {
	t.Parallel()
	const path = "sandbox:/mnt/data/a é.csv" // 25 characters
	link := server.LinkFile("/mnt/data/a é.csv", []byte("a,b\n"))
	for name, test := range map[string]struct {
		actions []server.Action
		text    string
		start   int
		footed  string // with a link in the place of the path
	}{
		"in the text":     {[]server.Action{server.Say("See [🎉](" + path + ")."), link}, "See [🎉](" + path + ").", 8, "See [🎉](<file_1>)."},
		"then goes on":    {[]server.Action{server.Say("日本 " + path), link, server.Say(" is it.")}, "日本 " + path + " is it.", 3, "日本 <file_1> is it."},
		"behind the text": {[]server.Action{server.Say("Cafe\u0301: "), link, server.Say("!")}, "Cafe\u0301: " + path + "!", 7, "Cafe\u0301: <file_1>!"},
		"before the text": {[]server.Action{link, server.Say(" – and " + path)}, path + " – and " + path, 0, "<file_1> – and " + path},
		"nothing else":    {[]server.Action{link}, path, 0, "<file_1>"},
		"behind an image": {[]server.Action{server.RunCode("1", ""), server.ShowImage("p", nil), link}, path, 0, "<file_2>"},
		"behind the code": {[]server.Action{server.Say("At " + path + "."), server.RunCode("1", ""), link}, path, 0, "<file_1>"},
		"a longer path":   {[]server.Action{server.Say(path + "x "), link}, path + "x " + path, 27, path + "x <file_1>"},
		"cut in the text": {[]server.Action{server.Yield(server.Text("é" + path[:20])), server.Yield(server.Text(path[20:])), link}, "é" + path, 1, "é<file_1>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConvo(t, server.NewScripted(server.Otherwise(test.actions...)))
			c.mayUse(codeTool, "")
			events := c.open(c.thread).all()
			all := c.messages(c.thread)
			last := decoded[[]assistants.ContentPart](t, string(all[len(all)-1].Content))
			text := last[len(last)-1].Text
			require.NotNil(t, text)
			assert.Equal(t, test.text, text.Value)
			require.Len(t, text.Annotations, 1)
			a := text.Annotations[0]
			assert.Equal(t, assistants.AnnotationFilePath, a.Type)
			assert.Equal(t, []any{path, test.start, test.start + 25}, []any{a.Text, a.StartIndex, a.EndIndex})
			assert.Equal(t, path, string([]rune(text.Value)[a.StartIndex:a.EndIndex]))
			assert.Equal(t, test.footed, text.ReplaceAnnotations(func(a assistants.Annotation) string { return "<" + a.FileID() + ">" }))
			assert.Equal(t, "a,b\n", c.ok("GET", "/v1/files/"+a.FileID()+"/content", ""))

			var shown []assistants.Annotation
			for _, content := range contentsOf(t, events) {
				for _, part := range decoded[[]assistants.ContentPart](t, string(content)) {
					if part.Text != nil {
						shown = append(shown, part.Text.Annotations...)
					}
				}
			}
			require.Len(t, shown, 1)
			assert.Equal(t, a, shown[0])
		})
	}
}

// Links and citations, and what a program makes of them: through the client, which puts a stream together.
func TestFilesInOneMessage(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	api := server.New(server.WithIDSource(counter()), server.WithModel(server.NewScripted(server.Otherwise(
		server.SearchFiles(), server.RunCode("plot()", ""), server.ShowImage("plot.png", []byte("\x89PNG")),
		server.Say("🎉 sandbox:/mnt/data/a.csv says "), server.CiteResult(0), server.Say(" and so does "),
		server.LinkFile("b.csv", []byte("b")), server.LinkFile("a.csv", []byte("a")), server.Say("."),
	)).Strict()))
	defer func() { require.NoError(t, api.Close()) }()
	client, id := newTalk(api, assistants.Tool{Type: assistants.ToolFileSearch}, assistants.Tool{Type: assistants.ToolCodeInterpreter})
	file, err := client.Files.Upload(ctx, assistants.FileUploadParams{File: strings.NewReader("Hello there."), Filename: "a.txt"})
	require.NoError(t, err)
	message := assistants.UserMessage("Hello?")
	message.Attachments = []assistants.Attachment{{FileID: file.ID, Tools: []assistants.AttachmentTool{{Type: assistants.ToolFileSearch}}}}
	stream, err := client.Threads.CreateAndRunStream(ctx, assistants.ThreadCreateAndRunParams{
		AssistantID: id, Thread: assistants.ThreadCreateParams{Messages: []assistants.MessageCreateParams{message}}})
	require.NoError(t, err)
	defer stream.Close()
	run, err := stream.Wait()
	require.NoError(t, err)
	require.NoError(t, run.Err())
	collected := stream.Messages()[0]
	kept, err := client.Messages.Retrieve(ctx, run.ThreadID, collected.ID)
	require.NoError(t, err)
	for _, m := range []*assistants.Message{collected, kept} {
		require.Len(t, m.Content, 2)
		image, content := m.Content[0].ImageFile, m.Content[1].Text
		assert.Equal(t, "🎉 sandbox:/mnt/data/a.csv says 【4:0†a.txt】 and so does sandbox:/mnt/data/b.csv.", content.Value)
		assert.Equal(t, "🎉 (a) says (Hello there.) and so does (b).", content.ReplaceAnnotations(func(a assistants.Annotation) string {
			return "(" + download(ctx, t, client, a.FileID()) + ")"
		}))
		assert.Equal(t, "\x89PNG", download(ctx, t, client, image.FileID))
	}
}

func download(ctx context.Context, t *testing.T, client *assistants.Client, id string) string {
	t.Helper()
	content, err := client.Files.Content(ctx, id)
	require.NoError(t, err)
	defer content.Close()
	all, err := io.ReadAll(content)
	require.NoError(t, err)
	return string(all)
}

// A script stops wherever it is told to, also among the images that it holds back.
func TestScriptedFilesStopWhenTold(t *testing.T) {
	t.Parallel()
	calls := make(chan string, 1)
	script := server.NewScripted(server.Otherwise(
		server.SearchFiles(), server.RunCode("1", ""), server.ShowImage("a", nil), server.ShowImage("b", nil), server.CiteResult(0),
		server.LinkFile("c", nil), server.Say("x")))
	c := newConvo(t, server.NewScripted(server.Otherwise(func(ctx context.Context, call *server.ModelCall, _ func(server.ModelEvent, error) bool) bool {
		for stop := range 12 {
			seen := 0
			for range script.Respond(ctx, call) {
				if seen++; seen > stop {
					break
				}
			}
		}
		var all []string
		for event, err := range script.Respond(ctx, call) {
			all = append(all, strings.TrimPrefix(fmt.Sprintf("%T", event), "server."))
			if err != nil {
				all = append(all, err.Error())
			}
		}
		calls <- strings.Join(all, " ")
		return true
	})))
	c.hasStore(c.newStore(c.upload("a.txt", "Hello there.")))
	c.open(c.thread).all()
	assert.Equal(t, "SearchCall CodeCall CodeInput CodeImage CodeImage Image Image Citation FilePath Text Usage", <-calls)
}
