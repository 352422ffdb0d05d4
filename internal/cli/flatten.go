package cli

import (
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/flat"
)

// flattenFlags are what the command line of flatten says.
type flattenFlags struct {
	rewrite
	format, from, fill, entry, family string
	machine, class, byteOrder         string
	only                              []string
	base, padTo, maxSpan              uint64
	srecLen, width                    int

	virtual, segments, allowGap, forceS3, layout bool
}

func flattenVerb() *verb {
	opt := new(flattenFlags)
	return &verb{
		name:  "flatten",
		short: "make a raw binary, Intel HEX, S-records, UF2 or Verilog hex of a program, or a program of these",
		usage: []string{"[flags] FILE -o OUT", "--from=FORMAT [flags] FILE -o OUT"},
		args:  args{min: 1, max: 1, name: "FILE"},
		no:    "what was asked for does not fit the format, overlaps, or is not there",
		long: `The bytes that FILE loads go to their physical addresses (p_paddr). Where FILE has section headers the bytes are those of its sections, and OUT is byte for byte what GNU objcopy makes of it; where it has none, or they are broken, they are those of its LOAD headers, ELF header included if it is loaded. What a gap has no bytes for is a hole in a raw binary, zero when read and not stored, and is left out of the other formats.

Two sections or headers that want different bytes at one address are refused, as is a gap of more than 64 MiB and a span of more than 4 GiB; the message says which flag takes it. Where they agree on the bytes they are taken.

With --from a flat file becomes an executable with one LOAD header and one section for each run of bytes, and the address of the start record as its entry. Its memory is readable, writable and executable, since a flat file does not say; zeros that a program had behind its bytes are not in it.`,
		flags: slices.Concat(opt.outFlags(), opt.inFlags(), []flag{opt.dryRunFlag(), opt.jsonFlag(""), opt.outputFlag()}),
		examples: []example{
			{"a raw binary of a library, and where each section went", "elfwright flatten /lib/x86_64-linux-gnu/libc.so.6 -o libc.bin --map"},
			{"Intel HEX of the first KiB, and a program of it again", "elfwright flatten --only=0..0x400 /bin/ls -o ls.hex && elfwright flatten --from=ihex --machine=x86-64 ls.hex -o part"},
			{"what the S-records of ls would be made of", "elfwright flatten --format=srec --segments --dry-run --json /bin/ls"},
		},
		run: func(c *call) error { return runFlatten(c, opt) },
	}
}

// outFlags are those for making a flat file.
func (o *flattenFlags) outFlags() []flag {
	return []flag{
		{name: "format", to: &o.format, words: flat.Formats(), help: "the form of OUT; by its suffix if not given, else bin"},
		{name: "virtual", to: &o.virtual, help: "take virtual addresses (p_vaddr)"},
		{name: "segments", to: &o.segments, help: "take the bytes of LOAD headers also where there are sections"},
		{name: "only", short: "j", to: &o.only, value: "START..END|SECTION|INDEX", help: "take these addresses, this section, or the section or header of this index; may be given again"},
		{name: "base", to: &o.base, value: "A", help: "address of the first byte of a raw binary; the lowest there is if not given"},
		{name: "fill", to: &o.fill, value: "BYTE", help: "fill gaps with this byte, in every format"},
		{name: "pad-to", to: &o.padTo, value: "A", help: "add bytes up to this address"},
		{name: "allow-gap", to: &o.allowGap, help: "take gaps of more than 64 MiB"},
		{name: "max-span", to: &o.maxSpan, help: "refuse more bytes than this from the first to the last; 4G if not given"},
		{name: "entry", to: &o.entry, value: "A|none", help: "start address, instead of the file's"},
		{name: "srec-len", to: &o.srecLen, help: "data bytes of an S-record; 16 if not given"},
		{name: "srec-force-s3", also: []string{"srec-forceS3"}, to: &o.forceS3, help: "write S3 records also where S1 or S2 would do"},
		{name: "width", to: &o.width, help: "bytes of a word in Verilog hex: 1, 2, 4, 8 or 16"},
		{name: "family", to: &o.family, value: "NAME|N", help: "family of boards that UF2 blocks are for: " + familyNames() + ", or a number"},
		{name: "map", to: &o.layout, help: "print what went where in OUT"},
	}
}

