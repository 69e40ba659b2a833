package server_test

import (
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/server"
)

// codeResources are tool resources with these files for the code interpreter.
func codeResources(files ...string) string {
	ids := make([]string, len(files))
	for i, id := range files {
		ids[i] = quoted(id)
	}
	return `"tool_resources":{"code_interpreter":{"file_ids":[` + strings.Join(ids, ",") + `]}}`
}

// withCode is an assistant with these files.
func withCode(files ...string) string {
	return `{"model":"m","tools":[{"type":"code_interpreter"}],` + codeResources(files...) + `}`
}

// codeFiles returns the code interpreter's files of an assistant or a thread.
func (a *api) codeFiles(target string) []string {
	a.t.Helper()
	var resources struct {
		ToolResources struct {
			CodeInterpreter struct {
				FileIDs []string `json:"file_ids"`
			} `json:"code_interpreter"`
		} `json:"tool_resources"`
	}
	resources = decodedInto(a.t, a.ok("GET", target, ""), resources)
	return resources.ToolResources.CodeInterpreter.FileIDs
}

func decodedInto[T any](t testing.TB, body string, _ T) T {
	t.Helper()
	return field[T](t, `{"of":`+body+`}`, "of")
}

// Whoever names a file that is not there is refused, and nothing comes of it.
func TestFilesMustExist(t *testing.T) {
	t.Parallel()
	memory := server.NewMemoryStore()
	a := newAPI(t, server.WithStore(memory))
	a.upload("a", "x")
	assistant, thread := a.create(withCode("file_1")), a.thread("Hello")
	image := `{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_file","image_file":{"file_id":"file_2"}}]}`
	attached := `{"role":"user","content":"x","attachments":[{"file_id":"file_1","tools":[{"type":"code_interpreter"}]},{"file_id":"file_2"}]}`
	coded := `{"role":"user","content":"x","attachments":[{"file_id":"file_1","tools":[{"type":"code_interpreter"}]},
		{"file_id":"file_2","tools":[{"type":"code_interpreter"}]}]}`
	before := memory.Collections()
	for _, message := range []string{image, attached, coded} {
		a.refuses("POST", thread+"/messages", message, 404, noFile("file_2"))
		a.refuses("POST", "/v1/threads", `{"messages":[`+message+`]}`, 404, noFile("file_2"))
		a.refuses("POST", thread+"/runs", `{"assistant_id":"`+assistant+`","additional_messages":[`+message+`]}`, 404, noFile("file_2"))
		a.refuses("POST", "/v1/threads/runs", beginThere(assistant, `{"messages":[`+message+`]}`), 404, noFile("file_2"))
	}
	a.refuses("POST", "/v1/assistants", withCode("file_1", "file_2"), 404, noFile("file_2"))
	a.refuses("POST", "/v1/assistants/"+assistant, `{`+codeResources("file_2")+`}`, 404, noFile("file_2"))
	a.refuses("POST", "/v1/threads", `{`+codeResources("file_1", "file_2")+`}`, 404, noFile("file_2"))
	a.refuses("POST", thread, `{`+codeResources("file_1", "file_2")+`}`, 404, noFile("file_2"))
	a.refuses("POST", "/v1/threads/runs", beginThere(assistant, `{"messages":[{"role":"user","content":"x"}],`+codeResources("file_2")+`}`), 404, noFile("file_2"))
	a.refuses("POST", "/v1/threads/runs", `{"assistant_id":"`+assistant+`",`+codeResources("file_1", "file_2")+`}`, 404, noFile("file_2"))
	require.Equal(t, before, memory.Collections())
	require.Equal(t, []string{"file_1"}, a.codeFiles("/v1/assistants/"+assistant))
	require.Empty(t, a.codeFiles(thread))
	users, err := memory.List(t.Context(), server.Collection{Kind: "file.use", Parent: "file_1"}, server.Query{Limit: 100})
	require.NoError(t, err)
	require.Len(t, users.Records, 1)
}

