package synth

import (
	"debug/elf"
	"fmt"
	"sort"
)

// .eh_frame_hdr (LSB Core, "The .eh_frame_hdr section"): where .eh_frame is, and a
// table of its FDEs sorted by the address of their functions, in which an unwinder
// searches. All offsets have 32 bits and a sign.
const (
	hdrSize  = 12
	hdrEntry = 8

	pcrelSdata4   = 0x1b
	udata4        = 0x03
	datarelSdata4 = 0x3b
	omit          = 0xff
)

func (s *Set) createEhHdr() {
	if s.env.Opt.EhFrameHdr {
		s.ehHdr = s.add(".eh_frame_hdr", elf.SHT_PROGBITS, allocRead, 4, 0, writer(s.writeEhHdr))
	}
}

// sizeEhHdr needs only the number of FDEs.
func (s *Set) sizeEhHdr() {
	n := 0
	for _, x := range s.frames.secs {
		n += len(x.fdes)
	}
	switch {
	case s.ehHdr == nil || n == 0 && !s.frames.whole:
	case s.table32():
		s.ehHdr.Size = uint64(hdrSize + n*hdrEntry)
	default:
		s.ehHdr.Size = 8
	}
}

// table32 says whether the address of every FDE's function is known.
func (s *Set) table32() bool {
	if s.frames.whole {
		return false
	}
	for _, x := range s.frames.secs {
		for i := range x.fdes {
			if x.fdes[i].rel < 0 {
				return false
			}
		}
	}
	return true
}

func (s *Set) writeEhHdr(b []byte) {
	o, at := s.env.Order, s.ehHdr.Addr(0)
	b[0], b[1], b[2], b[3] = 1, pcrelSdata4, omit, omit
	if out := s.frames.out; out != nil {
		o.PutUint32(b[4:], s.distance(out.Addr, at+4))
	}
	if len(b) < hdrSize {
		return
	}
	b[2], b[3] = udata4, datarelSdata4
	type entry struct{ pc, fde uint64 }
	var list []entry
	for _, x := range s.frames.secs {
		for i := range x.fdes {
			f := &x.fdes[i]
			S, A := s.env.Value(x.sec, &x.sec.Relocs[f.rel])
			list = append(list, entry{s.wrap(S + uint64(A)), x.sec.Addr(f.off)})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].pc != list[j].pc {
			return list[i].pc < list[j].pc
		}
		return list[i].fde < list[j].fde
	})
	o.PutUint32(b[8:], uint32(len(list)))
	b = b[hdrSize:]
	for _, x := range list {
		o.PutUint32(b, s.distance(x.pc, at))
		o.PutUint32(b[4:], s.distance(x.fde, at))
		b = b[hdrEntry:]
	}
}

// wrap takes an address modulo the address space.
func (s *Set) wrap(a uint64) uint64 {
	if s.word == 4 {
		return uint64(uint32(a))
	}
	return a
}

// distance is to - from in 32 bits.
func (s *Set) distance(to, from uint64) uint32 {
	d := int64(to - from)
	if s.word == 8 && int64(int32(d)) != d {
		s.env.Report.Error(fmt.Errorf(".eh_frame_hdr: %#x is more than 2 GiB from %#x: no 32 bits reach it; link without --eh-frame-hdr, or the code and .eh_frame closer together", to, from))
	}
	return uint32(d)
}
