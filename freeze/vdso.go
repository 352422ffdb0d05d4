package freeze

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"elfwright/elffile"
	"elfwright/freeze/capture"
	"elfwright/freeze/note"
	"elfwright/freeze/script"
)

// The kernel's own code in every process, the vDSO, differs from kernel to
// kernel, while the process has addresses in it. Where it is the same it is mapped
// at the old place; else the old code is put there, with each function replaced
// by the system call that it stands for.

// compareVDSO sets c.sameVDSO to 1 where the kernel's code is the recorded one.
func (c *compiler) compareVDSO() {
	if len(c.s.VDSO) == 0 {
		return
	}
	c.sameVDSO = c.Slot()
	want := c.s.VDSO
	if c.opt.OtherVDSO {
		want = bytes.Clone(want)
		want[len(want)-1] ^= 1
	}
	other, same, done := c.Label(), c.Label(), c.Label()
	const atSysinfoEhdr = 33
	at := c.Slot()
	c.Do(script.Aux, script.Int(atSysinfoEhdr)).To(at).Or(other)
	c.vdsoData = note.Range{Start: c.Data(want, 16), Size: uint64(len(want))}
	c.Do(script.Same, at.Get(), script.Int(c.vdsoData.Start), script.Int(len(want))).Or(same)
	c.Jump(other)
	c.Place(same)
	c.Do(script.Store, c.sameVDSO.Addr(), script.Int(1))
	c.Place(other)
	c.Place(done)
}

// kernelMaps finds the vDSO, and where the kernel's data before it begins, both
// before the end of user memory.
func kernelMaps(s *capture.Snapshot, end uint64) (vdso *capture.Map, start uint64) {
	for i := range s.Maps {
		m := &s.Maps[i]
		if !m.Kernel() || uint64(m.Start) >= end {
			continue
		}
		if start == 0 {
			start = uint64(m.Start)
		}
		if m.Name == "[vdso]" {
			return m, start
		}
	}
	return nil, 0
}

// oldVDSO maps the recorded code, without its data.
func (c *compiler) oldVDSO(m *capture.Map) {
	code, err := withoutData(c.s.VDSO, &c.arch.vdso)
	if err != nil {
		c.refuse("the vDSO", err.Error(), "")
		return
	}
	at, size := script.Int(uint64(m.Start)), script.Int(m.Size)
	c.Call("mmap", at, size, script.Int(unix.PROT_READ|unix.PROT_WRITE), script.Int(unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED), anyFile, zero).Says("map the vDSO at %v", m.Start)
	c.Do(script.Copy, at, script.Int(c.Data(code, 16)), script.Int(len(code)))
	c.Call("mprotect", at, size, script.Int(unix.PROT_READ|unix.PROT_EXEC)).Says("protect the vDSO")
}

// withoutData returns a vDSO whose functions make system calls. It knows of each
// function only where it is: none is smaller than what replaces it.
func withoutData(vdso []byte, how *vdsoCode) ([]byte, error) {
	f, err := elffile.Parse("vDSO", vdso)
	if err != nil {
		return nil, err
	}
	table, err := f.DynamicSymbolTable()
	if err != nil {
		return nil, err
	}
	out := bytes.Clone(vdso)
	for i := range table.Len() {
		s := table.At(i)
		if s.Type() != elf.STT_FUNC || s.Shndx == uint16(elf.SHN_UNDEF) {
			continue
		}
		name := strings.TrimPrefix(string(table.Name(s)), how.prefix)
		if name == how.keep {
			continue
		}
		code := how.none
		if nr, ok := how.calls[name]; ok {
			code = how.call(nr)
		}
		off, n, ok := f.OffsetOf(s.Value)
		if !ok || n < uint64(len(code)) {
			return nil, fmt.Errorf("%s at 0x%x is not in the file", name, s.Value)
		}
		copy(out[off:], code)
	}
	return out, nil
}
