package input

import (
	"debug/elf"
	"errors"
	"fmt"
	"strings"

	"elfwright/link/model"
)

// Definition is a symbol that a script or --defsym defines.
type Definition struct {
	Name            string
	Provide, Hidden bool
	Refers          []string // what its expression names
	Own             bool     // it names the symbol itself
}

// Set is a settled link: the objects that take part and who defines what.
type Set struct {
	Objects []*model.Object // in the order of their ranks
	Pulled  []Pull          // members of archives, in the order in which they were taken
	Trace   []string        // of --trace-symbol
	Flags   uint32          // e_flags of the output

	objs []*object
}

// Pull tells why a member was taken: the symbol, and who asked for it first.
type Pull struct {
	Object *model.Object
	Symbol string
	By     *model.Object
}

// StackNote is what an object's .note.GNU-stack says.
type StackNote uint8

// The notes.
const (
	StackNone StackNote = iota
	StackPlain
	StackExec
)

// loader walks the inputs in the order of the command line and decides.
type loader struct {
	reader
	opt   *model.Options
	rep   *model.Report
	files *Files
	set   *Set
	defs  map[string]*Definition

	order int32 // of symbols
	news  int   // new undefined symbols so far
}

// Load reads the objects of the files and settles the symbols: which members of
// archives take part, who defines what, which groups are left. defs are the
// symbols that scripts define, refers those that they name.
func Load(f *Files, table *model.Table, defs []Definition, refers []string, rep *model.Report) *Set {
	l := &loader{
		reader: reader{table: table, slots: newSlots(), wrap: wraps(f.opt.Wrap)},
		opt:    f.opt, rep: rep, files: f, set: &Set{}, defs: map[string]*Definition{},
	}
	l.declare(defs)
	l.undefined(f.opt.Undefined)
	l.undefined(refers)
	if e := f.opt.Entry; e != "" {
		l.undefined([]string{e})
	}
	l.parseAll()
	l.walk()
	l.provide(defs)
	l.finish()
	return l.set
}

// wraps says what undefined names stand for, with --wrap.
func wraps(names []string) map[string]string {
	if len(names) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, n := range names {
		m[n], m["__real_"+n] = "__wrap_"+n, n
	}
	return m
}

// meet is the symbol of a name, which an input has now named.
func (l *loader) meet(name string) *model.Symbol {
	s := l.table.Intern(name)
	l.met(s)
	return s
}

func (l *loader) met(s *model.Symbol) {
	if s.Order == 0 {
		l.order++
		s.Order = l.order
	}
}

// declare makes the symbols that scripts define: they are there whatever the
// objects say. Those of PROVIDE wait; see provide.
func (l *loader) declare(defs []Definition) {
	for i := range defs {
		d := &defs[i]
		if d.Name == "." {
			continue
		}
		if l.defs[d.Name] == nil || l.defs[d.Name].Provide {
			l.defs[d.Name] = d
		}
		if d.Provide || d.Own {
			continue
		}
		s := l.meet(d.Name)
		s.State, s.Script, s.Bind = model.Defined, true, elf.STB_GLOBAL
	}
}

// undefined makes references as if an object had them: -u, EXTERN, the entry,
// names in scripts.
func (l *loader) undefined(names []string) {
	for _, n := range names {
		if n == "" || n == "." {
			continue
		}
		s := l.meet(n)
		s.Used = true
		if s.State == model.Undefined && s.Bind != elf.STB_GLOBAL {
			s.Bind = elf.STB_GLOBAL
			l.news++
		}
	}
}

// provide defines the symbols of PROVIDE that are referred to and that nobody
// defines; what their expressions name is referred to then.
func (l *loader) provide(defs []Definition) {
	for again := true; again; {
		again = false
		for i := range defs {
			d := &defs[i]
			if !d.Provide {
				continue
			}
			s := l.table.Get(d.Name)
			if s == nil || s.Order == 0 || s.State != model.Undefined || s.Script {
				continue
			}
			s.State, s.Script, s.Provide, s.Bind = model.Defined, true, true, elf.STB_GLOBAL
			l.undefined(d.Refers)
			again = true
		}
	}
}

// parseAll reads the objects that are no members, in parallel.
func (l *loader) parseAll() {
	var todo []*item
	for _, it := range l.files.items {
		if !it.failed && it.in.Mark == 0 {
			todo = append(todo, it)
		}
	}
	errs := make([]error, len(todo))
	model.Each(l.opt.Workers(), len(todo), func(i int) {
		errs[i] = guard(todo[i].path, func() error { return l.parseItem(todo[i]) })
	})
	for i, it := range todo {
		if errs[i] != nil {
			it.failed = true
			l.rep.Error(errs[i])
		}
	}
}

