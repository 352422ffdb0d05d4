package deps

import (
	"cmp"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"elfwright/dyn/bind"
	"elfwright/dyn/load"
)

// ScanOptions say what [Scan] looks at.
type ScanOptions struct {
	Dirs    []string // of this machine, all below the loader's root; a link is followed
	Workers int      // goroutines; 0: as many as there are processors
}

// Scanned is what is broken in directories.
type Scanned struct {
	Programs  int // files that name their dynamic linker, and that no other can need
	Libraries int // all other shared objects
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

// Plugin is a shared object which no program of the directories needs, and which
// refers to symbols that nothing it needs defines, or needs libraries that only
// others find: who loads it has to have them.
type Plugin struct {
	Path      string
	Libraries []string
	Symbols   []string
	By        []string // files of the directories that are such libraries or define some of the symbols, those with most first
	Nowhere   []string // of the symbols, those that no file of the directories defines
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
	workers := opt.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	files, err := elfFiles(opt.Dirs, workers)
	if err != nil {
		return nil, err
	}
	list := make([]seen, len(files))
	share(len(files), workers, func(i int) { list[i] = look(l, files[i]) })
	r := &Scanned{}
	settle(list)
	r.collect(list)
	r.search(list, workers)
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

	// Of a shared object, what who loads it has to have.
	open []string // symbols
	libs []string // libraries
	have []string // paths of libs
}

// look judges one file.
func look(l *load.Loader, file string) seen {
	s, err := Open(l, file, true, bind.Options{Workers: 1})
	if err != nil {
		return seen{path: file, err: err, debug: isDebug(err)}
	}
	p := s.Process
	o := s.program()
	v := seen{path: o.Path, object: o, program: o.Interp != "" && o.Soname == ""}
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
		if len(s.Missing()) > 0 { // they may be of what is missing
			break
		}
		if !v.program {
			v.open = append(v.open, strings.Clone(string(s.Bound.Name(b))))
			continue
		}
		_, file := s.Bound.Version(b)
		v.causes = append(v.causes, Cause{Kind: NoSymbol, Object: s.Process.Objects[b.From].Path, Name: s.symbol(b), File: file, Lazy: b.Lazy})
	}
	v.damage(s)
}

// damage makes one cause of all that cannot be read of an object.
func (v *seen) damage(s *Subject) {
	var last *load.Object
	more := 0
	end := func() {
		if more > 0 {
			c := &v.causes[len(v.causes)-1]
			c.Text += fmt.Sprintf(" (and %s)", count(more, "more fault"))
		}
	}
	damages := s.Damages()
	slices.SortStableFunc(damages, func(a, b Damage) int { return cmp.Compare(a.Object.Index, b.Object.Index) })
	for _, d := range damages {
		if d.Object == last {
			more++
			continue
		}
		end()
		last, more = d.Object, 0
		v.causes = append(v.causes, Cause{Kind: Damaged, Object: d.Object.Path, Text: d.Err.Error()})
	}
	end()
}

// settle decides what is no failure of a shared object: what is wrong with it only
// where it is loaded alone.
func settle(list []seen) {
	needed := map[string]bool{} // by a program
	called := map[string][]*seen{}
	for i := range list {
		v := &list[i]
		if v.program {
			for _, path := range v.closure {
				needed[path] = true
			}
		}
		if v.object == nil || v.static || v.program {
			continue
		}
		called[path.Base(v.path)] = append(called[path.Base(v.path)], v)
		if name := v.object.Soname; name != "" && name != path.Base(v.path) {
			called[name] = append(called[name], v)
		}
	}
	for i := range list {
		v := &list[i]
		switch {
		case v.program:
		case needed[v.path]: // the programs tell
			v.open = nil
			v.causes = slices.DeleteFunc(v.causes, func(c Cause) bool { return c.Kind != Damaged })
		default:
			v.causes = slices.DeleteFunc(v.causes, func(c Cause) bool {
				at := v.nearest(called[c.Name])
				if c.Kind != NoLibrary || c.Text != "" || at == nil {
					return false
				}
				if !slices.Contains(v.libs, c.Name) {
					v.libs, v.have = append(v.libs, c.Name), append(v.have, at.path)
				}
				return true
			})
		}
	}
}

// nearest is the one of a list, for the same machine, whose path has most in common
// with that of v.
func (v *seen) nearest(list []*seen) *seen {
	var best *seen
	for _, x := range list {
		if v.alike(x) && (best == nil || common(x.path, v.path) > common(best.path, v.path)) {
			best = x
		}
	}
	return best
}

// alike says whether two files can be in one process.
func (v *seen) alike(x *seen) bool {
	return v.object != nil && x.object != nil && v.object.Header.Machine == x.object.Header.Machine && v.object.Class == x.object.Class
}

// common is the number of directories that two paths begin with.
func common(a, b string) int {
	n := 0
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '/' {
			n++
		}
	}
	return n
}

// collect adds up what was seen.
func (r *Scanned) collect(list []seen) {
	at := map[string]int{}
	foreign := map[string]int{}
	for i := range list {
		v := &list[i]
		r.Bindings += v.bindings
		r.count(v, foreign)
		for _, c := range v.causes {
			r.cause(at, c, v.path)
		}
	}
	for i := range r.Broken {
		slices.Sort(r.Broken[i].Affects)
		r.Broken[i].Affects = slices.Compact(r.Broken[i].Affects)
	}
	slices.SortFunc(r.Broken, func(a, b Cause) int {
		return cmp.Or(strings.Compare(a.Object, b.Object), cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.File, b.File), strings.Compare(a.Text, b.Text))
	})
	slices.SortFunc(r.Foreign, func(a, b Foreign) int {
		return cmp.Or(strings.Compare(a.Machine, b.Machine), strings.Compare(a.Interp, b.Interp))
	})
}

// count counts a file as what it is.
func (r *Scanned) count(v *seen, foreign map[string]int) {
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
