package bind

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"elfwright/dyn/load"
	"elfwright/elffile"
)

// Options say what is bound, and how. The zero value is a start of the program.
type Options struct {
	Order   Order
	Now     bool // LD_BIND_NOW: no slot waits for its first call
	Weak    bool // LD_DYNAMIC_WEAK: of glibc, a weak definition counts only where there is no other
	Workers int  // goroutines at most; 0: as many as help
}

// Bind binds a process. With an error the result has all that could be bound: an
// object whose tables are damaged is left out as far as they are, and one for a
// machine that is not known is left out whole.
//
// The result does not depend on the number of workers. It has windows on the
// objects' files and is valid as long as they are open.
func Bind(p *load.Process, opt Options) (*Result, error) {
	res := &Result{Process: p, scope: &scope{names: newVersionNames(), musl: p.Libc == load.Musl, weak: opt.Weak}}
	if len(p.Objects) == 0 {
		return res, nil
	}
	res.Order = relocationOrder(p, opt.Order)
	res.scope.program, res.scope.ld = programOf(p).Index, slices.Index(p.Objects, p.Ld)
	var c elffile.Faults
	named := objectNames(p)
	c.Add(res.scope.open(p, named, opt.Order))
	c.Add(res.collect(opt))
	c.Add(res.resolve(opt.Workers))
	c.Add(res.settleUniques())
	if p.Libc == load.Glibc {
		var err error
		res.Versions, err = checkVersions(p, named)
		c.Add(err)
	}
	return res, c.Err()
}

// open makes the tables of the objects.
func (s *scope) open(p *load.Process, named map[string]*load.Object, order Order) error {
	var errs []error
	s.tables = make([]*table, len(p.Objects))
	for i, o := range p.Objects {
		t, err := newTable(o)
		errs = append(errs, err)
		if s.musl {
			t.symbolic = false
		} else if err := t.setVersions(s.names, func(file string) bool { return order != Trace || named[file] != nil }); err != nil {
			errs = append(errs, err)
		}
		s.tables[i] = t
	}
	s.sieve = newSieve(s.tables)
	return errors.Join(errs...)
}

// collect lists the symbols that relocations ask for, object by object.
func (r *Result) collect(opt Options) error {
	var errs []error
	acts := map[string]*actions{}
	c := collector{libc: r.Process.Libc, version: r.Process.Version, out: make([]Binding, 0, r.scope.guess())}
	for _, i := range r.Order {
		r.from = append(r.from, len(c.out))
		t := r.scope.tables[i]
		m := t.obj.Machine
		if typesOf(m) == nil {
			errs = append(errs, unknownMachine(t.obj))
			continue
		}
		if acts[m.Name] == nil {
			acts[m.Name] = newActions(m, r.Process)
		}
		_, variant := t.obj.Dynamic.Entry(dtAArch64Variant)
		if n := int(t.nsyms); n <= cap(c.seen) {
			c.seen = c.seen[:n]
			clear(c.seen)
		} else {
			c.seen = make([]uint8, n)
		}
		c.t, c.index, c.act = t, int32(i), acts[m.Name]
		c.lazy = !opt.Now && !t.obj.BindNow && c.libc == load.Glibc && t.obj != r.Process.Ld
		c.variant = variant && m.Name == "AArch64"
		c.slots, c.slotsTo, c.faults, c.size = nil, len(c.out), elffile.Faults{}, 0
		c.collect()
		errs = append(errs, c.faults.Err())
	}
	r.from = append(r.from, len(c.out))
	r.Bindings = c.out
	return errors.Join(errs...)
}

// guess is how many bindings there may be: an object asks for each of its symbols
// once, as a rule, but seldom for more than it has relocations.
func (s *scope) guess() int {
	n := 0
	for _, t := range s.tables {
		relocs := 0
		for _, r := range t.obj.Relocs {
			if r.Kind != formRelr {
				relocs += r.Len()
			}
		}
		n += min(int(t.nsyms), relocs)
	}
	return n
}

