// Package plan says what Linux makes of a program: which mappings, with which
// protection and which bytes, where stack and heap begin, what the program finds
// on its stack, or why it is refused or killed. It is computed, not done: [Exec]
// and [Map] are pure functions, the same on every machine. Everything tells the
// header that caused it and the rule by which.
//
// [Exec] is a whole execve: program and interpreter, for a [Host] of a certain
// kernel version and machine. [Map] is the part that an editor of programs needs:
// the segments of one image at a given base, which [Lost] compares before and
// after an edit.
//
// The rules are those of fs/binfmt_elf.c, fs/exec.c and mm/mmap.c, whose functions
// are named where they apply; functions here have their names. What depends on
// more than a [Host] tells is not known here: limits of memory other than
// Host.Memory (RLIMIT_AS, RLIMIT_DATA, cgroups), security modules, binfmt_misc.
package plan
