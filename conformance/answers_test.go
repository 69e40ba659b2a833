package conformance

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/assistants-go/assistants/conformance/internal/recording"
	"github.com/assistants-go/assistants/conformance/internal/replay"
)

// answerExceptions are where the service did not keep to its description, and the server does as the service did. One
// that no answer needs fails the test.
var answerExceptions = []struct{ key, reason, because string }{
	{"instructions", "Value is not nullable", "an assistant without instructions makes runs without"},
	{"first_id", "Value is not nullable", "an empty page has no first object"},
	{"last_id", "Value is not nullable", "an empty page has no last object"},
	{"max_completion_tokens", "number must be at least 256", "the service took 16"},
}

// TestAnswersToRecordings has the API description judge everything that the server answers to recorded requests, events
// of streams one by one. The requests are as they were recorded, right or wrong.
func TestAnswersToRecordings(t *testing.T) {
	t.Parallel()
	files, err := recording.ReadFolder(folder(t, recording.FolderVariable))
	require.NoError(t, err)
	d := loadDescription(t)
	var answers, streams atomic.Int64
	used := make([]atomic.Bool, len(answerExceptions))
	judge := func(t *testing.T, e *recording.Exchange, p problem) {
		for i, x := range answerExceptions {
			if strings.HasSuffix(p.path, "/"+x.key) && p.reason == x.reason {
				used[i].Store(true)
				return
			}
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
