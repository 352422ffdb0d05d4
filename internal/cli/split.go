package cli

import (
	"os"
	"path/filepath"

	"elfwright/elffile"
	"elfwright/match"
	"elfwright/split"
)

// splitFlags are what the command lines of split and join say.
type splitFlags struct {
	rewrite
	symbols, sections string
	force             bool
}

func splitVerb() *verb {
	opt := new(splitFlags)
	return &verb{
		name:  "split",
		short: "take a program apart into an image that runs and a file with its symbols",
		usage: []string{"[flags] PROG -o IMAGE --symbols=SYMS"},
		args:  args{min: 1, max: 1, name: "PROG"},
		no:    "the file is no program that can be split",
		long: `IMAGE has the ELF header, the program headers and the bytes that they name, where they were: it runs as PROG does. SYMS has the section headers, symbols and debug information, as 'objcopy --only-keep-debug' and 'eu-strip -f' write them; sections of the image have no bytes there, except notes. 'elfwright join' makes PROG of the two again, byte for byte.

With --sections=minimal, the default, IMAGE also has section headers for what is loaded, and .gnu_debuglink with the name of SYMS and its CRC: gdb then finds SYMS by itself, beside IMAGE, in .debug there, or by its build-id below the debug-file-directory. With --sections=none IMAGE has no section headers at all, and gdb has to be told: exec-file IMAGE, then symbol-file SYMS.

SYMS gets one section more, .elfwright.split, with bytes that no header names and the order of all. SYMS is written first; its mode is PROG's without execution and set-id bits.`,
		flags: []flag{
			{name: "symbols", to: &opt.symbols, value: "SYMS", files: true, help: "where to write section headers, symbols and debug information"},
			{name: "sections", to: &opt.sections, value: "minimal|none", words: []string{split.Minimal, split.None}, help: "which section headers the image has"},
			opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag(),
		},
		examples: []example{
			{"what would go where", "elfwright split --dry-run /bin/ls"},
			{"split, and run the image", "elfwright split /bin/ls -o ls --symbols=ls.debug && ./ls"},
			{"an image of program headers alone", "elfwright split --sections=none /bin/ls -o ls --symbols=ls.debug && ./ls"},
		},
		run: func(c *call) error { return runSplit(c, opt) },
	}
}

func joinVerb() *verb {
	opt := new(splitFlags)
	return &verb{
		name:  "join",
		short: "put an image and a file with its symbols together",
		usage: []string{"[flags] IMAGE SYMS -o PROG"},
		args:  args{min: 2, max: 2, name: "arguments (IMAGE and SYMS)"},
		no:    "the files do not belong together",
		long: `Of files that 'elfwright split' has written PROG is the program that was split, byte for byte. If the image was changed since, PROG is the changed program: the ELF header, program headers and their bytes are IMAGE's, all else is of SYMS, adjusted to it. SYMS may also be of 'objcopy --only-keep-debug' or 'eu-strip -f', and IMAGE of any tool: the result then has what 'eu-unstrip' would give it, also where IMAGE has no section headers.

Files that do not belong together, as 'elfwright match' tells, are refused; --force joins them all the same.`,
		flags: []flag{opt.forceFlag(), opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag()},
		examples: []example{
			{"there and back", "elfwright split /bin/ls -o ls --symbols=ls.debug && elfwright join ls ls.debug -o ls.whole && cmp /bin/ls ls.whole"},
			{"how it would be done", "elfwright split /bin/ls -o ls --symbols=ls.debug && elfwright join --dry-run --json ls ls.debug"},
		},
		run: func(c *call) error { return runJoin(c, opt) },
	}
}

func matchVerb() *verb {
	opt := new(splitFlags)
	return &verb{
		name:  "match",
		short: "say whether an image and a file with symbols belong together, and why not",
		usage: []string{"[flags] IMAGE SYMS"},
		args:  args{min: 2, max: 2, name: "arguments (IMAGE and SYMS)"},
		no:    "the files do not belong together",
		long:  `A line for each check: class, byte order, machine and type; the build-id, if both have one; every loaded segment of SYMS, which IMAGE must have at the same address, as large, with the same protection, besides what was added to it; the entry point; and the CRC in the image's .gnu_debuglink. 'unknown' is what a file does not tell. 'differs' is what an edit changes: it counts only where the build-id is not the same.`,
		flags: []flag{opt.jsonFlag("")},
		examples: []example{
			{"a program and itself", "elfwright match /bin/ls /bin/ls"},
			{"an image and its symbols", "elfwright split /bin/ls -o ls --symbols=ls.debug && elfwright match ls ls.debug"},
		},
		run: func(c *call) error { return runMatch(c, opt) },
	}
}

func (o *splitFlags) forceFlag() flag {
	return flag{name: "force", to: &o.force, help: "join files that do not belong together"}
}

func runSplit(c *call, o *splitFlags) error {
	name := c.args[0]
	switch {
	case o.symbols == "" && !o.dryRun:
		return c.usagef("where do the symbols go? name a file with --symbols, or say --dry-run")
	case o.symbols == "-":
		return c.usagef("flag --symbols: the file with symbols is named by the image, and cannot go to standard output")
	case o.symbols == "":
		o.symbols = name + ".debug"
	case sameFile(o.symbols, name) || sameFile(o.symbols, o.output):
		return c.usagef("flag --symbols: %s would take the place of the program", o.symbols)
	}
	opt := split.Options{Sections: o.sections, Link: filepath.Base(o.symbols)}
	return o.rewrite.run(c, name, func(f *elffile.File) (*elffile.Body, report, error) {
		r, err := split.Split(f, opt)
		if err != nil {
			return nil, nil, err
		}
		if !o.dryRun {
			err = r.Symbols.WriteFile(o.symbols, f.Mode()&0o666)
		}
		return r.Image, r.Report, err
	})
}

// sameFile says whether two names are of one file, which need not exist.
func sameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

func runJoin(c *call, o *splitFlags) error {
	return o.rewrite.run(c, c.args[0], func(img *elffile.File) (*elffile.Body, report, error) {
		syms, err := elffile.Open(c.args[1])
		if err != nil {
			return nil, nil, err
		}
		o.data = append(o.data, syms) // read until the result is written
		var j *split.Joined
		err = syms.Guard(func() (err error) {
			j, err = split.Join(img, syms, split.JoinOptions{Force: o.force})
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		return j.Body, j.Report, nil
	})
}

func runMatch(c *call, o *splitFlags) error {
	img, err := elffile.Open(c.args[0])
	if err != nil {
		return err
	}
	defer img.Close()
	syms, err := elffile.Open(c.args[1])
	if err != nil {
		return err
	}
	defer syms.Close()
	return img.Guard(func() error {
		return syms.Guard(func() error {
			r := match.Files(img, syms)
			if err := o.report(c, r); err != nil {
				return err
			}
			if !r.Match {
				return errNo
			}
			return nil
		})
	})
}
