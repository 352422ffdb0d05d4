package memory

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls fn with the index of every object, from the last to the first, in as
// many goroutines as help. fn may write to what belongs to that object alone. A file
// that shrinks while it is read is an error.
func (p *Process) Each(fn func(i int)) error {
	n := len(p.Objects)
	workers := min(runtime.GOMAXPROCS(0), n)
	if p.written() < 1<<18 {
		workers = 1
	}
	next := atomic.Int64{}
	work := func() error {
		for {
			i := n - int(next.Add(1))
			if i < 0 {
				return nil
			}
			fn(i)
		}
	}
	if workers <= 1 {
		return p.guard(work)
	}
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { errs[w] = p.guard(work) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// written is about how many bytes are written to: what work there is.
func (p *Process) written() (n uint64) {
	for i := range p.Objects {
		for x := range p.Objects[i].Segments {
			if s := &p.Objects[i].Segments[x]; s.writable() {
				n += s.FileEnd - s.Start
			}
		}
	}
	return n
}

// guard runs fn with faults of all objects' files as errors. Whether one shrank
// without a fault is asked by load.Process.Guard.
func (p *Process) guard(fn func() error) error {
	for i := range p.Objects {
		inner, f := fn, p.Objects[i].File
		fn = func() error { return f.Protect(inner) }
	}
	return fn()
}
