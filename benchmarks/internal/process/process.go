// Package process is what benchmarks have to do with processes: how much one holds, and another one beside it.
package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// A Child is this program as a server of its own, whose CPU and memory do not count as this one's.
type Child struct {
	Addr string         // where it listens
	In   io.WriteCloser // its input, whose end is its own

	cmd *exec.Cmd
}

// Start starts this program with the argument "-serve". The first line that it writes is its address.
func Start() (*Child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "-serve")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the server does not say where it is: %w", err)
	}
	return &Child{strings.TrimSpace(addr), in, cmd}, nil
}

// Stop ends the child.
func (c *Child) Stop() {
	c.In.Close()
	_ = c.cmd.Wait()
}

// InUse is what a process holds, in bytes and goroutines.
type InUse struct{ Heap, Stacks, Goroutines float64 }

// Look tells what this process holds when what nobody needs is gone.
func Look() InUse {
	time.Sleep(50 * time.Millisecond) // for what has been begun to come to rest
	runtime.GC()
	runtime.GC() // what the first one leaves in pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return InUse{float64(m.HeapAlloc), float64(m.StackInuse), float64(runtime.NumGoroutine())}
}

// Minus is what there is more than there was.
func (u InUse) Minus(before InUse) InUse {
	return InUse{u.Heap - before.Heap, u.Stacks - before.Stacks, u.Goroutines - before.Goroutines}
}

// Over is the part of one of n.
func (u InUse) Over(n int) InUse {
	each := float64(n)
	return InUse{u.Heap / each, u.Stacks / each, u.Goroutines / each}
}

// GoroutinesAbove is how many there are more than there were, once those that are ending have ended.
func GoroutinesAbove(were int) int {
	for range 200 {
		if runtime.NumGoroutine() <= were {
			return 0
		}
		time.Sleep(10 * time.Millisecond)
	}
	return runtime.NumGoroutine() - were
}
