package model

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Workers is how many goroutines share the work.
func (o *Options) Workers() int {
	if o.Threads > 0 {
		return o.Threads
	}
	return runtime.GOMAXPROCS(0)
}

// Each calls do for 0 … n-1 from several goroutines, the caller's among them, each of
// which takes the next number that nobody has. It returns when all are done.
func Each(workers, n int, do func(i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	work := func() {
		for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
			do(int(i))
		}
	}
	for range workers - 1 {
		all.Go(work)
	}
	work() // who waits could as well do something
	all.Wait()
}