func unknownMachine(o *load.Object) error {
	return &elffile.Error{File: o.Name, Off: -1, Msg: fmt.Sprintf("the relocations of machine %v, %v are not known; nothing of it is bound", o.Header.Machine, o.Class)}
}

// chunk is how many bindings a worker takes at a time, and the number below which
// a second one is not worth starting.
const (
	chunk = 512
	few   = 2048
	many  = 1 << 24 // steps after which it looks whether there are any left
)

// resolve decides all bindings but those that need the unique symbols.
func (r *Result) resolve(workers int) error {
	n := len(r.Bindings)
	if workers <= 0 {
		workers = min(runtime.GOMAXPROCS(0), n/few+1)
	}
	chunks := (n + chunk - 1) / chunk
	workers = min(workers, max(chunks, 1))
	w := work{r: r, errs: make([]error, chunks)}
	w.budget.Store(r.budget())
	if workers == 1 {
		w.run()
	} else {
		w.spread(workers)
	}
	if err := w.exhausted(); err != nil {
		// Which chunks were done depends on the workers.
		r.Bindings = nil
		clear(r.from)
		return err
	}
	return errors.Join(w.errs...)
}

// budget is how many bytes of names may be read, and maxSteps for the names: the
// strings of honest objects overlap little.
func (r *Result) budget() int64 {
	sum := int64(1 << 20)
	for _, t := range r.scope.tables {
		sum += 16 * int64(len(t.strings))
	}
	return sum
}

// work is the chunks that are left.
type work struct {
	r      *Result
	next   atomic.Int64
	steps  atomic.Int64
	budget atomic.Int64
	errs   []error // by chunk
}

// run takes chunks until there are none.
func (w *work) run() {
	for !w.spent() {
		i := int(w.next.Add(1)) - 1
		if i >= len(w.errs) {
			return
		}
		res := resolver{s: w.r.scope}
		list := w.r.Bindings[i*chunk : min((i+1)*chunk, len(w.r.Bindings))]
		for j := range list {
			res.resolve(&list[j])
			if res.steps > many {
				w.count(&res)
				if w.spent() {
					return
				}
			}
		}
		w.errs[i] = res.faults.Err()
		w.count(&res)
	}
}

// count adds up what a resolver has spent.
func (w *work) count(res *resolver) {
	w.steps.Add(int64(res.steps))
	w.budget.Add(int64(res.budget))
	res.steps, res.budget = 0, 0
}

func (w *work) spent() bool { return w.steps.Load() > maxSteps || w.budget.Load() < 0 }

// exhausted is the error of a process whose tables cost more than they may.
func (w *work) exhausted() error {
	if !w.spent() {
		return nil
	}
	e := &elffile.Error{File: programOf(w.r.Process).Name, Off: -1,
		Msg: fmt.Sprintf("the look-ups of its process passed more than %d symbols in the chains of hash tables: a table is damaged; nothing is bound", maxSteps)}
	if w.budget.Load() < 0 {
		e.Msg = "the names of the symbols of its process are, one by one, more than 16 times as long as the string tables; the rest is not bound"
	}
	return e
}

// spread runs several workers. What one panics with, such as a fault on a page of
// a file that shrank, is thrown again where the caller can catch it.
func (w *work) spread(n int) {
	var wg sync.WaitGroup
	thrown := make([]any, n)
	for i := range n {
		wg.Go(func() {
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			defer func() { thrown[i] = recover() }()
			w.run()
		})
	}
	wg.Wait()
	for _, t := range thrown {
		if t != nil {
			panic(t)
		}
	}
}

// settleUniques decides what was left, in relocation order.
func (r *Result) settleUniques() error {
	res := resolver{s: r.scope, uniques: &uniques{map[string]hit{}}}
	for i := range r.Bindings {
		if b := &r.Bindings[i]; b.Rule == pending {
			res.resolve(b)
		}
	}
	return res.faults.Err()
}
