package conformance

import (
	"net/http"
	"net/http/httptest"
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

// answerExceptions are where the service did not keep to its description, and the server does as the service did. One
// that no answer needs fails the test.
var answerExceptions = []struct{ operations, key, reason, because string }{
	{"Run", "instructions", isNull, "an assistant without instructions makes runs without"},
	{"^list", "first_id", isNull, "an empty page has no first object"},
	{"^list", "last_id", isNull, "an empty page has no last object"},
	{"Run", "max_completion_tokens", "number must be at least 256", "the service took 16"},
	{"File", "expires_at", isNull, "a file that does not expire has null"},
	{"File", "status_details", isNull, "a file of which nothing is to be told has null"},
	{"^listFiles$", "purpose", "is not one of the allowed values", "purposes of 2021 are no more"},
	{"VectorStores?$", "name", isNull, "a vector store without a name has null"},
	{"VectorStores?$", "expires_after", isNull, "a vector store that does not expire has null"},
	{"FileBatch$", "object", `must be 'vector_store.files_batch'`, "the service wrote vector_store.file_batch"},
	{"^downloadFile$", "", `Content-Type has unexpected value: "application/octet-stream"`, "what is in a file comes as it is, and not as JSON"},
}

// isNull is what the judge says of null, in one of its words.
const isNull = `^Value is not nullable$|got null, want \w+$`

// answerException returns which exception a problem of an answer is, or -1.
func answerException(p problem) int {
	return slices.IndexFunc(answerExceptions, func(x struct{ operations, key, reason, because string }) bool {
		return strings.HasSuffix("/"+p.path, "/"+x.key) && regexp.MustCompile(x.operations).MatchString(p.operation) &&
			regexp.MustCompile(x.reason).MatchString(p.reason)
	})
}

// TestAnswersToRecordings has the API description judge everything that the server answers to recorded requests, events
// of streams one by one. The requests are as they were recorded, right or wrong.
func TestAnswersToRecordings(t *testing.T) {
	t.Parallel()
	files, err := recording.ReadFolder(given.Folder(t, recording.FolderVariable))
	require.NoError(t, err)
	d := loadDescription(t)
	var answers, streams atomic.Int64
	used := make([]atomic.Bool, len(answerExceptions))
	judge := func(t *testing.T, e *recording.Exchange, p problem) {
		if i := answerException(p); i >= 0 {
			used[i].Store(true)
			return
		}
		t.Errorf("%v: %v", e, p)
	}
	t.Run("files", func(t *testing.T) {
		for _, f := range files {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				replay.Watched(f, func(e *recording.Exchange, r *http.Request, body []byte, answer *httptest.ResponseRecorder) {
					if answer.Code == http.StatusTemporaryRedirect { // an address that the description does not have
						return
					}
					r, err := d.described(r)
					require.NoError(t, err)
					answers.Add(1)
					if e.Streamed() && answer.Code == http.StatusOK {
						streams.Add(1)
					}
					for _, p := range d.exchange(r, body, answer.Result(), answer.Body.Bytes()).problems {
						if p.side != "request" {
							judge(t, e, p)
						}
					}
				})
			})
		}
	})
	assert.NotZero(t, answers.Load(), "no answer was judged")
	assert.NotZero(t, streams.Load(), "no stream was judged")
	for i, x := range answerExceptions {
		assert.True(t, used[i].Load(), "no answer needs this exception any more: %s: %s", x.key, x.because)
	}
	t.Logf("%d answers, of which %d are streams", answers.Load(), streams.Load())
}
