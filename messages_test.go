package assistants_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants"
)

const fullMessage = `{"id":"msg_1","object":"thread.message","created_at":1700000002,"assistant_id":"asst_1","thread_id":"thread_1",
	"run_id":"run_1","status":"incomplete","incomplete_details":{"reason":"max_tokens"},"incomplete_at":1700000004,
	"completed_at":1700000003,"role":"assistant","content":[
		{"type":"text","text":{"value":"See 【4:0†a.txt】 and sandbox:/b.csv","annotations":[
			{"type":"file_citation","text":"【4:0†a.txt】","start_index":4,"end_index":14,"file_citation":{"file_id":"file-1","quote":"q"}},
			{"type":"file_path","text":"sandbox:/b.csv","start_index":19,"end_index":33,"file_path":{"file_id":"file-2"}},
			{"type":"url_citation","text":"","start_index":0,"end_index":1,"url_citation":{"url":"https://x.example","title":"X"}}]}},
		{"type":"image_file","image_file":{"file_id":"file-3","detail":"low"}},
		{"type":"image_url","image_url":{"url":"https://x.example/y.png","detail":"high"}},
		{"type":"refusal","refusal":"I would rather not."},
		{"type":"text","text":{"value":"More.","annotations":[]}}],
	"attachments":[{"file_id":"file-1","tools":[{"type":"file_search"},{"type":"code_interpreter"}]},{"file_id":"file-2","tools":[]}],
	"metadata":{"k":"v"},"file_ids":["file-9"]}`

func assistantsError(err error) (*assistants.APIError, bool) {
	e, ok := errors.AsType[*assistants.APIError](err)
	return e, ok
}

// pageOf is a page of one.
func pageOf(object, id string) string {
	return `{"object":"list","data":[` + object + `],"first_id":"` + id + `","last_id":"` + id + `","has_more":true}`
}

