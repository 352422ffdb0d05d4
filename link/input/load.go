package input

import (
	"debug/elf"
	"errors"
	"fmt"

	"elfwright/elffile"
	"elfwright/link/model"
	"elfwright/machine"
)

// loader settles the symbols of a link.
type loader struct {
	reader
	opt   *model.Options
	rep   *model.Report
	files *Files
	with  Settings
	set   *Set

	objects []*object
	machine *machine.Machine // of the first object
	ahead   ahead
	commons []*model.Symbol
	order   int32          // how many symbols were met
	news    int            // counts new undefined and common symbols: archives are looked at again for them
	site    map[*item]site // what has definitions
	// tentative are symbols of the script that an object has as common ones.
	tentative map[*model.Symbol]bool
	// chosen are PROVIDEs that take effect, though their value was not known when
	// they were met.
	chosen  map[*Definition]bool
	forward map[*model.Symbol]*model.Symbol
	traced  map[string]bool
}

// Load reads the objects, pulls members of archives, and settles who defines
// what.
func (f *Files) Load(with Settings, table *model.Table) *Set {
	l := &loader{
		reader: reader{table: table, slots: newSlots(), wrap: wrapNames(f.opt.Wrap)},
		opt:    f.opt, rep: f.rep, files: f, with: with, forward: map[*model.Symbol]*model.Symbol{}, traced: map[string]bool{},
		tentative: map[*model.Symbol]bool{}, chosen: map[*Definition]bool{},
		set: &Set{opt: f.opt, rep: f.rep, table: table},
	}
	for _, n := range f.opt.TraceSymbols {
		l.traced[n] = true
	}
	l.readAll()
	l.looseArchives()
	l.ahead.start(l)
	l.walk()
	l.ahead.wait(l)
	l.settle()
	return l.set
}

// readAll parses the objects of the command line and of whole archives, and the
// symbol tables of the other archives, from several goroutines.
func (l *loader) readAll() {
	items := l.files.items
	byPath := map[string]*item{}
	errs := make([]error, len(items))
	model.Each(l.opt.Workers(), len(items), func(i int) {
		it := items[i]
		if it.failed || it.in.Mark != 0 {
			return
		}
		errs[i] = guard(it.path, func() error { return l.readItem(it) })
	})
	for i, it := range items {
		if errs[i] != nil {
			it.failed = true
			l.rep.Error(errs[i])
		}
		if it.arch == nil {
			continue
		}
		if first := byPath[it.path]; first != nil {
			it.arch = first.arch // the same members, though named twice
		} else {
			byPath[it.path] = it
		}
	}
	l.readWhole()
}

func (l *loader) readItem(it *item) (err error) {
	switch {
	case it.in.JustSymbols:
		it.obj, err = l.justSymbols(it.path, it.data)
	case it.kind == isBinary:
		it.obj = l.binaryObject(it.in.Name, it.data)
	case it.kind == isArchive:
		it.arch, err = l.readArchive(it.path, it.data)
	case it.kind == isObject:
		if it.obj, err = parseObject(it.path, it.data); err == nil && !it.in.StartLib {
			l.intern(it.obj)
			err = errors.Join(it.obj.faults...)
		}
	}
	return err
}

// readWhole reads all members of archives that are taken whole.
func (l *loader) readWhole() {
	type job struct {
		a   *archive
		i   int
		err error
	}
	var jobs []job
	for _, it := range l.files.items {
		if it.arch == nil || it.failed || !it.in.WholeArchive || it.arch.read {
			continue
		}
		it.arch.read = true
		for i := range it.arch.members {
			jobs = append(jobs, job{a: it.arch, i: i})
		}
	}
	model.Each(l.opt.Workers(), len(jobs), func(i int) {
		j := &jobs[i]
		j.err = guard(j.a.path, func() error { _, err := l.readMember(j.a, j.i); return err })
	})
	for i := range jobs {
		if j := &jobs[i]; j.err != nil {
			j.a.broken[j.i] = true
			l.rep.Error(j.err)
		}
	}
}

