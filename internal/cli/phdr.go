package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"elfwright/attach"
	"elfwright/elffile"
	"elfwright/image"
	"elfwright/payload"
	"elfwright/phdr"
)

// phdrFlags are what the command line of phdr's verbs says.
type phdrFlags struct {
	phdrHeader
	rewrite
	also                   []string
	technique, overlay     string
	pageSize               uint64
	strict, force, compact bool
}

// phdrHeader is a program header as flags, or as the words of --also.
type phdrHeader struct {
	typ, flags, file, span, section string
	memsz, vaddr, paddr, align      uint64
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
		flags: []flag{pageSizeFlag(&opt.pageSize), opt.jsonFlag("for each file")},
		examples: []example{
			{"the program headers of ls", "elfwright phdr list /bin/ls"},
			{"for a script", "elfwright phdr list --json /bin/ls"},
		},
		run: func(c *call) error { return runPhdrList(c, opt) },
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
		long: `Bytes and memory are loaded: a header that is not LOAD names them inside a new LOAD, so that the program finds them by dl_iterate_phdr or getauxval(AT_PHDR).

Room for a longer table is made in the first of these ways that the file allows:

` + phdrTechniques() + `

FILE may be OUT: it is replaced when the new one is complete. OUT gets FILE's mode, set-id bits too, and belongs to whoever runs elfwright; extended attributes, such as file capabilities, are not copied. Other hard links of an OUT that existed keep the old contents; a symbolic link is followed.`,
		flags: append(opt.headerFlags(true),
			flag{name: "also", to: &opt.also, value: "KEY=VALUE,…", help: "one more header in the same step; the keys are the flags above"},
			opt.techniqueFlag(), overlayFlag(&opt.overlay), pageSizeFlag(&opt.pageSize), opt.forceFlag("edit a dynamic linker, too"),
			opt.strictFlag(), opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag()),
		examples: []example{
			{"memory of its own, zero-filled", "elfwright phdr add --type=LOAD --flags=rw --memsz=1M /bin/ls -o ls.arena && ./ls.arena"},
			{"a private header that names a section", "elfwright phdr add --type=0x65770001 --range=.rodata /bin/ls --dry-run"},
			{"bytes of a file, and memory, in one step", "elfwright phdr add --type=0x65770001 --file=/etc/hostname --also=type=0x65770002,memsz=64K /bin/ls -o ls.both && ./ls.both"},
		},
		run: func(c *call) error { return runPhdrAdd(c, opt) },
	}
}

func phdrSetVerb() *verb {
	opt := new(phdrFlags)
	return &verb{
		name:  "set",
		short: "change fields of a program header",
		usage: []string{"INDEX|TYPE [flags] FILE -o OUT"},
		args:  args{min: 2, max: 2, name: "arguments (INDEX|TYPE and FILE)"},
		no:    "the program would not run with it",
		flags: append(opt.headerFlags(false), overlayFlag(&opt.overlay), pageSizeFlag(&opt.pageSize), opt.forceFlag("break a rule of loaders"),
			opt.strictFlag(), opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag()),
		examples: []example{
			{"what would change", "elfwright phdr set GNU_STACK --memsz=1M --dry-run /bin/ls"},
			{"the same for a script", "elfwright phdr set GNU_STACK --memsz=1M --dry-run --json /bin/ls"},
		},
		run: func(c *call) error { return runPhdrSet(c, opt) },
	}
}

func phdrRmVerb() *verb {
	opt := new(phdrFlags)
	return &verb{
		name:  "rm",
		short: "remove program headers; their bytes stay in the file",
		usage: []string{"INDEX|TYPE… [flags] FILE -o OUT"},
		args:  args{min: 2, max: -1, name: "arguments (INDEX|TYPE… and FILE)"},
		no:    "the program would not run without it",
		long:  `The entries become PT_NULL and go to the end of the table, where add finds them again. A TYPE removes all headers of that type.`,
		flags: []flag{
			{name: "compact", to: &opt.compact, help: "shorten the table in place of leaving PT_NULL entries"},
			pageSizeFlag(&opt.pageSize), opt.forceFlag("remove what the program needs"), opt.strictFlag(), opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag()},
		examples: []example{
			{"what would change", "elfwright phdr rm GNU_PROPERTY --dry-run /bin/ls"},
			{"a copy without its notes' headers", "elfwright phdr rm NOTE /bin/ls -o ls.plain && ./ls.plain"},
		},
		run: func(c *call) error { return runPhdrRm(c, opt) },
	}
}

