package freeze

import (
	"encoding/binary"

	"elfwright/freeze/capture"
	"elfwright/freeze/note"
	"elfwright/freeze/script"
	machine "elfwright/machine/amd64"
)

var amd64 = &arch{
	Machine: machine.Machine,
	// With four levels of page tables; with five a program gets no more unless it asks.
	taskSizes: []uint64{0x7ffffffff000}, highest: 0x7e0000000000,
	stat:  statLayout{size: 144, mode: 24, mtime: 88},
	check: (*compiler).checkX86, thread: (*compiler).threadX86, frame: (*compiler).frameX86,
	begin: func(*compiler) {}, mapVDSO: (*compiler).mapVDSOX86,
	vdso: vdsoCode{
		prefix: "__vdso_",
		// arch/x86/entry/vdso
		calls: map[string]uint32{"clock_gettime": 228, "gettimeofday": 96, "time": 201, "clock_getres": 229, "getcpu": 309, "getrandom": 318},
		call: func(nr uint32) []byte {
			code := binary.LittleEndian.AppendUint32([]byte{0xb8}, nr) // mov $nr,%eax
			return append(code, 0x0f, 0x05, 0xc3)                      // syscall; ret
		},
		none: []byte{0x48, 0xc7, 0xc0, 0xda, 0xff, 0xff, 0xff, 0xc3}, // mov $-ENOSYS,%rax; ret
	},
}

// threadX86 sets the bases of FS and GS.
func (c *compiler) threadX86(t *capture.Thread, says func(what string) string) {
	const setGS, setFS = 0x1001, 0x1002 // ARCH_SET_GS, ARCH_SET_FS
	c.Call("arch_prctl", script.Int(setFS), script.Int(t.Regs.Get("fs_base"))).Says("%s", says("fs base"))
	if gs := t.Regs.Get("gs_base"); gs != 0 {
		c.Call("arch_prctl", script.Int(setGS), script.Int(gs)).Says("%s", says("gs base"))
	}
}

// Linux, arch/x86/include/uapi/asm/sigcontext.h: what the kernel leaves and looks
// for in the extended state of a signal frame.
const (
	xstateSoft   = 464 // struct _fpx_sw_bytes
	fpMagic1     = 0x46505853
	fpMagic2     = 0x46505845
	frameFlags   = 7 // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
	frameMaskEnd = 128
)

// The registers of struct sigcontext, in its order.
var frameRegs = []string{
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip", "eflags",
}

// frameX86 writes a struct rt_sigframe (arch/x86/include/asm/sigframe.h).
func (c *compiler) frameX86(t *capture.Thread) uint64 {
	o := binary.LittleEndian
	regs := leaveRseq(t)
	fp := c.Data(extendedState(t.Xstate), 64)
	b := make([]byte, 8, 512) // pretcode: where the handler would return to
	b = o.AppendUint64(b, frameFlags)
	b = o.AppendUint64(b, 0) // uc_link
	b = append(b, t.AltStack...)
	for _, name := range frameRegs {
		b = o.AppendUint64(b, regs.Get(name))
	}
	for _, v := range []uint64{regs.Get("cs"), 0, 0, regs.Get("ss")} { // cs, gs, fs, ss
		b = o.AppendUint16(b, uint16(v))
	}
	b = append(b, make([]byte, 4*8)...) // err, trapno, oldmask, cr2
	b = o.AppendUint64(b, fp)
	b = append(b, make([]byte, 8*8)...)
	b = o.AppendUint64(b, t.Mask)
	b = append(b, make([]byte, frameMaskEnd)...) // siginfo
	at := c.Data(b, 16)
	c.frames[t.TID] = frame{at, note.Range{Start: fp, Size: uint64(len(t.Xstate))}}
	return at + 8
}

// extendedState makes of what ptrace gives what a signal frame has.
func extendedState(x []byte) []byte {
	o := binary.LittleEndian
	out := append([]byte(nil), x...)
	o.PutUint32(out[xstateSoft:], fpMagic1)
	o.PutUint32(out[xstateSoft+4:], uint32(len(x)+4))
	o.PutUint64(out[xstateSoft+8:], o.Uint64(x[xstateSoft:])) // the features that there are
	o.PutUint32(out[xstateSoft+16:], uint32(len(x)))
	for i := xstateSoft + 20; i < 512; i++ {
		out[i] = 0
	}
	return o.AppendUint32(out, fpMagic2)
}

const archMapVDSO64 = 0x2003

// mapVDSOX86 has the kernel put the vDSO where it was.
func (c *compiler) mapVDSOX86() {
	if len(c.s.VDSO) == 0 {
		return
	}
	vdso, vvar := kernelMaps(c.s, c.arch.taskSizes[0])
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
