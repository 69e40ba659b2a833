package main

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// heapNow is how many bytes there are on the heap, with what has not been collected yet.
func heapNow() float64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64())
}

// heapInUse is how many bytes there are on the heap when what nobody needs is gone.
func heapInUse() float64 {
	runtime.GC()
	runtime.GC() // what the first one leaves in pools
	return heapNow()
}

// heapPeak returns by how many bytes the heap has grown at most while f ran. It looks every millisecond.
func heapPeak(f func() error) (peak float64, err error) {
	before := heapInUse()
	done := make(chan struct{})
	highest := make(chan float64)
	go func() {
		every := time.NewTicker(time.Millisecond)
		defer every.Stop()
		most := before
		for {
			most = max(most, heapNow())
			select {
			case <-every.C:
			case <-done:
				highest <- most
				return
			}
		}
	}()
	err = f()
	close(done)
	return <-highest - before, err
}
