package capture

import (
	"encoding/binary"
	"unsafe"

	"elfwright/machine/amd64"
)

// x86-64 psABI, appendix A.2, and Linux, arch/x86/include/asm/syscall.h.
var x86 = &ABI{
	Machine: amd64.Machine, goarch: "amd64", number: "rax", made: "orig_rax", result: "rax", args: [6]string{"rdi", "rsi", "rdx", "r10", "r8", "r9"},
	insn: []byte{0x0f, 0x05}, restart: 219, Extended: 0x202, // NT_X86_XSTATE
	blocks: []uint64{7, 35, 202, 230}, loads: loadsX86, // poll, nanosleep, futex, clock_nanosleep
}

var x86Steps = steps{probes: x86Probes, processor: x86Processor, extra: x86Thread}

// x86Probes end in a system call, at which they stop; the call is never made.
var x86Probes = []byte{
	0x0f, 0xa2, // cpuid
	0x89, 0xce, // mov %ecx,%esi: syscall overwrites it
	0x0f, 0x05, // syscall
	0x90, 0x90,
	0x0f, 0x01, 0xd0, // xgetbv
	0x0f, 0x05, // syscall
	0x90, 0x90, 0x90,
}

const xgetbvProbe = 8

// x86Processor asks what CPUID and XGETBV answer.
func x86Processor(t *Target, c *CPU, page uint64) error {
	xsave := false
	for _, l := range [][2]uint32{{0, 0}, {1, 0}, {7, 0}, {7, 1}, {0x80000000, 0}, {0x80000001, 0}, {0x80000008, 0}, {0xd, 0}, {0xd, 1}} {
		if l[0] == 0xd && !xsave {
			continue
		}
		w, err := x86Probe(t, page, l[0], l[1])
		if err != nil {
			return err
		}
		c.Leaves = append(c.Leaves, Leaf{l[0], l[1], w})
		xsave = xsave || l[0] == 1 && w[2]>>27&1 != 0
	}
	if !xsave {
		return nil
	}
	w, err := x86Probe(t, page+xgetbvProbe, 0, 0)
	if err != nil {
		return err
	}
	c.XCR0 = uint64(w[0]) | uint64(w[3])<<32
	for i := uint32(2); i < 63; i++ {
		if c.XCR0>>i&1 == 0 {
			continue
		}
		w, err := x86Probe(t, page, 0xd, i)
		if err != nil {
			return err
		}
		c.Leaves = append(c.Leaves, Leaf{0xd, i, w})
	}
	return nil
}

// x86Probe returns what a piece of code leaves in eax, ebx, ecx and edx. The call
// changes rax before we see it, but its number is what rax was.
func x86Probe(t *Target, at uint64, eax, ecx uint32) (w [4]uint32, err error) {
	r, err := t.probe(at, map[string]uint64{"rax": uint64(eax), "rcx": uint64(ecx)})
	if err != nil {
		return w, err
	}
	return [4]uint32{uint32(r.Get("orig_rax")), uint32(r.Get("rbx")), uint32(r.Get("rsi")), uint32(r.Get("rdx"))}, nil
}

// Options of arch_prctl(2).
const (
	archGetCPUID   = 0x1011
	archGetPermits = 0x1022 // ARCH_GET_XCOMP_PERM, Linux 5.16
	archGetUntag   = 0x4001 // ARCH_GET_UNTAG_MASK, Linux 6.4
)

// x86Thread asks a thread for what few have. What the kernel does not know, it
// cannot have.
func x86Thread(t *Target, th *thread, out *Thread) error {
	if t.once.faults {
		if on, err := t.call(th, "arch_prctl", archGetCPUID, 0); err == nil {
			out.NoCPUID = on == 0
		}
	}
	const ioPorts = 0x201 // NT_386_IOPERM
	if b, err := getRegset(th.tid, ioPorts, make([]byte, 8192)); err == nil && len(b) > 0 {
		out.Lost = append(out.Lost, "may use ports of devices (ioperm)")
	}
	// Three entries of the GDT are the thread's (set_thread_area(2)).
	const getArea, firstArea, areas = 25, 12, 3
	for i := firstArea; i < firstArea+areas; i++ {
		var d struct{ entry, base, limit, flags uint32 }
		const empty = 1<<3 | 1<<5 // read_exec_only, seg_not_present
		if _, err := ptrace(getArea, th.tid, uintptr(i), uintptr(unsafe.Pointer(&d))); err == nil && (d.base != 0 || d.limit != 0 || d.flags != empty) {
			out.Lost = append(out.Lost, "has segments of its own (set_thread_area)")
			break
		}
	}
	if th != t.threads[0] {
		return nil
	}
	return x86Process(t, th, out)
}

// x86Process asks the first thread for what belongs to all.
func x86Process(t *Target, th *thread, out *Thread) error {
	if n, err := t.call(th, "modify_ldt", 0, t.scratch, pageSize); err == nil && int32(n) > 0 {
		out.Lost = append(out.Lost, "has a table of segments (modify_ldt)")
	}
	const size = 8
	if b, err := t.answer(th, size, 1, "arch_prctl", archGetUntag, 0); err == nil && binary.LittleEndian.Uint64(b) != ^uint64(0) {
		out.Lost = append(out.Lost, "has tagged addresses (ARCH_ENABLE_TAGGED_ADDR)")
	}
	if b, err := t.answer(th, size, 1, "arch_prctl", archGetPermits, 0); err == nil {
		const tiles = 18 // XFEATURE_XTILE_DATA
		out.AMX = binary.LittleEndian.Uint64(b)>>tiles&1 != 0
	}
	return nil
}
