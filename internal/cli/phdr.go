package cli

// phdrFlags are what the command line of phdr's verbs says.
type phdrFlags struct {
	typ, flags, file, span, technique, output string
	memsz, vaddr, paddr, align                uint64
	index                                     int
	dryRun, json, strict                      bool
}

func phdrVerb() *verb {
	return &verb{
		name:  "phdr",
		short: "list, add, change and remove program headers of a finished program",
		children: []*verb{
			phdrListVerb(),
			phdrAddVerb(),
			phdrSetVerb(),
			phdrRmVerb(),
		},
		long: `The result still runs, and debuggers, strip and objcopy still work on it. Where no safe place for a longer table exists, phdr refuses and says why.`,
		examples: []example{
			{"the program headers of ls", "elfwright phdr list /bin/ls"},
			{"give a program 1 MiB of memory of its own", "elfwright phdr add --type=LOAD --flags=rw --memsz=1M /bin/ls -o ls.arena && ./ls.arena"},
		},
	}
}

func phdrListVerb() *verb {
	opt := new(phdrFlags)
	return &verb{
		name:  "list",
		short: "print the program headers, and where a longer table could go",
		usage: []string{"[flags] FILE…"},
		args:  args{min: 1, max: -1, name: "FILE"},
		no:    "an input had faults",
		flags: []flag{opt.jsonFlag()},
		examples: []example{
			{"the program headers of ls", "elfwright phdr list /bin/ls"},
			{"for a script", "elfwright phdr list --json /bin/ls"},
		},
		run: func(c *call) error { return errNotBuilt },
	}
}

func phdrAddVerb() *verb {
	opt := new(phdrFlags)
	return &verb{
		name:  "add",
		short: "add a program header, with bytes or memory of its own or naming what is there",
		usage: []string{"[flags] FILE -o OUT"},
		args:  args{min: 1, max: 1, name: "FILE"},
		no:    "no safe place for the table exists",
		flags: append(opt.header(),
			flag{name: "file", to: &opt.file, value: "DATA", files: true, help: "put the bytes of this file into the segment"},
			opt.spanFlag(), opt.techniqueFlag(), opt.dryRunFlag(), opt.jsonFlag(), opt.strictFlag(), opt.outputFlag()),
		examples: []example{
			{"memory of its own, zero-filled", "elfwright phdr add --type=LOAD --flags=rw --memsz=1M /bin/ls -o ls.arena && ./ls.arena"},
			{"a private header that names a section", "elfwright phdr add --type=0x65770001 --range=.rodata /bin/ls --dry-run"},
		},
		run: func(c *call) error { return errNotBuilt },
	}
}

func phdrSetVerb() *verb {
	opt := &phdrFlags{index: -1}
	return &verb{
		name:  "set",
		short: "change fields of a program header",
		usage: []string{"--index=N [flags] FILE -o OUT"},
		args:  args{min: 1, max: 1, name: "FILE"},
		no:    "the program would not run with it",
		flags: append(append([]flag{opt.indexFlag()}, opt.header()...),
			opt.spanFlag(), opt.dryRunFlag(), opt.jsonFlag(), opt.strictFlag(), opt.outputFlag()),
		examples: []example{
			{"what would change", "elfwright phdr set --index=0 --flags=r --dry-run /bin/ls"},
			{"the same for a script", "elfwright phdr set --index=0 --flags=r --dry-run --json /bin/ls"},
		},
		run: func(c *call) error { return errNotBuilt },
	}
}

func phdrRmVerb() *verb {
	opt := &phdrFlags{index: -1}
	return &verb{
		name:  "rm",
		short: "remove program headers; their bytes stay in the file",
		usage: []string{"--index=N|--type=TYPE [flags] FILE -o OUT"},
		args:  args{min: 1, max: 1, name: "FILE"},
		no:    "the program would not run without it",
		flags: []flag{opt.indexFlag(), opt.typeFlag(), opt.dryRunFlag(), opt.jsonFlag(), opt.strictFlag(), opt.outputFlag()},
		examples: []example{
			{"what would change", "elfwright phdr rm --type=GNU_EH_FRAME --dry-run /bin/ls"},
			{"a copy without its notes' headers", "elfwright phdr rm --type=NOTE /bin/ls -o ls.plain && ./ls.plain"},
		},
		run: func(c *call) error { return errNotBuilt },
	}
}

// header are the flags that say what a program header's fields are.
func (o *phdrFlags) header() []flag {
	return []flag{
		o.typeFlag(),
		{name: "flags", to: &o.flags, value: "rwx", help: "p_flags, as letters"},
		{name: "memsz", to: &o.memsz, help: "p_memsz: bytes of memory, zero-filled after those of the file; 0x, K, M and G are understood"},
		{name: "vaddr", to: &o.vaddr, value: "A", help: "p_vaddr; chosen if not given"},
		{name: "paddr", to: &o.paddr, value: "A", help: "p_paddr; as p_vaddr if not given"},
		{name: "align", to: &o.align, help: "p_align; the machine's page if not given"},
	}
}

func (o *phdrFlags) typeFlag() flag {
	return flag{name: "type", to: &o.typ, value: "TYPE", help: "p_type: LOAD, NOTE, another name that show prints, or a number such as 0x65770001"}
}

func (o *phdrFlags) indexFlag() flag {
	return flag{name: "index", to: &o.index, help: "which header, counted from 0 as phdr list prints them"}
}

func (o *phdrFlags) spanFlag() flag {
	return flag{name: "range", to: &o.span, value: "START..END|SECTION", help: "name these addresses, or this section, instead of adding bytes"}
}

func (o *phdrFlags) techniqueFlag() flag {
	return flag{name: "technique", to: &o.technique, help: "make room for the table in this way only; the report tells their names"}
}

func (o *phdrFlags) dryRunFlag() flag {
	return flag{name: "dry-run", to: &o.dryRun, help: "report what would be done, and write nothing"}
}

func (o *phdrFlags) jsonFlag() flag {
	return flag{name: "json", to: &o.json, help: "print the answer as one JSON document"}
}

func (o *phdrFlags) strictFlag() flag {
	return flag{name: "strict", to: &o.strict, help: "take warnings for refusals"}
}

func (o *phdrFlags) outputFlag() flag {
	return flag{name: "output", short: "o", to: &o.output, value: "OUT", files: true, help: "where to write; may be FILE itself, or a dash"}
}
