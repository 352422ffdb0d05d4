package model

import (
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
)

// Flag is a fact that any goroutine may find.
type Flag struct{ set atomic.Bool }

// Set makes it so.
func (f *Flag) Set() {
	if !f.set.Load() {
		f.set.Store(true)
	}
}

// Get tells whether it is so.
func (f *Flag) Get() bool { return f.set.Load() }

// Report collects what is wrong, from many goroutines. What it gives back is in
// an order that does not depend on them.
type Report struct {
	// Demangle is how messages spell a symbol's name; nil: as it is. It is set
	// before anything is reported.
	Demangle func(string) string

	mu       sync.Mutex
	errors   []Finding
	warnings []Finding

	undefined map[*Symbol]*UndefinedError
}

// Finding is an error or warning and where in the inputs it belongs.
type Finding struct {
	Rank int32  // of the object
	Sec  int32  // index of the section
	Off  uint64 // in the section
	Err  error

	Section *Section // of the places of an UndefinedError
}

// Name is how messages spell the name of a symbol.
func (r *Report) Name(name string) string {
	if r.Demangle == nil {
		return name
	}
	return r.Demangle(name)
}

// Label is how messages call a symbol.
func (r *Report) Label(s *Symbol) string { return r.Name(s.Label()) }

// place is where it belongs: an undefined symbol to the first reference.
func (f *Finding) place() *Finding {
	if u, ok := f.Err.(*UndefinedError); ok {
		return &u.Places[0]
	}
	return f
}

// before orders by place.
func (f *Finding) before(g *Finding) bool {
	if f.Rank != g.Rank {
		return f.Rank < g.Rank
	}
	if f.Sec != g.Sec {
		return f.Sec < g.Sec
	}
	return f.Off < g.Off
}

// Error takes an error that belongs to no place in an object.
func (r *Report) Error(err error) { r.add(&r.errors, Finding{Err: err}) }

// Warn is Error for a warning.
func (r *Report) Warn(err error) { r.add(&r.warnings, Finding{Err: err}) }

// ErrorAt takes an error about a place in a section.
func (r *Report) ErrorAt(s *Section, off uint64, err error) {
	r.add(&r.errors, Finding{Rank: s.Obj.Rank, Sec: s.Index, Off: off, Err: &PlaceError{s, off, err}})
}

// WarnAt is ErrorAt for a warning.
func (r *Report) WarnAt(s *Section, off uint64, err error) {
	r.add(&r.warnings, Finding{Rank: s.Obj.Rank, Sec: s.Index, Off: off, Err: &PlaceError{s, off, err}})
}

func (r *Report) add(to *[]Finding, f Finding) {
	r.mu.Lock()
	*to = append(*to, f)
	r.mu.Unlock()
}

// Errors and Warnings return what was taken, ordered by place.
func (r *Report) Errors() []error   { return r.sorted(&r.errors) }
func (r *Report) Warnings() []error { return r.sorted(&r.warnings) }

// Failed tells whether there is any error.
func (r *Report) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.errors) != 0
}

func (r *Report) sorted(of *[]Finding) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := append([]Finding(nil), *of...)
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].place(), list[j].place()
		if a.before(b) || b.before(a) {
			return a.before(b)
		}
		return list[i].Err.Error() < list[j].Err.Error()
	})
	var errs []error
	for _, f := range list {
		errs = append(errs, f.Err)
	}
	return errs
}

// PlaceError is an error about a place in an input section: "main.o(.text+0x1f):
// …".
type PlaceError struct {
	Section *Section
	Off     uint64
	Err     error
}

func (e *PlaceError) Error() string {
	return fmt.Sprintf("%s(%s+%#x): %v", e.Section.Obj.File, e.Section.Name, e.Off, e.Err)
}

func (e *PlaceError) Unwrap() error { return e.Err }
