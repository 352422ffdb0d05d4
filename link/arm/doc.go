// Package arm is what linking asks of Arm: what relocations need, how they are
// applied, and the veneers between code that is too far apart or of two
// instruction sets.
//
// The rows of machine/arm compute and encode; BL and BLX become each other there.
// What is left for this package is which address a relocation means, where the
// GOT and the PLT come in, and branches that cannot reach: a veneer goes behind
// the section that branches, loads the address from a word and jumps.
//
// REL relocations have their addends in the place; the reader took them out.
//
// Sources: AAELF32 (2023Q3), AAPCS32; for the forms of veneers, and which word
// R_ARM_TARGET2 is, GNU ld 2.40.
package arm
