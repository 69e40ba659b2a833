// Package replay holds the module against recorded exchanges with the service: the client makes every call again and
// is given the recorded answer, the server is sent every request again and has to answer as recorded.
package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/assistants-go/assistants"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// Counts say what came of a replay.
type Counts struct {
	Exchanges int
	// Requests, Answers, Streams and ServerAnswers were compared and found equal. What was not recorded is in none of
	// them, and what the service answered to v1 is in ServerAnswers only if it means the same in v2. Answers that are
	// streams are in Streams alone.
	Requests, Answers, Streams, ServerAnswers int
	NotServed                                 int // exchanges of operations that the server does not have
	Failed                                    int // exchanges in which something differs
	Unsupported                               int // exchanges of operations that are not in Operations
	// Passed are the rules that were needed.
	Passed Passed
}

// Add adds other to c.
func (c *Counts) Add(other Counts) {
	c.Exchanges += other.Exchanges
	c.Requests += other.Requests
	c.Answers += other.Answers
	c.Streams += other.Streams
	c.ServerAnswers += other.ServerAnswers
	c.NotServed += other.NotServed
	c.Failed += other.Failed
	c.Unsupported += other.Unsupported
	if c.Passed == nil {
		c.Passed = make(Passed)
	}
	maps.Copy(c.Passed, other.Passed)
}

// Compared reports whether anything was compared: a replay of nothing must not pass for a replay.
func (c Counts) Compared() bool { return c.Requests+c.Answers+c.Streams+c.ServerAnswers+c.Failed > 0 }

// String is the line that a replay ends with.
func (c Counts) String() string {
	return fmt.Sprintf("recordings: %d exchanges, %d requests equal, %d responses equal, %d streams equal, "+
		"%d server answers equal, %d not served, %d failed, %d unsupported",
		c.Exchanges, c.Requests, c.Answers, c.Streams, c.ServerAnswers, c.NotServed, c.Failed, c.Unsupported)
}

// A Failure is an exchange in which something differs.
type Failure struct {
	File     string
	Exchange *recording.Exchange
	Lines    []string
}

// String shows the exchange and every difference on a line of its own.
func (f Failure) String() string {
	return fmt.Sprintf("%s: %v\n\t%s", f.File, f.Exchange, strings.Join(f.Lines, "\n\t"))
}

// File replays the exchanges of one file, with the client and against the server.
func File(f recording.File) (Counts, []Failure) { return Watched(f, nil) }

// A Watcher looks at what the server was asked and answered.
type Watcher func(e *recording.Exchange, r *http.Request, body []byte, answer *httptest.ResponseRecorder)

// Watched is File with a watcher; nil is none.
func Watched(f recording.File, watch Watcher) (Counts, []Failure) {
	passed := make(Passed)
	return replay(f, checkServer(f.Exchanges, watch, passed), passed)
}

// Client replays the exchanges of one file with the client alone.
func Client(f recording.File) (Counts, []Failure) { return replay(f, nil, make(Passed)) }

// replay adds what was found wrong with the server's answers to what is wrong with the client.
func replay(f recording.File, byServer map[*recording.Exchange]verdict, passed Passed) (Counts, []Failure) {
	counts := Counts{Passed: passed}
	var failures []Failure
	for _, e := range f.Exchanges {
		counts.Exchanges++
		op, ids := Find(e.Method, e.Path)
		if op == nil {
			counts.Unsupported++
			continue
		}
		var lines []string
		report := func(side string, equal *int, compared bool, found []string) {
			for _, line := range found {
				lines = append(lines, side+": "+line)
			}
			if compared && len(found) == 0 {
				*equal++
			}
		}
		request, answer, asked := passed.checkClient(op, ids, e)
		report("client's request", &counts.Requests, knowsRequest(e), request)
		if e.Streamed() {
			report("client's stream", &counts.Streams, asked, answer)
		} else {
			report("client's answer", &counts.Answers, asked, answer)
		}
		if !op.Served {
			counts.NotServed++
		}
		served := byServer[e]
		report("server", &counts.ServerAnswers, served.compared, served.found)
		if len(lines) > 0 {
			counts.Failed++
			failures = append(failures, Failure{f.Name, e, lines})
		}
	}
	return counts, failures
}

// A verdict is what is wrong with an answer of the server, and whether it was compared with the recorded one.
type verdict struct {
	found    []string
	compared bool
}

// checkServer replays exchanges against servers: one for each scenario and version, in which exchanges follow each
// other. An exchange whose request was not recorded has one of its own, because it does not say what went before. So has a
// list that was recorded at another time than what its scenario creates.
// It returns a verdict on each exchange that could be replayed.
func checkServer(exchanges []*recording.Exchange, watch Watcher, passed Passed) map[*recording.Exchange]verdict {
	var order [][2]string
	scenarios := make(map[[2]string][]*recording.Exchange)
	verdicts := make(map[*recording.Exchange]verdict)
	for _, e := range exchanges {
		if e.RequestNotRecorded || ofAnotherTime(e, exchanges) {
			checkScenario([]*recording.Exchange{e}, watch, passed, verdicts)
			continue
		}
		key := [2]string{e.Scenario, e.Beta}
		if e.Beta == "" { // files need none, nor do vector stores
			key[1] = "v2"
		}
		if scenarios[key] == nil {
			order = append(order, key)
		}
		scenarios[key] = append(scenarios[key], e)
	}
	for _, key := range order {
		checkScenario(inOrder(scenarios[key]), watch, passed, verdicts)
	}
	return verdicts
}

// ofAnotherTime reports whether a list of files has some that are younger by a day than one that its scenario creates.
func ofAnotherTime(list *recording.Exchange, exchanges []*recording.Exchange) bool {
	const day = 24 * 60 * 60
	if op, _ := Find(list.Method, list.Path); op == nil || op.ID != "listFiles" {
		return false
	}
	var page assistants.Page[assistants.File]
	if json.Unmarshal([]byte(list.ResponseText), &page) != nil {
		return false
	}
	for _, e := range exchanges {
		var made assistants.File
		op, _ := Find(e.Method, e.Path)
		if op == nil || op.ID != "createFile" || e.Scenario != list.Scenario || json.Unmarshal([]byte(e.ResponseText), &made) != nil {
			continue
		}
		younger := func(f *assistants.File) bool { return f.CreatedAt > made.CreatedAt+day }
		if slices.ContainsFunc(page.Data, younger) {
			return true
		}
	}
	return false
}

func checkScenario(
	exchanges []*recording.Exchange, watch Watcher, passed Passed, verdicts map[*recording.Exchange]verdict,
) {
	s, err := newStage(exchanges)
	if err == nil {
		defer func() { _ = s.close() }() // calls of the model that do not end are no difference
		s.watch, s.passed = watch, passed
	}
	for _, e := range exchanges {
		op, _ := Find(e.Method, e.Path)
		switch {
		case op == nil || !op.Served || !replayable(e):
		case err != nil:
			verdicts[e] = verdict{found: []string{err.Error()}}
		default:
			verdicts[e] = s.check(op, e)
		}
	}
}
