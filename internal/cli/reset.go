package cli

import (
	"debug/elf"
	"fmt"

	"elfwright/elffile"
	"elfwright/patch"
	"elfwright/phdr"
	"elfwright/reset"
	"elfwright/show"
)

// resetFlags are what the command line of reset says.
type resetFlags struct {
	rewrite
	symbols, persistent []string
	zero                []string
	shape, os, overlay  string
	pointer, original   string
	at, paddr, pageSize uint64
	spare               int
	hook, noMatch       bool
	verify, update      bool
}

const resetLong = `Jumping to the entry point of OUT starts the program again, with the memory it had at first. Nothing is linked into PROG and none of its symbols are needed: OUT has a segment more, with code for its machine, a table and a copy of all writable memory, and one for the registers of the first start. The code is the new e_entry. It uses no stack, restores memory by the table and goes on where e_entry was, with the stack pointer and the arguments of the first start.

With --shape=keep, the default, the writable segments stay as they are, and PROG also starts by its old entry point. With --shape=deflate they have no bytes any more: these are in the file once, and the code puts them in place.

Sections .persistent and .persistent.* are left as they are. --persistent names more: a pattern of section names, which begins with a dot, the name of a variable, or a range such as 0x1000..0x2000.

Machines: x86-64, i386, AArch64, Arm (A32 and Thumb, so that M-profile works, too), RISC-V of 64 and 32 bits; with and without an operating system. A program that a dynamic linker starts is refused: what libraries have in memory would stay. So is a writable segment that the program copies from flash itself: it is restored that way.

A reset restores memory, and nothing else: open files, mappings, the break, signal handlers, timers, floating-point modes and devices stay as they are. Jump there with one thread and interrupts masked.

'elfwright patch' writes values of a resettable program to the copy as well; what other tools have written to its writable segments alone is lost at a reset, unless --update copies it. Both also work on programs that have the table of rust-sel4's sel4-reset. With --verify nothing is written: the segments of PROG, which is resettable, are expanded, every writable byte is changed, the table is applied, and the result is compared with the memory of the first start, or with that of --original.`

func resetVerb() *verb {
	o := new(resetFlags)
	return &verb{
		name:  "reset",
		short: "make a program resettable: jump to its entry, and it starts with the memory it had at first",
		usage: []string{"[flags] PROG -o OUT", "--update PROG -o OUT", "--verify [--original FILE] PROG"},
		args:  args{min: 1, max: 1, name: "PROG"},
		no:    "the file does not allow it, or, with --verify, a reset would not restore its memory",
		long:  resetLong,
		flags: []flag{
			{name: "shape", to: &o.shape, value: "keep|deflate", words: []string{string(reset.Keep), string(reset.Deflate)}, help: "where the initial bytes of writable memory are: in place and in a copy, or in the copy alone"},
			{name: "os", to: &o.os, value: "linux|none", words: []string{string(reset.Linux), string(reset.NoneOS)}, help: "what the program runs on, if its notes do not tell: on Linux the code gives back what C libraries ask for at each start"},
			{name: "persistent", to: &o.persistent, value: "WHAT", help: "leave this memory as it is: .SECTION (a pattern), a variable, or START..END; may be given several times"},
			{name: "zero", to: &o.zero, value: "START..END", help: "clear this memory outside the program at each start, too: a heap, a region shared with others; may be given several times"},
			{name: "symbols", to: &o.symbols, value: "SYMS", files: true, help: "take sections and symbols from this file; may be given several times, and PROG itself comes last"},
			{name: "no-match", to: &o.noMatch, help: "go on though SYMS seems to be another program's"},
			{name: "at", to: &o.at, value: "ADDR", help: "the address of the new segments, a multiple of the page size"},
			{name: "paddr", to: &o.paddr, value: "ADDR", help: "where they are loaded, if elsewhere than the program's distance says"},
			{name: "hook-entry", to: &o.hook, help: "put a jump at the old entry, too, for loaders that do not start at e_entry; the memory there must be writable when it starts"},
			{name: "pointer", to: &o.pointer, value: "PLACE", help: "put the address to jump to into this variable"},
			{name: "spare", to: &o.spare, value: "N", help: "rows of the table to leave free for patches; 16 if not given"},
			overlayFlag(&o.overlay),
			pageSizeFlag(&o.pageSize),
			{name: "update", to: &o.update, help: "PROG is resettable, and something else has written to its writable segments: bring the copy up to date"},
			{name: "verify", to: &o.verify, help: "check that a reset of PROG restores its memory, and write nothing"},
			{name: "original", to: &o.original, value: "FILE", files: true, help: "with --verify: the program as it was before"},
			o.dryRunFlag(), o.jsonFlag(""), o.outputFlag(),
		},
		examples: []example{
			{"a program that counts, and starts itself again; it prints the same each time", `printf '#include <stdio.h>\n#include <sys/auxv.h>\nint n = 1, z; __attribute__((section(".persistent"))) int runs = 0; int main(void) { printf("%%d %%d\\n", n++, z++); fflush(stdout); if (++runs < 4) ((void (*)(void))getauxval(AT_ENTRY))(); return 0; }' | gcc -static -o count -xc - && (elfwright reset count -o again && ./again && elfwright reset --verify --original count again)`},
			{"what it would cost", `echo 'int main(void) { return 0; }' | gcc -static -o nothing -xc - && (elfwright reset --dry-run --shape=deflate nothing)`},
		},
		run: func(c *call) error { return runReset(c, o) },
	}
}

