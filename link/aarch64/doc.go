// Package aarch64 is what linking asks of AArch64 (AAELF64).
//
// What is peculiar about AArch64:
//
//   - An address takes two instructions, each with a relocation of its own: ADRP
//     for the page, then an ADD or a load for the rest. They need not stand
//     together. What becomes of one must not depend on the other, so they are
//     changed by type and symbol alone.
//   - A branch reaches 128 MiB. One that does not reach goes through a veneer,
//     which may change x16 and x17; veneers stand behind the code of a group of
//     sections. GNU ld's have the same instructions and names.
//   - An undefined weak symbol is 0 as an address; a distance to it is none, and a
//     branch to it goes to the next instruction.
//   - Two errata of the Cortex-A53 are about sequences of instructions, one of
//     them only at certain addresses. A veneer takes one of the instructions.
//   - The code of a general dynamic access may have been taken apart except for
//     the last three instructions, which stand together: ADD, BL, NOP.
//   - Instructions are little-endian in big-endian files.
//
// GNU ld leaves ADRP and the load from the GOT as they are, and so does this
// package. Where GNU ld 2.40 is not followed: a conditional branch to a weak symbol
// that nothing defines goes on with the next instruction, not to itself; local
// dynamic that becomes local exec counts with the alignment of the TLS segment;
// initial exec whose load is into another register than the page's is in becomes
// ADD; general dynamic of the large code model stays where GNU ld would write a
// load that is none.
package aarch64
