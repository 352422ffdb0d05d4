// Package x86 is what linking asks of x86-64 and i386.
//
// What is peculiar about x86:
//
//   - Instructions have no fixed length, and an operand's four bytes are found by
//     the relocation alone. Whoever changes an instruction must know what stands
//     before the place: the types whose name ends in X promise that it is an
//     instruction that loads from the GOT, those of TLS a sequence of the psABI.
//   - Nothing ever moves: each form of an instruction is as long as the one that
//     it replaces, so there is nothing to do in Relax.
//   - The thread pointer is where the TLS block ends.
//   - On i386 addends are in the place, addresses wrap around, and the GOT is
//     reached through a register that the code has loaded itself.
//
// What a relocation does is decided twice, in Scan and when it is applied, by the
// same functions of things that do not change between; addresses choose only
// between forms that need nothing.
package x86
