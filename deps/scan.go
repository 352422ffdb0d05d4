package deps

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
)

// ScanOptions say what [Scan] looks at.
type ScanOptions struct {
	Dirs    []string // of this machine, all below the loader's root
	Workers int      // goroutines; 0: as many as there are processors
}

// Scanned is what is broken in directories.
type Scanned struct {
	Programs  int // files with a dynamic linker of their own
	Libraries int // shared objects without one
	Static    int
	Debug     int // files of debug information, which have no bytes to load
	Bindings  int // that were looked up

	Broken  []Cause  // by object and name
	Plugins []Plugin // plugins, by path
	Foreign []Foreign
	Faults  []error // files that cannot be read, by path
}

// Cause is a single reason why programs fail.
type Cause struct {
	Kind    CauseKind
	Object  string // path of the object that needs something
	Name    string // of a library, a version or a symbol
	File    string // of a version: the library it is asked of; of a symbol: that it was in, or ""
	Text    string // why a library is refused, or ""
	Lazy    bool   // of a symbol: an error only when it is called
	Tried   []load.Try
	Affects []string // files that fail by it, sorted
}

// CauseKind is what is missing.
type CauseKind int

const (
	NoLibrary CauseKind = iota
	NoVersion
	NoSymbol
	Damaged // what is there cannot be read
)

// Plugin is a shared object which no program of the directories loads by itself, and
// which refers to symbols that nothing it needs defines: who loads it has to.
type Plugin struct {
	Path    string
	Symbols []string
	By      []string // files of the directories that define some of them, those with most first
	Nowhere []string // of the symbols, those that no file of the directories defines
}

// Foreign are shared objects of a machine for which the tree has no dynamic linker:
// there is nothing to judge them by.
type Foreign struct {
	Machine, Interp string
	Files           int
}

// Scan loads and binds every program and every shared object below the
// directories and collects what is missing. The result does not depend on the
// number of workers.
func Scan(l *load.Loader, opt ScanOptions) (*Scanned, error) {
	files, err := elfFiles(opt.Dirs)
	if err != nil {
		return nil, err
	}
	workers := opt.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	seen := make([]seen, len(files))
	share(len(files), workers, func(i int) { seen[i] = look(l, files[i]) })
	r := &Scanned{}
	r.collect(seen)
	r.search(seen, workers)
	return r, nil
}

// share has workers do n things.
func share(n, workers int, do func(i int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// seen is what one file gave.
type seen struct {
	path     string // in the tree
	program  bool
	static   bool
	debug    bool
	err      error
	foreign  *Foreign
	bindings int
	causes   []Cause
	object   *load.Object
	closure  []string // paths of what is loaded for it, without itself
	open     []string // of a shared object
	own      bool     // it is loaded by something else in the directories
}

// look judges one file.
func look(l *load.Loader, file string) seen {
	s, err := Open(l, file, true, bind.Options{Workers: 1})
	if err != nil {
		return seen{path: file, err: err, debug: isDebug(err)}
	}
	p := s.Process
	o := p.Program()
	v := seen{path: o.Path, object: o, program: o.Interp != "" && o.Header.Entry != 0}
	if s.Static() {
		v.static = true
		return v
	}
	if !v.program && p.Interp.To == nil {
		v.foreign = &Foreign{Machine: machineName(o), Interp: p.Interp.Name, Files: 1}
		return v
	}
	for _, x := range p.Objects {
		if x != o {
			v.closure = append(v.closure, x.Path)
		}
	}
	err = p.Guard(func() error {
		v.judge(s)
		return nil
	})
	v.err = err
	return v
}

// judge finds the causes why a file fails.
func (v *seen) judge(s *Subject) {
	for _, m := range s.Missing() {
		c := Cause{Kind: NoLibrary, Object: m.By.Path, Name: m.Need.Name, Tried: m.Need.Tried}
		if f := failure(m.Need); f != "not found" {
			c.Text = f
		}
		v.causes = append(v.causes, c)
	}
	for _, f := range s.Versions() {
		v.causes = append(v.causes, Cause{Kind: NoVersion, Object: f.By.Path, Name: f.Version, File: f.File})
	}
	if s.Bound != nil {
		v.bindings = len(s.Bound.Bindings)
	}
	for _, b := range s.Undefined(false) {
		if !v.program && len(s.Missing()) == 0 {
			v.open = append(v.open, strings.Clone(string(s.Bound.Name(b))))
			continue
		}
		_, file := s.Bound.Version(b)
		v.causes = append(v.causes, Cause{Kind: NoSymbol, Object: s.Process.Objects[b.From].Path, Name: s.symbol(b), File: file, Lazy: b.Lazy})
	}
	if s.Damage != nil {
		v.causes = append(v.causes, Cause{Kind: Damaged, Object: v.path, Text: s.Damage.Error()})
	}
	for _, o := range s.Process.Objects {
		if o.Damage != nil {
			v.causes = append(v.causes, Cause{Kind: Damaged, Object: o.Path, Text: o.Damage.Error()})
		}
	}
}

// collect adds up what was seen.
func (r *Scanned) collect(list []seen) {
	at := map[string]int{}
	foreign := map[string]int{}
	loaded := map[string]bool{}
	for i := range list {
		if v := &list[i]; v.program {
			for _, path := range v.closure {
				loaded[path] = true
			}
		}
	}
	for i := range list {
		v := &list[i]
		v.own = loaded[v.path]
		r.Bindings += v.bindings
		switch {
		case v.debug:
			r.Debug++
		case v.err != nil:
			r.Faults = append(r.Faults, v.err)
		case v.static:
			r.Static++
		case v.foreign != nil:
			k := v.foreign.Machine + "\x00" + v.foreign.Interp
			if _, ok := foreign[k]; !ok {
				foreign[k] = len(r.Foreign)
				r.Foreign = append(r.Foreign, Foreign{Machine: v.foreign.Machine, Interp: v.foreign.Interp})
			}
			r.Foreign[foreign[k]].Files++
		case v.program:
			r.Programs++
		default:
			r.Libraries++
		}
		for _, c := range v.causes {
			r.cause(at, c, v.path)
		}
	}
	for i := range r.Broken {
		slices.Sort(r.Broken[i].Affects)
		r.Broken[i].Affects = slices.Compact(r.Broken[i].Affects)
	}
	slices.SortFunc(r.Broken, func(a, b Cause) int {
		return cmp.Or(strings.Compare(a.Object, b.Object), cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.File, b.File))
	})
	slices.SortFunc(r.Foreign, func(a, b Foreign) int {
		return cmp.Or(strings.Compare(a.Machine, b.Machine), strings.Compare(a.Interp, b.Interp))
	})
}

// cause notes that a file fails.
func (r *Scanned) cause(at map[string]int, c Cause, path string) {
	key := strings.Join([]string{string(rune('0' + c.Kind)), c.Object, c.Name, c.File, c.Text}, "\x00")
	i, ok := at[key]
	if !ok {
		i = len(r.Broken)
		at[key] = i
		r.Broken = append(r.Broken, c)
	}
	r.Broken[i].Lazy = r.Broken[i].Lazy && c.Lazy
	r.Broken[i].Affects = append(r.Broken[i].Affects, path)
}
