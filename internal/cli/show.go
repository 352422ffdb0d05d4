package cli

import (
	"elfwright/internal/term"
)

// showFlags are what the command line of show says.
type showFlags struct {
	all, fileHeader, segments, sections, symbols, dynSyms, nm bool
	relocs, dynamic, notes, versions, arch, groups, histogram bool
	hexDump, stringDump, disassemble                          []string

	demangle, decompress, json, wide bool
	color                            string
}

func showVerb() *verb {
	opt := showFlags{color: "auto"}
	const views, output = "Views", "Output"
	return &verb{
		name:  "show",
		short: "print the tables of ELF files and archives",
		usage: []string{"[flags] FILE…"},
		args:  args{min: 1, max: -1, name: "FILE"},
		no:    "an input had faults",
		long: `A FILE is an executable, a library, an object, a core dump, a kernel module, an archive (libc.a), one member of an archive ('libc.a(printf.o)'), or a dash for standard input. Without a view, -h and -l are shown.

The letters of the views are readelf's, so -h is the file header; help is --help.`,
		examples: []example{
			{"the file header and the segments", "elfwright show -h -l /bin/ls"},
			{"what a program needs, as JSON", "elfwright show -d --json /bin/ls"},
		},
		flags: []flag{
			{name: "file-header", short: "h", to: &opt.fileHeader, group: views, help: "the ELF header"},
			{name: "program-headers", also: []string{"segments"}, short: "l", to: &opt.segments, group: views, help: "the program headers, and which sections lie in which segment"},
			{name: "section-headers", also: []string{"sections"}, short: "S", to: &opt.sections, group: views, help: "the section headers"},
			{name: "symbols", also: []string{"syms"}, short: "s", to: &opt.symbols, group: views, help: "the symbol tables"},
			{name: "dyn-syms", to: &opt.dynSyms, group: views, help: "the dynamic symbol table"},
			{name: "nm", to: &opt.nm, group: views, help: "the symbols as nm prints them"},
			{name: "relocs", short: "r", to: &opt.relocs, group: views, help: "the relocations, with their formulas"},
			{name: "dynamic", short: "d", to: &opt.dynamic, group: views, help: "the dynamic section"},
			{name: "notes", short: "n", to: &opt.notes, group: views, help: "the notes, decoded"},
			{name: "version-info", short: "V", to: &opt.versions, group: views, help: "the symbol versions"},
			{name: "arch-specific", short: "A", to: &opt.arch, group: views, help: "what is special to the machine: attributes and flags"},
			{name: "section-groups", short: "g", to: &opt.groups, group: views, help: "the section groups"},
			{name: "histogram", short: "I", to: &opt.histogram, group: views, help: "the lengths of the hash table's chains"},
			{name: "all", short: "a", to: &opt.all, group: views, help: "every view above"},
			{name: "hex-dump", short: "x", to: &opt.hexDump, value: "NAME|INDEX", group: views, help: "the bytes of a section"},
			{name: "string-dump", short: "p", to: &opt.stringDump, value: "NAME|INDEX", group: views, help: "the strings of a section"},
			{name: "disassemble", short: "D", to: &opt.disassemble, value: "SYMBOL|START..END", group: views, help: "the instructions of a symbol or an address range"},

			{name: "demangle", short: "C", to: &opt.demangle, group: output, help: "write C++ and Rust names as in the source"},
			{name: "decompress", short: "z", to: &opt.decompress, group: output, help: "dump what a compressed section holds, for -x and -p"},
			{name: "json", to: &opt.json, group: output, help: "one JSON document for each file"},
			{name: "color", to: &opt.color, words: term.Modes(), bare: "always", group: output, help: "colour the output; auto is on a terminal and without NO_COLOR"},
			{name: "wide", short: "W", to: &opt.wide, hidden: true, help: "as always: lines are not folded"},
		},
		run: func(c *call) error { return runShow(c, opt) },
	}
}

func runShow(c *call, opt showFlags) error {
	return errNotBuilt
}
