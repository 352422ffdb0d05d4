package boot

import (
	"encoding/binary"

	"elfwright/image"
)

const (
	tableMagic   = 0x74776c6577667265
	tableVersion = 1
	nobody       = ^uint64(0)
	nameSize     = 64
)

// The bits of an end's and of a mapping's rights.
const (
	mayNotify = 1
	mayCall   = 2

	mayRead    = 1
	mayWrite   = 2
	mayExecute = 4
	cached     = 8
)

// A mapping is memory in the address space of a domain.
type mapping struct {
	domain int
	at     image.Range
	phys   image.Addr
	rights uint64
}

type words []byte

func (w *words) put(list ...uint64) {
	for _, n := range list {
		*w = binary.LittleEndian.AppendUint64(*w, n)
	}
}

// table is the first region.
func (m *maker) table() []byte {
	var w words
	ends := m.ends()
	w.put(tableMagic, tableVersion, uint64(len(m.sys.PDs)), uint64(len(ends)/5), uint64(len(m.maps)),
		uint64(m.tables.Start), uint64(m.tables.End()), 0)
	for i, p := range m.sys.PDs {
		d := &m.plan.Domains[i]
		name := make([]byte, nameSize)
		copy(name[:nameSize-1], p.Name)
		w = append(w, name...)
		parent := nobody
		if p.Parent != nil {
			parent = uint64(p.Parent.Index)
		}
		w.put(uint64(d.Entry), uint64(d.Stack.End), uint64(d.IPCBuffer.Start), uint64(m.buffers[i]), p.Priority, parent, p.ID, 0)
	}
	w.put(ends...)
	for _, x := range m.maps {
		w.put(uint64(x.domain), uint64(x.at.Start), uint64(x.phys), x.at.Size, x.rights)
	}
	return w
}

// ends are five words for each end of a channel.
func (m *maker) ends() (list []uint64) {
	for _, ch := range m.sys.Channels {
		for i, e := range ch.Ends {
			other := ch.Ends[1-i]
			may := uint64(0)
			if e.Notify {
				may |= mayNotify
			}
			if e.PP {
				may |= mayCall
			}
			list = append(list, uint64(e.PD.Index), e.ID, uint64(other.PD.Index), other.ID, may)
		}
	}
	return list
}

// tablePages counts the pages of page tables that all address spaces need: four
// levels, each of 9 bits, above pages of 4 KiB. Nothing is made for each: a mapping
// of a device may be as large as the address space.
func (m *maker) tablePages() uint64 {
	n := uint64(len(m.sys.PDs)) // the first level
	for _, shift := range []uint{39, 30, 21} {
		used := make([][]image.Range, len(m.sys.PDs))
		for _, x := range m.maps {
			first, last := x.at.Start>>shift, (x.at.End()-1)>>shift
			used[x.domain] = append(used[x.domain], image.Range{Start: first, Size: uint64(last-first) + 1})
		}
		for _, list := range used {
			n += image.Union(list...).Size()
		}
	}
	return n
}

func rightsOf(letters string, cache bool) (n uint64) {
	for _, c := range letters {
		switch c {
		case 'r':
			n |= mayRead
		case 'w':
			n |= mayWrite
		case 'x':
			n |= mayExecute
		}
	}
	if cache {
		n |= cached
	}
	return n
}
