package input

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"elfwright/elffile"
	"elfwright/link/model"
	"elfwright/machine"
	"elfwright/machine/aarch64"
	"elfwright/machine/amd64"
	"elfwright/machine/arm"
	"elfwright/machine/i386"
	"elfwright/machine/riscv64"
)

// finish does for each object what costs time and no other object asks for, as far
// as ahead has not done it.
func (l *loader) finish() {
	if w := l.files.want; w != nil && l.machine == nil {
		l.rep.Error(&elffile.Error{File: w.by, Off: -1, Msg: "is " + w.String() + ", which is not linked here"})
		return
	}
	model.Each(l.opt.Workers(), len(l.objects), func(i int) {
		if o := l.objects[i]; !o.ready {
			l.prepare(o)
		}
	})
	for _, o := range l.objects {
		if o.unready != nil {
			l.rep.Error(o.unready)
		}
	}
}

// prepare drops the sections of an object that the output never has, unpacks
// compressed ones, and decodes the relocations of those that are alive.
func (l *loader) prepare(o *object) {
	o.ready = true
	if o.elf == nil {
		return
	}
	o.unready = guard(o.Path, func() error {
		l.dropSections(o)
		o.unpack()
		o.decodeRelocs(l.machine)
		return errors.Join(o.faults...)
	})
}

// dropSections takes out what is consumed by linking, or stripped.
func (l *loader) dropSections(o *object) {
	for _, s := range o.Sections {
		if s == nil || !s.Live {
			continue
		}
		switch {
		case l.opt.Relocatable:
		case s.Flags&shfExclude != 0 && s.Flags&elf.SHF_ALLOC == 0,
			s.Name == ".note.GNU-stack",
			strings.HasPrefix(s.Name, ".gnu.warning."):
			s.Live, s.Dropped = false, model.Excluded
			continue
		}
		if l.opt.Strip != model.StripNone && isDebugging(s) {
			s.Live, s.Dropped = false, model.Stripped
		}
	}
}

// isDebugging says whether --strip-debug takes a section out (bfd/elf.c,
// _bfd_elf_make_section_from_shdr).
func isDebugging(s *model.Section) bool {
	if s.Flags&elf.SHF_ALLOC != 0 || s.Name == "" || s.Name[0] != '.' {
		return false
	}
	for _, p := range []string{".debug", ".zdebug", ".gnu.debuglto_.debug_", ".gnu.linkonce.wi.", ".line", ".stab"} {
		if strings.HasPrefix(s.Name, p) {
			return true
		}
	}
	return s.Name == ".gdb_index"
}

// unpack uncompresses sections. What is linked is not compressed; ".zdebug_x" is
// ".debug_x" then.
func (o *object) unpack() {
	for _, s := range o.packed {
		if !s.Live {
			continue
		}
		b, h, err := o.elf.Uncompress(int(s.Index), maxUnpacked)
		if err != nil {
			o.failed(err)
			continue
		}
		if h.Type == 0 { // ".zdebug" by name alone
			continue
		}
		s.Data, s.Size = b, uint64(len(b))
		s.Flags &^= elf.SHF_COMPRESSED
		if h.Gnu {
			s.Name = ".debug" + s.Name[len(".zdebug"):]
		} else if s.Align = max(h.Addralign, 1); s.Align&(s.Align-1) != 0 {
			o.fault(int(s.Index), "", "ch_addralign 0x%x is not a power of two", h.Addralign)
			s.Align = 1
		}
	}
}

// decodeRelocs makes the relocations of what is alive: where the file has them as
// this process does, a window, else decoded ones, all in one allocation.
func (o *object) decodeRelocs(m *machine.Machine) {
	total := 0
	for _, i := range o.rels {
		s := o.Sections[o.heads[i].Info]
		if !s.Live {
			continue
		}
		n := o.relocCount(int(i))
		if n == 0 {
			continue
		}
		if s.Relocs = o.relocWindow(int(i), n); s.Relocs == nil {
			total += n
		}
	}
	slab := make([]model.Reloc, total)
	for _, i := range o.rels {
		s := o.Sections[o.heads[i].Info]
		if !s.Live {
			continue
		}
		if s.Relocs == nil {
			n := min(o.relocCount(int(i)), len(slab))
			s.Relocs, slab = slab[:n:n], slab[n:]
			o.decodeRelocsOf(s.Relocs, int(i), o.bytes(int(i)))
		}
		if o.heads[i].Type == elf.SHT_REL {
			o.readAddends(m, s)
		}
		o.checkRelocs(int(i), s)
	}
}

