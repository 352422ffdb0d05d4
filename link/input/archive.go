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

// firstMember are the bytes of the first ELF object in an archive, if it has one;
// of a thin one those of its file.
func firstMember(path string, b []byte) []byte {
	a, _ := elffile.ParseArchive(path, b)
	if a == nil {
		return nil
	}
	for i := range a.Members {
		if m, err := memberOf(path, a, i); err == nil && elffile.IsELF(m.data) {
			return m.data
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
		m, err := memberOf(a.path, a.ar, i)
		if err != nil || !elffile.IsELF(m.data) {
			continue
		}
		o, err := parseObject(m.name, m.data)
		if err != nil {
			continue
		}
		for _, name := range o.definedNames(true) {
			a.index = append(a.index, indexed{name, int32(i)})
		}
	}
}

// loose makes an archive of the objects between --start-lib and --end-lib.
func loose(objs []*object) *archive {
	a := &archive{path: "--start-lib", members: objs, broken: make([]bool, len(objs))}
	for i, o := range objs {
		for _, name := range o.definedNames(true) {
			a.index = append(a.index, indexed{name, int32(i)})
		}
	}
	a.done = make([]bool, len(a.index))
	return a
}

// member is where a member's bytes are. GNU ld calls one of a thin archive by its
// file.
type member struct {
	data []byte
	name string // for messages: "lib.a(m.o)", or of a thin archive "m.o"
	path string // of the file
}

// memberOf finds the bytes of a member of the archive at path.
func memberOf(path string, ar *elffile.Archive, i int) (m member, err error) {
	x := &ar.Members[i]
	m = member{x.Data(), ar.MemberName(i), path}
	if !ar.Thin {
		return m, nil
	}
	m.path = x.Name
	if !filepath.IsAbs(m.path) {
		m.path = filepath.Join(filepath.Dir(path), m.path)
	}
	if m.data, err = mapFile(m.path); err != nil {
		return m, &elffile.Error{File: m.name, Off: -1, Msg: "thin archive", Err: err}
	}
	if x.Nested == 0 {
		m.name = m.path
		return m, nil
	}
	in, err := elffile.ParseArchive(m.path, m.data)
	if err != nil {
		return m, err
	}
	for k := range in.Members {
		if y := &in.Members[k]; y.HeaderOff == x.Nested && y.Nested == 0 && !in.Thin {
			return member{y.Data(), in.MemberName(k), m.path}, nil
		}
	}
	return m, &elffile.Error{File: m.name, Off: -1, Msg: fmt.Sprintf("thin archive: no member with bytes begins at 0x%x of %s", x.Nested, m.path)}
}

// readMember reads a member of an archive as an object.
func (l *loader) readMember(a *archive, i int) (*object, error) {
	if o := a.members[i]; o != nil {
		return o, nil
	}
	m, err := memberOf(a.path, a.ar, i)
	if err != nil {
		return nil, err
	}
	if k, what := kindOf(m.data); k != isObject {
		if what == "" {
			what = "no object"
		}
		return nil, &elffile.Error{File: m.name, Off: -1, Msg: "a member that cannot be linked: it is " + what}
	}
	o, err := parseObject(m.name, m.data)
	if err != nil {
		return nil, err
	}
	o.Path, o.Archive, o.Member = m.path, a.path, a.ar.Members[i].Name
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
			case sym.State == model.Defined && !l.tentative[sym]:
				a.done[k] = true
				continue
			case sym.State != model.Undefined && !l.definesCommon(a, x):
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

// definesCommon says whether a member has a true definition, and no weak one, of a
// symbol that is common so far. GNU ld takes it then; lld does not.
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
	m, err := memberOf(a.path, a.ar, i)
	if err != nil {
		return nil, err
	}
	return parseObject(m.name, m.data)
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
