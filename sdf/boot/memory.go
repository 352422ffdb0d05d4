package boot

import (
	"fmt"
	"os"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/phdr"
	"elfwright/sdf"
	"elfwright/sdf/desc"
)

const page = 0x1000

// A part is memory that somebody gets, with its first bytes.
type part struct {
	what  string
	phys  image.Range
	skip  uint64       // zeros before the bytes
	bytes elffile.Data // nil: zeros
}

// place finds memory for all that has no address: first fit, bottom up, in the
// order of the description.
func (m *maker) place() {
	var taken []image.Range
	for i, r := range m.sys.Regions {
		if at := m.plan.Regions[i].Physical; at != nil {
			taken = append(taken, image.Range{Start: image.Addr(*at), Size: r.Size})
		}
	}
	m.memory = sdf.Memory(&m.sys.Board)
	m.free = m.memory.Minus(taken...)
	if len(m.memory) == 0 {
		m.need(m.sys.PDs[0].Pos(), "the board gives no memory to put the protection domains into")
		return
	}
	phys := m.regions()
	for i, p := range m.sys.PDs {
		m.space(i, p, phys)
	}
	pages := m.tablePages() // at most 2^36 for each of 63 protection domains: no overflow
	m.tables = image.Range{Start: m.take(m.sys.PDs[0].Pos(), "page tables", pages*page, page), Size: pages * page}
	m.parts = append(m.parts, part{what: "page tables", phys: m.tables})
}

// take finds memory that is free.
func (m *maker) take(pos desc.Pos, what string, size, align uint64) image.Addr {
	at, ok := sdf.FirstFit(m.free, size, align)
	if !ok {
		m.need(pos, "%s: there are no %#x bytes at a multiple of %#x left in the memory of the board", what, size, align)
		return 0
	}
	m.free = m.free.Minus(image.Range{Start: at, Size: size})
	return at
}

// regions places the memory regions. One that lies where the board has no memory
// is a device's, and its bytes are left alone.
func (m *maker) regions() map[*desc.Region]image.Addr {
	phys := map[*desc.Region]image.Addr{}
	for i, r := range m.sys.Regions {
		what := "memory_region " + r.Name
		at := image.Addr(0)
		if given := m.plan.Regions[i].Physical; given != nil {
			at = image.Addr(*given)
		} else {
			at = m.take(r.Pos(), what, r.Size, r.PageSize)
		}
		phys[r] = at
		p := part{what: what, phys: image.Range{Start: at, Size: r.Size}}
		memory := m.memory.Covers(p.phys)
		if r.Prefill != "" {
			var err error
			if p.bytes, err = m.fill(r); err == nil && !memory {
				err = fmt.Errorf("the board has no memory at %v to be filled", p.phys)
			}
			if err != nil {
				m.need(r.Pos(), "%s: %v", what, err)
				continue
			}
		}
		if memory {
			m.parts = append(m.parts, p)
		}
	}
	return phys
}

// fill returns what a region begins with.
func (m *maker) fill(r *desc.Region) (elffile.Data, error) {
	name, err := sdf.Find(r.Prefill, m.opt.Search)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(name) // of the length that was looked at
	if err == nil && uint64(len(b)) > r.Size {
		err = fmt.Errorf("%s has %#x bytes now, and the region %#x", name, len(b), r.Size)
	}
	return elffile.Buffer(b), err
}

// space makes the address space of a protection domain: its image, stack, IPC
// buffer and mappings.
func (m *maker) space(i int, p *desc.PD, phys map[*desc.Region]image.Addr) {
	d := &m.plan.Domains[i]
	who := "protection_domain " + p.Name
	f := m.images[d.Output]
	img := image.FromFile(f)
	for j := range img.Segments {
		s := &img.Segments[j]
		if s.Memsz == 0 {
			continue
		}
		pages, _ := s.Range().Pages(page) // sdf.Apply has looked
		what := fmt.Sprintf("%s, program header %d", who, s.Index)
		if uint64(s.Data.Size()) != s.Filesz || s.Filesz > s.Memsz {
			m.need(p.Pos(), "%s: p_filesz %#x of p_memsz %#x: the file has %#x bytes of it", what, s.Filesz, s.Memsz, s.Data.Size())
			continue
		}
		at := m.take(p.Pos(), what, pages.Size, page)
		m.parts = append(m.parts, part{what, image.Range{Start: at, Size: pages.Size}, uint64(s.Vaddr - pages.Start), s.Data})
		m.maps = append(m.maps, mapping{i, pages, at, rightsOf(phdr.FlagString(s.Flags), true)})
	}
	m.buffers = append(m.buffers, 0)
	for _, x := range []struct {
		what string
		at   sdf.Space
		phys *image.Addr
	}{{"stack", d.Stack, new(image.Addr)}, {"IPC buffer", d.IPCBuffer, &m.buffers[i]}} {
		r := image.MakeRange(image.Addr(x.at.Start), image.Addr(x.at.End))
		*x.phys = m.take(p.Pos(), who+", "+x.what, r.Size, page)
		m.parts = append(m.parts, part{what: who + ", " + x.what, phys: image.Range{Start: *x.phys, Size: r.Size}})
		m.maps = append(m.maps, mapping{i, r, *x.phys, rightsOf("rw", true)})
	}
	for _, k := range p.Maps {
		r := image.Range{Start: image.Addr(k.Addr), Size: k.Region.Size}
		m.maps = append(m.maps, mapping{i, r, phys[k.Region], rightsOf(k.Perms.String(), k.Cached)})
	}
}