// inFlags are those for making a program of a flat file.
func (o *flattenFlags) inFlags() []flag {
	const back = "Flags with --from"
	return []flag{
		{name: "from", to: &o.from, value: "ihex|srec|uf2|vmem|bin@A", group: back, help: "make an ELF file of one in this format; a raw binary begins at address A"},
		{name: "machine", to: &o.machine, value: "NAME|N", group: back, help: "machine of the program: " + strings.Join(flat.Machines(), ", ") + ", or its number (e_machine); a UF2 family may tell"},
		{name: "class", to: &o.class, words: []string{"32", "64"}, group: back, help: "class of the program, if it is not the machine's usual one"},
		{name: "byte-order", to: &o.byteOrder, words: []string{"little", "big"}, group: back, help: "byte order of the program, if it is not the machine's usual one"},
	}
}

func familyNames() string {
	var names []string
	for _, f := range flat.Families() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

func runFlatten(c *call, o *flattenFlags) error {
	if o.from != "" {
		return runUnflatten(c, o)
	}
	opt, err := o.options(c)
	if err != nil {
		return err
	}
	o.plain = true
	return o.rewrite.run(c, c.args[0], func(f *elffile.File) (*elffile.Body, report, error) {
		r, err := flat.Flatten(f, opt)
		if err != nil {
			return nil, nil, err
		}
		r.Report.Map = o.layout
		return r.Body, r.Report, nil
	})
}

// options makes of the flags what package flat takes.
func (o *flattenFlags) options(c *call) (flat.Options, error) {
	opt := flat.Options{
		Format: flat.Format(o.format), Virtual: o.virtual, Segments: o.segments, Only: o.only,
		AllowGap: o.allowGap, MaxSpan: o.maxSpan, Name: o.output,
		SRecLen: o.srecLen, ForceS3: o.forceS3, Width: o.width,
	}
	if o.format == "" {
		opt.Format = flat.FormatOf(o.output)
	}
	if c.changed("base") {
		opt.Base = &o.base
	}
	if c.changed("pad-to") {
		opt.PadTo = &o.padTo
	}
	if c.changed("fill") {
		n, err := parseNumber(o.fill)
		if err != nil || n > 255 {
			return opt, c.usagef("flag --fill: %q: want a byte, such as 0xff", o.fill)
		}
		opt.Fill = new(byte(n))
	}
	if c.changed("family") {
		id, err := flat.ParseFamily(o.family)
		if err != nil {
			return opt, c.usagef("flag --family: %v", err)
		}
		opt.Family = id
	}
	var err error
	opt.Entry, opt.NoEntry, err = o.start(c)
	return opt, err
}

// start reads --entry.
func (o *flattenFlags) start(c *call) (entry *uint64, none bool, err error) {
	if !c.changed("entry") {
		return nil, false, nil
	}
	if o.entry == "none" {
		return nil, true, nil
	}
	n, err := parseNumber(o.entry)
	if err != nil {
		return nil, false, c.usagef("flag --entry: %q: want an address, or none", o.entry)
	}
	return &n, false, nil
}

// runUnflatten makes a program of a flat file.
func runUnflatten(c *call, o *flattenFlags) error {
	for _, f := range o.outFlags() {
		if c.changed(f.name) && f.name != "entry" && f.name != "width" && f.name != "family" {
			return c.usagef("flag --%s: not with --from", f.name)
		}
	}
	t, err := flat.ParseTarget(o.machine, o.class, o.byteOrder)
	if err != nil {
		return c.usagef("flag --machine: %v", err)
	}
	opt, err := o.readOptions(c, t)
	if err != nil {
		return err
	}
	entry, none, err := o.start(c)
	if err != nil {
		return err
	}
	if none {
		entry = new(uint64)
	}
	return o.rewrite.convert(c, c.args[0], func(name string, d elffile.Data) (*elffile.Body, report, error) {
		contents, err := flat.Read(name, d, opt)
		if err != nil {
			return nil, nil, err
		}
		body, r, err := contents.ELF(t, entry)
		return body, r, err
	})
}

// readOptions makes of the flags what package flat takes to read.
func (o *flattenFlags) readOptions(c *call, t flat.Target) (flat.ReadOptions, error) {
	format, base, at := strings.Cut(o.from, "@")
	opt := flat.ReadOptions{Format: flat.Format(format), Width: o.width, Big: t.Big()}
	switch {
	case !slices.Contains(flat.Formats(), format) || at != (opt.Format == flat.Bin):
		return opt, c.usagef("flag --from: %q: want ihex, srec, uf2, vmem, or bin@A with the address of the first byte", o.from)
	case at:
		n, err := parseNumber(base)
		if err != nil {
			return opt, c.usagef("flag --from: address %q: %v", base, err)
		}
		opt.Base = n
	}
	if c.changed("family") {
		id, err := flat.ParseFamily(o.family)
		if err != nil {
			return opt, c.usagef("flag --family: %v", err)
		}
		opt.Family = id
	}
	return opt, nil
}
