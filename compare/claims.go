package compare

import (
	"cmp"
	"debug/elf"
	"slices"

	"elfwright/elffile"
)

// A claim is a range of the file, or of memory, that an area has.
type claim struct {
	from, to uint64
	area     int32
}

func sortClaims(c []claim) {
	slices.SortFunc(c, func(x, y claim) int {
		return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(y.to, x.to), cmp.Compare(x.area, y.area))
	})
}

// claimFile gives every byte of the file to one area: where two claim it, to
// the one that begins first. What nobody claims becomes areas of its own.
func (m *model) claimFile() {
	var claims []claim
	for i := range m.areas {
		a := &m.areas[i]
		if n := a.size; n > 0 && (a.data != nil || a.kind != inSection) {
			claims = append(claims, claim{a.off, a.off + n, int32(i)})
		}
	}
	sortClaims(claims)
	loads := m.loads(func(p *elffile.Prog) (uint64, uint64) { return p.Off, p.Filesz })
	pos, last := uint64(0), int32(none)
	for _, c := range claims {
		if c.from > pos {
			m.addRest(&loads, pos, c.from, last)
			pos = c.from
		}
		if c.to > pos {
			m.areas[c.area].file = c.to - pos
			pos, last = c.to, c.area
		}
	}
	if pos < m.fileSize() {
		m.addRest(&loads, pos, m.fileSize(), last)
		// What pads the file to the next multiple of some bytes is no overlay.
		if a := &m.areas[len(m.areas)-1]; a.kind == unclaimed && !isPadding(a.data) {
			a.kind = overlay
		}
	}
}

// loads returns a range of each PT_LOAD, sorted; area is the header's index.
func (m *model) loads(of func(*elffile.Prog) (from, n uint64)) []claim {
	var list []claim
	for i := range m.f.Progs {
		p := &m.f.Progs[i]
		from, n := of(p)
		if p.Type == elf.PT_LOAD && n > 0 && from+n > from {
			list = append(list, claim{from, from + n, int32(i)})
		}
	}
	sortClaims(list)
	return list
}

// addRest makes areas of [from, to) of the file, cut where a PT_LOAD begins or
// ends. It is called with ascending ranges, and drops the loads it has done with.
func (m *model) addRest(loads *[]claim, from, to uint64, after int32) {
	for len(*loads) > 0 && (*loads)[0].to <= from {
		*loads = (*loads)[1:]
	}
	for _, l := range *loads {
		if l.from >= to {
			break
		}
		if l.to <= from {
			continue
		}
		if l.from > from {
			m.addGap(unclaimed, none, from, l.from, after)
			from = l.from
		}
		end := min(l.to, to)
		m.addGap(inSegment, int(l.area), from, end, after)
		if from = end; from == to {
			return
		}
	}
	if from < to {
		m.addGap(unclaimed, none, from, to, after)
	}
}

func (m *model) addGap(kind areaKind, index int, from, to uint64, after int32) {
	a := area{kind: kind, index: index, after: int(after), off: from, size: to - from, file: to - from, data: m.bytes(from, to-from)}
	if kind == inSegment {
		p := &m.f.Progs[index]
		a.alloc, a.addr = true, p.Vaddr+(from-p.Off)
		a.ptr = p.Flags&elf.PF_X == 0
		if a.addr+a.size < a.addr {
			a.alloc = false
		}
	}
	m.areas = append(m.areas, a)
}

// claimMemory gives every byte of memory that the PT_LOADs take to one area, as
// claimFile does for the file. An object's sections have no memory yet: what
// would be loaded counts.
func (m *model) claimMemory() {
	defer func() {
		for i := range m.areas {
			m.memory += m.areas[i].mem
		}
	}()
	if m.rel || len(m.f.Progs) == 0 {
		for i := range m.areas {
			if a := &m.areas[i]; a.alloc {
				a.mem = a.size
			}
		}
		return
	}
	var claims []claim
	for i := range m.areas {
		a := &m.areas[i]
		if a.kind == elfHeader || a.kind == progTable || a.kind == sectTable {
			a.addr, a.alloc = m.addressOf(a.off, a.size)
		}
		if a.alloc && a.size > 0 && !m.isTBSS(a) {
			claims = append(claims, claim{a.addr, a.addr + a.size, int32(i)})
		}
	}
	sortClaims(claims)
	pos := uint64(0)
	for _, l := range m.loads(func(p *elffile.Prog) (uint64, uint64) { return p.Vaddr, p.Memsz }) {
		pos = max(pos, l.from)
		for len(claims) > 0 && claims[0].from < l.to && pos < l.to {
			c := claims[0]
			if c.from > pos {
				m.addMemory(int(l.area), pos, c.from)
				pos = c.from
			}
			if c.to > pos {
				n := min(c.to, l.to) - pos
				m.areas[c.area].mem += n
				pos += n
			}
			if c.to > l.to {
				break // the next PT_LOAD has the rest
			}
			claims = claims[1:]
		}
		if pos < l.to {
			m.addMemory(int(l.area), pos, l.to)
			pos = l.to
		}
	}
}

// isTBSS: the zeros of the thread-local block take addresses, but no memory of
// the image (gABI, "Thread-Local Storage").
func (m *model) isTBSS(a *area) bool {
	if a.kind != inSection {
		return false
	}
	s := &m.f.Sections()[a.index]
	return s.Type == elf.SHT_NOBITS && s.Has(elf.SHF_TLS)
}

// addressOf says where in memory a range of the file is.
func (m *model) addressOf(off, n uint64) (uint64, bool) {
	for i := range m.f.Progs {
		p := &m.f.Progs[i]
		if p.Type == elf.PT_LOAD && off >= p.Off && off-p.Off < p.Filesz && n <= p.Filesz-(off-p.Off) {
			addr := p.Vaddr + (off - p.Off)
			return addr, addr+n >= addr
		}
	}
	return 0, false
}

// addMemory adds memory of a segment that has no section and no file bytes.
func (m *model) addMemory(index int, from, to uint64) {
	m.areas = append(m.areas, area{kind: inSegment, index: index, after: none, addr: from, alloc: true, size: to - from, mem: to - from, ptr: true})
}