func TestMessagesRequests(t *testing.T) {
	t.Parallel()
	type ctx = context.Context
	type client = *assistants.Client
	create := func(params assistants.MessageCreateParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idOf(c.Messages.Create(ctx, "thread_1", params)) }
	}
	modify := func(params assistants.MessageModifyParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) {
			return idOf(c.Messages.Modify(ctx, "thread_1", "msg_1", params))
		}
	}
	list := func(params assistants.MessageListParams) func(ctx, client) (string, error) {
		return func(ctx ctx, c client) (string, error) { return idsOf(c.Messages.List(ctx, "thread_1", params)) }
	}
	low := assistants.ImageFilePart("file-1")
	low.ImageFile.Detail = assistants.ImageDetailLow
	high := assistants.ImageURLPart("https://x.example/y.png")
	high.ImageURL.Detail = assistants.ImageDetailHigh
	const many, one = "/threads/thread_1/messages", "/threads/thread_1/messages/msg_1"
	page := pageOf(fullMessage, "msg_1")
	exchanges := []exchange{
		{"retrieve", "GET", one, "", fullMessage, "msg_1", func(ctx ctx, c client) (string, error) {
			return idOf(c.Messages.Retrieve(ctx, "thread_1", "msg_1"))
		}},
		{"modify nothing", "POST", one, `{}`, fullMessage, "msg_1", modify(assistants.MessageModifyParams{})},
		{"modify", "POST", one, `{"metadata":{"k":"v"}}`, fullMessage, "msg_1",
			modify(assistants.MessageModifyParams{Metadata: assistants.Set(assistants.Metadata{"k": "v"})})},
		{"modify to what is empty", "POST", one, `{"metadata":{}}`, fullMessage, "msg_1",
			modify(assistants.MessageModifyParams{Metadata: assistants.Set(assistants.Metadata{})})},
		{"clear", "POST", one, `{"metadata":null}`, fullMessage, "msg_1",
			modify(assistants.MessageModifyParams{Metadata: assistants.Null[assistants.Metadata]()})},
		{"delete", "DELETE", one, "", `{"id":"msg_1","object":"thread.message.deleted","deleted":true}`, "msg_1 thread.message.deleted true",
			func(ctx ctx, c client) (string, error) { return deletedOf(c.Messages.Delete(ctx, "thread_1", "msg_1")) }},
		{"list", "GET", many, "", page, "msg_1..msg_1 true: msg_1", list(assistants.MessageListParams{})},
		{"list with everything", "GET", many + "?after=msg_0&before=msg_9&limit=5&order=asc&run_id=run_1", "", page, "msg_1..msg_1 true: msg_1",
			list(assistants.MessageListParams{
				Limit: 5, Order: assistants.OrderAsc, After: "msg_0", Before: "msg_9", RunID: "run_1"})},
	}
	for name, test := range map[string]struct {
		params assistants.MessageCreateParams
		body   string
	}{
		"an empty text":          {assistants.MessageCreateParams{Role: assistants.RoleUser}, `{"role":"user","content":""}`},
		"of the user":            {assistants.UserMessage("hi"), `{"role":"user","content":"hi"}`},
		"of the user, empty":     {assistants.UserMessage(""), `{"role":"user","content":""}`},
		"of the user, and image": {assistants.UserMessage("hi", assistants.ImageFilePart("file-1")), `{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_file","image_file":{"file_id":"file-1"}}]}`},
		"of the user, image":     {assistants.UserMessage("", assistants.ImageURLPart("u")), `{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}`},
		"no parts":               {assistants.MessageCreateParams{Role: assistants.RoleUser, Parts: []assistants.ContentPartParam{}}, `{"role":"user","content":[]}`},
		"details":                {assistants.UserMessage("", low, high), `{"role":"user","content":[{"type":"image_file","image_file":{"file_id":"file-1","detail":"low"}},{"type":"image_url","image_url":{"url":"https://x.example/y.png","detail":"high"}}]}`},
		"parts without a type": {assistants.MessageCreateParams{Role: assistants.RoleAssistant, Parts: []assistants.ContentPartParam{
			{Text: "a"}, {ImageFile: &assistants.ImageFile{FileID: "file-1", Detail: assistants.ImageDetailAuto}}, {ImageURL: &assistants.ImageURL{URL: "u"}}, {Type: assistants.ContentText},
		}}, `{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"image_file","image_file":{"file_id":"file-1","detail":"auto"}},
			{"type":"image_url","image_url":{"url":"u"}},{"type":"text","text":""}]}`},
		"everything": {assistants.MessageCreateParams{Role: assistants.RoleAssistant, Content: "hi",
			Attachments: []assistants.Attachment{
				{FileID: "file-1", Tools: []assistants.AttachmentTool{{Type: assistants.ToolFileSearch}, {Type: assistants.ToolCodeInterpreter}}},
				{FileID: "file-2"}, {FileID: "file-3", Tools: []assistants.AttachmentTool{}},
			},
			Metadata: assistants.Metadata{"k": "v"}, FileIDs: []string{"file-4"},
		}, `{"role":"assistant","content":"hi","attachments":[{"file_id":"file-1","tools":[{"type":"file_search"},{"type":"code_interpreter"}]},
			{"file_id":"file-2"},{"file_id":"file-3","tools":[]}],"metadata":{"k":"v"},"file_ids":["file-4"]}`},
		"everything with parts": {assistants.MessageCreateParams{Role: assistants.RoleUser, Parts: []assistants.ContentPartParam{assistants.TextPart("hi")},
			Attachments: []assistants.Attachment{{FileID: "file-1"}}, Metadata: assistants.Metadata{"k": "v"}, FileIDs: []string{"file-4"},
		}, `{"role":"user","content":[{"type":"text","text":"hi"}],"attachments":[{"file_id":"file-1"}],"metadata":{"k":"v"},"file_ids":["file-4"]}`},
		"what is empty": {assistants.MessageCreateParams{Role: assistants.RoleUser, Content: "hi", Attachments: []assistants.Attachment{}, Metadata: assistants.Metadata{}, FileIDs: []string{}},
			`{"role":"user","content":"hi","attachments":[],"metadata":{},"file_ids":[]}`},
	} {
		exchanges = append(exchanges, exchange{"create: " + name, "POST", many, test.body, fullMessage, "msg_1", create(test.params)})
	}
	checkExchanges(t, exchanges)
}

