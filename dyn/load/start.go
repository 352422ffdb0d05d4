package load

import (
	"slices"
	"strings"

	"elfwright/dyn/ldcache"
)

func newGlibc(n *namespace) *glibc {
	p := n.p
	g := &glibc{namespace: n, dirs: make(map[string]*searchDir), platform: p.CPU.Platform}
	g.hwcaps = n.l.opt.hwcaps(p.CPU.HWCaps)
	g.caps = p.CPU.subdirectories(p.Version, g.hwcaps)
	dirs, lib := n.systemDirs()
	g.lib, g.trusted = lib, dirs
	g.system = g.fixed(dirs)
	g.env = &dirList{gone: true}
	if text := n.l.opt.LibraryPath; text != "" && !n.l.opt.Secure {
		g.env = g.list(text, ":;", g.tokensOf(n.program))
	}
	g.conf = g.fixed(g.confDirs())
	return g
}

// fixed is a list of directories without tokens.
func (g *glibc) fixed(dirs []string) *dirList {
	l := &dirList{gone: len(dirs) == 0}
	for _, d := range dirs {
		if dir := g.directory(d); !l.has(dir) {
			l.elems = append(l.elems, element{d, dir})
		}
	}
	return l
}

// hwcaps are the sub-directories of glibc-hwcaps that count, best first
// (_dl_important_hwcaps): a mask takes of the processor's, and what is put before
// them is not asked for in it.
func (opt *Options) hwcaps(own []string) []string {
	var list []string
	split := func(s string) []string { return strings.FieldsFunc(s, func(c rune) bool { return c == ':' }) }
	mask := split(opt.HWCapsMask)
	list = append(list, split(opt.HWCapsPrepend)...)
	for _, h := range own {
		if opt.HWCapsMask == "" || slices.Contains(mask, h) {
			list = append(list, h)
		}
	}
	return list
}

// systemDirs are the directories compiled into the dynamic linker, and $LIB; where
// they can not be read there, Debian's if the tree has one of Debian's, else
// upstream's.
func (n *namespace) systemDirs() (dirs []string, lib string) {
	u, ok := upstreamOf(n.Format, &n.program.Header)
	dirs, lib = n.linker.dirs, n.linker.lib
	debian := ok && n.l.root.IsDir("/usr/lib/"+u.triple)
	if dirs == nil && ok {
		dirs = u.dirs
		if debian {
			dirs = []string{"/lib/" + u.triple + "/", "/usr/lib/" + u.triple + "/", "/lib/", "/usr/lib/"}
		}
		n.p.Notes = append(n.p.Notes, "system directories are taken to be "+strings.Join(dirs, " "))
	}
	if lib == "" && ok {
		lib = u.lib
		if debian {
			lib = "lib/" + u.triple
		}
	}
	if n.l.opt.SystemDirs != nil {
		dirs = n.l.opt.SystemDirs
	}
	if n.l.opt.NoDefault {
		dirs = nil
	}
	return dirs, lib
}

// load loads preloaded objects and then all that is needed.
func (g *glibc) load() {
	if !g.l.opt.NoCache {
		g.p.Reads = append(g.p.Reads, "/etc/ld.so.cache")
	}
	if !g.l.opt.NoPreloadFile {
		g.p.Reads = append(g.p.Reads, "/etc/ld.so.preload")
	}
	if _, err := g.l.cache(); err != nil && !g.l.opt.NoCache {
		g.p.Notes = append(g.p.Notes, err.Error()+"; the cache is not used")
	}
	g.known(g.program.Soname, g.program)
	g.audits()
	first := []*Object{g.program}
	for _, name := range g.preloads() {
		before := g.mapped
		need := g.need(request{name, Preload, g.program})
		g.program.Needs = append(g.program.Needs, need)
		// "It is no duplicate" (do_preload).
		if need.To != nil && g.mapped > before {
			first = append(first, need.To)
		}
	}
	g.deps(first)
}

// preloads are the names of LD_PRELOAD and then of /etc/ld.so.preload
// (handle_preload_list, and dl_main).
func (g *glibc) preloads() []string {
	names := strings.FieldsFunc(g.l.opt.Preload, func(c rune) bool { return c == ' ' || c == ':' })
	names = slices.DeleteFunc(names, func(s string) bool { return !g.allowedName(s) })
	if !g.l.opt.NoPreloadFile {
		more, err := g.l.preloaded()
		if err != nil {
			g.p.Notes = append(g.p.Notes, err.Error())
		}
		names = append(names, more...)
	}
	return names
}

// cache looks into ld.so.cache.
func (s *search) cache() {
	g := s.g
	if g.l.opt.NoCache || s.distrusts() {
		return
	}
	c, err := g.l.cache()
	if err != nil || c == nil {
		return
	}
	path, _, ok := c.Lookup(s.name, g.query())
	if !ok {
		return
	}
	t := Try{Dir: "/etc/ld.so.cache", Rule: RuleCache}
	if s.nodeflib() && g.inSystemDir(string(path)) {
		t.Path, t.Why = string(path), "in a system directory, and the object that needs it has DF_1_NODEFLIB"
		s.tried = append(s.tried, t)
		return
	}
	s.try(string(path), t)
}

// query is how ld.so.cache is asked: by the flags of the dynamic linker, where it
// is there.
func (g *glibc) query() *ldcache.Query {
	h := g.program.Header
	h.Flags = g.flags
	return g.p.CPU.query(g.Format, &h, g.p.Version, g.hwcaps)
}

// inSystemDir compares as _dl_map_object does: by the letters alone.
func (g *glibc) inSystemDir(path string) bool {
	for _, e := range g.system.elems {
		if strings.HasPrefix(path, e.dir.path) {
			return true
		}
	}
	return false
}

// Limits of files that are read whole.
const (
	maxCache = 1 << 28
	maxText  = 1 << 20
)

func (l *Loader) readCache() (*ldcache.Cache, error) {
	const name = "/etc/ld.so.cache"
	if !l.root.Exists(name) {
		return nil, nil
	}
	b, err := l.root.Read(name, maxCache)
	if err != nil {
		return nil, err
	}
	return ldcache.Parse(l.root.Host(name), b)
}

// confDirs are the directories of ld.so.conf, for a tree in which ldconfig has
// not run yet: what its ld.so.cache would lead to. The dynamic linker itself
// reads no ld.so.conf, so on this machine's own tree they do not count.
func (g *glibc) confDirs() []string {
	if g.l.opt.NoCache || g.l.root.Dir() == "/" {
		return nil
	}
	if c, err := g.l.cache(); c != nil || err != nil {
		return nil
	}
	dirs, err := g.l.confDirs()
	if err != nil {
		g.p.Notes = append(g.p.Notes, err.Error())
	}
	if len(dirs) > 0 {
		g.p.Notes = append(g.p.Notes, "there is no /etc/ld.so.cache: the directories of /etc/ld.so.conf are searched in its place")
	}
	return dirs
}

func (l *Loader) readConf() ([]string, error) {
	const name = "/etc/ld.so.conf"
	if !l.root.Exists(name) {
		return nil, nil
	}
	return ldcache.Conf(l.root, name)
}

// readPreload reads /etc/ld.so.preload: names between blanks and colons; a #
// begins a comment (dl_main, handle_preload).
func (l *Loader) readPreload() ([]string, error) {
	const name = "/etc/ld.so.preload"
	if !l.root.Exists(name) {
		return nil, nil
	}
	b, err := l.root.Read(name, maxText)
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		names = append(names, strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\n:", c) })...)
	}
	return names, nil
}
