package capture

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	"elfwright/image"
	"elfwright/machine/aarch64"
)

// Linux, arch/arm64/kernel/syscall.c. A thread that was interrupted in a call is
// shown as if it were before the instruction (do_signal goes back before it asks
// the tracer), so that what the registers say is what they have to be.
var arm = &ABI{
	Machine: aarch64.Machine, goarch: "arm64", number: "x8", result: "x0", args: [6]string{"x0", "x1", "x2", "x3", "x4", "x5"},
	insn: []byte{0x01, 0x00, 0x00, 0xd4}, restart: 128, Extended: 2, // NT_PRFPREG
	blocks: []uint64{98, 101, 115}, loads: loadsArm, // futex, nanosleep, clock_nanosleep
}

var armSteps = steps{probes: armProbes, processor: armProcessor, extra: armSets, enter: armEnter}

// Notes of AArch64 (include/uapi/linux/elf.h).
const (
	NoteTLS         = 0x401
	noteSystemCall  = 0x404
	NoteSVE         = 0x405
	NotePACKeys     = 0x407 // NT_ARM_PACA_KEYS
	NotePACGeneric  = 0x408 // NT_ARM_PACG_KEYS
	NoteTagged      = 0x409 // NT_ARM_TAGGED_ADDR_CTRL
	NotePACEnabled  = 0x40a // NT_ARM_PAC_ENABLED_KEYS
	NoteStreaming   = 0x40b // NT_ARM_SSVE
	NoteZA          = 0x40c
	NoteFPMR        = 0x40e
	NotePOE         = 0x40f
	NoteShadowStack = 0x410 // NT_ARM_GCS
)

const sveFlags = 12 // in struct user_sve_header; bit 0: what follows are SVE's registers

var armNotes = []uint32{
	NoteTLS, NoteSVE, NotePACKeys, NotePACGeneric, NoteTagged, NotePACEnabled, NoteStreaming, NoteZA, NoteFPMR, NotePOE, NoteShadowStack,
}

// armSets reads the register sets that the processor and the kernel have.
func armSets(t *Target, th *thread, out *Thread) error {
	for _, note := range armNotes {
		if note == NoteSVE && th.vectors != nil {
			out.Sets = append(out.Sets, Set{note, th.vectors})
			continue
		}
		b, err := wholeRegset(th.tid, uintptr(note))
		switch err {
		case nil:
			out.Sets = append(out.Sets, Set{note, b})
		case unix.EINVAL, unix.ENODEV, unix.EOPNOTSUPP:
		default:
			return t.fault("thread %d: register set 0x%x: %w", th.tid, note, err)
		}
	}
	return nil
}

func skipByNote(tid int) error {
	return setRegset(tid, noteSystemCall, []byte{0xff, 0xff, 0xff, 0xff})
}

// armEnter finds out how a thread goes on that is before the instruction of a call
// which may go on by restart_syscall. The registers do not tell; but the kernel changes the number in
// x8 on the way back, and at once the thread comes to the instruction, where it can
// be seen.
func armEnter(t *Target, th *thread) error {
	// A call makes of SVE's registers those of SIMD, as long as nobody gives them back.
	if b, err := wholeRegset(th.tid, NoteSVE); err == nil && len(b) > sveFlags && b[sveFlags]&1 != 0 {
		th.vectors = b
	}
	nr := th.regs.Get("x8")
	if nr == abi.restart {
		th.block = true
		return nil
	}
	if !slices.Contains(abi.blocks, nr) {
		return nil
	}
	insn, err := t.Memory(image.Range{Start: image.Addr(th.regs.PC()), Size: uint64(len(abi.insn))})
	if err != nil || !slices.Equal(insn, abi.insn) {
		return nil // it is elsewhere, and x8 is what it is
	}
	if err := t.toSyscallStop(th); err != nil {
		return err
	}
	r, err := getRegisters(th.tid)
	if err != nil {
		return t.fault("thread %d: registers: %w", th.tid, err)
	}
	th.block = r.Get("x8") == abi.restart
	if err := abi.skip(th.tid, r); err != nil {
		return t.fault("thread %d: system call: %w", th.tid, err)
	}
	return t.toSyscallStop(th)
}

// ArmCPU is what a process on AArch64 may know of its processor besides AT_HWCAP.
type ArmCPU struct {
	CTR    uint64 // CTR_EL0: sizes of cache lines, which code that writes code looks at
	DCZID  uint64 // DCZID_EL0: the size of what DC ZVA clears, which memset looks at
	Signed uint64 // what PACIA makes of SignPointer with the modifier SignModifier
}

// What is signed to compare how processors do it.
const (
	SignPointer  = 0x123456789abc
	SignModifier = 0xfedcba987654321
)

// armProbes end in a call that has no number, for which the kernel changes x0.
// Without pointer authentication pacia1716 does nothing.
var armProbes = words(
	0xd53b0021, // mrs x1, ctr_el0
	0xd53b00e2, // mrs x2, dczid_el0
	0xd503211f, // pacia1716
	0xd4000001, // svc #0
)

func words(insns ...uint32) []byte {
	var b []byte
	for _, v := range insns {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func armProcessor(t *Target, c *CPU, at uint64) error {
	r, err := t.probe(at, map[string]uint64{"x17": SignPointer, "x16": SignModifier})
	if err != nil {
		return err
	}
	c.Arm = &ArmCPU{CTR: r.Get("x1"), DCZID: r.Get("x2"), Signed: r.Get("x17")}
	return nil
}
