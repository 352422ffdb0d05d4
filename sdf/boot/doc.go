// Package boot makes of an applied system one file that boots: a runtime, behind
// it the header of a Microkit loader image, and the regions that it loads. The
// runtime is a program of its own, such as that of examples/microkit; this
// package says what memory everything gets, and tells the runtime in a table,
// which is the first region:
//
//	magic 0x74776c6577667265, version 1, number of protection domains, of ends
//	of channels, of mappings, start and end of the pages for page tables, 0
//	a domain    name in 64 bytes, entry point, stack pointer, IPC buffer, the same
//	            physical, priority, index of the parent, id for it, 0
//	an end      index of the domain, id, index and id of the other end, rights:
//	            bit 0 to notify, bit 1 to call
//	a mapping   index of the domain, address, physical address, size, rights:
//	            bits 0 to 3 to read, write, execute, with cache
//
// All are words of 8 bytes, little endian. A domain without a parent has all bits
// set there.
package boot