// looseArchives makes one archive of neighbouring objects between --start-lib and
// --end-lib; it stands where the first of them does.
func (l *loader) looseArchives() {
	items := l.files.items
	for i := 0; i < len(items); i++ {
		var objs []*object
		first := items[i]
		for ; i < len(items) && items[i].in.StartLib && items[i].obj != nil; i++ {
			if !items[i].failed {
				objs = append(objs, items[i].obj)
			}
			items[i].obj = nil
		}
		if objs != nil {
			first.arch = loose(objs)
			i--
		}
	}
}

// walk goes over the inputs from left to right; groups until nothing new comes.
func (l *loader) walk() {
	l.refer()
	items := l.files.items
	l.sites()
	if l.opt.Dialect == "lld" { // archives are remembered, their order does not matter
		l.declare(site{})
		l.group(items)
		return
	}
	for i := 0; i < len(items); {
		end := i + 1
		for g := items[i].group; g != 0 && end < len(items) && items[end].group == g; end++ {
		}
		if items[i].group == 0 {
			l.visit(items[i])
		} else {
			l.group(items[i:end])
		}
		i = end
	}
	l.declare(site{})
}

func (l *loader) group(items []*item) {
	for {
		before := l.news
		for _, it := range items {
			l.visit(it)
		}
		if l.news == before {
			return
		}
	}
}

// visit takes what an input gives at this point.
func (l *loader) visit(it *item) {
	switch {
	case it.failed:
	case it.in.Mark != 0, it.in.Script != nil:
		if !it.done {
			it.done = true
			l.declare(l.site[it])
		}
	case it.obj != nil:
		if !it.done {
			it.done = true
			l.trace(it.path)
			l.load(it.obj)
		}
	case it.arch == nil:
	case it.in.WholeArchive:
		if !it.done {
			it.done = true
			l.trace(it.path)
			for i := range it.arch.members {
				if o := it.arch.members[i]; !it.arch.broken[i] && (o == nil || !o.loaded) {
					l.pull(it.arch, i, nil)
				}
			}
		}
	default:
		if !it.done {
			it.done = true
			l.trace(it.path)
		}
		l.scan(it.arch)
	}
}

// trace notes a file for --trace.
func (l *loader) trace(name string) {
	if l.opt.Trace > 0 {
		l.set.Notes = append(l.set.Notes, name)
	}
}

// load makes an object take part.
func (l *loader) load(o *object) {
	o.loaded = true
	if len(o.faults) > 0 {
		l.rep.Error(errors.Join(o.faults...))
		return
	}
	if o.lang {
		l.rep.Error(&elffile.Error{File: o.File, Off: -1, Msg: "has GCC's intermediate code alone; compile it without -flto, or with -ffat-lto-objects"})
		return
	}
	if !l.fits(o) {
		return
	}
	if o.Archive != "" && l.opt.Trace > 1 {
		l.set.Notes = append(l.set.Notes, "("+o.Archive+")"+o.Member)
	}
	o.Rank = int32(len(l.objects) + 1)
	l.objects = append(l.objects, o)
	l.dedupe(o)
	switch {
	case o.made != nil:
		l.resolveMade(o)
	case o.JustSymbols:
		l.resolveJust(o)
	default:
		l.resolve(o)
	}
	if l.machine != nil {
		l.ahead.take(o)
	}
}

// fits checks that an object is for the machine of the link. The first one says
// which that is.
func (l *loader) fits(o *object) bool {
	x := format{class: o.Class, order: orderOf(o.Order), machine: o.Machine, by: o.File}
	if o.Machine == elf.EM_NONE && o.elf == nil { // made of a binary file
		return true
	}
	first := l.files.want
	if first == nil {
		l.files.want, l.machine = &x, lookup(&x)
		return true
	}
	if first.same(x) {
		return true
	}
	l.rep.Error(&elffile.Error{File: o.File, Off: -1, Msg: fmt.Sprintf("is %v, %s is %v; they can not be linked together", x, first.by, *first)})
	return false
}
