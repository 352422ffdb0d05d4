// Package riscv is what linking asks of RISC-V, 64 and 32 bits.
//
// What is peculiar about RISC-V:
//
//   - The linker takes bytes out of code. The compiler writes every call and every
//     address in its longest form and marks it (R_RISCV_RELAX); alignment is
//     written as the most bytes of nop that it can need (R_RISCV_ALIGN), and even a
//     linker that relaxes nothing must take the excess out.
//   - The low part of a PC-relative pair names the label of its high part, not the
//     target, so the high part has to be found to know the value.
//   - Differences of labels are left to pairs of relocations that work on what the
//     place holds.
//
// Relaxing goes as in GNU ld 2.40: whatever can be shortened at the addresses at
// hand is, and again at the new addresses, until nothing more can; then alignment
// is settled, after which nothing else changes. While it shortens, the nops of
// alignment are all there, and ranges are judged as if alignment could still push
// the two ends apart by the largest alignment there is: so what was shortened
// still reaches when all is placed.
//
// What became of an instruction is noted in the Type of its relocation, by
// numbers beyond those of any file; see changed.
package riscv
