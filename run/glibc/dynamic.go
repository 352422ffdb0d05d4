package glibc

import (
	"debug/elf"

	"elfwright/elffile"
	"elfwright/run/memory"
)

// Parts of l_info besides the tags below DT_NUM (include/link.h; elf/dl-dyninfo):
// versions, DT_AUXILIARY and the like, two runs of the GNU tags.
const (
	versionTags = 16
	extraTags   = 3
	valTags     = 12
	addrTags    = 11
)

// infoIndex is where l_info has a tag, -1: nowhere. n is how many elements it has,
// from which those of the machine follow, and num is DT_NUM.
func infoIndex(tag uint64, n, num int) int {
	proc := n - num - versionTags - extraTags - valTags - addrTags
	base := num + proc
	switch {
	case tag < uint64(num):
		return int(tag)
	case tag >= uint64(elf.DT_LOPROC) && tag < uint64(elf.DT_LOPROC)+uint64(max(proc, 0)):
		return num + int(tag-uint64(elf.DT_LOPROC))
	case tag > 0x6fffffff-versionTags && tag <= 0x6fffffff:
		return base + int(0x6fffffff-tag)
	case tag > 0x7fffffff-extraTags && tag <= 0x7fffffff:
		return base + versionTags + int(0x7fffffff-tag)
	case tag > 0x6ffffdff-valTags && tag <= 0x6ffffdff:
		return base + versionTags + extraTags + int(0x6ffffdff-tag)
	case tag > 0x6ffffeff-addrTags && tag <= 0x6ffffeff:
		return base + versionTags + extraTags + valTags + int(0x6ffffeff-tag)
	}
	return -1
}

// num is DT_NUM of a version of glibc: 2.36 brought DT_RELR.
func (r *Row) num() int {
	if r.AtLeast(2, 36) {
		return 38
	}
	return 35
}

// AtLeast compares the version.
func (r *Row) AtLeast(major, minor int) bool {
	var a, b int
	for i, c := range r.Version {
		if c == '.' {
			b = atoi(r.Version[i+1:])
			break
		}
		a = 10*a + int(c-'0')
	}
	return a > major || a == major && b >= minor
}

func atoi(s string) (n int) {
	for _, c := range s {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// adjusted are the tags whose values glibc turns into addresses in place, where it
// can write to the dynamic section (elf/get-dynamic-info.h). Other code relies on it.
var adjusted = [...]elf.DynTag{
	elf.DT_HASH, elf.DT_PLTGOT, elf.DT_STRTAB, elf.DT_SYMTAB, elf.DT_RELA, elf.DT_REL, elf.DT_JMPREL, elf.DT_VERSYM, elf.DT_GNU_HASH,
}

// dynamic fills in l_ld, l_info and what follows from them.
func (s *State) dynamic(i int) {
	o, m := &s.Memory.Objects[i], s.maps[i]
	if o.Dynamic.Prog < 0 {
		return
	}
	p := &o.Progs[o.Dynamic.Prog]
	set := func(member string, v uint64) { s.set(m, "link_map", member, v) }
	set("l_ld", o.At(p.Vaddr))
	set("l_ldnum", p.Memsz/16)
	info := m + s.Row.offset("link_map", "l_info")
	n := int(s.Row.Structs["link_map"].Members["l_info"][2])
	put := func(tag elf.DynTag, at uint64) {
		if x := infoIndex(uint64(tag), n, s.Row.num()); x >= 0 && x < n {
			s.word(info+8*uint64(x), at)
		}
	}
	seen := make(map[elf.DynTag]uint64)
	for x := range o.Dynamic.Entries {
		e := &o.Dynamic.Entries[x]
		if e.Tag != elf.DT_NULL {
			seen[e.Tag] = o.At(p.Vaddr + uint64(16*x))
			put(e.Tag, seen[e.Tag])
		}
	}
	// What other tags say in a flag is told by those (elf_get_dynamic_info).
	flags, _ := o.Dynamic.Value(elf.DT_FLAGS)
	for _, f := range [...]struct {
		flag elf.DynFlag
		tag  elf.DynTag
	}{{elf.DF_SYMBOLIC, elf.DT_SYMBOLIC}, {elf.DF_TEXTREL, elf.DT_TEXTREL}, {elf.DF_BIND_NOW, elf.DT_BIND_NOW}} {
		if flags&uint64(f.flag) != 0 {
			put(f.tag, seen[elf.DT_FLAGS])
		}
	}
	if _, ok := seen[elf.DT_RUNPATH]; ok {
		put(elf.DT_RPATH, 0)
	}
	set("l_flags", flags)
	set("l_flags_1", uint64(o.Flags1))
	s.adjust(o, m, p, seen)
	if at := seen[elf.DT_DEBUG]; i == 0 && at != 0 && p.Flags&elf.PF_W != 0 {
		s.word(at+8, s.at("_r_debug"))
	}
}

// adjust turns offsets into addresses.
func (s *State) adjust(o *memory.Object, m uint64, p *elffile.Prog, seen map[elf.DynTag]uint64) {
	if p.Flags&elf.PF_W == 0 {
		s.set(m, "link_map", "l_ld_readonly", 1)
		return
	}
	for _, tag := range adjusted {
		if at, ok := seen[tag]; ok {
			v, _ := o.Dynamic.Value(tag)
			s.word(at+8, v+o.Base)
		}
	}
}
