package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/conformance/internal/given"
	"github.com/assistants-go/assistants/conformance/internal/recording"
	"github.com/assistants-go/assistants/conformance/internal/replay"
)

// An example is a request and its answer from the documentation.
type example struct {
	Request struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		Query   [][2]string       `json:"query"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
		Form    [][2]string       `json:"multipart"`
	} `json:"request"`
	Response json.RawMessage `json:"response"`
	More     []example       `json:"more"`
}

// TestExamples makes the documented calls with the client, which is given the documented answers: as with recordings,
// the request must be the same and nothing of the answer may be lost.
func TestExamples(t *testing.T) {
	t.Parallel()
	all := loadInventory(t)
	used := make([]atomic.Bool, len(shortened))
	t.Run("all", func(t *testing.T) {
		for beta, v := range map[string]version{"v2": all.V2, "v1": all.V1} {
			examples := loadExamples(t, beta)
			for _, op := range v.Operations {
				if notOurs[op.ID] {
					continue
				}
				first, documented := examples[op.ID]
				assert.True(t, documented, "%s %s: no example", beta, op.ID)
				for i, x := range append([]example{first}, first.More...) {
					t.Run(fmt.Sprintf("%s/%s/%d", beta, op.ID, i), func(t *testing.T) {
						t.Parallel()
						x.check(t, op.ID, beta, used)
					})
				}
			}
		}
	})
	for i, s := range shortened {
		assert.True(t, used[i].Load(), "no example needs this exception any more: %s", s)
	}
}

// shortened are differences in documented streams: the documentation leaves deltas out, in the middle of a message or
// of arguments, so that they do not add up to what the same stream ends with.
var shortened = []string{
	`built from deltas: content[0].text.value: got "Hello today?", want "Hello! How can I assist you today?"`,
	`built from deltas: content[0].text.value: got "The current weather sunny.", want "The current weather in San Francisco`,
	`[0].function.arguments: got "{\"locationahrenheit\"}", want "{\"location\":\"San Francisco, CA\",\"unit\":\"fahrenheit\"}"`,
}

// left are keys that the documentation leaves out of its answers about files and vector stores, or did not have yet. They
// are zero in Go.
var left = regexp.MustCompile(`^client's answer: (data\[\d+\]\.|file\.)?(status|expires_at|name|description|usage_bytes|file_counts|` +
	`expires_after|last_active_at|metadata|last_error|chunking_strategy|attributes|next_page): got (""|0|null|\{.*\}), want nothing$`)

// corrected are places in examples that no request or answer has, and what they should be.
var corrected = []struct{ id, old, new, because string }{
	{"searchVectorStore", `,"filters":{}`, ``, "an ellipsis was dropped"},
	{"updateVectorStoreFileAttributes", `"chunking_strategy":{},`, ``, "an ellipsis was dropped"},
	{"createVectorStoreFileBatch", `"max_chunk_size_tokens":1200,"chunk_overlap_tokens":200`,
		`"static":{"max_chunk_size_tokens":1200,"chunk_overlap_tokens":200}`, "the numbers are one level deeper"},
	{"searchVectorStore", `"search_query":"What is the return policy?"`, `"search_query":["What is the return policy?"]`,
		"what was looked for is a list"},
	{"retrieveVectorStoreFileContent", `"file_id":"file-abc123","filename":"example.txt","attributes":{"key":"value"},"content":`,
		`"object":"vector_store.file_content.page","has_more":false,"next_page":null,"data":`, "the description has another answer"},
	{"modifyVectorStore", `"bytes":`, `"usage_bytes":`, "the name of 2024"},
	{"createVectorStore", `"bytes":`, `"usage_bytes":`, "the name of 2024"},
	{"listVectorStores", `"bytes":`, `"usage_bytes":`, "the name of 2024"},
}

func loadExamples(t *testing.T, beta string) (examples map[string]example) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(given.Folder(t, given.Description), "examples-"+beta+".json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &examples))
	return examples
}

