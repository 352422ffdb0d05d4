package capture

import (
	"debug/buildinfo"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// CPU is what the process may know of its processor.
type CPU struct {
	Leaves []Leaf
	XCR0   uint64
}

// Leaf is what CPUID answers: eax, ebx, ecx, edx.
type Leaf struct {
	Leaf, Sub uint32
	Words     [4]uint32
}

// Find returns the answer for a leaf, zeros if there is none.
func (c *CPU) Find(leaf, sub uint32) [4]uint32 {
	for _, l := range c.Leaves {
		if l.Leaf == leaf && l.Sub == sub {
			return l.Words
		}
	}
	return [4]uint32{}
}

// probes are short pieces of code that end in a system call, at which they stop;
// the call is never made.
var probes = []byte{
	0x0f, 0xa2, // cpuid
	0x89, 0xce, // mov %ecx,%esi: syscall overwrites it
	0x0f, 0x05, // syscall
	0x90, 0x90,
	0x0f, 0x01, 0xd0, // xgetbv
	0x0f, 0x05, // syscall
	0x90, 0x90, 0x90,
}

const xgetbvProbe = 8

// processor asks the processor as the process would.
func (t *Target) processor(s *Snapshot) error {
	info, err := buildinfo.ReadFile(t.path("exe"))
	s.Go = err == nil && info.GoVersion != ""
	main := t.threads[0]
	page, err := t.call(main, "mmap", 0, pageSize, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uint64(0), 0)
	if err != nil {
		return t.fault("a page for code: mmap: %w", err)
	}
	for i := 0; i < len(probes); i += 8 {
		if _, err := ptrace(unix.PTRACE_POKEDATA, t.PID, uintptr(page)+uintptr(i), uintptr(binary.LittleEndian.Uint64(probes[i:]))); err != nil {
			return t.fault("a page for code: %w", err)
		}
	}
	err = t.leaves(&s.CPU, page)
	if _, e := t.call(main, "munmap", page, pageSize); err == nil && e != nil {
		err = t.fault("munmap: %w", e)
	}
	return err
}

func (t *Target) leaves(c *CPU, page uint64) error {
	xsave := false
	for _, l := range [][2]uint32{{0, 0}, {1, 0}, {7, 0}, {7, 1}, {0x80000000, 0}, {0x80000001, 0}, {0x80000008, 0}, {0xd, 0}, {0xd, 1}} {
		if l[0] == 0xd && !xsave {
			continue
		}
		w, err := t.probe(page, l[0], l[1])
		if err != nil {
			return err
		}
		c.Leaves = append(c.Leaves, Leaf{l[0], l[1], w})
		xsave = xsave || l[0] == 1 && w[2]>>27&1 != 0
	}
	if !xsave {
		return nil
	}
	w, err := t.probe(page+xgetbvProbe, 0, 0)
	if err != nil {
		return err
	}
	c.XCR0 = uint64(w[0]) | uint64(w[3])<<32
	for i := uint32(2); i < 63; i++ {
		if c.XCR0>>i&1 == 0 {
			continue
		}
		w, err := t.probe(page, 0xd, i)
		if err != nil {
			return err
		}
		c.Leaves = append(c.Leaves, Leaf{0xd, i, w})
	}
	return nil
}

// probe runs a piece of code up to its system call and returns what it left in
// eax, ebx, ecx and edx. The call changes rax before we see it, but its number
// is what rax was.
func (t *Target) probe(at uint64, eax, ecx uint32) (w [4]uint32, err error) {
	th := t.threads[0]
	r := th.regs.callWith(at, uint64(eax), nil)
	r.Set("rcx", uint64(ecx))
	if err := setRegisters(th.tid, r); err != nil {
		return w, t.fault("registers: %w", err)
	}
	if err := t.toSyscallStop(th); err != nil {
		return w, err
	}
	if r, err = getRegisters(th.tid); err != nil {
		return w, t.fault("registers: %w", err)
	}
	w = [4]uint32{uint32(r.Get("orig_rax")), uint32(r.Get("rbx")), uint32(r.Get("rsi")), uint32(r.Get("rdx"))}
	r.Set("orig_rax", ^uint64(0))
	if err := setRegisters(th.tid, r); err != nil {
		return w, t.fault("registers: %w", err)
	}
	return w, t.toSyscallStop(th)
}
