package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"elfwright/elffile"
	"elfwright/patch"
	"elfwright/phdr"
	"elfwright/show"
)

// patchFlags are what the command line of patch says.
type patchFlags struct {
	rewrite
	symbols, sets, sections, betweens []string
	from, fill, overlay               string
	pageSize                          uint64
	noMatch, force, strict            bool
}

func patchVerb() *verb {
	o := new(patchFlags)
	return &verb{
		name:  "patch",
		short: "set variables of a finished program by name, member, section or address",
		usage: []string{"IMAGE [--symbols SYMS]… --set PLACE[:TYPE]=VALUE… -o OUT"},
		args:  args{min: 1, max: 1, name: "IMAGE"},
		no:    "a name is not there or means several things, a value does not fit, or the files do not belong together",
		long:  patchLong,
		flags: []flag{
			{name: "symbols", to: &o.symbols, value: "SYMS", files: true, help: "take names and types from this file; may be given several times, and IMAGE itself comes last"},
			{name: "set", to: &o.sets, value: "PLACE[:TYPE]=VALUE", help: "what to write, and where"},
			{name: "section", to: &o.sections, value: "NAME=VALUE", help: "replace a section, as with @FILE; what a shorter value leaves over is filled"},
			{name: "between", to: &o.betweens, value: "START,END=VALUE", help: "the same for what is between two places, such as __start_x,__stop_x"},
			{name: "from", to: &o.from, value: "FILE", files: true, help: "more to set, from a JSON file, which may name several outputs"},
			{name: "fill", to: &o.fill, value: "BYTE|keep", help: "what follows a value that is shorter than its place: a byte (0 if not given), or what is there"},
			{name: "no-match", to: &o.noMatch, help: "go on though SYMS seems to be another program's"},
			overlayFlag(&o.overlay),
			pageSizeFlag(&o.pageSize),
			{name: "force", to: &o.force, help: "write beyond the end of a symbol, or where the dynamic linker writes"},
			{name: "strict", to: &o.strict, help: "take warnings for refusals"},
			o.dryRunFlag(), o.jsonFlag(""), o.outputFlag(),
		},
		examples: []example{
			{"a variable; the program returns it", `echo 'int n = 1; int main(void) { return n; }' | gcc -o one -xc - && (elfwright patch --set n=42 one -o answer; ./answer || test $? = 42)`},
			{"a text in .bss, and a member of a structure", `echo 'char name[16]; struct { int a, b; } cfg; int main(void) { return 0; }' | gcc -g -o two -xc - && (elfwright patch --set 'name="you"' --set cfg.b=-1 --dry-run two)`},
			{"what a constant's place would become", `echo 'const int limit = 5; int main(void) { return 0; }' | gcc -o three -xc - && (elfwright patch --set limit=6 --json three -o four)`},
		},
		run: func(c *call) error { return runPatch(c, o) },
	}
}

const patchLong = `PLACE is one of

  name  file.c:name  {any name}   a symbol; a local one of a source file; braces
                                  for names with other characters than C's
  ns::name                        a C++ or Rust name as it is demangled
  cfg.uart.base  tab[3].x         members and elements; DWARF tells where they are
  tab[]                           all elements
  .data  name+8                   a section; bytes behind a place
  0x4010                          an address; needs a TYPE

A name ends where a symbol of that name is there, the longest first; "{a}.b" is member b of a, "{a.b}" a symbol with a dot in its name. Of several symbols a global one comes before a weak and a local one.

TYPE is u8, u16, u32, u64 or another multiple of 8 bits, i8 and so on for signed numbers, f32, f64, bool, ptr, str (text with a NUL), chars (text without) or bytes. Without it DWARF says what the variable is, and where there is no DWARF, its size.

VALUE is one of

  42  -1  0x10  0b1010  4K  'A'   a number, checked against the type
  1.5  inf                        for floating point
  true  RED                       for bool and enumerations
  "text"                          needs room for a NUL
  hex:00ff  @FILE                 bytes
  &name  &name+8                  an address
  image.entry  .start .end .size  facts; also segment[INDEX].start .end .size
                                  .filesz and section[NAME].start .end .size
  1,2,3                           for tab[]

A value is for the whole place: what text, bytes, a file or a list leaves over of it becomes zero (see --fill).

An address in a program that is loaded anywhere (PIE) needs a relocation at its place, whose addend is changed; without one it is refused. So is a write to where the dynamic linker writes.

A variable that starts as zero (.bss) has no byte in the file. Its segment then gets some, up to there; in memory nothing moves. A value in a resettable image (program header PT_SEL4_RESET_REGIONS) is written to the saved copy as well.

OUT gets IMAGE's mode. docs/patch-values.md tells more, and the form of --from.`

