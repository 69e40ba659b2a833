package main

import (
	"runtime"
	"time"
)

// inUse is what a process holds, in bytes and goroutines.
type inUse struct{ heap, stacks, goroutines float64 }

// look tells what the process holds when what nobody needs is gone.
func look() inUse {
	time.Sleep(50 * time.Millisecond) // for what has been begun to come to rest
	runtime.GC()
	runtime.GC() // what the first one leaves in pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return inUse{float64(m.HeapAlloc), float64(m.StackInuse), float64(runtime.NumGoroutine())}
}

// since is what one of n took since there was what there was before.
func (u inUse) since(before inUse, n int) inUse {
	each := float64(n)
	return inUse{(u.heap - before.heap) / each, (u.stacks - before.stacks) / each, (u.goroutines - before.goroutines) / each}
}

// goroutinesAbove is how many there are more than there were, once those that are ending have ended.
func goroutinesAbove(were int) int {
	for range 200 {
		if runtime.NumGoroutine() <= were {
			return 0
		}
		time.Sleep(10 * time.Millisecond)
	}
	return runtime.NumGoroutine() - were
}
