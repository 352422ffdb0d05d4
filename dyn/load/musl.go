package load

import (
	"debug/elf"
	"path"
	"strings"

	"elfwright/elffile"

	"golang.org/x/sys/unix"
)

// musl is the search of musl's dynamic linker (ldso/dynlink.c, 1.2).
type musl struct {
	*namespace
	byShort map[string]*Object // shortname: what was found by a search, by its file name
	self    string             // the name that it knows itself by
	noted   bool
}

// muslSelf are the libraries that are in libc.so itself, by the start of their
// name up to the first dot.
const muslSelf = ".c.pthread.rt.m.dl.util.xnet."

func newMusl(n *namespace) *musl {
	return &musl{namespace: n, byShort: make(map[string]*Object), self: n.p.Interp.Name}
}

// load loads preloaded libraries, which nobody asked for, and then what is needed,
// breadth first (load_preload, load_deps).
func (m *musl) load() {
	m.p.Reads = append(m.p.Reads, m.muslPathName())
	m.list(m.program)
	isSpace := func(c rune) bool { return strings.ContainsRune(" \t\n\v\f\r:", c) }
	preload := m.l.opt.Preload
	if m.l.opt.Secure {
		preload = ""
	}
	for _, name := range strings.FieldsFunc(preload, isSpace) {
		need := m.need(request{name: name, kind: Preload})
		m.program.Needs = append(m.program.Needs, need)
	}
	for i := 0; i < len(m.p.Objects); i++ {
		o := m.p.Objects[i]
		if o == m.p.Ld { // it needs nothing
			continue
		}
		for _, name := range o.Needed {
			o.Needs = append(o.Needs, m.need(request{name, Needed, o}))
		}
	}
}

func (m *musl) list(o *Object) {
	o.Index = len(m.p.Objects)
	m.p.Objects = append(m.p.Objects, o)
}

// need is load_library.
func (m *musl) need(r request) Need {
	n := Need{Name: r.name, Kind: r.kind}
	switch {
	case r.name == "":
		n.Err = notFound(r.name, false)
		return n
	case m.isSelf(r.name):
		m.linkerItself(&n)
		return n
	}
	s := &muslSearch{m: m, r: r}
	if strings.Contains(r.name, "/") {
		s.open(r.name, Try{Rule: RulePath})
	} else {
		if o, ok := m.byShort[r.name]; ok {
			n.To, n.Known, n.Found = o, true, Try{Rule: RuleLoaded}
			return n
		}
		s.search()
	}
	n.Tried, n.Err = s.tried, s.err
	if s.file == nil {
		if n.Err == nil {
			n.Err = notFound(r.name, false)
		}
		return n
	}
	m.take(&n, s, r)
	return n
}

// isSelf says whether a name means musl itself.
func (m *musl) isSelf(name string) bool {
	if rest, ok := strings.CutPrefix(name, "lib"); ok {
		if i := strings.IndexByte(rest, '.'); i > 0 && strings.Contains(muslSelf, "."+rest[:i+1]) {
			return true
		}
	}
	return name == m.self
}

// linkerItself answers with the dynamic linker, which joins the list when it is
// first asked for.
func (m *musl) linkerItself(n *Need) {
	ld := m.p.Ld
	if ld == nil {
		n.Err = notFound(n.Name, false)
		return
	}
	n.To, n.Known, n.Found = ld, true, Try{Path: ld.Path, Rule: RuleInterp}
	if ld.Index < 0 {
		m.list(ld)
	}
}

// take is the second half of load_library: a file that is there already, or a
// new one.
func (m *musl) take(n *Need, s *muslSearch, r request) {
	short := s.found.Rule != RulePath
	n.Found = s.found
	if o, ok := m.byID[s.file.id]; ok {
		n.To, n.Known = o, true
		if short && o.Found.Rule == RulePath {
			m.short(o)
		}
		return
	}
	if why := m.refuses(s.file); why != "" {
		n.Err = refused(s.file, s.found.Path, why)
		s.found.Why = why
		n.Tried, n.Found = append(n.Tried, s.found), Try{}
		return
	}
	if m.isLibc(s.file) {
		// "Avoid the danger of getting two versions of libc."
		m.linkerItself(n)
		return
	}
	to := m.mapFile(s.file, s.found.Path, r.name, s.found)
	m.byID[s.file.id] = to
	to.Loader = r.by
	if short {
		m.short(to)
	}
	m.list(to)
	n.To = to
}

