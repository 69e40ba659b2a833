package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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
	all := loadInventory(t)
	used := make([]atomic.Bool, len(shortened))
	t.Run("all", func(t *testing.T) {
		for beta, v := range map[string]version{"v2": all.V2, "v1": all.V1} {
			examples := loadExamples(t, beta)
			for _, op := range v.Operations {
				_, excepted := notOurs[beta+" "+op.ID]
				if excepted || !covered(op.Path) {
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

func loadExamples(t *testing.T, beta string) (examples map[string]example) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder(t, specVariable), "examples-"+beta+".json"))
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
	return &recording.Exchange{
		Scenario: id, Seq: 1, Beta: beta,
		Method: x.Request.Method, Path: "/v1" + x.Request.Path, Query: query.Encode(),
		RequestHeaders: x.Request.Headers, RequestBody: x.Request.Body,
		Status:          http.StatusOK,
		ResponseHeaders: map[string]string{"Content-Type": kind},
		ResponseText:    text,
	}
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
