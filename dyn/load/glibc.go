package load

import (
	"debug/elf"

	"strings"

	"golang.org/x/sys/unix"
)

// glibc is the search of glibc's dynamic linker (elf/dl-load.c).
type glibc struct {
	*namespace
	caps     []string // sub-directories, each with a slash at its end; the last is ""
	hwcaps   []string // sub-directories of glibc-hwcaps
	dirs     map[string]*searchDir
	env      *dirList // LD_LIBRARY_PATH
	system   *dirList
	conf     *dirList // ld.so.conf, in a tree without cache
	trusted  []string // system directories, as compiled in
	lib      string   // $LIB
	platform string   // $PLATFORM
}

// search is a search under way.
type search struct {
	g     *glibc
	name  string // after expansion of tokens
	by    *Object
	kind  NeedKind
	tried []Try

	done  bool // found, or ended by a fatal candidate
	file  *file
	found Try
	err   error
	class bool // a candidate was of the wrong class
}

// try looks at a path. It returns the number of the error, 0 where the file was
// opened and taken.
func (s *search) try(path string, t Try) error {
	t.Path = path
	f := s.g.l.at(path)
	if f.err != nil {
		t.Why = errnoText(f.err)
		s.tried = append(s.tried, t)
		return f.err
	}
	v := s.g.accept(f.file)
	if v.ok() && s.distrusts() && t.Rule != RulePath && f.file.mode&unix.S_ISUID == 0 {
		v.why = noSetuid
	}
	switch {
	case v.fatal != "":
		s.done, s.err = true, refused(f.file, path, v.fatal)
		t.Why = v.fatal
		s.tried = append(s.tried, t)
	case v.why != "":
		s.class = s.class || v.class
		t.Why = v.why
		s.tried = append(s.tried, t)
	default:
		s.done, s.file, s.found = true, f.file, t
	}
	return unix.ENOENT
}

// errnoText is what is said of a file that can not be opened.
func errnoText(err error) string {
	if err == unix.ENOENT {
		return "no such file"
	}
	return err.Error()
}

// need answers a request (_dl_map_object).
func (g *glibc) need(r request) Need {
	n := Need{Name: r.name, Kind: r.kind}
	if o, ok := g.byName[r.name]; ok {
		n.To, n.Known, n.Found = o, true, Try{Rule: RuleLoaded}
		if o == g.p.Ld {
			n.Found.Rule = RuleInterp
		}
		return n
	}
	s := &search{g: g, name: r.name, by: r.by, kind: r.kind}
	if s.name = r.name; strings.Contains(r.name, "/") {
		s.byPath(r)
	} else {
		s.byName(r)
	}
	n.Tried, n.Err = s.tried, s.err
	if s.file == nil {
		if n.Err == nil {
			n.Err = notFound(r.name, s.class)
		}
		return n
	}
	g.take(&n, s, r)
	return n
}

func (s *search) byPath(r request) {
	name := r.name
	if r.by != nil {
		var ok bool
		if name, ok = s.g.tokensOf(r.by).expand(r.name); !ok || name == "" {
			return
		}
	}
	s.try(name, Try{Rule: RulePath})
}

// byName searches in the order of _dl_map_object.
func (s *search) byName(r request) {
	g, by := s.g, r.by
	for _, step := range []func(){
		func() { s.rpaths(r) },
		func() { s.list(g.env, RuleLibraryPath, nil) },
		func() {
			if by != nil {
				s.list(g.runpathOf(by), RuleRunpath, by)
			}
		},
		s.cache,
		func() { s.list(g.conf, RuleConf, nil) },
		func() {
			if !s.nodeflib() {
				s.list(g.system, RuleDefault, nil)
			}
		},
	} {
		if step(); s.done {
			return
		}
	}
}

// rpaths searches the RPATHs of the requester and of those for which it was
// loaded, and of the program. An object with a RUNPATH searches none.
func (s *search) rpaths(r request) {
	g := s.g
	if r.by != nil && r.by.Runpath.Set {
		return
	}
	didProgram := false
	for o := r.by; o != nil && !s.done; o = g.loaderOf(o) {
		if l := g.rpathOf(o); !l.gone {
			s.list(l, RuleRpath, o)
			didProgram = didProgram || o == g.program
		}
	}
	if p := g.program; !s.done && !didProgram {
		s.list(g.rpathOf(p), RuleRpath, p)
		if g.auditing && !s.done { // "Also try DT_RUNPATH in the executable for LD_AUDIT dlopen call"
			s.list(g.runpathOf(p), RuleRunpath, p)
		}
	}
}

// loaderOf is l_loader: what is preloaded is loaded for the program.
func (g *glibc) loaderOf(o *Object) *Object {
	if o.Loader == nil && o != g.program {
		return g.program
	}
	return o.Loader
}

// rpathOf is the list of DT_RPATH, which does not count beside a DT_RUNPATH
// (elf_get_dynamic_info).
func (g *glibc) rpathOf(o *Object) *dirList {
	if o.rpath == nil {
		o.rpath = &dirList{gone: true}
		if !o.Runpath.Set && o.Rpath.Text != "" && !g.inhibited(o) {
			o.rpath = g.list(o.Rpath.Text, ":", g.tokensOf(o))
		}
	}
	return o.rpath
}

func (g *glibc) runpathOf(o *Object) *dirList {
	if o.runpath == nil {
		o.runpath = &dirList{gone: true}
		if o.Runpath.Text != "" && !g.inhibited(o) {
			o.runpath = g.list(o.Runpath.Text, ":", g.tokensOf(o))
		}
	}
	return o.runpath
}

func (g *glibc) tokensOf(o *Object) *tokens {
	if o.origin == "" {
		o.origin = originOf(o.Path)
	}
	t := &tokens{origin: o.origin, lib: g.lib, platform: g.platform, secure: g.l.opt.Secure}
	if t.secure && o == g.program {
		t.trusted = g.trusted
	}
	return t
}

// originOf is the directory of a path, as it is written (_dl_new_object).
func originOf(name string) string {
	i := strings.LastIndexByte(name, '/')
	if i <= 0 {
		return name[:i+1]
	}
	return name[:i]
}

// nodeflib says whether the requester wants no library of a system directory.
func (s *search) nodeflib() bool {
	by := s.by
	if by == nil {
		by = s.g.program
	}
	return by.Flags1&elf.DF_1_NODEFLIB != 0
}

// take makes of the file that was found what is loaded: an object that is there
// already, or a new one (_dl_map_object_from_fd).
func (g *glibc) take(n *Need, s *search, r request) {
	n.Found = s.found
	if o, ok := g.byID[s.file.id]; ok {
		n.To, n.Known = o, true
		g.known(r.name, o)
		return
	}
	if why := mappable(s.file); why != "" {
		n.Err = refused(s.file, s.found.Path, why)
		s.found.Why = why
		n.Tried = append(n.Tried, s.found)
		n.Found = Try{}
		return
	}
	o := g.mapFile(s.file, s.found.Path, r.name, s.found)
	g.byID[s.file.id] = o
	if r.kind != Preload {
		o.Loader = r.by
	}
	g.known(o.Path, o)
	g.known(r.name, o)
	g.known(o.Soname, o)
	n.To = o
}
