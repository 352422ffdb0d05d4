package serve

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"elfwright/elffile"
)

// amd64 is x86-64: the syscall instruction has two bytes and a jump five, so that
// instructions before it give way. The way executes them, leaves in rcx, which a
// system call destroys, where to go on, and jumps to the gate. There is no call:
// leaf functions keep data below the stack pointer.
type amd64 struct{}

const amd64Jump = 5

func (amd64) last() uint64 { return 2 }

func (amd64) size(s *Site) uint64 { return uint64(len(s.Moved)) + 7 + amd64Jump }

func (amd64) way(s *Site, at, back, gate uint64) ([]byte, error) {
	code := append(slices.Clone(s.Moved), 0x48, 0x8d, 0x0d) // lea back(%rip),%rcx
	code, err := rel32(code, at+4, back)
	if err != nil {
		return nil, err
	}
	return rel32(append(code, 0xe9), at+4, gate) // jmp gate
}

func (amd64) jump(s *Site, at, way uint64) ([]byte, error) {
	code, err := rel32([]byte{0xe9}, at+4, way) // jmp way
	for uint64(len(code)) < s.Next-s.Vaddr {
		code = append(code, 0x90) // nop
	}
	return code, err
}

// rel32 adds a distance; end is the address of the code's first byte and 4.
func rel32(code []byte, end, to uint64) ([]byte, error) {
	d := int64(to - (end + uint64(len(code))))
	if d != int64(int32(d)) {
		return nil, fmt.Errorf("0x%x is too far from 0x%x for a jump", to, end)
	}
	return binary.LittleEndian.AppendUint32(code, uint32(d)), nil
}

// instr is a decoded instruction.
type instr struct {
	x86asm.Inst
	at uint64
}

func (i *instr) end() uint64 { return i.at + uint64(i.Len) }

func (amd64) calls(code []byte, numbers []uint32) bool {
	if !bytes.Contains(code, []byte{0x0f, 0x05}) {
		return false
	}
	return numbers == nil || slices.ContainsFunc(numbers, func(n uint32) bool {
		return bytes.Contains(code, binary.LittleEndian.AppendUint32(nil, n))
	})
}

// restorer is what signal handlers return to: mov $15,%rax; syscall. Its entry in
// the table of functions begins a byte before it, because unwinders look there
// (glibc, libc_sigaction.c, do_restore_rt).
var restorer = []byte{0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}

// find finds the sites in a function.
func (m amd64) find(ld *elffile.File, fn function, w *wanted) ([]Site, error) {
	if bytes.HasPrefix(fn.code[1:], restorer) {
		fn = function{fn.at + 1, fn.code[1:]}
	}
	code, rest := decodeAMD64(fn, w.scratch[:0])
	w.scratch = code
	if x := bytes.Index(rest, []byte{0x0f, 0x05}); x >= 0 && w.all {
		return nil, fault(ld, fn.at+uint64(len(fn.code)-len(rest)+x), "bytes that could be a syscall are behind an instruction that is not understood")
	}
	nearAMD64(code, &w.targets)
	var sites []Site
	var known constants
	for i := range code {
		if code[i].Op != x86asm.SYSCALL {
			continue
		}
		number := m.number(code, i, &w.targets, &known)
		if !w.wants(number) {
			continue
		}
		s, err := m.site(ld, code[:i+1], &w.targets)
		if err != nil {
			if err = w.refuse(number, err); err != nil {
				return nil, err
			}
			continue
		}
		s.Number = number
		sites = append(sites, s)
	}
	return sites, nil
}

// decodeAMD64 decodes a function into code, and returns what follows an instruction that
// was not understood.
func decodeAMD64(fn function, code []instr) (_ []instr, rest []byte) {
	for off := 0; off < len(fn.code); {
		in, err := x86asm.Decode(fn.code[off:], 64)
		if err != nil || in.Len == 0 {
			return code, fn.code[off:]
		}
		code = append(code, instr{in, fn.at + uint64(off)})
		off += in.Len
	}
	return code, nil
}

// nearAMD64 adds where the jumps within a function go.
func nearAMD64(code []instr, to *marks) {
	for i := range code {
		if rel, ok := code[i].Args[0].(x86asm.Rel); ok {
			to.set(code[i].end() + uint64(int64(rel)))
		}
	}
}

// far adds where all bytes that could be a jump or call with a distance of four
// bytes go: more than there are, without decoding everything.
func (amd64) far(at uint64, code []byte, to *marks) {
	// Distances that lead into the functions are rarer than bytes that look like a
	// jump, so they are asked first.
	low, n := to.low-at-4, to.high-to.low
	for i := 1; i+4 <= len(code); i++ {
		if target := uint64(i) + uint64(int64(int32(binary.LittleEndian.Uint32(code[i:])))); target-low < n {
			if op := code[i-1]; op == 0xe8 || op == 0xe9 || op&0xf0 == 0x80 && i > 1 && code[i-2] == 0x0f {
				to.set(at + 4 + target)
			}
		}
	}
}

// number is that of the system call code[k], as far as the instructions before it
// tell; else -1.
func (amd64) number(code []instr, k int, targets *marks, known *constants) int64 {
	for i := k - 1; i >= 0 && !targets.has(code[i+1].at); i-- { // where others come by, it is over
		in := &code[i]
		switch {
		case in.Op == x86asm.XOR && in.Args[0] == x86asm.EAX && in.Args[1] == x86asm.EAX:
			return 0
		case in.Op == x86asm.MOV && (in.Args[0] == x86asm.EAX || in.Args[0] == x86asm.RAX):
			return known.of(code, in.Args[1])
		case !keepsRAX(in):
			return -1
		}
	}
	return -1
}