// relocWindow is a relocation section as it lies in the file, nil if it has to be
// decoded: of another format, or not aligned, as members of archives mostly are. A
// pass that changes a relocation changes the private copy of its page.
func (o *object) relocWindow(i, n int) []model.Reloc {
	if o.heads[i].Type != elf.SHT_RELA || o.Class != elf.ELFCLASS64 || o.elf.Big() || !hostLittle {
		return nil
	}
	p := unsafe.Pointer(unsafe.SliceData(o.bytes(i)))
	if uintptr(p)%unsafe.Alignof(model.Reloc{}) != 0 {
		return nil
	}
	return unsafe.Slice((*model.Reloc)(p), n)
}

// hostLittle says whether this process is little-endian.
var hostLittle = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// relocSize is the size of an entry.
func (o *object) relocSize(i int) int {
	if o.heads[i].Type == elf.SHT_RELA {
		return o.elf.RelaSize()
	}
	return o.elf.RelSize()
}

// relocCount is how many relocations section i has; 0, with a fault, if that
// cannot be told.
func (o *object) relocCount(i int) int {
	h, size := &o.heads[i], o.relocSize(i)
	if h.Entsize != 0 && h.Entsize != uint64(size) {
		o.fault(i, "sh_entsize", "%d is not the size of an entry (%d)", h.Entsize, size)
		return 0
	}
	if h.Size%uint64(size) != 0 {
		o.fault(i, "sh_size", "0x%x is not a multiple of the size of an entry (%d)", h.Size, size)
		return 0
	}
	return len(o.bytes(i)) / size
}

// decodeRelocsOf decodes section at, of any format.
func (o *object) decodeRelocsOf(to []model.Reloc, at int, b []byte) {
	f, size := o.elf.Format, o.relocSize(at)
	rela := o.heads[at].Type == elf.SHT_RELA
	for i := range to {
		e := b[size*i : size*i+size]
		r := &to[i]
		if f.Is64() { // r_info: symbol << 32 | type
			info := f.U64(e[8:])
			r.Off, r.Type, r.Sym = f.U64(e), uint32(info), uint32(info>>32)
			if rela {
				r.Addend = int64(f.U64(e[16:]))
			}
			continue
		}
		info := f.U32(e[4:]) // symbol << 8 | type
		r.Off, r.Type, r.Sym = uint64(f.U32(e)), info&0xff, info>>8
		if rela {
			r.Addend = int64(int32(f.U32(e[8:])))
		}
	}
}

// readAddends reads the addends that REL relocations keep in their places.
func (o *object) readAddends(m *machine.Machine, s *model.Section) {
	order := m.CodeOrder(o.Order)
	for i := range s.Relocs {
		r := &s.Relocs[i]
		row := m.Relocs.Lookup(r.Type)
		if row == nil || r.Off > uint64(len(s.Data)) {
			continue // checkRelocs, or Scan, tells
		}
		a, err := row.Addend(s.Data[r.Off:], order)
		if err != nil {
			o.failed(fmt.Errorf("%s(%s+%#x): %w", o.File, s.Name, r.Off, err))
			return
		}
		r.Addend = a
	}
}

// checkRelocs checks what all later passes rely on: that places and symbols
// exist.
func (o *object) checkRelocs(at int, s *model.Section) {
	size, syms := uint64(len(s.Data)), uint32(len(o.Symbols))
	for i := range s.Relocs {
		r := &s.Relocs[i]
		if r.Off <= size && r.Sym < syms {
			continue
		}
		if r.Sym >= syms {
			o.fault(at, "", "relocation %d: symbol %d does not exist; the table has %d", i, r.Sym, syms)
		} else {
			o.fault(at, "", "relocation %d: offset 0x%x is past the end of %s, which has 0x%x bytes", i, r.Off, s.Name, size)
		}
		s.Relocs = nil
		return
	}
}

// lookup finds the machine of what is linked; nil if it is none that we link for.
func lookup(f *format) *machine.Machine {
	for _, m := range []*machine.Machine{amd64.Machine, i386.Machine, aarch64.Machine, arm.Machine, riscv64.Machine, riscv64.RV32} {
		if m.ELF == f.machine && m.Class == f.class && m.Allows(f.order) {
			return m
		}
	}
	return nil
}
