// Package reset makes any program resettable: jumping to its entry point starts
// it again with the memory it had at first. Nothing is linked into the program,
// and none of its symbols are needed.
//
// The result has a PT_LOAD more, with code for its machine, a table and a copy of
// all writable memory, and another for the registers of the first start. e_entry
// is the code, which restores memory by the table and goes on where e_entry was.
//
// [Apply] works in this order. refuse.go says no to what cannot be made resettable,
// memory.go decides which memory is restored and which is left alone, persistent.go
// what was asked to be left, system.go what the program runs on, and warn.go looks
// for what would go wrong there. saved.go cuts the memory into bytes to be kept and
// zeros. install.go adds the segments, with phdr.Add, hook.go what loaders need that
// do not start at e_entry, deflate.go takes the bytes out of the writable segments,
// where that was asked for, and symbols.go names what was added. [Verify] then does
// on paper what the code will do (verify.go), and what differs from the program as
// it was is an error. docs/reset-format.md has the format, and the pitfalls with the
// test of each.
//
// What is restored is the program's memory: open files, mappings made by the
// program, timers, the state of devices stay as they are. Jump to the entry
// with one thread and interrupts masked.
package reset
