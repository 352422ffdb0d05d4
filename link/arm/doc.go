// Package arm is what linking asks of Arm (AAELF32).
//
// What is peculiar about Arm:
//
//   - There are two instruction sets. Bit 0 of a function's address tells Thumb
//     code; BL and BLX become each other in the rows of machine/arm, and other
//     branches to the other set go through a veneer. A symbol that is no function
//     is taken to be code of the state that the branch is in.
//   - Which instructions there are tells .ARM.attributes of the objects: whether BLX
//     may be used, how far a Thumb branch reaches, of what a veneer is made.
//   - Veneers stand behind the code of a group of sections. Their forms, and where
//     they are, are GNU ld's; their order is that of the branches. A branch that
//     does not reach those of its group, as B<cond>.W may, gets one behind its own
//     section, where GNU ld gives up.
//   - Addends are in the place; the reader took them out.
//   - Code of a BE8 output is turned around after everything else.
//   - Big-endian and little-endian, the PLT is Arm code, which Thumb code gets to
//     by BLX or a veneer; where there is only Thumb it is Thumb code.
//
// Where GNU ld 2.40 is not followed: BLX and B<cond>.W to a weak symbol that nothing
// defines go on with the next instruction; a TLS descriptor of a symbol that the
// executable defines becomes local exec; an indirect function on a processor
// without Arm code has a PLT entry that works.
// Descriptors of a shared object are filled when it is loaded, not at the first
// call, so that there is no DT_TLSDESC_PLT.
//
// Sources: AAELF32 (2023Q3), AAPCS32; for the forms of veneers, and which word
// R_ARM_TARGET2 is, GNU ld 2.40.
package arm