// A message that contradicts itself is not sent, wherever it is.
func TestMessageContradictions(t *testing.T) {
	t.Parallel()
	file, url := &assistants.ImageFile{FileID: "file-1"}, &assistants.ImageURL{URL: "u"}
	of := func(part assistants.ContentPartParam) assistants.MessageCreateParams {
		return assistants.UserMessage("", part)
	}
	for name, test := range map[string]struct {
		params assistants.MessageCreateParams
		says   string
	}{
		"nothing":            {assistants.MessageCreateParams{}, "no role"},
		"no role":            {assistants.MessageCreateParams{Content: "hi"}, "no role"},
		"content and parts":  {assistants.MessageCreateParams{Role: "user", Content: "hi", Parts: []assistants.ContentPartParam{}}, "Content and Parts at once"},
		"an empty part":      {of(assistants.ContentPartParam{}), "no type"},
		"text and image":     {of(assistants.ContentPartParam{Type: "text", ImageFile: file}), `field of type "image_file"`},
		"text with image":    {of(assistants.ContentPartParam{Text: "hi", ImageURL: url}), "text and image_url at once"},
		"two images":         {of(assistants.ContentPartParam{ImageFile: file, ImageURL: url}), "image_file and image_url at once"},
		"image without one":  {of(assistants.ContentPartParam{Type: "image_url"}), "nothing to send"},
		"image of text":      {of(assistants.ContentPartParam{Type: "image_file", Text: "hi"}), `field of type "text"`},
		"a refusal":          {of(assistants.ContentPartParam{Type: "refusal"}), "nothing to send"},
		"the second of them": {assistants.UserMessage("hi", assistants.TextPart("ho"), assistants.ContentPartParam{}), "no type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTransport(t, answer(200, fullMessage))
			c := newClient(t, tr)
			within := []assistants.MessageCreateParams{assistants.UserMessage("good"), test.params}
			for want, call := range map[string]func() error{
				"POST /threads: ": func() error {
					_, err := c.Threads.Create(t.Context(), assistants.ThreadCreateParams{Messages: within})
					return err
				},
				"POST /threads/thread_1/messages: ": func() error {
					_, err := c.Messages.Create(t.Context(), "thread_1", test.params)
					return err
				},
				"POST /threads/thread_1/runs: ": func() error {
					_, err := c.Runs.CreateAndPoll(t.Context(), "thread_1", assistants.RunCreateParams{AdditionalMessages: within})
					return err
				},
				"POST /threads/runs: ": func() error {
					_, err := c.Threads.CreateAndRunStream(t.Context(), assistants.ThreadCreateAndRunParams{
						Thread: assistants.ThreadCreateParams{Messages: within}})
					return err
				},
			} {
				err := call()
				require.ErrorContains(t, err, test.says)
				require.ErrorContains(t, err, want)
				assert.NotContains(t, err.Error(), "json: error")
			}
			assert.Empty(t, tr.requests())
		})
	}
}

func getMessage(ctx context.Context, c *assistants.Client) (*assistants.Message, error) {
	return c.Messages.Retrieve(ctx, "thread_1", "msg_1")
}