func runReset(c *call, o *resetFlags) error {
	switch {
	case o.verify && (o.output != "" || o.dryRun):
		return c.usagef("--verify writes nothing: it has no use for -o and --dry-run")
	case o.verify && o.update:
		return c.usagef("--verify writes nothing, and --update does: give one of them")
	case o.update && (o.shape != "" || o.os != "" || o.hook || o.at != 0 || o.paddr != 0 || o.spare != 0 || o.pointer != "" || len(o.persistent)+len(o.symbols)+len(o.zero) > 0):
		return c.usagef("--update leaves the table as it is: it has no use for flags that say what is in it")
	case o.original != "" && !o.verify:
		return c.usagef("--original is for --verify")
	case o.spare < 0:
		return c.usagef("flag --spare: %d is less than 0", o.spare)
	case o.verify:
		return o.check(c)
	}
	if err := o.checkOutput(c); err != nil {
		return err
	}
	if o.update {
		return o.refresh(c)
	}
	files := patchFlags{symbols: o.symbols}
	return files.withFiles(c.args[0], nil, func(f *elffile.File, syms []*elffile.File) error {
		done := c.phase("edit")
		r, err := reset.Apply(f, o.options(syms))
		if err == nil && o.pointer != "" {
			err = o.setPointer(f, syms, r)
		}
		if err == nil {
			r.Body, err = refit(f.Name, r.Body, o.phdrOptions())
		}
		done()
		if err != nil {
			return o.finish(c, nil, nil, f.Mode(), err)
		}
		return o.finish(c, r.Body, r.Report, f.Mode(), nil)
	})
}

func (o *resetFlags) phdrOptions() phdr.Options {
	return phdr.Options{Overlay: phdr.Overlay(o.overlay), PageSize: o.pageSize}
}

func (o *resetFlags) options(syms []*elffile.File) reset.Options {
	return reset.Options{
		Shape: reset.Shape(o.shape), OS: reset.OS(o.os), Symbols: syms, NoMatch: o.noMatch, Persistent: o.persistent, Zero: o.zero,
		At: o.at, Paddr: o.paddr, HookEntry: o.hook, Spare: o.spare, Phdr: o.phdrOptions(),
	}
}

// setPointer patches the variable that is to know where to jump.
func (o *resetFlags) setPointer(f *elffile.File, syms []*elffile.File, r *reset.Result) error {
	if f.Header.Type == elf.ET_DYN {
		return fmt.Errorf("%s: --pointer: the program is loaded anywhere, and its entry is not known before; AT_ENTRY tells it", f.Name)
	}
	now, err := elffile.ParseBody(f.Name, r.Body)
	if err != nil {
		return err
	}
	set := patch.Set{Place: o.pointer, Value: patch.Value{Kind: patch.Fact, Text: "image.entry"}}
	opt := patch.Options{Symbols: syms, NoMatch: true, Overlay: phdr.Overlay(o.overlay), PageSize: o.pageSize, Demangle: show.Demangle}
	p, err := patch.Apply(now, []patch.Set{set}, opt)
	if err != nil {
		return err
	}
	if now, err = elffile.ParseBody(f.Name, p.Body); err != nil {
		return err
	}
	if _, err := reset.Verify(now, nil); err != nil {
		return err
	}
	r.Body, r.Report.Size.After = p.Body, p.Body.Size()
	return nil
}

// refresh brings the copies of a resettable program up to date, and proves it.
func (o *resetFlags) refresh(c *call) error {
	files := patchFlags{}
	return files.withFiles(c.args[0], nil, func(f *elffile.File, _ []*elffile.File) error {
		r, err := patch.Refresh(f, patch.Options{Overlay: phdr.Overlay(o.overlay), PageSize: o.pageSize})
		if err != nil {
			return o.finish(c, nil, nil, f.Mode(), err)
		}
		r.Report.Output = o.output
		now, err := elffile.ParseBody(f.Name, r.Body)
		if err == nil {
			_, err = reset.Verify(now, nil)
		}
		return o.finish(c, r.Body, r.Report, f.Mode(), err)
	})
}

// check verifies a resettable program.
func (o *resetFlags) check(c *call) error {
	files := patchFlags{}
	if o.original != "" {
		files.symbols = []string{o.original}
	}
	return files.withFiles(c.args[0], nil, func(f *elffile.File, was []*elffile.File) error {
		var original *elffile.File
		if len(was) > 0 {
			original = was[0]
		}
		r, err := reset.Verify(f, original)
		if err != nil {
			return answer(err)
		}
		return o.report(c, r)
	})
}
