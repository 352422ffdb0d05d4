package match

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
)

// loads looks for every PT_LOAD of the file with symbols among those of the
// image, which may have more: what was added to it. File sizes are not compared:
// a file that was split off has none, and an edited image may have grown its own.
func (m *matcher) loads() {
	if m.syms.ProgErr != nil || m.img.ProgErr != nil {
		for _, f := range []*elffile.File{m.img, m.syms} {
			if f.ProgErr != nil {
				m.check("load", No, "", "", f.ProgErr.Error())
			}
		}
		return
	}
	have := make(map[load]bool)
	for i := range m.img.Progs {
		if l, ok := loadOf(&m.img.Progs[i]); ok {
			have[l] = true
		}
	}
	n := 0
	for i := range m.syms.Progs {
		if want, ok := loadOf(&m.syms.Progs[i]); ok {
			n++
			m.load(have, want)
		}
	}
	if n == 0 {
		m.noLoads()
	}
}

// load is what two PT_LOADs must have in common.
type load struct {
	vaddr, memsz uint64
	flags        elf.ProgFlag
}

func loadOf(p *elffile.Prog) (load, bool) {
	return load{p.Vaddr, p.Memsz, p.Flags}, p.Type == elf.PT_LOAD && p.Memsz > 0
}

func (l load) String() string {
	return fmt.Sprintf("0x%x + 0x%x %s", l.vaddr, l.memsz, flagString(l.flags))
}

// covers says whether l has all addresses of o, with the same protection.
func (l load) covers(o load) bool {
	return l.flags == o.flags && l.vaddr <= o.vaddr && o.vaddr-l.vaddr <= l.memsz && o.memsz <= l.memsz-(o.vaddr-l.vaddr)
}

func flagString(f elf.ProgFlag) string {
	b := []byte("---")
	for i, bit := range []elf.ProgFlag{elf.PF_R, elf.PF_W, elf.PF_X} {
		if f&bit != 0 {
			b[i] = "rwx"[i]
		}
	}
	if rest := f &^ (elf.PF_R | elf.PF_W | elf.PF_X); rest != 0 {
		return fmt.Sprintf("%s+0x%x", b, uint32(rest))
	}
	return string(b)
}

// maxLoads bounds how many PT_LOADs are reported: a hostile table has many.
const maxLoads = 100

func (m *matcher) load(have map[load]bool, want load) {
	switch {
	case have[want]:
		if len(m.Checks) < maxLoads {
			m.check("load", Yes, want.String(), want.String(), "")
		}
		return
	case len(m.Checks) >= maxLoads:
		m.check("load", No, "", want.String(), "not in the image")
		return
	}
	near, verdict := m.nearest(want)
	why := "the image has no PT_LOAD there"
	switch {
	case near == load{}:
	case verdict == Differs:
		why = "the image's is larger, and the build-id is the same: it was edited"
	case near.vaddr != want.vaddr:
		why = fmt.Sprintf("the image has it at 0x%x, 0x%x from there", near.vaddr, near.vaddr-want.vaddr)
	case near.memsz != want.memsz:
		why = fmt.Sprintf("the image's has 0x%x bytes of memory, that of the file with symbols 0x%x", near.memsz, want.memsz)
	default:
		why = fmt.Sprintf("the image's is %s, that of the file with symbols %s", flagString(near.flags), flagString(want.flags))
	}
	image := ""
	if near != (load{}) {
		image = near.String()
	}
	m.check("load", verdict, image, want.String(), why)
}

// nearest finds the PT_LOAD of the image that a missing one is most likely to
// have become. One that is larger, at the end or at the front, is what a longer
// program header table can make of it (package phdr, extend and front); that is
// believed only of a file with the same build-id.
func (m *matcher) nearest(want load) (load, Verdict) {
	var moved, there load
	for i := range m.img.Progs {
		l, ok := loadOf(&m.img.Progs[i])
		switch {
		case !ok:
		case l.covers(want) && m.sameID:
			return l, Differs
		case l.vaddr == want.vaddr && there == load{}:
			there = l
		case l.memsz == want.memsz && l.flags == want.flags && moved == load{}:
			moved = l
		}
	}
	if there != (load{}) {
		return there, No
	}
	return moved, No
}

// noLoads is loads for symbols without program headers: their sections must lie
// in the image's memory.
func (m *matcher) noLoads() {
	var loads []load
	for i := range m.img.Progs {
		if l, ok := loadOf(&m.img.Progs[i]); ok && len(loads) < maxLoads {
			l.flags = 0
			loads = append(loads, l)
		}
	}
	sections := 0
	for i := range m.syms.Sections() {
		s := &m.syms.Sections()[i]
		if !s.Has(elf.SHF_ALLOC) || s.Has(elf.SHF_TLS) || s.Size == 0 {
			continue
		}
		sections++
		want, inside := load{s.Addr, s.Size, 0}, false
		for _, l := range loads {
			inside = inside || l.covers(want)
		}
		if !inside {
			m.check("load", No, "", m.syms.SectionName(i), fmt.Sprintf("section %s, 0x%x bytes at 0x%x, is in no PT_LOAD of the image", m.syms.SectionName(i), s.Size, s.Addr))
			return
		}
	}
	why := "the file with symbols has no PT_LOAD"
	if sections > 0 {
		why += "; its sections lie in the image's"
	}
	m.check("load", Unknown, "", "", why)
}
