package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/assistants-go/assistants/conformance/internal/recording"
)

// A Recorded is a recorded exchange with a provider of models.
type Recorded struct {
	Name    string          // the file's, with the number of the exchange there
	Path    string          // such as "/v1/responses"
	Request json.RawMessage // the body
	Answer  Answer
}

// Chat reports whether the exchange is one of the Chat Completions API, rather than the Responses API.
func (r *Recorded) Chat() bool { return strings.HasSuffix(r.Path, "/chat/completions") }

// Folder is where the exchanges with providers of models are, given the folder of those with the Assistants API:
// beside it.
func Folder(recordings string) string {
	return filepath.Join(filepath.Dir(filepath.Clean(recordings)), "models")
}

// Read returns the exchanges of all files of a folder in which a model was asked something, sorted by name. Of a
// scenario that was recorded twice, by calls that block and by calls that do not (".Async"), it returns the first.
// That there are none is an error.
func Read(folder string) ([]Recorded, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	var all []Recorded
	for _, name := range names {
		if isTwin(name) {
			continue
		}
		some, err := readFile(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no exchange with a model in %s", folder)
	}
	return all, nil
}

func isTwin(name string) bool {
	first, ok := strings.CutSuffix(name, ".Async.jsonl")
	if !ok {
		return false
	}
	_, err := os.Stat(first + ".jsonl")
	return err == nil
}

func readFile(name string) ([]Recorded, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []Recorded
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		var e struct {
			recording.Exchange
			ResponseBody json.RawMessage `json:"response_body"` // instead of a text, of some that are JSON
		}
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("exchange %d: %w", len(all)+1, err)
		}
		if asked := (Request{Method: e.Method, Path: e.Path}); !asked.Asks() {
			continue
		}
		if e.ResponseText == "" {
			e.ResponseText = string(e.ResponseBody)
		}
		if e.Status == 0 {
			e.Status = http.StatusOK
		}
		all = append(all, Recorded{
			Name: fmt.Sprintf("%s %d", strings.TrimSuffix(filepath.Base(name), ".jsonl"), e.Seq), Path: e.Path, Request: e.RequestBody,
			Answer: Answer{Status: e.Status, Type: e.ResponseHeader("Content-Type"), Body: e.ResponseText},
		})
	}
}
