// Package logtest keeps what is logged, for tests to look at.
package logtest

import (
	"bytes"
	"sync"
)

// A Log is what was logged so far. The zero Log is empty. It is safe for concurrent use.
type Log struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// String returns all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