// headerFlags say what a program header's fields are.
func (o *phdrFlags) headerFlags(bytes bool) []flag {
	h := &o.phdrHeader
	out := []flag{
		{name: "type", to: &h.typ, value: "TYPE", help: "p_type: LOAD, NOTE, another name that show prints, or a number such as 0x65770001"},
		{name: "flags", to: &h.flags, value: "rwx", help: "p_flags, as letters; for new bytes r, for new memory rw if not given"},
		{name: "range", to: &h.span, value: "START..END|SECTION", help: "name these addresses, or this section, instead of adding bytes"},
		{name: "memsz", to: &h.memsz, help: "p_memsz: bytes of memory, zero-filled after those of the file; 0x, K, M and G are understood"},
		{name: "vaddr", to: &h.vaddr, value: "A", help: "p_vaddr; chosen if not given"},
		{name: "paddr", to: &h.paddr, value: "A", help: "p_paddr; as p_vaddr if not given"},
		{name: "align", to: &h.align, help: "p_align; the machine's page for LOAD if not given"},
	}
	if bytes {
		out = slices.Insert(out, 2, flag{name: "file", to: &h.file, value: "DATA", files: true, help: "load the bytes of this file"})
		out = append(out, flag{name: "section", to: &h.section, value: "NAME", help: "name of the section that covers new bytes or memory, without which strip would drop them"})
	}
	return out
}

