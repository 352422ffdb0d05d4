package load

import (
	"strings"

	"elfwright/elffile"
)

// muslPath is the list of directories of a musl installation.
type muslPath struct {
	text string
	note string
}

// sysPath is what stands in etc/ld-musl-ARCH.path beside the directory of the
// dynamic linker, or /lib:/usr/local/lib:/usr/lib where there is no such file
// (load_library).
func (m *musl) sysPath() string {
	name := m.muslPathName()
	m.l.mu.Lock()
	p, ok := m.l.muslPaths[name]
	m.l.mu.Unlock()
	if !ok {
		p = m.readPath(name)
		m.l.mu.Lock()
		m.l.muslPaths[name] = p
		m.l.mu.Unlock()
	}
	if p.note != "" && !m.noted {
		m.noted = true
		m.p.Notes = append(m.p.Notes, p.note)
	}
	return p.text
}

func (m *musl) readPath(name string) muslPath {
	const standard = "/lib:/usr/local/lib:/usr/lib"
	if !m.l.root.Exists(name) {
		return muslPath{text: standard}
	}
	b, err := m.l.root.Read(name, maxText)
	if err != nil { // musl takes one that it can not read for an empty one
		return muslPath{note: err.Error()}
	}
	text, _, _ := strings.Cut(string(b), "\x00")
	return muslPath{text: text}
}

// muslPathName takes the last two components off the path of the dynamic linker.
func (m *musl) muslPathName() string {
	prefix := ""
	if strings.HasPrefix(m.self, "/") {
		dir := m.self[:strings.LastIndexByte(m.self, '/')]
		if i := strings.LastIndexByte(dir, '/'); i >= 0 {
			prefix = dir[:i]
		}
	}
	return prefix + "/etc/ld-musl-" + m.arch() + ".path"
}

// arch is musl's word for the machine: that of the dynamic linker's name, or that
// of the machine, which does not tell of soft floats.
func (m *musl) arch() string {
	if _, name, ok := strings.Cut(m.self, "ld-musl-"); ok {
		return strings.TrimSuffix(name, ".so.1")
	}
	if u, ok := upstreamOf(m.Format, &m.program.Header); ok && u.musl != "" {
		return u.musl
	}
	return elffile.MachineName(m.machine)
}
