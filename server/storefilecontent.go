package server

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"
)

// Limits of texts that are shown, in bytes. One text is kept between its pages however long it is.
const (
	maxContentPage = 1 << 20
	maxKeptTexts   = 64 << 20
)

// storeFileContent is GET /vector_stores/{vector_store_id}/files/{file_id}/content: the text that has been made of a
// file. What has not been read, or could not be, has none, which is inferred, and so are the pages.
func (s *Server) storeFileContent(ctx context.Context, c *call) (reply, error) {
	storeID, id := c.ids[0], c.ids[1]
	record, err := s.storeFile(ctx, storeID, id)
	if err != nil {
		return reply{}, err
	}
	text := ""
	if statusOf(record) == statusCompleted {
		if text, err = s.shownText(ctx, storeID, id); err != nil {
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

// shownText returns the text of a file that has been read. A long one is kept until its other pages have been asked
// for.
func (s *Server) shownText(ctx context.Context, storeID, id string) (string, error) {
	if text, ok := s.ingest.texts.get(storeID, id); ok {
		return text, nil
	}
	leave, err := s.ingest.place(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	if text, ok := s.ingest.texts.get(storeID, id); ok { // another request has read it meanwhile
		return text, nil
	}
	_, text, err := s.textOf(ctx, id)
	if err != nil || len(text) <= maxContentPage {
		return text, err
	}
	s.ingest.texts.put(storeID, id, text)
	if _, err := s.store.Get(ctx, vectorStoreFiles(storeID), id); err != nil { // it has left meanwhile
		s.ingest.texts.drop(storeID, id)
	}
	return text, nil
}

// keptTexts are the texts of files whose pages are asked for, those that were used last.
type keptTexts struct {
	mu    sync.Mutex
	texts []keptText // the one used last is at the end
	bytes int
}

type keptText struct{ storeID, fileID, text string }

func (k *keptTexts) get(storeID, fileID string) (text string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.IndexFunc(k.texts, func(t keptText) bool { return t.storeID == storeID && t.fileID == fileID })
	if i < 0 {
		return "", false
	}
	t := k.texts[i]
	k.texts = append(slices.Delete(k.texts, i, i+1), t)
	return t.text, true
}

func (k *keptTexts) put(storeID, fileID, text string) {
	k.drop(storeID, fileID)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.texts = append(k.texts, keptText{storeID, fileID, text})
	for k.bytes += len(text); k.bytes > maxKeptTexts && len(k.texts) > 1; {
		k.bytes -= len(k.texts[0].text)
		k.texts = slices.Delete(k.texts, 0, 1)
	}
}

// drop forgets the text of a file of a store, or of all its files if that is "".
func (k *keptTexts) drop(storeID, fileID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.texts = slices.DeleteFunc(k.texts, func(t keptText) bool {
		gone := t.storeID == storeID && (fileID == "" || t.fileID == fileID)
		if gone {
			k.bytes -= len(t.text)
		}
		return gone
	})
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