// A deleted file is taken away from all who use it, however they have come by it, and from nobody else.
func TestDeletedFilesAreTakenAway(t *testing.T) {
	t.Parallel()
	memory := server.NewMemoryStore()
	a := newAPI(t, server.WithStore(memory))
	a.uploads(3)
	const attached = `{"role":"user","content":"x","attachments":[{"file_id":"file_2","tools":[{"type":"code_interpreter"}]}]}`
	assistant := func(body string) string { return "/v1/assistants/" + a.create(body) }
	thread := func(body string) string { return "/v1/threads/" + a.made("/v1/threads", body) }
	modified, replaced, toolless := assistant(withCode("file_1")), assistant(withCode("file_2")), assistant(`{"model":"m",`+codeResources("file_2")+`}`)
	a.ok("POST", modified, `{`+codeResources("file_3", "file_2", "file_1")+`}`)
	a.ok("POST", replaced, `{`+codeResources("file_3")+`}`)
	begun, said, changed := thread(`{"messages":[`+attached+`]}`), thread(`{`+codeResources("file_1")+`}`), thread(`{}`)
	a.ok("POST", said+"/messages", attached)
	a.ok("POST", changed, `{`+codeResources("file_2")+`,"metadata":{"k":"v"}}`)
	gone, goneThread := assistant(withCode("file_2")), thread(`{`+codeResources("file_2")+`}`)
	a.ok("DELETE", gone, "")
	a.ok("DELETE", goneThread, "")

	users, err := memory.List(t.Context(), server.Collection{Kind: "file.use", Parent: "file_2"}, server.Query{Limit: 100})
	require.NoError(t, err)
	require.Len(t, users.Records, 5, "those that are gone, or have other files now, use it no more")

	a.ok("DELETE", "/v1/files/file_2", "")
	for target, want := range map[string][]string{
		modified: {"file_3", "file_1"}, replaced: {"file_3"}, begun: {}, said: {"file_1"}, changed: {},
	} {
		assert.Equal(t, want, a.codeFiles(target), target)
	}
	assert.Contains(t, a.ok("GET", toolless, ""), `"tool_resources":{}`)
	assert.Contains(t, a.ok("GET", changed, ""), `"metadata":{"k":"v"}`)
	for _, target := range []string{modified, said} {
		a.ok("POST", target, `{"metadata":{"a":"b"}}`)
		a.ok("POST", target, `{"tool_resources":null}`)
	}
	a.ok("DELETE", "/v1/files/file_1", "")
	for _, id := range []string{"file_1", "file_2"} {
		users, err := memory.List(t.Context(), server.Collection{Kind: "file.use", Parent: id}, server.Query{Limit: 100})
		require.NoError(t, err)
		require.Empty(t, users.Records)
	}
	require.Contains(t, a.ok("GET", begun+"/messages", ""), `"file_id":"file_2"`, "what was said was said")
}

// A run goes on with what it was begun with.
func TestFileDeletedDuringARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConvo(t, asking())
		c.upload("a", "x")
		c.ok("POST", "/v1/threads/"+c.thread, `{`+codeResources("file_1")+`}`)
		c.ok("POST", "/v1/assistants/"+c.assistant, withCode("file_1"))
		id := c.begin(c.thread)
		synctest.Wait()
		c.ok("DELETE", "/v1/files/file_1", "")
		require.Empty(t, c.codeFiles("/v1/threads/"+c.thread))
		require.Empty(t, c.codeFiles("/v1/assistants/"+c.assistant))
		require.Equal(t, 200, c.submit(c.thread, id, outputs("", "call_a")).status)
		synctest.Wait()
		require.Equal(t, "completed", c.run(c.thread, id).Status)
	})
}

// Of a file that is deleted while others begin to use it, nobody keeps the id.
func TestFilesDeletedWhileTheyComeIntoUse(t *testing.T) {
	t.Parallel()
	memory := server.NewMemoryStore()
	a := newAPI(t, server.WithStore(memory))
	assistant, thread := "/v1/assistants/"+a.create(withCode()), a.thread("Hello")
	for round := range 100 {
		file := a.upload("a", "x")
		var group sync.WaitGroup
		var mu sync.Mutex
		targets := []string{assistant, thread}
		attempt := func(target, body string) {
			group.Go(func() {
				got := a.do("POST", target, body)
				assert.Contains(t, []int{200, 404}, got.status, got.body)
				if made := target == "/v1/assistants" || target == "/v1/threads"; made && got.status == 200 {
					mu.Lock()
					defer mu.Unlock()
					targets = append(targets, target+"/"+field[string](t, got.body, "id"))
				}
			})
		}
		attempt("/v1/assistants", withCode(file))
		attempt(assistant, `{`+codeResources(file)+`}`)
		attempt(thread, `{`+codeResources(file)+`}`)
		attempt("/v1/threads", `{`+codeResources(file)+`}`)
		attempt(thread+"/messages", `{"role":"user","content":"x","attachments":[{"file_id":"`+file+`","tools":[{"type":"code_interpreter"}]}]}`)
		group.Go(func() { assert.Equal(t, 200, a.do("DELETE", "/v1/files/"+file, "").status) })
		group.Wait()
		for _, target := range targets {
			require.Empty(t, a.codeFiles(target), strconv.Itoa(round)+target)
		}
		users, err := memory.List(t.Context(), server.Collection{Kind: "file.use", Parent: file}, server.Query{Limit: 100})
		require.NoError(t, err)
		require.Empty(t, users.Records)
	}
}

// A file that is deleted just before its user gets into the store is taken away from that too.
func TestFileDeletedBeforeItsUserIsThere(t *testing.T) {
	t.Parallel()
	for kind, target := range map[string]string{"assistant": "/v1/assistants", "thread": "/v1/threads"} {
		store := &hookStore{Store: server.NewMemoryStore()}
		a := newAPI(t, server.WithStore(store))
		a.upload("a", "x")
		deleted := make(chan answer, 1)
		store.insert = func(c server.Collection) error {
			if c.Kind != kind {
				return nil
			}
			go func() { deleted <- a.do("DELETE", "/v1/files/file_1", "") }()
			for left := 300_000; left > 0 && len(deleted) == 0; left-- { // it waits for its user, or would be done soon
				runtime.Gosched()
			}
			return nil
		}
		body := map[string]string{"assistant": withCode("file_1"), "thread": `{` + codeResources("file_1") + `}`}[kind]
		id := a.made(target, body)
		require.Equal(t, 200, (<-deleted).status)
		require.Empty(t, a.codeFiles(target+"/"+id))
	}
}
