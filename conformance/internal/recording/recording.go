// Package recording reads recorded exchanges with the service: files of one JSON object a line, each an HTTP request
// and its answer. README.md of the module describes the form.
package recording

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FolderVariable names the environment variable that leads to the folder of recordings.
const FolderVariable = "ASSISTANTS_RECORDINGS"

// An Exchange is a request and what the service answered.
type Exchange struct {
	Scenario string `json:"scenario"`
	Seq      int    `json:"seq"`
	// Beta is the version of the protocol: "v1", "v2", or "" if the request named none.
	Beta   string `json:"beta"`
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query"` // raw

	RequestHeaders map[string]string `json:"request_headers"`
	RequestBody    json.RawMessage   `json:"request_body"`
	// RequestNotRecorded: method and path were inferred, everything else of the request is unknown.
	RequestNotRecorded bool `json:"request_not_recorded"`
	// RequestBodyNotRecorded: all but the body is known.
	RequestBodyNotRecorded bool `json:"request_body_not_recorded"`

	Status          int               `json:"status"`
	ResponseHeaders map[string]string `json:"response_headers"`
	ResponseText    string            `json:"response_text"`
	// ResponseBinary is the answer in place of ResponseText, if that was no text.
	ResponseBinary *struct {
		Raw []byte `json:"raw_base64"`
	} `json:"response_binary"`
}

// HasBody reports whether a body was recorded.
func (e *Exchange) HasBody() bool {
	return len(e.RequestBody) > 0 && string(e.RequestBody) != "null"
}

// KnowsBody reports whether it is known what the body was, or that there was none.
func (e *Exchange) KnowsBody() bool {
	return !e.RequestNotRecorded && !e.RequestBodyNotRecorded && !e.lostBody()
}

// lostBody reports whether a body was lost without a word: no upload was ever begun without one.
func (e *Exchange) lostBody() bool {
	return e.Method == http.MethodPost && e.Path == "/v1/uploads" && !e.HasBody()
}

// RequestHeader returns a header of the request, "" if it was not recorded.
func (e *Exchange) RequestHeader(name string) string { return header(e.RequestHeaders, name) }

// ResponseHeader returns a header of the answer, "" if it was not recorded.
func (e *Exchange) ResponseHeader(name string) string { return header(e.ResponseHeaders, name) }

func header(recorded map[string]string, name string) string {
	h := make(http.Header, len(recorded))
	for key, value := range recorded {
		h.Set(key, value)
	}
	return h.Get(name)
}

// Streamed reports whether the answer was a stream of events.
func (e *Exchange) Streamed() bool {
	return strings.HasPrefix(e.ResponseHeader("Content-Type"), "text/event-stream")
}

// String names the exchange in reports.
func (e *Exchange) String() string {
	return fmt.Sprintf("%s #%d %s %s", e.Scenario, e.Seq, e.Method, e.Path)
}

// A File is the exchanges of one file, in the order in which they happened.
type File struct {
	Name      string
	Exchanges []*Exchange
}

// ReadFolder reads all .jsonl files of a folder, sorted by name. A folder without any is an error: a check of nothing
// must not pass for a check.
func ReadFolder(folder string) ([]File, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no .jsonl file in %s", folder)
	}
	files := make([]File, len(names))
	for i, name := range names {
		if files[i], err = readFile(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func readFile(name string) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	file := File{Name: filepath.Base(name)}
	d := json.NewDecoder(f)
	for {
		e := new(Exchange)
		err := d.Decode(e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return File{}, fmt.Errorf("%s, exchange %d: %w", file.Name, len(file.Exchanges)+1, err)
		}
		file.Exchanges = append(file.Exchanges, e)
	}
	slices.SortStableFunc(file.Exchanges, func(a, b *Exchange) int { return cmp.Compare(a.Seq, b.Seq) })
	return file, nil
}
