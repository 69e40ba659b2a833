package workload

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// A Server answers every request on a connection of the loopback interface. It reads a request only to know where the
// answer begins, and allocates nothing for one: what is measured is the client's.
type Server struct {
	listener net.Listener
	answer   func(net.Conn) error
}

// NewServer starts a server. answer writes whole answers; if it fails, the connection ends.
func NewServer(answer func(net.Conn) error) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{listener, answer}
	go s.accept()
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close takes no more connections. Those that there are end with their clients.
func (s *Server) Close() error { return s.listener.Close() }

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		go s.serve(conn)
	}
}

func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	requests := bufio.NewReader(conn)
	for skipRequest(requests) == nil && s.answer(conn) == nil {
	}
}

// skipRequest reads a request to its end.
func skipRequest(r *bufio.Reader) error {
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			_, err := r.Discard(length)
			return err
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return errors.New("a request whose length is not announced")
		}
	}
}

// Transport returns a transport whose requests all go to the server at an address, whatever their URLs say: clients
// that send to https://api.openai.com need no settings of their own. It does without TLS.
func Transport(addr string) *http.Transport {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	return &http.Transport{DialContext: dial, DialTLSContext: dial}
}

// StreamHead is how the answer with a stream begins. Its body is chunked, as those of the service.
const StreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-Request-Id: req_benchmark\r\n" +
	"Transfer-Encoding: chunked\r\n\r\n"

// StreamTail ends it.
const StreamTail = "0\r\n\r\n"

// Chunk is a part of it.
func Chunk(data []byte) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(data), data) }

// AtOnce answers with a recording of which everything is there at once, every event in a chunk of its own: no client
// waits, and what it does itself counts most.
func AtOnce(r *Recording) func(net.Conn) error {
	var answer bytes.Buffer
	answer.WriteString(StreamHead)
	answer.Write(Chunk(r.Begin))
	for _, delta := range r.Deltas {
		answer.Write(Chunk(delta))
	}
	answer.Write(Chunk(r.End))
	answer.WriteString(StreamTail)
	return func(conn net.Conn) error {
		_, err := conn.Write(answer.Bytes())
		return err
	}
}

// Loopback returns a wire that streams come over from a server on the loopback interface, and all else from memory. The
// server is there until the process ends.
func Loopback() (*Wire, error) {
	server, err := NewServer(AtOnce(recorded))
	if err != nil {
		return nil, err
	}
	return &Wire{Streams: Transport(server.Addr())}, nil
}