func (l *loader) parseItem(it *item) (err error) {
	switch {
	case it.in.JustSymbols:
		it.obj, err = l.justSymbols(it)
	case it.kind == isBinary:
		it.obj = l.binary(it)
	case it.kind == isObject:
		if it.obj, err = parseObject(it.path, it.data); err == nil {
			l.intern(it.obj)
			err = errors.Join(it.obj.faults...)
		}
	case it.kind == isArchive:
		it.arch, err = l.readArchive(it.path, it.data)
	}
	return err
}

// walk goes over the inputs, and again over the archives of a group as long as
// that brings something.
func (l *loader) walk() {
	items := l.files.items
	for i := 0; i < len(items); {
		g := items[i].group
		if g == 0 && !items[i].in.StartLib {
			l.take(items[i])
			i++
			continue
		}
		j := i
		for j < len(items) && (g != 0 && items[j].group == g || g == 0 && items[j].in.StartLib) {
			j++
		}
		if g == 0 {
			l.takeLoose(items[i:j])
		} else {
			l.takeGroup(items[i:j])
		}
		i = j
	}
	if l.opt.Dialect == "lld" { // lld remembers what archives have
		l.takeGroup(items)
	}
}

func (l *loader) takeGroup(items []*item) {
	for {
		before := l.news
		n := len(l.set.objs)
		for _, it := range items {
			l.take(it)
		}
		if l.news == before && len(l.set.objs) == n {
			return
		}
	}
}

// takeLoose takes the objects between --start-lib and --end-lib as an archive.
func (l *loader) takeLoose(items []*item) {
	var objs []*object
	for _, it := range items {
		switch {
		case it.failed:
		case it.obj != nil:
			objs = append(objs, it.obj)
		default:
			l.take(it)
		}
	}
	l.scan(loose(objs))
}

func (l *loader) take(it *item) {
	switch {
	case it.failed:
	case it.obj != nil:
		if !it.done {
			it.done = true
			l.load(it.obj)
		}
	case it.arch == nil:
	case it.in.WholeArchive:
		if it.done {
			return
		}
		it.done = true
		for i := range it.arch.members {
			if o := it.arch.members[i]; o == nil || !o.loaded {
				l.pull(it.arch, i, nil)
			}
		}
	default:
		l.scan(it.arch)
	}
}

// load makes an object part of the link: its groups are decided, then its global
// symbols.
func (l *loader) load(o *object) {
	if o.loaded {
		return
	}
	o.loaded = true
	if l.files.first != nil {
		if f := (format{o.Class, orderOf(o.Order), o.Machine, ""}); !f.same(*l.files.first) {
			l.rep.Error(fmt.Errorf("%s: is for %s, but %s is for %s", o.File, f, l.files.first.by, l.files.first))
			return
		}
	}
	o.Rank = int32(len(l.set.objs) + 1)
	l.set.objs = append(l.set.objs, o)
	l.decideGroups(o)
	if o.symtab == nil {
		l.defineMade(o)
		return
	}
	next := 0
	for i := max(o.Locals, 1); i < o.symtab.Len(); i++ {
		versioned := next < len(o.versioned) && o.versioned[next] == int32(i)
		if versioned {
			next++
		}
		if o.Symbols[i] != nil {
			l.resolve(o, i, versioned)
		}
	}
}

// decideGroups drops the members of COMDAT groups, and the .gnu.linkonce sections,
// whose like came before (gABI, "Section Groups").
func (l *loader) decideGroups(o *object) {
	for _, g := range o.groups {
		if !g.Comdat {
			continue
		}
		if g.slot.group == nil && !g.slot.hasOnce(g) {
			g.slot.group = &g.Group
			continue
		}
		for _, s := range g.Members {
			s.Live, s.Dropped = false, model.Duplicate
		}
	}
	for _, x := range o.once {
		if !x.slot.takeOnce(x.sec) {
			x.sec.Live, x.sec.Dropped = false, model.Duplicate
		}
	}
}

// takeOnce says whether a .gnu.linkonce section is the first of its name.
func (t *slot) takeOnce(s *model.Section) bool {
	for _, old := range t.once {
		if old.Name == s.Name {
			return false
		}
	}
	if t.group != nil && len(t.group.Members) == 1 && strings.HasPrefix(s.Name, ".gnu.linkonce.t.") {
		return false
	}
	t.once = append(t.once, s)
	return true
}

// hasOnce says whether a group of one section came before as a .gnu.linkonce
// section: libraries of old compilers have those.
func (t *slot) hasOnce(g *group) bool { return len(g.Members) == 1 && len(t.once) > 0 }
