// Package plan says what a loader makes of an image: which mappings, with which
// protection and which bytes, where brk starts, where the program header table
// is found. It is computed, not done: [Map] is a pure function of the image and
// its options, the same on every machine. Each mapping tells the header that
// caused it and the rule by which.
//
// The rules are those of Linux, fs/binfmt_elf.c (load_elf_binary, elf_load,
// elf_map); names of its functions stand where they apply.
package plan
