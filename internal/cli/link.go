package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"elfwright/elffile"
	"elfwright/image"
	"elfwright/link"
	"elfwright/link/emul"
	"elfwright/link/model"
	"elfwright/link/options"
	webpage "elfwright/page"
	"elfwright/show"
)

func linkVerb() *verb {
	return &verb{
		name:  "link",
		short: "link objects and archives by a linker script of GNU ld's language",
		usage: []string{"[ld options] FILE…", "-T SCRIPT [ld options] FILE… -o OUT"},
		args:  args{max: -1, name: "FILE"},
		raw:   true,
		long: `The options are those of GNU ld; docs/link-options.md lists all of them, and what becomes of each. Started under a name that is ld or ends in -ld or in ld.elfwright this program is this verb: a link called ld in a directory that gcc is given with -B, or aarch64-linux-gnu-ld in the PATH of a build.

Without -T a default script lays the output out; --verbose prints it. It is a script like any other: one given with -T that says INSERT adds to it.

What GNU ld has not: --add-phdr puts one more program header on top of those that the script, or the default layout, gives. It names a type (a word such as LOAD, NOTE, or a number) and what it is over: 'sections=PATTERN' for output sections, 'vaddr=A size=N' for a range, 'size=N' alone for N new zeros with a LOAD of their own above all others. --spare-program-headers leaves empty entries. --dialect=lld takes lld's rules where the two linkers differ. --map-html writes a page with the picture of the output, --timing tells how long each pass took.

Shared objects are not linked; an output may be one (-shared), or be loadable anywhere (-pie).`,
		examples: []example{
			{"the default script of a machine", "elfwright link -m aarch64linux --verbose"},
			{"an object of any file's bytes, with symbols for its start, end and size", "elfwright link -r --format=binary /bin/ls -o ls.o && elfwright show -s ls.o"},
			{"an image of it with one more program header, over a heap of 64 KiB of its own", "elfwright link --format=binary /bin/ls -e 0 --add-phdr '0x6ffffff0 flags=rw size=64K align=4K' -o image && elfwright show -l image"},
		},
		run: runLink,
	}
}

// linker reports whether a program of this name is a linker.
func linker(program string) bool {
	base := filepath.Base(program)
	for _, end := range []string{"ld", "ld.elfwright", "ld.bfd"} {
		if base == end || strings.HasSuffix(base, "-"+end) {
			return true
		}
	}
	return false
}

// Arguments are the arguments for Main of a command line with the program's
// name: under the name of a linker the program is the verb link.
func Arguments(args []string) []string {
	if len(args) == 0 {
		return nil
	}
	if linker(args[0]) {
		return append([]string{"link", programFlag + args[0]}, args[1:]...)
	}
	return args[1:]
}

// programFlag, before all others, tells link the name that it was started under.
const programFlag = "--started-as="

func runLink(c *call) error {
	program, args := "", c.args
	if len(args) > 0 && strings.HasPrefix(args[0], programFlag) {
		program, args = args[0][len(programFlag):], args[1:]
	}
	opt, asked, err := options.Parse(args, os.ReadFile)
	if err != nil {
		return linkUsage(c, err)
	}
	if asked.Timing && c.prog.timing == nil {
		c.prog.timing = newTiming()
	}
	if opt.Demangle == nil && slices.ContainsFunc(c.prog.environ(), noDemangle) {
		opt.Demangle = new(bool)
	}
	if opt.Emulation == "" {
		if e := emul.ByProgram(program); e != nil {
			opt.Emulation = e.Name
		}
	}
	if done, err := linkAnswer(c, opt, asked, program); done || err != nil {
		return err
	}
	defer lateGC(c.prog.last)()
	if c.prog.profiles.mem == "" {
		runtime.MemProfileRate = 0 // nobody will ask who allocated what
	}
	res, err := link.Link(opt, link.Host{Phase: c.phase, Demangle: show.Demangle})
	return linkReport(c, opt, res, err)
}

// noDemangle says whether a string of the environment is what GNU ld takes for
// --no-demangle: gcc spells the names itself then. Its value does not count.
func noDemangle(env string) bool { return strings.HasPrefix(env, "COLLECT_NO_DEMANGLE=") }

// linkUsage is a fault of the command line, one line for each.
func linkUsage(c *call, err error) error {
	return usageError{c.prog.path, strings.ReplaceAll(err.Error(), "\n", "\n"+c.prog.path+": ")}
}

// linkAnswer prints what a command line asks for that links nothing.
func linkAnswer(c *call, opt *model.Options, asked options.Asked, program string) (done bool, err error) {
	if asked.Version || asked.Banner {
		// Linux's build wants "GNU ld" first and the version of it last.
		fmt.Fprintf(c.out, "GNU ld (compatible with it: elfwright link) %s\n", link.GNU)
	}
	if asked.Emulations {
		fmt.Fprintf(c.out, "  Supported emulations:\n   %s\n", strings.Join(emul.Names(), "\n   "))
	}
	switch {
	case asked.Help:
		writeHelp(c.out, c.verb, c.prog.path, c.prog.helpWidth())
		writeOptions(c.out)
		return true, nil
	case asked.Sysroot:
		fmt.Fprintln(c.out, opt.Sysroot)
		return true, nil
	case asked.Format:
		e, err := link.Emulation(opt)
		if err == nil {
			fmt.Fprintln(c.out, e.Format())
		}
		return err != nil || len(opt.Inputs) == 0, err
	case asked.Script:
		text, external, err := link.ScriptText(opt)
		if err != nil {
			return true, err
		}
		which := "internal"
		if external {
			which = "external"
		}
		fmt.Fprintf(c.out, "using %s linker script:\n%[2]s\n%[3]s\n%[2]s\n", which, strings.Repeat("=", 50), text)
	}
	files := slices.ContainsFunc(opt.Inputs, func(in model.Input) bool { return in.Mark == 0 })
	return !files && (asked.Version || asked.Banner || asked.Script), nil
}

// linkReport prints what a link has to say.
func linkReport(c *call, opt *model.Options, res *link.Result, err error) error {
	if res == nil {
		return err
	}
	for _, line := range res.Trace {
		fmt.Fprintln(c.out, line)
	}
	if !opt.NoWarnings {
		for _, w := range res.Warnings {
			fmt.Fprintf(c.err, "%s: warning: %v\n", c.prog.path, w)
		}
	}
	for _, line := range res.Notes {
		fmt.Fprintln(c.err, line)
	}
	for _, t := range res.Texts {
		if werr := writeText(c, t); werr != nil {
			err = errors.Join(err, werr)
		}
	}
	if opt.MapHTML != "" && res.Output != "" && err == nil {
		err = linkPage(c, opt.MapHTML, res.Output)
	}
	return err
}

// linkPage writes the page of the output, as show --html does.
func linkPage(c *call, name, output string) error {
	file, err := elffile.Open(output)
	if err != nil {
		return err
	}
	defer file.Close()
	var bad error
	c.args = []string{output}
	err = writePage(c, name, []webpage.Subject{{Image: image.FromFile(file), File: file}}, &bad)
	return errors.Join(err, bad)
}

// writeText writes a map, a rule of make, a table.
func writeText(c *call, t link.Text) error {
	if t.File == "-" {
		return t.Write(c.out)
	}
	f, err := os.Create(t.File)
	if err != nil {
		return err
	}
	err = t.Write(f)
	var perr *fs.PathError
	if e := f.Close(); err == nil && errors.As(e, &perr) {
		err = e
	}
	return err
}
