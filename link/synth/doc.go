// Package synth makes the sections that no file has: GOT, PLT, tables for the
// dynamic linker, notes; and it rewrites those whose pieces are sorted, merged or
// dropped: merged strings, .eh_frame, .ARM.exidx.
//
// All that a link may need is made first, empty, so that the script can place it
// by name. When the relocations have been scanned, what is needed gets its size;
// the rest is dropped. Bytes are written when every address is known.
package synth