// check replays an example, and notes which exceptions it needs.
func (x example) check(t *testing.T, id, beta string, used []atomic.Bool) {
	t.Helper()
	e := x.asRecorded(id, beta)
	counts, failures := replay.Client(recording.File{Name: "examples-" + beta, Exchanges: []*recording.Exchange{e}})
	assert.Zero(t, counts.Unsupported)
	for _, failure := range failures {
		for _, line := range failure.Lines {
			is := func(s string) bool { return e.Streamed() && strings.Contains(line, s) }
			if left.MatchString(line) && aboutKnowledge(e.Path) {
				continue
			}
			if i := slices.IndexFunc(shortened, is); i >= 0 {
				used[i].Store(true)
			} else {
				t.Errorf("%v: %s", e, line)
			}
		}
	}
}

// asRecorded gives an example the form of a recording.
func (x example) asRecorded(id, beta string) *recording.Exchange {
	query := make(url.Values)
	for _, pair := range x.Request.Query {
		query.Add(pair[0], pair[1])
	}
	kind, text := "application/json", string(x.Response)
	if stream := x.stream(); stream != "" {
		kind, text = "text/event-stream", stream
	}
	path := exampleIDs.Replace("/v1" + x.Request.Path)
	if aboutKnowledge(path) && x.Request.Headers["OpenAI-Beta"] == "" {
		beta = ""
	}
	method := x.Request.Method
	if id == "cancelUpload" { // -X POST is missing
		method = http.MethodPost
	}
	return &recording.Exchange{
		Scenario: id, Seq: 1, Beta: beta,
		Method: method, Path: path, Query: query.Encode(),
		RequestHeaders: x.Request.Headers, RequestBody: corrections(id, x.body()),
		Status:          http.StatusOK,
		ResponseHeaders: map[string]string{"Content-Type": kind},
		ResponseText:    string(corrections(id, []byte(text))),
	}
}

// exampleIDs are what examples should have in their addresses.
var exampleIDs = strings.NewReplacer("{vector_store_id}", "vs_abc123", "{file_id}", "file-abc123", "/files_batches/", "/file_batches/")

func aboutKnowledge(path string) bool {
	return strings.HasPrefix(path, "/v1/files") || strings.HasPrefix(path, "/v1/uploads") || strings.HasPrefix(path, "/v1/vector_stores")
}

func corrections(id string, text []byte) []byte {
	var compact bytes.Buffer
	if json.Compact(&compact, text) != nil { // nothing, or a stream
		return text
	}
	out := compact.String()
	for _, c := range corrected {
		if c.id == id {
			out = strings.ReplaceAll(out, c.old, c.new)
		}
	}
	return []byte(out)
}

// body is that of the request, with a form in the way of recordings. Of its files the names are known.
func (x example) body() []byte {
	if x.Request.Form == nil {
		return x.Request.Body
	}
	type field struct {
		Name     string  `json:"name"`
		Filename string  `json:"filename"`
		Text     *string `json:"text"`
	}
	var fields []field
	for _, f := range x.Request.Form {
		if name, isFile := strings.CutPrefix(f[1], "@"); isFile {
			fields = append(fields, field{Name: f[0], Filename: name})
		} else if f[0] == "data" {
			fields = append(fields, field{Name: f[0], Filename: "part", Text: &f[1]})
		} else {
			fields = append(fields, field{Name: f[0], Text: &f[1]})
		}
	}
	out, _ := json.Marshal(map[string]any{"multipart_fields": fields}) // which are texts
	return out
}

// stream is an answer that is a list of events, as it is sent; "" for others.
func (x example) stream() string {
	var answer struct {
		Events []struct {
			Event string          `json:"event"`
			Data  json.RawMessage `json:"data"`
		} `json:"events"`
	}
	if json.Unmarshal(x.Response, &answer) != nil {
		return ""
	}
	var text strings.Builder
	for _, e := range answer.Events {
		var data bytes.Buffer
		if err := json.Compact(&data, e.Data); err != nil {
			return ""
		}
		fmt.Fprintf(&text, "event: %s\ndata: %s\n\n", e.Event, strings.Trim(data.String(), `"`)) // [DONE] is no JSON
	}
	return text.String()
}
