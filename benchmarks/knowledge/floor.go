package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"sync"
)

// The floor sends requests by hand: no retries, no limits, no time limits.
type floor struct {
	base string
	do   func(*http.Request) (*http.Response, error)
}

// call sends a request and decodes the answer.
func (f *floor) call(r *http.Request, into any) error {
	r.Header.Set("Authorization", "Bearer key")
	r.Header.Set("OpenAI-Beta", "assistants=v2")
	res, err := f.do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s %s", r.Method, r.URL.Path, res.Status, body)
	}
	return json.Unmarshal(body, into)
}

func (f *floor) post(ctx context.Context, path, body string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.base+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return f.call(r, into)
}

// upload sends a file of a known size in a form that is put together while it is sent.
func (f *floor) upload(ctx context.Context, name string, file io.Reader, size int64) (id string, err error) {
	var made struct {
		ID    string
		Bytes int64
	}
	if err := f.form(ctx, "/files", "file", name, map[string]string{"purpose": "assistants"}, file, size, &made); err != nil {
		return "", err
	}
	return made.ID, whole(made.Bytes, size)
}

// form posts a form with a file of a known size.
func (f *floor) form(
	ctx context.Context, path, field, name string, fields map[string]string, file io.Reader, size int64, into any,
) error {
	var around bytes.Buffer
	form := multipart.NewWriter(&around)
	for name, value := range fields {
		if err := form.WriteField(name, value); err != nil {
			return err
		}
	}
	if _, err := form.CreateFormFile(field, name); err != nil {
		return err
	}
	head := around.Len()
	if err := form.Close(); err != nil {
		return err
	}
	body := io.MultiReader(bytes.NewReader(around.Bytes()[:head]), file, bytes.NewReader(around.Bytes()[head:]))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.base+path, body)
	if err != nil {
		return err
	}
	r.ContentLength = int64(around.Len()) + size
	r.Header.Set("Content-Type", form.FormDataContentType())
	return f.call(r, into)
}

// uploadParts sends a file in parts, several at once, while it computes the checksum.
func (f *floor) uploadParts(ctx context.Context, file io.ReaderAt, size, partSize int64, atOnce int) error {
	var upload struct{ ID string }
	begin := fmt.Sprintf(`{"filename":"notes.txt","purpose":"assistants","bytes":%d,"mime_type":"text/plain"}`, size)
	if err := f.post(ctx, "/uploads", begin, &upload); err != nil {
		return err
	}
	sum := md5.New()
	var summing sync.WaitGroup
	summing.Go(func() { _, _ = io.Copy(sum, io.NewSectionReader(file, 0, size)) })
	parts := make([]string, (size+partSize-1)/partSize)
	err := several(len(parts), atOnce, func(i int) error {
		offset := int64(i) * partSize
		length := min(partSize, size-offset)
		var part struct{ ID string }
		err := f.form(ctx, "/uploads/"+upload.ID+"/parts", "data", "part", nil, io.NewSectionReader(file, offset, length), length, &part)
		parts[i] = part.ID
		return err
	})
	summing.Wait()
	if err != nil {
		return err
	}
	end, err := json.Marshal(map[string]any{"part_ids": parts, "md5": hex.EncodeToString(sum.Sum(nil))})
	if err != nil {
		return err
	}
	var done struct{ File struct{ Bytes int64 } }
	if err := f.post(ctx, "/uploads/"+upload.ID+"/complete", string(end), &done); err != nil {
		return err
	}
	return whole(done.File.Bytes, size)
}

// download reads the content of a file.
func (f *floor) download(ctx context.Context, size int64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+"/files/file-1/content", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer key")
	res, err := f.do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return copied(res.Body, size)
}

// several does something n times, some of them at once, and returns an error if there was one.
func several(n, atOnce int, do func(i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for i := range next {
				errs[i] = do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
