package cli

import (
	"fmt"
	"os"
	"strconv"

	"elfwright/freeze"
)

// coreFlags are those of freeze that are about core files.
type coreFlags struct {
	to   bool
	from bool
	exe  string
	// unjoined is what freeze.Options has.
	unjoined bool
}

func (f *coreFlags) flags() []flag {
	const group = "Core files"
	return []flag{
		{name: "to-core", to: &f.to, group: group, help: "write an ELF core file for debuggers, of the process PID or of the frozen FILE that is named instead"},
		{name: "core", to: &f.from, group: group, help: "make an executable of an ELF core file, the kernel's or gcore's: memory, registers and threads go on; what cores do not have is told"},
		{name: "exe", to: &f.exe, value: "PROG", files: true, group: group, help: "with --core: the program, if it is not where it was"},
		{name: "unjoined", to: &f.unjoined, group: group, help: "with --core: go on with several threads of a C library that is not known; who waits for the end of one may wait for ever"},
	}
}

// runToCore writes a core of a process or a frozen file.
func runToCore(c *call, f *freezeFlags, opt freeze.Options) error {
	what := c.args[0]
	write := func() (*freeze.CoreReport, error) { return freeze.FileToCore(what, f.output, opt) }
	if pid, err := strconv.Atoi(what); err == nil && pid > 0 {
		if _, err := os.Stat(what); err != nil { // a file of that name comes first
			write = func() (*freeze.CoreReport, error) { return freeze.ToCore(pid, f.output, opt) }
		}
	}
	r, err := write()
	if err != nil {
		return err
	}
	f.tell(c, r.Warnings)
	if len(r.Files) > 1 {
		for _, name := range r.Files {
			fmt.Fprintln(c.out, name)
		}
	}
	return nil
}

func (f *freezeFlags) tell(c *call, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(c.err, "%s: %s: %s\n", c.prog.path, f.output, w)
	}
}

// check refuses flags that do not go together.
func (f *coreFlags) check(c *call, all *freezeFlags) error {
	switch {
	case f.to && f.from:
		return c.usagef("flags --core and --to-core: one of them")
	case (f.to || f.from) && all.run:
		return c.usagef("flag --run: does not go with --core and --to-core")
	case f.exe != "" && !f.from:
		return c.usagef("flag --exe: is for --core")
	case f.unjoined && !f.from:
		return c.usagef("flag --unjoined: is for --core")
	case f.from && all.kill:
		return c.usagef("flag --kill: a core has no process that goes on")
	case f.from && all.argsFD != 0:
		return c.usagef("flag --args-fd: a core has no descriptors")
	}
	return nil
}

// runFromCore makes an executable of a core.
func runFromCore(c *call, f *freezeFlags, opt freeze.Options) error {
	r, err := freeze.FromCore(c.args[0], f.core.exe, f.output, opt)
	if err != nil {
		return err
	}
	f.tell(c, r.Warnings)
	return nil
}
