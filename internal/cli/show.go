package cli

import (
	"errors"
	"fmt"
	"strings"

	"elfwright/internal/term"
	"elfwright/show"
)

// showFlags are what the command line of show says.
type showFlags struct {
	all, fileHeader, segments, sections, symbols, dynSyms, nm bool
	relocs, dynamic, notes, versions, arch, groups, histogram bool
	process, registers, thaw, reset                           bool
	hexDump, stringDump, disassemble                          []string

	demangle, decompress, json, wide bool
	color                            string
	diff                             diffFlags
	pictures                         pictureFlags
}

func showVerb() *verb {
	opt := showFlags{color: "auto"}
	const views, output = "Views", "Output"
	return &verb{
		name:  "show",
		short: "print the tables of ELF files and archives",
		usage: []string{"[flags] FILE…", "--diff[=text|json|html] [flags] OLD NEW"},
		args:  args{min: 1, max: -1, name: "FILE"},
		no:    "an input had faults; with --diff, the files differ",
		long: `A FILE is an executable, a library, an object, a core dump, a kernel module, an archive (libc.a), one member of an archive ('libc.a(printf.o)'), or a dash for standard input. Without a view, what the file is and its program headers are shown.

The letters of the views are readelf's, so -h is the file header; help is --help.`,
		examples: []example{
			{"the file header and the segments", "elfwright show -h -l /bin/ls"},
			{"what a program needs, as JSON", "elfwright show -d --json /bin/ls"},
			{"a process that was frozen, with its calls and registers", "elfwright freeze --run --kill --after=100ms -o nap -- sleep 9 && elfwright show --registers nap"},
			{"where everything is, as a picture", "elfwright show --map /bin/ls"},
			{"the same to explore in a browser", "elfwright show --html ls.html /bin/ls"},
		},
		flags: append([]flag{
			{name: "file-header", short: "h", to: &opt.fileHeader, group: views, help: "the ELF header"},
			{name: "program-headers", also: []string{"segments"}, short: "l", to: &opt.segments, group: views, help: "the program headers, and which sections lie in which segment"},
			{name: "section-headers", also: []string{"sections"}, short: "S", to: &opt.sections, group: views, help: "the section headers"},
			{name: "symbols", also: []string{"syms"}, short: "s", to: &opt.symbols, group: views, help: "the symbol tables"},
			{name: "dyn-syms", to: &opt.dynSyms, group: views, help: "the dynamic symbol table"},
			{name: "nm", to: &opt.nm, group: views, help: "the symbols as nm prints them; those of the dynamic table with --dyn-syms"},
			{name: "relocs", short: "r", to: &opt.relocs, group: views, help: "the relocations, with their formulas"},
			{name: "dynamic", short: "d", to: &opt.dynamic, group: views, help: "the dynamic section"},
			{name: "notes", short: "n", to: &opt.notes, group: views, help: "the notes, decoded"},
			{name: "version-info", short: "V", to: &opt.versions, group: views, help: "the symbol versions"},
			{name: "arch-specific", short: "A", to: &opt.arch, group: views, help: "what is special to the machine: attributes and flags"},
			{name: "reset", to: &opt.reset, group: views, help: "what a reset restores, by the table of 'elfwright reset' or of sel4-reset"},
			{name: "section-groups", short: "g", to: &opt.groups, group: views, help: "the section groups"},
			{name: "histogram", short: "I", to: &opt.histogram, group: views, help: "the lengths of the hash table's chains"},
			{name: "all", short: "a", to: &opt.all, group: views, help: "every view above but --nm"},
			{name: "hex-dump", short: "x", to: &opt.hexDump, value: "NAME|INDEX", group: views, help: "the bytes of a section"},
			{name: "string-dump", short: "p", to: &opt.stringDump, value: "NAME|INDEX", group: views, help: "the strings of a section"},
			{name: "disassemble", short: "D", to: &opt.disassemble, value: "SYMBOL|START..END", group: views, help: "the instructions of a symbol or an address range"},

			{name: "process", to: &opt.process, group: views, help: "the process in a frozen file or a core: threads with backtraces, mappings, descriptors, signals; of a frozen file it is what is shown without a view"},
			{name: "registers", to: &opt.registers, group: views, help: "the same with all registers of each thread"},
			{name: "thaw", to: &opt.thaw, group: views, help: "what a frozen file does before its process goes on, step by step"},

			{name: "demangle", short: "C", to: &opt.demangle, group: output, help: "write C++ and Rust names as in the source"},
			{name: "decompress", short: "z", to: &opt.decompress, group: output, help: "dump what a compressed section holds, for -x and -p"},
			{name: "json", to: &opt.json, group: output, help: "one JSON document for each file"},
			{name: "color", to: &opt.color, words: term.Modes(), bare: "always", group: output, help: "colour the output; auto is on a terminal and without NO_COLOR"},
			{name: "wide", short: "W", to: &opt.wide, hidden: true, help: "as always: lines are not folded"},
		}, append(opt.pictures.flags(), opt.diff.flags()...)...),
		run: func(c *call) error {
			if opt.diff.form != "" {
				return runDiff(c, &opt)
			}
			return runShow(c, &opt)
		},
	}
}

// runShow prints each file. What is wrong with one is told behind it, and the
// next one is shown all the same.
func runShow(c *call, f *showFlags) error {
	if f.pictures.wanted() {
		return runPictures(c, f)
	}
	opt := f.options(c)
	opt.Heading = len(c.args) > 1
	var unread error
	faulty := false
	for _, arg := range c.args {
		report, err := show.Path(c.out, show.Input{Path: arg, Stdin: c.in}, opt)
		if c.out.closed() {
			break
		}
		unread = errors.Join(unread, err)
		for _, fault := range report.Faults {
			faulty = true
			fmt.Fprintf(c.err, "%s: warning: %s\n", name, strings.ReplaceAll(fault.Error(), "\n", "\n  "))
		}
	}
	if unread == nil && faulty {
		return errNo
	}
	return unread
}

// options makes of the flags what package show takes.
func (f *showFlags) options(c *call) show.Options {
	opt := show.Options{
		HexDump: f.hexDump, StringDump: f.stringDump, Disassemble: f.disassemble,
		Registers: f.registers, Demangle: f.demangle, Decompress: f.decompress, JSON: f.json,
		Colour: c.style(f.color).On && !f.json,
	}
	for _, v := range []struct {
		on   bool
		view show.View
	}{
		{f.fileHeader, show.FileHeader}, {f.segments, show.Segments}, {f.sections, show.SectionHeaders},
		{f.symbols, show.Symbols}, {f.dynSyms, show.DynSyms}, {f.nm, show.NM}, {f.relocs, show.Relocs},
		{f.dynamic, show.Dynamic}, {f.notes, show.Notes}, {f.versions, show.Versions}, {f.arch, show.Arch},
		{f.reset, show.Reset}, {f.groups, show.SectionGroups}, {f.histogram, show.Histogram}, {f.all, show.All},
		{f.process || f.registers, show.Processes}, {f.thaw, show.Thaw},
	} {
		if v.on {
			opt.Views |= v.view
		}
	}
	return opt
}
