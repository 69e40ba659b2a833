package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/assistants-go/assistants/server"
)

const benchBody = `{"model":"gpt-4o","name":"Support","instructions":"Answer questions about orders.","metadata":{"tenant":"blue"},` +
	`"tools":[{"type":"function","function":{"name":"order_status","parameters":{"type":"object","properties":{"id":{"type":"string"}}}}}]}`

// sink is a ResponseWriter that costs next to nothing.
type sink struct {
	header http.Header
	status int
	bytes  int
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(status int) {
	s.status = status
}

func (s *sink) Write(p []byte) (int, error) {
	s.bytes += len(p)
	return len(p), nil
}

func (s *sink) serve(b testing.TB, h http.Handler, r *http.Request) {
	s.header = http.Header{}
	h.ServeHTTP(s, r)
	if s.status != 200 {
		b.Fatal(s.status)
	}
}

func benchRequest(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("OpenAI-Beta", "assistants=v2")
	return r
}

func BenchmarkCreate(b *testing.B) {
	s, w := server.New(), &sink{}
	r := benchRequest("POST", "/v1/assistants", benchBody)
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(benchBody))
		w.serve(b, s, r)
	}
}

func BenchmarkRetrieve(b *testing.B) {
	s, w := server.New(server.WithIDSource(counter())), &sink{}
	w.serve(b, s, benchRequest("POST", "/v1/assistants", benchBody))
	r := benchRequest("GET", "/v1/assistants/asst_1", "")
	b.ReportAllocs()
	for b.Loop() {
		w.serve(b, s, r)
	}
}

// BenchmarkList asks for pages of 100 among a million assistants, and reports
// the memory that one of them takes.
func BenchmarkList(b *testing.B) {
	const million = 1_000_000
	before := liveBytes()
	s, w := server.New(server.WithIDSource(counter())), &sink{}
	create := benchRequest("POST", "/v1/assistants", benchBody)
	for range million {
		create.Body = io.NopCloser(strings.NewReader(benchBody))
		w.serve(b, s, create)
	}
	perAssistant := float64(liveBytes()-before) / million
	for _, bc := range []struct{ name, query string }{
		{"first", "limit=100"},
		{"deep", fmt.Sprintf("limit=100&after=asst_%d", million/3)},
		{"before", fmt.Sprintf("limit=100&before=asst_%d", million/3)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			r := benchRequest("GET", "/v1/assistants?"+bc.query, "")
			b.ReportAllocs()
			for b.Loop() {
				w.bytes = 0
				w.serve(b, s, r)
			}
			b.ReportMetric(perAssistant, "B/assistant")
			b.ReportMetric(float64(w.bytes)/100, "JSON-B/assistant")
		})
	}
	runtime.KeepAlive(s)
}

func liveBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
