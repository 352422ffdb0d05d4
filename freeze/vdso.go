package freeze

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
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

const archMapVDSO64 = 0x2003

// mapVDSO puts the vDSO where it was.
func (c *compiler) mapVDSO() {
	if len(c.s.VDSO) == 0 {
		return
	}
	vdso, vvar := kernelMaps(c.s)
	if vdso == nil {
		return
	}
	emulate, done := c.Label(), c.Label()
	c.Do(script.Equal, c.sameVDSO.Get(), zero).Or(emulate)
	c.Call("arch_prctl", script.Int(archMapVDSO64), script.Int(vvar)).Or(emulate)
	// Where the place is not free the kernel takes another, and says nothing.
	c.Call("mincore", script.Int(uint64(vdso.Start)), script.Int(vdso.Size), script.Int(c.Data(make([]byte, vdso.Size/page), 1))).Or(emulate)
	c.Jump(done)
	c.Place(emulate)
	c.oldVDSO(vdso)
	c.Place(done)
}

// kernelMaps finds the vDSO, and where the kernel's data before it begins.
func kernelMaps(s *capture.Snapshot) (vdso *capture.Map, start uint64) {
	for i := range s.Maps {
		m := &s.Maps[i]
		if !m.Kernel() || uint64(m.Start) >= taskSize {
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
	code, err := withoutData(c.s.VDSO)
	if err != nil {
		c.refuse("the vDSO", err.Error(), "")
		return
	}
	at, size := script.Int(uint64(m.Start)), script.Int(m.Size)
	c.Call("mmap", at, size, script.Int(unix.PROT_READ|unix.PROT_WRITE), script.Int(unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED), anyFile, zero).Says("map the vDSO at %v", m.Start)
	c.Do(script.Copy, at, script.Int(c.Data(code, 16)), script.Int(len(code)))
	c.Call("mprotect", at, size, script.Int(unix.PROT_READ|unix.PROT_EXEC)).Says("protect the vDSO")
}

// The functions of the vDSO, and the calls that they make when they cannot answer
// by themselves (arch/x86/entry/vdso).
var vdsoCalls = map[string]uint32{
	"clock_gettime": 228, "gettimeofday": 96, "time": 201, "clock_getres": 229, "getcpu": 309, "getrandom": 318,
}

// withoutData returns a vDSO whose functions make system calls. It knows of each
// function only where it is: none is smaller than what replaces it.
func withoutData(vdso []byte) ([]byte, error) {
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
		name := strings.TrimPrefix(string(table.Name(s)), "__vdso_")
		code := []byte{0x48, 0xc7, 0xc0, 0xda, 0xff, 0xff, 0xff, 0xc3} // mov $-ENOSYS,%rax; ret
		if nr, ok := vdsoCalls[name]; ok {
			code = binary.LittleEndian.AppendUint32([]byte{0xb8}, nr) // mov $nr,%eax
			code = append(code, 0x0f, 0x05, 0xc3)                     // syscall; ret
		}
		off, n, ok := f.OffsetOf(s.Value)
		if !ok || n < uint64(len(code)) {
			return nil, fmt.Errorf("%s at 0x%x is not in the file", name, s.Value)
		}
		copy(out[off:], code)
	}
	return out, nil
}
