package load

import "strings"

// audits loads what LD_AUDIT and the program's DT_AUDIT and DT_DEPAUDIT name, each
// into a namespace of its own (load_auditor of elf/rtld.c). Those of libraries do
// not count at a start.
func (g *glibc) audits() {
	for _, list := range []string{g.l.opt.Audit, g.program.Audit, g.program.Depaudit} {
		for _, name := range strings.Split(list, ":") {
			if name != "" {
				g.audit(name)
			}
		}
	}
}

func (g *glibc) audit(name string) {
	if !g.allowedName(name) {
		return
	}
	a := &glibc{namespace: g.aside(), caps: g.caps, hwcaps: g.hwcaps, trusted: g.trusted, dirs: g.dirs, env: g.env, system: g.system, conf: g.conf, lib: g.lib, platform: g.platform}
	need := a.need(request{name: name, kind: Audit})
	g.program.Needs = append(g.program.Needs, need)
	if need.To == nil {
		return
	}
	a.p.program = need.To
	a.deps([]*Object{need.To})
	g.p.Audits = append(g.p.Audits, a.p)
}

// aside is an empty namespace beside n. The dynamic linker has no name in it: it
// is searched, and then known by its file, for there is one of it only
// (_dl_map_object_from_fd).
func (n *namespace) aside() *namespace {
	p := &Process{Libc: n.p.Libc, Ld: n.p.Ld, Version: n.p.Version, OldSort: n.p.OldSort, CPU: n.p.CPU, loader: n.l}
	a := &namespace{l: n.l, p: p, expected: n.expected, program: n.program, auditing: true, byName: make(map[string]*Object), byID: make(map[FileID]*Object), linker: n.linker}
	if ld := n.p.Ld; ld != nil {
		own := *ld // it has another place in this list
		own.Index = -1
		a.p.Ld = &own
		a.byID[ld.ID] = a.p.Ld
	}
	return a
}
