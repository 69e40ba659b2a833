package provider

import (
	"encoding/json"
	"slices"

	"github.com/assistants-go/assistants"
	"github.com/assistants-go/assistants/server"
)

// Fields are members of requests that are not sent, by their names.
type Fields map[string]bool

// Add adds names, but for those that are always sent.
func (f Fields) Add(names []string, always ...string) {
	for _, name := range names {
		if !slices.Contains(always, name) {
			f[name] = true
		}
	}
}

// Without returns a request without the members, as something that can be encoded.
func (f Fields) Without(request any) (any, error) {
	if len(f) == 0 {
		return request, nil
	}
	in, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(in, &members); err != nil {
		return nil, err
	}
	for name := range f {
		delete(members, name)
	}
	return members, nil
}

// OwnTurns returns where in the history of a call the turns of the run itself begin, behind the messages of the thread.
func OwnTurns(call *server.ModelCall) int {
	first := slices.IndexFunc(call.History, func(t server.Turn) bool {
		return t.Message == nil || t.Message.RunID == call.RunID && call.RunID != ""
	})
	if first < 0 {
		return len(call.History)
	}
	return first
}

// ToolType is the type of a tool, which may be said by its fields alone.
func ToolType(t *assistants.Tool) assistants.ToolType {
	switch {
	case t.Type == "" && t.Function != nil:
		return assistants.ToolFunction
	case t.Type == "" && t.FileSearch != nil:
		return assistants.ToolFileSearch
	}
	return t.Type
}

// Unusable is the error of a run with tools that a [server.Checker] refuses, which it can have from before they were: the
// caller is told as when it had made them now.
func Unusable(err error) error {
	return &server.ModelError{Code: CodeServer, Message: "Invalid 'tools': " + err.Error() + "."}
}
