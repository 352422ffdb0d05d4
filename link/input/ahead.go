package input

import "sync"

// The walk over the inputs is the work of one goroutine, and waits for memory most
// of the time. Meanwhile others prepare the objects that it is done with.

// ahead are those goroutines.
type ahead struct {
	objects chan *object
	all     sync.WaitGroup
}

// start has all but one of the workers wait for objects.
func (a *ahead) start(l *loader) {
	n := l.opt.Workers() - 1
	if n <= 0 {
		return
	}
	a.objects = make(chan *object, 1024)
	for range n {
		a.all.Go(func() { a.work(l) })
	}
}

func (a *ahead) work(l *loader) {
	for o := range a.objects {
		l.prepare(o)
	}
}

// take prepares an object whose groups are settled. One with compressed sections is
// left to finish: unpacking changes their names, which messages of the walk tell.
func (a *ahead) take(o *object) {
	if a.objects != nil && len(o.packed) == 0 {
		a.objects <- o
	}
}

// wait helps with what is left.
func (a *ahead) wait(l *loader) {
	if a.objects == nil {
		return
	}
	close(a.objects)
	a.work(l)
	a.all.Wait()
}
