package synth

import (
	"debug/elf"
	"path/filepath"

	"elfwright/elffile"
)

// Versions of symbols as Linux systems have them (LSB, "Symbol Versioning"): an
// index for each dynamic symbol, and what the nodes of the version script are.

const (
	shtVerdef = elf.SHT_GNU_VERDEF
	shtVersym = elf.SHT_GNU_VERSYM
	verHidden = 0x8000 // not the default version
)

// versions are the names of the nodes, in the order of the script; nil if there
// is none with a name.
func (s *Set) versions() []string {
	var names []string
	if v := s.env.Versions; v != nil {
		for _, n := range v.Nodes {
			if n.Name != "" {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// library is the name of the first definition: of the library itself.
func (s *Set) library() string {
	if s.env.Opt.Soname != "" {
		return s.env.Opt.Soname
	}
	return filepath.Base(s.env.Opt.Output)
}

// deps are the nodes that a node inherits from.
func (s *Set) deps(name string) []string {
	for _, n := range s.env.Versions.Nodes {
		if n.Name == name {
			return n.Deps
		}
	}
	return nil
}

func (s *Set) sizeVersions() {
	names := s.versions()
	if len(names) == 0 {
		return
	}
	s.dynsyms.add(s.library())
	size := uint64(20 + 8)
	for _, n := range names {
		s.dynsyms.add(n)
		size += uint64(20 + 8*(1+len(s.deps(n))))
	}
	s.verdef.Size, s.verdef.Info = size, uint32(1+len(names))
	s.versym.Size = 2 * uint64(len(s.dynsyms.syms))
}

// writeVerdef encodes the definitions: 20 bytes each, and 8 for its own name and
// each node it depends on.
func (s *Set) writeVerdef(b []byte) {
	o := s.env.Order
	names := s.versions()
	put := func(index int, flags uint16, name string, deps []string, last bool) {
		size := 20 + 8*(1+len(deps))
		o.PutUint16(b, 1)
		o.PutUint16(b[2:], flags)
		o.PutUint16(b[4:], uint16(index))
		o.PutUint16(b[6:], uint16(1+len(deps)))
		o.PutUint32(b[8:], elffile.SysvHashOf(name))
		o.PutUint32(b[12:], 20)
		if !last {
			o.PutUint32(b[16:], uint32(size))
		}
		for i, n := range append([]string{name}, deps...) {
			aux := b[20+8*i:]
			o.PutUint32(aux, s.dynsyms.at(n))
			if i < len(deps) {
				o.PutUint32(aux[4:], 8)
			}
		}
		b = b[size:]
	}
	const base = 1 // VER_FLG_BASE
	put(1, base, s.library(), nil, false)
	for i, n := range names {
		put(i+2, 0, n, s.deps(n), i+1 == len(names))
	}
}

func (s *Set) writeVersym(b []byte) {
	index := map[string]uint16{"": 1}
	for i, n := range s.versions() {
		index[n] = uint16(i + 2)
	}
	for i, sym := range s.dynsyms.syms {
		var v uint16
		if sym != nil {
			v = index[sym.Version]
			if sym.State == 0 {
				v = 0 // undefined, and no library says of which version
			} else if sym.Version != "" && !sym.Default {
				v |= verHidden
			}
		}
		s.env.Order.PutUint16(b[2*i:], v)
	}
}
