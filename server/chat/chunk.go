package chat

import (
	"encoding/json"
	"errors"
)

// Limits of a chunk. A list may have far more elements in memory than it has bytes in JSON.
const (
	maxPlain  = 64 << 10 // bytes of a chunk whose lists cannot be long enough to be a burden
	maxListed = 1024     // elements of a list in a chunk that is larger
)

var errTooManyListed = errors.New("chat: the answer has a list with too many choices, parts or calls")

// decode reads a chunk. The lists of one that is large are measured first.
func (got *chunk) decode(data []byte) error {
	if len(data) > maxPlain {
		if err := json.Unmarshal(data, new(measuredChunk)); err != nil {
			return err
		}
	}
	return json.Unmarshal(data, got)
}

// measuredChunk are the lists of a chunk, which it is an error to read if they are too long.
type measuredChunk struct {
	Choices measured[measuredChoice] `json:"choices"`
}

type measuredChoice struct {
	Delta   measuredPiece `json:"delta"`
	Message measuredPiece `json:"message"`
}

type measuredPiece struct {
	Content   measured[skipped] `json:"content"`
	Refusal   measured[skipped] `json:"refusal"`
	ToolCalls measured[skipped] `json:"tool_calls"`
}

// skipped is a value that needs no memory.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }

// measured is a list of elements of which T is what has to be measured. What is no list is not looked at.
type measured[T any] struct{}

// UnmarshalJSON counts, and looks into elements only if there are not too many.
func (*measured[T]) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		return nil
	}
	if hasMoreThan(maxListed, data) {
		return errTooManyListed
	}
	return json.Unmarshal(data, new([]T))
}

// hasMoreThan tells whether a list, which is valid JSON, has more than n elements.
func hasMoreThan(n int, list []byte) bool {
	depth, commas := 0, 0
	for i := 0; i < len(list) && commas < n; i++ {
		switch list[i] {
		case '"':
			for i++; list[i] != '"'; i++ {
				if list[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 1 {
				commas++
			}
		}
	}
	return commas >= n
}
