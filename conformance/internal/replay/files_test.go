package replay

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// These tests hold the replay of files and vector stores against a small made-up scenario, as replay_test.go does for
// assistants.

const (
	madeFile = `{"object":"file","id":"file-1","purpose":"user_data","filename":"a.txt","bytes":4,"created_at":1700000001,` +
		`"expires_at":null,"status":"processed","status_details":null}`
	madeStore = `{"id":"vs_1","object":"vector_store","created_at":1700000002,"name":"n","description":null,"usage_bytes":0,` +
		`"file_counts":{"in_progress":0,"completed":0,"failed":0,"cancelled":0,"total":0},"status":"completed","expires_after":null,` +
		`"expires_at":null,"last_active_at":1700000002,"metadata":{}}`
	settings  = `"chunking_strategy":{"type":"static","static":{"max_chunk_size_tokens":800,"chunk_overlap_tokens":400}},"attributes":{}`
	fileAdded = `{"id":"file-1","object":"vector_store.file","usage_bytes":0,"created_at":1700000003,"vector_store_id":"vs_1",` +
		`"status":"in_progress","last_error":null,` + settings + `}`
	madeForm = `{"multipart_fields":[{"name":"file","filename":"a.txt","content_type":"text/plain","text":"text"},{"name":"purpose","text":"user_data"}]}`
)

var fileRead = strings.NewReplacer(`"usage_bytes":0`, `"usage_bytes":1028`, "in_progress", "completed").Replace(fileAdded)

// library is one exchange of every kind. The file that is deleted was there before.
func library() []*recording.Exchange {
	at := func(method, path, query, body, answer string) *recording.Exchange {
		e := exchange(method, "", query, body, 200, answer)
		e.Path = "/v1" + path
		return e
	}
	upload := at("POST", "/files", "", madeForm, madeFile)
	upload.Beta, upload.RequestHeaders = "", nil
	content := at("GET", "/files/file-1/content", "", "", "text")
	content.ResponseHeaders["content-type"] = "application/octet-stream"
	const inStore = "/vector_stores/vs_1/files"
	exchanges := []*recording.Exchange{
		upload,
		at("GET", "/files/file-1", "", "", madeFile),
		content,
		at("POST", "/vector_stores", "", `{"name":"n"}`, madeStore),
		at("POST", inStore, "", `{"file_id":"file-1"}`, fileAdded),
		at("GET", inStore+"/file-1", "", "", fileAdded),
		at("GET", inStore, "limit=1", "", `{"object":"list","data":[`+fileRead+`],"first_id":"file-1","last_id":"file-1","has_more":false}`),
		at("DELETE", "/files/file-2", "", "", `{"object":"file","deleted":true,"id":"file-2"}`),
	}
	for i, e := range exchanges {
		e.Seq = i
	}
	return exchanges
}

func TestNothingIsFoundWhereNothingIsWrongWithFiles(t *testing.T) {
	t.Parallel()
	counts, failures := File(recording.File{Name: "made up", Exchanges: library()})
	for _, f := range failures {
		t.Errorf("%v", f)
	}
	counts.Passed = nil
	assert.Equal(t, Counts{Exchanges: 8, Requests: 8, Answers: 8, ServerAnswers: 8}, counts)
}

func TestEveryChangeOfFilesIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		seq    int
		change func(*recording.Exchange)
		found  string
	}{
		{"field of the form", 0, body(`"purpose"`, `"use"`), `the parameters have no field for "use"`},
		{"purpose", 0, body(`user_data`, `vision`), `server: purpose: got "vision", want "user_data"`},
		{"no purpose", 0, body(`,{"name":"purpose","text":"user_data"}`, ``), `form: got the field "purpose", which was not recorded`},
		{"file name", 0, body(`a.txt`, `b.txt`), `server: filename: got "b.txt", want "a.txt"`},
		{"content", 0, body(`"text":"text"`, `"text":"texts"`), "server: bytes: got 5, want 4"},
		{"checksum", 0, body(`"text":"text"`, `"text":"text","sha256":"0"`), "client's request: form field file: got the checksum"},
		{"no form", 0, body(madeForm, `{"file":"a"}`), "client's request"},
		{"key of the answer", 0, answer(`"filename"`, `"name"`), "client's answer: name: got nothing"},
		{"id", 1, answer(`"id":"file-1"`, `"id":"file-3"`), `server: id: got "file-1", want "file-3"`},
		{"bytes of the content", 2, answer("text", "test"), `server: content: got "text", want "test"`},
		{"type of the content", 2, func(e *recording.Exchange) { e.ResponseHeaders["content-type"] = "text/plain" }, "server: Content-Type"},
		{"last use", 3, answer(`"last_active_at":1700000002`, `"last_active_at":1700000003`), "server: last_active_at"},
		{"time of adding", 4, answer(`1700000003`, `1700000009`), "server: created_at: got 1700000009, want 1700000003"},
		{"read too early", 5, answer(`in_progress`, `failed`), `server: status: got "completed", want "failed"`},
		{"what it takes up", 6, answer(`1028`, `1029`), "server: data[0].usage_bytes: got 1028, want 1029"},
		{"chunks", 6, answer(`800`, `700`), "server: data[0].chunking_strategy.static.max_chunk_size_tokens"},
		{"deletion", 7, answer(`true`, `false`), "server: deleted: got true, want false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			checkChange(t, library(), c.seq, c.change, c.found)
		})
	}
}

// What the answer tells of a request is sent; what it does not tell is no equal request.
func TestFilesTellWhatWasUploaded(t *testing.T) {
	t.Parallel()
	upload := library()[0]
	upload.RequestBody, upload.RequestBodyNotRecorded = nil, true
	refused := *upload
	refused.Status, refused.ResponseText = 400, `{"error":{"message":"'fun' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', `+
		`'vision', 'evals'] - 'purpose'","type":"invalid_request_error","param":"purpose","code":null}}`
	unknown := *upload
	unknown.Status, unknown.ResponseText = 400, `{"error":{"message":"m","type":"t","param":null,"code":null}}`
	counts, failures := File(recording.File{Exchanges: []*recording.Exchange{upload, &refused, &unknown}})
	assert.Empty(t, failures)
	assert.Equal(t, 0, counts.Requests)
	assert.Equal(t, 3, counts.Answers)
	assert.Equal(t, 2, counts.ServerAnswers)
}

// A form of which the file is not known, and one that no typed call sends, are no equal requests.
func TestFormsThatAreNotKnownDoNotCount(t *testing.T) {
	t.Parallel()
	upload := library()[0]
	upload.RequestBody = json.RawMessage(strings.Replace(madeForm, `"text":"text"`, `"size":4,"sha256":"0"`, 1))
	misplaced := exchange("POST", "/asst_1/files", "", madeForm, 400, `{"error":{"message":"m","type":"t","param":null,"code":null}}`)
	counts, failures := File(recording.File{Exchanges: []*recording.Exchange{upload, misplaced}})
	assert.Empty(t, failures)
	counts.Passed = nil
	assert.Equal(t, Counts{Exchanges: 2, Answers: 2, ServerAnswers: 1, NotServed: 1}, counts)
}
