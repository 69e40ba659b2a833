package assistants

import (
	"bytes"
	"encoding/json"
	"strings"
)

// An errorBody is what can be found in an error's body, whatever server wrote it.
type errorBody struct{ message, typ, code, param string }

// parseErrorBody reads OpenAI's envelope, Azure's, whose code may be a number and which leaves out type and param,
// FastAPI's {"detail": …}, problem details, a bare string, and plain text. HTML and what is no explanation give no
// message. It never fails.
func parseErrorBody(body []byte) errorBody {
	body = bytes.TrimSpace(body)
	if json.Valid(body) {
		return parseErrorJSON(body, 2)
	}
	if len(body) == 0 || bytes.HasPrefix(body, []byte("<")) || bytes.IndexByte([]byte(`{["`), body[0]) >= 0 {
		return errorBody{}
	}
	return errorBody{message: strings.ToValidUTF8(string(body), "�")}
}

// parseErrorJSON descends into "error" at most depth times.
func parseErrorJSON(raw json.RawMessage, depth int) errorBody {
	if depth == 0 || len(raw) == 0 || raw[0] != '{' {
		return errorBody{message: explanation(raw)}
	}
	var o struct {
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
		Detail  json.RawMessage `json:"detail"`
		Title   json.RawMessage `json:"title"`
		Type    json.RawMessage `json:"type"`
		Code    json.RawMessage `json:"code"`
		Param   json.RawMessage `json:"param"`
	}
	if json.Unmarshal(raw, &o) != nil {
		return errorBody{}
	}
	found := errorBody{typ: word(o.Type), code: word(o.Code), param: word(o.Param)}
	for _, field := range []json.RawMessage{o.Message, o.Detail, o.Title} {
		if found.message == "" {
			found.message = explanation(field)
		}
	}
	inner := parseErrorJSON(o.Error, depth-1)
	if inner == (errorBody{}) {
		return found
	}
	if inner.message == "" {
		inner.message = found.message
	}
	return inner
}

// explanation is a string, or what FastAPI says of a request it does not accept: a list of places and messages.
func explanation(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		return word(raw)
	case '{':
		var o struct {
			Message json.RawMessage   `json:"message"`
			Msg     json.RawMessage   `json:"msg"`
			Loc     []json.RawMessage `json:"loc"`
		}
		if json.Unmarshal(raw, &o) != nil {
			return ""
		}
		if text := word(o.Message); text != "" {
			return text
		}
		var place []string
		for _, step := range o.Loc {
			place = append(place, word(step))
		}
		if text := word(o.Msg); text != "" && len(place) > 0 {
			return strings.Join(place, ".") + ": " + text
		}
		return word(o.Msg)
	case '[':
		var parts []json.RawMessage
		if json.Unmarshal(raw, &parts) != nil {
			return ""
		}
		var texts []string
		for _, part := range parts {
			if len(part) == 0 || part[0] == '[' { // one level of a list, however deep it goes
				continue
			}
			if text := explanation(part); text != "" {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, "; ")
	}
	return ""
}

// word is a string, or a number or a boolean as it is written.
func word(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" || raw[0] == '{' || raw[0] == '[' {
		return ""
	}
	if raw[0] != '"' {
		return string(raw)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
