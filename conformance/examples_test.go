package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	} `json:"request"`
	Response json.RawMessage `json:"response"`
	More     []example       `json:"more"`
}

// TestExamples makes the documented calls with the client, which is given the documented answers: as with recordings,
// the request must be the same and nothing of the answer may be lost.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, beta := range []string{"v2", "v1"} {
		var examples map[string]example
		data, err := os.ReadFile(filepath.Join(folder(t, specVariable), "examples-"+beta+".json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &examples))
		for _, op := range replay.Operations {
			first, documented := examples[op.ID]
			if !documented {
				continue
			}
			for i, x := range append([]example{first}, first.More...) {
				t.Run(fmt.Sprintf("%s/%s/%d", beta, op.ID, i), func(t *testing.T) {
					t.Parallel()
					exchange := x.asRecorded(op.ID, beta)
					_, failures := replay.Client(recording.File{Name: "examples-" + beta, Exchanges: []*recording.Exchange{exchange}})
					for _, failure := range failures {
						t.Errorf("%v", failure)
					}
				})
			}
		}
		for _, op := range replay.Operations {
			if covered(op.Path) && op.Described() {
				assert.Contains(t, examples, op.ID, "%s: no example", beta)
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
	return &recording.Exchange{
		Scenario: id, Seq: 1, Beta: beta,
		Method: x.Request.Method, Path: "/v1" + x.Request.Path, Query: query.Encode(),
		RequestHeaders: x.Request.Headers, RequestBody: x.Request.Body,
		Status:          http.StatusOK,
		ResponseHeaders: map[string]string{"Content-Type": "application/json"},
		ResponseText:    string(x.Response),
	}
}
