package serve

import (
	"encoding/binary"
	"fmt"
	"slices"

	"elfwright/elffile"
)

// aarch64 is AArch64: all instructions have four bytes, so that svc alone gives way
// to a branch, and nothing has to be moved. The way there is a call: there is no
// red zone, but x30 may hold something, and a system call changes no register but
// x0.
type aarch64 struct{}

const svc = 0xd4000001 // svc #0

// wayAArch64 is the way to the gate, with two branches to be filled in.
var wayAArch64 = []uint32{
	0xa9bf7bfd, // stp x29, x30, [sp, #-16]!
	0x94000000, // bl gate
	0xa8c17bfd, // ldp x29, x30, [sp], #16
	0x14000000, // b back
}

func (aarch64) last() uint64 { return 4 }

func (aarch64) size(*Site) uint64 { return 4 * uint64(len(wayAArch64)) }

func (aarch64) way(s *Site, at, back, gate uint64) ([]byte, error) {
	var code []byte
	for i, w := range wayAArch64 {
		to := gate
		if i == 3 {
			to = back
		}
		if i == 1 || i == 3 {
			d, err := imm26(at+uint64(len(code)), to)
			if err != nil {
				return nil, err
			}
			w |= d
		}
		code = binary.LittleEndian.AppendUint32(code, w)
	}
	return code, nil
}

func (aarch64) jump(s *Site, at, way uint64) ([]byte, error) {
	d, err := imm26(at, way)
	return binary.LittleEndian.AppendUint32(nil, 0x14000000|d), err // b way
}

// imm26 is the distance in a branch.
func imm26(at, to uint64) (uint32, error) {
	d := int64(to - at)
	if d != d<<36>>36 || d&3 != 0 {
		return 0, fmt.Errorf("0x%x is too far from 0x%x for a branch", to, at)
	}
	return uint32(d>>2) & 0x3ffffff, nil
}

func (aarch64) calls(code []byte, _ []uint32) bool {
	return slices.Contains(instructions(code), svc)
}

func instructions(code []byte) []uint32 {
	out := make([]uint32, len(code)/4)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(code[4*i:])
	}
	return out
}

// far: nothing can jump into one instruction.
func (aarch64) far(uint64, []byte, *marks) {}

func (m aarch64) find(_ *elffile.File, fn function, w *wanted) ([]Site, error) {
	code := instructions(fn.code)
	near := make([]bool, len(code)+1)
	for i, c := range code {
		if to, ok := branch(c, i); ok && to >= 0 && to < len(code) {
			near[to] = true
		}
	}
	var sites []Site
	for i, c := range code {
		if c != svc {
			continue
		}
		number := m.number(code[:i], near)
		if w.wants(number) {
			at := fn.at + 4*uint64(i)
			sites = append(sites, Site{Vaddr: at, Next: at + 4, Number: number})
		}
	}
	return sites, nil
}

// branch is which instruction of the same function one goes to.
func branch(c uint32, i int) (to int, ok bool) {
	switch {
	case c&0x7c000000 == 0x14000000: // b, bl
		return i + int(int32(c<<6)>>6), true
	case c&0xff000010 == 0x54000000, c&0x7e000000 == 0x34000000: // b.cond, cbz, cbnz
		return i + int(int32(c<<8)>>13), true
	case c&0x7e000000 == 0x36000000: // tbz, tbnz
		return i + int(int32(c<<13)>>18), true
	}
	return 0, false
}

// number is that of a system call, as far as the instructions before it tell; else
// -1.
func (aarch64) number(before []uint32, near []bool) int64 {
	for i := len(before) - 1; i >= 0 && !near[i+1]; i-- {
		c := before[i]
		switch {
		case c&0xffe0001f == 0xd2800008, c&0xffe0001f == 0x52800008: // movz x8/w8, #n
			return int64(c >> 5 & 0xffff)
		case c&0x1f == 8, c&0x7c000000 == 0x14000000, c&0xfe000000 == 0xd6000000:
			return -1 // it may write x8, or is a branch or call
		}
	}
	return -1
}