func runPatch(c *call, o *patchFlags) error {
	defer o.closeData()
	sets, outputs, err := o.parse(c)
	if err != nil {
		return err
	}
	switch {
	case len(sets) == 0 && len(outputs) == 0:
		return c.usagef("what is to be set? say --set, --section, --between or --from")
	case len(outputs) > 0 && o.output != "":
		return c.usagef("%s names the outputs, and so does -o", o.from)
	case len(outputs) == 0 && o.output == "" && !o.dryRun:
		return c.usagef("where to? name a file with -o, or say --dry-run")
	case len(outputs) == 0:
		outputs = []patch.Output{{Name: o.output}}
	}
	opt, err := o.options(c)
	if err != nil {
		return err
	}
	return o.withFiles(c.args[0], nil, func(img *elffile.File, syms []*elffile.File) error {
		opt.Symbols = syms
		return o.patchAll(c, img, sets, outputs, opt)
	})
}

// parse reads what is to be set.
func (o *patchFlags) parse(c *call) (sets []patch.Set, outputs []patch.Output, err error) {
	for _, s := range o.sets {
		one, err := patch.ParseSet(s, o.openData)
		if err != nil {
			return nil, nil, c.flagError("set", err)
		}
		sets = append(sets, one)
	}
	for _, s := range o.sections {
		name, value, ok := strings.Cut(s, "=")
		v, err := patch.ParseValue(value, o.openData)
		if !ok || name == "" {
			err = fmt.Errorf("%q: want NAME=VALUE", s)
		}
		if err != nil {
			return nil, nil, c.flagError("section", err)
		}
		sets = append(sets, patch.Set{Section: name, Value: v})
	}
	for _, s := range o.betweens {
		names, value, _ := strings.Cut(s, "=")
		from, to, ok := strings.Cut(names, ",")
		v, err := patch.ParseValue(value, o.openData)
		if !ok || from == "" || to == "" {
			err = fmt.Errorf("%q: want START,END=VALUE", s)
		}
		if err != nil {
			return nil, nil, c.flagError("between", err)
		}
		sets = append(sets, patch.Set{Between: [2]string{from, to}, Value: v})
	}
	if o.from == "" {
		return sets, nil, nil
	}
	b, err := os.ReadFile(o.from)
	if err != nil {
		return nil, nil, err
	}
	file, err := patch.ParseFile(o.from, b, o.openData)
	if err != nil {
		return nil, nil, err
	}
	return append(sets, file.Sets...), file.Outputs, nil
}

// flagError is an error in a flag's value; that a file cannot be read is none of
// usage.
func (c *call) flagError(name string, err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p
	}
	return c.usagef("flag --%s: %v", name, err)
}

func (o *patchFlags) options(c *call) (patch.Options, error) {
	opt := patch.Options{NoMatch: o.noMatch, Overlay: phdr.Overlay(o.overlay), PageSize: o.pageSize, Force: o.force, Strict: o.strict, Demangle: show.Demangle}
	switch o.fill {
	case "":
	case "keep":
		opt.KeepRest = true
	default:
		n, err := parseNumber(o.fill)
		if err != nil || n > 0xff {
			return opt, c.usagef("flag --fill: %q: want a byte such as 0xff, or keep", o.fill)
		}
		opt.Fill = byte(n)
	}
	return opt, nil
}

// withFiles opens the image and the symbol files, and runs do while all are
// guarded.
func (o *patchFlags) withFiles(name string, open []*elffile.File, do func(img *elffile.File, syms []*elffile.File) error) error {
	f, err := elffile.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	open = append(open, f)
	return f.Guard(func() error {
		if n := len(open); n <= len(o.symbols) {
			return o.withFiles(o.symbols[n-1], open, do)
		}
		return do(open[0], open[1:])
	})
}

// patchAll makes every output before it writes the first.
func (o *patchFlags) patchAll(c *call, img *elffile.File, sets []patch.Set, outputs []patch.Output, opt patch.Options) error {
	done := c.phase("edit")
	var results []*patch.Result
	for _, out := range outputs {
		all := append(sets[:len(sets):len(sets)], out.Sets...)
		r, err := patch.Apply(img, all, opt)
		if err == nil {
			r.Body, err = refit(img.Name, r.Body, phdr.Options{Overlay: phdr.Overlay(o.overlay), PageSize: o.pageSize})
		}
		if err != nil {
			return answer(err)
		}
		r.Report.Output = out.Name
		results = append(results, r)
	}
	done()
	if !o.dryRun {
		done := c.phase("write")
		for i, out := range outputs {
			one := o.rewrite
			one.output = out.Name
			if err := one.write(c, results[i].Body, img.Mode()); err != nil {
				return err
			}
		}
		done()
	}
	if len(results) == 1 {
		return o.report(c, results[0].Report)
	}
	reports := &patch.Reports{Version: patch.ReportVersion}
	for _, r := range results {
		reports.Outputs = append(reports.Outputs, r.Report)
	}
	return o.report(c, reports)
}
