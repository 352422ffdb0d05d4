package cli

import (
	"fmt"
	"io"
	"time"
)

// timing is a list of phases and how long they took. A nil *timing measures
// nothing.
type timing struct {
	began  time.Time
	phases []phase
}

type phase struct {
	name string
	took time.Duration
}

func newTiming() *timing { return &timing{began: time.Now()} }

// start begins a phase and returns what ends it.
func (t *timing) start(name string) (done func()) {
	if t == nil {
		return func() {}
	}
	began := time.Now()
	return func() { t.phases = append(t.phases, phase{name, time.Since(began)}) }
}

// add notes what was measured elsewhere.
func (t *timing) add(name string, took time.Duration) {
	if t != nil {
		t.phases = append(t.phases, phase{name, took})
	}
}

// print writes the phases and the time since newTiming.
func (t *timing) print(w io.Writer) {
	if t == nil {
		return
	}
	for _, p := range t.phases {
		fmt.Fprintf(w, "%10.3f ms  %s\n", milliseconds(p.took), p.name)
	}
	fmt.Fprintf(w, "%10.3f ms  in all\n", milliseconds(time.Since(t.began)))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