func (m *musl) short(o *Object) {
	if name := path.Base(o.Path); m.byShort[name] == nil {
		m.byShort[name] = o
	}
}

// refuses is map_library, which looks at little, and what makes the rest
// impossible to read as an object of this process: musl would not notice, and
// crash.
func (m *musl) refuses(f *file) string {
	if v := m.accept(f); !v.ok() {
		return v.why + v.fatal
	}
	for i := range f.elf.Progs {
		if f.elf.Progs[i].Type == elf.PT_DYNAMIC {
			return ""
		}
	}
	return "no dynamic section"
}

// muslSearch is a search under way.
type muslSearch struct {
	m     *musl
	r     request
	tried []Try
	stop  bool // an error other than "no such file" ends it
	file  *file
	found Try
	err   error
}

func (s *muslSearch) open(name string, t Try) bool {
	t.Path = name
	f := s.m.l.at(name)
	if f.err == nil {
		s.file, s.found, s.stop = f.file, t, true
		return true
	}
	t.Why = errnoText(f.err)
	s.tried = append(s.tried, t)
	switch f.err {
	case unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ENAMETOOLONG:
		return false
	}
	s.stop = true
	return true
}

// search looks into LD_LIBRARY_PATH, the paths of the requester and of those it
// was loaded for, and musl's own list.
func (s *muslSearch) search() {
	const nameMax = 255
	if len(s.r.name) > nameMax {
		return
	}
	if !s.m.l.opt.Secure {
		if s.dirs(s.m.l.opt.LibraryPath, Try{Rule: RuleLibraryPath}); s.stop {
			return
		}
	}
	for o := s.r.by; o != nil; o = o.Loader {
		rule, list := s.m.pathOf(o)
		if s.dirs(list, Try{Rule: rule, Of: o}); s.stop {
			return
		}
	}
	s.dirs(s.m.sysPath(), Try{Rule: RuleMuslPath})
}

// dirs is path_open.
func (s *muslSearch) dirs(list string, t Try) {
	for _, dir := range strings.FieldsFunc(list, func(c rune) bool { return c == ':' || c == '\n' }) {
		t.Dir = dir
		if s.open(dir+"/"+s.r.name, t) {
			return
		}
	}
}

// pathOf is the DT_RUNPATH, or else the DT_RPATH, of an object with $ORIGIN
// replaced; with any other dollar the whole list is dropped (fixup_rpath).
func (m *musl) pathOf(o *Object) (Rule, string) {
	rule, text := RuleRpath, o.Rpath.Text
	if o.Runpath.Set {
		rule, text = RuleRunpath, o.Runpath.Text
	}
	if strings.IndexByte(text, '$') < 0 {
		return rule, text
	}
	origin := m.originOf(o)
	// The path of the program is whoever starts it's to choose, and a relative
	// one leads anywhere.
	if m.l.opt.Secure && (o == m.program || !strings.HasPrefix(origin, "/")) {
		return rule, ""
	}
	var b strings.Builder
	for {
		before, after, more := strings.Cut(text, "$")
		b.WriteString(before)
		if !more {
			return rule, b.String()
		}
		rest, ok := strings.CutPrefix(after, "ORIGIN")
		if !ok {
			if rest, ok = strings.CutPrefix(after, "{ORIGIN}"); !ok {
				return rule, ""
			}
		}
		b.WriteString(origin)
		text = rest
	}
}

// originOf is the directory of the path that an object was opened by; of the
// program, that of its file.
func (m *musl) originOf(o *Object) string {
	if o == m.program {
		return o.origin
	}
	if i := strings.LastIndexByte(o.Path, '/'); i >= 0 {
		return o.Path[:i]
	}
	return "."
}

// isLibc says whether a file is a libc, by the symbols that musl asks for.
func (m *musl) isLibc(f *file) bool {
	o, _ := f.read(false)
	return defines(o.Gnu, o.Sysv, "__libc_start_main") && defines(o.Gnu, o.Sysv, "stdin")
}

func defines(gnu *elffile.GnuHash, sysv *elffile.SysvHash, name string) bool {
	if gnu != nil {
		_, ok := gnu.Lookup(name)
		return ok
	}
	if sysv != nil {
		_, ok := sysv.Lookup(name)
		return ok
	}
	return false
}
