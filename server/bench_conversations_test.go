package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/assistants-go/assistants/server"
)

// streamSink is a sink that streams are flushed to. It counts their events.
type streamSink struct {
	sink
	events int
}

func (s *streamSink) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("event: ")) {
		s.events++
	}
	return s.sink.Write(p)
}

func (s *streamSink) Flush() {}

func (s *streamSink) post(b testing.TB, h http.Handler, target, body string) {
	s.header = http.Header{}
	h.ServeHTTP(s, benchRequest("POST", target, body))
	if s.status != 200 {
		b.Fatal(s.status)
	}
}

// BenchmarkConversation makes a thread with a message and streams a run on it.
func BenchmarkConversation(b *testing.B) {
	for _, deltas := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(deltas), func(b *testing.B) {
			model := server.NewScripted(server.Otherwise(server.Say(strings.Repeat("word ", deltas))))
			s, w := server.New(server.WithModel(model)), &streamSink{}
			defer s.Close()
			assistant := benchCreate(b, s, "/v1/assistants", benchBody)
			body := fmt.Sprintf(`{"assistant_id":%q,"stream":true,"thread":{"messages":[{"role":"user","content":"Where is it?"}]}}`, assistant)
			b.ReportAllocs()
			for b.Loop() {
				w.post(b, s, "/v1/threads/runs", body)
			}
			b.ReportMetric(float64(w.events)/float64(b.N), "events/op")
		})
	}
}

// BenchmarkThread makes threads with two messages, and reports the memory that one of them takes.
func BenchmarkThread(b *testing.B) {
	const body = `{"messages":[{"role":"user","content":"Where is it?"},{"role":"assistant","content":"On its way."}]}`
	before := liveBytes()
	s, w := server.New(), &streamSink{}
	b.ReportAllocs()
	for b.Loop() {
		w.post(b, s, "/v1/threads", body)
	}
	b.ReportMetric(float64(liveBytes()-before)/float64(b.N), "B/thread")
	runtime.KeepAlive(s)
}

// BenchmarkLongThread does in a thread of a hundred thousand messages what is done in threads.
func BenchmarkLongThread(b *testing.B) {
	const length = 100_000
	s, w := server.New(server.WithIDSource(counter())), &streamSink{}
	defer s.Close()
	assistant := benchCreate(b, s, "/v1/assistants", benchBody)
	benchCreate(b, s, "/v1/threads", `{"messages":[`+strings.Repeat(`{"role":"user","content":"Where is my parcel?"},`, length-1)+
		`{"role":"user","content":"Well?"}]}`)
	const thread = "/v1/threads/thread_1"
	run := fmt.Sprintf(`{"assistant_id":%q,"stream":true}`, assistant)
	for _, bc := range []struct{ name, query string }{
		{"first page", "limit=100"},
		{"middle page", fmt.Sprintf("limit=100&after=msg_%d", length/2)},
		{"page of a run", "limit=100&run_id=run_abcDEFghiJKLmnoPQRstuVWX"},
	} {
		b.Run(bc.name, func(b *testing.B) {
			r := benchRequest("GET", thread+"/messages?"+bc.query, "")
			b.ReportAllocs()
			for b.Loop() {
				w.serve(b, s, r)
			}
		})
	}
	for _, bc := range []struct{ name, target, body string }{
		{"create", "/messages", `{"role":"user","content":"Where is my parcel?"}`},
		{"run", "/runs", run},
		{"run on 20 messages", "/runs", strings.Replace(run, "}", `,"truncation_strategy":{"type":"last_messages","last_messages":20}}`, 1)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.post(b, s, thread+bc.target, bc.body)
			}
		})
	}
}

func benchCreate(b testing.TB, s *server.Server, target, body string) (id string) {
	b.Helper()
	return field[string](b, (&api{t: b, handler: s}).do("POST", target, body).body, "id")
}
