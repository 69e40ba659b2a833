package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/assistants-go/assistants"
)

// A witness writes down what a handler is sent. To look is not to send: some look at a batch once more.
type witness struct {
	http.Handler
	mu   sync.Mutex
	seen []string
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	seen := fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, contentOf(r, body))
	if r.ContentLength != int64(len(body)) {
		seen += fmt.Sprintf(" of a length that was not announced: %d", r.ContentLength)
	}
	w.mu.Lock()
	if r.Method != http.MethodGet {
		w.seen = append(w.seen, seen)
	}
	w.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.Handler.ServeHTTP(rw, r)
}

// contentOf is what a body says, however it says it.
func contentOf(r *http.Request, body []byte) string {
	_, boundary, isForm := strings.Cut(r.Header.Get("Content-Type"), "boundary=")
	if !isForm {
		var value map[string]any
		if json.Unmarshal(body, &value) != nil {
			return string(body)
		}
		sorted, _ := json.Marshal(value)
		return string(sorted)
	}
	form, err := multipart.NewReader(bytes.NewReader(body), boundary).ReadForm(1 << 20)
	if err != nil {
		return err.Error()
	}
	seen := fmt.Sprint(form.Value)
	for field, files := range form.File {
		f, _ := files[0].Open()
		content, _ := io.ReadAll(f)
		seen += fmt.Sprintf(" %s %q %s", field, files[0].Filename, content)
	}
	return seen
}

// take returns what was sent since it was asked last, in an order that does not depend on who was first.
func (w *witness) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	slices.Sort(seen)
	return seen
}

func witnessed(t *testing.T, size int64) (*witness, *connection) {
	w := &witness{Handler: newBareHandler(newPattern(), size)}
	c, err := connect(w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return w, c
}

// same checks that all send what the first of them sends.
func (w *witness) same(t *testing.T, requests int, ways ...way) {
	t.Helper()
	var want []string
	for i, way := range ways {
		if err := way.run(); err != nil {
			t.Fatalf("%s: %v", way.name, err)
		}
		seen := w.take()
		if i == 0 {
			want = seen
		}
		if len(seen) != requests || !slices.Equal(seen, want) {
			t.Errorf("%s: %d requests that are not the %d of %s:\n%.80q\n%.80q", way.name, len(seen), requests, ways[0].name, seen, want)
		}
	}
}

// Who sends less, or in another way, is not to be compared.
func TestFloorUploadsTheSame(t *testing.T) {
	t.Parallel()
	const size = 300_001
	ctx, p := context.Background(), newPattern()
	w, c := witnessed(t, size)
	byHand := func(f *floor, r io.Reader) func() error {
		return func() error { _, err := f.upload(ctx, largeName, r, size); return err }
	}
	w.same(t, 1,
		way{"floor", byHand(c.floor(), p.stream(size))},
		way{"floor in process", byHand(c.floorInProcess(), p.file(size))},
		way{"ours", func() error { return ourUpload(ctx, c.ours, p.stream(size), size) }},
		way{"ours in process", func() error { return ourUpload(ctx, c.inProcess, p.file(size), size) }},
		way{"openai-go", func() error { return openAIGoUpload(ctx, &c.openAIGo, p.stream(size), size) }},
	)
}

func TestFloorUploadsTheSameParts(t *testing.T) {
	t.Parallel()
	const size, part = 300_001, 100_000
	ctx, p := context.Background(), newPattern()
	w, c := witnessed(t, size)
	w.same(t, 1+4+1,
		way{"floor", func() error { return c.floor().uploadParts(ctx, p, size, part, partsAtOnce) }},
		way{"ours", func() error { return ourParts(ctx, c.ours, p, size, part) }},
	)
}

func TestFloorUploadsTheSameSmallFiles(t *testing.T) {
	t.Parallel()
	ctx, files := context.Background(), newProse(1).files(10, 100)
	w, c := witnessed(t, int64(len(files)))
	w.same(t, len(files)+1,
		way{"floor", func() error { return c.floor().batch(ctx, "vs_1", files) }},
		way{"ours", func() error { return ourBatch(ctx, c.ours, "vs_1", files) }},
		way{"openai-go", func() error { return openAIGoBatch(ctx, c, "vs_1", files) }},
	)
}

func TestFloorDownloadsTheSame(t *testing.T) {
	t.Parallel()
	const size = 300_001
	_, c := witnessed(t, size)
	res, err := c.listening.Client().Get(c.url("/files/file-1/content"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	want, err := io.ReadAll(res.Body)
	if err != nil || int64(len(want)) != size {
		t.Fatal(len(want), err)
	}
	for name, client := range map[string]*assistants.Client{"loopback": c.ours, "in process": c.inProcess} {
		content, err := client.Files.Content(t.Context(), "file-1")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(content)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		content.Close()
	}
	if err := c.floor().download(t.Context(), size+1); err == nil {
		t.Error("a byte that is missing is not missed")
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	p := newPattern()
	want := slices.Concat(p.bytes, p.bytes, p.bytes[:100])
	if err := iotest.TestReader(p.file(int64(len(want))), want); err != nil {
		t.Error(err)
	}
	stream := p.stream(10)
	if _, ok := stream.(io.Seeker); ok {
		t.Error("a stream can seek")
	}
}

// The floor of indexing counts the words, which are as frequent as is said, and the same every time.
func TestProse(t *testing.T) {
	t.Parallel()
	p, again := newProse(1), newProse(1)
	text := p.file(textBytes)
	if len(text) != textBytes || !bytes.Equal(text, again.file(textBytes)) {
		t.Error("the text is not the same every time")
	}
	counts := countWords(text)
	if first, tenth := counts[p.words[0]], counts[p.words[9]]; first < 2*tenth || tenth == 0 || len(counts) < 10_000 {
		t.Errorf("of %d words, the first is there %d times and the tenth %d times", len(counts), first, tenth)
	}
	if question := strings.Fields(p.question(3)); len(question) != 8 {
		t.Error(question)
	}
}

// What is held for a moment only is seen as well.
func TestHeapPeak(t *testing.T) {
	var held []byte
	peak, err := heapPeak(func() error {
		held = make([]byte, 64<<20)
		for i := range held {
			held[i] = 1
		}
		held = nil
		return nil
	})
	if err != nil || peak < 64<<20 || peak > 70<<20 {
		t.Errorf("%.0f bytes, %v", peak, err)
	}
	if peak, _ = heapPeak(func() error { return nil }); peak > 1<<20 {
		t.Errorf("%.0f bytes for nothing", peak)
	}
}
