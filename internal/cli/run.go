package cli

import (
	"crypto/rand"
	"encoding/binary"
	"strings"

	"elfwright/run"
)

// runFlags are what the command line of run says.
type runFlags struct {
	engine, root, stopAt, save string
	libpath, preload, trace    []string
	dryRun                     bool
}

func runVerb() *verb {
	opt := &runFlags{engine: "auto"}
	const where, look = "Libraries", "Looking on"
	return &verb{
		name:  "run",
		short: "start a program with a dynamic linker and libraries of our choice",
		usage: []string{"[flags] PROG [ARG…]"},
		args:  args{min: 1, max: -1, name: "PROG"},
		stops: true,
		long:  runText,
		examples: []example{
			{"a program, as if it were started without us", "elfwright run /bin/ls -d /"},
			{"one that comes from a pipe", "cat /bin/echo | elfwright run - hello"},
			{"what would be mapped", "elfwright run --dry-run /bin/ls"},
		},
		flags: []flag{
			{name: "engine", to: &opt.engine, words: []string{"auto", "own", "interp"}, help: "who links: elfwright itself, or the program's dynamic linker; auto is elfwright where it can"},
			{name: "root", to: &opt.root, value: "DIR", files: true, group: where, help: "take the dynamic linker and the libraries from DIR, another system's root"},
			{name: "libpath", to: &opt.libpath, value: "DIRS", group: where, help: "look for libraries in DIRS first, as LD_LIBRARY_PATH says, which the program does not see"},
			{name: "preload", to: &opt.preload, value: "LIB", group: where, help: "load LIB before all other libraries, as LD_PRELOAD says, which the program does not see"},
			{name: "stop-at", to: &opt.stopAt, words: []string{"entry"}, group: look, help: "let the process stop itself (SIGSTOP) when everything is loaded, before the program's first instruction"},
			{name: "trace", to: &opt.trace, value: "WORD", group: look, help: "tell on standard error what is decided: load, map, reloc, bind, init or all; may be given more than once"},
			{name: "dry-run", to: &opt.dryRun, group: look, help: "print that, without bind unless --trace asks for it, for any machine, and do not start the program"},
			{name: "save", to: &opt.save, value: "IMAGE", files: true, group: look, help: "write what would be started to IMAGE, an executable, instead of starting it"},
		},
		run: func(c *call) error { return runProgram(c, opt) },
	}
}

const runText = `PROG is a file, or a name that is looked for in PATH; a dash is standard input; 'lib.a(prog)' is a member of an archive and 'prog(name)' what a program carries (see 'elfwright embed'). Nothing is written to a disk. A script is started by its interpreter as the kernel does it; a file without #! by /bin/sh. What follows PROG belongs to it.

elfwright becomes the program: process, arguments, environment, descriptors, and exit status are as without it. If the program cannot be started, the exit code is that of a shell: 127 if it is not there, 126 otherwise.

Engine interp makes an image of the program and of the dynamic linker that its PT_INTERP names, and lets the kernel start that from memory. The dynamic linker then does all its work; a static program is simply executed.

With --root, DIR is another system's root. The dynamic linker comes from there, and whatever that opens, now and in dlopen, is looked for below DIR first, absolute links included; libraries are never mixed with those of this machine. All other files, and programs that are started, are this machine's. There is no chroot, nothing is patched on the disk, and no root is needed. This works by answering system calls of glibc's dynamic linker; where its code does not allow that, it is refused. With musl, the directories of DIR are put into a search path that the program does not see, which comes before its RPATH.

What differs from a start without elfwright: /proc/self/exe is a file in memory (/memfd:NAME), which a program that reads it by itself sees, while its dynamic linker is told the real path, so that $ORIGIN is right; debuggers need to be told the file with the symbols. The limits of memory count the program's own bytes. Set-user-id bits of PROG mean nothing, and AT_SECURE is 0. PROG must be readable. Signals that were ignored are so no longer, but for SIGHUP and SIGINT. Code of a position-independent program lies among the libraries, at a random address as ever.`

func runProgram(c *call, f *runFlags) error {
	p := run.Program{
		Args: c.args, Env: c.prog.environ(), Path: c.prog.getenv("PATH"), Stdin: c.in,
		Engine: run.Engine(f.engine), Root: f.root, Save: f.save != "", StopAtEntry: f.stopAt != "",
		LibraryPath: strings.Join(f.libpath, ":"), Preload: strings.Join(f.preload, ":"),
	}
	if err := run.CheckTrace(f.trace); err != nil {
		return c.usagef("flag --trace: %v", err)
	}
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err == nil && f.save == "" && !f.dryRun { // else the same each time
		p.Random = binary.LittleEndian.Uint64(seed[:])
	}
	done := c.phase("prepare")
	r, err := run.Prepare(p)
	done()
	if err != nil {
		return exited{run.ExitCode(err), err}
	}
	defer r.Close()
	if f.dryRun {
		if f.trace == nil {
			f.trace = []string{"load", "map", "reloc", "init"}
		}
		return r.Trace(c.out, f.trace)
	}
	if f.trace != nil {
		if err := r.Trace(c.err, f.trace); err != nil {
			return exited{run.ExitCode(err), err}
		}
	}
	if f.save != "" {
		return r.Save(f.save)
	}
	if err := c.out.flush(); err != nil {
		return err
	}
	err = r.Exec()
	return exited{run.ExitCode(err), err}
}