// constants are the numbers that the registers of a function hold throughout.
type constants struct {
	value [16]int64
	known [16]bool
}

// of is a number, or that in a register; else -1.
func (k *constants) of(code []instr, a x86asm.Arg) int64 {
	if imm, ok := a.(x86asm.Imm); ok {
		return int64(uint32(imm))
	}
	reg, ok := a.(x86asm.Reg)
	if !ok || reg < x86asm.EAX || reg > x86asm.R15L {
		return -1
	}
	n := reg - x86asm.EAX
	if !k.known[n] {
		k.value[n], k.known[n] = constant(code, reg), true
	}
	return k.value[n]
}

// constant is the only number that a whole function ever puts into a register; else
// -1.
func constant(code []instr, reg x86asm.Reg) int64 {
	value := int64(-1)
	for i := range code {
		in := &code[i]
		imm, isImm := in.Args[1].(x86asm.Imm)
		switch {
		case in.Op == x86asm.MOV && in.Args[0] == reg && isImm && (value < 0 || value == int64(uint32(imm))):
			value = int64(uint32(imm))
		case !keeps(in, reg):
			return -1
		}
	}
	return value
}

// keeps: the instruction is known not to write any part of a register.
func keeps(in *instr, reg x86asm.Reg) bool {
	n := reg - x86asm.EAX
	for _, first := range []x86asm.Reg{x86asm.AX, x86asm.EAX, x86asm.RAX} {
		if in.Args[0] == first+n && in.Op != x86asm.CMP && in.Op != x86asm.TEST && in.Op != x86asm.PUSH {
			return false
		}
	}
	if r, ok := in.Args[0].(x86asm.Reg); ok && r < x86asm.AX && in.Op != x86asm.CMP && in.Op != x86asm.TEST {
		return false // bytes: which of them belong to it is not looked at
	}
	if reg == x86asm.ECX || reg == x86asm.R11L || reg == x86asm.EAX {
		return false // a system call destroys them
	}
	switch in.Op {
	case x86asm.MOV, x86asm.LEA, x86asm.XOR, x86asm.SUB, x86asm.ADD, x86asm.AND, x86asm.OR, x86asm.NEG, x86asm.NOT,
		x86asm.PUSH, x86asm.CMP, x86asm.TEST, x86asm.NOP, x86asm.SYSCALL, x86asm.HLT, x86asm.RET,
		x86asm.JMP, x86asm.JA, x86asm.JAE, x86asm.JB, x86asm.JBE, x86asm.JE, x86asm.JNE:
		return true
	}
	return false
}

// keepsRAX: of the instructions that stand before system calls, those that are
// known to leave rax alone.
func keepsRAX(in *instr) bool {
	switch in.Op {
	case x86asm.MOV, x86asm.LEA, x86asm.XOR, x86asm.SUB, x86asm.ADD, x86asm.AND, x86asm.OR, x86asm.MOVZX, x86asm.MOVSXD,
		x86asm.MOVUPS, x86asm.MOVAPS, x86asm.MOVQ, x86asm.PUNPCKLQDQ, x86asm.MOVHPS:
		switch in.Args[0] {
		case x86asm.RAX, x86asm.EAX, x86asm.AX, x86asm.AL, x86asm.AH:
			return false
		}
		return true
	case x86asm.PUSH, x86asm.CMP, x86asm.TEST, x86asm.NOP:
		return true
	}
	return false
}

// site makes room for a jump at the last of some instructions, a syscall.
func (amd64) site(ld *elffile.File, code []instr, targets *marks) (Site, error) {
	last := code[len(code)-1]
	s := Site{Vaddr: last.at, Next: last.end()}
	for i := len(code) - 2; s.Next-s.Vaddr < amd64Jump; i-- {
		switch {
		case i < 0:
			return s, fault(ld, last.at, "a function begins too near before the syscall for a jump to have room")
		case targets.has(s.Vaddr):
			return s, fault(ld, last.at, fmt.Sprintf("something jumps to 0x%x, so that a jump in place of the syscall has no room", s.Vaddr))
		case !movable(&code[i]):
			return s, fault(ld, last.at, fmt.Sprintf("%v before the syscall cannot be executed elsewhere", code[i].Op))
		}
		s.Vaddr = code[i].at
	}
	for at := s.Vaddr + 1; at < s.Next; at++ {
		if targets.has(at) {
			return s, fault(ld, last.at, fmt.Sprintf("something jumps to 0x%x, into what would be a jump", at))
		}
	}
	return s, nil
}

// movable: the instruction does the same wherever it stands.
func movable(in *instr) bool {
	for _, a := range in.Args {
		switch a := a.(type) {
		case x86asm.Rel:
			return false
		case x86asm.Mem:
			if a.Base == x86asm.RIP {
				return false
			}
		}
	}
	switch in.Op {
	case x86asm.MOV, x86asm.LEA, x86asm.XOR, x86asm.SUB, x86asm.ADD, x86asm.AND, x86asm.OR, x86asm.MOVZX, x86asm.MOVSXD,
		x86asm.PUSH, x86asm.CMP, x86asm.TEST, x86asm.MOVUPS, x86asm.MOVAPS, x86asm.MOVQ, x86asm.CMOVA:
		return true
	}
	return false
}
