// Package crew counts what is under way, for those who wait for its end.
package crew

import "sync"

// A Crew is what a [sync.WaitGroup] is, with two differences: its end can be waited for in a select, and it may be used
// inside a bubble of testing/synctest and then outside of it. The zero Crew is idle.
type Crew struct {
	mu    sync.Mutex
	count int
	idle  chan struct{} // that somebody waits for; nil: nobody does
}

// Begin is called when something begins.
func (c *Crew) Begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
}

// End is called when it has ended.
func (c *Crew) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count--; c.count == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// Go runs a function in a goroutine, which is under way until it returns.
func (c *Crew) Go(do func()) {
	c.Begin()
	go func() {
		defer c.End()
		do()
	}()
}

// Idle returns a channel that is closed when nothing is under way any more.
func (c *Crew) Idle() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	idle := c.idle
	if idle == nil {
		idle = make(chan struct{})
		if c.count > 0 {
			c.idle = idle
		} else {
			close(idle)
		}
	}
	return idle
}
