// Package unwind finds who called: from the registers of a stopped thread it goes
// to those of the caller, by the unwind tables that compilers write for exceptions
// (.eh_frame and its index .eh_frame_hdr), or by frame pointers where there are no
// tables.
//
// Sources: Linux Standard Base, chapter "Exception Frames"; DWARF 5, section 6.4;
// System V psABI of x86-64, section 3.7, and "DWARF for the Arm 64-bit
// Architecture" for the numbers of registers.
package unwind

import (
	"encoding/binary"
	"fmt"
)

// Memory is read by address.
type Memory interface {
	ReadAt(b []byte, addr int64) (int, error)
}

// Arch says which numbers the registers have that count.
type Arch struct {
	Names []string // of registers, by DWARF number; PC is the last
	SP    int
	FP    int
	PC    int // the column of the return address, or one that we add
	Link  int // the register that has the return address at a function's start; -1: it is on the stack
}

// The machines whose registers are known.
var (
	X86 = &Arch{
		Names: []string{"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip"},
		SP:    7, FP: 6, PC: 16, Link: -1,
	}
	AArch64 = &Arch{
		Names: []string{
			"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
			"x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp", "pc",
		},
		SP: 31, FP: 29, PC: 32, Link: 30,
	}
)

const maxRegs = 33

// Regs are the registers of a frame, as far as they are known.
type Regs struct {
	value [maxRegs]uint64
	known uint64 // bit i: register i is
}

// Set sets a register.
func (r *Regs) Set(i int, v uint64) {
	r.value[i] = v
	r.known |= 1 << i
}

// Get returns a register, if it is known.
func (r *Regs) Get(i int) (uint64, bool) { return r.value[i], r.known>>i&1 != 0 }

// Tables finds the unwind tables of the code at an address.
type Tables func(pc uint64) (t Table, ok bool)

// Unwinder walks stacks.
type Unwinder struct {
	Arch   *Arch
	Mem    Memory
	Tables Tables

	read map[uint64][]place // tables without an index, by address
}

// How says by what a frame was found.
type How string

// The ways to find a frame.
const (
	AtRegisters How = "registers"     // it is that of the thread
	ByTable     How = "table"         // by an unwind table
	ByPointer   How = "frame pointer" //
	BySignal    How = "signal frame"  // the handler of a signal was called by the kernel here
)

// Frame is a call that has not returned yet.
type Frame struct {
	PC, SP uint64
	How    How
}

// Most is how many frames of a stack are found at most.
const Most = 256

// Walk calls yield with each frame, innermost first. It ends where a table says
// that nobody called, or where nothing can be known.
func (u *Unwinder) Walk(regs Regs, yield func(Frame) bool) {
	how := AtRegisters
	for range Most {
		pc, sp := regs.value[u.Arch.PC], regs.value[u.Arch.SP]
		if !yield(Frame{pc, sp, how}) {
			return
		}
		next, by, ok := u.caller(&regs, how)
		if !ok || next.value[u.Arch.PC] == 0 {
			return
		}
		// A stack grows downwards: callers are above. Only a signal's handler may
		// have had a stack of its own.
		up := next.value[u.Arch.SP] > sp || next.value[u.Arch.SP] == sp && next.value[u.Arch.PC] != pc && how == AtRegisters
		if !up && by != BySignal {
			return
		}
		regs, how = next, by
	}
}

// caller finds the registers of the caller of a frame.
func (u *Unwinder) caller(r *Regs, how How) (Regs, How, bool) {
	pc := r.value[u.Arch.PC]
	at := pc
	if how == ByTable || how == ByPointer {
		at-- // the address behind a call may be another function's
	}
	if t, ok := u.Tables(at); ok {
		find := u.findLinear
		if t.Index {
			find = u.find
		}
		if f, err := find(t, at); err == nil {
			next, err := u.step(f, r, at)
			if f.signal {
				return next, BySignal, err == nil
			}
			return next, ByTable, err == nil
		}
	}
	next, ok := u.byPointer(r)
	return next, ByPointer, ok
}

// byPointer takes the caller's frame pointer and the return address from where the
// frame pointer points to: both machines keep them side by side.
func (u *Unwinder) byPointer(r *Regs) (next Regs, ok bool) {
	fp, sp := r.value[u.Arch.FP], r.value[u.Arch.SP]
	if r.known>>u.Arch.FP&1 == 0 || fp < sp || fp%8 != 0 || fp > 1<<47 {
		return next, false
	}
	var b [16]byte
	if n, _ := u.Mem.ReadAt(b[:], int64(fp)); n < len(b) {
		return next, false
	}
	next.Set(u.Arch.FP, binary.LittleEndian.Uint64(b[:]))
	next.Set(u.Arch.PC, u.code(binary.LittleEndian.Uint64(b[8:])))
	next.Set(u.Arch.SP, fp+16)
	return next, true
}

// code is an address of code without a signature in its upper bits (AArch64,
// pointer authentication).
func (u *Unwinder) code(v uint64) uint64 {
	if u.Arch.Link >= 0 {
		return v & (1<<48 - 1)
	}
	return v
}

func (u *Unwinder) word(addr uint64) (uint64, error) {
	var b [8]byte
	if n, err := u.Mem.ReadAt(b[:], int64(addr)); n < len(b) {
		return 0, fmt.Errorf("memory at 0x%x: %w", addr, err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}
