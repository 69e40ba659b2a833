package server

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

// maxContentPage is how much text a page of a file's content has, in bytes.
const maxContentPage = 1 << 20

// storeFileContent is GET /vector_stores/{vector_store_id}/files/{file_id}/content: the text that has been made of a file.
// What has not been read, or could not be, has none, which is inferred, and so are the pages.
func (s *Server) storeFileContent(ctx context.Context, c *call) (reply, error) {
	storeID, id := c.ids[0], c.ids[1]
	record, err := s.storeFile(ctx, storeID, id)
	if err != nil {
		return reply{}, err
	}
	text := ""
	if statusOf(record) == statusCompleted {
		if _, text, err = s.textOf(ctx, id); err != nil {
			if errors.Is(err, ErrNotFound) {
				err = errNotFound("file", id) // deleted meanwhile
			}
			return reply{}, err
		}
	}
	start, err := contentStart(c, text)
	if err != nil {
		return reply{}, err
	}
	return ok(contentPage(text, start))
}

// contentStart returns where the page begins that a request asks for. The token of a page is that place.
func contentStart(c *call, text string) (int, error) {
	token := c.request.URL.Query().Get("page")
	if token == "" {
		return 0, nil
	}
	start, err := strconv.Atoi(token)
	if err != nil || start < 0 || start >= len(text) || !utf8.RuneStart(text[start]) {
		return 0, invalid("invalid_value", "page", "Invalid 'page': '%s' is the token of no page.", echo(token))
	}
	return start, nil
}

// contentPage returns the page of a text that begins there.
func contentPage(text string, start int) []byte {
	end := len(text)
	if end-start > maxContentPage {
		for end = start + maxContentPage; !utf8.RuneStart(text[end]); {
			end--
		}
	}
	data, next := emptyArray(), json.RawMessage("null")
	if end > start {
		data = renderArray([]json.RawMessage{
			object{{"type", json.RawMessage(`"text"`)}, {"text", quote(text[start:end])}}.render(),
		})
	}
	if end < len(text) {
		next = quote(strconv.Itoa(end))
	}
	return object{
		{"object", json.RawMessage(`"vector_store.file_content.page"`)},
		{"data", data},
		{"has_more", strconv.AppendBool(nil, end < len(text))},
		{"next_page", next},
	}.render()
}
