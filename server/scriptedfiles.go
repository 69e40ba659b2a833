package server

import (
	"bytes"
	"context"

	"github.com/assistants-go/assistants"
)

// Actions about files.

// SearchFiles searches the vector stores of the run: for the queries, or for what the user has asked last if there are none.
// [CiteResult] then cites what was found.
func SearchFiles(queries ...string) Action {
	return func(ctx context.Context, call *ModelCall, yield func(ModelEvent, error) bool) bool {
		asked := queries
		if question := questionOf(call); len(asked) == 0 && question != "" {
			asked = []string{question}
		}
		found, err := call.SearchFiles(ctx, asked...)
		if err != nil {
			return stop(yield, err)
		}
		call.found = found
		return expecting(offering(assistants.ToolFileSearch), []ModelEvent{found})(ctx, call, yield)
	}
}

// CiteResult writes a mark that stands for a result of the last [SearchFiles]: 0 is the best one. A strict script ends with
// an error if there is no such result; another one writes nothing.
func CiteResult(result int) Action {
	return func(ctx context.Context, call *ModelCall, yield func(ModelEvent, error) bool) bool {
		switch {
		case result >= 0 && result < len(call.found.Results):
			return yield(call.found.Citation(result), nil)
		case call.strict:
			return stop(yield, wrongScript("The script cites result %d of %d.", result, len(call.found.Results)))
		}
		return true
	}
}

// ShowImage has the code that was run last show an image, which becomes a file: it is an output of the code and a part of
// the message that follows. Code may show several.
func ShowImage(name string, content []byte) Action {
	return withFile(name, content, func(call *ModelCall, file *assistants.File) ModelEvent {
		call.shown = append(call.shown, file.ID)
		return CodeImage{FileID: file.ID}
	})
}

// showImages yields the images that code has shown, if the next event belongs to the message which they begin; nil is the end
// of the script.
func (m *meter) showImages(next ModelEvent) bool {
	switch next.(type) {
	case CodeCall, CodeInput, CodeLogs, CodeImage, SearchCall, SearchResults, Usage, State:
		return true // the message is still to come
	}
	images := m.call.shown
	m.call.shown = nil
	for _, id := range images {
		if !m.yield(Image{FileID: id}, nil) {
			return false
		}
	}
	return true
}

// LinkFile makes a file of what code has written, and has the path "sandbox:/mnt/data/" with its name stand for it: where the
// text so far has the path, or else behind the text.
func LinkFile(name string, content []byte) Action {
	return withFile(name, content, func(_ *ModelCall, file *assistants.File) ModelEvent {
		return FilePath{Path: sandbox + file.Filename, FileID: file.ID}
	})
}

const sandbox = "sandbox:/mnt/data/"

// withFile makes a file, as only code can, and yields what is to be said about it.
func withFile(name string, content []byte, say func(call *ModelCall, file *assistants.File) ModelEvent) Action {
	return func(ctx context.Context, call *ModelCall, yield func(ModelEvent, error) bool) bool {
		if call.strict {
			if err := offering(assistants.ToolCodeInterpreter)(call); err != nil {
				return stop(yield, err)
			}
		}
		file, err := call.CreateFile(ctx, name, bytes.NewReader(content))
		if err != nil {
			return stop(yield, err)
		}
		return yield(say(call, file), nil)
	}
}

// stop ends a call with an error.
func stop(yield func(ModelEvent, error) bool, err error) bool {
	yield(nil, err)
	return false
}
