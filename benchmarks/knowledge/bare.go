package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// The bare handler keeps nothing. It reads a form as it arrives, throws the file away, and tells its size; it has one large
// file; and every batch is completed as soon as there is one.
func newBareHandler(p pattern, size int64) http.Handler {
	mux := http.NewServeMux()
	answer := func(pattern, format string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			writeJSON(w, format, size)
		})
	}
	mux.HandleFunc("POST /v1/files", takeFile("file", fileJSON))
	mux.HandleFunc("GET /v1/files/{id}/content", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		_, _ = io.Copy(w, p.stream(size)) // whoever misses it finds out
	})
	answer("POST /v1/uploads", uploadJSON)
	mux.HandleFunc("POST /v1/uploads/{id}/parts", takeFile("data", partJSON))
	answer("POST /v1/uploads/{id}/complete", completedJSON)
	answer("POST /v1/vector_stores/{id}/file_batches", batchJSON)
	answer("GET /v1/vector_stores/{id}/file_batches/{batch}", batchJSON)
	return mux
}

// Answers, each with the size of a file.
const (
	fileJSON = `{"object":"file","id":"file-1","purpose":"assistants","filename":"notes.txt","bytes":%d,` +
		`"created_at":1700000000,"expires_at":null,"status":"processed","status_details":null}`
	uploadJSON = `{"object":"upload","id":"upload_1","bytes":%d,"created_at":1700000000,"expires_at":1700003600,` +
		`"filename":"notes.txt","purpose":"assistants","status":"pending","file":null}`
	completedJSON = `{"object":"upload","id":"upload_1","bytes":%[1]d,"created_at":1700000000,"expires_at":1700003600,` +
		`"filename":"notes.txt","purpose":"assistants","status":"completed","file":` +
		`{"object":"file","id":"file-1","purpose":"assistants","filename":"notes.txt","bytes":%[1]d,"created_at":1700000000}}`
	partJSON  = `{"object":"upload.part","id":"part_%d","created_at":1700000000,"upload_id":"upload_1"}`
	batchJSON = `{"object":"vector_store.file_batch","id":"vsfb_1","created_at":1700000000,"vector_store_id":"vs_1",` +
		`"status":"completed","file_counts":{"in_progress":0,"completed":%[1]d,"failed":0,"cancelled":0,"total":%[1]d}}`
)

func writeJSON(w http.ResponseWriter, format string, size int64) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, format, size)
}

// takeFile returns a handler that reads a form whose file is in the given field.
func takeFile(field, format string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var file counter
		if err := readForm(r, field, &file); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		writeJSON(w, format, file.n)
	}
}

// readForm copies the file of a form as it arrives.
func readForm(r *http.Request, field string, file io.Writer) error {
	form, err := r.MultipartReader()
	if err != nil {
		return err
	}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		to := io.Discard
		if part.FormName() == field {
			to = file
		}
		if _, err := io.Copy(to, part); err != nil {
			return err
		}
	}
}
