package server

import (
	"container/list"
	"sync"
)

// line gives places to those who want one, in the order in which they have come.
type line struct {
	mu      sync.Mutex
	free    int
	waiting list.List // of *turn
}

// turn is a place in the line, and then the one that was wanted.
type turn struct {
	come  chan struct{} // closed when it has come
	place *list.Element // in the line; nil: it has come
}

// join is for the next one in the line, who must leave in the end.
func (l *line) join() *turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &turn{come: make(chan struct{})}
	if l.free > 0 {
		l.free--
		close(t.come)
	} else {
		t.place = l.waiting.PushBack(t)
	}
	return t
}

// leave gives a place to the next one, or gives up waiting for it.
func (l *line) leave(t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch next := l.waiting.Front(); {
	case t.place != nil:
		l.waiting.Remove(t.place)
	case next != nil:
		t := l.waiting.Remove(next).(*turn)
		t.place = nil
		close(t.come)
	default:
		l.free++
	}
}
