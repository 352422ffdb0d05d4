package input

import (
	"errors"
	"fmt"
	"path/filepath"

	"elfwright/elffile"
	"elfwright/link/model"
)

// archive is an archive, or the loose objects between --start-lib and --end-lib.
type archive struct {
	path    string
	ar      *elffile.Archive // nil for loose objects
	members []*object        // nil while not read
	broken  []bool           // members that were tried and are no objects
	index   []indexed
	done    []bool // entries of the index that need no second look
	read    bool
}

// indexed is an entry of an archive's symbol table.
type indexed struct {
	name   string
	member int32
}

// firstMember are the bytes of the first ELF object in an archive, if it has one
// that is not far from the start.
func firstMember(b []byte) []byte {
	a, _ := elffile.ParseArchive("", b)
	if a == nil {
		return nil
	}
	for i := range a.Members {
		if d := a.Members[i].Data(); elffile.IsELF(d) {
			return d
		}
	}
	return nil
}

// readArchive reads an archive's headers and its symbol table, or where there is
// none, what its members define.
func (l *loader) readArchive(path string, data []byte) (*archive, error) {
	ar, err := elffile.ParseArchive(path, data)
	if err != nil {
		return nil, err
	}
	a := &archive{path: path, ar: ar, members: make([]*object, len(ar.Members)), broken: make([]bool, len(ar.Members))}
	for _, s := range ar.Symbols {
		if s.Member < 0 {
			return nil, &elffile.Error{File: path, Off: -1, Msg: fmt.Sprintf("the symbol table says that %s is in the member at 0x%x, where no member begins", s.Name, s.HeaderOff)}
		}
		a.index = append(a.index, indexed{view(s.Name), int32(s.Member)})
	}
	if len(ar.Symbols) == 0 {
		l.indexMembers(a)
	}
	a.done = make([]bool, len(a.index))
	return a, nil
}

// indexMembers makes the index of an archive that has none. Members that are no
// objects define nothing.
func (l *loader) indexMembers(a *archive) {
	for i := range a.members {
		b, _, err := l.memberData(a, i)
		if err != nil || !elffile.IsELF(b) {
			continue
		}
		o, err := parseObject(a.ar.MemberName(i), b)
		if err != nil {
			continue
		}
		for _, name := range o.definedNames(false) {
			a.index = append(a.index, indexed{name, int32(i)})
		}
	}
}

// loose makes an archive of the objects between --start-lib and --end-lib.
func loose(objs []*object) *archive {
	a := &archive{path: "--start-lib", members: objs, broken: make([]bool, len(objs))}
	for i, o := range objs {
		for _, name := range o.definedNames(false) {
			a.index = append(a.index, indexed{name, int32(i)})
		}
	}
	a.done = make([]bool, len(a.index))
	return a
}

// memberData are the bytes of a member, and the path of the file that has them.
func (l *loader) memberData(a *archive, i int) (b []byte, path string, err error) {
	m := &a.ar.Members[i]
	if !a.ar.Thin {
		return m.Data(), a.path, nil
	}
	path = m.Name
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(a.path), path)
	}
	if b, err = mapFile(path); err != nil {
		return nil, path, &elffile.Error{File: a.ar.MemberName(i), Off: -1, Msg: "thin archive", Err: err}
	}
	if m.Nested == 0 {
		return b, path, nil
	}
	in, err := elffile.ParseArchive(path, b)
	if err != nil {
		return nil, path, err
	}
	for k := range in.Members {
		if x := &in.Members[k]; x.HeaderOff == m.Nested && x.Nested == 0 && !in.Thin {
			return x.Data(), path, nil
		}
	}
	return nil, path, &elffile.Error{File: a.ar.MemberName(i), Off: -1, Msg: fmt.Sprintf("thin archive: no member with bytes begins at 0x%x of %s", m.Nested, path)}
}

// readMember reads a member of an archive as an object.
func (l *loader) readMember(a *archive, i int) (*object, error) {
	if o := a.members[i]; o != nil {
		return o, nil
	}
	b, path, err := l.memberData(a, i)
	if err != nil {
		return nil, err
	}
	name := a.ar.MemberName(i)
	if a.ar.Thin { // GNU ld names the file itself
		name = path
	}
	if k, what := kindOf(b); k != isObject {
		if what == "" {
			what = "no object"
		}
		return nil, &elffile.Error{File: name, Off: -1, Msg: "a member that cannot be linked: it is " + what}
	}
	o, err := parseObject(name, b)
	if err != nil {
		return nil, err
	}
	o.Path, o.Archive, o.Member = path, a.path, a.ar.Members[i].Name
	l.intern(o)
	a.members[i] = o
	return o, errors.Join(o.faults...)
}

// scan takes the members that define what is undefined, as GNU ld does: through
// the symbol table in its order, and again as long as members bring new undefined
// symbols.
func (l *loader) scan(a *archive) {
	for again := true; again; {
		again = false
		for k := range a.index {
			if a.done[k] {
				continue
			}
			x := &a.index[k]
			if o := a.members[x.member]; o != nil && o.loaded || a.broken[x.member] {
				a.done[k] = true
				continue
			}
			sym := l.lookup(x.name)
			switch {
			case sym == nil || sym.Order == 0, sym.State == model.Undefined && sym.Weak():
				continue
			case sym.State == model.Defined:
				a.done[k] = true
				continue
			case sym.State == model.Common && !l.definesCommon(a, x):
				continue
			}
			before := l.news
			l.pull(a, int(x.member), sym)
			a.done[k] = true
			again = again || l.news != before
		}
	}
}

// lookup finds the symbol that an archive's symbol table names.
func (l *loader) lookup(name string) *model.Symbol {
	key := versionKey(name)
	if len(key) == len(name) {
		return l.table.Get(name)
	}
	if s := l.table.Get(key); s != nil && s.Order != 0 && s.State == model.Undefined {
		return s
	}
	return l.table.Get(key + "@" + name[len(key)+2:])
}

// definesCommon says whether a member has a true definition of a symbol that is
// common so far. GNU ld takes it then; lld does not.
func (l *loader) definesCommon(a *archive, x *indexed) bool {
	if l.opt.Dialect == "lld" {
		return false
	}
	if a.ar == nil {
		return true // the index has no commons
	}
	o, err := l.peek(a, int(x.member))
	if err != nil {
		return true // taking it tells what is wrong
	}
	for _, name := range o.definedNames(false) {
		if name == x.name {
			return true
		}
	}
	return false
}

// peek reads a member without taking it.
func (l *loader) peek(a *archive, i int) (*object, error) {
	if o := a.members[i]; o != nil {
		return o, nil
	}
	b, _, err := l.memberData(a, i)
	if err != nil {
		return nil, err
	}
	return parseObject(a.ar.MemberName(i), b)
}

// pull takes a member.
func (l *loader) pull(a *archive, i int, why *model.Symbol) {
	o := a.members[i]
	if a.ar != nil {
		var err error
		err = guard(a.path, func() error { o, err = l.readMember(a, i); return err })
		if err != nil {
			a.broken[i] = true
			l.rep.Error(err)
			return
		}
	} else {
		l.intern(o)
	}
	if why != nil {
		l.set.Pulled = append(l.set.Pulled, Pull{Object: o.Object, Symbol: why.Name, By: why.Obj})
	}
	l.load(o)
}