func phdrTechniques() string {
	var b strings.Builder
	names, does := phdr.Techniques()
	for i := range names {
		fmt.Fprintf(&b, "  %-12s %s\n", names[i], does[i])
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (o *phdrFlags) techniqueFlag() flag {
	names, _ := phdr.Techniques()
	return flag{name: "technique", to: &o.technique, value: "NAME", words: names, help: "make room for the table in this way only"}
}

func overlayFlag(to *string) flag {
	return flag{name: "overlay", to: to, words: []string{"stay", "move"}, help: "what becomes of bytes at the end that no header names, such as an archive: they stay where they are, and new bytes follow; or they move, to remain the last"}
}

func pageSizeFlag(to *uint64) flag {
	return flag{name: "page-size", to: to, help: "the largest page of the machine, for one that is not known here"}
}

func (o *phdrFlags) forceFlag(does string) flag {
	return flag{name: "force", to: &o.force, help: does}
}

func (o *phdrFlags) strictFlag() flag {
	return flag{name: "strict", to: &o.strict, help: "take warnings for refusals"}
}

// options makes of the flags what package phdr takes.
func (o *phdrFlags) options() phdr.Options {
	return phdr.Options{
		PageSize: o.pageSize, Technique: o.technique, Overlay: phdr.Overlay(o.overlay),
		Force: o.force, Compact: o.compact, Strict: o.strict,
	}
}

// runPhdrList prints each table. What is wrong with one is told behind it, and
// the next one is listed all the same.
func runPhdrList(c *call, o *phdrFlags) error {
	var unread, bad error
	for _, name := range c.args {
		f, err := elffile.Open(name)
		if err != nil {
			unread = errors.Join(unread, err)
			continue
		}
		var faults error
		err = f.Guard(func() (err error) { faults, err = printListing(c, f, o); return err })
		unread, bad = errors.Join(unread, err), errors.Join(bad, faults)
		f.Close()
		if c.out.closed() {
			break
		}
	}
	if unread != nil {
		return errors.Join(unread, bad)
	}
	return faulty(bad)
}

func printListing(c *call, f *elffile.File, o *phdrFlags) (faults, err error) {
	l := phdr.List(f, o.options())
	if o.json {
		return l.Err(), writeJSON(c.out, l)
	}
	if len(c.args) > 1 {
		fmt.Fprintf(c.out, "%s:\n", f.Name)
	}
	return l.Err(), l.WriteText(c.out)
}

// edit opens a file, lets do change it, and writes and reports the result.
func (o *phdrFlags) edit(c *call, name string, do func(f *elffile.File) (*phdr.Result, error)) error {
	return o.rewrite.run(c, name, func(f *elffile.File) (*elffile.Body, report, error) {
		r, err := do(f)
		if err != nil {
			return nil, nil, err
		}
		body, err := refit(f.Name, r.Body, o.options())
		return body, r.Report, err
	})
}

// refit makes the payloads of a program right again where an edit has moved them
// in the file: the headers of objects, and the prelude that mounts trees, know
// their places.
func refit(name string, body *elffile.Body, opt phdr.Options) (*elffile.Body, error) {
	f, err := elffile.ParseBody(name, body)
	if err != nil {
		return nil, err
	}
	dirs, err := payload.Read(f)
	moved := slices.ContainsFunc(dirs, func(d *payload.Directory) bool { return d.Self != d.Off })
	if err != nil || !moved { // what is damaged stays so
		return body, nil
	}
	r, err := attach.Fix(f, attach.Options{Options: opt})
	if err != nil {
		return nil, err
	}
	return r.Body, r.Close()
}

func runPhdrAdd(c *call, o *phdrFlags) error {
	list := []phdrHeader{o.phdrHeader}
	for _, words := range o.also {
		h, err := parseAlso(words)
		if err != nil {
			return c.usagef("flag --also: %v", err)
		}
		list = append(list, h)
	}
	return o.edit(c, c.args[0], func(f *elffile.File) (*phdr.Result, error) {
		var headers []phdr.Header
		for i := range list {
			h, err := o.header(c, f, &list[i])
			if err != nil {
				return nil, err
			}
			headers = append(headers, h)
		}
		return phdr.Add(f, headers, o.options())
	})
}

// header makes of a header's flags what package phdr takes.
func (o *phdrFlags) header(c *call, f *elffile.File, h *phdrHeader) (out phdr.Header, err error) {
	if h.typ == "" {
		return out, c.usagef("which type? say --type=LOAD, or a number such as 0x65770001")
	}
	if out.Type, err = phdr.ParseType(f.Header.Machine, h.typ); err != nil {
		return out, c.usagef("flag --type: %v", err)
	}
	if h.flags != "" {
		if out.Flags, err = phdr.ParseFlags(h.flags); err != nil {
			return out, c.usagef("flag --flags: %v", err)
		}
	}
	if h.span != "" {
		r, err := phdr.FindRange(f, h.span)
		if err != nil {
			return out, fmt.Errorf("--range: %w", err)
		}
		out.Range = &r
	}
	if h.file != "" {
		if out.Data, err = o.openData(h.file); err != nil {
			return out, err
		}
	}
	out.Memsz, out.Align, out.Section = h.memsz, h.align, h.section
	out.Vaddr, out.Paddr = image.Addr(h.vaddr), image.Addr(h.paddr)
	return out, nil
}

// parseAlso reads "type=LOAD,flags=rw,memsz=1M".
func parseAlso(s string) (phdrHeader, error) {
	var h phdrHeader
	words := map[string]*string{"type": &h.typ, "flags": &h.flags, "file": &h.file, "range": &h.span, "section": &h.section}
	numbers := map[string]*uint64{"memsz": &h.memsz, "vaddr": &h.vaddr, "paddr": &h.paddr, "align": &h.align}
	for part := range strings.SplitSeq(s, ",") {
		key, value, ok := strings.Cut(part, "=")
		switch {
		case ok && words[key] != nil:
			*words[key] = value
		case ok && numbers[key] != nil:
			n, err := parseNumber(value)
			if err != nil {
				return h, fmt.Errorf("%s: %q: %w", key, value, err)
			}
			*numbers[key] = n
		default:
			return h, fmt.Errorf("%q: want KEY=VALUE, and KEY is type, flags, file, range, section, memsz, vaddr, paddr or align", part)
		}
	}
	return h, nil
}

func runPhdrSet(c *call, o *phdrFlags) error {
	return o.edit(c, c.args[1], func(f *elffile.File) (*phdr.Result, error) {
		at, err := phdr.Select(f, c.args[0])
		if err != nil {
			return nil, err
		}
		if len(at) > 1 {
			return nil, fmt.Errorf("%s: %d program headers are of type %s: say which by index, one of %d", f.Name, len(at), c.args[0], at)
		}
		change, err := o.change(c, f)
		if err != nil {
			return nil, err
		}
		return phdr.Set(f, at[0], change, o.options())
	})
}

// change makes of the flags that were given what package phdr takes.
func (o *phdrFlags) change(c *call, f *elffile.File) (phdr.Change, error) {
	var ch phdr.Change
	if c.changed("memsz") {
		ch.Memsz = &o.memsz
	}
	if c.changed("align") {
		ch.Align = &o.align
	}
	if c.changed("vaddr") {
		ch.Vaddr = (*image.Addr)(&o.vaddr)
	}
	if c.changed("paddr") {
		ch.Paddr = (*image.Addr)(&o.paddr)
	}
	if err := o.changeWords(c, f, &ch); err != nil {
		return ch, err
	}
	if ch == (phdr.Change{}) {
		return ch, c.usagef("which field? say --flags, --memsz or another")
	}
	return ch, nil
}

// changeWords reads the flags that are no numbers.
func (o *phdrFlags) changeWords(c *call, f *elffile.File, ch *phdr.Change) error {
	if c.changed("type") {
		t, err := phdr.ParseType(f.Header.Machine, o.typ)
		if err != nil {
			return c.usagef("flag --type: %v", err)
		}
		ch.Type = &t
	}
	if c.changed("flags") {
		p, err := phdr.ParseFlags(o.flags)
		if err != nil {
			return c.usagef("flag --flags: %v", err)
		}
		ch.Flags = &p
	}
	if c.changed("range") {
		r, err := phdr.FindRange(f, o.span)
		if err != nil {
			return fmt.Errorf("--range: %w", err)
		}
		ch.Range = &r
	}
	return nil
}

func runPhdrRm(c *call, o *phdrFlags) error {
	last := len(c.args) - 1
	return o.edit(c, c.args[last], func(f *elffile.File) (*phdr.Result, error) {
		var indexes []int
		for _, arg := range c.args[:last] {
			at, err := phdr.Select(f, arg)
			if err != nil {
				return nil, err
			}
			indexes = append(indexes, at...)
		}
		return phdr.Remove(f, indexes, o.options())
	})
}