func TestMessageDecode(t *testing.T) {
	t.Parallel()
	text := func(value string, annotations ...assistants.Annotation) assistants.ContentPart {
		return assistants.ContentPart{Type: "text", Text: &assistants.Text{Value: value, Annotations: annotations}}
	}
	for name, test := range map[string]struct {
		body string
		want assistants.Message
	}{
		"every field": {fullMessage, assistants.Message{
			ID: "msg_1", Object: "thread.message", CreatedAt: 1700000002, AssistantID: "asst_1", ThreadID: "thread_1", RunID: "run_1",
			Status: assistants.MessageIncomplete, IncompleteDetails: &assistants.MessageIncompleteDetails{Reason: "max_tokens"},
			IncompleteAt: 1700000004, CompletedAt: 1700000003, Role: assistants.RoleAssistant,
			Content: []assistants.ContentPart{
				text("See 【4:0†a.txt】 and sandbox:/b.csv",
					assistants.Annotation{Type: assistants.AnnotationFileCitation, Text: "【4:0†a.txt】", StartIndex: 4, EndIndex: 14,
						FileCitation: &assistants.FileCitation{FileID: "file-1", Quote: "q"}},
					assistants.Annotation{Type: assistants.AnnotationFilePath, Text: "sandbox:/b.csv", StartIndex: 19, EndIndex: 33,
						FilePath: &assistants.FilePath{FileID: "file-2"}},
					assistants.Annotation{Type: assistants.AnnotationURLCitation, EndIndex: 1,
						URLCitation: &assistants.URLCitation{URL: "https://x.example", Title: "X"}}),
				{Type: assistants.ContentImageFile, ImageFile: &assistants.ImageFile{FileID: "file-3", Detail: assistants.ImageDetailLow}},
				{Type: assistants.ContentImageURL, ImageURL: &assistants.ImageURL{URL: "https://x.example/y.png", Detail: assistants.ImageDetailHigh}},
				{Type: assistants.ContentRefusal, Refusal: "I would rather not."},
				{Type: assistants.ContentText, Text: &assistants.Text{Value: "More.", Annotations: []assistants.Annotation{}}},
			},
			Attachments: []assistants.Attachment{
				{FileID: "file-1", Tools: []assistants.AttachmentTool{{Type: assistants.ToolFileSearch}, {Type: assistants.ToolCodeInterpreter}}},
				{FileID: "file-2", Tools: []assistants.AttachmentTool{}},
			},
			Metadata: assistants.Metadata{"k": "v"}, FileIDs: []string{"file-9"},
		}},
		"null everywhere": {`{"id":"msg_1","object":null,"created_at":null,"assistant_id":null,"thread_id":null,"run_id":null,"status":null,
			"incomplete_details":null,"incomplete_at":null,"completed_at":null,"role":null,"content":null,"attachments":null,"metadata":null,"file_ids":null}`,
			assistants.Message{ID: "msg_1"}},
		"null within": {`{"id":"msg_1","incomplete_details":{"reason":null},"content":[null,{"type":"text","text":null},{"type":"text","text":{"value":null,"annotations":[null,
			{"type":"file_path","text":null,"start_index":null,"file_path":null},{"type":"file_citation","file_citation":{"file_id":null}}]}},
			{"type":null,"refusal":null}],"attachments":[{"file_id":null,"tools":null},{"tools":[{"type":null}]}]}`,
			assistants.Message{ID: "msg_1", IncompleteDetails: &assistants.MessageIncompleteDetails{},
				Content: []assistants.ContentPart{{}, {Type: "text"}, text("", assistants.Annotation{}, assistants.Annotation{Type: "file_path"},
					assistants.Annotation{Type: "file_citation", FileCitation: &assistants.FileCitation{}}), {}},
				Attachments: []assistants.Attachment{{}, {Tools: []assistants.AttachmentTool{{}}}}}},
		"unknown keys and words": {`{"id":"msg_1","new":{},"status":"paused","role":"critic","incomplete_details":{"reason":"boredom","new":1},
			"content":[{"type":"image_file","image_file":{"file_id":"f","detail":"ultra","new":1},"new":2}],"attachments":[{"file_id":"f","tools":[{"type":"mcp","x":1}],"new":3}]}`,
			assistants.Message{ID: "msg_1", Status: "paused", Role: "critic", IncompleteDetails: &assistants.MessageIncompleteDetails{Reason: "boredom"},
				Content:     []assistants.ContentPart{{Type: "image_file", ImageFile: &assistants.ImageFile{FileID: "f", Detail: "ultra"}}},
				Attachments: []assistants.Attachment{{FileID: "f", Tools: []assistants.AttachmentTool{{Type: "mcp"}}}}}},
		"a part of unknown type": {`{"id":"msg_1","content":[{"type":"text","text":{"value":"a"}},{"type":"voice","text":"spoken","image_url":["x"],"refusal":{"a":1},
			"image_file":7},{"type":"image_file","image_file":{"file_id":"file-1"}}],"run_id":"run_1","metadata":{"k":"v"}}`,
			assistants.Message{ID: "msg_1", RunID: "run_1", Metadata: assistants.Metadata{"k": "v"}, Content: []assistants.ContentPart{
				text("a"), {Type: "voice"}, {Type: "image_file", ImageFile: &assistants.ImageFile{FileID: "file-1"}}}}},
		"a part of unknown type that fits": {`{"id":"msg_1","content":[{"type":"poem","text":{"value":"a","annotations":[{"type":"rhyme","text":7,"file_path":"x"}]}}]}`,
			assistants.Message{ID: "msg_1", Content: []assistants.ContentPart{{Type: "poem",
				Text: &assistants.Text{Value: "a", Annotations: []assistants.Annotation{{Type: "rhyme"}}}}}}},
		"an annotation of unknown type": {`{"id":"msg_1","content":[{"type":"text","text":{"value":"a","annotations":[
			{"type":"container_file_citation","text":{"x":1},"start_index":"one","file_citation":"file-1","end_index":3},
			{"type":"file_path","text":"t","file_path":{"file_id":"file-2"}}]}},{"type":"refusal","refusal":"no"}]}`,
			assistants.Message{ID: "msg_1", Content: []assistants.ContentPart{text("a", assistants.Annotation{Type: "container_file_citation", EndIndex: 3},
				assistants.Annotation{Type: "file_path", Text: "t", FilePath: &assistants.FilePath{FileID: "file-2"}}), {Type: "refusal", Refusal: "no"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := decodedBy(t, test.body, getMessage)
			assert.Equal(t, &test.want, m)
			checkStored(t, m, true, getMessage)
			page := decodedBy(t, pageOf(test.body, "msg_1"), func(ctx context.Context, c *assistants.Client) (*assistants.Page[assistants.Message], error) {
				return c.Messages.List(ctx, "thread_1", assistants.MessageListParams{})
			})
			assert.Equal(t, []*assistants.Message{&test.want}, page.Data)
			assert.Equal(t, "msg_1", page.LastID)
		})
	}
}

// What is known must be as it is known, or the answer is no message.
func TestMessageOfWrongShape(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"id":"msg_1","content":[{"type":"text","text":"bare"}]}`,
		`{"id":"msg_1","content":"bare"}`,
		`{"id":"msg_1","content":[{"type":"voice","text":"a"},{"type":"text","text":{"value":7}}]}`,
		`{"id":7}`,
	} {
		_, err := getMessage(t.Context(), newClient(t, newTransport(t, answer(200, body))))
		e, ok := assistantsError(err)
		require.True(t, ok, body)
		assert.Equal(t, 200, e.StatusCode)
		assert.Contains(t, e.Message, "which takes none")
	}
}

func TestMessageConveniences(t *testing.T) {
	t.Parallel()
	m := decodedBy(t, fullMessage, getMessage)
	assert.Equal(t, "See 【4:0†a.txt】 and sandbox:/b.csv\nMore.", m.Text())
	assert.Equal(t, "I would rather not.", m.Refusal())
	var files []string
	for _, a := range m.Annotations() {
		files = append(files, a.FileID())
	}
	assert.Equal(t, []string{"file-1", "file-2", ""}, files)

	for body, want := range map[string]string{
		`[]`: "|", `null`: "|",
		`[{"type":"image_file","image_file":{"file_id":"f"}}]`:                                                       "|",
		`[{"type":"refusal","refusal":"a"},{"type":"refusal","refusal":"b"}]`:                                        "|a\nb",
		`[{"type":"text","text":{"value":""}},{"type":"text","text":{"value":"x"}},{"type":"voice","text":"y"}]`:     "\nx|",
		`[{"type":"text","text":{"value":"x"}},{"type":"refusal","refusal":"no"}]`:                                   "x|no",
		`[{"type":"text","text":{"value":"one"}},{"type":"image_url"},{"type":"text","text":{"value":"\u00e9two"}}]`: "one\nétwo|",
	} {
		m := decodedBy(t, `{"id":"msg_1","content":`+body+`}`, getMessage)
		assert.Equal(t, want, m.Text()+"|"+m.Refusal(), body)
		assert.Empty(t, m.Annotations())
	}
	assert.Empty(t, new(assistants.Message).Text())
	assert.Empty(t, assistants.Annotation{URLCitation: &assistants.URLCitation{URL: "u"}}.FileID())
}

// pathPages answers with two full pages and a last one, for any kind of object.
func pathPages(object string) step {
	return func(r *http.Request) (*http.Response, error) {
		after := r.URL.Query().Get("after")
		next := map[string]string{"": "a b", "b": "c d", "d": "e"}[after]
		var data []string
		for id := range strings.FieldsSeq(next) {
			data = append(data, fmt.Sprintf(`{"id":%q,"object":%q}`, id, object))
		}
		return response(200, fmt.Sprintf(`{"object":"list","data":[%s],"has_more":%t}`, strings.Join(data, ","), next != "e")), nil
	}
}

// uris are what was asked for.
func (tr *transport) uris() (uris []string) {
	for _, r := range tr.requests() {
		uris = append(uris, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), "/v1"))
	}
	return uris
}

// Every page is asked for with what the first one was asked for.
func TestMessagesAll(t *testing.T) {
	t.Parallel()
	tr := newTransport(t, pathPages("thread.message"))
	params := assistants.MessageListParams{Limit: 2, Order: assistants.OrderAsc, RunID: "run/1"}
	all := newClient(t, tr).Messages.All(t.Context(), "thread_1", params)
	assert.Empty(t, tr.requests())
	for range 2 {
		var ids string
		for m, err := range all {
			require.NoError(t, err)
			ids += m.ID
		}
		assert.Equal(t, "abcde", ids)
	}
	const query = "limit=2&order=asc&run_id=run%2F1"
	three := []string{
		"GET /threads/thread_1/messages?" + query,
		"GET /threads/thread_1/messages?after=b&" + query,
		"GET /threads/thread_1/messages?after=d&" + query,
	}
	assert.Equal(t, append(three, three...), tr.uris())

	tr = newTransport(t, answer(404, `{"error":{"message":"No thread found with id 'thread_1'."}}`))
	for m, err := range newClient(t, tr).Messages.All(t.Context(), "thread_1", assistants.MessageListParams{}) {
		assert.Nil(t, m)
		require.ErrorIs(t, err, assistants.ErrNotFound)
	}
}
